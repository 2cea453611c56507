//! The measurement limit: how long, or with how little noise, one must measure so that the right number of peaks is found and their positions are as
//! sure as the data allow (Nagata, Mototake, Muraoka, Sasaki, Okada, JPSJ 88 (2019) 044003).
//!
//! A virtual measurement: of one truth many data sets at every level, each with noise of its own, each sampled as a run would. Under Poisson a time T
//! multiplies the expectation as a monitor does, so that parameters are counts per unit of time at every level, and their priors the same.

mod levels;
mod nearest;
mod report;
mod summary;
mod target;

use serde::{Deserialize, Serialize};

pub use levels::{Kind, Levels};
pub use nearest::{Nearest, cramer_rao};
pub use report::{text, write};
pub use summary::{Crossing, LEAVES, Leaving, Level, LostSet, Width, Window};
pub use target::{Reported, Target, Truth};

use crate::batch;
use crate::dataset::Frame;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::posterior::{CandidateResult, Verdict, WindowResult};
use crate::random::Key;
use crate::report::{self as files, page};
use crate::simulate::{claimed, noisy};
use crate::spec::Spec;
use crate::trial::{self, Answer, Item, Log, Trial};

/// Version of the form of limit.json.
pub const SCHEMA: u32 = 1;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The spec that is sampled; `run.seed` is the seed of everything.
    pub spec: &'a Spec,
    /// What is true.
    pub truth: &'a Truth,
    /// The levels.
    pub levels: &'a Levels,
    /// Data sets of each level.
    pub data_sets: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limit {
    /// Version of the form.
    pub schema: u32,
    /// Version of keisoku.
    pub keisoku: String,
    /// Title of the spec.
    pub title: String,
    /// Seed.
    pub seed: u64,
    /// The frame of `[simulate]` that is true, from 1.
    pub frame: usize,
    /// What levels are.
    pub kind: Kind,
    /// Data sets of each level.
    pub data_sets: usize,
    /// Whether every data set has an answer and every winner's verdict is ok.
    pub good: bool,
    /// One entry a window.
    pub windows: Vec<Window>,
}

/// One data set of one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSet {
    /// Its level.
    pub level: f64,
    /// Its number at that level, from 1.
    pub data_set: usize,
    /// p of every candidate.
    pub probabilities: Vec<f64>,
    /// Index of the most probable candidate.
    pub best: usize,
    /// Verdict of the most probable candidate.
    pub verdict: Vec<Verdict>,
    /// Posterior of every reported parameter of the candidate that is right.
    pub parameters: Vec<Estimate>,
}

/// A marginal posterior.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// Quantiles .025, .16, .84 and .975.
    pub quantiles: [f64; 4],
}

impl Trial for DataSet {
    const JOURNAL: &'static str = "limit.jsonl";
    const MADE: &'static [&'static str] = &["spec.toml", "limit.json", "limit.csv", page::NAME];

    fn brief(&self) -> String {
        format!("p = {:.3}, {}", self.probabilities[self.best], files::verdict(&self.verdict))
    }
}

/// Name of a data set in the journal.
fn name(window: &str, levels: &Levels, level: f64, number: usize) -> String {
    format!("window {window}, {}: data set {number}", levels.name(level))
}

/// Names in the journal of all data sets.
pub fn names(spec: &Spec, levels: &Levels, data_sets: usize) -> Vec<String> {
    let of = |window: &str, level: f64| (1..=data_sets).map(|n| name(window, levels, level, n)).collect::<Vec<_>>();
    spec.groups.iter().flat_map(|group| levels.values.iter().flat_map(|level| of(&group.name, *level))).collect()
}

/// Simulates and samples the data sets of every level, as a run would, and tells what they show; windows one after the other, data sets many at a time.
/// A data set's noise depends on the seed, its level and its number alone. What `log` has is not made again.
///
/// # Errors
/// Where no candidate is the true one, two measurements use one point, a candidate has a model error, the data sets of the log have another truth, the
/// engine or the log fails or the run is interrupted.
pub fn limit(engine: &dyn Engine, plan: &Plan<'_>, settings: &batch::Settings<'_>, log: &dyn Log<DataSet>) -> Result<Limit> {
    trial::refuse_model_error(plan.spec)?;
    // A truth that is not offered in the last window is told before the first one is sampled.
    let targets = Target::all(plan.spec, plan.truth, plan.levels)?;
    let mut windows = Vec::new();
    for (group, target) in targets.iter().enumerate() {
        windows.push(window(engine, plan, (&trial::alone(plan.spec, group), target), settings, log)?);
    }
    Ok(Limit {
        schema: SCHEMA,
        keisoku: env!("CARGO_PKG_VERSION").into(),
        title: plan.spec.title.clone(),
        seed: plan.spec.run.seed,
        frame: plan.truth.number,
        kind: plan.levels.kind,
        data_sets: plan.data_sets,
        good: windows.iter().all(|w| w.failures.is_empty() && w.levels.iter().all(|l| l.doubtful == 0)),
        windows,
    })
}

/// One window: every level and every data set of it.
fn window(
    engine: &dyn Engine,
    plan: &Plan<'_>,
    (spec, target): (&Spec, &Target),
    settings: &batch::Settings<'_>,
    log: &dyn Log<DataSet>,
) -> Result<Window> {
    let levels = plan.levels;
    let window = &spec.groups[0].name;
    let each: Vec<(f64, usize)> = levels.values.iter().flat_map(|level| (1..=plan.data_sets).map(|n| (*level, n))).collect();
    let item = |(i, (level, n)): (usize, &(f64, usize))| {
        Item::new(name(window, levels, *level, *n), format!("{}: data set {n}", levels.name(*level)), *n, i + 1)
    };
    let items: Vec<Item> = each.iter().enumerate().map(item).collect();
    let level = |item: &Item| each[item.entry.number - 1].0;
    let work = trial::Work {
        spec,
        points: &plan.truth.hash,
        changed: "the truth in [simulate] has changed since the data sets in this folder were made",
        items: &items,
        load: &|item| data(plan, level(item), &item.entry.name),
        compare: &|item, window, _, _| compare(target, window, (level(item), item.number)),
    };
    let (mut sets, mut failures) = (Vec::new(), Vec::new());
    for (answer, (level, data_set)) in work.run(engine, settings, log)?.into_iter().zip(&each) {
        match answer {
            Answer::Done(set) => sets.push(set),
            Answer::Failed(failure) => failures.push(LostSet { level: *level, data_set: *data_set, message: failure.message }),
        }
    }
    Ok(Window::new(window.clone(), target, levels, sets, failures))
}

/// The data of that name at a level: the whole frame, whatever the window.
fn data(plan: &Plan<'_>, level: f64, name: &str) -> Result<Frame> {
    let truth = plan.truth;
    let (time, noise) = plan.levels.at(level);
    let expected: Vec<f64> = truth.expected.iter().map(|f| time * f).collect();
    let y = noisy(&truth.x, &expected, noise, Key::new(plan.spec.run.seed, name, "", "limit", usize::MAX))?;
    let sigma = claimed(&y, noise, truth.sigma_factor);
    let (x, source, hash) = (truth.x.clone(), name.to_owned(), truth.hash.clone());
    Ok(Frame { name: source.clone(), source, x, y, sigma: Some(sigma), monitor: vec![time], hash, ..Frame::default() })
}

/// What is kept of a data set.
fn compare(target: &Target, window: &WindowResult, (level, data_set): (f64, usize)) -> Result<DataSet> {
    let probabilities: Vec<f64> = window.candidates.iter().map(|c| c.probability).collect();
    if probabilities.iter().any(|p| p.is_nan()) {
        return Err(Error::recoverable("a candidate has no free energy"));
    }
    Ok(DataSet {
        level,
        data_set,
        probabilities,
        best: window.best,
        verdict: window.candidates[window.best].verdict.clone(),
        parameters: estimates(target, &window.candidates[target.measured])?,
    })
}

/// The marginals of the reported parameters, in their order.
fn estimates(target: &Target, candidate: &CandidateResult) -> Result<Vec<Estimate>> {
    let mut left: Vec<_> = candidate.parameters.iter().collect();
    let take = |reported: &Reported| {
        let same = |p: &&crate::posterior::ParameterResult| {
            (&p.term, &p.parameter, p.peak) == (&reported.term, &reported.parameter, reported.peak)
        };
        let at = left.iter().position(same).ok_or_else(|| Error::recoverable(format!("no posterior of {}", reported.parameter)))?;
        let p = left.remove(at);
        let [a, b, _, c, d] = p.quantiles;
        Ok(Estimate { mean: p.mean, sd: p.sd, quantiles: [a, b, c, d] })
    };
    target.reported.iter().map(take).collect()
}
