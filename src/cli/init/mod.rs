//! `keisoku init`: a first spec from the data files, with comments, to be edited.

mod files;
mod text;

use std::path::PathBuf;

use clap::Args;

use super::output;
use crate::error::{Error, Place, Result};
use crate::report::atomic;

pub use text::starter;

/// Write a first spec for data files, to be edited.
///
/// Looks at the frames, puts a window around every group of peaks in their mean, and writes counts and priors that fit them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The data files of one series, or their folder
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// What their columns are, such as "x y sigma" or "x y -" [default: as the files say]
    #[arg(long, value_name = "NAMES")]
    pub columns: Option<String>,
    /// The spec to write
    #[arg(long, value_name = "FILE", default_value = "spec.toml")]
    pub out: PathBuf,
}

/// Writes the spec and prints the next command.
///
/// # Errors
/// Where the spec exists already, the files are no series, or a frame cannot be read.
pub fn run(arguments: &Arguments) -> Result<()> {
    let out = &arguments.out;
    if out.exists() {
        let error = Error::fatal("exists already").at(Place::file(out));
        return Err(error.hint("give another name with --out FILE, or remove it"));
    }
    let (text, survey) = starter(&arguments.files, arguments.columns.as_deref(), out).map_err(|error| match &error.hint {
        // There is no [data] to name them under yet.
        Some(hint) if hint.contains("columns = ") => {
            let hint = format!("{hint}; for a first spec, give --columns \"x y sigma\"");
            error.hint(hint)
        }
        _ => error,
    })?;
    atomic::write(out, |file| {
        file.write_all(text.as_bytes()).map_err(|e| Error::fatal(format!("cannot be written: {e}")).at(Place::file(out)))
    })?;
    let windows = match survey.stretches.len() {
        0 => "no peak stands out of the mean frame: one window over everything".into(),
        1 => "one window".into(),
        n => format!("{n} windows"),
    };
    let frames = survey.frames;
    output::out(&format!("wrote {} for {frames} frame(s): {windows}\nnext: keisoku run {} --dry-run\n", out.display(), out.display()));
    Ok(())
}
