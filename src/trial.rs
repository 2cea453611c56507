//! Data sets that are made, sampled as a run would, compared with their truth and kept, each once: what a calibration and a measurement limit do.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::batch::{self, Outcome};
use crate::dataset::{Entry, Frame};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::posterior::WindowResult;
use crate::problem::Problem;
use crate::report::{Line, State};
use crate::sampler::Sampled;
use crate::spec::Spec;

/// What is kept of a data set that was sampled.
pub trait Trial: Clone + Send + Serialize + DeserializeOwned {
    /// Name of the journal's file.
    const JOURNAL: &'static str;
    /// Names of the files made of the journal, which a fresh start removes.
    const MADE: &'static [&'static str];

    /// It in a few words, for who waits.
    fn brief(&self) -> String;
}

/// A line of the journal: a data set of one window, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record<T> {
    /// Its name, unique in the journal.
    pub name: String,
    /// Hash of what it was drawn from besides its seed: the points, or the true curve over them.
    pub points: String,
    /// What came of it.
    pub answer: Answer<T>,
}

/// What came of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer<T> {
    /// It was sampled.
    Done(T),
    /// It has no answer.
    Failed(Failure),
}

/// A data set without an answer, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Its number, from 1.
    pub data_set: usize,
    /// What happened.
    pub message: String,
}

impl<T: Trial> Line for Record<T> {
    const JOURNAL: &'static str = T::JOURNAL;
    const MADE: &'static [&'static str] = T::MADE;

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
pub trait Log<T>: Sync {
    /// What is kept under a name.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn find(&self, name: &str) -> Result<Option<Record<T>>>;

    /// Keeps a record; they come in no particular order, from any thread.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn add(&self, record: &Record<T>) -> Result<()>;
}

/// Keeps nothing.
impl<T> Log<T> for () {
    fn find(&self, _: &str) -> Result<Option<Record<T>>> {
        Ok(None)
    }

    fn add(&self, _: &Record<T>) -> Result<()> {
        Ok(())
    }
}

/// A data set that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its name in the journal.
    pub record: String,
    /// Its number, from 1, as a reader is told it.
    pub number: usize,
    /// The frame it becomes: `entry.number` is its place among the items, from 1, and no file has its name.
    pub entry: Entry,
}

impl Item {
    /// The item at a place, from 1, whose frame has the name `frame`, unique among the items: all random numbers depend on it.
    pub fn new(record: String, frame: String, number: usize, place: usize) -> Self {
        let (source, path) = (frame.clone(), frame.clone().into());
        Self { record, number, entry: Entry { number: place, name: frame, source, path, part: 0, axis: None, monitor: None } }
    }
}

/// What is kept of a sampled item, made of its answer, problems and samples.
pub type Compare<'a, T> = dyn Fn(&Item, &WindowResult, &[&Problem], &[Sampled]) -> Result<T> + Sync + 'a;

/// The data sets of one window.
#[derive(Clone, Copy)]
pub struct Work<'a, T> {
    /// The spec, with that window alone.
    pub spec: &'a Spec,
    /// Hash of what all data sets are drawn from.
    pub points: &'a str,
    /// What to say where data sets of the log were drawn from something else.
    pub changed: &'a str,
    /// The data sets, in order.
    pub items: &'a [Item],
    /// Makes the data of one.
    pub load: &'a (dyn Fn(&Item) -> Result<Frame> + Sync),
    /// What is kept of one.
    pub compare: &'a Compare<'a, T>,
}

impl<T: Trial> Work<'_, T> {
    /// Makes and samples every item as a run would, many at a time, and keeps of each what `compare` gives; its samples do not outlive its batch.
    /// What `log` has is not made again. One answer an item, in order.
    ///
    /// # Errors
    /// Where data sets of the log were drawn from something else, the engine or the log fails, or the run is interrupted.
    pub fn run(&self, engine: &dyn Engine, settings: &batch::Settings<'_>, log: &dyn Log<T>) -> Result<Vec<Answer<T>>> {
        let known = self.items.iter().map(|item| self.known(item, log)).collect::<Result<Vec<_>>>()?;
        let todo: Vec<&Entry> = self.items.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(item, _)| &item.entry).collect();
        let by_name: HashMap<&str, &Item> = self.items.iter().map(|item| (item.entry.name.as_str(), item)).collect();
        let found = Mutex::new(known);
        let sink = |outcome: Outcome, kept: &[Result<T>]| {
            let item = &self.items[outcome.number() - 1];
            let failed = |message| Answer::Failed(Failure { data_set: item.number, message });
            let answer = match (&outcome, kept.first()) {
                (_, Some(Ok(kept))) => Answer::Done(kept.clone()),
                (_, Some(Err(error))) => failed(error.to_string()),
                (Outcome::Failed(failure), None) => failed(failure.message.clone()),
                (Outcome::Done(_), None) => failed("it has no window".to_owned()),
            };
            let record = Record { name: item.record.clone(), points: self.points.to_owned(), answer };
            log.add(&record)?;
            found.lock().unwrap_or_else(PoisonError::into_inner)[item.entry.number - 1] = Some(record.answer);
            Ok(())
        };
        let keep = |window: &WindowResult, problems: &[&Problem], sampled: &[Sampled]| {
            let item = by_name.get(problems[0].frame.as_str())?;
            Some((self.compare)(item, window, problems, sampled))
        };
        let load = |entry: &Entry| Ok(Frame { number: entry.number, ..(self.load)(&self.items[entry.number - 1])? });
        batch::run_with(engine, self.spec, &load, &todo, settings, &keep, &sink)?;
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect())
    }

    /// What the log has of a data set. One that failed is tried again.
    fn known(&self, item: &Item, log: &dyn Log<T>) -> Result<Option<Answer<T>>> {
        match log.find(&item.record)? {
            Some(record) if record.points != self.points => Err(Error::fatal(self.changed.to_owned())
                .hint("restore what has changed, start over with --fresh, or choose another folder with --out DIR")),
            Some(Record { answer: Answer::Done(kept), .. }) => Ok(Some(Answer::Done(kept))),
            _ => Ok(None),
        }
    }
}

/// The spec with one group of its problems alone.
pub fn alone(spec: &Spec, group: usize) -> Spec {
    Spec { groups: vec![spec.groups[group].clone()], ..spec.clone() }
}

/// Refuses candidates whose σ depends on the data: no data can be drawn for them.
///
/// # Errors
/// Where a candidate has a model error.
pub fn refuse_model_error(spec: &Spec) -> Result<()> {
    for group in &spec.groups {
        if group.candidates.iter().any(|c| c.model_error > 0.0) {
            return Err(Error::fatal(format!("window {}: with a model_error σ depends on the data, so no data can be drawn", group.name))
                .hint("leave model_error out of [noise]"));
        }
    }
    Ok(())
}

/// Places in a frame of the points that each measurement of a problem uses.
///
/// # Errors
/// Where two measurements use one point.
pub fn points(template: &Frame, problem: &Problem) -> Result<Vec<Vec<usize>>> {
    let mut used = vec![false; template.x.len()];
    let mut all = Vec::new();
    for data in &problem.measurements {
        let points: Vec<usize> = data.x.iter().filter_map(|x| template.x.binary_search_by(|other| other.total_cmp(x)).ok()).collect();
        for &point in &points {
            if std::mem::replace(&mut used[point], true) {
                let x = template.x[point];
                return Err(Error::fatal(format!("two measurements use the point at x = {x}, and one value cannot be both's"))
                    .hint("give them ranges that do not overlap"));
            }
        }
        all.push(points);
    }
    Ok(all)
}
