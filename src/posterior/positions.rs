//! Where the peaks are, whatever their number: the expected number of peaks per unit of x, averaged over the candidates.

use serde::{Deserialize, Serialize};

use crate::models::Role;
use crate::problem::{Binding, Problem, Term};
use crate::sampler::Sampled;

/// Bins of the range that positions may take.
const BINS: usize = 512;

/// Density of the positions of one measurement's counted peaks. Its integral is the expected number of peaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Positions {
    /// Name of the window or measurement.
    pub window: String,
    /// Lower end of the first bin.
    pub low: f64,
    /// Upper end of the last bin.
    pub high: f64,
    /// Σ p(candidate) × expected peaks per unit of x, bin by bin, to six digits.
    pub density: Vec<f64>,
}

impl Positions {
    /// Width of a bin.
    pub fn width(&self) -> f64 {
        (self.high - self.low) / self.density.len() as f64
    }
}

/// One entry a measurement that counts something with a position; none where the candidates have no probabilities.
pub(super) fn positions(problems: &[&Problem], sampled: &[Sampled], probabilities: &[f64]) -> Vec<Positions> {
    if probabilities.iter().any(|p| p.is_nan()) {
        return Vec::new();
    }
    let measurements = problems.first().map_or(0, |p| p.measurements.len());
    let of = |m: usize| {
        let ranges = problems.iter().flat_map(|p| centres(p, m).into_iter().map(|b| range(p, m, b)));
        let (low, high) = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        let mut density = vec![0.0; BINS];
        let bin = (high - low) / BINS as f64;
        for ((problem, sampled), p) in problems.iter().zip(sampled).zip(probabilities) {
            let (centres, d) = (centres(problem, m), problem.dimension());
            let rows: usize = sampled.copies.iter().map(crate::sampler::Record::rows).sum();
            let share = p / (rows as f64 * bin);
            for row in sampled.copies.iter().flat_map(|c| c.draws.chunks_exact(d.max(1))) {
                for x in centres.iter().map(|b| b.value(row)) {
                    let at = ((x - low) / bin) as usize;
                    if x >= low && x <= high {
                        density[at.min(BINS - 1)] += share;
                    }
                }
            }
        }
        let density = density.into_iter().map(|v| format!("{v:.5e}").parse().unwrap_or(v)).collect();
        Some(Positions { window: problems[0].measurements[m].name.clone(), low, high, density })
    };
    (0..measurements).filter_map(of).collect()
}

/// Where the positions of a measurement's counted peaks come from.
fn centres(problem: &Problem, measurement: usize) -> Vec<Binding> {
    let centre = |term: &Term| {
        let quantities = (term.model.parameters)(term.size);
        quantities.iter().position(|q| q.role == Role::Center).map(|at| term.bindings[at])
    };
    problem.terms.iter().filter(|t| t.counted && t.measurement == measurement).filter_map(centre).collect()
}

/// What a position can be: its prior's range, or the window where that has no end. The same for every frame.
fn range(problem: &Problem, measurement: usize, binding: Binding) -> (f64, f64) {
    let data = &problem.measurements[measurement];
    let window = (data.mid - data.half, data.mid + data.half);
    let Some(i) = binding.free else { return (window.0.min(binding.offset), window.1.max(binding.offset)) };
    let given = |x: f64| x * binding.factor + binding.offset;
    let (a, b) = problem.parameters[i].prior.range();
    let (low, high) = (given(a).min(given(b)), given(a).max(given(b)));
    if low.is_finite() && high.is_finite() && low < high { (low, high) } else { window }
}
