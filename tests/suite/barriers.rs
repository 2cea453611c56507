//! The communication barrier against closed forms: a normal target of 2, 10 and 30 dimensions, whose Λ(β), exchange rates and F(β) are known.

use std::sync::atomic::AtomicBool;

use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::evidence;
use keisoku::posterior::{Targets, shortfall};
use keisoku::prior::Prior;
use keisoku::problem::{self, Problem};
use keisoku::sampler::{self, Sampled, Settings, diagnostics, ladder};
use keisoku::spec::{Candidate, Parameter};

use crate::specs;

/// The prior N(0, 1) in d directions, and U = κ|θ|²/2 up to a constant: at β the directions are N(0, 1/(1 + κβ)), and U a Gamma variable of
/// shape d/2 and rate (1 + κβ)/κ.
#[derive(Clone, Copy, Debug)]
struct Normal {
    d: usize,
    kappa: f64,
}

impl Normal {
    /// A polynomial given by its values at the Chebyshev nodes, measured there and nowhere else: 0 ± 1/√κ.
    fn problem(self) -> Problem {
        let d = self.d;
        let x = (0..d).rev().map(|j| (std::f64::consts::PI * (j as f64 + 0.5) / d as f64).cos()).collect();
        let terms = vec![specs::term("chebyshev", d - 1, vec![Parameter::Free(Prior::Normal { mean: 0.0, sd: 1.0 }); d])];
        let candidate = Candidate { label: "only".into(), k: None, terms: vec![(0, 0, 1)], model_error: 0.0 };
        let spec = specs::spec((-1.0, 1.0), specs::sigma(self.kappa.powf(-0.5)), terms, vec![candidate]);
        problem::build(&spec, &specs::frame("normal", x, vec![0.0; d])).unwrap().remove(0)
    }

    /// ½⟨|U − U′|⟩ of a Gamma variable of shape k in units of its scale: Γ(k + ½)/(Γ(k)√π).
    fn half_difference(self) -> f64 {
        let k = 0.5 * self.d as f64;
        (libm::lgamma(k + 0.5) - libm::lgamma(k)).exp() / std::f64::consts::PI.sqrt()
    }

    /// λ(β).
    fn local(self, beta: f64) -> f64 {
        self.half_difference() * self.kappa / (1.0 + self.kappa * beta)
    }

    /// Λ from β to β′, the integral of λ.
    fn between(self, low: f64, high: f64) -> f64 {
        self.half_difference() * ((1.0 + self.kappa * high) / (1.0 + self.kappa * low)).ln()
    }

    /// The rate at which a pair rejects: 1 − 2 I_{1/(1+ρ)}(d/2, d/2) where ρ is the ratio of the rates of U.
    fn rejection(self, low: f64, high: f64) -> f64 {
        let (rho, k) = ((1.0 + self.kappa * high) / (1.0 + self.kappa * low), 0.5 * self.d as f64);
        1.0 - 2.0 * puruspe::betai(k, k, 1.0 / (1.0 + rho))
    }

    /// F of the likelihood to the power β.
    fn free_energy(self, beta: f64) -> f64 {
        let d = self.d as f64;
        0.5 * d * (beta * (2.0 * std::f64::consts::PI / self.kappa).ln() + (1.0 + self.kappa * beta).ln())
    }
}

const COPIES: usize = 8;
/// |t| of 7 degrees of freedom is larger once in 1000, and of 15 once in 10⁵: eight copies, sixteen blocks.
const ERRORS_OF_COPIES: f64 = 5.41;
const ERRORS_OF_F: f64 = 6.5;
/// A normal variable is that far off once in 147 000.
const ERRORS: f64 = 4.5;

fn sample(problem: Problem, (ess, free_energy_se): (f64, f64)) -> Sampled {
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 47, copies: COPIES, proposals: 1, max_sweeps: 20_000, most_rows: 8000, deadline: None, stop: &stop };
    let targets = Targets { ess, free_energy_se, round_trips: 10 };
    let judge = |problem: &Problem, sampled: &Sampled| shortfall(problem, sampled, &targets);
    sampler::run(&Cpu::new(Precision::F32).unwrap(), &[problem], &settings, &judge).unwrap().remove(0)
}

/// Pairs of neighbouring rungs.
fn pairs(sampled: &Sampled) -> impl Iterator<Item = (f64, f64)> + '_ {
    sampled.betas.windows(2).map(|b| (b[0], b[1]))
}

/// F at every rung, each within 6.5 of its own errors. That of data twice as precise is rejected in the middle of the ladder.
fn free_energies(case: Normal, sampled: &Sampled) {
    let free = evidence::free_energy(sampled).unwrap();
    let off = |case: Normal, r: usize| (free.rungs[r] - case.free_energy(sampled.betas[r])) / free.rung_se[r];
    let rungs = sampled.betas.len();
    let largest = (1..rungs).map(|r| off(case, r).abs()).fold(0.0, f64::max);
    println!("F {:.4} ± {:.4}, {:+.2} errors; largest of {rungs} rungs {largest:.2}", free.value, free.se, off(case, rungs - 1));
    assert!(free.rung_se[0] == 0.0 && free.rung_se[rungs - 1] == free.se && free.se < 0.15);
    assert!(largest < ERRORS_OF_F, "F at a rung is {largest} errors off");
    assert!(off(Normal { kappa: 2.0 * case.kappa, ..case }, rungs / 2).abs() > ERRORS_OF_F, "the mutant would pass");
}

/// λ at every rung. Rows of a copy follow one another, so that their number is the effective one; neighbouring pairs of copies share one, by
/// which the variance of their mean is at most doubled (Hoeffding 1948). About 30 numbers at 4.5 errors.
fn local_barriers(case: Normal, sampled: &Sampled) {
    let (local, rungs) = (sampled.local_barrier(), sampled.betas.len());
    let mut worst = 0.0f64;
    for (r, (&beta, &got)) in sampled.betas.iter().zip(&local).enumerate() {
        let chains: Vec<Vec<f64>> = sampled.copies.iter().map(|c| c.energies.iter().skip(r).step_by(rungs).copied().collect()).collect();
        // |U − U′| has the mean 2λ and the mean square 2 Var U: its half scatters by √(Var U/2 − λ²).
        let variance = 0.5 * case.d as f64 * (case.kappa / (1.0 + case.kappa * beta)).powi(2);
        let exact = case.local(beta);
        let error = ((0.5 * variance - exact * exact) * 2.0 / diagnostics::ess_mean(&chains)).sqrt();
        let off = (got - exact) / error;
        worst = worst.max(off.abs());
        assert!(off.abs() < ERRORS, "λ({beta}) = {got} for {exact}: {off} errors");
        assert!((2.0 * got - exact).abs() > ERRORS * error, "without its half it would pass");
    }
    println!("λ at {rungs} rungs: largest {worst:.2} errors off");
}

/// Λ of the run's own ladder, whatever it is: each copy's estimate against what the exact rates give, within 5.4 standard errors of eight
/// copies; and what the exact rates give against Λ. Their plain sum is low.
fn whole_barrier(case: Normal, sampled: &Sampled) {
    let exact: Vec<f64> = pairs(sampled).map(|(low, high)| case.rejection(low, high)).collect();
    let own: Vec<f64> = sampled.copies.iter().map(|c| ladder::barrier(&ladder::rejection(&c.accepted, &c.tried))).collect();
    let mean = own.iter().sum::<f64>() / own.len() as f64;
    let se = (own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (own.len() * (own.len() - 1)) as f64).sqrt();
    let (whole, plain, told) = (case.between(0.0, 1.0), exact.iter().sum::<f64>(), ladder::barrier(&exact));
    println!(
        "Λ {whole:.3}; exact rates give {told:.3} ({:+.2} %), their sum {plain:.3} ({:+.2} %); the run {:.3}, copies {mean:.3} ± {se:.3}",
        100.0 * (told / whole - 1.0),
        100.0 * (plain / whole - 1.0),
        sampled.barrier()
    );
    assert!((mean - told).abs() < ERRORS_OF_COPIES * se && se < 0.02 * whole, "Λ {mean} ± {se} for {told}");
    assert!((told / whole - 1.0).abs() < 0.03, "the ladder's Λ is {told} for {whole}");
    assert!(plain / whole < 0.97 && (mean - plain).abs() > ERRORS_OF_COPIES * se, "the sum of the rates would pass");
    // Equal shares of the barrier to each pair is what the ladder is adapted for.
    let share = whole / exact.len() as f64;
    let shares: Vec<f64> = pairs(sampled).map(|(low, high)| case.between(low, high) / share).collect();
    println!("{} pairs, shares {shares:.2?}", exact.len());
}

fn normal(d: usize, kappa: f64, targets: (f64, f64)) {
    let case = Normal { d, kappa };
    let began = std::time::Instant::now();
    let sampled = sample(case.problem(), targets);
    println!("d = {d}: {} rungs, {} sweeps, {:.1} s", sampled.betas.len(), sampled.copies[0].sweeps, began.elapsed().as_secs_f64());
    assert!(sampled.settled);
    free_energies(case, &sampled);
    local_barriers(case, &sampled);
    whole_barrier(case, &sampled);
}

#[test]
fn the_barrier_of_a_normal_in_two_dimensions_comes_out() {
    // So many draws, nearly independent here, tell Λ from the sum of the rates.
    normal(2, 1000.0, (30_000.0, 0.012));
}

#[test]
fn the_barrier_of_a_normal_in_ten_dimensions_comes_out() {
    normal(10, 100.0, (1000.0, 0.05));
}

#[test]
fn the_barrier_of_a_normal_in_thirty_dimensions_comes_out() {
    normal(30, 100.0, (300.0, 0.1));
}

/// Rates, λ and Λ of the closed forms fit together: a pair rejects what λ says in the limit, and a ladder of 20Λ rungs adds up to Λ.
#[test]
fn closed_forms_of_the_normal_agree() {
    for case in [Normal { d: 2, kappa: 1000.0 }, Normal { d: 10, kappa: 100.0 }, Normal { d: 30, kappa: 100.0 }] {
        let (whole, rungs) = (case.between(0.0, 1.0), (20.0 * case.between(0.0, 1.0)) as usize);
        let at = |i: usize| ((1.0 + case.kappa).powf(i as f64 / rungs as f64) - 1.0) / case.kappa;
        let rates: Vec<f64> = (0..rungs).map(|i| case.rejection(at(i), at(i + 1))).collect();
        for i in (0..=10).map(|i| i * rungs / 10) {
            let (cumulated, exact) = (rates[..i].iter().sum::<f64>(), case.between(0.0, at(i)));
            assert!((cumulated - exact).abs() < 0.01 * whole.max(1.0), "{case:?}: {cumulated} for {exact}");
        }
        for beta in [0.0, 0.1, 1.0] {
            let step = 1e-4 * (1.0 + case.kappa * beta) / case.kappa;
            assert!((case.rejection(beta, beta + step) / (case.local(beta) * step) - 1.0).abs() < 1e-3);
        }
    }
}

/// Data that say nothing: all energies are equal, so that every exchange is accepted and every walker goes round, two sweeps to a rung. On n rungs
/// the walker that begins at phase p of its circle of 2n sweeps comes to β = 1 at sweeps t ≡ n − 1 − p (mod 2n), and to β = 0 half a circle
/// later; either is a journey from t = n on.
#[test]
fn forced_exchange_makes_an_exact_number_of_round_trips() {
    let level = Parameter::Free(Prior::Normal { mean: 0.0, sd: 1.0 });
    let candidate = Candidate { label: "only".into(), k: None, terms: vec![(0, 0, 1)], model_error: 0.0 };
    let spec = specs::spec((-1.0, 1.0), specs::sigma(1e12), vec![specs::term("chebyshev", 0, vec![level])], vec![candidate]);
    let problems = problem::build(&spec, &specs::frame("flat", vec![-0.5, 0.0, 0.5], vec![0.0, 1.0, 2.0])).unwrap();
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 61, copies: 3, proposals: 1, max_sweeps: 6000, most_rows: 1000, deadline: None, stop: &stop };
    let sampled = sampler::run(&Cpu::new(Precision::F64).unwrap(), &problems, &settings, &|_, _| 2.0).unwrap().remove(0);
    let (n, first) = (sampled.betas.len(), sampled.burn_in % 2);
    let phase = |rung: usize| if rung % 2 == first { rung } else { 2 * n - 1 - rung };
    let mut round_trips = 0;
    for copy in &sampled.copies {
        assert_eq!(copy.accepted, copy.tried, "an exchange was refused");
        let journeys = |at: usize| (0..n).map(|r| (n..=copy.sweeps).filter(|t| (t + phase(r)) % (2 * n) == at).count() as u64).sum::<u64>();
        assert_eq!(copy.journeys, [journeys(n - 1), journeys(2 * n - 1)]);
        // One arrival at either end every other sweep.
        assert!(copy.journeys[0].abs_diff(copy.sweeps as u64 / 2) <= n as u64 && copy.sweeps > 20 * n);
        assert_ne!(copy.journeys[0], copy.sweeps as u64 / 2, "a count of all arrivals would pass");
        round_trips += copy.journeys[0] + copy.journeys[1];
    }
    assert_eq!(sampled.round_trips(), round_trips / 2);
    assert_eq!(sampled.restarts(), sampled.copies.iter().map(|c| c.journeys[0]).sum::<u64>());
    assert!(sampled.local_barrier().iter().all(|l| *l == 0.0) && sampled.barrier() < 0.01);
    println!("{n} rungs, {} sweeps: {} round trips", sampled.copies[0].sweeps, sampled.round_trips());
}
