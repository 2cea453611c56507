//! Frames of measured x, y and σ, whatever file they came from.

use std::path::PathBuf;

/// One measured curve, as loaded: sorted by x ascending, finite, in the units of the file's (converted) x axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Place in the series, counted from 1, in natural order of the whole series (also when only some frames are run).
    pub number: usize,
    /// A name unique in the series: the file's stem, with `#column` or `#row` where a file holds several frames.
    pub name: String,
    /// The file (and column or row) it came from, relative to the data folder, for the column `source`.
    pub source: String,
    /// Time, temperature or whatever the frame table's axis column gives.
    pub axis: Option<f64>,
    /// Abscissa, strictly ascending, N points.
    pub x: Vec<f64>,
    /// Measured values, N points.
    pub y: Vec<f64>,
    /// Standard errors, N points, where the file has them.
    pub sigma: Option<Vec<f64>>,
    /// The monitor that the expectation is multiplied by (Poisson) or that y and σ are divided by (Gaussian); 1 without one.
    /// One value a point, or a single value for the frame.
    pub monitor: Vec<f64>,
    /// Rows dropped while loading because a needed value was not finite.
    pub dropped: usize,
    /// Header facts of the file worth keeping: `temperature_K` and the like, as (name, value) pairs.
    pub metadata: Vec<(String, String)>,
    /// Hexadecimal SHA-256 of the numbers of this frame (x, y, σ, monitor as little-endian f64), the identity a resume checks.
    pub hash: String,
}

/// A series of frames, listed but not yet read.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The frames in natural order of their names.
    pub entries: Vec<Entry>,
}

/// One frame of a series before it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Place in the series, counted from 1.
    pub number: usize,
    /// A name unique in the series.
    pub name: String,
    /// The file (and column or row) it comes from, relative to the data folder.
    pub source: String,
    /// The file.
    pub path: PathBuf,
    /// Which frame of the file, from 0.
    pub part: usize,
    /// The frame table's axis value, where there is a table.
    pub axis: Option<f64>,
}
