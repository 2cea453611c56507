//! Metropolis's rule for the proposals of a walk, one a walker, where noise has no free parameter.

use fearless_simd::Simd;

use super::Proposed;
use crate::models::level::OnLevel;
use crate::models::{ABREAST, Number};
use crate::noise;
use crate::problem::Problem;
use crate::sampler::adapt::Tuning;
use crate::sampler::chains::Trial;
use crate::sampler::parameters::Parameters;

/// All places of some ladders.
pub struct Decide<'a> {
    pub problem: &'a Problem,
    /// Which move of the sweep it is.
    pub step: usize,
    pub places: usize,
    pub betas: &'a [f64],
    pub proposed: &'a Proposed,
    pub state: &'a [Trial],
    pub ln_ratio: &'a [f64],
    pub theta: &'a mut Parameters,
    pub misfits: &'a mut [f64],
    pub energy: &'a mut [f64],
    pub tuning: &'a mut Tuning,
    /// Misfits of those proposals that were handed on.
    pub new: &'a [f64],
    /// What becomes of them.
    pub choices: &'a mut Vec<bool>,
}

impl OnLevel for Decide<'_> {
    /// How many misfits were read, and how many proposals had an energy that is no number.
    type Output = (usize, u64);

    #[inline(always)]
    fn on<S: Simd>(mut self, simd: S) -> (usize, u64) {
        simd.vectorize(
            #[inline(always)]
            || {
                let (mut read, mut broken) = (0, 0);
                for first in (0..self.places).step_by(ABREAST) {
                    broken += self.some(first, &mut read);
                }
                (read, broken)
            },
        )
    }
}

impl Decide<'_> {
    /// Those abreast, of which not all may have made the move.
    #[inline(always)]
    fn some(&mut self, first: usize, read: &mut usize) -> u64 {
        let (m, all) = (self.problem.measurements.len(), first..first + ABREAST);
        let (state, ln_ratio, uniform) = (&self.state[all.clone()], &self.ln_ratio[all.clone()], &self.proposed.uniform[all.clone()]);
        let (betas, energy, misfits) =
            (&self.betas[all.clone()], &mut self.energy[all], &mut self.misfits[first * m..(first + ABREAST) * m]);
        let (mut tries, mut open, mut evaluated, mut at) = ([false; ABREAST], [false; ABREAST], [false; ABREAST], [0; ABREAST]);
        for lane in 0..ABREAST {
            // At β = 0 it is another move.
            tries[lane] = betas[lane] > 0.0;
            tries[lane] &= state[lane] != Trial::None;
            evaluated[lane] = tries[lane];
            evaluated[lane] &= state[lane] == Trial::Evaluated;
            open[lane] = tries[lane];
            open[lane] &= state[lane] != Trial::Refused;
        }
        let (new, mut count) = (&self.new[*read..], 0);
        for lane in 0..ABREAST {
            at[lane] = count * m;
            count += usize::from(evaluated[lane]);
        }
        *read += count * m;
        let mut there = [0.0; ABREAST];
        for (j, data) in self.problem.measurements.iter().enumerate() {
            let mut misfit = [0.0; ABREAST];
            for lane in 0..ABREAST {
                misfit[lane] = if evaluated[lane] { new[at[lane] + j] } else { misfits[lane * m + j] };
            }
            noise::add_known(data, &misfit, &mut there);
        }
        let (mut ln_weight, mut broken, mut taken) = ([0.0; ABREAST], 0, [false; ABREAST]);
        for lane in 0..ABREAST {
            let rise = betas[lane] * (there[lane] - energy[lane]);
            broken += u64::from(rise.is_nan() & open[lane]);
            ln_weight[lane] = ln_ratio[lane] - rise;
        }
        for lane in 0..ABREAST {
            taken[lane] = open[lane] & ((ln_weight[lane] >= 0.0) | (uniform[lane] < Number::exp(ln_weight[lane])));
        }
        self.tuning.count_abreast(first, self.step, &tries, &taken);
        for lane in 0..ABREAST {
            energy[lane] = if taken[lane] { there[lane] } else { energy[lane] };
        }
        for (row, &i) in self.proposed.changed.iter().enumerate() {
            let (state, proposed) = (self.theta.abreast_mut(i, first), self.proposed.values.abreast(row, first));
            for lane in 0..ABREAST {
                state[lane] = if taken[lane] { proposed[lane] } else { state[lane] };
            }
        }
        for lane in 0..ABREAST {
            if taken[lane] & evaluated[lane] {
                for j in 0..m {
                    misfits[lane * m + j] = new[at[lane] + j];
                }
            }
        }
        let before = self.choices.len();
        self.choices.resize(before + ABREAST, false);
        let choices = &mut self.choices[before..];
        let mut chosen = 0;
        for lane in 0..ABREAST {
            if evaluated[lane] {
                choices[chosen] = taken[lane];
                chosen += 1;
            }
        }
        self.choices.truncate(before + count);
        broken
    }
}
