//! One problem's way through the rounds: adapt, freeze, keep, extend.

use std::sync::Arc;

use super::adapt::{Share, Tuning};
use super::chains::Chains;
use super::record::Record;
use super::schedule::{self, Move};
use super::{Judge, Settings, ladder};
use crate::engine::probe::Found;
use crate::problem::Problem;
use crate::random::Key;

/// Sweeps of the first adapting round; each further one has twice as many.
const FIRST_ROUND: usize = 16;
/// Fewest and most adapting rounds.
const ROUNDS: (usize, usize) = (5, 10);
/// The barrier may change by this share between two rounds for the ladder to count as settled.
const SETTLED: f64 = 0.15;
/// An adapting round that asks for more than this many times its own length has not seen the posterior yet: adapting goes on.
const LARGEST_FACTOR: f64 = 12.0;
/// The first look at what was kept comes after as many sweeps as the last adapting round had, or up to so many times as many if that round asks
/// for more; beyond so many sweeps it waits no longer than that round took. What is missing then is better known.
const MOST_KEPT: f64 = 4.0;
const FIRST_LOOK: f64 = 4096.0;
/// A part is made this much longer than the one before asks for, because that one's variance is an estimate. Whether the targets were met is for
/// the verdict, which knows how far such an estimate may be off.
const MARGIN: f64 = 1.4;
/// All extensions together are at most this many times what was kept at the first look.
const LARGEST_EXTENSION: f64 = 16.0;
/// The first extension is at most this many times what was kept: a short record that asks for much more is often mistaken, and a second look
/// knows better. What that asks for is made if it can be had; a target out of reach is not worth the wait, and the verdict names it. There is
/// no third look, as an estimate that is asked until it says yes is biased.
const FIRST_EXTENSION: f64 = 4.0;

/// What the sampler returns for one problem.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// Inverse temperatures.
    pub betas: Vec<f64>,
    /// Records of the copies.
    pub copies: Vec<Record>,
    /// Rejection rate of each pair of rungs, over all copies.
    pub rejection: Vec<f64>,
    /// Sweeps spent adapting, a copy.
    pub burn_in: usize,
    /// Whether adaptation had settled when it ended.
    pub settled: bool,
    /// Whether the kept part was extended.
    pub extended: bool,
    /// Whether a time cap cut it short.
    pub timed_out: bool,
    /// Proposals whose energy was not a number.
    pub broken: u64,
    /// Largest drift of kept totals, in units of misfit.
    pub drift: f64,
    /// What the probe of a device found; none where the engine is not probed.
    pub probe: Option<Found>,
    /// Acceptance rate of each move at every rung, with its description.
    pub acceptance: Vec<(String, Vec<f64>)>,
}

impl Sampled {
    /// Communication barrier Λ, from the rejection rates.
    pub fn barrier(&self) -> f64 {
        ladder::barrier(&self.rejection)
    }

    /// Local barrier λ(β) = ½⟨|U − U′|⟩ at each rung in nats, U and U′ energies at that β of one row and two copies, which are independent: without
    /// bias, whatever the ladder. Its integral over β is Λ (Syed et al. 2022, section 4). Draws of zero likelihood are left out, for they never
    /// leave β = 0; NaN where there are no others.
    pub fn local_barrier(&self) -> Vec<f64> {
        let rungs = self.betas.len();
        let each = |rung: usize| {
            let own = |copy: usize| self.copies[copy % self.copies.len()].energies.iter().skip(rung).step_by(rungs);
            let pairs = (0..self.copies.len()).flat_map(|copy| own(copy).zip(own(copy + 1)));
            let differences = pairs.map(|(u, v)| (u - v).abs()).filter(|d| d.is_finite());
            let (sum, n) = differences.fold((0.0, 0.0), |(sum, n), d| (sum + d, n + 1.0));
            0.5 * sum / n
        };
        (0..rungs).map(each).collect()
    }

    /// Restarts over all copies: arrivals at β = 1 of states that descend from a draw of the prior at β = 0.
    pub fn restarts(&self) -> u64 {
        self.copies.iter().map(|c| c.journeys[0]).sum()
    }

    /// Journeys between the ends of the ladder, over all copies and in both directions.
    pub fn journeys(&self) -> u64 {
        self.copies.iter().flat_map(|c| c.journeys).sum()
    }

    /// Round trips over all copies: pairs of journeys, one in each direction, whichever walkers made them.
    pub fn round_trips(&self) -> u64 {
        self.journeys() / 2
    }
}

/// Walkers of a ladder that a probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witnesses {
    None,
    All,
    Cold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Adapt(usize),
    Keep,
    /// With the sweeps that a further extension may have.
    Extend(usize),
    Done,
}

/// One problem's ladders and where they are.
pub(super) struct Campaign<'p> {
    pub(super) problem: &'p Problem,
    /// Of all copies, some in each.
    pub(super) chains: Vec<Chains<'p>>,
    pub(super) moves: Arc<[Move]>,
    pub(super) refresh: Arc<Move>,
    /// Sweeps every chain makes in the coming round.
    pub(super) quota: usize,
    /// Set by the round when the deadline passed.
    pub(super) timed_out: bool,
    pub(super) probe: Option<Found>,
    phase: Phase,
    barrier: f64,
    settled: bool,
    burn_in: usize,
    extended: bool,
}

impl<'p> Campaign<'p> {
    /// A campaign that has so many copies side by side.
    pub(super) fn new(problem: &'p Problem, moves: Vec<Move>, settings: &Settings<'_>, beside: usize) -> Self {
        let moves: Arc<[Move]> = moves.into();
        let key = |copy| Key::new(settings.seed, &problem.frame, &problem.window, &problem.candidate, copy);
        let keys: Vec<Key> = (0..settings.copies.max(2)).map(key).collect();
        let betas = if problem.dimension() == 0 { vec![0.0, 1.0] } else { ladder::first(problem, keys[0]) };
        let some = keys.chunks(beside.max(1));
        let mut chains: Vec<Chains<'_>> =
            some.map(|keys| Chains::new(problem, keys.to_vec(), &betas, &moves, settings.most_rows)).collect();
        chains.iter_mut().for_each(|chain| chain.choose_among(settings.proposals.max(1)));
        Self {
            problem,
            chains,
            moves,
            refresh: Arc::new(schedule::refresh(problem)),
            quota: FIRST_ROUND,
            timed_out: false,
            probe: None,
            phase: Phase::Adapt(0),
            barrier: 0.0,
            settled: false,
            burn_in: 0,
            extended: false,
        }
    }

    pub(super) fn done(&self) -> bool {
        self.phase == Phase::Done
    }

    pub(super) fn adapting(&self) -> bool {
        matches!(self.phase, Phase::Adapt(_))
    }

    /// Whose states a device is probed on before the coming round: all in the first, those of β = 1 when adaptation has ended.
    pub(super) fn witnesses(&self) -> Witnesses {
        match self.phase {
            Phase::Adapt(0) => Witnesses::All,
            Phase::Keep => Witnesses::Cold,
            _ => Witnesses::None,
        }
    }

    /// What comes after the round just made.
    pub(super) fn advance(&mut self, judge: &Judge<'_>, settings: &Settings<'_>) {
        if self.timed_out && self.phase != Phase::Done {
            self.phase = Phase::Done;
            self.quota = 0;
            return;
        }
        match self.phase {
            Phase::Adapt(round) => self.adapt(round, judge, settings),
            Phase::Keep => {
                let kept = self.kept() as f64;
                let most = (LARGEST_EXTENSION * kept) as usize;
                let wanted = MARGIN * self.wanted(judge);
                self.extend(wanted, settings, (FIRST_EXTENSION * kept) as usize, most);
            }
            Phase::Extend(left) if left > 0 => {
                let wanted = self.wanted(judge);
                // What is out of reach even without the margin is not begun.
                self.extend(if wanted > left as f64 { 0.0 } else { MARGIN * wanted }, settings, left, 0);
            }
            Phase::Extend(_) | Phase::Done => {
                self.phase = Phase::Done;
                self.quota = 0;
            }
        }
    }

    /// Sweeps that the judge asks for beyond those kept.
    fn wanted(&self, judge: &Judge<'_>) -> f64 {
        let factor = judge(self.problem, &self.sampled());
        self.kept() as f64 * (factor - 1.0).max(0.0)
    }

    /// Makes the kept part longer by what is wanted, at most `now` sweeps; of the `most` sweeps that may come in all, what is left is for a second
    /// extension.
    fn extend(&mut self, wanted: f64, settings: &Settings<'_>, now: usize, most: usize) {
        let room = settings.max_sweeps.saturating_sub(self.burn_in + self.kept()).min(now);
        self.quota = (wanted.ceil() as usize).min(room);
        self.extended |= self.quota > 0;
        let left = most.saturating_sub(self.quota);
        self.phase = if self.quota > 0 { Phase::Extend(left) } else { Phase::Done };
    }

    fn adapt(&mut self, round: usize, judge: &Judge<'_>, settings: &Settings<'_>) {
        self.burn_in += self.quota;
        let (ladder, rejection) = (self.chains[0].ladder().to_vec(), self.rejection());
        let barrier = ladder::barrier(&rejection);
        let steady = (barrier - self.barrier).abs() <= SETTLED * barrier.max(1.0);
        self.barrier = barrier;
        let judged = round + 1 >= ROUNDS.0 && steady || round + 1 >= ROUNDS.1 || self.burn_in * 4 > settings.max_sweeps;
        let factor = if judged { judge(self.problem, &self.sampled()) } else { f64::INFINITY };
        self.settled = steady && factor <= LARGEST_FACTOR;
        let last = self.settled || round + 1 >= ROUNDS.1 || self.burn_in * 4 > settings.max_sweeps;
        let betas = ladder::equalised(&ladder, &rejection, ladder::length(barrier));
        let tuning = {
            let mut tuning = Tuning::pooled(&self.shares(), self.problem, &self.moves, &ladder, &betas, !last);
            tuning.adapting = !last;
            tuning.place(self.problem, &self.moves, &self.records().collect::<Vec<_>>());
            tuning
        };
        let energies = self.chains.iter().flat_map(Chains::energies).copied().filter(|u| u.is_finite());
        let origin = energies.reduce(f64::min).unwrap_or(0.0);
        let rows: Vec<&[f64]> = self.records().map(|record| record.energies.as_slice()).collect();
        let ln_z = ladder::ln_z(&ladder, &rows, &betas);
        for chains in &mut self.chains {
            chains.relocate(&betas, &tuning, origin, &ln_z);
        }
        if last {
            let round = self.quota as f64;
            let wanted = (factor * MARGIN * round).clamp(round, (MOST_KEPT * round).min(FIRST_LOOK).max(round)).ceil() as usize;
            self.quota = wanted.min(settings.max_sweeps.saturating_sub(self.burn_in)).max(1);
            self.phase = Phase::Keep;
        } else {
            self.quota *= 2;
            self.phase = Phase::Adapt(round + 1);
        }
    }

    /// What the copies keep, in their order.
    fn records(&self) -> impl Iterator<Item = &Record> {
        self.chains.iter().flat_map(|chains| &chains.records)
    }

    /// Sweeps that each copy has kept.
    fn kept(&self) -> usize {
        self.chains[0].records[0].sweeps
    }

    /// What the copies have learned, in their order.
    fn shares(&self) -> Vec<Share<'_>> {
        self.chains.iter().flat_map(|chains| chains.tuning.shares(chains.copies())).collect()
    }

    /// Rejection rate of each pair of rungs, over all copies.
    fn rejection(&self) -> Vec<f64> {
        let pairs = self.chains[0].ladder().len() - 1;
        let (mut accepted, mut tried) = (vec![0; pairs], vec![0; pairs]);
        for record in self.records() {
            for r in 0..pairs {
                accepted[r] += record.accepted[r];
                tried[r] += record.tried[r];
            }
        }
        ladder::rejection(&accepted, &tried)
    }

    fn sampled(&self) -> Sampled {
        let ladder = self.chains[0].ladder();
        let shares = self.shares();
        let rate = |step: usize, rung: usize| shares.iter().map(|c| c.acceptance(rung, step)).sum::<f64>() / shares.len() as f64;
        let names =
            |m: &Move| m.targets[0].parameters.iter().map(|&i| self.problem.parameters[i].name.as_str()).collect::<Vec<_>>().join(" ");
        Sampled {
            betas: ladder.to_vec(),
            copies: self.records().cloned().collect(),
            rejection: self.rejection(),
            burn_in: self.burn_in,
            settled: self.settled,
            extended: self.extended,
            timed_out: self.timed_out,
            broken: self.chains.iter().map(|c| c.broken).sum(),
            drift: self.chains.iter().fold(0.0, |most, c| most.max(c.drift)),
            probe: self.probe,
            acceptance: self
                .moves
                .iter()
                .enumerate()
                .map(|(s, m)| (format!("{:?} {}", m.kind, names(m)), (0..ladder.len()).map(|r| rate(s, r)).collect()))
                .collect(),
        }
    }

    pub(super) fn finish(self) -> Sampled {
        self.sampled()
    }
}
