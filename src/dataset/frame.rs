//! One frame from the columns of a sheet: rows without numbers dropped, x converted and ascending, saturation masked, hashed.

use std::path::Path;

use ndarray::ArrayView2;
use sha2::{Digest, Sha256};

use super::columns::Columns;
use super::convert::conversion;
use super::sheet::Sheet;
use super::{Entry, Frame, number};
use crate::error::{Error, Place, Result};
use crate::spec::{Data, Layout};

/// More standard errors than this are beyond the digits of an f64.
pub const MOST_SIGMAS: f64 = 1e15;

/// Columns of one frame, row by row of the file.
struct Points<'a> {
    x: Vec<f64>,
    y: Vec<f64>,
    sigma: Option<Vec<f64>>,
    monitor: Option<Vec<f64>>,
    /// Row of the file's array that each point came from.
    row: Vec<usize>,
    entry: &'a Entry,
    sheet: &'a Sheet,
    layout: Layout,
    frame_row: usize,
}

/// Makes the frame that an entry names.
///
/// # Errors
/// Recoverable, with the line: the file has no such frame, x is unsorted or double, a monitor that is not positive, fewer than two points left,
/// a header without the axis asked for. Fatal: a conversion of x that does not exist.
pub(super) fn frame(entry: &Entry, sheet: &Sheet, columns: &Columns, data: &Data) -> Result<Frame> {
    let mut points = Points::pick(entry, sheet, columns, data)?;
    let rows = points.x.len();
    points.keep_finite();
    points.check_order()?;
    if let Some(convert) = conversion(&data.x, data.wavelength)? {
        points.x.iter_mut().for_each(|x| *x = convert(*x));
        points.keep_finite();
        // Two angles near 180° may round to one q.
        points.check_order()?;
    }
    let dropped = rows - points.x.len();
    // After the conversion: d runs against 2θ and q.
    if points.x.len() > 1 && points.x[0] > points.x[1] {
        points.reverse();
    }
    let finite = points.x.len();
    if let Some(limit) = data.mask_above {
        points.keep(|p, i| p.y[i] <= limit);
    }
    let masked = finite - points.x.len();
    points.check_count(dropped, masked)?;
    points.check_monitor()?;
    points.check_digits()?;
    let axis = match (&entry.axis, &data.axis_header) {
        (Some(axis), _) => Some(*axis),
        (None, Some(name)) => Some(header_value(sheet, name, &entry.path)?),
        (None, None) => None,
    };
    let monitor = points.monitor.take().unwrap_or_else(|| vec![entry.monitor.unwrap_or(1.0)]);
    let lines = (0..points.x.len()).map(|i| points.place(i).line).collect::<Option<_>>().unwrap_or_default();
    let Points { x, y, sigma, .. } = points;
    let hash = hash(&[&x, &y, sigma.as_deref().unwrap_or(&[]), &monitor]);
    let (number, name, source) = (entry.number, entry.name.clone(), entry.source.clone());
    Ok(Frame { number, name, source, axis, x, y, sigma, monitor, lines, dropped, masked, metadata: sheet.metadata.clone(), hash })
}

impl<'a> Points<'a> {
    fn pick(entry: &'a Entry, sheet: &'a Sheet, columns: &Columns, data: &Data) -> Result<Self> {
        let Some(&(y, sigma)) = columns.frames.get(entry.part) else {
            let what = format!("the file holds {} frames, not {}", columns.frames.len(), entry.part + 1);
            return Err(Error::recoverable(what).at(Place::file(&entry.path)).hint("was it changed since the series was listed?"));
        };
        let values: ArrayView2<f64> = if data.layout == Layout::Rows { sheet.values.t() } else { sheet.values.view() };
        let column = |at: usize| values.column(at).to_vec();
        let rows = values.nrows();
        let (start, step) = data.x.start_step.unwrap_or((0.0, 1.0));
        Ok(Self {
            x: columns.x.map_or_else(|| (0..rows).map(|i| start + step * i as f64).collect(), column),
            y: column(y),
            sigma: sigma.map(column),
            monitor: columns.monitor.map(column),
            row: (0..rows).collect(),
            entry,
            sheet,
            layout: data.layout,
            frame_row: y,
        })
    }

    /// Keeps the points for which `wanted` holds.
    fn keep(&mut self, wanted: impl Fn(&Self, usize) -> bool) {
        let kept: Vec<usize> = (0..self.x.len()).filter(|i| wanted(self, *i)).collect();
        if kept.len() == self.x.len() {
            return;
        }
        let pick = |values: &Vec<f64>| kept.iter().map(|i| values[*i]).collect::<Vec<f64>>();
        self.x = pick(&self.x);
        self.y = pick(&self.y);
        self.sigma = self.sigma.as_ref().map(pick);
        self.monitor = self.monitor.as_ref().map(pick);
        self.row = kept.iter().map(|i| self.row[*i]).collect();
    }

    fn keep_finite(&mut self) {
        let finite = |list: &Option<Vec<f64>>, i: usize| list.as_ref().is_none_or(|values| values[i].is_finite());
        self.keep(|p, i| p.x[i].is_finite() && p.y[i].is_finite() && finite(&p.sigma, i) && finite(&p.monitor, i));
    }

    fn reverse(&mut self) {
        self.x.reverse();
        self.y.reverse();
        self.row.reverse();
        self.sigma.iter_mut().for_each(|s| s.reverse());
        self.monitor.iter_mut().for_each(|m| m.reverse());
    }

    /// Where the i-th point is in the file.
    fn place(&self, i: usize) -> Place {
        let row = if self.layout == Layout::Rows { self.frame_row } else { self.row[i] };
        self.sheet.place(&self.entry.path, row)
    }

    /// How an error calls the i-th point when it is not the one the place names.
    fn called(&self, i: usize) -> String {
        self.sheet
            .lines
            .get(self.row[i])
            .filter(|_| self.layout == Layout::Columns)
            .map_or_else(|| format!("point {}", self.row[i] + 1), |line| format!("line {line}"))
    }

    /// Refuses x that neither ascends nor descends throughout. Points at one x are refused rather than merged: which of them is right, and what
    /// their σ would be, the file does not say.
    fn check_order(&self) -> Result<()> {
        let descending = self.x.len() > 1 && self.x[1] < self.x[0];
        for i in 1..self.x.len() {
            let (before, here) = (self.x[i - 1], self.x[i]);
            let first = self.called(i - 1);
            if before == here {
                let error = Error::recoverable(format!("x = {here} stands here and on {first}")).at(self.place(i));
                return Err(error.hint("delete one of the two, or merge them before fitting; is this column really x?"));
            }
            if (here < before) != descending {
                let error = Error::recoverable(format!("x goes back: {here} follows {before} on {first}")).at(self.place(i));
                return Err(error.hint("sort the rows by x, or write each scan to a file of its own; is this column really x?"));
            }
        }
        Ok(())
    }

    fn check_count(&self, dropped: usize, masked: usize) -> Result<()> {
        if self.x.len() > 1 {
            return Ok(());
        }
        let left = if self.x.is_empty() { "no points".to_string() } else { "only one point".to_string() };
        let mut what = format!("{left} left");
        if dropped > 0 {
            what += &format!("; {dropped} dropped because a number is missing, nan or infinite, or x cannot be converted");
        }
        if masked > 0 {
            what += &format!("; {masked} above mask_above");
        }
        Err(Error::recoverable(what)
            .at(Place::file(&self.entry.path))
            .hint("a frame needs at least two points; look at the file's columns"))
    }

    fn check_monitor(&self) -> Result<()> {
        let bad = self.monitor.as_ref().and_then(|m| m.iter().position(|value| *value <= 0.0));
        bad.map_or(Ok(()), |i| {
            let error = Error::recoverable("the monitor is not positive").at(self.place(i));
            Err(error.hint("without beam there is no measurement: delete the row, or remove `normalise`"))
        })
    }

    /// Refuses a y whose own rounding is larger than its σ: nobody measured that, and one such frame would set the defaults of its series.
    fn check_digits(&self) -> Result<()> {
        let Some(sigma) = &self.sigma else { return Ok(()) };
        let bad = self.y.iter().zip(sigma).position(|(y, sigma)| *sigma > 0.0 && y.abs() > MOST_SIGMAS * sigma);
        bad.map_or(Ok(()), |i| {
            let error = Error::recoverable(format!("y = {:e} is no measurement: it has σ = {}", self.y[i], sigma[i])).at(self.place(i));
            Err(error.hint("delete the row, or drop what is saturated with mask_above under [data]"))
        })
    }
}

/// The number that the header gives under a name: the name itself, or the name with its unit (`temperature` finds `temperature_K`).
fn header_value(sheet: &Sheet, name: &str, path: &Path) -> Result<f64> {
    let is = |key: &str| key.eq_ignore_ascii_case(name) || key.split_once('_').is_some_and(|(stem, _)| stem.eq_ignore_ascii_case(name));
    let found = sheet.metadata.iter().find(|(key, _)| is(key));
    found.and_then(|(_, value)| number::leading(value)).ok_or_else(|| {
        let keys: Vec<&str> = sheet.metadata.iter().map(|(key, _)| key.as_str()).collect();
        let has =
            if keys.is_empty() { "it states nothing as `name = value`".to_string() } else { format!("it states {}", keys.join(", ")) };
        Error::recoverable(format!("the header gives no number for the axis \"{name}\"")).at(Place::file(path)).hint(has)
    })
}

/// Hexadecimal SHA-256 of lists of numbers as little-endian f64, each after its length as little-endian u64.
pub fn hash(lists: &[&[f64]]) -> String {
    let mut hasher = Sha256::new();
    for list in lists {
        hasher.update((list.len() as u64).to_le_bytes());
        for value in *list {
            hasher.update(value.to_le_bytes());
        }
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
