//! Sweeps on their way to the records.
//!
//! Records are large, and where there are many chains hardly any of them is in a cache: each takes some sweeps at a time.

use super::super::bridge::Bridge;
use super::super::parameters::Parameters;
use super::super::record::Record;

/// Sweeps that wait for the records at most.
const MOST: usize = 16;

/// What some sweeps leave, of all places of some copies.
#[derive(Debug, Default)]
pub struct Pending {
    sweeps: usize,
    /// Sweep after sweep, place after place.
    energies: Vec<f64>,
    walkers: Vec<u32>,
    /// The same of those sweeps in which fresh draws told something, and which those are.
    bridges: Vec<Bridge>,
    told: Vec<bool>,
    /// Sweep after sweep, copy after copy: the state at β = 1.
    draws: Vec<f64>,
    /// Exchanges of each place with the next, tried and accepted.
    exchanges: Vec<[u32; 2]>,
}

impl Pending {
    /// Nothing yet, of so many places.
    pub fn new(places: usize) -> Self {
        Self { exchanges: vec![[0; 2]; places], ..Self::default() }
    }

    /// Counts an exchange of a place with the next.
    #[inline]
    pub fn exchange(&mut self, place: usize, accepted: bool) {
        let [tried, taken] = &mut self.exchanges[place];
        *tried += 1;
        *taken += u32::from(accepted);
    }

    /// Adds a sweep: of each place its walker, its energy, and what fresh draws told of it, if anything; of each copy the state at β = 1.
    pub fn add(&mut self, walker_of: &[u32], energies: &[f64], bridges: Option<&[Bridge]>, theta: &Parameters, copies: usize) {
        let rungs = walker_of.len() / copies;
        self.sweeps += 1;
        self.walkers.extend_from_slice(walker_of);
        self.energies.extend_from_slice(energies);
        self.told.push(bridges.is_some());
        self.bridges.extend_from_slice(bridges.unwrap_or_default());
        for copy in 1..=copies {
            self.draws.extend(theta.row(copy * rungs - 1));
        }
    }

    /// Whether no more sweeps should wait.
    pub fn is_full(&self) -> bool {
        self.sweeps == MOST
    }

    /// Hands everything to the records, one a copy.
    pub fn complete(&mut self, records: &mut [Record]) {
        if self.sweeps == 0 {
            return;
        }
        let (copies, places) = (records.len(), self.exchanges.len());
        let (rungs, d) = (places / copies, self.draws.len() / (copies * self.sweeps));
        for (copy, record) in records.iter_mut().enumerate() {
            let own = copy * rungs..(copy + 1) * rungs;
            record.exchanges(&self.exchanges[own.clone()]);
            let mut told = 0;
            for sweep in 0..self.sweeps {
                let (row, first) = (sweep * places + own.start..sweep * places + own.end, own.start as u32);
                record.visit(self.walkers[row.clone()].iter().map(|w| w - first));
                let bridges = if self.told[sweep] { &self.bridges[told * places..][own.clone()] } else { &[] };
                told += usize::from(self.told[sweep]);
                record.keep(&self.energies[row], bridges, &self.draws[(sweep * copies + copy) * d..][..d]);
            }
        }
        self.sweeps = 0;
        self.walkers.clear();
        self.energies.clear();
        self.bridges.clear();
        self.told.clear();
        self.draws.clear();
        self.exchanges.fill([0; 2]);
    }
}
