//! A truth drawn from the priors, and data simulated from it at the spec's own points.

use rand::RngExt;

use crate::dataset::Frame;
use crate::engine::oracle;
use crate::error::{Error, Result};
use crate::noise;
use crate::posterior::{mean_count, new_datum};
use crate::problem::{Measurement, Noise, Problem};
use crate::random::{Key, Stream, draw};
use crate::trial::points;

/// Draws until one is admissible: fewer than one in so many is a spec whose priors miss its models.
const MOST_TRIES: u32 = 10_000;

/// A truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Which candidate is true.
    pub candidate: usize,
    /// Its parameters.
    pub theta: Vec<f64>,
}

/// Streams of one data set; no ladder has so high a copy.
fn key(seed: u64, name: &str, window: &str, purpose: &str) -> Key {
    Key::new(seed, name, window, purpose, usize::MAX)
}

/// A truth for the data set of that name: a candidate, each as likely, and its parameters from their priors.
///
/// Where the model refuses them no data are possible, and both are drawn afresh: so candidates compare as their free energies do, which
/// give zero likelihood there.
///
/// # Errors
/// Where the models refuse all draws.
pub fn draw(problems: &[Problem], seed: u64, name: &str) -> Result<Truth> {
    let key = key(seed, name, &problems[0].window, "truth");
    for attempt in 0..MOST_TRIES {
        let mut stream = key.stream(attempt, 0, 0);
        let candidate = stream.random_range(0..problems.len());
        let theta: Vec<f64> = problems[candidate].parameters.iter().map(|p| p.prior.sample(&mut stream)).collect();
        if coefficients(&problems[candidate], &theta).is_some() {
            return Ok(Truth { candidate, theta });
        }
    }
    Err(Error::fatal(format!("window {}: the models refuse {MOST_TRIES} draws from the priors", problems[0].window))
        .hint("look at the priors' ranges with keisoku run SPEC --dry-run"))
}

/// Coefficients of all terms; none where a model refuses θ or its curve is no number.
fn coefficients(problem: &Problem, theta: &[f64]) -> Option<Vec<f64>> {
    let mut all = vec![0.0; problem.coefficients()];
    let finite = problem.prepare_all(theta, &mut all)
        && (0..problem.measurements.len()).all(|m| oracle::curve(problem, m, &all).iter().all(|f| f.is_finite()));
    finite.then_some(all)
}

/// The energy of θ in nats, by the oracle; infinite where the model refuses it.
pub fn energy(problem: &Problem, theta: &[f64]) -> f64 {
    oracle::misfits(problem, theta).map_or(f64::INFINITY, |misfits| noise::energy(problem, &misfits, theta))
}

/// The frame of that name: `template` with y drawn from the noise model about the truth's curve at every point that a measurement of the
/// true candidate's problem uses.
///
/// # Errors
/// Where two measurements use one point, or a Poisson mean is too large to draw from.
pub fn frame(template: &Frame, problem: &Problem, truth: &Truth, seed: u64, name: &str) -> Result<Frame> {
    let mut frame = Frame { name: name.into(), source: name.into(), lines: Vec::new(), hash: String::new(), ..template.clone() };
    let coefficients = coefficients(problem, &truth.theta).unwrap_or_default();
    let key = key(seed, name, &problem.window, "noise");
    for (m, (data, points)) in problem.measurements.iter().zip(points(template, problem)?).enumerate() {
        let curve = oracle::curve(problem, m, &coefficients);
        for (i, (&point, f)) in points.iter().zip(curve).enumerate() {
            let monitor = *frame.monitor.get(point).or(frame.monitor.first()).unwrap_or(&1.0);
            frame.y[point] = value(data, i, f, monitor, &truth.theta, &mut key.stream(point as u32, 0, 0))?;
        }
    }
    Ok(frame)
}

/// One value of y as a file would hold it, for the curve `f` in units of y/scale.
fn value(data: &Measurement, i: usize, f: f64, monitor: f64, theta: &[f64], stream: &mut Stream) -> Result<f64> {
    if data.noise != Noise::Poisson {
        return Ok(new_datum(data, i, f, theta, stream) * monitor);
    }
    let mean = mean_count(data, i, f);
    if mean > draw::MOST_COUNTS {
        let error = Error::fatal(format!("a truth drawn from the priors has {mean:e} counts at x = {}", data.x[i]));
        return Err(error.hint(format!("narrow the priors: {:e} is the largest mean that is drawn from", draw::MOST_COUNTS)));
    }
    Ok(new_datum(data, i, f, theta, stream))
}
