//! Priors: every density integrates to 1, which free energies that are subtracted need, and its draws follow it.

use keisoku::calibrate::tally;
use keisoku::models::{ABREAST, Abreast};
use keisoku::prior::{Coordinate, Prior};
use keisoku::random::Key;

/// One of each kind.
const PRIORS: [Prior; 8] = [
    Prior::Uniform { low: -1.0, high: 3.0 },
    Prior::LogUniform { low: 0.05, high: 2.0 },
    Prior::Normal { mean: 1.0, sd: 0.3 },
    Prior::HalfNormal { sd: 1.5 },
    Prior::TruncatedNormal { mean: 1.0, sd: 0.6, low: 0.9, high: 2.8 },
    Prior::Gamma { shape: 3.0, rate: 2.0 },
    Prior::Beta { alpha: 2.0, beta: 3.0 },
    Prior::Isotropic,
];
/// Pieces that a density is integrated in.
const PIECES: usize = 200_000;
/// Draws that are compared with it.
const DRAWS: usize = 20_000;
/// False-alarm rate of one prior's draws: once in 12 500 seeds for all.
const LEVEL: f64 = 1e-5;

/// The integral of a density up to the upper end of each piece, by midpoints, and the ends of all pieces. What lies beyond 20 standard
/// deviations is nothing (e⁻³⁰ and less).
fn integral(prior: &Prior) -> (Vec<f64>, f64, f64) {
    let (mean, sd) = prior.moments();
    let (low, high) = match prior {
        Prior::Isotropic => (0.0, std::f64::consts::PI),
        Prior::Beta { .. } => (0.0, 1.0),
        Prior::Uniform { low, high } | Prior::LogUniform { low, high } | Prior::TruncatedNormal { low, high, .. } => (*low, *high),
        Prior::HalfNormal { .. } | Prior::Gamma { .. } => (0.0, mean + 20.0 * sd),
        Prior::Normal { .. } => (mean - 20.0 * sd, mean + 20.0 * sd),
    };
    let step = (high - low) / PIECES as f64;
    let pieces = (0..PIECES).map(|i| step * prior.ln_density(low + step * (i as f64 + 0.5)).exp());
    let sums = pieces.scan(0.0, |sum, piece| {
        *sum += piece;
        Some(*sum)
    });
    (sums.collect(), low, step)
}

/// p of χ² of the places that draws, `factor` times as large, have in the integral.
fn follows(prior: &Prior, factor: f64) -> f64 {
    let (sums, low, step) = integral(prior);
    let mut stream = Key::new(41, "priors", "", "", 0).stream(0, 0, 0);
    let place = |draw: f64| {
        let piece = ((draw - low) / step).clamp(0.0, (PIECES - 1) as f64) as usize;
        ((sums[piece] * 16.0) as usize).min(15)
    };
    let ranks: Vec<(usize, usize)> = (0..DRAWS).map(|_| (place(factor * prior.sample(&mut stream)), 15)).collect();
    tally::histogram(ranks.into_iter()).p.unwrap()
}

/// Midpoints of these pieces are exact to 10⁻⁸ where the density has no step inside. A factor left out is off by percents.
#[test]
fn every_density_integrates_to_one() {
    for prior in PRIORS {
        let whole = integral(&prior).0[PIECES - 1];
        println!("{prior:?}: {whole}");
        assert!((whole - 1.0).abs() < 1e-6, "{prior:?} integrates to {whole}");
    }
}

/// Draws a tenth too large do not.
#[test]
fn draws_follow_their_density() {
    for prior in PRIORS {
        let (right, wrong) = (follows(&prior, 1.0), follows(&prior, 1.1));
        println!("{prior:?}: p = {right:.2e}, draws a tenth larger {wrong:.2e}");
        assert!(right > LEVEL && wrong < LEVEL, "{prior:?}");
    }
}

/// Ratios of a step's density, by the density itself: in logarithms it has the Jacobian x. Rounding of the terms, which are below 100, is 1e-13.
#[test]
fn steps_have_the_ratio_of_the_densities_of_their_coordinate() {
    for prior in PRIORS {
        let log = prior.coordinate() == Coordinate::Log;
        let density = |x: f64| prior.ln_density(x) + if log { x.ln() } else { 0.0 };
        let mut stream = Key::new(2, "steps", "", "", 0).stream(0, 0, 0);
        let (mut inside, mut outside) = (0, 0);
        for some in 0..25 {
            let from: Abreast = std::array::from_fn(|_| prior.sample(&mut stream));
            let delta: Abreast = std::array::from_fn(|lane| 2.0 * ((some * ABREAST + lane) as f64 / 200.0 - 1.0));
            // It is added to what is there.
            let (mut to, mut ln_ratio) = ([0.0; ABREAST], [1.0; ABREAST]);
            prior.steps(&from, &delta, &mut to, &mut ln_ratio);
            for (((from, to), ln_ratio), delta) in from.into_iter().zip(to).zip(ln_ratio).zip(delta) {
                assert!((if log { (to / from).ln() } else { to - from } - delta).abs() < 1e-12, "{prior:?}: {from} to {to} by {delta}");
                let expected = 1.0 + density(to) - density(from);
                if expected == f64::NEG_INFINITY {
                    assert_eq!(ln_ratio, expected, "{prior:?}: {from} to {to}");
                    outside += 1;
                } else {
                    assert!((ln_ratio - expected).abs() < 1e-11, "{prior:?}: {from} to {to}: {ln_ratio} in place of {expected}");
                    inside += 1;
                }
            }
        }
        let bounded = !matches!(prior, Prior::Normal { .. } | Prior::Gamma { .. });
        assert!(inside > 50 && (outside > 20) == bounded, "{prior:?}: {inside} inside, {outside} outside");
    }
}
