//! A series, frame by frame: load, pose the problems, sample, answer; a bad frame is recorded and the others go on.

mod verify;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, Entry, Frame};
use crate::engine::cpu::{Cpu, Precision};
use crate::engine::probe::Found;
use crate::engine::{Engine, Numbers, Tiling, budget};
use crate::error::{Error, Result, Severity};
use crate::posterior::{self, Draws, FrameResult, Integration, Targets, Verdict, WindowResult};
use crate::problem::{self, Problem};
use crate::sampler::{self, Sampled};
use crate::spec::{Run, Spec};

pub use verify::{Verified, verify};

/// Walkers that keep a GPU busy while the host decides for the other half.
const WALKERS: usize = 100_000;
/// Rungs that a ladder is taken to have before its length is known.
const RUNGS: usize = 16;
/// Most frames sampled as one population: their records are in memory together.
const MOST_FRAMES: usize = 64;

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It has an answer.
    Done(Box<FrameResult>),
    /// It could not be read, posed or sampled.
    Failed(Failure),
}

/// A frame without an answer, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Place in the series, from 1.
    pub frame: usize,
    /// Name of the frame.
    pub name: String,
    /// File (and column or row).
    pub source: String,
    /// Time or temperature.
    pub axis: Option<f64>,
    /// What happened, where, and what to do.
    pub message: String,
}

impl Outcome {
    /// Name of the frame.
    pub fn name(&self) -> &str {
        match self {
            Self::Done(result) => &result.name,
            Self::Failed(failure) => &failure.name,
        }
    }

    /// Place in the series, from 1.
    pub fn number(&self) -> usize {
        match self {
            Self::Done(result) => result.frame,
            Self::Failed(failure) => failure.frame,
        }
    }

    /// Hash of the frame's numbers, where it could be read.
    pub fn data_hash(&self) -> Option<&str> {
        match self {
            Self::Done(result) => Some(&result.data_hash),
            Self::Failed(_) => None,
        }
    }

    /// Whether a time cap cut it short, so that it is to be run again.
    pub fn cut(&self) -> bool {
        match self {
            Self::Done(result) => result.windows.iter().flat_map(|w| &w.candidates).any(|c| c.verdict.contains(&Verdict::Time)),
            Self::Failed(_) => false,
        }
    }

    /// Gives it the place, source and axis that the series has for it now: a series may grow between two runs.
    pub fn place(&mut self, entry: &Entry) {
        let (frame, source, axis) = match self {
            Self::Done(result) => (&mut result.frame, &mut result.source, &mut result.axis),
            Self::Failed(failure) => (&mut failure.frame, &mut failure.source, &mut failure.axis),
        };
        *frame = entry.number;
        source.clone_from(&entry.source);
        *axis = entry.axis.or(*axis);
    }
}

/// How a series is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The threads that do the work.
    pub pool: &'a rayon::ThreadPool,
    /// Frames in work are cut at this time and no further one is begun.
    pub deadline: Option<Instant>,
    /// Set by the user's interrupt: frames in work are given up.
    pub stop: &'a AtomicBool,
    /// How many frames are in work at a time; none: as suits the engine. Results do not depend on it.
    pub plan: Option<Plan>,
    /// Whether draws are handed over with the answers.
    pub draws: bool,
}

/// What became of the engine during a run.
#[derive(Debug, Default)]
pub struct Account(Mutex<Entries>);

#[derive(Clone, Debug, Default)]
struct Entries {
    probe: Option<Found>,
    refusal: Option<Error>,
}

impl Account {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The largest error that probes of the device found; none where it is not probed.
    pub fn probe(&self) -> Option<Found> {
        self.lock().probe
    }

    /// Why the device was given up; none where it was not. From that batch on frames run on the cpu.
    pub fn refusal(&self) -> Option<Error> {
        self.lock().refusal.clone()
    }
}

/// How many frames are in work at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Frames sampled as one population.
    pub frames: usize,
    /// Populations in work at a time.
    pub populations: usize,
}

impl Plan {
    /// Bounds memory and keeps the engine busy: on the cpu as many frames as threads, so that the slowest candidate of one leaves no
    /// core idle; on the gpu one population that is large enough.
    pub fn new(engine: &dyn Engine, spec: &Spec, threads: usize) -> Self {
        match engine.tiling() {
            Tiling::Ladder => Self { frames: 1, populations: threads.max(1) },
            Tiling::Halves => Self { frames: (WALKERS / walkers(spec).max(1)).clamp(1, MOST_FRAMES), populations: 1 },
        }
    }
}

/// About how many walkers a series of `frames` can have in flight: what decides whether a GPU pays.
pub fn most_walkers(spec: &Spec, frames: usize) -> usize {
    walkers(spec) * frames.min(MOST_FRAMES)
}

/// About how many walkers a frame has.
fn walkers(spec: &Spec) -> usize {
    spec.groups.iter().map(|g| g.candidates.len()).sum::<usize>() * spec.run.copies * RUNGS
}

/// An outcome, with what was kept of the windows of a frame that has an answer.
type Answer<T> = (Outcome, Vec<T>);

/// Gives the frame that an entry names.
pub type Load<'a> = dyn Fn(&Entry) -> Result<Frame> + Sync + 'a;

/// What is kept of a window beside its answer, made of its problems and samples (same order).
pub type Keep<'a, T> = dyn Fn(&WindowResult, &[&Problem], &[Sampled]) -> Option<T> + Sync + 'a;

/// What takes the outcomes, with what was kept of their windows.
pub type KeepSink<'a, T> = dyn Fn(Outcome, &[T]) -> Result<()> + Sync + 'a;

/// What takes the outcomes, with the draws of the most probable candidate of each window of a frame that has an answer.
pub type Sink<'a> = dyn Fn(Outcome, &[Draws]) -> Result<()> + Sync + 'a;

/// Runs the frames and hands each outcome to `sink` as it comes, in no particular order, from any thread.
///
/// A device that fails, or that its probe refuses, costs no frame: the batch is done again on the cpu, and so is what is left. A frame
/// whose energies f32 cannot hold to the budget runs on the cpu in f64, with all its candidates. Its result says either.
///
/// # Errors
/// Where the cpu or the sink fails for good, or the run was interrupted. Outcomes handed over before are complete.
pub fn run(
    engine: &dyn Engine,
    spec: &Spec,
    dataset: &Dataset,
    entries: &[&Entry],
    settings: &Settings<'_>,
    sink: &Sink<'_>,
) -> Result<Account> {
    let load = |entry: &Entry| dataset.load(entry, &spec.data);
    let keep = |window: &WindowResult, problems: &[&Problem], sampled: &[Sampled]| {
        settings.draws.then(|| posterior::draws(problems[window.best], &sampled[window.best], spec.run.seed))
    };
    run_with(engine, spec, &load, entries, settings, &keep, sink)
}

/// As [`run`], with frames from anywhere and anything kept of their samples, which do not outlive their batch. `settings.draws` is not
/// looked at.
///
/// # Errors
/// As [`run`].
pub fn run_with<T: Send>(
    engine: &dyn Engine,
    spec: &Spec,
    load: &Load<'_>,
    entries: &[&Entry],
    settings: &Settings<'_>,
    keep: &Keep<'_, T>,
    sink: &KeepSink<'_, T>,
) -> Result<Account> {
    let plan = settings.plan.unwrap_or_else(|| Plan::new(engine, spec, settings.pool.current_num_threads()));
    let work = Work {
        engine,
        single: Cpu::new(Precision::F32)?,
        double: Cpu::new(Precision::F64)?,
        spec,
        load,
        keep,
        settings,
        targets: targets(&spec.run),
        account: Account::default(),
    };
    let next = AtomicUsize::new(0);
    let first_error: Mutex<Option<Error>> = Mutex::new(None);
    let failed = AtomicBool::new(false);
    let worker = || {
        while !failed.load(Ordering::Relaxed) && !settings.over() {
            let at = next.fetch_add(plan.frames, Ordering::Relaxed);
            let Some(batch) = entries.get(at..entries.len().min(at + plan.frames)).filter(|b| !b.is_empty()) else { break };
            let done = settings
                .pool
                .install(|| work.batch(batch))
                .and_then(|outcomes| outcomes.into_iter().try_for_each(|(outcome, kept)| sink(outcome, &kept)));
            if let Err(error) = done {
                failed.store(true, Ordering::Relaxed);
                first_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    // Frames wait in threads of their own, so that the pool never begins a further frame while it waits within one.
    std::thread::scope(|scope| {
        for _ in 0..plan.populations.min(entries.len()) {
            scope.spawn(worker);
        }
    });
    let error = first_error.into_inner().unwrap_or_else(PoisonError::into_inner);
    match error {
        Some(error) => Err(error),
        None if settings.stop.load(Ordering::Relaxed) => Err(interrupted()),
        None => Ok(work.account),
    }
}

/// The targets that the verdict needs.
pub fn targets(run: &Run) -> Targets {
    Targets { ess: run.ess, free_energy_se: run.free_energy_se, round_trips: run.round_trips }
}

/// What the sampler is told of a spec; it has all the time it needs.
fn sampling<'a>(run: &Run, stop: &'a AtomicBool) -> sampler::Settings<'a> {
    sampler::Settings {
        seed: run.seed,
        copies: run.copies,
        proposals: run.proposals,
        max_sweeps: run.max_sweeps,
        most_rows: sampler::rows(run.ess, run.copies),
        deadline: None,
        stop,
    }
}

fn interrupted() -> Error {
    Error::fatal("interrupted").hint("the same command goes on where this one stopped")
}

impl Settings<'_> {
    /// Whether no further frame is to be begun.
    fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.deadline.is_some_and(|d| Instant::now() >= d)
    }
}

/// What every frame of a run needs.
struct Work<'a, T> {
    engine: &'a dyn Engine,
    /// Where the engine is a device that failed.
    single: Cpu,
    /// Where f32 is not enough.
    double: Cpu,
    spec: &'a Spec,
    load: &'a Load<'a>,
    keep: &'a Keep<'a, T>,
    settings: &'a Settings<'a>,
    targets: Targets,
    account: Account,
}

/// A frame with its problems.
struct Posed<'a> {
    entry: &'a Entry,
    frame: Frame,
    problems: Vec<Problem>,
}

impl<T: Send> Work<'_, T> {
    /// Runs some frames, each as part of one population. A frame that cannot be read or posed is an outcome, and so is one that the engine
    /// refuses.
    fn batch(&self, entries: &[&Entry]) -> Result<Vec<Answer<T>>> {
        let mut outcomes = Vec::new();
        let mut posed = Vec::new();
        let read: Vec<_> = entries.par_iter().map(|entry| self.pose(entry)).collect();
        for (entry, read) in entries.iter().zip(read) {
            match read {
                Ok((frame, problems)) => posed.push(Posed { entry, frame, problems }),
                Err(error) => outcomes.push((failed(entry, &error), Vec::new())),
            }
        }
        let lost = self.account.refusal().is_some();
        let engine: &dyn Engine = if lost { &self.single } else { self.engine };
        // All candidates of a frame together: their free energies are compared.
        let numbers = engine.numbers();
        let enough: Vec<bool> = posed.par_iter().map(|p| numbers == Numbers::F64 || budget::keeps(&p.problems, numbers)).collect();
        let mut enough = enough.into_iter();
        let (usual, exacting) = posed.into_iter().partition::<Vec<_>, _>(|_| enough.next().unwrap_or(true));
        for (engine, posed) in [(engine, usual), (&self.double, exacting)] {
            match self.population(engine, posed) {
                Err(error) if error.severity == Severity::Device && !lost => {
                    self.account.lock().refusal.get_or_insert(error);
                    return self.batch(entries);
                }
                done => outcomes.extend(done?),
            }
        }
        Ok(outcomes)
    }

    /// Samples frames as one population on one engine.
    fn population(&self, engine: &dyn Engine, mut posed: Vec<Posed<'_>>) -> Result<Vec<Answer<T>>> {
        let mut problems = Vec::new();
        let mut ranges = Vec::new();
        for p in &mut posed {
            let from = problems.len();
            problems.append(&mut p.problems);
            ranges.push(from..problems.len());
        }
        if posed.is_empty() {
            return Ok(Vec::new());
        }
        match self.sample(engine, &problems) {
            Ok(sampled) => {
                let probe = sampled.iter().find_map(|s| s.probe);
                let mut account = self.account.lock();
                account.probe = account.probe.into_iter().chain(probe).reduce(Found::and);
                drop(account);
                let answer = |(p, range): (&Posed<'_>, Range<usize>)| self.answer(engine, p, &problems[range.clone()], &sampled[range]);
                Ok(posed.par_iter().zip(ranges).map(answer).collect())
            }
            Err(error) if error.severity != Severity::Recoverable => Err(error),
            Err(error) if posed.len() == 1 => Ok(vec![(failed(posed[0].entry, &error), Vec::new())]),
            Err(_) => {
                // One of them was refused: alone, each shows whether it was the one.
                let mut outcomes = Vec::new();
                for p in posed {
                    outcomes.extend(self.batch(&[p.entry])?);
                }
                Ok(outcomes)
            }
        }
    }

    fn pose(&self, entry: &Entry) -> Result<(Frame, Vec<Problem>)> {
        let frame = (self.load)(entry)?;
        let problems = problem::build(self.spec, &frame)?;
        Ok((frame, problems))
    }

    fn sample(&self, engine: &dyn Engine, problems: &[Problem]) -> Result<Vec<Sampled>> {
        let settings = sampler::Settings { deadline: self.settings.deadline, ..sampling(&self.spec.run, self.settings.stop) };
        sampler::run(engine, problems, &settings, &|problem, sampled| posterior::shortfall(problem, sampled, &self.targets))
    }

    fn answer(&self, engine: &dyn Engine, posed: &Posed<'_>, problems: &[Problem], sampled: &[Sampled]) -> Answer<T> {
        let (mut windows, mut kept) = (Vec::new(), Vec::new());
        let mut at = 0;
        for group in problems.chunk_by(|a, b| a.window == b.window) {
            let group: Vec<&Problem> = group.iter().collect();
            let sampled = &sampled[at..at + group.len()];
            let window = posterior::window(&group, sampled, &self.targets);
            kept.extend((self.keep)(&window, &group, sampled));
            windows.push(window);
            at += group.len();
        }
        let Frame { number, name, source, axis, hash, dropped, .. } = &posed.frame;
        let answer = Outcome::Done(Box::new(FrameResult {
            frame: *number,
            name: name.clone(),
            source: source.clone(),
            axis: *axis,
            data_hash: hash.clone(),
            dropped: *dropped,
            engine: engine.name().into(),
            precision: engine.numbers().precision().into(),
            integration: self.spec.run.alone.then(|| Integration::of(&windows)).flatten(),
            windows,
        }));
        (answer, kept)
    }
}

fn failed(entry: &Entry, error: &Error) -> Outcome {
    Outcome::Failed(Failure {
        frame: entry.number,
        name: entry.name.clone(),
        source: entry.source.clone(),
        axis: entry.axis,
        message: error.to_string(),
    })
}
