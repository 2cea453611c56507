//! A posterior along a curve: the binomial that tells a product of two probabilities and nothing else.
//!
//! n trials and y successes of probability p₁p₂, both uniform (Syed, Bouchard-Côté, Deligiannidis, Doucet 2022; Surjanovic, Biron-Lattes,
//! Tiede, Syed, Campbell, Bouchard-Côté, Pigeons, J. Open Source Softw. 10 (2025) 7139). The product has the density −ln p, so that F at
//! every β and all moments of U are one-dimensional integrals.

use std::sync::atomic::AtomicBool;

use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::evidence;
use keisoku::models::{self, DefaultPrior, Extent, Golden, Inadmissible, Model, Quantity, Role, Setup, ShapeKind, Unit};
use keisoku::posterior::{Targets, shortfall};
use keisoku::prior::Prior;
use keisoku::problem::{self, Problem};
use keisoku::sampler::{self, Sampled, Settings, diagnostics};
use keisoku::spec::{Candidate, Noise, Parameter, Term, Width};

use crate::specs;

/// Trials; half of them succeed.
const TRIALS: f64 = 100_000.0;

/// Successes and failures, expected to be n p₁p₂ and n(1 − p₁p₂), as two counts at x = −1 and 1: their sum is always n, so that the product
/// of two Poisson probabilities is the binomial one times a constant. A straight line goes through any two points.
static PRODUCT: Model = Model::of::<Product>(ShapeKind::Line);

struct Product;

impl models::Term for Product {
    type Shape = models::line::Line;
    const NAME: &'static str = "product";
    const TITLE: &'static str = "";
    const ABOUT: &'static str = "";
    const LINEAR: bool = false;

    fn parameters(_: usize) -> Vec<Quantity> {
        let probability = |name: &str| Quantity {
            name: name.into(),
            unit: Unit::One,
            role: Role::Other,
            bounds: (0.0, 1.0),
            prior: DefaultPrior::Uniform(0.0, 1.0),
            about: "",
        };
        vec![probability("p1"), probability("p2")]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 2 }
    }

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        out[0] = 0.5 * TRIALS / setup.scale;
        out[1] = (0.5 - theta[0] * theta[1]) * TRIALS / setup.scale;
        Ok(())
    }

    fn golden() -> Vec<Golden> {
        Vec::new()
    }
}

fn problem() -> Problem {
    let uniform = Parameter::Free(Prior::Uniform { low: 0.0, high: 1.0 });
    let term = Term {
        name: "product".into(),
        model: &PRODUCT,
        size: 0,
        count: (1, 1),
        counted: false,
        height: false,
        width: Width::Fwhm,
        parameters: vec![uniform.clone(), uniform],
    };
    let candidate = Candidate { label: "only".into(), k: None, terms: vec![(0, 0, 1)], model_error: 0.0 };
    let spec = specs::spec((-1.0, 1.0), Noise::Poisson, vec![term], vec![candidate]);
    problem::build(&spec, &specs::frame("trials", vec![-1.0, 1.0], vec![0.5 * TRIALS, 0.5 * TRIALS])).unwrap().remove(0)
}

/// U of the probability p of success, and q = 1 − p, by Poisson's own formula.
fn energy(p: f64, q: f64) -> f64 {
    let y = 0.5 * TRIALS;
    TRIALS - y * ((TRIALS * p).ln() + (TRIALS * q).ln()) + 2.0 * libm::lgamma(y + 1.0)
}

/// F of the likelihood to the power β, and ⟨U⟩ and Var U there, by midpoints in the logit of p under its density `prior`: the integrand is smooth
/// and vanishes at both ends, so that the sum converges exponentially once it resolves the peak, of width .006 at β = 1.
fn exact(beta: f64, prior: impl Fn(f64) -> f64) -> (f64, f64, f64) {
    let (half, n) = (30.0, 60_000);
    let origin = energy(0.5, 0.5);
    let (mut whole, mut first, mut second) = (0.0, 0.0, 0.0);
    for i in 0..n {
        let z = half * (2.0 * (f64::from(i) + 0.5) / f64::from(n) - 1.0);
        // Of both probabilities the smaller is exact: 1 − p loses it near 1.
        let (p, q) = (1.0 / (1.0 + (-z).exp()), 1.0 / (1.0 + z.exp()));
        let u = energy(p, q) - origin;
        let weight = 2.0 * half / f64::from(n) * prior(if z < 0.0 { p } else { 1.0 - q }) * p * q * (-beta * u).exp();
        whole += weight;
        first += weight * u;
        second += weight * u * u;
    }
    let mean = first / whole;
    (beta * origin - whole.ln(), origin + mean, second / whole - mean * mean)
}

/// F at every rung within 6.5 of its own errors of 15 degrees of freedom, ⟨U⟩ at every rung but the first two, whose tail the few draws of a
/// record do not know, within 4.5: some fifty numbers, an alarm once in 1500 seeds.
#[test]
fn an_unidentifiable_binomial_has_its_free_energy_at_every_rung() {
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 53, copies: 8, proposals: 1, max_sweeps: 60_000, most_rows: 4000, deadline: None, stop: &stop };
    let targets = Targets { ess: 1000.0, free_energy_se: 0.03, round_trips: 10 };
    let judge = |problem: &Problem, sampled: &Sampled| shortfall(problem, sampled, &targets);
    let sampled = sampler::run(&Cpu::new(Precision::F64).unwrap(), &[problem()], &settings, &judge).unwrap().remove(0);
    let free = evidence::free_energy(&sampled).unwrap();
    let rungs = sampled.betas.len();
    println!("{rungs} rungs, Λ {:.2}, {} sweeps, {} restarts", sampled.barrier(), sampled.copies[0].sweeps, sampled.restarts());
    assert!(free.se < 0.05 && sampled.round_trips() >= 10);
    let product = |p: f64| -p.ln();
    let mut seen = 0;
    for (r, &beta) in sampled.betas.iter().enumerate().skip(1) {
        let (value, energy, variance) = exact(beta, product);
        let off = (free.rungs[r] - value) / free.rung_se[r];
        let chains: Vec<Vec<f64>> = sampled.copies.iter().map(|c| c.energies.iter().skip(r).step_by(rungs).copied().collect()).collect();
        let (all, ess) = (chains.concat(), diagnostics::ess_mean(&chains));
        let off_energy = (all.iter().sum::<f64>() / all.len() as f64 - energy) / (variance / ess).sqrt();
        println!(
            "β {beta:.2e}: F {:.4} ± {:.4}, {off:+.2} errors; ⟨U⟩ {energy:.3}, {ess:.0} draws, {off_energy:+.2} errors",
            free.rungs[r], free.rung_se[r]
        );
        assert!(off.abs() < 6.5, "F({beta}) is {off} errors off");
        assert!(r < 2 || off_energy.abs() < 4.5, "⟨U⟩ at {beta} is {off_energy} errors off");
        // One probability instead of a product of two.
        seen += usize::from((free.rungs[r] - exact(beta, |_| 1.0).0).abs() > 6.5 * free.rung_se[r]);
    }
    assert!(seen > rungs / 2, "the mutant of one probability passes at {} rungs", rungs - seen);
}

/// Where any p₁ is as good as p₂, both ends of the curve are found: the marginal of p₁ has the density ∝ 1/p₁ on [½, 1], exactly but for the
/// width of the curve. Mean .5/ln 2 within 4.5 errors; a uniform marginal has .75.
#[test]
fn draws_fill_the_curve() {
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 59, copies: 8, proposals: 1, max_sweeps: 60_000, most_rows: 4000, deadline: None, stop: &stop };
    let targets = Targets { ess: 1000.0, free_energy_se: 0.05, round_trips: 10 };
    let judge = |problem: &Problem, sampled: &Sampled| shortfall(problem, sampled, &targets);
    let sampled = sampler::run(&Cpu::new(Precision::F64).unwrap(), &[problem()], &settings, &judge).unwrap().remove(0);
    let ln2 = std::f64::consts::LN_2;
    let (mean, sd) = (0.5 / ln2, (0.375 / ln2 - 0.25 / (ln2 * ln2)).sqrt());
    for i in 0..2 {
        let chains: Vec<Vec<f64>> = sampled.copies.iter().map(|c| c.draws.iter().skip(i).step_by(2).copied().collect()).collect();
        let (all, ess) = (chains.concat(), diagnostics::ess_mean(&chains));
        let got = all.iter().sum::<f64>() / all.len() as f64;
        let error = sd / ess.sqrt();
        println!("p{}: {got:.4} for {mean:.4}, {ess:.0} effective draws, {:+.2} errors", i + 1, (got - mean) / error);
        assert!(ess > 500.0 && (got - mean).abs() < 4.5 * error && (got - 0.75).abs() > 4.5 * error);
    }
    // The rest of the sampler's answer is that of every product: U there is χ² of one degree of freedom.
    let free = evidence::free_energy(&sampled).unwrap();
    assert!((free.heat - 0.5).abs() < 0.1, "{}", free.heat);
}
