//! `--dry-run`: spec and data are checked, and what a run would do is told; nothing is written.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rayon::prelude::*;

use super::prepare::Ready;
use super::time;
use crate::batch::Plan;
use crate::cli::output;
use crate::dataset::{Dataset, Entry};
use crate::engine::Numbers;
use crate::engine::budget::{self, BUDGET};
use crate::error::{Error, Result};
use crate::problem::{self, Problem};
use crate::report::Exit;
use crate::sampler::{self, Settings};

/// Sweeps of the measurement: sixteen that adapt, and twice as many kept.
const SWEEPS: usize = 48;
/// Sweeps that a copy typically takes: six adapting rounds of 16, 32, … 512, and a kept part three times the last.
const TYPICAL: f64 = 2500.0;
/// Bytes of a number.
const NUMBER: usize = 8;

/// Tells what a run would do.
///
/// # Errors
/// Where no frame could be run.
pub(super) fn run(dataset: &Dataset, ready: &Ready, chosen: &[&Entry], pool: &rayon::ThreadPool) -> Result<Exit> {
    let Ready { spec, engine, header } = ready;
    output::out(&format!("{}\n\n", header.spec.trim_end()));
    let pose = |entry: &&Entry| dataset.load(entry, &spec.data).and_then(|frame| problem::build(spec, &frame));
    // Only one frame's problems are kept: a series may have a hundred thousand.
    let posed: Vec<(&Entry, Result<f64>)> = pool.install(|| {
        let off = |problems: Vec<Problem>| problems.iter().map(|p| budget::predicted(p, engine.numbers())).fold(0.0, f64::max);
        chosen.par_iter().map(|entry| (*entry, pose(entry).map(off))).collect()
    });
    let predicted: Vec<f64> = posed.iter().filter_map(|(_, off)| off.as_ref().ok().copied()).collect();
    let failures: Vec<(&Entry, Error)> = posed.into_iter().filter_map(|(entry, off)| off.err().map(|error| (entry, error))).collect();
    let first = chosen.iter().find(|e| failures.iter().all(|(failed, _)| failed.number != e.number));
    let mut text = format!("frames      {} of {}\n", chosen.len(), dataset.entries.len());
    let Some(first) = first else {
        return Err(failures.into_iter().next().map_or_else(|| Error::fatal("there is no frame"), |(_, error)| error));
    };
    let problems = pose(first)?;
    for group in problems.chunk_by(|a, b| a.window == b.window) {
        let labels: Vec<&str> = group.iter().map(|p| p.candidate.as_str()).collect();
        let sizes = group.iter().map(Problem::dimension);
        let (least, most) = (sizes.clone().min().unwrap_or(0), sizes.max().unwrap_or(0));
        text += &format!(
            "window      {}: {} points; {}; {least} to {most} parameters\n",
            group[0].window,
            group[0].points(),
            labels.join(", ")
        );
    }
    text += &format!("engine      {}: {}, {} threads\n", engine.name(), engine.describe(), pool.current_num_threads());
    text += &precision(engine.numbers(), &predicted);
    let plan = Plan::new(&**engine, spec, pool.current_num_threads());
    let costs = problems.iter().map(|p| measure(ready, p)).collect::<Result<Vec<_>>>()?;
    let copies = spec.run.copies.max(2);
    let rows = sampler::rows(spec.run.ess, copies);
    let bytes: usize =
        problems.iter().zip(&costs).map(|(p, c)| copies * bytes(p, c.rungs, rows)).sum::<usize>() * plan.frames * plan.populations;
    let seconds = costs.iter().map(|c| c.sweep).sum::<f64>() * copies as f64 * TYPICAL / pool.current_num_threads() as f64;
    text += &format!("memory      about {} MiB\n", bytes.div_ceil(1 << 20));
    text += &format!(
        "time        about {} a frame, {} in all (measured over {SWEEPS} sweeps of each candidate; a copy typically takes {TYPICAL})\n",
        time::words(seconds),
        time::words(seconds * (chosen.len() - failures.len()) as f64)
    );
    for (entry, error) in &failures {
        text += &format!("frame {} ({}) would fail: {error}\n", entry.number, entry.source);
    }
    output::out(&text);
    Ok(if failures.is_empty() { Exit::Good } else { Exit::Doubtful })
}

/// How wrong energies will be, and how many frames therefore run in f64.
fn precision(numbers: Numbers, predicted: &[f64]) -> String {
    let exacting = predicted.iter().filter(|off| **off > BUDGET && numbers != Numbers::F64).count();
    let worst = predicted.iter().copied().fold(0.0, f64::max);
    let what = format!("precision   {}: energies within {worst:.1e} nat", numbers.precision());
    if exacting == 0 { format!("{what}\n") } else { format!("{what}; {exacting} frames are beyond {BUDGET} and run on the cpu in f64\n") }
}

/// What a candidate costs.
struct Cost {
    /// Seconds of a sweep of one copy on one thread.
    sweep: f64,
    /// Rungs of its ladder.
    rungs: usize,
}

fn measure(ready: &Ready, problem: &Problem) -> Result<Cost> {
    let stop = AtomicBool::new(false);
    let (seed, proposals) = (ready.spec.run.seed, ready.spec.run.proposals);
    let settings = Settings { seed, copies: 2, proposals, max_sweeps: SWEEPS, most_rows: SWEEPS, deadline: None, stop: &stop };
    let one =
        rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|e| Error::fatal(format!("a thread cannot be started: {e}")))?;
    let began = Instant::now();
    let sampled = one.install(|| sampler::run(&*ready.engine, std::slice::from_ref(problem), &settings, &|_, _| 1.0))?;
    let sweep = began.elapsed().as_secs_f64() / (2 * SWEEPS) as f64;
    Ok(Cost { sweep, rungs: sampled.first().map_or(2, |s| s.betas.len()) })
}

/// Bytes of one copy: records, coefficients and curves of its walkers.
fn bytes(problem: &Problem, rungs: usize, rows: usize) -> usize {
    let walker = rows + problem.coefficients() + (2 * problem.terms.len() + 1) * problem.points();
    NUMBER * (rungs * walker + rows * problem.dimension())
}
