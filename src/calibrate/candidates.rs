//! Whether probabilities of candidates are kept: how often each is true, and how often what is given a probability is.

use serde::Serialize;

use super::DataSet;
use super::tally::coins;

/// Bins of the reliability table.
const BINS: usize = 10;

/// One candidate over all data sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chance {
    /// Its label.
    pub candidate: String,
    /// Data sets in which it is true.
    pub truths: usize,
    /// Σ p(K).
    pub expected: f64,
    /// Σ(1{K true} − p(K)) in units of √Σ p(1 − p); 0 where that is 0.
    pub z: f64,
    /// Probability of as many truths, or as few, by the exact law of the sum, both sides.
    pub p: f64,
    /// Whether it is too small beside all other tests.
    pub significant: bool,
}

/// A bin of the reliability table: all candidates of all data sets with p(K) in a range.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trust {
    /// Least probability.
    pub from: f64,
    /// Largest; the last bin includes it.
    pub to: f64,
    /// How many.
    pub number: usize,
    /// Mean of their probabilities.
    pub mean: f64,
    /// Share of those that are true.
    pub true_share: f64,
    /// Its standard error where probabilities are kept.
    pub se: f64,
}

/// Every candidate: given the data, it is true with probability p(K), so its number of truths is a sum of unequal coins.
pub fn chances(labels: &[String], sets: &[DataSet]) -> Vec<Chance> {
    let of = |(k, label): (usize, &String)| {
        let p: Vec<f64> = sets.iter().map(|s| s.probabilities[k]).collect();
        let truths = sets.iter().filter(|s| s.index == k).count();
        let expected: f64 = p.iter().sum();
        let sd = p.iter().map(|p| p * (1.0 - p)).sum::<f64>().sqrt();
        let z = if sd > 0.0 { (truths as f64 - expected) / sd } else { 0.0 };
        Chance { candidate: label.clone(), truths, expected, z, p: coins(&p, truths), significant: false }
    };
    if labels.len() > 1 { labels.iter().enumerate().map(of).collect() } else { Vec::new() }
}

/// The reliability table; empty bins are left out, and everything where nothing competes.
pub fn reliability(labels: &[String], sets: &[DataSet]) -> Vec<Trust> {
    if labels.len() < 2 {
        return Vec::new();
    }
    let all: Vec<(f64, bool)> = sets.iter().flat_map(|s| s.probabilities.iter().enumerate().map(|(k, p)| (*p, k == s.index))).collect();
    let bin = |p: f64| ((p * BINS as f64) as usize).min(BINS - 1);
    let trust = |b: usize| {
        let held: Vec<(f64, bool)> = all.iter().copied().filter(|(p, _)| bin(*p) == b).collect();
        let n = held.len() as f64;
        (!held.is_empty()).then(|| Trust {
            from: b as f64 / BINS as f64,
            to: (b + 1) as f64 / BINS as f64,
            number: held.len(),
            mean: held.iter().map(|h| h.0).sum::<f64>() / n,
            true_share: held.iter().filter(|h| h.1).count() as f64 / n,
            se: held.iter().map(|(p, _)| p * (1.0 - p)).sum::<f64>().sqrt() / n,
        })
    };
    (0..BINS).filter_map(trust).collect()
}
