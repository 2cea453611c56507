//! What is shown while frames are run: a bar on a terminal, plain lines elsewhere, nothing when asked to be quiet.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::batch::Outcome;
use crate::cli::output;
use crate::report;

/// A series of at most so many frames gets a line each.
const LINES: usize = 100;
/// A longer one gets a line this often.
const INTERVAL: Duration = Duration::from_secs(10);

/// Progress of a run.
pub(super) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a file or pipe.
    Lines(Mutex<Lines>),
    /// Not at all.
    Quiet,
}

/// Plain lines: how far, and when the last was written.
pub(super) struct Lines {
    total: usize,
    done: usize,
    last: Option<Instant>,
}

impl Progress {
    /// Progress of `total` frames.
    pub fn new(total: usize, quiet: bool) -> Self {
        if quiet || total == 0 {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines(Mutex::new(Lines { total, done: 0, last: None }));
        }
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        // A template that indicatif cannot read leaves its own style, which tells as much.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} frames, {eta} left  {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self::Bar(bar)
    }

    /// A frame is finished.
    pub fn frame(&self, outcome: &Outcome) {
        match self {
            Self::Bar(bar) => {
                match outcome {
                    Outcome::Done(result) => bar.set_message(format!("frame {}: {}", result.frame, report::headline(result))),
                    Outcome::Failed(_) => bar.println(line(outcome)),
                }
                bar.inc(1);
            }
            Self::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                lines.done += 1;
                let due = lines.total <= LINES || lines.last.is_none_or(|last| last.elapsed() >= INTERVAL) || lines.done == lines.total;
                if due || matches!(outcome, Outcome::Failed(_)) {
                    lines.last = Some(Instant::now());
                    output::note(&format!("[{}/{}] {}", lines.done, lines.total, line(outcome)));
                }
            }
            Self::Quiet => {}
        }
    }

    /// The run is over: the terminal is as it was.
    pub fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn line(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(result) => format!("frame {} ({}): {}", result.frame, result.source, report::headline(result)),
        Outcome::Failed(failure) => format!("frame {} failed: {}", failure.frame, failure.message),
    }
}
