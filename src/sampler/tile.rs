//! One round of the sampler's loop: chains are dealt to tiles, and each tile steps through its sweeps.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rayon::prelude::*;

use super::Settings;
use super::campaign::{Campaign, Witnesses};
use super::host::{Host, Part, Turn};
use crate::engine::budget::BUDGET;
use crate::engine::probe::{self, Found, State};
use crate::engine::{Engine, Numbers, Roster, Tile, Tiling};
use crate::error::{Error, Result};

/// Most walkers of a tile that a probe asks.
const WITNESSES: usize = 64;
/// Walkers in turn at a time, a core: what the host reads and writes of them in a sweep, some 300 bytes each, stays in its caches. With many more, most of
/// its time is spent waiting for memory (`cargo bench --bench host`).
const CACHED: usize = 8192;
/// Sweeps that some walkers make before others take their turn: they are read from memory once for all of them.
const TOGETHER: usize = 64;

/// A tile in work.
struct Work<'c, 'p> {
    tile: Box<dyn Tile + 'p>,
    host: Host<'c, 'p>,
    misfits: Vec<f64>,
    probe: Option<Found>,
}

/// How a round ended for a tile: whether the time was up, and what the probe found.
type End = (bool, Option<Found>);

/// Makes one round: every chain of every campaign makes its quota of sweeps.
pub(super) fn round<'p>(engine: &'p dyn Engine, campaigns: &mut [Campaign<'p>], settings: &Settings<'_>) -> Result<()> {
    let mut all: Vec<Vec<Part<'_, 'p>>> = Vec::new();
    for campaign in campaigns.iter_mut().filter(|c| c.quota > 0) {
        let (adapting, quota, witnesses) = (campaign.adapting(), campaign.quota, campaign.witnesses());
        let (moves, refresh) = (&*campaign.moves, &*campaign.refresh);
        let part = |chains| Part { chains, moves, refresh, quota, adapting, witnesses, offset: 0 };
        all.push(campaign.chains.iter_mut().map(part).collect());
    }
    let ends: Vec<End> = match engine.tiling() {
        Tiling::Ladder => {
            let each = |part| {
                let mut work = Work::new(engine, vec![part], settings.proposals)?;
                work.load(engine)?;
                // A ladder in work has room for what refits remember.
                work.host.parts_mut().for_each(|p| p.chains.remember(true));
                let sweeps = 0..work.sweeps();
                let cut = some(std::slice::from_mut(&mut work), sweeps, settings);
                work.host.parts_mut().for_each(|p| p.chains.remember(false));
                let cut = cut?;
                work.finish()?;
                Ok((cut, work.probe))
            };
            all.into_par_iter().flatten().map(each).collect::<Result<_>>()?
        }
        Tiling::Halves => {
            let work = |parts| Work::new(engine, parts, settings.proposals);
            let mut works = groups(all).into_iter().map(|group| halves(group).map(work).collect()).collect::<Result<Vec<Vec<_>>>>()?;
            works.iter_mut().flatten().try_for_each(|work| work.load(engine))?;
            let cut = by_turns(&mut works, settings)?;
            works.iter_mut().flatten().try_for_each(Work::finish)?;
            works.iter().flatten().map(|w| (cut, w.probe)).collect()
        }
    };
    let cut = ends.iter().any(|e| e.0);
    let probe = ends.iter().filter_map(|e| e.1).reduce(Found::and);
    for campaign in campaigns {
        campaign.timed_out |= cut;
        campaign.probe = campaign.probe.into_iter().chain(probe).reduce(Found::and);
    }
    Ok(())
}

/// Deals campaigns to groups that take turns, all of a campaign to one.
fn groups<'c, 'p>(all: Vec<Vec<Part<'c, 'p>>>) -> Vec<Vec<Part<'c, 'p>>> {
    let walkers: Vec<usize> = all.iter().map(|parts| parts.iter().map(|p| p.chains.walkers()).sum()).collect();
    let (mut groups, mut last): (Vec<Vec<_>>, _) = (Vec::new(), None);
    for (parts, number) in all.into_iter().zip(numbers(&walkers, CACHED * rayon::current_num_threads())) {
        match groups.last_mut() {
            Some(group) if last == Some(number) => group.extend(parts),
            _ => groups.push(parts),
        }
        last = Some(number);
    }
    groups
}

/// The number of each campaign's group by its walkers: as many groups as it takes for none to have more than `most` and one campaign's.
fn numbers(walkers: &[usize], most: usize) -> Vec<usize> {
    let total: usize = walkers.iter().sum();
    let each = total.div_ceil(total.div_ceil(most).max(1)).max(1);
    let before = walkers.iter().scan(0, |sum, own| Some(std::mem::replace(sum, *sum + own)));
    before.map(|before| before / each).collect()
}

/// Deals a group to two tiles.
fn halves<'c, 'p>(mut parts: Vec<Part<'c, 'p>>) -> impl Iterator<Item = Vec<Part<'c, 'p>>> {
    let rest = parts.split_off(parts.len().div_ceil(2));
    [parts, rest].into_iter().filter(|tile| !tile.is_empty())
}

/// All sweeps of the round, some of each group in turn. True where the deadline cut it short.
fn by_turns(groups: &mut [Vec<Work<'_, '_>>], settings: &Settings<'_>) -> Result<bool> {
    let all = |works: &[Work<'_, '_>]| works.iter().map(Work::sweeps).max().unwrap_or(0);
    let most = groups.iter().map(|works| all(works)).max().unwrap_or(0);
    let together = if groups.len() > 1 { TOGETHER } else { most.max(1) };
    for first in (0..most).step_by(together) {
        for works in &mut *groups {
            let end = all(works).min(first + together);
            if first < end && some(works, first..end, settings)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Some sweeps of tiles in turn: while the host decides and proposes for one, the engine evaluates the other. True where the deadline cut them short.
fn some(works: &mut [Work<'_, '_>], sweeps: Range<usize>, settings: &Settings<'_>) -> Result<bool> {
    let steps = works.iter().map(Work::steps).max().unwrap_or(0);
    let turn = |sweep, step| Turn { sweep, step, last: step + 1 == steps };
    works.iter_mut().try_for_each(|work| work.turn(None, Some(turn(sweeps.start, 0))))?;
    for sweep in sweeps.clone() {
        if over(settings)? {
            return Ok(true);
        }
        for step in 0..steps {
            let (now, next) = (step + 1, sweep + 1);
            let coming = if now < steps { Some(turn(sweep, now)) } else { (next < sweeps.end).then(|| turn(next, 0)) };
            works.iter_mut().try_for_each(|work| work.turn(Some(turn(sweep, step)), coming))?;
        }
    }
    Ok(false)
}

/// Says that a device is not to be believed.
fn refused(engine: &dyn Engine, found: Found, host: &Host<'_, '_>) -> Error {
    let when = if host.parts().any(|p| p.adapting) { "on its first states" } else { "on states of β = 1" };
    let first = host.parts().next().map_or_else(String::new, |p| format!(", from frame {}", p.chains.problem.frame));
    Error::device(format!(
        "{}: energies are off by {:.2e} nat {when} ({} of them{first}), and {BUDGET} is the most they may be",
        engine.describe(),
        found.largest,
        found.states
    ))
    .hint("keisoku doctor measures the adapter; choose another with --adapter, or use --engine cpu")
}

/// Whether the time is up; an interrupt is an error.
fn over(settings: &Settings<'_>) -> Result<bool> {
    if settings.stop.load(Ordering::Relaxed) {
        return Err(Error::fatal("interrupted").hint("the same command goes on where this one stopped"));
    }
    Ok(settings.deadline.is_some_and(|d| Instant::now() >= d))
}

impl<'c, 'p> Work<'c, 'p> {
    fn new(engine: &'p dyn Engine, mut parts: Vec<Part<'c, 'p>>, proposals: usize) -> Result<Self> {
        let mut roster = Roster { rivals: proposals.max(1) - 1, ..Roster::default() };
        for part in &mut parts {
            part.offset = roster.walkers() as u32;
            let rungs = part.chains.ladder().len();
            (0..part.chains.copies()).for_each(|_| roster.push(part.chains.problem, rungs));
        }
        let tile = engine.tile(roster)?;
        let host = Host::new(parts, tile.follows());
        Ok(Self { tile, host, misfits: Vec::new(), probe: None })
    }

    /// Evaluates every walker from scratch; a device is then compared with the oracle where a part has witnesses.
    fn load(&mut self, engine: &dyn Engine) -> Result<()> {
        let mut coefficients = Vec::new();
        let admitted: Vec<Vec<bool>> = self.host.parts().map(|p| p.chains.coefficients(&mut coefficients)).collect();
        let of_part = |part: &Part<'_, '_>| part.chains.walker_of.iter().map(|w| part.offset + w).collect::<Vec<u32>>();
        let walkers: Vec<u32> = self.host.parts().flat_map(of_part).collect();
        self.tile.load(&walkers, &coefficients, &mut self.misfits)?;
        let mut at = 0;
        for (part, admitted) in self.host.parts_mut().zip(&admitted) {
            let n = admitted.len() * part.chains.problem.measurements.len();
            part.chains.loaded(&self.misfits[at..at + n], admitted);
            at += n;
        }
        if engine.numbers() == Numbers::Device { self.probe(engine, &coefficients) } else { Ok(()) }
    }

    /// Compares witnesses, evenly spread over the tile, with the oracle.
    ///
    /// # Errors
    /// Where the device fails, or is off by more than the budget.
    fn probe(&mut self, engine: &dyn Engine, coefficients: &[f64]) -> Result<()> {
        let mut states = Vec::new();
        let (mut from, mut at) = (0, 0);
        for part in self.host.parts() {
            let chains = &*part.chains;
            let (problem, cold) = (chains.problem, chains.ladder().last().copied());
            let (n, m) = (problem.coefficients(), problem.measurements.len());
            for (place, (&walker, &beta)) in chains.walker_of.iter().zip(chains.betas()).enumerate() {
                let asked = part.witnesses == Witnesses::All || (part.witnesses == Witnesses::Cold && Some(beta) == cold);
                // A state that its model refuses was loaded with zeros.
                let own = &coefficients[from + place * n..from + (place + 1) * n];
                if asked && own.iter().any(|c| *c != 0.0) {
                    states.push(State {
                        walker: part.offset + walker,
                        problem,
                        theta: chains.row(place),
                        coefficients: own,
                        beta,
                        misfits: &self.misfits[at + place * m..at + (place + 1) * m],
                    });
                }
            }
            from += chains.walkers() * n;
            at += chains.walkers() * m;
        }
        if states.is_empty() {
            return Ok(());
        }
        let asked: Vec<State<'_>> = states.iter().step_by(states.len().div_ceil(WITNESSES)).cloned().collect();
        let found = probe::witness(&mut *self.tile, &asked)?;
        if found.largest > BUDGET {
            return Err(refused(engine, found, &self.host));
        }
        self.probe = Some(found);
        Ok(())
    }

    /// Brings records up to date, and notes how far kept totals have drifted, chains by chains: what is told of some does not depend on company.
    fn finish(&mut self) -> Result<()> {
        self.host.complete();
        let mut drifts = Vec::new();
        self.tile.drift(&mut drifts)?;
        for part in self.host.parts_mut() {
            let own = drifts.iter().skip(part.offset as usize).take(part.chains.walkers());
            part.chains.drift = own.fold(part.chains.drift, |most, d| most.max(*d));
        }
        Ok(())
    }

    fn sweeps(&self) -> usize {
        self.host.parts().map(|p| p.quota).max().unwrap_or(0)
    }

    /// Steps of a sweep; at least one, in which β = 0 is drawn afresh.
    fn steps(&self) -> usize {
        self.host.parts().map(|p| p.moves.len()).max().unwrap_or(0).max(1)
    }

    /// Decides the moves that were proposed for a step, by what the engine says, and hands it those of another.
    fn turn(&mut self, decided: Option<Turn>, proposed: Option<Turn>) -> Result<()> {
        self.misfits.clear();
        let some = decided.is_some() && self.host.proposes();
        if some {
            self.tile.collect(self.host.moves(), &mut self.misfits)?;
        }
        self.host.turn(decided, proposed, &self.misfits);
        if some {
            self.tile.settle(self.host.choices())?;
        }
        if proposed.is_none() || !self.host.proposes() { Ok(()) } else { self.tile.submit(self.host.moves()) }
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn groups_are_as_even_as_campaigns_allow() {
        assert_eq!(numbers(&[80; 100], 8192), [0; 100], "all take turns together");
        let walkers: Vec<usize> = (0..1000).map(|i| 40 + 13 * i % 90).collect();
        let (numbers_of, total) = (numbers(&walkers, 8192), walkers.iter().sum::<usize>());
        let mut each = vec![0; total.div_ceil(8192)];
        numbers_of.iter().zip(&walkers).for_each(|(&group, own)| each[group] += own);
        assert!(numbers_of.is_sorted() && each.len() > 2);
        assert!(each.iter().all(|walkers| walkers.abs_diff(total / each.len()) < 130), "{each:?}");
        assert_eq!(numbers(&[20_000, 100, 20_000], 8192), [0, 2, 2], "no campaign is cut");
        assert_eq!(numbers(&[], 8192), [0; 0]);
    }
}
