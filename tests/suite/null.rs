//! An engine that returns at once: what is left is the sampler.

use std::sync::atomic::{AtomicUsize, Ordering};

use keisoku::engine::{Engine, Moves, Numbers, Roster, Tile, Tiling};
use keisoku::error::Result;

/// Evaluates nothing, allocates nothing, and counts what it is asked for: a move's misfit is a parabola of its coefficients.
#[derive(Default)]
pub struct Null(pub AtomicUsize);

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
        misfits.clear();
        let ends = moves.coefficient_start.windows(2);
        misfits.extend(ends.map(|ends| parabola(&moves.coefficients[ends[0] as usize..ends[1] as usize])));
        Ok(())
    }

    fn settle(&mut self, _: &[bool]) -> Result<()> {
        Ok(())
    }
}
