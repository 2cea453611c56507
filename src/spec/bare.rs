//! Specs of one window for unit tests, built without files.

use super::{Candidate, Data, Group, Layout, Measurement, Noise, Parameter, Run, Spec, Term, Width, XAxis};
use crate::models;

/// A term of the list of models with its parameters' sources.
pub(crate) fn term(model: &str, size: usize, parameters: Vec<Parameter>, counted: bool) -> Term {
    let model = models::find(model).expect("a model of the list");
    Term { name: model.name.into(), model, size, count: (1, 1), counted, height: false, width: Width::Fwhm, parameters }
}

/// A spec with one window of these terms; each candidate is how many there are of each term.
pub(crate) fn spec(range: (f64, f64), noise: Noise, terms: Vec<Term>, candidates: &[&[usize]]) -> Spec {
    let candidate = |counts: &&[usize]| Candidate {
        label: format!("K={counts:?}"),
        k: None,
        terms: counts.iter().enumerate().map(|(t, &n)| (0, t, n)).collect(),
        model_error: 0.0,
    };
    let candidates = candidates.iter().map(candidate).collect();
    let measurement = Measurement { name: "window".into(), range, exclude: Vec::new(), noise, terms };
    Spec {
        title: String::new(),
        data: Data {
            folder: ".".into(),
            files: "*".into(),
            columns: Vec::new(),
            layout: Layout::Columns,
            x: XAxis { name: "x".into(), unit: String::new(), file: None, start_step: None },
            wavelength: None,
            wavelength2: None,
            normalise: None,
            mask_above: None,
            frames: None,
            axis_header: None,
        },
        shared: Vec::new(),
        groups: vec![Group { name: "window".into(), measurements: vec![measurement], candidates }],
        run: Run {
            seed: 1,
            engine: "cpu".into(),
            f64: false,
            copies: 8,
            proposals: 1,
            ess: 400.0,
            free_energy_se: 0.1,
            max_sweeps: 1000,
            round_trips: 10,
            alone: false,
        },
    }
}
