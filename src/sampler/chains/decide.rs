//! Decisions: which proposals become states.

use super::super::rivals::{Rival, choose};
use super::super::walks::Decide;
use super::{Chains, Trial};
use crate::models::level;
use crate::noise;

impl Chains<'_> {
    /// Decides the proposals: reads these chains' share of the misfits from the front of `misfits` and appends its choices.
    pub fn decide(&mut self, step: usize, misfits: &mut &[f64], choices: &mut Vec<bool>) {
        if self.abreast {
            self.decide_abreast(step, misfits, choices);
        }
        let m = self.problem.measurements.len();
        for at in 0..self.due.len() {
            let place = self.due[at] as usize;
            let first = place * self.proposals;
            if self.state[first] == Trial::None {
                continue;
            }
            self.from.clear();
            self.from.extend(self.theta.row(place));
            let mut rest = *misfits;
            let mut count = 0;
            while count < self.proposals && self.state[first + count] != Trial::None {
                self.rivals[count] = match self.state[first + count] {
                    Trial::None | Trial::Refused => Rival::REFUSED,
                    Trial::Free => self.rival(place, first + count, None),
                    Trial::Evaluated => {
                        let (new, others) = rest.split_at(m);
                        rest = others;
                        self.rival(place, first + count, Some(new))
                    }
                };
                count += 1;
            }
            self.bridge(place);
            let chosen = if self.betas[place] == 0.0 {
                (self.rivals[0].ln_weight > f64::NEG_INFINITY).then_some(0)
            } else {
                let chosen = choose(&self.rivals[..count], &mut self.streams[place]);
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
                    self.accept(place, at, new);
                }
            }
        }
    }

    /// The same of a walk of which each walker has one proposal, where noise has no free parameter.
    fn decide_abreast(&mut self, step: usize, misfits: &mut &[f64], choices: &mut Vec<bool>) {
        let decide = Decide {
            problem: self.problem,
            step,
            places: self.walker_of.len(),
            betas: &self.betas,
            proposed: &self.proposed,
            state: &self.state,
            ln_ratio: &self.ln_ratio,
            theta: &mut self.theta,
            misfits: &mut self.misfits,
            energy: &mut self.energy,
            tuning: &mut self.tuning,
            new: misfits,
            choices,
        };
        let (read, broken) = level::on(self.level, decide);
        *misfits = &misfits[read..];
        self.broken += broken;
    }

    /// Adds a state for which fresh draws are proposed, and the first of them, to what tells of Z.
    fn bridge(&mut self, place: usize) {
        let (excess, beta) = (std::mem::replace(&mut self.excess[place], f64::NAN), self.betas[place]);
        let integrated = || noise::untold(self.problem, beta, &self.scales);
        let Some(untold) = (!excess.is_nan()).then(integrated).flatten() else { return };
        let energy = if self.scales.is_empty() { beta * self.energy[place] } else { self.present(place) + untold };
        let own = excess - energy;
        self.told = true;
        self.bridges[place].add(own, own + self.rivals[0].ln_weight);
    }

    /// What the state of a place is decided on where scales are integrated out.
    fn present(&mut self, place: usize) -> f64 {
        if self.tempered[place].is_nan() {
            let m = self.problem.measurements.len();
            let misfits = &self.misfits[place * m..(place + 1) * m];
            self.tempered[place] = noise::tempered(self.problem, misfits, &self.from, self.betas[place], &self.scales);
        }
        self.tempered[place]
    }

    /// What speaks for a proposal at a place, by its misfits; none: they stay what they are.
    #[inline(always)]
    fn rival(&mut self, place: usize, at: usize, new: Option<&[f64]>) -> Rival {
        let (d, m) = (self.problem.dimension(), self.problem.measurements.len());
        let beta = self.betas[place];
        let (misfits, trial) = (new.unwrap_or(&self.misfits[place * m..(place + 1) * m]), &self.trial[at * d..(at + 1) * d]);
        let collapsed = self.scales.iter().any(|s| s.collapses(beta));
        let energy = if collapsed { f64::INFINITY } else { noise::energy(self.problem, misfits, trial) };
        let mut tempered = f64::NAN;
        let rise = if collapsed {
            tempered = noise::tempered(self.problem, misfits, trial, beta, &self.scales);
            tempered - self.present(place)
        } else if beta == 0.0 {
            // Whatever it is, it is a draw of the prior.
            if energy.is_nan() { f64::NAN } else { 0.0 }
        } else {
            beta * (energy - self.energy[place])
        };
        if rise.is_nan() {
            self.broken += 1;
            return Rival::REFUSED;
        }
        Rival { ln_weight: self.ln_ratio[at] - rise, energy, tempered }
    }

    /// Makes a proposal the state of a place, with its misfits if they are new.
    #[inline(always)]
    fn accept(&mut self, place: usize, at: usize, new: Option<&[f64]>) {
        let (d, m) = (self.problem.dimension(), self.problem.measurements.len());
        let (beta, Rival { energy, tempered, .. }) = (self.betas[place], self.rivals[at - place * self.proposals]);
        let misfits = &mut self.misfits[place * m..(place + 1) * m];
        if let Some(new) = new {
            misfits.copy_from_slice(new);
        }
        let trial = &mut self.trial[at * d..(at + 1) * d];
        let mut drawn = false;
        for scale in self.scales.iter().filter(|s| s.collapses(beta)) {
            trial[scale.parameter] = scale.draw(beta, misfits[scale.measurement], &mut self.streams[place]);
            drawn = true;
        }
        self.energy[place] = if drawn { noise::energy(self.problem, misfits, trial) } else { energy };
        self.tempered[place] = tempered;
        self.theta.set(place, trial);
    }
}
