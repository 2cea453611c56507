//! May these numbers be quoted? Thresholds follow from each estimator's own error, so that a perfect sampler is hardly ever refused.

use super::{Targets, Verdict, labels};
use crate::evidence::{self, FreeEnergy};
use crate::problem::Problem;
use crate::sampler::Sampled;
use crate::sampler::diagnostics::{Convergence, convergence};

/// False-alarm rate of one R-hat: with some sixty of them in a frame of six candidates, well under 1 % of frames.
const RHAT_LEVEL: f64 = 1e-4;
/// No R-hat below this is refused (Vehtari et al. 2021 recommend it for long runs).
const RHAT_FLOOR: f64 = 1.01;
/// An effective sample size is itself known to some 10 %, a standard error with 15 degrees of freedom to 18 %:
/// a target counts as missed beyond three such errors.
const ESS_SLACK: f64 = 0.7;
const SE_SLACK: f64 = 1.6;
/// Sweeps a rung after which at least one round trip is expected of a sampler that mixes.
const JOURNEY: usize = 100;
/// Forward and backward stepping stones may differ by this many of their standard errors.
const BRACKET_ERRORS: f64 = 6.0;

/// Convergence of everything that has no label: the energy and the reported quantities, sorted.
pub(super) fn label_free(problem: &Problem, sampled: &Sampled) -> Convergence {
    let rungs = sampled.betas.len();
    let cold: Vec<Vec<f64>> = sampled.copies.iter().map(|c| c.energies.iter().skip(rungs - 1).step_by(rungs).copied().collect()).collect();
    let mut worst = convergence(&cold);
    for quantity in labels::sorted(problem, sampled) {
        let c = convergence(&quantity.chains);
        worst.rhat = worst.rhat.max(c.rhat);
        worst.ess_bulk = worst.ess_bulk.min(c.ess_bulk);
        worst.ess_tail = worst.ess_tail.min(c.ess_tail);
    }
    worst
}

/// How many times longer the record would have to be for every target to be met (the sampler's judge).
pub fn shortfall(problem: &Problem, sampled: &Sampled, targets: &Targets) -> f64 {
    let Some(free) = evidence::free_energy(sampled) else { return f64::INFINITY };
    let worst = label_free(problem, sampled);
    // A record has to be long enough for a walker to have made the journey at all before the lack of journeys means anything.
    let sweeps = sampled.copies.first().map_or(0, |c| c.sweeps);
    let told = sampled.round_trips() > 0 || sweeps > JOURNEY * sampled.betas.len();
    let trips = if told { targets.round_trips as f64 / (sampled.round_trips() as f64).max(0.5) } else { 1.0 };
    let error = (free.se / targets.free_energy_se).powi(2);
    let draws = targets.ess / worst.ess_bulk.max(1.0);
    error.max(draws).max(trips)
}

/// The reasons against quoting, none where there are none.
pub(super) fn verdict(sampled: &Sampled, free: &FreeEnergy, worst: &Convergence, targets: &Targets) -> Vec<Verdict> {
    let mut reasons = Vec::new();
    let mut refuse = |bad: bool, reason| {
        if bad {
            reasons.push(reason);
        }
    };
    refuse(sampled.timed_out, Verdict::Time);
    refuse((sampled.round_trips() as usize) < targets.round_trips, Verdict::RoundTrips);
    refuse(worst.rhat.is_nan() || worst.rhat > rhat_bound(2 * sampled.copies.len(), worst.ess_bulk.max(targets.ess)), Verdict::Rhat);
    refuse(worst.ess_bulk.is_nan() || worst.ess_bulk < ESS_SLACK * targets.ess, Verdict::Ess);
    refuse(free.se.is_nan() || free.se > SE_SLACK * targets.free_energy_se, Verdict::FreeEnergy);
    refuse((free.forward - free.backward).abs() > BRACKET_ERRORS * free.bracket_se, Verdict::Bracket);
    reasons
}

/// The R-hat that `chains` (split) perfect chains with `ess` effective draws in all exceed with probability [`RHAT_LEVEL`]:
/// the variance of their means is that of χ² with chains − 1 degrees of freedom.
fn rhat_bound(chains: usize, ess: f64) -> f64 {
    let degrees = (chains - 1) as f64;
    let ratio = 2.0 * puruspe::invgammp(1.0 - RHAT_LEVEL, degrees / 2.0) / degrees;
    (1.0 + (ratio - 1.0) * chains as f64 / ess).sqrt().max(RHAT_FLOOR)
}
