//! Steps tuned while the sampler adapts: their sizes by Robbins–Monro from acceptance counts, their shapes from the visited states.

mod gain;
mod shape;

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::cluster::{self, States};
use super::mixture::{Mixture, members};
use super::normal::{self, Approximation, Places};
use super::parameters::Parameters;
use super::proposal::Step;
use super::record::Record;
use super::schedule::{Kind, Move};
use crate::models::ABREAST;
use crate::problem::Problem;
use gain::followed;
use shape::{Family, families, first_factor};
pub use shape::{cholesky, coordinate, spread};

/// An approximation about which steps are no longer than this, and of which fewer fresh draws are accepted, is worth nothing.
const SHORTEST: f64 = 0.3;
const SELDOMEST: f64 = 0.02;
/// Where so many fresh draws are accepted they are what steps of the whole are, and other moves are made in one of so many turns.
const FRESH: [(f64, u32); 2] = [(0.25, 6), (0.1, 3)];
/// Below this acceptance of fresh draws an approximation is tried with twice as many components.
const GOOD: f64 = 0.6;
/// States of a rung that it is learned from, of all copies.
const MOST_SEEN: usize = 2048;
/// From this acceptance of relocated peaks on a rung is easy: half of its moves are enough.
const EASY: f64 = 0.1;
/// Refits of which fewer are accepted are made in one of so many turns: they are the dearest moves, and what is found so seldom the exchange
/// brings as well.
const SCARCE: (f64, u32) = (0.05, 4);
/// From fewer proposals no acceptance is told.
const FEW: u32 = 500;

/// Size and shape of every move at every place, and what they are tuned from. A place is a rung of a copy: those of the first copy, then those of the
/// next. Figures of places stand side by side, as walks read them.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Whether sizes still follow the counts.
    pub adapting: bool,
    places: usize,
    /// From a figure to the same of the next move: places, and what fills the last ones' lanes.
    stride: usize,
    /// Of every move, place after place (see [`Tuning::at`]): ln of the size of its steps, and proposals tried and accepted, which that follows.
    ln_sizes: Vec<f64>,
    tried: Vec<u32>,
    accepted: Vec<u32>,
    /// Places that have shapes of their own: those of one copy, for all copies have the same. After the last the first ones follow, so that those of
    /// places abreast are together.
    period: usize,
    /// Where the shape of every move is among the factors: entry after entry, and of each place after place.
    factors: Vec<f64>,
    shapes: Vec<Range<usize>>,
    rates: Vec<Option<f64>>,
    /// ln of the largest size of each move.
    longest: Vec<f64>,
    families: Vec<Family>,
    /// Place after place.
    moments: Vec<f64>,
    /// For each move, what has been learned of where relocated peaks belong.
    pub mixtures: Vec<Arc<Mixture>>,
    /// For each place, the approximation that steps of the whole are made about; none where it is not known, or of no use.
    pub normals: Vec<Option<Arc<Approximation>>>,
    whole: Option<Arc<Places>>,
    /// Of every move, in one sweep of how many it is made at each place; 0: in none. And whether it is made in every sweep at all.
    turns: Vec<u32>,
    always: Vec<bool>,
    /// What the approximations are learned from, one a place, and the most states of each.
    seen: Vec<States>,
    most_seen: usize,
}

/// What one copy has learned.
#[derive(Clone, Copy, Debug)]
pub struct Share<'a> {
    tuning: &'a Tuning,
    /// Its first place.
    first: usize,
}

impl Share<'_> {
    /// Acceptance rate of a move at a rung.
    pub fn acceptance(&self, rung: usize, step: usize) -> f64 {
        let (accepted, tried) = self.counts(rung, step);
        f64::from(accepted) / f64::from(tried.max(1))
    }

    /// Accepted and tried proposals.
    fn counts(&self, rung: usize, step: usize) -> (u32, u32) {
        let at = self.tuning.at(self.first + rung, step);
        (self.tuning.accepted[at], self.tuning.tried[at])
    }

    fn ln_size(&self, rung: usize, step: usize) -> f64 {
        self.tuning.ln_size(self.first + rung, step)
    }
}

impl Tuning {
    /// First guesses: a fraction of the prior's width in every direction.
    pub fn new(problem: &Problem, moves: &[Move], places: usize) -> Self {
        let (families, stride) = (families(problem, moves), places.next_multiple_of(ABREAST));
        let (mut factors, mut shapes) = (Vec::new(), Vec::with_capacity(moves.len()));
        for what in moves {
            let from = factors.len();
            first_factor(problem, what).iter().for_each(|entry| factors.extend(std::iter::repeat_n(*entry, places + ABREAST)));
            shapes.push(from..factors.len());
        }
        Self {
            adapting: true,
            places,
            stride,
            period: places,
            ln_sizes: vec![0.3f64.ln(); stride * moves.len()],
            tried: vec![0; stride * moves.len()],
            accepted: vec![0; stride * moves.len()],
            factors,
            shapes,
            rates: moves.iter().map(|m| m.rate).collect(),
            longest: moves.iter().map(|m| if m.kind == Kind::Whole { 0.0 } else { 3.0 }).collect(),
            moments: vec![0.0; places * learned(&families)],
            families,
            mixtures: vec![Arc::default(); moves.len()],
            normals: vec![None; places],
            whole: moves.iter().find_map(|m| m.places.clone()),
            turns: vec![1; stride * moves.len()],
            always: vec![true; moves.len()],
            seen: vec![States::default(); places],
            most_seen: MOST_SEEN,
        }
    }

    /// The same for so many copies, each at its own places.
    pub fn repeated(&self, copies: usize) -> Self {
        let places = self.places * copies;
        Self {
            places,
            stride: places.next_multiple_of(ABREAST),
            ln_sizes: self.beside(&self.ln_sizes, copies),
            tried: self.beside(&self.tried, copies),
            accepted: self.beside(&self.accepted, copies),
            turns: self.beside(&self.turns, copies),
            moments: self.moments.repeat(copies),
            normals: std::iter::repeat_n(&self.normals, copies).flatten().cloned().collect(),
            seen: std::iter::repeat_n(&self.seen, copies).flatten().cloned().collect(),
            ..self.clone()
        }
    }

    /// Figures of places, of one move after the other, for so many copies.
    fn beside<T: Copy + Default>(&self, figures: &[T], copies: usize) -> Vec<T> {
        let stride = (self.places * copies).next_multiple_of(ABREAST);
        let mut all = Vec::with_capacity(figures.len() / self.stride.max(1) * stride);
        for own in figures.chunks(self.stride.max(1)) {
            let end = all.len() + stride;
            (0..copies).for_each(|_| all.extend_from_slice(&own[..self.places]));
            all.resize(end, T::default());
        }
        all
    }

    /// What each of so many copies has learned.
    pub fn shares(&self, copies: usize) -> impl Iterator<Item = Share<'_>> {
        (0..copies).map(move |copy| Share { tuning: self, first: copy * self.places / copies })
    }

    /// The place of a move's figures at a place.
    #[inline]
    fn at(&self, place: usize, step: usize) -> usize {
        step * self.stride + place
    }

    /// Where the entries of a move's shape at a place are.
    fn shape(&self, place: usize, step: usize) -> impl Iterator<Item = usize> {
        self.shapes[step].clone().skip(place % self.period).step_by(self.period + ABREAST)
    }

    /// The step of a move at a place.
    #[inline]
    pub fn step(&self, place: usize, step: usize) -> Step {
        let spread = self.shape(place, step).next().map_or(0.0, |at| self.factors[at]);
        Step { scale: self.ln_size(place, step).exp(), spread }
    }

    /// ln of the size of a move at a place.
    #[inline]
    pub fn ln_size(&self, place: usize, step: usize) -> f64 {
        self.ln_sizes[self.at(place, step)]
    }

    /// The same at the places from one on, as many as are abreast.
    #[inline(always)]
    pub fn ln_sizes(&self, first: usize, step: usize) -> &[f64] {
        &self.ln_sizes[self.at(first, step)..][..ABREAST]
    }

    /// An entry of a move's shape there.
    #[inline(always)]
    pub fn entries(&self, first: usize, step: usize, entry: usize) -> &[f64] {
        &self.factors[self.shapes[step].start + entry * (self.period + ABREAST) + first % self.period..][..ABREAST]
    }

    /// Whether a move is made at all places in every sweep, as far as that follows from what was learned.
    #[inline]
    pub fn always(&self, step: usize) -> bool {
        self.always[step]
    }

    /// Whether a move is made at a place in this sweep, as far as that follows from what was learned.
    #[inline]
    pub fn wants(&self, place: usize, step: usize, kind: Kind, sweep: u32) -> bool {
        match kind {
            Kind::Whole => self.normals[place].is_some() && self.turns[self.at(place, step)] > 0,
            // By turns of two sweeps, for some moves are made in every other sweep only.
            _ => match self.turns[self.at(place, step)] {
                0 => false,
                1 => true,
                turns => (sweep / 2 + step as u32).is_multiple_of(turns),
            },
        }
    }

    /// Counts a decision; while adapting the size follows it.
    #[inline]
    pub fn count(&mut self, place: usize, step: usize, accepted: bool) {
        let at = self.at(place, step);
        self.tried[at] += 1;
        self.accepted[at] += u32::from(accepted);
        if self.adapting
            && let Some(rate) = self.rates[step]
        {
            self.ln_sizes[at] = followed(self.ln_sizes[at], self.tried[at], accepted, rate, self.longest[step]);
        }
    }

    /// The same at places abreast, of those that tried.
    #[inline(always)]
    pub fn count_abreast(&mut self, first: usize, step: usize, tries: &[bool; ABREAST], taken: &[bool; ABREAST]) {
        let at = self.at(first, step);
        let (tried, accepted) = (&mut self.tried[at..at + ABREAST], &mut self.accepted[at..at + ABREAST]);
        for lane in 0..ABREAST {
            tried[lane] += u32::from(tries[lane]);
            accepted[lane] += u32::from(taken[lane]);
        }
        if self.adapting
            && let Some(rate) = self.rates[step]
        {
            let ln_sizes = &mut self.ln_sizes[at..at + ABREAST];
            for lane in 0..ABREAST {
                if tries[lane] {
                    ln_sizes[lane] = followed(ln_sizes[lane], tried[lane], taken[lane], rate, self.longest[step]);
                }
            }
        }
    }

    /// Adds the present states of ladders of so many rungs to the moments of every place; those of β = 0 teach nothing.
    pub fn learn(&mut self, problem: &Problem, theta: &Parameters, rungs: usize) {
        let each = learned(&self.families);
        let (mut order, mut row): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
        for place in (0..self.places).filter(|place| !place.is_multiple_of(rungs)) {
            row.clear();
            row.extend(theta.row(place));
            let moments = &mut self.moments[place * each..(place + 1) * each];
            for family in &self.families {
                order.clear();
                order.extend(0..family.members.len());
                order.sort_by(|&a, &b| match (family.centres[a], family.centres[b]) {
                    (Some(a), Some(b)) => row[a].total_cmp(&row[b]),
                    _ => a.cmp(&b),
                });
                for (own, &member) in family.moments().zip(&order) {
                    shape::learn(&mut moments[own], problem, &family.members[member].1, &row);
                }
            }
            if let Some(whole) = &self.whole {
                let mut state = [0.0; normal::MOST];
                whole.state(&row, &mut state);
                self.seen[place].add(&state[..whole.parameters.len()], self.most_seen);
            }
        }
    }

    /// Pools the tuning of all copies of a ladder for new rungs, those of one copy: sizes by their mean, shapes by the spread within copies.
    /// `reshape` takes new shapes too.
    pub fn pooled(copies: &[Share<'_>], problem: &Problem, moves: &[Move], from: &[f64], to: &[f64], reshape: bool) -> Self {
        let mut pooled = Self::new(problem, moves, to.len());
        pooled.most_seen = MOST_SEEN.div_ceil(copies.len());
        let nearest = |rung: usize| {
            let (low, high, share) = bracket(from, to[rung]);
            if share < 0.5 { low } else { high }
        };
        let learned = (1..to.len()).into_par_iter().map(|rung| pooled.approximation(copies, moves, nearest(rung), reshape));
        let learned: Vec<Option<Arc<Approximation>>> = learned.collect();
        pooled.normals[1..].clone_from_slice(&learned);
        for (rung, &beta) in to.iter().enumerate().skip(1) {
            let (low, high, share) = bracket(from, beta);
            for step in 0..moves.len() {
                let mean = |r: usize| copies.iter().map(|c| c.ln_size(r, step)).sum::<f64>() / copies.len() as f64;
                let at = pooled.at(rung, step);
                pooled.ln_sizes[at] = (1.0 - share) * mean(low) + share * mean(high);
                let Share { tuning, first } = copies[0];
                let shape = tuning.shape(first + nearest(rung), step).map(|at| tuning.factors[at]);
                pooled.reshape_one(rung, step, shape);
            }
            let nearest = nearest(rung);
            if reshape {
                pooled.reshape(copies, problem, rung, nearest);
            }
            pooled.take_turns(copies, moves, rung, nearest, reshape);
        }
        pooled
    }

    /// A new approximation for a rung from what was seen at one. While adapting goes on it is tried, with more components until it is good; when it
    /// ends, only one that moves states far stays.
    fn approximation(&self, copies: &[Share<'_>], moves: &[Move], from: usize, adapting: bool) -> Option<Arc<Approximation>> {
        let (before, taken) = (copies[0].tuning.normals[copies[0].first + from].as_deref(), taken(copies, moves, from));
        if !adapting && (before.is_none() || taken < SELDOMEST && longest(copies, moves, from) < SHORTEST) {
            return None;
        }
        let components = before.map_or(1, |before| before.components() * if taken < GOOD { 2 } else { 1 });
        let seen: Vec<&States> = copies.iter().map(|c| &c.tuning.seen[c.first + from]).collect();
        let mut learned = cluster::approximation(&seen, self.whole.as_ref()?.parameters.len(), components)?;
        learned.fresh = !adapting && FRESH.iter().any(|fresh| taken >= fresh.0);
        Some(Arc::new(learned))
    }

    /// In how many turns moves are made: refits where they are accepted. When adapting has ended, all seldom where fresh draws of the whole do their
    /// work, by halves where peaks are relocated easily, which takes a state far in every sweep; where steps of the whole are taken, refits are
    /// seldom, and on the way down from β = 0 not made at all: states come from the prior there.
    fn take_turns(&mut self, copies: &[Share<'_>], moves: &[Move], rung: usize, from: usize, adapting: bool) {
        let rate = |like: &dyn Fn(&Move) -> bool| {
            let (accepted, tried) = rate(copies, moves, from, like);
            (tried > FEW).then(|| f64::from(accepted) / f64::from(tried))
        };
        let (fresh, taken) = (!adapting && self.normals[rung].as_ref().is_some_and(|normals| normals.fresh), taken(copies, moves, from));
        let easy = !adapting && rate(&|what| what.kind == Kind::Relocate).is_some_and(|rate| rate >= EASY);
        let turns = FRESH.iter().find(|of| fresh && taken >= of.0).map_or(1 + u32::from(easy), |of| of.1);
        let known = !adapting && self.normals[rung].is_some();
        let hot = known && 2 * rung <= self.places && self.normals[1..rung].iter().all(Option::is_some);
        for (step, what) in moves.iter().enumerate() {
            let peaks = what.targets[0].peaks.len();
            let like = |other: &Move| other.kind == Kind::Refit && other.targets[0].peaks.len() == peaks;
            let at = self.at(rung, step);
            let turns = match what.kind {
                Kind::Whole if adapting || fresh => 1,
                Kind::Whole if what.rate.is_none() => u32::from(taken >= SELDOMEST),
                Kind::Whole => u32::from(longest(copies, moves, from) >= SHORTEST),
                Kind::Refit if hot => 0,
                Kind::Refit if known || rate(&like).is_some_and(|rate| rate < SCARCE.0) => turns * SCARCE.1,
                _ => turns,
            };
            self.turns[at] = turns;
            self.always[step] &= turns == 1;
        }
    }

    /// Learns where relocated peaks belong from what the copies kept.
    pub fn place(&mut self, problem: &Problem, moves: &[Move], records: &[&Record]) {
        let mut known: Vec<(Vec<Vec<usize>>, Arc<Mixture>)> = Vec::new();
        for (step, what) in moves.iter().enumerate() {
            let Some(parameters) = what.placed().filter(|p| p.len() > 1) else { continue };
            let members = members(problem, parameters);
            if !known.iter().any(|(m, _)| *m == members) {
                let mixture = Arc::new(Mixture::learn(problem, &members, records));
                known.push((members.clone(), mixture));
            }
            if let Some((_, mixture)) = known.iter().find(|(m, _)| *m == members) {
                self.mixtures[step] = Arc::clone(mixture);
            }
        }
    }

    /// Learned shapes of one rung, drawn towards the sizes of single steps where few states were seen.
    fn reshape(&mut self, copies: &[Share<'_>], problem: &Problem, rung: usize, from: usize) {
        let each = learned(&self.families);
        for f in 0..self.families.len() {
            let family = self.families[f].clone();
            let n = family.size();
            let mut products = vec![0.0; n * n];
            let mut count = 0.0;
            for copy in copies {
                let moments = &copy.tuning.moments[(copy.first + from) * each..][..each];
                for own in family.moments().map(|own| &moments[own]).filter(|own| own[0] > 1.0) {
                    count += own[0] - 1.0;
                    products.iter_mut().zip(&own[1 + n..]).for_each(|(sum, p)| *sum += p);
                }
            }
            if count < 4.0 * n as f64 {
                continue;
            }
            let prior: Vec<f64> = family.members[0].1.iter().map(|&i| spread(&problem.parameters[i].prior).powi(2)).collect();
            let mut covariance: Vec<f64> = products.iter().map(|p| p / count).collect();
            for i in 0..n {
                // A state that never moved in some direction must not freeze it.
                covariance[i * n + i] += 1e-12 * prior[i] + 1e-6 * covariance[i * n + i];
            }
            if let Some(factor) = cholesky(&covariance, n) {
                for (step, _) in &family.members {
                    let at = self.at(rung, *step);
                    self.reshape_one(rung, *step, factor.iter().copied());
                    self.ln_sizes[at] = (2.38 / (n as f64).sqrt()).ln();
                }
            }
        }
    }

    /// A new shape of one move.
    fn reshape_one(&mut self, rung: usize, step: usize, shape: impl Iterator<Item = f64>) {
        let entries = self.shapes[step].clone().step_by(self.period + ABREAST);
        for (entry, value) in entries.zip(shape) {
            (rung..self.period + ABREAST).step_by(self.period).for_each(|place| self.factors[entry + place] = value);
        }
    }
}

/// Numbers that the moments of all families take at a place.
fn learned(families: &[Family]) -> usize {
    families.iter().map(|family| family.members.len() * shape::moments(family.size())).sum()
}

/// Accepted and tried proposals of the moves that are like that, over all copies at a rung.
fn rate(copies: &[Share<'_>], moves: &[Move], rung: usize, like: &dyn Fn(&Move) -> bool) -> (u32, u32) {
    let steps = (0..moves.len()).filter(|&step| like(&moves[step]));
    let counts = steps.flat_map(|step| copies.iter().map(move |c| c.counts(rung, step)));
    counts.fold((0, 0), |all, own| (all.0 + own.0, all.1 + own.1))
}

/// The share of fresh draws from the approximation that are accepted at a rung.
fn taken(copies: &[Share<'_>], moves: &[Move], rung: usize) -> f64 {
    let (accepted, tried) = rate(copies, moves, rung, &|what| what.kind == Kind::Whole && what.rate.is_none());
    f64::from(accepted) / f64::from(tried.max(1))
}

/// The size that steps about the approximation have taken at a rung.
fn longest(copies: &[Share<'_>], moves: &[Move], rung: usize) -> f64 {
    let tuned = (0..moves.len()).filter(|&step| moves[step].kind == Kind::Whole && moves[step].rate.is_some());
    let mean = |step: usize| copies.iter().map(|c| c.ln_size(rung, step)).sum::<f64>() / copies.len() as f64;
    tuned.map(mean).fold(f64::NEG_INFINITY, f64::max).exp()
}

/// Rungs on both sides of β among `from` (from rung 1 on) and how far β lies between them in ln β.
fn bracket(from: &[f64], beta: f64) -> (usize, usize, f64) {
    let last = from.len() - 1;
    let high = from.iter().position(|&b| b >= beta).unwrap_or(last).max(1);
    let low = if high > 1 { high - 1 } else { 1.min(last) };
    if low == high || from[high] <= from[low] {
        return (high, high, 0.0);
    }
    let share = ((beta / from[low]).ln() / (from[high] / from[low]).ln()).clamp(0.0, 1.0);
    (low, high, share)
}

#[cfg(test)]
mod tests {
    use super::super::normal::Normal;
    use super::super::rivals::standard;
    use super::*;
    use crate::dataset::Frame;
    use crate::prior::Prior;
    use crate::problem;
    use crate::random::Key;
    use crate::sampler::schedule::schedule;
    use crate::spec::{self, Parameter, Sigma, bare};

    const RUNGS: usize = 8;

    /// Two Gaussian peaks.
    fn problem() -> Problem {
        let uniform = |low, high| Parameter::Free(Prior::Uniform { low, high });
        let peaks = bare::term("gaussian", 0, vec![uniform(0.0, 9.0), uniform(0.0, 3.0), uniform(0.1, 1.0)], true);
        let spec = bare::spec((0.0, 3.0), spec::Noise::Gaussian { sigma: Sigma::Number(1.0), scale: None }, vec![peaks], &[&[2]]);
        let x: Vec<f64> = (0..30).map(|i| 0.05 + 0.1 * f64::from(i)).collect();
        problem::build(&spec, &Frame { number: 1, y: vec![2.0; 30], x, monitor: vec![1.0], ..Frame::default() }).unwrap().remove(0)
    }

    /// Turns of the first refit at each rung above β = 0, where at rung r so many of `tried` are accepted and the rungs of `known` have steps of the
    /// whole, of whose fresh draws so many are taken. Walks wait where fresh draws do their work.
    fn turns(tried: u32, accepted: impl Fn(usize) -> u32, (known, taken): (&[usize], f64), adapting: bool) -> Vec<u32> {
        let problem = problem();
        let (moves, d) = (schedule(&problem), problem.dimension());
        let unit = (0..d * d).map(|at| if at / d == at % d { 1.0 } else { 0.0 }).collect();
        let mut normals = Approximation::of(&[Normal { mean: vec![0.0; d], factor: unit, share: 1.0 }], d);
        normals.iter_mut().for_each(|normals| normals.fresh = taken >= FRESH[1].0);
        let normals = normals.map(Arc::new);
        let mut tuning = Tuning::new(&problem, &moves, RUNGS);
        known.iter().for_each(|&rung| tuning.normals[rung] = normals.clone());
        for (step, rung) in (0..moves.len()).flat_map(|step| (1..RUNGS).map(move |rung| (step, rung))) {
            let at = tuning.at(rung, step);
            tuning.tried[at] = tried;
            tuning.accepted[at] = match moves[step].kind {
                Kind::Refit => accepted(rung),
                Kind::Whole => (taken * f64::from(tried)).round() as u32,
                _ => 0,
            };
        }
        let seen = tuning.clone();
        (1..RUNGS).for_each(|rung| tuning.take_turns(&[Share { tuning: &seen, first: 0 }], &moves, rung, rung, adapting));
        let refit = moves.iter().position(|what| what.kind == Kind::Refit).unwrap();
        let wait = if adapting { 1 } else { FRESH.iter().find(|of| taken >= of.0).map_or(1, |of| of.1) };
        for (step, rung) in (0..moves.len()).flat_map(|step| (1..RUNGS).map(move |rung| (step, rung))) {
            let turns = tuning.turns[tuning.at(rung, step)];
            match moves[step].kind {
                Kind::Refit => {}
                // Steps of the whole are of the first size yet.
                Kind::Whole if moves[step].rate.is_some() => assert_eq!(turns, 1),
                Kind::Whole => assert_eq!(turns, u32::from(adapting || taken >= SELDOMEST), "fresh draws at rung {rung}"),
                kind => assert_eq!(turns, if known.contains(&rung) { wait } else { 1 }, "{kind:?} at rung {rung}"),
            }
        }
        let turns: Vec<u32> = (1..RUNGS).map(|rung| tuning.turns[tuning.at(rung, refit)]).collect();
        for (at, turns) in turns.iter().enumerate() {
            let made = (0..96).filter(|&sweep| tuning.wants(at + 1, refit, Kind::Refit, sweep)).count() as u32;
            assert_eq!(made, if *turns == 0 { 0 } else { 96 / turns }, "rung {}", at + 1);
        }
        turns
    }

    /// Components of what is learned at a rung where so many fresh draws from one of `before` components were taken and other steps have come to be
    /// of that size, and whether it is fresh.
    fn learned(before: usize, taken: f64, size: f64, adapting: bool) -> Option<(usize, bool)> {
        let problem = problem();
        let (moves, d) = (schedule(&problem), problem.dimension());
        let mut tuning = Tuning::new(&problem, &moves, 2);
        let mut stream = Key::new(7, "seen", "", "", 0).stream(0, 0, 0);
        (0..400).for_each(|_| {
            let state: Vec<f64> = (0..d).map(|_| standard(&mut stream)).collect();
            tuning.seen[1].add(&state, MOST_SEEN);
        });
        tuning.normals[1] = cluster::approximation(&[&tuning.seen[1]], d, before).map(Arc::new);
        for step in 0..moves.len() {
            let at = tuning.at(1, step);
            (tuning.ln_sizes[at], tuning.tried[at], tuning.accepted[at]) = (size.ln(), 1000, (1000.0 * taken) as u32);
        }
        let learned = tuning.approximation(&[Share { tuning: &tuning, first: 0 }], &moves, 1, adapting)?;
        Some((learned.components(), learned.fresh))
    }

    #[test]
    fn approximations_grow_until_they_are_good_and_stay_where_they_are_of_use() {
        assert_eq!(learned(0, 0.0, 0.3, true), Some((1, false)), "the first one");
        assert_eq!(learned(2, 0.5, 0.3, true), Some((4, false)));
        assert_eq!(learned(2, 0.7, 0.3, true), Some((2, false)), "good enough");
        assert_eq!(learned(8, 0.5, 0.3, true), Some((8, false)), "no more than there may be");
        assert_eq!(learned(2, 0.7, 1.0, false), Some((2, true)));
        assert_eq!(learned(2, 0.05, 0.1, false), Some((4, false)), "its fresh draws are of use");
        assert_eq!(learned(2, 0.01, 0.5, false), Some((4, false)), "its steps are");
        assert_eq!(learned(2, 0.01, 0.1, false), None);
        assert_eq!(learned(0, 0.5, 0.5, false), None, "one that was never tried");
    }

    #[test]
    fn every_copy_has_the_shapes_of_its_rungs() {
        let problem = problem();
        let moves = schedule(&problem);
        let step = moves.iter().position(|what| what.kind == Kind::Walk && what.targets[0].parameters.len() == 3).unwrap();
        let (shape, mut tuning) = (|rung: usize, entry: usize| (10 * rung + entry) as f64, Tuning::new(&problem, &moves, RUNGS));
        (0..RUNGS).for_each(|rung| tuning.reshape_one(rung, step, (0..9).map(|entry| shape(rung, entry))));
        let tuning = tuning.repeated(3);
        for (place, entry) in (0..3 * RUNGS).flat_map(|place| (0..9).map(move |entry| (place, entry))) {
            let first = place / ABREAST * ABREAST;
            assert_eq!(tuning.entries(first, step, entry)[place - first], shape(place % RUNGS, entry), "place {place}");
        }
    }

    #[test]
    fn refits_wait_where_they_are_refused_or_others_do_their_work() {
        let cold = |rung: usize| if rung < 4 { 10 } else { 200 };
        let all = &[1, 2, 3, 4, 5, 6];
        assert_eq!(turns(1000, cold, (&[], 0.0), false), [4, 4, 4, 1, 1, 1, 1]);
        assert_eq!(turns(100, cold, (&[], 0.0), false), [1; 7], "so few proposals say nothing");
        assert_eq!(turns(1000, cold, (all, 0.05), false), [0, 0, 0, 0, 4, 4, 1]);
        assert_eq!(turns(1000, cold, (all, 0.2), false), [0, 0, 0, 0, 12, 12, 1]);
        assert_eq!(turns(1000, cold, (all, 0.5), false), [0, 0, 0, 0, 24, 24, 1]);
        assert_eq!(turns(1000, cold, (&[1, 3], 0.05), false), [0, 4, 4, 1, 1, 1, 1], "the way from the prior is broken at the second rung");
        assert_eq!(turns(1000, cold, (all, 0.5), true), [4, 4, 4, 1, 1, 1, 1], "while adapting");
    }
}
