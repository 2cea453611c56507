//! Where the peaks of a posterior are, learned while adapting: a mixture of normal densities that relocated peaks are drawn from.
//!
//! A small line far from all others has a share of the prior that no blind proposal finds; once any copy has found it, all may be sent there.
//! The mixture is frozen with everything else and its density enters the acceptance, so the answer does not depend on how good it is.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::adapt::{cholesky, coordinate, spread};
use super::record::Record;
use super::schedule::{LARGEST_BLOCK, exchangeable};
use crate::prior::Coordinate;
use crate::problem::Problem;
use crate::random::Stream;

/// Components whose means lie within this many standard deviations of each other in every coordinate are one.
const SAME: f64 = 4.0;
/// Most components a peak of the candidate.
const MOST: usize = 3;
/// And in all.
const MOST_COMPONENTS: usize = u64::BITS as usize;
/// Rows that a component needs to be learned from.
const LEAST_ROWS: usize = 16;
/// A peak was in two places where telling them apart takes away more than this share of its variance: of a normal density it takes 2/π, of an even
/// one ¾.
const APART: f64 = 0.8;
/// Each standard deviation is at least this share of the prior's, and this many times what was seen.
const FLOOR: f64 = 1e-4;
const WIDER: f64 = 1.5;
/// A component is taken where another peak's centre is within this many standard deviations of it; its odds are then lower.
const NEAR: f64 = 3.0;
const TAKEN: f64 = 0.05;
/// Peaks that are looked at for that; of more, the others count as far away.
const MOST_OTHERS: usize = 64;
/// A component is nothing beyond so many squared standard deviations.
const FAR: f64 = 200.0;
/// Components are at most this many times as wide at a hot rung as at β = 1.
const WIDEST: f64 = 5.0;

/// A mixture of equally likely normal densities in the coordinates of one peak's own parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mixture {
    components: Vec<Component>,
}

#[derive(Clone, Debug, PartialEq)]
struct Component {
    mean: Vec<f64>,
    /// Lower Cholesky factor of the covariance, row by row.
    factor: Vec<f64>,
    /// One over its diagonal.
    inverse: Vec<f64>,
    /// ln of the density at the mean.
    ln_top: f64,
}

/// Moments of one peak in one copy, or of several that are the same.
struct Seen {
    n: f64,
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

impl Mixture {
    /// Learns from the later half of each copy's draws at β = 1; `members` lists the same parameters of every exchangeable peak, centre first.
    pub fn learn(problem: &Problem, members: &[Vec<usize>], records: &[&Record]) -> Self {
        let d = problem.dimension();
        let mut all: Vec<Seen> = Vec::new();
        for record in records {
            let rows: Vec<&[f64]> = record.draws.chunks_exact(d).skip(record.rows() / 2).collect();
            let mut peaks = vec![Vec::with_capacity(rows.len()); members.len()];
            for row in rows {
                let mut order: Vec<&Vec<usize>> = members.iter().collect();
                order.sort_by(|a, b| row[a[0]].total_cmp(&row[b[0]]));
                for (peak, parameters) in peaks.iter_mut().zip(order) {
                    peak.push(coordinates(problem, parameters, row));
                }
            }
            for new in peaks.into_iter().flat_map(Seen::places) {
                match all.iter_mut().find(|old| old.same(&new)) {
                    Some(old) => old.merge(&new),
                    None => all.push(new),
                }
            }
        }
        all.truncate(MOST_COMPONENTS.min(MOST * members.len()));
        let floors: Vec<f64> = members[0].iter().map(|&i| FLOOR * spread(&problem.parameters[i].prior)).collect();
        Self { components: all.iter().filter_map(|seen| seen.component(&floors)).collect() }
    }

    /// Whether nothing has been learned.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// How likely each component is chosen at a rung, given the centres of the peaks that stay: where one is already, another is hardly wanted.
    pub fn odds(&self, others: impl Iterator<Item = f64>, beta: f64) -> Odds {
        let wider = widening(beta);
        let (mut centres, mut count) = ([0.0; MOST_OTHERS], 0);
        for (centre, other) in centres.iter_mut().zip(others) {
            *centre = other;
            count += 1;
        }
        let mut taken = 0;
        for (i, c) in self.components.iter().enumerate() {
            let reach = NEAR * wider * c.factor[0];
            // All are looked at, side by side: to stop at the first would take longer.
            let near = centres[..count].iter().fold(false, |near, x| near | ((x - c.mean[0]).abs() < reach));
            taken |= u64::from(near) << i;
        }
        let count = f64::from(taken.count_ones());
        Odds { wider, taken, sum: self.components.len() as f64 - count + TAKEN * count }
    }

    /// A draw, written to the parameters.
    pub fn sample(&self, problem: &Problem, parameters: &[usize], odds: &Odds, to: &mut [f64], stream: &mut Stream) {
        let n = parameters.len();
        let mut left = stream.random::<f64>() * odds.sum;
        let chosen = self.components.iter().enumerate().find(|(i, _)| {
            left -= odds.of(*i);
            left < 0.0
        });
        let Some(component) = chosen.map(|(_, c)| c).or(self.components.last()) else { return };
        let mut z = [0.0; LARGEST_BLOCK];
        z[..n].fill_with(|| StandardNormal.sample(stream));
        for (row, &i) in parameters.iter().enumerate() {
            let along: f64 = component.factor[row * n..row * n + row + 1].iter().zip(&z).map(|(l, z)| l * z).sum();
            let value = component.mean[row] + odds.wider * along;
            to[i] = match problem.parameters[i].prior.coordinate() {
                Coordinate::Linear => value,
                Coordinate::Log => value.exp(),
            };
        }
    }

    /// Density of those parameters (not of their coordinates), times exp(−`ln_unit`).
    pub fn excess(&self, problem: &Problem, parameters: &[usize], odds: &Odds, theta: &[f64], ln_unit: f64) -> f64 {
        let n = parameters.len();
        let (mut z, mut solved) = ([0.0; LARGEST_BLOCK], [0.0; LARGEST_BLOCK]);
        let narrower = 1.0 / odds.wider;
        let (mut ln_factor, mut share) = (-ln_unit, 1.0 / odds.sum);
        for (z, &i) in z.iter_mut().zip(parameters) {
            share *= narrower;
            *z = match problem.parameters[i].prior.coordinate() {
                Coordinate::Linear => theta[i],
                Coordinate::Log => {
                    let ln = theta[i].ln();
                    ln_factor -= ln;
                    ln
                }
            };
        }
        let (mut sum, far) = (0.0, FAR * odds.wider * odds.wider);
        for (i, c) in self.components.iter().enumerate() {
            let mut square = 0.0;
            for row in 0..n {
                let dot: f64 = (0..row).map(|k| c.factor[row * n + k] * solved[k]).sum();
                solved[row] = (z[row] - c.mean[row] - dot) * c.inverse[row];
                square += solved[row] * solved[row];
                if square > far {
                    break;
                }
            }
            if square <= far {
                sum += odds.of(i) * (c.ln_top - 0.5 * square * narrower * narrower + ln_factor).exp();
            }
        }
        sum * share
    }
}

/// The odds of a mixture's components at a rung, and how much wider than at β = 1 they are there.
#[derive(Clone, Copy, Debug)]
pub struct Odds {
    wider: f64,
    /// One bit a component.
    taken: u64,
    sum: f64,
}

impl Odds {
    fn of(&self, component: usize) -> f64 {
        if self.taken >> component & 1 == 1 { TAKEN } else { 1.0 }
    }
}

/// Where rows in the order of their centres fall into two places: at the cut that leaves least variance within (Otsu 1979), if it takes away more
/// than [`APART`] of it.
fn cut(rows: &[Vec<f64>]) -> Option<usize> {
    let n = rows.len() as f64;
    let mean = rows.iter().map(|r| r[0]).sum::<f64>() / n;
    let total: f64 = rows.iter().map(|r| (r[0] - mean).powi(2)).sum();
    let (mut left, mut best) = (0.0, (0.0, 0));
    for at in 1..rows.len() {
        left += rows[at - 1][0] - mean;
        // Of two parts of a and n − a rows whose deviations sum to s and −s: s²/a + s²/(n − a).
        let a = at as f64;
        let between = left * left * n / (a * (n - a));
        if between > best.0 {
            best = (between, at);
        }
    }
    (best.0 > APART * total).then_some(best.1)
}

/// How much wider than at β = 1 the components are: a normal posterior widens as β^−½.
fn widening(beta: f64) -> f64 {
    (1.0 / beta.sqrt()).min(WIDEST)
}

/// The same parameters of every peak exchangeable with that of `parameters` (centre first), that one included.
pub fn members(problem: &Problem, parameters: &[usize]) -> Vec<Vec<usize>> {
    let Some(owner) = problem.parameters[parameters[0]].owner else { return Vec::new() };
    let like = |k: usize, i: usize| {
        let wanted = &problem.parameters[i];
        (0..problem.dimension()).find(|&j| problem.parameters[j].owner == Some(k) && problem.parameters[j].name == wanted.name)
    };
    let kin = (0..problem.terms.len()).filter(|&k| k == owner || exchangeable(problem, owner, k));
    kin.filter_map(|k| parameters.iter().map(|&i| like(k, i)).collect()).collect()
}

fn coordinates(problem: &Problem, parameters: &[usize], row: &[f64]) -> Vec<f64> {
    parameters.iter().map(|&i| coordinate(problem, i, row)).collect()
}

impl Seen {
    /// Of each place where a peak was: a rank among peaks is held now by one line, now by another. Places are told apart by their centres alone,
    /// and those seen too seldom are left out.
    fn places(mut rows: Vec<Vec<f64>>) -> Vec<Self> {
        if rows.len() < LEAST_ROWS {
            return Vec::new();
        }
        rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
        match cut(&rows) {
            None => vec![Self::of(&rows)],
            Some(at) => {
                let right = rows.split_off(at);
                [rows, right].into_iter().flat_map(Self::places).collect()
            }
        }
    }

    fn of(rows: &[Vec<f64>]) -> Self {
        let d = rows[0].len();
        let n = rows.len() as f64;
        let mean: Vec<f64> = (0..d).map(|j| rows.iter().map(|r| r[j]).sum::<f64>() / n).collect();
        let product = |j: usize, k: usize| rows.iter().map(|r| (r[j] - mean[j]) * (r[k] - mean[k])).sum::<f64>() / n;
        let covariance = (0..d * d).map(|i| product(i / d, i % d)).collect();
        Self { n, mean, covariance }
    }

    fn same(&self, other: &Self) -> bool {
        let d = self.mean.len();
        (0..d).all(|j| {
            let variance = self.covariance[j * d + j].min(other.covariance[j * d + j]);
            (self.mean[j] - other.mean[j]).powi(2) <= SAME * SAME * variance
        })
    }

    fn merge(&mut self, other: &Self) {
        let d = self.mean.len();
        let (n, share) = (self.n + other.n, other.n / (self.n + other.n));
        let apart: Vec<f64> = (0..d).map(|j| other.mean[j] - self.mean[j]).collect();
        for i in 0..d * d {
            self.covariance[i] =
                (1.0 - share) * self.covariance[i] + share * other.covariance[i] + share * (1.0 - share) * apart[i / d] * apart[i % d];
        }
        self.mean.iter_mut().zip(&apart).for_each(|(mean, apart)| *mean += share * apart);
        self.n = n;
    }

    fn component(&self, floors: &[f64]) -> Option<Component> {
        let d = self.mean.len();
        let mut covariance: Vec<f64> = self.covariance.iter().map(|c| WIDER * WIDER * c).collect();
        for (j, floor) in floors.iter().enumerate() {
            covariance[j * d + j] += floor * floor;
        }
        let factor = cholesky(&covariance, d)?;
        let ln_root: f64 = (0..d).map(|j| factor[j * d + j].ln()).sum();
        let ln_top = -ln_root - 0.5 * d as f64 * std::f64::consts::TAU.ln();
        let inverse = (0..d).map(|j| 1.0 / factor[j * d + j]).collect();
        Some(Component { mean: self.mean.clone(), factor, inverse, ln_top })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Rows of two coordinates: centres from one of several shapes, the other one normal about 1.
    fn rows(n: usize, centre: impl Fn(usize, &mut Stream) -> f64) -> Vec<Vec<f64>> {
        let mut stream = Key::new(7, "places", "", "", 0).stream(0, 0, 0);
        (0..n).map(|i| vec![centre(i, &mut stream), 1.0 + 0.1 * normal(&mut stream)]).collect()
    }

    fn normal(stream: &mut Stream) -> f64 {
        StandardNormal.sample(stream)
    }

    #[test]
    fn a_rank_held_by_two_lines_is_two_places() {
        let two = Seen::places(rows(400, |i, s| if i % 5 == 0 { -0.18 } else { 1.19 } + 0.03 * normal(s)));
        let of: Vec<(f64, f64, f64)> = two.iter().map(|seen| (seen.n, seen.mean[0], seen.covariance[0].sqrt())).collect();
        let [left, right] = of.as_slice() else { panic!("{of:?}") };
        assert_eq!((left.0, right.0), (80.0, 320.0));
        // Six standard errors of means and spreads.
        assert!((left.1 + 0.18).abs() < 0.02 && (right.1 - 1.19).abs() < 0.01, "{of:?}");
        assert!((left.2 - 0.03).abs() < 0.015 && (right.2 - 0.03).abs() < 0.008, "{of:?}");
    }

    #[test]
    fn one_line_is_one_place_and_a_few_strays_are_none() {
        assert_eq!(Seen::places(rows(400, |_, s| normal(s))).len(), 1);
        assert_eq!(Seen::places(rows(400, |_, s| s.random())).len(), 1);
        let strays = Seen::places(rows(400, |i, s| if i < LEAST_ROWS - 1 { 50.0 } else { 0.0 } + normal(s)));
        assert_eq!(strays.iter().map(|seen| seen.n).collect::<Vec<_>>(), [(401 - LEAST_ROWS) as f64]);
        assert!(Seen::places(rows(LEAST_ROWS - 1, |_, s| normal(s))).is_empty());
    }
}
