//! The ladders of some copies side by side: their walkers, proposals and decisions, and the exchange of temperatures.

mod decide;
mod pending;

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
use crate::models::level::{self, OnLevel};
use crate::noise::{self, Scale};
use crate::problem::Problem;
use crate::random::{self, Key, Source, Stream};
use pending::Pending;

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

/// The chains of some copies of one problem, as arrays across all their walkers.
///
/// A place is a rung of a copy: those of the first copy from β = 0 on, then those of the next. Walker w sits at place `place_of[w]`, which is one of its
/// copy; temperatures travel, states stay. Copies never meet: what comes of one does not depend on which are beside it.
#[derive(Debug)]
pub struct Chains<'p> {
    /// The problem.
    pub problem: &'p Problem,
    /// Inverse temperature of each place.
    pub betas: Vec<f64>,
    /// Place of each walker.
    pub place_of: Vec<u32>,
    /// Walker at each place.
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
    /// What is kept, one a copy, but for the last sweeps: see [`Chains::complete`].
    pub records: Vec<Record>,
    pending: Pending,
    /// Proposals whose energy was not a number.
    pub broken: u64,
    /// Largest drift of its walkers at the end of a round, in units of misfit.
    pub drift: f64,
    /// What the fresh draws of this sweep tell of each place, and whether they tell anything.
    bridges: Vec<Bridge>,
    told: bool,
    /// For each walker ln of the prior over the approximation, where a fresh draw from that is proposed in this step; otherwise NaN.
    excess: Vec<f64>,
    /// Rungs of a copy.
    rungs: usize,
    /// One a copy, and what streams of each walker begin with.
    keys: Vec<Key>,
    sources: Vec<Source>,
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
    /// Walkers that make a move in this step, and how many of them make the regular one: they come first, ascending.
    due: Vec<u32>,
    regular: usize,
    streams: Vec<Stream>,
    level: Level,
    /// What refits remember, walker after walker, one a measurement; only one walker's where they are not to.
    memories: Vec<Memory>,
}

impl<'p> Chains<'p> {
    /// One ladder a key, its walkers drawn from the prior; energies are unknown until the engine has loaded them.
    pub fn new(problem: &'p Problem, keys: Vec<Key>, ladder: &[f64], moves: &[Move], most_rows: usize) -> Self {
        let (places, d, m) = (ladder.len() * keys.len(), problem.dimension(), problem.measurements.len());
        let sources = sources(&keys, ladder.len());
        let theta: Vec<f64> = sources.iter().flat_map(|source| begin(problem, source.stream(u32::MAX, REFRESH))).collect();
        Self {
            tuning: Tuning::new(problem, moves, places),
            records: keys.iter().map(|_| Record::new(ladder.len(), d, most_rows, 0.0)).collect(),
            pending: Pending::new(places),
            place_of: (0..places as u32).collect(),
            walker_of: (0..places as u32).collect(),
            misfits: vec![0.0; places * m],
            energy: vec![f64::INFINITY; places],
            tempered: vec![f64::NAN; places],
            trial: theta.clone(),
            ln_ratio: vec![0.0; places],
            state: vec![Trial::None; places],
            abreast: false,
            changed: Vec::new(),
            uniform: vec![0.0; places],
            proposals: 1,
            centre: Vec::new(),
            rivals: vec![Rival::REFUSED],
            due: Vec::with_capacity(places),
            regular: 0,
            streams: sources.iter().map(|source| source.stream(0, 0)).collect(),
            // The numbers are the same on all; an engine that is to use one this machine lacks has said so.
            level: level::chosen().unwrap_or_else(|_| Level::new()),
            memories: vec![Memory::default(); m],
            bridges: vec![Bridge::new(f64::NAN); places],
            told: false,
            excess: vec![f64::NAN; places],
            sweep: 0,
            broken: 0,
            drift: 0.0,
            scales: Scale::of(problem),
            rungs: ladder.len(),
            betas: ladder.repeat(keys.len()),
            problem,
            theta,
            sources,
            keys,
        }
    }

    /// Lets refits of every walker remember their columns, or of none: what they find is the same. It takes (linear parameters + 1) × points
    /// numbers a walker, which a ladder in work can have and a whole population cannot.
    pub fn remember(&mut self, all: bool) {
        let (walkers, m) = (self.walkers(), self.problem.measurements.len());
        self.memories = vec![Memory::default(); if all && walkers > 1 { walkers * m } else { m }];
    }

    /// Lets every walker choose among so many proposals in a step.
    pub fn choose_among(&mut self, proposals: usize) {
        let (all, d) = (self.walkers() * proposals, self.problem.dimension());
        self.proposals = proposals;
        self.trial = self.theta.chunks_exact(d.max(1)).flat_map(|row| row.repeat(proposals)).collect();
        self.ln_ratio = vec![0.0; all];
        self.state = vec![Trial::None; all];
        self.rivals = vec![Rival::REFUSED; proposals];
    }

    /// Number of walkers, which is the number of places.
    pub fn walkers(&self) -> usize {
        self.betas.len()
    }

    /// Number of copies.
    pub fn copies(&self) -> usize {
        self.keys.len()
    }

    /// Inverse temperatures of a copy, ascending from 0.
    pub fn ladder(&self) -> &[f64] {
        &self.betas[..self.rungs]
    }

    /// Coefficients of all walkers, for the engine to load; walkers that the model refuses get zeros and keep infinite energy.
    pub fn coefficients(&self, out: &mut Vec<f64>) -> Vec<bool> {
        let d = self.problem.dimension();
        let n = self.problem.coefficients();
        let mut admitted = Vec::with_capacity(self.walkers());
        for w in 0..self.walkers() {
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
        for w in 0..self.walkers() {
            let energy = noise::energy(self.problem, &misfits[w * m..(w + 1) * m], &self.theta[w * d..(w + 1) * d]);
            self.energy[w] = if admitted[w] && !energy.is_nan() { energy } else { f64::INFINITY };
        }
    }

    /// Proposes the `step`-th move of the sweep for every walker; those that need evaluation are appended to `moves`,
    /// with walker numbers from `offset`.
    pub fn propose(&mut self, step: usize, schedule: &[Move], refresh: &Move, offset: u32, moves: &mut Moves, room: &mut Room) {
        let regular = schedule.get(step);
        self.find_due(step, regular);
        let walk = regular.filter(|what| what.kind == Kind::Walk);
        self.abreast = walk.is_some() && self.proposals == 1 && self.scales.is_empty();
        if let Some(walk) = walk {
            self.walk(step, walk, offset, moves, room);
        } else if let Some(what) = regular {
            let (walkers, sweep, purpose) = (&self.due[..self.regular], self.sweep, step as u32);
            level::on(self.level, Begin { walkers, sources: &self.sources, sweep, purpose, streams: &mut self.streams });
            for at in 0..self.regular {
                self.one(self.due[at] as usize, step, what, offset, moves);
            }
        }
        for at in self.regular..self.due.len() {
            let w = self.due[at] as usize;
            self.streams[w] = self.sources[w].stream(self.sweep, REFRESH);
            self.one(w, step, refresh, offset, moves);
        }
    }

    /// Lists the walkers that make a move in this step: those that make the regular one, then those at β = 0 that draw everything afresh.
    fn find_due(&mut self, step: usize, regular: Option<&Move>) {
        self.due.clear();
        self.state.fill(Trial::None);
        if let Some(what) = regular {
            for (w, &place) in self.place_of.iter().enumerate() {
                let (place, beta) = (place as usize, self.betas[place as usize]);
                if beta > 0.0 && self.tuning.wants(place, step, what.kind, self.sweep) && what.due(self.problem, beta, self.sweep) {
                    self.due.push(w as u32);
                }
            }
        }
        self.regular = self.due.len();
        if step == 0 {
            self.due.extend(self.walker_of.iter().step_by(self.rungs));
        }
    }

    /// Proposes a walk.
    fn walk(&mut self, step: usize, what: &Move, offset: u32, moves: &mut Moves, room: &mut Room) {
        let (proposals, streamed) = (self.proposals, !self.abreast || moves.followed);
        self.changed.clear();
        self.changed.extend_from_slice(&what.targets[0].parameters);
        let walks = Walks {
            problem: self.problem,
            target: &what.targets[0],
            tuning: &self.tuning,
            step,
            sources: &self.sources,
            sweep: self.sweep,
            walkers: &self.due[..self.regular],
            place_of: &self.place_of,
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
        let place = self.place_of[w] as usize;
        let stream = &mut self.streams[w];
        let target = if what.targets.len() > 1 { stream.random_range(0..what.targets.len()) } else { 0 };
        let target = &what.targets[target];
        let beta = self.betas[place];
        // A refit is refused by the host most often, and a state of β = 0 has no choice.
        let several = self.proposals > 1 && beta > 0.0 && what.kind != Kind::Refit;
        self.centre.clear();
        if several {
            self.centre.extend(target.parameters.iter().map(|_| standard(stream)));
            self.centre.push(stream.random());
        }
        for at in w * self.proposals..w * self.proposals + if several { self.proposals } else { 1 } {
            let stream = &mut self.streams[w];
            let (from, to) = (&self.theta[w * d..(w + 1) * d], &mut self.trial[at * d..(at + 1) * d]);
            let ratio = if beta == 0.0 {
                for &i in &target.parameters {
                    to[i] = self.problem.parameters[i].prior.sample(stream);
                }
                within(self.problem, &target.parameters, to).then_some(0.0)
            } else {
                let (mixture, normals) = (&self.tuning.mixtures[step], self.tuning.normals[place].as_deref());
                let m = self.problem.measurements.len();
                let memories = if self.memories.len() > m { &mut self.memories[w * m..(w + 1) * m] } else { &mut self.memories };
                let (step, scales) = (self.tuning.step(place, step), &self.scales);
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
            moves.beta.push(self.beta(w));
            moves.ln_ratio.push(self.ln_ratio[trial]);
            moves.stream.push(self.streams[w].clone());
        }
        moves.term_start.push(moves.term.len() as u32);
        moves.coefficient_start.push(moves.coefficients.len() as u32);
        Trial::Evaluated
    }

    /// Zero likelihood is rejected at β > 0. At β = 0 it is a legitimate state: rejecting it there would truncate the prior and bias F.
    fn refuse(&mut self, w: usize) -> Trial {
        if self.beta(w) > 0.0 {
            return Trial::Refused;
        }
        let (d, trial) = (self.problem.dimension(), w * self.proposals);
        self.theta[w * d..(w + 1) * d].copy_from_slice(&self.trial[trial * d..(trial + 1) * d]);
        self.return_to(w, self.proposals);
        self.energy[w] = f64::INFINITY;
        Trial::None
    }

    /// Inverse temperature of a walker.
    fn beta(&self, w: usize) -> f64 {
        self.betas[self.place_of[w] as usize]
    }

    /// Makes so many proposals of a walker what its state is.
    fn return_to(&mut self, w: usize, proposals: usize) {
        let d = self.problem.dimension();
        for at in w * self.proposals..w * self.proposals + proposals {
            self.trial[at * d..(at + 1) * d].copy_from_slice(&self.theta[w * d..(w + 1) * d]);
        }
    }

    /// One pass of deterministic even–odd exchange in every copy, then the records of the sweep.
    pub fn exchange(&mut self, adapting: bool) {
        for copy in 0..self.copies() {
            self.exchange_in(copy);
        }
        if adapting {
            self.tuning.learn(self.problem, &self.theta, &self.walker_of, self.rungs);
        }
        // Adapting rounds are recorded too: the last one tells how long the kept part must be.
        let bridges = self.told.then_some(&*self.bridges);
        self.pending.add(&self.walker_of, &self.energy, bridges, &self.theta, self.copies());
        if self.pending.is_full() {
            self.complete();
        }
        if self.told {
            self.bridges.iter_mut().for_each(|bridge| *bridge = Bridge::new(bridge.about));
            self.told = false;
        }
        self.sweep += 1;
    }

    /// Brings the records up to date: some sweeps wait for it.
    pub fn complete(&mut self) {
        self.pending.complete(&mut self.records);
    }

    fn exchange_in(&mut self, copy: usize) {
        let first = copy * self.rungs;
        for r in ((self.sweep & 1) as usize..self.rungs.saturating_sub(1)).step_by(2) {
            let place = first + r;
            let (a, b) = (self.walker_of[place] as usize, self.walker_of[place + 1] as usize);
            let (ua, ub) = (self.energy[a], self.energy[b]);
            // Swap probability exp((β_b − β_a)(U_b − U_a)); a state of zero likelihood never leaves β = 0.
            let ln_ratio =
                if ua.is_finite() && ub.is_finite() { (self.betas[place + 1] - self.betas[place]) * (ub - ua) } else { f64::NEG_INFINITY };
            let accept = ln_ratio >= 0.0 || self.keys[copy].stream(r as u32, self.sweep, EXCHANGE).random::<f64>() < ln_ratio.exp();
            self.pending.exchange(place, accept);
            if accept {
                self.walker_of.swap(place, place + 1);
                self.place_of.swap(a, b);
                (self.tempered[a], self.tempered[b]) = (f64::NAN, f64::NAN);
            }
        }
    }

    /// Moves to another ladder, its energies recorded about `origin` and its Z about `ln_z`, with the tuning of one copy: each new rung takes the
    /// state of the walker whose old rung is nearest, then all must be loaded anew.
    pub fn relocate(&mut self, ladder: &[f64], tuning: &Tuning, origin: f64, ln_z: &[f64]) {
        let (d, copies) = (self.problem.dimension(), self.copies());
        let old = self.ladder();
        let nearest = |beta: f64| -> usize {
            let distance = |b: f64| if b == 0.0 || beta == 0.0 { (b - beta).abs() * 1e9 } else { (b / beta).ln().abs() };
            (0..old.len()).min_by(|&i, &j| distance(old[i]).total_cmp(&distance(old[j]))).unwrap_or(0)
        };
        let rungs: Vec<usize> = ladder.iter().map(|&beta| nearest(beta)).collect();
        let places = (0..copies).flat_map(|copy| rungs.iter().map(move |rung| copy * old.len() + rung));
        self.theta = places.flat_map(|place| self.theta[self.walker_of[place] as usize * d..][..d].iter().copied()).collect();
        let places = ladder.len() * copies;
        self.rungs = ladder.len();
        self.betas = ladder.repeat(copies);
        self.sources = sources(&self.keys, self.rungs);
        self.place_of = (0..places as u32).collect();
        self.walker_of = (0..places as u32).collect();
        self.misfits = vec![0.0; places * self.problem.measurements.len()];
        self.energy = vec![f64::INFINITY; places];
        self.tempered = vec![f64::NAN; places];
        self.choose_among(self.proposals);
        self.streams = self.sources.iter().map(|source| source.stream(0, 0)).collect();
        self.uniform = vec![0.0; places];
        self.records.iter_mut().for_each(|record| *record = record.renewed(ladder.len(), origin));
        self.pending = Pending::new(places);
        self.tuning = tuning.repeated(copies);
        self.bridges = ln_z.repeat(copies).into_iter().map(Bridge::new).collect();
        self.excess = vec![f64::NAN; places];
    }
}

/// What streams of the walkers of some copies begin with.
fn sources(keys: &[Key], rungs: usize) -> Vec<Source> {
    keys.iter().flat_map(|&key| (0..rungs as u32).map(move |walker| Source { key, walker })).collect()
}

/// A draw of the prior that the model admits: burn-in starts anywhere, but it must start somewhere.
fn begin(problem: &Problem, mut stream: Stream) -> Vec<f64> {
    let mut scratch = vec![0.0; problem.coefficients()];
    let mut row: Vec<f64> = Vec::new();
    for _ in 0..1000 {
        row = problem.parameters.iter().map(|p| p.prior.sample(&mut stream)).collect();
        if problem.prepare_all(&row, &mut scratch) {
            break;
        }
    }
    row
}

/// Coefficients of one term; false where the model refuses them or they leave the numbers.
fn admissible(problem: &Problem, term: usize, theta: &[f64], out: &mut [f64]) -> bool {
    problem.prepare(term, theta, out).is_ok() && out.iter().all(|c| c.is_finite())
}

/// Begins streams, compiled for an instruction set.
struct Begin<'a> {
    walkers: &'a [u32],
    sources: &'a [Source],
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
            || random::begin(simd, self.walkers, self.sources, self.sweep, self.purpose, self.streams),
        );
    }
}

#[cfg(test)]
#[path = "chains_tests.rs"]
mod tests;
