//! The ladder of temperatures of the most probable candidate: exchange, local barrier, free energy.

use super::super::svg::{Anchor, Canvas, Figure, Label, Panel, Scale, Size, dots, line, n};
use super::OneFrame;
use crate::posterior::Figures;

/// Draws rejection rates, the local barrier and F along the ladder, with round trips in words.
pub(super) fn draw(of: &OneFrame<'_>, size: Size) -> Result<Figure, String> {
    let figures = &of.best()?.figures;
    if figures.betas.len() < 3 {
        return Err("the ladder has no rungs to show".into());
    }
    let mut canvas = Canvas::new(size, 0.0);
    let half = size.width / 2.0;
    let height = size.height(205.0);
    let each = |n: u64| n as f64 / figures.copies.max(1) as f64;
    let lines = [
        format!(
            "Λ = {:.2}, {} rungs; a copy made {:.1} round trips and {:.1} restarts",
            figures.barrier,
            figures.betas.len(),
            each(figures.round_trips),
            each(figures.restarts)
        ),
        format!(
            "{} copies, each {} sweeps of adapting and {} kept{}",
            figures.copies,
            figures.burn_in,
            figures.sweeps,
            if figures.extended { " (extended)" } else { "" }
        ),
    ];
    for (i, text) in lines.iter().enumerate() {
        let text = super::super::svg::shortened(text, size.width - canvas.line(), canvas.font);
        let at = (0.5 * canvas.line(), canvas.line() * (i + 1) as f64);
        canvas.text("soft", at, Anchor::Start, &text);
    }
    let top = 2.4 * canvas.line();
    canvas.height = height + top;
    rejection(&mut canvas, [0.0, top, half, height], figures);
    barrier(&mut canvas, [half, top, half, height], figures);
    Ok(canvas.finish("ladder", super::What::Ladder.about()))
}

fn rejection(canvas: &mut Canvas, at: [f64; 4], figures: &Figures) {
    let x = (Scale::linear(0.5, figures.rejection.len() as f64 + 0.5), Label::new("pair of rungs, hot to cold", ""));
    let panel = Panel::within(canvas, at, x, (Scale::linear(0.0, 1.0), Label::new("rejected exchanges", "")));
    panel.draw(canvas, |panel, canvas| {
        let mean = figures.rejection.iter().sum::<f64>() / figures.rejection.len().max(1) as f64;
        canvas.path("zero", &format!("M0 {}H{}", n(panel.py(mean)), n(panel.width)));
        let places: Vec<(f64, f64)> = figures.rejection.iter().enumerate().map(|(i, r)| panel.p(((i + 1) as f64, *r))).collect();
        canvas.path("thin s0", &line(places.clone()));
        canvas.path("spot rejection s0", &dots(places));
    });
}

/// β λ(β) against ln β: equal areas are equal parts of Λ.
fn barrier(canvas: &mut Canvas, at: [f64; 4], figures: &Figures) {
    let pairs: Vec<(f64, f64)> =
        figures.betas.iter().zip(&figures.local_barrier).filter(|(b, l)| **b > 0.0 && l.is_finite()).map(|(b, l)| (*b, b * l)).collect();
    let first = pairs.first().map_or(1e-6, |p| p.0);
    let most = pairs.iter().map(|p| p.1).fold(0.0, f64::max);
    let x = (Scale::log(first, 1.0), Label::new("inverse temperature β", ""));
    let panel = Panel::within(canvas, at, x, (Scale::linear(0.0, 1.1 * most.max(0.1)), Label::new("β λ(β), local barrier", "")));
    panel.draw(canvas, |panel, canvas| {
        let places: Vec<(f64, f64)> = pairs.iter().map(|p| panel.p(*p)).collect();
        canvas.path("line s2", &line(places.clone()));
        canvas.path("spot barrier s2", &dots(places));
    });
}
