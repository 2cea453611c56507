//! What the data sets of a window show: level by level, and where the limit is.

use serde::Serialize;

use super::levels::{Kind, Levels};
use super::target::{Reported, Target};
use super::{DataSet, Estimate};
use crate::calibrate::tally::exact;

/// Level of the intervals of probabilities and coverages.
pub const INTERVAL: f64 = 0.68;

/// A median width this many times its Cramér–Rao bound, or so many times below it, has left the line T^(−1/2) (or σ).
///
/// On the line the ratio is 1: corrections are of the order of one over the squared ratio of signal to noise, some percent while a peak is found at
/// all, and the median over data sets scatters by less. Where the posterior begins to have other modes, or reaches its prior, the width jumps to a
/// share of the window, many times the bound, within a factor of about two in T. So any factor between 1.3 and 3 names the same level of a list; at 1.5
/// more than half of the variance is no longer what the curvature at the truth says.
pub const LEAVES: f64 = 1.5;

/// A data set without an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LostSet {
    /// Its level.
    pub level: f64,
    /// Its number at that level, from 1.
    pub data_set: usize,
    /// What happened.
    pub message: String,
}

/// What came of one window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// Its name.
    pub window: String,
    /// True peaks of the counted terms; none where the candidates count nothing.
    pub true_k: Option<usize>,
    /// Labels of all candidates.
    pub candidates: Vec<String>,
    /// Labels of those that are right.
    pub right: Vec<String>,
    /// Label of the right candidate whose parameters are told.
    pub measured: String,
    /// Kullback–Leibler distance of its nearest curve from the truth at T = 1 or σ = 1, in nats: 0 where it can say the truth.
    pub distance: f64,
    /// The levels, from the one that tells least to the one that tells most.
    pub levels: Vec<Level>,
    /// Where the probability of choosing right crosses 1/2.
    pub half: Crossing,
    /// Where each parameter's width leaves the line of its bound.
    pub leaves: Vec<Leaving>,
    /// Data sets without an answer.
    pub failures: Vec<LostSet>,
    /// The data sets.
    pub data_sets: Vec<DataSet>,
}

/// One level of one window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Level {
    /// T or σ.
    pub level: f64,
    /// Data sets with an answer.
    pub data_sets: usize,
    /// Data sets in which a right candidate is the most probable one.
    pub right: usize,
    /// Their share; no number where there is no data set.
    pub share: f64,
    /// Exact interval of it (Clopper, Pearson 1934), of 68 %.
    pub interval: (f64, f64),
    /// Mean probability of the right candidates.
    pub probability: f64,
    /// How often each candidate is the most probable one.
    pub chosen: Vec<usize>,
    /// Data sets whose most probable candidate has a verdict other than ok.
    pub doubtful: usize,
    /// Data sets without an answer.
    pub failed: usize,
    /// Kullback–Leibler distance from the truth to the nearest curve with one peak fewer, in nats; infinite where there is no peak.
    pub fewer: f64,
    /// The parameters of the right candidate that is measured.
    pub parameters: Vec<Width>,
}

/// A parameter at one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Width {
    /// Name of its term, empty where several share it.
    pub term: String,
    /// Its name.
    pub parameter: String,
    /// Peak number by position, from 1, of a counted term.
    pub peak: Option<usize>,
    /// Its unit.
    pub unit: String,
    /// Whether it is a position.
    pub position: bool,
    /// Its true value.
    pub truth: f64,
    /// Cramér–Rao bound of its standard error.
    pub cramer_rao: f64,
    /// Median posterior standard deviation.
    pub sd: f64,
    /// Root mean square error of the posterior mean about the truth.
    pub rms: f64,
    /// Coverage of the central 68 % and 95 % intervals.
    pub coverage: [Held; 2],
}

/// How often one interval held the truth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Held {
    /// How often it says it does.
    pub level: f64,
    /// Data sets in which it did.
    pub inside: usize,
    /// Their share; no number where there is no data set.
    pub share: f64,
    /// Exact interval of the share, of 68 %.
    pub interval: (f64, f64),
}

/// Where the probability of choosing right crosses 1/2.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crossing {
    /// Between two levels of the list.
    At {
        /// Interpolated in ln level.
        level: f64,
        /// Standard error of ln level.
        ln_error: f64,
        /// The levels on either side: below and above 1/2.
        between: (f64, f64),
    },
    /// Every level is at 1/2 or above: the limit lies beyond the level that tells least.
    Above,
    /// The level that tells most is below 1/2: the limit lies beyond it.
    Below,
    /// No level has an answer.
    Unknown,
}

/// Where a parameter's width leaves the line of its bound.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leaving {
    /// Name of its term.
    pub term: String,
    /// Its name.
    pub parameter: String,
    /// Peak number, of a counted term.
    pub peak: Option<usize>,
    /// The first level, coming from the one that tells most, at which the median width is [`LEAVES`] times its bound or more (or so much less);
    /// none where it is at no level.
    pub level: Option<f64>,
    /// The level before it, still on the line; none where the level that tells most is already beyond.
    pub last: Option<f64>,
    /// The median width over its bound at `level`.
    pub ratio: Option<f64>,
}

impl Window {
    pub(super) fn new(window: String, target: &Target, levels: &Levels, data_sets: Vec<DataSet>, failures: Vec<LostSet>) -> Self {
        let at = |level: &f64| {
            let here: Vec<&DataSet> = data_sets.iter().filter(|s| s.level == *level).collect();
            Level::new(*level, levels.kind, target, &here, failures.iter().filter(|f| f.level == *level).count())
        };
        let levels: Vec<Level> = levels.values.iter().map(at).collect();
        let labels = |all: &[usize]| all.iter().map(|&i| target.labels[i].clone()).collect::<Vec<_>>();
        Self {
            window,
            true_k: target.true_k,
            candidates: target.labels.clone(),
            right: labels(&target.right),
            measured: target.labels[target.measured].clone(),
            distance: target.nats,
            half: half(&levels),
            leaves: (0..target.reported.len()).map(|i| leaving(&levels, i)).collect(),
            levels,
            failures,
            data_sets,
        }
    }
}

impl Level {
    fn new(level: f64, kind: Kind, target: &Target, sets: &[&DataSet], failed: usize) -> Self {
        let n = sets.len();
        let right = sets.iter().filter(|s| target.is_right(s.best)).count();
        let p = |s: &&DataSet| target.right.iter().map(|&i| s.probabilities[i]).sum::<f64>();
        let width = kind.width(level);
        let of = |(i, reported): (usize, &Reported)| Width::new(reported, width, &sets.iter().map(|s| s.parameters[i]).collect::<Vec<_>>());
        Self {
            level,
            data_sets: n,
            right,
            share: right as f64 / n as f64,
            interval: exact(right, n, INTERVAL),
            probability: sets.iter().map(p).sum::<f64>() / n as f64,
            chosen: (0..target.labels.len()).map(|k| sets.iter().filter(|s| s.best == k).count()).collect(),
            doubtful: sets.iter().filter(|s| !s.verdict.is_empty()).count(),
            failed,
            fewer: target.fewer_nats / (width * width),
            parameters: target.reported.iter().enumerate().map(of).collect(),
        }
    }
}

impl Width {
    fn new(reported: &Reported, width: f64, all: &[Estimate]) -> Self {
        let truth = reported.truth;
        let n = all.len();
        let held = |level: f64, ends: [usize; 2]| {
            let inside = all.iter().filter(|e| (e.quantiles[ends[0]]..=e.quantiles[ends[1]]).contains(&truth)).count();
            Held { level, inside, share: inside as f64 / n as f64, interval: exact(inside, n, INTERVAL) }
        };
        let mut sds: Vec<f64> = all.iter().map(|e| e.sd).collect();
        sds.sort_by(f64::total_cmp);
        Self {
            term: reported.term.clone(),
            parameter: reported.parameter.clone(),
            peak: reported.peak,
            unit: reported.unit.clone(),
            position: reported.position,
            truth,
            cramer_rao: reported.bound * width,
            sd: if n == 0 { f64::NAN } else { 0.5 * (sds[(n - 1) / 2] + sds[n / 2]) },
            rms: (all.iter().map(|e| (e.mean - truth).powi(2)).sum::<f64>() / n as f64).sqrt(),
            coverage: [held(0.68, [1, 2]), held(0.95, [0, 3])],
        }
    }
}

/// The crossing nearest to the level that tells most: beyond it every level is at 1/2 or above.
fn half(levels: &[Level]) -> Crossing {
    let known: Vec<&Level> = levels.iter().filter(|l| l.data_sets > 0).collect();
    let Some(most) = known.last() else { return Crossing::Unknown };
    if most.share < 0.5 {
        return Crossing::Below;
    }
    let Some(at) = known.iter().rposition(|l| l.share < 0.5) else { return Crossing::Above };
    let (low, high) = (known[at], known[at + 1]);
    let (rise, step) = (high.share - low.share, (high.level / low.level).ln());
    let part = (0.5 - low.share) / rise;
    // The variance of a share under a uniform prior: that of no success or only successes is not 0.
    let variance = |l: &Level| {
        let (k, n) = (l.right as f64, l.data_sets as f64);
        (k + 1.0) * (n - k + 1.0) / ((n + 2.0).powi(2) * (n + 3.0))
    };
    // ∂part/∂(share below) = (part − 1)/rise, ∂part/∂(share above) = −part/rise.
    let ln_error = step.abs() / rise * ((1.0 - part).powi(2) * variance(low) + part * part * variance(high)).sqrt();
    Crossing::At { level: low.level * (part * step).exp(), ln_error, between: (low.level, high.level) }
}

/// Where the width of parameter `i` leaves its line.
fn leaving(levels: &[Level], i: usize) -> Leaving {
    let known: Vec<&Level> = levels.iter().filter(|l| l.data_sets > 0).collect();
    let ratio = |l: &Level| l.parameters[i].sd / l.parameters[i].cramer_rao;
    let beyond = |l: &Level| !(LEAVES.recip()..LEAVES).contains(&ratio(l));
    let at = known.iter().rposition(|l| beyond(l));
    let named = levels.first().map(|l| &l.parameters[i]);
    Leaving {
        term: named.map_or_else(String::new, |w| w.term.clone()),
        parameter: named.map_or_else(String::new, |w| w.parameter.clone()),
        peak: named.and_then(|w| w.peak),
        level: at.map(|at| known[at].level),
        last: at.and_then(|at| known.get(at + 1)).map(|l| l.level),
        ratio: at.map(|at| ratio(known[at])),
    }
}
