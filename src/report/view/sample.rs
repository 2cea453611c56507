//! The draws and curves of one window of one frame.

use std::path::Path;

use netcdf_reader::NcFile;

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
    let read = || -> netcdf_reader::Result<Sample> {
        let file = NcFile::open(path)?;
        let root = file.root_group()?;
        let text = |name: &str| root.attribute(name).and_then(|a| a.value.as_string()).unwrap_or_default().trim().to_owned();
        Ok(Sample { window: text("window"), candidate: text("candidate"), variables: variables(&file)?, measured: measured(&file)? })
    };
    read().map_err(|e| {
        Error::recoverable(format!("these draws are not what keisoku {} writes: {e}", env!("CARGO_PKG_VERSION")))
            .at(Place::file(path))
            .hint("run the frame again with --fresh")
    })
}

fn numbers(file: &NcFile, path: &str) -> netcdf_reader::Result<Vec<f64>> {
    Ok(file.read_variable::<f64>(path)?.into_iter().collect())
}

/// The parameters: everything over chains and draws.
fn variables(file: &NcFile) -> netcdf_reader::Result<Vec<Variable>> {
    let mut all = Vec::new();
    for variable in file.group("posterior")?.variables.iter().filter(|v| v.dimensions.len() >= 2) {
        let peaks = variable.dimensions.get(2).map(|d| d.size as usize);
        let unit = variable.attribute("units").and_then(|a| a.value.as_string()).unwrap_or_default();
        let values = numbers(file, &format!("posterior/{}", variable.name))?;
        all.push(Variable { name: variable.name.clone(), unit: unit.trim().to_owned(), peaks, values });
    }
    Ok(all)
}

/// The data: `x`, `y` and `sigma`, behind the measurement's name where there are several.
fn measured(file: &NcFile) -> netcdf_reader::Result<Vec<Measured>> {
    let group = file.group("observed_data")?;
    let has = |name: &str| group.variables.iter().any(|v| v.name == name);
    let mut all = Vec::new();
    for variable in &group.variables {
        let Some(prefix) = variable.name.strip_suffix('y').filter(|p| has(&format!("{p}x")) && (p.is_empty() || p.ends_with('_'))) else { continue };
        let get = |word: &str| -> netcdf_reader::Result<Vec<f64>> {
            let name = format!("{prefix}{word}");
            if has(&name) { numbers(file, &format!("observed_data/{name}")) } else { Ok(Vec::new()) }
        };
        let name = prefix.trim_end_matches('_').to_owned();
        all.push(Measured { name, x: get("x")?, y: get("y")?, sigma: get("sigma")?, ..Measured::default() });
    }
    Ok(all)
}
