//! report.html: one file that shows a results folder, made of nothing but that folder.

mod choice;
mod detail;
mod pack;
mod table;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::figure::{self, Calibrated, Drawn, Limited, What};
use super::svg::{Size, embedded, escaped, plain, sheet};
use super::view::{Against, Results};
use super::{atomic, number};
use crate::error::Result;

pub use choice::DETAILS;

/// The name of the file.
pub const NAME: &str = "report.html";

/// What a report is asked to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Most frames whose details it holds.
    pub details: usize,
    /// Numbers of frames whose details it holds in any case.
    pub frames: Vec<usize>,
    /// What series are drawn against.
    pub against: Against,
}

impl Default for Options {
    fn default() -> Self {
        Self { details: DETAILS, frames: Vec::new(), against: Against::Best }
    }
}

/// Makes the report of a folder anew, of a run, a calibration or a measurement limit, and returns its path.
///
/// # Errors
/// Where there are no results, they cannot be read, a frame that is asked for is not among them, or the folder cannot be written to.
pub fn write(folder: &Path, options: &Options) -> Result<PathBuf> {
    let html = match (Calibrated::open(folder)?, Limited::open(folder)?) {
        _ if folder.join("results.jsonl").is_file() => run(&Results::open(folder)?, options)?,
        (Some(calibrated), _) => calibration(&calibrated),
        (None, Some(limited)) => limit(&limited),
        (None, None) => run(&Results::open(folder)?, options)?,
    };
    let path = folder.join(NAME);
    atomic::write(&path, |out| out.write_all(html.as_bytes()).map_err(|e| atomic::cannot_write(&path, &e)))?;
    Ok(path)
}

/// The page of a run.
///
/// # Errors
/// Where a frame that is asked for is not among the results, or the journal cannot be read.
pub fn run(results: &Results, options: &Options) -> Result<String> {
    let places = choice::places(results, options)?;
    let details: Vec<String> = places
        .par_iter()
        .map(|&place| {
            let html = detail::html(results, place)?;
            Ok(format!("<script type=\"text/plain\" class=\"packed\" data-place=\"{place}\">{}</script>\n", pack::packed(html.as_bytes())))
        })
        .collect::<Result<_>>()?;
    let mut body = header(&results.title, &facts(results));
    body += &series(results, options);
    body += &frames(results, places.first().copied().unwrap_or(0));
    body += &failures(results);
    let data = table::data(results, options.against).to_string();
    body += &format!("<script type=\"text/plain\" id=\"data\">{}</script>\n", pack::packed(data.as_bytes()));
    body += &details.concat();
    Ok(page(&results.title, &body))
}

/// The page of a calibration.
pub fn calibration(of: &Calibrated) -> String {
    let verdict = if of.calibrated {
        format!("calibrated: none of {} tests at a level of {} % together is significant", of.tests, 100.0 * of.level)
    } else {
        format!("not calibrated ({} tests at a level of {} % together)", of.tests, 100.0 * of.level)
    };
    let facts = [verdict, format!("{} data sets a window", of.data_sets), format!("keisoku {}", of.keisoku)];
    let windows: Vec<&str> = of.windows.iter().map(|w| w.window.as_str()).collect();
    let draw = |what, window| figure::calibrated(what, of, window, Size::PAGE);
    page(&of.title, &(header(&of.title, &facts) + &sections(&windows, &What::CALIBRATION, &draw)))
}

/// The page of a measurement limit.
pub fn limit(of: &Limited) -> String {
    let verdict = if of.good { "every data set has an answer that may be quoted" } else { "some data sets failed or may not be quoted" };
    let sets = format!("{} data sets a level of frame {}", of.data_sets, of.frame);
    let facts = ["measurement limit".to_owned(), verdict.to_owned(), sets, format!("seed {}", of.seed), format!("keisoku {}", of.keisoku)];
    let windows: Vec<&str> = of.windows.iter().map(|w| w.window.as_str()).collect();
    let draw = |what, window| figure::limited(what, of, window, Size::PAGE);
    page(&of.title, &(header(&of.title, &facts) + &sections(&windows, &What::LIMIT, &draw)))
}

/// A section a window, with the same figures in each.
fn sections(windows: &[&str], figures: &[What], draw: &dyn Fn(What, usize) -> Drawn) -> String {
    let mut body = String::new();
    for (i, window) in windows.iter().enumerate() {
        body += &format!("<section><h2>{}</h2><div class=\"grid\">", escaped(&format!("window {window}")));
        for &what in figures {
            body += &drawn(what, draw(what, i));
        }
        body += "</div></section>\n";
    }
    body
}

/// A figure with its caption and its button, or the sentence that says why there is none.
fn drawn(what: What, drawn: Drawn) -> String {
    let word = what.word();
    match drawn {
        Ok(figure) => format!(
            "<figure class=\"what-{word}\">{}<figcaption>{} <button class=\"save\" type=\"button\" data-name=\"{word}\">save SVG</button>\
             </figcaption></figure>\n",
            embedded(&figure),
            escaped(&figure.title)
        ),
        Err(why) => format!("<p class=\"missing what-{word}\"><b>{word}</b>: {}.</p>\n", escaped(&why)),
    }
}

fn header(title: &str, facts: &[String]) -> String {
    let facts: String = facts.iter().map(|f| format!("<span>{}</span>", escaped(f))).collect();
    format!(
        "<header><h1>{}</h1><p class=\"facts\">{facts}</p><button id=\"theme\" type=\"button\" title=\"light or dark\">light / dark</button></header>\n",
        escaped(title)
    )
}

fn facts(results: &Results) -> Vec<String> {
    let frames = results.frames.len();
    let mut facts = vec![if frames == 1 { "1 frame".into() } else { format!("{frames} frames") }];
    if !results.failures.is_empty() {
        facts.push(format!("{} failed", results.failures.len()));
    }
    let doubtful = |row: &&super::view::Row| row.frame.windows.iter().any(|w| super::view::best(w).is_some_and(|c| !c.verdict.is_empty()));
    let doubtful = results.frames.iter().filter(doubtful).count();
    facts.push(if doubtful == 0 { "every verdict is ok".into() } else { format!("{doubtful} with a verdict other than ok") });
    if let Some(row) = results.frames.first() {
        facts.push(format!("engine {} ({})", row.frame.engine, row.frame.precision));
    }
    if let Some(seed) = results.seed {
        facts.push(format!("seed {seed}"));
    }
    facts.push(format!("keisoku {}", results.keisoku));
    facts
}

/// The views of the whole series, a section a window.
fn series(results: &Results, options: &Options) -> String {
    if results.frames.len() < 2 {
        return String::new();
    }
    let windows = results.windows();
    let several = windows.len() > 1;
    let mut html = String::from("<section id=\"series\"><h2>The series</h2>\n");
    for (window, name) in windows.iter().enumerate() {
        if several {
            html += &format!("<h3>{}</h3>\n", escaped(&format!("window {name}")));
        }
        html += "<div class=\"grid\">\n";
        for what in What::SERIES {
            html += &drawn(what, figure::along(what, results, window, options.against, Size::PAGE));
        }
        html += "</div>\n";
    }
    html + "<p class=\"hint\">A click on any of these shows the frame below; ← and → step through the frames.</p></section>\n"
}

/// The table of frames and the place where details are shown.
fn frames(results: &Results, first: usize) -> String {
    if results.frames.is_empty() {
        return "<section><p class=\"missing\">No frame has an answer yet.</p></section>\n".into();
    }
    let last = results.frames.len() - 1;
    let slider = format!(
        "<div id=\"steps\"><button id=\"back\" type=\"button\" title=\"frame before (←)\">←</button>\
         <input id=\"slider\" type=\"range\" min=\"0\" max=\"{last}\" value=\"{first}\" aria-label=\"frame\">\
         <button id=\"on\" type=\"button\" title=\"next frame (→)\">→</button></div>"
    );
    let table = "<section id=\"frames\"><h2>Frames</h2><div class=\"tools\"><button id=\"copy-frames\" type=\"button\">copy as CSV</button>\
                 <span id=\"pages\"></span></div><div class=\"wide\"><table id=\"frame-table\"></table></div></section>\n";
    let many = if last > 0 { table } else { "" };
    format!(
        "{many}<section id=\"frame\"><h2 id=\"frame-title\">Frame</h2>{}<p id=\"frame-facts\" class=\"facts\"></p><div id=\"detail\"></div>\
         <noscript>The details of frames need JavaScript.</noscript></section>\n",
        if last > 0 { slider } else { String::new() }
    )
}

fn failures(results: &Results) -> String {
    if results.failures.is_empty() {
        return String::new();
    }
    let row = |f: &crate::batch::Failure| {
        let axis = f.axis.map_or_else(String::new, number::cell);
        format!("<tr><td>{}</td><td>{}</td><td>{axis}</td><td>{}</td></tr>", f.frame, escaped(&f.source), escaped(&f.message))
    };
    let rows: String = results.failures.iter().take(1000).map(row).collect();
    format!(
        "<section id=\"failures\"><h2>Frames without an answer</h2><div class=\"wide\"><table class=\"sortable\"><thead><tr><th>frame</th>\
         <th>source</th><th>axis</th><th>why</th></tr></thead><tbody>{rows}</tbody></table></div></section>\n"
    )
}

/// The whole file. What it may load is said in its first lines: nothing.
fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n\
         <title>{}</title>\n<style>\n{}\n{}\n</style>\n</head>\n<body>\n{body}<script type=\"text/plain\" id=\"look\">{}</script>\n\
         <script>\n{}</script>\n</body>\n</html>\n",
        escaped(title),
        sheet(),
        include_str!("page.css"),
        plain(),
        include_str!("page.js")
    )
}
