//! A calibration as it lies in calibration.json, and how often its intervals hold the truth.

use std::path::Path;

use serde::Deserialize;

use super::super::lenient;
use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, bars, dots, line, shortened};
use crate::error::Result;

/// A calibration, as far as it is drawn.
#[derive(Clone, Debug, Deserialize)]
pub struct Calibrated {
    /// Title of the spec.
    pub title: String,
    /// Version of keisoku.
    pub keisoku: String,
    /// Data sets of each window.
    pub data_sets: usize,
    /// Tests in all.
    pub tests: usize,
    /// Level of all tests together.
    pub level: f64,
    /// Whether nothing is significant.
    pub calibrated: bool,
    /// The windows.
    pub windows: Vec<CalibratedWindow>,
}

/// One window of a calibration.
#[derive(Clone, Debug, Deserialize)]
pub struct CalibratedWindow {
    /// Its name.
    pub window: String,
    /// What was ranked.
    pub quantities: Vec<Quantity>,
    /// What was given a probability.
    pub reliability: Vec<Trust>,
}

/// One quantity over all data sets.
#[derive(Clone, Debug, Deserialize)]
pub struct Quantity {
    /// Its name.
    #[serde(rename = "quantity")]
    pub name: String,
    /// Data sets that have it.
    pub data_sets: usize,
    /// Its ranks in bins.
    pub histogram: Ranks,
    /// How often intervals hold the truth.
    pub coverage: Vec<Interval>,
    /// Whether it is not uniform.
    pub significant: bool,
}

/// Ranks in equal bins.
#[derive(Clone, Debug, Deserialize)]
pub struct Ranks {
    /// Ranks in each bin.
    pub counts: Vec<usize>,
    /// Probability of a larger χ².
    pub p: Option<f64>,
}

/// How often one interval held the truth.
#[derive(Clone, Debug, Deserialize)]
pub struct Interval {
    /// How often it says it does.
    pub level: f64,
    /// How often it did.
    pub share: f64,
    /// Central 99 % of that.
    pub band: (f64, f64),
}

/// All candidates of all data sets with a probability in a range.
#[derive(Clone, Debug, Deserialize)]
pub struct Trust {
    /// Mean of their probabilities.
    pub mean: f64,
    /// Share of those that are true.
    pub true_share: f64,
    /// Its standard error where probabilities are kept.
    pub se: f64,
}

impl Calibrated {
    /// Reads calibration.json; none where the folder has none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(folder: &Path) -> Result<Option<Self>> {
        lenient::open(folder, "calibration.json", "calibrate")
    }
}

/// Draws the coverage of every quantity at three levels, and the reliability of p(K) where candidates compete.
pub(super) fn draw(of: &Calibrated, window: usize, size: Size) -> std::result::Result<Figure, String> {
    let window = of.windows.get(window).ok_or("there is no such window")?;
    let quantities = &window.quantities;
    if quantities.iter().all(|q| q.data_sets == 0) {
        return Err("no data set has an answer".into());
    }
    let mut canvas = Canvas::new(size, 0.0);
    let trusted = !window.reliability.is_empty();
    let width = if trusted { 0.58 * size.width } else { size.width };
    let height = size.height(260.0);
    canvas.height = height;
    let count = quantities.len() as f64;
    let x = (Scale::linear(-0.5, count - 0.5), Label::new("quantity, in the order of the rank histograms", ""));
    let mut panel =
        Panel::within(&canvas, [0.0, 0.0, width, height], x, (Scale::linear(0.0, 1.0), Label::new("share of truths inside", "")));
    panel.x_label.name = shortened(&panel.x_label.name, panel.width, canvas.font);
    panel.draw(&mut canvas, |panel, canvas| {
        for level in 0..3 {
            let at =
                |f: &dyn Fn(&Interval) -> f64| -> Vec<Option<f64>> { quantities.iter().map(|q| q.coverage.get(level).map(f)).collect() };
            let (shares, lows, highs) = (at(&|c| c.share), at(&|c| c.band.0), at(&|c| c.band.1));
            let colour = [0, 2, 1][level];
            let x = |i: usize| panel.px(i as f64);
            let ends = lows.iter().zip(&highs).enumerate().filter_map(|(i, (a, b))| Some((x(i), panel.py((*a)?), panel.py((*b)?))));
            canvas.path(&format!("line error s{colour}"), &bars(ends));
            canvas.path(
                &format!("spot coverage s{colour}"),
                &dots(shares.iter().enumerate().filter_map(|(i, s)| Some((x(i), panel.py((*s)?))))),
            );
            if let Some(level) = quantities.iter().find_map(|q| q.coverage.get(level)).map(|c| c.level) {
                canvas.path("zero", &format!("M0 {}H{}", super::super::svg::n(panel.py(level)), super::super::svg::n(panel.width)));
            }
        }
    });
    if trusted {
        reliability(&mut canvas, [width, 0.0, size.width - width, height], &window.reliability);
    }
    Ok(canvas.finish("coverage", super::What::Coverage.about()))
}

fn reliability(canvas: &mut Canvas, at: [f64; 4], all: &[Trust]) {
    let unit = || Scale::linear(0.0, 1.0);
    let panel = Panel::within(canvas, at, (unit(), Label::new("p(K)", "")), (unit(), Label::new("share that is true", "")));
    panel.draw(canvas, |panel, canvas| {
        canvas.path("zero", &line([panel.p((0.0, 0.0)), panel.p((1.0, 1.0))]));
        let ends = all.iter().map(|t| (panel.px(t.mean), panel.py(t.true_share - 2.0 * t.se), panel.py(t.true_share + 2.0 * t.se)));
        canvas.path("line error s3", &bars(ends));
        canvas.path("spot trust s3", &dots(all.iter().map(|t| panel.p((t.mean, t.true_share)))));
    });
}
