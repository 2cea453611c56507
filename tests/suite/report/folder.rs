//! Results folders that nothing sampled: as many frames as a test wants, whose numbers are known.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use keisoku::batch::{Failure, Outcome};
use keisoku::posterior::{CandidateResult, Figures, Fit, FrameResult, ParameterResult, Positions, Verdict, WindowResult};
use keisoku::report::{Header, SCHEMA};
use tempfile::TempDir;

/// Names that would be elements, attributes or entities were they not escaped.
pub const HOSTILE: &str = "<script>alert(1)</script> \"q\" & 'a' 計測";

/// What a folder holds.
#[derive(Clone, Debug)]
pub struct Made {
    pub frames: usize,
    /// Every so many frames, the last frame has failed.
    pub failed: Option<usize>,
    pub title: &'static str,
    pub window: &'static str,
}

impl Default for Made {
    fn default() -> Self {
        Self { frames: 12, failed: None, title: "a series", window: "w" }
    }
}

impl Made {
    /// A folder with a journal alone.
    pub fn folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        folder
    }

    fn write(&self, folder: &Path) {
        let header = Header { schema: SCHEMA, keisoku: "0.1.0".into(), spec_hash: "h".into(), spec: self.spec(), series: Vec::new() };
        let mut text = serde_json::to_string(&header).unwrap() + "\n";
        for number in 1..=self.frames {
            let failed = self.failed.is_some_and(|every| number.is_multiple_of(every));
            let outcome = if failed { Self::failure(number) } else { Outcome::Done(Box::new(self.frame(number))) };
            writeln!(text, "{}", serde_json::to_string(&outcome).unwrap()).unwrap();
        }
        fs::write(folder.join("results.jsonl"), text).unwrap();
    }

    fn spec(&self) -> String {
        let (title, window) = (serde_json::to_string(self.title).unwrap(), serde_json::to_string(self.window).unwrap());
        format!(
            r#"
            title = {title}
            [data]
            files = "*.xy"
            x = {{ name = "two_theta", unit = "deg" }}
            frames = {{ table = "t.csv", key = "frame", axis = "temperature_C" }}
            [[window]]
            name = {window}
            range = [4, 5]
            [[window.term]]
            model = "chebyshev"
            name = "background"
            degree = 0
            level0 = {{ prior = "uniform", low = 0, high = 10 }}
            [[window.term]]
            model = "gaussian"
            name = "peaks"
            count = "0..2"
            area = {{ prior = "uniform", low = 0, high = 10 }}
            center = {{ prior = "uniform", low = 4, high = 5 }}
            fwhm = {{ prior = "log-uniform", low = 0.01, high = 0.3 }}
            [run]
            seed = 7
            "#
        )
    }

    fn failure(number: usize) -> Outcome {
        let name = format!("f{number}");
        let message = format!("{HOSTILE} is no number");
        Outcome::Failed(Failure { frame: number, name: name.clone(), source: name + ".xy", axis: Some(number as f64), message })
    }

    /// Two peaks that move apart; every seventh frame has one, every tenth a doubtful verdict.
    pub fn frame(&self, number: usize) -> FrameResult {
        let best = if number.is_multiple_of(7) { 1 } else { 2 };
        let candidates = (0..=2).map(|k| candidate(k, if k == best { 0.9 } else { 0.05 }, number)).collect();
        let positions = vec![Positions { window: self.window.into(), low: 4.0, high: 5.0, density: vec![0.0, 3.0, 1.0, 4.0] }];
        let window = WindowResult { window: self.window.into(), points: 9, candidates, best, positions, sensitivity: Vec::new() };
        let name = if self.title == HOSTILE { format!("{HOSTILE} {number}") } else { format!("f{number}") };
        FrameResult {
            frame: number,
            source: format!("{name}.xy"),
            name,
            axis: Some(25.0 + number as f64),
            data_hash: "d".into(),
            dropped: 0,
            engine: "cpu".into(),
            precision: "f32".into(),
            windows: vec![window],
            integration: None,
        }
    }
}

fn parameter(term: &str, name: &str, unit: &str, peak: Option<usize>, mean: f64, sd: f64) -> ParameterResult {
    ParameterResult {
        peak,
        term: term.into(),
        parameter: name.into(),
        unit: unit.into(),
        mean,
        sd,
        quantiles: [-1.96, -1.0, 0.0, 1.0, 1.96].map(|z| mean + z * sd),
        rhat: 1.001,
        ess_bulk: 400.0,
        ess_tail: 380.0,
        modes: Vec::new(),
    }
}

fn candidate(k: usize, probability: f64, number: usize) -> CandidateResult {
    let moved = 0.2 * (number as f64 / 40.0).sin();
    let mut parameters = vec![parameter("background", "level0", "y", None, 3.0, 0.1)];
    for peak in 0..k {
        let at = 4.3 + 0.4 * peak as f64 + if peak == 0 { -moved } else { moved };
        parameters.push(parameter("peaks", "center", "deg", Some(peak + 1), at, 0.01));
        parameters.push(parameter("peaks", "fwhm", "deg", Some(peak + 1), 0.05, 0.004));
    }
    let behind = [40.0, 4.0, 0.0][k];
    CandidateResult {
        candidate: format!("K={k}"),
        k: Some(k),
        free_energy: 100.0 + behind,
        free_energy_se: 0.1,
        free_energy_df: 15,
        energy: 90.0 + behind + 2.0 * k as f64,
        entropy: -10.0 + 2.0 * k as f64,
        probability,
        probability_se: 0.01,
        noise: None,
        noise_curve: None,
        noise_plane: None,
        verdict: if number.is_multiple_of(10) { vec![Verdict::Ess] } else { Vec::new() },
        fit: if number.is_multiple_of(4) { vec![Fit::Range] } else { Vec::new() },
        figures: Figures {
            betas: vec![0.0, 0.01, 0.1, 1.0],
            rejection: vec![0.3, 0.4, 0.5],
            rung_free_energy: vec![0.0, 10.0, 50.0, 100.0],
            barrier: 1.2,
            local_barrier: vec![30.0, 20.0, 5.0, 1.0],
            round_trips: 40,
            restarts: 41,
            copies: 4,
            burn_in: 100,
            sweeps: 200,
            ..Figures::default()
        },
        parameters,
    }
}

/// The calibration that a folder may hold.
pub fn calibration(folder: &Path) -> PathBuf {
    let quantity = |name: &str, counts: [usize; 4], significant: bool| {
        serde_json::json!({
            "quantity": name, "data_sets": 40, "histogram": { "counts": counts, "chi2": 1.0, "degrees": 3, "p": 0.4 },
            "coverage": [{ "level": 0.5, "share": 0.52, "band": [0.3, 0.7] }, { "level": 0.68, "share": 0.7, "band": [0.5, 0.85] },
                         { "level": 0.95, "share": 0.9, "band": [0.85, 1.0] }],
            "significant": significant, "narrowed_p": null, "narrowed_significant": false
        })
    };
    let all = serde_json::json!({
        "keisoku": "0.1.0", "title": HOSTILE, "seed": 1, "data_sets": 40, "level": 0.01, "correction": "Holm", "tests": 2, "calibrated": false,
        "windows": [{
            "window": "w", "quantities": [quantity("peaks.center[1]", [9, 11, 10, 10], false), quantity(HOSTILE, [1, 5, 10, 24], true)],
            "candidates": [], "reliability": [{ "from": 0.1, "to": 0.2, "number": 20, "mean": 0.15, "true_share": 0.2, "se": 0.08 }],
            "doubtful": 0, "doubtful_best": 0, "dependent": 0, "failures": [], "data_sets": []
        }]
    });
    let path = folder.join("calibration.json");
    fs::write(&path, all.to_string()).unwrap();
    path
}
