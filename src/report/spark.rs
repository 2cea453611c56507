//! Probabilities of candidates as a row of bars, for one line of text.

use crate::posterior::{FrameResult, WindowResult};

/// Bars from nothing to certainty.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// More candidates than this make no bar that can be read.
const MOST: usize = 40;

/// p of every candidate of every window, in the order of the spec; empty where no window offers a choice.
pub fn spark(frame: &FrameResult) -> String {
    let choice = |w: &&WindowResult| (2..=MOST).contains(&w.candidates.len());
    let bars = |w: &WindowResult| w.candidates.iter().map(|c| bar(c.probability)).collect::<String>();
    let windows: Vec<&WindowResult> = frame.windows.iter().filter(choice).collect();
    if windows.is_empty() {
        return String::new();
    }
    let counts = windows.iter().flat_map(|w| &w.candidates).all(|c| c.k.is_some());
    format!("{} {}", if counts { "p(K)" } else { "p" }, windows.into_iter().map(bars).collect::<Vec<_>>().join(" "))
}

/// The bar of a probability; a point where it is no number.
fn bar(p: f64) -> char {
    let last = BARS.len() - 1;
    if p.is_nan() { '·' } else { BARS[((p * last as f64).round() as usize).min(last)] }
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars_grow_with_the_probability() {
        let bars: String = [0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 1.0, f64::NAN].map(bar).into_iter().collect();
        assert_eq!(bars, "▁▁▂▅▇██·");
    }
}
