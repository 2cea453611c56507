//! What a step costs, counted and not timed: bytes to the device and back, submissions, kernels, and allocations of the host.
//!
//! Allocations are those of the whole process, so that each count runs in a process of its own: the test starts this binary again for itself.

use std::alloc::System;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use keisoku::engine::gpu::Gpu;
use keisoku::engine::gpu::path::Path;
use keisoku::engine::timeline::{Timeline, Traffic};
use keisoku::engine::{self, Engine, Moves, Numbers, Roster, Tile, Tiling};
use keisoku::error::Result;
use keisoku::problem::{self, Problem};
use keisoku::sampler::{self, Settings};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::equivalence_gpu::selection;
use crate::examples;
use crate::null::Null;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Set in the process that counts.
const ALONE: &str = "KEISOKU_COUNTS_ALONE";

/// Allocations so far; growing a piece of memory counts as one.
fn allocations() -> usize {
    let stats = ALLOCATOR.stats();
    stats.allocations + stats.reallocations
}

/// Runs a test of this binary in a process of its own; true in that process.
fn alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let done = command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(ALONE, "1").output().unwrap();
    let (told, complained) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && told.contains("1 passed"), "{told}\n{complained}");
    print!("{told}");
    false
}

/// One step of one tile, as its engine saw it.
#[derive(Clone, Copy, Debug)]
struct Step {
    moves: usize,
    /// Measurements of all moves.
    misfits: usize,
    /// Allocations of the sampler since the engine was last left, which includes the decisions of another tile's last step.
    host: usize,
    /// Allocations while the engine worked for this step: submitting, collecting, settling.
    engine: usize,
    traffic: Traffic,
}

/// An engine that counts what passes through another.
struct Counting<'e> {
    inner: &'e dyn Engine,
    log: Mutex<Log>,
    stop: &'e AtomicBool,
    /// Stops sampling after so many steps.
    most: usize,
}

struct Log {
    steps: Vec<Step>,
    /// Allocations when an engine was last left.
    left: usize,
    /// Most walkers and ladders of a tile.
    walkers: usize,
    ladders: usize,
    /// Steps before each loading of a tile.
    rounds: Vec<usize>,
}

impl<'e> Counting<'e> {
    fn new(inner: &'e dyn Engine, stop: &'e AtomicBool, most: usize) -> Self {
        // Room enough, so that the log itself allocates nothing.
        let steps = Vec::with_capacity(most.min(100_000) + 1000);
        let log = Log { steps, left: 0, walkers: 0, ladders: 0, rounds: Vec::with_capacity(100) };
        Self { inner, log: Mutex::new(log), stop, most }
    }
}

struct CountingTile<'e, 'p> {
    inner: Box<dyn Tile + 'p>,
    of: &'p Counting<'e>,
    /// The step under way.
    step: usize,
}

impl Engine for Counting<'_> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn numbers(&self) -> Numbers {
        // A device would be probed, which is no part of a step.
        Numbers::F32
    }

    fn tiling(&self) -> Tiling {
        Tiling::Halves
    }

    fn timeline(&self) -> Option<Timeline> {
        self.inner.timeline()
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        let mut log = self.log.lock().unwrap();
        log.walkers = log.walkers.max(roster.walkers());
        log.ladders = log.ladders.max(roster.problems.len());
        drop(log);
        Ok(Box::new(CountingTile { inner: self.inner.tile(roster)?, of: self, step: 0 }))
    }
}

impl CountingTile<'_, '_> {
    /// Does something, and books its allocations on the step under way.
    fn booked<R>(&mut self, work: impl FnOnce(&mut dyn Tile) -> R) -> R {
        let before = allocations();
        let done = work(&mut *self.inner);
        let mut log = self.of.log.lock().unwrap();
        let now = allocations();
        log.steps[self.step].engine += now - before;
        log.steps[self.step].host += before - log.left;
        log.left = now;
        done
    }
}

impl Tile for CountingTile<'_, '_> {
    fn load(&mut self, walkers: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        let done = self.inner.load(walkers, coefficients, misfits);
        let mut log = self.of.log.lock().unwrap();
        let steps = log.steps.len();
        log.rounds.push(steps);
        log.left = allocations();
        drop(log);
        done
    }

    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        self.inner.attempt(moves, misfits)
    }

    fn submit(&mut self, moves: &[Moves]) -> Result<()> {
        let before = self.of.inner.timeline().unwrap_or_default();
        let mut log = self.of.log.lock().unwrap();
        self.step = log.steps.len();
        log.steps.push(Step { moves: engine::count(moves), misfits: 0, host: 0, engine: 0, traffic: Traffic::default() });
        if log.steps.len() >= self.of.most {
            self.of.stop.store(true, Ordering::Relaxed);
        }
        drop(log);
        self.booked(|inner| inner.submit(moves))?;
        let after = self.of.inner.timeline().unwrap_or_default();
        self.of.log.lock().unwrap().steps[self.step].traffic = (after - before).traffic;
        Ok(())
    }

    fn collect(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        self.booked(|inner| inner.collect(moves, misfits))?;
        self.of.log.lock().unwrap().steps[self.step].misfits = misfits.len();
        Ok(())
    }

    fn settle(&mut self, choices: &[bool]) -> Result<()> {
        self.booked(|inner| inner.settle(choices))
    }
}

/// The model of the shipped phase transition with four peaks, as many times as asked.
fn population(problems: usize) -> Vec<Problem> {
    let (mut spec, dataset) = examples::read("phase-transition");
    spec.groups.truncate(1);
    spec.groups[0].candidates.retain(|c| c.k == Some(4));
    let frame = dataset.load(&dataset.entries[0], &spec.data).unwrap();
    vec![problem::build(&spec, &frame).unwrap().remove(0); problems]
}

/// Samples with 16 copies and so many proposals a step until the engine has seen `most` steps, or to the end; returns the log. On three threads all
/// walkers take their turns together.
fn count(engine: &dyn Engine, problems: usize, proposals: usize, max_sweeps: usize, most: usize) -> Log {
    let problems = population(problems);
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 1, copies: 16, proposals, max_sweeps, most_rows: 64, deadline: None, stop: &stop };
    let counting = Counting::new(engine, &stop, most);
    let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let ended = three.install(|| sampler::run(&counting, &problems, &settings, &|_, _| 1.0).map(|_| ()));
    assert!(ended.is_ok() || stop.load(Ordering::Relaxed), "{ended:?}");
    counting.log.into_inner().unwrap()
}

/// Sweeps of the last round of [`count`] with 64 in all: the first two rounds take 16 and 32.
const LAST_ROUND: usize = 16;

fn host_alone() {
    for (problems, proposals, walkers) in [(60, 1, 10_000), (15, 4, 2500)] {
        let log = count(&Null::default(), problems, proposals, 64, usize::MAX);
        assert!(2 * log.walkers >= walkers, "{} walkers", 2 * log.walkers);
        late_steps_allocate_nothing(&log);
    }
}

fn late_steps_allocate_nothing(log: &Log) {
    let last = &log.steps[*log.rounds.last().unwrap()..];
    // Lists have the room they need after a few sweeps. From there on only records take memory, of some sweeps at a time: here of half a round of each
    // of the two tiles.
    let late = &last[last.len() / 2..];
    let some: Vec<usize> = late.iter().map(|s| s.host).filter(|n| *n > 0).collect();
    let (steps, moves) = (late.len(), late.iter().map(|s| s.moves).sum::<usize>());
    let records = some.iter().sum::<usize>() as f64 / LAST_ROUND as f64 / log.ladders as f64;
    println!("of {steps} steps with {moves} moves {} allocate: for records, {records:.1} times a ladder and sweep", some.len());
    assert!(moves > 10 * log.walkers && some.len() <= LAST_ROUND / 4 && records < 8.0, "{some:?}");
}

/// 10⁴ walkers of four peaks on an engine that does nothing, and a quarter of them with four proposals a step.
#[test]
fn the_host_allocates_nothing_in_a_step() {
    if alone("counted::the_host_allocates_nothing_in_a_step") {
        host_alone();
    }
}

/// Few terms are recomputed, in two kernels a step; where totals are kept, a third writes them, and the bytes are the same.
fn device_alone() {
    let Some(selection) = selection() else { return };
    device_counts(&Gpu::new(&selection).unwrap(), 2);
    device_counts(&Gpu::new(&selection).unwrap().on(Path::Kept), 3);
}

fn device_counts(gpu: &Gpu, kernels: u64) {
    // A few sweeps of many walkers, and all rounds of few, with the steps of the whole that come late.
    let many = count(gpu, 33, 1, 64, 60);
    let few = count(gpu, 1, 1, 64, usize::MAX);
    let several = count(gpu, 1, 4, 64, 60);
    assert!(2 * many.walkers >= 10_000 && many.walkers > 10 * few.walkers, "{} walkers", 2 * many.walkers);
    for log in [&many, &few, &several] {
        let (mut all, mut moves, mut misfits) = (Traffic::default(), 0, 0);
        for step in &log.steps[..log.steps.len() - 2] {
            all += step.traffic;
            moves += step.moves;
            misfits += step.misfits;
            // One pipeline, its choices settled before: no more of either for more walkers.
            assert!(step.traffic.submissions == 1 && step.traffic.dispatches <= kernels, "{step:?}");
        }
        let (up, down) = (all.uploaded as f64 / moves as f64, all.downloaded as f64 / misfits as f64);
        println!("{} walkers: {up:.1} bytes up a move, {down:.2} down a misfit, {} steps", 2 * log.walkers, log.steps.len());
        assert_eq!(all.moves as usize, moves);
        assert!(up <= 64.0 && down <= 4.0);
    }
    // Allocations of wgpu and of the engine for one step, in sweeps in which every list has its room.
    let least = |log: &Log| log.steps[log.steps.len() / 2..].iter().map(|s| s.engine).min().unwrap();
    let (of_many, of_few) = (least(&many), least(&few));
    println!("allocations a step: {of_many} with many walkers, {of_few} with few");
    assert!(of_many <= of_few + 2, "{of_many} allocations, {of_few} with fewer walkers");
}

/// The same population on the device: at most 64 bytes up a proposal and four down a misfit, in one submission, and wgpu allocates no more
/// for more walkers.
#[test]
fn traffic_and_allocations_of_a_device() {
    if selection().is_none() {
        assert!(std::env::var("KEISOKU_REQUIRE_GPU").as_deref() != Ok("1"), "no Vulkan adapter, and KEISOKU_REQUIRE_GPU=1");
        println!("skipped: no Vulkan adapter");
    } else if alone("counted::traffic_and_allocations_of_a_device") {
        device_alone();
    }
}
