//! Coordinates in which a density that ends at a bound is nearly normal.
//!
//! Where a parameter is hardly known its posterior piles up at the ends of its prior: a surplus peak has nearly no height and lies anywhere. In
//! the variable that stabilises the variance of a proportion or a count, the arcsine of the root of the part of the way or the root of
//! the distance (Bartlett, Biometrics 3 (1947) 39), a flat density falls to zero at both ends as sin 2φ, and exp(−x) at its one as φ exp(−φ²), while a
//! narrow one far from the ends keeps its shape. A logarithm at an end would give densities a long tail there.

use std::f64::consts::{FRAC_PI_2, LN_2};

use crate::prior::Prior;
use crate::problem::Parameter;

/// The coordinate of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chart {
    /// Whether it is of the logarithm.
    log: bool,
    /// The ends of the value or its logarithm; infinite where it has none.
    low: f64,
    high: f64,
}

impl Chart {
    /// For a parameter with its prior and bounds.
    pub fn of(parameter: &Parameter) -> Self {
        let (own, model) = (parameter.prior.range(), parameter.bounds);
        let log = matches!(parameter.prior, Prior::LogUniform { .. });
        let end = |bound: f64| if log { bound.ln() } else { bound };
        Self { log, low: end(own.0.max(model.0)), high: end(own.1.min(model.1)) }
    }

    /// The value, or its logarithm.
    fn plain(&self, x: f64) -> f64 {
        if self.log { x.ln() } else { x }
    }

    /// The coordinate of a value.
    pub fn coordinate(&self, x: f64) -> f64 {
        let v = self.plain(x);
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) => ((v - self.low) / (self.high - self.low)).clamp(0.0, 1.0).sqrt().asin(),
            (true, false) => (v - self.low).max(0.0).sqrt(),
            (false, true) => -(self.high - v).max(0.0).sqrt(),
            (false, false) => v,
        }
    }

    /// The value at a coordinate; NaN beyond the ends.
    pub fn value(&self, phi: f64) -> f64 {
        let v = match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) if (0.0..=FRAC_PI_2).contains(&phi) => self.low + (self.high - self.low) * phi.sin().powi(2),
            (true, false) if phi >= 0.0 => self.low + phi * phi,
            (false, true) if phi <= 0.0 => self.high - phi * phi,
            (false, false) => phi,
            _ => f64::NAN,
        };
        if self.log { v.exp() } else { v }
    }

    /// ln of how fast the value changes with the coordinate, there; −∞ at an end.
    pub fn ln_slope(&self, x: f64) -> f64 {
        let v = self.plain(x);
        // 2 √((v − low)(high − v)), of the ends that there are.
        let ends = [v - self.low, self.high - v];
        let product: f64 = ends.into_iter().filter(|distance| distance.is_finite()).product();
        let bounded = ends.into_iter().any(f64::is_finite);
        (if bounded { LN_2 + 0.5 * product.ln() } else { 0.0 }) + if self.log { v } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    const CHARTS: [Chart; 6] = [
        Chart { log: false, low: -1.0, high: 3.0 },
        Chart { log: true, low: -1.0, high: 3.0 },
        Chart { log: false, low: 0.5, high: f64::INFINITY },
        Chart { log: false, low: f64::NEG_INFINITY, high: 2.0 },
        Chart { log: false, low: f64::NEG_INFINITY, high: f64::INFINITY },
        Chart { log: true, low: f64::NEG_INFINITY, high: f64::INFINITY },
    ];

    #[test]
    fn values_come_back_and_slopes_are_those_of_differences() {
        for (chart, phi) in CHARTS.into_iter().flat_map(|chart| [-1.1, -0.3, 0.2, 0.7, 1.3].map(|phi| (chart, phi))) {
            let x = chart.value(phi);
            let outside = chart.low.is_finite() && phi < 0.0 || chart.high.is_finite() && !chart.low.is_finite() && phi > 0.0;
            assert_eq!(x.is_nan(), outside, "{chart:?} {phi}");
            if !outside {
                let h = 1e-5;
                let slope = (chart.value(phi + h) - chart.value(phi - h)) / (2.0 * h);
                assert_relative_eq!(chart.coordinate(x), phi, max_relative = 1e-12);
                assert_relative_eq!(chart.ln_slope(x).exp(), slope.abs(), max_relative = 1e-8);
            }
        }
        assert!(CHARTS[0].value(FRAC_PI_2 + 1e-9).is_nan());
        assert_eq!(CHARTS[0].ln_slope(-1.0), f64::NEG_INFINITY);
    }
}
