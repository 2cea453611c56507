//! Chains of several copies after some sweeps: what each copy is does not depend on the others, and what is known of a state is of that state.

use std::slice::from_ref;

use super::super::schedule;
use super::tests::{Curve, measure, prior, template};
use super::*;
use crate::engine::oracle::{self, Oracle};
use crate::engine::{Engine, Roster};

/// A problem of that noise, with data of its own.
fn measured(noise: Noise, name: &str) -> Problem {
    let mut problem = template(noise, Curve::Broad);
    let mut stream = Key::new(3, name, "data", "", 0).stream(0, 0, 0);
    let theta = prior(&problem, &mut stream);
    measure(&mut problem, &theta, 1.0, &mut stream);
    problem
}

/// Chains after forty sweeps on the oracle, one a key; refits remember, or forget at every step.
fn swept<'p>(problem: &'p Problem, keys: &[Key], moves: &[Move], proposals: usize, remember: bool) -> Chains<'p> {
    let (ladder, refresh) = ([0.0, 0.3, 0.6, 1.0], schedule::refresh(problem));
    let mut chains = Chains::new(problem, keys.to_vec(), &ladder, moves, 8);
    chains.choose_among(proposals);
    let mut roster = Roster { rivals: proposals - 1, ..Roster::default() };
    keys.iter().for_each(|_| roster.push(problem, ladder.len()));
    let mut tile = Oracle.tile(roster).unwrap();
    let (mut all, mut misfits, mut choices, mut proposed) = (Vec::new(), Vec::new(), Vec::new(), Moves::default());
    let mut room = Room::default();
    let admitted = chains.coefficients(&mut all);
    tile.load(&(0..chains.walkers() as u32).collect::<Vec<_>>(), &all, &mut misfits).unwrap();
    chains.loaded(&misfits, &admitted);
    chains.remember(true);
    for _ in 0..40 {
        for step in 0..moves.len() {
            if !remember {
                chains.remember(false);
            }
            proposed.clear();
            chains.propose(step, moves, &refresh, 0, &mut proposed, &mut room);
            choices.clear();
            tile.attempt(from_ref(&proposed), &mut misfits).unwrap();
            chains.decide(step, &mut misfits.as_slice(), &mut choices);
            tile.settle(&choices).unwrap();
        }
        chains.exchange(true);
    }
    chains.complete();
    chains
}

/// Numbers to the last bit.
fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// What refits remember of a walker saves work and changes nothing: the same states to the last bit as where each one forgets the last.
#[test]
fn remembered_columns_are_those_made_anew() {
    for noise in [Noise::Gaussian, Noise::Poisson, Noise::Scaled { parameter: 7 }] {
        let problem = measured(noise, "memory");
        let moves = schedule::schedule(&problem);
        let states = [true, false].map(|remember| {
            let chains = swept(&problem, &[Key::new(3, "memory", "moves", "", 0)], &moves, 1, remember);
            let refits = moves.iter().enumerate().filter(|(_, m)| m.kind == Kind::Refit).map(|(step, _)| step);
            let taken = refits.flat_map(|step| chains.tuning.shares(1).map(move |share| share.acceptance(3, step))).sum::<f64>();
            assert!(taken > 0.02, "{noise:?}: no refit is accepted");
            (0..chains.walkers()).map(|place| bits(&chains.row(place))).collect::<Vec<_>>()
        });
        assert_eq!(states[0], states[1], "{noise:?}");
    }
}

/// Copies side by side are what each is alone, to the last bit: states, what is kept and what steps are tuned to, where walks are decided abreast
/// and where they are not.
#[test]
fn copies_side_by_side_are_what_they_are_alone() {
    for (noise, proposals) in [(Noise::Gaussian, 1), (Noise::Gaussian, 3), (Noise::Poisson, 1), (Noise::Scaled { parameter: 7 }, 1)] {
        let problem = measured(noise, "beside");
        let moves = schedule::schedule(&problem);
        let keys = [0, 1, 2, 3, 4].map(|copy| Key::new(3, "beside", "moves", "", copy));
        let together = swept(&problem, &keys, &moves, proposals, true);
        let shares: Vec<_> = together.tuning.shares(keys.len()).collect();
        for (copy, key) in keys.iter().enumerate() {
            let alone = swept(&problem, &[*key], &moves, proposals, true);
            let own = copy * alone.walkers()..(copy + 1) * alone.walkers();
            for (beside, place) in own.clone().zip(0..) {
                assert_eq!(bits(&together.row(beside)), bits(&alone.row(place)), "{noise:?}, copy {copy}");
            }
            assert_eq!(bits(&together.energies()[own]), bits(alone.energies()), "{noise:?}, copy {copy}");
            assert_eq!(together.records[copy], alone.records[0], "{noise:?}, copy {copy}");
            for (rung, step) in (1..4).flat_map(|rung| (0..moves.len()).map(move |step| (rung, step))) {
                let of_alone = alone.tuning.shares(1).map(|share| share.acceptance(rung, step)).sum::<f64>();
                assert_eq!(shares[copy].acceptance(rung, step).to_bits(), of_alone.to_bits(), "{noise:?}, copy {copy}");
                let sizes = (together.tuning.ln_size(copy * 4 + rung, step), alone.tuning.ln_size(rung, step));
                assert_eq!(sizes.0.to_bits(), sizes.1.to_bits(), "{noise:?}, copy {copy}");
            }
        }
    }
}

/// What is known of the state at a place is what the oracle says of its parameters: exchanges, steps that are kept and those that are not leave both
/// together, on the host and on the engine, whose answers are of its own state of the walker. They agree to what forty sweeps of differences leave.
#[test]
fn what_is_known_of_a_state_is_of_that_state() {
    for (noise, proposals) in [(Noise::Gaussian, 1), (Noise::Gaussian, 3), (Noise::Poisson, 1), (Noise::Scaled { parameter: 7 }, 1)] {
        let problem = measured(noise, "known");
        let moves = schedule::schedule(&problem);
        let keys = [0, 1, 2].map(|copy| Key::new(3, "known", "moves", "", copy));
        let chains = swept(&problem, &keys, &moves, proposals, true);
        let numbers: Vec<u32> = (0..chains.walkers() as u32).collect();
        assert_ne!(chains.walker_of, numbers, "{noise:?}: nothing was exchanged");
        let mut known = 0;
        for place in 0..chains.walkers() {
            let row = chains.row(place);
            let Some(truth) = oracle::misfits(&problem, &row) else { continue };
            let (misfit, energy) = (chains.misfits[place], noise::energy(&problem, &truth, &row));
            assert!((misfit - truth[0]).abs() <= 1e-9 * truth[0], "{noise:?}, place {place}: misfit {misfit} for {}", truth[0]);
            let off = (chains.energies()[place] - energy).abs();
            assert!(off <= 1e-9 * energy.abs().max(truth[0]), "{noise:?}, place {place}: energy off by {off}");
            known += 1;
        }
        assert!(known > 8, "{noise:?}");
    }
}
