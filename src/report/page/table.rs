//! Tables: the series' as data that the page lays out, a frame's as HTML.

use serde_json::{Value, json};

use crate::posterior::{CandidateResult, FrameResult, ParameterResult};
use crate::report::number::cell;
use crate::report::svg::escaped;
use crate::report::view::{Against, Results, best};
use crate::report::{fit, verdict};

/// What the page knows of every frame: rows of a table, and the place along the series.
pub(super) fn data(results: &Results, against: Against) -> Value {
    let (x, label) = results.along(against);
    let windows = results.windows();
    let mut columns = vec!["frame".to_owned(), "name".into(), results.axis.clone().unwrap_or_else(|| "axis".into())];
    for window in &windows {
        let of = |what: &str| if windows.len() > 1 { format!("{what}, {window}") } else { what.to_owned() };
        columns.extend(["most probable", "p", "±", "positions", "verdict", "fit"].map(of));
    }
    let rows: Vec<Value> = results.frames.iter().map(|row| Value::Array(cells(&row.frame))).collect();
    json!({ "title": results.title, "x": x, "along": label.text(), "columns": columns, "rows": rows })
}

fn cells(frame: &FrameResult) -> Vec<Value> {
    let mut row = vec![json!(frame.frame), json!(frame.name), frame.axis.map_or(Value::Null, |a| json!(a))];
    for window in &frame.windows {
        match best(window) {
            Some(c) => {
                let digits = |v: f64| if v.is_finite() { json!((v * 1e4).round() / 1e4) } else { Value::Null };
                let positions = c.parameters.iter().filter(|p| p.parameter == "center").map(position).collect::<Vec<_>>().join(" ");
                row.extend([json!(c.candidate), digits(c.probability), digits(c.probability_se), json!(positions)]);
                row.extend([json!(verdict(&c.verdict)), json!(fit(&c.fit))]);
            }
            None => row.extend(vec![Value::Null; 6]),
        }
    }
    row
}

fn position(p: &ParameterResult) -> String {
    crate::report::number::with_error(p.mean, p.sd)
}

/// A table of HTML whose columns sort and which copies as CSV.
fn html(class: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let head: String = head.iter().map(|h| format!("<th>{}</th>", escaped(h))).collect();
    let row = |cells: &Vec<String>| format!("<tr>{}</tr>", cells.iter().map(|c| format!("<td>{}</td>", escaped(c))).collect::<String>());
    format!(
        "<div class=\"tools\"><button type=\"button\" class=\"copy\">copy as CSV</button></div><div class=\"wide\"><table class=\"sortable {class}\">\
         <thead><tr>{head}</tr></thead><tbody>{}</tbody></table></div>\n",
        rows.iter().map(row).collect::<String>()
    )
}

/// F, its parts and the probability of every candidate.
pub(super) fn candidates(all: &[CandidateResult]) -> String {
    let head = ["candidate", "F", "± ", "E", "S", "p", "±", "noise", "verdict", "fit"];
    let row = |c: &CandidateResult| {
        let short = |v: f64| if v.is_finite() { format!("{v:.3}") } else { String::new() };
        let p =
            |v: f64| if v.is_finite() { if v > 0.0 && v < 1e-3 { format!("{v:.1e}") } else { format!("{v:.4}") } } else { String::new() };
        vec![
            c.candidate.clone(),
            short(c.free_energy),
            short(c.free_energy_se),
            short(c.energy),
            short(c.entropy),
            p(c.probability),
            p(c.probability_se),
            c.noise.map_or_else(String::new, |v| cell(rounded(v, 5))),
            verdict(&c.verdict),
            fit(&c.fit),
        ]
    };
    html("candidates", &head, &all.iter().map(row).collect::<Vec<_>>())
}

/// Every parameter of a candidate.
pub(super) fn parameters(all: &[ParameterResult]) -> String {
    let head = [
        "term",
        "parameter",
        "peak",
        "unit",
        "mean",
        "sd",
        "2.5 %",
        "16 %",
        "50 %",
        "84 %",
        "97.5 %",
        "R-hat",
        "ESS bulk",
        "ESS tail",
        "modes",
    ];
    let row = |p: &ParameterResult| {
        let number = |v: f64| cell(rounded(v, digits(p)));
        let mut row = vec![p.term.clone(), p.parameter.clone(), p.peak.map_or_else(String::new, |p| p.to_string()), p.unit.clone()];
        row.push(number(p.mean));
        row.push(cell(rounded(p.sd, 3)));
        row.extend(p.quantiles.iter().map(|q| number(*q)));
        row.extend([
            format!("{:.3}", p.rhat),
            format!("{:.0}", p.ess_bulk),
            format!("{:.0}", p.ess_tail),
            p.modes.len().max(1).to_string(),
        ]);
        row
    };
    html("parameters", &head, &all.iter().map(row).collect::<Vec<_>>())
}

/// Significant digits that leave three of the standard deviation.
fn digits(p: &ParameterResult) -> usize {
    let ratio = (p.mean.abs() / p.sd).log10();
    if ratio.is_finite() { (ratio.ceil() + 3.0).clamp(3.0, 9.0) as usize } else { 6 }
}

/// To so many significant digits.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}
