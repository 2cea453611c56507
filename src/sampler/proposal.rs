//! What a move proposes: new parameters, and the ratio of priors and proposals that enters the acceptance.

use rand::RngExt;

use super::guide::Guide;
use super::mixture::{Mixture, Odds};
use super::normal::{Approximation, Length};
use super::refit::Memory;
use super::rivals::Centre;
use super::schedule::{Kind, Move, Peak, Target};
use crate::noise::{self, Scale};
use crate::problem::Problem;
use crate::random::Stream;

/// The steps of one move at one rung.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Common factor.
    pub scale: f64,
    /// Spread of the parameter that steps, in its coordinate; 0 where none has one.
    pub spread: f64,
}

/// What a move has learned at one rung.
#[derive(Debug)]
pub struct Tuned<'a> {
    /// Its steps.
    pub step: Step,
    /// What its proposals have in common.
    pub centre: Centre<'a>,
    /// Where peaks have been seen.
    pub mixture: &'a Mixture,
    /// The posterior's approximation.
    pub normals: Option<&'a Approximation>,
    /// Inverse temperature.
    pub beta: f64,
    /// What refits remember.
    pub memories: &'a mut [Memory],
    /// Scales that are inferred.
    pub scales: &'a [Scale],
    /// ln of the prior over the approximation at the state, where the step is a fresh draw.
    pub excess: &'a mut f64,
}

/// Share of relocations that go where peaks have been seen, once any have.
const LEARNED: f64 = 0.75;

/// Changes `to` and returns ln of the ratio of priors and proposals, or none where the prior is zero there.
pub fn change(
    problem: &Problem,
    what: &Move,
    Target { parameters, peaks, .. }: &Target,
    Tuned { step, centre, mixture, normals, beta, memories, scales, excess }: Tuned<'_>,
    from: &[f64],
    to: &mut [f64],
    stream: &mut Stream,
) -> Option<f64> {
    let mut ln_ratio = 0.0;
    match what.kind {
        Kind::Renew => {
            for &i in parameters {
                to[i] = problem.parameters[i].prior.sample(stream);
            }
            // The proposal is the prior itself: both cancel.
            return within(problem, parameters, to).then_some(0.0);
        }
        Kind::Relocate | Kind::Refit => {
            let place = Placement { problem, guide: what.guide.as_ref()?, mixture, beta };
            for peak in peaks {
                ln_ratio += place.relocate(peak, from, to, stream)?;
            }
            if what.kind == Kind::Refit {
                let refit = what.refit.as_ref()?;
                let drawn = refit.draw(problem, (beta, peaks), &mut memories[refit.measurement], from, to, stream)?;
                if !within(problem, &refit.parameters, to) {
                    return None;
                }
                ln_ratio += drawn.ln_ratio + priors(problem, &refit.parameters, from, to);
                // Accepted in two stages (Christen and Fox, J. Comput. Graph. Stat. 14 (2005) 795): first by the misfits that the refit knows, which
                // refuse nearly all of what would be refused; then the engine's correct what they are off by.
                if let Some([here, there]) = drawn.misfits {
                    let part = |misfit, theta: &[f64]| noise::tempered_part(problem, refit.measurement, misfit, theta, beta, scales);
                    let rise = part(there, to) - part(here, from);
                    let passed = ln_ratio >= rise || stream.random::<f64>() < (ln_ratio - rise).exp();
                    return passed.then_some(rise);
                }
            }
            return (ln_ratio > f64::NEG_INFINITY).then_some(ln_ratio);
        }
        Kind::Whole => {
            let normals = normals?;
            let length = if what.rate.is_none() || normals.fresh { Length::Fresh } else { Length::Within(step.scale.min(1.0)) };
            let places = what.places.as_ref()?;
            let stepped = places.step(normals, (length, centre), from, to, stream);
            if length == Length::Fresh {
                *excess = places.ln_prior(problem, from) - stepped.ln_here;
            }
            ln_ratio += stepped.allowed.then_some(stepped.ln_ratio)?;
        }
        // Made for many walkers abreast: see `walks`.
        Kind::Walk => return None,
        Kind::Trade => {
            let delta = step.scale * step.spread * centre.step(0, 1.0, stream);
            to[parameters[0]] += delta;
            to[parameters[1]] -= delta;
        }
        Kind::Spread => {
            let delta = step.scale * step.spread * centre.step(0, 1.0, stream);
            let (a, b) = (from[parameters[2]].abs(), from[parameters[3]].abs());
            if a + b <= 0.0 {
                return None;
            }
            to[parameters[0]] += delta * b / (a + b);
            to[parameters[1]] -= delta * a / (a + b);
        }
    }
    if !within(problem, parameters, to) {
        return None;
    }
    ln_ratio += priors(problem, parameters, from, to);
    (ln_ratio > f64::NEG_INFINITY).then_some(ln_ratio)
}

/// Where peaks are put: where peaks have been seen, or anywhere.
#[derive(Debug)]
struct Placement<'a> {
    problem: &'a Problem,
    guide: &'a Guide,
    mixture: &'a Mixture,
    beta: f64,
}

impl Placement<'_> {
    /// Puts a peak elsewhere and returns ln of the ratio of priors and proposals. The proposal knows where the peaks are that have their places:
    /// those of `to` on the way there, those of `from` on the way back.
    fn relocate(&self, Peak { parameters, others, .. }: &Peak, from: &[f64], to: &mut [f64], stream: &mut Stream) -> Option<f64> {
        let odds = |theta: &[f64]| self.mixture.odds(others.iter().map(|&i| theta[i]), self.beta);
        let there = odds(to);
        self.sample(parameters, &there, to, stream);
        if !within(self.problem, parameters, to) {
            return None;
        }
        let excess = self.excess(parameters, &there, to)?;
        let moved = others.iter().any(|&i| to[i] != from[i]);
        let here = if moved { odds(from) } else { there };
        let ln_ratio = (self.excess(parameters, &here, from)? / excess).ln();
        (ln_ratio > f64::NEG_INFINITY).then_some(ln_ratio)
    }

    fn sample(&self, parameters: &[usize], odds: &Odds, to: &mut [f64], stream: &mut Stream) {
        if parameters.len() > 1 && !self.mixture.is_empty() && stream.random::<f64>() < LEARNED {
            return self.mixture.sample(self.problem, parameters, odds, to, stream);
        }
        to[parameters[0]] = self.guide.sample(stream);
        for &i in &parameters[1..] {
            to[i] = self.problem.parameters[i].prior.sample(stream);
        }
    }

    /// How many times denser than the prior the proposal is there; none where the prior is zero.
    fn excess(&self, parameters: &[usize], odds: &Odds, theta: &[f64]) -> Option<f64> {
        let blind = self.guide.excess(theta[parameters[0]]);
        if parameters.len() < 2 || self.mixture.is_empty() {
            return blind.is_finite().then_some(blind);
        }
        let ln_prior: f64 = parameters.iter().map(|&i| self.problem.parameters[i].ln_density(theta[i])).sum();
        let seen = self.mixture.excess(self.problem, parameters, odds, theta, ln_prior);
        let excess = (1.0 - LEARNED) * blind + LEARNED * seen;
        (ln_prior > f64::NEG_INFINITY && excess.is_finite()).then_some(excess)
    }
}

/// ln of the ratio of the priors of those parameters that are changed.
fn priors(problem: &Problem, parameters: &[usize], from: &[f64], to: &[f64]) -> f64 {
    let changed = parameters.iter().filter(|&&i| to[i] != from[i]);
    changed.map(|&i| problem.parameters[i].prior.ln_ratio(to[i], from[i])).sum()
}

pub fn within(problem: &Problem, parameters: &[usize], theta: &[f64]) -> bool {
    parameters.iter().all(|&i| {
        let (low, high) = problem.parameters[i].bounds;
        theta[i] >= low && theta[i] <= high
    })
}
