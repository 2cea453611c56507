//! A series along one axis: frames in order of it, each with a cell, and values joined over frames of the same candidate.

use super::super::svg::{Label, Panel, area, line};
use super::super::view::{Against, Results, best};
use crate::posterior::{CandidateResult, ParameterResult, WindowResult};

/// Above so many frames neighbours share a column of the drawing, half a pixel wide.
const MOST: usize = 1500;

/// One window of a series, drawn against one axis.
#[derive(Debug)]
pub(in crate::report) struct Series<'a> {
    pub results: &'a Results,
    pub window: usize,
    /// Name of the window.
    pub name: String,
    /// Places of the frames in the results, in order of x.
    pub order: Vec<usize>,
    /// Their x, ascending.
    pub x: Vec<f64>,
    pub label: Label,
}

/// A value along a series: least, middle, greatest; and an inner band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    /// Quantiles .025, .16, .5, .84, .975.
    pub q: [f64; 5],
}

impl<'a> Series<'a> {
    pub fn new(results: &'a Results, window: usize, against: Against) -> Result<Self, String> {
        if results.frames.len() < 2 {
            return Err("a series needs two frames with answers".into());
        }
        let (x, label) = results.along(against);
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
        let name = results.windows().get(window).cloned().ok_or("there is no such window")?;
        Ok(Self { results, window, name, x: order.iter().map(|&i| x[i]).collect(), order, label })
    }

    /// The frames' answers in order of x.
    pub fn windows(&self) -> impl Iterator<Item = (f64, &'a WindowResult)> + '_ {
        self.order.iter().zip(&self.x).filter_map(|(&i, &x)| Some((x, self.results.frames[i].frame.windows.get(self.window)?)))
    }

    /// Ends of the cells of the frames: halfway between neighbours, but no cell wider than three usual ones, so that gaps show.
    pub fn cells(&self) -> Vec<(f64, f64)> {
        let n = self.x.len();
        let mut gaps: Vec<f64> = self.x.windows(2).map(|w| w[1] - w[0]).filter(|g| *g > 0.0).collect();
        gaps.sort_by(f64::total_cmp);
        let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(1.0);
        let half = |i: usize, j: usize| {
            let gap = (self.x[j] - self.x[i]).abs();
            if gap > 3.0 * usual { 0.5 * usual } else { 0.5 * gap }
        };
        let cell = |i: usize| {
            let before = if i > 0 { half(i - 1, i) } else { half(0, 1) };
            let after = if i + 1 < n { half(i, i + 1) } else { half(n - 2, n - 1) };
            (self.x[i] - before, self.x[i] + after)
        };
        (0..n).map(cell).collect()
    }

    /// The range of all cells.
    pub fn range(&self) -> (f64, f64) {
        let cells = self.cells();
        (cells.first().map_or(0.0, |c| c.0), cells.last().map_or(1.0, |c| c.1))
    }

    /// Parameters of the most probable candidates, by kind and peak, in order of first appearance: runs of frames in which the candidate
    /// stays the same.
    pub(super) fn runs(&self, wanted: impl Fn(&CandidateResult, &ParameterResult) -> bool) -> Vec<Run> {
        let mut all: Vec<Run> = Vec::new();
        let mut before: Option<&str> = None;
        for (x, window) in self.windows() {
            let Some(candidate) = best(window) else {
                before = None;
                continue;
            };
            let goes_on = before == Some(candidate.candidate.as_str());
            before = Some(&candidate.candidate);
            for parameter in candidate.parameters.iter().filter(|p| wanted(candidate, p)) {
                let key = Key::of(parameter);
                let at = all.iter().position(|run| run.key == key).unwrap_or_else(|| {
                    all.push(Run { key, pieces: Vec::new() });
                    all.len() - 1
                });
                let pieces = &mut all[at].pieces;
                let point = Point { x, q: parameter.quantiles };
                match pieces.last_mut() {
                    Some(last) if goes_on => last.push(point),
                    _ => pieces.push(vec![point]),
                }
            }
        }
        all
    }
}

/// What tells one run from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    pub term: String,
    pub parameter: String,
    pub unit: String,
    pub peak: Option<usize>,
}

impl Key {
    fn of(p: &ParameterResult) -> Self {
        Self { term: p.term.clone(), parameter: p.parameter.clone(), unit: p.unit.clone(), peak: p.peak }
    }
}

/// One parameter along a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub key: Key,
    /// Frames in a row whose candidate is the same.
    pub pieces: Vec<Vec<Point>>,
}

impl Run {
    /// The area between two quantiles and the line of a third, as paths.
    pub fn paths(&self, panel: &Panel, (low, middle, high): (usize, usize, usize), frames: usize) -> (String, String) {
        let (mut band, mut middle_line) = (String::new(), String::new());
        let pixel = (panel.x.high - panel.x.low) / panel.width;
        for piece in &self.pieces {
            let mut points = if frames > MOST { thinned(piece, 0.5 * pixel) } else { piece.clone() };
            if let [one] = points[..] {
                // A frame alone still shows: a pixel to either side.
                points = vec![Point { x: one.x - pixel, ..one }, Point { x: one.x + pixel, ..one }];
            }
            let at = |q: usize| points.iter().map(|p| panel.p((p.x, p.q[q]))).collect::<Vec<_>>();
            band += &area(&at(high), &at(low));
            middle_line += &line(at(middle));
        }
        (band, middle_line)
    }
}

/// Neighbours within a width as one point that holds what they hold.
fn thinned(piece: &[Point], width: f64) -> Vec<Point> {
    let mut out = Vec::new();
    for group in piece.chunk_by(|a, b| (a.x / width).floor() == (b.x / width).floor()) {
        let n = group.len() as f64;
        let mean = |of: &dyn Fn(&Point) -> f64| group.iter().map(of).sum::<f64>() / n;
        let mut q = [0.0; 5];
        for (i, q) in q.iter_mut().enumerate() {
            *q = match i {
                0 => group.iter().map(|p| p.q[0]).fold(f64::INFINITY, f64::min),
                4 => group.iter().map(|p| p.q[4]).fold(f64::NEG_INFINITY, f64::max),
                _ => mean(&|p| p.q[i]),
            };
        }
        out.push(Point { x: mean(&|p| p.x), q });
    }
    out
}

/// Cells of equal content as one: pairs of a range and what it holds.
pub(super) fn merged<T: PartialEq + Copy>(cells: &[(f64, f64)], values: &[T]) -> Vec<((f64, f64), T)> {
    let mut out: Vec<((f64, f64), T)> = Vec::new();
    for (cell, value) in cells.iter().zip(values) {
        match out.last_mut() {
            Some((last, held)) if held == value && last.1 >= cell.0 - 1e-9 * (cell.1 - cell.0).abs() => last.1 = cell.1,
            _ => out.push((*cell, *value)),
        }
    }
    out
}

/// At most [`MOST`] cells, each the mean of its members' values.
pub(super) fn coarse(cells: Vec<(f64, f64)>, values: Vec<Vec<f64>>) -> (Vec<(f64, f64)>, Vec<Vec<f64>>) {
    let per = cells.len().div_ceil(MOST);
    if per <= 1 {
        return (cells, values);
    }
    let mean = |group: &[Vec<f64>]| {
        let n = group.len() as f64;
        (0..group[0].len()).map(|i| group.iter().map(|v| v[i]).sum::<f64>() / n).collect()
    };
    let ends = cells.chunks(per).map(|c| (c[0].0, c[c.len() - 1].1)).collect();
    (ends, values.chunks(per).map(mean).collect())
}
