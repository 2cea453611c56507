//! Does the model describe the data? Tests of the posterior mean curve against the noise it claims.

use super::Fit;
use super::labels::Quantity;
use crate::engine::oracle;
use crate::models::Role;
use crate::prior::Prior;
use crate::problem::{Noise, Problem};
use crate::sampler::Sampled;

/// Draws the mean curve is made of; its own scatter is then 1/√200 of the posterior's.
const CURVES: usize = 200;
/// Two-sided and one-sided normal quantiles of 10⁻³.
const TWO_SIDED: f64 = 3.290_526_731_491_9;
const ONE_SIDED: f64 = 3.090_232_306_167_8;
/// A prior's end is in the way where the posterior is cut off by it: a share of more than this lies within a tenth of the way from the end
/// to the median. A normal posterior that the end cuts two standard deviations from its centre has .014, one deviation .037, at its centre .054.
const CUT: f64 = 0.03;
/// Only a posterior that knows more than its prior can be cut off by it: its standard deviation is at most this share of the prior's.
const INFORMED: f64 = 0.5;

/// What the tests were made on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Residuals {
    /// χ² of the mean curve (Pearson's under Poisson), in units of the inferred noise.
    pub misfit: f64,
    /// Points less effective parameters.
    pub degrees: f64,
    /// Lag-one autocorrelation of the standardised residuals.
    pub autocorrelation: f64,
}

/// The reasons against the model that one candidate alone can show (`range` needs its rivals).
pub(super) fn examine(problem: &Problem, sampled: &Sampled, quantities: &[Quantity], heat: f64) -> (Residuals, Vec<Fit>) {
    let mut reasons = Vec::new();
    let (mut misfit, mut points, mut extra, mut products, mut squares) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let curves = mean_curves(problem, sampled);
    let (mut known, mut poisson) = (true, true);
    for (m, data) in problem.measurements.iter().enumerate() {
        let scale = match data.noise {
            Noise::Scaled { parameter } => {
                known = false;
                mean_of(quantities, parameter)
            }
            _ => 1.0,
        };
        poisson &= data.noise == Noise::Poisson;
        let residuals: Vec<f64> = (0..data.t.len())
            .map(|i| match data.noise {
                Noise::Poisson => {
                    let f = (curves[m][i] * data.exposure.get(i).copied().unwrap_or(1.0)).max(crate::engine::POISSON_FLOOR);
                    // Variance of (y − f)²/f is 2 + 1/f for counts.
                    extra += 1.0 / (f * data.scale);
                    (data.y[i] - f) * data.scale / (f * data.scale).sqrt()
                }
                _ => (data.y[i] - curves[m][i]) * data.weight[i] / scale,
            })
            .collect();
        misfit += residuals.iter().map(|r| r * r).sum::<f64>();
        points += residuals.len() as f64;
        products += residuals.windows(2).map(|w| w[0] * w[1]).sum::<f64>();
        squares += residuals.iter().map(|r| r * r).sum::<f64>();
    }
    let degrees = (points - 2.0 * heat).max(1.0);
    let autocorrelation = if squares > 0.0 { products / squares } else { 0.0 };
    if known {
        let excess = (misfit - degrees) / (2.0 * degrees + extra).sqrt();
        if poisson && excess < -TWO_SIDED {
            reasons.push(Fit::NotCounts);
        } else if excess.abs() > TWO_SIDED {
            reasons.push(Fit::Misfit);
        }
    }
    if autocorrelation > ONE_SIDED / points.sqrt() {
        reasons.push(Fit::Residuals);
    }
    if quantities.iter().any(|q| piles_up(problem, q)) {
        reasons.push(Fit::Bound);
    }
    (Residuals { misfit, degrees, autocorrelation }, reasons)
}

/// Posterior mean of each measurement's curve, in units of y/scale.
fn mean_curves(problem: &Problem, sampled: &Sampled) -> Vec<Vec<f64>> {
    let d = problem.dimension();
    let mut sums: Vec<Vec<f64>> = problem.measurements.iter().map(|m| vec![0.0; m.t.len()]).collect();
    let rows: usize = sampled.copies.iter().map(crate::sampler::Record::rows).sum();
    let every = rows.div_ceil(CURVES).max(1);
    let mut coefficients = vec![0.0; problem.coefficients()];
    let mut used = 0.0;
    for row in (0..rows).step_by(every) {
        let Some(theta) = draw(sampled, d, row) else { continue };
        let prepared = problem
            .terms
            .iter()
            .enumerate()
            .all(|(k, term)| problem.prepare(k, theta, &mut coefficients[term.at..term.at + term.extent.len()]).is_ok());
        if !prepared {
            continue;
        }
        used += 1.0;
        for (m, sum) in sums.iter_mut().enumerate() {
            sum.iter_mut().zip(oracle::curve(problem, m, &coefficients)).for_each(|(s, f)| *s += f);
        }
    }
    sums.iter_mut().flatten().for_each(|s| *s /= used);
    sums
}

/// The `row`-th draw over all copies.
fn draw(sampled: &Sampled, d: usize, mut row: usize) -> Option<&[f64]> {
    for copy in &sampled.copies {
        if row < copy.rows() {
            return Some(&copy.draws[row * d..(row + 1) * d]);
        }
        row -= copy.rows();
    }
    None
}

fn mean_of(quantities: &[Quantity], parameter: usize) -> f64 {
    quantities.iter().find(|q| q.parameter == parameter && q.peak.is_none()).map_or(1.0, |q| {
        let all: Vec<f64> = q.chains.iter().flatten().copied().collect();
        all.iter().sum::<f64>() / all.len() as f64
    })
}

/// Whether the posterior leans on an end of a bounded prior that the user could widen: not the end where nothing is left of a peak,
/// and not an end that is the model's own.
fn piles_up(problem: &Problem, quantity: &Quantity) -> bool {
    let parameter = &problem.parameters[quantity.parameter];
    let (low, high, log) = match parameter.prior {
        Prior::Uniform { low, high } | Prior::TruncatedNormal { low, high, .. } => (low, high, false),
        Prior::LogUniform { low, high } => (low.ln(), high.ln(), true),
        _ => return false,
    };
    let mut values: Vec<f64> = quantity.chains.iter().flatten().map(|v| if log { v.ln() } else { *v }).collect();
    if values.is_empty() {
        return false;
    }
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    if sd > INFORMED * (high - low) / 12f64.sqrt() {
        return false;
    }
    let median = values[values.len() / 2];
    let own = |end: f64, bound: f64| (if log { end.exp() } else { end } - bound).abs() < 1e-12 * (1.0 + bound.abs());
    let nothing = parameter.role == Role::Amplitude && low == 0.0;
    let below = values.partition_point(|&v| v < low + 0.1 * (median - low)) as f64 / n;
    let above = (values.len() - values.partition_point(|&v| v <= high - 0.1 * (high - median))) as f64 / n;
    (!own(low, parameter.bounds.0) && !nothing && below > CUT) || (!own(high, parameter.bounds.1) && above > CUT)
}
