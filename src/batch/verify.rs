//! A piece of a run, made again in other ways before the run is believed: on the oracle, with other frames beside it, on other threads.

use std::sync::atomic::AtomicBool;

use crate::dataset::{Dataset, Entry};
use crate::engine::budget::{self, BUDGET};
use crate::engine::cpu::{Cpu, Precision};
use crate::engine::oracle::{self, Oracle};
use crate::engine::probe::{Found, visited};
use crate::engine::{Engine, Numbers};
use crate::error::{Error, Result};
use crate::evidence;
use crate::noise;
use crate::problem::{self, Problem};
use crate::sampler::{self, Sampled};
use crate::spec::Spec;

/// Sweeps of the piece, adaptation included.
const SWEEPS: usize = 256;
/// Draws of a candidate whose energies the oracle computes again.
const STATES: usize = 256;
/// Free energies of the engine and of the oracle may be this many of their combined errors apart: with the same random numbers they differ by
/// less than independent ones, which do so less than once in six thousand times (Student's t of 15 degrees of freedom).
const ERRORS: f64 = 5.0;

/// What was compared, and how far apart it was.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Name of the frame.
    pub frame: String,
    /// Candidates of all its windows.
    pub candidates: usize,
    /// Sweeps a copy.
    pub sweeps: usize,
    /// Threads, and those of the repetition.
    pub threads: (usize, usize),
    /// States whose energies the oracle computed too, and by how many nats the worst is off.
    pub energies: Found,
    /// Largest difference of a free energy from that of the oracle's own run, in units of their combined error.
    pub free_energy: f64,
}

/// Makes a piece of the first frame that can be read: with `threads` threads; on another number of threads and in a larger population; and
/// on the oracle.
///
/// # Errors
/// Where the repetition has other bits, an energy is off by more than the budget or a free energy by more than its error, and where no frame
/// can be read or sampled.
pub fn verify(engine: &dyn Engine, spec: &Spec, dataset: &Dataset, entries: &[&Entry], threads: usize) -> Result<Verified> {
    let pose = |entry: &&Entry| problem::build(spec, &dataset.load(entry, &spec.data)?);
    let mut readable = entries.iter().filter_map(|entry| Some((entry, pose(entry).ok()?)));
    let (entry, problems) = readable.next().ok_or_else(|| Error::fatal("there is no frame to verify"))?;
    let double = Cpu::new(Precision::F64)?;
    let enough = engine.numbers() == Numbers::F64 || budget::keeps(&problems, engine.numbers());
    let engine: &dyn Engine = if enough { engine } else { &double };
    let first = piece(engine, &problems, spec, threads)?;
    let other = if threads == 1 { 2 } else { 1 };
    let mut more = problems.clone();
    more.extend(readable.next().map_or_else(|| problems.clone(), |(_, problems)| problems));
    let again = piece(engine, &more, spec, other)?;
    let truth = piece(&Oracle, &problems, spec, threads)?;
    let mut found = Verified {
        frame: entry.name.clone(),
        candidates: problems.len(),
        sweeps: first.iter().map(|s| s.burn_in + s.copies[0].sweeps).max().unwrap_or(0),
        threads: (threads, other),
        energies: Found::default(),
        free_energy: 0.0,
    };
    for (i, problem) in problems.iter().enumerate() {
        let wrong = |what: String| {
            let (window, candidate) = (&problem.window, &problem.candidate);
            let hint = "run it with --engine oracle, and report this with the spec, the frame and what `keisoku doctor` prints";
            Err(Error::fatal(format!("verification failed: frame {}, {window} {candidate}: {what}", entry.name)).hint(hint))
        };
        if first[i].copies != again[i].copies {
            return wrong(format!("other numbers with {other} threads and {} candidates at once", more.len()));
        }
        let energies = compare(problem, &first[i]);
        if energies.largest > BUDGET {
            return wrong(format!("energies are {:.1e} nat off the oracle's", energies.largest));
        }
        found.energies = found.energies.and(energies);
        if let (Some(a), Some(b)) = (evidence::free_energy(&first[i]), evidence::free_energy(&truth[i])) {
            let apart = (a.value - b.value).abs() / a.se.hypot(b.se).max(BUDGET);
            if apart > ERRORS {
                return wrong(format!("F is {:.3} ± {:.3}, on the oracle {:.3} ± {:.3}", a.value, a.se, b.value, b.se));
            }
            found.free_energy = found.free_energy.max(apart);
        }
    }
    Ok(found)
}

/// Some sweeps of problems, as one population.
fn piece(engine: &dyn Engine, problems: &[Problem], spec: &Spec, threads: usize) -> Result<Vec<Sampled>> {
    let stop = AtomicBool::new(false);
    let settings = sampler::Settings { max_sweeps: SWEEPS.min(spec.run.max_sweeps), ..super::sampling(&spec.run, &stop) };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::fatal(format!("the threads cannot be started: {e}")))?;
    pool.install(|| sampler::run(engine, problems, &settings, &|_, _| f64::INFINITY))
}

/// Energies of the last draws of each copy as the run knows them, against the oracle's.
fn compare(problem: &Problem, sampled: &Sampled) -> Found {
    let (d, rungs) = (problem.dimension(), sampled.betas.len());
    let each = STATES.div_ceil(sampled.copies.len());
    let mut found = Found::default();
    for copy in &sampled.copies {
        let cold = copy.energies.chunks_exact(rungs).map(|row| row[rungs - 1]);
        for (theta, energy) in copy.draws.chunks_exact(d.max(1)).zip(cold).rev().take(each) {
            let misfits = oracle::misfits(problem, theta);
            let truth = misfits.as_ref().map_or(f64::INFINITY, |m| noise::energy(problem, m, theta));
            let apart = if truth.is_finite() || energy.is_finite() { (truth - energy).abs() } else { 0.0 };
            let nats = apart * visited(problem, theta, misfits.as_deref().unwrap_or_default()).min(1.0);
            found = found.and(Found { largest: if nats.is_nan() { f64::INFINITY } else { nats }, states: 1 });
        }
    }
    found
}
