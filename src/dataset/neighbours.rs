//! How noisy a curve is, from how much each point differs from its neighbours.

/// Standard deviation of white noise on a curve that is smooth from point to point: median `|y[i−1] − 2 y[i] + y[i+1]|` times
/// 1/(√6 · 0.674 489 750 196 082).
///
/// The second difference of white noise has variance (1 + 4 + 1)σ², and the median of |N(0, 1)| is Φ⁻¹(3/4). This is the estimator DER_SNR of
/// F. Stoehr et al., ASP Conf. Ser. 394 (2008) 505, with adjacent points instead of every second one. Peaks a few points wide cover too
/// few points to move the median; noise that is correlated over neighbours (rebinned data) is underestimated. Where more than half
/// of the differences are exactly zero (sparse counts) the root mean square takes the place of the median.
///
/// Returns 0 for fewer than three points and for a straight line. `y` must be finite.
pub fn neighbour_noise(y: &[f64]) -> f64 {
    /// 1/(√6 Φ⁻¹(3/4)).
    const SIGMA_OF_MEDIAN: f64 = 0.605_269_821_142_843;
    let mut differences: Vec<f64> = y.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).collect();
    if differences.is_empty() {
        return 0.0;
    }
    let squares: f64 = differences.iter().map(|d| d * d).sum();
    let (n, median) = (differences.len(), median(&mut differences));
    if median > 0.0 { SIGMA_OF_MEDIAN * median } else { (squares / (6.0 * n as f64)).sqrt() }
}

/// Median of a list that is not empty: the middle value, or the mean of the two middle ones. The list is reordered.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let (middle, odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd { *upper } else { 0.5 * (*upper + below.iter().copied().fold(f64::NEG_INFINITY, f64::max)) }
}

#[cfg(test)]
mod tests {
    use super::{median, neighbour_noise};

    #[test]
    fn medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&mut [7.0]), 7.0);
    }

    #[test]
    fn short_and_straight_curves_have_none() {
        assert_eq!(neighbour_noise(&[]), 0.0);
        assert_eq!(neighbour_noise(&[1.0, 5.0]), 0.0);
        assert_eq!(neighbour_noise(&[1.0, 2.0, 3.0, 4.0]), 0.0);
    }

    #[test]
    fn sparse_counts_fall_back_on_the_mean_square() {
        let mut y = vec![0.0; 100];
        y[50] = 1.0;
        assert!((neighbour_noise(&y) - (6.0_f64 / (6.0 * 98.0)).sqrt()).abs() < 1e-15);
    }
}
