//! How often intervals of the positions hold the truth, level by level.

use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, bars, dots, n, shade};
use super::legend;
use super::limited::{Held, Limited};

/// Draws the coverage of the 68 % and the 95 % interval, each with its exact interval; positions stand a little beside one another.
pub(super) fn draw(of: &Limited, window: usize, size: Size) -> Result<Figure, String> {
    let window = of.window(window)?;
    let drawn = window.drawn();
    if drawn.is_empty() {
        return Err("the right candidate has no parameter".into());
    }
    let mut canvas = Canvas::new(size, 0.0);
    let called = |parameter: usize| window.along(parameter).first().map_or_else(String::new, |(_, w)| w.called());
    let entries: Vec<(String, String)> =
        drawn.iter().enumerate().map(|(i, &parameter)| (format!("solid f{}", shade(i)), called(parameter))).collect();
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries);
    let height = size.height(250.0);
    canvas.height = top + height;
    let y = (Scale::linear(-0.03, 1.03), Label::new("share of truths inside", ""));
    let panel = Panel::within(&canvas, [0.0, top, size.width, height], of.axis(window), y);
    panel.draw(&mut canvas, |panel, canvas| {
        for level in [0.68, 0.95] {
            canvas.path("zero", &format!("M0 {}H{}", n(panel.py(level)), n(panel.width)));
        }
        for (i, &parameter) in drawn.iter().enumerate() {
            let along = window.along(parameter);
            // The 68 % intervals stand to the left of those of 95 %, one position after the other.
            for which in 0..2 {
                let aside = (2.0 * i as f64 + which as f64 - (drawn.len() as f64 - 0.5)) * 0.5 * canvas.font;
                let here: Vec<(f64, &Held)> =
                    along.iter().filter_map(|(level, w)| Some((panel.px(*level) + aside, w.coverage.get(which)?))).collect();
                canvas.path(
                    &format!("line error s{}", shade(i)),
                    &bars(here.iter().map(|(x, h)| (*x, panel.py(h.interval.0), panel.py(h.interval.1)))),
                );
                let class = if which == 0 { "spot" } else { "dot" };
                canvas.path(&format!("{class} held s{}", shade(i)), &dots(here.iter().map(|(x, h)| (*x, panel.py(h.share)))));
            }
        }
    });
    Ok(canvas.finish("held", super::What::Held.about()))
}
