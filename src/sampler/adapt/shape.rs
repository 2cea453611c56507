//! Shapes of steps: what they are at first, and the moments of visited states that they are learned from.

use std::ops::Range;

use super::super::schedule::{Kind, LARGEST_BLOCK, Move, exchangeable, find};
use crate::models::Role;
use crate::prior::{Coordinate, Prior};
use crate::problem::Problem;

/// Moves whose shape is learned from the same states: one block, or the like blocks of exchangeable peaks.
#[derive(Clone, Debug)]
pub struct Family {
    /// Index of each move, with its parameters.
    pub members: Vec<(usize, Vec<usize>)>,
    /// The centre of each member, by which members are ranked: labels wander, ranks do not.
    pub centres: Vec<Option<usize>>,
    /// Where the moments of its first member begin among those of a rung, see [`moments`]; those of the others follow.
    pub at: usize,
}

impl Family {
    /// Parameters of a member.
    pub fn size(&self) -> usize {
        self.members[0].1.len()
    }

    /// Where the moments of each member lie among those of a rung.
    pub fn moments(&self) -> impl Iterator<Item = Range<usize>> {
        let each = moments(self.size());
        (0..self.members.len()).map(move |member| self.at + member * each..self.at + (member + 1) * each)
    }
}

/// Numbers that the moments of so many parameters take: how many states, their mean, and Σ (x − mean)(x − mean)ᵀ.
pub fn moments(parameters: usize) -> usize {
    1 + parameters + parameters * parameters
}

/// Adds a state to the moments of some parameters, in the coordinates of walks (Welford).
pub fn learn(moments: &mut [f64], problem: &Problem, parameters: &[usize], row: &[f64]) {
    let n = parameters.len();
    let (count, rest) = moments.split_at_mut(1);
    let (mean, products) = rest.split_at_mut(n);
    count[0] += 1.0;
    let mut before = [0.0; LARGEST_BLOCK];
    let mut after = [0.0; LARGEST_BLOCK];
    for (j, &i) in parameters.iter().enumerate() {
        let value = coordinate(problem, i, row);
        before[j] = value - mean[j];
        mean[j] += before[j] / count[0];
        after[j] = value - mean[j];
    }
    for (row, before) in products.chunks_exact_mut(n).zip(&before) {
        row.iter_mut().zip(&after).for_each(|(product, after)| *product += before * after);
    }
}

/// A parameter in the coordinate of walks.
pub fn coordinate(problem: &Problem, i: usize, row: &[f64]) -> f64 {
    match problem.parameters[i].prior.coordinate() {
        Coordinate::Linear => row[i],
        Coordinate::Log => row[i].ln(),
    }
}

/// Blocks whose shape is learned: every walk of several parameters.
pub fn families(problem: &Problem, moves: &[Move]) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for (step, what) in moves.iter().enumerate() {
        let parameters = &what.targets[0].parameters;
        if what.kind != Kind::Walk || parameters.len() < 2 {
            continue;
        }
        let owner = problem.parameters[parameters[0]].owner;
        let centre = owner.and_then(|k| find(problem, k, Role::Center));
        let kin = families.iter_mut().find(|f| {
            let other = f.members[0].1[0];
            matches!((owner, problem.parameters[other].owner), (Some(a), Some(b)) if exchangeable(problem, a, b))
                && f.members[0].1.len() == parameters.len()
        });
        match kin {
            Some(family) => {
                family.members.push((step, parameters.clone()));
                family.centres.push(centre);
            }
            None => families.push(Family { members: vec![(step, parameters.clone())], centres: vec![centre], at: 0 }),
        }
    }
    let mut at = 0;
    for family in &mut families {
        family.at = at;
        at += family.members.len() * moments(family.size());
    }
    families
}

/// Standard deviation of a prior in its moves' coordinate.
pub fn spread(prior: &Prior) -> f64 {
    match *prior {
        Prior::LogUniform { low, high } => (high / low).ln() / 12f64.sqrt(),
        // Var ln x of a Gamma is the trigamma function of its shape, 1/shape + 1/2shape² + … .
        Prior::Gamma { shape, .. } => (1.0 / shape + 0.5 / (shape * shape)).sqrt(),
        _ => prior.moments().1,
    }
}

/// The shape of a move before anything is known: of a walk, the prior's; of opposite steps, the spread of the first parameter. Others have none.
pub fn first_factor(problem: &Problem, what: &Move) -> Vec<f64> {
    let parameters = &what.targets[0].parameters;
    let n = match what.kind {
        Kind::Walk => parameters.len(),
        Kind::Trade | Kind::Spread => 1,
        Kind::Renew | Kind::Relocate | Kind::Refit | Kind::Whole => 0,
    };
    let mut factor = vec![0.0; n * n];
    for (j, &i) in parameters.iter().take(n).enumerate() {
        factor[j * n + j] = spread(&problem.parameters[i].prior);
    }
    factor
}

/// Lower Cholesky factor, row by row; none where the matrix is not positive definite.
pub fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = a[i * n + j] - dot;
            if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                l[i * n + i] = rest.sqrt();
            } else {
                l[i * n + j] = rest / l[j * n + j];
            }
        }
    }
    Some(l)
}
