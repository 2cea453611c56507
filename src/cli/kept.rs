//! The journal of a verb that makes data sets of its own, what is shown meanwhile, and the simulated series that its defaults come from.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::output;
use super::run::progress::Progress;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::report::{Exit, Folder, State, page};
use crate::simulate::{self, Series};
use crate::spec::RawSpec;
use crate::trial::{Answer, Log, Record, Trial};

/// A journal of data sets, with progress.
pub(super) struct Kept<T: Trial> {
    folder: Mutex<Folder<Record<T>>>,
    progress: Progress,
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

impl<T: Trial> Kept<T> {
    /// What a verb does with what it found, or how it ended without: `tell` writes the files and says, in words, what was found, and whether it is good.
    pub fn ended<F>(
        &self,
        found: Result<F>,
        stop: &AtomicBool,
        (out, quiet): (&Path, bool),
        tell: impl FnOnce(&F) -> Result<(String, bool)>,
    ) -> Result<Exit> {
        self.progress.finish();
        let found = match found {
            Err(error) if stop.load(Ordering::Relaxed) => {
                output::error(&error);
                return Ok(Exit::Interrupted);
            }
            found => found?,
        };
        let (text, good) = tell(&found)?;
        if let Err(error) = page::write(out, &page::Options::default()) {
            output::note(&format!("warning: no report: {error}"));
        }
        if !quiet {
            output::out(&format!("{text}results in {}\n", out.display()));
        }
        Ok(if good { Exit::Good } else { Exit::Doubtful })
    }
}

/// Writes a simulated series to a folder of its own beside the results, and makes it the spec's.
pub(super) fn simulated(raw: &mut RawSpec, series: &Series, out: &Path) -> Result<Dataset> {
    let folder = out.join("data");
    simulate::write(series, &folder)?;
    raw.set_data_folder(&folder)?;
    Dataset::open(&raw.data()?)
}
