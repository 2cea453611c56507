//! How the kernels come by a walker's curve, and what that costs by an estimate from counted instructions and bytes.
//!
//! All terms are recomputed in registers, or a total stays on the device at every point and a move subtracts and adds what it changes. The
//! first takes an evaluation of every term; the second two of every changed one, and bytes: four a point to read, and where the move is kept
//! both again, with four more to write. Evaluations count where the priors expect a term's support to be. Times are in vector instructions of one card, and are added as if arithmetic and memory never
//! overlapped, so that totals are kept where they pay in any case. An estimate, until somebody measures it; `cargo bench --bench kernels`
//! prints the crossover.

use super::packing::Packing;
use super::totals::ROUNDINGS;
use crate::engine::budget;
use crate::models::{Extent, ShapeKind};
use crate::problem::Problem;
use crate::random::Key;

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

/// Vector instructions of a shape, its addition and the comparisons with the ends of its support at four points: counted in the loops that RADV
/// makes of `misfit` for navi21. Scalar ones, which are issued beside them, are left out.
fn instructions(shape: ShapeKind, extent: Extent) -> f64 {
    match shape {
        ShapeKind::Gaussian => 68.0,
        ShapeKind::Lorentzian => 24.0,
        ShapeKind::PseudoVoigt => 80.0,
        ShapeKind::Voigt => 238.0,
        ShapeKind::Pearson7 => 192.0,
        ShapeKind::SplitPseudoVoigt => 92.0,
        ShapeKind::Chebyshev => 1.0 + 16.0 * extent.stride as f64,
        ShapeKind::Power => 12.0,
        ShapeKind::Exponential => 72.0,
        ShapeKind::Line => 8.0,
    }
}

/// Those of an evaluation that is passed over: two comparisons.
const PASSED: f64 = 2.0;

/// Instructions of evaluations of a term at so many points in all, of which some are made.
fn evaluations(shape: ShapeKind, extent: Extent, points: f64, made: f64) -> f64 {
    (made * instructions(shape, extent) + (points - made) * PASSED) / 4.0
}

/// Draws from the priors that tell how many evaluations are made.
const DRAWS: u32 = 16;

/// Neighbouring points that are evaluated or passed over together: two of the four of each lane of a subgroup.
const TOGETHER: usize = 64;

/// The cost of a term at all points of its measurement, in the mean over some θ that its model does not refuse.
fn cost(problem: &Problem, k: usize, draws: &[Vec<f64>]) -> f64 {
    let term = &problem.terms[k];
    let (shape, t, packing) = (term.model.shape, &problem.measurements[term.measurement].t, Packing::of(problem, term));
    let all = (term.extent.repeats * t.len()) as f64;
    let within = |run: &[f64]| {
        let (low, high) = packing.support(run);
        t.chunks(TOGETHER).filter(|some| some[0] <= high && low <= some[some.len() - 1]).map(<[f64]>::len).sum::<usize>() as f64
    };
    let mut coefficients = vec![0.0; term.extent.len()];
    let made = |theta: &Vec<f64>| {
        problem.prepare(k, theta, &mut coefficients).ok()?;
        Some(coefficients.chunks_exact(term.extent.stride).map(within).sum::<f64>())
    };
    let seen: Vec<f64> = if shape.is_local() { draws.iter().filter_map(made).collect() } else { Vec::new() };
    let mean = if seen.is_empty() { all } else { seen.iter().sum::<f64>() / seen.len() as f64 };
    evaluations(shape, term.extent, all, mean)
}

/// What moves of a problem cost, in instructions.
#[derive(Clone, Debug)]
pub struct Costs {
    /// Of each term at all points of its measurement, as far as its support is expected to reach.
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
        // The same for every frame, so that like problems take like paths.
        let key = Key::new(0, "", "", "", 0);
        let draw = |i| {
            let mut stream = key.stream(i, 0, 0);
            problem.parameters.iter().map(|p| p.prior.sample(&mut stream)).collect()
        };
        let draws: Vec<Vec<f64>> = (0..DRAWS).map(draw).collect();
        Self {
            terms: (0..problem.terms.len()).map(|k| cost(problem, k, &draws)).collect(),
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

/// From how many like terms on totals pay where a move changes one of them, and each is evaluated at some share of the points.
pub fn crossover(shape: ShapeKind, extent: Extent, share: f64) -> usize {
    let repeats = extent.repeats as f64;
    let cost = evaluations(shape, extent, repeats, if shape.is_local() { share * repeats } else { repeats });
    let one = Costs { terms: vec![cost], repeats: vec![extent.repeats as u32], points: 1.0, forced: false };
    (one.updated(&[0]) / cost) as usize + 1
}
