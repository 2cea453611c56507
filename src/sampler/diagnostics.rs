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
    let quantiles = Scores::new(total);
    let bulk = quantiles.of(&halves);
    let median = median(chains);
    let folded: Vec<Vec<f64>> = halves.iter().map(|h| h.iter().map(|v| (v - median).abs()).collect()).collect();
    let rhat = split_rhat(&bulk).max(split_rhat(&quantiles.of(&folded)));
    let tail = |p: f64| {
        let q = quantile(chains, p);
        let below: Vec<Vec<f64>> = halves.iter().map(|h| h.iter().map(|&v| f64::from(u8::from(v <= q))).collect()).collect();
        ess(&below, Between::Counted)
    };
    Convergence { rhat, ess_bulk: ess(&bulk, Between::Counted), ess_tail: tail(0.05).min(tail(0.95)) }
}

/// Effective sample size of the bulk that the correlations within half copies tell, whatever the differences between them, which R-hat tells.
/// It is known far better than [`Convergence::ess_bulk`]: the variance between a few half copies has as few degrees of freedom. NaN where there
/// are fewer than four draws a copy.
pub fn ess_within(chains: &[Vec<f64>]) -> f64 {
    let halves = split(chains);
    if halves.first().is_none_or(|h| h.len() < 2) {
        return f64::NAN;
    }
    ess(&Scores::new(halves.iter().map(Vec::len).sum()).of(&halves), Between::LeftOut)
}

/// Effective sample size of the mean of `chains` as they are (not ranked); NaN where there are fewer than four draws a copy.
pub fn ess_mean(chains: &[Vec<f64>]) -> f64 {
    let halves = split(chains);
    if halves.first().is_none_or(|h| h.len() < 2) { f64::NAN } else { ess(&halves, Between::Counted) }
}

fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let half = chains.iter().map(Vec::len).min().unwrap_or(0) / 2;
    chains.iter().flat_map(|c| [c[..half].to_vec(), c[c.len() - half..].to_vec()]).collect()
}

/// Normal scores of (rank − 3/8)/(S + 1/4), ranks from 1 to S, for ranks that are whole: they cost as much as the rest of a look at a record.
struct Scores {
    whole: Vec<f64>,
}

impl Scores {
    fn new(total: usize) -> Self {
        let mut whole = vec![0.0; total];
        for i in 0..total / 2 {
            let score = score((i + 1) as f64, total);
            (whole[i], whole[total - 1 - i]) = (score, -score);
        }
        Self { whole }
    }

    /// Scores of the ranks over all chains, ties averaged.
    fn of(&self, chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let n = chains.first().map_or(0, Vec::len);
        let flat: Vec<f64> = chains.iter().flatten().copied().collect();
        let mut order: Vec<usize> = (0..flat.len()).collect();
        order.sort_by(|&a, &b| flat[a].total_cmp(&flat[b]));
        let mut scores = vec![0.0; flat.len()];
        let mut at = 0;
        while at < order.len() {
            let end = at + order[at..].iter().take_while(|&&i| flat[i] == flat[order[at]]).count();
            // The mean of ranks at + 1 to end, twice over: odd between two whole ones.
            let twice = at + 1 + end;
            let score = if twice.is_multiple_of(2) { self.whole[twice / 2 - 1] } else { score(0.5 * twice as f64, flat.len()) };
            order[at..end].iter().for_each(|&i| scores[i] = score);
            at = end;
        }
        scores.chunks(n.max(1)).map(<[f64]>::to_vec).collect()
    }
}

fn score(rank: f64, total: usize) -> f64 {
    normal_quantile((rank - 0.375) / (total as f64 + 0.25))
}

/// Inverse of the standard normal distribution function.
pub fn normal_quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * puruspe::inverfc(2.0 * p)
}

fn sorted(chains: &[Vec<f64>]) -> Vec<f64> {
    let mut all: Vec<f64> = chains.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    all
}

fn quantile(chains: &[Vec<f64>], p: f64) -> f64 {
    sorted_quantile(&sorted(chains), p)
}

/// The median of all draws, those in the middle of an odd number too, to the last bit as others compute it: the two next to it are as far from it, and
/// whether they tie shows in the R-hat of a short record.
fn median(chains: &[Vec<f64>]) -> f64 {
    let all = sorted(chains);
    0.5 * (all[(all.len() - 1) / 2] + all[all.len() / 2])
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

/// Whether the variance between chains lowers an effective sample size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    Counted,
    LeftOut,
}

fn split_rhat(chains: &[Vec<f64>]) -> f64 {
    let (within, pooled) = variances(chains);
    if within <= 0.0 { f64::INFINITY } else { (pooled / within).sqrt() }
}

/// Geyer's initial positive and monotone sequence over the combined autocorrelations of all chains, as Stan and ArviZ have it:
/// autocovariances divided by n, the within-chain variance by n − 1; the first pair of lags that is not counted still gives its even one,
/// if positive.
fn ess(chains: &[Vec<f64>], between: Between) -> f64 {
    let (m, n) = (chains.len() as f64, chains[0].len());
    let (within, mut pooled) = variances(chains);
    if between == Between::LeftOut {
        pooled = (n as f64 - 1.0) / n as f64 * within;
    }
    let total = m * n as f64;
    if pooled <= 0.0 {
        return total;
    }
    let centre = |chain: &Vec<f64>| {
        let mean = moments(chain).0;
        chain.iter().map(|v| v - mean).collect::<Vec<f64>>()
    };
    let centred: Vec<Vec<f64>> = chains.iter().map(centre).collect();
    let rho = |lag: usize| {
        let covariance: f64 =
            centred.iter().map(|c| c[lag..].iter().zip(c.iter()).map(|(a, b)| a * b).sum::<f64>() / n as f64).sum::<f64>() / m;
        1.0 - (within - covariance) / pooled
    };
    let (mut sum, mut previous) = (0.0, f64::INFINITY);
    let (mut even, mut odd, mut lag) = (1.0, rho(1), 1);
    while lag + 3 < n && even + odd > 0.0 {
        previous = (even + odd).min(previous);
        sum += previous;
        lag += 2;
        (even, odd) = (rho(lag - 1), rho(lag));
    }
    // Stan bounds the estimate for antithetic chains by S log10 S.
    let tau = (2.0 * sum - 1.0 + even.max(0.0)).max(1.0 / total.log10());
    total / tau
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four chains of x ← ρ x + uniform, each shifted by its number.
    fn series(rho: f64, n: usize, shift: f64) -> Vec<Vec<f64>> {
        let chain = |c: u64| {
            let (mut x, mut state) = (0.0, c + 1);
            (0..n)
                .map(|_| {
                    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
                    x = rho * x + state as f64 / 2_147_483_648.0 - 0.5;
                    x + shift * c as f64
                })
                .collect()
        };
        (0..4).map(chain).collect()
    }

    #[test]
    fn too_few_draws_say_nothing() {
        for n in 0..4 {
            let chains = vec![vec![1.0; n]; 2];
            assert!(ess_mean(&chains).is_nan() && convergence(&chains).rhat.is_nan());
        }
    }

    /// ArviZ 0.23.4: rhat, ess(method="bulk"), ess(method="tail"). A lag left out, or autocovariances divided by n − lag, are off by 10⁻³.
    #[test]
    fn arviz_gets_the_same() {
        for (rho, n, shift, expected) in [
            (0.0, 101, 0.0, [0.999_749_512_916_132_9, 352.813_807_649_534_9, 367.508_634_967_927_2]),
            (0.7, 250, 0.0, [1.007_500_215_360_115_1, 229.827_614_352_228_32, 343.689_319_107_186_3]),
            (0.95, 333, 0.2, [1.176_333_733_430_416_3, 20.058_794_446_496_46, 25.755_568_805_071]),
            (-0.6, 64, 0.0, [1.004_833_020_201_422_8, 616.509_431_119_833_5, 227.777_999_019_885_68]),
            (0.5, 5, 0.0, [0.945_984_430_511_781_7, 19.265_919_722_494_797, 19.265_919_722_494_797]),
        ] {
            let c = convergence(&series(rho, n, shift));
            for (got, expected) in [c.rhat, c.ess_bulk, c.ess_tail].iter().zip(expected) {
                assert!((got / expected - 1.0).abs() < 1e-9, "{rho} {n}: {got} for {expected}");
            }
        }
    }
}
