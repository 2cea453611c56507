//! Misfits into energies U = −ln p(D | θ), in f64, with every constant.

mod scale;

pub use scale::Scale;

use crate::models::Abreast;
use crate::problem::{Measurement, Noise, Problem};

/// A misfit at or above this stands for an inadmissible move (see `engine::SENTINEL`).
const INADMISSIBLE: f64 = 2.9e38;

/// Energy of a walker in nats: `misfits` holds one number a measurement, Σ((y−f)/σ)² with the base σ, or the Poisson deviance.
///
/// +∞ stands for zero likelihood. Gaussian: χ²/2c² + N ln c + Σ ln σ + N/2 ln 2π, with c = 1 where the scale is not inferred.
/// Poisson: deviance/2 + Σ(y − y ln y + ln y!).
pub fn energy(problem: &Problem, misfits: &[f64], theta: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (data, &misfit) in problem.measurements.iter().zip(misfits) {
        if misfit >= INADMISSIBLE {
            return f64::INFINITY;
        }
        sum += data.constant + own(data, misfit, theta);
    }
    sum
}

/// Adds what one measurement contributes to [`energy`] at places abreast, where its noise has no free parameter.
#[inline(always)]
pub fn add_known(data: &Measurement, misfits: &Abreast, energies: &mut Abreast) {
    for (energy, &misfit) in energies.iter_mut().zip(misfits) {
        *energy = if misfit >= INADMISSIBLE { f64::INFINITY } else { *energy + (data.constant + 0.5 * misfit) };
    }
}

/// −ln of the likelihood to the power β, `scales` integrated out, up to a constant of β: what a move is decided on. +∞ stands for zero.
pub fn tempered(problem: &Problem, misfits: &[f64], theta: &[f64], beta: f64, scales: &[Scale]) -> f64 {
    misfits.iter().enumerate().map(|(m, &misfit)| tempered_part(problem, m, misfit, theta, beta, scales)).sum()
}

/// What [`tempered`] leaves out of −ln of that likelihood; none where a scale is not integrated out.
pub fn untold(problem: &Problem, beta: f64, scales: &[Scale]) -> Option<f64> {
    let constants: f64 = problem.measurements.iter().map(|data| data.constant).sum();
    let whole: f64 = scales.iter().map(|scale| scale.ln_untold(beta)).sum();
    scales.iter().all(|scale| scale.collapses(beta)).then_some(beta * constants - whole)
}

/// What one measurement of this misfit contributes to it.
pub fn tempered_part(problem: &Problem, measurement: usize, misfit: f64, theta: &[f64], beta: f64, scales: &[Scale]) -> f64 {
    if misfit >= INADMISSIBLE {
        return f64::INFINITY;
    }
    match scales.iter().find(|s| s.measurement == measurement && s.collapses(beta)) {
        Some(scale) => -scale.ln_weight(beta, misfit),
        None => beta * own(&problem.measurements[measurement], misfit, theta),
    }
}

/// A measurement's part of the energy that parameters change.
fn own(data: &Measurement, misfit: f64, theta: &[f64]) -> f64 {
    match data.noise {
        Noise::Gaussian | Noise::Poisson => 0.5 * misfit,
        Noise::Scaled { parameter } => {
            let c = theta[parameter];
            0.5 * misfit / (c * c) + data.t.len() as f64 * c.ln()
        }
    }
}
