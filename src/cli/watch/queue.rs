//! Frames that are complete, on their way from the thread that looks to the one that measures.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::dataset::{Dataset, Entry};

/// The queue, and the series as it was last seen.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Debug)]
struct State {
    ready: Vec<Entry>,
    series: Arc<Dataset>,
    /// When a frame last came or was done.
    last: Instant,
}

impl Queue {
    /// Nothing waits.
    pub fn new(series: Dataset) -> Self {
        Self { state: Mutex::new(State { ready: Vec::new(), series: Arc::new(series), last: Instant::now() }), filled: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds frames of the series as it is now.
    pub fn put(&self, ready: Vec<Entry>, series: Dataset) {
        let mut state = self.state();
        if !ready.is_empty() {
            state.last = Instant::now();
        }
        state.ready.extend(ready);
        state.series = Arc::new(series);
        self.filled.notify_one();
    }

    /// Takes all that waits, at most `time` from now, and the series as it is.
    pub fn take(&self, time: Duration) -> (Vec<Entry>, Arc<Dataset>) {
        let waited = self.filled.wait_timeout_while(self.state(), time, |state| state.ready.is_empty());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut state.ready), state.series.clone())
    }

    /// Frames that were taken are done.
    pub fn done(&self) {
        self.state().last = Instant::now();
    }

    /// For how long nothing has come or been done.
    pub fn quiet(&self) -> Duration {
        self.state().last.elapsed()
    }
}
