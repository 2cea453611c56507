//! The rank of a truth among draws thinned to independence, and the intervals that hold it.

use rand::RngExt;
use serde::Serialize;

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

/// A truth among the draws of its posterior.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// The truth.
    pub truth: f64,
    /// Draws below it, of those it was ranked among; equal ones are put on either side at random.
    pub rank: usize,
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
    let below = (0..draws).filter(|&i| chosen(i) < truth).count();
    let equal = (0..draws).filter(|&i| chosen(i) == truth).count();
    let rank = below + if equal > 0 { stream.random_range(0..=equal) } else { 0 };
    all.sort_by(f64::total_cmp);
    let inside = LEVELS.map(|level| {
        let end = |p: f64| sorted_quantile(&all, p);
        (end(0.5 - 0.5 * level)..=end(0.5 + 0.5 * level)).contains(&truth)
    });
    Some(Ranked { truth, rank, draws, independent: ess >= APART * draws as f64, inside })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    #[test]
    fn draws_are_no_more_than_are_independent() {
        for (ess, draws) in [(f64::NAN, 15), (3.0, 15), (61.9, 15), (62.0, 31), (400.0, 127), (1e9, 1023)] {
            assert_eq!(draws_of(ess), draws, "{ess}");
        }
    }

    #[test]
    fn a_rank_counts_the_draws_below() {
        let mut stream = Key::new(1, "", "", "", 0).stream(0, 0, 0);
        // Four chains that run to and fro through 0…99: no two draws alike within a chain.
        let chains: Vec<Vec<f64>> = (0..4).map(|c| (0..100).map(|i| f64::from((37 * i + 11 * c) % 100)).collect()).collect();
        let of = |truth: f64, stream: &mut Stream| rank(truth, &chains, stream).expect("draws");
        let (low, middle, high) = (of(-1.0, &mut stream), of(49.5, &mut stream), of(100.0, &mut stream));
        assert_eq!((low.rank, high.rank), (0, high.draws));
        assert_eq!((low.inside, middle.inside), ([false; 3], [true; 3]));
        assert_eq!(of(20.0, &mut stream).inside, [false, true, true]);
        assert!((middle.rank as f64 / middle.draws as f64 - 0.5).abs() < 0.1, "{middle:?}");
        assert_eq!(rank(0.0, &[], &mut stream), None);
    }

    /// All draws equal to the truth: every rank is as likely. 2000 ranks of 0…15 beyond the 10⁻⁴ quantile of χ² once in 10⁴ seeds; put
    /// below the truth, all would be 15.
    #[test]
    fn ties_are_split_at_random() {
        let mut stream = Key::new(2, "", "", "", 0).stream(0, 0, 0);
        let chains = [vec![1.0; 10], vec![1.0; 10]];
        let ranks: Vec<(usize, usize)> = (0..2000).filter_map(|_| rank(1.0, &chains, &mut stream)).map(|r| (r.rank, r.draws)).collect();
        let found = super::super::tally::histogram(ranks.into_iter());
        assert!(found.p.is_some_and(|p| p > 1e-4), "{found:?}");
    }
}
