//! How fast the cpu engine evaluates, against plain loops and against the machine's own rate of exponentials.
//!
//! `cargo bench --bench throughput` prints nanoseconds a point·term and a move, for Gaussian peaks with supports as wide as the window
//! (long) and of a tenth of it (short), and the share of the exponential ceiling: a loop of nothing but `exp` on lanes in the level 1 cache.

use std::hint::black_box;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use fearless_simd::Level;
use keisoku::engine::cpu::{Cpu, Precision, ceiling};
use keisoku::engine::oracle::Oracle;
use keisoku::engine::{Engine, Moves, Roster};
use keisoku::models::{Setup, find, level};
use keisoku::problem::{Measurement, Noise, Problem, Term};

/// Walkers of a ladder, and Gaussian peaks of a walker.
const WALKERS: usize = 14;
const PEAKS: usize = 3;

fn main() {
    println!("{:>6} {:>22} {:>24} {:>14} {:>9} {:>8} {:>7}", "points", "engine", "what", "ns/point/term", "ns/move", "exp ns", "of exp");
    for points in [301, 2000, 10_000] {
        plain(points);
        for (what, fwhm) in [("long", 1.0), ("short", 0.02)] {
            for noise in [Noise::Gaussian, Noise::Poisson] {
                let problem = problem(points, noise);
                let what = format!("{what} {noise:?}");
                for precision in [Precision::F32, Precision::F64] {
                    let Ok(engine) = Cpu::new(precision) else { continue };
                    report(&engine, &engine.describe(), &what, &problem, fwhm);
                }
                if points == 301 {
                    report(&Oracle, "oracle", &what, &problem, fwhm);
                }
            }
        }
    }
}

/// Nanoseconds of one call, from the fastest of several batches.
fn time(mut call: impl FnMut()) -> f64 {
    let mut calls = 1u32;
    let batch = |calls: u32, call: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed()
    };
    while batch(calls, &mut call) < Duration::from_micros(300) {
        calls *= 2;
    }
    (0..400).map(|_| batch(calls, &mut call)).min().map_or(f64::NAN, |t| t.as_secs_f64() * 1e9 / f64::from(calls))
}

/// Nanoseconds an exponential on lanes takes.
fn exponentials() -> f64 {
    ceiling::exponential(level::chosen().unwrap_or_else(|_| Level::new()))
}

/// The same curve and misfit as plain Rust loops, without supports.
fn plain(points: usize) {
    let problem = problem(points, Noise::Gaussian);
    let (ceiling, data) = (exponentials(), &problem.measurements[0]);
    let c = [0.5, 0.1, 2.7];
    let f64s = time(|| {
        let mut sum = 0.0;
        for (t, (y, w)) in data.t.iter().zip(data.y.iter().zip(&data.weight)) {
            let mut r = *y;
            for _ in 0..PEAKS {
                let c = black_box(c);
                r -= c[0] * (-(c[2] * (t - c[1]) * (t - c[1]))).exp();
            }
            sum += (r * w) * (r * w);
        }
        black_box(sum);
    });
    let single = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<f32>>();
    let (t, y, w, c) = (single(&data.t), single(&data.y), single(&data.weight), [0.5_f32, 0.1, 2.7]);
    let f32s = time(|| {
        let mut sum = 0.0;
        for (t, (y, w)) in t.iter().zip(y.iter().zip(&w)) {
            let mut r = *y;
            for _ in 0..PEAKS {
                let c = black_box(c);
                r -= c[0] * (-(c[2] * (t - c[1]) * (t - c[1]))).exp();
            }
            sum += (r * w) * (r * w);
        }
        black_box(sum);
    });
    for (name, ns) in [("plain f64 loop", f64s), ("plain f32 loop", f32s)] {
        let each = ns / (points * PEAKS) as f64;
        println!("{points:>6} {name:>22} {:>24} {each:>14.3} {:>9} {ceiling:>8.3} {:>6.0}%", "from scratch", "", 100.0 * ceiling / each);
    }
}

/// Times one engine: from scratch, and moves of one peak, four attempts a visit, one of them kept.
fn report(engine: &dyn Engine, name: &str, what: &str, problem: &Problem, fwhm: f64) {
    // Measured again for every row: a shared machine changes its speed.
    let (ceiling, points) = (exponentials(), problem.points());
    let mut roster = Roster::default();
    roster.push(problem, WALKERS);
    let Ok(mut tile) = engine.tile(roster) else { return };
    let walkers: Vec<u32> = (0..WALKERS as u32).collect();
    let all: Vec<f64> = walkers.iter().flat_map(|w| coefficients(problem, fwhm, f64::from(*w))).collect();
    let mut misfits = Vec::new();
    let scratch = time(|| drop(tile.load(&walkers, &all, &mut misfits))) / (WALKERS * points * PEAKS) as f64;
    let mut step = 0usize;
    let visits: Vec<Moves> = (0..16 * PEAKS).map(|i| moves(problem, fwhm, i / 4 % PEAKS, i)).collect();
    let choices: [[bool; WALKERS]; 4] = [[false; WALKERS], [false; WALKERS], [true; WALKERS], [false; WALKERS]];
    let moved = time(|| {
        let moves = &visits[step % visits.len()];
        drop(tile.attempt(from_ref(moves), &mut misfits));
        drop(tile.settle(&choices[step % 4]));
        step += 1;
    }) / WALKERS as f64;
    println!(
        "{points:>6} {name:>22} {:>24} {scratch:>14.3} {:>9} {ceiling:>8.3} {:>6.0}%",
        format!("{what}, scratch"),
        "",
        100.0 * ceiling / scratch
    );
    let each = moved / points as f64;
    println!(
        "{points:>6} {name:>22} {:>24} {each:>14.3} {moved:>9.0} {ceiling:>8.3} {:>6.0}%",
        format!("{what}, moved"),
        100.0 * ceiling / each
    );
}

fn coefficients(problem: &Problem, fwhm: f64, jitter: f64) -> Vec<f64> {
    let mut all = vec![0.0; problem.coefficients()];
    for (k, c) in all.chunks_exact_mut(3).enumerate() {
        let theta = [0.5, 0.4 * k as f64 - 0.4 + 1e-3 * jitter, fwhm];
        // A Gaussian refuses no positive width.
        let _ = (problem.terms[k].model.prepare)(&theta, &problem.terms[k].setup, c);
    }
    all
}

fn moves(problem: &Problem, fwhm: f64, term: usize, step: usize) -> Moves {
    let mut moves = Moves::default();
    moves.clear();
    for walker in 0..WALKERS as u32 {
        moves.walker.push(walker);
        moves.term.push(term as u32);
        moves.coefficients.extend_from_slice(&coefficients(problem, fwhm, f64::from(walker) + step as f64)[3 * term..3 * term + 3]);
        moves.term_start.push(moves.term.len() as u32);
        moves.coefficient_start.push(moves.coefficients.len() as u32);
    }
    moves
}

fn problem(points: usize, noise: Noise) -> Problem {
    let Some(model) = find("gaussian") else { unreachable!("the first model of the list") };
    let t: Vec<f64> = (0..points).map(|i| 2.0 * i as f64 / (points - 1) as f64 - 1.0).collect();
    let setup = Setup { height: true, ..Setup::default() };
    let poisson = noise == Noise::Poisson;
    let term = |k: usize| Term {
        model,
        size: 0,
        measurement: 0,
        name: "gaussian".into(),
        copy: k,
        of: PEAKS,
        counted: true,
        setup: setup.clone(),
        bindings: vec![],
        at: 3 * k,
        extent: (model.extent)(0),
    };
    let measurement = Measurement {
        name: "bench".into(),
        mid: 0.0,
        half: 1.0,
        scale: 1.0,
        x: t.clone(),
        y: t.iter().map(|t| (1.0 + t * t).round()).collect(),
        weight: if poisson { vec![] } else { vec![20.0; points] },
        exposure: vec![],
        noise,
        constant: 0.0,
        floor: 5e-6,
        t,
    };
    Problem {
        frame: "bench".into(),
        window: "bench".into(),
        candidate: "bench".into(),
        k: Some(PEAKS),
        measurements: vec![measurement],
        terms: (0..PEAKS).map(term).collect(),
        parameters: vec![],
        dependents: vec![],
    }
}
