//! The rank of a truth among draws thinned to independence, and the intervals that hold it.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::tally::MOST_BINS;
use crate::random::Stream;
use crate::sampler::diagnostics::{convergence, sorted_quantile};

/// Levels of the central intervals whose coverage is counted.
pub const LEVELS: [f64; 3] = [0.5, 0.68, 0.95];
/// Most draws that a truth is ranked among: more say nothing more in sixteen bins.
const MOST_DRAWS: usize = 1023;
/// Draws stand this many effective draws apart. One apart, neighbours of an autoregressive chain still correlate by e⁻² (the ranks of 15
/// would scatter 4 % too much); two apart by e⁻⁴ (.5 %).
const APART: f64 = 2.0;

/// The truth is also ranked among its draws brought to this part of their distance from their mean: a calibration that takes those for right
/// has too few data sets.
pub const NARROWED: f64 = 0.85;

/// A truth among the draws of its posterior.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// The truth.
    pub truth: f64,
    /// Draws below it, of those it was ranked among; equal ones are put on either side at random.
    pub rank: usize,
    /// Its rank among the same draws narrowed to [`NARROWED`] about their mean.
    pub narrowed: usize,
    /// Draws it was ranked among.
    pub draws: usize,
    /// Whether there were effective draws enough for them to be independent.
    pub independent: bool,
    /// Whether the central interval of each of [`LEVELS`] holds it: between quantiles of all draws, as they are reported. Of n independent
    /// draws they cover level · (1 − 2/(n + 1)).
    pub inside: [bool; 3],
}

/// How many draws a truth is ranked among, for an effective sample size: one less than a power of two, so that their ranks fill bins evenly
/// whatever their number, at least 15.
pub fn draws_of(ess: f64) -> usize {
    let mut draws = MOST_BINS - 1;
    while draws < MOST_DRAWS && (2 * draws + 1) as f64 * APART <= ess {
        draws = 2 * draws + 1;
    }
    draws
}

/// Ranks a truth among `chains`, one slice of draws a copy; none where there are no draws.
///
/// Calibrated, ranks are uniform on 0…draws (Talts, Betancourt, Simpson, Vehtari, Gelman, arXiv 1804.06788 (2018)).
pub fn rank(truth: f64, chains: &[Vec<f64>], stream: &mut Stream) -> Option<Ranked> {
    let mut all: Vec<f64> = chains.iter().flatten().copied().collect();
    if all.is_empty() {
        return None;
    }
    let c = convergence(chains);
    // Not `min`, which would pass over NaN.
    let ess = if c.ess_bulk <= c.ess_tail { c.ess_bulk } else { c.ess_tail };
    let draws = draws_of(ess);
    let chosen = |i: usize| all[(2 * i + 1) * all.len() / (2 * draws)];
    let mut place = |truth: f64| {
        let below = (0..draws).filter(|&i| chosen(i) < truth).count();
        let equal = (0..draws).filter(|&i| chosen(i) == truth).count();
        below + if equal > 0 { stream.random_range(0..=equal) } else { 0 }
    };
    let rank = place(truth);
    // Narrower draws about their mean are the same draws, and a truth further from it.
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let narrowed = place(mean + (truth - mean) / NARROWED);
    all.sort_by(f64::total_cmp);
    let inside = LEVELS.map(|level| {
        let end = |p: f64| sorted_quantile(&all, p);
        (end(0.5 - 0.5 * level)..=end(0.5 + 0.5 * level)).contains(&truth)
    });
    Some(Ranked { truth, rank, narrowed, draws, independent: ess >= APART * draws as f64, inside })
}
