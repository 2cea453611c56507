//! What the user asked for: read from TOML, checked, with every default written out.

#[cfg(test)]
pub(crate) mod bare;
mod candidates;
mod check;
mod defaults;
mod fields;
mod parameter;
mod raw;
mod resolve;
mod simulate;
mod source;
mod term;
mod write;

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::models::{Model, Role};
use crate::prior::Prior;

pub use defaults::Facts;
pub use parameter::{RawParameter, RawShared};
pub use raw::{ENGINES, NoiseModel, RawCandidates, RawData, RawFrames, RawMeasurement, RawNoise, RawRun, RawSigma, RawSpec, RawX};
pub use simulate::{Law, Simulate};
pub use term::{Given, RawTerm};
pub(crate) use write::string as quoted;

/// A checked spec: nothing left to default, every name resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// A title for reports.
    pub title: String,
    /// Where the frames are and how to read them.
    pub data: Data,
    /// Parameters that several terms, windows' terms or measurements share by name (`[parameters.NAME]`).
    pub shared: Vec<SharedParameter>,
    /// Independent problems of each frame: one a `[[window]]`, or a single one that joins all `[[measurement]]`s.
    pub groups: Vec<Group>,
    /// How to run.
    pub run: Run,
}

/// Where the frames are and how to read them (`[data]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Folder that holds the files, absolute or relative to the working directory.
    pub folder: PathBuf,
    /// Glob of the files in the folder, such as `*.xye`.
    pub files: String,
    /// Names of the columns in order (`x y sigma`), `-` skips one; empty: the reader decides from the file kind.
    /// `x` may be followed by several `y`: each is a frame.
    pub columns: Vec<String>,
    /// `rows` or `columns` where one file is an array of frames, with the x axis given in the spec.
    pub layout: Layout,
    /// The x axis: its kind and unit.
    pub x: XAxis,
    /// Wavelength in ångström, for conversions between 2θ, d and q; that of Kα₁ for doublets.
    pub wavelength: Option<f64>,
    /// Wavelength of Kα₂ in ångström, for doublets of an anode that they do not know.
    pub wavelength2: Option<f64>,
    /// Column or table column that the expectation is multiplied by.
    pub normalise: Option<String>,
    /// Points with y above this are dropped (saturation).
    pub mask_above: Option<f64>,
    /// The table of frames, its key and axis columns.
    pub frames: Option<FrameTable>,
    /// Fact of each file's header that becomes the frame's axis (`temperature`), where no table gives one.
    pub axis_header: Option<String>,
}

/// How the frames lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One frame a file, or one frame a y column.
    Columns,
    /// One frame a row of an array; x comes from the spec.
    Rows,
}

/// The abscissa: what it is called, its unit, and where no column holds it, first value and step.
#[derive(Clone, Debug, PartialEq)]
pub struct XAxis {
    /// `two_theta`, `d`, `q`, `energy`, `channel`, or any other name.
    pub name: String,
    /// Unit, for reports: `deg`, `1/angstrom`, …
    pub unit: String,
    /// What the file holds, where it differs from `name` (2θ in the file, q in the spec); converted with the wavelength.
    pub file: Option<String>,
    /// x of the first point and step, where the file has no x column.
    pub start_step: Option<(f64, f64)>,
}

/// The table of frames (`frames = { table, key, match, axis }`).
#[derive(Clone, Debug, PartialEq)]
pub struct FrameTable {
    /// CSV file: looked for beside the spec, then in the data folder and its parent; the resolved path.
    pub table: PathBuf,
    /// Column that identifies the frame.
    pub key: String,
    /// Whether the key is matched with the number in the file's name or with the name itself.
    pub by_number: bool,
    /// Column that becomes the frame's axis.
    pub axis: Option<String>,
}

/// One independent problem of each frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Name in results: the window's name, or its range.
    pub name: String,
    /// The measurements it joins: one for a `[[window]]`.
    pub measurements: Vec<Measurement>,
    /// The candidates that compete, at least one, at most 200.
    pub candidates: Vec<Candidate>,
}

/// One stretch of the data with its terms and noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Name, unique in the group.
    pub name: String,
    /// Range of x, both ends included.
    pub range: (f64, f64),
    /// Ranges of x left out.
    pub exclude: Vec<(f64, f64)>,
    /// The noise model.
    pub noise: Noise,
    /// Every term any candidate uses.
    pub terms: Vec<Term>,
}

/// One term of a spec: a model, how many of it, and where its parameters come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Name, unique in the measurement: the model's name unless given.
    pub name: String,
    /// The model.
    pub model: &'static Model,
    /// Its size, for models that have one (the degree of a polynomial), otherwise 0.
    pub size: usize,
    /// Smallest and largest count; a term without `count` has (1, 1).
    pub count: (usize, usize),
    /// Whether `count` was given: only then does the term define K.
    pub counted: bool,
    /// Whether the amplitude is a height instead of an area.
    pub height: bool,
    /// What the number given as width means.
    pub width: Width,
    /// One entry a parameter of the model, in the model's order.
    pub parameters: Vec<Parameter>,
}

/// What a width parameter means. Models work with the full width at half maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Full width at half maximum.
    Fwhm,
    /// Half width at half maximum.
    Hwhm,
    /// Standard deviation of a Gaussian of that width.
    Sigma,
    /// b = 1/σ².
    B,
}

/// Where a parameter's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// Free, one for every peak of the term.
    Free(Prior),
    /// Free, one for all peaks of the term.
    Shared(Prior),
    /// Fixed at a value.
    Fixed(f64),
    /// offset + factor × a named shared parameter of the spec.
    Tied {
        /// Name of the shared parameter.
        to: String,
        /// Factor.
        factor: f64,
        /// Offset, in the parameter's unit.
        offset: f64,
    },
}

/// A parameter shared by name.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedParameter {
    /// Its name.
    pub name: String,
    /// Its unit, for reports.
    pub unit: String,
    /// Its prior.
    pub prior: Prior,
}

/// The noise model of a measurement.
#[derive(Clone, Debug, PartialEq)]
pub enum Noise {
    /// Gaussian.
    Gaussian {
        /// Where σ comes from.
        sigma: Sigma,
        /// Prior of the scale c that multiplies σ, where it is inferred.
        scale: Option<Prior>,
    },
    /// Poisson counts.
    Poisson,
}

/// Where σ comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Sigma {
    /// One number for all points. For an unknown σ it is the robust noise figure of the series, and `scale` multiplies it.
    Number(f64),
    /// The file's σ column.
    Column,
}

/// One fully specified model among those that compete.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its label in results: `K=3`, a name, …
    pub label: String,
    /// The total count of counted terms, where the group counts something.
    pub k: Option<usize>,
    /// (measurement, term, how many) for each term present, in the order of the spec.
    pub terms: Vec<(usize, usize, usize)>,
    /// Relative model error ε: σ² becomes σ² + (ε y)² before the run; 0 for none.
    pub model_error: f64,
}

/// How to run (`[run]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Engine: `auto`, `cpu`, `gpu`, `oracle`.
    pub engine: String,
    /// Precision of the cpu engine.
    pub f64: bool,
    /// Independent copies of each ladder.
    pub copies: usize,
    /// Proposals that a walker chooses among in a step.
    pub proposals: usize,
    /// Bulk effective sample size asked for.
    pub ess: f64,
    /// Standard error of the free energy asked for, in nats.
    pub free_energy_se: f64,
    /// Most sweeps a copy may take, adaptation included.
    pub max_sweeps: usize,
    /// Fewest round trips over all copies.
    pub round_trips: usize,
    /// Whether the measurements of a joint problem are each sampled alone too, to see what they say together.
    pub alone: bool,
}

impl Spec {
    /// Reads a spec as written; [`RawSpec::resolve`] and [`RawSpec::check`] make a `Spec` of it.
    ///
    /// # Errors
    /// As [`RawSpec::read`].
    pub fn read(path: &Path) -> Result<RawSpec> {
        RawSpec::read(path)
    }

    /// Leaves a joint problem without its measurements alone.
    pub fn together(&mut self) {
        if std::mem::take(&mut self.run.alone) {
            self.groups.truncate(1);
        }
    }

    /// What a careful reader would ask about: priors that are legal and seldom meant.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for group in &self.groups {
            for term in group.measurements.iter().flat_map(|m| &m.terms) {
                for (parameter, quantity) in term.parameters.iter().zip((term.model.parameters)(term.size)) {
                    let free = matches!(parameter, Parameter::Free(Prior::LogUniform { .. }) | Parameter::Shared(Prior::LogUniform { .. }));
                    if quantity.role == Role::Amplitude && free && term.counted {
                        warnings.push(format!(
                            "window {}, term {}: a log-uniform amplitude makes invisible peaks free, so the most probable count runs high; \
                             prefer prior = \"uniform\", low = 0",
                            group.name, term.name
                        ));
                    }
                }
            }
        }
        warnings
    }
}

/// 2√(2 ln 2): full width at half maximum of a Gaussian of unit standard deviation.
const FWHM_OF_SIGMA: f64 = 2.354_820_045_030_949_3;

impl Width {
    /// Full width at half maximum of what was given.
    #[inline(always)]
    pub fn to_fwhm(self, given: f64) -> f64 {
        match self {
            Self::Fwhm => given,
            Self::Hwhm => 2.0 * given,
            Self::Sigma => FWHM_OF_SIGMA * given,
            Self::B => FWHM_OF_SIGMA / given.sqrt(),
        }
    }

    /// The same of many; which it is is not asked anew for each, so that the loop becomes vectors.
    #[inline(always)]
    pub fn all_to_fwhm(self, given: &mut [f64]) {
        match self {
            Self::Fwhm => {}
            Self::Hwhm => convert(given, Self::Hwhm),
            Self::Sigma => convert(given, Self::Sigma),
            Self::B => convert(given, Self::B),
        }
    }

    /// What is given for a full width at half maximum.
    pub fn of_fwhm(self, fwhm: f64) -> f64 {
        match self {
            Self::Fwhm => fwhm,
            Self::Hwhm => 0.5 * fwhm,
            Self::Sigma => fwhm / FWHM_OF_SIGMA,
            Self::B => (FWHM_OF_SIGMA / fwhm).powi(2),
        }
    }
}

/// Makes full widths at half maximum of what was given as `of`.
#[inline(always)]
fn convert(given: &mut [f64], of: Width) {
    for width in given {
        *width = of.to_fwhm(*width);
    }
}
