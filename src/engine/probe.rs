//! Compares an engine with the oracle on states it is given, before its answers are believed.

use super::oracle::Oracle;
use super::{Engine, Moves, Roster, SENTINEL};
use crate::error::Result;
use crate::problem::Problem;

/// |U_engine − U_oracle| of each walker at the base noise, in nats; 0 where both call it inadmissible, infinite where one does.
///
/// `coefficients` holds all terms of each walker, one walker after the other. Every walker is evaluated from scratch and once more with
/// one term moved to where it stands, so that the ways of fresh and of resident coefficients are both seen; the larger difference counts.
///
/// # Errors
/// Where the device fails.
pub fn probe(engine: &dyn Engine, problem: &Problem, coefficients: &[f64]) -> Result<Vec<f64>> {
    let n = problem.coefficients();
    let walkers = coefficients.len() / n.max(1);
    let truth = evaluate(&Oracle, problem, coefficients, walkers)?;
    let seen = evaluate(engine, problem, coefficients, walkers)?;
    let measurements = problem.measurements.len();
    let mut worst = vec![0.0; walkers];
    for (truth, seen) in truth.iter().zip(&seen) {
        for (w, worst) in worst.iter_mut().enumerate() {
            let own = w * measurements..(w + 1) * measurements;
            let difference: f64 = truth[own.clone()].iter().zip(&seen[own]).map(|(t, s)| energy_difference(*t, *s)).sum();
            *worst = f64::max(*worst, difference);
        }
    }
    Ok(worst)
}

fn energy_difference(truth: f64, seen: f64) -> f64 {
    match (truth < SENTINEL, seen < SENTINEL) {
        (true, true) => 0.5 * (truth - seen).abs(),
        (false, false) => 0.0,
        _ => f64::INFINITY,
    }
}

/// Misfits from scratch, and with one term of each walker moved to where it stands.
fn evaluate(engine: &dyn Engine, problem: &Problem, coefficients: &[f64], walkers: usize) -> Result<[Vec<f64>; 2]> {
    let mut roster = Roster::default();
    roster.push(problem, walkers);
    let mut tile = engine.tile(roster)?;
    let all: Vec<u32> = (0..walkers as u32).collect();
    let (mut fresh, mut resident) = (Vec::new(), Vec::new());
    tile.load(&all, coefficients, &mut fresh)?;
    let mut moves = Moves::default();
    moves.clear();
    for (w, own) in coefficients.chunks_exact(problem.coefficients()).enumerate() {
        let k = w % problem.terms.len();
        let term = &problem.terms[k];
        moves.walker.push(w as u32);
        moves.term.push(k as u32);
        moves.term_start.push(moves.term.len() as u32);
        moves.coefficients.extend_from_slice(&own[term.at..term.at + term.extent.len()]);
        moves.coefficient_start.push(moves.coefficients.len() as u32);
    }
    tile.attempt(&moves, &mut resident)?;
    Ok([fresh, resident])
}
