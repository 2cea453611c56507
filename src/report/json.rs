//! result.json: everything, in frame order, with the sentences of every code that occurs.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};

use crate::batch::{Failure, Outcome};
use crate::error::{Error, Result};

/// What stands before the frames.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Preamble {
    /// Version of the form of this file.
    pub schema: u32,
    /// Version of keisoku that began the run.
    pub keisoku: String,
    /// Title of the spec.
    pub title: String,
    /// Seed.
    pub seed: u64,
    /// Engine.
    pub engine: String,
    /// Hash of the resolved spec.
    pub spec_hash: String,
    /// Hash of the names and hashes of the frames that have answers, in order.
    pub data_hash: String,
}

/// result.json while it is being made: frames pass through, so that a long series needs no memory.
pub(super) struct Document<'a> {
    out: &'a mut dyn Write,
    frames: usize,
    failures: Vec<Failure>,
    verdict: BTreeMap<&'static str, &'static str>,
    fit: BTreeMap<&'static str, &'static str>,
}

impl<'a> Document<'a> {
    /// Writes what stands before the frames.
    pub fn begin(out: &'a mut dyn Write, preamble: &Preamble) -> Result<Self> {
        let mut document = Self { out, frames: 0, failures: Vec::new(), verdict: BTreeMap::new(), fit: BTreeMap::new() };
        let head = serde_json::to_value(preamble).map_err(|e| cannot(&e.into()))?;
        document.text("{")?;
        for (key, value) in head.as_object().into_iter().flatten() {
            document.text(&format!("\n{}: {value},", Value::from(key.as_str())))?;
        }
        document.text("\n\"frames\": [")?;
        Ok(document)
    }

    /// Adds a frame; frames come in order.
    pub fn add(&mut self, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::Done(result) => {
                for c in result.windows.iter().flat_map(|w| &w.candidates) {
                    self.verdict.extend(c.verdict.iter().map(|v| (v.code(), v.sentence())));
                    self.fit.extend(c.fit.iter().map(|f| (f.code(), f.sentence())));
                }
                let line = serde_json::to_string(&result).map_err(|e| cannot(&e.into()))?;
                self.text(if self.frames == 0 { "\n" } else { ",\n" })?;
                self.text(&line)?;
                self.frames += 1;
            }
            Outcome::Failed(failure) => self.failures.push(failure),
        }
        Ok(())
    }

    /// Writes what stands after the frames.
    pub fn finish(mut self) -> Result<()> {
        let failures = serde_json::to_string(&self.failures).map_err(|e| cannot(&e.into()))?;
        let codes = json!({ "verdict": self.verdict, "fit": self.fit });
        self.text(&format!("\n],\n\"failures\": {failures},\n\"codes\": {codes}\n}}\n"))
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).map_err(|e| cannot(&e))
    }
}

fn cannot(error: &std::io::Error) -> Error {
    Error::fatal(format!("result.json cannot be written: {error}")).hint("free some space")
}
