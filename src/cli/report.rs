//! `keisoku report`: report.html made anew from a results folder.

use std::path::PathBuf;

use clap::Args;

use super::output::say;
use super::plot::AgainstName;
use crate::error::Result;
use crate::report::page::{self, Options};

/// Make report.html anew from a folder of results.
///
/// One file, no network: every figure and table of a run (or of a calibration, or of a measurement limit), to look at in any browser.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder that `run`, `calibrate` or `limit` wrote to
    pub folder: PathBuf,
    /// Frames whose details are in it in any case, counted from 1, separated by commas
    #[arg(long = "frame", value_name = "N", value_delimiter = ',')]
    pub frames: Vec<usize>,
    /// Most frames whose details are in it: first those with the worst verdicts, then evenly spaced ones
    #[arg(long, value_name = "N", default_value_t = page::DETAILS)]
    pub detail: usize,
    /// What series are drawn against [default: the axis where it ascends or descends throughout]
    #[arg(long, value_enum)]
    pub against: Option<AgainstName>,
}

/// Runs the verb.
///
/// # Errors
/// As [`page::write`].
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let options = Options { details: arguments.detail, frames: arguments.frames.clone(), against: AgainstName::meant(arguments.against) };
    let path = page::write(&arguments.folder, &options)?;
    say!("{}", path.display());
    Ok(())
}
