//! What the host knows of the totals that stay on the device: when they may be used, and when they are to be made anew.
//!
//! **Drift.** A move adds two numbers to a total for every evaluation of a changed term, the old one's negative and the new one, and each sum is
//! rounded, by .42 u of itself rms (u = 2⁻²⁴, half the distance of 1 from the next larger f32). Terms themselves add no error, because what is
//! subtracted has the bits that were once added. So a curve after n additions is wrong by .42 √n u of the largest curve since it was made
//! anew, beside what it is wrong by when it is made. Two rules bound both:
//!
//! * a move after which more than [`ROUNDINGS`] additions would have gone into a total recomputes all terms, and so it is until one is kept;
//! * where the misfit of any measurement exceeds its reach, every move does. The reach is what no curve at all would have, Σ(y/σ)² (under Poisson
//!   the counts), and four times the points: within it Σ(f/σ)² is at most some four times Σ(y/σ)², so that no total is much larger than the data.
//!
//! With 32 additions that makes .42 √32 · 2 = 4.8 u of the data, beside the 2 u of terms. [`crate::engine::budget::with_totals`] predicts what energies
//! are then wrong by, and totals are kept only where that is within the budget.

use super::path::Costs;
use crate::problem::{Measurement, Noise, Problem};

/// Additions that may go into a total before it is made anew: sixteen moves of a peak.
pub const ROUNDINGS: u32 = 32;

/// What is known of one walker's totals.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Additions since they were made anew.
    roundings: u32,
    /// Whether the walker's curve is too far from the data to be subtracted from.
    far: bool,
}

/// Nobody has totals before they are loaded.
const NOTHING: Known = Known { roundings: 0, far: true };

/// The totals of a block's walkers.
#[derive(Debug)]
pub struct Totals {
    /// Of each problem.
    costs: Vec<Costs>,
    /// Of each problem's measurements.
    reach: Vec<Vec<f64>>,
    known: Vec<Known>,
}

impl Totals {
    /// Of so many walkers of some problems.
    pub fn new<'p>(problems: impl Iterator<Item = &'p Problem>, walkers: usize, forced: bool) -> Self {
        let (costs, reach) = problems.map(|p| (Costs::of(p, forced), p.measurements.iter().map(reach).collect())).unzip();
        Self { costs, reach, known: vec![NOTHING; walkers] }
    }

    /// Tells whether a move recomputes all terms, which it does where it has to (`whole`), and what will be known if it is kept.
    pub fn judge(&self, walker: u32, problem: u32, terms: &[u32], whole: bool) -> (bool, Known) {
        let (known, costs) = (self.known[walker as usize], &self.costs[problem as usize]);
        let roundings = known.roundings + costs.roundings(terms);
        let whole = whole || known.far || roundings > ROUNDINGS || costs.are_whole(terms);
        (whole, Known { roundings: if whole { 0 } else { roundings }, far: false })
    }

    /// Takes note of a misfit that a move would lead to.
    pub fn measured(&self, tried: &mut Known, problem: u32, measurement: usize, misfit: f64) {
        // Not a number is far too.
        let near = misfit <= self.reach[problem as usize][measurement];
        tried.far |= !near;
    }

    /// A move is kept.
    pub fn keep(&mut self, walker: u32, tried: Known) {
        self.known[walker as usize] = tried;
    }
}

/// The misfit up to which a curve is not much larger than the data.
fn reach(data: &Measurement) -> f64 {
    let of_nothing: f64 = match data.noise {
        Noise::Gaussian | Noise::Scaled { .. } => data.y.iter().zip(&data.weight).map(|(y, w)| (y * w).powi(2)).sum(),
        Noise::Poisson => data.y.iter().sum::<f64>() * data.scale,
    };
    of_nothing + 4.0 * data.t.len() as f64
}
