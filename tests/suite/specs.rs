//! Specs of the reference problems, built without files.

use keisoku::dataset::Frame;
use keisoku::models;
use keisoku::spec::{Candidate, Data, Group, Layout, Measurement, Noise, Parameter, Run, Sigma, Spec, Term, Width, XAxis};

/// A frame of x and y.
pub fn frame(name: &str, x: Vec<f64>, y: Vec<f64>) -> Frame {
    Frame { number: 1, name: name.into(), source: name.into(), x, y, monitor: vec![1.0], ..Frame::default() }
}

/// A term of the list of models with its parameters' sources, counted or not.
pub fn term(model: &str, size: usize, parameters: Vec<Parameter>) -> Term {
    let model = models::find(model).expect("a model of the list");
    Term { name: model.name.into(), model, size, count: (1, 1), counted: false, height: false, width: Width::Fwhm, parameters }
}

/// A spec with one window, Gaussian noise of one σ, and the candidates given.
pub fn spec(range: (f64, f64), noise: Noise, terms: Vec<Term>, candidates: Vec<Candidate>) -> Spec {
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
            max_sweeps: 100_000,
            round_trips: 10,
            alone: false,
        },
    }
}

/// Known σ.
pub fn sigma(sigma: f64) -> Noise {
    Noise::Gaussian { sigma: Sigma::Number(sigma), scale: None }
}
