//! A noise scale under a log-uniform prior, integrated out of the tempered likelihood and drawn from its conditional.
//!
//! With b = 1/c², the likelihood c^(−N) exp(−M/2c²) to the power β times dc/c is a Gamma density in b of shape a = βN/2 and rate βM/2, cut at the
//! prior's bounds. A move decided on the integral, c drawn afresh where it is accepted, leaves the joint density of parameters and c as
//! it is: the draw is part of the proposal, and its density cancels that of c. Decided at a fixed c instead, a peak once found can
//! hardly be left: the way back costs N/2·(M'/M − 1) nats in place of N/2·ln(M'/M).

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Gamma};

use crate::prior::Prior;
use crate::problem::{Noise, Problem};

/// Below this shape the prior's bounds cut off much of the conditional: the scale is walked like any other parameter.
const LEAST_SHAPE: f64 = 2.0;
/// A tail below exp(−this) of a Gamma density is nothing in f64.
const NOTHING: f64 = 40.0;
/// Draws from the whole Gamma density before its distribution function is inverted between the bounds.
const TRIES: usize = 64;

/// The scale of one measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Index of the measurement.
    pub measurement: usize,
    /// Index of the parameter.
    pub parameter: usize,
    points: f64,
    ln_points: f64,
    /// Bounds of ln b, ascending.
    ln_bounds: (f64, f64),
}

impl Scale {
    /// The scales of a problem that can be integrated out.
    pub fn of(problem: &Problem) -> Vec<Self> {
        let scale = |(measurement, data): (usize, &crate::problem::Measurement)| {
            let Noise::Scaled { parameter } = data.noise else { return None };
            let Prior::LogUniform { low, high } = problem.parameters[parameter].prior else { return None };
            let points = data.t.len() as f64;
            Some(Self { measurement, parameter, points, ln_points: points.ln(), ln_bounds: (-2.0 * high.ln(), -2.0 * low.ln()) })
        };
        problem.measurements.iter().enumerate().filter_map(scale).collect()
    }

    /// Whether it is integrated out at this inverse temperature.
    pub fn collapses(&self, beta: f64) -> bool {
        self.shape(beta) >= LEAST_SHAPE
    }

    fn shape(&self, beta: f64) -> f64 {
        0.5 * beta * self.points
    }

    /// ln ∫ b^(a−1) exp(−βMb/2) db between the bounds, less what depends on β and N alone.
    pub fn ln_weight(&self, beta: f64, misfit: f64) -> f64 {
        let (a, ln_misfit) = (self.shape(beta), ln(misfit));
        // With x = a eʳ the density falls by a(eʳ − 1 − r) nats from its top, which is at least a r²/2 above and a(−r − 1) below.
        let r = |ln_bound: f64| ln_bound + ln_misfit - self.ln_points;
        let (below, above) = (r(self.ln_bounds.0), r(self.ln_bounds.1));
        let whole = below < -1.0 - NOTHING / a && above > 0.0 && 0.5 * a * above * above > NOTHING;
        if whole {
            return -a * ln_misfit;
        }
        let (low, high) = self.between(beta, ln_misfit);
        -a * ln_misfit + ln_mass(a, low, high)
    }

    /// ln ∫ c^(−N) exp(−M/2c²) d ln c between the bounds.
    pub fn ln_norm(&self, misfit: f64) -> f64 {
        self.ln_whole(1.0) + self.ln_weight(1.0, misfit)
    }

    /// What `ln_weight` leaves out of ln ∫ (c^(−N) exp(−M/2c²))^β d ln c between the bounds. With d ln c = db/2b it is ln Γ(a) + a ln(2/β) − ln 2.
    fn ln_whole(&self, beta: f64) -> f64 {
        let a = self.shape(beta);
        libm::lgamma(a) - a * (0.5 * beta).ln() - std::f64::consts::LN_2
    }

    /// What `ln_weight` leaves out of ln of the mean of (c^(−N) exp(−M/2c²))^β over the prior.
    pub fn ln_untold(&self, beta: f64) -> f64 {
        self.ln_whole(beta) - (0.5 * (self.ln_bounds.1 - self.ln_bounds.0)).ln()
    }

    /// The least and the largest c.
    pub fn bounds(&self) -> (f64, f64) {
        ((-0.5 * self.ln_bounds.1).exp(), (-0.5 * self.ln_bounds.0).exp())
    }

    /// The bounds as arguments of the incomplete Gamma function, βMb/2.
    fn between(&self, beta: f64, ln_misfit: f64) -> (f64, f64) {
        let ln_rate = (0.5 * beta).ln() + ln_misfit;
        ((self.ln_bounds.0 + ln_rate).exp(), (self.ln_bounds.1 + ln_rate).exp())
    }

    /// A draw of c from its tempered conditional.
    pub fn draw<R: Rng>(&self, beta: f64, misfit: f64, rng: &mut R) -> f64 {
        let (a, ln_misfit) = (self.shape(beta), ln(misfit));
        let (low, high) = self.between(beta, ln_misfit);
        let (least, largest) = self.bounds();
        let of = |x: f64| (0.5 * ((0.5 * beta).ln() + ln_misfit - x.ln())).exp().clamp(least, largest);
        if let Ok(gamma) = Gamma::new(a, 1.0) {
            for _ in 0..TRIES {
                let x = gamma.sample(rng);
                if low <= x && x <= high {
                    return of(x);
                }
            }
        }
        let (from, to) = (puruspe::gammp(a, low), puruspe::gammp(a, high));
        let x = puruspe::invgammp(from + (to - from) * rng.random::<f64>(), a);
        of(if x.is_finite() {
            x.clamp(low, high)
        } else if low > a {
            low
        } else {
            high
        })
    }
}

fn ln(misfit: f64) -> f64 {
    misfit.max(f64::MIN_POSITIVE).ln()
}

/// ln of the Gamma probability between two points, by its leading term where it is too small to subtract.
fn ln_mass(a: f64, low: f64, high: f64) -> f64 {
    let mass = if low > a { puruspe::gammq(a, low) - puruspe::gammq(a, high) } else { puruspe::gammp(a, high) - puruspe::gammp(a, low) };
    if mass > 1e-200 {
        return mass.ln();
    }
    let density = |x: f64| (a - 1.0) * x.ln() - x - puruspe::ln_gamma(a);
    if low > a { density(low) - (1.0 - (a - 1.0) / low).ln() } else { density(high) + (high / (a - high).max(1.0)).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    const SCALE: Scale = Scale { measurement: 0, parameter: 0, points: 60.0, ln_points: 4.094_344_562_222_1, ln_bounds: (-4.0, 5.0) };

    /// ∫ c^(−βN) exp(−βM/2c²) dc/c by the trapezoid rule in ln c, which converges exponentially inside and is cut at the bounds.
    fn integral(beta: f64, misfit: f64) -> f64 {
        let n = 200_000;
        let (from, to) = (-2.5, 2.0);
        let at = |i: usize| {
            let s = from + (to - from) * i as f64 / f64::from(n);
            (-beta * (60.0 * s + 0.5 * misfit * (-2.0 * s).exp())).exp() * if i == 0 || i == n as usize { 0.5 } else { 1.0 }
        };
        ((0..=n as usize).map(at).sum::<f64>() * (to - from) / f64::from(n)).ln()
    }

    #[test]
    fn weights_are_the_integrals_over_c() {
        for beta in [0.1, 0.5, 1.0] {
            let reference = (SCALE.ln_weight(beta, 60.0), integral(beta, 60.0));
            for misfit in [0.3, 1.0, 20.0, 500.0, 3000.0, 6000.0] {
                let (got, expected) = (SCALE.ln_weight(beta, misfit) - reference.0, integral(beta, misfit) - reference.1);
                assert!((got - expected).abs() < 1e-7 * (1.0 + expected.abs()), "beta {beta}, misfit {misfit}: {got} for {expected}");
            }
        }
    }

    #[test]
    fn norms_are_the_integrals_over_c() {
        for misfit in [0.3, 20.0, 60.0, 500.0, 3000.0, 6000.0] {
            let (got, expected) = (SCALE.ln_norm(misfit), integral(1.0, misfit));
            assert!((got - expected).abs() < 1e-7 * (1.0 + expected.abs()), "misfit {misfit}: {got} for {expected}");
        }
        // The prior of c is flat in ln c, over 4½.
        for (beta, misfit) in [0.1, 0.4, 1.0].into_iter().flat_map(|beta| [1.0, 60.0, 3000.0].map(|misfit| (beta, misfit))) {
            let (got, expected) = (SCALE.ln_untold(beta) + SCALE.ln_weight(beta, misfit), integral(beta, misfit) - 4.5f64.ln());
            assert!((got - expected).abs() < 1e-7 * (1.0 + expected.abs()), "beta {beta}, misfit {misfit}: {got} for {expected}");
        }
    }

    /// Means of ln c over draws against quadrature, at 4.5 standard errors.
    #[test]
    fn draws_follow_the_conditional() {
        for (beta, misfit) in [(1.0, 60.0), (0.1, 3000.0), (0.3, 0.4)] {
            let density = |s: f64| (-beta * (60.0 * s + 0.5 * misfit * (-2.0 * s).exp())).exp();
            let moments = (0..=20_000).map(|i| -2.5 + 4.5 * f64::from(i) / 20_000.0).fold([0.0; 3], |[z, m, v], s| {
                let p = density(s);
                [z + p, m + p * s, v + p * s * s]
            });
            let (mean, variance) = (moments[1] / moments[0], moments[2] / moments[0] - (moments[1] / moments[0]).powi(2));
            let mut stream = Key::new(1, "scale", "", "", 0).stream(0, 0, 0);
            let n = 4000;
            let got = (0..n).map(|_| SCALE.draw(beta, misfit, &mut stream).ln()).sum::<f64>() / f64::from(n);
            let errors = (got - mean) / (variance / f64::from(n)).sqrt();
            assert!(errors.abs() < 4.5, "beta {beta}, misfit {misfit}: {got} for {mean}, {errors} errors");
        }
    }
}
