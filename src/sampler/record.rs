//! What a chain keeps: energies, draws, exchanges and round trips, in bounded memory.

use super::bridge::Bridge;
use super::energies::Energies;

/// Records of one chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Energies of every sweep, all rungs together.
    pub histogram: Energies,
    /// Energies, row after row, one a rung.
    pub energies: Vec<f64>,
    /// Parameters at β = 1, row after row.
    pub draws: Vec<f64>,
    /// Sweeps between two rows.
    pub interval: usize,
    /// Sweeps made since the record began.
    pub sweeps: usize,
    /// Accepted exchanges of each pair of rungs.
    pub accepted: Vec<u64>,
    /// Exchanges tried for each pair.
    pub tried: Vec<u64>,
    /// Journeys from β = 0 to β = 1, and those back.
    pub journeys: [u64; 2],
    /// Sweeps in which the walker at each rung came from β = 0, and in which it came from β = 1.
    pub flow: Vec<[u64; 2]>,
    rungs: usize,
    dimension: usize,
    /// Most rows kept; when they are full every other one is dropped and the interval doubles.
    most_rows: usize,
    /// For each walker: 0 nowhere yet, 1 came from the hot end, 2 has since been at the cold end.
    journey: Vec<u8>,
}

impl Record {
    /// An empty record of at most so many rows; energies are resolved best about `origin`.
    pub fn new(rungs: usize, dimension: usize, most_rows: usize, origin: f64) -> Self {
        Self {
            histogram: Energies::new(origin),
            energies: Vec::new(),
            draws: Vec::new(),
            interval: 1,
            sweeps: 0,
            accepted: vec![0; rungs.saturating_sub(1)],
            tried: vec![0; rungs.saturating_sub(1)],
            journeys: [0; 2],
            flow: vec![[0; 2]; rungs],
            rungs,
            dimension,
            most_rows,
            journey: vec![0; rungs],
        }
    }

    /// An empty record for another ladder.
    pub fn renewed(&self, rungs: usize, origin: f64) -> Self {
        Self::new(rungs, self.dimension, self.most_rows, origin)
    }

    /// Rows kept.
    pub fn rows(&self) -> usize {
        self.energies.len() / self.rungs.max(1)
    }

    /// Counts exchanges of each rung with the next, tried and accepted.
    pub fn exchanges(&mut self, of: &[[u32; 2]]) {
        for (at, [tried, accepted]) in of.iter().take(self.tried.len()).enumerate() {
            self.tried[at] += u64::from(*tried);
            self.accepted[at] += u64::from(*accepted);
        }
    }

    /// Follows the walkers' journeys.
    pub fn visit(&mut self, walker_of: impl DoubleEndedIterator<Item = u32> + Clone) {
        let (Some(hot), Some(cold)) = (walker_of.clone().next(), walker_of.clone().next_back()) else { return };
        let hot = &mut self.journey[hot as usize];
        if *hot == 2 {
            self.journeys[1] += 1;
        }
        *hot = 1;
        let cold = &mut self.journey[cold as usize];
        if *cold == 1 {
            self.journeys[0] += 1;
        }
        *cold = 2;
        for (flow, w) in self.flow.iter_mut().zip(walker_of) {
            match self.journey[w as usize] {
                0 => {}
                from => flow[usize::from(from) - 1] += 1,
            }
        }
    }

    /// Keeps a row: the energies of all rungs and the parameters at β = 1.
    pub fn keep(&mut self, energies: &[f64], bridges: &[Bridge], theta: &[f64]) {
        self.histogram.add(energies, bridges);
        if self.sweeps.is_multiple_of(self.interval) {
            if self.rows() == self.most_rows {
                thin(&mut self.energies, self.rungs);
                thin(&mut self.draws, self.dimension);
                self.interval *= 2;
            }
            if self.sweeps.is_multiple_of(self.interval) {
                self.energies.extend_from_slice(energies);
                self.draws.extend_from_slice(theta);
            }
        }
        self.sweeps += 1;
    }
}

/// Drops every second row.
pub(super) fn thin(rows: &mut Vec<f64>, width: usize) {
    if width == 0 {
        return;
    }
    let kept = (rows.len() / width).div_ceil(2);
    for r in 1..kept {
        rows.copy_within(2 * r * width..(2 * r + 1) * width, r * width);
    }
    rows.truncate(kept * width);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_evenly_spaced_after_thinning() {
        let mut record = Record::new(2, 1, 1000, 0.0);
        for i in 0..5000 {
            record.keep(&[f64::from(i), f64::from(-i)], &[], &[f64::from(i)]);
        }
        assert_eq!(record.interval, 8);
        assert_eq!(record.rows(), 625);
        for r in 0..record.rows() {
            assert_eq!(record.draws[r], 8.0 * r as f64);
            assert_eq!(record.energies[2 * r + 1], -8.0 * r as f64);
        }
    }

    /// Where every exchange is accepted, even–odd exchange carries each walker one rung a sweep round a circle of twice the rungs (up, one sweep's
    /// wait, down, one sweep's wait), so that a round trip takes exactly that many sweeps. A walker that begins at phase p of the circle comes
    /// to the cold end at sweeps t ≡ n − 1 − p, and has been at the hot end from t = n on; the other way is the same half a circle later.
    #[test]
    fn forced_exchange_makes_an_exact_number_of_journeys() {
        for (n, parity) in (2..12).flat_map(|n| [(n, 0), (n, 1)]) {
            let mut record = Record::new(n, 0, 1000, 0.0);
            let mut walkers: Vec<u32> = (0..n as u32).collect();
            let phase = |r: usize| if r % 2 == parity { r } else { 2 * n - 1 - r };
            for sweep in 1..=9 * n + 5 {
                for r in ((sweep + parity + 1) % 2..n - 1).step_by(2) {
                    walkers.swap(r, r + 1);
                }
                record.visit(walkers.iter().copied());
                let arrivals =
                    |at: usize| (0..n).map(|r| (n..=sweep).filter(|t| (t + phase(r)) % (2 * n) == at).count() as u64).sum::<u64>();
                assert_eq!(record.journeys, [arrivals(n - 1), arrivals(2 * n - 1)], "{n} rungs, parity {parity}, sweep {sweep}");
            }
            // A record that does not follow its walkers counts those too that began on the way.
            let all = (0..n).map(|r| (1..=9 * n + 5).filter(|t| (t + phase(r)) % (2 * n) == n - 1).count() as u64).sum::<u64>();
            assert!(n == 2 || record.journeys[0] < all, "{n}: {all}");
        }
    }

    #[test]
    fn journeys_are_counted_in_both_directions() {
        let mut record = Record::new(2, 0, 1000, 0.0);
        for walkers in [[0, 1], [1, 0], [0, 1], [1, 0]] {
            record.visit(walkers.into_iter());
        }
        // Walker 0: down, up, down. Walker 1 begins at the cold end: up, down, up.
        assert_eq!(record.journeys, [3, 3]);
    }
}
