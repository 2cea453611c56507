//! A panel: a box with two axes that things are drawn into; the page reads numbers back off it.

use super::scale::Scale;
use super::{Anchor, Canvas, escaped, n, text_width};

/// What stands along an axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::report) struct Label {
    /// Name of the quantity.
    pub name: String,
    /// Its unit; empty for none.
    pub unit: String,
}

impl Label {
    pub fn new(name: &str, unit: &str) -> Self {
        Self { name: name.into(), unit: unit.into() }
    }

    /// As axes have it.
    pub fn text(&self) -> String {
        if self.unit.is_empty() { self.name.clone() } else { format!("{} ({})", self.name, self.unit) }
    }
}

/// A box with two axes.
#[derive(Clone, Debug)]
pub(in crate::report) struct Panel {
    /// Left end of the box.
    pub left: f64,
    /// Top of the box.
    pub top: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    pub x: Scale,
    pub y: Scale,
    pub x_label: Label,
    pub y_label: Label,
    /// Whether numbers and the label stand below, or on the left; what is left out is shared with a neighbour.
    pub show: (bool, bool),
    /// Whether x counts frames (or their axis): the page then marks the chosen frame and takes clicks.
    pub series: bool,
}

impl Panel {
    /// Fills a rectangle of the canvas: what axes need is taken off it.
    pub fn within(canvas: &Canvas, [left, top, width, height]: [f64; 4], x: (Scale, Label), y: (Scale, Label)) -> Self {
        let line = canvas.line();
        let widest = y.0.ticks(ticks_over(height, line)).iter().map(|t| canvas.text_width(&t.1)).fold(0.0, f64::max);
        // Numbers, the tick, and the label that reads upwards.
        let (before, below) = (widest + 0.6 * line + 1.15 * line, 2.3 * line);
        let after = 0.6 * line;
        Self {
            left: left + before,
            top: top + 0.5 * line,
            width: (width - before - after).max(1.0),
            height: (height - below - 0.5 * line).max(1.0),
            x: x.0,
            y: y.0,
            x_label: x.1,
            y_label: y.1,
            show: (true, true),
            series: false,
        }
    }

    /// Horizontal place of x, from the panel's left.
    pub fn px(&self, x: f64) -> f64 {
        (self.x.at(x) * self.width).clamp(-1e5, 1e5)
    }

    /// Vertical place of y, from the panel's top.
    pub fn py(&self, y: f64) -> f64 {
        ((1.0 - self.y.at(y)) * self.height).clamp(-1e5, 1e5)
    }

    /// Both.
    pub fn p(&self, (x, y): (f64, f64)) -> (f64, f64) {
        if x.is_finite() && y.is_finite() { (self.px(x), self.py(y)) } else { (f64::NAN, f64::NAN) }
    }

    /// Bottom of the box.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Draws axes, and what `inside` draws in the panel's own coordinates, which is clipped to the box.
    pub fn draw(&self, canvas: &mut Canvas, inside: impl FnOnce(&Self, &mut Canvas)) {
        let (x, y) = (&self.x, &self.y);
        canvas.raw(&format!(
            "<g class=\"panel\" data-box=\"{} {} {} {}\" data-x0=\"{}\" data-x1=\"{}\" data-xs=\"{}\" data-y0=\"{}\" data-y1=\"{}\" data-ys=\"{}\" \
             data-xl=\"{}\" data-yl=\"{}\"{}>",
            n(self.left),
            n(self.top),
            n(self.width),
            n(self.height),
            x.low,
            x.high,
            x.word(),
            y.low,
            y.high,
            y.word(),
            escaped(&self.x_label.text()),
            escaped(&self.y_label.text()),
            if self.series { " data-series=\"1\"" } else { "" },
        ));
        canvas.raw(&format!(
            "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" overflow=\"hidden\">",
            n(self.left),
            n(self.top),
            n(self.width),
            n(self.height)
        ));
        inside(self, canvas);
        canvas.raw("</svg>");
        self.axes(canvas);
        canvas.raw("</g>");
    }

    fn axes(&self, canvas: &mut Canvas) {
        canvas.rect("frame", [self.left, self.top, self.width, self.height]);
        let line = canvas.line();
        let mark = 0.3 * line;
        let mut d = String::new();
        let about = self.x_ticks(canvas.font);
        for (value, text) in self.x.ticks(about) {
            let at = self.left + self.px(value);
            d += &format!("M{} {}v{}", n(at), n(self.bottom()), n(-mark));
            // A number at an end may stand out over it, but not into a neighbour.
            let half = 0.5 * canvas.text_width(&text);
            let room = if self.show.1 { 1.5 * line } else { 0.35 * line };
            if self.show.0 && at - half > self.left - room && at + half < self.left + self.width + 0.6 * line {
                canvas.text("", (at, self.bottom() + line), Anchor::Middle, &text);
            }
        }
        for (value, text) in self.y.ticks(ticks_over(self.height, line)) {
            let at = self.top + self.py(value);
            if self.show.1 {
                d += &format!("M{} {}h{}", n(self.left), n(at), n(mark));
                canvas.text("", (self.left - 0.4 * line, at + 0.35 * canvas.font), Anchor::End, &text);
            }
        }
        canvas.path("tick", &d);
        if self.show.0 {
            let at = (self.left + 0.5 * self.width, self.bottom() + 2.1 * line);
            canvas.text("", at, Anchor::Middle, &shortened(&self.x_label.text(), self.width + 3.0 * line, canvas.font));
        }
        if self.show.1 {
            let widest = self.y.ticks(ticks_over(self.height, line)).iter().map(|t| canvas.text_width(&t.1)).fold(0.0, f64::max);
            let at = (self.left - widest - 0.85 * line, self.top + 0.5 * self.height);
            canvas.upright(at, &shortened(&self.y_label.text(), self.height + line, canvas.font));
        }
    }

    /// As many ticks as have room for their text.
    fn x_ticks(&self, font: f64) -> usize {
        let mut about = 8;
        while about > 2 {
            let ticks = self.x.ticks(about);
            let widest = ticks.iter().map(|t| text_width(&t.1, font)).fold(0.0, f64::max);
            let places: Vec<f64> = ticks.iter().map(|t| self.px(t.0)).collect();
            if places.windows(2).all(|p| p[1] - p[0] > widest + 1.2 * font) {
                break;
            }
            about -= 1;
        }
        about
    }
}

fn ticks_over(height: f64, line: f64) -> usize {
    ((height / (1.7 * line)) as usize).clamp(3, 8)
}

/// A text cut to about a width.
pub(in crate::report) fn shortened(text: &str, width: f64, font: f64) -> String {
    if text_width(text, font) <= width {
        return text.into();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if text_width(&short, font) > width - font {
            break;
        }
    }
    short + "…"
}
