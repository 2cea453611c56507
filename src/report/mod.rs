//! Results as files: the folder of a run with its journal, and pure functions from results to CSV, JSON and a table for the terminal.

pub(crate) mod atomic;
mod csv;
mod difference;
pub mod export;
pub mod figure;
mod folder;
mod journal;
mod json;
mod lenient;
mod netcdf;
pub(crate) mod number;
pub mod page;
mod run_info;
pub mod samples;
mod spark;
mod summary;
pub mod svg;
pub mod view;

pub use csv::Peaks;
pub use folder::Folder;
pub use journal::{Header, Line, SCHEMA, State};
pub use run_info::RunInfo;
pub use samples::Samples;
pub use spark::spark;
pub use summary::{Exit, Summary, headline};

use crate::posterior::{Fit, Verdict};

/// A verdict as files show it: `ok`, or codes joined by `;`.
pub fn verdict(reasons: &[Verdict]) -> String {
    if reasons.is_empty() { "ok".into() } else { reasons.iter().map(|v| v.code()).collect::<Vec<_>>().join(";") }
}

/// A fit as files show it: `good`, or codes joined by `;`.
pub fn fit(reasons: &[Fit]) -> String {
    if reasons.is_empty() { "good".into() } else { reasons.iter().map(|f| f.code()).collect::<Vec<_>>().join(";") }
}
