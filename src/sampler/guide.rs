//! Where peaks may be: a density over positions made from the data once, for moves that put a peak elsewhere.
//!
//! It is only ever proposed from, and the ratio of its densities enters the acceptance, so the answer does not depend on how good it is;
//! how long it takes does: a line a hundredth of the window wide is found by one prior draw in hundreds.

use rand::{Rng, RngExt};

use crate::dataset::neighbour_noise;
use crate::engine::cpu::span::Ascending;
use crate::prior::Prior;
use crate::problem::Measurement;

/// Share of proposals that come from the prior instead.
const FROM_PRIOR: f64 = 0.5;
/// Weight of a point that shows nothing, against ln(1 + signal/noise) of one that does.
const NOTHING: f64 = 0.05;
/// The background is taken as this quantile of the window's values.
const BACKGROUND: f64 = 0.1;

/// A mixture of a prior and a density that is constant around each data point.
#[derive(Clone, Debug, PartialEq)]
pub struct Guide {
    prior: Prior,
    /// ln of the prior's density less its kernel.
    ln_constant: f64,
    /// Ends of the cells, one more than points.
    edges: Ascending,
    /// Cumulated probability at each end, from 0 to 1.
    cumulated: Vec<f64>,
}

impl Guide {
    /// The guide of a centre with this prior in the data of this measurement; none for fewer than three points.
    pub fn new(data: &Measurement, prior: Prior) -> Option<Self> {
        let (x, y) = (&data.x, &data.y);
        let last = x.len().checked_sub(1).filter(|&last| last >= 2)?;
        let mut sorted = y.clone();
        sorted.sort_by(f64::total_cmp);
        let base = sorted[(BACKGROUND * last as f64) as usize];
        let noise = neighbour_noise(y).max(1e-9 * (sorted[last] - sorted[0])).max(f64::MIN_POSITIVE);
        let mut edges = vec![x[0] - 0.5 * (x[1] - x[0])];
        edges.extend(x.windows(2).map(|w| 0.5 * (w[0] + w[1])));
        edges.push(x[last] + 0.5 * (x[last] - x[last - 1]));
        let mut cumulated = vec![0.0];
        for (i, y) in y.iter().enumerate() {
            let weight = NOTHING + ((y - base).max(0.0) / noise).ln_1p();
            cumulated.push(cumulated[i] + weight * (edges[i + 1] - edges[i]));
        }
        let total = cumulated[last + 1];
        cumulated.iter_mut().for_each(|c| *c /= total);
        Some(Self { prior, ln_constant: prior.ln_constant(), edges: Ascending::new(edges), cumulated })
    }

    /// A draw.
    pub fn sample<R: Rng>(&self, rng: &mut R) -> f64 {
        if rng.random::<f64>() < FROM_PRIOR {
            return self.prior.sample(rng);
        }
        let u = rng.random::<f64>();
        let edges = self.edges.values();
        let i = self.cumulated.partition_point(|&c| c <= u).clamp(1, edges.len() - 1) - 1;
        let share = (u - self.cumulated[i]) / (self.cumulated[i + 1] - self.cumulated[i]);
        edges[i] + share * (edges[i + 1] - edges[i])
    }

    /// How many times denser than the prior it is; infinite where the prior is zero.
    pub fn excess(&self, x: f64) -> f64 {
        let edges = self.edges.values();
        let i = self.edges.count(x, |e| e <= x);
        let own = if i == 0 || i == edges.len() { 0.0 } else { (self.cumulated[i] - self.cumulated[i - 1]) / (edges[i] - edges[i - 1]) };
        FROM_PRIOR + (1.0 - FROM_PRIOR) * own * (-self.prior.ln_kernel(x) - self.ln_constant).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Noise;
    use crate::random::Key;

    fn data() -> Measurement {
        let x: Vec<f64> = (0..60).map(|i| 0.05 * f64::from(i)).collect();
        let y = x.iter().map(|x| 1.0 + 40.0 * (-80.0 * (x - 1.1f64).powi(2)).exp() + 0.1 * (97.0 * x).sin()).collect();
        let t = x.clone();
        let (weight, exposure) = (vec![1.0; 60], Vec::new());
        Measurement {
            name: String::new(),
            mid: 0.0,
            half: 1.0,
            scale: 1.0,
            x,
            t,
            y,
            weight,
            exposure,
            noise: Noise::Gaussian,
            constant: 0.0,
            floor: 1e-4,
        }
    }

    /// Draws fall where the density says: χ² over 20 cells, bound at a false-alarm rate of 10⁻⁴ for 19 degrees of freedom.
    #[test]
    fn draws_follow_the_density() {
        let prior = Prior::TruncatedNormal { mean: 1.0, sd: 2.0, low: -0.025, high: 2.975 };
        let guide = Guide::new(&data(), prior).unwrap();
        let density = |x: f64| prior.ln_density(x).exp();
        let mut stream = Key::new(3, "guide", "", "", 0).stream(0, 0, 0);
        let (n, cells) = (20_000, 20);
        let mut counts = vec![0.0; cells];
        for _ in 0..n {
            let x = guide.sample(&mut stream);
            counts[((x + 0.025) / 3.0 * cells as f64) as usize] += 1.0;
        }
        let mut chi2 = 0.0;
        for (c, count) in counts.iter().enumerate() {
            let at = |k: usize| -0.025 + 3.0 * (c as f64 + (k as f64 + 0.5) / 400.0) / cells as f64;
            let mass: f64 = (0..400).map(|k| guide.excess(at(k)) * density(at(k)) * 3.0 / cells as f64 / 400.0).sum();
            chi2 += (count - f64::from(n) * mass).powi(2) / (f64::from(n) * mass);
        }
        assert!(chi2 < 50.8, "{chi2}");
    }
}
