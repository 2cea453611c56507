//! The folder of a run: its lock, its journal, and the files made of the journal.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::journal::{Header, Journal, Line, State};
use super::json::{Document, Preamble};
use super::samples::{self, Samples};
use super::summary::Summary;
use super::{Peaks, RunInfo, atomic, csv, difference, netcdf};
use crate::batch::Outcome;
use crate::dataset::{Dataset, Entry};
use crate::error::{Error, Place, Result};
use crate::spec::Spec;

/// The folder of a run, locked for as long as this lives.
#[derive(Debug)]
pub struct Folder<L = Outcome> {
    path: PathBuf,
    journal: Journal<L>,
    _lock: File,
}

impl<L: Line> Folder<L> {
    /// Opens or creates a folder, locks it and reads its journal.
    ///
    /// # Errors
    /// Where another process holds it, it cannot be written to, or its journal is not one of this version's.
    pub fn open(path: &Path) -> Result<Self> {
        let lock = locked(path)?;
        Ok(Self { path: path.into(), journal: Journal::open(&path.join(L::JOURNAL))?, _lock: lock })
    }

    /// As [`Folder::open`], and whatever an earlier run left is removed.
    ///
    /// # Errors
    /// Where another process holds it or it cannot be written to.
    pub fn fresh(path: &Path) -> Result<Self> {
        let lock = locked(path)?;
        for name in L::MADE.iter().chain(&[L::JOURNAL]) {
            let file = path.join(name);
            match fs::remove_file(&file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(atomic::cannot_write(&file, &e)),
                _ => {}
            }
        }
        samples::remove_all(path)?;
        Ok(Self { path: path.into(), journal: Journal::open(&path.join(L::JOURNAL))?, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier run began with, where there was one.
    pub fn header(&self) -> Option<&Header> {
        self.journal.header()
    }

    /// How far a frame got.
    pub fn state(&self, frame: &str) -> Option<State> {
        self.journal.frames().get(frame).map(|known| known.state)
    }

    /// Begins a run, or goes on with one that began with the same resolved spec; writes spec.toml.
    ///
    /// # Errors
    /// Where an earlier run's spec differs: the keys are named.
    pub fn begin(&mut self, header: Header) -> Result<()> {
        let path = self.path.join("spec.toml");
        let toml = header.spec.clone();
        match self.journal.header() {
            Some(old) if old.spec_hash != header.spec_hash => {
                let what = difference::between(&old.spec, &header.spec);
                return Err(Error::fatal(format!("the results in this folder belong to another spec: {what}"))
                    .at(Place::file(&self.path))
                    .hint("undo the change, start over with --fresh, or choose another folder with --out DIR"));
            }
            Some(_) => {}
            None => self.journal.begin(header)?,
        }
        atomic::write(&path, |out| out.write_all(toml.as_bytes()).map_err(|e| atomic::cannot_write(&path, &e)))
    }

    /// Records a frame; when this returns, its line is on disk.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn append(&mut self, outcome: &L) -> Result<()> {
        self.journal.append(outcome)
    }

    /// What is recorded of a frame.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn read(&mut self, frame: &str) -> Result<Option<L>> {
        let known = self.journal.frames().get(frame).cloned();
        known.map(|known| self.journal.read(&known)).transpose()
    }
}

impl Folder {
    /// Checks that every finished frame is still in the series with the same numbers. Reads those frames, on all threads.
    ///
    /// # Errors
    /// The first frame, in order of names, that is missing or differs.
    pub fn verify(&self, dataset: &Dataset, spec: &Spec) -> Result<()> {
        let entries: std::collections::HashMap<&str, &Entry> = dataset.entries.iter().map(|e| (e.name.as_str(), e)).collect();
        let mut finished: Vec<_> = self.journal.frames().iter().filter(|(_, known)| known.state == State::Done).collect();
        finished.sort_by_key(|(name, _)| *name);
        let differs = finished.par_iter().find_map_first(|(name, known)| {
            let Some(entry) = entries.get(name.as_str()) else {
                return Some(format!("frame {name} is finished and no longer in the data"));
            };
            match dataset.load(entry, &spec.data) {
                Ok(frame) if Some(&frame.hash) == known.data_hash.as_ref() => None,
                Ok(_) => Some(format!("the numbers of frame {name} ({}) have changed since it was finished", entry.source)),
                Err(error) => Some(format!("frame {name} is finished and can no longer be read: {error}")),
            }
        });
        match differs {
            Some(what) => Err(Error::fatal(what)
                .at(Place::file(&self.path))
                .hint("restore the file, start over with --fresh, or choose another folder with --out DIR")),
            None => Ok(()),
        }
    }

    /// The frames that have their answers, with the hashes of their numbers.
    pub fn finished(&self) -> Vec<(String, String)> {
        let done = self.journal.frames().iter().filter(|(_, known)| known.state == State::Done);
        done.filter_map(|(name, known)| Some((name.clone(), known.data_hash.clone()?))).collect()
    }

    /// Where the draws of this run go. A frame's draws are written before it is recorded: a frame that is recorded has them.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub fn samples(&self, dataset: &Dataset, spec: &Spec) -> Result<Samples> {
        let header = self.journal.header();
        let origin = netcdf::Origin {
            title: spec.title.clone(),
            seed: spec.run.seed,
            engine: spec.run.engine.clone(),
            keisoku: header.map(|h| h.keisoku.clone()).unwrap_or_default(),
            spec_hash: header.map(|h| h.spec_hash.clone()).unwrap_or_default(),
        };
        let frames: Vec<&str> = dataset.entries.iter().map(|e| e.name.as_str()).collect();
        let finished: Vec<&str> =
            self.journal.frames().iter().filter(|(_, known)| known.state != State::Failed).map(|(name, _)| name.as_str()).collect();
        Samples::new(&self.path, &frames, &finished, origin)
    }

    /// Writes evidence.csv, peaks.csv, positions.csv and result.json of all recorded frames, in frame order, from the journal alone: so
    /// they do not depend on which process ran which frame when. Returns the summary for a person.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn finish(&mut self, dataset: &Dataset, spec: &Spec, peaks: &Peaks) -> Result<Summary> {
        let [evidence, parameters, positions, result] =
            ["evidence.csv", "peaks.csv", "positions.csv", "result.json"].map(|name| self.path.join(name));
        let mut summary = Summary::new(spec);
        let preamble = self.preamble(dataset, spec);
        atomic::write(&evidence, |evidence| {
            let mut evidence = csv::Table::evidence(evidence)?;
            atomic::write(&parameters, |parameters| {
                let mut parameters = csv::Table::peaks(parameters)?;
                atomic::write(&positions, |positions| {
                    let mut positions = csv::Table::positions(positions)?;
                    atomic::write(&result, |result| {
                        let mut document = Document::begin(result, &preamble)?;
                        for entry in &dataset.entries {
                            let Some(mut outcome) = self.read(&entry.name)? else { continue };
                            outcome.place(entry);
                            summary.add(&outcome);
                            if let Outcome::Done(frame) = &outcome {
                                evidence.add_evidence(frame)?;
                                parameters.add_peaks(frame, peaks)?;
                                positions.add_positions(frame)?;
                            }
                            document.add(outcome)?;
                        }
                        document.finish()
                    })?;
                    positions.finish()
                })?;
                parameters.finish()
            })?;
            evidence.finish()
        })?;
        Ok(summary)
    }

    /// Writes run-info.json.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn write_run_info(&self, info: &RunInfo) -> Result<()> {
        info.write(&self.path.join("run-info.json"))
    }

    fn preamble(&self, dataset: &Dataset, spec: &Spec) -> Preamble {
        let header = self.journal.header();
        let mut hash = Sha256::new();
        for entry in &dataset.entries {
            if let Some(data) = self.journal.frames().get(&entry.name).and_then(|known| known.data_hash.as_ref()) {
                hash.update(format!("{} {data}\n", entry.name));
            }
        }
        Preamble {
            schema: super::SCHEMA,
            keisoku: header.map(|h| h.keisoku.clone()).unwrap_or_default(),
            title: spec.title.clone(),
            seed: spec.run.seed,
            engine: spec.run.engine.clone(),
            spec_hash: header.map(|h| h.spec_hash.clone()).unwrap_or_default(),
            data_hash: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// Creates the folder and holds its lock.
fn locked(path: &Path) -> Result<File> {
    fs::create_dir_all(path).map_err(|e| atomic::cannot_write(path, &e))?;
    let file = path.join(".lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&file).map_err(|e| atomic::cannot_write(&file, &e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::fatal("another keisoku is at work in this folder")
            .at(Place::file(path))
            .hint("wait until it has finished, or choose another folder with --out DIR")),
        Err(TryLockError::Error(e)) => Err(Error::fatal(format!("this folder cannot be locked: {e}"))
            .at(Place::file(path))
            .hint("some network file systems have no locks: choose a folder on another disk with --out DIR")),
    }
}
