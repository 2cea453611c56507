//! Models that a window does not admit, and models of two widths, as problems see them.

use std::path::Path;

use keisoku::models::find;
use keisoku::prior::Prior;
use keisoku::problem::{self, Problem};
use keisoku::spec::{Candidate, Parameter, RawSpec, Spec};

use crate::specs;

/// The problem of one term, all its parameters free, in a window of ten points.
fn build(model: &str, range: (f64, f64), wavelength: Option<f64>) -> keisoku::error::Result<Problem> {
    let parameters = (find(model).unwrap().parameters)(0).len();
    let free = Parameter::Free(Prior::Uniform { low: 0.1, high: 0.9 });
    let term = specs::term(model, 0, vec![free; parameters]);
    let only = Candidate { label: "only".into(), k: None, terms: vec![(0, 0, 1)], model_error: 0.0 };
    let mut spec = specs::spec(range, specs::sigma(0.1), vec![term], vec![only]);
    spec.data.wavelength = wavelength;
    posed(&spec, range)
}

/// The first problem of a spec on ten points.
fn posed(spec: &Spec, range: (f64, f64)) -> keisoku::error::Result<Problem> {
    let x: Vec<f64> = (0..10).map(|i| range.0 + (range.1 - range.0) * f64::from(i) / 9.0).collect();
    problem::build(spec, &specs::frame("frame", x, vec![1.0; 10])).map(|mut p| p.remove(0))
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

/// The second line stands where Bragg's law puts `wavelength2` of the spec: with λ₂/λ₁ = 1.002 and 2θ = 30°, at 2 asin(1.002 sin 15°) =
/// 30.0614°; that of the anode whose wavelength it is stands elsewhere.
#[test]
fn a_doublet_takes_its_second_wavelength_from_the_spec() {
    let line = |wavelengths: &str| {
        let model = "[[window.term]]\nmodel = \"gaussian-ka\"\narea = 1\ncenter = 30\nfwhm = 0.05\n";
        let text = format!("[data]\nfiles = \"*\"\n{wavelengths}[noise]\nsigma = 0.1\n[[window]]\nrange = [29, 31]\n{model}");
        let raw = RawSpec::parse(Path::new("spec.toml"), &text).unwrap();
        let resolved = raw.resolve(&|_| Ok(Vec::new())).unwrap();
        let again = RawSpec::parse(Path::new("spec.toml"), &resolved.to_toml()).unwrap();
        let problem = posed(&again.check().unwrap(), (29.0, 31.0)).unwrap();
        let term = &problem.terms[0];
        let mut coefficients = vec![0.0; term.extent.len()];
        problem.prepare(0, &[], &mut coefficients).unwrap();
        // A Gaussian's coefficients are height, position and -1/2w² in t.
        coefficients[coefficients.len() / 2 + 1] + 30.0
    };
    let own = line("wavelength = 1.5406\nwavelength2 = 1.5436812\n");
    let expected = 2.0 * (1.002 * 15f64.to_radians().sin()).asin().to_degrees();
    assert!((own - expected).abs() < 1e-9, "{own}, not {expected}");
    assert!((line("wavelength = 1.5406\n") - expected).abs() > 1e-3);
}

#[test]
fn two_widths_keep_their_names() {
    let problem = build("voigt", (29.0, 31.0), None).unwrap();
    let names: Vec<&str> = problem.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["area", "center", "fwhm", "lorentz_fwhm"]);
}
