//! What the host's side of a walker's step costs: everything but the engine, which returns at once.
//!
//! `cargo bench --bench host [-- WALKERS [PROPOSALS [SWEEPS]]]` samples about so many walkers (default 20 000) of one three-parameter peak on an engine that evaluates
//! nothing, in two tiles as a device has them, and prints nanoseconds a move handed to the engine and core: proposals, `prepare`, decisions, exchange
//! and records included. Of several proposals that a walker chooses among, each is a move. It does so twice: with walks alone, and with all moves, among them refits, which are computed on the
//! host and hardly ever handed on.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use keisoku::problem::{self, Problem};
use keisoku::sampler::schedule::{Kind, Move, schedule};
use keisoku::sampler::{self, Settings};

#[path = "../tests/suite/examples.rs"]
#[expect(dead_code, reason = "of the examples' runner only a part is needed here")]
mod examples;
#[path = "../tests/suite/null.rs"]
mod null;

use null::Null;

/// Rungs that a ladder comes to have, about.
const RUNGS: usize = 17;
const COPIES: usize = 8;
/// Sweeps where none are asked for: half of them adapt.
const SWEEPS: usize = 1024;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let of = |at: usize, default: usize| numbers.get(at).copied().unwrap_or(default);
    let (walkers, proposals, sweeps) = (of(0, 20_000), of(1, 1), of(2, SWEEPS));
    let (mut spec, dataset) = examples::read("yardstick-a");
    spec.groups[0].candidates.retain(|c| c.k == Some(1));
    let frame = dataset.load(&dataset.entries[0], &spec.data).unwrap();
    let one = problem::build(&spec, &frame).unwrap().remove(0);
    let problems: Vec<Problem> = vec![one; walkers / (RUNGS * COPIES)];
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 1, copies: COPIES, proposals, max_sweeps: sweeps, most_rows: 4, deadline: None, stop: &stop };
    let threads = rayon::current_num_threads();
    let walks = |problem: &Problem| schedule(problem).into_iter().filter(|m| m.kind == Kind::Walk).collect();
    for (title, moves) in [("walks alone", &walks as &dyn Fn(&Problem) -> Vec<Move>), ("all moves", &schedule)] {
        let (null, start) = (Null::default(), Instant::now());
        let sampled = sampler::run_with(&null, &problems, &settings, &|_, _| 10.0, moves).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        let each = seconds * threads as f64 / null.0.into_inner() as f64;
        for (name, rates) in &sampled[0].acceptance {
            println!("{name:<30} acceptance at beta = 1: {:.2}", rates.last().copied().unwrap_or(f64::NAN));
        }
        println!(
            "{title}: {} walkers, {} steps a sweep, {threads} threads, {seconds:.2} s: {:.1} ns a move and core, {:.2e} moves a second and core",
            sampled.len() * sampled[0].betas.len() * COPIES,
            sampled[0].acceptance.len(),
            1e9 * each,
            each.recip()
        );
    }
}
