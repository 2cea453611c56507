//! Moves leave the target distribution as it is; results do not depend on threads, batches or order.

use std::sync::atomic::AtomicBool;

use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::prior::Prior;
use keisoku::problem;
use keisoku::sampler::{self, Settings, diagnostics};
use keisoku::spec::{Candidate, Parameter, Term};

use crate::specs;

/// Three exchangeable peaks of every kind of prior under noise so large that the data say nothing: the posterior is the prior, the energy is
/// flat, and what accepts or refuses a move is its own ratio of priors, proposals and Jacobians alone. A missing Jacobian, a guide whose
/// density is left out, or a trade that is not symmetric shows in the moments.
#[test]
fn without_information_the_posterior_is_the_prior() {
    let priors = [
        Prior::Gamma { shape: 3.0, rate: 2.0 },
        Prior::TruncatedNormal { mean: 1.0, sd: 0.6, low: 0.2, high: 2.8 },
        Prior::LogUniform { low: 0.05, high: 0.5 },
    ];
    let peaks = specs::term("gaussian", 0, priors.map(Parameter::Free).to_vec());
    let level = Prior::Normal { mean: 3.0, sd: 2.0 };
    let background = specs::term("chebyshev", 1, vec![Parameter::Free(level), Parameter::Free(Prior::HalfNormal { sd: 1.5 })]);
    let candidate = Candidate { label: "K=3".into(), k: Some(3), terms: vec![(0, 0, 1), (0, 1, 3)], model_error: 0.0 };
    let terms = vec![background, Term { counted: true, count: (3, 3), ..peaks }];
    let spec = specs::spec((0.0, 3.0), specs::sigma(1e7), terms, vec![candidate]);
    // Data with a line in them, so that the guide is far from flat.
    let x: Vec<f64> = (0..120).map(|i| 0.025 * f64::from(i)).collect();
    let y = x.iter().map(|x| 10.0 * (-30.0 * (x - 2.0f64).powi(2)).exp() + 0.3 * (41.0 * x).sin()).collect();
    let problems = problem::build(&spec, &specs::frame("flat", x, y)).unwrap();
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 5, copies: 8, max_sweeps: 6000, most_rows: 1000, deadline: None, stop: &stop };
    let engine = Cpu::new(Precision::F32).unwrap();
    let sampled = sampler::run(&engine, &problems, &settings, &|_, _| 12.0).unwrap().remove(0);
    let d = problems[0].dimension();
    for (i, parameter) in problems[0].parameters.iter().enumerate() {
        let chains: Vec<Vec<f64>> = sampled.copies.iter().map(|c| c.draws.iter().skip(i).step_by(d).copied().collect()).collect();
        let (mean, sd) = parameter.prior.moments();
        for (what, f, expected, spread) in
            [("mean", (|z: f64| z) as fn(f64) -> f64, 0.0, 1.0), ("variance", |z| z * z, 1.0, kurtosis_spread(&parameter.prior))]
        {
            let values: Vec<Vec<f64>> = chains.iter().map(|c| c.iter().map(|v| f((v - mean) / sd)).collect()).collect();
            let ess = diagnostics::ess_mean(&values);
            let all: Vec<f64> = values.into_iter().flatten().collect();
            let got = all.iter().sum::<f64>() / all.len() as f64;
            let errors = (got - expected) / (spread / ess.sqrt());
            println!("{} {what}: {got:.4} for {expected}, ess {ess:.0}, {errors:+.2} errors", parameter.name);
            // 22 numbers at 4.5 standard errors: a false alarm once in seven thousand seeds.
            assert!(ess > 300.0 && errors.abs() < 4.5, "{} {what}: {errors} errors off", parameter.name);
        }
    }
}

/// Standard deviation of ((x − mean)/sd)², from the prior's own draws.
fn kurtosis_spread(prior: &Prior) -> f64 {
    let mut stream = keisoku::random::Key::new(11, "spread", "", "", 0).stream(0, 0, 0);
    let (mean, sd) = prior.moments();
    let squares: Vec<f64> = (0..20_000).map(|_| ((prior.sample(&mut stream) - mean) / sd).powi(2)).collect();
    let average = squares.iter().sum::<f64>() / squares.len() as f64;
    (squares.iter().map(|s| (s - average).powi(2)).sum::<f64>() / squares.len() as f64).sqrt()
}
