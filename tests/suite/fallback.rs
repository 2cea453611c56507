//! Where the chosen engine is not good enough: frames that need f64, a device that its probe refuses, a device that is lost.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use keisoku::batch::{self, Account, Outcome, Settings};
use keisoku::dataset::{self, Dataset, Entry};
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::engine::{Engine, Moves, Numbers, Roster, Tile, Tiling};
use keisoku::error::{Error, Result};
use keisoku::posterior::FrameResult;
use keisoku::spec::Spec;
use tempfile::TempDir;

use crate::equivalence_gpu::gpu;

/// Points of a frame.
const POINTS: usize = 40;

/// Frames of one peak on a flat background, each with its own unit of y, in which σ is half of one.
fn series(units: &[(f64, f64)]) -> (TempDir, Spec, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    let most = units.iter().fold(0.0f64, |m, u| m.max(u.0));
    for (number, (unit, sigma)) in units.iter().enumerate() {
        let mut state = number as u64 + 1;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut text = String::new();
        for i in 0..POINTS {
            let x = 0.075 * i as f64;
            let noise = sigma * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0);
            let y = 3.0 + 8.0 * (-0.5 * ((x - 1.2) / 0.15).powi(2)).exp() + noise;
            writeln!(text, "{x:e} {:e} {:e}", y * unit, sigma * unit).unwrap();
        }
        std::fs::write(folder.path().join(format!("f{number}.xye")), text).unwrap();
    }
    let spec = format!(
        r#"
        title = "units"
        [data]
        folder = "."
        files = "*.xye"
        columns = "x y sigma"
        [noise]
        sigma = "column"
        [[window]]
        name = "line"
        range = [0, 3]
        [[window.term]]
        model = "chebyshev"
        degree = 0
        level0 = {{ prior = "uniform", low = 0, high = {0:e} }}
        [[window.term]]
        model = "gaussian"
        count = "0..1"
        area = {{ prior = "uniform", low = 0, high = {0:e} }}
        center = {{ prior = "uniform", low = 0, high = 3 }}
        fwhm = {{ prior = "log-uniform", low = 0.15, high = 1.5 }}
        [run]
        copies = 4
        max_sweeps = 1000
        targets = {{ ess = 50, free_energy_se = 1, round_trips = 1 }}
        "#,
        10.0 * most
    );
    let path = folder.path().join("spec.toml");
    std::fs::write(&path, spec).unwrap();
    let raw = Spec::read(&path).unwrap();
    let dataset = Dataset::open(&raw.data().unwrap()).unwrap();
    let spec = raw.resolve(&|raw| dataset::facts(raw)).unwrap().check().unwrap();
    (folder, spec, dataset)
}

/// The answers in order, and what became of the engine.
fn answers(engine: &dyn Engine, (_, spec, dataset): &(TempDir, Spec, Dataset)) -> (Vec<FrameResult>, Account) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let stop = AtomicBool::new(false);
    let entries: Vec<&Entry> = dataset.entries.iter().collect();
    let results = Mutex::new(Vec::new());
    let settings = Settings { pool: &pool, deadline: None, stop: &stop, plan: None, draws: false };
    let sink = |outcome: Outcome, _: &[keisoku::posterior::Draws]| match outcome {
        Outcome::Done(result) => {
            results.lock().unwrap().push(*result);
            Ok(())
        }
        Outcome::Failed(failure) => panic!("{}", failure.message),
    };
    let account = batch::run(engine, spec, dataset, &entries, &settings, &sink).unwrap();
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|r| r.frame);
    (results, account)
}

fn cpu(precision: Precision) -> Cpu {
    Cpu::new(precision).unwrap()
}

/// What is wrong with a device.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    /// Nothing that counts: misfits are off by a part in a million.
    Nothing,
    /// Misfits of whole walkers are off by a hundredth, from this load on.
    Loads(usize),
    /// Those of moves are.
    Moves,
    /// All walkers are inadmissible to it.
    Sentinel,
    /// It is gone after so many attempts.
    Lost(usize),
}

/// The cpu in the guise of a device.
struct Device {
    cpu: Cpu,
    trouble: Trouble,
    loads: AtomicUsize,
    attempts: AtomicUsize,
}

impl Device {
    fn with(trouble: Trouble) -> Self {
        Self { cpu: cpu(Precision::F32), trouble, loads: AtomicUsize::new(0), attempts: AtomicUsize::new(0) }
    }
}

struct DeviceTile<'p> {
    device: &'p Device,
    tile: Box<dyn Tile + 'p>,
}

impl Engine for Device {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn describe(&self) -> String {
        format!("a device with {:?}", self.trouble)
    }

    fn numbers(&self) -> Numbers {
        Numbers::Device
    }

    fn tiling(&self) -> Tiling {
        Tiling::Halves
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        Ok(Box::new(DeviceTile { device: self, tile: self.cpu.tile(roster)? }))
    }
}

impl Tile for DeviceTile<'_> {
    fn load(&mut self, walkers: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        self.tile.load(walkers, coefficients, misfits)?;
        let loads = self.device.loads.fetch_add(1, Ordering::Relaxed);
        for m in misfits {
            *m = match self.device.trouble {
                Trouble::Loads(from) if loads >= from => *m * 1.01,
                Trouble::Sentinel => keisoku::engine::SENTINEL,
                _ => *m * (1.0 + 1e-6),
            };
        }
        Ok(())
    }

    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        let attempts = self.device.attempts.fetch_add(1, Ordering::Relaxed);
        if matches!(self.device.trouble, Trouble::Lost(after) if attempts >= after) {
            return Err(Error::device("device lost").hint("use --engine cpu"));
        }
        self.tile.attempt(moves, misfits)?;
        let factor = if self.device.trouble == Trouble::Moves { 1.01 } else { 1.0 + 1e-6 };
        misfits.iter_mut().for_each(|m| *m *= factor);
        Ok(())
    }

    fn settle(&mut self, choices: &[bool]) -> Result<()> {
        self.tile.settle(choices)
    }
}

/// σ of a 64th to an ulp of the largest value: f32 is enough for the first, and for no candidate of the second.
const USUAL: (f64, f64) = (1.0, 0.5);
const EXACTING: (f64, f64) = (1.0, 1e-6);

#[test]
fn a_frame_that_f32_cannot_hold_runs_in_f64_and_says_so() {
    let series = series(&[USUAL, EXACTING, USUAL]);
    let (f32, _) = answers(&cpu(Precision::F32), &series);
    let (f64, _) = answers(&cpu(Precision::F64), &series);
    let words = |all: &[FrameResult]| all.iter().map(|r| format!("{} {}", r.engine, r.precision)).collect::<Vec<_>>();
    assert_eq!(words(&f32), ["cpu f32", "cpu f64", "cpu f32"]);
    assert_eq!(words(&f64), ["cpu f64"; 3]);
    assert_eq!(f32[1], f64[1]);
    assert_ne!(f32[0].windows, f64[0].windows, "both precisions give the same bits: nothing was compared");
    let (device, account) = answers(&Device::with(Trouble::Nothing), &series);
    assert_eq!(words(&device), ["gpu f32", "cpu f64", "gpu f32"]);
    assert_eq!(device[1], f64[1]);
    assert!(account.refusal().is_none());
}

#[test]
fn a_good_device_is_probed_twice_and_kept() {
    let series = series(&[USUAL, USUAL]);
    let (results, account) = answers(&Device::with(Trouble::Nothing), &series);
    assert!(results.iter().all(|r| r.engine == "gpu" && r.precision == "f32"));
    let found = account.probe().expect("probed");
    // 4 copies of 2 candidates of 2 frames have one state of β = 1 each; the first states are as many as the probe takes of two tiles.
    println!("{found:?}");
    assert!(found.states > 16 && found.largest > 0.0 && found.largest < 1e-3, "{found:?}");
    assert!(account.refusal().is_none());
}

/// Whatever is wrong with the device, the answers are those of the cpu from the start.
#[test]
fn a_device_that_is_wrong_or_lost_costs_nothing_but_time() {
    let series = series(&[USUAL, USUAL]);
    let (expected, none) = answers(&cpu(Precision::F32), &series);
    assert!(none.probe().is_none() && none.refusal().is_none());
    // Two tiles are loaded five times at least while it adapts.
    for (trouble, word) in [
        (Trouble::Loads(0), "on its first states"),
        (Trouble::Loads(10), "on states of β = 1"),
        (Trouble::Moves, "on its first states"),
        (Trouble::Sentinel, "on its first states"),
        (Trouble::Lost(0), "device lost"),
        (Trouble::Lost(200), "device lost"),
    ] {
        let (results, account) = answers(&Device::with(trouble), &series);
        assert_eq!(results, expected, "{trouble:?}");
        let error = account.refusal().expect("given up").to_string();
        println!("{error}");
        assert!(error.contains(word) && error.contains("--engine cpu"), "{trouble:?}: {error}");
    }
}

/// Units far beyond f32: a power of two changes no bit of what an engine sees, and F by N of its logarithms.
#[test]
fn units_beyond_f32_change_nothing() {
    let unit = 2f64.powi(146);
    assert!(unit > 8e43 && (unit as f32).is_infinite());
    let cpu = cpu(Precision::F32);
    for engine in [Some(&cpu as &dyn Engine), gpu().map(|gpu| gpu as &dyn Engine)].into_iter().flatten() {
        let [(small, _), (large, account)] = [1.0, unit].map(|u| answers(engine, &series(&[(u, 0.5)])));
        println!("{}: {:?}", engine.describe(), account.probe());
        assert_eq!((&small[0].engine, &small[0].precision), (&large[0].engine, &large[0].precision));
        assert_eq!(small[0].precision, "f32");
        for (a, b) in small[0].windows[0].candidates.iter().zip(&large[0].windows[0].candidates) {
            let apart = b.free_energy - a.free_energy - POINTS as f64 * unit.ln();
            assert!(apart.abs() < 1e-6, "{}: {apart} nat apart", a.candidate);
            assert!((a.probability - b.probability).abs() < 1e-9);
        }
    }
}
