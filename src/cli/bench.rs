//! `keisoku bench`: how many energies a second each engine returns, for populations, points and terms of several sizes.

use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::demo::Demo;
use super::output::say;
use crate::engine::choice;
use crate::engine::gpu::Selection;
use crate::engine::{Engine, Moves, Roster, Tile, Tiling};
use crate::error::{Error, Result};
use crate::models::find;
use crate::problem::Problem;

/// Walkers, points and peaks of each case; every case has a linear background besides its peaks.
const CASES: [(usize, usize, usize); 9] = [
    (1_000, 100, 3),
    (1_000, 1_000, 3),
    (1_000, 10_000, 3),
    (10_000, 100, 3),
    (10_000, 301, 3),
    (10_000, 1_000, 3),
    (100_000, 100, 3),
    (100_000, 301, 3),
    (100_000, 1_000, 6),
];

/// Walkers of a ladder.
const RUNGS: usize = 20;

/// Prints a table for each engine named (`oracle`, `cpu`, `gpu`): milliseconds a step (one move of one term for every walker), energies a
/// second, and points times terms a second as if every term were evaluated anew. Cases that would take an engine more than `patience` a
/// step, by the last case, are left out.
///
/// # Errors
/// Where an engine does not exist or fails.
pub fn run(engines: &[String], selection: &Selection, patience: Duration) -> Result<()> {
    for name in engines {
        let engine = choice::choose(name, false, selection, usize::MAX)?;
        say!("{}: {}", engine.name(), engine.describe());
        say!("{:>9}{:>9}{:>7}{:>12}{:>14}{:>16}", "walkers", "points", "terms", "ms/step", "energies/s", "point terms/s");
        let mut rate = f64::INFINITY;
        for (walkers, points, peaks) in CASES {
            let terms = peaks + 1;
            let work = (walkers * points * terms) as f64;
            if work / rate > patience.as_secs_f64() {
                say!("{walkers:>9}{points:>9}{terms:>7}        left out");
                continue;
            }
            let step = time_step(engine.as_ref(), walkers, points, peaks)?.as_secs_f64();
            rate = work / step;
            say!("{walkers:>9}{points:>9}{terms:>7}{:>12.3}{:>14.3e}{rate:>16.3e}", 1e3 * step, walkers as f64 / step);
        }
    }
    Ok(())
}

/// One tile in work: a list of moves for each term, used in turn, and where the misfits go.
struct Work<'p> {
    tile: Box<dyn Tile + 'p>,
    moves: Vec<Moves>,
    next: usize,
    misfits: Vec<f64>,
    choices: Vec<bool>,
}

impl Work<'_> {
    /// Finishes one attempt and starts the next.
    fn step(&mut self) -> Result<()> {
        self.tile.collect(&self.moves[self.next], &mut self.misfits)?;
        self.tile.settle(&self.choices)?;
        self.next = (self.next + 1) % self.moves.len();
        self.tile.submit(&self.moves[self.next])
    }
}

/// Mean time of a step of the whole population, after a warm-up step: tiles in turn where the engine wants halves, otherwise one ladder
/// a task, as the sampler does.
fn time_step(engine: &dyn Engine, walkers: usize, points: usize, peaks: usize) -> Result<Duration> {
    /// Measured for at least this long, or for one step.
    const LONG_ENOUGH: Duration = Duration::from_millis(500);
    let (Some(peak), Some(background)) = (find("pseudo-voigt"), find("chebyshev")) else {
        return Err(Error::fatal("the list of models lacks pseudo-voigt or chebyshev").hint("this is a fault of keisoku: please report it"));
    };
    let mut terms = vec![(background, 1)];
    terms.extend(std::iter::repeat_n((peak, 0), peaks));
    let mut demo = Demo::new(&terms, points, false)?;
    let kinds = demo.walkers(RUNGS)?;
    let ladders = walkers / RUNGS;
    let halves = engine.tiling() == Tiling::Halves;
    let (tiles, each) = if halves { (2, ladders / 2) } else { (ladders, 1) };
    let mut works = (0..tiles).map(|_| work(engine, &demo.problem, each, &kinds)).collect::<Result<Vec<_>>>()?;
    let step = |works: &mut [Work<'_>]| match engine.tiling() {
        Tiling::Halves => works.iter_mut().try_for_each(Work::step),
        Tiling::Ladder => works.par_iter_mut().try_for_each(Work::step),
    };
    for work in &mut works {
        work.tile.submit(&work.moves[0])?;
    }
    step(&mut works)?;
    let start = Instant::now();
    let mut steps = 0;
    while steps == 0 || start.elapsed() < LONG_ENOUGH {
        step(&mut works)?;
        steps += 1;
    }
    Ok(start.elapsed() / steps)
}

/// A loaded tile of some ladders, with a move of each term for every walker.
fn work<'p>(engine: &'p dyn Engine, problem: &'p Problem, ladders: usize, kinds: &[f64]) -> Result<Work<'p>> {
    let mut roster = Roster::default();
    (0..ladders).for_each(|_| roster.push(problem, RUNGS));
    let all: Vec<u32> = (0..roster.walkers() as u32).collect();
    let coefficients: Vec<f64> = kinds.iter().copied().cycle().take(all.len() * problem.coefficients()).collect();
    let moves = (0..problem.terms.len()).map(|k| moves_of(problem, k, &all, kinds)).collect();
    let mut tile = engine.tile(roster)?;
    let mut misfits = Vec::new();
    tile.load(&all, &coefficients, &mut misfits)?;
    let choices = all.iter().map(|w| w % 3 == 0).collect();
    Ok(Work { tile, moves, next: 0, misfits, choices })
}

/// A move of one term for every walker: to the coefficients of the ladder's next rung.
fn moves_of(problem: &Problem, k: usize, walkers: &[u32], kinds: &[f64]) -> Moves {
    let term = &problem.terms[k];
    let mut moves = Moves::default();
    moves.clear();
    for &w in walkers {
        let from = (w as usize + 1) % RUNGS * problem.coefficients() + term.at;
        moves.walker.push(w);
        moves.term.push(k as u32);
        moves.term_start.push(moves.term.len() as u32);
        moves.coefficients.extend_from_slice(&kinds[from..from + term.extent.len()]);
        moves.coefficient_start.push(moves.coefficients.len() as u32);
    }
    moves
}
