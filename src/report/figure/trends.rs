//! Every parameter along a series, with its bands.

use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, shade};
use super::super::view::{spoken, unit};
use super::legend;
use super::series::{Run, Series};
use crate::prior::{Coordinate, Prior};

/// Draws one panel a quantity, its peaks in one panel.
pub(super) fn draw(series: &Series<'_>, size: Size) -> Result<Figure, String> {
    let runs = series.runs(|_, _| true);
    if runs.is_empty() {
        return Err("no candidate that won has a parameter".into());
    }
    let mut quantities: Vec<Vec<&Run>> = Vec::new();
    for run in &runs {
        let same = |q: &Vec<&Run>| (&q[0].key.term, &q[0].key.parameter) == (&run.key.term, &run.key.parameter);
        match quantities.iter_mut().find(|q| same(q)) {
            Some(q) => q.push(run),
            None => quantities.push(vec![run]),
        }
    }
    // Positions stand in the map above as well, and first here.
    quantities.sort_by_key(|q| usize::from(q[0].key.parameter != "center"));
    let peaks = runs.iter().filter_map(|r| r.key.peak).max().unwrap_or(0);
    let entries: Vec<(String, String)> = if (2..=12).contains(&peaks) {
        (0..peaks).map(|p| (format!("solid f{}", shade(p)), format!("peak {}", p + 1))).collect()
    } else {
        Vec::new()
    };
    let mut canvas = Canvas::new(size, 0.0);
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries);
    let (row, last) = (size.height(118.0), 1.8 * canvas.line());
    canvas.height = top + row * quantities.len() as f64 + last;
    let (from, to) = series.range();
    let panels: Vec<Panel> = quantities
        .iter()
        .enumerate()
        .map(|(i, of)| {
            let twice = quantities.iter().filter(|q| q[0].key.parameter == of[0].key.parameter).count() > 1;
            let y = (scale(series, of), label(if twice { &of[0].key.term } else { "" }, &of[0].key.parameter, &of[0].key.unit));
            let area = [0.0, top + row * i as f64, size.width, row + 1.8 * canvas.line()];
            let mut panel = Panel::within(&canvas, area, (Scale::linear(from, to), series.label.clone()), y);
            panel.show.0 = i + 1 == quantities.len();
            panel.series = true;
            panel
        })
        .collect();
    // All panels begin where the one with the longest numbers does.
    let left = panels.iter().map(|p| p.left).fold(0.0, f64::max);
    for (mut panel, of) in panels.into_iter().zip(&quantities) {
        panel.width -= left - panel.left;
        panel.left = left;
        panel.draw(&mut canvas, |panel, canvas| {
            for run in of {
                let colour = run.key.peak.map_or(6, |p| shade(p - 1));
                let (wide, _) = run.paths(panel, (0, 2, 4), series.x.len());
                let (narrow, middle) = run.paths(panel, (1, 2, 3), series.x.len());
                canvas.path(&format!("band trend-band f{colour}"), &wide);
                canvas.path(&format!("band f{colour}"), &narrow);
                canvas.path(&format!("line trend s{colour}"), &middle);
            }
        });
    }
    Ok(canvas.finish("trends", super::What::Trends.about()))
}

fn label(term: &str, parameter: &str, of: &str) -> Label {
    let name = spoken(parameter);
    Label::new(&if term.is_empty() { name } else { format!("{term} {name}") }, &unit(of))
}

/// Holds the bands; logarithmic where the prior is and the values span more than a decade.
fn scale(series: &Series<'_>, of: &[&Run]) -> Scale {
    let points = || of.iter().flat_map(|r| r.pieces.iter().flatten());
    // A band that is far wider than the others would flatten all of them: the middle 98 % of the ends count.
    let mut ends: Vec<f64> = points().flat_map(|p| [p.q[0], p.q[4]]).filter(|v| v.is_finite()).collect();
    ends.sort_by(f64::total_cmp);
    let at = |p: f64| ends.get((ends.len().saturating_sub(1) as f64 * p).round() as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(0.01), at(0.99));
    if low > 0.0 && high > 10.0 * low && is_log(series, of[0]) {
        return Scale::log(0.8 * low, 1.25 * high);
    }
    Scale::around([low, high], 0.08).down_to_zero()
}

fn is_log(series: &Series<'_>, run: &Run) -> bool {
    let first = series.results.frames.iter().filter_map(|r| super::best(r.frame.windows.get(series.window)?)).flat_map(|c| &c.parameters);
    let parameter = first.into_iter().find(|p| (&p.term, &p.parameter) == (&run.key.term, &run.key.parameter));
    let prior: Option<Prior> = parameter.and_then(|p| series.results.priors.get(&series.name, p));
    prior.is_some_and(|p| p.coordinate() == Coordinate::Log)
}
