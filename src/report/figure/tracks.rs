//! Data of a series as a heat map, with the positions of peaks and their bands.

use super::super::svg::{Canvas, Figure, Label, Panel, SHADES, Scale, Size, n};
use super::super::view::{best, unit};
use super::heat::{Heat, Image};
use super::series::{Key, Point, Run, Series};

/// Peaks of neighbouring frames are one track where they are nearer than this part of the range.
const NEAR: f64 = 0.03;

/// Draws one panel a measurement; without data the tracks stand alone.
pub(super) fn draw(series: &Series<'_>, heat: &Heat, size: Size) -> Result<Figure, String> {
    let runs = series.runs(|_, p| p.parameter == "center");
    let missing = heat.missing.as_deref().unwrap_or_default();
    if runs.is_empty() && heat.measurements.is_empty() {
        let and = if missing.is_empty() { "" } else { ", and " };
        return Err(format!("no candidate that won has a position{and}{missing}"));
    }
    let panels = heat.measurements.len().max(1);
    let height = size.height(330.0);
    let mut canvas = Canvas::new(size, height * panels as f64);
    for m in 0..panels {
        let image = heat.measurements.get(m);
        let (low, high) = image.map_or_else(
            || {
                let ends = runs.iter().flat_map(|r| r.pieces.iter().flatten()).flat_map(|p| [p.q[0], p.q[4]]);
                let around = Scale::around(ends, 0.06);
                (around.low, around.high)
            },
            |image| (image.low, image.high),
        );
        let (from, to) = series.range();
        let what = image.filter(|i| !i.name.is_empty()).map_or_else(String::new, |i| format!("{}: ", i.name));
        let y_label = Label::new(&format!("{what}{}", series.results.x.name), &unit(&series.results.x.unit));
        let area = [0.0, height * m as f64, size.width, height];
        let mut panel = Panel::within(&canvas, area, (Scale::linear(from, to), series.label.clone()), (Scale::linear(low, high), y_label));
        panel.series = true;
        panel.draw(&mut canvas, |panel, canvas| inside(panel, canvas, series, image));
    }
    let title = match (heat.measurements.is_empty(), missing) {
        (true, missing) => format!("Positions of the peaks of the most probable candidate with their 95 % bands; {missing}"),
        (false, "") => format!("{}; darker is more, as the root of the intensity", super::What::Tracks.about()),
        (false, missing) => format!("{}; darker is more, as the root of the intensity; {missing}", super::What::Tracks.about()),
    };
    Ok(canvas.finish("tracks", title.trim_end_matches("; ")))
}

fn inside(panel: &Panel, canvas: &mut Canvas, series: &Series<'_>, image: Option<&Image>) {
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
    // One element a colour, however many tracks there are.
    let mut colours = vec![(String::new(), String::new()); SHADES];
    for track in joined(series, NEAR * (panel.y.high - panel.y.low)) {
        let (band, middle) = track.run.paths(panel, (0, 2, 4), series.x.len());
        let colour = &mut colours[track.shade];
        colour.0 += &band;
        colour.1 += &middle;
    }
    for (i, (band, middle)) in colours.iter().enumerate() {
        canvas.path(&format!("band track-band f{i}"), band);
        if image.is_some() {
            canvas.path("halo", middle);
        }
        canvas.path(&format!("line track s{i}"), middle);
    }
}

/// Shades of tracks: not the grey of the data.
const TRACKS: [usize; 6] = [0, 1, 2, 3, 4, 5];

/// A track that is missing in this many frames has ended.
const GONE: usize = 4;

/// One peak along the series, whatever its number.
#[derive(Debug)]
struct Track {
    run: Run,
    shade: usize,
    /// Its last frame and position, and how far it went from the one before.
    last: (usize, f64, f64),
}

/// Positions joined over neighbouring frames by nearness, whatever their numbers: a peak that appears gives all to its right another number.
fn joined(series: &Series<'_>, near: f64) -> Vec<Track> {
    let mut tracks: Vec<Track> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (frame, (x, window)) in series.windows().enumerate() {
        open.retain(|&t| frame - tracks[t].last.0 < GONE);
        let parameters = best(window).map(|c| c.parameters.as_slice()).unwrap_or_default();
        let points: Vec<Point> = parameters.iter().filter(|p| p.parameter == "center").map(|p| Point { x, q: p.quantiles }).collect();
        let owners = owners(&points, &open, &tracks, near);
        for (point, owner) in points.into_iter().zip(owners) {
            let t = owner.unwrap_or_else(|| {
                let free = |s: &usize| open.iter().all(|&t| tracks[t].shade != *s);
                // Which colour comes next turns with every track, so that those that follow one another differ too.
                let turned = (0..TRACKS.len()).map(|i| TRACKS[(i + tracks.len()) % TRACKS.len()]);
                let shade = turned.clone().find(free).or(turned.clone().next()).unwrap_or(0);
                tracks.push(Track { run: Run { key: Key::default(), pieces: Vec::new() }, shade, last: (frame, point.q[2], 0.0) });
                open.push(tracks.len() - 1);
                tracks.len() - 1
            });
            let track = &mut tracks[t];
            match track.run.pieces.last_mut() {
                Some(piece) if track.last.0 + 1 == frame => {
                    piece.push(point);
                    track.last.2 = point.q[2] - track.last.1;
                }
                _ => {
                    track.run.pieces.push(vec![point]);
                    track.last.2 = 0.0;
                }
            }
            (track.last.0, track.last.1) = (frame, point.q[2]);
        }
    }
    tracks
}

/// Which open track each position goes on, nearest first: near where the track was, or where it would be had it gone on as it went.
fn owners(points: &[Point], open: &[usize], tracks: &[Track], near: f64) -> Vec<Option<usize>> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, point) in points.iter().enumerate() {
        for &t in open {
            let (_, at, step) = tracks[t].last;
            let away = (point.q[2] - at).abs().min((point.q[2] - at - step).abs());
            if away < near {
                pairs.push((away, t, i));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut owners: Vec<Option<usize>> = vec![None; points.len()];
    for (_, track, i) in pairs {
        if owners[i].is_none() && !owners.contains(&Some(track)) {
            owners[i] = Some(track);
        }
    }
    owners
}
