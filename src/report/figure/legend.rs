//! Legends: coloured squares with words, in as many lines as they need.

use super::super::svg::{Anchor, Canvas};

/// Draws a legend into a width and returns its height; nothing is drawn where there is nothing to tell apart.
pub(super) fn draw(canvas: &mut Canvas, left: f64, top: f64, width: f64, entries: &[(String, String)]) -> f64 {
    if entries.is_empty() {
        return 0.0;
    }
    let (line, side) = (canvas.line(), 0.75 * canvas.font);
    let (left, width) = (left + 0.4 * line, width - 0.4 * line);
    let (mut x, mut y) = (left, top);
    for (class, text) in entries {
        let needed = side + 0.4 * line + canvas.text_width(text) + 0.9 * line;
        if x > left && x + needed > left + width {
            x = left;
            y += line;
        }
        canvas.rect(class, [x, y + 0.25 * canvas.font, side, side]);
        canvas.text("", (x + side + 0.4 * canvas.font, y + 0.95 * canvas.font), Anchor::Start, text);
        x += needed;
    }
    y + 1.3 * line - top
}
