//! Whether frames are answered as fast as they arrive, and by how much not.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::cli::run::time;

/// Rates are those of the last ten minutes.
const WINDOW: Duration = Duration::from_secs(600);

/// When frames came and when they were done.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    arrived: VecDeque<Instant>,
    done: VecDeque<Instant>,
}

impl Pace {
    /// Nothing yet.
    pub fn new(began: Instant) -> Self {
        Self { began, arrived: VecDeque::new(), done: VecDeque::new() }
    }

    /// So many frames have come. What lay there at the first look does not count: it says nothing of how fast they come.
    pub fn arrived(&mut self, frames: usize, now: Instant) {
        self.arrived.extend(std::iter::repeat_n(now, frames));
    }

    /// A frame is done.
    pub fn done(&mut self, now: Instant) {
        self.done.push_back(now);
    }

    /// Frames a minute that came and that were done.
    pub fn rates(&mut self, now: Instant) -> (f64, f64) {
        let minutes = now.saturating_duration_since(self.began).min(WINDOW).as_secs_f64() / 60.0;
        let rate = |times: &mut VecDeque<Instant>| {
            while times.front().is_some_and(|t| now.saturating_duration_since(*t) > WINDOW) {
                times.pop_front();
            }
            if minutes > 0.0 { times.len() as f64 / minutes } else { 0.0 }
        };
        (rate(&mut self.arrived), rate(&mut self.done))
    }

    /// A sentence about `waiting` frames that are complete and not begun.
    pub fn words(&mut self, waiting: usize, now: Instant) -> String {
        let (came, done) = self.rates(now);
        match waiting {
            0 => "keeps up".into(),
            n if done == 0.0 => format!("{n} waiting"),
            n if came >= done => format!("{n} waiting, falls behind: {came:.1} frames a minute come, {done:.1} are done"),
            n => format!("{n} waiting, caught up in {}", time::words(60.0 * n as f64 / (done - came))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_by_how_much_it_does_not_keep_up() {
        let began = Instant::now();
        let minute = |m: u64| began + Duration::from_secs(60 * m);
        let mut pace = Pace::new(began);
        assert_eq!(pace.words(3, minute(1)), "3 waiting");
        for m in 1..=5 {
            pace.arrived(4, minute(m));
            pace.done(minute(m));
        }
        assert_eq!(pace.words(0, minute(5)), "keeps up");
        assert_eq!(pace.words(15, minute(5)), "15 waiting, falls behind: 4.0 frames a minute come, 1.0 are done");
        // No more come: the rates are those of the last ten minutes.
        (6..=20).for_each(|m| pace.done(minute(m)));
        assert_eq!(pace.rates(minute(20)), (0.0, 1.1));
        assert_eq!(pace.words(11, minute(20)), "11 waiting, caught up in 10 min 0 s");
    }
}
