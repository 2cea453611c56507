//! Probabilities of the candidates along a series, stacked.

use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, shade};
use super::legend;
use super::series::{Series, coarse};

/// Draws one band a candidate, each frame a cell as wide as its share of the axis.
pub(super) fn draw(series: &Series<'_>, size: Size) -> Result<Figure, String> {
    let labels: Vec<String> =
        series.windows().next().map(|(_, w)| w.candidates.iter().map(|c| c.candidate.clone()).collect()).unwrap_or_default();
    if labels.len() < 2 {
        return Err("only one candidate was offered: its probability is 1 in every frame".into());
    }
    let values: Vec<Vec<f64>> = series
        .windows()
        .map(|(_, w)| w.candidates.iter().map(|c| if c.probability.is_finite() { c.probability } else { 0.0 }).collect())
        .collect();
    let shown: Vec<usize> = (0..labels.len()).filter(|&k| values.iter().any(|v| v.get(k).is_some_and(|p| *p >= 1e-3))).collect();
    let (cells, values) = coarse(series.cells(), values);
    let mut canvas = Canvas::new(size, 0.0);
    let entries: Vec<(String, String)> = shown.iter().map(|&k| (format!("area f{}", shade(k)), labels[k].clone())).collect();
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries);
    let height = size.height(210.0);
    canvas.height = top + height;
    let (from, to) = series.range();
    let (x, y) = ((Scale::linear(from, to), series.label.clone()), (Scale::linear(0.0, 1.0), Label::new("probability", "")));
    let mut panel = Panel::within(&canvas, [0.0, top, size.width, height], x, y);
    panel.series = true;
    panel.draw(&mut canvas, |panel, canvas| {
        for &k in &shown {
            canvas.path(&format!("area count f{}", shade(k)), &steps(panel, &cells, &values, k));
        }
    });
    Ok(canvas.finish("counts", super::What::Counts.about()))
}

/// The band of candidate k: cells next to each other are one piece.
fn steps(panel: &Panel, cells: &[(f64, f64)], values: &[Vec<f64>], k: usize) -> String {
    let mut d = String::new();
    for group in whole(cells) {
        let (mut upper, mut lower) = (Vec::new(), Vec::new());
        for i in group {
            let below: f64 = values[i][..k].iter().sum();
            let above = below + values[i][k];
            for x in [cells[i].0, cells[i].1] {
                upper.push((panel.px(x), panel.py(above)));
                lower.push((panel.px(x), panel.py(below)));
            }
        }
        d += &super::super::svg::area(&upper, &lower);
    }
    d
}

/// Cells that touch, as ranges of indices.
fn whole(cells: &[(f64, f64)]) -> Vec<std::ops::Range<usize>> {
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    for i in 0..cells.len() {
        let touches = i > 0 && cells[i].0 - cells[i - 1].1 <= 1e-6 * (cells[i].1 - cells[i].0).abs();
        match out.last_mut() {
            Some(last) if touches => last.end = i + 1,
            _ => out.push(i..i + 1),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_parts_the_band() {
        assert_eq!(whole(&[(0.0, 1.0), (1.0, 2.0), (5.0, 6.0)]), [0..2, 2..3]);
    }
}
