//! Verdict and fit along a series, as strips of cells.

use super::super::svg::{Anchor, Canvas, Figure, Label, Panel, Scale, Size, n};
use super::super::view::best;
use super::legend;
use super::series::{Series, merged};

/// Draws two strips; cells of frames next to each other that say the same are one.
pub(super) fn draw(series: &Series<'_>, size: Size) -> Result<Figure, String> {
    let good = |ok: bool, else_class: &'static str| if ok { "vgood" } else { else_class };
    let verdicts: Vec<&str> = series.windows().map(|(_, w)| best(w).map_or("vnone", |c| good(c.verdict.is_empty(), "vbad"))).collect();
    let fits: Vec<&str> = series.windows().map(|(_, w)| best(w).map_or("vnone", |c| good(c.fit.is_empty(), "vdoubt"))).collect();
    let mut canvas = Canvas::new(size, 0.0);
    let (line, strip) = (canvas.line(), 1.4 * canvas.line());
    let told = |class: &str, text: &str, of: &[&str]| {
        let count = of.iter().filter(|c| **c == class).count();
        (count > 0).then(|| (format!("solid {class}"), format!("{text}: {count}")))
    };
    let entries: Vec<(String, String)> = [
        told("vgood", "verdict ok", &verdicts),
        told("vbad", "verdict not ok", &verdicts),
        told("vgood", "fit good", &fits),
        told("vdoubt", "fit limited", &fits),
        told("vnone", "no answer", &verdicts),
    ]
    .into_iter()
    .flatten()
    .collect();
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries);
    canvas.height = top + 2.0 * strip + 3.4 * line;
    let (from, to) = series.range();
    let (x, y) = ((Scale::linear(from, to), series.label.clone()), (Scale::linear(0.0, 2.0), Label::default()));
    let mut panel = Panel::within(&canvas, [0.0, top, size.width, canvas.height - top], x, y);
    let before = canvas.text_width("verdict") + 0.9 * line;
    (panel.width, panel.left) = (panel.left + panel.width - before, before);
    panel.show.1 = false;
    panel.series = true;
    let cells = series.cells();
    let rows = [("verdict", &verdicts), ("fit", &fits)];
    panel.draw(&mut canvas, |panel, canvas| {
        let row = panel.height / 2.0;
        for (i, (_, classes)) in rows.iter().enumerate() {
            let merged = merged(&cells, classes);
            for class in ["vgood", "vbad", "vdoubt", "vnone"] {
                let cells = merged.iter().filter(|(_, c)| *c == class).map(|((a, b), _)| {
                    let (a, b) = (panel.px(*a), panel.px(*b));
                    // A cell that is not good shows, however many frames there are.
                    let wide = if class == "vgood" { b - a } else { (b - a).max(0.8) };
                    format!("M{} {}h{}v{}h{}Z", n(a), n(i as f64 * row), n(wide), n(row), n(-wide))
                });
                canvas.path(&format!("solid cell {class}"), &cells.collect::<String>());
            }
        }
        canvas.path("tick", &format!("M0 {}H{}", n(row), n(panel.width)));
    });
    for (i, (word, _)) in rows.iter().enumerate() {
        let at = (panel.left - 0.4 * line, panel.top + (i as f64 + 0.5) * panel.height / 2.0 + 0.35 * canvas.font);
        canvas.text("", at, Anchor::End, word);
    }
    Ok(canvas.finish("verdicts", super::What::Verdicts.about()))
}
