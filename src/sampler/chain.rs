//! One ladder of one copy: its walkers, their proposals and decisions, and the exchange of temperatures.

mod decide;

use std::ops::Range;

use fearless_simd::{Level, Simd};
use rand::RngExt;

use super::adapt::Tuning;
use super::bridge::Bridge;
use super::proposal::{Tuned, change, within};
use super::record::Record;
use super::refit::Memory;
use super::rivals::{Centre, Rival, standard};
use super::schedule::{Kind, Move, Target};
use super::walks::{Room, Walks};
use crate::engine::Moves;
use crate::engine::cpu::level::{self, OnLevel};
use crate::noise::{self, Scale};
use crate::problem::Problem;
use crate::random::{Key, Stream};

/// Purpose numbers of streams; moves of the schedule count from 0.
const EXCHANGE: u32 = u32::MAX;
const REFRESH: u32 = u32::MAX - 1;

/// What became of a walker's proposal so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// No move in this step.
    None,
    /// Refused before any evaluation.
    Refused,
    /// Changes no term: the misfits stay.
    Free,
    /// Its misfits come from the engine.
    Evaluated,
}

/// One ladder: walker w sits at rung `rung_of[w]`; temperatures travel, states stay.
#[derive(Debug)]
pub struct Chain<'p> {
    /// The problem.
    pub problem: &'p Problem,
    /// Inverse temperatures, ascending from 0.
    pub betas: Vec<f64>,
    /// Rung of each walker.
    pub rung_of: Vec<u32>,
    /// Walker at each rung.
    pub walker_of: Vec<u32>,
    /// Parameters, walker after walker.
    pub theta: Vec<f64>,
    /// Misfits, walker after walker, one a measurement.
    pub misfits: Vec<f64>,
    /// Energies in nats, one a walker; +∞ where the likelihood is zero.
    pub energy: Vec<f64>,
    /// What moves of walkers whose scales are integrated out are decided on ([`noise::tempered`]); NaN where it is not known.
    tempered: Vec<f64>,
    /// Sweeps made so far, over all rounds.
    pub sweep: u32,
    /// Steps and what they are tuned from.
    pub tuning: Tuning,
    /// What is kept.
    pub record: Record,
    /// Proposals whose energy was not a number.
    pub broken: u64,
    /// Largest drift of its walkers at the end of a round, in units of misfit.
    pub drift: f64,
    /// What the fresh draws of this sweep tell of each rung.
    bridges: Vec<Bridge>,
    /// For each walker ln of the prior over the approximation, where a fresh draw from that is proposed in this step; otherwise NaN.
    excess: Vec<f64>,
    key: Key,
    scales: Vec<Scale>,
    /// Proposals that a walker chooses among in a step.
    proposals: usize,
    /// Parameters that are proposed, walker after walker, proposal after proposal; between decision and proposal they are those of the state. So
    /// are the next two.
    trial: Vec<f64>,
    ln_ratio: Vec<f64>,
    state: Vec<Trial>,
    /// Whether the proposals of this step are decided abreast, and the parameters that a walk changes.
    abreast: bool,
    changed: Vec<usize>,
    /// The number that decides the proposal of each walker, where it is decided abreast.
    uniform: Vec<f64>,
    /// What the proposals of the walker that is proposed for have in common.
    centre: Vec<f64>,
    /// The proposals of the walker that is decided on.
    rivals: Vec<Rival>,
    /// Walkers that make a move in this step, ascending.
    due: Vec<u32>,
    streams: Vec<Stream>,
    level: Level,
    /// What refits remember, walker after walker, one a measurement; only one walker's where they are not to.
    memories: Vec<Memory>,
}

impl<'p> Chain<'p> {
    /// A ladder whose walkers are all drawn from the prior; energies are unknown until the engine has loaded them.
    pub fn new(problem: &'p Problem, key: Key, betas: Vec<f64>, moves: &[Move], most_rows: usize) -> Self {
        let (rungs, d, m) = (betas.len(), problem.dimension(), problem.measurements.len());
        let mut theta = Vec::with_capacity(rungs * d);
        for w in 0..rungs {
            // Until an admissible draw is found: burn-in starts anywhere, but it must start somewhere.
            let mut stream = key.stream(w as u32, u32::MAX, REFRESH);
            let mut scratch = vec![0.0; problem.coefficients()];
            let mut row: Vec<f64> = Vec::new();
            for _ in 0..1000 {
                row = problem.parameters.iter().map(|p| p.prior.sample(&mut stream)).collect();
                if problem.prepare_all(&row, &mut scratch) {
                    break;
                }
            }
            theta.extend(row);
        }
        Self {
            tuning: Tuning::new(problem, moves, rungs),
            record: Record::new(rungs, d, most_rows, 0.0),
            rung_of: (0..rungs as u32).collect(),
            walker_of: (0..rungs as u32).collect(),
            misfits: vec![0.0; rungs * m],
            energy: vec![f64::INFINITY; rungs],
            tempered: vec![f64::NAN; rungs],
            trial: theta.clone(),
            ln_ratio: vec![0.0; rungs],
            state: vec![Trial::None; rungs],
            abreast: false,
            changed: Vec::new(),
            uniform: vec![0.0; rungs],
            proposals: 1,
            centre: Vec::new(),
            rivals: vec![Rival::REFUSED],
            due: Vec::with_capacity(rungs),
            streams: vec![key.stream(0, 0, 0); rungs],
            // The numbers are the same on all; an engine that is to use one this machine lacks has said so.
            level: level::chosen().unwrap_or_else(|_| Level::new()),
            memories: vec![Memory::default(); m],
            bridges: vec![Bridge::new(f64::NAN); rungs],
            excess: vec![f64::NAN; rungs],
            sweep: 0,
            broken: 0,
            drift: 0.0,
            scales: Scale::of(problem),
            problem,
            betas,
            theta,
            key,
        }
    }

    /// Lets refits of every walker remember their columns, or of none: what they find is the same. It takes (linear parameters + 1) × points
    /// numbers a walker, which a ladder in work can have and a whole population cannot.
    pub fn remember(&mut self, all: bool) {
        let (rungs, m) = (self.rungs(), self.problem.measurements.len());
        self.memories = vec![Memory::default(); if all && rungs > 1 { rungs * m } else { m }];
    }

    /// Lets every walker choose among so many proposals in a step.
    pub fn choose_among(&mut self, proposals: usize) {
        let (all, d) = (self.rungs() * proposals, self.problem.dimension());
        self.proposals = proposals;
        self.trial = self.theta.chunks_exact(d.max(1)).flat_map(|row| row.repeat(proposals)).collect();
        self.ln_ratio = vec![0.0; all];
        self.state = vec![Trial::None; all];
        self.rivals = vec![Rival::REFUSED; proposals];
    }

    /// Number of rungs, which is the number of walkers.
    pub fn rungs(&self) -> usize {
        self.betas.len()
    }

    /// Coefficients of all walkers, for the engine to load; walkers that the model refuses get zeros and keep infinite energy.
    pub fn coefficients(&self, out: &mut Vec<f64>) -> Vec<bool> {
        let d = self.problem.dimension();
        let n = self.problem.coefficients();
        let mut admitted = Vec::with_capacity(self.rungs());
        for w in 0..self.rungs() {
            let at = out.len();
            out.resize(at + n, 0.0);
            let fine = self.problem.prepare_all(&self.theta[w * d..(w + 1) * d], &mut out[at..]);
            if !fine {
                out[at..].fill(0.0);
            }
            admitted.push(fine);
        }
        admitted
    }

    /// Takes the misfits of freshly loaded walkers.
    pub fn loaded(&mut self, misfits: &[f64], admitted: &[bool]) {
        let (d, m) = (self.problem.dimension(), self.problem.measurements.len());
        self.misfits.copy_from_slice(misfits);
        for w in 0..self.rungs() {
            let energy = noise::energy(self.problem, &misfits[w * m..(w + 1) * m], &self.theta[w * d..(w + 1) * d]);
            self.energy[w] = if admitted[w] && !energy.is_nan() { energy } else { f64::INFINITY };
        }
    }

    /// Proposes the `step`-th move of the sweep for every walker; those that need evaluation are appended to `moves`,
    /// with walker numbers from `offset`.
    pub fn propose(&mut self, step: usize, schedule: &[Move], refresh: &Move, offset: u32, moves: &mut Moves, room: &mut Room) {
        let regular = schedule.get(step);
        let (tuning, problem, betas, sweep) = (&self.tuning, self.problem, &self.betas, self.sweep);
        let due = |rung: usize, what: &Move| tuning.wants(rung, step, what.kind, sweep) && what.due(problem, betas[rung], sweep);
        self.due.clear();
        self.state.fill(Trial::None);
        for (w, &rung) in self.rung_of.iter().enumerate() {
            let moves = if rung == 0 { step == 0 } else { regular.is_some_and(|what| due(rung as usize, what)) };
            if moves {
                self.due.push(w as u32);
            }
        }
        let walk = regular.filter(|what| what.kind == Kind::Walk);
        self.abreast = walk.is_some() && self.proposals == 1 && self.scales.is_empty();
        if let Some(walk) = walk {
            // The walker at β = 0 stands somewhere among the others.
            let (hot, all) = (self.due.iter().position(|&w| self.rung_of[w as usize] == 0), self.due.len());
            self.walk(0..hot.unwrap_or(all), step, walk, offset, moves, room);
            if let Some(at) = hot {
                self.renew(self.due[at] as usize, step, refresh, offset, moves);
                self.walk(at + 1..all, step, walk, offset, moves, room);
            }
            return;
        }
        level::on(self.level, Begin { key: self.key, walkers: &self.due, sweep, purpose: step as u32, streams: &mut self.streams });
        for at in 0..self.due.len() {
            let w = self.due[at] as usize;
            match regular.filter(|_| self.rung_of[w] > 0) {
                Some(what) => self.one(w, step, what, offset, moves),
                None => self.renew(w, step, refresh, offset, moves),
            }
        }
    }

    /// Proposes a fresh draw of everything for the walker at β = 0.
    fn renew(&mut self, w: usize, step: usize, refresh: &Move, offset: u32, moves: &mut Moves) {
        self.streams[w] = self.key.stream(w as u32, self.sweep, REFRESH);
        self.one(w, step, refresh, offset, moves);
    }

    /// Proposes a walk for some of the walkers that make a move.
    fn walk(&mut self, due: Range<usize>, step: usize, what: &Move, offset: u32, moves: &mut Moves, room: &mut Room) {
        let (proposals, streamed) = (self.proposals, !self.abreast || moves.followed);
        self.changed.clear();
        self.changed.extend_from_slice(&what.targets[0].parameters);
        let walks = Walks {
            problem: self.problem,
            target: &what.targets[0],
            tuning: &self.tuning,
            step,
            key: self.key,
            sweep: self.sweep,
            walkers: &self.due[due],
            rung_of: &self.rung_of,
            betas: &self.betas,
            scales: &self.scales,
            proposals,
            offset,
            theta: &self.theta,
            trial: &mut self.trial,
            ln_ratio: &mut self.ln_ratio,
            state: &mut self.state,
            uniform: &mut self.uniform,
            streams: &mut self.streams,
            streamed,
            room,
            moves,
        };
        level::on(self.level, walks);
    }

    /// Proposes any other move for one walker, whose stream has begun.
    fn one(&mut self, w: usize, step: usize, what: &Move, offset: u32, moves: &mut Moves) {
        let d = self.problem.dimension();
        let rung = self.rung_of[w] as usize;
        let stream = &mut self.streams[w];
        let target = if what.targets.len() > 1 { stream.random_range(0..what.targets.len()) } else { 0 };
        let target = &what.targets[target];
        let beta = self.betas[rung];
        // A refit is refused by the host most often, and a state of β = 0 has no choice.
        let several = self.proposals > 1 && rung > 0 && what.kind != Kind::Refit;
        self.centre.clear();
        if several {
            self.centre.extend(target.parameters.iter().map(|_| standard(stream)));
            self.centre.push(stream.random());
        }
        for at in w * self.proposals..w * self.proposals + if several { self.proposals } else { 1 } {
            let stream = &mut self.streams[w];
            let (from, to) = (&self.theta[w * d..(w + 1) * d], &mut self.trial[at * d..(at + 1) * d]);
            let ratio = if rung == 0 {
                for &i in &target.parameters {
                    to[i] = self.problem.parameters[i].prior.sample(stream);
                }
                within(self.problem, &target.parameters, to).then_some(0.0)
            } else {
                let (mixture, normals) = (&self.tuning.mixtures[step], self.tuning.normals[rung].as_deref());
                let m = self.problem.measurements.len();
                let memories = if self.memories.len() > m { &mut self.memories[w * m..(w + 1) * m] } else { &mut self.memories };
                let (step, scales) = (self.tuning.step(rung, step), &self.scales);
                let excess = &mut self.excess[w];
                let tuned = Tuned { step, centre: Centre(&self.centre), mixture, normals, beta, memories, scales, excess };
                change(self.problem, what, target, tuned, from, to, stream)
            };
            self.state[at] = match ratio {
                None => self.refuse(w),
                Some(ratio) => {
                    self.ln_ratio[at] = ratio;
                    self.prepare(w, at, what, target, offset, moves)
                }
            };
        }
    }

    /// Appends the coefficients of the changed terms, or finds that the model refuses them.
    fn prepare(&mut self, w: usize, trial: usize, what: &Move, target: &Target, offset: u32, moves: &mut Moves) -> Trial {
        let d = self.problem.dimension();
        let (from, theta) = (&self.theta[w * d..(w + 1) * d], &self.trial[trial * d..(trial + 1) * d]);
        let (first, at) = (moves.term.len(), moves.coefficients.len());
        if what.kind == Kind::Refit {
            // Of what it may change, it leaves much as it is.
            let bent = |k: u32| self.problem.terms[k as usize].bindings.iter().any(|b| b.free.is_some_and(|i| theta[i] != from[i]));
            moves.term.extend(target.terms.iter().copied().filter(|&k| bent(k)));
        } else {
            moves.term.extend_from_slice(&target.terms);
        }
        if moves.term.len() == first {
            return Trial::Free;
        }
        let admitted = moves.term[first..].iter().all(|&k| {
            let from = moves.coefficients.len();
            moves.coefficients.resize(from + self.problem.terms[k as usize].extent.len(), 0.0);
            admissible(self.problem, k as usize, theta, &mut moves.coefficients[from..])
        });
        if !admitted {
            moves.term.truncate(first);
            moves.coefficients.truncate(at);
            return self.refuse(w);
        }
        moves.walker.push(offset + w as u32);
        if moves.followed {
            moves.beta.push(self.betas[self.rung_of[w] as usize]);
            moves.ln_ratio.push(self.ln_ratio[trial]);
            moves.stream.push(self.streams[w].clone());
        }
        moves.term_start.push(moves.term.len() as u32);
        moves.coefficient_start.push(moves.coefficients.len() as u32);
        Trial::Evaluated
    }

    /// Zero likelihood is rejected at β > 0. At β = 0 it is a legitimate state: rejecting it there would truncate the prior and bias F.
    fn refuse(&mut self, w: usize) -> Trial {
        if self.rung_of[w] > 0 {
            return Trial::Refused;
        }
        let (d, trial) = (self.problem.dimension(), w * self.proposals);
        self.theta[w * d..(w + 1) * d].copy_from_slice(&self.trial[trial * d..(trial + 1) * d]);
        self.return_to(w, self.proposals);
        self.energy[w] = f64::INFINITY;
        Trial::None
    }

    /// Makes so many proposals of a walker what its state is.
    fn return_to(&mut self, w: usize, proposals: usize) {
        let d = self.problem.dimension();
        for at in w * self.proposals..w * self.proposals + proposals {
            self.trial[at * d..(at + 1) * d].copy_from_slice(&self.theta[w * d..(w + 1) * d]);
        }
    }

    /// One pass of deterministic even–odd exchange, then the records of the sweep.
    pub fn exchange(&mut self, adapting: bool) {
        let parity = (self.sweep & 1) as usize;
        for r in (parity..self.rungs().saturating_sub(1)).step_by(2) {
            let (a, b) = (self.walker_of[r] as usize, self.walker_of[r + 1] as usize);
            let (ua, ub) = (self.energy[a], self.energy[b]);
            // Swap probability exp((β_b − β_a)(U_b − U_a)); a state of zero likelihood never leaves β = 0.
            let ln_ratio =
                if ua.is_finite() && ub.is_finite() { (self.betas[r + 1] - self.betas[r]) * (ub - ua) } else { f64::NEG_INFINITY };
            let accept = ln_ratio >= 0.0 || self.key.stream(r as u32, self.sweep, EXCHANGE).random::<f64>() < ln_ratio.exp();
            self.record.exchange(r, accept);
            if accept {
                self.walker_of.swap(r, r + 1);
                self.rung_of.swap(a, b);
                (self.tempered[a], self.tempered[b]) = (f64::NAN, f64::NAN);
            }
        }
        self.record.visit(&self.walker_of);
        if adapting {
            self.tuning.learn(self.problem, &self.theta, &self.walker_of);
        }
        // Adapting rounds are recorded too: the last one tells how long the kept part must be.
        let cold = self.walker_of[self.rungs() - 1] as usize;
        let d = self.problem.dimension();
        self.record.keep(self.walker_of.iter().map(|&w| self.energy[w as usize]), &self.bridges, &self.theta[cold * d..(cold + 1) * d]);
        self.bridges.iter_mut().for_each(|bridge| *bridge = Bridge::new(bridge.about));
        self.sweep += 1;
    }

    /// Moves to another ladder, its energies recorded about `origin` and its Z about `ln_z`: each new rung takes the state of the walker whose old rung is nearest, then all must be loaded anew.
    pub fn relocate(&mut self, betas: &[f64], tuning: Tuning, origin: f64, ln_z: &[f64]) {
        let d = self.problem.dimension();
        let nearest = |beta: f64| -> usize {
            let distance = |b: f64| if b == 0.0 || beta == 0.0 { (b - beta).abs() * 1e9 } else { (b / beta).ln().abs() };
            (0..self.betas.len()).min_by(|&i, &j| distance(self.betas[i]).total_cmp(&distance(self.betas[j]))).unwrap_or(0)
        };
        let mut theta = Vec::with_capacity(betas.len() * d);
        for &beta in betas {
            let w = self.walker_of[nearest(beta)] as usize;
            theta.extend_from_slice(&self.theta[w * d..(w + 1) * d]);
        }
        let rungs = betas.len();
        self.betas = betas.to_vec();
        self.rung_of = (0..rungs as u32).collect();
        self.walker_of = (0..rungs as u32).collect();
        self.theta = theta;
        self.misfits = vec![0.0; rungs * self.problem.measurements.len()];
        self.energy = vec![f64::INFINITY; rungs];
        self.tempered = vec![f64::NAN; rungs];
        self.choose_among(self.proposals);
        self.streams = vec![self.key.stream(0, 0, 0); rungs];
        self.uniform = vec![0.0; rungs];
        self.record = self.record.renewed(rungs, origin);
        self.tuning = tuning;
        self.bridges = ln_z.iter().copied().map(Bridge::new).collect();
        self.excess = vec![f64::NAN; rungs];
    }
}

/// Coefficients of one term; false where the model refuses them or they leave the numbers.
fn admissible(problem: &Problem, term: usize, theta: &[f64], out: &mut [f64]) -> bool {
    problem.prepare(term, theta, out).is_ok() && out.iter().all(|c| c.is_finite())
}

/// Begins streams, compiled for an instruction set.
struct Begin<'a> {
    key: Key,
    walkers: &'a [u32],
    sweep: u32,
    purpose: u32,
    streams: &'a mut [Stream],
}

impl OnLevel for Begin<'_> {
    type Output = ();

    #[inline(always)]
    fn on<S: Simd>(self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || self.key.begin(simd, self.walkers, self.sweep, self.purpose, self.streams),
        );
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
