//! Models that a window does not admit, and models of two widths, as problems see them.

use keisoku::models::find;
use keisoku::prior::Prior;
use keisoku::problem::{self, Problem};
use keisoku::spec::{Candidate, Parameter};

use crate::specs;

/// The problem of one term, all its parameters free, in a window of ten points.
fn build(model: &str, range: (f64, f64), wavelength: Option<f64>) -> keisoku::error::Result<Problem> {
    let parameters = (find(model).unwrap().parameters)(0).len();
    let free = Parameter::Free(Prior::Uniform { low: 0.1, high: 0.9 });
    let term = specs::term(model, 0, vec![free; parameters]);
    let only = Candidate { label: "only".into(), k: None, terms: vec![(0, 0, 1)], model_error: 0.0 };
    let mut spec = specs::spec(range, specs::sigma(0.1), vec![term], vec![only]);
    spec.data.wavelength = wavelength;
    let x: Vec<f64> = (0..10).map(|i| range.0 + (range.1 - range.0) * f64::from(i) / 9.0).collect();
    problem::build(&spec, &specs::frame("frame", x, vec![1.0; 10])).map(|mut p| p.remove(0))
}

#[test]
fn a_window_that_reaches_zero_has_no_hyperbola() {
    assert!(build("power", (1.0, 2.0), None).is_ok());
    assert!(build("power", (-2.0, -1.0), None).is_ok());
    let error = build("power", (-1.0, 2.0), None).unwrap_err().to_string();
    assert!(error.contains("`power`") && error.contains("x = 0"), "{error}");
}

#[test]
fn a_doublet_needs_a_known_anode() {
    for wavelength in [None, Some(1.5406), Some(0.7093)] {
        assert!(build("gaussian-ka", (29.0, 31.0), wavelength).is_ok());
    }
    let error = build("gaussian-ka", (29.0, 31.0), Some(0.8)).unwrap_err().to_string();
    assert!(error.contains("`gaussian-ka`") && error.contains("Ag, Mo, Cu"), "{error}");
}

#[test]
fn two_widths_keep_their_names() {
    let problem = build("voigt", (29.0, 31.0), None).unwrap();
    let names: Vec<&str> = problem.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["area", "center", "fwhm", "lorentz_fwhm"]);
}
