//! From arguments to what a run needs: the resolved spec, the series, the engine.

use std::path::{Path, PathBuf};

use super::{Common, Frames, Results};
use crate::batch;
use crate::dataset::{self, Dataset, Entry};
use crate::engine::gpu::Selection;
use crate::engine::{Engine, choice};
use crate::error::{Error, Result};
use crate::report::{Header, Peaks, SCHEMA};
use crate::spec::{Facts, RawSpec, Spec};

/// The spec as written, with what the command line says instead, and its series.
pub(in crate::cli) struct Asked {
    pub raw: RawSpec,
    pub dataset: Dataset,
}

/// All that a run needs.
pub(in crate::cli) struct Ready {
    pub spec: Spec,
    pub engine: Box<dyn Engine>,
    pub header: Header,
}

impl Asked {
    /// Reads the spec and lists the frames.
    pub fn read(common: &Common) -> Result<Self> {
        let raw = Self::raw(common)?;
        let dataset = Dataset::open(&raw.data()?)?;
        Ok(Self { raw, dataset })
    }

    /// The spec as written, with what the command line says instead.
    pub fn raw(common: &Common) -> Result<RawSpec> {
        let mut raw = Spec::read(&common.spec)?;
        if let Some(folder) = &common.data {
            raw.set_data_folder(folder)?;
        }
        raw.run.seed = common.seed.or(raw.run.seed);
        raw.run.engine = common.engine.map(super::EngineName::word).or(raw.run.engine);
        raw.run.f64 = common.precision.map(|p| p == super::Precision::F64).or(raw.run.f64);
        Ok(raw)
    }

    /// The frames asked for, in the order asked for.
    pub fn frames(&self, asked: Option<&Frames>) -> Result<Vec<&Entry>> {
        match asked {
            Some(frames) => frames.of(&self.dataset.entries),
            None => Ok(self.dataset.entries.iter().collect()),
        }
    }

    /// Fills in every default. A run that goes on keeps what the series said when it began and the engine that `auto` chose then:
    /// otherwise its frames could not be compared. `auto` looks at how many `frames` there are to sample.
    pub fn resolve(&self, before: Option<&Header>, adapter: &Selection, frames: usize) -> Result<Ready> {
        let known = before.map(|header| header.series.clone()).filter(|series| series.len() == self.raw.stretches().count());
        let used = std::cell::RefCell::new(known.clone().unwrap_or_default());
        let summarise = |raw: &RawSpec| -> Result<Vec<Facts>> {
            if let Some(known) = &known {
                return Ok(known.clone());
            }
            let series = dataset::facts_of(raw, &self.dataset)?;
            used.borrow_mut().clone_from(&series);
            Ok(series)
        };
        let mut resolved = self.raw.resolve(&summarise)?;
        let wanted = resolved.check()?;
        let name = match (wanted.run.engine.as_str(), before) {
            ("auto", Some(header)) => RawSpec::parse(Path::new("spec.toml"), &header.spec)?.run().engine,
            (name, _) => name.to_owned(),
        };
        let engine = choice::choose(&name, wanted.run.f64, adapter, batch::most_walkers(&wanted, frames))?;
        resolved.run.engine = Some(engine.name());
        let header = Header {
            schema: SCHEMA,
            keisoku: env!("CARGO_PKG_VERSION").into(),
            spec_hash: resolved.hash(),
            spec: resolved.to_toml(),
            series: used.into_inner(),
        };
        Ok(Ready { spec: resolved.check()?, engine, header })
    }
}

/// The folder of the results: the one asked for, or `results/NAME` with the spec's name (its folder's, where the file is just called spec).
pub(in crate::cli) fn out(common: &Common, results: &Results) -> PathBuf {
    results.out.clone().unwrap_or_else(|| Path::new("results").join(name(&common.spec)))
}

/// The spec's name, or its folder's where the file is just called spec.
pub(in crate::cli) fn name(spec: &Path) -> String {
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let stem = spec.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = std::path::absolute(spec).ok().and_then(|p| p.parent().and_then(name));
    if stem == "spec" { folder.unwrap_or(stem) } else { stem }
}

/// Whose parameters peaks.csv is to hold.
///
/// # Errors
/// Where no window offers the candidate asked for.
pub(in crate::cli) fn peaks(results: &Results, spec: &Spec) -> Result<Peaks> {
    let Some(name) = &results.candidate else {
        return Ok(if results.all_candidates { Peaks::All } else { Peaks::Best });
    };
    let mut labels: Vec<&str> = Vec::new();
    for c in spec.groups.iter().flat_map(|g| &g.candidates) {
        if c.label == *name || c.k.is_some_and(|k| k.to_string() == *name) {
            return Ok(Peaks::Of(name.clone()));
        }
        if !labels.contains(&c.label.as_str()) {
            labels.push(&c.label);
        }
    }
    Err(Error::fatal(format!("no window offers the candidate {name}")).hint(format!("offered are {}", labels.join(", "))))
}
