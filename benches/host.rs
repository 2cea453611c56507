//! What the host's side of a walker's step costs: everything but the engine, which returns at once.
//!
//! `cargo bench --bench host [-- WALKERS]` samples about so many walkers (default 100 000) of one three-parameter peak on an engine that evaluates
//! nothing, in two tiles as a device has them, and prints nanoseconds a walker step and core: proposals, `prepare`, decisions, exchange
//! and records included.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use keisoku::engine::{Engine, Moves, Numbers, Roster, Tile, Tiling};
use keisoku::error::Result;
use keisoku::problem::{self, Problem};
use keisoku::sampler::{self, Settings};

#[path = "../tests/suite/examples.rs"]
#[expect(dead_code, reason = "of the examples' runner only a part is needed here")]
mod examples;

/// Rungs that a ladder is taken to have.
const RUNGS: usize = 14;
const COPIES: usize = 8;
const SWEEPS: usize = 64;

/// Every move fits like any other.
struct Null;

struct NullTile(Vec<usize>);

impl Engine for Null {
    fn name(&self) -> &'static str {
        "null"
    }

    fn describe(&self) -> String {
        "returns at once".into()
    }

    fn numbers(&self) -> Numbers {
        Numbers::F64
    }

    fn tiling(&self) -> Tiling {
        Tiling::Halves
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        let ladders = roster.problems.iter().zip(roster.first.windows(2));
        Ok(Box::new(NullTile(ladders.flat_map(|(p, ends)| vec![p.measurements.len(); ends[1] - ends[0]]).collect())))
    }
}

impl Tile for NullTile {
    fn load(&mut self, walkers: &[u32], _: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        misfits.clear();
        misfits.resize(walkers.iter().map(|w| self.0[*w as usize]).sum(), 300.0);
        Ok(())
    }

    fn attempt(&mut self, moves: &Moves, misfits: &mut Vec<f64>) -> Result<()> {
        self.load(&moves.walker, &[], misfits)
    }

    fn settle(&mut self, _: &[bool]) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let walkers = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(100_000);
    let (mut spec, dataset) = examples::read("yardstick-a");
    // One peak, and nothing that is fitted anew on the host.
    spec.groups[0].candidates.retain(|c| c.k == Some(1));
    let frame = dataset.load(&dataset.entries[0], &spec.data).unwrap();
    let one = problem::build(&spec, &frame).unwrap().remove(0);
    let problems: Vec<Problem> = vec![one; walkers / (RUNGS * COPIES)];
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 1, copies: COPIES, max_sweeps: SWEEPS, most_rows: 4, deadline: None, stop: &stop };
    let threads = rayon::current_num_threads();
    let start = Instant::now();
    let sampled = sampler::run(&Null, &problems, &settings, &|_, _| 1.0).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let steps = |s: &sampler::Sampled| s.acceptance.len() * s.betas.len() * s.copies.len() * (s.burn_in + s.copies[0].sweeps);
    let all: usize = sampled.iter().map(steps).sum();
    let each = seconds * threads as f64 / all as f64;
    for (name, rates) in &sampled[0].acceptance {
        println!("{name:<30} acceptance at beta = 1: {:.2}", rates.last().copied().unwrap_or(f64::NAN));
    }
    println!(
        "{} walkers, {} steps a sweep, {threads} threads, {seconds:.2} s: {:.1} ns a walker step and core, {:.2e} steps a second and core",
        sampled.len() * sampled[0].betas.len() * COPIES,
        sampled[0].acceptance.len(),
        1e9 * each,
        each.recip()
    );
}
