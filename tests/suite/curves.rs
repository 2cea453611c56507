//! Curves of draws: likelihoods point by point are the energies, terms add up, new data scatter as the noise says.

use std::sync::atomic::AtomicBool;

use keisoku::engine::oracle::Oracle;
use keisoku::posterior::{self, Draws};
use keisoku::prior::Prior;
use keisoku::problem::{self, Problem};
use keisoku::random::Key;
use keisoku::sampler::{self, Sampled, Settings};
use keisoku::spec::{Candidate, Noise, Parameter, Sigma};

use crate::specs;

/// Points of the frame.
const POINTS: usize = 60;

/// Two peaks on a level, seen with that noise; under Poisson the monitor varies from point to point.
fn sampled(noise: Noise) -> (Problem, Sampled) {
    let poisson = noise == Noise::Poisson;
    let mut stream = Key::new(1, "curves", "", "", 0).stream(0, 0, 0);
    let x: Vec<f64> = (0..POINTS).map(|i| 0.05 * i as f64).collect();
    let peak = |x: f64, at: f64| 80.0 * (-0.5 * ((x - at) / 0.15).powi(2)).exp();
    let monitor: Vec<f64> = if poisson { x.iter().map(|x| 1.0 + 0.2 * x).collect() } else { vec![1.0] };
    let mean = |i: usize| (20.0 + peak(x[i], 1.0) + peak(x[i], 1.9)) * monitor.get(i).unwrap_or(&1.0);
    let normal = Prior::Normal { mean: 0.0, sd: 1.0 };
    let y = (0..POINTS).map(|i| (mean(i) + mean(i).sqrt() * normal.sample(&mut stream)).round()).collect();
    let mut frame = specs::frame("curves", x.clone(), y);
    frame.monitor = monitor;
    let uniform = |low, high| Parameter::Free(Prior::Uniform { low, high });
    let mut peaks = specs::term("gaussian", 0, vec![uniform(0.0, 100.0), uniform(0.0, 3.0), uniform(0.2, 0.6)]);
    (peaks.count, peaks.counted) = ((2, 2), true);
    let level = specs::term("chebyshev", 0, vec![uniform(0.0, 100.0)]);
    let candidate = Candidate { label: "K=2".into(), k: Some(2), terms: vec![(0, 0, 2), (0, 1, 1)], model_error: 0.0 };
    let spec = specs::spec((0.0, 3.0), noise, vec![peaks, level], vec![candidate]);
    let problem = problem::build(&spec, &frame).unwrap().remove(0);
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 1, copies: 4, proposals: 1, max_sweeps: 600, most_rows: 1000, deadline: None, stop: &stop };
    let sampled = sampler::run(&Oracle, std::slice::from_ref(&problem), &settings, &|_, _| 1.0).unwrap().remove(0);
    (problem, sampled)
}

fn noises() -> [Noise; 3] {
    let gaussian = |scale| Noise::Gaussian { sigma: Sigma::Number(7.0), scale };
    [gaussian(None), gaussian(Some(Prior::LogUniform { low: 0.1, high: 10.0 })), Noise::Poisson]
}

/// Likelihoods of one draw, for each of the picked ones, with its energy.
fn scored(draws: &Draws) -> impl Iterator<Item = (&[f32], f64)> {
    let rungs = draws.betas.len();
    let rows = (0..draws.chains).flat_map(move |c| draws.picked.scored.iter().map(move |row| c * draws.rows + row));
    draws.observed[0].curves.ln_likelihood.chunks(POINTS).zip(rows.map(move |row| draws.energies[(row + 1) * rungs - 1]))
}

/// The engine is the oracle itself, so that nothing but the rounding of 60 f32 numbers below 16 is between the two: 60·16·2⁻²⁵.
#[test]
fn likelihoods_of_points_add_up_to_the_energy() {
    for noise in noises() {
        let (problem, sampled) = sampled(noise.clone());
        let draws = posterior::draws(&problem, &sampled, 1);
        let curves = &draws.observed[0].curves;
        assert_eq!(curves.ln_likelihood.len(), draws.chains * draws.picked.scored.len() * POINTS);
        assert_eq!(curves.predictive.len(), draws.chains * draws.picked.predicted.len() * POINTS);
        assert!((10..=25).contains(&draws.picked.predicted.len()) && (50..=250).contains(&draws.picked.scored.len()), "{:?}", draws.picked);
        for (each, energy) in scored(&draws) {
            let sum = |of: &[f32]| of.iter().map(|l| f64::from(*l)).sum::<f64>();
            assert!((sum(each) + energy).abs() < 3e-5, "{noise:?}: {} for {}", sum(each), -energy);
            // A point left out is seen.
            assert!((sum(&each[1..]) + energy).abs() > 3e-5);
        }
    }
}

#[test]
fn terms_add_up_to_the_expected_curve_and_quantiles_are_in_order() {
    for noise in noises() {
        let (problem, sampled) = sampled(noise.clone());
        let curves = posterior::draws(&problem, &sampled, 1).observed.remove(0).curves;
        let names: Vec<&str> = curves.terms.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["peak 1", "peak 2", "chebyshev"]);
        let top = |k: usize| (0..POINTS).max_by(|&a, &b| curves.terms[k].1[a].total_cmp(&curves.terms[k].1[b])).unwrap();
        assert!(top(0).abs_diff(20) < 3 && top(1).abs_diff(38) < 3, "peaks at points {} and {}", top(0), top(1));
        for i in 0..POINTS {
            let quantiles: Vec<f64> = (0..5).map(|q| curves.expectation[q * POINTS + i]).collect();
            assert!(quantiles.is_sorted() && quantiles[0] < quantiles[4], "{quantiles:?}");
            let sum: f64 = curves.terms.iter().map(|(_, mean)| mean[i]).sum();
            assert!((quantiles[0]..quantiles[4]).contains(&sum), "{noise:?}: point {i}, {sum} in {quantiles:?}");
        }
    }
}

/// Residuals of new data about the expected median, in units of the noise, over some hundred draws a point: their mean square is one plus the
/// curve's own share of at most a tenth, and a normal square's mean over 6000 numbers scatters by .02.
#[test]
fn new_data_scatter_as_the_noise_says_and_follow_the_seed() {
    for noise in noises() {
        let (problem, sampled) = sampled(noise.clone());
        let of = |seed| posterior::draws(&problem, &sampled, seed);
        let (draws, again, other) = (of(1), of(1), of(2));
        let predictive = |d: &Draws| d.observed[0].curves.predictive.clone();
        assert_eq!(predictive(&draws), predictive(&again));
        assert_ne!(predictive(&draws), predictive(&other));
        let curves = &draws.observed[0].curves;
        let scale = match &noise {
            Noise::Gaussian { scale: Some(_), .. } => {
                let values = &draws.variables.iter().find(|v| v.name == "scale").unwrap().values;
                (values.iter().map(|c| c * c).sum::<f64>() / values.len() as f64).sqrt()
            }
            _ => 1.0,
        };
        let mut squares = Vec::new();
        for each in curves.predictive.chunks(POINTS) {
            for (i, y) in each.iter().enumerate() {
                let median = curves.expectation[2 * POINTS + i];
                let sigma = if noise == Noise::Poisson { median.sqrt() } else { 7.0 * scale };
                squares.push(((f64::from(*y) - median) / sigma).powi(2));
                assert!(noise != Noise::Poisson || y.fract() == 0.0 && *y >= 0.0, "{y} is no count");
            }
        }
        let mean = squares.iter().sum::<f64>() / squares.len() as f64;
        let error = (2.0 / squares.len() as f64).sqrt();
        assert!((1.0 - 4.0 * error..1.2 + 4.0 * error).contains(&mean), "{noise:?}: {mean} ± {error}");
    }
}
