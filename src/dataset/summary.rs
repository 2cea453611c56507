//! What a whole series says about its scales, so that defaults are the same for every frame and count.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::neighbours::{median, neighbour_noise};
use super::{Dataset, Frame};
use crate::error::{Error, Result};
use crate::spec::{Data, Facts, RawSpec};

/// Scales of a series within a window. y, noise and area are those of y over the monitor: what a model's curve is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSummary {
    /// Frames looked at: all, or 1000 evenly spaced; those that cannot be read or have no point in the window are not counted.
    pub frames: usize,
    /// Frames among those looked at that cannot be read or have no point in the window.
    pub skipped: usize,
    /// Fewest and most points in the window.
    pub points: (usize, usize),
    /// Smallest and largest x in the window.
    pub x: (f64, f64),
    /// Median distance of neighbouring points; over frames, the median of theirs. 0 where no frame has two points.
    pub spacing: f64,
    /// Smallest and largest y.
    pub y: (f64, f64),
    /// Largest area above a frame's own minimum: trapezoid of y − min y over the window.
    pub area: f64,
    /// Robust noise figure (see [`neighbour_noise`]); over frames, the median of theirs.
    pub noise: f64,
    /// Whether every y, as measured, is a non-negative integer: it may be a count.
    pub counts: bool,
    /// Smallest and largest σ of the file, where every frame has one.
    pub sigma: Option<(f64, f64)>,
}

/// Frames looked at, at most.
const SAMPLE: usize = 1000;

/// The summary of one frame.
struct Scales {
    points: usize,
    x: (f64, f64),
    spacing: f64,
    y: (f64, f64),
    area: f64,
    noise: f64,
    counts: bool,
    sigma: Option<(f64, f64)>,
}

/// What the series says of each window of a spec, in the order of [`RawSpec::stretches`]: what [`RawSpec::resolve`] asks for.
///
/// # Errors
/// Where the data section is wrong, there are no files, or no frame has a point in a window.
pub fn facts(raw: &RawSpec) -> Result<Vec<Facts>> {
    facts_of(raw, &Dataset::open(&raw.data()?)?)
}

/// As [`facts`], of the frames given.
///
/// # Errors
/// As [`facts`].
pub fn facts_of(raw: &RawSpec, dataset: &Dataset) -> Result<Vec<Facts>> {
    let data = raw.data()?;
    raw.stretches().map(|m| SeriesSummary::of(dataset, &data, m.bounds(), &m.exclude).map(Facts::from)).collect()
}

impl From<SeriesSummary> for Facts {
    fn from(summary: SeriesSummary) -> Self {
        let SeriesSummary { x, spacing, y, area, noise, counts, sigma, .. } = summary;
        Self { x, spacing, y, area, noise, counts, sigma: sigma.is_some() }
    }
}

impl SeriesSummary {
    /// Reads the frames and summarises what lies in `range` (both ends included) and in none of `exclude`.
    ///
    /// # Errors
    /// Fatal: no frame has a point there. The first frame's own error, where none can be read.
    pub fn of(dataset: &Dataset, data: &Data, range: (f64, f64), exclude: &[(f64, f64)]) -> Result<Self> {
        let n = dataset.entries.len();
        let count = n.min(SAMPLE);
        // From the first to the last, so that a series that changes is seen at both ends.
        let at = |i: usize| if count < 2 { 0 } else { i * (n - 1) / (count - 1) };
        let looked: Vec<Result<Option<Scales>>> = (0..count)
            .into_par_iter()
            .map(|i| dataset.load(&dataset.entries[at(i)], data).map(|frame| Scales::of(&frame, range, exclude)))
            .collect();
        let none_read = looked.iter().all(Result::is_err);
        let first_error = looked.iter().find_map(|scales| scales.as_ref().err().cloned()).filter(|_| none_read);
        let scales: Vec<Scales> = looked.into_iter().flatten().flatten().collect();
        if scales.is_empty() {
            return Err(first_error.unwrap_or_else(|| {
                let what = format!("no frame has a point between {} and {}", range.0, range.1);
                Error::fatal(what).hint("check the window's range and the unit of x")
            }));
        }
        Ok(Self::over(&scales, count))
    }

    fn over(scales: &[Scales], looked: usize) -> Self {
        let middle = |of: fn(&Scales) -> f64| median(&mut scales.iter().map(of).collect::<Vec<f64>>());
        let sigmas: Option<Vec<(f64, f64)>> = scales.iter().map(|s| s.sigma).collect();
        Self {
            frames: scales.len(),
            skipped: looked - scales.len(),
            points: scales.iter().fold((usize::MAX, 0), |(low, high), s| (low.min(s.points), high.max(s.points))),
            x: hull(scales.iter().map(|s| s.x)),
            spacing: middle(|s| s.spacing),
            y: hull(scales.iter().map(|s| s.y)),
            area: scales.iter().fold(0.0, |largest, s| largest.max(s.area)),
            noise: middle(|s| s.noise),
            counts: scales.iter().all(|s| s.counts),
            sigma: sigmas.map(|sigmas| hull(sigmas.into_iter())),
        }
    }
}

impl Scales {
    /// None where the window holds no point.
    fn of(frame: &Frame, range: (f64, f64), exclude: &[(f64, f64)]) -> Option<Self> {
        let within = |x: f64, (low, high): (f64, f64)| x >= low && x <= high;
        let kept: Vec<usize> =
            (0..frame.x.len()).filter(|i| within(frame.x[*i], range) && !exclude.iter().any(|out| within(frame.x[*i], *out))).collect();
        let (first, last) = (*kept.first()?, *kept.last()?);
        let monitor = |i: usize| if frame.monitor.len() == 1 { frame.monitor[0] } else { frame.monitor[i] };
        let x: Vec<f64> = kept.iter().map(|i| frame.x[*i]).collect();
        let y: Vec<f64> = kept.iter().map(|i| frame.y[*i] / monitor(*i)).collect();
        let ends = hull(y.iter().map(|y| (*y, *y)));
        let trapezoid = |i: usize| 0.5 * (y[i] + y[i + 1] - 2.0 * ends.0) * (x[i + 1] - x[i]);
        let mut steps: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
        let sigma = |all: &Vec<f64>| hull(kept.iter().map(|i| (all[*i] / monitor(*i), all[*i] / monitor(*i))));
        Some(Self {
            points: kept.len(),
            x: (frame.x[first], frame.x[last]),
            spacing: if steps.is_empty() { 0.0 } else { median(&mut steps) },
            y: ends,
            area: (0..x.len() - 1).map(trapezoid).sum(),
            noise: neighbour_noise(&y),
            counts: kept.iter().all(|i| frame.y[*i] >= 0.0 && frame.y[*i].fract() == 0.0),
            sigma: frame.sigma.as_ref().map(sigma),
        })
    }
}

/// Smallest low and largest high.
fn hull(intervals: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    intervals.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (l, h)| (low.min(l), high.max(h)))
}
