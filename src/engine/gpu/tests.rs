//! What only the inside can test: limits made small, a guard taken away, a device that dies.

use std::slice::from_ref;
use std::sync::OnceLock;

use super::*;
use crate::engine::oracle::Oracle;
use crate::engine::{Moves, SENTINEL};
use crate::models::{Setup, find};
use crate::problem::{Binding, Measurement, Noise, Problem, Term};
use crate::spec::Width;

fn open() -> Option<Gpu> {
    let selection = match std::env::var("KEISOKU_ADAPTER") {
        Ok(text) => text.parse().expect("infallible"),
        Err(_) => adapters().iter().min_by_key(|a| a.is_software()).map(|a| Selection::Index(a.index))?,
    };
    Some(Gpu::new(&selection).expect("the adapter opens"))
}

/// The device of this test binary, or none where there is no adapter and none is required.
pub(super) fn gpu() -> Option<&'static Gpu> {
    static GPU: OnceLock<Option<Gpu>> = OnceLock::new();
    let gpu = GPU.get_or_init(open).as_ref();
    if gpu.is_none() {
        assert!(std::env::var("KEISOKU_REQUIRE_GPU").as_deref() != Ok("1"), "no Vulkan adapter, and KEISOKU_REQUIRE_GPU=1");
        println!("skipped: no Vulkan adapter");
    }
    gpu
}

/// A device with other bounds than the shared one.
pub(super) fn bounded(change: impl FnOnce(&mut Bounds)) -> Option<Gpu> {
    gpu()?;
    let mut own = open()?;
    change(&mut own.bounds);
    Some(own)
}

/// Points on [−1, 1] around y = 0 with σ = 1/10, and terms of (model, size) whose parameters are all one.
pub(super) fn problem(points: usize, terms: &[(&str, usize)]) -> Problem {
    let t: Vec<f64> = (0..points).map(|i| if points > 1 { 2.0 * i as f64 / (points - 1) as f64 - 1.0 } else { 0.0 }).collect();
    let y = (0..points).map(|i| ((i * 37) % 101) as f64 / 505.0 - 0.1).collect();
    let data = Measurement {
        name: "m".into(),
        mid: 0.0,
        half: 1.0,
        scale: 1.0,
        x: t.clone(),
        t,
        y,
        weight: vec![10.0; points],
        exposure: Vec::new(),
        noise: Noise::Gaussian,
        constant: 0.0,
        floor: 0.0,
    };
    let mut problem = Problem {
        frame: "f".into(),
        window: "w".into(),
        candidate: "c".into(),
        k: None,
        measurements: vec![data],
        terms: Vec::new(),
        parameters: Vec::new(),
        dependents: Vec::new(),
    };
    for &(name, size) in terms {
        let model = find(name).expect("listed");
        let at = problem.coefficients();
        problem.terms.push(Term {
            model,
            size,
            measurement: 0,
            name: name.into(),
            copy: 0,
            of: 1,
            counted: false,
            setup: Setup::default(),
            bindings: vec![Binding { free: None, factor: 0.0, offset: 1.0, width: Width::Fwhm }; (model.parameters)(size).len()],
            at,
            extent: (model.extent)(size),
        });
    }
    problem
}

/// Coefficients that differ from walker to walker and stay of the order of one.
fn coefficients(problem: &Problem, walkers: usize) -> Vec<f64> {
    (0..walkers * problem.coefficients()).map(|i| 0.1 + ((i * 7919) % 1000) as f64 / 1000.0).collect()
}

/// Misfits of walkers from scratch, all in one tile.
fn misfits(engine: &dyn Engine, parts: &[(&Problem, usize)]) -> Result<Vec<f64>> {
    let mut roster = Roster::default();
    let mut all = Vec::new();
    for &(problem, walkers) in parts {
        roster.push(problem, walkers);
        all.extend(coefficients(problem, walkers));
    }
    let list: Vec<u32> = (0..roster.walkers() as u32).collect();
    let mut out = Vec::new();
    engine.tile(roster)?.load(&list, &all, &mut out)?;
    Ok(out)
}

fn agree(seen: &[f64], truth: &[f64]) -> bool {
    seen.len() == truth.len() && seen.iter().zip(truth).all(|(s, t)| (s - t).abs() <= 1e-5 * t.abs() + 1e-3)
}

#[test]
fn a_grid_keeps_to_its_dimensions() {
    for (groups, most) in [(1, 65_535), (65_535, 65_535), (65_536, 65_535), (1_000_000, 65_535), (8, 3), (0, 4)] {
        let [x, y] = block::grid(groups, most);
        assert!(x <= most && y <= most, "{groups}: {x} × {y}");
        assert!((x * y) as usize >= groups && (x * y) as usize <= groups + y as usize, "{groups}: {x} × {y}");
    }
}

/// One job more than a dimension holds: without a second dimension wgpu refuses the dispatch.
#[test]
fn more_workgroups_than_a_dimension_holds() {
    let Some(gpu) = gpu() else { return };
    let problem = problem(1025, &[("line", 0)]);
    let walkers = 65_535 + 10;
    let seen = misfits(gpu, &[(&problem, walkers)]).expect("a grid of two dimensions");
    let truth = misfits(&Oracle, &[(&problem, walkers)]).expect("the oracle does not fail");
    assert!(agree(&seen, &truth));
    let mutant = bounded(|b| b.workgroups = u32::MAX).expect("there is an adapter");
    assert!(misfits(&mutant, &[(&problem, walkers)]).is_err(), "a grid of one dimension is refused");
}

/// lavapipe stops an invocation silently after 65 535 iterations: 16 passes over four points with a polynomial of 1 200 coefficients are more.
#[test]
fn an_invocation_makes_no_more_iterations_than_lavapipe_runs() {
    let Some(gpu) = gpu() else { return };
    let problem = problem(4096, &[("chebyshev", 1200)]);
    let truth = misfits(&Oracle, &[(&problem, 2)]).expect("the oracle does not fail");
    let agree = |seen: &[f64]| seen.iter().zip(&truth).all(|(s, t)| (s - t).abs() <= 1e-3 * t.abs());
    let seen = misfits(gpu, &[(&problem, 2)]).expect("the guard cuts the points");
    assert!(agree(&seen), "{seen:?} is not {truth:?}");
    let mutant = bounded(|b| b.iterations = usize::MAX).expect("there is an adapter");
    let wrong = misfits(&mutant, &[(&problem, 2)]).expect("lavapipe reports nothing");
    let silent = !agree(&wrong);
    assert!(silent || !gpu.adapter().name.contains("llvmpipe"), "without the guard lavapipe was seen to be wrong; now {wrong:?}");
}

#[test]
fn a_model_too_long_for_one_pass_is_refused() {
    let Some(gpu) = gpu() else { return };
    let error = misfits(gpu, &[(&problem(10, &[("chebyshev", 20_000)]), 1)]).expect_err("80 000 iterations for four points");
    assert!(error.to_string().contains("--engine cpu"), "{error}");
}

#[test]
fn a_tile_beyond_a_buffer_is_cut_into_blocks() {
    let Some(gpu) = gpu() else { return };
    let (one, other) = (problem(100, &[("gaussian", 0), ("line", 0)]), problem(70, &[("gaussian", 0), ("line", 0)]));
    let parts: Vec<_> = (0..20).map(|i| (if i % 2 == 0 { &one } else { &other }, 10)).collect();
    let whole = misfits(gpu, &parts).expect("fits");
    let small = bounded(|b| b.buffer = 4096).expect("there is an adapter");
    let mut roster = Roster::default();
    parts.iter().for_each(|(p, n)| roster.push(p, *n));
    let blocks = plan::blocks(&roster, None, small.bounds).expect("each ladder fits");
    assert!(blocks.len() > 3, "{} blocks", blocks.len());
    assert_eq!(misfits(&small, &parts).expect("fits"), whole);
    let tiny = bounded(|b| b.buffer = 512).expect("there is an adapter");
    assert!(misfits(&tiny, &parts).expect_err("no ladder fits").to_string().contains("--engine cpu"));
}

#[test]
fn a_buffer_that_wgpu_refuses_is_an_error_and_the_device_lives_on() {
    let Some(own) = bounded(|b| b.buffer = u64::MAX) else { return };
    let large = problem(10_000_000, &[("line", 0)]);
    let error = misfits(&own, &[(&large, 1)]).expect_err("160 MB are more than a binding may have");
    assert!(error.to_string().contains("making the buffers"), "{error}");
    let small = problem(10, &[("line", 0)]);
    assert!(misfits(&own, &[(&small, 1)]).is_ok());
}

/// Bits of a walker's misfit depend on its problem and coefficients alone.
#[test]
fn company_changes_nothing() {
    let Some(gpu) = gpu() else { return };
    let (one, other) = (problem(1000, &[("gaussian", 0), ("line", 0)]), problem(50, &[("lorentzian", 0)]));
    let alone = misfits(gpu, &[(&one, 7)]).expect("runs");
    let among = misfits(gpu, &[(&other, 3), (&one, 7), (&other, 5)]).expect("runs");
    assert_eq!(alone, among[3..10]);
}

#[test]
fn what_is_not_finite_is_the_sentinel() {
    let Some(gpu) = gpu() else { return };
    let problem = problem(100, &[("gaussian", 0), ("line", 0)]);
    let mut roster = Roster::default();
    roster.push(&problem, 4);
    let mut tile = gpu.tile(roster).expect("fits");
    let mut bad = coefficients(&problem, 4);
    bad[0] = f64::NAN;
    bad[5] = f64::INFINITY;
    bad[13] = 1e300;
    let mut seen = Vec::new();
    tile.load(&[0, 1, 2, 3], &bad, &mut seen).expect("runs");
    assert_eq!((seen[0], seen[1]), (SENTINEL, SENTINEL));
    assert!(seen[2] > 1e20 && seen[3] < 1e6, "{seen:?}");
}

#[test]
fn a_lost_device_is_an_error() {
    let Some(own) = bounded(|_| ()) else { return };
    let problem = problem(100, &[("line", 0)]);
    let mut roster = Roster::default();
    roster.push(&problem, 2);
    let mut tile = own.tile(roster.clone()).expect("fits");
    let (all, mut out) = (coefficients(&problem, 2), Vec::new());
    tile.load(&[0, 1], &all, &mut out).expect("runs");
    let mut moves = Moves::default();
    moves.clear();
    tile.submit(from_ref(&moves)).expect("nothing to do");
    own.device.raw.destroy();
    let first = tile.load(&[0, 1], &all, &mut out).expect_err("the device is gone");
    let later = tile.attempt(from_ref(&moves), &mut out).expect_err("the device is gone");
    let new = own.tile(roster).map(|_| ()).expect_err("the device is gone");
    for error in [first, later, new] {
        assert!(error.to_string().contains("--engine cpu"), "{error}");
        // Another engine can do what was under way.
        assert_eq!(error.severity, crate::error::Severity::Device);
    }
}
