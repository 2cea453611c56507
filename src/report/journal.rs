//! A journal such as results.jsonl: a header, then one self-contained line a frame, appended and synced as the frame finishes; what a resumed
//! run reads.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::atomic::{cannot_read, cannot_write};
use super::lenient;
use crate::batch::Outcome;
use crate::error::{Error, Place, Result};
use crate::spec::Facts;

/// Version of the form of results.jsonl and result.json.
pub const SCHEMA: u32 = 3;

/// The first line: what every frame's answer depends on besides its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the journal's form.
    pub schema: u32,
    /// Version of keisoku that began it.
    pub keisoku: String,
    /// Hash of the resolved spec.
    pub spec_hash: String,
    /// The resolved spec, as TOML.
    pub spec: String,
    /// What the series said when its defaults were derived, one entry a window or measurement; empty where no default needed it.
    /// New frames do not change defaults, otherwise free energies would not be comparable.
    pub series: Vec<Facts>,
}

/// What a journal holds: one self-contained line each. The last line of a name counts.
pub trait Line: Serialize + DeserializeOwned {
    /// Name of the journal's file.
    const JOURNAL: &'static str;
    /// Names of the files made of the journal, which a fresh start removes.
    const MADE: &'static [&'static str];

    /// What it is about.
    fn name(&self) -> &str;

    /// How far that got.
    fn state(&self) -> State;

    /// Hash of its data, where they could be read.
    fn data_hash(&self) -> Option<&str>;
}

impl Line for Outcome {
    const JOURNAL: &'static str = "results.jsonl";
    const MADE: &'static [&'static str] =
        &["spec.toml", "result.json", "run-info.json", "evidence.csv", "peaks.csv", "positions.csv", super::page::NAME];

    fn name(&self) -> &str {
        Self::name(self)
    }

    fn state(&self) -> State {
        match self {
            Self::Done(_) if self.cut() => State::Cut,
            Self::Done(_) => State::Done,
            Self::Failed(_) => State::Failed,
        }
    }

    fn data_hash(&self) -> Option<&str> {
        Self::data_hash(self)
    }
}

/// How far a frame got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Finished.
    Done,
    /// Cut by a time cap: to be run again.
    Cut,
    /// Failed: to be tried again.
    Failed,
}

/// A frame's last line.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// First byte of the line.
    at: u64,
    /// Bytes of the line.
    length: usize,
    /// How far the frame got.
    pub state: State,
    /// Hash of its data, where they could be read.
    pub data_hash: Option<String>,
}

/// The journal, open for appending.
#[derive(Debug)]
pub(super) struct Journal<L = Outcome> {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    end: u64,
    header: Option<Header>,
    frames: HashMap<String, Known>,
    lines: PhantomData<fn() -> L>,
}

impl<L: Line> Journal<L> {
    /// Opens or creates a journal and drops a torn last line.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(|e| cannot_write(path, &e))?;
        let mut journal = Self { path: path.into(), file, end: 0, header: None, frames: HashMap::new(), lines: PhantomData };
        journal.scan()?;
        journal.file.set_len(journal.end).map_err(|e| cannot_write(path, &e))?;
        Ok(journal)
    }

    /// The first line, where there is one.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The last lines of all frames, by name.
    pub fn frames(&self) -> &HashMap<String, Known> {
        &self.frames
    }

    /// Empties the journal and writes a header.
    pub fn begin(&mut self, header: Header) -> Result<()> {
        self.file.set_len(0).map_err(|e| cannot_write(&self.path, &e))?;
        self.end = 0;
        self.frames.clear();
        self.append_line(&header)?;
        self.header = Some(header);
        Ok(())
    }

    /// Appends a frame's line; when this returns, the line is on disk.
    pub fn append(&mut self, outcome: &L) -> Result<()> {
        let at = self.end;
        self.append_line(outcome)?;
        self.know(outcome, at, (self.end - at) as usize);
        Ok(())
    }

    /// Reads a frame's line.
    pub fn read(&mut self, known: &Known) -> Result<L> {
        let mut line = vec![0; known.length];
        self.file.seek(SeekFrom::Start(known.at)).and_then(|_| self.file.read_exact(&mut line)).map_err(|e| cannot_read(&self.path, &e))?;
        lenient::from_str(&String::from_utf8_lossy(&line)).map_err(|e| cannot_read(&self.path, &e.into()))
    }

    fn append_line<T: Serialize>(&mut self, value: &T) -> Result<()> {
        let line = serde_json::to_string(value).map_err(|e| cannot_write(&self.path, &e.into()))? + "\n";
        let written = self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(line.as_bytes()));
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            // A full disk may have taken half of the line; the next line must not be glued to it.
            let _ = self.file.set_len(self.end);
            return Err(cannot_write(&self.path, &error));
        }
        self.end += line.len() as u64;
        Ok(())
    }

    fn know(&mut self, outcome: &L, at: u64, length: usize) {
        let known = Known { at, length, state: outcome.state(), data_hash: outcome.data_hash().map(str::to_owned) };
        self.frames.insert(outcome.name().to_owned(), known);
    }

    /// Reads all whole lines; what was torn off at the end is left out of `end`.
    fn scan(&mut self) -> Result<()> {
        let reading = self.file.try_clone().map_err(|e| cannot_read(&self.path, &e))?;
        let mut lines = BufReader::new(reading);
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            let length = lines.read_until(b'\n', &mut line).map_err(|e| cannot_read(&self.path, &e))?;
            if length == 0 {
                return Ok(());
            }
            number += 1;
            let whole = line.last() == Some(&b'\n');
            if !whole {
                return Ok(());
            }
            if number == 1 {
                self.same_schema(&line)?;
            }
            if let Err(error) = self.line(&line, length) {
                let last = lines.fill_buf().map_err(|e| cannot_read(&self.path, &e))?.is_empty();
                // After a power cut the last line can have its full length and holes in it.
                return if last && number > 1 { Ok(()) } else { Err(self.foreign(number, &error)) };
            }
            self.end += length as u64;
        }
    }

    fn line(&mut self, line: &[u8], length: usize) -> std::result::Result<(), serde_json::Error> {
        let text = String::from_utf8_lossy(line);
        if self.header.is_none() {
            self.header = Some(lenient::from_str(&text)?);
        } else {
            let outcome: L = lenient::from_str(&text)?;
            self.know(&outcome, self.end, length);
        }
        Ok(())
    }

    /// Another version's header may have another form; its schema is told first.
    fn same_schema(&self, line: &[u8]) -> Result<()> {
        let header: Option<serde_json::Value> = serde_json::from_slice(line).ok();
        let schema = header.as_ref().and_then(|h| h.get("schema")).and_then(serde_json::Value::as_u64);
        match schema {
            Some(schema) if schema != u64::from(SCHEMA) => Err(Error::fatal(format!(
                "these results have schema {schema}, this keisoku ({}) writes schema {SCHEMA}",
                env!("CARGO_PKG_VERSION")
            ))
            .at(Place::line(&self.path, 1))
            .hint("go on with the version that began them, start over with --fresh, or choose another folder with --out DIR")),
            _ => Ok(()),
        }
    }

    fn foreign(&self, number: usize, error: &serde_json::Error) -> Error {
        Error::fatal(format!("this line is not one that keisoku {} writes: {error}", env!("CARGO_PKG_VERSION")))
            .at(Place::line(&self.path, number))
            .hint("start over with --fresh, or choose another folder with --out DIR")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Failure;

    fn failure(name: &str) -> Outcome {
        Outcome::Failed(Failure { frame: 1, name: name.into(), source: name.into(), axis: None, message: "torn\npaper".into() })
    }

    fn header() -> Header {
        let series = vec![Facts { noise: f64::NAN, ..Facts::default() }];
        Header { schema: SCHEMA, keisoku: "0".into(), spec_hash: "h".into(), spec: "s".into(), series }
    }

    #[test]
    fn a_torn_line_is_dropped_and_the_next_one_is_whole() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("results.jsonl");
        let mut journal = Journal::<Outcome>::open(&path).expect("new");
        journal.begin(header()).expect("header");
        journal.append(&failure("a")).expect("a");
        let whole = std::fs::read(&path).expect("bytes");
        journal.append(&failure("b")).expect("b");
        drop(journal);
        let both = std::fs::read(&path).expect("bytes");
        for cut in whole.len()..both.len() {
            std::fs::write(&path, &both[..cut]).expect("torn");
            let mut journal = Journal::<Outcome>::open(&path).expect("open");
            assert_eq!(journal.frames().len(), 1, "cut at {cut}");
            journal.append(&failure("c")).expect("c");
            let known = journal.frames()["c"].clone();
            assert_eq!(journal.read(&known).expect("line"), failure("c"));
            drop(journal);
            assert_eq!(Journal::<Outcome>::open(&path).expect("again").frames().len(), 2);
        }
    }

    #[test]
    fn a_later_line_of_a_frame_replaces_the_earlier_and_a_foreign_line_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("results.jsonl");
        let mut journal = Journal::<Outcome>::open(&path).expect("new");
        journal.begin(header()).expect("header");
        journal.append(&failure("a")).expect("a");
        journal.append(&failure("a")).expect("a");
        assert_eq!(journal.frames().len(), 1);
        drop(journal);
        let mut text = std::fs::read_to_string(&path).expect("text");
        text.insert_str(text.find('\n').expect("header") + 1, "not ours\n");
        std::fs::write(&path, text).expect("write");
        let error = Journal::<Outcome>::open(&path).expect_err("refused");
        assert_eq!(error.place.line, Some(2));
    }
}
