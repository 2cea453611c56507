//! Normalised prior densities: logarithm, sampling, and the coordinate a move steps in.

use std::f64::consts::PI;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Gamma as GammaDraw, StandardNormal};

use crate::models::{ABREAST, Abreast, Number};

/// A normalised density of one parameter, in the parameter's own unit.
///
/// Every density integrates to 1: free energies of different models and windows are subtracted from one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Prior {
    /// Uniform on [low, high].
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Density ∝ 1/x on [low, high], low > 0.
    LogUniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Normal.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
    },
    /// |Normal(0, sd)|.
    HalfNormal {
        /// Standard deviation of the whole normal.
        sd: f64,
    },
    /// Normal restricted to [low, high].
    TruncatedNormal {
        /// Mean of the whole normal.
        mean: f64,
        /// Standard deviation of the whole normal.
        sd: f64,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Gamma with shape and RATE: mean shape/rate.
    Gamma {
        /// Shape.
        shape: f64,
        /// Rate, one over the unit.
        rate: f64,
    },
    /// Beta on [0, 1].
    Beta {
        /// First exponent plus one.
        alpha: f64,
        /// Second exponent plus one.
        beta: f64,
    },
    /// Polar angle of an isotropic direction: density ½ sin θ on [0, π].
    Isotropic,
}

/// The coordinate in which moves of a parameter are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinate {
    /// The parameter itself.
    Linear,
    /// Its logarithm; the Jacobian is the parameter.
    Log,
}

impl Prior {
    /// Natural logarithm of the density at x; −∞ outside.
    pub fn ln_density(&self, x: f64) -> f64 {
        match *self {
            Self::Uniform { low, high } => inside(x, low, high, -(high - low).ln()),
            Self::LogUniform { low, high } => inside(x, low, high, -x.ln() - (high / low).ln().ln()),
            Self::Normal { mean, sd } => ln_normal(x, mean, sd),
            Self::HalfNormal { sd } => inside(x, 0.0, f64::INFINITY, ln_normal(x, 0.0, sd) + std::f64::consts::LN_2),
            Self::TruncatedNormal { mean, sd, low, high } => {
                inside(x, low, high, ln_normal(x, mean, sd) - normal_mass(mean, sd, low, high).ln())
            }
            Self::Gamma { shape, rate } => {
                if x > 0.0 {
                    shape * rate.ln() - libm::lgamma(shape) + (shape - 1.0) * x.ln() - rate * x
                } else {
                    f64::NEG_INFINITY
                }
            }
            Self::Beta { alpha, beta } => {
                if x > 0.0 && x < 1.0 {
                    libm::lgamma(alpha + beta) - libm::lgamma(alpha) - libm::lgamma(beta)
                        + (alpha - 1.0) * x.ln()
                        + (beta - 1.0) * (-x).ln_1p()
                } else {
                    f64::NEG_INFINITY
                }
            }
            Self::Isotropic => inside(x, 0.0, PI, (0.5 * x.sin()).ln()),
        }
    }

    /// ln of the density up to a constant, for ratios within a move; −∞ outside.
    pub fn ln_kernel(&self, x: f64) -> f64 {
        match *self {
            Self::Uniform { low, high } => inside(x, low, high, 0.0),
            Self::LogUniform { low, high } => inside(x, low, high, -x.ln()),
            Self::Normal { mean, sd } => -0.5 * ((x - mean) / sd).powi(2),
            Self::TruncatedNormal { mean, sd, low, high } => inside(x, low, high, -0.5 * ((x - mean) / sd).powi(2)),
            Self::Gamma { shape, rate } if x > 0.0 => (shape - 1.0) * x.ln() - rate * x,
            _ => self.ln_density(x),
        }
    }

    /// ln of the ratio of the densities at `to` and `from`; −∞ where `to` is outside.
    pub fn ln_ratio(&self, to: f64, from: f64) -> f64 {
        match *self {
            Self::Uniform { low, high } => inside(to, low, high, 0.0),
            // One logarithm, not two.
            Self::LogUniform { low, high } => inside(to, low, high, (from / to).ln()),
            Self::Gamma { shape, rate } if to > 0.0 && from > 0.0 => (shape - 1.0) * (to / from).ln() - rate * (to - from),
            _ => self.ln_kernel(to) - self.ln_kernel(from),
        }
    }

    /// Steps of walkers abreast from their places by `delta` in the coordinate of walks: where they lead, and, added to `ln_ratio`, ln of the ratio of
    /// the densities over that coordinate there and here, in which the Jacobian of a logarithm is; −∞ where one leads outside. The logarithm of
    /// a ratio is the step itself.
    #[inline(always)]
    pub fn steps(&self, from: &Abreast, delta: &Abreast, to: &mut Abreast, ln_ratio: &mut Abreast) {
        match self.coordinate() {
            Coordinate::Linear => {
                for i in 0..ABREAST {
                    to[i] = from[i] + delta[i];
                }
            }
            Coordinate::Log => {
                for i in 0..ABREAST {
                    to[i] = from[i] * Number::exp(delta[i]);
                }
            }
        }
        match *self {
            Self::Uniform { low, high } | Self::LogUniform { low, high } => {
                for i in 0..ABREAST {
                    ln_ratio[i] += inside(to[i], low, high, 0.0);
                }
            }
            Self::Gamma { shape, rate } => {
                for i in 0..ABREAST {
                    let there = shape * delta[i] - rate * (to[i] - from[i]);
                    ln_ratio[i] += if to[i] > 0.0 { there } else { f64::NEG_INFINITY };
                }
            }
            Self::Normal { mean, sd } => {
                let half_precision = 0.5 / (sd * sd);
                for i in 0..ABREAST {
                    ln_ratio[i] += half_precision * (from[i] - to[i]) * (from[i] + to[i] - 2.0 * mean);
                }
            }
            _ => {
                for i in 0..ABREAST {
                    ln_ratio[i] += self.ln_ratio(to[i], from[i]);
                }
            }
        }
    }

    /// ln of the density less the kernel, the same everywhere.
    pub fn ln_constant(&self) -> f64 {
        let (low, high) = self.range();
        let somewhere = match *self {
            Self::Normal { mean, .. } => mean,
            _ if high.is_finite() => 0.5 * (low + high),
            _ => self.moments().0,
        };
        self.ln_density(somewhere) - self.ln_kernel(somewhere)
    }

    /// A draw.
    pub fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        match *self {
            Self::Uniform { low, high } => low + (high - low) * rng.random::<f64>(),
            Self::LogUniform { low, high } => (low * ((high / low).ln() * rng.random::<f64>()).exp()).clamp(low, high),
            Self::Normal { mean, sd } => mean + sd * normal(rng),
            Self::HalfNormal { sd } => sd * normal(rng).abs(),
            Self::TruncatedNormal { mean, sd, low, high } => truncated_normal(mean, sd, low, high, rng),
            Self::Gamma { shape, rate } => gamma(shape, rng) / rate,
            Self::Beta { alpha, beta } => {
                let (a, b) = (gamma(alpha, rng), gamma(beta, rng));
                a / (a + b)
            }
            Self::Isotropic => (1.0 - 2.0 * rng.random::<f64>()).acos(),
        }
    }

    /// The coordinate in which a random walk is natural.
    pub fn coordinate(&self) -> Coordinate {
        match self {
            Self::LogUniform { .. } | Self::Gamma { .. } => Coordinate::Log,
            _ => Coordinate::Linear,
        }
    }

    /// The interval outside which the density is zero.
    pub fn range(&self) -> (f64, f64) {
        match *self {
            Self::Uniform { low, high } | Self::LogUniform { low, high } | Self::TruncatedNormal { low, high, .. } => (low, high),
            Self::Normal { .. } => (f64::NEG_INFINITY, f64::INFINITY),
            Self::HalfNormal { .. } | Self::Gamma { .. } => (0.0, f64::INFINITY),
            Self::Beta { .. } => (0.0, 1.0),
            Self::Isotropic => (0.0, PI),
        }
    }

    /// Mean and standard deviation, in the parameter's own unit: the first scale of a step.
    pub fn moments(&self) -> (f64, f64) {
        match *self {
            Self::Uniform { low, high } => (0.5 * (low + high), (high - low) / 12f64.sqrt()),
            Self::LogUniform { low, high } => {
                let l = (high / low).ln();
                let mean = (high - low) / l;
                (mean, ((high * high - low * low) / (2.0 * l) - mean * mean).max(0.0).sqrt())
            }
            Self::Normal { mean, sd } => (mean, sd),
            Self::HalfNormal { sd } => (sd * (2.0 / PI).sqrt(), sd * (1.0 - 2.0 / PI).sqrt()),
            Self::TruncatedNormal { mean, sd, low, high } => {
                let (a, b) = ((low - mean) / sd, (high - mean) / sd);
                let z = normal_mass(mean, sd, low, high);
                let (pa, pb) = (ln_normal(a, 0.0, 1.0).exp(), ln_normal(b, 0.0, 1.0).exp());
                let shift = (pa - pb) / z;
                let ends = |t: f64, p: f64| if t.is_finite() { t * p } else { 0.0 };
                let variance = 1.0 + (ends(a, pa) - ends(b, pb)) / z - shift * shift;
                (mean + sd * shift, sd * variance.max(0.0).sqrt())
            }
            Self::Gamma { shape, rate } => (shape / rate, shape.sqrt() / rate),
            Self::Beta { alpha, beta } => {
                let n = alpha + beta;
                (alpha / n, (alpha * beta / (n * n * (n + 1.0))).sqrt())
            }
            Self::Isotropic => (PI / 2.0, (PI * PI / 4.0 - 2.0).sqrt()),
        }
    }
}

#[inline(always)]
fn inside(x: f64, low: f64, high: f64, value: f64) -> f64 {
    if x >= low && x <= high { value } else { f64::NEG_INFINITY }
}

fn ln_normal(x: f64, mean: f64, sd: f64) -> f64 {
    let z = (x - mean) / sd;
    -0.5 * z * z - sd.ln() - 0.5 * (2.0 * PI).ln()
}

/// Mass of Normal(mean, sd) in [low, high]; by erfc on the side of the tail, so that far intervals keep their digits.
pub(crate) fn normal_mass(mean: f64, sd: f64, low: f64, high: f64) -> f64 {
    let (a, b) = ((low - mean) / sd / 2f64.sqrt(), (high - mean) / sd / 2f64.sqrt());
    if a > 0.0 { 0.5 * (libm::erfc(a) - libm::erfc(b)) } else { 0.5 * (libm::erfc(-b) - libm::erfc(-a)) }
}

fn normal<R: Rng>(rng: &mut R) -> f64 {
    StandardNormal.sample(rng)
}

fn gamma<R: Rng>(shape: f64, rng: &mut R) -> f64 {
    // shape > 0 is checked when the spec is read; a plain exponential is the harmless answer to a bug.
    match GammaDraw::new(shape, 1.0) {
        Ok(g) => g.sample(rng),
        Err(_) => -(1.0 - rng.random::<f64>()).ln(),
    }
}

/// Robert (1995): plain rejection where the interval holds much of the mass, exponential proposals in a far tail, uniform in a short interval.
fn truncated_normal<R: Rng>(mean: f64, sd: f64, low: f64, high: f64, rng: &mut R) -> f64 {
    let (a, b) = ((low - mean) / sd, (high - mean) / sd);
    if a > 0.0 || b < 0.0 {
        let (lo, hi, sign) = if a > 0.0 { (a, b, 1.0) } else { (-b, -a, -1.0) };
        let rate = 0.5 * (lo + (lo * lo + 4.0).sqrt());
        if hi - lo > 1.0 / rate {
            loop {
                let z = lo - (1.0 - rng.random::<f64>()).ln() / rate;
                if z <= hi && rng.random::<f64>() <= (-0.5 * (z - rate).powi(2)).exp() {
                    return (mean + sd * sign * z).clamp(low, high);
                }
            }
        }
        loop {
            let z = lo + (hi - lo) * rng.random::<f64>();
            if rng.random::<f64>() <= (0.5 * (lo * lo - z * z)).exp() {
                return (mean + sd * sign * z).clamp(low, high);
            }
        }
    }
    if b - a < 1.0 {
        loop {
            let z = a + (b - a) * rng.random::<f64>();
            if rng.random::<f64>() <= (-0.5 * z * z).exp() {
                return mean + sd * z;
            }
        }
    }
    loop {
        let z = normal(rng);
        if z >= a && z <= b {
            return mean + sd * z;
        }
    }
}
