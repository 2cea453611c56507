//! A population in work on one engine, as the sampler drives it: tiles in turn where the engine wants halves, otherwise one ladder a task.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::super::demo::Demo;
use super::Case;
use crate::engine::timeline::Timeline;
use crate::engine::{Engine, Moves, Roster, Tile, Tiling};
use crate::error::{Error, Result};
use crate::models::find;
use crate::problem::Problem;

/// Walkers of a ladder.
const RUNGS: usize = 20;
/// Steps in a row of a ladder that one core carries.
const ROUNDS: u32 = 16;
/// Measured for at least this long, or for one step.
const LONG_ENOUGH: Duration = Duration::from_millis(500);

/// How fast one case went.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// A step: one move of one term for every walker.
    pub step: Duration,
    /// All energies from scratch, with the way of all coefficients to the engine.
    pub scratch: Duration,
    /// Steps measured.
    pub steps: u32,
    /// What passed between host and device meanwhile.
    pub timeline: Option<Timeline>,
}

/// One tile in work: a list of moves for each term, used in turn, and where the misfits go.
struct Work<'p> {
    tile: Box<dyn Tile + 'p>,
    walkers: Vec<u32>,
    coefficients: Vec<f64>,
    moves: Vec<Moves>,
    next: usize,
    misfits: Vec<f64>,
    choices: Vec<bool>,
}

impl Work<'_> {
    /// Evaluates everything from scratch.
    fn load(&mut self) -> Result<()> {
        self.tile.load(&self.walkers, &self.coefficients, &mut self.misfits)
    }

    /// Finishes one attempt and starts the next.
    fn step(&mut self) -> Result<()> {
        self.tile.collect(from_ref(&self.moves[self.next]), &mut self.misfits)?;
        self.tile.settle(&self.choices)?;
        self.next = (self.next + 1) % self.moves.len();
        self.tile.submit(from_ref(&self.moves[self.next]))
    }
}

/// Measures one case on an engine, after a warm-up step.
///
/// # Errors
/// Where the engine fails.
pub fn measure(engine: &dyn Engine, case: Case) -> Result<Speed> {
    let (Some(peak), Some(background)) = (find("gaussian"), find("chebyshev")) else {
        return Err(Error::fatal("the list of models lacks gaussian or chebyshev").hint("this is a fault of keisoku: please report it"));
    };
    let mut terms = vec![(background, 1)];
    terms.extend(std::iter::repeat_n((peak, 0), case.peaks));
    let mut demo = Demo::new(&terms, case.points, false)?;
    let kinds = demo.walkers(RUNGS)?;
    let ladders = case.walkers / RUNGS;
    let halves = engine.tiling() == Tiling::Halves;
    let (tiles, each) = if halves { (2, ladders / 2) } else { (ladders, 1) };
    let mut works = (0..tiles).map(|_| work(engine, &demo.problem, each, &kinds)).collect::<Result<Vec<_>>>()?;
    // A ladder that one core carries makes many steps before the next one is touched, as it does while sampling.
    let rounds = if halves { 1 } else { ROUNDS };
    let start = Instant::now();
    every(engine, &mut works, |work| (0..rounds).try_for_each(|_| work.load()))?;
    let scratch = start.elapsed() / rounds;
    every(engine, &mut works, |work| work.tile.submit(from_ref(&work.moves[0])))?;
    every(engine, &mut works, Work::step)?;
    let (start, before) = (Instant::now(), engine.timeline());
    let mut steps = 0;
    while steps == 0 || start.elapsed() < LONG_ENOUGH {
        every(engine, &mut works, |work| (0..rounds).try_for_each(|_| work.step()))?;
        steps += rounds;
    }
    let timeline = engine.timeline().zip(before).map(|(after, before)| after - before);
    Ok(Speed { step: start.elapsed() / steps, scratch, steps, timeline })
}

/// Does something with every tile, side by side where each is a task of its own.
fn every<'p>(engine: &dyn Engine, works: &mut [Work<'p>], task: impl Fn(&mut Work<'p>) -> Result<()> + Sync + Send) -> Result<()> {
    match engine.tiling() {
        Tiling::Halves => works.iter_mut().try_for_each(task),
        Tiling::Ladder => works.par_iter_mut().try_for_each(task),
    }
}

/// A loaded tile of some ladders, with a move of each term for every walker.
fn work<'p>(engine: &'p dyn Engine, problem: &'p Problem, ladders: usize, kinds: &[f64]) -> Result<Work<'p>> {
    let mut roster = Roster::default();
    (0..ladders).for_each(|_| roster.push(problem, RUNGS));
    let all: Vec<u32> = (0..roster.walkers() as u32).collect();
    let coefficients: Vec<f64> = kinds.iter().copied().cycle().take(all.len() * problem.coefficients()).collect();
    let moves = (0..problem.terms.len()).map(|k| moves_of(problem, k, &all, kinds)).collect();
    let choices = all.iter().map(|w| w % 3 == 0).collect();
    let mut work = Work { tile: engine.tile(roster)?, walkers: all, coefficients, moves, next: 0, misfits: Vec::new(), choices };
    // Memory is touched for the first time here.
    work.load()?;
    Ok(work)
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
