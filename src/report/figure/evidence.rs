//! F and p of every candidate with their errors, and energy and entropy apart.

use super::super::svg::{Anchor, Canvas, Figure, Label, Panel, Scale, Size, bars, dots, line, n, shade};
use super::OneFrame;
use super::legend;
use crate::posterior::CandidateResult;

/// Draws three panels over the candidates.
pub(super) fn draw(of: &OneFrame<'_>, size: Size) -> Result<Figure, String> {
    let window = of.window()?;
    let all = &window.candidates;
    let best = of.best()?;
    if !best.free_energy.is_finite() {
        return Err("the free energies are not known".into());
    }
    let mut canvas = Canvas::new(size, 0.0);
    let third = size.width / 3.0;
    let height = size.height(235.0);
    let entries = [("solid f0".to_owned(), "E, energy".to_owned()), ("solid f1".to_owned(), "−TS, entropy".to_owned())];
    let top = legend::draw(&mut canvas, 0.6 * size.width, 0.0, 0.4 * size.width, &entries);
    canvas.height = top + height;
    let x = || (Scale::linear(-0.6, all.len() as f64 - 0.4), Label::new("", ""));
    let free: Vec<f64> = all.iter().map(|c| c.free_energy - best.free_energy).collect();
    let at = |i: f64| [i * third, top, third, height];
    let ends = || free.iter().zip(all).flat_map(|(f, c)| [f - 2.0 * c.free_energy_se, f + 2.0 * c.free_energy_se]);
    let mut panel = Panel::within(&canvas, at(0.0), x(), (bent(ends()), Label::new("F − F(best)", "nat")));
    names(&mut canvas, &mut panel, all);
    panel.draw(&mut canvas, |panel, canvas| {
        canvas.path("zero", &format!("M0 {}H{}", n(panel.py(0.0)), n(panel.width)));
        let points = |se: f64| free.iter().zip(all).map(move |(f, c)| f + se * c.free_energy_se);
        let x = |i: usize| panel.px(i as f64);
        canvas.path("line error s0", &bars(points(-1.0).zip(points(1.0)).enumerate().map(|(i, (a, b))| (x(i), panel.py(a), panel.py(b)))));
        canvas.path("spot free-energy s0", &dots(free.iter().enumerate().map(|(i, f)| (x(i), panel.py(*f)))));
    });
    let mut panel = Panel::within(&canvas, at(1.0), x(), (Scale::linear(0.0, 1.05), Label::new("p", "")));
    names(&mut canvas, &mut panel, all);
    panel.draw(&mut canvas, |panel, canvas| {
        for (i, c) in all.iter().enumerate().filter(|(_, c)| c.probability.is_finite()) {
            let (a, b, y) = (panel.px(i as f64 - 0.35), panel.px(i as f64 + 0.35), panel.py(c.probability));
            canvas.path(
                &format!("area probability f{}", shade(i)),
                &format!("M{} {}V{}H{}V{}Z", n(a), n(panel.height), n(y), n(b), n(panel.height)),
            );
        }
        let error = |c: &CandidateResult| (c.probability - c.probability_se, c.probability + c.probability_se);
        canvas.path("line s", &bars(all.iter().enumerate().map(|(i, c)| (panel.px(i as f64), panel.py(error(c).0), panel.py(error(c).1)))));
    });
    parts(&mut canvas, at(2.0), all, best);
    Ok(canvas.finish("evidence", super::What::Evidence.about()))
}

/// Where differences reach far they are shown as logarithms away from zero.
fn bent(values: impl Iterator<Item = f64>) -> Scale {
    let values: Vec<f64> = values.collect();
    let around = Scale::around(values.iter().copied(), 0.06);
    if around.high - around.low > 60.0 { Scale::bent_around(values, 0.06) } else { around }
}

/// E and −TS against those of the best candidate: their sum is the first panel.
fn parts(canvas: &mut Canvas, at: [f64; 4], all: &[CandidateResult], best: &CandidateResult) {
    let energy: Vec<f64> = all.iter().map(|c| c.energy - best.energy).collect();
    let entropy: Vec<f64> = all.iter().map(|c| best.entropy - c.entropy).collect();
    let x = (Scale::linear(-0.6, all.len() as f64 - 0.4), Label::new("", ""));
    let mut panel =
        Panel::within(canvas, at, x, (bent(energy.iter().chain(&entropy).copied()), Label::new("less that of the best", "nat")));
    names(canvas, &mut panel, all);
    panel.draw(canvas, |panel, canvas| {
        canvas.path("zero", &format!("M0 {}H{}", n(panel.py(0.0)), n(panel.width)));
        for (colour, values) in [(0, &energy), (1, &entropy)] {
            let places: Vec<(f64, f64)> = values.iter().enumerate().map(|(i, v)| panel.p((i as f64, *v))).collect();
            canvas.path(&format!("thin s{colour}"), &line(places.clone()));
            canvas.path(&format!("spot part s{colour}"), &dots(places));
        }
    });
}

/// Candidates stand below their places; those there is no room for are left out, evenly.
fn names(canvas: &mut Canvas, panel: &mut Panel, all: &[CandidateResult]) {
    let short = |c: &CandidateResult| c.k.map_or_else(|| c.candidate.clone(), |k| k.to_string());
    let counts = all.iter().all(|c| c.k.is_some()) && all.iter().enumerate().all(|(i, c)| all[..i].iter().all(|o| o.k != c.k));
    let name = |c: &CandidateResult| if counts { short(c) } else { c.candidate.clone() };
    let room = panel.width / all.len() as f64;
    let widest = all.iter().map(|c| canvas.text_width(&name(c))).fold(0.0, f64::max) + 0.4 * canvas.font;
    let upright = widest > room && !counts;
    let step = if upright { (1.1 * canvas.font / room).ceil() } else { (widest / room).ceil() }.max(1.0) as usize;
    panel.x_label = Label::new(if counts { "K" } else { "candidate" }, "");
    panel.show.0 = false;
    if upright {
        panel.height -= (widest.min(5.0 * canvas.font) - canvas.line()).max(0.0);
    }
    for (i, c) in all.iter().enumerate().filter(|(i, _)| i % step == 0) {
        let x = panel.left + panel.px(i as f64);
        let text = super::super::svg::shortened(&name(c), 5.0 * canvas.font, canvas.font);
        if upright {
            let half = 0.5 * canvas.text_width(&text);
            canvas.upright((x + 0.35 * canvas.font, panel.bottom() + half + 0.4 * canvas.font), &text);
        } else {
            canvas.text("", (x, panel.bottom() + canvas.line()), Anchor::Middle, &text);
        }
    }
    let x = panel.left + 0.5 * panel.width;
    canvas.text("", (x, canvas.height - 0.25 * canvas.line()), Anchor::Middle, &panel.x_label.name);
}
