//! The ladders of some copies side by side: their states, proposals and decisions, and the exchange of temperatures.

mod decide;
mod pending;

use fearless_simd::{Level, Simd};
use rand::RngExt;

use super::adapt::Tuning;
use super::bridge::Bridge;
use super::parameters::Parameters;
use super::proposal::{Tuned, change, within};
use super::record::Record;
use super::refit::Memory;
use super::rivals::{Centre, Rival, standard};
use super::schedule::{Kind, Move, Target};
use super::walks::{Proposed, Room, Walks};
use crate::engine::Moves;
use crate::models::ABREAST;
use crate::models::level::{self, OnLevel};
use crate::noise::{self, Scale};
use crate::problem::{Noise, Problem};
use crate::random::{self, Key, Sources, Stream};
use pending::Pending;

/// Purpose numbers of streams; moves of the schedule count from 0.
const EXCHANGE: u32 = u32::MAX;
const REFRESH: u32 = u32::MAX - 1;

/// What became of a place's proposal so far.
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

/// The chains of some copies of one problem, as arrays across all their places.
///
/// A place is a rung of a copy: those of the first copy from β = 0 on, then those of the next. An exchange swaps which walkers are there, and with them
/// all that is known of their states, so that what is computed for places side by side is read side by side; on the engine a walker stays where it is.
/// Copies never meet: what comes of one does not depend on which are beside it. Arrays that are read abreast are as long as whole vectors need.
#[derive(Debug)]
pub struct Chains<'p> {
    /// The problem.
    pub problem: &'p Problem,
    /// Walker at each place.
    pub walker_of: Vec<u32>,
    /// Inverse temperature of each place; 0 beyond the last.
    betas: Vec<f64>,
    /// Parameters.
    theta: Parameters,
    /// Misfits, place after place, one a measurement.
    misfits: Vec<f64>,
    /// Energies in nats; +∞ where the likelihood is zero.
    energy: Vec<f64>,
    /// What moves of states whose scales are integrated out are decided on ([`noise::tempered`]); NaN where it is not known.
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
    /// For each place ln of the prior over the approximation, where a fresh draw from that is proposed in this step; otherwise NaN.
    excess: Vec<f64>,
    /// Rungs of a copy.
    rungs: usize,
    keys: Vec<Key>,
    /// What the streams of the walker at each place begin with.
    sources: Sources,
    scales: Vec<Scale>,
    /// Whether noise has no free parameter: energies then follow from misfits alone.
    known: bool,
    /// Proposals that a walker chooses among in a step.
    proposals: usize,
    /// Place after place, proposal after proposal: proposed parameters, of proposals that are decided one by one; ln of the ratio of priors and
    /// proposals; what became of it so far.
    trial: Vec<f64>,
    ln_ratio: Vec<f64>,
    state: Vec<Trial>,
    /// Whether the regular move of this step is decided abreast, and what it proposes then.
    abreast: bool,
    proposed: Proposed,
    /// Places whose moves are decided one by one.
    due: Vec<u32>,
    /// The state of the place that is proposed for or decided on.
    from: Vec<f64>,
    /// What its proposals have in common, and the proposals.
    centre: Vec<f64>,
    rivals: Vec<Rival>,
    streams: Vec<Stream>,
    level: Level,
    /// What refits remember, walker after walker, one a measurement; only one walker's where they are not to.
    memories: Vec<Memory>,
}

impl<'p> Chains<'p> {
    /// One ladder a key, its walkers drawn from the prior; energies are unknown until the engine has loaded them.
    pub fn new(problem: &'p Problem, keys: Vec<Key>, ladder: &[f64], moves: &[Move], most_rows: usize) -> Self {
        let (places, d, m) = (ladder.len() * keys.len(), problem.dimension(), problem.measurements.len());
        let lanes = places.next_multiple_of(ABREAST);
        let sources = Sources::new(&keys, ladder.len());
        let mut theta = Parameters::new(d, places);
        (0..places).for_each(|place| theta.set(place, &begin(problem, sources.at(place).stream(u32::MAX, REFRESH))));
        let mut chains = Self {
            tuning: Tuning::new(problem, moves, places),
            records: keys.iter().map(|_| Record::new(ladder.len(), d, most_rows, 0.0)).collect(),
            pending: Pending::new(places),
            walker_of: (0..places as u32).collect(),
            misfits: vec![0.0; lanes * m],
            energy: vec![f64::INFINITY; lanes],
            tempered: vec![f64::NAN; places],
            trial: Vec::new(),
            ln_ratio: Vec::new(),
            state: Vec::new(),
            abreast: false,
            proposed: Proposed::new(d, places),
            proposals: 1,
            from: Vec::with_capacity(d),
            centre: Vec::new(),
            rivals: Vec::new(),
            due: Vec::with_capacity(places),
            streams: (0..places).map(|place| sources.at(place).stream(0, 0)).collect(),
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
            known: problem.measurements.iter().all(|data| !matches!(data.noise, Noise::Scaled { .. })),
            rungs: ladder.len(),
            betas: betas(ladder, keys.len()),
            problem,
            theta,
            sources,
            keys,
        };
        chains.choose_among(1);
        chains
    }

    /// Lets refits of every walker remember their columns, or of none: what they find is the same. It takes (linear parameters + 1) × points
    /// numbers a walker, which a ladder in work can have and a whole population cannot.
    pub fn remember(&mut self, all: bool) {
        let (walkers, m) = (self.walkers(), self.problem.measurements.len());
        self.memories = vec![Memory::default(); if all && walkers > 1 { walkers * m } else { m }];
    }

    /// Lets every walker choose among so many proposals in a step.
    pub fn choose_among(&mut self, proposals: usize) {
        let all = self.walkers().next_multiple_of(ABREAST) * proposals;
        self.proposals = proposals;
        self.trial = vec![0.0; self.walkers() * proposals * self.problem.dimension()];
        self.ln_ratio = vec![0.0; all];
        self.state = vec![Trial::None; all];
        self.rivals = vec![Rival::REFUSED; proposals];
    }

    /// Number of walkers, which is the number of places.
    pub fn walkers(&self) -> usize {
        self.walker_of.len()
    }

    /// Number of copies.
    pub fn copies(&self) -> usize {
        self.keys.len()
    }

    /// Inverse temperatures of a copy, ascending from 0.
    pub fn ladder(&self) -> &[f64] {
        &self.betas[..self.rungs]
    }

    /// Inverse temperature of each place.
    pub fn betas(&self) -> &[f64] {
        &self.betas[..self.walkers()]
    }

    /// Energy at each place in nats.
    pub fn energies(&self) -> &[f64] {
        &self.energy[..self.walkers()]
    }

    /// Parameters at a place.
    pub fn row(&self, place: usize) -> Vec<f64> {
        self.theta.row(place).collect()
    }

    /// Coefficients of all states, place after place, for the engine to load; those that the model refuses get zeros and keep infinite energy.
    pub fn coefficients(&self, out: &mut Vec<f64>) -> Vec<bool> {
        let n = self.problem.coefficients();
        let mut admitted = Vec::with_capacity(self.walkers());
        for place in 0..self.walkers() {
            let at = out.len();
            out.resize(at + n, 0.0);
            let fine = self.problem.prepare_all(&self.row(place), &mut out[at..]);
            if !fine {
                out[at..].fill(0.0);
            }
            admitted.push(fine);
        }
        admitted
    }

    /// Takes the misfits of freshly loaded states.
    pub fn loaded(&mut self, misfits: &[f64], admitted: &[bool]) {
        let m = self.problem.measurements.len();
        self.misfits[..misfits.len()].copy_from_slice(misfits);
        for place in 0..self.walkers() {
            let energy = noise::energy(self.problem, &misfits[place * m..(place + 1) * m], &self.row(place));
            self.energy[place] = if admitted[place] && !energy.is_nan() { energy } else { f64::INFINITY };
        }
    }

    /// Proposes the `step`-th move of the sweep at every place; those that need evaluation are appended to `moves`,
    /// with walker numbers from `offset`.
    pub fn propose(&mut self, step: usize, schedule: &[Move], refresh: &Move, offset: u32, moves: &mut Moves, room: &mut Room) {
        let regular = schedule.get(step);
        self.due.clear();
        self.state.fill(Trial::None);
        self.abreast = regular.is_some_and(|what| what.kind == Kind::Walk) && self.proposals == 1 && self.known;
        if let Some(what) = regular {
            if what.kind == Kind::Walk {
                self.walk(step, what, offset, moves, room);
            } else {
                self.find_due(step, what);
                let (places, sweep, purpose) = (&self.due, self.sweep, step as u32);
                level::on(self.level, Begin { places, sources: &self.sources, sweep, purpose, streams: &mut self.streams });
                (0..self.due.len()).for_each(|at| self.one(self.due[at] as usize, step, what, offset, moves));
            }
        }
        if step == 0 {
            for place in (0..self.walkers()).step_by(self.rungs) {
                self.due.push(place as u32);
                self.streams[place] = self.sources.at(place).stream(self.sweep, REFRESH);
                self.one(place, step, refresh, offset, moves);
            }
        }
    }

    /// Lists the places that make a move in this step.
    fn find_due(&mut self, step: usize, what: &Move) {
        for (place, &beta) in self.betas[..self.walker_of.len()].iter().enumerate() {
            if beta > 0.0 && self.tuning.wants(place, step, what.kind, self.sweep) && what.due(self.problem, beta, self.sweep) {
                self.due.push(place as u32);
            }
        }
    }

    /// Proposes a walk.
    fn walk(&mut self, step: usize, what: &Move, offset: u32, moves: &mut Moves, room: &mut Room) {
        let walks = Walks {
            problem: self.problem,
            target: &what.targets[0],
            tuning: &self.tuning,
            step,
            sources: &self.sources,
            sweep: self.sweep,
            walker_of: &self.walker_of,
            betas: &self.betas,
            scales: &self.scales,
            proposals: self.proposals,
            offset,
            theta: &self.theta,
            abreast: self.abreast,
            proposed: &mut self.proposed,
            trial: &mut self.trial,
            ln_ratio: &mut self.ln_ratio,
            state: &mut self.state,
            streams: &mut self.streams,
            due: &mut self.due,
            room,
            moves,
        };
        level::on(self.level, walks);
    }

    /// Proposes any other move at one place, whose stream has begun.
    fn one(&mut self, place: usize, step: usize, what: &Move, offset: u32, moves: &mut Moves) {
        let d = self.problem.dimension();
        let stream = &mut self.streams[place];
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
        self.from.clear();
        self.from.extend(self.theta.row(place));
        for at in place * self.proposals..place * self.proposals + if several { self.proposals } else { 1 } {
            let stream = &mut self.streams[place];
            let (from, to) = (self.from.as_slice(), &mut self.trial[at * d..(at + 1) * d]);
            to.copy_from_slice(from);
            let ratio = if beta == 0.0 {
                for &i in &target.parameters {
                    to[i] = self.problem.parameters[i].prior.sample(stream);
                }
                within(self.problem, &target.parameters, to).then_some(0.0)
            } else {
                let (mixture, normals) = (&self.tuning.mixtures[step], self.tuning.normals[place].as_deref());
                let (m, w) = (self.problem.measurements.len(), self.walker_of[place] as usize);
                let memories = if self.memories.len() > m { &mut self.memories[w * m..(w + 1) * m] } else { &mut self.memories };
                let (step, scales) = (self.tuning.step(place, step), &self.scales);
                let excess = &mut self.excess[place];
                let tuned = Tuned { step, centre: Centre(&self.centre), mixture, normals, beta, memories, scales, excess };
                change(self.problem, what, target, tuned, from, to, stream)
            };
            self.state[at] = match ratio {
                None => self.refuse(place),
                Some(ratio) => {
                    self.ln_ratio[at] = ratio;
                    self.prepare(place, at, what, target, offset, moves)
                }
            };
        }
    }

    /// Appends the coefficients of the changed terms, or finds that the model refuses them.
    fn prepare(&mut self, place: usize, trial: usize, what: &Move, target: &Target, offset: u32, moves: &mut Moves) -> Trial {
        let d = self.problem.dimension();
        let (from, theta) = (&self.from, &self.trial[trial * d..(trial + 1) * d]);
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
            return self.refuse(place);
        }
        moves.walker.push(offset + self.walker_of[place]);
        if moves.followed {
            moves.beta.push(self.betas[place]);
            moves.ln_ratio.push(self.ln_ratio[trial]);
            moves.stream.push(self.streams[place].clone());
        }
        moves.term_start.push(moves.term.len() as u32);
        moves.coefficient_start.push(moves.coefficients.len() as u32);
        Trial::Evaluated
    }

    /// Zero likelihood is rejected at β > 0. At β = 0 it is a legitimate state: rejecting it there would truncate the prior and bias F.
    fn refuse(&mut self, place: usize) -> Trial {
        if self.betas[place] > 0.0 {
            return Trial::Refused;
        }
        let (d, trial) = (self.problem.dimension(), place * self.proposals);
        self.theta.set(place, &self.trial[trial * d..(trial + 1) * d]);
        self.energy[place] = f64::INFINITY;
        Trial::None
    }

    /// One pass of deterministic even–odd exchange in every copy, then the records of the sweep.
    pub fn exchange(&mut self, adapting: bool) {
        for copy in 0..self.copies() {
            self.exchange_in(copy);
        }
        if adapting {
            self.tuning.learn(self.problem, &self.theta, self.rungs);
        }
        // Adapting rounds are recorded too: the last one tells how long the kept part must be.
        let bridges = self.told.then_some(&*self.bridges);
        self.pending.add(&self.walker_of, &self.energy[..self.walker_of.len()], bridges, &self.theta, self.copies());
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
            let (ua, ub) = (self.energy[place], self.energy[place + 1]);
            // Swap probability exp((β_b − β_a)(U_b − U_a)); a state of zero likelihood never leaves β = 0.
            let ln_ratio =
                if ua.is_finite() && ub.is_finite() { (self.betas[place + 1] - self.betas[place]) * (ub - ua) } else { f64::NEG_INFINITY };
            let accept = ln_ratio >= 0.0 || self.keys[copy].stream(r as u32, self.sweep, EXCHANGE).random::<f64>() < ln_ratio.exp();
            self.pending.exchange(place, accept);
            if accept {
                self.swap(place, place + 1);
            }
        }
    }

    /// Two walkers change places.
    fn swap(&mut self, a: usize, b: usize) {
        let m = self.problem.measurements.len();
        self.walker_of.swap(a, b);
        self.sources.swap(a, b);
        self.theta.swap(a, b);
        (0..m).for_each(|j| self.misfits.swap(a * m + j, b * m + j));
        self.energy.swap(a, b);
        (self.tempered[a], self.tempered[b]) = (f64::NAN, f64::NAN);
    }

    /// Moves to another ladder, its energies recorded about `origin` and its Z about `ln_z`, with the tuning of one copy: each new rung takes the
    /// state of the nearest old one, then all must be loaded anew.
    pub fn relocate(&mut self, ladder: &[f64], tuning: &Tuning, origin: f64, ln_z: &[f64]) {
        let (d, copies) = (self.problem.dimension(), self.copies());
        let old = self.ladder();
        let nearest = |beta: f64| -> usize {
            let distance = |b: f64| if b == 0.0 || beta == 0.0 { (b - beta).abs() * 1e9 } else { (b / beta).ln().abs() };
            (0..old.len()).min_by(|&i, &j| distance(old[i]).total_cmp(&distance(old[j]))).unwrap_or(0)
        };
        let rungs: Vec<usize> = ladder.iter().map(|&beta| nearest(beta)).collect();
        let places = ladder.len() * copies;
        let lanes = places.next_multiple_of(ABREAST);
        let mut theta = Parameters::new(d, places);
        let from = (0..copies).flat_map(|copy| rungs.iter().map(move |rung| copy * old.len() + rung));
        from.enumerate().for_each(|(place, from)| theta.set(place, &self.row(from)));
        self.theta = theta;
        self.rungs = ladder.len();
        self.betas = betas(ladder, copies);
        self.sources = Sources::new(&self.keys, self.rungs);
        self.walker_of = (0..places as u32).collect();
        self.misfits = vec![0.0; lanes * self.problem.measurements.len()];
        self.energy = vec![f64::INFINITY; lanes];
        self.tempered = vec![f64::NAN; places];
        self.proposed = Proposed::new(d, places);
        self.choose_among(self.proposals);
        self.streams = (0..places).map(|place| self.sources.at(place).stream(0, 0)).collect();
        self.records.iter_mut().for_each(|record| *record = record.renewed(ladder.len(), origin));
        self.pending = Pending::new(places);
        self.tuning = tuning.repeated(copies);
        self.bridges = ln_z.repeat(copies).into_iter().map(Bridge::new).collect();
        self.excess = vec![f64::NAN; places];
    }
}

/// Inverse temperatures of all places, and 0 for what fills the last lanes.
fn betas(ladder: &[f64], copies: usize) -> Vec<f64> {
    let mut betas = ladder.repeat(copies);
    betas.resize(betas.len().next_multiple_of(ABREAST), 0.0);
    betas
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
    places: &'a [u32],
    sources: &'a Sources,
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
            || random::begin(simd, self.places, self.sources, self.sweep, self.purpose, self.streams),
        );
    }
}

#[cfg(test)]
mod beside_tests;
#[cfg(test)]
#[path = "chains_tests.rs"]
mod tests;
