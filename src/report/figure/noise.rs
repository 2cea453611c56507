//! F as a function of the noise, all σ times one factor.

use super::super::svg::{Anchor, Canvas, Figure, Label, Panel, Scale, Size, line, n, shade};
use super::OneFrame;
use super::legend;
use crate::evidence::noise::NoiseCurve;

/// Draws the curve of every candidate that is not far behind.
pub(super) fn draw(of: &OneFrame<'_>, size: Size) -> Result<Figure, String> {
    let window = of.window()?;
    let all: Vec<(usize, &NoiseCurve)> =
        window.candidates.iter().enumerate().filter_map(|(i, c)| Some((i, c.noise_curve.as_ref()?))).collect();
    if all.is_empty() {
        return Err("F is a function of one noise where one measurement has Gaussian noise".into());
    }
    let least_of = |c: &NoiseCurve| super::super::svg::extent(c.free_energies.iter().copied()).0;
    let least = all.iter().map(|(_, c)| least_of(c)).fold(f64::INFINITY, f64::min);
    let shown: Vec<&(usize, &NoiseCurve)> = all.iter().filter(|(i, c)| *i == window.best || least_of(c) < least + 15.0).collect();
    if !least.is_finite() || shown.is_empty() {
        return Err("the noise was scanned without a result".into());
    }
    let mut canvas = Canvas::new(size, 0.0);
    let entries: Vec<(String, String)> =
        shown.iter().map(|(i, _)| (format!("solid f{}", shade(*i)), window.candidates[*i].candidate.clone())).collect();
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries);
    let height = size.height(190.0);
    canvas.height = top + height;
    let (from, to) = super::super::svg::extent(shown.iter().flat_map(|(_, c)| c.scales.iter().copied()));
    let most = shown.iter().flat_map(|(_, c)| &c.free_energies).map(|f| f - least).fold(0.0, f64::max).min(25.0);
    let x = (Scale::log(from, to), Label::new("factor of σ, c", ""));
    let panel = Panel::within(
        &canvas,
        [0.0, top, size.width, height],
        x,
        (Scale::linear(-0.06 * most, 1.05 * most), Label::new("F(c) − least", "nat")),
    );
    panel.draw(&mut canvas, |panel, canvas| {
        for (i, curve) in &shown {
            let places = curve.scales.iter().zip(&curve.free_energies).map(|(c, f)| panel.p((*c, f - least)));
            canvas.path(&format!("line noise s{}", shade(*i)), &line(places));
            if let Some(scale) = curve.scale {
                canvas.path(&format!("thin dash s{}", shade(*i)), &format!("M{} 0V{}", n(panel.px(scale)), n(panel.height)));
            }
        }
    });
    if let Some((_, curve)) = shown.iter().find(|(i, _)| *i == window.best) {
        let text = match (curve.scale, curve.scale_se) {
            (Some(c), Some(se)) => format!("best: c = {}", super::super::number::with_error(c, se)),
            _ => "best: least at an edge, c = 1 or beyond the ladder".into(),
        };
        let at = (panel.left + panel.width - 0.4 * canvas.line(), panel.top + 1.1 * canvas.line());
        canvas.text("soft", at, Anchor::End, &text);
    }
    Ok(canvas.finish("noise", super::What::Noise.about()))
}
