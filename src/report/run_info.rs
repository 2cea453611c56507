//! run-info.json: what may differ between identical results, such as the machine and how long it took.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::atomic;
use crate::engine::timeline::Timeline;
use crate::error::Result;

/// Facts of one run of the program.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// Name of the engine.
    pub engine: &'static str,
    /// Instruction set, or adapter and driver.
    pub device: String,
    /// Threads that worked.
    pub threads: usize,
    /// When it began.
    pub started: SystemTime,
    /// How long it took, data and files included.
    pub wall: Duration,
    /// How long sampling took.
    pub sampling: Duration,
    /// Where that time went, where a device took part.
    pub timeline: Option<Timeline>,
    /// Frames that got an answer in this run.
    pub frames: usize,
    /// Frames that failed in this run.
    pub failed: usize,
    /// Frames that were finished before.
    pub finished_before: usize,
    /// The largest error of the device's energies in nats, and the number of states it was probed on.
    pub probe: Option<(f64, usize)>,
    /// Why the device was given up.
    pub refusal: Option<String>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

impl RunInfo {
    /// Frames a minute while sampling; zero where nothing was sampled.
    pub fn frames_per_minute(&self) -> f64 {
        let minutes = self.sampling.as_secs_f64() / 60.0;
        if minutes > 0.0 { self.frames as f64 / minutes } else { 0.0 }
    }

    /// Writes the file.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let started = self.started.duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
        let traffic = self.timeline.map(|t| t.traffic);
        let shares = self.timeline.map(|t| t.shares(self.sampling));
        let share = |share: f64| (share * 1e3).round() / 1e3;
        let clock = |t: Timeline| if t.kernels.is_some() { "device" } else { "host" };
        let value = json!({
            "keisoku": env!("CARGO_PKG_VERSION"),
            "engine": self.engine,
            "device": self.device,
            "threads": self.threads,
            "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            "started_unix_s": (started * 1e3).round() / 1e3,
            "wall_s": seconds(self.wall),
            "sampling_s": seconds(self.sampling),
            "host_busy": shares.map(|s| share(s.0)),
            "device_busy": shares.map(|s| share(s.1)),
            "device_clock": self.timeline.map(clock),
            "submissions": traffic.map(|t| t.submissions),
            "bytes_uploaded": traffic.map(|t| t.uploaded),
            "bytes_downloaded": traffic.map(|t| t.downloaded),
            "frames": self.frames,
            "failed": self.failed,
            "finished_before": self.finished_before,
            "frames_per_minute": (self.frames_per_minute() * 1e3).round() / 1e3,
            "probe_nat": self.probe.map(|p| p.0),
            "probe_states": self.probe.map(|p| p.1),
            "device_refused": self.refusal,
            "interrupted": self.interrupted,
        });
        atomic::write(path, |out| writeln!(out, "{value:#}").map_err(|e| atomic::cannot_write(path, &e)))
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}
