//! Where in a series peaks are: the mean of its frames, its background, and the stretches that rise above it.

use super::neighbours::{median, neighbour_noise};
use super::{Dataset, Frame};
use crate::error::Result;
use crate::spec::Data;

/// What a look at a series shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// Frames in the series.
    pub frames: usize,
    /// Smallest and largest x of the first frame.
    pub x: (f64, f64),
    /// Median distance of its points.
    pub spacing: f64,
    /// Whether the frames have σ.
    pub sigma: bool,
    /// Whether every y looked at may be a count.
    pub counts: bool,
    /// Stretches with peaks, ascending in x, each with room for a background on either side.
    pub stretches: Vec<Stretch>,
}

/// A stretch of x with peaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Its range.
    pub range: (f64, f64),
    /// Maxima of the mean frame in it, at least one.
    pub maxima: usize,
    /// How far the mean frame rises above its background, in units of y.
    pub rise: f64,
}

/// Frames looked at.
const SAMPLE: usize = 100;

impl Survey {
    /// Looks at the series: at most 100 frames, evenly spaced, taken on the points of the first.
    ///
    /// # Errors
    /// Where a frame cannot be read.
    pub fn of(dataset: &Dataset, data: &Data) -> Result<Self> {
        let n = dataset.entries.len();
        let looked = n.min(SAMPLE);
        let at = |i: usize| if looked < 2 { 0 } else { i * (n - 1) / (looked - 1) };
        let frames = (0..looked).map(|i| dataset.load(&dataset.entries[at(i)], data)).collect::<Result<Vec<_>>>()?;
        let x = &frames[0].x;
        let mut mean = vec![0.0; x.len()];
        for frame in &frames {
            mean.iter_mut().zip(x).for_each(|(m, x)| *m += interpolated(frame, *x) / frames.len() as f64);
        }
        let mut steps: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
        Ok(Self {
            frames: n,
            x: (x[0], x[x.len() - 1]),
            spacing: median(&mut steps),
            sigma: frames.iter().all(|f| f.sigma.is_some()),
            counts: frames.iter().flat_map(|f| &f.y).all(|y| *y >= 0.0 && y.fract() == 0.0),
            stretches: stretches(x, &mean),
        })
    }
}

/// y of a frame at x, on the straight line between its neighbours; that of the end beyond it.
fn interpolated(frame: &Frame, x: f64) -> f64 {
    let above = frame.x.partition_point(|other| *other < x);
    match (above.checked_sub(1), frame.x.get(above)) {
        (Some(i), Some(high)) => {
            let share = (x - frame.x[i]) / (high - frame.x[i]);
            frame.y[i] + share * (frame.y[above] - frame.y[i])
        }
        (None, _) => frame.y[0],
        (Some(i), None) => frame.y[i],
    }
}

/// Stretches of a curve that rise above its background by more than its noise explains, with half their own length added on either side;
/// those that then touch are one.
fn stretches(x: &[f64], y: &[f64]) -> Vec<Stretch> {
    /// Standard deviations of a point above the background that begin a stretch. The mean of five neighbours is compared: by chance
    /// once in 10⁷ points.
    const RISE: f64 = 5.0;
    /// A stretch has at least this many points.
    const FEWEST: usize = 4;
    let smooth = smoothed(y);
    let mut rise: Vec<f64> = smooth.iter().zip(background(&smooth)).map(|(y, b)| y - b).collect();
    // What clipping takes off the noise is taken off everywhere.
    let floor = median(&mut rise.clone());
    rise.iter_mut().for_each(|r| *r -= floor);
    // The mean of five points has 1/√5 of their noise; a curve without noise still has rounding.
    let noise = (neighbour_noise(y) / 5f64.sqrt()).max(1e-9 * y.iter().fold(0.0f64, |m, y| m.max(y.abs())));
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut first = None;
    for i in 0..=rise.len() {
        let above = rise.get(i).is_some_and(|r| *r > RISE * noise);
        match (above, first) {
            (true, None) => first = Some(i),
            (false, Some(begin)) => {
                first = None;
                if i - begin >= FEWEST {
                    let room = ((i - begin) / 2).max(5);
                    let (low, high) = (begin.saturating_sub(room), (i - 1 + room).min(rise.len() - 1));
                    match runs.last_mut() {
                        Some(last) if last.1 >= low => last.1 = high,
                        _ => runs.push((low, high)),
                    }
                }
            }
            _ => {}
        }
    }
    let stretch = |(low, high): (usize, usize)| Stretch {
        range: (x[low], x[high]),
        maxima: maxima(&rise[low..=high], RISE * noise),
        rise: rise[low..=high].iter().copied().fold(0.0, f64::max),
    };
    runs.into_iter().map(stretch).collect()
}

/// Mean of each point and its two neighbours on either side; fewer at the ends.
fn smoothed(y: &[f64]) -> Vec<f64> {
    let mean = |i: usize| {
        let near = &y[i.saturating_sub(2)..(i + 3).min(y.len())];
        near.iter().sum::<f64>() / near.len() as f64
    };
    (0..y.len()).map(mean).collect()
}

/// The background below peaks, by clipping: each point becomes no more than the mean of the points at a distance on either side, for distances
/// up to an eighth of the curve (C. G. Ryan et al., Nucl. Instrum. Methods B 34 (1988) 396).
fn background(y: &[f64]) -> Vec<f64> {
    let mut background = y.to_vec();
    for distance in 1..=y.len() / 8 {
        let before = background.clone();
        for i in distance..y.len() - distance {
            background[i] = background[i].min(0.5 * (before[i - distance] + before[i + distance]));
        }
    }
    background
}

/// Maxima that stand out from the dips on either side by more than `least`; at least one.
fn maxima(y: &[f64], least: f64) -> usize {
    let (mut count, mut low, mut high) = (0, f64::INFINITY, f64::NEG_INFINITY);
    for &y in y {
        high = high.max(y);
        if high - low > least && high - y > least {
            count += 1;
            (low, high) = (y, f64::NEG_INFINITY);
        }
        low = low.min(y);
        if y <= low {
            high = y;
        }
    }
    count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaussian(x: f64, center: f64, fwhm: f64) -> f64 {
        (-4.0 * std::f64::consts::LN_2 * ((x - center) / fwhm).powi(2)).exp()
    }

    #[test]
    fn stretches_hold_the_peaks_and_nothing_else() {
        let x: Vec<f64> = (0..1000).map(|i| f64::from(i) * 0.01).collect();
        let curve = |x: f64| 10.0 + x + 50.0 * gaussian(x, 2.0, 0.1) + 30.0 * gaussian(x, 2.3, 0.1) + 8.0 * gaussian(x, 7.0, 0.2);
        // A ripple that changes sign from point to point stands for noise.
        let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| curve(*x) + if i % 2 == 0 { 0.3 } else { -0.3 }).collect();
        let found = stretches(&x, &y);
        assert_eq!(found.iter().map(|s| s.maxima).collect::<Vec<_>>(), [2, 1]);
        for (stretch, (low, high)) in found.iter().zip([(1.9, 2.4), (6.8, 7.2)]) {
            assert!(stretch.range.0 < low && stretch.range.1 > high && stretch.range.1 - stretch.range.0 < 3.0 * (high - low));
        }
        let flat: Vec<f64> = x.iter().enumerate().map(|(i, x)| 10.0 + x + if i % 2 == 0 { 0.3 } else { -0.3 }).collect();
        assert_eq!(stretches(&x, &flat), []);
    }

    #[test]
    fn short_curves_have_no_stretches() {
        for n in 2..10 {
            let x: Vec<f64> = (0..n).map(f64::from).collect();
            assert_eq!(stretches(&x, &vec![1.0; x.len()]), []);
        }
    }
}
