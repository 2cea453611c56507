//! One frame times one candidate: measurements, terms and priors, flattened; immutable.

use crate::dataset::Frame;
use crate::error::Result;
use crate::models::{Extent, Inadmissible, Model, Role, Setup};
use crate::prior::Prior;
use crate::spec;

/// A problem: what one ladder samples.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Name of the frame.
    pub frame: String,
    /// Name of the group (window).
    pub window: String,
    /// Label of the candidate.
    pub candidate: String,
    /// Total count of counted terms.
    pub k: Option<usize>,
    /// The measurements, at least one.
    pub measurements: Vec<Measurement>,
    /// Terms, grouped by measurement in ascending order.
    pub terms: Vec<Term>,
    /// Free parameters: θ has one entry each.
    pub parameters: Vec<Parameter>,
    /// For each free parameter the terms that depend on it, ascending.
    pub dependents: Vec<Vec<u32>>,
}

/// The data of one measurement in one problem.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Name, unique in the problem.
    pub name: String,
    /// Middle and half-width of the window and the unit of y.
    pub mid: f64,
    /// Half-width of the window.
    pub half: f64,
    /// Unit of y: engines see y/scale. Under Poisson it is 1 times a power of two, so that deviances stay those of counts.
    pub scale: f64,
    /// x, ascending, N points.
    pub x: Vec<f64>,
    /// (x − mid)/half.
    pub t: Vec<f64>,
    /// y/scale.
    pub y: Vec<f64>,
    /// scale/σ of the base noise (Gaussian), N points; empty under Poisson.
    pub weight: Vec<f64>,
    /// Factor of the expectation at each point (monitor), Poisson only; empty for 1.
    pub exposure: Vec<f64>,
    /// Noise model.
    pub noise: Noise,
    /// The part of the energy that no parameter changes: Σ ln σ + N/2 ln 2π, or Σ(y − y ln y + ln y!).
    pub constant: f64,
    /// A term's support is where its magnitude is at least this, in units of y/scale: 1e-4 of the smallest noise level.
    pub floor: f64,
}

/// Noise of a measurement, as the energy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// Gaussian with the base σ.
    Gaussian,
    /// Gaussian with the base σ times θ[index].
    Scaled {
        /// Index of the scale among the free parameters.
        parameter: usize,
    },
    /// Poisson.
    Poisson,
}

/// One additive piece.
#[derive(Clone, Debug)]
pub struct Term {
    /// The model.
    pub model: &'static Model,
    /// Its size (degree).
    pub size: usize,
    /// Index of the measurement it belongs to.
    pub measurement: usize,
    /// Name of the spec's term it came from.
    pub name: String,
    /// Which of several like it, from 0.
    pub copy: usize,
    /// How many there are of that spec term in this candidate.
    pub of: usize,
    /// Whether copies are exchangeable peaks.
    pub counted: bool,
    /// Window and amplitude convention.
    pub setup: Setup,
    /// Where each parameter of the model comes from.
    pub bindings: Vec<Binding>,
    /// Place of its coefficients among the walker's.
    pub at: usize,
    /// How its coefficients lie.
    pub extent: Extent,
}

/// Where a term's parameter comes from, and how what the spec gives becomes what the model wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binding {
    /// Index of the free parameter, or none: then the value is `offset`.
    pub free: Option<usize>,
    /// Factor.
    pub factor: f64,
    /// Offset.
    pub offset: f64,
    /// Conversion of the result (a width given as b or σ).
    pub width: spec::Width,
}

/// One free parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name in results: `center`, `fwhm`, `scale`, …
    pub name: String,
    /// Unit in results.
    pub unit: String,
    /// Its prior.
    pub prior: Prior,
    /// What it means.
    pub role: Role,
    /// The spec term it belongs to; none for noise and parameters shared by name.
    pub term: Option<String>,
    /// The peak it belongs to (index among the problem's terms); none if shared by several.
    pub owner: Option<usize>,
    /// Bounds of the model: inadmissible outside.
    pub bounds: (f64, f64),
}

impl Problem {
    /// Number of free parameters.
    pub fn dimension(&self) -> usize {
        self.parameters.len()
    }

    /// Number of coefficients of a walker.
    pub fn coefficients(&self) -> usize {
        self.terms.last().map_or(0, |t| t.at + t.extent.len())
    }

    /// Number of data points over all measurements.
    pub fn points(&self) -> usize {
        self.measurements.iter().map(|m| m.t.len()).sum()
    }

    /// Coefficients of one term at θ, in units of t and y/scale; `out` has `extent.len()` entries.
    ///
    /// # Errors
    /// [`Inadmissible`] where the model refuses θ.
    pub fn prepare(&self, term: usize, theta: &[f64], out: &mut [f64]) -> std::result::Result<(), Inadmissible> {
        let term = &self.terms[term];
        let mut values = [0.0; MAX_PARAMETERS];
        for (value, binding) in values.iter_mut().zip(&term.bindings) {
            *value = binding.value(theta);
        }
        (term.model.prepare)(&values[..term.bindings.len()], &term.setup, out)
    }
}

pub use crate::models::MAX_PARAMETERS;

impl Binding {
    /// The value the model gets.
    pub fn value(&self, theta: &[f64]) -> f64 {
        let given = match self.free {
            Some(i) => theta[i] * self.factor + self.offset,
            None => self.offset,
        };
        self.width.to_fwhm(given)
    }
}

/// Builds the problems of one frame: one for each group and candidate.
///
/// # Errors
/// Where a window holds no points, or values do not fit the noise model (negative or fractional counts under Poisson).
pub fn build(_spec: &spec::Spec, _frame: &Frame) -> Result<Vec<Problem>> {
    Ok(Vec::new())
}
