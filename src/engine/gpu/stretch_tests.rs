//! A tile of several stretches and blocks gives every walker the bits that it has in a tile of one stretch.

use std::slice::from_ref;

use super::path::Path;
use super::stretch::LENGTH;
use super::tests::{bounded, problem};
use super::totals_tests::push;
use super::*;
use crate::engine::{Moves, SENTINEL};
use crate::problem::Problem;

/// A number in [0, 1) for each pair of numbers.
fn hash(a: usize, b: usize) -> f64 {
    let x = (a as f64 * 12.9898 + b as f64 * 78.233).sin() * 43_758.545_3;
    x - x.floor()
}

/// Coefficients of a walker in a step; some are not finite.
fn coefficients(problem: &Problem, walker: usize, step: usize) -> Vec<f64> {
    let mut all: Vec<f64> = (0..problem.coefficients()).map(|c| 0.1 + hash(31 * walker + c, step)).collect();
    if hash(step, walker) < 0.01 {
        all[0] = f64::NAN;
    }
    all
}

/// A few steps of the ladders from one to another, as they go in a tile of these alone: misfits and drifts.
fn walk(gpu: &Gpu, ladders: &[&Problem], rungs: usize, from: usize, to: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut roster = Roster::default();
    ladders[from..to].iter().for_each(|problem| roster.push(problem, rungs));
    let walkers: Vec<usize> = (from * rungs..to * rungs).collect();
    let own: Vec<u32> = (0..walkers.len() as u32).collect();
    let start: Vec<f64> = walkers.iter().flat_map(|&w| coefficients(ladders[w / rungs], w, 0)).collect();
    let mut tile = gpu.tile(roster).expect("fits");
    let mut seen = vec![Vec::new()];
    tile.load(&own, &start, &mut seen[0]).expect("runs");
    for step in 1..6 {
        let mut moves = Moves::default();
        moves.clear();
        let mut choices = Vec::new();
        // Steps differ in their moves, and with them the places where stretches begin.
        for (i, &w) in walkers.iter().enumerate().filter(|(_, w)| hash(**w, 100 + step) < 0.3 * step as f64) {
            let problem = ladders[w / rungs];
            let terms: Vec<u32> = (0..problem.terms.len() as u32).filter(|k| hash(w + *k as usize, 200 + step) < 0.6).collect();
            push(&mut moves, problem, i, &terms, &coefficients(problem, w, step));
            choices.push(hash(w, 300 + step) < 0.5);
        }
        let mut misfits = Vec::new();
        tile.attempt(from_ref(&moves), &mut misfits).expect("runs");
        tile.settle(&choices).expect("runs");
        seen.push(misfits);
    }
    let mut drifts = Vec::new();
    tile.drift(&mut drifts).expect("runs");
    (seen, drifts)
}

#[test]
fn bits_are_those_of_one_stretch() {
    for path in [Path::Recomputed, Path::Kept] {
        let Some(gpu) = bounded(|_| ()).map(|gpu| gpu.on(path)) else { return };
        let mut two = problem(20, &[("gaussian", 0), ("line", 0)]);
        two.measurements.push(two.measurements[0].clone());
        let problems = [problem(30, &[("gaussian", 0), ("gaussian", 0), ("line", 0)]), problem(9, &[("lorentzian", 0), ("line", 0)]), two];
        // Ladders in turn, so that every stretch has moves of all blocks.
        let (rungs, each) = (7, LENGTH / 7);
        let ladders: Vec<&Problem> = (0..4 * each).map(|l| &problems[l % problems.len()]).collect();
        let (whole, drifts) = walk(&gpu, &ladders, rungs, 0, ladders.len());
        let apart: Vec<_> = (0..4).map(|part| walk(&gpu, &ladders, rungs, part * each, (part + 1) * each)).collect();
        for (step, misfits) in whole.iter().enumerate() {
            let expected: Vec<f64> = apart.iter().flat_map(|part| part.0[step].iter().copied()).collect();
            assert!(*misfits == expected, "{path:?}, step {step}");
            assert!(misfits.contains(&SENTINEL), "a move is refused");
        }
        assert!(whole[5].len() > 2 * LENGTH);
        assert_eq!(drifts, apart.into_iter().flat_map(|part| part.1).collect::<Vec<f64>>(), "{path:?}");
    }
}
