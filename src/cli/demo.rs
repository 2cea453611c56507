//! Problems with a known truth, one for each model, for `doctor` and `bench`.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use crate::engine::oracle;
use crate::error::{Error, Result};
use crate::models::{DefaultPrior, Model, Quantity, Role, Setup};
use crate::prior::Prior;
use crate::problem::{Binding, Measurement, Noise, Problem, Term};
use crate::random::{Key, Stream};
use crate::spec::Width;

/// The window that all of them share, in units of x.
const WINDOW: (f64, f64) = (10.0, 12.0);

/// A problem, the parameters of its truth, term after term, and the random numbers it was made with.
#[derive(Debug)]
pub struct Demo {
    /// The problem. It has no free parameters: its terms are bound to the truth.
    pub problem: Problem,
    truth: Vec<Vec<f64>>,
    stream: Stream,
}

impl Demo {
    /// Simulates data of so many points from terms drawn at random, under Gaussian noise of 1 % of the largest value or as counts up
    /// to 10⁴. Terms are (model, size).
    ///
    /// # Errors
    /// Where a model refuses hundred draws in a row.
    pub fn new(terms: &[(&'static Model, usize)], points: usize, poisson: bool) -> Result<Self> {
        let (low, high) = WINDOW;
        let (mid, half) = (0.5 * (low + high), 0.5 * (high - low));
        let t: Vec<f64> = (0..points).map(|i| if points > 1 { 2.0 * i as f64 / (points - 1) as f64 - 1.0 } else { 0.0 }).collect();
        let setup = Setup { mid, half, ..Setup::default() };
        let data = Measurement {
            name: "demo".into(),
            mid,
            half,
            scale: 1.0,
            x: t.iter().map(|t| mid + half * t).collect(),
            y: vec![0.0; points],
            weight: Vec::new(),
            exposure: Vec::new(),
            noise: if poisson { Noise::Poisson } else { Noise::Gaussian },
            constant: 0.0,
            floor: 0.0,
            t,
        };
        let names: Vec<&str> = terms.iter().map(|(model, _)| model.name).collect();
        let mut at = 0;
        let terms = terms.iter().map(|&(model, size)| term(model, size, &setup, &mut at)).collect();
        let mut problem = Problem {
            frame: "demo".into(),
            window: "demo".into(),
            candidate: names.join(" + "),
            k: None,
            measurements: vec![data],
            terms,
            parameters: Vec::new(),
            dependents: Vec::new(),
        };
        let mut stream = Key::new(1, "demo", &names.join(" "), if poisson { "poisson" } else { "gaussian" }, points).stream(0, 0, 0);
        let mut coefficients = Vec::new();
        let truth = draw(&problem, &mut stream, &mut coefficients, plausible)?;
        simulate(&mut problem, &coefficients, &mut stream);
        for (term, own) in problem.terms.iter_mut().zip(&truth) {
            term.bindings = own.iter().map(|&offset| Binding { free: None, factor: 0.0, offset, width: Width::Fwhm }).collect();
        }
        Ok(Self { problem, truth, stream })
    }

    /// Coefficients of walkers: the truth first, then draws close to it and draws from the whole range in turn.
    ///
    /// # Errors
    /// Where a model refuses hundred draws in a row.
    pub fn walkers(&mut self, count: usize) -> Result<Vec<f64>> {
        let mut coefficients = Vec::with_capacity(count * self.problem.coefficients());
        for w in 0..count {
            let width = [0.0, 1e-4, 1e-3][w % 3];
            if w % 4 == 1 {
                draw(&self.problem, &mut self.stream, &mut coefficients, plausible)?;
                continue;
            }
            let mut known = self.truth.iter().flatten();
            draw(&self.problem, &mut self.stream, &mut coefficients, |quantity, stream| {
                let near = known.next().copied().unwrap_or(0.0);
                let unit = if quantity.role == Role::Center { WINDOW.1 - WINDOW.0 } else { near };
                let z: f64 = StandardNormal.sample(stream);
                (near + width * unit * z).clamp(quantity.bounds.0, quantity.bounds.1)
            })?;
        }
        Ok(coefficients)
    }
}

fn term(model: &'static Model, size: usize, setup: &Setup, at: &mut usize) -> Term {
    let extent = (model.extent)(size);
    let term = Term {
        model,
        size,
        measurement: 0,
        name: model.name.into(),
        copy: 0,
        of: 1,
        counted: false,
        setup: setup.clone(),
        bindings: Vec::new(),
        at: *at,
        extent,
    };
    *at += extent.len();
    term
}

/// Draws parameters for every term until the model admits them and appends their coefficients; gives the parameters.
fn draw<F>(problem: &Problem, stream: &mut Stream, coefficients: &mut Vec<f64>, mut value: F) -> Result<Vec<Vec<f64>>>
where
    F: FnMut(&Quantity, &mut Stream) -> f64,
{
    let mut all = Vec::with_capacity(problem.terms.len());
    for term in &problem.terms {
        let quantities = (term.model.parameters)(term.size);
        let mut own = vec![0.0; term.extent.len()];
        let mut tries = 0;
        let theta = loop {
            let theta: Vec<f64> = quantities.iter().map(|q| value(q, stream)).collect();
            if (term.model.prepare)(&theta, &term.setup, &mut own).is_ok() {
                break theta;
            }
            tries += 1;
            if tries == 100 {
                return Err(Error::fatal(format!("{} refuses every plausible parameter", term.model.name))
                    .hint("this is a fault of keisoku: please report it"));
            }
        };
        coefficients.extend_from_slice(&own);
        all.push(theta);
    }
    Ok(all)
}

/// A plausible value of a parameter in the window.
fn plausible(quantity: &Quantity, stream: &mut Stream) -> f64 {
    let (low, high) = WINDOW;
    let range = high - low;
    let between = |stream: &mut Stream, low: f64, high: f64| low + (high - low) * stream.random::<f64>();
    let value = match (quantity.prior, quantity.role) {
        (DefaultPrior::Uniform(low, high), _) => between(stream, low, high),
        (DefaultPrior::LogUniform(low, high), _) => Prior::LogUniform { low, high }.sample(stream),
        (DefaultPrior::Gamma(shape, rate), _) => Prior::Gamma { shape, rate }.sample(stream),
        (DefaultPrior::Isotropic, _) => Prior::Isotropic.sample(stream),
        (DefaultPrior::ByRole, Role::Center) => between(stream, low + 0.1 * range, high - 0.1 * range),
        (DefaultPrior::ByRole, Role::Width) => Prior::LogUniform { low: 0.01 * range, high: 0.1 * range }.sample(stream),
        (DefaultPrior::ByRole, _) => between(stream, 0.2, 2.0),
    };
    value.clamp(quantity.bounds.0, quantity.bounds.1)
}

/// Fills in y and the noise, and scales the terms so that the curve has the size the noise is meant for.
fn simulate<R: Rng>(problem: &mut Problem, coefficients: &[f64], stream: &mut R) {
    let raw = oracle::curve(problem, 0, coefficients);
    let largest = raw.iter().fold(f64::MIN_POSITIVE, |m, f| m.max(f.abs()));
    let poisson = problem.measurements[0].noise == Noise::Poisson;
    let size = if poisson { 1e4 } else { 1.0 };
    let gain = size / largest;
    let data = &mut problem.measurements[0];
    data.scale = size.log2().floor().exp2();
    for (y, f) in data.y.iter_mut().zip(&raw) {
        let (f, z): (f64, f64) = (f * gain, StandardNormal.sample(stream));
        *y = if poisson { (f.max(0.0) + f.max(0.0).sqrt() * z).round().max(0.0) } else { f + 0.01 * z } / data.scale;
    }
    if !poisson {
        data.weight = vec![data.scale / 0.01; data.y.len()];
    }
    for term in &mut problem.terms {
        term.setup.scale = data.scale / gain;
    }
}
