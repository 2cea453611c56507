//! The closing summary: a table that a person can read, or the same as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::number::{cell, probability, with_error};
use super::{fit, verdict};
use crate::batch::{Failure, Outcome};
use crate::posterior::{CandidateResult, Fit, FrameResult, Movement, WindowResult};
use crate::spec::Spec;

/// Up to so many frames get a line each.
const LINES: usize = 60;
/// Positions shown in a line.
const POSITIONS: usize = 6;
/// Column of the positions.
const CENTER: usize = 3;
/// Failures shown.
const FAILURES: usize = 20;

/// How a run ended, as exit codes say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every frame has an answer that may be quoted: 0.
    Good,
    /// No frame has an answer: 1.
    Nothing,
    /// A frame failed, is missing, or its winning candidate's verdict is not ok: 2.
    Doubtful,
    /// Interrupted: 130.
    Interrupted,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Nothing => 1,
            Self::Doubtful => 2,
            Self::Interrupted => 130,
        }
    }
}

/// What all frames together say.
#[derive(Clone, Debug)]
pub struct Summary {
    title: String,
    axis: Option<String>,
    windows: Vec<Tally>,
    frames: usize,
    failures: Vec<Failure>,
    failed: usize,
    doubtful: usize,
    asked: Asked,
    /// Frames in f64 though f32 was asked for, and others on another engine than asked for.
    exacting: usize,
    moved: usize,
    sentences: BTreeMap<&'static str, &'static str>,
}

/// What was to evaluate the models.
#[derive(Clone, Debug, Default)]
struct Asked {
    engine: String,
    f64: bool,
}

/// One window over all frames.
#[derive(Clone, Debug)]
struct Tally {
    name: String,
    /// Labels of the candidates, in the order of the spec, and how often each won.
    won: Vec<(String, usize)>,
    verdict: BTreeMap<String, usize>,
    fit: BTreeMap<String, usize>,
    lines: Vec<[String; 6]>,
    priors: Priors,
    /// Of a joint problem, what its measurements say together, by what it means: how often, and the last ΔF with its error.
    together: BTreeMap<&'static str, (usize, f64, f64)>,
}

/// What other widths of the priors would change, over the frames that the model describes.
#[derive(Clone, Debug, Default)]
struct Priors {
    frames: usize,
    /// Frames whose most probable candidate stays so.
    stay: usize,
    asked: usize,
    untold: usize,
    /// The largest movement: its size, frame, candidate and its probability now.
    most: Option<(f64, usize, String, f64, Movement)>,
}

impl Priors {
    fn add(&mut self, frame: usize, best: &CandidateResult, movement: Movement) {
        self.frames += 1;
        self.stay += usize::from(movement.stays);
        self.asked += movement.asked;
        self.untold += movement.untold;
        let size = movement.range.1 - movement.range.0;
        if self.most.as_ref().is_none_or(|most| size > most.0) {
            self.most = Some((size, frame, best.candidate.clone(), best.probability, movement));
        }
    }

    /// A line for a person; nothing where nothing was asked.
    fn text(&self) -> String {
        let Some((_, frame, candidate, p, movement)) = self.most.as_ref().filter(|_| self.asked > 0) else { return String::new() };
        let mut out = "  priors         half or twice as wide, one at a time: ".to_owned();
        if self.frames > 1 {
            out += &format!("the most probable stays so in {} of {} frames; most in frame {frame}: ", self.stay, self.frames);
        }
        out += &format!("p({candidate}) = {p:.3} becomes {:.3} to {:.3}", movement.range.0, movement.range.1);
        if let Some(by) = &movement.by {
            out += &format!(", most with {by}");
        }
        if self.untold > 0 {
            out += &format!("; {} of {} unknown", self.untold, self.asked);
        }
        out + "\n"
    }

    fn json(&self) -> Value {
        let most = self.most.as_ref().map(|(_, frame, candidate, p, movement)| {
            json!({ "frame": frame, "candidate": candidate, "probability": p, "range": movement.range, "by": movement.by })
        });
        json!({ "frames": self.frames, "stay": self.stay, "asked": self.asked, "unknown": self.untold, "most": most })
    }
}

impl Summary {
    /// A summary of no frames yet.
    pub fn new(spec: &Spec) -> Self {
        let tally = |g: &crate::spec::Group| Tally {
            name: g.name.clone(),
            won: g.candidates.iter().map(|c| (c.label.clone(), 0)).collect(),
            verdict: BTreeMap::new(),
            fit: BTreeMap::new(),
            lines: Vec::new(),
            priors: Priors::default(),
            together: BTreeMap::new(),
        };
        Self {
            title: spec.title.clone(),
            axis: spec.data.frames.as_ref().and_then(|f| f.axis.clone()).or_else(|| spec.data.axis_header.clone()),
            windows: spec.groups.iter().map(tally).collect(),
            frames: 0,
            failures: Vec::new(),
            failed: 0,
            doubtful: 0,
            asked: Asked { engine: spec.run.engine.clone(), f64: spec.run.f64 || spec.run.engine == "oracle" },
            exacting: 0,
            moved: 0,
            sentences: BTreeMap::new(),
        }
    }

    /// Counts a frame; frames come in order.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Done(frame) => self.done(frame),
            Outcome::Failed(failure) => {
                self.failed += 1;
                if self.failures.len() < FAILURES {
                    self.failures.push(failure.clone());
                }
            }
        }
    }

    fn done(&mut self, frame: &FrameResult) {
        self.frames += 1;
        let mut doubtful = false;
        for (tally, window) in self.windows.iter_mut().zip(&frame.windows) {
            let Some(best) = window.candidates.get(window.best) else { continue };
            doubtful |= !best.verdict.is_empty();
            self.sentences.extend(best.verdict.iter().map(|v| (v.code(), v.sentence())));
            self.sentences.extend(best.fit.iter().map(|f| (f.code(), f.sentence())));
            if let Some(won) = tally.won.get_mut(window.best) {
                won.1 += 1;
            }
            for (codes, counts) in [(verdict(&best.verdict), &mut tally.verdict), (fit(&best.fit), &mut tally.fit)] {
                for code in codes.split(';') {
                    *counts.entry(code.to_owned()).or_default() += 1;
                }
            }
            if let (true, Some(movement)) = (best.fit.is_empty(), window.movement()) {
                tally.priors.add(frame.frame, best, movement);
            }
            if tally.lines.len() <= LINES {
                tally.lines.push([
                    frame.frame.to_string(),
                    frame.axis.map_or_else(String::new, cell),
                    count(best),
                    positions(best),
                    verdict(&best.verdict),
                    fit(&best.fit),
                ]);
            }
        }
        if let (Some(joint), Some(found)) = (self.windows.first_mut(), &frame.integration) {
            let (times, delta, se) = joint.together.entry(found.sentence()).or_default();
            (*times, *delta, *se) = (*times + 1, found.free_energy, found.free_energy_se);
        }
        self.doubtful += usize::from(doubtful);
        if frame.precision == "f64" && !self.asked.f64 {
            self.exacting += 1;
        } else if frame.engine != self.asked.engine {
            self.moved += 1;
        }
    }

    /// Frames that did not run as asked, and why; a line each.
    fn elsewhere(&self) -> String {
        let mut out = String::new();
        if self.exacting > 0 {
            let why = "f32 cannot hold the energies of their data to .01 nat";
            out += &format!("\n{} of {} frames ran on the cpu in f64: {why}\n", self.exacting, self.frames);
        }
        if self.moved > 0 {
            let why = format!("the {} was lost, or its probe refused it", self.asked.engine);
            out += &format!("\n{} of {} frames ran on the cpu: {why}\n", self.moved, self.frames);
        }
        out
    }

    /// How the run ended; `missing` frames were asked for and not begun.
    pub fn exit(&self, missing: usize) -> Exit {
        match () {
            () if self.frames == 0 => Exit::Nothing,
            () if self.failed + self.doubtful + missing > 0 => Exit::Doubtful,
            () => Exit::Good,
        }
    }

    /// The table for a person, ending with a line break; positions that would not fit a terminal of so many columns are left out.
    pub fn text(&self, width: Option<usize>) -> String {
        let frames = if self.frames == 1 { "1 frame".into() } else { format!("{} frames", self.frames) };
        let mut out = format!("{}: {frames}", self.title);
        if self.failed > 0 {
            out += &format!(", {} failed", self.failed);
        }
        out += "\n";
        for tally in self.windows.iter().filter(|_| self.frames > 0) {
            out += &format!("\nwindow {}\n", tally.name);
            if tally.lines.len() <= LINES {
                out += &self.table(tally, width);
            }
            let won = tally.won.iter().filter(|w| w.1 > 0).map(|(label, n)| format!("{label}: {n}")).collect::<Vec<_>>();
            out += &format!(
                "  most probable  {}\n  verdict        {}\n  fit            {}\n",
                won.join("  "),
                counts(&tally.verdict),
                counts(&tally.fit)
            );
            out += &tally.priors.text();
            for (what, (times, delta, se)) in &tally.together {
                let value = if self.frames == 1 { format!("ΔF = {} nat", with_error(*delta, *se)) } else { format!("{times} frames") };
                out += &format!("  together       {value}: {what}\n");
            }
        }
        out += &self.elsewhere();
        if !self.sentences.is_empty() {
            out += "\n";
        }
        for (code, sentence) in &self.sentences {
            out += &format!("{code}: {sentence}\n");
        }
        if self.failed > 0 {
            out += "\nfailed\n";
        }
        for failure in &self.failures {
            out += &format!("  frame {}: {}\n", failure.frame, failure.message.replace('\n', "\n  "));
        }
        if self.failed > self.failures.len() {
            out += &format!("  and {} more, in result.json\n", self.failed - self.failures.len());
        }
        out
    }

    /// The same as JSON; `exit` is the exit code.
    pub fn json(&self, exit: Exit) -> Value {
        let together =
            |t: &Tally| t.together.iter().map(|(what, (times, ..))| ((*what).to_owned(), json!(times))).collect::<serde_json::Map<_, _>>();
        let window = |t: &Tally| {
            let won: serde_json::Map<String, Value> = t.won.iter().filter(|w| w.1 > 0).map(|(k, n)| (k.clone(), json!(n))).collect();
            json!({ "window": t.name, "most_probable": won, "verdict": t.verdict, "fit": t.fit, "priors": t.priors.json(), "together": together(t) })
        };
        json!({
            "title": self.title,
            "frames": self.frames,
            "failed": self.failed,
            "frames_in_f64": self.exacting,
            "frames_moved_to_cpu": self.moved,
            "windows": self.windows.iter().map(window).collect::<Vec<_>>(),
            "codes": self.sentences,
            "failures": self.failures.iter().map(|f| json!({ "frame": f.frame, "source": f.source, "message": f.message })).collect::<Vec<_>>(),
            "exit": exit.code(),
        })
    }

    /// A line a frame, columns aligned; the axis only where there is one. Lines longer than `limit` lose positions from the right.
    fn table(&self, tally: &Tally, limit: Option<usize>) -> String {
        let axis = self.axis.clone().unwrap_or_else(|| "axis".into());
        let header = ["frame".into(), axis, "most probable".into(), "center".into(), "verdict".into(), "fit".into()];
        let mut rows: Vec<[String; 6]> = std::iter::once(&header).chain(&tally.lines).cloned().collect();
        // A column that no row fills is left out.
        let shown: Vec<usize> = (0..6).filter(|&c| tally.lines.iter().any(|row| !row[c].is_empty())).collect();
        let width = |rows: &[[String; 6]], c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
        let others: usize = shown.iter().filter(|&&c| c != CENTER).map(|&c| 2 + width(&rows, c)).sum();
        if let Some(limit) = limit {
            rows.iter_mut().for_each(|row| row[CENTER] = shortened(&row[CENTER], limit.saturating_sub(others + 2)));
        }
        let mut out = String::new();
        for row in &rows {
            let cells: Vec<String> = shown
                .iter()
                .map(|&c| {
                    let pad = " ".repeat(width(&rows, c) - row[c].chars().count());
                    // Numbers stand to the right.
                    if c < 2 { pad + &row[c] } else { row[c].clone() + &pad }
                })
                .collect();
            out += &format!("  {}\n", cells.join("  ").trim_end());
        }
        out
    }
}

/// A list of words cut to so many columns, after a whole word where one fits, with … for the rest.
fn shortened(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    let mut out = String::new();
    for word in words.split(' ') {
        if out.chars().count() + word.chars().count() + 2 > most {
            break;
        }
        out += &format!("{word} ");
    }
    out + "…"
}

/// The most probable candidate in a few words, for progress lines.
pub fn headline(frame: &FrameResult) -> String {
    let best = |w: &WindowResult| w.candidates.get(w.best).map(count);
    frame.windows.iter().filter_map(best).collect::<Vec<_>>().join("; ")
}

/// What won, with its probability; or that the number is the model's doing, where it does not describe the data.
fn count(c: &CandidateResult) -> String {
    let name = |relation: &str| c.k.map_or_else(|| c.candidate.clone(), |k| format!("K {relation} {k}"));
    if c.fit.contains(&Fit::Range) {
        return format!("{}, limited by the model", name("≥"));
    }
    if !c.fit.is_empty() {
        return format!("{}, limited by the model", name("="));
    }
    let error = if c.probability_se >= 5e-4 { format!(" ± {:.3}", c.probability_se) } else { String::new() };
    format!("{}, {}{error}", name("="), probability(c.probability))
}

/// The peaks' positions with their standard deviations.
fn positions(c: &CandidateResult) -> String {
    let all: Vec<String> =
        c.parameters.iter().filter(|p| p.parameter == "center" && p.peak.is_some()).map(|p| with_error(p.mean, p.sd)).collect();
    let more = if all.len() > POSITIONS { " …" } else { "" };
    all.iter().take(POSITIONS).map(String::as_str).collect::<Vec<_>>().join(" ") + more
}

fn counts(of: &BTreeMap<String, usize>) -> String {
    of.iter().map(|(code, n)| format!("{code}: {n}")).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posterior::{Figures, ParameterResult, Verdict};

    fn candidate(k: usize, probability: f64, verdict: Vec<Verdict>, fit: Vec<Fit>) -> CandidateResult {
        let center = |peak: usize| ParameterResult {
            peak: Some(peak + 1),
            term: "gaussian".into(),
            parameter: "center".into(),
            unit: "deg".into(),
            mean: 4.5 + peak as f64,
            sd: 0.01,
            quantiles: [0.0; 5],
            rhat: 1.0,
            ess_bulk: 400.0,
            ess_tail: 400.0,
            modes: Vec::new(),
        };
        CandidateResult {
            candidate: format!("K={k}"),
            k: Some(k),
            free_energy: 0.0,
            free_energy_se: 0.1,
            free_energy_df: 15,
            energy: 0.0,
            entropy: 0.0,
            probability,
            probability_se: 0.02,
            noise: None,
            noise_curve: None,
            noise_plane: None,
            verdict,
            fit,
            figures: Figures::default(),
            parameters: (0..k).map(center).collect(),
        }
    }

    #[test]
    fn a_probability_is_given_only_where_the_model_fits() {
        assert_eq!(count(&candidate(2, 0.9, vec![], vec![])), "K = 2, p = 0.900 ± 0.020");
        assert_eq!(count(&candidate(6, 0.9, vec![], vec![Fit::Range, Fit::Bound])), "K ≥ 6, limited by the model");
        assert_eq!(count(&candidate(2, 0.9, vec![], vec![Fit::Misfit])), "K = 2, limited by the model");
    }

    #[test]
    fn lines_stand_under_their_headings() {
        let row = |frame: &str, axis: &str, c: CandidateResult| {
            [frame.into(), axis.into(), count(&c), positions(&c), verdict(&c.verdict), fit(&c.fit)]
        };
        let tally = Tally {
            name: "w".into(),
            won: Vec::new(),
            verdict: BTreeMap::new(),
            fit: BTreeMap::new(),
            lines: vec![
                row("9", "25", candidate(0, 1.0, vec![], vec![])),
                row("10", "130.5", candidate(7, 0.9, vec![Verdict::Ess, Verdict::Rhat], vec![Fit::Range])),
            ],
            priors: Priors::default(),
            together: BTreeMap::new(),
        };
        let summary = Summary {
            title: "t".into(),
            axis: Some("T_C".into()),
            windows: Vec::new(),
            frames: 2,
            failures: Vec::new(),
            failed: 0,
            doubtful: 1,
            asked: Asked::default(),
            exacting: 0,
            moved: 0,
            sentences: BTreeMap::new(),
        };
        let expected = "
  frame    T_C  most probable                center                                                            verdict   fit
      9     25  K = 0, p = 1.000 ± 0.020                                                                       ok        good
     10  130.5  K ≥ 7, limited by the model  4.500(10) 5.500(10) 6.500(10) 7.500(10) 8.500(10) 9.500(10) …  ess;rhat  range
";
        assert_eq!(summary.table(&tally, None).split_whitespace().collect::<Vec<_>>(), expected.split_whitespace().collect::<Vec<_>>());
        let places: Vec<Option<usize>> = summary
            .table(&tally, None)
            .lines()
            .map(|l| l.char_indices().position(|(i, _)| ["verdict", "ok", "ess;"].iter().any(|w| l[i..].starts_with(w))))
            .collect();
        assert!(places.iter().all(|p| p.is_some() && *p == places[0]), "{places:?}");
        assert_eq!(summary.exit(0), Exit::Doubtful);
        let narrow = summary.table(&tally, Some(80));
        assert!(narrow.contains("4.500(10) …") && narrow.lines().all(|l| l.chars().count() <= 80), "{narrow}");
    }
}
