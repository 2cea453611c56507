//! The predicted error of an engine's energies: never below what is measured on states of the posterior, and not far above.

use keisoku::engine::budget::{BUDGET, Parts, parts};
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::engine::probe::probe;
use keisoku::engine::{Engine, Numbers, oracle};
use keisoku::models::{Role, find};
use keisoku::prior::Prior;
use keisoku::problem::{Noise, Parameter};

use crate::equivalence_gpu::gpu;
use crate::fixtures::{self, Fixture, Kind, Random, coefficients, fixture};

/// States a problem is measured on, a quarter of them at each β of [`BETAS`].
const STATES: usize = 64;
const BETAS: [f64; 4] = [1.0, 1.0, 0.3, 0.03];

/// The prediction may be at most so many times the measured worst, where it decides anything: above a quarter of the budget, and
/// not where it and the measured error are both beyond the budget.
const HONEST: f64 = 30.0;

/// A problem, the scale of its noise and its name.
struct Case {
    name: String,
    fixture: Fixture,
    scale: f64,
}

/// The same data, their σ stated `scale` times smaller than it is, and the scale a parameter.
fn scaled(mut fixture: Fixture, scale: f64) -> Fixture {
    let problem = &mut fixture.problem;
    let parameter = problem.dimension();
    let prior = Prior::LogUniform { low: 1e-3, high: 1e3 };
    problem.parameters.push(Parameter {
        name: "scale".into(),
        unit: String::new(),
        ln_constant: prior.ln_constant(),
        prior,
        role: Role::Other,
        term: None,
        owner: None,
        bounds: (f64::MIN_POSITIVE, f64::INFINITY),
    });
    problem.dependents.push(Vec::new());
    let data = &mut problem.measurements[0];
    data.noise = Noise::Scaled { parameter };
    data.weight.iter_mut().for_each(|w| *w *= scale);
    fixture.truth.push(scale);
    fixture
}

fn cases(points: &[usize]) -> Vec<Case> {
    let [background, gaussian, voigt, lorentzian] =
        ["chebyshev", "gaussian", "pseudo-voigt", "lorentzian"].map(|n| find(n).expect("listed"));
    let mut all = Vec::new();
    let mut add = |name: String, fixture: Fixture, scale: f64| all.push(Case { name, fixture, scale });
    for &n in points {
        for (i, terms) in [
            vec![(background, 1, 1), (gaussian, 0, 3)],
            vec![(background, 2, 1), (voigt, 0, 2)],
            vec![(background, 0, 1), (lorentzian, 0, 2)],
        ]
        .iter()
        .enumerate()
        {
            let seed = (n + i) as u64;
            let model = terms[1].0.name;
            // 3.3 is no f32: where all weights are wrong by the same, χ² is too.
            for signal in [3.3, 1e2, 1e4, 1e6] {
                add(format!("{n} {model} signal {signal:.0e}"), fixture(n, Kind::Gaussian { signal }, terms, seed), 1.0);
            }
            for counts in [1e1, 1e3, 1e5, 1e7, 1e9] {
                add(format!("{n} {model} counts {counts:.0e}"), fixture(n, Kind::Poisson { counts }, terms, seed), 1.0);
            }
            for scale in [0.03, 20.0] {
                let own = fixture(n, Kind::Gaussian { signal: 1e3 }, terms, seed);
                add(format!("{n} {model} scale {scale}"), scaled(own, scale), scale);
            }
        }
    }
    all
}

/// States of the posterior at β: the truth and a normal step with the covariance of the problem made linear there, over β.
struct Cloud {
    factor: Vec<Vec<f64>>,
}

impl Cloud {
    fn of(Fixture { problem, truth }: &Fixture) -> Self {
        let data = &problem.measurements[0];
        let weight = data.standards();
        let scale = if let Noise::Scaled { parameter } = data.noise { truth[parameter] } else { 1.0 };
        let curve = |theta: &[f64]| coefficients(problem, theta).map(|c| oracle::curve(problem, 0, &c));
        let free = problem.parameters.iter().filter(|p| p.term.is_some()).count();
        let mut slopes: Vec<Vec<f64>> = Vec::new();
        for i in 0..free {
            let step = 1e-6 * problem.parameters[i].prior.moments().1;
            let at = |sign: f64| {
                let mut theta = truth.clone();
                theta[i] += sign * step;
                curve(&theta)
            };
            let here = curve(truth).expect("admissible");
            let (low, high) = (at(-1.0).unwrap_or_else(|| here.clone()), at(1.0).unwrap_or(here));
            let exposure = |i: usize| data.exposure.get(i).copied().unwrap_or(1.0);
            let rise = |(i, (a, b)): (usize, (&f64, &f64))| (b - a) / (2.0 * step) * exposure(i) * weight[i] / scale;
            slopes.push(low.iter().zip(&high).enumerate().map(rise).collect());
        }
        let mut matrix = vec![vec![0.0; free]; free];
        for i in 0..free {
            for j in 0..=i {
                matrix[i][j] = slopes[i].iter().zip(&slopes[j]).map(|(a, b)| a * b).sum();
            }
            matrix[i][i] += problem.parameters[i].prior.moments().1.powi(-2);
        }
        Self { factor: cholesky(matrix) }
    }

    /// Coefficients of a state at β: one whose energy, times β, is above the truth's by no more than a run ever sees.
    fn draw(&self, Fixture { problem, truth }: &Fixture, beta: f64, rng: &mut Random) -> Vec<f64> {
        let normal = Prior::Normal { mean: 0.0, sd: 1.0 };
        let at_truth = coefficients(problem, truth).expect("admissible");
        let misfit = |c: &[f64]| {
            let mut misfits = Vec::new();
            oracle::push_misfits(problem, c, &mut misfits);
            misfits[0]
        };
        let scale = if let Noise::Scaled { parameter } = problem.measurements[0].noise { truth[parameter] } else { 1.0 };
        let most = misfit(&at_truth) + scale * scale * (self.factor.len() as f64 + 20.0) / beta;
        for _ in 0..20 {
            let n = self.factor.len();
            let mut step: Vec<f64> = (0..n).map(|_| normal.sample(rng) / beta.sqrt()).collect();
            for i in (0..n).rev() {
                let above: f64 = (i + 1..n).map(|j| self.factor[j][i] * step[j]).sum();
                step[i] = (step[i] - above) / self.factor[i][i];
            }
            let mut theta = truth.clone();
            theta.iter_mut().zip(&step).for_each(|(t, s)| *t += s);
            let inside = theta.iter().zip(&problem.parameters).all(|(t, p)| p.prior.ln_density(*t).is_finite());
            if let (true, Some(c)) = (inside, coefficients(problem, &theta))
                && misfit(&c) < most
            {
                return c;
            }
        }
        at_truth
    }
}

fn cholesky(mut a: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for i in 0..a.len() {
        for j in 0..=i {
            let rest: f64 = a[i][j] - (0..j).map(|k| a[i][k] * a[j][k]).sum::<f64>();
            a[i][j] = if i == j { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / a[j][j] };
        }
    }
    a
}

/// Largest error of an engine on states of the posterior, in nats at each state's β.
fn measured(engine: &dyn Engine, case: &Case) -> f64 {
    let cloud = Cloud::of(&case.fixture);
    let mut rng = fixtures::random(99);
    let betas: Vec<f64> = (0..STATES).map(|i| BETAS[i % BETAS.len()]).collect();
    let states: Vec<f64> = betas.iter().flat_map(|&beta| cloud.draw(&case.fixture, beta, &mut rng)).collect();
    let errors = probe(engine, &case.fixture.problem, &states).expect("runs");
    errors.iter().zip(&betas).map(|(e, beta)| e * beta / (case.scale * case.scale)).fold(0.0, f64::max)
}

fn words(p: &Parts) -> String {
    let all = [p.values, p.positions, p.unseen, p.support, p.sum, p.bias];
    all.map(|part| format!("{part:.0e}")).join(" ")
}

/// Whether a prediction is below what was measured.
fn lies(measured: f64, parts: &Parts) -> bool {
    parts.worst() < measured
}

/// Whether it is so far above that it decides wrongly.
fn useless(measured: f64, parts: &Parts) -> bool {
    parts.worst() > 0.25 * BUDGET && parts.worst().min(HONEST * BUDGET) > HONEST * measured
}

/// A change to a prediction.
type Change = fn(&mut Parts);

/// Predictions with one part left out.
const MUTANTS: [(&str, Change); 4] = [
    ("values", |p| p.values = 0.0),
    ("positions", |p| p.positions = 0.0),
    ("support", |p| p.support = 0.0),
    ("sum and bias", |p| (p.sum, p.bias) = (0.0, 0.0)),
];

/// Compares prediction and measurement on all cases; tells which mutants lied at least once.
fn hold(engine: &dyn Engine, cases: Vec<Case>) -> Vec<&'static str> {
    let mut rejected = Vec::new();
    let mut wrong = Vec::new();
    for case in cases {
        let (found, parts) = (measured(engine, &case), parts(&case.fixture.problem, engine.numbers()));
        let line = format!("{:>36}: measured {found:.1e}, predicted {:.1e} of {}", case.name, parts.worst(), words(&parts));
        println!("{line}");
        if lies(found, &parts) || (engine.numbers() != Numbers::F64 && useless(found, &parts)) {
            wrong.push(line);
        }
        for (name, change) in MUTANTS {
            let mut mutant = parts;
            change(&mut mutant);
            if lies(found, &mutant) && !rejected.contains(&name) {
                rejected.push(name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    rejected
}

/// Of a hundred thousand points only some: they take long.
fn all() -> Vec<Case> {
    let mut all = cases(&[100, 1000, 10_000]);
    all.extend(cases(&[100_000]).into_iter().step_by(5));
    all
}

#[test]
fn the_cpu_errs_as_predicted() {
    let mut rejected = hold(&Cpu::new(Precision::F32).expect("an instruction set"), all());
    rejected.sort_unstable();
    // It measures positions from close by: of them nothing is left that matters, and were it not so, the predictions would be too small.
    assert_eq!(rejected, ["sum and bias", "support", "values"]);
}

#[test]
fn the_gpu_errs_as_predicted() {
    let Some(gpu) = gpu() else { return };
    let mut rejected = hold(gpu, all());
    rejected.sort_unstable();
    assert_eq!(rejected, ["positions", "sum and bias", "support", "values"]);
}

#[test]
fn double_precision_errs_as_predicted() {
    let rejected = hold(&Cpu::new(Precision::F64).expect("an instruction set"), cases(&[100, 1000]));
    assert_eq!(rejected, ["support"]);
}

/// Data in which no line shows, and lines of two points that noise can hide: they turn rounded positions into energies.
#[test]
fn lines_that_do_not_show_are_counted() {
    let [background, gaussian] = ["chebyshev", "gaussian"].map(|n| find(n).expect("listed"));
    let points = 20_000;
    let mut fixture = fixture(points, Kind::Gaussian { signal: 3.0 }, &[(background, 0, 1), (gaussian, 0, 1)], 5);
    let [height, center, width] = [1, 2, 3];
    let data = &fixture.problem.measurements[0];
    let (sigma, low, high) = (1.0 / data.weight[0], data.x[0], data.x[points - 1]);
    let narrow = 2.0 * (data.x[1] - data.x[0]);
    fixture.problem.parameters[width].prior = Prior::LogUniform { low: narrow, high: 20.0 * narrow };
    let mut theta = fixture.truth.clone();
    theta[height] = 0.0;
    theta[width] = narrow;
    let mut rng = fixtures::random(6);
    let flat = coefficients(&fixture.problem, &theta).expect("admissible");
    let noise = Prior::Normal { mean: 0.0, sd: sigma };
    fixture.problem.measurements[0].y = oracle::curve(&fixture.problem, 0, &flat).iter().map(|f| f + noise.sample(&mut rng)).collect();
    // Σf²/σ² is 3/4 of twice the square of the height: about nine, a few nats.
    theta[height] = 2.5 * sigma;
    let places = Prior::Uniform { low, high };
    let states: Vec<f64> = (0..STATES)
        .flat_map(|_| {
            theta[center] = places.sample(&mut rng);
            coefficients(&fixture.problem, &theta).expect("admissible")
        })
        .collect();
    let hold = |engine: &dyn Engine| {
        let found = probe(engine, &fixture.problem, &states).expect("runs").into_iter().fold(0.0, f64::max);
        let parts = parts(&fixture.problem, engine.numbers());
        println!("measured {found:.1e}, predicted {:.1e} of {}", parts.worst(), words(&parts));
        assert!(!lies(found, &parts) && !useless(found, &parts));
        lies(found, &Parts { unseen: 0.0, ..parts })
    };
    // The cpu measures positions from close by: nothing of them is left for a mutant to miss.
    assert!(!hold(&Cpu::new(Precision::F32).expect("an instruction set")));
    let Some(gpu) = gpu() else { return };
    assert!(hold(gpu));
}
