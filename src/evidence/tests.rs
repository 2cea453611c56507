use std::sync::atomic::AtomicBool;

use approx::assert_abs_diff_eq;

use super::noise::{Curve, Scan};
use super::*;
use crate::dataset::Frame;
use crate::engine::oracle::Oracle;
use crate::prior::Prior;
use crate::problem::{self, Problem};
use crate::sampler::{self, Settings};
use crate::spec::{self, Parameter, Sigma, bare};

/// Sweeps of a copy, adaptation included.
const SWEEPS: usize = 3000;

/// Two like peaks on a level, of 30 points: parameters between two bounds, above one, of unknown scale, and without any.
fn problem(noise: spec::Noise) -> Problem {
    let free = Parameter::Free;
    let area = free(Prior::HalfNormal { sd: 8.0 });
    let (centre, fwhm) = (free(Prior::Uniform { low: 0.2, high: 2.8 }), free(Prior::LogUniform { low: 0.2, high: 1.5 }));
    let level =
        bare::term("chebyshev", 1, vec![free(Prior::Gamma { shape: 4.0, rate: 0.4 }), free(Prior::Normal { mean: 0.0, sd: 2.0 })], false);
    let spec = bare::spec((0.0, 3.0), noise, vec![level, bare::term("gaussian", 0, vec![area, centre, fwhm], true)], &[&[1, 2]]);
    let x: Vec<f64> = (0..30).map(|i| 0.05 + 0.1 * f64::from(i)).collect();
    // Counts on both sides of a curve by a fixed pattern of about their scatter.
    let of = |x: f64, i: usize| {
        12.0 + 9.0 * (-12.0 * (x - 1.1).powi(2)).exp() + 5.0 * (-9.0 * (x - 2.0).powi(2)).exp() + [2.0, -3.0, 0.0, 4.0, -2.0][i % 5]
    };
    let y = x.iter().enumerate().map(|(i, x)| of(*x, i).round()).collect();
    problem::build(&spec, &Frame { number: 1, x, y, monitor: vec![1.0], ..Frame::default() }).unwrap().remove(0)
}

fn sampled(problem: &Problem) -> Sampled {
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 5, copies: 8, proposals: 1, max_sweeps: SWEEPS, most_rows: SWEEPS, deadline: None, stop: &stop };
    sampler::run(&Oracle, std::slice::from_ref(problem), &settings, &|_, _| f64::from(u16::MAX)).unwrap().remove(0)
}

fn noises() -> [spec::Noise; 3] {
    let gaussian = |scale| spec::Noise::Gaussian { sigma: Sigma::Number(3.0), scale };
    [gaussian(None), spec::Noise::Poisson, gaussian(Some(Prior::LogUniform { low: 0.3, high: 3.0 }))]
}

/// At every rung the F that fresh draws tell is that of the ladder without them, within four and a half standard errors of both, a false alarm
/// once in two thousand seeds for all rungs, and these are small enough to see that the two orders of the peaks, a Jacobian, or the norm
/// of an integrated scale is missing. What both tell together is known several times better.
#[test]
fn fresh_draws_and_the_ladder_tell_the_same() {
    for noise in noises() {
        let problem = problem(noise);
        let sampled = sampled(&problem);
        let mut samples = Samples::of(&sampled);
        let both = solve(&samples, &sampled.betas, vec![0.0; sampled.betas.len()]);
        let known: Vec<Option<Known>> = samples.known.iter_mut().map(Option::take).collect();
        let ladder = solve(&samples, &sampled.betas, vec![0.0; sampled.betas.len()]);
        let (mut told, mut largest) = (0, 0.0f64);
        for (rung, known) in known.iter().enumerate().filter_map(|(r, known)| Some((r + 1, known.as_ref()?))) {
            let sizes: Vec<f64> = samples.blocks.iter().map(|block| block.sweeps).collect();
            let se = jackknife_se(&known.pull.iter().map(|pull| pull.1).collect::<Vec<_>>(), &sizes);
            let error = se.hypot(ladder.se[rung]);
            if error < 0.1 {
                told += 1;
                largest = largest.max((known.free - ladder.f[rung]).abs() / error);
            }
        }
        let last = sampled.betas.len() - 1;
        println!("{told} of {last} rungs, largest {largest:.2} errors; F ± {:.4}, of the ladder ± {:.4}", both.se[last], ladder.se[last]);
        // An inferred scale is not integrated out at the hottest rungs, where the prior's bounds cut it off.
        assert!(2 * told > last, "fresh draws tell of {told} rungs of {last}");
        assert!(largest < 4.5, "{largest}");
        assert!(3.0 * both.se[last] < ladder.se[last], "{} and {}", both.se[last], ladder.se[last]);
    }
}

/// What leaving out a block adds to F at every rung, to first order, is what it adds where all is solved anew without it: of a sixteenth of the draws
/// the second order is a tenth of it.
#[test]
fn leaving_out_a_block_moves_every_rung_as_told() {
    let sampled = sampled(&problem(noises()[0].clone()));
    let rungs = sampled.betas.len();
    let all = Samples::of(&sampled);
    let whole = solve(&all, &sampled.betas, vec![0.0; rungs]);
    for left in 0..all.blocks.len() {
        let mut samples = Samples::of(&sampled);
        samples.blocks.remove(left);
        samples.known = (1..rungs).map(|rung| Known::of(&samples.blocks, rung)).collect();
        let without = solve(&samples, &sampled.betas, whole.f.clone());
        let told = &whole.shifts[left];
        let moved: Vec<f64> = (1..rungs).map(|rung| without.f[rung] - whole.f[rung]).collect();
        let largest = told.iter().fold(0.0f64, |largest, shift| largest.max(shift.abs()));
        for (told, moved) in told.iter().zip(&moved) {
            assert!((told - moved).abs() < 0.2 * largest, "{told} for {moved}, the largest {largest}");
        }
    }
}

/// F as a function of the noise goes through what all draws tell of each rung, with its error, and in between has no other error than at both.
#[test]
fn the_noise_curve_has_what_fresh_draws_tell() {
    let problem = problem(noises()[0].clone());
    let sampled = sampled(&problem);
    let free = free_energy(&sampled).unwrap();
    let scan = Scan::of(&problem, &sampled, &free).unwrap();
    let constant = problem.measurements[0].constant;
    let untempered = |beta: f64| (1.0 - beta) * constant - 15.0 * beta.ln();
    for (rung, beta) in sampled.betas.iter().enumerate().skip(1) {
        assert_abs_diff_eq!(scan.moments(*beta).free_energy, free.rungs[rung] + untempered(*beta), epsilon = 1e-9);
        assert_abs_diff_eq!(scan.errors(*beta).0, free.rung_se[rung], epsilon = 1e-9);
    }
    for pair in sampled.betas[1..].windows(2) {
        let middle = (pair[0] * pair[1]).sqrt();
        let ends = [0, 1].map(|i| scan.errors(pair[i]).0);
        let error = scan.errors(middle).0;
        assert!(error < 2.0 * ends[0].max(ends[1]), "{error} between {ends:?}");
    }
}
