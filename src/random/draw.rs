//! Draws of noise that are the same on every machine and in every version.
//!
//! Committed examples are regenerated and compared byte by byte, so these do not rest on the algorithms of a library, which may change.

use rand::RngExt;

use super::Stream;

/// Largest mean whose Poisson draw is exact: beyond it, rounding of ln Γ spoils the probabilities in their sixth digit.
pub(crate) const MOST_COUNTS: f64 = 1e9;

/// A Poisson count of that mean, 0 ≤ mean ≤ [`MOST_COUNTS`], by inversion from one uniform number.
///
/// The counts are taken outwards from the mode, so that it takes some √mean steps and no probability underflows on the way.
pub(crate) fn poisson(mean: f64, stream: &mut Stream) -> f64 {
    let mut left: f64 = stream.random();
    if mean == 0.0 {
        return 0.0;
    }
    let mode = mean.floor();
    let at_mode = libm::exp(mode * libm::log(mean) - mean - libm::lgamma(mode + 1.0));
    left -= at_mode;
    let (mut above, mut below) = (at_mode, at_mode);
    let mut distance = 0.0;
    // The probabilities sum to 1 but for rounding; what that leaves over belongs to the mode as well as to any count.
    while left >= 0.0 && above + below > f64::MIN_POSITIVE {
        distance += 1.0;
        above *= mean / (mode + distance);
        left -= above;
        if left < 0.0 {
            return mode + distance;
        }
        // Zero below a count of 0, and it stays zero.
        below *= (mode - distance + 1.0).max(0.0) / mean;
        left -= below;
        if left < 0.0 {
            return mode - distance;
        }
    }
    mode
}

/// A standard normal number (Box and Muller, Ann. Math. Stat. 29 (1958) 610).
pub(crate) fn normal(stream: &mut Stream) -> f64 {
    let (radius, angle): (f64, f64) = (stream.random(), stream.random());
    // 1 − u lies in (0, 1].
    libm::sqrt(-2.0 * libm::log(1.0 - radius)) * libm::cos(std::f64::consts::TAU * angle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Draws of a test.
    const N: u32 = 20_000;

    /// Mean and variance of a distribution that claims `mean` and `variance`, in standard errors; `fourth` is its fourth central moment.
    fn deviations(draw: impl Fn(&mut Stream) -> f64, mean: f64, variance: f64, fourth: f64) -> (f64, f64) {
        let key = Key::new(1, "frame", "noise", "", 0);
        let draws: Vec<f64> = (0..N).map(|i| draw(&mut key.stream(i, 0, 0)) - mean).collect();
        let n = f64::from(N);
        let first = draws.iter().sum::<f64>() / n;
        let second = draws.iter().map(|d| d * d).sum::<f64>() / n;
        (first / (variance / n).sqrt(), (second - variance) / ((fourth - variance * variance) / n).sqrt())
    }

    /// Sixteen numbers beyond 4.5 standard errors with a probability of 1e-4.
    const BOUND: f64 = 4.5;

    #[test]
    fn counts_have_the_mean_and_the_variance_of_poisson() {
        for mean in [0.03, 0.7, 3.0, 17.2, 400.0, 2e5, 1e9] {
            let (first, second) = deviations(|s| poisson(mean, s), mean, mean, mean + 3.0 * mean * mean);
            assert!(first.abs() < BOUND && second.abs() < BOUND, "{mean}: {first} {second}");
            // Half a percent more mean at 2e5, or a tenth more variance, is seen.
            let (_, second) = deviations(|s| mean + 1.1 * (poisson(mean, s) - mean), mean, mean, mean + 3.0 * mean * mean);
            assert!(mean < 1.0 || second > BOUND, "the mutant passes at {mean}: {second}");
        }
        let mut stream = Key::new(1, "", "", "", 0).stream(0, 0, 0);
        assert_eq!(poisson(0.0, &mut stream), 0.0);
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let (first, second) = deviations(normal, 0.0, 1.0, 3.0);
        assert!(first.abs() < BOUND && second.abs() < BOUND, "{first} {second}");
        let (first, second) = deviations(|s| 1.05 * normal(s) + 0.05, 0.0, 1.0, 3.0);
        assert!(first > BOUND && second > BOUND, "the mutant passes: {first} {second}");
    }
}
