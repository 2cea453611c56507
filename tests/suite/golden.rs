//! Every model against numbers from an independent source, on every engine.

mod mossbauer;
mod peaks;
mod windows;

use keisoku::engine::cpu::{Cpu, Precision, available};
use keisoku::engine::oracle::Oracle;
use keisoku::engine::{Engine, Roster};
use keisoku::models::{ABREAST, Golden, MODELS, Model, level};
use keisoku::problem::{Binding, Measurement, Noise, Problem, Term};
use keisoku::spec::Width;

/// A model's coefficients at a golden value's parameters.
pub fn coefficients(model: &Model, golden: &Golden) -> Vec<f64> {
    let mut out = vec![f64::NAN; (model.extent)(golden.size).len()];
    (model.prepare)(&golden.theta, &golden.setup, &mut out).expect("golden parameters are admissible");
    out
}

/// A term's curve at x in units of y, from its coefficients, in f64.
pub fn curve(model: &Model, size: usize, setup: &keisoku::models::Setup, coefficients: &[f64], x: f64) -> f64 {
    let t = (x - setup.mid) / setup.half;
    let runs = coefficients.chunks_exact((model.extent)(size).stride);
    setup.scale * runs.map(|c| model.shape.eval_f64(t, c)).sum::<f64>()
}

/// One term and the golden curve as data; σ is `tolerance` of the curve's largest value, so that the misfit is Σ (error/tolerance)².
pub fn problem(model: &'static Model, golden: &Golden, tolerance: f64) -> Problem {
    let Golden { size, theta, setup, x, y, .. } = golden;
    let largest = y.iter().fold(0.0_f64, |a, b| a.max(b.abs())) / setup.scale;
    let sigma = tolerance * largest;
    let measurement = Measurement {
        name: "golden".into(),
        mid: setup.mid,
        half: setup.half,
        scale: setup.scale,
        x: x.clone(),
        t: x.iter().map(|x| (x - setup.mid) / setup.half).collect(),
        y: y.iter().map(|y| y / setup.scale).collect(),
        weight: vec![1.0 / sigma; x.len()],
        exposure: vec![],
        noise: Noise::Gaussian,
        constant: 0.0,
        floor: 1e-4 * sigma,
    };
    let binding = |value: &f64| Binding { free: None, factor: 1.0, offset: *value, width: Width::Fwhm };
    let term = Term {
        model,
        size: *size,
        measurement: 0,
        name: model.name.into(),
        copy: 0,
        of: 1,
        counted: false,
        setup: setup.clone(),
        bindings: theta.iter().map(binding).collect(),
        at: 0,
        extent: (model.extent)(*size),
    };
    Problem {
        frame: "golden".into(),
        window: "golden".into(),
        candidate: model.name.into(),
        k: None,
        measurements: vec![measurement],
        terms: vec![term],
        parameters: vec![],
        dependents: vec![],
    }
}

/// Σ (error/tolerance)² over the golden points as the engine sees it.
fn misfit(engine: &dyn Engine, problem: &Problem, coefficients: &[f64]) -> f64 {
    let mut roster = Roster::default();
    roster.push(problem, 1);
    let mut misfits = Vec::new();
    let mut tile = engine.tile(roster).expect("the engine takes one walker");
    tile.load(&[0], coefficients, &mut misfits).expect("the engine evaluates one walker");
    misfits[0]
}

/// Every golden value of every model is met by the engine within `tolerance` of the curve's largest value, or within the golden
/// value's own tolerance where that is larger.
pub fn reproduces(engine: &dyn Engine, tolerance: f64) {
    for model in MODELS {
        for (i, golden) in (model.golden)().iter().enumerate() {
            let problem = problem(model, golden, tolerance.max(golden.tolerance));
            let mut coefficients = vec![0.0; problem.coefficients()];
            problem.prepare(0, &[], &mut coefficients).expect("golden parameters are admissible");
            let misfit = misfit(engine, &problem, &coefficients);
            let points = golden.x.len() as f64;
            assert!(
                misfit <= points,
                "{}: golden value {i} on {}: {:.1} tolerances rms",
                model.name,
                engine.name(),
                (misfit / points).sqrt()
            );
        }
    }
}

/// A change of any one coefficient by `epsilon` (relative; absolute where it is zero) is seen by at least one golden value.
pub fn sees_mutants(engine: &dyn Engine, tolerance: f64, epsilon: f64) {
    for model in MODELS {
        let all = (model.golden)();
        let sizes: std::collections::BTreeSet<usize> = all.iter().map(|g| g.size).collect();
        for size in sizes {
            for j in 0..(model.extent)(size).len() {
                let seen = all.iter().filter(|g| g.size == size).any(|golden| {
                    let tolerance = tolerance.max(golden.tolerance);
                    let epsilon = epsilon.max(100.0 * tolerance);
                    let mut mutant = coefficients(model, golden);
                    mutant[j] = if mutant[j] == 0.0 { epsilon } else { mutant[j] * (1.0 + epsilon) };
                    misfit(engine, &problem(model, golden, tolerance), &mutant) > golden.x.len() as f64
                });
                assert!(seen, "{}: no golden value notices coefficient {j} changed by {epsilon:e}", model.name);
            }
        }
    }
}

#[test]
fn every_model_has_golden_values() {
    for model in MODELS {
        let golden = (model.golden)();
        assert!(golden.len() >= 3, "{} has {} golden values", model.name, golden.len());
        for g in golden {
            assert!(g.x.len() >= 7 && g.x.len() == g.y.len(), "{}: points", model.name);
            assert_eq!(g.theta.len(), (model.parameters)(g.size).len(), "{}: parameters", model.name);
            assert!(g.x.iter().all(|x| ((x - g.setup.mid) / g.setup.half).abs() <= 1.0), "{}: x outside the window", model.name);
            assert!(g.tolerance <= 1e-8 && !g.source.is_empty(), "{}: tolerance and source", model.name);
        }
    }
}

#[test]
fn every_model_reproduces_its_golden_values() {
    for model in MODELS {
        for golden in (model.golden)() {
            let c = coefficients(model, &golden);
            let largest = golden.y.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
            for (x, y) in golden.x.iter().zip(&golden.y) {
                let error = (curve(model, golden.size, &golden.setup, &c, *x) - y).abs() / largest;
                assert!(error <= golden.tolerance, "{} {:?} at {x}: {error:e} of the largest value", model.name, golden.theta);
            }
        }
    }
}

#[test]
fn the_oracle_reproduces_the_golden_values() {
    reproduces(&Oracle, 0.0);
    sees_mutants(&Oracle, 0.0, 1e-9);
}

/// What f32 is held to, relative to the largest value: a position in the window is rounded by 2⁻²⁴ of its half-width, and the
/// sharpest golden line is a thirtieth of that wide.
const SINGLE: f64 = 3e-6;

#[test]
fn the_cpu_engine_reproduces_the_golden_values() {
    let single = Cpu::new(Precision::F32).expect("a cpu");
    reproduces(&single, SINGLE);
    sees_mutants(&single, SINGLE, 1e-3);
    let double = Cpu::new(Precision::F64).expect("a cpu");
    reproduces(&double, 0.0);
    sees_mutants(&double, 0.0, 1e-9);
}

#[test]
fn coefficients_stay_in_the_range_of_f32() {
    // The narrowest width a model admits, with a height and a tail far outside the window.
    for model in MODELS {
        let parameters = (model.parameters)(0);
        let Some(width) = parameters.iter().position(|p| p.role == keisoku::models::Role::Width) else { continue };
        let golden = &(model.golden)()[0];
        let mut narrow = golden.clone();
        narrow.theta[width] = 2e-9 * golden.setup.half;
        for c in coefficients(model, &narrow) {
            assert!(c.is_finite() && c.abs() < 1e30, "{}: coefficient {c:e}", model.name);
        }
        for inadmissible in [0.0, -0.1, f64::NAN] {
            narrow.theta[width] = inadmissible;
            let mut out = vec![0.0; (model.extent)(0).len()];
            let refused = (model.prepare)(&narrow.theta, &narrow.setup, &mut out).is_err();
            // A Voigt peak without a Gaussian part is a Lorentzian.
            assert!(refused || model.name.starts_with("voigt"), "{} takes the width {inadmissible}", model.name);
        }
    }
}

/// Abreast on every instruction set, walkers get the coefficients that each gets alone, to the last bit, and those that a model refuses are told
/// apart from the others: golden parameters, some of them scaled, with nothing, less than nothing and no number among them.
#[test]
fn walkers_abreast_are_prepared_as_each_is_alone() {
    const ODD: [f64; 5] = [0.0, -1.0, f64::NAN, 1e-300, 2e-9];
    for (model, name) in MODELS.iter().flat_map(|model| available().into_iter().map(move |name| (model, name))) {
        for golden in (model.golden)() {
            let of = |lane: usize, i: usize| match (lane, lane % 3 == 2 && lane % golden.theta.len() == i) {
                (_, true) => ODD[lane % ODD.len()],
                _ => golden.theta[i] * (1.0 + 0.01 * lane as f64),
            };
            let theta: Vec<[f64; ABREAST]> = (0..golden.theta.len()).map(|i| std::array::from_fn(|lane| of(lane, i))).collect();
            let length = (model.extent)(golden.size).len();
            let (mut beside, mut fine) = (vec![0.0; length * ABREAST], [true; ABREAST]);
            fine[5] = false;
            (model.prepare_abreast)(level::named(name).expect("one of those there are"), &theta, &golden.setup, &mut beside, &mut fine);
            for lane in 0..ABREAST {
                let own: Vec<f64> = theta.iter().map(|all| all[lane]).collect();
                let mut alone = vec![0.0; length];
                let admitted = (model.prepare)(&own, &golden.setup, &mut alone).is_ok();
                assert_eq!(fine[lane], admitted && lane != 5, "{} on {name}: {own:?}", model.name);
                let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                let pairs = alone.iter().zip(&beside[lane * length..(lane + 1) * length]);
                assert!(!fine[lane] || pairs.clone().all(same), "{} on {name}: {own:?}: {:?}", model.name, pairs.collect::<Vec<_>>());
            }
        }
    }
}
