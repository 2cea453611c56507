//! Simulation-based calibration: truths from the priors, data from the truths, posteriors of the data, and how often they cover the truths.
//!
//! Whatever the model, a truth drawn from the prior is one more draw from the posterior of the data it makes: its rank among independent
//! draws is uniform, an interval of 68 % holds it 68 times in a hundred, and of the candidates given 20 % each fifth is true (Talts,
//! Betancourt, Simpson, Vehtari, Gelman, arXiv 1804.06788 (2018)). Anything wrong in priors, likelihood, sampler or free energies breaks that.

mod candidates;
pub mod quantity;
pub mod rank;
mod record;
mod report;
pub mod tally;
mod truth;
mod verdict;

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use candidates::{Chance, Trust, chances, reliability};
pub use record::{Answer, Log, Record, names};
pub use report::{text, write};
pub use truth::Truth;
pub use verdict::{Coverage, LEVEL, Tested, Window, verdict_of};

use crate::batch::{self, Outcome};
use crate::dataset::{Entry, Frame};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::posterior::{Verdict, WindowResult};
use crate::problem::{self, Problem};
use crate::random::Key;
use crate::sampler::Sampled;
use crate::spec::{Group, Spec};
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

/// A data set without an answer, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Its number, from 1.
    pub data_set: usize,
    /// What happened.
    pub message: String,
}

/// Draws truths and data, samples every data set as a run would, and compares; windows one after the other, data sets many at a time. Of a data
/// set only its ranks outlive its batch. What `log` has is not made again.
///
/// # Errors
/// Where a candidate's σ depends on the data (`model_error`), two measurements use one point, the frame does not fit the spec or is not the one
/// that the log's data sets were made of, the engine or the log fails or the run is interrupted.
pub fn calibrate(engine: &dyn Engine, plan: &Plan<'_>, settings: &batch::Settings<'_>, log: &dyn Log) -> Result<Calibration> {
    let mut windows = Vec::new();
    for (group, truth) in plan.spec.groups.iter().zip(&plan.truth.groups) {
        let alone = |spec: &Spec, group: &Group| Spec { groups: vec![group.clone()], ..spec.clone() };
        let spec = alone(plan.spec, group);
        windows.push(Work::new(&spec, &alone(plan.truth, truth), plan)?.run(engine, settings, log)?);
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
        let group = &spec.groups[0];
        if group.candidates.iter().any(|c| c.model_error > 0.0) {
            return Err(Error::fatal(format!("window {}: with a model_error σ depends on the data, so no data can be drawn", group.name))
                .hint("leave model_error out of [noise] to calibrate the rest"));
        }
        let templates = problem::build(truth, plan.frame)?;
        for problem in &templates {
            truth::points(plan.frame, problem)?;
        }
        Ok(Self { spec, templates, plan })
    }

    fn run(&self, engine: &dyn Engine, settings: &batch::Settings<'_>, log: &dyn Log) -> Result<Window> {
        let entries: Vec<Entry> = (1..=self.plan.data_sets).map(entry).collect();
        let known = entries.iter().map(|entry| self.known(entry.number, log)).collect::<Result<Vec<_>>>()?;
        let todo: Vec<&Entry> = entries.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(entry, _)| entry).collect();
        let found = Mutex::new(known);
        let sink = |outcome: Outcome, kept: &[Result<DataSet>]| {
            let number = outcome.number();
            let failed = |message| Answer::Failed(Failure { data_set: number, message });
            let answer = match (&outcome, kept.first()) {
                (_, Some(Ok(set))) => Answer::Done(DataSet { data_set: number, ..set.clone() }),
                (_, Some(Err(error))) => failed(error.to_string()),
                (Outcome::Failed(failure), None) => failed(failure.message.clone()),
                (Outcome::Done(_), None) => failed("it has no window".to_owned()),
            };
            let record = Record { name: record::name(&self.spec.groups[0], number), points: self.plan.frame.hash.clone(), answer };
            log.add(&record)?;
            found.lock().unwrap_or_else(PoisonError::into_inner)[number - 1] = Some(record.answer);
            Ok(())
        };
        let keep = |window: &WindowResult, problems: &[&Problem], sampled: &[Sampled]| Some(self.compare(window, problems, sampled));
        batch::run_with(engine, self.spec, &|entry| self.load(entry), &todo, settings, &keep, &sink)?;
        let (mut sets, mut failures) = (Vec::new(), Vec::new());
        for answer in found.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten() {
            match answer {
                Answer::Done(set) => sets.push(set),
                Answer::Failed(failure) => failures.push(failure),
            }
        }
        let labels = self.spec.groups[0].candidates.iter().map(|c| c.label.clone()).collect();
        Ok(verdict::window(self.spec.groups[0].name.clone(), labels, sets, failures))
    }

    /// What the log has of a data set. One that failed is tried again.
    fn known(&self, number: usize, log: &dyn Log) -> Result<Option<Answer>> {
        match log.find(&record::name(&self.spec.groups[0], number))? {
            Some(record) if record.points != self.plan.frame.hash => {
                Err(Error::fatal("the numbers of the first frame, whose points the data sets have, have changed since they were made")
                    .hint("restore the file, start over with --fresh, or choose another folder with --out DIR"))
            }
            Some(Record { answer: Answer::Done(set), .. }) => Ok(Some(Answer::Done(set))),
            _ => Ok(None),
        }
    }

    fn truth(&self, name: &str) -> Result<Truth> {
        truth::draw(&self.templates, self.spec.run.seed, name)
    }

    /// The data set that an entry names.
    fn load(&self, entry: &Entry) -> Result<Frame> {
        let truth = self.truth(&entry.name)?;
        let problem = &self.templates[truth.candidate];
        let frame = truth::frame(self.plan.frame, problem, &truth, self.spec.run.seed, &entry.name)?;
        Ok(Frame { number: entry.number, ..frame })
    }

    /// The truth of a data set against the draws of the candidate that is true.
    fn compare(&self, window: &WindowResult, problems: &[&Problem], sampled: &[Sampled]) -> Result<DataSet> {
        let name = problems[0].frame.as_str();
        let truth = self.truth(name)?;
        let at = truth.candidate;
        let probabilities: Vec<f64> = window.candidates.iter().map(|c| c.probability).collect();
        if probabilities.iter().any(|p| p.is_nan()) {
            return Err(Error::recoverable("a candidate has no free energy"));
        }
        Ok(DataSet {
            data_set: 0,
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

/// The entry of a data set: no file has its name.
fn entry(number: usize) -> Entry {
    let name = format!("data set {number}");
    Entry { number, source: name.clone(), path: name.clone().into(), name, part: 0, axis: None, monitor: None }
}
