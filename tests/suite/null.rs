//! An engine that returns at once: what is left is the sampler.

use std::sync::atomic::{AtomicUsize, Ordering};

use keisoku::engine::{Engine, Moves, Numbers, Roster, Tile, Tiling};
use keisoku::error::Result;
use rayon::prelude::*;

/// Evaluates nothing, allocates nothing, and counts what it is asked for: a move's misfit is a parabola of its coefficients.
#[derive(Default)]
pub struct Null(pub AtomicUsize);

/// Moves that a thread evaluates at a time.
const STRETCH: usize = 1024;

struct NullTile<'e> {
    asked: &'e AtomicUsize,
    /// Coefficients of a walker.
    each: usize,
}

fn parabola(coefficients: &[f64]) -> f64 {
    300.0 + coefficients.iter().map(|c| 40.0 * (c - 1.0).powi(2)).sum::<f64>()
}

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
        Ok(Box::new(NullTile { asked: &self.0, each: roster.problems[0].coefficients() }))
    }
}

impl Tile for NullTile<'_> {
    fn load(&mut self, _: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        misfits.clear();
        misfits.extend(coefficients.chunks_exact(self.each).map(parabola));
        Ok(())
    }

    fn attempt(&mut self, moves: &Moves, misfits: &mut Vec<f64>) -> Result<()> {
        self.asked.fetch_add(moves.len(), Ordering::Relaxed);
        misfits.resize(moves.len(), 0.0);
        // On all threads: to the host it is to cost nothing.
        misfits.par_chunks_mut(STRETCH).zip(moves.coefficient_start.par_chunks(STRETCH)).enumerate().for_each(
            |(stretch, (misfits, starts))| {
                let ends = &moves.coefficient_start[stretch * STRETCH + 1..];
                for ((misfit, start), end) in misfits.iter_mut().zip(starts).zip(ends) {
                    *misfit = parabola(&moves.coefficients[*start as usize..*end as usize]);
                }
            },
        );
        Ok(())
    }

    fn settle(&mut self, _: &[bool]) -> Result<()> {
        Ok(())
    }
}
