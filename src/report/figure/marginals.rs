//! Marginals of every parameter of the most probable candidate, with intervals and the prior.

use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, line, n, shade};
use super::super::view::{draws as draws_of, unit};
use super::{OneFrame, called};
use crate::posterior::ParameterResult;
use crate::prior::Prior;

/// Bins over what a panel shows.
const BINS: usize = 36;

/// Draws one small panel a parameter.
pub(super) fn draw(of: &OneFrame<'_>, size: Size) -> Result<Figure, String> {
    let best = of.best()?;
    if best.parameters.is_empty() {
        return Err("the most probable candidate has no parameter".into());
    }
    let columns = if size.width >= 500.0 { 3 } else { 2 };
    let rows = best.parameters.len().div_ceil(columns);
    let (width, height) = (size.width / columns as f64, size.height(132.0));
    let mut canvas = Canvas::new(size, height * rows as f64);
    canvas.font = 0.85 * size.font;
    let sample = of.sample();
    for (i, parameter) in best.parameters.iter().enumerate() {
        let draws = sample.as_ref().ok().and_then(|s| draws_of(s, parameter));
        let prior = of.results.priors.get(&of.window()?.window, parameter);
        let at = [(i % columns) as f64 * width, (i / columns) as f64 * height, width, height];
        one(&mut canvas, at, parameter, draws.as_deref(), prior);
    }
    let mut figure = canvas.finish("marginals", super::What::Marginals.about());
    if let Err(why) = sample {
        figure.title = format!("Medians, 68 % and 95 % intervals, and priors (dashed). Without draws: {why}");
    }
    Ok(figure)
}

/// What a panel shows: somewhat more than the 95 % interval, within the draws.
fn range(p: &ParameterResult, draws: Option<&[f64]>) -> Scale {
    let [low, _, _, _, high] = p.quantiles;
    let room = 0.45 * (high - low);
    let (mut from, mut to) = (low - room, high + room);
    if let Some(draws) = draws {
        let (least, most) = super::super::svg::extent(draws.iter().copied());
        (from, to) = (from.max(least - 0.1 * room), to.min(most + 0.1 * room));
    }
    for mode in &p.modes {
        (from, to) = (from.min(mode.mean - 3.0 * mode.sd), to.max(mode.mean + 3.0 * mode.sd));
    }
    Scale::linear(from, to)
}

/// Density of the draws in equal bins.
pub(super) fn density(draws: &[f64], x: Scale, bins: usize) -> Vec<f64> {
    let mut counts = vec![0.0; bins];
    let each = bins as f64 / ((x.high - x.low) * draws.len() as f64);
    for v in draws {
        let at = x.at(*v) * bins as f64;
        if at >= 0.0 && at < bins as f64 {
            counts[at as usize] += each;
        }
    }
    counts
}

/// A histogram's outline as an area.
pub(super) fn outline(panel: &Panel, counts: &[f64]) -> String {
    let bins = counts.len() as f64;
    let mut d = format!("M0 {}", n(panel.height));
    for (i, c) in counts.iter().enumerate() {
        d += &format!("V{}H{}", n(panel.py(*c)), n(panel.width * (i + 1) as f64 / bins));
    }
    d + &format!("V{}Z", n(panel.height))
}

/// A panel of densities up to `top`. Their heights mean little: the room of an axis goes to the curves.
pub(super) fn over(canvas: &Canvas, at: [f64; 4], x: (Scale, Label), top: f64) -> Panel {
    let panel = Panel::within(canvas, at, x, (Scale::linear(0.0, top), Label::new("density", "")));
    let left = at[0] + 0.5 * canvas.line();
    Panel { width: panel.width + panel.left - left, left, show: (panel.show.0, false), ..panel }
}

fn one(canvas: &mut Canvas, at: [f64; 4], p: &ParameterResult, draws: Option<&[f64]>, prior: Option<Prior>) {
    let x = range(p, draws);
    let counts = draws.map(|d| density(d, x, BINS));
    let curve =
        |prior: Prior| (0..=80).map(move |i| x.low + (x.high - x.low) * f64::from(i) / 80.0).map(move |v| (v, prior.ln_density(v).exp()));
    let highest = counts.iter().flatten().copied().fold(0.0, f64::max);
    // A prior is mostly far below; where there are no draws it gives the scale.
    let top = if highest > 0.0 { highest } else { prior.map_or(1.0, |p| curve(p).map(|c| c.1).fold(0.0, f64::max)) };
    let label = Label::new(&called(p), &unit(&p.unit));
    let panel = over(canvas, at, (x, label), 1.12 * top.max(f64::MIN_POSITIVE));
    let colour = p.peak.map_or(6, |k| shade(k - 1));
    panel.draw(canvas, |panel, canvas| {
        let [q025, q160, q500, q840, q975] = p.quantiles.map(|q| panel.px(q));
        for (a, b) in [(q025, q975), (q160, q840)] {
            canvas.path("band interval f0", &format!("M{} 0H{}V{}H{}Z", n(a), n(b), n(panel.height), n(a)));
        }
        if let Some(counts) = &counts {
            canvas.path(&format!("area marginal f{colour}"), &outline(panel, counts));
        }
        canvas.path("line median s", &format!("M{} 0V{}", n(q500), n(panel.height)));
        if let Some(prior) = prior {
            canvas.path("line dash prior s1", &line(curve(prior).map(|c| panel.p(c))));
        }
    });
}
