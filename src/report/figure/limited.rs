//! A measurement limit as it lies in limit.json, as far as it is drawn.

use std::path::Path;

use serde::Deserialize;

use super::super::lenient;
use super::super::svg::{Label, Scale, extent};
use crate::error::Result;

/// A measurement limit.
#[derive(Clone, Debug, Deserialize)]
pub struct Limited {
    /// Title of the spec.
    pub title: String,
    /// Version of keisoku.
    pub keisoku: String,
    /// Seed.
    pub seed: u64,
    /// The frame that is true.
    pub frame: usize,
    /// `time` or `sigma`.
    pub kind: String,
    /// Data sets of each level.
    pub data_sets: usize,
    /// Whether every data set has an answer and every winner's verdict is ok.
    pub good: bool,
    /// The windows.
    pub windows: Vec<LimitedWindow>,
}

/// One window.
#[derive(Clone, Debug, Deserialize)]
pub struct LimitedWindow {
    /// Its name.
    pub window: String,
    /// Labels of the right candidates.
    pub right: Vec<String>,
    /// The levels.
    pub levels: Vec<LimitedLevel>,
    /// Where the probability of choosing right crosses 1/2.
    pub half: Half,
}

/// One level.
#[derive(Clone, Debug, Deserialize)]
pub struct LimitedLevel {
    /// T or σ.
    pub level: f64,
    /// Data sets with an answer.
    pub data_sets: usize,
    /// Share in which a right candidate is the most probable one.
    pub share: f64,
    /// Its exact interval.
    pub interval: (f64, f64),
    /// Mean probability of the right candidates.
    pub probability: f64,
    /// Parameters of the right candidate.
    pub parameters: Vec<LimitedWidth>,
}

/// One parameter at one level.
#[derive(Clone, Debug, Deserialize)]
pub struct LimitedWidth {
    /// Name of its term.
    pub term: String,
    /// Its name.
    pub parameter: String,
    /// Peak number.
    pub peak: Option<usize>,
    /// Its unit.
    pub unit: String,
    /// Whether it is a position.
    pub position: bool,
    /// Cramér–Rao bound.
    pub cramer_rao: f64,
    /// Median posterior standard deviation.
    pub sd: f64,
    /// Root mean square error of the posterior mean.
    pub rms: f64,
    /// Coverage.
    pub coverage: Vec<Held>,
}

/// How often an interval held the truth.
#[derive(Clone, Debug, Deserialize)]
pub struct Held {
    /// How often it says it does.
    pub level: f64,
    /// How often it did.
    pub share: f64,
    /// Exact interval of that.
    pub interval: (f64, f64),
}

/// Where the probability of choosing right crosses 1/2.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Half {
    /// Between two levels.
    At {
        /// There.
        level: f64,
        /// Standard error of its logarithm.
        ln_error: f64,
    },
    /// No level is below 1/2.
    Above,
    /// The level that tells most is below 1/2.
    Below,
    /// There is no answer.
    Unknown,
}

impl Limited {
    /// Reads limit.json; none where the folder has none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(folder: &Path) -> Result<Option<Self>> {
        lenient::open(folder, "limit.json", "limit")
    }

    /// A window, if any data set of it has an answer.
    pub(super) fn window(&self, window: usize) -> std::result::Result<&LimitedWindow, String> {
        let window = self.windows.get(window).ok_or("there is no such window")?;
        if window.levels.iter().all(|l| l.data_sets == 0) { Err("no data set has an answer".into()) } else { Ok(window) }
    }

    /// The axis of levels, with some room on either side.
    pub(super) fn axis(&self, window: &LimitedWindow) -> (Scale, Label) {
        let (low, high) = extent(window.levels.iter().map(|l| l.level));
        let name = if self.kind == "time" { "measuring time T" } else { "σ of the noise" };
        (Scale::log(low / 1.3, high * 1.3), Label::new(name, ""))
    }
}

impl LimitedWindow {
    /// Which parameters are drawn: positions, or all where there is none.
    pub(super) fn drawn(&self) -> Vec<usize> {
        let Some(level) = self.levels.first() else { return Vec::new() };
        let any = level.parameters.iter().any(|w| w.position);
        (0..level.parameters.len()).filter(|&i| level.parameters[i].position || !any).collect()
    }

    /// Levels that have an answer, ascending, with what they say of a parameter.
    pub(super) fn along(&self, parameter: usize) -> Vec<(f64, &LimitedWidth)> {
        let known = self.levels.iter().filter(|l| l.data_sets > 0);
        let mut all: Vec<(f64, &LimitedWidth)> = known.filter_map(|l| Some((l.level, l.parameters.get(parameter)?))).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }
}

impl LimitedWidth {
    /// Its name among others: `center 2`.
    pub(super) fn called(&self) -> String {
        super::named(&self.term, &self.parameter, self.peak)
    }
}
