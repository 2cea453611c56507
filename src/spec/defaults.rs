//! The only defaults: what a spec leaves out, as numbers, from what the whole series says of a window. Never from a fit.

use serde::{Deserialize, Serialize};

use super::Width;
use super::raw::{NoiseModel, RawSigma};
use crate::models::{DefaultPrior, Quantity, Role};
use crate::prior::Prior;

/// What all frames of a series (or 1000 evenly spaced ones) say of one window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Smallest and largest x in the window.
    pub x: (f64, f64),
    /// Median distance of neighbouring points.
    pub spacing: f64,
    /// Smallest and largest y in the window.
    pub y: (f64, f64),
    /// Largest positive area over a frame's smallest y in the window: ∫ (y − min y) dx.
    pub area: f64,
    /// Robust noise figure of y, from differences of neighbours.
    pub noise: f64,
    /// Whether every y is a whole number, 0 or larger.
    pub counts: bool,
    /// Whether every frame has a σ column.
    pub sigma: bool,
}

/// Seed.
pub const SEED: u64 = 1;
/// Engine.
pub const ENGINE: &str = "auto";
/// Copies of each ladder: enough for a standard error with seven degrees of freedom.
pub const COPIES: usize = 8;
/// Proposals that a walker chooses among in a step: several pay only where an engine evaluates them for nothing.
pub const PROPOSALS: usize = 1;
/// Effective sample size asked for.
pub const ESS: f64 = 400.0;
/// Standard error of the free energy asked for, nats.
pub const FREE_ENERGY_SE: f64 = 0.1;
/// Round trips asked for, over all copies.
pub const ROUND_TRIPS: usize = 10;
/// Most sweeps of a copy.
pub const MAX_SWEEPS: usize = 200_000;
/// Prior of the scale that multiplies σ.
pub const SCALE: Prior = Prior::LogUniform { low: 1e-3, high: 1e3 };

/// Unit of an abscissa whose name says it.
pub(super) fn x_unit(name: &str) -> &'static str {
    match name {
        "two_theta" => "deg",
        "d" => "angstrom",
        "q" => "1/angstrom",
        "energy" => "eV",
        _ => "",
    }
}

/// The noise model: Poisson for whole counts that bring no σ, otherwise Gaussian.
pub(super) fn noise_model(series: &[&Facts]) -> NoiseModel {
    if series.iter().all(|s| s.counts && !s.sigma) { NoiseModel::Poisson } else { NoiseModel::Gaussian }
}

/// Where σ comes from: the column times an inferred scale, because columns are nominal more often than not; unknown without one.
pub(super) fn sigma(series: &[&Facts]) -> RawSigma {
    if series.iter().all(|s| s.sigma) { RawSigma::ScaledColumn } else { RawSigma::Unknown }
}

/// The base of an unknown σ: the median of the windows' noise figures, for one `[noise]` serves them all.
pub(super) fn base_noise(series: &[&Facts]) -> Option<f64> {
    let mut figures: Vec<f64> = series.iter().map(|s| s.noise).filter(|n| n.is_finite() && *n > 0.0).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().checked_sub(1)? / 2).copied()
}

/// What a default prior depends on.
pub(super) struct Context<'a> {
    /// What the series says of the window.
    pub series: &'a Facts,
    /// The window.
    pub range: (f64, f64),
    /// Whether the noise is Poisson.
    pub poisson: bool,
    /// Whether the amplitude is a height.
    pub height: bool,
    /// What the width is given as.
    pub width: Width,
    /// Largest full width that the term's peaks can have.
    pub widest: f64,
}

/// The prior of a parameter of which nothing is said; none where only the user can know, or where the data leave no interval.
pub(super) fn prior(quantity: &Quantity, context: &Context<'_>) -> Option<Prior> {
    match quantity.prior {
        DefaultPrior::Uniform(low, high) => Some(Prior::Uniform { low, high }),
        DefaultPrior::LogUniform(low, high) => Some(Prior::LogUniform { low, high }),
        DefaultPrior::Gamma(shape, rate) => Some(Prior::Gamma { shape, rate }),
        DefaultPrior::Isotropic => Some(Prior::Isotropic),
        DefaultPrior::ByRole => by_role(quantity, context),
    }
}

fn by_role(quantity: &Quantity, context: &Context<'_>) -> Option<Prior> {
    let Context { series, range: (low, high), .. } = *context;
    let uniform = |low: f64, high: f64| {
        let (low, high) = widened(low, high);
        let (low, high) = (low.max(quantity.bounds.0), high.min(quantity.bounds.1));
        (low < high && (high - low).is_finite()).then_some(Prior::Uniform { low, high })
    };
    match quantity.role {
        // From nothing to the largest seen anywhere in the series.
        Role::Amplitude if quantity.name == "area" && !context.height => uniform(0.0, series.area),
        Role::Amplitude => uniform(0.0, series.y.1 - series.y.0),
        Role::Width => width(context),
        // A line cut by the window's edge has its center outside, by no more than its width.
        Role::Center => uniform(low - context.widest, high + context.widest),
        // A background lies between the data's extremes; 0 is always offered, counts are never below it.
        Role::Level if context.poisson => uniform(0.0, series.y.1),
        Role::Level => uniform(series.y.0.min(0.0), series.y.1.max(0.0)),
        Role::Shape | Role::Other => None,
    }
}

/// The interval with its ends moved outwards to a round number, by less than a hundredth of its length: a default that people can read.
fn widened(low: f64, high: f64) -> (f64, f64) {
    // The cast saturates: of an empty or endless interval nothing comes out finite, and it stays as it is.
    let exponent = ((high - low).log10().floor() as i32).saturating_sub(2);
    // Multiples of a power of ten, by a division where the power is negative: 1195/100 is the number that is written 11.95.
    let round = |x: f64, outwards: fn(f64) -> f64, slack: f64| {
        let power = 10f64.powi(exponent.saturating_abs());
        // Ends that are round already, but for the last bits, stay where they are.
        if exponent < 0 { outwards(x * power + slack) / power } else { outwards(x / power + slack) * power }
    };
    let (l, h) = (round(low, f64::floor, 1e-6), round(high, f64::ceil, -1e-6));
    if l.is_finite() && h.is_finite() { (l + 0.0, h + 0.0) } else { (low, high) }
}

/// Rounded to three significant digits.
fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// Log-uniform from two point spacings, below which a peak falls between points, to half the window, beyond which it is background.
fn width(context: &Context<'_>) -> Option<Prior> {
    let (low, high) = (2.0 * context.series.spacing, 0.5 * (context.range.1 - context.range.0));
    let (low, high) = (three_digits(low), three_digits(high));
    if !(low > 0.0 && low < high && high.is_finite()) {
        return None;
    }
    // Every word for a width is a power of fwhm, and a log-uniform prior stays log-uniform under powers.
    let fwhm_of_sigma = Width::Sigma.to_fwhm(1.0);
    let (low, high) = match context.width {
        Width::Fwhm => (low, high),
        Width::Hwhm => (0.5 * low, 0.5 * high),
        Width::Sigma => (low / fwhm_of_sigma, high / fwhm_of_sigma),
        Width::B => ((fwhm_of_sigma / high).powi(2), (fwhm_of_sigma / low).powi(2)),
    };
    Some(Prior::LogUniform { low, high })
}

/// The largest full width that a width's prior allows, no larger than the window: an unbounded prior counts up to three standard
/// deviations above its mean (one given as b, at its mean).
pub(super) fn widest(prior: &Prior, width: Width, range: (f64, f64)) -> f64 {
    let ((low, high), (mean, sd)) = (prior.range(), prior.moments());
    let largest = match width {
        Width::B if low > 0.0 => width.to_fwhm(low),
        Width::B => width.to_fwhm(mean),
        _ if high.is_finite() => width.to_fwhm(high),
        _ => width.to_fwhm(mean + 3.0 * sd),
    };
    let window = range.1 - range.0;
    if largest.is_finite() { largest.clamp(0.0, window) } else { window }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_round_and_never_narrower() {
        for (low, high, rounded) in [
            (0.0, 23_181.842_004, (0.0, 23_200.0)),
            (12.05 - 0.1, 12.4 + 0.1, (11.95, 12.5)),
            (-0.123_4, 7.5, (-0.13, 7.5)),
            (0.0, 3.3e-9, (0.0, 3.3e-9)),
            (1.000_4e15, 3e15, (1e15, 3e15)),
            (-5e-324, 5e-324, (-5e-324, 5e-324)),
            (4.3, 4.3, (4.3, 4.3)),
        ] {
            let (l, h) = widened(low, high);
            assert_eq!((l, h), rounded);
            let slack = 1e-8 * (high - low);
            assert!(l <= low + slack && h >= high - slack && (h - l) <= (high - low) * 1.021, "{low} {high}");
        }
        assert_eq!(three_digits(0.012_162_000_000_000_006), 0.0122);
    }
}
