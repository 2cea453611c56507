//! `keisoku simulate`: the frames that a spec's `[simulate]` describes, with the truth beside them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::output;
use crate::error::{Place, Result};
use crate::simulate::{self, RESOLVABLE};
use crate::spec::{RawSpec, Spec};

/// Draw the frames that a spec's [simulate] describes.
///
/// Writes the frames where the spec looks for them, frames.csv with their axis, truth.csv with the parameters behind them, and
/// resolvability.csv: how many peaks each window holds and how far, in nats, the nearest curve with one fewer is.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The spec, a TOML file with a [simulate] table
    pub spec: PathBuf,
    /// Folder of the frames [default: the spec's data folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Seed of the noise, instead of the spec's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// Simulates, writes, and prints what it wrote.
///
/// # Errors
/// As [`simulate::simulate`] and [`simulate::write`], with the spec as the place where no other is known.
pub fn run(arguments: &Arguments) -> Result<()> {
    let raw = Spec::read(&arguments.spec)?;
    let series = simulate::simulate(&raw, arguments.seed)
        .map_err(|error| if error.place == Place::default() { error.at(Place::file(&arguments.spec)) } else { error })?;
    let folder = arguments.out.clone().unwrap_or_else(|| data_folder(&raw, &arguments.spec));
    let written = simulate::write(&series, &folder)?;
    let mut text = format!(
        "wrote {} frames of {} points, frames.csv, truth.csv and resolvability.csv to {}\n",
        written.frames,
        series.x.len(),
        folder.display()
    );
    for (window, frames) in &written.resolvable {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "window {window}: the peaks of {frames} frames can be counted ({RESOLVABLE} nats or more)");
    }
    let data = arguments.out.as_ref().map_or_else(String::new, |out| format!(" --data {}", out.display()));
    let _ = writeln!(text, "next: keisoku run {}{data}", arguments.spec.display());
    output::out(&text);
    Ok(())
}

/// Where the spec looks for its frames; the folder need not exist yet.
fn data_folder(raw: &RawSpec, spec: &Path) -> PathBuf {
    let beside = spec.parent().filter(|p| *p != Path::new("")).unwrap_or(Path::new("."));
    raw.data.folder.as_ref().map_or_else(|| beside.into(), |folder| beside.join(folder.get_ref()))
}
