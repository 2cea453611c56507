//! What is known of a watched folder at any time: for the line on the terminal and for the page.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::arrivals::Look;
use super::pace::Pace;
use crate::batch::Outcome;
use crate::posterior::FrameResult;
use crate::report;

/// Frames shown on the page beside the report.
const RECENT: usize = 20;
/// Names of unfinished files shown.
const NAMES: usize = 5;

/// The board; every thread may write on it.
#[derive(Debug)]
pub(super) struct Board(Mutex<State>);

#[derive(Debug)]
struct State {
    title: String,
    out: String,
    phase: &'static str,
    /// What keeps it from going on, where something does.
    trouble: String,
    /// Frames listed, and those that are being written.
    listed: usize,
    partial: Vec<String>,
    done: usize,
    failed: usize,
    /// Complete and not done, frames in work included.
    pending: usize,
    /// Frames in work at a time.
    at_once: usize,
    pace: Pace,
    recent: VecDeque<Value>,
    /// Counts the times that files were made anew.
    version: u64,
}

impl Board {
    /// Nothing yet; results go to `out`, and `at_once` frames are in work at a time.
    pub fn new(title: &str, out: &str, at_once: usize) -> Self {
        Self(Mutex::new(State {
            title: title.into(),
            out: out.into(),
            phase: "waiting for the first frame",
            trouble: String::new(),
            listed: 0,
            partial: Vec::new(),
            done: 0,
            failed: 0,
            pending: 0,
            at_once,
            pace: Pace::new(Instant::now()),
            recent: VecDeque::new(),
            version: 0,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it is doing.
    pub fn phase(&self, phase: &'static str) {
        self.state().phase = phase;
    }

    /// The folder was looked at; `old` where its frames lay there before.
    pub fn looked(&self, listed: usize, look: &Look, old: bool) {
        let mut state = self.state();
        state.trouble.clear();
        state.listed = listed;
        state.partial.clone_from(&look.partial);
        state.pending += look.ready.len();
        if !old {
            state.pace.arrived(look.ready.len(), Instant::now());
        }
    }

    /// The folder could not be looked at. Whether that is news.
    pub fn trouble(&self, what: &str) -> bool {
        let mut state = self.state();
        let news = state.trouble != what;
        state.trouble = what.into();
        news
    }

    /// A frame is recorded.
    pub fn finished(&self, outcome: &Outcome) {
        let mut state = self.state();
        state.pending = state.pending.saturating_sub(1);
        state.pace.done(Instant::now());
        let value = match outcome {
            Outcome::Done(result) => {
                state.done += 1;
                answered(result)
            }
            Outcome::Failed(failure) => {
                state.failed += 1;
                json!({ "frame": failure.frame, "source": failure.source, "failed": failure.message })
            }
        };
        state.recent.push_front(value);
        state.recent.truncate(RECENT);
    }

    /// The files of the results were made anew.
    pub fn refreshed(&self) {
        self.state().version += 1;
    }

    /// How many frames are being written or are no good frames yet.
    pub fn partial(&self) -> usize {
        self.state().partial.len()
    }

    /// Where things stand, in a line.
    pub fn line(&self) -> String {
        let mut state = self.state();
        if !state.trouble.is_empty() {
            return state.trouble.lines().next().unwrap_or_default().to_owned();
        }
        let waiting = state.waiting();
        let mut line = format!("{} done", state.done);
        for (n, what) in [(state.failed, "failed"), (state.partial.len(), "being written")] {
            if n > 0 {
                line += &format!(", {n} {what}");
            }
        }
        format!("{line}; {}", state.pace.words(waiting, Instant::now()))
    }

    /// The same and more for the page.
    pub fn json(&self) -> Value {
        let mut state = self.state();
        let now = Instant::now();
        let waiting = state.waiting();
        let (came, done) = state.pace.rates(now);
        json!({
            "title": state.title,
            "out": state.out,
            "phase": state.phase,
            "trouble": state.trouble,
            "listed": state.listed,
            "done": state.done,
            "failed": state.failed,
            "waiting": waiting,
            "being_written": state.partial.iter().take(NAMES).collect::<Vec<_>>(),
            "being_written_count": state.partial.len(),
            "arriving_per_minute": (came * 100.0).round() / 100.0,
            "done_per_minute": (done * 100.0).round() / 100.0,
            "pace": state.pace.words(waiting, now),
            "recent": state.recent,
            "version": state.version,
            "report": Path::new(&state.out).join("report.html").is_file(),
            "unix_s": SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
        })
    }
}

impl State {
    /// Frames that are complete and not begun.
    fn waiting(&self) -> usize {
        self.pending.saturating_sub(self.at_once)
    }
}

fn answered(result: &FrameResult) -> Value {
    let best = result.windows.iter().filter_map(|w| w.candidates.get(w.best));
    let verdicts: Vec<String> = best.map(|c| report::verdict(&c.verdict)).collect();
    json!({
        "frame": result.frame,
        "source": result.source,
        "axis": result.axis,
        "answer": report::headline(result),
        "spark": report::spark(result),
        "verdict": verdicts.join("; "),
    })
}
