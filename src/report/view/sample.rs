//! The draws and curves of one window of one frame.

use std::path::Path;

use crate::error::{Error, Place, Result};
use crate::posterior::ParameterResult;

/// Draws and curves of the most probable candidate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Name of the window.
    pub window: String,
    /// Label of the candidate.
    pub candidate: String,
    /// Its parameters.
    pub variables: Vec<Variable>,
    /// Its measurements.
    pub measured: Vec<Measured>,
}

/// One parameter, of all peaks of its kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Number of peaks it has; none where it belongs to no peak.
    pub peaks: Option<usize>,
    /// All draws, chain by chain, times the peaks.
    pub values: Vec<f64>,
}

/// One measurement and what the posterior expects of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Its name; empty where it is the only one.
    pub name: String,
    /// Axis.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Standard errors before any inferred scale; empty under Poisson.
    pub sigma: Vec<f64>,
    /// Quantiles .025, .16, .5, .84, .975 of the expectation at each point; empty where they were not kept.
    pub expectation: [Vec<f64>; 5],
    /// Mean curve of each term.
    pub terms: Vec<(String, Vec<f64>)>,
}

impl Variable {
    /// The draws of one peak, or all where there are none.
    pub fn column(&self, peak: usize) -> Vec<f64> {
        match self.peaks {
            Some(peaks) => self.values.iter().skip(peak).step_by(peaks.max(1)).copied().collect(),
            None => self.values.clone(),
        }
    }
}

impl Sample {
    /// The draws of a reported parameter: those of a variable that bears its name and has its mean.
    pub fn draws(&self, parameter: &ParameterResult) -> Option<Vec<f64>> {
        let word: String = parameter.parameter.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let near = 1e-6 * (parameter.mean.abs() + parameter.sd.abs()) + f64::MIN_POSITIVE;
        let peak = parameter.peak.map_or(0, |p| p - 1);
        let candidates = self.variables.iter().filter(|v| v.name.contains(&word) && v.peaks.is_some() == parameter.peak.is_some());
        candidates.filter(|v| v.peaks.is_none_or(|n| peak < n)).map(|v| v.column(peak)).find(|column| {
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            (mean - parameter.mean).abs() <= near
        })
    }
}

/// Reads a file of draws.
///
/// # Errors
/// Where it is not one that this version reads.
pub(super) fn read(path: &Path) -> Result<Sample> {
    Err(Error::recoverable("draws cannot be read yet").at(Place::file(path)))
}
