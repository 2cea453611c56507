//! F of a candidate as a function of the noise where the scale of σ is inferred: from the draws of the posterior alone.
//!
//! Given the other parameters, c has a density in closed form, p(ln c | θ, D) ∝ c^(−N) exp(−χ²/2c²) between the prior's bounds, and its mean
//! over the draws is p(ln c | D) (Gelfand and Smith, JASA 85 (1990) 398). Bayes' theorem makes of it F(c) = F − ln p(ln c | D) + ln p(ln c),
//! continuous in c, each candidate around its own ĉ: no pilot run and no base noise are needed.

use super::super::{FreeEnergy, Samples, jackknife_se, solve};
use super::{Curve, Edge, HALVINGS, Least, Minimum, SPACING};
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

/// At one b = 1/c², over all draws weighted by their conditionals' densities.
struct Moments {
    /// ln of the mean density in ln c.
    ln_density: f64,
    /// ⟨χ²/2⟩.
    mean: f64,
    /// Its variance.
    variance: f64,
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

    fn moments(&self, b: f64) -> Moments {
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
        Moments { ln_density: largest + (sum / n).ln(), mean: least + mean, variance: second / sum - mean * mean }
    }

    /// dF/d ln c = N − b⟨χ²⟩.
    fn slope(&self, ln_c: f64) -> f64 {
        let b = (-2.0 * ln_c).exp();
        self.points - 2.0 * b * self.moments(b).mean
    }

    /// F and ⟨χ²/2⟩ at b with each block left out, less their values with all.
    fn shifts(&self, b: f64, m: &Moments) -> (Vec<f64>, Vec<f64>) {
        let own = |block: &Vec<(f64, f64)>| {
            let weights = block.iter().map(|draw| ((self.ln_conditional(b, *draw) - m.ln_density).exp(), draw.0 - m.mean));
            weights.fold((0.0, 0.0), |(sum, lean), (w, d)| (sum + w, lean + w * d))
        };
        // Weights have mean 1, so that all of them add up to the number of draws.
        let draws: f64 = self.blocks.iter().map(|block| block.len() as f64).sum();
        let without = |(block, shift): (&Vec<(f64, f64)>, &f64)| {
            let (sum, lean) = own(block);
            let density = (draws - sum) / (draws - block.len() as f64);
            (shift - density.ln(), -lean / (draws - sum))
        };
        self.blocks.iter().zip(&self.shifts).map(without).unzip()
    }

    fn minimum(&self, ln_c: f64) -> Minimum {
        let b = (-2.0 * ln_c).exp();
        let m = self.moments(b);
        let (free, mean) = self.shifts(b, &m);
        let sizes: Vec<f64> = self.blocks.iter().map(|block| block.len() as f64).collect();
        let heat = b * b * m.variance;
        let scale = ln_c.exp();
        Minimum {
            scale,
            scale_se: scale * b * jackknife_se(&mean, &sizes) / (self.points - 2.0 * heat).abs(),
            free_energy: self.free_energy(scale),
            free_energy_se: jackknife_se(&free, &sizes),
            ln_b_sd: (0.5 * self.points - heat).powf(-0.5),
        }
    }

    /// ln c from the smallest to the largest of the draws' own √(χ²/N), and a step beyond: the slope has one sign outside.
    fn grid(&self) -> Vec<f64> {
        let step = SPACING * self.least_sd();
        let own = self.blocks.iter().flatten().map(|(half, _)| 0.5 * (2.0 * half / self.points).ln());
        let (from, to) = own.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = (self.bounds.0.ln(), self.bounds.1.ln());
        let (from, to) = ((from - step).clamp(low, high), (to + step).clamp(low, high));
        let pieces = ((to - from) / step).ceil().max(1.0);
        (0..=pieces as usize).map(|i| from + (to - from) * i as f64 / pieces).collect()
    }
}

impl Curve for Inferred {
    fn free_energy(&self, scale: f64) -> f64 {
        let ln_prior = -(self.bounds.1 / self.bounds.0).ln().ln();
        self.free - self.moments(scale.powi(-2)).ln_density + ln_prior
    }

    fn points(&self) -> f64 {
        self.points
    }

    fn range(&self) -> (f64, f64) {
        self.bounds
    }

    fn least(&self) -> Least {
        let grid = self.grid();
        let value = |ln_c: f64| self.free_energy(ln_c.exp());
        let (low, high) = (value(grid[0]), value(grid[grid.len() - 1]));
        let edge = if low <= high { Edge::Low } else { Edge::High };
        let mut least = (low.min(high), None);
        let slopes: Vec<f64> = grid.iter().map(|ln_c| self.slope(*ln_c)).collect();
        for (at, slope) in grid.windows(2).zip(slopes.windows(2)) {
            if slope[0] < 0.0 && slope[1] >= 0.0 {
                let (mut from, mut to) = (at[0], at[1]);
                for _ in 0..HALVINGS {
                    let middle = 0.5 * (from + to);
                    if self.slope(middle) < 0.0 { from = middle } else { to = middle }
                }
                let ln_c = 0.5 * (from + to);
                if value(ln_c) < least.0 {
                    least = (value(ln_c), Some(ln_c));
                }
            }
        }
        match least.1 {
            Some(ln_c) => Least::Minimum(self.minimum(ln_c)),
            None => Least::Edge(edge),
        }
    }
}
