//! Where peaks are, whatever their number: the density averaged over the candidates.

use super::super::svg::{Anchor, Canvas, Figure, Label, Panel, Scale, Size, line, shortened};
use super::super::view::unit;
use super::OneFrame;

/// Draws one panel a measurement that counts peaks.
pub(super) fn draw(of: &OneFrame<'_>, size: Size) -> Result<Figure, String> {
    let window = of.window()?;
    if window.positions.is_empty() {
        return Err("nothing that is counted has a position".into());
    }
    let mut canvas = Canvas::new(size, 0.0);
    let height = size.height(185.0) + canvas.line();
    canvas.height = height * window.positions.len() as f64;
    for (m, positions) in window.positions.iter().enumerate() {
        let most = positions.density.iter().copied().fold(0.0, f64::max);
        let expected: f64 = positions.density.iter().sum::<f64>() * positions.width();
        let per = unit(&of.results.x.unit);
        let y_label = Label::new("peaks", &if per.is_empty() { "per unit of x".into() } else { format!("per {per}") });
        let x = (Scale::linear(positions.low, positions.high), Label::new(&of.results.x.name, &per));
        let top = height * m as f64 + canvas.line();
        let at = [0.0, top, size.width, height - canvas.line()];
        let panel = Panel::within(&canvas, at, x, (Scale::linear(0.0, 1.08 * most.max(f64::MIN_POSITIVE)), y_label));
        panel.draw(&mut canvas, |panel, canvas| {
            let outline = super::marginals::outline(panel, &positions.density);
            canvas.path("area positions f0", &outline);
            // Peaks that hold a tenth of a peak within a bin are far higher than anything else: the rest is drawn ten times as high.
            let ten: Vec<(f64, f64)> = positions
                .density
                .iter()
                .enumerate()
                .map(|(i, d)| (panel.width * (i as f64 + 0.5) / positions.density.len() as f64, panel.py(10.0 * d).max(-10.0)))
                .collect();
            canvas.path("thin dash tenfold s1", &line(ten));
        });
        let text = format!("expected number of peaks: {expected:.2};  dashed: ten times as high");
        let text = shortened(&text, size.width - canvas.line(), canvas.font);
        canvas.text("soft", (panel.left + panel.width, top), Anchor::End, &text);
    }
    Ok(canvas.finish("positions", super::What::Positions.about()))
}
