//! All parameters at once, about a normal approximation of the posterior that was learned while adapting.
//!
//! Where the data decide, a posterior is nearly normal about its mode, and a draw from that normal density is nearly a draw from the
//! posterior: one step does what many along single parameters do. With z the parameters in units of the approximation, a step is
//! z' = √(1 − s²) z + s ξ, ξ standard normal (Neal 1998; Rudolf and Sprungk, Found. Comput. Math. 18 (2018) 309): it leaves the
//! approximation as it is for every s, and for s = 1 it is a fresh draw. How far posterior and approximation differ enters the acceptance,
//! and s follows it; where s stays small the approximation is worth nothing, and the step is no longer made.
//!
//! Exchangeable peaks are taken in the order of their centres, in which the K! images of a mode are one. A step that changes the order is
//! refused, so that the way back is made among the same names.

use super::adapt::{Moments, cholesky};
use super::mixture::members;
use super::rivals::Centre;
use super::schedule::{find, own};
use crate::models::Role;
use crate::noise::Scale;
use crate::prior::Coordinate;
use crate::problem::Problem;
use crate::random::Stream;

/// Most parameters that step together.
pub const MOST: usize = 64;
/// States that must have been seen, a parameter.
const LEAST_SEEN: f64 = 8.0;
/// The approximation is this much wider than what was seen: a draw from too narrow a one is seldom left again.
const WIDER: f64 = 1.1;

/// The parameters that step together, and which of them are exchangeable.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Free parameters.
    pub parameters: Vec<usize>,
    /// Families of exchangeable peaks: of each peak, the places of its parameters, that of the centre first.
    families: Vec<Vec<Vec<usize>>>,
}

/// A normal density of the parameters in the coordinates of walks, peaks in the order of their centres.
#[derive(Clone, Debug, PartialEq)]
pub struct Normal {
    mean: Vec<f64>,
    /// Lower Cholesky factor of the covariance, row by row.
    factor: Vec<f64>,
    /// One over its diagonal.
    inverse: Vec<f64>,
    /// Whether fresh draws from it are accepted often.
    pub fresh: bool,
}

impl Places {
    /// Of a problem: every parameter but scales that are drawn from their conditionals. None where they are too many, or only one.
    pub fn of(problem: &Problem) -> Option<Self> {
        let scales = Scale::of(problem);
        let drawn = |i: &usize| scales.iter().any(|s| s.parameter == *i);
        let parameters: Vec<usize> = (0..problem.dimension()).filter(|i| !drawn(i)).collect();
        let place = |i: &usize| parameters.iter().position(|p| p == i);
        let mut families: Vec<Vec<Vec<usize>>> = Vec::new();
        for k in 0..problem.terms.len() {
            let Some(centre) = find(problem, k, Role::Center) else { continue };
            let all: Vec<usize> = [centre].into_iter().chain(own(problem, k).into_iter().filter(|&i| i != centre)).collect();
            let kin: Vec<Vec<usize>> = members(problem, &all).iter().filter_map(|m| m.iter().map(place).collect()).collect();
            let known = |family: &Vec<Vec<usize>>| family.iter().any(|m| Some(m[0]) == place(&centre));
            if kin.len() > 1 && !families.iter().any(known) {
                families.push(kin);
            }
        }
        (2..=MOST).contains(&parameters.len()).then_some(Self { parameters, families })
    }

    /// The parameter that stands at each place when peaks are in order.
    pub fn ordered(&self, theta: &[f64]) -> [usize; MOST] {
        let mut at = [0; MOST];
        at[..self.parameters.len()].copy_from_slice(&self.parameters);
        for family in &self.families {
            let centre = |peak: usize| theta[self.parameters[family[peak][0]]];
            let mut order = [0; MOST];
            let order = &mut order[..family.len()];
            order.iter_mut().enumerate().for_each(|(rank, peak)| *peak = rank);
            order.sort_unstable_by(|&a, &b| centre(a).total_cmp(&centre(b)).then(a.cmp(&b)));
            for (places, &peak) in family.iter().zip(order.iter()) {
                for (&place, &from) in places.iter().zip(&family[peak]) {
                    at[place] = self.parameters[from];
                }
            }
        }
        at
    }

    /// Whether the peaks are in that order.
    fn in_order(&self, at: &[usize; MOST], theta: &[f64]) -> bool {
        self.families.iter().all(|family| family.windows(2).all(|pair| theta[at[pair[0][0]]] < theta[at[pair[1][0]]]))
    }

    /// Changes `to` by a step of size `s`, at most 1, and returns ln of the ratio of the proposals and coordinates; none where peaks change places.
    pub fn step(
        &self,
        problem: &Problem,
        normal: &Normal,
        s: (f64, Centre<'_>),
        from: &[f64],
        to: &mut [f64],
        stream: &mut Stream,
    ) -> Option<f64> {
        let (ln_ratio, kept) = self.proposal(problem, normal, s, from, to, stream);
        kept.then_some(ln_ratio)
    }

    /// The same, with whether the peaks are still in order: the ratio is right only where they are.
    pub(super) fn proposal(
        &self,
        problem: &Problem,
        normal: &Normal,
        (s, centre): (f64, Centre<'_>),
        from: &[f64],
        to: &mut [f64],
        stream: &mut Stream,
    ) -> (f64, bool) {
        let n = self.parameters.len();
        let at = self.ordered(from);
        let log = |i: usize| problem.parameters[i].prior.coordinate() == Coordinate::Log;
        let (mut z, mut ln_ratio) = ([0.0; MOST], 0.0);
        for row in 0..n {
            let i = at[row];
            let phi = if log(i) { from[i].ln() } else { from[i] };
            if log(i) {
                ln_ratio -= phi;
            }
            let known: f64 = normal.factor[row * n..row * n + row].iter().zip(&z).map(|(l, z)| l * z).sum();
            z[row] = (phi - normal.mean[row] - known) * normal.inverse[row];
        }
        let (s, kept) = (s.min(1.0), (1.0 - s * s).max(0.0).sqrt());
        for (at, z) in z[..n].iter_mut().enumerate() {
            // Two steps of √kept each, by way of the centre.
            let xi = centre.step(at, kept.sqrt(), stream);
            let new = kept * *z + s * xi;
            ln_ratio += 0.5 * (new * new - *z * *z);
            *z = new;
        }
        for (row, &i) in at[..n].iter().enumerate() {
            let along: f64 = normal.factor[row * n..row * n + row + 1].iter().zip(&z).map(|(l, z)| l * z).sum();
            let phi = normal.mean[row] + along;
            to[i] = if log(i) { phi.exp() } else { phi };
            if log(i) {
                ln_ratio += phi;
            }
        }
        (ln_ratio, self.in_order(&at, to))
    }
}

impl Normal {
    /// From the states seen in several copies; none where they are too few.
    pub fn of(seen: &[&Moments], fresh: bool) -> Option<Self> {
        let all = Moments::merged(seen)?;
        let n = all.mean.len();
        if all.n < LEAST_SEEN * n as f64 {
            return None;
        }
        let mut covariance: Vec<f64> = all.products.iter().map(|p| WIDER * WIDER * p / all.n).collect();
        for i in 0..n {
            covariance[i * n + i] *= 1.0 + 1e-9;
        }
        let factor = cholesky(&covariance, n)?;
        let inverse: Vec<f64> = (0..n).map(|i| 1.0 / factor[i * n + i]).collect();
        let fine = inverse.iter().chain(&all.mean).all(|v| v.is_finite());
        fine.then_some(Self { mean: all.mean, factor, inverse, fresh })
    }
}
