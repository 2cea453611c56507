//! What is shown while frames or data sets are run: a bar on a terminal, plain lines elsewhere, nothing when asked to be quiet.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::time;
use crate::batch::Outcome;
use crate::cli::output;
use crate::posterior::FrameResult;
use crate::report;

/// A series of at most so many frames gets a line each.
const LINES: usize = 100;
/// A longer one gets a line this often.
const INTERVAL: Duration = Duration::from_secs(10);

/// Progress of a run.
pub(in crate::cli) struct Progress {
    shown: Shown,
    course: Mutex<Course>,
}

enum Shown {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a file or pipe.
    Lines,
    /// Not at all.
    Quiet,
}

/// How far, how fast, and when a line was last written.
struct Course {
    total: usize,
    done: usize,
    began: Instant,
    last: Option<Instant>,
}

impl Course {
    /// What a minute brings and how long the rest takes, at the mean rate so far.
    fn pace(&self, now: Instant) -> String {
        let minutes = now.saturating_duration_since(self.began).as_secs_f64() / 60.0;
        if self.done == 0 || minutes <= 0.0 {
            return String::new();
        }
        let rate = self.done as f64 / minutes;
        let rate_in_words = if rate < 10.0 { format!("{rate:.1}/min") } else { format!("{rate:.0}/min") };
        match self.total.saturating_sub(self.done) {
            0 => rate_in_words,
            left => format!("{rate_in_words}, {} left", time::words(60.0 * left as f64 / rate)),
        }
    }
}

impl Progress {
    /// Progress of `total` things, called `what`.
    pub fn new(total: usize, what: &str, quiet: bool) -> Self {
        let shown = if quiet || total == 0 {
            Shown::Quiet
        } else if std::io::stderr().is_terminal() {
            Shown::Bar(bar(total, what))
        } else {
            Shown::Lines
        };
        Self { shown, course: Mutex::new(Course { total, done: 0, began: Instant::now(), last: None }) }
    }

    /// A frame is finished.
    pub fn frame(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Done(result) => {
                let brief = || brief(result);
                self.done(&brief, &|| line(result));
            }
            Outcome::Failed(failure) => self.failed(&format!("frame {} failed: {}", failure.frame, failure.message)),
        }
    }

    /// One is finished: what a bar says of it, and what a line does.
    pub fn done(&self, brief: &dyn Fn() -> String, line: &dyn Fn() -> String) {
        match &self.shown {
            Shown::Bar(bar) => {
                let pace = self.count().pace(Instant::now());
                bar.set_message(format!("{pace}  {}", brief()));
                bar.inc(1);
            }
            Shown::Lines => self.line(false, line),
            Shown::Quiet => {}
        }
    }

    /// One failed: that is always told.
    pub fn failed(&self, line: &str) {
        match &self.shown {
            Shown::Bar(bar) => {
                drop(self.count());
                bar.println(line);
                bar.inc(1);
            }
            Shown::Lines => self.line(true, &|| line.to_owned()),
            Shown::Quiet => {}
        }
    }

    fn count(&self) -> MutexGuard<'_, Course> {
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        course.done += 1;
        course
    }

    fn line(&self, always: bool, line: &dyn Fn() -> String) {
        let mut course = self.count();
        let due = course.total <= LINES || course.last.is_none_or(|last| last.elapsed() >= INTERVAL) || course.done == course.total;
        if due || always {
            let now = Instant::now();
            course.last = Some(now);
            output::note(&format!("[{}/{}] {}  {}", course.done, course.total, line(), course.pace(now)));
        }
    }

    /// The run is over: the terminal is as it was.
    pub fn finish(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// A bar without colours, as wide as the terminal: what does not fit is cut off at its end.
fn bar(total: usize, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    // A template that indicatif cannot read leaves its own style, which tells as much.
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:12}} {{pos}}/{{len}} {what}  {{wide_msg}}")) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// A frame's answer in a few words, what matters first.
pub(in crate::cli) fn brief(result: &FrameResult) -> String {
    format!("{}  frame {}: {}", report::spark(result), result.frame, report::headline(result)).trim_start().to_owned()
}

/// A frame's answer as a line of its own.
pub(in crate::cli) fn line(result: &FrameResult) -> String {
    format!("frame {} ({}): {}  {}", result.frame, result.source, report::headline(result), report::spark(result)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_as_the_mean_so_far_says() {
        let began = Instant::now();
        let course = |done: usize| Course { total: 48, done, began, last: None };
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        assert_eq!(course(0).pace(after(60)), "");
        assert_eq!(course(4).pace(after(60)), "4.0/min, 11 min 0 s left");
        assert_eq!(course(48).pace(after(60)), "48/min");
    }
}
