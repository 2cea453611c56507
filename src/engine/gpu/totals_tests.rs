//! Totals that stay on the device: against the oracle after many moves, with kernels made wrong, and when they are kept at all.

use std::f64::consts::PI;
use std::slice::from_ref;

use super::path::{self, Costs, Path};
use super::tests::{bounded, problem};
use super::tile::GpuTile;
use super::totals::{ROUNDINGS, Totals};
use super::*;
use crate::engine::budget::BUDGET;
use crate::engine::oracle::{self, Oracle};
use crate::engine::{Moves, SENTINEL};
use crate::problem::{Measurement, Noise, Problem};

/// What a test makes of a kernel's source.
type Edit = fn(String) -> String;

/// A device that keeps totals, with kernels as a test wants them.
fn keeping(edit: Option<Edit>) -> Option<Gpu> {
    let mut own = bounded(|_| ())?.on(Path::Kept);
    own.programs.edit = edit;
    Some(own)
}

/// A number in [0, 1) for each pair of numbers.
fn hash(a: usize, b: usize) -> f64 {
    let x = (a as f64 * 12.9898 + b as f64 * 78.233).sin() * 43_758.545_3;
    x - x.floor()
}

/// Coefficients near those that the data were made with: positive curves of some 3.
fn near(problem: &Problem, walker: usize, round: usize) -> Vec<f64> {
    let at = |k: usize, c: usize| match c {
        0 => 1.0 + 0.1 * k as f64,
        1 => 0.3 * k as f64 - 0.5,
        _ => 3.0 + k as f64,
    };
    let term = |(k, t): (usize, &crate::problem::Term)| {
        let jitter = move |c: usize| 0.02 * (hash(97 * walker + k, 31 * round + c) - 0.5);
        (0..t.extent.len()).map(move |c| at(k, c % t.extent.stride) + jitter(c)).collect::<Vec<_>>()
    };
    problem.terms.iter().enumerate().flat_map(term).collect()
}

/// Gaussian peaks on a line, twice: in two measurements where there is a second number of points.
fn peaks(points: [usize; 2], noise: Noise) -> Problem {
    let terms = [("gaussian", 0), ("gaussian", 0), ("line", 0)];
    let mut all = problem(points[0], &terms);
    if points[1] > 0 {
        let other = problem(points[1], &terms);
        let first = all.coefficients();
        all.measurements.extend(other.measurements);
        all.terms.extend(other.terms.into_iter().map(|t| crate::problem::Term { measurement: 1, at: first + t.at, ..t }));
    }
    for m in 0..all.measurements.len() {
        let truth = curve(&all, m, &near(&all, 0, 0));
        let data = &mut all.measurements[m];
        data.noise = noise;
        let normal = |i: usize| (-2.0 * (1.0 - hash(i, m)).ln()).sqrt() * (2.0 * PI * hash(m, i)).cos();
        if noise == Noise::Poisson {
            data.weight.clear();
            data.exposure = (0..data.t.len()).map(|i| 100.0 * (1.0 + hash(i, 7))).collect();
            let count = |i: usize| (truth[i] * data.exposure[i] + normal(i) * (truth[i] * data.exposure[i]).sqrt()).max(0.0).round();
            data.y = (0..data.t.len()).map(count).collect();
        } else {
            data.y = (0..data.t.len()).map(|i| truth[i] + normal(i) / data.weight[i]).collect();
        }
    }
    all
}

/// The curve at the points of a measurement: against y = 0 with σ = 1, the misfit of one point is its square, and all curves here are positive.
fn curve(problem: &Problem, m: usize, coefficients: &[f64]) -> Vec<f64> {
    let mut at_one = problem.clone();
    let mut out = Vec::new();
    let mut at = |i: usize| {
        let data = &problem.measurements[m];
        at_one.measurements[m] = Measurement {
            t: vec![data.t[i]],
            x: vec![data.x[i]],
            y: vec![0.0],
            weight: vec![1.0],
            exposure: Vec::new(),
            noise: Noise::Gaussian,
            ..data.clone()
        };
        out.clear();
        oracle::push_misfits(&at_one, coefficients, &mut out);
        out[m].sqrt()
    };
    (0..problem.measurements[m].t.len()).map(&mut at).collect()
}

pub(super) fn push(moves: &mut Moves, problem: &Problem, walker: usize, terms: &[u32], all: &[f64]) {
    moves.walker.push(walker as u32);
    moves.term.extend_from_slice(terms);
    moves.term_start.push(moves.term.len() as u32);
    for &k in terms {
        let term = &problem.terms[k as usize];
        moves.coefficients.extend_from_slice(&all[term.at..term.at + term.extent.len()]);
    }
    moves.coefficient_start.push(moves.coefficients.len() as u32);
}

/// What a walk found: the largest difference of misfits in nats, moves, those made from totals, and the drift at the end.
#[derive(Debug)]
struct Walk {
    worst: f64,
    moves: usize,
    from_totals: usize,
    drift: f64,
}

/// Carries walkers through many attempts, half of them kept, beside the oracle.
fn walk(gpu: &Gpu, problem: &Problem, walkers: usize, steps: usize) -> Walk {
    let mut roster = Roster::default();
    roster.push(problem, walkers);
    let mut tile = GpuTile::new(gpu, &roster).expect("fits");
    let mut truth = Oracle.tile(roster).expect("the oracle does not fail");
    let list: Vec<u32> = (0..walkers as u32).collect();
    let start: Vec<f64> = (0..walkers).flat_map(|w| near(problem, w, 1)).collect();
    let (mut seen, mut expected) = (Vec::new(), Vec::new());
    tile.load(&list, &start, &mut seen).expect("runs");
    truth.load(&list, &start, &mut expected).expect("runs");
    let mut found = Walk { worst: 0.0, moves: 0, from_totals: 0, drift: 0.0 };
    for step in 0..steps {
        let mut moves = Moves::default();
        moves.clear();
        for w in (0..walkers).filter(|w| !(w + step).is_multiple_of(7) || walkers == 1) {
            let n = problem.terms.len() as u32;
            let one = (hash(step, w) * f64::from(n)) as u32;
            let terms = if step % 11 == 10 {
                (0..n).collect()
            } else if step % 5 == 4 && one + 1 < n {
                vec![one, one + 1]
            } else {
                vec![one]
            };
            push(&mut moves, problem, w, &terms, &near(problem, w, 2 + step));
        }
        tile.attempt(from_ref(&moves), &mut seen).expect("runs");
        truth.attempt(from_ref(&moves), &mut expected).expect("runs");
        let (all, some) = tile.count_from_totals();
        found.moves += all;
        found.from_totals += some;
        for (s, e) in seen.iter().zip(&expected) {
            assert!(*e < SENTINEL, "these states are all near the data");
            found.worst = found.worst.max(0.5 * (s - e).abs());
        }
        let choices: Vec<bool> = moves.walker.iter().map(|&w| hash(w as usize, step) < 0.5).collect();
        tile.settle(&choices).expect("runs");
        truth.settle(&choices).expect("runs");
    }
    let mut drifts = Vec::new();
    tile.drift(&mut drifts).expect("runs");
    assert_eq!(drifts.len(), walkers);
    found.drift = drifts.into_iter().fold(0.0, f64::max);
    found
}

/// Every noise model, odd numbers of points, one walker and some hundred, one measurement and two, after 120 attempts.
#[test]
fn totals_agree_with_the_oracle_after_many_moves() {
    let Some(gpu) = keeping(None) else { return };
    for noise in [Noise::Gaussian, Noise::Scaled { parameter: 0 }, Noise::Poisson] {
        for (points, walkers) in [([1, 0], 1), ([63, 0], 130), ([64, 65], 17), ([65, 1], 200), ([1000, 63], 9), ([5000, 0], 3)] {
            let problem = peaks(points, noise);
            let found = walk(&gpu, &problem, walkers, 120);
            println!("{noise:?}, {points:?} points, {walkers} walkers: {found:?}");
            assert!(found.worst <= BUDGET && found.drift <= 2.0 * BUDGET, "{noise:?}, {points:?}: {found:?}");
            assert!(10 * found.from_totals > 6 * found.moves, "hardly a move was made from totals: {found:?}");
        }
    }
}

/// Kernels that keep too little, too much, or subtract nothing.
#[test]
fn wrong_totals_are_seen() {
    let mutants: [(&str, Edit); 4] = [
        ("totals are not written when a move is kept", |s| s.replace("if i >= call.settled || (choices", "if i >= 0u || (choices")),
        ("totals are written when a move is refused", |s| s.replace("(i % 32u) & 1u) == 0u", "(i % 32u) & 1u) == 2u")),
        ("the old shape is not subtracted", |s| s.replace("select(-1.0, 1.0, whole || fresh)", "select(1.0, 1.0, whole || fresh)")),
        ("a row of points is left out", |s| s.replace("coefficients[at + 2u * row] = f.z;", "")),
    ];
    for (what, edit) in mutants {
        assert_ne!(edit(program::keep_source(&[])), program::keep_source(&[]), "{what}");
        let Some(gpu) = keeping(Some(edit)) else { return };
        let found = walk(&gpu, &peaks([65, 0], Noise::Gaussian), 20, 40);
        println!("{what}: {found:?}");
        assert!(found.worst > 10.0 * BUDGET, "{what} was not seen: {found:?}");
    }
}

/// What is told as drift is nearly nothing after sound moves, and much after wrong ones.
#[test]
fn drift_is_told() {
    let Some(gpu) = keeping(None) else { return };
    let found = walk(&gpu, &peaks([1000, 0], Noise::Gaussian), 20, 60);
    assert!(found.drift > 0.0 && found.drift < 2.0 * BUDGET, "{found:?}");
    let wrong = keeping(Some(|s| s.replace("if i >= call.settled || (choices", "if i >= 0u || (choices"))).expect("there is an adapter");
    assert!(walk(&wrong, &peaks([65, 0], Noise::Gaussian), 20, 40).drift > 1.0);
}

/// A walker's totals take so many additions and no more before a move recomputes all terms; and none while the walker is far from the data.
#[test]
fn totals_are_made_anew() {
    let problem = peaks([301, 0], Noise::Gaussian);
    let mut totals = Totals::new(std::iter::once(&problem), 2, true);
    let mut go = |walker, terms: &[u32], whole, misfit| {
        let (made, mut tried) = totals.judge(walker, 0, terms, whole);
        totals.measured(&mut tried, 0, 0, misfit);
        totals.keep(walker, tried);
        made
    };
    assert!(go(0, &[0], false, 301.0), "nothing was loaded");
    for _ in 0..2 {
        for _ in 0..ROUNDINGS / 2 {
            assert!(!go(0, &[1], false, 301.0));
        }
        assert!(go(0, &[1], false, 301.0), "one more is too many");
    }
    assert!(!go(0, &[0, 1], false, 1e9) && go(0, &[1], false, 301.0) && !go(0, &[1], false, f64::NAN) && go(0, &[1], false, 301.0));
    assert!(go(0, &[0, 1, 2], false, 301.0) && go(0, &[0], true, 301.0));
}

/// A walker whose coefficients were beyond all bounds comes back with the first sound move.
#[test]
fn a_walker_comes_back_from_infinity() {
    let Some(gpu) = keeping(None) else { return };
    let problem = peaks([65, 0], Noise::Gaussian);
    let mut roster = Roster::default();
    roster.push(&problem, 1);
    let (mut tile, mut truth) = (gpu.tile(roster.clone()).expect("fits"), Oracle.tile(roster).expect("the oracle does not fail"));
    let (sound, mut bad) = (near(&problem, 0, 1), near(&problem, 0, 1));
    (bad[0], bad[6]) = (f64::INFINITY, 1e300);
    let (mut seen, mut expected) = (Vec::new(), Vec::new());
    tile.load(&[0], &bad, &mut seen).expect("runs");
    truth.load(&[0], &sound, &mut expected).expect("runs");
    for terms in [&[0_u32][..], &[2], &[1]] {
        let mut moves = Moves::default();
        moves.clear();
        push(&mut moves, &problem, 0, terms, &sound);
        tile.attempt(from_ref(&moves), &mut seen).expect("runs");
        tile.settle(&[true]).expect("runs");
    }
    assert!((seen[0] - expected[0]).abs() <= BUDGET, "{seen:?} is not {expected:?}");
}

/// Few terms are recomputed, many have their totals kept, and a move of all terms recomputes.
#[test]
fn totals_are_kept_where_they_pay() {
    let like = |n: usize| Problem { dependents: (0..n as u32).map(|k| vec![k]).collect(), ..problem(301, &vec![("gaussian", 0); n]) };
    let (few, many) = (like(3), like(30));
    assert_eq!((path::of(&few), path::of(&many)), (Path::Recomputed, Path::Kept));
    // Peaks that reach over a few points cost next to nothing to recompute.
    let mut narrow = like(30);
    narrow.measurements[0].floor = 1e-3;
    narrow.terms.iter_mut().flat_map(|t| &mut t.bindings).skip(2).step_by(3).for_each(|width| width.offset = 1e-3);
    assert_eq!(path::of(&narrow), Path::Recomputed);
    let costs = Costs::of(&many, false);
    let all: Vec<u32> = (0..30).collect();
    assert!(!costs.are_whole(&[7]) && costs.are_whole(&all) && costs.are_whole(&all[..20]));
    // One parameter that all terms share makes every move a move of all.
    let shared = Problem { dependents: vec![all], ..like(30) };
    assert_eq!(path::of(&shared), Path::Recomputed);
    // Where rounding would break the budget, nothing is kept.
    let mut loud = like(30);
    loud.measurements[0].y.iter_mut().for_each(|y| *y += 1.0);
    loud.measurements[0].weight.iter_mut().for_each(|w| *w = 3e4);
    assert_eq!(path::of(&loud), Path::Recomputed);
    let shape = crate::models::ShapeKind::PseudoVoigt;
    let n = path::crossover(shape, many.terms[0].extent, 1.0);
    println!("from {n} pseudo-Voigts on");
    // 1.3 · 2 · 20 + 98 + .3 · 195 over 20: see shaders/README.md.
    assert_eq!(n, 11);
}

/// Totals count among the bytes of a buffer: blocks become smaller, and a ladder whose totals no buffer holds is recomputed.
#[test]
fn totals_fit_their_buffer() {
    let Some(gpu) = keeping(None) else { return };
    let problem = peaks([301, 0], Noise::Gaussian);
    let mut roster = Roster::default();
    (0..8).for_each(|_| roster.push(&problem, 5));
    let blocks = |buffer: u64, forced| plan::blocks(&roster, forced, Bounds { buffer, ..gpu.bounds }).expect("fits");
    // A ladder's totals are 5 · 384 · 4 bytes.
    let small = 2 * 5 * 384 * 4 + 4096;
    assert_eq!(blocks(small, Some(Path::Recomputed)).len(), 1);
    let cut = blocks(small, Some(Path::Kept));
    assert!(cut.len() == 4 && cut.iter().all(|b| b.key.path == Path::Kept), "{} blocks", cut.len());
    assert!(blocks(5 * 384 * 4, Some(Path::Kept)).iter().all(|b| b.key.path == Path::Recomputed));
    let mut own = keeping(None).expect("there is an adapter");
    own.bounds.buffer = small;
    let found = walk(&own, &problem, 10, 20);
    assert!(found.worst <= BUDGET && found.from_totals > 0, "{found:?}");
}
