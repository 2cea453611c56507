//! Exchange Monte Carlo: the only loop.
//!
//! Temperatures are exchanged, so that on the engine states stay where they are; exchange is deterministic even–odd; β = 0 is drawn afresh from the prior; the ladder follows
//! the communication barrier. A peak is put elsewhere together with everything linear, which least squares knows well enough to refuse most of
//! these moves before an engine sees them; where a few normal densities describe the posterior, all parameters are drawn anew at once, and
//! everything else is done less often. What such draws tell of the normalisation is kept beside the energies. Rounds double while anything adapts; then everything freezes, and what is kept is fixed in length by the last adapting
//! round, and extended where a target is missed: by what it asks for, at most twice.

pub mod adapt;
mod bridge;
mod campaign;
mod chains;
mod chart;
mod cluster;
pub mod diagnostics;
mod energies;
mod guide;
mod host;
pub mod ladder;
mod mixture;
mod normal;
mod parameters;
mod proposal;
mod record;
mod refit;
mod rivals;
pub mod schedule;
mod tile;
mod walks;

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rayon::prelude::*;

pub use bridge::Bridge;
pub use campaign::Sampled;
pub use energies::{Energies, Piece};
pub use record::Record;

use crate::engine::{Engine, Tiling};
use crate::error::Result;
use crate::problem::Problem;
use campaign::Campaign;
use schedule::Move;

/// How to run.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Independent copies of each ladder, at least 2.
    pub copies: usize,
    /// Proposals that a walker chooses among in a step, at least 1.
    pub proposals: usize,
    /// Most sweeps a copy may take, adaptation included.
    pub max_sweeps: usize,
    /// Most draws a copy keeps.
    pub most_rows: usize,
    /// Stop keeping at this time; the result says so.
    pub deadline: Option<Instant>,
    /// Set by the user's interrupt: the run is given up.
    pub stop: &'a AtomicBool,
}

/// Problems from which on a tile that has half of them is half of the population, unless each has so many copies that it takes turns alone.
const MANY: usize = 16;
const MANY_COPIES: usize = 100;

/// Fewest draws that a copy may keep before it thins them.
const LEAST_ROWS: usize = 1000;

/// Draws that a copy must be able to keep for all copies together to reach an effective sample size: thinning halves them at worst, and
/// draws that are further apart than they need to be say more than half as many that are not.
pub fn rows(ess: f64, copies: usize) -> usize {
    LEAST_ROWS.max((4.0 * ess / copies.max(2) as f64).ceil() as usize)
}

/// Tells how many times longer a record would have to be for every target to be met; 1 or less where it is long enough.
pub type Judge<'a> = dyn Fn(&Problem, &Sampled) -> f64 + Sync + 'a;

/// Samples every problem; the results come in the same order.
///
/// # Errors
/// Where the engine fails or the run was interrupted.
pub fn run(engine: &dyn Engine, problems: &[Problem], settings: &Settings<'_>, judge: &Judge<'_>) -> Result<Vec<Sampled>> {
    run_with(engine, problems, settings, judge, &schedule::schedule)
}

/// The same with other moves than [`schedule::schedule`] makes.
///
/// # Errors
/// Where the engine fails or the run was interrupted.
pub fn run_with(
    engine: &dyn Engine,
    problems: &[Problem],
    settings: &Settings<'_>,
    judge: &Judge<'_>,
    moves: &dyn Fn(&Problem) -> Vec<Move>,
) -> Result<Vec<Sampled>> {
    let beside = match engine.tiling() {
        Tiling::Ladder => 1,
        // Half of them in each tile, but for many problems, of which each tile has as many.
        Tiling::Halves if problems.len() < MANY || settings.copies >= MANY_COPIES => settings.copies.div_ceil(2),
        Tiling::Halves => settings.copies,
    };
    let campaigns = problems.iter().map(|p| Campaign::new(p, moves(p), settings, beside));
    match engine.tiling() {
        Tiling::Ladder => {
            let campaigns: Vec<Campaign<'_>> = campaigns.collect();
            campaigns.into_par_iter().map(|c| Ok(drive(engine, vec![c], settings, judge)?.remove(0))).collect()
        }
        // On a thread of the pool: from outside, every step of a block would have to wake one.
        Tiling::Halves => {
            let campaigns = campaigns.collect();
            rayon::scope(|_| drive(engine, campaigns, settings, judge))
        }
    }
}

/// Carries campaigns through their rounds together until all are done.
fn drive<'p>(engine: &'p dyn Engine, mut campaigns: Vec<Campaign<'p>>, settings: &Settings<'_>, judge: &Judge<'_>) -> Result<Vec<Sampled>> {
    while campaigns.iter().any(|c| !c.done()) {
        tile::round(engine, &mut campaigns, settings)?;
        campaigns.par_iter_mut().for_each(|c| c.advance(judge, settings));
    }
    Ok(campaigns.into_iter().map(Campaign::finish).collect())
}
