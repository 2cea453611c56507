//! Noise from the same run: F of a candidate as a function of one factor c of all σ, continuous, from the ladder of one run.
//!
//! Tokuda, Nagata, Okada, J. Phys. Soc. Jpn. 86 (2017) 024001. With σ known, the posterior at inverse temperature β is that of the noise
//! cσ with c = 1/√β, so that MBAR over all rungs gives, for every c ≥ 1,
//! F(c) = −ln ∫ exp(−χ²/2c²) prior + N ln c + Σ ln σ + N/2 ln 2π. With b = 1/c² its slope is dF/d ln c = N − b⟨χ²⟩, and its curvature
//! d²F/d(ln b)² = N/2 − λ, λ = Var(bχ²/2).

mod inferred;
mod plane;

use serde::{Deserialize, Serialize};

pub use inferred::Inferred;
pub use plane::NoisePlane;

use super::{Block, FreeEnergy, Samples, jackknife_se, shares, solve};
use crate::problem::{Noise, Problem};
use crate::sampler::Sampled;

/// Pieces that the way between two rungs is looked at in, equal in ln β: F may have a minimum on either side of a change of phase.
const BETWEEN: usize = 4;
/// Halvings of ln c on the way to a minimum: a piece is at most some ten wide, and 50 halvings of it are nothing in f64.
const HALVINGS: usize = 50;
/// Points of a curve on either side of its middle, and their distance in standard deviations of ln c.
const SIDE: usize = 20;
const SPACING: f64 = 0.25;

/// F(c) of one candidate, and where it is least. At an edge of what the ladder covers there is no minimum, and all its numbers are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseCurve {
    /// ĉ, the factor of the stated σ that minimises F.
    pub scale: Option<f64>,
    /// Its standard error, from blocks: how well the run knows ĉ, not how well the data do.
    pub scale_se: Option<f64>,
    /// F(ĉ) in nats, all constants kept. It has seen the data twice and is no part of any probability.
    pub free_energy: Option<f64>,
    /// Its standard error.
    pub free_energy_se: Option<f64>,
    /// Standard deviation of ln b over p(b | D, candidate) near its top, (N/2 − λ)^(−1/2) with b = 1/c²: how well the data know it.
    pub ln_b_sd: Option<f64>,
    /// Where F is least at an edge: which.
    pub edge: Option<Edge>,
    /// Some factors c around ĉ, or inward from the edge, ascending, evenly spaced in ln c.
    pub scales: Vec<f64>,
    /// F there.
    pub free_energies: Vec<f64>,
}

/// An edge of what a ladder covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// c = 1: the noise is no larger than stated. To find it, state less.
    Stated,
    /// c beyond that of the ladder's first rung above β = 0, where the posterior is hardly more than the prior.
    Prior,
    /// The least c that the prior of an inferred scale allows.
    Low,
    /// The largest one.
    High,
}

/// Where F is least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Least {
    /// Inside what the ladder covers.
    Minimum(Minimum),
    /// At an edge.
    Edge(Edge),
}

/// A minimum of F(c).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimum {
    /// ĉ.
    pub scale: f64,
    /// Its standard error.
    pub scale_se: f64,
    /// F(ĉ) in nats.
    pub free_energy: f64,
    /// Its standard error.
    pub free_energy_se: f64,
    /// Standard deviation of ln b of the data.
    pub ln_b_sd: f64,
}

/// At one b = 1/c².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// F in nats, all constants kept.
    pub free_energy: f64,
    /// ⟨χ²/2⟩ with the stated σ.
    pub mean: f64,
    /// Its variance.
    pub variance: f64,
}

/// F(c) of one candidate, continuous in c, a factor of all stated σ.
pub trait Curve {
    /// Points of the data.
    fn points(&self) -> f64;

    /// The least and the largest c.
    fn range(&self) -> (f64, f64);

    /// What it means that F is least at either.
    fn edges(&self) -> [Edge; 2];

    /// Some ln c, ascending, between which F has one minimum at most.
    fn grid(&self) -> Vec<f64>;

    /// At b = 1/c².
    fn moments(&self, b: f64) -> Moments;

    /// Standard errors of F and of ⟨χ²/2⟩ at b.
    fn errors(&self, b: f64) -> (f64, f64);

    /// F(c) in nats, all constants kept.
    fn free_energy(&self, scale: f64) -> f64 {
        self.moments(scale.powi(-2)).free_energy
    }

    /// dF/d ln c = N − b⟨χ²⟩.
    fn slope(&self, ln_c: f64) -> f64 {
        let b = (-2.0 * ln_c).exp();
        self.points() - 2.0 * b * self.moments(b).mean
    }

    /// Where F is least: where ⟨χ²⟩ = N c² at that c, or at an edge.
    fn least(&self) -> Least {
        let (low, high) = (self.free_energy(self.range().0), self.free_energy(self.range().1));
        let edge = self.edges()[usize::from(high < low)];
        let mut least = (low.min(high), None);
        let grid = self.grid();
        let slopes: Vec<f64> = grid.iter().map(|ln_c| self.slope(*ln_c)).collect();
        for (ends, slope) in grid.windows(2).zip(slopes.windows(2)) {
            if slope[0] < 0.0 && slope[1] >= 0.0 {
                let ln_c = stationary(&|ln_c| self.slope(ln_c), ends[0], ends[1]);
                let free = self.free_energy(ln_c.exp());
                if free < least.0 {
                    least = (free, Some(ln_c));
                }
            }
        }
        least.1.map_or(Least::Edge(edge), |ln_c| Least::Minimum(self.minimum(ln_c)))
    }

    /// A stationary point with its errors. To first order that of ln c is the slope's over the curvature, 2N − 4λ, and F has none from it.
    fn minimum(&self, ln_c: f64) -> Minimum {
        let (scale, b) = (ln_c.exp(), (-2.0 * ln_c).exp());
        let m = self.moments(b);
        let heat = b * b * m.variance;
        let (free_energy_se, mean_se) = self.errors(b);
        Minimum {
            scale,
            scale_se: scale * b * mean_se / (self.points() - 2.0 * heat).abs(),
            free_energy: m.free_energy,
            free_energy_se,
            ln_b_sd: (0.5 * self.points() - heat).powf(-0.5),
        }
    }

    /// The standard deviation of ln c that no model has less of: without parameters, λ = 0.
    fn least_sd(&self) -> f64 {
        (2.0 * self.points()).powf(-0.5)
    }

    /// The minimum or the edge, with F(c) at twenty points on either side as far as c ranges.
    fn curve(&self) -> NoiseCurve {
        let least = self.least();
        let (low, high) = (self.range().0.ln(), self.range().1.ln());
        let (middle, sd) = match least {
            Least::Minimum(m) => (m.scale.ln(), 0.5 * m.ln_b_sd),
            Least::Edge(Edge::Stated | Edge::Low) => (low, f64::NAN),
            Least::Edge(Edge::Prior | Edge::High) => (high, f64::NAN),
        };
        let sd = if sd.is_finite() { sd } else { self.least_sd() };
        let side = SIDE as i32;
        let all = (-2 * side..=2 * side).map(|i| (i, middle + SPACING * sd * f64::from(i)));
        let inner = if let Least::Minimum(_) = least { side } else { 2 * side };
        let scales: Vec<f64> = all.filter(|(i, ln)| i.abs() <= inner && (low..=high).contains(ln)).map(|(_, ln)| ln.exp()).collect();
        let minimum = if let Least::Minimum(m) = least { Some(m) } else { None };
        NoiseCurve {
            scale: minimum.map(|m| m.scale),
            scale_se: minimum.map(|m| m.scale_se),
            free_energy: minimum.map(|m| m.free_energy),
            free_energy_se: minimum.map(|m| m.free_energy_se),
            ln_b_sd: minimum.map(|m| m.ln_b_sd),
            edge: if let Least::Edge(edge) = least { Some(edge) } else { None },
            free_energies: scales.iter().map(|c| self.free_energy(*c)).collect(),
            scales,
        }
    }
}

/// What F(c) is computed from where σ is known.
#[derive(Debug)]
pub struct Scan {
    points: f64,
    constant: f64,
    betas: Vec<f64>,
    /// F at every rung.
    f: Vec<f64>,
    /// Energies of all blocks in ascending order, each with ln of its weight in the mixture of all rungs.
    pooled: Vec<(f64, f64)>,
    blocks: Vec<Block>,
    /// What leaving out each block adds to F at the rungs above the first.
    shifts: Vec<Vec<f64>>,
    /// What F at every rung has that the energies alone do not tell: fresh draws told it.
    told: Vec<f64>,
}

impl Scan {
    /// Of a problem whose measurements all have Gaussian noise with known σ; they share the one factor. None for other noise, and where
    /// there are half as many parameters as points.
    pub fn of(problem: &Problem, sampled: &Sampled, free: &FreeEnergy) -> Option<Self> {
        let known = problem.measurements.iter().all(|m| m.noise == Noise::Gaussian);
        if !known || 2 * problem.dimension() >= problem.points() {
            return None;
        }
        Self::new(sampled, free, problem.points(), problem.measurements.iter().map(|m| m.constant).sum())
    }

    /// From energies χ²/2 + `constant` of so many points, the constant being Σ ln σ + N/2 ln 2π; none where nothing was kept.
    pub fn new(sampled: &Sampled, free: &FreeEnergy, points: usize, constant: f64) -> Option<Self> {
        let samples = Samples::of(sampled);
        let betas = sampled.betas.clone();
        if samples.blocks.len() < 2 || betas.len() < 2 || betas.len() != free.rungs.len() {
            return None;
        }
        let solved = solve(&samples, &betas, free.rungs.clone());
        let mut pooled: Vec<(f64, f64)> = samples.blocks.iter().flat_map(|b| b.bins.iter().copied()).collect();
        pooled.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Blocks share their bins.
        pooled.dedup_by(|next, kept| {
            next.0 == kept.0 && {
                kept.1 += next.1;
                true
            }
        });
        let sweeps: f64 = samples.blocks.iter().map(|b| b.sweeps).sum();
        let mut p = vec![0.0; betas.len()];
        for (u, draws) in &mut pooled {
            *draws = (*draws / sweeps).ln() - shares(*u, &betas, &solved.f, &mut p);
        }
        let told = vec![0.0; betas.len()];
        let mut scan =
            Self { points: points as f64, constant, betas, f: solved.f, pooled, blocks: samples.blocks, shifts: solved.shifts, told };
        scan.told = scan.betas.iter().zip(&scan.f).map(|(beta, f)| f - scan.tempered(*beta).0).collect();
        Some(scan)
    }

    /// The rungs above β = 0 on both sides of β with their parts, linear in ln β: what fresh draws told there is taken over by as much.
    fn beside(&self, beta: f64) -> [(usize, f64); 2] {
        let last = self.betas.len() - 1;
        let high = (2..last).find(|r| self.betas[*r] >= beta).unwrap_or(last);
        let low = (high - 1).max(1);
        let part =
            if low == high { 1.0 } else { ((beta / self.betas[low]).ln() / (self.betas[high] / self.betas[low]).ln()).clamp(0.0, 1.0) };
        [(low, 1.0 - part), (high, part)]
    }

    /// −ln ∫ exp(−βU) prior, ⟨U⟩ and its variance.
    fn tempered(&self, beta: f64) -> (f64, f64, f64) {
        let largest = self.pooled.iter().map(|(u, w)| w - beta * u).fold(f64::NEG_INFINITY, f64::max);
        // Energies are taken relative to the lowest, so that squares keep their digits.
        let origin = self.pooled.first().map_or(0.0, |p| p.0);
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for &(u, ln_weight) in &self.pooled {
            let (weight, d) = ((ln_weight - beta * u - largest).exp(), u - origin);
            sum += weight;
            first += weight * d;
            second += weight * d * d;
        }
        let mean = first / sum;
        (-(largest + sum.ln()), origin + mean, second / sum - mean * mean)
    }

    /// What leaving out each block adds, to first order, to what the energies tell of F and to ⟨U⟩: its draws are gone, and the rungs' F that weigh
    /// all others have moved.
    fn pulls(&self, beta: f64) -> (Vec<f64>, Vec<f64>) {
        let (free_energy, mean_energy, _) = self.tempered(beta);
        let sizes: Vec<f64> = self.blocks.iter().map(|b| b.sweeps).collect();
        let total: f64 = sizes.iter().sum();
        let rungs = self.betas.len();
        // Σ W p and Σ W (U − ⟨U⟩) p of every rung, W the weights at β: how F and ⟨U⟩ answer to the rung's F.
        let (mut overlap, mut tilt) = (vec![0.0; rungs], vec![0.0; rungs]);
        let mut p = vec![0.0; rungs];
        let mut own = Vec::new();
        for block in &self.blocks {
            let (mut share, mut lean) = (0.0, 0.0);
            for &(u, draws) in &block.bins {
                let weight = draws / total * (free_energy - beta * u - shares(u, &self.betas, &self.f, &mut p)).exp();
                let leaning = weight * (u - mean_energy);
                share += weight;
                lean += leaning;
                for ((overlap, tilt), p) in overlap.iter_mut().zip(&mut tilt).zip(&p) {
                    *overlap += weight * p;
                    *tilt += leaning * p;
                }
            }
            own.push((share, lean));
        }
        let dot = |of: &[f64], shifts: &[f64]| of[1..].iter().zip(shifts).map(|(a, b)| a * b).sum::<f64>();
        let (mut free, mut mean) = (Vec::new(), Vec::new());
        for (((share, lean), size), shifts) in own.iter().zip(&sizes).zip(&self.shifts) {
            let factor = total / (total - size);
            free.push(factor * (share - size / total) + dot(&overlap, shifts));
            mean.push(-factor * lean - dot(&tilt, shifts));
        }
        (free, mean)
    }

    /// −ln of the mean of exp(−F(c)) over a log-uniform prior of c: the free energy of an inferred scale. Only what the ladder covers of the
    /// prior's range counts, so F is too large by the posterior mass of the rest.
    pub fn integrated(&self, low: f64, high: f64) -> f64 {
        let (from, to) = (low.max(1.0).ln(), high.min(self.range().1).ln());
        let (grid, step) = even(from, to, self.least_sd());
        let free: Vec<f64> = grid.iter().map(|ln| self.free_energy(ln.exp())).collect();
        minus_ln_sum(&free) - (step / (high / low).ln()).ln()
    }
}

impl Curve for Scan {
    fn points(&self) -> f64 {
        self.points
    }

    /// As stated, and the largest c that is more than the prior's.
    fn range(&self) -> (f64, f64) {
        (1.0, self.betas[1].sqrt().recip())
    }

    fn edges(&self) -> [Edge; 2] {
        [Edge::Stated, Edge::Prior]
    }

    fn grid(&self) -> Vec<f64> {
        let mut ln_betas = vec![self.betas[1].ln()];
        for pair in self.betas[1..].windows(2) {
            let (from, to) = (pair[0].ln(), pair[1].ln());
            ln_betas.extend((1..=BETWEEN).map(|i| from + (to - from) * i as f64 / BETWEEN as f64));
        }
        ln_betas.iter().rev().map(|ln_beta| -0.5 * ln_beta).collect()
    }

    /// The constant is tempered with U, and the noise is not.
    fn moments(&self, beta: f64) -> Moments {
        let (free, mean, variance) = self.tempered(beta);
        let told: f64 = self.beside(beta).iter().map(|(rung, part)| part * self.told[*rung]).sum();
        let free_energy = free + told + (1.0 - beta) * self.constant - 0.5 * self.points * beta.ln();
        Moments { free_energy, mean: mean - self.constant, variance }
    }

    /// By leaving out one block each to first order.
    fn errors(&self, beta: f64) -> (f64, f64) {
        let (mut free, mean) = self.pulls(beta);
        for (rung, part) in self.beside(beta) {
            let own = self.pulls(self.betas[rung]).0;
            for ((free, own), shifts) in free.iter_mut().zip(own).zip(&self.shifts) {
                *free += part * (shifts[rung - 1] - own);
            }
        }
        let sizes: Vec<f64> = self.blocks.iter().map(|b| b.sweeps).collect();
        (jackknife_se(&free, &sizes), jackknife_se(&mean, &sizes))
    }
}

/// ln c of a minimum between two: the slope is below zero at the first.
fn stationary(slope: &dyn Fn(f64) -> f64, mut from: f64, mut to: f64) -> f64 {
    for _ in 0..HALVINGS {
        let middle = 0.5 * (from + to);
        if slope(middle) < 0.0 { from = middle } else { to = middle }
    }
    0.5 * (from + to)
}

/// Points between two ends, a fraction of a standard deviation apart, and their distance. The trapezoid rule over a peak that both ends are
/// far from is exact in all but name at that spacing.
fn even(from: f64, to: f64, sd: f64) -> (Vec<f64>, f64) {
    let pieces = ((to - from) / (SPACING * sd)).ceil().max(1.0);
    let step = (to - from) / pieces;
    ((0..=pieces as usize).map(|i| from + step * i as f64).collect(), step)
}

/// −ln Σ exp(−F), the first and the last by half.
fn minus_ln_sum(free: &[f64]) -> f64 {
    let least = free.iter().copied().fold(f64::INFINITY, f64::min);
    let end = |i: usize| if i == 0 || i + 1 == free.len() { 0.5 } else { 1.0 };
    least - free.iter().enumerate().map(|(i, f)| end(i) * (least - f).exp()).sum::<f64>().ln()
}

/// p(candidate, b | D) of candidates with the same data and stated σ: uniform over candidates, and over ln b on what all curves cover.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    /// ln b, descending and evenly spaced, in units of the stated 1/σ²: 0 is as stated.
    pub ln_b: Vec<f64>,
    /// Density in ln b, one row a candidate; all rows together integrate to 1.
    pub density: Vec<Vec<f64>>,
    /// p(candidate | D): the integrals of the rows.
    pub probabilities: Vec<f64>,
}

/// The joint posterior of candidate and noise; none where there is no candidate.
pub fn joint<C: Curve>(curves: &[C]) -> Option<Joint> {
    let low = curves.iter().map(|c| c.range().0).reduce(f64::max)?;
    let high = curves.iter().map(|c| c.range().1).reduce(f64::min)?;
    let sd = curves.iter().map(Curve::least_sd).reduce(f64::min)?;
    let (grid, step) = even(low.ln(), high.ln(), sd);
    let free: Vec<Vec<f64>> = curves.iter().map(|c| grid.iter().map(|ln| c.free_energy(ln.exp())).collect()).collect();
    // ln b runs twice as fast as ln c.
    let each: Vec<f64> = free.iter().map(|f| minus_ln_sum(f) - (2.0 * step).ln()).collect();
    let least = each.iter().copied().fold(f64::INFINITY, f64::min);
    let all = least - each.iter().map(|f| (least - f).exp()).sum::<f64>().ln();
    Some(Joint {
        ln_b: grid.iter().map(|ln| -2.0 * ln).collect(),
        density: free.iter().map(|row| row.iter().map(|f| (all - f).exp()).collect()).collect(),
        probabilities: each.iter().map(|f| (all - f).exp()).collect(),
    })
}
