//! How the kernels come by a walker's curve, and what that costs by an estimate from counted instructions and bytes.
//!
//! All terms are recomputed in registers, or a total stays on the device at every point and a move subtracts and adds what it changes. The
//! first takes an evaluation of every term; the second two of every changed one, and bytes: four a point to read, and where the move is kept
//! both again, with four more to write. Times are in vector instructions of one card, and are added as if arithmetic and memory never
//! overlapped, so that totals are kept where they pay in any case. An estimate, until somebody measures it; `cargo bench --bench kernels`
//! prints the crossover.

use super::totals::ROUNDINGS;
use crate::engine::budget;
use crate::models::{Extent, ShapeKind};
use crate::problem::Problem;

/// Where a walker's curve comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Path {
    /// All terms are recomputed in every move.
    Recomputed,
    /// The total at every point stays on the device.
    Kept,
}

/// Vector instructions that a Radeon RX 6900 XT issues a lane while a byte comes from its memory: 80 compute units of 64 lanes at 2.25 GHz,
/// 1.15·10¹³ a second, beside 512 GB/s.
const A_BYTE: f64 = 80.0 * 64.0 * 2.25e9 / 512e9;

/// Bytes of a total.
const TOTAL: f64 = 4.0;

/// Vector instructions a point of `misfit` beyond evaluations where totals are kept (32 at four points, counted as [`instructions`] are).
const READ: f64 = 32.0 / 4.0;

/// Vector instructions a point of `keep` beyond evaluations (61 at four points).
const WRITE: f64 = 61.0 / 4.0;

/// Share of the moves that are kept: what steps of a few parameters are tuned to (`sampler::schedule`).
const ACCEPTED: f64 = 0.3;

/// Vector instructions of a shape and its addition at four points: counted in the loops that RADV makes of `misfit` for navi21. Scalar ones,
/// which are issued beside them, are left out.
fn instructions(shape: ShapeKind, extent: Extent) -> f64 {
    match shape {
        ShapeKind::Gaussian => 86.0,
        ShapeKind::Lorentzian => 26.0,
        ShapeKind::PseudoVoigt => 102.0,
        ShapeKind::Voigt => 240.0,
        ShapeKind::Pearson7 => 194.0,
        ShapeKind::SplitPseudoVoigt => 112.0,
        ShapeKind::Chebyshev => 5.0 + 16.0 * extent.stride as f64,
        ShapeKind::Power => 18.0,
        ShapeKind::Exponential => 78.0,
        ShapeKind::Line => 10.0,
    }
}

/// Instructions of all evaluations of a term at one point.
fn evaluations(shape: ShapeKind, extent: Extent) -> f64 {
    extent.repeats as f64 * instructions(shape, extent) / 4.0
}

/// What moves of a problem cost, in instructions.
#[derive(Clone, Debug)]
pub struct Costs {
    /// Of each term at all points of its measurement.
    terms: Vec<f64>,
    /// Evaluations of each term at a point.
    repeats: Vec<u32>,
    /// Points of all measurements.
    points: f64,
    /// Whether every move that leaves a term alone is made from totals, whatever it costs.
    forced: bool,
}

impl Costs {
    /// The costs of a problem; `forced` where totals are to be used in every move that leaves a term alone.
    pub fn of(problem: &Problem, forced: bool) -> Self {
        let cost = |t: &crate::problem::Term| problem.measurements[t.measurement].t.len() as f64 * evaluations(t.model.shape, t.extent);
        Self {
            terms: problem.terms.iter().map(cost).collect(),
            repeats: problem.terms.iter().map(|t| t.extent.repeats as u32).collect(),
            points: problem.points() as f64,
            forced,
        }
    }

    /// Of any move where nothing is kept.
    fn recomputed(&self) -> f64 {
        self.terms.iter().sum()
    }

    /// Of a move of some terms from totals, with its share of being kept.
    fn updated(&self, terms: &[u32]) -> f64 {
        let changed: f64 = terms.iter().map(|&k| self.terms[k as usize]).sum();
        let (attempt, keep) = (TOTAL * A_BYTE + READ, 2.0 * TOTAL * A_BYTE + WRITE);
        (1.0 + ACCEPTED) * 2.0 * changed + (attempt + ACCEPTED * keep) * self.points
    }

    /// Of a move that recomputes all terms and, where it is kept, the totals.
    fn renewed(&self) -> f64 {
        (1.0 + ACCEPTED) * self.recomputed() + ACCEPTED * (TOTAL * A_BYTE + WRITE) * self.points
    }

    /// Whether a move of some terms had better recompute all.
    pub fn are_whole(&self, terms: &[u32]) -> bool {
        if self.forced { terms.len() == self.terms.len() } else { self.renewed() < self.updated(terms) }
    }

    /// Additions to a total that a move of some terms makes: each is rounded.
    pub fn roundings(&self, terms: &[u32]) -> u32 {
        2 * terms.iter().map(|&k| self.repeats[k as usize]).sum::<u32>()
    }

    /// The cheaper path for a problem whose moves change the terms of one parameter, each parameter as often as any other.
    pub fn cheaper(&self, problem: &Problem) -> Path {
        let moves: Vec<&Vec<u32>> = problem.dependents.iter().filter(|terms| !terms.is_empty()).collect();
        let of = |terms: &[u32]| {
            let renewed = self.are_whole(terms) || self.roundings(terms) > ROUNDINGS;
            if renewed { self.renewed() } else { self.updated(terms) }
        };
        let kept: f64 = moves.iter().map(|terms| of(terms)).sum();
        if kept < moves.len() as f64 * self.recomputed() { Path::Kept } else { Path::Recomputed }
    }
}

/// The path of a problem: totals are kept where that is cheaper and their rounding keeps the budget.
pub fn of(problem: &Problem) -> Path {
    let cheaper = Costs::of(problem, false).cheaper(problem);
    if cheaper == Path::Kept && budget::with_totals(problem, ROUNDINGS) <= budget::BUDGET { Path::Kept } else { Path::Recomputed }
}

/// From how many like terms on totals pay where a move changes one of them.
pub fn crossover(shape: ShapeKind, extent: Extent) -> usize {
    let cost = evaluations(shape, extent);
    let one = Costs { terms: vec![cost], repeats: vec![extent.repeats as u32], points: 1.0, forced: false };
    (one.updated(&[0]) / cost) as usize + 1
}
