//! What is shown while frames or data sets are run: a bar on a terminal, plain lines elsewhere, nothing when asked to be quiet.

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
pub(in crate::cli) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a file or pipe.
    Lines(Mutex<Lines>),
    /// Not at all.
    Quiet,
}

/// Plain lines: how far, and when the last was written.
pub(in crate::cli) struct Lines {
    total: usize,
    done: usize,
    last: Option<Instant>,
}

impl Progress {
    /// Progress of `total` things, called `what`.
    pub fn new(total: usize, what: &str, quiet: bool) -> Self {
        if quiet || total == 0 {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines(Mutex::new(Lines { total, done: 0, last: None }));
        }
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        // A template that indicatif cannot read leaves its own style, which tells as much.
        if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {what}, {{eta}} left  {{msg}}")) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self::Bar(bar)
    }

    /// A frame is finished.
    pub fn frame(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Done(result) => {
                let brief = || format!("frame {}: {}", result.frame, report::headline(result));
                self.done(&brief, &|| format!("frame {} ({}): {}", result.frame, result.source, report::headline(result)));
            }
            Outcome::Failed(failure) => self.failed(&format!("frame {} failed: {}", failure.frame, failure.message)),
        }
    }

    /// One is finished: what a bar says of it, and what a line does.
    pub fn done(&self, brief: &dyn Fn() -> String, line: &dyn Fn() -> String) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(brief());
                bar.inc(1);
            }
            Self::Lines(lines) => Self::line(lines, false, line),
            Self::Quiet => {}
        }
    }

    /// One failed: that is always told.
    pub fn failed(&self, line: &str) {
        match self {
            Self::Bar(bar) => {
                bar.println(line);
                bar.inc(1);
            }
            Self::Lines(lines) => Self::line(lines, true, &|| line.to_owned()),
            Self::Quiet => {}
        }
    }

    fn line(lines: &Mutex<Lines>, always: bool, line: &dyn Fn() -> String) {
        let mut lines = lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lines.done += 1;
        let due = lines.total <= LINES || lines.last.is_none_or(|last| last.elapsed() >= INTERVAL) || lines.done == lines.total;
        if due || always {
            lines.last = Some(Instant::now());
            output::note(&format!("[{}/{}] {}", lines.done, lines.total, line()));
        }
    }

    /// The run is over: the terminal is as it was.
    pub fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
