//! Where the time of sampling on a device goes, and what passes between it and the host.

use std::ops::{AddAssign, Sub};
use std::time::{Duration, Instant};

/// What was handed to a device and came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Submissions.
    pub submissions: u64,
    /// Kernels started.
    pub dispatches: u64,
    /// Moves evaluated.
    pub moves: u64,
    /// Bytes that went to the device.
    pub uploaded: u64,
    /// Bytes that came back.
    pub downloaded: u64,
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.submissions += other.submissions;
        self.dispatches += other.dispatches;
        self.moves += other.moves;
        self.uploaded += other.uploaded;
        self.downloaded += other.downloaded;
    }
}

/// Times of all tiles of a device together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// What passed between host and device.
    pub traffic: Traffic,
    /// How long the host waited for the device with nothing else to do.
    pub waited: Duration,
    /// How long any submission was under way, by the host's clock: the device worked no longer than that.
    pub under_way: Duration,
    /// How long kernels ran, by the device's own clock; none where it has none.
    pub kernels: Option<Duration>,
}

impl Timeline {
    /// Shares of a stretch of time in which the host and the device were busy; the device's is an upper bound where it has no clock of its own.
    pub fn shares(&self, wall: Duration) -> (f64, f64) {
        let of = |time: Duration| (time.as_secs_f64() / wall.as_secs_f64().max(f64::MIN_POSITIVE)).min(1.0);
        (1.0 - of(self.waited), of(self.kernels.unwrap_or(self.under_way)))
    }
}

impl Sub for Timeline {
    type Output = Self;

    /// What came after an earlier reading.
    fn sub(self, earlier: Self) -> Self {
        let (now, then) = (self.traffic, earlier.traffic);
        Self {
            traffic: Traffic {
                submissions: now.submissions - then.submissions,
                dispatches: now.dispatches - then.dispatches,
                moves: now.moves - then.moves,
                uploaded: now.uploaded - then.uploaded,
                downloaded: now.downloaded - then.downloaded,
            },
            waited: self.waited.saturating_sub(earlier.waited),
            under_way: self.under_way.saturating_sub(earlier.under_way),
            kernels: self.kernels.map(|now| now.saturating_sub(earlier.kernels.unwrap_or_default())),
        }
    }
}

/// Reads the clock as submissions of several tiles come and go.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: Timeline,
    /// Submissions under way, and since when there have been any.
    flights: usize,
    since: Option<Instant>,
}

impl Watch {
    /// A submission went out.
    pub(super) fn departed(&mut self, traffic: Traffic) {
        self.seen.traffic += traffic;
        self.flights += 1;
        self.since.get_or_insert_with(Instant::now);
    }

    /// A submission has come back after the host waited for it.
    pub(super) fn arrived(&mut self, waited: Duration, kernels: Option<Duration>) {
        self.seen.waited += waited;
        self.flights -= 1;
        if self.flights == 0 {
            self.seen.under_way += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        }
        if let Some(kernels) = kernels {
            *self.seen.kernels.get_or_insert_default() += kernels;
        }
    }

    /// What was seen until now.
    pub(super) fn timeline(&self) -> Timeline {
        let running = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        Timeline { under_way: self.seen.under_way + running, ..self.seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flights_that_overlap_count_once() {
        let mut watch = Watch::default();
        let began = Instant::now();
        let one = Traffic { submissions: 1, dispatches: 2, moves: 3, uploaded: 4, downloaded: 5 };
        watch.departed(one);
        watch.departed(one);
        std::thread::sleep(Duration::from_millis(20));
        watch.arrived(Duration::from_millis(7), Some(Duration::from_millis(2)));
        let between = watch.timeline();
        watch.arrived(Duration::from_millis(8), None);
        let seen = watch.timeline();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(watch.timeline(), seen, "nothing is under way");
        assert!(seen.under_way >= Duration::from_millis(20) && seen.under_way + Duration::from_millis(20) <= began.elapsed());
        assert_eq!((seen.traffic.moves, seen.waited, seen.kernels), (6, Duration::from_millis(15), Some(Duration::from_millis(2))));
        let later = seen - between;
        assert_eq!((later.traffic, later.waited, later.kernels), (Traffic::default(), Duration::from_millis(8), Some(Duration::ZERO)));
        let (host, device) = seen.shares(Duration::from_millis(30));
        assert!((host - 0.5).abs() < 1e-12 && (device - 2.0 / 30.0).abs() < 1e-12);
    }
}
