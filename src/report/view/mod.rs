//! A results folder as it lies there, read only: what figures are drawn from.

mod priors;
mod sample;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::journal::Header;
use super::samples::{self, Sample};
use super::svg::Label;
use super::{atomic, lenient};
use crate::batch::{Failure, Outcome};
use crate::error::{Error, Place, Result};
use crate::posterior::{CandidateResult, Figures, FrameResult, WindowResult};
use crate::spec::RawSpec;

pub use priors::Priors;
pub(super) use sample::draws;

/// A results folder.
#[derive(Debug)]
pub struct Results {
    /// Where it is.
    pub path: PathBuf,
    /// Title of the spec.
    pub title: String,
    /// Version of keisoku that began the run.
    pub keisoku: String,
    /// Seed.
    pub seed: Option<u64>,
    /// What x is, and its unit.
    pub(super) x: Label,
    /// What the frames' axis is; none where they have none.
    pub axis: Option<String>,
    /// Priors by window, term and parameter.
    pub priors: Priors,
    /// Frames that have an answer, in order.
    pub frames: Vec<Row>,
    /// Frames that have none, in order.
    pub failures: Vec<Failure>,
    /// Hash of the resolved spec.
    pub spec_hash: String,
}

/// One frame, as light as a series of ten thousand needs it: without figures, positions and sensitivities, and with the parameters of the
/// most probable candidate alone.
#[derive(Clone, Debug)]
pub struct Row {
    /// The answer, lightened.
    pub frame: FrameResult,
    at: u64,
    length: usize,
}

impl Results {
    /// Reads the journal of a folder. It takes no lock: lines are whole or not there, and a run may be going on.
    ///
    /// # Errors
    /// Where there is no journal, or it is not one that this version reads.
    pub fn open(path: &Path) -> Result<Self> {
        let journal = path.join("results.jsonl");
        let file = File::open(&journal).map_err(|e| no_journal(path, &e))?;
        let (header, lines) = scan(&journal, file)?;
        let spec = RawSpec::parse(&path.join("spec.toml"), &header.spec)?;
        let axis = spec.data.frames.as_ref().and_then(|f| f.axis.clone()).or_else(|| spec.data.axis_header.clone());
        let name = spec.data.x.name.clone().unwrap_or_else(|| "x".into());
        let mut results = Self {
            path: path.into(),
            title: spec.title.clone().unwrap_or_else(|| "untitled".into()),
            keisoku: header.keisoku,
            seed: spec.run.seed,
            x: Label::new(&spoken(&name), spec.data.x.unit.as_deref().unwrap_or_default()),
            axis,
            priors: Priors::of(&spec),
            frames: Vec::new(),
            failures: Vec::new(),
            spec_hash: header.spec_hash,
        };
        for (outcome, at, length) in lines {
            match outcome {
                Outcome::Done(frame) => results.frames.push(Row { frame: *frame, at, length }),
                Outcome::Failed(failure) => results.failures.push(failure),
            }
        }
        results.frames.sort_by(|a, b| (a.frame.frame, &a.frame.source).cmp(&(b.frame.frame, &b.frame.source)));
        results.failures.sort_by_key(|f| f.frame);
        Ok(results)
    }

    /// Everything that is recorded of a frame, by its place in `frames`.
    ///
    /// # Errors
    /// Where the journal cannot be read again.
    pub fn whole(&self, place: usize) -> Result<FrameResult> {
        let row = &self.frames[place];
        let path = self.path.join("results.jsonl");
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(row.at))?;
            let mut line = vec![0; row.length];
            file.read_exact(&mut line)?;
            Ok(String::from_utf8_lossy(&line).into_owned())
        };
        let text = read().map_err(|e| atomic::cannot_read(&path, &e))?;
        match lenient::from_str(&text).map_err(|e| atomic::cannot_read(&path, &e.into()))? {
            Outcome::Done(mut frame) => {
                // Its place in the series is what the light row says.
                frame.frame = row.frame.frame;
                Ok(*frame)
            }
            Outcome::Failed(_) => Err(Error::fatal("the journal has changed while it was read").at(Place::file(path)).hint("try again")),
        }
    }

    /// The draws and curves of a window of a frame; none where the run kept none.
    ///
    /// # Errors
    /// Where a file is there and cannot be read.
    pub fn sample(&self, place: usize, window: usize) -> Result<Option<Sample>> {
        let frame = &self.frames[place].frame;
        let name = frame.windows.get(window).map(|w| w.window.as_str()).unwrap_or_default();
        let several = (frame.windows.len() > 1).then_some(name);
        for series in [true, false] {
            let path = samples::place(&self.path, series, &frame.name, several);
            if path.is_file() {
                return samples::read(&path).map(Some);
            }
        }
        Ok(None)
    }

    /// Names of the windows, in the order of the spec.
    pub fn windows(&self) -> Vec<String> {
        self.frames.first().map(|row| row.frame.windows.iter().map(|w| w.window.clone()).collect()).unwrap_or_default()
    }

    /// Place in `frames` of the frame with a number.
    ///
    /// # Errors
    /// Where there is none: the numbers there are are told.
    pub fn place(&self, number: usize) -> Result<usize> {
        if let Some(place) = self.frames.iter().position(|row| row.frame.frame == number) {
            return Ok(place);
        }
        if let Some(failure) = self.failures.iter().find(|f| f.frame == number) {
            return Err(Error::fatal(format!("frame {number} has no answer: {}", failure.message))
                .at(Place::file(&self.path))
                .hint("run it again"));
        }
        let (first, last) = (self.frames.first().map(|r| r.frame.frame), self.frames.last().map(|r| r.frame.frame));
        let hint = match first.zip(last) {
            Some((first, last)) => format!("{} frames have answers, from {first} to {last}", self.frames.len()),
            None => "no frame has an answer yet".into(),
        };
        Err(Error::fatal(format!("there is no frame {number} in these results")).at(Place::file(&self.path)).hint(hint))
    }

    /// Where a frame lies along the series: by its axis where that ascends or descends throughout, otherwise by its number.
    pub(super) fn along(&self, against: Against) -> (Vec<f64>, Label) {
        let numbers = || self.frames.iter().map(|r| r.frame.frame as f64).collect::<Vec<_>>();
        let axis: Option<Vec<f64>> = self.frames.iter().map(|r| r.frame.axis.filter(|a| a.is_finite())).collect();
        let ordered = |a: &[f64]| a.windows(2).all(|w| w[0] < w[1]) || a.windows(2).all(|w| w[0] > w[1]);
        let by_axis = |axis: Vec<f64>| (axis, axis_label(self.axis.as_deref()));
        match (against, axis) {
            (Against::Best, Some(axis)) if ordered(&axis) && axis.len() > 1 => by_axis(axis),
            (Against::Axis, Some(axis)) => by_axis(axis),
            _ => (numbers(), Label::new("frame", "")),
        }
    }
}

/// What series are drawn against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// The frames' axis where it ascends or descends throughout, otherwise their numbers.
    #[default]
    Best,
    /// Their numbers.
    Frame,
    /// Their axis.
    Axis,
}

/// The most probable candidate of a window.
pub(super) fn best(window: &WindowResult) -> Option<&CandidateResult> {
    window.candidates.get(window.best)
}

/// A name of a spec as a person says it: `two_theta` is 2θ.
pub(super) fn spoken(name: &str) -> String {
    match name {
        "two_theta" => "2θ".into(),
        other => other.replace('_', " "),
    }
}

/// A unit as a person writes it.
pub(super) fn unit(unit: &str) -> String {
    match unit {
        "1/angstrom" => "Å⁻¹".into(),
        "angstrom" => "Å".into(),
        "degC" | "C" => "°C".into(),
        "deg" => "°".into(),
        // An area: `y deg`.
        other => other.replace("angstrom", "Å").replace(" deg", "·°").replace("y ", "y·"),
    }
}

/// A column such as `temperature_C` is a name and a unit.
fn axis_label(name: Option<&str>) -> Label {
    let name = name.unwrap_or("axis");
    let known = ["C", "K", "s", "min", "h", "ms", "GPa", "bar", "mbar", "V", "mA", "T", "mm", "um", "deg"];
    match name.rsplit_once('_') {
        Some((what, of)) if known.contains(&of) => Label::new(&spoken(what), &unit(of)),
        _ => Label::new(&spoken(name), ""),
    }
}

fn no_journal(path: &Path, error: &std::io::Error) -> Error {
    let what = if error.kind() == std::io::ErrorKind::NotFound {
        "there are no results here: no results.jsonl".to_owned()
    } else {
        format!("the results cannot be read: {error}")
    };
    Error::fatal(what).at(Place::file(path)).hint("give the folder that `keisoku run` wrote to (its --out DIR)")
}

type Found = (Outcome, u64, usize);

/// The header and the last line of every frame, lightened. A torn last line is left out.
fn scan(path: &Path, file: File) -> Result<(Header, Vec<Found>)> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let (mut at, mut number) = (0, 0);
    let mut header: Option<Header> = None;
    let mut found: HashMap<String, Found> = HashMap::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(|e| atomic::cannot_read(path, &e))?;
        number += 1;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        if header.is_none() {
            let read: Header = lenient::from_str(&text).map_err(|e| foreign(path, number, &e))?;
            if read.schema != super::SCHEMA {
                return Err(foreign(path, number, &format!("it has schema {}, this version reads {}", read.schema, super::SCHEMA)));
            }
            header = Some(read);
        } else {
            match lenient::from_str::<Outcome>(&text) {
                Ok(outcome) => {
                    let light = lightened(outcome);
                    found.insert(light.name().to_owned(), (light, at, length));
                }
                // After a power cut the last line can have its full length and holes in it.
                Err(e) if reader.fill_buf().map_err(|e| atomic::cannot_read(path, &e))?.is_empty() && number > 2 => {
                    let _ = e;
                    break;
                }
                Err(e) => return Err(foreign(path, number, &e)),
            }
        }
        at += length as u64;
    }
    let header = header.ok_or_else(|| foreign(path, 1, &"it is empty"))?;
    Ok((header, found.into_values().collect()))
}

fn foreign(path: &Path, number: usize, error: &dyn std::fmt::Display) -> Error {
    Error::fatal(format!("this journal is not one that keisoku {} reads: {error}", env!("CARGO_PKG_VERSION")))
        .at(Place::line(path, number))
        .hint("use the version that made it, or run again with --fresh")
}

fn lightened(mut outcome: Outcome) -> Outcome {
    if let Outcome::Done(frame) = &mut outcome {
        for window in &mut frame.windows {
            window.positions = Vec::new();
            window.sensitivity = Vec::new();
            for (i, candidate) in window.candidates.iter_mut().enumerate() {
                candidate.figures = Figures::default();
                candidate.noise_curve = None;
                if i != window.best {
                    candidate.parameters = Vec::new();
                }
            }
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_tables_are_names_with_units() {
        assert_eq!(axis_label(Some("temperature_C")).text(), "temperature (°C)");
        assert_eq!(axis_label(Some("time_s")).text(), "time (s)");
        assert_eq!(axis_label(Some("scan_number")).text(), "scan number");
    }

    #[test]
    fn a_folder_without_results_says_what_to_give() {
        let folder = tempfile::tempdir().expect("folder");
        let error = Results::open(folder.path()).expect_err("nothing").to_string();
        assert!(error.contains("no results here") && error.contains("keisoku run"), "{error}");
    }
}
