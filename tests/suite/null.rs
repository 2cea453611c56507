//! An engine that returns at once: what is left is the sampler.

use std::sync::atomic::{AtomicUsize, Ordering};

use keisoku::engine::{Engine, Moves, Numbers, Roster, Tile, Tiling, count};
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

/// On all threads: to the host it is to cost nothing.
fn evaluate(lists: &[Moves], misfits: &mut [f64]) {
    if let [list] = lists {
        for (misfit, of) in misfits.iter_mut().zip(list.coefficient_start.windows(2)) {
            *misfit = parabola(&list.coefficients[of[0] as usize..of[1] as usize]);
        }
    } else if let (some, others) = lists.split_at(lists.len() / 2)
        && !others.is_empty()
    {
        let (left, right) = misfits.split_at_mut(count(some));
        rayon::join(|| evaluate(some, left), || evaluate(others, right));
    }
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

    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        let all = count(moves);
        self.asked.fetch_add(all, Ordering::Relaxed);
        misfits.resize(all, 0.0);
        evaluate(moves, misfits);
        Ok(())
    }

    fn settle(&mut self, _: &[bool]) -> Result<()> {
        Ok(())
    }
}
