//! May these numbers be quoted? Thresholds follow from each estimator's own error, so that a perfect sampler is hardly ever refused.

use super::{Targets, Verdict, labels};
use crate::evidence::{self, FreeEnergy};
use crate::problem::Problem;
use crate::sampler::diagnostics::{Convergence, convergence, ess_within};
use crate::sampler::{Record, Sampled};

/// Six candidates of one to six peaks have some eighty quantities, each with two R-hats, and six free energies. Of a perfect sampler, R-hats may
/// refuse three frames in a thousand and errors of free energies two: these are the false-alarm rates of one number.
const RHAT_LEVEL: f64 = 2e-5;
const SE_LEVEL: f64 = 3e-4;
/// What is missing of the effective sample size is told by the correlations within copies (what is between them is R-hat's). Of perfect samplers
/// that deliver the target hardly one estimate in 10 000 is below this share of it, as the tests count: of some eighty, less than one in a hundred.
const ESS_SLACK: f64 = 0.6;
/// No R-hat below this is refused (Vehtari et al. 2021 recommend it for long runs).
const RHAT_FLOOR: f64 = 1.01;
/// Sweeps a rung after which at least one round trip is expected of a sampler that mixes.
const JOURNEY: usize = 50;
/// Forward and backward stepping stones may differ by this many of their standard errors.
const BRACKET_ERRORS: f64 = 6.0;

/// Convergence of everything that has no label: the energy and the reported quantities, sorted.
pub(super) fn label_free(problem: &Problem, sampled: &Sampled) -> Convergence {
    let each = chains(problem, sampled).map(|c| convergence(&c));
    let worse = |a: Convergence, b: Convergence| Convergence {
        rhat: a.rhat.max(b.rhat),
        ess_bulk: a.ess_bulk.min(b.ess_bulk),
        ess_tail: a.ess_tail.min(b.ess_tail),
    };
    each.reduce(worse).unwrap_or(Convergence { rhat: f64::NAN, ess_bulk: f64::NAN, ess_tail: f64::NAN })
}

/// The least effective sample size of the same, from the correlations within copies.
fn least_within(problem: &Problem, sampled: &Sampled) -> f64 {
    chains(problem, sampled).map(|c| ess_within(&c)).fold(f64::INFINITY, f64::min)
}

/// What has no label, a slice a copy: the energy at β = 1, then the reported quantities.
fn chains(problem: &Problem, sampled: &Sampled) -> impl Iterator<Item = Vec<Vec<f64>>> {
    let rungs = sampled.betas.len();
    let cold = sampled.copies.iter().map(|c| c.energies.iter().skip(rungs - 1).step_by(rungs).copied().collect()).collect();
    std::iter::once(cold).chain(labels::sorted(problem, sampled).into_iter().map(|quantity| quantity.chains))
}

/// How many times longer the record would have to be for every target to be met (the sampler's judge). Missing round trips are counted with
/// their scatter.
pub fn shortfall(problem: &Problem, sampled: &Sampled, targets: &Targets) -> f64 {
    let Some(free) = evidence::free_energy(sampled) else { return f64::INFINITY };
    let worst = label_free(problem, sampled);
    let sweeps = sampled.copies.first().map_or(0, |c| c.sweeps) as f64;
    let made = 0.5 * sampled.journeys() as f64;
    let missing = (targets.round_trips as f64 - made).max(0.0);
    // A count scatters by its root: so many more are asked for, because the verdict does not forgive a round trip too few.
    let counted = 1.0 + (missing + missing.sqrt()) / made.max(0.5);
    // The first journeys take their time: few of them, or none, say no more than that while there was hardly time for one.
    let first = (JOURNEY * sampled.betas.len()) as f64;
    let trips = if sweeps < first { counted.min(first / sweeps) } else { counted };
    let error = (free.se / targets.free_energy_se).powi(2);
    let draws = targets.ess / worst.ess_bulk.max(1.0);
    error.max(draws).max(trips)
}

/// The reasons against quoting, none where there are none.
pub(super) fn verdict(problem: &Problem, sampled: &Sampled, free: &FreeEnergy, worst: &Convergence, targets: &Targets) -> Vec<Verdict> {
    let mut reasons = Vec::new();
    let mut refuse = |bad: bool, reason| {
        if bad {
            reasons.push(reason);
        }
    };
    refuse(sampled.timed_out, Verdict::Time);
    refuse((sampled.round_trips() as usize) < targets.round_trips, Verdict::RoundTrips);
    let rows = sampled.copies.first().map_or(0, Record::rows);
    let rhat = rhat_bound(2 * sampled.copies.len(), rows / 2, worst.ess_bulk.max(targets.ess));
    refuse(worst.rhat.is_nan() || worst.rhat > rhat, Verdict::Rhat);
    let within = least_within(problem, sampled);
    refuse(worst.ess_bulk.is_nan() || within < ESS_SLACK * targets.ess, Verdict::Ess);
    refuse(free.se.is_nan() || free.se > se_bound(free.degrees) * targets.free_energy_se, Verdict::FreeEnergy);
    refuse((free.forward - free.backward).abs() > BRACKET_ERRORS * free.bracket_se, Verdict::Bracket);
    reasons
}

/// The R-hat that `chains` (split) perfect chains of so many `rows` with `ess` effective draws in all exceed with probability [`RHAT_LEVEL`].
/// Of n rows as good as e draws, the mean has variance σ²/e and the variance within is short of σ² by n/(n − 1)·(1 − 1/e), so that
/// R-hat² = (n − 1)/n·(1 + Q/(e − 1)) with Q distributed as F with chains − 1 and chains·(e − 1) degrees of freedom. For independent rows
/// (e = n) this is the textbook's (n − 1)/n + Q/n; for rows that follow from one another it is larger by 1/e. One draw a chain says nothing.
fn rhat_bound(chains: usize, rows: usize, ess: f64) -> f64 {
    let (n, spare) = (rows as f64, ess / chains as f64 - 1.0);
    if spare <= 0.0 {
        return f64::INFINITY;
    }
    let (between, within) = ((chains - 1) as f64, chains as f64 * spare);
    // Of the Beta variate that F stands for, the smaller tail is asked for, which keeps its digits.
    let rest = puruspe::invbetai(RHAT_LEVEL, 0.5 * within, 0.5 * between);
    let ratio = within / between * (1.0 - rest) / rest;
    ((n - 1.0) / n * (1.0 + ratio / spare)).sqrt().max(RHAT_FLOOR)
}

/// How many times the true standard error its estimate with so many degrees of freedom exceeds with probability [`SE_LEVEL`].
fn se_bound(degrees: usize) -> f64 {
    let degrees = degrees.max(1) as f64;
    (2.0 * puruspe::invgammp(1.0 - SE_LEVEL, 0.5 * degrees) / degrees).sqrt()
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
