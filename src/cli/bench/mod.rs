//! `keisoku bench`: how many energies a second each engine returns, what bounds it, and from where on a device pays.

mod population;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use self::population::Speed;
use super::output::say;
use crate::engine::ceiling::Ceilings;
use crate::engine::choice;
use crate::engine::gpu::Selection;
use crate::engine::{Engine, Numbers};
use crate::error::Result;
use crate::report::atomic;

/// Sizes of a population: every case has a linear background besides its peaks, Gaussian ones with an exponential a point and no support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    walkers: usize,
    points: usize,
    peaks: usize,
}

/// From small to full.
const CASES: [Case; 9] = [
    Case { walkers: 1_000, points: 100, peaks: 3 },
    Case { walkers: 1_000, points: 1_000, peaks: 3 },
    Case { walkers: 1_000, points: 10_000, peaks: 3 },
    Case { walkers: 10_000, points: 100, peaks: 3 },
    Case { walkers: 10_000, points: 301, peaks: 3 },
    Case { walkers: 10_000, points: 1_000, peaks: 3 },
    Case { walkers: 100_000, points: 100, peaks: 3 },
    Case { walkers: 100_000, points: 301, peaks: 3 },
    Case { walkers: 100_000, points: 1_000, peaks: 6 },
];

/// One engine's figures.
struct Measured {
    name: &'static str,
    device: String,
    numbers: Numbers,
    ceilings: Option<Ceilings>,
    cases: Vec<(Case, Speed)>,
}

/// Prints a table for each engine named (`oracle`, `cpu`, `gpu`), and writes the same as JSON where `out` says. A step is one move of one term
/// for every walker; cases that would take an engine more than `patience` a step, by the last case, are left out.
///
/// # Errors
/// Where an engine does not exist or fails, or the file cannot be written.
pub fn run(engines: &[String], selection: &Selection, patience: Duration, out: Option<&Path>) -> Result<()> {
    let mut all = Vec::new();
    for name in engines {
        let engine = choice::choose(name, false, selection, usize::MAX)?;
        all.push(measure(&*engine, patience)?);
    }
    for (case, factor) in crossover(&all) {
        say!("{} walkers, {} points, {} peaks: the gpu makes {factor:.2} times the cpu's steps", case.walkers, case.points, case.peaks);
    }
    out.map_or(Ok(()), |path| write(path, &all))
}

/// Measures and prints one engine.
fn measure(engine: &dyn Engine, patience: Duration) -> Result<Measured> {
    let ceilings = engine.ceilings()?;
    say!("{}: {}, {} threads", engine.name(), engine.describe(), rayon::current_num_threads());
    if let Some(Ceilings { exponentials, copied }) = ceilings {
        say!("at best {exponentials:.3e} exponentials/s, and {:.1} GB/s read and written in a copy", copied / 1e9);
    }
    say!(
        "{:>9}{:>8}{:>7}{:>11}{:>12}{:>15}{:>12}{:>8}{:>7}{:>8}{:>10}",
        "walkers",
        "points",
        "peaks",
        "ms/step",
        "energies/s",
        "point terms/s",
        "ms scratch",
        "of exp",
        "host",
        "device",
        "GB/s link"
    );
    let (mut cases, mut rate) = (Vec::new(), f64::INFINITY);
    for case in CASES {
        let Case { walkers, points, peaks } = case;
        if case.work() / rate > patience.as_secs_f64() {
            say!("{walkers:>9}{points:>8}{peaks:>7}  left out");
            continue;
        }
        let speed = population::measure(engine, case)?;
        rate = case.work() / speed.step.as_secs_f64();
        let dash = || "-".to_owned();
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let (host, device) = shares(&speed).map_or_else(|| (dash(), dash()), |(h, d)| (percent(h), percent(d)));
        say!(
            "{walkers:>9}{points:>8}{peaks:>7}{:>11.3}{:>12.3e}{rate:>15.3e}{:>12.3}{:>8}{host:>7}{device:>8}{:>10}",
            1e3 * speed.step.as_secs_f64(),
            walkers as f64 / speed.step.as_secs_f64(),
            1e3 * speed.scratch.as_secs_f64(),
            ceilings.map_or_else(dash, |c| percent(case.exponentials() / speed.scratch.as_secs_f64() / c.exponentials)),
            link(&speed).map_or_else(dash, |bytes| format!("{:.2}", bytes / 1e9)),
        );
        cases.push((case, speed));
    }
    Ok(Measured { name: engine.name(), device: engine.describe(), numbers: engine.numbers(), ceilings, cases })
}

impl Case {
    /// Points times terms of all walkers, the background counted.
    fn work(self) -> f64 {
        (self.walkers * self.points * (self.peaks + 1)) as f64
    }

    /// Exponentials of all energies from scratch.
    fn exponentials(self) -> f64 {
        (self.walkers * self.points * self.peaks) as f64
    }
}

/// Busy shares of host and device while stepping.
fn shares(speed: &Speed) -> Option<(f64, f64)> {
    speed.timeline.map(|t| t.shares(speed.step * speed.steps))
}

/// Bytes a second that pass between host and device, in both directions.
fn link(speed: &Speed) -> Option<f64> {
    let bytes = |t: crate::engine::timeline::Timeline| (t.traffic.uploaded + t.traffic.downloaded) as f64;
    speed.timeline.map(|t| bytes(t) / (speed.step * speed.steps).as_secs_f64())
}

/// How many times faster a device is than the cpu engine, case by case.
fn crossover(all: &[Measured]) -> Vec<(Case, f64)> {
    let device = all.iter().find(|m| m.numbers == Numbers::Device);
    let cpu = all.iter().find(|m| m.numbers == Numbers::F32);
    let (Some(device), Some(cpu)) = (device, cpu) else { return Vec::new() };
    let both = device.cases.iter().filter_map(|(case, speed)| {
        let (_, other) = cpu.cases.iter().find(|(known, _)| known == case)?;
        Some((*case, other.step.as_secs_f64() / speed.step.as_secs_f64()))
    });
    both.collect()
}

fn write(path: &Path, all: &[Measured]) -> Result<()> {
    let value = json!({
        "keisoku": env!("CARGO_PKG_VERSION"),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "threads": rayon::current_num_threads(),
        "engines": all.iter().map(engine_json).collect::<Vec<_>>(),
        "times_the_cpu": crossover(all).into_iter().map(|(case, factor)| json!({ "case": case_json(case), "factor": factor })).collect::<Vec<_>>(),
    });
    atomic::write(path, |out| writeln!(out, "{value:#}").map_err(|e| atomic::cannot_write(path, &e)))
}

fn case_json(case: Case) -> Value {
    json!({ "walkers": case.walkers, "points": case.points, "peaks": case.peaks })
}

fn engine_json(measured: &Measured) -> Value {
    let cases = measured.cases.iter().map(|(case, speed)| {
        let traffic = speed.timeline.map(|t| t.traffic);
        let a_step = |count: u64| count as f64 / f64::from(speed.steps);
        json!({
            "case": case_json(*case),
            "seconds_a_step": speed.step.as_secs_f64(),
            "seconds_from_scratch": speed.scratch.as_secs_f64(),
            "share_of_exponentials": measured.ceilings.map(|c| case.exponentials() / speed.scratch.as_secs_f64() / c.exponentials),
            "host_busy": shares(speed).map(|s| s.0),
            "device_busy": shares(speed).map(|s| s.1),
            "device_clock": speed.timeline.map(|t| if t.kernels.is_some() { "device" } else { "host" }),
            "submissions_a_step": traffic.map(|t| a_step(t.submissions)),
            "dispatches_a_step": traffic.map(|t| a_step(t.dispatches)),
            "bytes_uploaded_a_step": traffic.map(|t| a_step(t.uploaded)),
            "bytes_downloaded_a_step": traffic.map(|t| a_step(t.downloaded)),
        })
    });
    json!({
        "name": measured.name,
        "device": measured.device,
        "exponentials_a_second": measured.ceilings.map(|c| c.exponentials),
        "bytes_copied_a_second": measured.ceilings.map(|c| c.copied),
        "cases": cases.collect::<Vec<_>>(),
    })
}
