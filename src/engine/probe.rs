//! Compares an engine with the oracle on states it is given, before its answers are believed.

use std::slice::from_ref;

use super::oracle::{Oracle, push_misfits};
use super::{Engine, Moves, Roster, SENTINEL, Tile};
use crate::error::Result;
use crate::problem::{Measurement, Noise, Problem};

/// What a probe found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Found {
    /// Largest β·|U − U_oracle| in nats.
    pub largest: f64,
    /// States compared.
    pub states: usize,
}

impl Found {
    /// What both found.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { largest: self.largest.max(other.largest), states: self.states + other.states }
    }
}

/// A walker of a tile that has just been loaded.
#[derive(Clone, Debug)]
pub struct State<'a> {
    /// Its number in the tile.
    pub walker: u32,
    /// Its problem.
    pub problem: &'a Problem,
    /// Where it stands.
    pub theta: Vec<f64>,
    /// All its coefficients.
    pub coefficients: &'a [f64],
    /// Its inverse temperature.
    pub beta: f64,
    /// What the tile said on loading it.
    pub misfits: &'a [f64],
}

/// Compares loaded walkers of a tile with the oracle: as they were loaded, and with one term moved to where it stands.
/// The tile is left as it was.
///
/// # Errors
/// Where the device fails.
pub fn witness(tile: &mut dyn Tile, states: &[State<'_>]) -> Result<Found> {
    let mut moves = Moves::default();
    moves.clear();
    for (i, state) in states.iter().enumerate().filter(|(_, s)| !s.problem.terms.is_empty()) {
        let k = i % state.problem.terms.len();
        let term = &state.problem.terms[k];
        moves.walker.push(state.walker);
        moves.beta.push(state.beta);
        moves.term.push(k as u32);
        moves.term_start.push(moves.term.len() as u32);
        moves.coefficients.extend_from_slice(&state.coefficients[term.at..term.at + term.extent.len()]);
        moves.coefficient_start.push(moves.coefficients.len() as u32);
    }
    let mut moved = Vec::new();
    if !moves.is_empty() {
        tile.attempt(from_ref(&moves), &mut moved)?;
        tile.settle(&vec![false; moves.len()])?;
    }
    let mut rest = moved.as_slice();
    let mut found = Found { largest: 0.0, states: states.len() };
    let mut truth = Vec::new();
    for state in states {
        truth.clear();
        push_misfits(state.problem, state.coefficients, &mut truth);
        found.largest = found.largest.max(nats(state, &truth, state.misfits));
        if !state.problem.terms.is_empty() {
            let (own, others) = rest.split_at(truth.len());
            rest = others;
            found.largest = found.largest.max(nats(state, &truth, own));
        }
    }
    Ok(found)
}

/// Misfits so large that f32 cannot tell them apart.
const HOPELESS: f64 = 1e30;

/// How far the energies of a state are apart, in nats at its β, or at the largest β at which such a state is visited.
fn nats(state: &State<'_>, truth: &[f64], seen: &[f64]) -> f64 {
    let mut apart = 0.0;
    for ((data, &t), &s) in state.problem.measurements.iter().zip(truth).zip(seen) {
        if t >= HOPELESS && s >= HOPELESS {
            return 0.0;
        }
        apart += energy_difference(t, s) / squared(data, &state.theta);
    }
    let nats = apart * state.beta.min(visited(state.problem, &state.theta, truth));
    // At β = 0 energies decide nothing; what is not a number is as wrong as can be.
    if state.beta == 0.0 {
        0.0
    } else if nats.is_nan() {
        f64::INFINITY
    } else {
        nats
    }
}

/// The square of an inferred scale.
fn squared(data: &Measurement, theta: &[f64]) -> f64 {
    if let Noise::Scaled { parameter } = data.noise { theta[parameter].powi(2) } else { 1.0 }
}

/// The largest β at which a state of such misfits is visited: a run at β holds the energy above what noise leaves, times β, near half the
/// number of parameters, and ten nats more are never seen. A state that has just been drawn from the prior stands far above that, and so
/// does the best state of a candidate that the data refuse.
pub fn visited(problem: &Problem, theta: &[f64], misfits: &[f64]) -> f64 {
    let excess = |(data, m): (&Measurement, &f64)| 0.5 * (m / squared(data, theta) - data.t.len() as f64);
    let excess: f64 = problem.measurements.iter().zip(misfits).map(excess).sum();
    (0.5 * problem.dimension() as f64 + 10.0) / excess.max(f64::MIN_POSITIVE)
}

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
    tile.attempt(from_ref(&moves), &mut resident)?;
    Ok([fresh, resident])
}
