//! Data of a frame, what the posterior expects, its terms, and the residuals with their histogram.

use super::super::samples::Measured;
use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, area, bars, dots, line, n};
use super::super::view::unit;
use super::OneFrame;
use super::legend;
use crate::posterior::word;

/// Bins of the histogram of residuals, half a σ wide.
const HALF: usize = 10;
/// Most terms that have a name in the legend.
const MOST_NAMED: usize = 12;

/// Draws data and terms above residuals, one pair a measurement.
pub(super) fn draw(of: &OneFrame<'_>, size: Size) -> Result<Figure, String> {
    let measurements = &of.sample()?.measurements;
    let (upper, lower) = (size.height(285.0), size.height(135.0));
    let mut canvas = Canvas::new(size, 0.0);
    let of_data = [("solid f", "data"), ("solid f1", "expectation"), ("band f", "new data, 95 %")];
    let mut entries: Vec<(String, String)> = of_data.map(|(class, text)| (class.to_owned(), text.to_owned())).into();
    let mut shown: Vec<&str> = Vec::new();
    for (name, _) in measurements.iter().flat_map(|m| &m.terms) {
        if !shown.contains(&name.as_str()) {
            shown.push(name);
        }
    }
    if shown.len() <= MOST_NAMED {
        entries.extend(shown.iter().enumerate().map(|(i, name)| (format!("solid f{}", term_shade(i)), (*name).to_owned())));
    }
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries);
    let beside = 0.17 * size.width;
    canvas.height = top + (upper + lower) * measurements.len() as f64;
    for (m, data) in measurements.iter().enumerate() {
        let at = top + (upper + lower) * m as f64;
        let main = size.width - beside;
        let mut curves = curves(&canvas, of, data, [0.0, at, main, upper]);
        let mut below = below(&canvas, of, data, [0.0, at + upper, main, lower]);
        // Both begin where the longer numbers let them.
        let left = curves.left.max(below.left);
        for panel in [&mut curves, &mut below] {
            panel.width -= left - panel.left;
            panel.left = left;
        }
        curves.height += 1.9 * canvas.line();
        curves.show.0 = false;
        draw_curves(&mut canvas, of, data, &curves, &shown)?;
        residuals(&mut canvas, of, data, below, beside);
    }
    Ok(canvas.finish("fit", super::What::Fit.about()))
}

/// The expectation has shade 1.
fn term_shade(i: usize) -> usize {
    [0, 2, 3, 4, 5, 6][i % 6]
}

fn x_scale(data: &Measured) -> Scale {
    Scale::linear(data.x.first().copied().unwrap_or(0.0), data.x.last().copied().unwrap_or(1.0))
}

fn x_label(of: &OneFrame<'_>) -> Label {
    Label::new(&of.results.x.name, &unit(&of.results.x.unit))
}

fn curves(canvas: &Canvas, of: &OneFrame<'_>, data: &Measured, at: [f64; 4]) -> Panel {
    let tops = data.terms.iter().flat_map(|t| t.1.iter().copied());
    let new = new_data(data, scale_of(of, data)).into_iter().flatten();
    let values = data.y.iter().copied().chain(data.expectation.iter().flatten().copied()).chain(new).chain(tops);
    let name = if data.name.is_empty() { "intensity" } else { &data.name };
    Panel::within(canvas, at, (x_scale(data), x_label(of)), (Scale::around(values, 0.04).down_to_zero(), Label::new(name, "")))
}

/// The panel of the residuals.
fn below(canvas: &Canvas, of: &OneFrame<'_>, data: &Measured, at: [f64; 4]) -> Panel {
    let most = standardised(of, data).into_iter().filter(|v| v.is_finite()).fold(3.5f64, |m, v| m.max(v.abs())) * 1.08;
    Panel::within(canvas, at, (x_scale(data), x_label(of)), (Scale::linear(-most, most), Label::new("residual", "σ")))
}

fn draw_curves(canvas: &mut Canvas, of: &OneFrame<'_>, data: &Measured, panel: &Panel, shown: &[&str]) -> Result<(), String> {
    let baseline = baseline(of, data)?;
    let window = &of.window()?.window;
    let scale = scale_of(of, data);
    panel.draw(canvas, |panel, canvas| {
        let p = |values: &[f64]| data.x.iter().zip(values).map(|(x, y)| panel.p((*x, *y))).collect::<Vec<_>>();
        for (name, curve) in &data.terms {
            let colour = term_shade(shown.iter().position(|s| s == name).unwrap_or(0));
            if counted(of, window, name) {
                let raised: Vec<f64> = curve.iter().zip(&baseline).map(|(c, b)| c + b).collect();
                canvas.path(&format!("band f{colour}"), &area(&p(&raised), &p(&baseline)));
                canvas.path(&format!("thin term s{colour}"), &line(p(&raised)));
            } else {
                canvas.path(&format!("thin term s{colour}"), &line(p(curve)));
            }
        }
        if !data.sigma.is_empty() {
            let ends = data.x.iter().zip(&data.y).zip(&data.sigma);
            canvas.path("thin error sx", &bars(ends.map(|((x, y), s)| (panel.px(*x), panel.py(y - s * scale), panel.py(y + s * scale)))));
        }
        let [low, high] = new_data(data, scale);
        canvas.path("band predictive f", &area(&p(&high), &p(&low)));
        let dot = if data.x.len() > 400 { "speck data s" } else { "dot data s" };
        canvas.path(dot, &dots(p(&data.y)));
        canvas.path("band expectation f1", &area(&p(&data.expectation[4]), &p(&data.expectation[0])));
        canvas.path("line mean s1", &line(p(&data.expectation[2])));
    });
    Ok(())
}

/// Whether a curve is one of several of its kind, which stand on the others: `peak 2`, or `NAME 2` where there are several kinds.
fn counted(of: &OneFrame<'_>, window: &str, name: &str) -> bool {
    match name.rsplit_once(' ') {
        Some((base, number)) if number.chars().all(|c| c.is_ascii_digit()) => base == "peak" || of.results.priors.counts(window, base),
        _ => false,
    }
}

/// Lower and upper ends of the 95 % interval of new data.
fn new_data(data: &Measured, scale: f64) -> [Vec<f64>; 2] {
    let half = scatter(data, scale);
    [-1.0, 1.0].map(|sign| data.expectation[2].iter().zip(&half).map(|(f, h)| f + sign * h).collect())
}

/// Half of the 95 % interval of a new datum: the scatter of the expectation and the noise together, as if both were normal.
fn scatter(data: &Measured, scale: f64) -> Vec<f64> {
    let [_, low, middle, high, _] = &data.expectation;
    let noise = |i: usize, f: f64| data.sigma.get(i).map_or(f.max(0.0), |s| (s * scale).powi(2));
    (0..middle.len()).map(|i| 1.96 * ((0.5 * (high[i] - low[i])).powi(2) + noise(i, middle[i])).sqrt()).collect()
}

/// What peaks stand on: the sum of the terms that are not counted.
fn baseline(of: &OneFrame<'_>, data: &Measured) -> Result<Vec<f64>, String> {
    let window = &of.window()?.window;
    let mut sum = vec![0.0; data.x.len()];
    for (_, curve) in data.terms.iter().filter(|(name, _)| !counted(of, window, name)) {
        sum.iter_mut().zip(curve).for_each(|(s, v)| *s += v);
    }
    Ok(sum)
}

/// The inferred factor of σ, 1 where none is: `scale`, or `scale[NAME]` where several measurements have their own.
fn scale_of(of: &OneFrame<'_>, data: &Measured) -> f64 {
    let own = |name: &str| {
        let inner = name.strip_prefix("scale[").and_then(|n| n.strip_suffix(']'));
        name == "scale" || inner.is_some_and(|inner| word(inner) == data.name)
    };
    let parameters = of.best().map(|c| c.parameters.as_slice()).unwrap_or_default();
    parameters.iter().find(|p| p.term.is_empty() && own(&p.parameter)).map_or(1.0, |p| p.mean)
}

/// Standardised residuals: (y − expectation) over σ, or over the root of the expectation where there is none.
fn standardised(of: &OneFrame<'_>, data: &Measured) -> Vec<f64> {
    let scale = scale_of(of, data);
    let sigma = |i: usize, f: f64| data.sigma.get(i).map_or_else(|| f.max(1e-12).sqrt(), |s| s * scale);
    data.y.iter().zip(&data.expectation[2]).enumerate().map(|(i, (y, f))| (y - f) / sigma(i, *f)).collect()
}

fn residuals(canvas: &mut Canvas, of: &OneFrame<'_>, data: &Measured, main: Panel, beside: f64) {
    let r = standardised(of, data);
    let mut panel = main;
    panel.draw(canvas, |panel, canvas| {
        let across = |v: f64| format!("M0 {}H{}", n(panel.py(v)), n(panel.width));
        canvas.path("zero", &(across(0.0) + &across(2.0) + &across(-2.0)));
        let dot = if r.len() > 400 { "speck residual s" } else { "dot residual s" };
        canvas.path(dot, &dots(data.x.iter().zip(&r).map(|(x, r)| panel.p((*x, *r)))));
    });
    let counts = histogram(&r);
    let normal = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let most = counts.iter().copied().fold(normal(0.0), f64::max) * 1.1;
    panel.left += panel.width + 0.5 * canvas.line();
    panel.width = beside - 1.1 * canvas.line();
    panel.x = Scale::linear(0.0, most);
    panel.x_label = Label::new("density", "");
    panel.show.1 = false;
    panel.draw(canvas, |panel, canvas| {
        let edge = |bin: usize| (bin as f64 - HALF as f64) / 2.0;
        let bars: String = counts
            .iter()
            .enumerate()
            .filter(|(_, c)| **c > 0.0)
            .map(|(i, c)| format!("M0 {}H{}V{}H0Z", n(panel.py(edge(i))), n(panel.px(*c)), n(panel.py(edge(i + 1)))))
            .collect();
        canvas.path("area histogram f5", &bars);
        canvas.path("line normal s1", &line((-60..=60).map(|i| f64::from(i) / 12.0).map(|z| (panel.px(normal(z)), panel.py(z)))));
    });
}

/// Counts of residuals in bins of half a σ from −5 to 5, as a density.
pub(super) fn histogram(residuals: &[f64]) -> Vec<f64> {
    let mut counts = vec![0.0; 2 * HALF];
    let finite: Vec<f64> = residuals.iter().copied().filter(|r| r.is_finite()).collect();
    for r in &finite {
        let bin = ((r * 2.0).floor() + HALF as f64).clamp(0.0, 2.0 * HALF as f64 - 1.0);
        counts[bin as usize] += 1.0 / (0.5 * finite.len() as f64);
    }
    counts
}
