//! Exchange Monte Carlo: the only loop.
//!
//! Temperatures are exchanged, not states; exchange is deterministic even–odd; β = 0 is drawn afresh from the prior; the ladder follows
//! the communication barrier. Rounds double while anything adapts; then everything freezes, and what is kept is fixed in length
//! by the last adapting round, and extended once where a target is missed.

pub mod adapt;
mod campaign;
mod chain;
pub mod diagnostics;
mod guide;
pub mod ladder;
mod record;
pub mod schedule;
mod tile;

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rayon::prelude::*;

pub use campaign::Sampled;
pub use record::{MOST_ROWS, Record};

use crate::engine::{Engine, Tiling};
use crate::error::Result;
use crate::problem::Problem;
use campaign::Campaign;

/// How to run.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Independent copies of each ladder, at least 2.
    pub copies: usize,
    /// Most sweeps a copy may take, adaptation included.
    pub max_sweeps: usize,
    /// Stop keeping at this time; the result says so.
    pub deadline: Option<Instant>,
    /// Set by the user's interrupt: the run is given up.
    pub stop: &'a AtomicBool,
}

/// Tells how many times longer a record would have to be for every target to be met; 1 or less where it is long enough.
pub type Judge<'a> = dyn Fn(&Problem, &Sampled) -> f64 + Sync + 'a;

/// Samples every problem; the results come in the same order.
///
/// # Errors
/// Where the engine fails or the run was interrupted.
pub fn run(engine: &dyn Engine, problems: &[Problem], settings: &Settings<'_>, judge: &Judge<'_>) -> Result<Vec<Sampled>> {
    let campaigns = problems.iter().map(|p| Campaign::new(p, settings));
    match engine.tiling() {
        Tiling::Ladder => {
            let campaigns: Vec<Campaign<'_>> = campaigns.collect();
            campaigns.into_par_iter().map(|c| Ok(drive(engine, vec![c], settings, judge)?.remove(0))).collect()
        }
        Tiling::Halves => drive(engine, campaigns.collect(), settings, judge),
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
