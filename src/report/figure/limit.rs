//! How often the right candidate is chosen, level by level, and where that crosses one half.

use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, bars, dots, line, n};
use super::legend;
use super::limited::{Half, Limited, LimitedLevel};

/// Draws the share with its exact interval, the mean probability, one half, and the limit.
pub(super) fn draw(of: &Limited, window: usize, size: Size) -> Result<Figure, String> {
    let window = of.window(window)?;
    let mut canvas = Canvas::new(size, 0.0);
    let entries = [("solid f0", "share of data sets, 68 % interval"), ("solid f1", "mean probability"), ("solid f2", "limit")];
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries.map(|(class, text)| (class.to_owned(), text.to_owned())));
    let height = size.height(250.0);
    canvas.height = top + height;
    let y = (Scale::linear(-0.03, 1.03), Label::new(&format!("right: {}", window.right.join(" or ")), ""));
    let panel = Panel::within(&canvas, [0.0, top, size.width, height], of.axis(window), y);
    let mut known: Vec<&LimitedLevel> = window.levels.iter().filter(|l| l.data_sets > 0).collect();
    known.sort_by(|a, b| a.level.total_cmp(&b.level));
    panel.draw(&mut canvas, |panel, canvas| {
        canvas.path("zero half", &format!("M0 {}H{}", n(panel.py(0.5)), n(panel.width)));
        if let Half::At { level, ln_error } = window.half {
            let at = |errors: f64| n(panel.px(level * (errors * ln_error).exp()));
            let (from, to, height) = (at(-1.0), at(1.0), n(panel.height));
            canvas.path("band crossing f2", &format!("M{from} 0V{height}H{to}V0Z"));
            canvas.path("line dash s2", &format!("M{} 0V{height}", at(0.0)));
        }
        canvas.path("line probability s1", &line(known.iter().map(|l| panel.p((l.level, l.probability)))));
        let ends = known.iter().map(|l| (panel.px(l.level), panel.py(l.interval.0), panel.py(l.interval.1)));
        canvas.path("line error s0", &bars(ends));
        canvas.path("spot share s0", &dots(known.iter().map(|l| panel.p((l.level, l.share)))));
    });
    Ok(canvas.finish("limit", super::What::Limit.about()))
}
