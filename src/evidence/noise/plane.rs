//! F of a joint candidate as a function of two noises, those of two measurements whose scales are inferred: from the draws of the posterior.
//!
//! Given the other parameters the scales are independent, so that the mean over the draws of the product of their conditionals is
//! p(ln c₁, ln c₂ | D), and F(c₁, c₂) = F − ln p(ln c₁, ln c₂ | D) + ln p(ln c₁) + ln p(ln c₂), as for one scale.

use serde::{Deserialize, Serialize};

use super::super::{FreeEnergy, jackknife_se};
use crate::engine::oracle;
use crate::noise::Scale;
use crate::problem::Problem;
use crate::sampler::{Record, Sampled};

/// Most draws that the mean is over: the misfits of each are computed anew, and more would not show.
const DRAWS: usize = 2000;
/// Points on either side of the middle, and their distance in standard deviations of ln c.
const SIDE: usize = 8;
const SPACING: f64 = 0.5;
/// Steps towards the minimum. Each shrinks the distance by λ/N, some ten times.
const STEPS: usize = 60;

/// F(c₁, c₂) around its minimum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoisePlane {
    /// The two measurements.
    pub measurements: [String; 2],
    /// Factors of the first and of the second one's σ, ascending, evenly spaced in ln c.
    pub scales: [Vec<f64>; 2],
    /// F in nats, all constants kept: for each factor of the first measurement, at all of the second.
    pub free_energies: Vec<f64>,
    /// ĉ₁ and ĉ₂, where F is least.
    pub best: [f64; 2],
    /// Their standard errors, from copies: how well the run knows them, not how well the data do.
    pub best_se: [f64; 2],
    /// F(ĉ₁, ĉ₂) in nats. It has seen the data twice and is no part of any probability.
    pub free_energy: f64,
}

/// A draw: for each of the two measurements, half its misfit in units of the stated σ and ln of the norm of its conditional in ln c.
type Draw = [(f64, f64); 2];

/// What F is computed from.
struct Pair {
    scales: [Scale; 2],
    points: [f64; 2],
    /// The draws of each copy.
    copies: Vec<Vec<Draw>>,
}

impl NoisePlane {
    /// Of a problem with exactly two scales that are inferred. None for other noise, where there are half as many parameters as points, and
    /// where F is least at a bound of a scale.
    pub fn of(problem: &Problem, sampled: &Sampled, free: &FreeEnergy) -> Option<Self> {
        let pair = Pair::of(problem, sampled)?;
        let best = pair.least(None)?;
        let without: Vec<[f64; 2]> = (0..pair.copies.len()).map(|copy| pair.least(Some(copy))).collect::<Option<_>>()?;
        let sizes: Vec<f64> = pair.copies.iter().map(|copy| copy.len() as f64).collect();
        let se = |m: usize| jackknife_se(&without.iter().map(|c| c[m]).collect::<Vec<_>>(), &sizes);
        let scales = [0, 1].map(|m| pair.around(m, best[m]));
        let ln_prior: f64 = pair.scales.iter().map(|s| -(s.bounds().1 / s.bounds().0).ln().ln()).sum();
        let at = |c: [f64; 2]| free.value - pair.ln_density(c) + ln_prior;
        Some(Self {
            measurements: pair.scales.map(|s| problem.measurements[s.measurement].name.clone()),
            free_energies: scales[0].iter().flat_map(|&a| scales[1].iter().map(move |&b| [a, b])).map(at).collect(),
            free_energy: at(best),
            best_se: [se(0), se(1)],
            best,
            scales,
        })
    }
}

impl Pair {
    fn of(problem: &Problem, sampled: &Sampled) -> Option<Self> {
        let scales: [Scale; 2] = Scale::of(problem).try_into().ok()?;
        if 2 * problem.dimension() >= problem.points() {
            return None;
        }
        let all: usize = sampled.copies.iter().map(Record::rows).sum();
        let draw = |theta: &[f64]| {
            let misfits = oracle::misfits(problem, theta)?;
            Some(scales.map(|s| (0.5 * misfits[s.measurement], s.ln_norm(misfits[s.measurement]))))
        };
        let of_copy = |copy: &Record| {
            copy.draws.chunks_exact(problem.dimension()).step_by(all.div_ceil(DRAWS).max(1)).map(draw).collect::<Option<Vec<Draw>>>()
        };
        let copies = sampled.copies.iter().map(of_copy).collect::<Option<Vec<_>>>()?;
        let points = scales.map(|s| problem.measurements[s.measurement].t.len() as f64);
        (copies.len() > 1 && copies.iter().all(|copy| !copy.is_empty())).then_some(Self { scales, points, copies })
    }

    /// ln of the density of (ln c₁, ln c₂) given a draw: Σ −N ln c − χ²/2c² − its norm.
    fn ln_conditional(&self, c: [f64; 2], draw: &Draw) -> f64 {
        [0, 1].map(|m| -self.points[m] * c[m].ln() - draw[m].0 / (c[m] * c[m]) - draw[m].1).iter().sum()
    }

    fn draws(&self, without: Option<usize>) -> impl Iterator<Item = &Draw> {
        self.copies.iter().enumerate().filter(move |(copy, _)| Some(*copy) != without).flat_map(|(_, draws)| draws)
    }

    /// ln of the mean of the conditionals' densities.
    fn ln_density(&self, c: [f64; 2]) -> f64 {
        let all: Vec<f64> = self.draws(None).map(|draw| self.ln_conditional(c, draw)).collect();
        let largest = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + (all.iter().map(|v| (v - largest).exp()).sum::<f64>() / all.len() as f64).ln()
    }

    /// Where F is least: c² = ⟨χ²⟩/N over the posterior at that noise, for each measurement (Tokuda, Nagata, Okada 2017), by repetition.
    fn least(&self, without: Option<usize>) -> Option<[f64; 2]> {
        let count = self.draws(without).count() as f64;
        let mut c = [0, 1].map(|m| (self.draws(without).map(|draw| 2.0 * draw[m].0).sum::<f64>() / (count * self.points[m])).sqrt());
        for _ in 0..STEPS {
            let weights: Vec<f64> = self.draws(without).map(|draw| self.ln_conditional(c, draw)).collect();
            let largest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (mut sum, mut misfits) = (0.0, [0.0; 2]);
            for (draw, ln_weight) in self.draws(without).zip(weights) {
                let weight = (ln_weight - largest).exp();
                sum += weight;
                misfits.iter_mut().zip(draw).for_each(|(misfit, own)| *misfit += weight * 2.0 * own.0);
            }
            c = [0, 1].map(|m| (misfits[m] / (sum * self.points[m])).sqrt());
        }
        let inside = |m: usize| (self.scales[m].bounds().0..=self.scales[m].bounds().1).contains(&c[m]);
        (inside(0) && inside(1)).then_some(c)
    }

    /// Factors around one, within the prior's bounds. Given a draw, ln c has the variance 1/2N at least; that of the draws' own comes on top.
    fn around(&self, m: usize, best: f64) -> Vec<f64> {
        let own: Vec<f64> = self.draws(None).map(|draw| 0.5 * (2.0 * draw[m].0 / self.points[m]).ln()).collect();
        let (n, mean) = (own.len() as f64, own.iter().sum::<f64>() / own.len() as f64);
        let sd = (own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n + 0.5 / self.points[m]).sqrt();
        let (low, high) = self.scales[m].bounds();
        let at = |i: usize| (best.ln() + (i as f64 - SIDE as f64) * SPACING * sd).exp();
        (0..=2 * SIDE).map(at).filter(|c| (low..=high).contains(c)).collect()
    }
}
