//! Every engine against the oracle on the states a run visits: the oracle leads the sampler, the other engine follows move by move, and
//! each decides every move for itself with the same random number.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::engine::oracle::Oracle;
use keisoku::engine::{Engine, Moves, Numbers, Roster, Tile, Tiling};
use keisoku::error::Result;
use keisoku::models::find;
use keisoku::noise;
use keisoku::problem::Problem;
use keisoku::sampler::{Settings, run};
use rand::RngExt;

use crate::equivalence::{Broken, Fault, HOPELESS};
use crate::equivalence_gpu::{gpu, keeping};
use crate::fixtures::{Fixture, Kind, fixture};

/// What a follower may be off by at a walker's own β, in nats: the budget of every engine.
const BUDGET: f64 = 0.01;
/// A move off by more than this is counted.
const SMALL: f64 = 1e-3;
/// At most this share of moves may be.
const SHARE: f64 = 1e-3;
/// Beyond so many nats both ways a move is decided, whatever the ratio of priors (their kernels vary by less than e^20 here).
const DECIDED: f64 = 60.0;
/// Sweeps a copy makes in all and those that are left when adaptation has ended.
const SWEEPS: (usize, usize) = (312, 200);

/// What was found while the oracle led. A decision falls where ln u is below ln ratio, which is the sampler's own ratio of priors and
/// proposals less β ΔU.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// Moves compared.
    moves: usize,
    /// Moves that both engines find hopeless or irresistible.
    decided: usize,
    /// Moves whose log ratios differ by more than [`SMALL`].
    beyond: usize,
    /// Σ |β(ΔU_follower − ΔU_oracle)|: as many decisions are expected to differ at most (an acceptance probability has slope at most 1 in
    /// its logarithm).
    sum: f64,
    /// The largest.
    worst: f64,
    /// Largest |β(U_follower − U_oracle)| of a state that a move led to.
    state: f64,
    /// Moves with ln u within [`BUDGET`] of the oracle's ln ratio.
    ties: usize,
    /// As many of them are expected: Σ of the probabilities that ln u falls there.
    expected_ties: f64,
    /// Ties that the follower decides otherwise than the oracle.
    differ: usize,
    /// Other moves that it decides otherwise.
    wrong: usize,
}

impl Found {
    fn share(&self) -> f64 {
        self.beyond as f64 / self.moves as f64
    }

    /// Takes one move: the oracle's log ratio, the follower's, and ln u.
    fn decide(&mut self, truth: f64, seen: f64, ln_u: f64) {
        let tie = (ln_u - truth).abs() <= BUDGET;
        let otherwise = usize::from((ln_u < truth) != (ln_u < seen));
        self.ties += usize::from(tie);
        self.expected_ties += (truth + BUDGET).min(0.0).exp() - (truth - BUDGET).min(0.0).exp();
        *(if tie { &mut self.differ } else { &mut self.wrong }) += otherwise;
    }

    /// Whether ln u is as often near the ratio as it has to be. Given the past, each tie is a coin of known probability, and the count
    /// less its expectation has at most the variance of that expectation: beyond five standard errors, and one tie for its being a
    /// count, in fewer than one of 10⁶ runs. No more than 1 − e^(−2·.01) of all moves are expected, wherever the ratios lie.
    fn ties_fit(&self) -> bool {
        let most = -(-2.0 * BUDGET).exp_m1() * self.moves as f64;
        (self.ties as f64 - self.expected_ties).abs() <= 5.0 * self.expected_ties.sqrt() + 1.0 && self.expected_ties <= most
    }

    /// Whether the ties decided otherwise are as few as the differences of the log ratios let expect, by the same bound.
    fn differences_fit(&self) -> bool {
        self.differ as f64 <= self.sum + 5.0 * self.sum.sqrt() + 1.0
    }

    fn fits(&self) -> bool {
        let ratios = self.worst <= BUDGET && self.state <= BUDGET && self.share() <= SHARE;
        ratios && self.wrong == 0 && self.ties_fit() && self.differences_fit()
    }
}

/// An engine that asks two and answers as the oracle does.
struct Led<'e> {
    follower: &'e dyn Engine,
    /// Whether adaptation is over.
    frozen: AtomicBool,
    found: Mutex<Found>,
}

/// A tile on both engines.
struct LedTile<'l> {
    led: &'l Led<'l>,
    truth: Box<dyn Tile + 'l>,
    follower: Box<dyn Tile + 'l>,
    problem_of: Vec<&'l Problem>,
    /// Energies of the walkers' states: the oracle's and the follower's.
    energy: Vec<(f64, f64)>,
    /// Walkers of the last attempt and the energies they would have.
    trial: Vec<(usize, (f64, f64))>,
    /// What the oracle decides of each of them; none where the sampler asks nobody.
    verdict: Vec<Option<bool>>,
    seen: Vec<f64>,
}

impl Engine for Led<'_> {
    fn name(&self) -> &'static str {
        "led"
    }

    fn describe(&self) -> String {
        format!("the oracle leading {}", self.follower.describe())
    }

    // Those of the oracle, whose answers it gives: a run does not probe it, for every move is compared here.
    fn numbers(&self) -> Numbers {
        Numbers::F64
    }

    fn tiling(&self) -> Tiling {
        self.follower.tiling()
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        let mut problem_of = Vec::new();
        for (l, problem) in roster.problems.iter().enumerate() {
            problem_of.extend(std::iter::repeat_n(*problem, roster.first[l + 1] - roster.first[l]));
        }
        Ok(Box::new(LedTile {
            led: self,
            energy: vec![(f64::INFINITY, f64::INFINITY); problem_of.len()],
            truth: Oracle.tile(roster.clone())?,
            follower: self.follower.tile(roster)?,
            problem_of,
            trial: Vec::new(),
            verdict: Vec::new(),
            seen: Vec::new(),
        }))
    }
}

impl LedTile<'_> {
    /// Energies of these walkers from both engines' misfits. No problem here has a free noise parameter.
    fn energies(&self, walkers: &[u32], truth: &[f64]) -> Vec<(usize, (f64, f64))> {
        let mut at = 0;
        let each = |&w: &u32| {
            let problem = self.problem_of[w as usize];
            let own = at..at + problem.measurements.len();
            at = own.end;
            let energy = |misfits: &[f64]| noise::energy(problem, misfits, &[]);
            (w as usize, (energy(&truth[own.clone()]), energy(&self.seen[own])))
        };
        walkers.iter().map(each).collect()
    }

    /// Weighs the follower's energies of the last attempt against the oracle's, and has both decide.
    fn compare(&mut self, moves: &[Moves]) {
        let followed = |list: &Moves| (0..list.len()).map(|i| (list.beta[i], list.ln_ratio[i], list.stream[i].clone())).collect::<Vec<_>>();
        let followed: Vec<_> = moves.iter().flat_map(followed).collect();
        assert_eq!(followed.len(), self.trial.len());
        let mut found = self.led.found.lock().unwrap();
        for (&(w, (truth, seen)), (beta, ln_ratio, mut stream)) in self.trial.iter().zip(followed) {
            assert!(!truth.is_nan() && !seen.is_nan());
            let from = self.energy[w];
            let (change, change_seen) = (beta * (truth - from.0), beta * (seen - from.1));
            if beta == 0.0 {
                // Accepted whatever the energy.
                self.verdict.push(None);
                continue;
            }
            found.moves += 1;
            let ln_u = stream.random::<f64>().ln();
            found.decide(ln_ratio - change, ln_ratio - change_seen, ln_u);
            self.verdict.push(Some(ln_u < ln_ratio - change));
            if change.min(change_seen) > DECIDED || change.max(change_seen) < -DECIDED || truth.min(seen) > HOPELESS {
                found.decided += 1;
                continue;
            }
            let off = (change_seen - change).abs();
            found.beyond += usize::from(off > SMALL);
            found.sum += off;
            found.worst = found.worst.max(off);
            found.state = found.state.max((beta * (seen - truth)).abs());
        }
    }

    /// Both engines' energies of the last attempt, compared once the run is frozen.
    fn weigh(&mut self, moves: &[Moves], truth: &[f64]) {
        assert_eq!(self.seen.len(), truth.len());
        let walkers: Vec<u32> = moves.iter().flat_map(|list| &list.walker).copied().collect();
        self.trial = self.energies(&walkers, truth);
        self.verdict.clear();
        if self.led.frozen.load(Ordering::Relaxed) {
            self.compare(moves);
        }
    }
}

impl Tile for LedTile<'_> {
    fn load(&mut self, walkers: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        self.follower.load(walkers, coefficients, &mut self.seen)?;
        self.truth.load(walkers, coefficients, misfits)?;
        for (w, energy) in self.energies(walkers, misfits) {
            self.energy[w] = energy;
        }
        Ok(())
    }

    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        self.submit(moves)?;
        self.collect(moves, misfits)
    }

    fn submit(&mut self, moves: &[Moves]) -> Result<()> {
        self.follower.submit(moves)
    }

    fn collect(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        self.follower.collect(moves, &mut self.seen)?;
        self.truth.attempt(moves, misfits)?;
        self.weigh(moves, misfits);
        Ok(())
    }

    fn follows(&self) -> bool {
        true
    }

    fn settle(&mut self, choices: &[bool]) -> Result<()> {
        // What is weighed here is what the sampler decides: to one rounding of exp and ln, which no move of these runs falls into.
        for (verdict, choice) in self.verdict.iter().zip(choices) {
            assert!(verdict.is_none_or(|v| v == *choice), "the sampler decides otherwise");
        }
        for (&(w, energy), &keep) in self.trial.iter().zip(choices) {
            if keep {
                self.energy[w] = energy;
            }
        }
        self.follower.settle(choices)?;
        self.truth.settle(choices)
    }
}

/// Samples the problem with the oracle in the lead and compares every move of the frozen sweeps.
fn lead(follower: &dyn Engine, problem: &Problem) -> Found {
    let led = Led { follower, frozen: AtomicBool::new(false), found: Mutex::default() };
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 1, copies: 2, proposals: 1, max_sweeps: SWEEPS.0, most_rows: 1000, deadline: None, stop: &stop };
    // First asked when the last adapting round is over; the room that is left is then taken whole.
    let judge = |_: &Problem, _: &keisoku::sampler::Sampled| {
        led.frozen.store(true, Ordering::Relaxed);
        f64::from(u8::MAX)
    };
    let sampled = run(&led, std::slice::from_ref(problem), &settings, &judge).unwrap().remove(0);
    assert_eq!((sampled.burn_in, sampled.copies[0].sweeps), (SWEEPS.0 - SWEEPS.1, SWEEPS.1));
    let found = *led.found.lock().unwrap();
    assert!(found.moves > SWEEPS.1 * (sampled.betas.len() - 1), "hardly a move a sweep was compared: {found:?}");
    found
}

/// K = 3 on 301 points, counts on a background, and a Mössbauer site.
fn problems() -> Vec<(&'static str, Fixture)> {
    let [background, gaussian, voigt, site] = ["chebyshev", "gaussian", "pseudo-voigt", "mossbauer-site"].map(|n| find(n).expect("listed"));
    vec![
        ("three Gaussians", fixture(301, Kind::Gaussian { signal: 10.0 }, &[(gaussian, 0, 3)], 1)),
        ("counts", fixture(301, Kind::Poisson { counts: 500.0 }, &[(background, 1, 1), (voigt, 0, 2)], 2)),
        ("Mössbauer site", fixture(256, Kind::Gaussian { signal: 100.0 }, &[(background, 0, 1), (site, 0, 1)], 3)),
    ]
}

/// The comparison on all problems, printed and held.
fn hold(follower: &dyn Engine) {
    for (name, fixture) in problems() {
        let found = lead(follower, &fixture.problem);
        println!(
            "{name:>16}, {}: {} moves, {} decided; β ΔΔU at worst {:.1e}, beyond {SMALL} in {:.4} %; β δU at worst {:.1e}",
            follower.describe(),
            found.moves,
            found.decided,
            found.worst,
            100.0 * found.share(),
            found.state,
        );
        println!(
            "{:>16}  ln u within {BUDGET} of ln ratio in {} moves ({:.2} %; {:.1} expected); decided otherwise: {} of these ({:.2} \
             expected at most), {} others",
            "",
            found.ties,
            100.0 * found.ties as f64 / found.moves as f64,
            found.expected_ties,
            found.differ,
            found.sum,
            found.wrong,
        );
        assert!(found.decided < found.moves, "nothing was weighed");
        assert!(found.fits(), "{name}: {found:?}");
    }
}

#[test]
fn the_cpu_follows_in_f32() {
    hold(&Cpu::new(Precision::F32).unwrap());
}

#[test]
fn the_cpu_follows_in_f64() {
    hold(&Cpu::new(Precision::F64).unwrap());
}

#[test]
fn the_gpu_follows() {
    let Some(gpu) = gpu() else { return };
    hold(gpu);
}

#[test]
fn the_gpu_follows_where_totals_are_kept() {
    let Some(gpu) = keeping() else { return };
    hold(gpu);
}

/// A run on a device that keeps totals tells their drift, and a problem's records and drift are its own, to the bit, whatever runs beside it.
#[test]
fn kept_totals_and_their_drift_do_not_depend_on_company() {
    let Some(gpu) = keeping() else { return };
    let all: Vec<Problem> = problems().into_iter().map(|(_, fixture)| fixture.problem).collect();
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 1, copies: 2, proposals: 2, max_sweeps: 64, most_rows: 64, deadline: None, stop: &stop };
    let go = |problems: &[Problem]| run(gpu, problems, &settings, &|_, _| 1.0).unwrap();
    let (alone, among) = (go(&all[..1]).remove(0), go(&all).remove(0));
    println!("drift {:.1e}", alone.drift);
    assert!(alone.drift > 0.0 && alone.drift < 2.0 * BUDGET, "{}", alone.drift);
    assert_eq!((alone.drift.to_bits(), &alone.copies), (among.drift.to_bits(), &among.copies));
}

/// Engines with a fault do not follow: one fault a problem.
#[test]
fn a_broken_engine_does_not_follow() {
    let cpu = Cpu::new(Precision::F32).unwrap();
    let mut wrong = 0;
    for (fault, (name, fixture)) in [Fault::Coefficient, Fault::Settle, Fault::Misfit].into_iter().zip(problems()) {
        let found = lead(&Broken(&cpu, fault), &fixture.problem);
        println!("{name:>16}, {fault:?}: {found:?}");
        assert!(!found.fits(), "{fault:?} on {name} was not seen: {found:?}");
        wrong += found.wrong;
    }
    // Decisions alone give a broken engine away too: some hundreds, nearly all of the forgotten choices.
    assert!(wrong > 100, "{wrong} decisions are wrong beyond ties");
}

/// Uniform numbers that lie near the ratio twice as often as they must, and decisions that differ more often, are seen.
#[test]
fn too_many_ties_are_seen() {
    let good = Found { moves: 10_000, ties: 100, expected_ties: 100.0, sum: 0.1, differ: 1, ..Found::default() };
    assert!(good.fits());
    assert!(!Found { ties: 200, ..good }.fits());
    assert!(!Found { ties: 40, ..good }.fits());
    assert!(!Found { ties: 300, expected_ties: 300.0, ..good }.fits());
    assert!(!Found { differ: 3, ..good }.fits());
    assert!(!Found { wrong: 1, ..good }.fits());
}
