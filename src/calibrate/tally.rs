//! Tests of counts: histograms of ranks, binomial bands, sums of unequal coins, and which of many p values are too small.

use serde::Serialize;

/// Most bins of a histogram of ranks. Every number of ranks (see [`super::rank::draws_of`]) is a multiple of it.
pub const MOST_BINS: usize = 16;
/// Fewest ranks that a bin expects: below it Pearson's χ² does not follow its law.
const LEAST_EXPECTED: usize = 5;

/// Ranks in equal bins, and Pearson's χ² against equal numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// Ranks in each bin.
    pub counts: Vec<usize>,
    /// Σ (count − expected)²/expected.
    pub chi2: f64,
    /// Bins less one.
    pub degrees: usize,
    /// Probability of a larger χ² where ranks are uniform; none where there are too few ranks to test.
    pub p: Option<f64>,
}

/// The histogram of ranks, each as (rank, draws): 0 ≤ rank ≤ draws, and draws + 1 a multiple of [`MOST_BINS`].
///
/// Bins are the largest power of two that leaves every bin five ranks or more, at most [`MOST_BINS`].
pub fn histogram(ranks: impl ExactSizeIterator<Item = (usize, usize)>) -> Histogram {
    let n = ranks.len();
    let mut bins = MOST_BINS;
    while bins > 1 && n < LEAST_EXPECTED * bins {
        bins /= 2;
    }
    let mut counts = vec![0; bins];
    ranks.for_each(|(rank, draws)| counts[rank * bins / (draws + 1)] += 1);
    let expected = n as f64 / bins as f64;
    let chi2 = if n == 0 { 0.0 } else { counts.iter().map(|&c| (c as f64 - expected).powi(2) / expected).sum() };
    let degrees = bins - 1;
    let p = (degrees > 0).then(|| puruspe::gammq(0.5 * degrees as f64, 0.5 * chi2));
    Histogram { counts, chi2, degrees, p }
}

/// The smallest and the largest number of successes of `n` trials of probability `p` that leave at most `tail` beyond them, on either side.
pub fn band(n: usize, p: f64, tail: f64) -> (usize, usize) {
    let ln = |k: usize| libm::lgamma(k as f64 + 1.0);
    let pmf = |k: usize| (ln(n) - ln(k) - ln(n - k) + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p()).exp();
    let first = |counts: &mut dyn Iterator<Item = usize>| {
        let mut beyond = 0.0;
        for k in counts {
            beyond += pmf(k);
            if beyond > tail {
                return k;
            }
        }
        n
    };
    (first(&mut (0..=n)), first(&mut (0..=n).rev()))
}

/// Probability that a sum of independent coins of unequal `probabilities` is as far out on its side as `sum`, twice, at most 1.
///
/// Exact, by adding one coin at a time: with probabilities near 0 and 1 the normal law of the standardised sum would not hold.
pub fn coins(probabilities: &[f64], sum: usize) -> f64 {
    let mut pmf = vec![1.0];
    for p in probabilities {
        pmf.push(0.0);
        for k in (0..pmf.len()).rev() {
            let before = if k > 0 { pmf[k - 1] } else { 0.0 };
            pmf[k] = pmf[k] * (1.0 - p) + before * p;
        }
    }
    let below: f64 = pmf[..=sum].iter().sum();
    let above: f64 = pmf[sum..].iter().sum();
    (2.0 * below.min(above)).min(1.0)
}

/// Which p values are too small, at a family-wise level that holds whatever their dependence (Holm, Scand. J. Stat. 6 (1979) 65).
pub fn holm(p: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut rejected = vec![false; p.len()];
    for (i, &at) in order.iter().enumerate() {
        if p[at] > level / (p.len() - i) as f64 {
            break;
        }
        rejected[at] = true;
    }
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_fall_into_equal_bins() {
        let even = histogram((0..160).map(|i| (i % 16, 15)));
        assert_eq!((even.counts.as_slice(), even.chi2, even.degrees, even.p), ([10; 16].as_slice(), 0.0, 15, Some(1.0)));
        // Ranks among 15, 31 and 127 draws share bins.
        let mixed = histogram([(0, 15), (1, 31), (15, 127), (16, 31)].into_iter().cycle().take(20).collect::<Vec<_>>().into_iter());
        assert_eq!(mixed.counts, [15, 0, 5, 0]);
        assert_eq!(mixed.chi2, 30.0);
        // χ² of 3 degrees of freedom beyond 30: 1.3800570e-6.
        assert!((mixed.p.unwrap_or(1.0) / 1.380_057e-6 - 1.0).abs() < 1e-5, "{:?}", mixed.p);
        let few = histogram((0..9).map(|i| (i, 15)));
        assert_eq!((few.counts.as_slice(), few.p), ([9].as_slice(), None));
        assert_eq!(histogram(std::iter::empty()).chi2, 0.0);
    }

    #[test]
    fn bands_hold_what_they_say() {
        // Binomial(200, .68): .0046 lie below 119 and .0044 above 152, one more count on either side would be too many.
        let (n, p) = (200, 0.68);
        let (low, high) = band(n, p, 0.005);
        let all = vec![p; n];
        // `coins` doubles the tail from the sum on.
        assert!(coins(&all, low - 1) <= 0.01 && coins(&all, low) > 0.01, "{low}");
        assert!(coins(&all, high + 1) <= 0.01 && coins(&all, high) > 0.01, "{high}");
        assert_eq!(band(1, 0.5, 0.005), (0, 1));
    }

    #[test]
    fn unequal_coins_are_summed_exactly() {
        // P(0) = .9·.5 = .45, P(1) = .1·.5 + .9·.5 = .5, P(2) = .05.
        for (sum, p) in [(0, 0.9), (1, 1.0), (2, 0.1)] {
            assert!((coins(&[0.1, 0.5], sum) - p).abs() < 1e-15, "{sum}");
        }
        assert_eq!(coins(&[1.0, 0.0], 2), 0.0);
        assert_eq!(coins(&[], 0), 1.0);
    }

    #[test]
    fn holm_steps_down() {
        // .004 ≤ .01/2 lets the next one be compared with .01, which Bonferroni would not.
        assert_eq!(holm(&[0.008, 0.004], 0.01), [true, true]);
        assert_eq!(holm(&[0.008, 0.006], 0.01), [false, false]);
        assert_eq!(holm(&[0.5, 0.001, 0.02], 0.01), [false, true, false]);
        assert_eq!(holm(&[], 0.01), [false; 0]);
    }
}
