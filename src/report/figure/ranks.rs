//! Rank histograms of a calibration, with the band in which bins of uniform ranks lie.

use super::super::svg::{Anchor, Canvas, Figure, Label, Panel, Scale, Size, n, shortened};
use super::coverage::{Calibrated, Quantity};

/// Draws one small panel a quantity.
pub(super) fn draw(of: &Calibrated, window: usize, size: Size) -> Result<Figure, String> {
    let window = of.windows.get(window).ok_or("there is no such window")?;
    let quantities: Vec<&Quantity> = window.quantities.iter().filter(|q| q.data_sets > 0).collect();
    if quantities.is_empty() {
        return Err("no data set has an answer".into());
    }
    let columns = if size.width >= 500.0 { 3 } else { 2 };
    let (width, height) = (size.width / columns as f64, size.height(150.0));
    let mut canvas = Canvas::new(size, height * quantities.len().div_ceil(columns) as f64);
    canvas.font = 0.85 * size.font;
    for (i, quantity) in quantities.iter().enumerate() {
        one(&mut canvas, [(i % columns) as f64 * width, (i / columns) as f64 * height, width, height], quantity);
    }
    Ok(canvas.finish("ranks", super::What::Ranks.about()))
}

fn one(canvas: &mut Canvas, [left, top, width, height]: [f64; 4], quantity: &Quantity) {
    let counts = &quantity.histogram.counts;
    let (total, bins) = (quantity.data_sets as f64, counts.len() as f64);
    let expected = total / bins;
    // Normal law of a binomial count, 99 %.
    let half = 2.576 * (expected * (1.0 - 1.0 / bins)).sqrt();
    let most = counts.iter().map(|c| *c as f64).fold(expected + half, f64::max) * 1.1;
    let line = canvas.line();
    let x = (Scale::linear(0.0, 1.0), Label::new("rank / draws", ""));
    let panel = Panel::within(canvas, [left, top + line, width, height - line], x, (Scale::linear(0.0, most), Label::new("data sets", "")));
    panel.draw(canvas, |panel, canvas| {
        let d: String = counts
            .iter()
            .enumerate()
            .map(|(i, c)| {
                let (a, b) = (panel.px(i as f64 / bins), panel.px((i + 1) as f64 / bins));
                format!("M{} {}V{}H{}V{}Z", n(a), n(panel.height), n(panel.py(*c as f64)), n(b), n(panel.height))
            })
            .collect();
        canvas.path(if quantity.significant { "area rank f1" } else { "area rank f0" }, &d);
        let (a, b) = (panel.py(expected + half), panel.py((expected - half).max(0.0)));
        canvas.path("band f", &format!("M0 {}H{}V{}H0Z", n(a), n(panel.width), n(b)));
        canvas.path("zero", &format!("M0 {}H{}", n(panel.py(expected)), n(panel.width)));
    });
    let p = quantity.histogram.p.map_or_else(String::new, |p| if p < 0.001 { format!(", p = {p:.0e}") } else { format!(", p = {p:.3}") });
    let text = shortened(&format!("{}{p}", quantity.name), width - line, canvas.font);
    canvas.text(if quantity.significant { "strong" } else { "" }, (left + 0.5 * width, top + line), Anchor::Middle, &text);
}
