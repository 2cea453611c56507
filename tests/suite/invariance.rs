//! Moves leave the target distribution as it is; results do not depend on threads, batches or order.

use std::sync::atomic::AtomicBool;

use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::prior::Prior;
use keisoku::problem;
use keisoku::sampler::{self, Settings, diagnostics};
use keisoku::spec::{Candidate, Noise, Parameter, Term};

use crate::specs;

/// Three exchangeable peaks of every kind of prior under noise so large that the data say nothing: the posterior is the prior, the energy is
/// flat, and what accepts or refuses a move is its own ratio of priors, proposals and Jacobians alone. A missing Jacobian, a guide whose
/// density is left out, or a trade that is not symmetric shows in the moments: without the Jacobian of logarithmic steps the first amplitude is 30 errors off.
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
    let settings = Settings { seed: 5, copies: 8, proposals: 1, max_sweeps: 6000, most_rows: 1000, deadline: None, stop: &stop };
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

/// One peak of fixed width on a level, so weak that its amplitude's bound, its place and the level all matter: moments of the posterior by
/// quadrature on a grid that converges exponentially or is cut at the priors' ends, and from the sampler, whose moves across the window
/// draw amplitude and level from a normal approximation. Left out of the acceptance, its density shifts them by tens of errors.
fn quadrature(noise: Noise, y: &[f64], x: &[f64], ln_likelihood: impl Fn(f64, f64) -> f64) {
    let (areas, centres, levels) = ((0.0, 6.0), (0.0, 3.0), (1.0, 9.0));
    let uniform = |(low, high): (f64, f64)| Parameter::Free(Prior::Uniform { low, high });
    let peak = specs::term("gaussian", 0, vec![uniform(areas), uniform(centres), Parameter::Fixed(0.4)]);
    let level = specs::term("chebyshev", 0, vec![uniform(levels)]);
    let candidate = Candidate { label: "K=1".into(), k: Some(1), terms: vec![(0, 0, 1), (0, 1, 1)], model_error: 0.0 };
    let terms = vec![level, Term { counted: true, ..peak }];
    let spec = specs::spec((0.0, 3.0), noise, terms, vec![candidate]);
    let problems = problem::build(&spec, &specs::frame("weak", x.to_vec(), y.to_vec())).unwrap();
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 7, copies: 8, proposals: 1, max_sweeps: 9000, most_rows: 4000, deadline: None, stop: &stop };
    let sampled = sampler::run(&Cpu::new(Precision::F32).unwrap(), &problems, &settings, &|_, _| 12.0).unwrap().remove(0);
    // The level first, in the order of the spec.
    let n = [48, 160, 160];
    let at = |(low, high): (f64, f64), i: usize, n: usize| low + (high - low) * (i as f64 + 0.5) / n as f64;
    let (mut whole, mut first, mut second) = (0.0, [0.0; 3], [0.0; 3]);
    let height = |area: f64| area / (0.4 * (std::f64::consts::PI / (4.0 * std::f64::consts::LN_2)).sqrt());
    for c in 0..n[2] {
        let centre = at(centres, c, n[2]);
        let shape: Vec<f64> = x.iter().map(|x| (-4.0 * std::f64::consts::LN_2 * ((x - centre) / 0.4).powi(2)).exp()).collect();
        for (l, a) in (0..n[0]).flat_map(|l| (0..n[1]).map(move |a| (l, a))) {
            let (level, area) = (at(levels, l, n[0]), at(areas, a, n[1]));
            let ln: f64 = y.iter().zip(&shape).map(|(y, s)| ln_likelihood(*y, level + height(area) * s)).sum();
            let weight = ln.exp();
            whole += weight;
            for (i, v) in [level, area, centre].into_iter().enumerate() {
                first[i] += weight * v;
                second[i] += weight * v * v;
            }
        }
    }
    for i in 0..3 {
        let (mean, square) = (first[i] / whole, second[i] / whole);
        let sd = (square - mean * mean).sqrt();
        let chains: Vec<Vec<f64>> = sampled.copies.iter().map(|c| c.draws.iter().skip(i).step_by(3).copied().collect()).collect();
        for (what, f, expected) in [("mean", (|v: f64| v) as fn(f64) -> f64, mean), ("square", |v| v * v, square)] {
            let values: Vec<Vec<f64>> = chains.iter().map(|c| c.iter().map(|v| f(*v)).collect()).collect();
            let all: Vec<f64> = values.iter().flatten().copied().collect();
            let got = all.iter().sum::<f64>() / all.len() as f64;
            let spread = (all.iter().map(|v| (v - got).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
            let ess = diagnostics::ess_mean(&values);
            let errors = (got - expected) / (spread / ess.sqrt());
            println!(
                "{} {what}: {got:.4} for {expected:.4} (sd {sd:.3}), ess {ess:.0}, {errors:+.2} errors",
                problems[0].parameters[i].name
            );
            // Twice six numbers at 4.5 standard errors: a false alarm once in twelve thousand seeds.
            assert!(ess > 1000.0 && errors.abs() < 4.5, "{} {what}: {errors} errors off", problems[0].parameters[i].name);
        }
    }
}

#[test]
fn a_weak_peak_has_the_moments_of_quadrature() {
    let x: Vec<f64> = (0..40).map(|i| 0.0375 + 0.075 * f64::from(i)).collect();
    let curve = |x: f64| 4.0 + 3.0 * (-17.0 * (x - 1.1f64).powi(2)).exp();
    let y: Vec<f64> = x.iter().map(|x| curve(*x) + 1.7 * (53.0 * x).sin()).collect();
    let s = 2.0f64;
    quadrature(specs::sigma(s), &y, &x, |y, f| -0.5 * ((y - f) / s).powi(2));
    // Counts: the weights of the least squares are only nearly right.
    let counts: Vec<f64> = y.iter().map(|y| y.round().max(0.0)).collect();
    quadrature(Noise::Poisson, &counts, &x, |y, f| y * f.ln() - f);
}
