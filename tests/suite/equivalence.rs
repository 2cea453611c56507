//! Every engine against the oracle, move by move.

use std::slice::from_ref;

use keisoku::engine::cpu::{self, Cpu, Precision};
use keisoku::engine::oracle::Oracle;
use keisoku::engine::{Engine, Moves, Numbers, Roster, SENTINEL, Tile, Tiling, count};
use keisoku::error::Result;
use keisoku::models::find;
use keisoku::problem::Problem;
use rand::RngExt;

use crate::fixtures::{self, Fixture, Kind, Random, coefficients, draw, fixture, joint, near, push_move};

/// Walkers of a ladder.
const RUNGS: usize = 5;

/// Both misfits this large: the state has no likelihood, and how much it has not does not matter (f32 cannot say).
pub const HOPELESS: f64 = 1e30;

/// What an engine may differ from the oracle by, in nats at the walker's own β (see [`nats`]). The budget of a run is .01.
pub struct Tolerance {
    /// What is compared.
    pub of: &'static str,
    /// Worst of all states.
    pub worst: f64,
    /// Root mean square of all states.
    pub typical: f64,
}

/// f64, no term cut off: two orders of the same sums of up to 4097 numbers.
const F64_WHOLE: Tolerance = Tolerance { of: "f64 without supports", worst: 1e-10, typical: 1e-11 };
/// f64 with supports: a term of just 1e-4 σ is left out altogether, which against residuals of one σ is √N·1e-4 nat, .006 at 4097 points.
const F64: Tolerance = Tolerance { of: "f64", worst: 6e-3, typical: 1e-3 };
/// f32: the same, and a curve wrong by 1e-7 of its largest value (100 σ) and by 3e-8 of the window in t (times its slope).
const F32: Tolerance = Tolerance { of: "f32", worst: 1e-2, typical: 1e-3 };

/// Largest and root mean square difference found, in nats.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    worst: f64,
    squares: f64,
    states: usize,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.worst = self.worst.max(other.worst);
        self.squares += other.squares;
        self.states += other.states;
    }

    fn typical(self) -> f64 {
        (self.squares / self.states as f64).sqrt()
    }

    fn within(self, tolerance: &Tolerance) -> bool {
        self.worst <= tolerance.worst && self.typical() <= tolerance.typical
    }
}

/// Half the difference of two misfits times the largest β at which such a state is visited. A run at β holds β/2 times the excess of
/// the misfit over the noise's own N near half the number of parameters; ten nats more are never seen.
fn nats(points: usize, parameters: usize, truth: f64, found: f64) -> f64 {
    if truth >= HOPELESS && found >= HOPELESS {
        return 0.0;
    }
    let excess = (truth - points as f64).max(1.0);
    0.5 * (truth - found).abs() * (1.0_f64).min((parameters as f64 + 20.0) / excess)
}

/// Carries two ladders of the problem through `steps` random attempts and choices on both engines and compares every misfit.
fn compare(engine: &dyn Engine, fixture: &Fixture, steps: usize, seed: u64) -> Result<Found> {
    let problem = &fixture.problem;
    let mut rng = fixtures::random(seed);
    let mut roster = Roster::default();
    roster.push(problem, RUNGS);
    roster.push(problem, RUNGS);
    let walkers: Vec<u32> = (0..2 * RUNGS as u32).collect();
    let (mut tile, mut truth) = (engine.tile(roster.clone())?, Oracle.tile(roster)?);
    let start: Vec<f64> =
        walkers.iter().flat_map(|_| coefficients(problem, &draw(problem, false, &mut rng)).expect("admissible")).collect();
    let (mut misfits, mut expected) = (Vec::new(), Vec::new());
    let mut found = Found::default();
    tile.load(&walkers, &start, &mut misfits)?;
    truth.load(&walkers, &start, &mut expected)?;
    found.add(difference(problem, &expected, &misfits));
    let mut visit = 0;
    for step in 0..steps {
        if rng.random::<f64>() < 0.4 {
            visit = rng.random_range(0..problem.terms.len());
        }
        let moves = random_moves(fixture, visit, step, &mut rng);
        tile.attempt(from_ref(&moves), &mut misfits)?;
        truth.attempt(from_ref(&moves), &mut expected)?;
        found.add(difference(problem, &expected, &misfits));
        // Good states are kept more often, so that walkers spend time where the data are described.
        let kept: Vec<bool> = expected
            .chunks_exact(problem.measurements.len())
            .map(|m| rng.random::<f64>() < if m.iter().sum::<f64>() < 50.0 * problem.points() as f64 { 0.8 } else { 0.3 })
            .collect();
        tile.settle(&kept)?;
        truth.settle(&kept)?;
    }
    Ok(found)
}

fn difference(problem: &Problem, expected: &[f64], misfits: &[f64]) -> Found {
    assert_eq!(expected.len(), misfits.len());
    let mut found = Found::default();
    for (i, (e, m)) in expected.iter().zip(misfits).enumerate() {
        let points = problem.measurements[i % problem.measurements.len()].t.len();
        let n = nats(points, problem.dimension(), *e, *m);
        assert!(!n.is_nan(), "{m} against {e}");
        found.add(Found { worst: n, squares: n * n, states: 1 });
    }
    found
}

/// Coefficients of all walkers: odd ones near the truth, even ones from the priors.
fn start(fixture: &Fixture, rng: &mut Random) -> Vec<f64> {
    (0..2 * RUNGS)
        .flat_map(|w| {
            let theta = if w % 2 == 1 { near(fixture, rng) } else { draw(&fixture.problem, false, rng) };
            coefficients(&fixture.problem, &theta).expect("admissible")
        })
        .collect()
}

/// Moves of most walkers: of one term mostly, of two, or of all; odd walkers often stay near the truth.
fn random_moves(fixture: &Fixture, visit: usize, step: usize, rng: &mut Random) -> Moves {
    let problem = &fixture.problem;
    let mut moves = Moves::default();
    moves.clear();
    let all: Vec<usize> = (0..problem.terms.len()).collect();
    for walker in 0..2 * RUNGS {
        if rng.random::<f64>() < 0.1 {
            continue;
        }
        let theta = if walker % 2 == 1 && rng.random::<f64>() < 0.9 { near(fixture, rng) } else { draw(problem, step % 3 == 2, rng) };
        let c = coefficients(problem, &theta).expect("admissible");
        let kind: f64 = rng.random();
        if kind < 0.75 {
            push_move(&mut moves, problem, walker, &[visit], &c);
        } else if kind < 0.9 {
            let other = rng.random_range(0..problem.terms.len());
            let mut two = vec![visit.min(other), visit.max(other)];
            two.dedup();
            push_move(&mut moves, problem, walker, &two, &c);
        } else {
            push_move(&mut moves, problem, walker, &all, &c);
        }
    }
    moves
}

/// Problems of every model and odd size, under both kinds of noise, and a joint one.
fn problems() -> Vec<(String, Fixture, usize)> {
    let mut all = Vec::new();
    for (i, terms) in fixtures::compositions().iter().enumerate() {
        for kind in [Kind::Gaussian { signal: 100.0 }, Kind::Poisson { counts: 200.0 }] {
            let name = terms.last().expect("not empty").0.name;
            if fixtures::crosses_zero(terms) && matches!(kind, Kind::Poisson { .. }) {
                continue;
            }
            all.push((format!("{name} {kind:?}"), fixture(301, kind, terms, 100 + i as u64), 100));
        }
    }
    let (background, gaussian) = (find("chebyshev").expect("listed"), find("gaussian").expect("listed"));
    let (one, other) = ([(background, 1, 1), (gaussian, 0, 2)], [(background, 0, 1), (gaussian, 0, 1)]);
    for points in [1, 2, 15, 16, 17, 63, 64, 65, 1000, 4097] {
        for kind in [Kind::Gaussian { signal: 30.0 }, Kind::Poisson { counts: 1000.0 }, Kind::Poisson { counts: 3.0 }] {
            all.push((
                format!("{points} points {kind:?}"),
                fixture(points, kind, &one, points as u64),
                if points > 2000 { 60 } else { 250 },
            ));
        }
    }
    let measurements = [(100, Kind::Gaussian { signal: 50.0 }, &one[..]), (33, Kind::Poisson { counts: 80.0 }, &other[..])];
    all.push(("joint".into(), joint(&measurements, 7), 300));
    all
}

/// Compares an engine with the oracle on every problem and holds the tolerance.
pub fn hold(engine: &dyn Engine, tolerance: &Tolerance, change: fn(&mut Problem)) {
    let mut all = Found::default();
    for (i, (name, mut fixture, steps)) in problems().into_iter().enumerate() {
        change(&mut fixture.problem);
        let found = compare(engine, &fixture, steps, 1000 + i as u64).expect("engines of this machine do not fail");
        println!("{:>60}: worst {:.1e}, typical {:.1e} nat", name, found.worst, found.typical());
        assert!(found.within(tolerance), "{} on {name}: {found:?}", tolerance.of);
        all.add(found);
    }
    println!("{}: worst {:.1e}, typical {:.1e} nat over {} states", engine.describe(), all.worst, all.typical(), all.states);
}

#[test]
fn f64_agrees_to_rounding_where_nothing_is_cut_off() {
    let engine = Cpu::new(Precision::F64).expect("an instruction set");
    hold(&engine, &F64_WHOLE, |p| p.measurements.iter_mut().for_each(|m| m.floor = 0.0));
}

#[test]
fn f64_agrees_with_the_oracle() {
    hold(&Cpu::new(Precision::F64).expect("an instruction set"), &F64, |_| ());
}

#[test]
fn f32_agrees_with_the_oracle() {
    hold(&Cpu::new(Precision::F32).expect("an instruction set"), &F32, |_| ());
}

/// Misfits of a fixed sequence of moves, as bits.
fn trace(engine: &dyn Engine, fixture: &Fixture, steps: usize) -> Result<Vec<u64>> {
    let mut rng = fixtures::random(5);
    let mut roster = Roster::default();
    roster.push(&fixture.problem, 2 * RUNGS);
    let mut tile = engine.tile(roster)?;
    let walkers: Vec<u32> = (0..2 * RUNGS as u32).collect();
    let (mut misfits, mut bits) = (Vec::new(), Vec::new());
    tile.load(&walkers, &start(fixture, &mut rng), &mut misfits)?;
    for step in 0..steps {
        bits.extend(misfits.iter().map(|m| m.to_bits()));
        let moves = random_moves(fixture, (step / 3) % fixture.problem.terms.len(), step, &mut rng);
        tile.attempt(from_ref(&moves), &mut misfits)?;
        tile.settle(&(0..moves.len()).map(|_| rng.random()).collect::<Vec<bool>>())?;
    }
    Ok(bits)
}

/// Adds one of some moves.
fn push_one(all: &mut Moves, of: &Moves, i: usize) {
    let (terms, coefficients) = (of.term_start[i] as usize..of.term_start[i + 1] as usize, of.coefficient_start[i] as usize);
    all.walker.push(of.walker[i]);
    all.term.extend_from_slice(&of.term[terms]);
    all.term_start.push(all.term.len() as u32);
    all.coefficients.extend_from_slice(&of.coefficients[coefficients..of.coefficient_start[i + 1] as usize]);
    all.coefficient_start.push(all.coefficients.len() as u32);
}

/// Several moves of a walker in one attempt have the misfits, bit by bit, that each has alone, and what is kept of them is the one that was chosen;
/// however many lists they come in.
pub fn judge_rivals(engine: &dyn Engine) {
    const RIVALS: usize = 3;
    let mut kept_of = [0; RIVALS + 1];
    for (name, fixture, _) in problems().into_iter().step_by(7) {
        let mut rng = fixtures::random(77);
        let mut roster = Roster::default();
        roster.push(&fixture.problem, RUNGS);
        roster.push(&fixture.problem, RUNGS);
        let (walkers, start): (Vec<u32>, _) = ((0..2 * RUNGS as u32).collect(), start(&fixture, &mut rng));
        let mut alone = engine.tile(roster.clone()).unwrap();
        let mut together = engine.tile(Roster { rivals: RIVALS, ..roster }).unwrap();
        let (mut misfits, mut expected) = (Vec::new(), Vec::new());
        alone.load(&walkers, &start, &mut expected).unwrap();
        together.load(&walkers, &start, &mut misfits).unwrap();
        let m = fixture.problem.measurements.len();
        for step in 0..30 {
            let rounds: Vec<Moves> =
                (0..=RIVALS).map(|_| random_moves(&fixture, step % fixture.problem.terms.len(), step, &mut rng)).collect();
            // Round and number there of every move, walker after walker.
            let place =
                |w: u32| rounds.iter().enumerate().filter_map(move |(r, round)| Some((r, round.walker.iter().position(|&v| v == w)?)));
            let all: Vec<(usize, usize)> = walkers.iter().flat_map(|&w| place(w)).collect();
            // One of them is empty.
            let mut lists = vec![Moves::default(); 1 + step % 5];
            lists.iter_mut().for_each(Moves::clear);
            let last = lists.len() - 1;
            let list = |r: usize, i: usize| if last < 2 { 0 } else { rounds[r].walker[i] as usize % 2 * last };
            let mut all = all;
            all.sort_by_key(|&(r, i)| list(r, i));
            all.iter().for_each(|&(r, i)| push_one(&mut lists[list(r, i)], &rounds[r], i));
            together.attempt(&lists, &mut misfits).unwrap();
            for (r, round) in rounds.iter().enumerate() {
                alone.attempt(from_ref(round), &mut expected).unwrap();
                alone.settle(&vec![false; round.len()]).unwrap();
                for (at, &(_, i)) in all.iter().enumerate().filter(|(_, of)| of.0 == r) {
                    let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(&misfits[at * m..(at + 1) * m]), bits(&expected[i * m..(i + 1) * m]), "{name}");
                }
            }
            let mut choices = vec![false; all.len()];
            let mut kept = Moves::default();
            kept.clear();
            for &w in &walkers {
                let own: Vec<usize> = (0..all.len()).filter(|&at| rounds[all[at].0].walker[all[at].1] == w).collect();
                if !own.is_empty() && rng.random::<f64>() < 0.7 {
                    let chosen = rng.random_range(0..own.len());
                    kept_of[chosen] += 1;
                    choices[own[chosen]] = true;
                    let (r, i) = all[own[chosen]];
                    push_one(&mut kept, &rounds[r], i);
                }
            }
            together.settle(&choices).unwrap();
            alone.attempt(from_ref(&kept), &mut expected).unwrap();
            alone.settle(&vec![true; kept.len()]).unwrap();
        }
    }
    println!("{}: kept {kept_of:?} of first to last rivals", engine.describe());
    assert!(kept_of.iter().all(|n| *n > 100));
}

#[test]
fn rivals_are_judged_as_if_each_were_alone() {
    for precision in [Precision::F32, Precision::F64] {
        judge_rivals(&Cpu::new(precision).expect("an instruction set"));
    }
    judge_rivals(&Oracle);
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for precision in [Precision::F32, Precision::F64] {
        for terms in fixtures::compositions() {
            for kind in [Kind::Gaussian { signal: 100.0 }, Kind::Poisson { counts: 200.0 }] {
                if fixtures::crosses_zero(&terms) && matches!(kind, Kind::Poisson { .. }) {
                    continue;
                }
                let fixture = fixture(157, kind, &terms, 3);
                let traces: Vec<_> = cpu::available()
                    .into_iter()
                    .map(|level| trace(&Cpu::with_level(precision, level).expect("available"), &fixture, 20).expect("runs"))
                    .collect();
                assert!(traces.iter().all(|t| *t == traces[0]), "{precision:?} {kind:?} {:?}", terms.last());
            }
        }
    }
}

#[test]
fn an_instruction_set_that_is_not_there_is_refused_by_name() {
    let error = Cpu::with_level(Precision::F32, "altivec").expect_err("no such machine").to_string();
    assert!(error.contains("altivec") && error.contains(cpu::available()[0]), "{error}");
}

/// Misfits are a function of the coefficients: a walker that went a long way and one loaded at its end agree to the order of one sum.
#[test]
fn nothing_drifts() {
    let (background, gaussian) = (find("chebyshev").expect("listed"), find("gaussian").expect("listed"));
    let Fixture { problem, .. } = fixture(500, Kind::Gaussian { signal: 300.0 }, &[(background, 1, 1), (gaussian, 0, 4)], 8);
    let engine = Cpu::new(Precision::F32).expect("an instruction set");
    let mut rng = fixtures::random(9);
    let mut roster = Roster::default();
    roster.push(&problem, 1);
    let mut tile = engine.tile(roster).expect("a tile");
    let mut state = coefficients(&problem, &draw(&problem, false, &mut rng)).expect("admissible");
    let (mut misfits, mut moved) = (Vec::new(), Vec::new());
    tile.load(&[0], &state, &mut misfits).expect("loads");
    for step in 0..5000 {
        let c = coefficients(&problem, &draw(&problem, step % 4 == 0, &mut rng)).expect("admissible");
        let term = rng.random_range(0..problem.terms.len());
        let mut moves = Moves::default();
        moves.clear();
        push_move(&mut moves, &problem, 0, &[term], &c);
        tile.attempt(from_ref(&moves), &mut moved).expect("runs");
        tile.settle(&[true]).expect("settles");
        let range = problem.terms[term].at..problem.terms[term].at + problem.terms[term].extent.len();
        state[range.clone()].copy_from_slice(&c[range]);
    }
    tile.load(&[0], &state, &mut misfits).expect("loads");
    assert!((moved[0] - misfits[0]).abs() <= 1e-6 * misfits[0], "{moved:?} after 5000 moves, {misfits:?} from scratch");
}

/// What a broken engine does.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The first coefficient of every attempt is larger by 10⁻³ of itself.
    Coefficient,
    /// Every 20th choice is forgotten.
    Settle,
    /// Every misfit is that of one point more: 10⁻⁴ of it is added.
    Misfit,
    /// Misfits depend on how many are asked for at once: 10⁻⁹ is added for each.
    Crowd,
    /// What fits worse than anything that β = 1 sees is refused.
    Far,
}

/// Beyond this is far: at β = 1 yardstick A has a misfit of some 700 with one peak.
const FAR: f64 = 900.0;

/// An engine with a fault.
pub struct Broken<'e>(pub &'e dyn Engine, pub Fault);

struct BrokenTile<'p> {
    tile: Box<dyn Tile + 'p>,
    fault: Fault,
    settled: usize,
}

impl Engine for Broken<'_> {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn describe(&self) -> String {
        format!("{:?}", self.1)
    }

    fn numbers(&self) -> Numbers {
        self.0.numbers()
    }

    fn tiling(&self) -> Tiling {
        if matches!(self.1, Fault::Crowd) { Tiling::Halves } else { self.0.tiling() }
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        Ok(Box::new(BrokenTile { tile: self.0.tile(roster)?, fault: self.1, settled: 0 }))
    }
}

impl Tile for BrokenTile<'_> {
    fn load(&mut self, walkers: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        self.tile.load(walkers, coefficients, misfits)
    }

    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        let mut moves = moves.to_vec();
        if let (Fault::Coefficient, Some(c)) = (self.fault, moves.iter_mut().find_map(|list| list.coefficients.first_mut())) {
            *c *= 1.001;
        }
        self.tile.attempt(&moves, misfits)?;
        if matches!(self.fault, Fault::Misfit) {
            misfits.iter_mut().for_each(|m| *m *= 1.0001);
        }
        if matches!(self.fault, Fault::Far) {
            misfits.iter_mut().filter(|m| **m > FAR).for_each(|m| *m = SENTINEL);
        }
        if matches!(self.fault, Fault::Crowd) {
            misfits.iter_mut().for_each(|m| *m += 1e-9 * count(&moves) as f64);
        }
        Ok(())
    }

    fn settle(&mut self, choices: &[bool]) -> Result<()> {
        let mut choices = choices.to_vec();
        for choice in &mut choices {
            self.settled += 1;
            if matches!(self.fault, Fault::Settle) && self.settled.is_multiple_of(20) {
                *choice = false;
            }
        }
        self.tile.settle(&choices)
    }
}

/// Holds that the comparison rejects the engine with each fault on most problems.
pub fn reject(engine: &dyn Engine, tolerance: &Tolerance) {
    for fault in [Fault::Coefficient, Fault::Settle, Fault::Misfit] {
        let engine = Broken(engine, fault);
        let (mut seen, mut all) = (0, 0);
        for (i, (_, fixture, steps)) in problems().into_iter().enumerate().step_by(4) {
            let found = compare(&engine, &fixture, steps, 1000 + i as u64).expect("runs");
            seen += usize::from(!found.within(tolerance));
            all += 1;
        }
        println!("{fault:?}: rejected on {seen} of {all} problems");
        assert!(seen * 2 > all, "{fault:?} was rejected on {seen} of {all} problems only");
    }
}

#[test]
fn a_broken_engine_is_rejected() {
    reject(&Cpu::new(Precision::F32).expect("an instruction set"), &F32);
}
