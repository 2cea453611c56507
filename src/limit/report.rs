//! A measurement limit as files and as text.

use std::path::Path;

use super::summary::{Crossing, Level, Width, Window};
use super::{Kind, LEAVES, Limit};
use crate::error::{Error, Place, Result};
use crate::report::{atomic, number::cell};

/// Columns of limit.csv.
const COLUMNS: [&str; 12] =
    ["window", "kind", "level", "data_sets", "quantity", "term", "parameter", "peak", "unit", "value", "low", "high"];

/// Writes limit.json, which holds everything, and limit.csv to a folder, which is made where it does not exist.
///
/// # Errors
/// Where the folder cannot be written to.
pub fn write(limit: &Limit, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::fatal(format!("the folder cannot be made: {e}")).at(Place::file(folder)))?;
    let cannot = |what: &str, error: &dyn std::fmt::Display| {
        Error::fatal(format!("{what} cannot be written: {error}")).hint("free some space or choose another folder with --out DIR")
    };
    atomic::write(&folder.join("limit.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, limit).map_err(|e| cannot("limit.json", &e))?;
        out.write_all(b"\n").map_err(|e| cannot("limit.json", &e))
    })?;
    atomic::write(&folder.join("limit.csv"), |out| {
        let mut table = csv::Writer::from_writer(out);
        let mut row = |cells: &[String]| table.write_record(cells).map_err(|e| cannot("limit.csv", &e));
        row(&COLUMNS.map(str::to_owned))?;
        for window in &limit.windows {
            for level in &window.levels {
                for cells in rows(limit.kind, window, level) {
                    row(&cells)?;
                }
            }
        }
        table.flush().map_err(|e| cannot("limit.csv", &e))
    })
}

/// The rows of a level: one a quantity, with its exact 68 % interval where it is a share.
fn rows(kind: Kind, window: &Window, level: &Level) -> Vec<Vec<String>> {
    let number = |v: f64| if v.is_finite() { cell(v) } else { String::new() };
    let row = |quantity: &str, of: Option<&Width>, value: f64, (low, high): (f64, f64)| {
        let text = |get: fn(&Width) -> String| of.map_or_else(String::new, get);
        vec![
            window.window.clone(),
            kind.symbol().into(),
            cell(level.level),
            level.data_sets.to_string(),
            quantity.into(),
            text(|w| w.term.clone()),
            text(|w| w.parameter.clone()),
            text(|w| w.peak.map_or_else(String::new, |p| p.to_string())),
            text(|w| w.unit.clone()),
            number(value),
            number(low),
            number(high),
        ]
    };
    let none = (f64::NAN, f64::NAN);
    let mut rows = vec![
        row("right", None, level.share, level.interval),
        row("probability", None, level.probability, none),
        row("doubtful", None, level.doubtful as f64, none),
        row("failed", None, level.failed as f64, none),
        row("nats_to_one_peak_fewer", None, level.fewer, none),
    ];
    for w in &level.parameters {
        let plain = [("truth", w.truth), ("sd_median", w.sd), ("rms_error", w.rms), ("cramer_rao", w.cramer_rao)];
        rows.extend(plain.map(|(quantity, value)| row(quantity, Some(w), value, none)));
        rows.extend(
            ["coverage_68", "coverage_95"].iter().zip(&w.coverage).map(|(quantity, c)| row(quantity, Some(w), c.share, c.interval)),
        );
    }
    rows
}

/// The table for the terminal and the limits.
pub fn text(limit: &Limit) -> String {
    limit.windows.iter().map(|w| window(limit.kind, w)).collect()
}

fn window(kind: Kind, window: &Window) -> String {
    let right = match window.true_k {
        Some(k) => format!("{k} true peak{}, right is {}", if k == 1 { "" } else { "s" }, window.right.join(" or ")),
        None => format!("right is {}", window.right.join(" or ")),
    };
    let mut text = format!("window {}: {right} of {}\n", window.window, window.candidates.join(", "));
    if window.distance > 1e-3 {
        text += &format!(
            "  {} is {:.3} nats from the truth at {} = 1: bounds are those of its nearest curve\n",
            window.measured,
            window.distance,
            kind.symbol()
        );
    }
    text += &format!("  {:>9}    n  right  68 % interval   p(right)  doubtful  failed\n", kind.symbol());
    for l in &window.levels {
        text += &format!(
            "  {:>9} {:4}  {:5.3}  {:.3} to {:.3}     {:.3}  {:8}  {:6}\n",
            cell(l.level),
            l.data_sets,
            l.share,
            l.interval.0,
            l.interval.1,
            l.probability,
            l.doubtful,
            l.failed
        );
    }
    for (i, leaves) in window.leaves.iter().enumerate() {
        let widths = || window.levels.iter().filter_map(|l| l.parameters.get(i));
        if !shown(window, i) {
            continue;
        }
        let peak = leaves.peak.map_or_else(String::new, |p| format!(" {p}"));
        text += &format!(
            "  {} {}{peak}\n  {:>9}  median sd        RMS  Cramér–Rao   68 %   95 %\n",
            leaves.term,
            leaves.parameter,
            kind.symbol()
        );
        for (level, w) in window.levels.iter().zip(widths()) {
            text += &format!(
                "  {:>9}  {:9.3e}  {:9.3e}   {:9.3e}  {:5.3}  {:5.3}\n",
                cell(level.level),
                w.sd,
                w.rms,
                w.cramer_rao,
                w.coverage[0].share,
                w.coverage[1].share
            );
        }
        text += &format!("  {}\n", left(kind, leaves));
    }
    for failure in &window.failures {
        text += &format!("  {} = {}, data set {} has no answer: {}\n", kind.symbol(), failure.level, failure.data_set, failure.message);
    }
    text + &format!("  {}\n", crossing(kind, &window.half))
}

/// Whether a parameter is told on the terminal and drawn: positions, or all where there is none.
fn shown(window: &Window, i: usize) -> bool {
    let Some(level) = window.levels.first() else { return false };
    level.parameters[i].position || !level.parameters.iter().any(|w| w.position)
}

/// The limit in a sentence.
fn crossing(kind: Kind, half: &Crossing) -> String {
    match half {
        Crossing::At { level, ln_error, between } => format!(
            "limit: the right one is chosen in half of the data sets at {} = {level:.3} (× or ÷ {:.2}), between {} and {}",
            kind.symbol(),
            ln_error.exp(),
            between.0,
            between.1
        ),
        Crossing::Above => {
            format!("limit: not reached, the right one is chosen in half or more at every level; add {} to {}", kind.worse(), kind.flag())
        }
        Crossing::Below => {
            format!(
                "limit: beyond all levels, the right one is chosen in less than half even at the best; add {} to {}",
                kind.better(),
                kind.flag()
            )
        }
        Crossing::Unknown => "limit: no data set has an answer".into(),
    }
}

/// Where a width leaves its line, in a sentence.
fn left(kind: Kind, leaves: &super::Leaving) -> String {
    match (leaves.level, leaves.last, leaves.ratio) {
        (Some(level), Some(last), Some(ratio)) => {
            format!("leaves its Cramér–Rao line at {} = {level} ({ratio:.2} times), still on it at {last}", kind.symbol())
        }
        (Some(level), None, Some(ratio)) => format!(
            "off its Cramér–Rao line ({LEAVES} times) already at {} = {level} ({ratio:.2} times); add {} to {}",
            kind.symbol(),
            kind.better(),
            kind.flag()
        ),
        _ => format!("on its Cramér–Rao line (within {LEAVES} times) at every level; add {} to {}", kind.worse(), kind.flag()),
    }
}
