//! Simulation-based calibration: truths from the priors, data from the truths, posteriors of the data, and how often they cover the truths.
//!
//! Whatever the model, a truth drawn from the prior is one more draw from the posterior of the data it makes: its rank among independent
//! draws is uniform, an interval of 68 % holds it 68 times in a hundred, and of the candidates given 20 % each fifth is true (Talts,
//! Betancourt, Simpson, Vehtari, Gelman, arXiv 1804.06788 (2018)). Anything wrong in priors, likelihood, sampler or free energies breaks that.

mod candidates;
pub mod quantity;
pub mod rank;
mod report;
pub mod tally;
mod truth;
mod verdict;

use serde::{Deserialize, Serialize};

pub use candidates::{Chance, Trust, chances, reliability};
pub use report::{text, write};
pub use truth::Truth;
pub use verdict::{Coverage, LEVEL, Tested, Window, verdict_of};

use crate::batch;
use crate::dataset::Frame;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::posterior::{Verdict, WindowResult};
use crate::problem::{self, Problem};
use crate::random::Key;
use crate::report::{self as files, page};
use crate::sampler::Sampled;
use crate::spec::{Group, Spec};
use crate::trial::{self, Answer, Item, Log, Trial};
use quantity::quantities;
use rank::Ranked;

/// What is calibrated.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The spec that is sampled; `run.seed` is the seed of everything.
    pub spec: &'a Spec,
    /// The spec whose priors the truths come from: the same, or one with the same parameters, to see a wrong prior found.
    pub truth: &'a Spec,
    /// The frame whose points, σ and monitor all data sets have.
    pub frame: &'a Frame,
    /// Data sets of each window.
    pub data_sets: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Version of keisoku.
    pub keisoku: String,
    /// Title of the spec.
    pub title: String,
    /// Seed.
    pub seed: u64,
    /// Data sets of each window.
    pub data_sets: usize,
    /// Family-wise level of all tests together.
    pub level: f64,
    /// How the level is shared among the tests.
    pub correction: String,
    /// Tests in all.
    pub tests: usize,
    /// Whether no test is significant and every data set has an answer.
    pub calibrated: bool,
    /// One entry a window.
    pub windows: Vec<Window>,
}

/// One data set of one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSet {
    /// Its number, from 1.
    pub data_set: usize,
    /// Label of the true candidate.
    pub candidate: String,
    /// Index of the true candidate.
    pub index: usize,
    /// The true parameters, by name.
    pub truth: Vec<(String, f64)>,
    /// p(K) of every candidate.
    pub probabilities: Vec<f64>,
    /// Verdict of the true candidate.
    pub verdict: Vec<Verdict>,
    /// Verdict of the most probable candidate.
    pub best_verdict: Vec<Verdict>,
    /// The rank of each quantity, by name.
    pub ranks: Vec<(String, Ranked)>,
}

impl Trial for DataSet {
    const JOURNAL: &'static str = "calibration.jsonl";
    const MADE: &'static [&'static str] = &["spec.toml", "calibration.json", "ranks.csv", page::NAME];

    fn brief(&self) -> String {
        format!("{}, {}", self.candidate, files::verdict(&self.verdict))
    }
}

/// Name of a data set in the journal. Which candidates compete is part of it: with others it has another truth.
fn name(group: &Group, number: usize) -> String {
    let candidates: Vec<&str> = group.candidates.iter().map(|c| c.label.as_str()).collect();
    format!("window {}, {}: data set {number}", group.name, candidates.join(" or "))
}

/// Names in the journal of the first data sets of every window.
pub fn names(spec: &Spec, data_sets: usize) -> Vec<String> {
    spec.groups.iter().flat_map(|group| (1..=data_sets).map(|number| name(group, number))).collect()
}

/// Draws truths and data, samples every data set as a run would, and compares; windows one after the other, data sets many at a time. Of a data
/// set only its ranks outlive its batch. What `log` has is not made again.
///
/// # Errors
/// Where a candidate's σ depends on the data (`model_error`), two measurements use one point, the frame does not fit the spec or is not the one
/// that the log's data sets were made of, the engine or the log fails or the run is interrupted.
pub fn calibrate(engine: &dyn Engine, plan: &Plan<'_>, settings: &batch::Settings<'_>, log: &dyn Log<DataSet>) -> Result<Calibration> {
    let mut windows = Vec::new();
    for group in 0..plan.spec.groups.len() {
        let spec = trial::alone(plan.spec, group);
        windows.push(Work::new(&spec, &trial::alone(plan.truth, group), plan)?.run(engine, settings, log)?);
    }
    let (tests, calibrated) = verdict::judge(&mut windows);
    Ok(Calibration {
        keisoku: env!("CARGO_PKG_VERSION").into(),
        title: plan.spec.title.clone(),
        seed: plan.spec.run.seed,
        data_sets: plan.data_sets,
        level: LEVEL,
        correction: "Holm".into(),
        tests,
        calibrated,
        windows,
    })
}

/// One window.
struct Work<'a> {
    spec: &'a Spec,
    /// The problems that truths are drawn for, one a candidate; their y is nobody's.
    templates: Vec<Problem>,
    plan: &'a Plan<'a>,
}

impl<'a> Work<'a> {
    fn new(spec: &'a Spec, truth: &Spec, plan: &'a Plan<'a>) -> Result<Self> {
        trial::refuse_model_error(spec)?;
        let templates = problem::build(truth, plan.frame)?;
        for problem in &templates {
            trial::points(plan.frame, problem)?;
        }
        Ok(Self { spec, templates, plan })
    }

    fn run(&self, engine: &dyn Engine, settings: &batch::Settings<'_>, log: &dyn Log<DataSet>) -> Result<Window> {
        let group = &self.spec.groups[0];
        let items: Vec<Item> =
            (1..=self.plan.data_sets).map(|number| Item::new(name(group, number), format!("data set {number}"), number, number)).collect();
        let work = trial::Work {
            spec: self.spec,
            points: &self.plan.frame.hash,
            changed: "the numbers of the first frame, whose points the data sets have, have changed since they were made",
            items: &items,
            load: &|item| self.load(item),
            compare: &|item, window, problems, sampled| self.compare(item, window, problems, sampled),
        };
        let (mut sets, mut failures) = (Vec::new(), Vec::new());
        for answer in work.run(engine, settings, log)? {
            match answer {
                Answer::Done(set) => sets.push(set),
                Answer::Failed(failure) => failures.push(failure),
            }
        }
        let labels = group.candidates.iter().map(|c| c.label.clone()).collect();
        Ok(verdict::window(group.name.clone(), labels, sets, failures))
    }

    fn truth(&self, name: &str) -> Result<Truth> {
        truth::draw(&self.templates, self.spec.run.seed, name)
    }

    /// The data of an item.
    fn load(&self, item: &Item) -> Result<Frame> {
        let truth = self.truth(&item.entry.name)?;
        truth::frame(self.plan.frame, &self.templates[truth.candidate], &truth, self.spec.run.seed, &item.entry.name)
    }

    /// The truth of a data set against the draws of the candidate that is true.
    fn compare(&self, item: &Item, window: &WindowResult, problems: &[&Problem], sampled: &[Sampled]) -> Result<DataSet> {
        let truth = self.truth(&item.entry.name)?;
        let at = truth.candidate;
        let probabilities: Vec<f64> = window.candidates.iter().map(|c| c.probability).collect();
        if probabilities.iter().any(|p| p.is_nan()) {
            return Err(Error::recoverable("a candidate has no free energy"));
        }
        Ok(DataSet {
            data_set: item.number,
            candidate: problems[at].candidate.clone(),
            index: at,
            truth: problems[at].parameters.iter().map(|p| p.name.clone()).zip(truth.theta.iter().copied()).collect(),
            probabilities,
            verdict: window.candidates[at].verdict.clone(),
            best_verdict: window.candidates[window.best].verdict.clone(),
            ranks: ranks(problems[at], &sampled[at], &truth.theta, self.spec.run.seed),
        })
    }
}

/// Ranks of all quantities of a truth, the energy last.
fn ranks(problem: &Problem, sampled: &Sampled, theta: &[f64], seed: u64) -> Vec<(String, Ranked)> {
    let d = problem.dimension();
    if d == 0 {
        // Nothing varies, the energy neither.
        return Vec::new();
    }
    let mut each: Vec<(String, f64, Vec<Vec<f64>>)> = quantities(problem)
        .into_iter()
        .map(|q| {
            let chains = sampled.copies.iter().map(|c| c.draws.chunks_exact(d).map(|row| q.value(row)).collect()).collect();
            let value = q.value(theta);
            (q.name, value, chains)
        })
        .collect();
    let rungs = sampled.betas.len();
    let cold = sampled.copies.iter().map(|c| c.energies.iter().skip(rungs - 1).step_by(rungs).copied().collect()).collect();
    each.push(("energy".into(), truth::energy(problem, theta), cold));
    let key = Key::new(seed, &problem.frame, &problem.window, "rank", usize::MAX);
    let ranked = (0u32..).zip(each).map(|(i, (name, truth, chains))| Some((name, rank::rank(truth, &chains, &mut key.stream(i, 0, 0))?)));
    ranked.flatten().collect()
}
