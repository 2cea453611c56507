//! Problems and moves made by hand, for every model of the list, with fixed seeds.

use keisoku::engine::{Moves, oracle};
use keisoku::models::{DefaultPrior, MODELS, Model, Role, Setup, find};
use keisoku::prior::Prior;
use keisoku::problem::{Binding, Measurement, Noise, Parameter, Problem, Term, support_floor};
use keisoku::spec::Width;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// The generator of all fixtures.
pub type Random = Xoshiro256PlusPlus;

/// A generator with that seed.
pub fn random(seed: u64) -> Random {
    Random::seed_from_u64(seed)
}

/// The axis of every fixture: 1 to 5, so that models which need positive x have it.
const MID: f64 = 3.0;
const HALF: f64 = 2.0;

/// The largest value of a fixture's curves, about.
const TOP: f64 = 1.0;

/// What a fixture measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// σ = TOP/signal at every point.
    Gaussian {
        /// Largest value over σ.
        signal: f64,
    },
    /// Counts up to `counts`, with an exposure that varies between points.
    Poisson {
        /// Largest expectation.
        counts: f64,
    },
}

/// Terms of one measurement: `count` of a model with its size.
pub type Terms = [(&'static Model, usize, usize)];

/// Every model beside a straight background, K = 3 where it makes peaks.
pub fn compositions() -> Vec<Vec<(&'static Model, usize, usize)>> {
    let background = find("chebyshev").expect("listed");
    let mut all: Vec<Vec<_>> = MODELS
        .iter()
        .map(|model| {
            let size = model.size.map_or(0, |(_, size)| size.max(1));
            let peaks = (model.parameters)(size).iter().any(|q| q.role == Role::Center);
            vec![(background, 1, 1), (model, size, if peaks { 3 } else { 1 })]
        })
        .collect();
    // Without a background: Poisson tails then meet counts where nothing else is. And a polynomial of many coefficients.
    all.push(vec![(find("gaussian").expect("listed"), 0, 2)]);
    all.push(vec![(background, 12, 1), (find("lorentzian").expect("listed"), 0, 1)]);
    all
}

/// A problem and the parameters its data were drawn with.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The problem.
    pub problem: Problem,
    /// The truth.
    pub truth: Vec<f64>,
}

/// Whether curves of these terms go through zero near any truth, so that they expect no counts: an absorption site, a wavy polynomial.
pub fn crosses_zero(terms: &Terms) -> bool {
    terms.iter().any(|(model, size, _)| model.name.starts_with("mossbauer") || *size > 3)
}

/// One measurement of N points, its terms with priors of their own, data drawn from a truth drawn from the priors.
pub fn fixture(points: usize, kind: Kind, terms: &Terms, seed: u64) -> Fixture {
    joint(&[(points, kind, terms)], seed)
}

/// Several measurements.
pub fn joint(measurements: &[(usize, Kind, &Terms)], seed: u64) -> Fixture {
    let mut rng = random(seed);
    let mut problem = Problem {
        frame: "fixture".into(),
        window: "window".into(),
        candidate: "candidate".into(),
        k: None,
        measurements: Vec::new(),
        terms: Vec::new(),
        parameters: Vec::new(),
        dependents: Vec::new(),
    };
    for (m, &(points, kind, terms)) in measurements.iter().enumerate() {
        problem.measurements.push(axis(m, points, kind));
        for &(model, size, count) in terms {
            (0..count).for_each(|copy| push_term(&mut problem, m, (model, size, copy, count)));
        }
    }
    let admissible = |theta: &Vec<f64>| coefficients(&problem, theta).is_some_and(|c| positive(&problem, &c));
    let truth = (0..1000)
        .map(|_| problem.parameters.iter().map(|p| p.prior.sample(&mut rng)).collect())
        .find(admissible)
        .unwrap_or_else(|| panic!("no truth in a thousand draws is admissible: {:?}", problem.terms.last().map(|t| t.model)));
    let c = coefficients(&problem, &truth).expect("admissible");
    for (m, &(_, kind, _)) in measurements.iter().enumerate() {
        let curve = oracle::curve(&problem, m, &c);
        measure(&mut problem.measurements[m], &curve, kind, &mut rng);
    }
    Fixture { problem, truth }
}

/// Coefficients of all terms, or none where a model refuses.
pub fn coefficients(problem: &Problem, theta: &[f64]) -> Option<Vec<f64>> {
    let mut out = vec![0.0; problem.coefficients()];
    for (k, term) in problem.terms.iter().enumerate() {
        problem.prepare(k, theta, &mut out[term.at..term.at + term.extent.len()]).ok()?;
    }
    Some(out)
}

/// A parameter vector from the priors; `hostile` puts some values where priors hardly go.
pub fn draw(problem: &Problem, hostile: bool, rng: &mut Random) -> Vec<f64> {
    loop {
        let mut theta: Vec<f64> = problem.parameters.iter().map(|p| p.prior.sample(rng)).collect();
        if hostile {
            for (value, parameter) in theta.iter_mut().zip(&problem.parameters) {
                if rng.random::<f64>() < 0.3 {
                    *value = extreme(parameter.role, parameter.bounds, *value, rng);
                }
            }
        }
        if coefficients(problem, &theta).is_some() {
            return theta;
        }
    }
}

/// The truth with every parameter off by a thousandth of its prior's width: a state of β = 1.
pub fn near(fixture: &Fixture, rng: &mut Random) -> Vec<f64> {
    let Fixture { problem, truth } = fixture;
    let off: Vec<f64> =
        truth.iter().zip(&problem.parameters).map(|(v, p)| v + 1e-3 * rng.random_range(-1.0..1.0) * p.prior.moments().1).collect();
    if coefficients(problem, &off).is_some() { off } else { truth.clone() }
}

/// Appends a move of some terms to their coefficients.
pub fn push_move(moves: &mut Moves, problem: &Problem, walker: usize, terms: &[usize], coefficients: &[f64]) {
    moves.walker.push(walker as u32);
    for &k in terms {
        let term = &problem.terms[k];
        moves.term.push(k as u32);
        moves.coefficients.extend_from_slice(&coefficients[term.at..term.at + term.extent.len()]);
    }
    moves.term_start.push(moves.term.len() as u32);
    moves.coefficient_start.push(moves.coefficients.len() as u32);
}

fn extreme(role: Role, bounds: (f64, f64), value: f64, rng: &mut Random) -> f64 {
    let choice = rng.random_range(0..3);
    match role {
        // 2000 line widths in the window, a line far narrower than the distance of two points.
        Role::Width => [1e-3 * HALF, 1e3 * HALF, 0.01 * HALF][choice],
        Role::Center => [MID + 30.0 * HALF, MID - 1.001 * HALF, MID + HALF][choice],
        Role::Amplitude => [0.0, 1e-7 * value, 30.0 * value][choice],
        Role::Shape => [bounds.0, bounds.1, value][choice],
        Role::Level => [0.0_f64.max(bounds.0), 20.0 * value, value][choice],
        Role::Other => value,
    }
}

fn axis(number: usize, points: usize, kind: Kind) -> Measurement {
    let t: Vec<f64> = (0..points).map(|i| if points == 1 { 0.0 } else { 2.0 * i as f64 / (points - 1) as f64 - 1.0 }).collect();
    let (scale, exposure) = match kind {
        Kind::Gaussian { .. } => (1.0, vec![]),
        Kind::Poisson { counts } => (counts.log2().round().exp2(), t.iter().map(|t| 1.0 + 0.25 * t).collect()),
    };
    Measurement {
        name: format!("m{number}"),
        mid: MID,
        half: HALF,
        scale,
        x: t.iter().map(|t| MID + HALF * t).collect(),
        t,
        y: vec![],
        weight: vec![],
        exposure,
        noise: if matches!(kind, Kind::Poisson { .. }) { Noise::Poisson } else { Noise::Gaussian },
        constant: 0.0,
        floor: 0.0,
    }
}

fn push_term(problem: &mut Problem, measurement: usize, (model, size, copy, of): (&'static Model, usize, usize, usize)) {
    let data = &problem.measurements[measurement];
    let top = TOP * if data.noise == Noise::Poisson { data.scale } else { 1.0 };
    let setup = Setup { mid: data.mid, half: data.half, scale: data.scale, height: true, ..Setup::default() };
    let k = problem.terms.len();
    let mut bindings = Vec::new();
    for quantity in (model.parameters)(size) {
        bindings.push(Binding { free: Some(problem.parameters.len()), factor: 1.0, offset: 0.0, width: Width::Fwhm });
        problem.dependents.push(vec![k as u32]);
        let prior = prior(quantity.prior, quantity.role, quantity.bounds, top);
        problem.parameters.push(Parameter {
            prior,
            ln_constant: prior.ln_constant(),
            name: quantity.name,
            unit: String::new(),
            role: quantity.role,
            term: Some(model.name.into()),
            owner: Some(k),
            bounds: quantity.bounds,
        });
    }
    let extent = (model.extent)(size);
    problem.terms.push(Term {
        model,
        size,
        measurement,
        name: model.name.into(),
        copy,
        of,
        counted: of > 1,
        setup,
        bindings,
        at: problem.coefficients(),
        extent,
    });
}

fn prior(default: DefaultPrior, role: Role, bounds: (f64, f64), top: f64) -> Prior {
    match (default, role) {
        (DefaultPrior::Uniform(low, high), _) => Prior::Uniform { low, high },
        (DefaultPrior::LogUniform(low, high), _) => Prior::LogUniform { low, high },
        (DefaultPrior::Gamma(shape, rate), _) => Prior::Gamma { shape, rate },
        (DefaultPrior::Isotropic, _) => Prior::Isotropic,
        (_, Role::Center) => Prior::Uniform { low: MID - 1.2 * HALF, high: MID + 1.2 * HALF },
        (_, Role::Width) => Prior::LogUniform { low: 0.02 * HALF, high: HALF },
        (_, Role::Amplitude) => Prior::Uniform { low: 0.0, high: top },
        (_, Role::Level) => Prior::Uniform { low: 0.1 * top, high: 0.5 * top },
        _ => Prior::Uniform { low: bounds.0.max(-1.0), high: bounds.1.min(1.0) },
    }
}

/// Whether no curve is negative: only then can counts be drawn from it.
fn positive(problem: &Problem, coefficients: &[f64]) -> bool {
    (0..problem.measurements.len())
        .all(|m| problem.measurements[m].noise != Noise::Poisson || oracle::curve(problem, m, coefficients).iter().all(|f| *f >= 0.0))
}

fn measure(data: &mut Measurement, curve: &[f64], kind: Kind, rng: &mut Random) {
    match kind {
        Kind::Gaussian { signal } => {
            let sigma = TOP / signal;
            data.y = curve.iter().map(|f| f + Prior::Normal { mean: 0.0, sd: sigma }.sample(rng)).collect();
            data.weight = vec![1.0 / sigma; curve.len()];
            data.floor = support_floor(sigma, curve.len());
        }
        Kind::Poisson { .. } => {
            let scale = data.scale;
            let expected = curve.iter().zip(&data.exposure).map(|(f, e)| f * e * scale);
            data.y = expected
                .map(|mean| (mean + mean.sqrt() * Prior::Normal { mean: 0.0, sd: 1.0 }.sample(rng)).round().max(0.0) / scale)
                .collect();
            let least = data.y.iter().fold(f64::INFINITY, |a, y| a.min((y * scale).max(1.0)));
            data.floor = support_floor(least.sqrt(), curve.len()) / scale;
        }
    }
}
