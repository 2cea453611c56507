//! The gpu engine against the oracle, on whatever adapter there is.

use std::slice::from_ref;
use std::sync::OnceLock;
use std::time::Duration;

use keisoku::cli::{bench, doctor};
use keisoku::engine::gpu::path::Path;
use keisoku::engine::gpu::{Gpu, Selection, accuracy::FUNCTIONS, adapters};
use keisoku::engine::oracle::Oracle;
use keisoku::engine::probe::probe;
use keisoku::engine::{Engine, Moves, Roster};
use keisoku::models::find;
use keisoku::problem::Problem;
use rand::RngExt;

use crate::equivalence::{Tolerance, hold, judge_rivals, reject};
use crate::fixtures::{self, Kind, coefficients, draw, push_move};

/// f32: a curve is wrong by 1e-7 of its largest value (100 σ), by 3e-8 of the window in t (times its slope), by a coefficient's rounding;
/// WGSL's division adds 2.5 ulp.
const GPU: Tolerance = Tolerance { of: "gpu", worst: 1e-2, typical: 1e-3 };

/// The adapter under test: KEISOKU_ADAPTER, else a real GPU, else software.
pub fn selection() -> Option<Selection> {
    match std::env::var("KEISOKU_ADAPTER") {
        Ok(text) => Some(text.parse().expect("infallible")),
        Err(_) => adapters().iter().min_by_key(|a| a.is_software()).map(|a| Selection::Index(a.index)),
    }
}

/// The device of this test binary, or none where there is no adapter and none is required.
pub fn gpu() -> Option<&'static Gpu> {
    static GPU: OnceLock<Option<Gpu>> = OnceLock::new();
    let gpu = GPU.get_or_init(|| selection().map(|s| Gpu::new(&s).expect("the adapter opens"))).as_ref();
    if gpu.is_none() {
        assert!(std::env::var("KEISOKU_REQUIRE_GPU").as_deref() != Ok("1"), "no Vulkan adapter, and KEISOKU_REQUIRE_GPU=1");
        println!("skipped: no Vulkan adapter");
    }
    gpu
}

/// The same device, keeping totals whatever that costs.
pub fn keeping() -> Option<&'static Gpu> {
    static GPU: OnceLock<Option<Gpu>> = OnceLock::new();
    gpu()?;
    GPU.get_or_init(|| selection().map(|s| Gpu::new(&s).expect("the adapter opens").on(Path::Kept))).as_ref()
}

#[test]
fn the_gpu_agrees_with_the_oracle() {
    let Some(gpu) = gpu() else { return };
    hold(gpu, &GPU, |_| ());
}

#[test]
fn rivals_on_the_gpu_are_judged_as_if_each_were_alone() {
    let Some(gpu) = gpu() else { return };
    judge_rivals(gpu);
}

#[test]
fn the_gpu_agrees_where_totals_are_kept() {
    let Some(gpu) = keeping() else { return };
    hold(gpu, &GPU, |_| ());
}

#[test]
fn rivals_are_judged_from_totals_as_if_each_were_alone() {
    let Some(gpu) = keeping() else { return };
    judge_rivals(gpu);
}

#[test]
fn a_broken_gpu_is_rejected() {
    let Some(gpu) = gpu() else { return };
    reject(gpu, &GPU);
}

/// The functions of math.wgsl keep their bounds on the adapter.
#[test]
fn elementary_functions_keep_their_bounds() {
    let Some(gpu) = gpu() else { return };
    let errors = gpu.accuracy().expect("the device does not fail");
    for (function, error) in FUNCTIONS.iter().zip(errors) {
        println!("{:<18}{:<22}{error:>6.2} ulp", function.name, function.range);
        assert!(error <= function.bound, "{} is wrong by {error} ulp in {}", function.name, function.range);
    }
}

/// Ladders of several problems, of different lengths, noise and numbers of measurements, in one tile of 2 000 walkers.
fn population() -> Vec<Problem> {
    let [background, gaussian, voigt] = ["chebyshev", "gaussian", "pseudo-voigt"].map(|name| find(name).expect("listed"));
    let few = [(background, 1, 1), (gaussian, 0, 1)];
    let many = [(background, 2, 1), (voigt, 0, 4)];
    let (good, counts) = (Kind::Gaussian { signal: 50.0 }, Kind::Poisson { counts: 300.0 });
    vec![
        fixtures::fixture(301, good, &many, 1).problem,
        fixtures::fixture(60, counts, &few, 2).problem,
        fixtures::fixture(5000, good, &few, 3).problem,
        fixtures::joint(&[(100, good, &few), (20, counts, &few)], 4).problem,
        fixtures::fixture(301, good, &few, 5).problem,
        fixtures::fixture(1, good, &few, 6).problem,
    ]
}

/// Two tiles in turn, one submitted while the other is collected, over random subsets of walkers: what a sampler does.
#[test]
fn a_population_goes_the_same_way_as_the_oracle() {
    let Some(gpu) = gpu() else { return };
    go_the_same_way(gpu);
}

#[test]
fn a_population_goes_the_same_way_where_totals_are_kept() {
    let Some(gpu) = keeping() else { return };
    go_the_same_way(gpu);
}

fn go_the_same_way(gpu: &Gpu) {
    let problems = population();
    let mut rng = fixtures::random(11);
    let ladders: Vec<&Problem> = (0..100).map(|l| &problems[l % problems.len()]).collect();
    let mut roster = Roster::default();
    ladders.iter().for_each(|problem| roster.push(problem, 10));
    let walkers: Vec<u32> = (0..roster.walkers() as u32).collect();
    let mut start = Vec::new();
    for &w in &walkers {
        let problem = ladders[w as usize / 10];
        start.extend(coefficients(problem, &draw(problem, false, &mut rng)).expect("admissible"));
    }
    let mut tiles = [gpu.tile(roster.clone()).expect("fits"), gpu.tile(roster.clone()).expect("fits")];
    let mut truth = Oracle.tile(roster).expect("the oracle does not fail");
    let (mut seen, mut expected) = (Vec::new(), Vec::new());
    for tile in &mut tiles {
        tile.load(&walkers, &start, &mut seen).expect("loads");
    }
    truth.load(&walkers, &start, &mut expected).expect("the oracle does not fail");
    close(&seen, &expected);
    for step in 0..6 {
        let mut moves = Moves::default();
        moves.clear();
        for &w in &walkers {
            // At times only ladders of one problem move, so that some blocks of the tile rest with choices still to be settled.
            let ladder = w as usize / 10;
            if rng.random::<f64>() < 0.3 || (step % 2 == 1 && ladder % problems.len() != step) {
                continue;
            }
            let problem = ladders[ladder];
            let terms: Vec<usize> = (0..problem.terms.len()).filter(|_| rng.random::<f64>() < 0.4).collect();
            let fresh = coefficients(problem, &draw(problem, false, &mut rng)).expect("admissible");
            push_move(&mut moves, problem, w as usize, &terms, &fresh);
        }
        let choices: Vec<bool> = (0..moves.len()).map(|_| rng.random()).collect();
        truth.attempt(from_ref(&moves), &mut expected).expect("the oracle does not fail");
        truth.settle(&choices).expect("the oracle does not fail");
        for tile in &mut tiles {
            tile.submit(from_ref(&moves)).expect("submits");
        }
        for tile in &mut tiles {
            tile.collect(from_ref(&moves), &mut seen).expect("collects");
            close(&seen, &expected);
            tile.settle(&choices).expect("settles");
        }
    }
}

/// Tiles of several threads share one device: a callback that another thread's poll took along has run when it is needed.
#[test]
fn threads_share_a_device() {
    let Some(gpu) = gpu() else { return };
    let problem = &population()[1];
    let mut rng = fixtures::random(12);
    let start = coefficients(problem, &draw(problem, false, &mut rng)).expect("admissible");
    let carry = || {
        let mut roster = Roster::default();
        roster.push(problem, 1);
        let mut tile = gpu.tile(roster).expect("fits");
        let mut misfits = Vec::new();
        (0..1000).for_each(|_| tile.load(&[0], &start, &mut misfits).expect("loads"));
    };
    std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(carry))));
}

/// Within 1e-5 of the oracle's misfit: coarser than what [`hold`] holds, and four orders finer than one wrong term.
fn close(seen: &[f64], expected: &[f64]) {
    assert_eq!(seen.len(), expected.len());
    for (i, (s, e)) in seen.iter().zip(expected).enumerate() {
        assert!((s - e).abs() <= 1e-5 * e + 2e-2, "misfit {i}: {s} is not {e}");
    }
}

/// A run of the doctor on the adapter finds nothing beyond the budget, and the bench prints a table.
#[test]
fn doctor_and_bench_run() {
    let (Some(_), Some(selection)) = (gpu(), selection()) else { return };
    doctor::run(Some(&selection)).expect("the doctor is content");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bench.json");
    bench::run(&["gpu".into(), "cpu".into(), "oracle".into()], &selection, Duration::from_millis(20), Some(&out)).expect("runs");
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let engines = told["engines"].as_array().unwrap();
    assert_eq!(engines.len(), 3);
    for (engine, name) in engines.iter().zip(["gpu", "cpu", "oracle"]) {
        assert_eq!(engine["name"], name);
        assert!(!engine["cases"].as_array().unwrap().is_empty(), "{engine}");
        assert_eq!(engine["exponentials_a_second"].is_number(), name != "oracle");
    }
    let gpu = &engines[0]["cases"][0];
    for share in ["host_busy", "device_busy"] {
        assert!((0.0..=1.0).contains(&gpu[share].as_f64().unwrap()), "{gpu}");
    }
    // One move a walker: two tiles in one submission each, 4 bytes back.
    assert_eq!((gpu["submissions_a_step"].as_f64(), gpu["bytes_downloaded_a_step"].as_f64()), (Some(2.0), Some(4000.0)), "{gpu}");
    assert!(!told["times_the_cpu"].as_array().unwrap().is_empty());
    assert!(bench::run(&["abacus".into()], &selection, Duration::ZERO, None).is_err());
}

/// An adapter that is not there is an error that lists those that are.
#[test]
fn an_adapter_that_is_not_there_is_refused() {
    let error = Gpu::new(&Selection::Named("voodoo".into())).expect_err("out of business").to_string();
    assert!(error.contains("voodoo") && error.contains("--engine cpu"), "{error}");
    assert!(adapters().iter().all(|a| error.contains(&a.name)), "{error}");
    assert_eq!("3".parse(), Ok(Selection::Index(3)));
    assert_eq!("best".parse(), Ok(Selection::Best));
}

/// A software adapter is never the best one.
#[test]
fn software_is_used_only_when_named() {
    if adapters().iter().all(keisoku::engine::gpu::AdapterInfo::is_software) {
        assert!(Gpu::new(&Selection::Best).is_err());
    } else {
        assert!(!Gpu::new(&Selection::Best).expect("opens").adapter().is_software());
    }
}

/// f32 keeps energies of 50 000 nats to the budget: the points are cut into parts, whose sums are added in f64.
#[test]
fn a_hundred_thousand_points_keep_the_budget() {
    let Some(gpu) = gpu() else { return };
    let [background, gaussian] = ["chebyshev", "gaussian"].map(|name| find(name).expect("listed"));
    let long = fixtures::fixture(100_000, Kind::Gaussian { signal: 20.0 }, &[(background, 1, 1), (gaussian, 0, 1)], 21);
    let mut rng = fixtures::random(22);
    let states: Vec<f64> =
        (0..6).flat_map(|_| coefficients(&long.problem, &fixtures::near(&long, &mut rng)).expect("admissible")).collect();
    let differences = probe(gpu, &long.problem, &states).expect("runs");
    println!("largest of {differences:?} nat");
    assert!(differences.iter().all(|d| *d <= GPU.worst), "{differences:?}");
}
