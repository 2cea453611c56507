//! Reading a file of draws back: what reports and figures are made of, and what else a program may want of it.

use std::fs;
use std::path::Path;

use netcdf_reader::{NcFile, NcGroup, NcVariable};

use super::super::atomic;
use crate::error::{Error, Place, Result};
use crate::posterior::{QUANTILES, Variable};

/// The draws of one candidate of one window of one frame, as samples.nc holds them.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Name of the frame.
    pub frame: String,
    /// Its file (and column or row).
    pub source: String,
    /// Time or temperature.
    pub axis: Option<f64>,
    /// Name of the window.
    pub window: String,
    /// Label of the candidate.
    pub candidate: String,
    /// Its count, where the window counts something.
    pub k: Option<usize>,
    /// The parameters, in the order of the results; values are chain by chain, draw by draw, peak by peak.
    pub variables: Vec<Variable>,
    /// Chains.
    pub chains: usize,
    /// Draws of each chain.
    pub rows: usize,
    /// Inverse temperatures, ascending to 1.
    pub betas: Vec<f64>,
    /// U at every rung in nats, chains × rows × betas.
    pub energies: Vec<f64>,
    /// ln of likelihood times prior in nats, chains × rows.
    pub lp: Vec<f64>,
    /// The measurements the candidate was fitted to.
    pub measurements: Vec<Measured>,
}

/// One measurement with what the draws say of it, in units of its y, at its N points.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its name; empty where it is the only one.
    pub name: String,
    /// Axis.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Standard errors before any inferred scale; empty under Poisson.
    pub sigma: Vec<f64>,
    /// Factor of the expectation; empty for 1.
    pub exposure: Vec<f64>,
    /// [`QUANTILES`] of the expected y, each at every point.
    pub expectation: [Vec<f64>; 5],
    /// Name and mean curve of every term, in the order of the results.
    pub terms: Vec<(String, Vec<f64>)>,
    /// New data of some draws, one curve after another, each at every point.
    pub predictive: Vec<f64>,
}

/// Reads a file of draws.
///
/// # Errors
/// Recoverable: the file cannot be read, is damaged, or is not one that this version of keisoku writes.
pub fn read(path: &Path) -> Result<Sample> {
    let bytes = fs::read(path).map_err(|e| atomic::cannot_read(path, &e))?;
    // Nothing is stored compressed, so that no array can have more values than its file has bytes.
    let most = bytes.len() as u64;
    let wrong = |what: String| {
        Error::recoverable(format!("no draws can be read from this file: {what}"))
            .at(Place::file(path))
            .hint("if keisoku wrote it, it is damaged or of another version: run its frame again in a new folder (--out DIR)")
    };
    if end(&bytes).is_some_and(|end| end > most) {
        return Err(wrong("it is cut short".into()));
    }
    let file = NcFile::from_vec(bytes).map_err(|e| wrong(e.to_string()))?;
    Source { file: &file, most }.sample().map_err(wrong)
}

/// Where a file says that it ends, in a superblock of version 2 or 3 (HDF5 file format specification, II.A), the ones that keisoku writes.
fn end(bytes: &[u8]) -> Option<u64> {
    let end = bytes.get(28..36)?.try_into().ok()?;
    matches!(bytes[8], 2 | 3).then(|| u64::from_le_bytes(end))
}

/// What is wrong with a file, in words that follow a colon.
type Read<T> = std::result::Result<T, String>;

/// An open file, which may be anyone's.
struct Source<'a> {
    file: &'a NcFile,
    /// Values that an array can have at most.
    most: u64,
}

impl Source<'_> {
    fn sample(&self) -> Read<Sample> {
        let root = self.file.root_group().map_err(|e| e.to_string())?;
        if !text(root, "created_by")?.starts_with("keisoku") {
            return Err("another program wrote it".into());
        }
        let betas = self.values("sample_stats/beta")?;
        let lp = self.values("sample_stats/lp")?;
        let &[chains, rows] = &shape(self.variable("sample_stats/lp")?)[..] else { return Err("`lp` is not over chains and draws".into()) };
        let sample = Sample {
            frame: text(root, "frame")?,
            source: text(root, "source")?,
            axis: number(root, "axis"),
            window: text(root, "window")?,
            candidate: text(root, "candidate")?,
            k: number(root, "k").map(|k| k as usize),
            variables: self.variables(lp.len())?,
            chains,
            rows,
            energies: self.sized("sample_stats/energies", lp.len() * betas.len())?,
            lp,
            betas,
            measurements: self.measurements()?,
        };
        Ok(sample)
    }

    /// The parameters, `draws` values each, times their peaks.
    fn variables(&self, draws: usize) -> Read<Vec<Variable>> {
        let mut all = Vec::new();
        for variable in &self.group("posterior")?.variables {
            let Some(place) = place(variable) else { continue };
            let peaks = variable.dimensions.get(2).map(|d| (d.name.clone(), d.size as usize));
            let length = draws.saturating_mul(peaks.as_ref().map_or(1, |(_, n)| *n));
            let values = self.sized(&format!("posterior/{}", variable.name), length)?;
            let unit = variable.attribute("units").and_then(|a| a.value.as_string()).unwrap_or_default();
            all.push((place, Variable { name: variable.name.clone(), unit, peaks, values }));
        }
        all.sort_by_key(|(place, _)| *place);
        Ok(all.into_iter().map(|(_, variable)| variable).collect())
    }

    fn measurements(&self) -> Read<Vec<Measured>> {
        let group = self.group("observed_data")?;
        let mut named: Vec<(u64, &str)> = group.variables.iter().filter_map(|v| Some((place(v)?, v.name.strip_suffix('y')?))).collect();
        named.sort_unstable();
        if named.is_empty() {
            return Err("there are no data in it".into());
        }
        named.into_iter().map(|(_, prefix)| self.measured(prefix)).collect()
    }

    /// The measurement whose variables' names begin with `prefix`: nothing, or its name and an underscore.
    fn measured(&self, prefix: &str) -> Read<Measured> {
        let x = self.values(&format!("observed_data/{prefix}x"))?;
        let n = x.len();
        let constant = self.group("constant_data")?;
        let given = |word: &str| {
            let name = format!("{prefix}{word}");
            let there = constant.variables.iter().any(|v| v.name == name);
            if there { self.sized(&format!("constant_data/{name}"), n) } else { Ok(Vec::new()) }
        };
        let mut quantiles = self.sized(&format!("curves/{prefix}expectation"), QUANTILES.len() * n)?.into_iter();
        let expectation = QUANTILES.map(|_| quantiles.by_ref().take(n).collect());
        Ok(Measured {
            name: prefix.strip_suffix('_').unwrap_or(prefix).to_owned(),
            y: self.sized(&format!("observed_data/{prefix}y"), n)?,
            sigma: given("sigma")?,
            exposure: given("exposure")?,
            expectation,
            terms: self.terms(prefix, n)?,
            predictive: self.values(&format!("posterior_predictive/{prefix}y"))?,
            x,
        })
    }

    fn terms(&self, prefix: &str, points: usize) -> Read<Vec<(String, Vec<f64>)>> {
        let mut terms = Vec::new();
        for variable in &self.group("curves")?.variables {
            let own = variable.dimensions.first().is_some_and(|d| d.name == format!("{prefix}point"));
            if let (true, Some(place)) = (own, place(variable)) {
                let label = variable.attribute("long_name").and_then(|a| a.value.as_string()).unwrap_or_default();
                terms.push((place, label, self.sized(&format!("curves/{}", variable.name), points)?));
            }
        }
        terms.sort_by_key(|(place, ..)| *place);
        Ok(terms.into_iter().map(|(_, label, mean)| (label, mean)).collect())
    }

    fn group(&self, path: &str) -> Read<&NcGroup> {
        self.file.group(path).map_err(|_| format!("it has no group `{path}`"))
    }

    fn variable(&self, path: &str) -> Read<&NcVariable> {
        self.file.variable(path).map_err(|_| format!("it has no `{path}`"))
    }

    fn values(&self, path: &str) -> Read<Vec<f64>> {
        let variable = self.variable(path)?;
        let length = variable.num_elements().map_err(|e| e.to_string())?;
        if length > self.most {
            return Err(format!("`{path}` claims more values than there are bytes"));
        }
        let values = self.file.read_variable_as_f64(path).map_err(|e| format!("`{path}`: {e}"))?;
        Ok(values.into_iter().collect())
    }

    fn sized(&self, path: &str, length: usize) -> Read<Vec<f64>> {
        let values = self.values(path)?;
        if values.len() == length { Ok(values) } else { Err(format!("`{path}` has {} values, not {length}", values.len())) }
    }
}

fn shape(variable: &NcVariable) -> Vec<usize> {
    variable.dimensions.iter().map(|d| d.size as usize).collect()
}

/// Where a variable stands among its kind: files keep no order.
fn place(variable: &NcVariable) -> Option<u64> {
    variable.attribute("place").and_then(|a| a.value.as_f64()).map(|place| place as u64)
}

fn text(group: &NcGroup, name: &str) -> Read<String> {
    let text = group.attribute(name).and_then(|a| a.value.as_string()).ok_or_else(|| format!("it has no attribute `{name}`"))?;
    // A blank stands for an empty text.
    Ok(if text == " " { String::new() } else { text })
}

fn number(group: &NcGroup, name: &str) -> Option<f64> {
    group.attribute(name).and_then(|a| a.value.as_f64())
}
