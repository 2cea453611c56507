//! How the probabilities move when one prior is half or twice as wide, by reweighting the kept draws.
//!
//! F' − F = −ln E[π'(θ)/π(θ)] over the posterior. Where π' reaches beyond π, the draws say nothing of what lies there; it is left out where
//! the posterior has so clearly ended before the end of π that it cannot matter, and otherwise the answer is that the draws cannot tell.

use serde::{Deserialize, Serialize};

use crate::evidence;
use crate::models::Role;
use crate::prior::{Coordinate, Prior};
use crate::problem::{Parameter, Problem};
use crate::sampler::Sampled;
use crate::sampler::diagnostics::ess_mean;

/// A shift of F is not told where its standard error is beyond this, in nats.
const LARGEST_ERROR: f64 = 0.3;
/// Nor where one draw has more than this share of all weight: the tail that counts has then hardly been seen.
const LARGEST_SHARE: f64 = 0.05;
/// What lies beyond the end of a prior may be left out where it is at most this share of the evidence.
const NEGLIGIBLE: f64 = 0.1;
/// Parts of a prior's range next to its end in which the posterior is taken to be no thinner than beyond.
const EDGES: [f64; 3] = [0.05, 0.1, 0.2];
/// With no draw of n in an edge, its share is below 3/n at 95 %; n is the effective number of draws of the prior's parameters.
const RULE_OF_THREE: f64 = 3.0;
/// A candidate less probable than this may keep its F where its draws cannot tell.
const IMPROBABLE: f64 = 0.01;

/// What a window's candidates would be under other widths of one prior, that of all peaks of a term together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// Name of the spec's term, empty for noise and shared parameters.
    pub term: String,
    /// Name of the parameter.
    pub parameter: String,
    /// Half as wide.
    pub halved: Alternative,
    /// Twice as wide.
    pub doubled: Alternative,
}

/// Candidates under another prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Change of F in nats and its standard error, one entry a candidate; none where the draws cannot tell, or no such prior exists.
    pub shifts: Vec<Option<(f64, f64)>>,
    /// p(candidate | D), one entry a candidate; none where a candidate that matters cannot be told.
    pub probabilities: Option<Vec<f64>>,
}

/// What makes parameters of several peaks and candidates one prior: measurement, term, name.
type Key = (Option<usize>, Option<String>, String);

fn key(problem: &Problem, parameter: &Parameter) -> Key {
    (parameter.owner.map(|k| problem.terms[k].measurement), parameter.term.clone(), parameter.name.clone())
}

/// One entry a prior whose width can be changed, in the order of the spec.
pub(super) fn sensitivity(problems: &[&Problem], sampled: &[Sampled], free: &[f64], probabilities: &[f64]) -> Vec<Sensitivity> {
    let mut keys: Vec<Key> = Vec::new();
    for (problem, parameter) in problems.iter().flat_map(|p| p.parameters.iter().map(move |parameter| (p, parameter))) {
        let key = key(problem, parameter);
        if parameter.prior != Prior::Isotropic && !keys.contains(&key) {
            keys.push(key);
        }
    }
    let alternative = |of: &Key, factor: f64| {
        let shift = |(problem, sampled): (&&Problem, &Sampled)| shift(problem, sampled, of, factor);
        let shifts: Vec<Option<(f64, f64)>> = problems.iter().zip(sampled).map(shift).collect();
        let told = shifts.iter().zip(probabilities).all(|(s, p)| s.is_some() || *p < IMPROBABLE);
        let pairs: Vec<(f64, f64)> = free.iter().zip(&shifts).map(|(f, s)| (f + s.map_or(0.0, |s| s.0), 0.0)).collect();
        let probabilities = evidence::probabilities(&pairs).into_iter().map(|p| p.0).collect();
        Alternative { shifts, probabilities: told.then_some(probabilities) }
    };
    keys.into_iter()
        .map(|of| Sensitivity {
            halved: alternative(&of, 0.5),
            doubled: alternative(&of, 2.0),
            term: of.1.unwrap_or_default(),
            parameter: of.2,
        })
        .collect()
}

/// Change of one candidate's F and its standard error: exactly nothing where it has no such parameter.
fn shift(problem: &Problem, sampled: &Sampled, of: &Key, factor: f64) -> Option<(f64, f64)> {
    let d = problem.dimension();
    let members: Vec<usize> = (0..d).filter(|&i| key(problem, &problem.parameters[i]) == *of).collect();
    let Some(parameter) = members.first().map(|&i| &problem.parameters[i]) else { return Some((0.0, 0.0)) };
    let other = changed(parameter, factor)?;
    let weight = |row: &[f64]| members.iter().map(|&i| other.ln_density(row[i]) - parameter.ln_density(row[i])).sum::<f64>().exp();
    let weights: Vec<Vec<f64>> = sampled.copies.iter().map(|c| c.draws.chunks_exact(d).map(weight).collect()).collect();
    let n: usize = weights.iter().map(Vec::len).sum();
    let all = || weights.iter().flatten();
    let mean = all().sum::<f64>() / n as f64;
    if !(mean > 0.0 && mean.is_finite()) || all().fold(0.0f64, |m, w| m.max(*w)) > LARGEST_SHARE * mean * n as f64 {
        return None;
    }
    let variance = all().map(|w| (w - mean).powi(2)).sum::<f64>() / n as f64;
    let error = (variance / ess_mean(&weights)).sqrt() / mean;
    let told = error <= LARGEST_ERROR && beyond(sampled, parameter, other, &members, d) <= NEGLIGIBLE;
    told.then(|| (-mean.ln(), error))
}

/// Bound on the evidence from where only the other prior reaches, as a share of the evidence from the rest: the posterior beyond an end is
/// taken to be nowhere denser than in an edge before it. A flat posterior, of a peak that nothing needs, is far beyond any bound.
fn beyond(sampled: &Sampled, parameter: &Parameter, other: Prior, members: &[usize], d: usize) -> f64 {
    let log = parameter.prior.coordinate() == Coordinate::Log;
    let natural = |x: f64| if log { x.ln() } else { x };
    let (old, new) = (parameter.prior.range(), other.range());
    let (low, high) = (natural(old.0), natural(old.1));
    let total = |row: &[f64]| members.iter().map(|&i| natural(row[i])).sum::<f64>();
    let independent = ess_mean(&sampled.copies.iter().map(|c| c.draws.chunks_exact(d).map(total).collect()).collect::<Vec<_>>());
    let mut sum = 0.0;
    for (end, added, inward) in [(low, low - natural(new.0), 1.0), (high, natural(new.1) - high, -1.0)] {
        // Where neither has an end, −∞ less −∞ is no number, and nothing is added.
        if !(added > 0.0 && end.is_finite()) {
            continue;
        }
        let bound = |edge: f64| {
            let width = edge * (high - low);
            let near = |row: &[f64]| f64::from(u8::from(members.iter().any(|&i| (natural(row[i]) - end) * inward < width)));
            let hits: Vec<Vec<f64>> = sampled.copies.iter().map(|c| c.draws.chunks_exact(d).map(near).collect()).collect();
            let n = hits.iter().map(Vec::len).sum::<usize>() as f64;
            (hits.iter().flatten().sum::<f64>() / n + RULE_OF_THREE / ess_mean(&hits).min(independent)) * added / width
        };
        sum += EDGES.iter().map(|&edge| bound(edge)).fold(f64::INFINITY, f64::min);
    }
    sum
}

/// The prior with its width times a factor, about its centre: the middle of a range (of its logarithm), or the mean. An end at the
/// model's own bound, and the zero of an amplitude or a level, stays. None where there is no such prior.
fn changed(parameter: &Parameter, factor: f64) -> Option<Prior> {
    let (least, most) = parameter.bounds;
    let from_nothing = matches!(parameter.role, Role::Amplitude | Role::Level);
    let stretch =
        |low: f64, high: f64| stretched((low, high), (least, most), (low == least || from_nothing && low == 0.0, high == most), factor);
    Some(match parameter.prior {
        Prior::Uniform { low, high } => {
            let (low, high) = stretch(low, high)?;
            Prior::Uniform { low, high }
        }
        Prior::LogUniform { low, high } => {
            let ln = |x: f64| if x > 0.0 { x.ln() } else { f64::NEG_INFINITY };
            let (low, high) = stretched((low.ln(), high.ln()), (ln(least), ln(most)), (low == least, high == most), factor)?;
            Prior::LogUniform { low: low.exp(), high: high.exp() }
        }
        Prior::Normal { mean, sd } => Prior::Normal { mean, sd: sd * factor },
        Prior::HalfNormal { sd } => Prior::HalfNormal { sd: sd * factor },
        Prior::TruncatedNormal { mean, sd, low, high } => {
            let (low, high) = if low.is_finite() && high.is_finite() { stretch(low, high)? } else { (low, high) };
            Prior::TruncatedNormal { mean, sd: sd * factor, low, high }
        }
        // Mean shape/rate and standard deviation √shape/rate.
        Prior::Gamma { shape, rate } => Prior::Gamma { shape: shape / factor.powi(2), rate: rate / factor.powi(2) },
        // With n = α + β, the mean is α/n and the variance mean (1 − mean)/(n + 1).
        Prior::Beta { alpha, beta } => {
            let n = alpha + beta;
            let other = (n + 1.0) / factor.powi(2) - 1.0;
            (other > 0.0).then_some(Prior::Beta { alpha: alpha * other / n, beta: beta * other / n })?
        }
        Prior::Isotropic => return None,
    })
}

/// A range of another width within bounds: about its middle, or from the end that stays; moved inside where it would cross one bound.
fn stretched(range: (f64, f64), bounds: (f64, f64), stays: (bool, bool), factor: f64) -> Option<(f64, f64)> {
    let width = factor * (range.1 - range.0);
    let (mut low, mut high) = match stays {
        (true, false) => (range.0, range.0 + width),
        (false, true) => (range.1 - width, range.1),
        _ => (0.5 * (range.0 + range.1 - width), 0.5 * (range.0 + range.1 + width)),
    };
    if low < bounds.0 {
        (low, high) = (bounds.0, bounds.0 + width);
    }
    if high > bounds.1 {
        (low, high) = (bounds.1 - width, bounds.1);
    }
    (low >= bounds.0 && high <= bounds.1).then_some((low, high))
}

/// What one window says about the priors of its most probable candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// Least and greatest probability of the candidate, its own among them.
    pub range: (f64, f64),
    /// The prior that moves it most, such as `peaks height doubled`; none where nothing moves it.
    pub by: Option<String>,
    /// Whether it stays the most probable.
    pub stays: bool,
    /// Alternatives asked for, and those that the draws cannot tell.
    pub asked: usize,
    /// See `asked`.
    pub untold: usize,
}

/// How the probability of candidate `best`, now `p`, moves over all alternatives.
pub(super) fn movement(all: &[Sensitivity], best: usize, p: f64) -> Movement {
    let mut movement = Movement { range: (p, p), by: None, stays: true, asked: 0, untold: 0 };
    let mut most = 0.0;
    for prior in all {
        for (alternative, word) in [(&prior.halved, "halved"), (&prior.doubled, "doubled")] {
            movement.asked += 1;
            let Some(other) = alternative.probabilities.as_ref().and_then(|all| all.get(best).map(|p| (*p, all))) else {
                movement.untold += 1;
                continue;
            };
            let (p_other, rivals) = other;
            movement.range = (movement.range.0.min(p_other), movement.range.1.max(p_other));
            movement.stays &= rivals.iter().all(|r| *r <= p_other);
            if (p_other - p).abs() > most {
                most = (p_other - p).abs();
                movement.by = Some(format!("{} {} {word}", prior.term, prior.parameter).trim().to_owned());
            }
        }
    }
    movement
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(prior: Prior, role: Role, bounds: (f64, f64)) -> Parameter {
        let name = String::new();
        Parameter { unit: String::new(), prior, ln_constant: prior.ln_constant(), role, term: None, owner: None, bounds, name }
    }

    /// Standard deviations double and halve about the same mean, to rounding, for every prior that has no end in the way.
    #[test]
    fn widths_are_halved_and_doubled_about_the_centre() {
        let everywhere = (f64::NEG_INFINITY, f64::INFINITY);
        for prior in [
            Prior::Uniform { low: 1.0, high: 3.0 },
            Prior::Normal { mean: 3.0, sd: 2.0 },
            Prior::Gamma { shape: 3.0, rate: 2.0 },
            Prior::Beta { alpha: 4.0, beta: 5.0 },
            Prior::TruncatedNormal { mean: 1.0, sd: 0.6, low: 0.2, high: 1.8 },
        ] {
            for factor in [0.5, 2.0] {
                let other = changed(&parameter(prior, Role::Other, everywhere), factor).expect("another");
                let ((m, s), (m2, s2)) = (prior.moments(), other.moments());
                assert!((m2 - m).abs() < 1e-9 && (s2 / s - factor).abs() < 1e-9, "{prior:?} {other:?}");
            }
        }
    }

    #[test]
    fn ends_that_cannot_move_stay() {
        let uniform = |low, high| Prior::Uniform { low, high };
        let free = (f64::NEG_INFINITY, f64::INFINITY);
        let of = |prior, role, bounds, factor| changed(&parameter(prior, role, bounds), factor);
        assert_eq!(of(uniform(0.0, 2.0), Role::Amplitude, free, 2.0), Some(uniform(0.0, 4.0)));
        assert_eq!(of(uniform(0.0, 2.0), Role::Amplitude, free, 0.5), Some(uniform(0.0, 1.0)));
        assert_eq!(of(uniform(0.0, 2.0), Role::Center, free, 2.0), Some(uniform(-1.0, 3.0)));
        // A width cannot be negative: the range keeps its length and moves.
        assert_eq!(of(uniform(0.5, 2.5), Role::Width, (0.0, f64::INFINITY), 2.0), Some(uniform(0.0, 4.0)));
        // A mixing share already has all there is.
        assert_eq!(of(uniform(0.0, 1.0), Role::Shape, (0.0, 1.0), 2.0), None);
        assert_eq!(of(uniform(0.0, 1.0), Role::Shape, (0.0, 1.0), 0.5), Some(uniform(0.25, 0.75)));
        assert_eq!(of(Prior::Isotropic, Role::Other, free, 2.0), None);
    }
}
