//! A calibration as files and as text.

use std::path::Path;

use super::rank::NARROWED;
use super::{Calibration, Window};
use crate::error::{Error, Place, Result};
use crate::report::{atomic, number::cell};

/// Columns of ranks.csv.
const RANKS: [&str; 6] = ["window", "data_set", "candidate", "quantity", "rank", "draws"];

/// Writes calibration.json, which holds everything, and ranks.csv to a folder, which is made where it does not exist.
///
/// # Errors
/// Where the folder cannot be written to.
pub fn write(calibration: &Calibration, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::fatal(format!("the folder cannot be made: {e}")).at(Place::file(folder)))?;
    let cannot = |what: &str, error: &dyn std::fmt::Display| {
        Error::fatal(format!("{what} cannot be written: {error}")).hint("free some space or choose another folder with --out DIR")
    };
    atomic::write(&folder.join("calibration.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, calibration).map_err(|e| cannot("calibration.json", &e))?;
        out.write_all(b"\n").map_err(|e| cannot("calibration.json", &e))
    })?;
    atomic::write(&folder.join("ranks.csv"), |out| {
        let mut table = csv::Writer::from_writer(out);
        let mut row = |cells: &[&str]| table.write_record(cells).map_err(|e| cannot("ranks.csv", &e));
        row(&RANKS)?;
        for window in &calibration.windows {
            for set in &window.data_sets {
                for (quantity, r) in &set.ranks {
                    let (number, rank, draws) = (set.data_set.to_string(), r.rank.to_string(), r.draws.to_string());
                    row(&[&window.window, &number, &set.candidate, quantity, &rank, &draws])?;
                }
            }
        }
        table.flush().map_err(|e| cannot("ranks.csv", &e))
    })
}

/// The table for the terminal and the verdict.
pub fn text(calibration: &Calibration) -> String {
    let mut text: String = calibration.windows.iter().map(window).collect();
    let percent = 100.0 * calibration.level;
    let significant = calibration.windows.iter().map(significant).sum::<usize>();
    let failed = calibration.windows.iter().map(|w| w.failures.len()).sum::<usize>();
    let tests = format!("{} tests at a family-wise level of {percent} % ({})", calibration.tests, calibration.correction);
    text += &match (calibration.calibrated, significant, failed) {
        (true, ..) => format!("calibrated: none of {tests} is significant\n"),
        (false, 0, 0) => "not calibrated: there are too few data sets to test anything; give more with --n N\n".into(),
        (false, 0, _) => format!("not calibrated: {failed} data sets have no answer\n"),
        (false, ..) => format!("not calibrated: {significant} of {tests} are significant, marked !\n"),
    };
    text
}

fn significant(window: &Window) -> usize {
    window.quantities.iter().filter(|q| q.significant).count() + window.candidates.iter().filter(|c| c.significant).count()
}

fn window(window: &Window) -> String {
    let mut text = format!(
        "window {}: {} data sets; verdict other than ok: {} of the true candidate, {} of the most probable one\n",
        window.window,
        window.data_sets.len() + window.failures.len(),
        window.doubtful,
        window.doubtful_best
    );
    for failure in &window.failures {
        text += &format!("  data set {} has no answer: {}\n", failure.data_set, failure.message);
    }
    if window.dependent > 0 {
        text += &format!("  {} ranks are among draws too few to be independent; raise run.targets.ess\n", window.dependent);
    }
    let mark = |bad: bool, mark: &'static str| if bad { mark } else { " " };
    let p = |p: Option<f64>| p.map_or_else(|| "-".into(), |p| format!("{p:.2e}"));
    let longest = window.quantities.iter().map(|q| q.quantity.chars().count()).chain([8]).max().unwrap_or(8);
    text += &format!("  {:longest$}      n   chi2  df         p  narrowed    50 %     68 %     95 %\n", "quantity");
    for q in &window.quantities {
        let h = &q.histogram;
        text += &format!(
            "  {:longest$} {:6} {:6.1} {:3} {:>9}{} {:>8}",
            q.quantity,
            q.data_sets,
            h.chi2,
            h.degrees,
            p(h.p),
            mark(q.significant, "!"),
            p(q.narrowed_p),
        );
        for c in &q.coverage {
            text += &format!(" {:6.1}{} ", 100.0 * c.share, mark(!c.within(), "*"));
        }
        text = text.trim_end().to_owned() + "\n";
    }
    let seen = window.quantities.iter().filter(|q| q.narrowed_significant).count();
    text += &format!(
        "  draws narrowed to {NARROWED} about their mean: {seen} of {} quantities would be significant{}\n",
        window.quantities.len(),
        if seen == 0 { "; --n is too small to see them" } else { "" }
    );
    if window.quantities.iter().flat_map(|q| &q.coverage).any(|c| !c.within()) {
        text += "  * outside the central 99 % of its binomial law, each for itself\n";
    }
    for c in &window.candidates {
        let told = format!("true {} times, expected {:.1}, z = {:+.2}, p = {:.2e}", c.truths, c.expected, c.z, c.p);
        text += &format!("  {}: {told}{}\n", c.candidate, mark(c.significant, "!").trim_end());
    }
    for t in &window.reliability {
        let share = format!("{} ± {}", cell((t.true_share * 1e3).round() / 1e3), cell((t.se * 1e3).round() / 1e3));
        text += &format!("  p(K) {:.1} to {:.1}: {} of mean {:.3}, {share} true\n", t.from, t.to, t.number, t.mean);
    }
    text
}
