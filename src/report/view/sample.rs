//! The draws of a reported parameter among those of a file.

use crate::posterior::{ParameterResult, Variable, word};
use crate::report::samples::Sample;

/// The draws of a reported parameter: those of a variable that bears its name and has its mean.
pub(in crate::report) fn draws(sample: &Sample, parameter: &ParameterResult) -> Option<Vec<f64>> {
    let word = word(&parameter.parameter);
    let near = 1e-6 * (parameter.mean.abs() + parameter.sd.abs()) + f64::MIN_POSITIVE;
    let peak = parameter.peak.map_or(0, |p| p - 1);
    let candidates = sample.variables.iter().filter(|v| v.name.contains(&word) && v.peaks.is_some() == parameter.peak.is_some());
    candidates.filter(|v| v.peaks.as_ref().is_none_or(|(_, n)| peak < *n)).map(|v| column(v, peak)).find(|column| {
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        (mean - parameter.mean).abs() <= near
    })
}

/// The draws of one peak, or all where there are none.
fn column(variable: &Variable, peak: usize) -> Vec<f64> {
    let peaks = variable.peaks.as_ref().map_or(1, |(_, n)| *n);
    variable.values.iter().skip(peak).step_by(peaks.max(1)).copied().collect()
}
