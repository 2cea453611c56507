//! The energies of every sweep of a chain, of all its rungs together, as histograms in a few pieces of equal length.
//!
//! For the family exp(−βU)·prior with equally many draws at every rung, the free energies need the pooled distribution of U and
//! nothing else (Shirts and Chodera 2008), so a histogram keeps every sweep in bounded memory. Bins are uniform near the origin, where β = 1 lives,
//! and of constant relative width far above it, where only small β matter: a bin of width w at inverse temperature β puts an error of
//! (βw)²/24 into a weight, 2·10⁻⁵ for βw = .02; at the β whose energies lie Δ above the origin, β ≈ d/2Δ and βw is at most d/2 · 2^−[`FINENESS`].

use super::bridge::Bridge;

/// Energies within this many nats of the origin have bins of about equal width; beyond, the width grows in proportion.
const KNEE: f64 = 4.0;
/// Bins of a doubling of 1 + |U − origin|/[`KNEE`], as a power of two: .016 nat at the origin, half a per cent at most far away.
const FINENESS: u32 = 8;
/// Low bits of a double that a bin does not look at.
const REST: u32 = f64::MANTISSA_DIGITS - 1 - FINENESS;
/// Most draws whose bins are listed: about as many as a table has bins.
const MOST_LISTED: usize = 2048;
/// When there are this many pieces, neighbours are merged and pieces become twice as long.
const MOST_PIECES: usize = 16;

/// Energies of consecutive sweeps, all rungs together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Sweeps in it: every rung has so many draws.
    pub sweeps: usize,
    /// Draws of zero likelihood are in no bin.
    draws: Draws,
    /// What fresh draws tell of each rung; empty where there were none at any.
    pub bridges: Vec<Bridge>,
}

/// Draws by their bins.
#[derive(Clone, Debug, PartialEq)]
enum Draws {
    /// The bin of each, while there are few: a table is larger then, and no cache has those of many chains.
    Listed(Vec<i32>),
    /// How many are in each bin.
    Tabled(Table),
}

impl Default for Draws {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

/// Draws in each bin from the first on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Table {
    first: i32,
    counts: Vec<u32>,
}

/// Histograms of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Energies {
    origin: f64,
    /// Sweeps of a full piece.
    length: usize,
    pieces: Vec<Piece>,
}

impl Energies {
    /// Nothing yet; bins are finest about `origin`, in nats.
    pub fn new(origin: f64) -> Self {
        Self { origin, length: 1, pieces: Vec::new() }
    }

    /// Adds one sweep: the energy at every rung, and what fresh draws tell of it.
    pub fn add(&mut self, energies: &[f64], bridges: &[Bridge]) {
        if self.pieces.last().is_none_or(|p| p.sweeps == self.length) {
            if self.pieces.len() == MOST_PIECES {
                for pair in 0..MOST_PIECES / 2 {
                    let second = std::mem::take(&mut self.pieces[2 * pair + 1]);
                    self.pieces[2 * pair].merge(&second);
                    self.pieces.swap(pair, 2 * pair);
                }
                self.pieces.truncate(MOST_PIECES / 2);
                self.length *= 2;
            }
            let draws = Draws::Listed(Vec::with_capacity(MOST_LISTED.min(self.length * energies.len())));
            self.pieces.push(Piece { draws, ..Piece::default() });
        }
        let Some(piece) = self.pieces.last_mut() else { return };
        piece.sweeps += 1;
        piece.bridge(bridges);
        for u in energies.iter().filter(|u| u.is_finite()) {
            piece.draws.count(bin((u - self.origin) * (1.0 / KNEE)));
        }
    }

    /// The pieces, oldest first. All but the last are of one length; there are more than half of `MOST_PIECES`, or one a sweep.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Energy in nats and draws of each bin of a piece that has any, ascending.
    pub fn bins(&self, piece: &Piece) -> Vec<(f64, f64)> {
        let value = |bin: i32| self.origin + KNEE * middle(bin);
        piece.draws.bins().into_iter().map(|(bin, n)| (value(bin), f64::from(n))).collect()
    }
}

/// The bin of x: the leading bits of 1 + |x|, which are about its logarithm; below zero, bins count downwards from −1.
#[inline]
fn bin(x: f64) -> i32 {
    let above = ((1.0 + x.abs()).to_bits() >> REST) as i32 - (1.0f64.to_bits() >> REST) as i32;
    if x < 0.0 { -1 - above } else { above }
}

/// The middle of a bin.
fn middle(bin: i32) -> f64 {
    let above = if bin < 0 { -1 - bin } else { bin };
    let edge = |bin: i32| f64::from_bits(((1.0f64.to_bits() >> REST) + bin as u64) << REST);
    let x = 0.5 * (edge(above) + edge(above + 1)) - 1.0;
    if bin < 0 { -x } else { x }
}

impl Draws {
    #[inline]
    fn count(&mut self, bin: i32) {
        match self {
            Self::Listed(bins) if bins.len() < MOST_LISTED => bins.push(bin),
            Self::Listed(_) => self.tabled().count(bin),
            Self::Tabled(table) => table.count(bin),
        }
    }

    /// As a table.
    #[cold]
    fn tabled(&mut self) -> &mut Table {
        if let Self::Listed(bins) = self {
            let mut table = Table::default();
            if let (Some(&low), Some(&high)) = (bins.iter().min(), bins.iter().max()) {
                table.counts_of(low, high);
            }
            bins.iter().for_each(|&bin| table.count(bin));
            *self = Self::Tabled(table);
        }
        let Self::Tabled(table) = self else { unreachable!("it has just become one") };
        table
    }

    /// Adds what others count.
    fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Listed(bins), Self::Listed(others)) if bins.len() + others.len() <= MOST_LISTED => bins.extend_from_slice(others),
            (_, Self::Listed(others)) => others.iter().for_each(|&bin| self.count(bin)),
            (_, Self::Tabled(others)) => {
                if let Some(last) = others.counts.len().checked_sub(1) {
                    let counts = self.tabled().counts_of(others.first, others.first + last as i32);
                    counts.iter_mut().zip(&others.counts).for_each(|(sum, n)| *sum += n);
                }
            }
        }
    }

    /// Bins that have any, ascending, and how many draws each has.
    fn bins(&self) -> Vec<(i32, u32)> {
        match self {
            Self::Listed(bins) => {
                let mut bins = bins.clone();
                bins.sort_unstable();
                bins.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
            }
            Self::Tabled(Table { first, counts }) => (*first..).zip(counts).filter(|(_, n)| **n > 0).map(|(bin, &n)| (bin, n)).collect(),
        }
    }
}

impl Table {
    #[inline]
    fn count(&mut self, bin: i32) {
        let at = (bin - self.first) as usize;
        match self.counts.get_mut(at) {
            Some(count) => *count += 1,
            None => self.counts_of(bin, bin)[0] += 1,
        }
    }

    /// Draws of a range of bins, of which it makes room for all.
    fn counts_of(&mut self, low: i32, high: i32) -> &mut [u32] {
        if self.counts.is_empty() {
            self.first = low;
        }
        if low < self.first {
            // Half as much again, because energies fall while a ladder settles, and every time all counts are moved.
            let missing = (self.first - low) as usize + self.counts.len() / 2;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first -= missing as i32;
        }
        let (low, high) = ((low - self.first) as usize, (high - self.first) as usize);
        if high >= self.counts.len() {
            self.counts.resize(high + 1, 0);
        }
        &mut self.counts[low..=high]
    }
}

impl Piece {
    fn bridge(&mut self, bridges: &[Bridge]) {
        if self.bridges.is_empty() {
            if bridges.iter().any(|bridge| bridge.own > 0.0) {
                self.bridges.extend_from_slice(bridges);
            }
        } else {
            self.bridges.iter_mut().zip(bridges).for_each(|(sum, bridge)| sum.merge(bridge));
        }
    }

    /// Adds what another piece holds.
    pub fn merge(&mut self, other: &Self) {
        self.sweeps += other.sweeps;
        self.bridge(&other.bridges);
        self.draws.merge(&other.draws);
    }

    /// Several pieces as one.
    pub fn all(pieces: &[Self]) -> Self {
        let mut all = Self::default();
        pieces.iter().for_each(|piece| all.merge(piece));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However often pieces were merged, they hold what all sweeps told of each rung.
    #[test]
    fn what_fresh_draws_tell_is_added_up() {
        let mut energies = Energies::new(0.0);
        for i in 0..100 {
            let bridge = |rung: usize| Bridge { about: rung as f64, fresh: f64::from(i), own: 1.0 };
            energies.add(&[0.0, 0.0], &[bridge(0), bridge(1)]);
        }
        assert!(energies.pieces().len() < 50);
        let all = Piece::all(energies.pieces());
        assert_eq!(all.bridges, [0.0, 1.0].map(|about| Bridge { about, fresh: 4950.0, own: 100.0 }));
    }

    #[test]
    fn every_draw_is_counted_in_a_bin_that_holds_it() {
        // As a list, as tables, and as what becomes of merging lists.
        [1000, 2500, 40_000].into_iter().for_each(every_draw);
    }

    fn every_draw(draws: u32) {
        let mut energies = Energies::new(-100.0);
        let drawn: Vec<f64> = (0..draws).map(|i| -130.0 + 1e5 * (f64::from(i) / f64::from(draws)).powi(3)).collect();
        for u in &drawn {
            energies.add(&[*u, f64::INFINITY], &[]);
        }
        assert!(energies.pieces().len() > MOST_PIECES / 2);
        assert_eq!(energies.pieces().iter().map(|p| p.sweeps).sum::<usize>(), drawn.len());
        let all = Piece::all(energies.pieces());
        let mut values: Vec<f64> = Vec::new();
        assert!(matches!(all.draws, Draws::Listed(_)) == (drawn.len() <= MOST_LISTED));
        for (value, n) in energies.bins(&all) {
            values.extend(std::iter::repeat_n(value, n as usize));
        }
        assert_eq!(values.len(), drawn.len());
        for (value, u) in values.iter().zip(&drawn) {
            let width = (KNEE + (u + 100.0).abs()) / f64::from(1 << FINENESS);
            assert!((value - u).abs() <= 0.51 * width, "{value} for {u}");
        }
    }
}
