//! A simulated series as files: the frames, their table, and the truth beside them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::{RESOLVABLE, Series, SimulatedFrame};
use crate::error::{Error, Place, Result};
use crate::report::{atomic, number};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The folder.
    pub folder: PathBuf,
    /// Frames.
    pub frames: usize,
    /// Name of each window, and its frames that are resolvable.
    pub resolvable: Vec<(String, usize)>,
}

/// Writes the frames, `frames.csv`, `truth.csv` and `resolvability.csv` to a folder, which is made where it does not exist.
///
/// `frames.csv` is `frame,AXIS`, one row a frame; `frame` is the number in the file's name.
/// `truth.csv` is `frame,axis,term,peak,parameter,value,exists`, one row a parameter as the spec writes it; peaks are counted from 1 in the order
/// of the spec, other terms have none; a peak whose amplitude is 0 does not exist.
/// `resolvability.csv` is `frame,axis,window,k,kl_nat`: the true number of peaks in each window and how far, in nats, the nearest curve
/// with one peak fewer is; `inf` where there is no peak.
///
/// # Errors
/// Where the folder cannot be written to, or holds frames of another simulation that the spec would read with these.
pub fn write(series: &Series, folder: &Path) -> Result<Written> {
    fs::create_dir_all(folder).map_err(|e| Error::fatal(format!("the folder cannot be made: {e}")).at(Place::file(folder)))?;
    refuse_strangers(series, folder)?;
    let file = |name: &str, text: String| {
        let bytes = |out: &mut dyn std::io::Write| out.write_all(text.as_bytes()).map_err(|e| cannot_write(&folder.join(name), &e));
        atomic::write(&folder.join(name), bytes)
    };
    for frame in &series.frames {
        file(&frame.file, points(series, frame))?;
    }
    file("frames.csv", table(series))?;
    file("truth.csv", truth(series))?;
    file("resolvability.csv", resolvability(series))?;
    let count = |i: usize| series.frames.iter().filter(|f| f.resolvability[i].nats >= RESOLVABLE).count();
    let resolvable = series.windows.iter().enumerate().map(|(i, name)| (name.clone(), count(i))).collect();
    Ok(Written { folder: folder.into(), frames: series.frames.len(), resolvable })
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::fatal(format!("cannot be written: {error}")).at(Place::file(path)).hint("choose another folder with --out DIR")
}

/// A longer series that was here before would be read together with this one.
fn refuse_strangers(series: &Series, folder: &Path) -> Result<()> {
    let (first, last) = (&series.frames[0].file, &series.frames[series.frames.len() - 1].file);
    let before: String = first.chars().zip(last.chars()).take_while(|(a, b)| a == b && !a.is_ascii_digit()).map(|(a, _)| a).collect();
    let after = first.trim_start_matches(before.as_str()).trim_start_matches(|c: char| c.is_ascii_digit()).to_string();
    let unreadable = |e: &std::io::Error| Error::fatal(format!("the folder cannot be read: {e}")).at(Place::file(folder));
    for entry in fs::read_dir(folder).map_err(|e| unreadable(&e))? {
        let name = entry.map_err(|e| unreadable(&e))?.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
        let is_frame = number.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
        if is_frame && !series.frames.iter().any(|f| f.file == name) {
            let error = Error::fatal("is a frame of another series, which the spec would read with the simulated ones");
            return Err(error.at(Place::file(folder.join(name))).hint("remove the old frames, or choose another folder with --out DIR"));
        }
    }
    Ok(())
}

/// Columns x, y and σ, separated by spaces.
fn points(series: &Series, frame: &SimulatedFrame) -> String {
    let mut text = String::new();
    for (i, (x, y)) in series.x.iter().zip(&frame.y).enumerate() {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "{x:.*} {}", series.decimals, number::cell(*y));
        if let Some(sigma) = &frame.sigma {
            let _ = write!(text, " {}", sigma_cell(sigma[i]));
        }
        text.push('\n');
    }
    text
}

/// Four significant digits: an error of an error.
fn sigma_cell(sigma: f64) -> String {
    number::cell(format!("{sigma:.3e}").parse().unwrap_or(sigma))
}

fn table(series: &Series) -> String {
    let mut text = format!("frame,{}\n", quoted(&series.axis));
    for frame in &series.frames {
        let _ = writeln!(text, "{},{}", frame.number, number::cell(frame.axis));
    }
    text
}

fn truth(series: &Series) -> String {
    let mut text = String::from("frame,axis,term,peak,parameter,value,exists\n");
    for frame in &series.frames {
        let mut peaks = 0;
        for term in &frame.terms {
            peaks += usize::from(term.is_peak());
            let peak = if term.is_peak() { peaks.to_string() } else { String::new() };
            for (word, value) in &term.written {
                let (axis, value, exists) = (number::cell(frame.axis), number::cell(*value), term.exists());
                let _ = writeln!(text, "{},{axis},{},{peak},{word},{value},{exists}", frame.number, term.model.name);
            }
        }
    }
    text
}

fn resolvability(series: &Series) -> String {
    let mut text = String::from("frame,axis,window,k,kl_nat\n");
    for frame in &series.frames {
        for (window, found) in series.windows.iter().zip(&frame.resolvability) {
            let _ = writeln!(text, "{},{},{},{},{:.2}", frame.number, number::cell(frame.axis), quoted(window), found.k, found.nats);
        }
    }
    text
}

/// A name as a CSV cell.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.into() }
}
