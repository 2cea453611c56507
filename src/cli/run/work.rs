//! Frames through the sampler into a folder: each with its draws, then its line in the journal.

use std::sync::{Mutex, PoisonError};

use super::prepare::Ready;
use crate::batch::{self, Account, Outcome};
use crate::dataset::{Dataset, Entry};
use crate::error::Result;
use crate::posterior::Draws;
use crate::report::Folder;

/// What every frame of a run needs.
pub(in crate::cli) struct Work<'a> {
    pub dataset: &'a Dataset,
    pub ready: &'a Ready,
    pub settings: &'a batch::Settings<'a>,
}

/// Hears of a frame once it is recorded, and may use the folder.
pub(in crate::cli) type Told<'a> = dyn Fn(&Outcome, &mut Folder) -> Result<()> + Sync + 'a;

impl Work<'_> {
    /// Samples the frames. The inner result is how that ended; frames recorded before are complete.
    ///
    /// # Errors
    /// Where the folder cannot be written to before the first frame.
    pub fn run(&self, folder: &mut Folder, todo: &[&Entry], told: &Told<'_>) -> Result<Result<Account>> {
        let samples = folder.samples(self.dataset, &self.ready.spec)?;
        let folder = Mutex::new(folder);
        let sink = |outcome: Outcome, draws: &[Draws]| {
            if let (Outcome::Done(frame), true) = (&outcome, self.settings.draws) {
                samples.write(frame, draws)?;
            }
            let mut folder = folder.lock().unwrap_or_else(PoisonError::into_inner);
            folder.append(&outcome)?;
            told(&outcome, &mut folder)
        };
        Ok(batch::run(&*self.ready.engine, &self.ready.spec, self.dataset, todo, self.settings, &sink))
    }
}
