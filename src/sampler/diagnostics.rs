//! Rank-normalised split R-hat and effective sample sizes (Vehtari, Gelman, Simpson, Carpenter, Bürkner, Bayesian Analysis 16 (2021) 667).
//!
//! `chains` are draws of one quantity, one slice a copy, all of one length.

/// R-hat, bulk and tail effective sample size of one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convergence {
    /// Larger of rank-normalised and folded split R-hat.
    pub rhat: f64,
    /// Effective sample size of the bulk.
    pub ess_bulk: f64,
    /// Smaller of the effective sample sizes of the 5 % and 95 % quantiles.
    pub ess_tail: f64,
}

/// Convergence of one quantity; NaN where there are fewer than four draws a copy, and R-hat 1 where nothing varies.
pub fn convergence(chains: &[Vec<f64>]) -> Convergence {
    let halves = split(chains);
    if halves.first().is_none_or(|h| h.len() < 2) {
        return Convergence { rhat: f64::NAN, ess_bulk: f64::NAN, ess_tail: f64::NAN };
    }
    let total: usize = halves.iter().map(Vec::len).sum();
    let first = halves[0][0];
    if halves.iter().flatten().all(|&v| v == first) {
        return Convergence { rhat: 1.0, ess_bulk: total as f64, ess_tail: total as f64 };
    }
    let bulk = normal_scores(&halves);
    let median = quantile(&halves, 0.5);
    let folded: Vec<Vec<f64>> = halves.iter().map(|h| h.iter().map(|v| (v - median).abs()).collect()).collect();
    let rhat = split_rhat(&bulk).max(split_rhat(&normal_scores(&folded)));
    let tail = |p: f64| {
        let q = quantile(&halves, p);
        let below: Vec<Vec<f64>> = halves.iter().map(|h| h.iter().map(|&v| f64::from(u8::from(v <= q))).collect()).collect();
        ess(&below)
    };
    Convergence { rhat, ess_bulk: ess(&bulk), ess_tail: tail(0.05).min(tail(0.95)) }
}

/// Effective sample size of the mean of `chains` as they are (not ranked).
pub fn ess_mean(chains: &[Vec<f64>]) -> f64 {
    ess(&split(chains))
}

fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let half = chains.iter().map(Vec::len).min().unwrap_or(0) / 2;
    chains.iter().flat_map(|c| [c[..half].to_vec(), c[c.len() - half..].to_vec()]).collect()
}

/// Ranks over all chains (ties averaged), as normal scores of (rank − 3/8)/(S + 1/4).
fn normal_scores(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = chains.first().map_or(0, Vec::len);
    let flat: Vec<f64> = chains.iter().flatten().copied().collect();
    let mut order: Vec<usize> = (0..flat.len()).collect();
    order.sort_by(|&a, &b| flat[a].total_cmp(&flat[b]));
    let mut scores = vec![0.0; flat.len()];
    let mut at = 0;
    while at < order.len() {
        let end = at + order[at..].iter().take_while(|&&i| flat[i] == flat[order[at]]).count();
        let rank = 0.5 * (at + 1 + end) as f64;
        let score = normal_quantile((rank - 0.375) / (flat.len() as f64 + 0.25));
        order[at..end].iter().for_each(|&i| scores[i] = score);
        at = end;
    }
    scores.chunks(n.max(1)).map(<[f64]>::to_vec).collect()
}

/// Inverse of the standard normal distribution function.
pub fn normal_quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * puruspe::inverfc(2.0 * p)
}

fn quantile(chains: &[Vec<f64>], p: f64) -> f64 {
    let mut all: Vec<f64> = chains.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    sorted_quantile(&all, p)
}

/// Quantile of ascending numbers, linear between order statistics.
pub fn sorted_quantile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = p * last as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (at - low as f64) * (sorted[high] - sorted[low])
}

/// Mean and variance (n − 1) of one chain.
fn moments(chain: &[f64]) -> (f64, f64) {
    let n = chain.len() as f64;
    let mean = chain.iter().sum::<f64>() / n;
    (mean, chain.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0))
}

/// Within-chain variance W and the pooled estimate var⁺.
fn variances(chains: &[Vec<f64>]) -> (f64, f64) {
    let n = chains[0].len() as f64;
    let each: Vec<(f64, f64)> = chains.iter().map(|c| moments(c)).collect();
    let within = each.iter().map(|m| m.1).sum::<f64>() / each.len() as f64;
    let means: Vec<f64> = each.iter().map(|m| m.0).collect();
    let between = if means.len() > 1 { moments(&means).1 } else { 0.0 };
    (within, (n - 1.0) / n * within + between)
}

fn split_rhat(chains: &[Vec<f64>]) -> f64 {
    let (within, pooled) = variances(chains);
    if within <= 0.0 { f64::INFINITY } else { (pooled / within).sqrt() }
}

/// Geyer's initial monotone sequence over the combined autocorrelations of all chains.
fn ess(chains: &[Vec<f64>]) -> f64 {
    let (m, n) = (chains.len() as f64, chains[0].len());
    let (within, pooled) = variances(chains);
    let total = m * n as f64;
    if pooled <= 0.0 {
        return total;
    }
    let centred: Vec<Vec<f64>> = chains.iter().map(|c| c.iter().map(|v| v - moments(c).0).collect()).collect();
    let rho = |lag: usize| {
        let covariance: f64 =
            centred.iter().map(|c| c[lag..].iter().zip(c.iter()).map(|(a, b)| a * b).sum::<f64>() / n as f64).sum::<f64>() / m;
        // The autocovariances are divided by n, W by n − 1 (Stan's convention).
        1.0 - (within - covariance * n as f64 / (n as f64 - 1.0)) / pooled
    };
    let mut sum = 0.0;
    let mut previous = f64::INFINITY;
    let mut lag = 0;
    while lag + 1 < n {
        let pair = if lag == 0 { 1.0 + rho(1) } else { rho(lag) + rho(lag + 1) };
        if pair <= 0.0 {
            break;
        }
        previous = pair.min(previous);
        sum += previous;
        lag += 2;
    }
    // Stan bounds the estimate for antithetic chains by S log10 S.
    let tau = (2.0 * sum - 1.0).max(1.0 / total.log10());
    total / tau
}
