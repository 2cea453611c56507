//! The journal of a verb that makes data sets of its own, what is shown meanwhile, and the simulated series that its defaults come from.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::run::progress::Progress;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::report::{Folder, State};
use crate::simulate::{self, Series};
use crate::spec::RawSpec;
use crate::trial::{Answer, Log, Record, Trial};

/// A journal of data sets, with progress.
pub(super) struct Kept<T: Trial> {
    folder: Mutex<Folder<Record<T>>>,
    pub progress: Progress,
}

impl<T: Trial> Kept<T> {
    /// Of the data sets of those names, what is not finished is to be made.
    pub fn new(folder: Folder<Record<T>>, names: &[String], quiet: bool) -> Self {
        let left = names.iter().filter(|name| folder.state(name) != Some(State::Done)).count();
        Self { folder: Mutex::new(folder), progress: Progress::new(left, "data sets", quiet) }
    }

    fn folder(&self) -> MutexGuard<'_, Folder<Record<T>>> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Trial> Log<T> for Kept<T> {
    fn find(&self, name: &str) -> Result<Option<Record<T>>> {
        self.folder().read(name)
    }

    fn add(&self, record: &Record<T>) -> Result<()> {
        self.folder().append(record)?;
        match &record.answer {
            Answer::Done(kept) => self.progress.done(&|| kept.brief(), &|| format!("{}: {}", record.name, kept.brief())),
            Answer::Failed(failure) => self.progress.failed(&format!("{} failed: {}", record.name, failure.message)),
        }
        Ok(())
    }
}

/// Writes a simulated series to a folder of its own beside the results, and makes it the spec's.
pub(super) fn simulated(raw: &mut RawSpec, series: &Series, out: &Path) -> Result<Dataset> {
    let folder = out.join("data");
    simulate::write(series, &folder)?;
    raw.set_data_folder(&folder)?;
    Dataset::open(&raw.data()?)
}
