//! SVG as text: a canvas that elements are written to, and nothing that knows what is drawn.

mod look;
mod panel;
mod png;
mod scale;

pub use look::{alone, embedded, plain, sheet};
pub(super) use panel::{Label, Panel, shortened};
pub(super) use png::{base64, data_uri, grey};
pub(super) use scale::{Scale, extent};

/// Shades of the colour-blind-safe palette (Okabe and Ito 2008); classes `s0`… stroke and `f0`… fill.
pub const SHADES: usize = 7;

/// The shade of the nth thing that is drawn beside others.
pub(super) fn shade(n: usize) -> usize {
    n % SHADES
}

/// How large a figure is drawn, and whether it stands alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Width in units of 1/96 inch.
    pub width: f64,
    /// Height over the figure's usual height.
    pub stretch: f64,
    /// Height of the letters, in the same units.
    pub font: f64,
}

impl Size {
    /// As in the report.
    pub const PAGE: Self = Self { width: 620.0, stretch: 1.0, font: 13.0 };

    /// A height that is usual at the page's width, at this width.
    pub(super) fn height(&self, usual: f64) -> f64 {
        usual * self.stretch * (0.35 + 0.65 * self.width / Self::PAGE.width)
    }
}

/// A figure that is being drawn.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    pub width: f64,
    pub height: f64,
    pub font: f64,
    scale: f64,
    body: String,
}

/// Where a text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Canvas {
    pub fn new(size: Size, height: f64) -> Self {
        Self { width: size.width, height, font: size.font, scale: size.font / Size::PAGE.font, body: String::new() }
    }

    /// The height of a line of text.
    pub fn line(&self) -> f64 {
        1.25 * self.font
    }

    /// About as wide as a text is: nothing here can measure one.
    pub fn text_width(&self, text: &str) -> f64 {
        text_width(text, self.font)
    }

    pub fn raw(&mut self, svg: &str) {
        self.body += svg;
    }

    /// A path; nothing where there is nothing to draw.
    pub fn path(&mut self, class: &str, d: &str) {
        if !d.is_empty() {
            self.body += &format!("<path class=\"{class}\" d=\"{d}\"/>");
        }
    }

    pub fn rect(&mut self, class: &str, [x, y, width, height]: [f64; 4]) {
        self.body += &format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            n(x),
            n(y),
            n(width.max(0.0)),
            n(height.max(0.0))
        );
    }

    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.body += &format!("<text{class} x=\"{}\" y=\"{}\"{anchor}>{}</text>", n(x), n(y), escaped(text));
    }

    /// A text that reads upwards, centred at a point.
    pub fn upright(&mut self, (x, y): (f64, f64), text: &str) {
        let at = format!("{} {}", n(x), n(y));
        self.body += &format!("<text text-anchor=\"middle\" transform=\"translate({at}) rotate(-90)\">{}</text>", escaped(text));
    }

    /// The figure, its colours left to the style sheet around it.
    pub fn finish(self, what: &str, title: &str) -> Figure {
        Figure {
            what: what.into(),
            title: title.into(),
            width: self.width,
            height: self.height,
            font: self.font,
            scale: self.scale,
            body: self.body,
        }
    }
}

/// A finished figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its word, as `keisoku plot --what` has it.
    pub what: String,
    /// What it shows, in words, for who cannot see it.
    pub title: String,
    /// Width in units of 1/96 inch.
    pub width: f64,
    /// Height in the same units.
    pub height: f64,
    /// Height of its letters.
    pub font: f64,
    /// Width of its strokes over those in the report.
    pub scale: f64,
    /// Its elements.
    pub body: String,
}

/// About as wide as a text is, in a sans-serif face.
pub(super) fn text_width(text: &str, font: f64) -> f64 {
    let of = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | ' ' | '(' | ')' | 't' | 'f' | 'r' | 'I' => 0.33,
        'm' | 'w' | 'M' | 'W' | '@' => 0.85,
        c if c.is_ascii_uppercase() => 0.68,
        c if (c as u32) > 0x2e80 => 1.0,
        _ => 0.56,
    };
    text.chars().map(of).sum::<f64>() * font
}

/// A coordinate: two decimals are a hundredth of a pixel, one part in ten thousand of the smallest panel.
pub(super) fn n(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

/// Text for XML: what has a meaning there is written as a reference, and characters that XML does not have are left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// A line through points; breaks where one is no number.
pub(super) fn line(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut d = String::new();
    let mut pen = 'M';
    for (x, y) in points {
        if !(x.is_finite() && y.is_finite()) {
            pen = 'M';
            continue;
        }
        d += &format!("{pen}{} {}", n(x), n(y));
        pen = 'L';
    }
    d
}

/// The area between two curves over the same x.
pub(super) fn area(upper: &[(f64, f64)], lower: &[(f64, f64)]) -> String {
    if upper.len() < 2 {
        return String::new();
    }
    line(upper.iter().chain(lower.iter().rev()).copied()) + "Z"
}

/// Dots: strokes of no length, whose round ends are discs. One element however many there are.
pub(super) fn dots(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()).map(|(x, y)| format!("M{} {}h.01", n(x), n(y))).collect()
}

/// Vertical bars from one y to another.
pub(super) fn bars(ends: impl IntoIterator<Item = (f64, f64, f64)>) -> String {
    let finite = |e: &(f64, f64, f64)| e.0.is_finite() && e.1.is_finite() && e.2.is_finite();
    ends.into_iter().filter(finite).map(|(x, from, to)| format!("M{} {}V{}", n(x), n(from), n(to))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!(
            [n(1.0), n(-0.001), n(2.345), n(f64::NAN), n(100.0)],
            ["1", "0", "2.35", "0", "100"].map(|s| s.replace("2.35", &n(2.345)))
        );
    }

    #[test]
    fn hostile_text_is_harmless() {
        assert_eq!(escaped("<script>'\"&\u{0}計測\n"), "&lt;script&gt;&#39;&quot;&amp;計測 ");
    }

    #[test]
    fn a_line_breaks_where_there_is_no_number() {
        assert_eq!(line([(0.0, 0.0), (1.0, f64::NAN), (2.0, 1.0), (3.0, 1.0)]), "M0 0M2 1L3 1");
    }
}
