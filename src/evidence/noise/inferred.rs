//! F of a candidate as a function of the noise where the scale of σ is inferred: from the draws of the posterior alone.
//!
//! Given the other parameters, c has a density in closed form, p(ln c | θ, D) ∝ c^(−N) exp(−χ²/2c²) between the prior's bounds, and its mean
//! over the draws is p(ln c | D) (Gelfand and Smith, JASA 85 (1990) 398). Bayes' theorem makes of it F(c) = F − ln p(ln c | D) + ln p(ln c),
//! continuous in c, each candidate around its own ĉ: no pilot run and no base noise are needed.

use super::super::{FreeEnergy, Samples, jackknife_se, solve};
use super::{Curve, Edge, Moments, even};
use crate::noise::Scale;
use crate::problem::Problem;
use crate::sampler::Sampled;

/// What F(c) is computed from.
#[derive(Debug)]
pub struct Inferred {
    points: f64,
    /// F of the candidate, and what leaving out each block adds to it.
    free: f64,
    shifts: Vec<f64>,
    /// Bounds of c.
    bounds: (f64, f64),
    /// Of each block, χ²/2 in units of the stated σ, and ln of the norm of the conditional in ln c, of every draw.
    blocks: Vec<Vec<(f64, f64)>>,
}

impl Inferred {
    /// Of a problem with one measurement, whose scale is inferred under a log-uniform prior. None for other noise, and where there are half as
    /// many parameters as points.
    pub fn of(problem: &Problem, sampled: &Sampled, free: &FreeEnergy) -> Option<Self> {
        let scales = Scale::of(problem);
        let ([data], [scale]) = (problem.measurements.as_slice(), scales.as_slice()) else { return None };
        if 2 * problem.dimension() >= problem.points() {
            return None;
        }
        let (samples, points) = (Samples::of(sampled), problem.points() as f64);
        let last = samples.rungs.checked_sub(1)?;
        let of_block = |(energies, draws): (&&[f64], &&[f64])| {
            let cold = energies.iter().skip(last).step_by(samples.rungs);
            let each = |(u, theta): (&f64, &[f64])| {
                let c = theta[scale.parameter];
                // The energy is χ²/2c² + N ln c and a constant.
                let half = ((u - data.constant - points * c.ln()) * c * c).max(0.0);
                (half, scale.ln_norm(2.0 * half))
            };
            cold.zip(draws.chunks_exact(problem.dimension())).map(each).collect::<Vec<_>>()
        };
        let blocks: Vec<Vec<_>> = samples.rows.iter().zip(&samples.draws).map(of_block).collect();
        if blocks.len() < 2 || blocks.iter().any(Vec::is_empty) {
            return None;
        }
        let solved = solve(&samples, &sampled.betas, free.rungs.clone());
        let shifts = solved.shifts.iter().map(|s| s.last().copied().unwrap_or(0.0)).collect();
        Some(Self { points, free: free.value, shifts, bounds: scale.bounds(), blocks })
    }

    /// ln of the density of ln c given the draw: −N ln c − χ²/2c² − its norm.
    fn ln_conditional(&self, b: f64, (half, ln_norm): (f64, f64)) -> f64 {
        0.5 * self.points * b.ln() - b * half - ln_norm
    }

    /// ln of the mean of the conditionals' densities, and over all draws with these weights the mean and the variance of χ²/2.
    fn weighted(&self, b: f64) -> (f64, f64, f64) {
        let all = || self.blocks.iter().flatten().map(|draw| (self.ln_conditional(b, *draw), draw.0));
        let (largest, least) = all().fold((f64::NEG_INFINITY, f64::INFINITY), |(l, m), (w, half)| (l.max(w), m.min(half)));
        let (mut sum, mut first, mut second, mut n) = (0.0, 0.0, 0.0, 0.0);
        for (ln_weight, half) in all() {
            let (weight, d) = ((ln_weight - largest).exp(), half - least);
            n += 1.0;
            sum += weight;
            first += weight * d;
            second += weight * d * d;
        }
        let mean = first / sum;
        (largest + (sum / n).ln(), least + mean, second / sum - mean * mean)
    }
}

impl Curve for Inferred {
    fn points(&self) -> f64 {
        self.points
    }

    fn range(&self) -> (f64, f64) {
        self.bounds
    }

    fn edges(&self) -> [Edge; 2] {
        [Edge::Low, Edge::High]
    }

    /// From the smallest to the largest of the draws' own √(χ²/N), and beyond: the slope has one sign outside.
    fn grid(&self) -> Vec<f64> {
        let sd = self.least_sd();
        let own = self.blocks.iter().flatten().map(|(half, _)| 0.5 * (2.0 * half / self.points).ln());
        let (from, to) = own.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = (self.bounds.0.ln(), self.bounds.1.ln());
        even((from - sd).clamp(low, high), (to + sd).clamp(low, high), sd).0
    }

    fn moments(&self, b: f64) -> Moments {
        let (ln_density, mean, variance) = self.weighted(b);
        let ln_prior = -(self.bounds.1 / self.bounds.0).ln().ln();
        Moments { free_energy: self.free - ln_density + ln_prior, mean, variance }
    }

    /// By leaving out one block each, of the candidate's F too.
    fn errors(&self, b: f64) -> (f64, f64) {
        let (ln_density, mean, _) = self.weighted(b);
        let sizes: Vec<f64> = self.blocks.iter().map(|block| block.len() as f64).collect();
        // Weights have mean 1, so that all of them add up to the number of draws.
        let draws: f64 = sizes.iter().sum();
        let without = |(block, shift): (&Vec<(f64, f64)>, &f64)| {
            let weights = block.iter().map(|draw| ((self.ln_conditional(b, *draw) - ln_density).exp(), draw.0 - mean));
            let (sum, lean) = weights.fold((0.0, 0.0), |(sum, lean), (w, d)| (sum + w, lean + w * d));
            let density = (draws - sum) / (draws - block.len() as f64);
            (shift - density.ln(), -lean / (draws - sum))
        };
        let (free, mean): (Vec<f64>, Vec<f64>) = self.blocks.iter().zip(&self.shifts).map(without).unzip();
        (jackknife_se(&free, &sizes), jackknife_se(&mean, &sizes))
    }
}
