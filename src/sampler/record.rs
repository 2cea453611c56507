//! What a chain keeps: energies, draws, exchanges and round trips, in bounded memory.

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

    /// Counts an exchange of rungs r and r + 1.
    pub fn exchange(&mut self, r: usize, accepted: bool) {
        self.tried[r] += 1;
        self.accepted[r] += u64::from(accepted);
    }

    /// Follows the walkers' journeys.
    pub fn visit(&mut self, walker_of: &[u32]) {
        let (Some(&hot), Some(&cold)) = (walker_of.first(), walker_of.last()) else { return };
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
        for (flow, &w) in self.flow.iter_mut().zip(walker_of) {
            match self.journey[w as usize] {
                0 => {}
                from => flow[usize::from(from) - 1] += 1,
            }
        }
    }

    /// Keeps a row: the energies of all rungs and the parameters at β = 1.
    pub fn keep(&mut self, energies: impl Iterator<Item = f64> + Clone, theta: &[f64]) {
        self.histogram.add(energies.clone());
        if self.sweeps.is_multiple_of(self.interval) {
            if self.rows() == self.most_rows {
                thin(&mut self.energies, self.rungs);
                thin(&mut self.draws, self.dimension);
                self.interval *= 2;
            }
            if self.sweeps.is_multiple_of(self.interval) {
                self.energies.extend(energies);
                self.draws.extend_from_slice(theta);
            }
        }
        self.sweeps += 1;
    }
}

/// Drops every second row.
fn thin(rows: &mut Vec<f64>, width: usize) {
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
            record.keep([f64::from(i), f64::from(-i)].into_iter(), &[f64::from(i)]);
        }
        assert_eq!(record.interval, 8);
        assert_eq!(record.rows(), 625);
        for r in 0..record.rows() {
            assert_eq!(record.draws[r], 8.0 * r as f64);
            assert_eq!(record.energies[2 * r + 1], -8.0 * r as f64);
        }
    }

    #[test]
    fn journeys_are_counted_in_both_directions() {
        let mut record = Record::new(2, 0, 1000, 0.0);
        for walkers in [[0, 1], [1, 0], [0, 1], [1, 0]] {
            record.visit(&walkers);
        }
        // Walker 0: down, up, down. Walker 1 begins at the cold end: up, down, up.
        assert_eq!(record.journeys, [3, 3]);
    }
}
