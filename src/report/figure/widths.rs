//! How wide each position is, level by level, beside the line of its Cramér–Rao bound.

use super::super::svg::{Anchor, Canvas, Figure, Label, Panel, Scale, Size, dots, extent, line, shortened};
use super::super::view::unit;
use super::legend;
use super::limited::{Limited, LimitedWidth, LimitedWindow};

/// Draws one small panel a position, both axes logarithmic.
pub(super) fn draw(of: &Limited, window: usize, size: Size) -> Result<Figure, String> {
    let window = of.window(window)?;
    let drawn = window.drawn();
    if drawn.is_empty() {
        return Err("the right candidate has no parameter".into());
    }
    let columns = drawn.len().min(if size.width >= 500.0 { 3 } else { 2 });
    let (width, height) = (size.width / columns as f64, size.height(if columns == 1 { 250.0 } else { 200.0 }));
    let mut canvas = Canvas::new(size, 0.0);
    if columns > 1 {
        canvas.font = 0.85 * size.font;
    }
    let entries = [("solid f", "Cramér–Rao"), ("solid f0", "median posterior sd"), ("solid f1", "RMS error of the mean")];
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries.map(|(class, text)| (class.to_owned(), text.to_owned())));
    canvas.height = top + height * drawn.len().div_ceil(columns) as f64;
    for (i, &parameter) in drawn.iter().enumerate() {
        let place = [(i % columns) as f64 * width, top + (i / columns) as f64 * height, width, height];
        one(&mut canvas, place, of, window, parameter);
    }
    Ok(canvas.finish("widths", super::What::Widths.about()))
}

fn one(canvas: &mut Canvas, [left, top, width, height]: [f64; 4], of: &Limited, window: &LimitedWindow, parameter: usize) {
    let along = window.along(parameter);
    let of_each = |value: fn(&LimitedWidth) -> f64| along.iter().map(move |(level, w)| (*level, value(w))).collect::<Vec<_>>();
    let all = [of_each(|w| w.cramer_rao), of_each(|w| w.sd), of_each(|w| w.rms)];
    let (low, high) = extent(all.iter().flatten().map(|p| p.1).filter(|v| *v > 0.0));
    let row = canvas.line();
    let unit = along.first().map_or_else(String::new, |(_, w)| unit(&w.unit));
    let y = (Scale::log(low / 1.5, high * 1.5), Label::new("width", &unit));
    let panel = Panel::within(canvas, [left, top + row, width, height - row], of.axis(window), y);
    panel.draw(canvas, |panel, canvas| {
        let places = |of: &[(f64, f64)]| of.iter().map(|p| panel.p(*p)).collect::<Vec<_>>();
        let [bound, sd, rms] = all.each_ref().map(|of| places(of));
        canvas.path("line bound dash s", &line(bound));
        canvas.path("line s0", &line(sd.clone()));
        canvas.path("spot sd s0", &dots(sd));
        canvas.path("dot rms s1", &dots(rms));
    });
    let name = along.first().map_or_else(String::new, |(_, w)| w.called());
    let text = shortened(&name, width - row, canvas.font);
    canvas.text("", (left + 0.5 * width, top + row), Anchor::Middle, &text);
}
