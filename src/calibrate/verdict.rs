//! From ranks and probabilities to one verdict: every test at a family-wise level.

use serde::Serialize;

use super::DataSet;
use super::candidates::{Chance, Trust, chances, reliability};
use super::rank::{LEVELS, Ranked};
use super::tally::{Histogram, band, histogram, holm};
use crate::trial::Failure;

/// Probability of any significant test of a perfect sampler.
pub const LEVEL: f64 = 0.01;
/// Share of a binomial band that lies outside, half on either side: a figure beside each coverage, not part of the verdict.
const OUTSIDE: f64 = 0.01;

/// What came of one window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// Its name.
    pub window: String,
    /// Every quantity, pooled over the candidates that have it.
    pub quantities: Vec<Tested>,
    /// Every candidate, where several compete.
    pub candidates: Vec<Chance>,
    /// The reliability table of p(K).
    pub reliability: Vec<Trust>,
    /// Data sets whose true candidate has a verdict other than ok; kept all the same.
    pub doubtful: usize,
    /// Data sets whose most probable candidate has one.
    pub doubtful_best: usize,
    /// Ranks among draws that are too few to be independent.
    pub dependent: usize,
    /// Data sets without an answer.
    pub failures: Vec<Failure>,
    /// The data sets.
    pub data_sets: Vec<DataSet>,
}

/// One quantity over all data sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tested {
    /// Its name.
    pub quantity: String,
    /// Data sets that have it.
    pub data_sets: usize,
    /// Its ranks.
    pub histogram: Histogram,
    /// How often intervals hold the truth, one entry each of [`LEVELS`].
    pub coverage: Vec<Coverage>,
    /// Whether its p value is too small beside all other tests.
    pub significant: bool,
    /// The p value that draws narrowed to [`super::rank::NARROWED`] about their mean have; none where there are too few ranks to test.
    pub narrowed_p: Option<f64>,
    /// Whether that would be significant were all quantities' draws so: if not, there are too few data sets to see it.
    pub narrowed_significant: bool,
}

/// How often one interval held the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// How often it says it does.
    pub level: f64,
    /// Share of data sets in which it did.
    pub share: f64,
    /// Ends of the central 99 % of that share, were the level kept.
    pub band: (f64, f64),
}

impl Coverage {
    /// Whether the share lies within its band.
    pub fn within(&self) -> bool {
        (self.band.0..=self.band.1).contains(&self.share)
    }
}

/// A quantity's ranks, tested.
pub fn test(quantity: &str, ranks: &[Ranked]) -> Tested {
    let n = ranks.len();
    let coverage = |(i, &level): (usize, &f64)| {
        let (low, high) = band(n, level, 0.5 * OUTSIDE);
        let share = |count: usize| count as f64 / n.max(1) as f64;
        Coverage { level, share: share(ranks.iter().filter(|r| r.inside[i]).count()), band: (share(low), share(high)) }
    };
    Tested {
        quantity: quantity.into(),
        data_sets: n,
        histogram: histogram(ranks.iter().map(|r| (r.rank, r.draws))),
        narrowed_p: histogram(ranks.iter().map(|r| (r.narrowed, r.draws))).p,
        narrowed_significant: false,
        coverage: LEVELS.iter().enumerate().map(coverage).collect(),
        significant: false,
    }
}

/// A window of its data sets; nothing is significant before [`judge`] has seen all windows.
pub(super) fn window(name: String, labels: Vec<String>, data_sets: Vec<DataSet>, failures: Vec<Failure>) -> Window {
    let mut ranks: Vec<(&str, Vec<Ranked>)> = Vec::new();
    for (name, ranked) in data_sets.iter().flat_map(|s| &s.ranks) {
        match ranks.iter_mut().find(|(other, _)| other == name) {
            Some((_, all)) => all.push(*ranked),
            None => ranks.push((name, vec![*ranked])),
        }
    }
    // Which data set is first must not matter more than names do.
    ranks.sort_by_key(|(name, _)| *name);
    Window {
        window: name,
        quantities: ranks.iter().map(|(name, all)| test(name, all)).collect(),
        candidates: chances(&labels, &data_sets),
        reliability: reliability(&labels, &data_sets),
        doubtful: data_sets.iter().filter(|s| !s.verdict.is_empty()).count(),
        doubtful_best: data_sets.iter().filter(|s| !s.best_verdict.is_empty()).count(),
        dependent: data_sets.iter().flat_map(|s| &s.ranks).filter(|(_, r)| !r.independent).count(),
        failures,
        data_sets,
    }
}

/// Marks what is significant at [`LEVEL`] over all tests of all windows; returns their number, and whether all is well: something was tested,
/// nothing is significant, and no data set is without an answer.
pub fn judge(windows: &mut [Window]) -> (usize, bool) {
    let failed = windows.iter().any(|w| !w.failures.is_empty());
    let quantities = |windows: &mut [Window], of: fn(&mut Tested) -> (Option<f64>, &mut bool)| {
        let (mut tests, mut others) = (Vec::new(), Vec::new());
        for window in windows {
            tests.extend(window.quantities.iter_mut().map(of).filter_map(|(p, significant)| Some((p?, significant))));
            others.extend(window.candidates.iter_mut().map(|c| (c.p, &mut c.significant)));
        }
        tests.extend(others);
        mark(tests)
    };
    quantities(windows, |q| (q.narrowed_p, &mut q.narrowed_significant));
    // The candidates' marks are those of the draws as they are.
    let rejected = quantities(windows, |q| (q.histogram.p, &mut q.significant));
    (rejected.len(), !rejected.is_empty() && !failed && !rejected.contains(&true))
}

/// Marks the tests that are significant together.
fn mark(tests: Vec<(f64, &mut bool)>) -> Vec<bool> {
    let rejected = holm(&tests.iter().map(|t| t.0).collect::<Vec<_>>(), LEVEL);
    for ((_, significant), rejected) in tests.into_iter().zip(&rejected) {
        *significant = *rejected;
    }
    rejected
}

/// The verdict on quantities alone, each a name with its ranks: whether none is significant at [`LEVEL`] over all of them; none where there
/// are too few ranks to test.
pub fn verdict_of(quantities: &[(&str, &[Ranked])]) -> Option<bool> {
    let p: Vec<f64> = quantities.iter().filter_map(|(name, ranks)| test(name, ranks).histogram.p).collect();
    (!p.is_empty()).then(|| !holm(&p, LEVEL).contains(&true))
}
