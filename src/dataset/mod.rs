//! Frames of measured x, y and σ, whatever file they came from.

mod columns;
pub mod convert;
mod dialect;
mod frame;
mod fxye;
mod neighbours;
mod npy;
mod number;
mod series;
mod sheet;
mod summary;
mod survey;
mod table;
mod text;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::{Error, Place, Result};
use crate::spec::{Data, Layout};
use columns::Names;
pub use frame::MOST_SIGMAS;
pub(crate) use frame::hash;
pub use neighbours::neighbour_noise;
use series::SeriesFile;
use sheet::Sheet;
pub use summary::{SeriesSummary, facts, facts_of};
pub use survey::{Stretch, Survey};

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
    /// Line of the file that each point comes from, for errors; empty where the file has no lines.
    pub lines: Vec<usize>,
    /// Rows dropped while loading because a needed value was missing or not finite, or x has no counterpart on the spec's axis.
    pub dropped: usize,
    /// Points dropped because y lies above `mask_above`.
    pub masked: usize,
    /// Header facts of the file worth keeping: `temperature_K` and the like, as (name, value) pairs.
    pub metadata: Vec<(String, String)>,
    /// Hexadecimal SHA-256 of the numbers of this frame (x, y, σ, monitor as little-endian f64, each list after its length as u64), the
    /// identity a resume checks.
    pub hash: String,
}

impl Frame {
    /// Where a point is: the file and, where it has any, the line.
    pub fn place(&self, point: usize) -> Place {
        self.lines.get(point).map_or_else(|| Place::file(&self.source), |line| Place::line(&self.source, *line))
    }
}

/// A series of frames, listed but not yet read.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The frames in natural order of their names.
    pub entries: Vec<Entry>,
    /// The last file that holds several frames, so that it is parsed once and not once a frame.
    last: LastFile,
}

/// The last parsed file; shared by the clones of a dataset, safe between threads.
#[derive(Clone, Debug, Default)]
struct LastFile(Arc<Mutex<Option<Parsed>>>);

/// A parsed file and which state of it was parsed.
#[derive(Debug)]
struct Parsed {
    path: PathBuf,
    length: u64,
    changed: Option<SystemTime>,
    sheet: Arc<Sheet>,
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
    /// The frame table's monitor, where `normalise` names a column of it.
    pub monitor: Option<f64>,
}

impl Dataset {
    /// Lists the frames of a series: files by pattern in natural order, each with as many frames as it holds, joined to the frame table.
    ///
    /// A file's frames are counted without reading it where the spec's columns say how many there are, otherwise from the file; a file that
    /// cannot be read counts as one frame, and loading that gives its error.
    ///
    /// # Errors
    /// Fatal: no files, columns that make no sense, a frame table that does not fit (see the messages for file and line).
    pub fn open(data: &Data) -> Result<Self> {
        let names = Names::parse(data)?;
        convert::conversion(&data.x, data.wavelength)?;
        let monitor = monitor_of_table(data)?;
        let mut dataset = Self { entries: Vec::new(), last: LastFile::default() };
        for file in series::files(data)? {
            let parts = names.frames(data).unwrap_or_else(|| dataset.count(&file, &names, data));
            for part in 0..parts {
                dataset.entries.push(entry(&file, part, parts, dataset.entries.len() + 1, data.layout));
            }
        }
        if let Some(frames) = &data.frames {
            table::join(&mut dataset.entries, frames, data, monitor)?;
        }
        Ok(dataset)
    }

    /// Of these frames, wherever they were listed.
    pub fn of(entries: Vec<Entry>) -> Self {
        Self { entries, last: LastFile::default() }
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// Recoverable, with file and line: whatever is wrong with this file, so that a run goes on without it.
    pub fn load(&self, entry: &Entry, data: &Data) -> Result<Frame> {
        let names = Names::parse(data)?;
        let shared = |other: Option<&Entry>| other.is_some_and(|other| other.path == entry.path);
        let sheet = if shared(self.entries.get(entry.number)) || shared(self.entries.get(entry.number.wrapping_sub(2))) {
            self.last.sheet(&entry.path)?
        } else {
            Arc::new(Sheet::read(&entry.path)?)
        };
        let columns = names.locate(&sheet, data).map_err(|error| error.at(sheet.place(&entry.path, 0)))?;
        frame::frame(entry, &sheet, &columns, data)
    }

    /// Frames a file holds, from the file; 1 where it cannot be read.
    fn count(&self, file: &SeriesFile, names: &Names, data: &Data) -> usize {
        let frames = |sheet: Arc<Sheet>| names.locate(&sheet, data).map(|columns| columns.frames.len());
        // A text that names nothing is one frame, or an error when it is loaded: no need to read a series of them twice.
        let is_array =
            data.layout == Layout::Rows || !data.columns.is_empty() || file.source.ends_with(".npy") || data.x.start_step.is_some();
        if is_array { self.last.sheet(&file.path).and_then(frames).unwrap_or(1).max(1) } else { 1 }
    }
}

impl LastFile {
    /// The parsed file, from memory if it is still the same.
    fn sheet(&self, path: &Path) -> Result<Arc<Sheet>> {
        let about = fs::metadata(path).map_err(|error| sheet::unreadable(path, &error))?;
        let (length, changed) = (about.len(), about.modified().ok());
        // The lock is held while reading: threads that want the same file wait for it instead of parsing it again.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.as_ref()
            && (known.path.as_path(), known.length, known.changed) == (path, length, changed)
        {
            return Ok(Arc::clone(&known.sheet));
        }
        let sheet = Arc::new(Sheet::read(path)?);
        *last = Some(Parsed { path: path.into(), length, changed, sheet: Arc::clone(&sheet) });
        Ok(sheet)
    }
}

/// The entry of one frame of a file.
fn entry(file: &SeriesFile, part: usize, parts: usize, number: usize, layout: Layout) -> Entry {
    let (name, source) = if parts == 1 {
        (file.name.clone(), file.source.clone())
    } else {
        let what = if layout == Layout::Rows { "row" } else { "frame" };
        (format!("{}#{}", file.name, part + 1), format!("{} {what} {}", file.source, part + 1))
    };
    Entry { number, name, source, path: file.path.clone(), part, axis: None, monitor: None }
}

/// The column of the frame table that `normalise` names, where it names no column of the data.
fn monitor_of_table(data: &Data) -> Result<Option<&str>> {
    let Some(name) = data.normalise.as_deref() else { return Ok(None) };
    if data.columns.iter().any(|column| column == name) {
        return Ok(None);
    }
    if data.frames.is_some() {
        return Ok(Some(name));
    }
    let error = Error::fatal(format!("normalise = \"{name}\" names no column of the data, and there is no table of frames"));
    Err(error.hint(format!("name the column, for instance columns = \"x y {name}\"")))
}
