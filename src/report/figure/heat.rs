//! The data of a series as a picture: intensity by position and frame.

use rayon::prelude::*;

use super::super::svg::{data_uri, grey};
use super::super::view::Results;

/// Most frames that are read for a picture: more than it has columns.
const FRAMES: usize = 400;
/// Most rows of a picture.
const ROWS: usize = 320;
/// Most columns of a picture.
const COLUMNS: usize = 600;

/// The data of a series, one entry a measurement; or why there are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Heat {
    pub measurements: Vec<Image>,
    /// What is missing and why.
    pub missing: Option<String>,
}

/// The data of one measurement.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Image {
    /// Name of the measurement; empty where it is the only one.
    pub name: String,
    /// Range of positions.
    pub low: f64,
    /// Its other end.
    pub high: f64,
    /// Place of each frame in the results, and its intensities from `low` to `high`.
    pub columns: Vec<(usize, Vec<f64>)>,
}

impl Heat {
    /// Reads the data of up to some hundred frames, evenly spaced, from the files of draws.
    pub fn gather(results: &Results, window: usize) -> Self {
        let n = results.frames.len();
        let step = n.div_ceil(FRAMES).max(1);
        let places: Vec<usize> = (0..n).step_by(step).collect();
        let read: Vec<_> = places.par_iter().map(|&place| (place, results.sample(place, window))).collect();
        let mut heat = Self::default();
        let mut absent = 0;
        for (place, sample) in read {
            let sample = match sample {
                Ok(Some(sample)) => sample,
                Ok(None) => {
                    absent += 1;
                    continue;
                }
                Err(error) => {
                    heat.missing = Some(format!("data of some frames cannot be read: {}", error.what));
                    continue;
                }
            };
            for (m, measured) in sample.measurements.iter().enumerate() {
                let Some((low, high)) = measured.x.first().copied().zip(measured.x.last().copied()) else { continue };
                if heat.measurements.len() <= m {
                    heat.measurements.push(Image { name: measured.name.clone(), low, high, columns: Vec::new() });
                }
                let image = &mut heat.measurements[m];
                let rows = measured.x.len().min(ROWS);
                image.columns.push((place, binned(&measured.x, &measured.y, image.low, image.high, rows)));
            }
        }
        if absent > 0 {
            let which = if absent == places.len() { "the data are".into() } else { format!("the data of {absent} frames are") };
            heat.missing = Some(format!("{which} not shown: the run kept no draws (--no-samples), and the data lie beside them"));
        }
        heat
    }
}

/// Means of the values in equal bins; bins that hold no point take the nearest one's.
fn binned(x: &[f64], y: &[f64], low: f64, high: f64, rows: usize) -> Vec<f64> {
    let (mut sum, mut count) = (vec![0.0; rows], vec![0usize; rows]);
    for (x, y) in x.iter().zip(y) {
        let at = (x - low) / (high - low) * rows as f64;
        if at >= -0.5 && at < rows as f64 + 0.5 && y.is_finite() {
            let at = (at.max(0.0) as usize).min(rows - 1);
            sum[at] += y;
            count[at] += 1;
        }
    }
    let mut last = f64::NAN;
    let mut out: Vec<f64> = sum
        .iter()
        .zip(&count)
        .map(|(s, n)| {
            last = if *n > 0 { s / *n as f64 } else { last };
            last
        })
        .collect();
    let first = out.iter().copied().find(|v| v.is_finite()).unwrap_or(0.0);
    out.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = first);
    out
}

impl Image {
    /// Intensities that are drawn as nothing and as black: all but a thousandth lie between.
    pub fn range(&self) -> (f64, f64) {
        let mut all: Vec<f64> = self.columns.iter().flat_map(|c| &c.1).copied().filter(|v| v.is_finite()).collect();
        all.sort_by(f64::total_cmp);
        let at = |p: f64| all.get(((all.len().saturating_sub(1)) as f64 * p) as usize).copied().unwrap_or(0.0);
        (at(0.01), at(0.999))
    }

    /// The picture, its columns spread over the cells of the frames; `cells` has those of all frames by their place.
    pub fn picture(&self, cells: &[(f64, f64)], (from, to): (f64, f64)) -> String {
        let (least, most) = self.range();
        let rows = self.columns.first().map_or(1, |c| c.1.len());
        let wide = COLUMNS.min(8 * self.columns.len()).max(1);
        let mut opacity = vec![0u8; wide * rows];
        let skipped = cells.len() > self.columns.len();
        let mut known: Vec<(f64, f64, &[f64])> =
            self.columns.iter().map(|(place, v)| (cells[*place].0, cells[*place].1, v.as_slice())).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        for column in 0..wide {
            let x = from + (column as f64 + 0.5) / wide as f64 * (to - from);
            let after = known.partition_point(|k| k.0 <= x);
            let Some(&(_, end, values)) = after.checked_sub(1).and_then(|i| known.get(i)) else { continue };
            // Where only every nth frame was read it stands for its neighbours.
            if x > end && !skipped {
                continue;
            }
            for (row, value) in values.iter().enumerate().take(rows) {
                let share = ((value - least) / (most - least).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
                // The root shows weak lines beside strong ones.
                opacity[(rows - 1 - row) * wide + column] = (255.0 * share.sqrt() * 0.92) as u8;
            }
        }
        data_uri(&grey(wide, rows, &opacity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_means_and_gaps_their_neighbours() {
        assert_eq!(binned(&[0.0, 1.0, 2.0, 3.0], &[1.0, 3.0, 5.0, 7.0], 0.0, 3.0, 2), [2.0, 6.0]);
        assert_eq!(binned(&[0.0, 3.0], &[1.0, 7.0], 0.0, 3.0, 4), [1.0, 1.0, 1.0, 7.0]);
    }
}
