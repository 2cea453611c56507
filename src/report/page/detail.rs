//! The details of one frame, as a piece of HTML that the page unpacks when the frame is chosen.

use serde_json::json;

use super::{drawn, table};
use crate::error::Result;
use crate::posterior::WindowResult;
use crate::report::figure::{self, OneFrame, What, called};
use crate::report::samples::Sample;
use crate::report::svg::{Size, escaped};
use crate::report::view::{Results, best, draws, unit};

/// Draws a parameter has in the pair plot.
const DRAWS: usize = 300;
/// Draws are told in so many steps of their range.
const STEPS: f64 = 9999.0;

/// Figures and tables of every window of a frame.
pub(super) fn html(results: &Results, place: usize) -> Result<String> {
    let frame = results.whole(place)?;
    let mut html = String::new();
    for (window, answer) in frame.windows.iter().enumerate() {
        if frame.windows.len() > 1 {
            html += &format!("<h3>{}</h3>\n", escaped(&format!("window {}", answer.window)));
        }
        html += &said(answer);
        let sample = results.sample(place, window);
        let of = OneFrame {
            results,
            frame: &frame,
            window,
            sample: match &sample {
                Ok(Some(sample)) => Ok(sample),
                Ok(None) => Err(figure::NO_DRAWS),
                Err(error) => Err(error.what.as_str()),
            },
        };
        html += "<div class=\"grid\">\n";
        for what in What::FRAME.into_iter().filter(|what| *what != What::Integration || of.is_joint()) {
            html += &drawn(what, figure::frame(what, &of, &[], Size::PAGE));
            if what == What::Marginals
                && let Ok(sample) = of.sample
            {
                html += &pair(answer, sample);
            }
        }
        html += "</div>\n<h4>Candidates</h4>\n";
        html += &table::candidates(&answer.candidates);
        if let Some(best) = best(answer) {
            html += &format!("<h4>{}</h4>\n", escaped(&format!("Parameters of {}", best.candidate)));
            html += &table::parameters(&best.parameters);
        }
    }
    Ok(html)
}

/// Verdict and fit in sentences.
fn said(window: &WindowResult) -> String {
    let Some(best) = best(window) else { return String::new() };
    let verdict = best.verdict.iter().map(|v| (v.code(), v.sentence()));
    let all: String = verdict
        .chain(best.fit.iter().map(|f| (f.code(), f.sentence())))
        .map(|(code, sentence)| format!("<li><b>{}</b>: {}</li>", escaped(code), escaped(sentence)))
        .collect();
    if all.is_empty() { String::new() } else { format!("<ul class=\"said\">{all}</ul>\n") }
}

/// Thinned draws, of which the page draws any two parameters against one another.
fn pair(window: &WindowResult, sample: &Sample) -> String {
    let Some(best) = best(window).filter(|b| b.candidate == sample.candidate) else { return String::new() };
    let mut parameters = Vec::new();
    for parameter in &best.parameters {
        let Some(all) = draws(sample, parameter) else { continue };
        let step = all.len().div_ceil(DRAWS).max(1);
        let thin: Vec<f64> = all.into_iter().step_by(step).collect();
        let (low, high) = crate::report::svg::extent(thin.iter().copied());
        if high < low {
            continue;
        }
        let at = |v: &f64| if high > low { ((v - low) / (high - low) * STEPS).round() as u16 } else { 0 };
        let label = match unit(&parameter.unit) {
            unit if unit.is_empty() => called(parameter),
            unit => format!("{} ({unit})", called(parameter)),
        };
        parameters.push(json!({ "label": label, "low": low, "high": high, "at": thin.iter().map(at).collect::<Vec<_>>() }));
    }
    if parameters.len() < 2 {
        return String::new();
    }
    // Within HTML, a < could end the element that holds this.
    let data = json!({ "steps": STEPS, "parameters": parameters }).to_string().replace('<', "\\u003c");
    format!(
        "<figure class=\"what-pair pair\"><div class=\"tools\"><select class=\"pair-x\" aria-label=\"across\"></select> × \
         <select class=\"pair-y\" aria-label=\"upwards\"></select></div><div class=\"pair-plot\"></div><figcaption>Any two parameters against one \
         another: draws <button class=\"save\" type=\"button\" data-name=\"pair\">save SVG</button></figcaption>\
         <script type=\"application/json\" class=\"draws\">{data}</script></figure>\n"
    )
}
