//! Decisions: which proposals become states.

use super::super::rivals::{Rival, choose};
use super::super::walks::{Decide, Room};
use super::{Chains, Trial};
use crate::engine::cpu::level;
use crate::noise;

impl Chains<'_> {
    /// Decides the proposals: reads these chains' share of the misfits from the front of `misfits` and appends its choices.
    pub fn decide(&mut self, step: usize, misfits: &mut &[f64], choices: &mut Vec<bool>, room: &mut Room) {
        if self.abreast {
            return self.decide_abreast(step, misfits, choices, room);
        }
        let m = self.problem.measurements.len();
        for at in 0..self.due.len() {
            let w = self.due[at] as usize;
            let (place, first) = (self.place_of[w] as usize, w * self.proposals);
            if self.state[first] == Trial::None {
                continue;
            }
            let mut rest = *misfits;
            let mut count = 0;
            while count < self.proposals && self.state[first + count] != Trial::None {
                self.rivals[count] = match self.state[first + count] {
                    Trial::None | Trial::Refused => Rival::REFUSED,
                    Trial::Free => self.rival(w, first + count, None),
                    Trial::Evaluated => {
                        let (new, others) = rest.split_at(m);
                        rest = others;
                        self.rival(w, first + count, Some(new))
                    }
                };
                count += 1;
            }
            self.bridge(w, place);
            let chosen = if self.betas[place] == 0.0 {
                (self.rivals[0].ln_weight > f64::NEG_INFINITY).then_some(0)
            } else {
                let chosen = choose(&self.rivals[..count], &mut self.streams[w]);
                self.tuning.count(place, step, chosen.is_some());
                chosen
            };
            for at in first..first + count {
                let keep = chosen == Some(at - first);
                let mut new = None;
                if self.state[at] == Trial::Evaluated {
                    let (own, others) = misfits.split_at(m);
                    (new, *misfits) = (Some(own), others);
                    choices.push(keep);
                }
                if keep {
                    self.accept(w, at, new);
                }
            }
            self.return_to(w, if chosen.is_some() { self.proposals } else { count });
        }
    }

    /// The same where each walker has one proposal, all change the same parameters, and no scale is integrated out.
    fn decide_abreast(&mut self, step: usize, misfits: &mut &[f64], choices: &mut Vec<bool>, room: &mut Room) {
        let (problem, d, m) = (self.problem, self.problem.dimension(), self.problem.measurements.len());
        let Room { energy, ln_weight, uniform, taken, .. } = room;
        [&mut *energy, ln_weight, uniform].into_iter().for_each(Vec::clear);
        taken.clear();
        let mut rest = *misfits;
        for &w in &self.due {
            let (w, beta) = (w as usize, self.beta(w as usize));
            let mut own = &self.misfits[w * m..(w + 1) * m];
            if self.state[w] == Trial::Evaluated {
                (own, rest) = rest.split_at(m);
            }
            let new = noise::energy(problem, own, &self.trial[w * d..(w + 1) * d]);
            // Whatever it is, at β = 0 it is a draw of the prior.
            let rise = if beta > 0.0 { beta * (new - self.energy[w]) } else { 0.0 };
            let (refused, broken) = (matches!(self.state[w], Trial::None | Trial::Refused), new.is_nan() || rise.is_nan());
            self.broken += u64::from(broken && !refused);
            energy.push(new);
            ln_weight.push(if refused || broken { f64::NAN } else { self.ln_ratio[w] - rise });
            uniform.push(self.uniform[w]);
        }
        taken.resize(self.due.len(), false);
        level::on(self.level, Decide { ln_weight, uniform, taken });
        for (at, &w) in self.due.iter().enumerate() {
            let (w, keep, place) = (w as usize, taken[at], self.place_of[w as usize] as usize);
            let afresh = self.betas[place] == 0.0;
            if self.state[w] == Trial::None {
                continue;
            }
            if !afresh {
                self.tuning.count(place, step, keep);
            }
            let (state, trial) = (&mut self.theta[w * d..(w + 1) * d], &mut self.trial[w * d..(w + 1) * d]);
            if self.state[w] == Trial::Evaluated {
                let own;
                (own, *misfits) = misfits.split_at(m);
                if keep {
                    self.misfits[w * m..(w + 1) * m].copy_from_slice(own);
                }
                choices.push(keep);
            }
            if keep {
                self.energy[w] = energy[at];
                self.tempered[w] = f64::NAN;
            }
            match (keep, afresh) {
                (true, true) => state.copy_from_slice(trial),
                (false, true) => trial.copy_from_slice(state),
                (true, false) => self.changed.iter().for_each(|&i| state[i] = trial[i]),
                (false, false) => self.changed.iter().for_each(|&i| trial[i] = state[i]),
            }
        }
    }

    /// Adds a state for which fresh draws are proposed, and the first of them, to what tells of Z.
    fn bridge(&mut self, w: usize, place: usize) {
        let (excess, beta) = (std::mem::replace(&mut self.excess[w], f64::NAN), self.betas[place]);
        let integrated = || noise::untold(self.problem, beta, &self.scales);
        let Some(untold) = (!excess.is_nan()).then(integrated).flatten() else { return };
        let energy = if self.scales.is_empty() { beta * self.energy[w] } else { self.present(w, beta) + untold };
        let own = excess - energy;
        self.told = true;
        self.bridges[place].add(own, own + self.rivals[0].ln_weight);
    }

    /// What a walker's state is decided on where scales are integrated out.
    fn present(&mut self, w: usize, beta: f64) -> f64 {
        if self.tempered[w].is_nan() {
            let (d, m) = (self.problem.dimension(), self.problem.measurements.len());
            let (misfits, theta) = (&self.misfits[w * m..(w + 1) * m], &self.theta[w * d..(w + 1) * d]);
            self.tempered[w] = noise::tempered(self.problem, misfits, theta, beta, &self.scales);
        }
        self.tempered[w]
    }

    /// What speaks for a proposal of a walker, by its misfits; none: they stay what they are.
    #[inline(always)]
    fn rival(&mut self, w: usize, at: usize, new: Option<&[f64]>) -> Rival {
        let (d, m) = (self.problem.dimension(), self.problem.measurements.len());
        let beta = self.beta(w);
        let (misfits, trial) = (new.unwrap_or(&self.misfits[w * m..(w + 1) * m]), &self.trial[at * d..(at + 1) * d]);
        let collapsed = self.scales.iter().any(|s| s.collapses(beta));
        let energy = if collapsed { f64::INFINITY } else { noise::energy(self.problem, misfits, trial) };
        let mut tempered = f64::NAN;
        let rise = if collapsed {
            tempered = noise::tempered(self.problem, misfits, trial, beta, &self.scales);
            tempered - self.present(w, beta)
        } else if beta == 0.0 {
            // Whatever it is, it is a draw of the prior.
            if energy.is_nan() { f64::NAN } else { 0.0 }
        } else {
            beta * (energy - self.energy[w])
        };
        if rise.is_nan() {
            self.broken += 1;
            return Rival::REFUSED;
        }
        Rival { ln_weight: self.ln_ratio[at] - rise, energy, tempered }
    }

    /// Makes a proposal the state of a walker, with its misfits if they are new.
    #[inline(always)]
    fn accept(&mut self, w: usize, at: usize, new: Option<&[f64]>) {
        let (d, m) = (self.problem.dimension(), self.problem.measurements.len());
        let (beta, Rival { energy, tempered, .. }) = (self.beta(w), self.rivals[at - w * self.proposals]);
        let misfits = &mut self.misfits[w * m..(w + 1) * m];
        if let Some(new) = new {
            misfits.copy_from_slice(new);
        }
        let trial = &mut self.trial[at * d..(at + 1) * d];
        let mut drawn = false;
        for scale in self.scales.iter().filter(|s| s.collapses(beta)) {
            trial[scale.parameter] = scale.draw(beta, misfits[scale.measurement], &mut self.streams[w]);
            drawn = true;
        }
        self.energy[w] = if drawn { noise::energy(self.problem, misfits, trial) } else { energy };
        self.tempered[w] = tempered;
        self.theta[w * d..(w + 1) * d].copy_from_slice(trial);
    }
}
