//! Inverse temperatures: a first guess, the communication barrier, and rungs at equal barrier.
//!
//! Syed, Bouchard-Côté, Deligiannidis, Doucet, JRSS B 84 (2022) 321: the rejection rates of neighbouring rungs add up to the barrier
//! Λ in the limit of many rungs, and it does not depend on the ladder; equal rates are the best placement.

use crate::engine::oracle;
use crate::noise;
use crate::problem::Problem;
use crate::random::Key;

/// Rungs of the first guess.
const FIRST_RUNGS: usize = 20;
/// Draws from the prior that the first guess looks at.
const DRAWS: u32 = 48;
/// Fewest and most rungs of an adapted ladder.
const RUNGS: (usize, usize) = (4, 96);

/// A geometric ladder from the β at which the prior's energies matter at all, and 0 below it.
///
/// The energies are the oracle's, so that every engine starts from the same ladder.
pub fn first(problem: &Problem, key: Key) -> Vec<f64> {
    let mut energies: Vec<f64> = (0..DRAWS).filter_map(|i| prior_energy(problem, key, i)).collect();
    energies.sort_by(f64::total_cmp);
    let spread = match (energies.first(), energies.get(energies.len() / 2)) {
        (Some(low), Some(median)) => (median - low).max(10.0),
        _ => 1e4,
    };
    let lowest = (1.0 / spread).max(1e-9);
    let ratio = lowest.powf(1.0 / (FIRST_RUNGS - 2) as f64);
    let mut betas = vec![0.0];
    betas.extend((0..FIRST_RUNGS - 1).rev().map(|i| ratio.powi(i as i32)));
    betas
}

fn prior_energy(problem: &Problem, key: Key, i: u32) -> Option<f64> {
    let mut stream = key.stream(i, u32::MAX - 1, 0);
    let theta: Vec<f64> = problem.parameters.iter().map(|p| p.prior.sample(&mut stream)).collect();
    let mut coefficients = vec![0.0; problem.coefficients()];
    for (k, term) in problem.terms.iter().enumerate() {
        problem.prepare(k, &theta, &mut coefficients[term.at..term.at + term.extent.len()]).ok()?;
    }
    let mut misfits = Vec::new();
    oracle::push_misfits(problem, &coefficients, &mut misfits);
    Some(noise::energy(problem, &misfits, &theta)).filter(|u| u.is_finite())
}

/// Rejection rates of the pairs, from counts over all copies; half a rejection is added so that no barrier is exactly zero.
pub fn rejection(accepted: &[u64], tried: &[u64]) -> Vec<f64> {
    accepted.iter().zip(tried).map(|(&a, &n)| (n as f64 - a as f64 + 0.5) / (n as f64 + 1.0)).collect()
}

/// A pair's share of the barrier, ∫λ dβ from its one rung to the other, from its rejection rate.
///
/// Far from zero a rate is less than the share. Where U is normal of variance v and the rungs are δ apart, ln of the exchange's ratio is normal
/// of mean −τ²/2 and variance τ² = 2δ²v: the pair rejects r = erf(τ/√8), and its share is δ√(v/π) = τ/√2π = (2/√π)·erf⁻¹(r). Energies of d
/// directions that data fix are χ² variables of d degrees of freedom instead, for which both are known: at r = .45 the share is .485, .478 and
/// .477 for d = 2, 10 and 30, where this gives .477; at r = .8 it is 1.10, 1.04 and 1.03 for 1.02. Rates alone are 6 and 25 % low there.
fn share(rejection: f64) -> f64 {
    // A rate of 1 would be infinitely far; counts are finite, and so is what they tell.
    std::f64::consts::FRAC_2_SQRT_PI * puruspe::inverf(rejection.min(MOST_REJECTION))
}

/// Rejection rate from which on a pair's share of the barrier, 2.8, is not told any more.
const MOST_REJECTION: f64 = 0.9995;

/// Communication barrier Λ = ∫λ(β) dβ from the rejection rates of all pairs. Their plain sum is 6 % low on a ladder of [`length`].
pub fn barrier(rejection: &[f64]) -> f64 {
    rejection.iter().map(|r| share(*r)).sum()
}

/// Number of rungs for a barrier: 2Λ pairs. Of pairs as far apart as δΛ that reject r, the round-trip rate per unit of work is largest where
/// r/(1 − r)/δΛ² is least (Syed et al., section 5). With r = δΛ that is at ½, with r = erf(√π/2·δΛ) at .69, where it is but 6 % less than at ½:
/// the shorter pair is taken, for an energy that is not normal rejects more.
pub fn length(barrier: f64) -> usize {
    ((2.0 * barrier).ceil() as usize + 1).clamp(RUNGS.0, RUNGS.1)
}

/// Rungs at equal shares of the barrier: ln β as a monotone cubic function of the cumulated barrier (Fritsch and Carlson 1980),
/// β itself below the lowest rung above 0.
pub fn equalised(betas: &[f64], rejection: &[f64], rungs: usize) -> Vec<f64> {
    let mut cumulated = vec![0.0];
    for r in rejection {
        cumulated.push(cumulated[cumulated.len() - 1] + share(*r));
    }
    let (knots, total) = (&cumulated[1..], cumulated[cumulated.len() - 1]);
    let values: Vec<f64> = betas[1..].iter().map(|b| b.ln()).collect();
    let slopes = monotone_slopes(knots, &values);
    let at = |barrier: f64| -> f64 {
        if barrier <= knots[0] {
            return betas[1] * barrier / knots[0];
        }
        hermite(knots, &values, &slopes, barrier).exp()
    };
    let mut new: Vec<f64> = (0..rungs).map(|i| at(total * i as f64 / (rungs - 1) as f64)).collect();
    new[0] = 0.0;
    new[rungs - 1] = betas[betas.len() - 1];
    new
}

/// ln Z = ln ⟨exp(−βU)⟩ over the prior at the rungs `to`, by stepping stones over the energies at the rungs `from` (rows of each copy).
pub fn ln_z(from: &[f64], rows: &[&[f64]], to: &[f64]) -> Vec<f64> {
    let rise = |rung: usize, step: f64| {
        let values = || rows.iter().flat_map(|rows| rows.iter().skip(rung).step_by(from.len())).map(|u| -step * u);
        let largest = values().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            0.0
        } else {
            largest + (values().map(|v| (v - largest).exp()).sum::<f64>() / values().count() as f64).ln()
        }
    };
    let mut known = vec![0.0];
    for rung in 0..from.len() - 1 {
        known.push(known[rung] + rise(rung, from[rung + 1] - from[rung]));
    }
    let at = |&beta: &f64| {
        let rung = from.iter().rposition(|b| *b <= beta).unwrap_or(0);
        known[rung] + if beta > from[rung] { rise(rung, beta - from[rung]) } else { 0.0 }
    };
    to.iter().map(at).collect()
}

fn monotone_slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len();
    if n < 2 {
        return vec![0.0; n];
    }
    let secant: Vec<f64> = (0..n - 1).map(|i| (y[i + 1] - y[i]) / (x[i + 1] - x[i])).collect();
    let mut slopes = vec![0.0; n];
    slopes[0] = secant[0];
    slopes[n - 1] = secant[n - 2];
    for i in 1..n - 1 {
        let (a, b) = (secant[i - 1], secant[i]);
        // Harmonic mean: zero where the secants change sign, never more than three times the smaller one.
        slopes[i] = if a * b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 };
    }
    slopes
}

fn hermite(x: &[f64], y: &[f64], slopes: &[f64], at: f64) -> f64 {
    let i = x.partition_point(|&v| v < at).clamp(1, x.len() - 1) - 1;
    let h = x[i + 1] - x[i];
    let s = ((at - x[i]) / h).clamp(0.0, 1.0);
    let (s2, s3) = (s * s, s * s * s);
    y[i] * (2.0 * s3 - 3.0 * s2 + 1.0)
        + h * slopes[i] * (s3 - 2.0 * s2 + s)
        + y[i + 1] * (3.0 * s2 - 2.0 * s3)
        + h * slopes[i + 1] * (s3 - s2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_of_equal_rejection_stays_as_it_is() {
        let betas = [0.0, 0.1, 0.2, 0.4, 1.0];
        let new = equalised(&betas, &[0.3; 4], 5);
        for (a, b) in betas.iter().zip(&new) {
            assert!((a - b).abs() < 1e-12, "{new:?}");
        }
    }

    /// Exact shares for an energy of two degrees of freedom, which is exponential: at rates 1 and ρ of it a pair rejects 1 − 2/(1 + ρ), and its
    /// share is ½ ln ρ. The sum of the rates is the mutant: 7 % low.
    #[test]
    fn the_barrier_of_coarse_pairs_is_nearly_whole() {
        let rho: f64 = 2.6;
        let (rejection, exact) = (1.0 - 2.0 / (1.0 + rho), 0.5 * rho.ln());
        let ladder = [rejection; 12];
        assert!((barrier(&ladder) / (12.0 * exact) - 1.0).abs() < 0.02, "{} for {}", barrier(&ladder), 12.0 * exact);
        assert!(ladder.iter().sum::<f64>() / (12.0 * exact) < 0.94);
        assert!((barrier(&[1e-3; 7]) - 7e-3).abs() < 1e-8 && barrier(&[1.0]).is_finite());
    }

    /// Energies of one exponential distribution at every rung, as where U is exponential with mean 1/(1 + β) at β: Z = 1/(1 + β), by quantiles instead of
    /// draws.
    #[test]
    fn norms_of_new_rungs_are_told_by_the_old_ones() {
        let (from, to) = ([0.0, 0.5, 2.0, 5.0], [0.0, 0.2, 0.5, 3.0, 5.0]);
        let quantile = |i: usize| -(1.0 - (i as f64 + 0.5) / 4000.0).ln();
        let rows: Vec<f64> = (0..4000).flat_map(|i| from.map(|beta| quantile(i) / (1.0 + beta))).collect();
        let (first, second) = rows.split_at(4 * 1000);
        for (beta, ln_z) in to.iter().zip(ln_z(&from, &[first, second], &to)) {
            assert!((ln_z + (1.0 + beta).ln()).abs() < 2e-3, "{ln_z} at {beta}");
        }
        // Half of the prior's draws have zero likelihood: so has half of the mean.
        let half = ln_z(&[0.0, 1.0], &[&[f64::INFINITY, 3.0, 3.0, 3.0]], &[0.0, 1.0]);
        assert!((half[1] - (0.5f64.ln() - 3.0)).abs() < 1e-12, "{half:?}");
    }

    #[test]
    fn rungs_ascend_and_end_where_they_ended() {
        let betas = [0.0, 0.001, 0.01, 0.5, 1.0];
        let new = equalised(&betas, &[0.9, 0.01, 0.7, 0.2], 12);
        assert!(new.windows(2).all(|w| w[0] < w[1]), "{new:?}");
        assert_eq!((new[0], new[11]), (0.0, 1.0));
    }
}
