//! Data of a series as a heat map, with the positions of peaks and their bands.

use super::super::svg::{Canvas, Figure, Label, Panel, Scale, Size, n, shade};
use super::heat::{Heat, Image};
use super::legend;
use super::series::{Run, Series};

/// Draws one panel a measurement; without data the tracks stand alone.
pub(super) fn draw(series: &Series<'_>, heat: &Heat, size: Size) -> Result<Figure, String> {
    let runs: Vec<Run> = series.runs(|_, p| p.parameter == "center");
    if runs.is_empty() && heat.measurements.is_empty() {
        return Err(match &heat.missing {
            Some(missing) => format!("no candidate that won has a position, and {missing}"),
            None => "no candidate that won has a position".into(),
        });
    }
    let panels = heat.measurements.len().max(1);
    let height = size.height(330.0);
    let mut canvas = Canvas::new(size, 0.0);
    let mut entries: Vec<(String, String)> =
        runs.iter().enumerate().map(|(i, r)| (format!("solid f{}", shade(i)), name(r))).collect();
    if entries.len() > 12 {
        entries.truncate(0);
    }
    let top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries);
    canvas.height = top + height * panels as f64;
    for m in 0..panels {
        let image = heat.measurements.get(m);
        let (low, high) = match image {
            Some(image) => (image.low, image.high),
            None => {
                let around = Scale::around(runs.iter().flat_map(|r| r.pieces.iter().flatten()).flat_map(|p| [p.q[0], p.q[4]]), 0.06);
                (around.low, around.high)
            }
        };
        let (from, to) = series.range();
        let what = image.filter(|i| !i.name.is_empty()).map_or_else(String::new, |i| format!("{}: ", i.name));
        let y_label = Label::new(&format!("{what}{}", series.results.x.name), &super::super::view::unit(&series.results.x.unit));
        let area = [0.0, top + height * m as f64, size.width, height];
        let mut panel = Panel::within(&canvas, area, (Scale::linear(from, to), series.label.clone()), (Scale::linear(low, high), y_label));
        panel.series = true;
        panel.draw(&mut canvas, |panel, canvas| inside(panel, canvas, series, image, &runs));
    }
    let missing = heat.missing.as_ref().map_or_else(String::new, |m| format!("; {m}"));
    let mut figure = canvas.finish("tracks", &format!("{}{missing}", super::What::Tracks.about()));
    if heat.measurements.is_empty() {
        figure.title = format!("Positions of the peaks of the most probable candidate with their 95 % bands{missing}");
    } else {
        figure.title += "; darker is more, as the root of the intensity";
    }
    Ok(figure)
}

fn name(run: &Run) -> String {
    match run.key.peak {
        Some(peak) => format!("{} {peak}", run.key.term),
        None => run.key.term.clone(),
    }
}

fn inside(panel: &Panel, canvas: &mut Canvas, series: &Series<'_>, image: Option<&Image>, runs: &[Run]) {
    if let Some(image) = image {
        let mut cells = vec![(0.0, 0.0); series.results.frames.len()];
        for (place, cell) in series.order.iter().zip(series.cells()) {
            cells[*place] = cell;
        }
        canvas.raw(&format!(
            "<image class=\"heat\" x=\"0\" y=\"0\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" href=\"{}\"/>",
            n(panel.width),
            n(panel.height),
            image.picture(&cells, (panel.x.low, panel.x.high))
        ));
    }
    for (i, run) in runs.iter().enumerate() {
        let (band, middle) = run.paths(panel, (0, 2, 4), series.x.len());
        canvas.path(&format!("band track-band f{}", shade(i)), &band);
        if image.is_some() {
            canvas.path("halo", &middle);
        }
        canvas.path(&format!("line track s{}", shade(i)), &middle);
    }
}
