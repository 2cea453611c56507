//! The same bytes whatever number of frames is sampled as one population, and however many populations are in work.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use keisoku::batch::{self, Plan, Settings};
use keisoku::dataset::{self, Dataset, Entry};
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::engine::{Engine, Numbers, Roster, Tile, Tiling};
use keisoku::error::Result;
use keisoku::problem::{self, Problem};
use keisoku::report::{Folder, Header, Peaks, SCHEMA};
use keisoku::sampler::{self, Sampled};
use keisoku::spec::{RawSpec, Spec};

use crate::examples;
use crate::null::Null;

/// Frames of the demo that are run.
const FRAMES: usize = 5;

/// The cpu as a GPU is used: two tiles that hold half of the population each.
struct Halved(Cpu);

impl Engine for Halved {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn describe(&self) -> String {
        self.0.describe()
    }

    fn numbers(&self) -> Numbers {
        self.0.numbers()
    }

    fn tiling(&self) -> Tiling {
        Tiling::Halves
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        self.0.tile(roster)
    }
}

/// The demo's spec with targets that take a moment, resolved.
fn resolved(seed: u64) -> RawSpec {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/phase-transition/spec.toml");
    let mut raw = Spec::read(&path).unwrap();
    raw.run.engine = Some("cpu");
    raw.run.seed = Some(seed);
    raw.run.copies = Some(2);
    raw.run.max_sweeps = Some(60);
    raw.run.ess = Some(10.0);
    raw.resolve(&|raw| dataset::facts(raw)).unwrap()
}

/// evidence.csv, peaks.csv and result.json of the first frames of the demo.
fn files(engine: &dyn Engine, seed: u64, frames: usize, populations: usize) -> Vec<String> {
    let raw = resolved(seed);
    let spec = raw.check().unwrap();
    let dataset = Dataset::open(&spec.data).unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut folder = Folder::open(out.path()).unwrap();
    let header = Header { schema: SCHEMA, keisoku: "test".into(), spec_hash: raw.hash(), spec: raw.to_toml(), series: Vec::new() };
    folder.begin(header).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let stop = AtomicBool::new(false);
    let settings = Settings { pool: &pool, deadline: None, stop: &stop, plan: Some(Plan { frames, populations }), draws: false };
    let entries: Vec<&Entry> = dataset.entries.iter().take(FRAMES).collect();
    let journal = Mutex::new(&mut folder);
    batch::run(engine, &spec, &dataset, &entries, &settings, &|outcome, _| journal.lock().unwrap().append(&outcome)).unwrap();
    folder.finish(&dataset, &spec, &Peaks::All).unwrap();
    ["evidence.csv", "peaks.csv", "result.json"].map(|name| std::fs::read_to_string(out.path().join(name)).unwrap()).into()
}

#[test]
fn the_bytes_do_not_depend_on_the_size_of_a_population() {
    let cpu = || Cpu::new(Precision::F32).unwrap();
    let one = files(&cpu(), 1, 1, 1);
    // Eight candidates a frame.
    assert_eq!(one[0].lines().count(), 1 + 8 * FRAMES);
    for (frames, populations) in [(FRAMES, 1), (2, 2)] {
        assert!(files(&cpu(), 1, frames, populations) == one, "{frames} frames in each of {populations} populations give other bytes");
    }
    assert!(files(&Halved(cpu()), 1, FRAMES, 1) == one, "{FRAMES} frames in two tiles give other bytes");
    // Bytes can differ: with another seed every file does.
    assert!(files(&cpu(), 2, 1, 1).iter().zip(&one).all(|(other, one)| other != one));
}

/// So many problems of one peak.
fn peaks(problems: u32) -> Vec<Problem> {
    let (mut spec, dataset) = examples::read("yardstick-a");
    spec.groups[0].candidates.retain(|c| c.k == Some(1));
    let frame = dataset.load(&dataset.entries[0], &spec.data).unwrap();
    let one = problem::build(&spec, &frame).unwrap().remove(0);
    (0..problems).map(|frame| Problem { frame: frame.to_string(), ..one.clone() }).collect()
}

/// What comes of them on an engine that evaluates nothing, sampled by so many threads: with fewer, fewer walkers take their turns together. The judge
/// asks for records of unlike length.
fn sampled(problems: &[Problem], copies: usize, threads: usize, (max_sweeps, deadline): (usize, Option<Instant>)) -> Vec<Sampled> {
    let stop = AtomicBool::new(false);
    let settings = sampler::Settings { seed: 3, copies, proposals: 1, max_sweeps, most_rows: 8, deadline, stop: &stop };
    let judge = |problem: &Problem, _: &Sampled| 1.0 + 0.25 * f64::from(problem.frame.parse::<u32>().unwrap() % 4);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| sampler::run(&Null::default(), problems, &settings, &judge)).unwrap()
}

#[test]
fn what_comes_of_a_problem_does_not_depend_on_who_takes_turns_with_it() {
    let problems = peaks(130);
    let (turns, together) = (sampled(&problems, 8, 1, (300, None)), sampled(&problems, 8, 4, (300, None)));
    let walkers: usize = turns.iter().map(|s| s.betas.len() * s.copies.len()).sum();
    assert!(walkers > 8192, "{walkers} walkers do not take turns");
    let kept: BTreeSet<usize> = turns.iter().map(|s| s.copies[0].sweeps).collect();
    assert!(kept.len() > 1 && kept.iter().all(|sweeps| *sweeps > 64), "{kept:?} sweeps were kept");
    for (frame, (a, b)) in turns.iter().zip(&together).enumerate() {
        assert!(a.betas == b.betas && a.copies == b.copies, "frame {frame}");
    }
    assert!(turns[0].copies != turns[1].copies, "with other seeds there is no difference");
}

/// It falls into some group's turn, and others have then made more or fewer sweeps; all copies of a problem have made the same.
#[test]
fn a_deadline_cuts_all_copies_of_a_problem_alike() {
    // So many copies that each tile of a group has half of them.
    let soon = Instant::now() + Duration::from_millis(1500);
    let cut = sampled(&peaks(20), 110, 1, (usize::MAX / 8, Some(soon)));
    assert!(cut.iter().all(|s| s.timed_out), "not all are said to be cut");
    for (frame, s) in cut.iter().enumerate() {
        let sweeps: BTreeSet<usize> = s.copies.iter().map(|c| c.sweeps).collect();
        assert_eq!(sweeps.len(), 1, "frame {frame}: {sweeps:?}");
    }
}
