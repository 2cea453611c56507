//! evidence.csv, peaks.csv and positions.csv: columns that scripts build on; new ones are added at the end, none is renamed.

use std::io::Write;

use super::number::cell;
use super::{fit, verdict};
use crate::error::{Error, Result};
use crate::evidence::noise::NoiseCurve;
use crate::posterior::{CandidateResult, FrameResult, WindowResult};

/// Columns of evidence.csv.
const EVIDENCE: [&str; 18] = [
    "frame",
    "window",
    "candidate",
    "k",
    "free_energy",
    "free_energy_se",
    "energy",
    "entropy",
    "probability",
    "probability_se",
    "noise",
    "verdict",
    "fit",
    "source",
    "scale_hat",
    "scale_hat_se",
    "free_energy_hat",
    "free_energy_hat_se",
];

/// Columns of peaks.csv.
const PEAKS: [&str; 21] = [
    "frame",
    "axis",
    "window",
    "candidate",
    "k",
    "peak",
    "parameter",
    "unit",
    "mean",
    "sd",
    "q025",
    "q160",
    "q500",
    "q840",
    "q975",
    "rhat",
    "ess_bulk",
    "ess_tail",
    "source",
    "term",
    "modes",
];

/// Columns of positions.csv.
const POSITIONS: [&str; 6] = ["frame", "axis", "window", "x", "density", "source"];

/// Whose parameters peaks.csv holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Peaks {
    /// Those of the most probable candidate of each window.
    #[default]
    Best,
    /// Those of every candidate.
    All,
    /// Those of one candidate in every frame, by count or label: the most probable count flickers along a series.
    Of(String),
}

impl Peaks {
    fn chosen<'a>(&self, window: &'a WindowResult) -> Vec<&'a CandidateResult> {
        match self {
            Self::Best => window.candidates.get(window.best).into_iter().collect(),
            Self::All => window.candidates.iter().collect(),
            Self::Of(name) => {
                window.candidates.iter().filter(|c| c.candidate == *name || c.k.is_some_and(|k| k.to_string() == *name)).collect()
            }
        }
    }
}

/// Writes CSV rows to a file that is being made.
pub(super) struct Table<'a> {
    out: csv::Writer<&'a mut dyn Write>,
}

impl<'a> Table<'a> {
    /// evidence.csv, its header written.
    pub fn evidence(out: &'a mut dyn Write) -> Result<Self> {
        Self::new(out, &EVIDENCE)
    }

    /// peaks.csv, its header written.
    pub fn peaks(out: &'a mut dyn Write) -> Result<Self> {
        Self::new(out, &PEAKS)
    }

    /// positions.csv, its header written.
    pub fn positions(out: &'a mut dyn Write) -> Result<Self> {
        Self::new(out, &POSITIONS)
    }

    fn new(out: &'a mut dyn Write, header: &[&str]) -> Result<Self> {
        let mut table = Self { out: csv::Writer::from_writer(out) };
        table.row(header)?;
        Ok(table)
    }

    fn row<T: AsRef<[u8]>>(&mut self, cells: &[T]) -> Result<()> {
        self.out.write_record(cells).map_err(|e| Error::fatal(format!("a CSV row cannot be written: {e}")).hint("free some space"))
    }

    /// One row a candidate of the frame.
    pub fn add_evidence(&mut self, frame: &FrameResult) -> Result<()> {
        for window in &frame.windows {
            for c in &window.candidates {
                let of = |value: fn(&NoiseCurve) -> Option<f64>| optional(c.noise_curve.as_ref().and_then(value));
                self.row(&[
                    frame.frame.to_string(),
                    window.window.clone(),
                    c.candidate.clone(),
                    count(c.k),
                    cell(c.free_energy),
                    cell(c.free_energy_se),
                    cell(c.energy),
                    cell(c.entropy),
                    cell(c.probability),
                    cell(c.probability_se),
                    optional(c.noise),
                    verdict(&c.verdict),
                    fit(&c.fit),
                    frame.source.clone(),
                    of(|n| n.scale),
                    of(|n| n.scale_se),
                    of(|n| n.free_energy),
                    of(|n| n.free_energy_se),
                ])?;
            }
        }
        Ok(())
    }

    /// One row a parameter of the chosen candidates.
    pub fn add_peaks(&mut self, frame: &FrameResult, peaks: &Peaks) -> Result<()> {
        for window in &frame.windows {
            for c in peaks.chosen(window) {
                for p in &c.parameters {
                    let mut row = vec![
                        frame.frame.to_string(),
                        optional(frame.axis),
                        window.window.clone(),
                        c.candidate.clone(),
                        count(c.k),
                        count(p.peak),
                        p.parameter.clone(),
                        p.unit.clone(),
                        cell(p.mean),
                        cell(p.sd),
                    ];
                    row.extend(p.quantiles.iter().chain([&p.rhat, &p.ess_bulk, &p.ess_tail]).map(|v| cell(*v)));
                    row.push(frame.source.clone());
                    row.push(p.term.clone());
                    row.push(p.modes.len().max(1).to_string());
                    self.row(&row)?;
                }
            }
        }
        Ok(())
    }

    /// One row a bin that holds any density, at the bin's middle; in the others it is zero.
    pub fn add_positions(&mut self, frame: &FrameResult) -> Result<()> {
        for positions in frame.windows.iter().flat_map(|w| &w.positions) {
            let filled = positions.density.iter().enumerate().filter(|(_, density)| **density > 0.0);
            for (bin, density) in filled {
                self.row(&[
                    frame.frame.to_string(),
                    optional(frame.axis),
                    positions.window.clone(),
                    cell(positions.low + (bin as f64 + 0.5) * positions.width()),
                    cell(*density),
                    frame.source.clone(),
                ])?;
            }
        }
        Ok(())
    }

    /// Writes what is still held back.
    pub fn finish(mut self) -> Result<()> {
        self.out.flush().map_err(|e| Error::fatal(format!("a CSV file cannot be written: {e}")).hint("free some space"))
    }
}

fn count(n: Option<usize>) -> String {
    n.map_or_else(String::new, |n| n.to_string())
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, cell)
}
