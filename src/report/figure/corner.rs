//! Chosen parameters against one another: draws below the diagonal, marginals on it.

use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, dots};
use super::super::view::{draws, unit};
use super::marginals::{density, outline};
use super::{OneFrame, called};
use crate::posterior::ParameterResult;

/// Parameters shown where none are chosen.
const USUAL: usize = 5;
/// Most that are drawn: beyond, panels are too small to read.
const MOST: usize = 8;
/// Draws shown in a panel.
const DRAWS: usize = 1000;

/// Draws the lower triangle.
pub(super) fn draw(of: &OneFrame<'_>, chosen: &[String], size: Size) -> Result<Figure, String> {
    let sample = of.sample()?;
    let best = of.best()?;
    let names: Vec<String> = best.parameters.iter().map(called).collect();
    let mut parameters: Vec<&ParameterResult> = Vec::new();
    for name in chosen {
        let spaced = name.replace('_', " ");
        let at = names.iter().position(|n| *n == spaced || n.replace(' ', "") == spaced.replace(' ', ""));
        parameters.push(&best.parameters[at.ok_or_else(|| format!("no parameter is called `{name}`; there are {}", names.join(", ")))?]);
    }
    if chosen.is_empty() {
        let mut order: Vec<&ParameterResult> = best.parameters.iter().collect();
        order.sort_by_key(|p| (p.parameter != "center", p.peak.is_none()));
        parameters = order.into_iter().take(USUAL).collect();
    }
    if parameters.len() > MOST {
        return Err(format!("{} parameters are too many to read; choose at most {MOST}", parameters.len()));
    }
    let columns: Vec<Vec<f64>> =
        parameters.iter().map(|p| draws(sample, p).ok_or_else(|| format!("the draws hold no {}", called(p)))).collect::<Result<_, _>>()?;
    let count = parameters.len();
    if count < 2 {
        return Err("a corner plot needs two parameters".into());
    }
    let mut canvas = Canvas::new(size, 0.0);
    canvas.font = if count > 4 { 0.8 * size.font } else { size.font };
    let line = canvas.line();
    let scales: Vec<Scale> = columns.iter().map(|c| Scale::around(c.iter().copied(), 0.03)).collect();
    let widest = scales.iter().flat_map(|s| s.ticks(3)).map(|t| canvas.text_width(&t.1)).fold(0.0, f64::max);
    let left = widest + 1.9 * line;
    let gap = 0.45 * line;
    let side = (size.width - left - 0.3 * line) / count as f64;
    canvas.height = side * count as f64 + 2.5 * line;
    let label = |p: &ParameterResult| Label::new(&called(p), &unit(&p.unit));
    for i in 0..count {
        for j in 0..=i {
            let panel = Panel {
                left: left + side * j as f64,
                top: side * i as f64 + 0.2 * line,
                width: side - gap,
                height: side - gap,
                x: scales[j],
                y: scales[i],
                x_label: label(parameters[j]),
                y_label: label(parameters[i]),
                show: (i + 1 == count, j == 0 && i > 0),
                series: false,
            };
            if i == j {
                diagonal(&mut canvas, panel, &columns[i]);
            } else {
                let step = columns[i].len().div_ceil(DRAWS).max(1);
                let points: Vec<(f64, f64)> = columns[j].iter().zip(&columns[i]).step_by(step).map(|(x, y)| panel.p((*x, *y))).collect();
                panel.draw(&mut canvas, |_, canvas| canvas.path("speck draws s0", &dots(points)));
            }
        }
    }
    Ok(canvas.finish("corner", super::What::Corner.about()))
}

fn diagonal(canvas: &mut Canvas, panel: Panel, column: &[f64]) {
    let counts = density(column, panel.x, 30);
    let top = counts.iter().copied().fold(0.0, f64::max) * 1.1;
    let panel = Panel { y: Scale::linear(0.0, top), y_label: Label::new("density", ""), ..panel };
    panel.draw(canvas, |panel, canvas| canvas.path("area marginal f0", &outline(panel, &counts)));
}
