//! samples.nc: the draws of one candidate as ArviZ's InferenceData, in NetCDF 4.

use std::path::Path;

use netcdf_writer::{DimensionId, NcAttrValue, NcFileBuilder, NcWriteFormat, NcWriteOptions, VariableId};

use super::atomic;
use crate::error::{Error, Place, Result};
use crate::posterior::{self, Draws, FrameResult, Observed, QUANTILES};

/// Which draws the predictive groups hold, as an attribute of these groups.
const PICKED: &str = "evenly spaced draws of each chain, numbered as in the posterior; arviz.loo takes them as they are";

/// What all files of a run have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Title of the spec.
    pub title: String,
    /// Seed.
    pub seed: u64,
    /// Engine.
    pub engine: String,
    /// Version of keisoku that began the run.
    pub keisoku: String,
    /// Hash of the resolved spec.
    pub spec_hash: String,
}

/// Writes the file in one step.
///
/// # Errors
/// Where the folder cannot be written to.
pub(super) fn write(path: &Path, origin: &Origin, frame: &FrameResult, draws: &Draws) -> Result<()> {
    let bytes = File::new(origin, frame, draws).and_then(|file| {
        let options = NcWriteOptions { format: NcWriteFormat::Nc4 };
        file.builder.to_vec(options)
    });
    let (_, bytes) = bytes.map_err(|e| {
        Error::recoverable(format!("the draws cannot be written as NetCDF: {e}"))
            .at(Place::file(path))
            .hint("run with --no-samples, and please report this")
    })?;
    atomic::write(path, |out| out.write_all(&bytes).map_err(|e| atomic::cannot_write(path, &e)))
}

type Made<T> = netcdf_writer::Result<T>;

/// A file that is being made.
struct File {
    builder: NcFileBuilder,
}

impl File {
    fn new(origin: &Origin, frame: &FrameResult, draws: &Draws) -> Made<Self> {
        let mut file = Self { builder: NcFileBuilder::new() };
        for (name, value) in attributes(origin, frame, draws) {
            file.builder.add_attribute(name, value.clone())?;
            file.builder.add_group_attribute("posterior", name, value)?;
        }
        file.posterior(draws)?;
        file.sample_stats(draws)?;
        for group in ["observed_data", "constant_data", "curves", "posterior_predictive", "log_likelihood"] {
            file.builder.add_group_attribute(group, "created_by", created_by())?;
        }
        draws.observed.iter().enumerate().try_for_each(|(number, data)| file.data(number, data))?;
        file.curves(draws)?;
        file.predictive(draws)?;
        Ok(file)
    }

    fn posterior(&mut self, draws: &Draws) -> Made<()> {
        let [chain, draw] = self.chains("posterior", draws)?;
        let mut dimensions: Vec<(&str, DimensionId)> = Vec::new();
        for (number, variable) in draws.variables.iter().enumerate() {
            let mut over = vec![chain, draw];
            if let Some((name, length)) = &variable.peaks {
                let known = dimensions.iter().find(|(known, _)| known == name).map(|d| d.1);
                let peak = match known {
                    Some(peak) => peak,
                    // Peaks count from 1, by position, as in peaks.csv.
                    None => self.numbers("posterior", name, 1, *length)?,
                };
                dimensions.push((name, peak));
                over.push(peak);
            }
            let id = self.array(&format!("posterior/{}", variable.name), &over, &variable.values)?;
            self.place(id, number)?;
            if !variable.unit.is_empty() {
                self.builder.add_variable_attribute(id, "units", text(&variable.unit))?;
            }
        }
        Ok(())
    }

    fn sample_stats(&mut self, draws: &Draws) -> Made<()> {
        let [chain, draw] = self.chains("sample_stats", draws)?;
        let rung = self.numbers("sample_stats", "rung", 0, draws.betas.len())?;
        let beta = self.array("sample_stats/beta", &[rung], &draws.betas)?;
        self.builder.add_variable_attribute(beta, "long_name", text("inverse temperature"))?;
        let rungs = draws.betas.len();
        let cold: Vec<f64> = draws.energies.iter().skip(rungs - 1).step_by(rungs).copied().collect();
        let lp = self.array("sample_stats/lp", &[chain, draw], &draws.lp)?;
        self.builder.add_variable_attribute(lp, "long_name", text("ln(likelihood x prior), all constants kept"))?;
        let energy = self.array("sample_stats/energy", &[chain, draw], &cold)?;
        self.builder.add_variable_attribute(energy, "long_name", text("-ln likelihood"))?;
        let energies = self.array("sample_stats/energies", &[chain, draw, rung], &draws.energies)?;
        self.builder.add_variable_attribute(energies, "long_name", text("-ln likelihood at every inverse temperature"))?;
        // What makes readers take beta for a coordinate (CF conventions).
        self.builder.add_variable_attribute(energies, "coordinates", text("beta"))?;
        self.builder.add_group_attribute("sample_stats", "created_by", created_by())
    }

    /// observed_data has y alone, so that plots pair it with new data of the same name; what the likelihood took for granted is constant.
    fn data(&mut self, number: usize, data: &Observed) -> Made<()> {
        let point = self.points("observed_data", data)?;
        let y = self.array(&format!("observed_data/{}", named(data, "y")), &[point], &data.y)?;
        self.place(y, number)?;
        self.along(y, data)?;
        let point = self.points("constant_data", data)?;
        for (word, values) in [("sigma", &data.sigma), ("exposure", &data.exposure)] {
            if !values.is_empty() {
                let id = self.array(&format!("constant_data/{}", named(data, word)), &[point], values)?;
                self.along(id, data)?;
            }
        }
        Ok(())
    }

    /// The expected curve and the mean of every term: a group of our own, which InferenceData allows.
    fn curves(&mut self, draws: &Draws) -> Made<()> {
        let path = "curves/quantile";
        let quantile = self.builder.add_dimension_path(path, QUANTILES.len() as u64)?;
        self.array(path, &[quantile], &QUANTILES)?;
        let used = draws.observed.iter().map(|data| data.curves.draws).max().unwrap_or(0);
        self.builder.add_group_attribute("curves", "draws", NcAttrValue::Int64s(vec![used as i64]))?;
        for data in &draws.observed {
            let point = self.points("curves", data)?;
            let expected = self.array(&format!("curves/{}", named(data, "expectation")), &[quantile, point], &data.curves.expectation)?;
            self.builder.add_variable_attribute(expected, "long_name", text("quantiles of the expected y"))?;
            self.along(expected, data)?;
            let mut taken = Vec::new();
            for (number, (label, mean)) in data.curves.terms.iter().enumerate() {
                let name = named(data, &posterior::free(format!("term_{label}"), &mut taken));
                let id = self.array(&format!("curves/{name}"), &[point], mean)?;
                self.builder.add_variable_attribute(id, "long_name", text(label))?;
                self.place(id, number)?;
                self.along(id, data)?;
            }
        }
        Ok(())
    }

    /// New data and likelihoods, as f32: their own scatter is far above its rounding.
    fn predictive(&mut self, draws: &Draws) -> Made<()> {
        let groups = [("posterior_predictive", &draws.picked.predicted), ("log_likelihood", &draws.picked.scored)];
        for (group, picked) in groups {
            let chain = self.numbers(group, "chain", 0, draws.chains)?;
            let path = format!("{group}/draw");
            let draw = self.builder.add_dimension_path(path.as_str(), picked.len() as u64)?;
            let id = self.builder.add_variable_path::<i64>(path, &[draw])?;
            self.builder.write_variable(id, &picked.iter().map(|row| *row as i64).collect::<Vec<_>>())?;
            self.builder.add_group_attribute(group, "draws", text(PICKED))?;
            for data in &draws.observed {
                let point = self.points(group, data)?;
                let id = self.builder.add_variable_path::<f32>(format!("{group}/{}", named(data, "y")), &[chain, draw, point])?;
                let values = if group == "log_likelihood" { &data.curves.ln_likelihood } else { &data.curves.predictive };
                self.builder.write_variable(id, values)?;
                self.along(id, data)?;
            }
        }
        Ok(())
    }

    /// The points of a measurement as a dimension of a group, with x beside them.
    fn points(&mut self, group: &str, data: &Observed) -> Made<DimensionId> {
        let point = self.numbers(group, &named(data, "point"), 0, data.x.len())?;
        self.array(&format!("{group}/{}", named(data, "x")), &[point], &data.x)?;
        Ok(point)
    }

    /// The order of the results, from 1: files keep none.
    fn place(&mut self, id: VariableId, number: usize) -> Made<()> {
        self.builder.add_variable_attribute(id, "place", NcAttrValue::Int64s(vec![number as i64 + 1]))
    }

    /// What makes readers take x for a coordinate (CF conventions).
    fn along(&mut self, id: VariableId, data: &Observed) -> Made<()> {
        self.builder.add_variable_attribute(id, "coordinates", text(&named(data, "x")))
    }

    fn chains(&mut self, group: &str, draws: &Draws) -> Made<[DimensionId; 2]> {
        Ok([self.numbers(group, "chain", 0, draws.chains)?, self.numbers(group, "draw", 0, draws.rows)?])
    }

    /// A dimension with its coordinate: `length` numbers from `first` on.
    fn numbers(&mut self, group: &str, name: &str, first: i64, length: usize) -> Made<DimensionId> {
        let path = format!("{group}/{name}");
        let dimension = self.builder.add_dimension_path(path.as_str(), length as u64)?;
        let id = self.builder.add_variable_path::<i64>(path, &[dimension])?;
        let values: Vec<i64> = (first..).take(length).collect();
        self.builder.write_variable(id, &values)?;
        Ok(dimension)
    }

    fn array(&mut self, path: &str, over: &[DimensionId], values: &[f64]) -> Made<VariableId> {
        let id = self.builder.add_variable_path::<f64>(path, over)?;
        self.builder.write_variable(id, values)?;
        Ok(id)
    }
}

/// A measurement's variable of that kind: with its name before it where there are several.
fn named(data: &Observed, word: &str) -> String {
    if data.name.is_empty() { word.to_owned() } else { format!("{}_{word}", data.name) }
}

/// No time of making: the same run leaves the same bytes.
fn attributes(origin: &Origin, frame: &FrameResult, draws: &Draws) -> Vec<(&'static str, NcAttrValue)> {
    let mut all = vec![
        ("created_by", created_by()),
        ("inference_library", text("keisoku")),
        ("inference_library_version", text(&origin.keisoku)),
        ("title", text(&origin.title)),
        // 64 bits without a sign: too large for some readers' integers, so it is text.
        ("seed", text(&origin.seed.to_string())),
        ("engine", text(&origin.engine)),
        ("spec_hash", text(&origin.spec_hash)),
        ("data_hash", text(&frame.data_hash)),
        ("frame", text(&frame.name)),
        ("source", text(&frame.source)),
        ("window", text(&draws.window)),
        ("candidate", text(&draws.candidate)),
        ("sweeps_between_draws", NcAttrValue::Int64s(vec![draws.interval as i64])),
    ];
    if let Some(k) = draws.k {
        all.push(("k", NcAttrValue::Int64s(vec![k as i64])));
    }
    if let Some(axis) = frame.axis {
        all.push(("axis", NcAttrValue::Doubles(vec![axis])));
    }
    all
}

fn created_by() -> NcAttrValue {
    text(concat!("keisoku ", env!("CARGO_PKG_VERSION")))
}

/// An empty text has no form in HDF5 that all readers take: a blank stands for it.
fn text(value: &str) -> NcAttrValue {
    NcAttrValue::Chars(if value.is_empty() { " ".into() } else { value.into() })
}
