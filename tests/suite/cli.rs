//! The executable from outside: what it writes, how it stops and goes on, what it refuses.

mod draws;
mod hostile;
mod notebook;
mod recovery;
mod refusal;
mod terminal;
mod verbs;
mod watch;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use assert_cmd::Command;
use tempfile::TempDir;

/// Frames of the series.
const FRAMES: usize = 4;
/// Files that must be the same bytes whatever happened on the way.
const CONTRACT: [&str; 4] = ["evidence.csv", "peaks.csv", "result.json", "positions.csv"];

/// A folder with a spec, four tiny frames of one peak on a flat background, and results beside them.
pub(crate) struct Series {
    folder: TempDir,
}

impl Series {
    fn new() -> Self {
        let series = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(series.path("data")).unwrap();
        for number in 1..=FRAMES {
            series.add_frame(number);
        }
        // The width has its default, which depends on the series; everything else is said.
        let spec = r#"
            title = "tiny"
            [data]
            folder = "data"
            files = "*.xye"
            columns = "x y sigma"
            [noise]
            sigma = "column"
            [[window]]
            name = "line"
            range = [0, 3]
            [[window.term]]
            model = "chebyshev"
            degree = 0
            level0 = { prior = "uniform", low = 0, high = 10 }
            [[window.term]]
            model = "gaussian"
            count = "0..1"
            area = { prior = "uniform", low = 0, high = 10 }
            center = { prior = "uniform", low = 0, high = 3 }
            [run]
            copies = 4
            max_sweeps = 2500
            targets = { ess = 50, free_energy_se = 1, round_trips = 1 }
        "#;
        fs::write(series.path("tiny.toml"), spec).unwrap();
        series
    }

    /// One frame: a peak that moves with the frame's number, and noise that repeats.
    fn add_frame(&self, number: usize) {
        let mut state = number as u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut text = String::new();
        for i in 0..40 {
            let x = 0.075 * f64::from(i);
            let noise = 0.5 * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0);
            let y = 3.0 + 8.0 * (-0.5 * ((x - 1.0 - 0.1 * number as f64) / 0.15).powi(2)).exp() + noise;
            writeln!(text, "{x:.3} {y:.4} 0.5").unwrap();
        }
        fs::write(self.path(&format!("data/f{number}.xye")), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The arguments of a run of this series into `out`.
    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let text = |name: &str| self.path(name).to_string_lossy().into_owned();
        let mut all = vec!["run".to_owned(), text("tiny.toml"), "--out".into(), text("out")];
        all.extend(more.iter().map(|m| (*m).to_owned()));
        all
    }

    pub(crate) fn run(&self, more: &[&str]) -> assert_cmd::assert::Assert {
        keisoku().args(self.arguments(more)).assert()
    }

    /// The files of the contract.
    fn results(&self) -> Vec<String> {
        results(&self.path("out"))
    }

    /// The files of draws, by name, in order.
    fn draws(&self) -> Vec<(String, Vec<u8>)> {
        let mut all: Vec<_> = fs::read_dir(self.path("out/samples"))
            .unwrap()
            .map(|e| e.unwrap())
            .map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap()))
            .collect();
        all.sort();
        all
    }

    /// Lines of the journal, its header included.
    fn lines(&self) -> usize {
        fs::read_to_string(self.path("out/results.jsonl")).map_or(0, |text| text.lines().count())
    }
}

fn keisoku() -> Command {
    Command::new(env!("CARGO_BIN_EXE_keisoku"))
}

fn results(out: &Path) -> Vec<String> {
    CONTRACT.map(|name| fs::read_to_string(out.join(name)).unwrap()).into()
}

/// The series after an undisturbed run on one thread; made once.
fn finished() -> &'static Series {
    static FINISHED: OnceLock<Series> = OnceLock::new();
    FINISHED.get_or_init(|| {
        let series = Series::new();
        series.run(&["--threads", "1"]).code(0);
        series
    })
}

/// A copy of the finished series, to be tampered with.
pub(crate) fn copy_of_finished() -> Series {
    let copy = Series::new();
    for folder in ["out", "out/samples"] {
        fs::create_dir(copy.path(folder)).unwrap();
        for from in fs::read_dir(finished().path(folder)).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()) {
            fs::copy(&from, copy.path(folder).join(from.file_name().unwrap())).unwrap();
        }
    }
    copy
}

/// Rows of a CSV file without its header, cell by cell; no cell of these tests is quoted.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().skip(1).map(|line| line.split(',').collect()).collect()
}
