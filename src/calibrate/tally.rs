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

/// The exact central interval of a probability of which `k` of `n` trials succeeded, holding it in at least `level` of cases (Clopper, Pearson,
/// Biometrika 26 (1934) 404): the ends are quantiles of Beta laws, found by halving. From 0 to 1 where there is no trial.
pub fn exact(k: usize, n: usize, level: f64) -> (f64, f64) {
    let tail = 0.5 * (1.0 - level);
    let quantile = |a: f64, b: f64, p: f64| {
        let (mut low, mut high) = (0.0, 1.0);
        // Beyond the digits of an f64.
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if puruspe::betai(a, b, middle) < p { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let (successes, failures) = (k as f64, n.saturating_sub(k) as f64);
    let low = if k == 0 { 0.0 } else { quantile(successes, failures + 1.0, tail) };
    let high = if k >= n { 1.0 } else { quantile(successes + 1.0, failures, 1.0 - tail) };
    (low, high)
}
