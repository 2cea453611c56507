//! Coordinates in which a density that ends at a bound is nearly normal.
//!
//! Where a parameter is hardly known its posterior piles up at the ends of its prior: a surplus peak has nearly no height, anywhere. In the variable
//! whose variance a proportion or a count stabilises, arcsine of the root of the part of the way or the root of the distance (Bartlett,
//! Biometrics 3 (1947) 39), such densities fall to zero at their ends, a flat one as sin 2φ and one like exp(−x) as φ exp(−φ²); a narrow density far from the ends stays what it is.

use crate::prior::Coordinate;
use crate::problem::Parameter;

/// A coordinate of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chart {
    log: bool,
    low: f64,
    high: f64,
}

impl Chart {
    /// For a parameter with its prior and bounds.
    pub fn of(parameter: &Parameter) -> Self {
        let (own, model) = (parameter.prior.range(), parameter.bounds);
        let (low, high) = (own.0.max(model.0), own.1.min(model.1));
        let log = parameter.prior.coordinate() == Coordinate::Log && low > 0.0;
        let of = |bound: f64| if log { bound.ln() } else { bound };
        Self { log, low: of(low), high: of(high) }
    }

    /// The coordinate of a value.
    pub fn to(&self, x: f64) -> f64 {
        let v = if self.log { x.ln() } else { x };
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) => ((v - self.low) / (self.high - self.low)).clamp(0.0, 1.0).sqrt().asin(),
            (true, false) => (v - self.low).max(0.0).sqrt(),
            (false, true) => -(self.high - v).max(0.0).sqrt(),
            (false, false) => v,
        }
    }

    /// The value at a coordinate; NaN beyond the ends.
    pub fn from(&self, phi: f64) -> f64 {
        let v = match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) if (0.0..=std::f64::consts::FRAC_PI_2).contains(&phi) => self.low + (self.high - self.low) * phi.sin().powi(2),
            (true, false) if phi >= 0.0 => self.low + phi * phi,
            (false, true) if phi <= 0.0 => self.high - phi * phi,
            (false, false) => phi,
            _ => f64::NAN,
        };
        if self.log { v.exp() } else { v }
    }

    /// ln of the change of the value with the coordinate.
    pub fn ln_slope(&self, x: f64) -> f64 {
        let v = if self.log { x.ln() } else { x };
        let end = |bound: f64| if bound.is_finite() { 0.5 * (v - bound).abs().ln() } else { 0.0 };
        let two = if self.low.is_finite() || self.high.is_finite() { std::f64::consts::LN_2 } else { 0.0 };
        two + end(self.low) + end(self.high) + if self.log { v } else { 0.0 }
    }
}
