//! A line of a calibration's journal: one data set of one window, and what came of it.

use serde::{Deserialize, Serialize};

use super::{DataSet, Failure};
use crate::error::Result;
use crate::report::{Line, State, page};
use crate::spec::{Group, Spec};

/// A data set and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name: the window, the candidates that compete, and its number.
    pub name: String,
    /// Hash of the frame whose points it has.
    pub points: String,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Its ranks.
    Done(DataSet),
    /// It has none.
    Failed(Failure),
}

impl Line for Record {
    const JOURNAL: &'static str = "calibration.jsonl";
    const MADE: &'static [&'static str] = &["spec.toml", "calibration.json", "ranks.csv", page::NAME];

    fn name(&self) -> &str {
        &self.name
    }

    fn state(&self) -> State {
        match self.answer {
            Answer::Done(_) => State::Done,
            Answer::Failed(_) => State::Failed,
        }
    }

    fn data_hash(&self) -> Option<&str> {
        Some(&self.points)
    }
}

/// What keeps data sets that are finished, so that none is made twice.
pub trait Log: Sync {
    /// What is kept under a name.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn find(&self, name: &str) -> Result<Option<Record>>;

    /// Keeps a record; they come in no particular order, from any thread.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn add(&self, record: &Record) -> Result<()>;
}

/// Keeps nothing.
impl Log for () {
    fn find(&self, _: &str) -> Result<Option<Record>> {
        Ok(None)
    }

    fn add(&self, _: &Record) -> Result<()> {
        Ok(())
    }
}

/// Name of a data set. Which candidates compete is part of it: with others it has another truth.
pub(super) fn name(group: &Group, number: usize) -> String {
    let candidates: Vec<&str> = group.candidates.iter().map(|c| c.label.as_str()).collect();
    format!("window {}, {}: data set {number}", group.name, candidates.join(" or "))
}

/// Names of the first data sets of every window.
pub fn names(spec: &Spec, data_sets: usize) -> Vec<String> {
    spec.groups.iter().flat_map(|group| (1..=data_sets).map(|number| name(group, number))).collect()
}
