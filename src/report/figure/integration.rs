//! Measurements of one specimen together: marginals of each alone and of all, and F as a function of two noises.

use std::f64::consts::TAU;

use super::super::number::with_error;
use super::super::samples::Sample;
use super::super::svg::{Anchor, Canvas, Figure, Label, Panel, Scale, Size, extent, line, shade};
use super::super::view::{best, draws, unit};
use super::marginals::{density, outline, over};
use super::{NO_DRAWS, OneFrame, called, legend};
use crate::evidence::noise::NoisePlane;
use crate::posterior::{Integration, ParameterResult, WindowResult};

/// Bins over what a panel shows.
const BINS: usize = 40;
/// F above its least that encloses 68 % and 95 % of a normal density of two dimensions: −ln(1 − p).
const LEVELS: [f64; 2] = [1.139, 2.996];
/// Corners of a contour, and halvings of the way to each.
const CORNERS: usize = 72;
const HALVINGS: usize = 24;

/// A parameter together, and alone in the measurements that have it.
struct Shared<'a> {
    parameter: &'a ParameterResult,
    together: Vec<f64>,
    /// Which measurement, and its draws.
    alone: Vec<(usize, Vec<f64>)>,
}

/// Draws one small panel a parameter, and one of the noises.
pub(super) fn draw(of: &OneFrame<'_>, size: Size) -> Result<Figure, String> {
    let [joint, alone @ ..] = of.frame.windows.as_slice() else { return Err("the frame has no window".into()) };
    let integration = of.frame.integration.filter(|_| of.is_joint());
    let integration = integration.ok_or("this is no joint problem whose measurements were sampled alone too")?;
    let shared = shared(of, alone)?;
    let plane = best(joint).and_then(|best| best.noise_plane.as_ref());
    let columns = if size.width >= 500.0 { 3 } else { 2 };
    let (width, height) = (size.width / columns as f64, size.height(150.0));
    let mut canvas = Canvas::new(size, 0.0);
    canvas.font = 0.85 * size.font;
    let names = alone.iter().enumerate().map(|(m, w)| (format!("solid f{}", shade(m + 1)), format!("{} alone", w.window)));
    let entries: Vec<(String, String)> = [("solid f0".into(), "together".into())].into_iter().chain(names).collect();
    let mut top = legend::draw(&mut canvas, 0.0, 0.0, size.width, &entries);
    canvas.text("", (0.4 * canvas.line(), top + 0.6 * canvas.line()), Anchor::Start, &said(integration));
    top += canvas.line();
    canvas.height = top + height * (shared.len() + usize::from(plane.is_some())).div_ceil(columns) as f64;
    let place = |i: usize| [(i % columns) as f64 * width, top + (i / columns) as f64 * height, width, height];
    for (i, parameter) in shared.iter().enumerate() {
        marginal(&mut canvas, place(i), parameter);
    }
    if let Some(plane) = plane {
        noises(&mut canvas, place(shared.len()), plane);
    }
    Ok(canvas.finish("integration", super::What::Integration.about()))
}

/// ΔF in words.
fn said(integration: Integration) -> String {
    format!(
        "ΔF = F(together) − ΣF(alone) = {} nat: {}",
        with_error(integration.free_energy, integration.free_energy_se),
        integration.sentence()
    )
}

/// The joint candidate's parameters that a measurement alone has too, those of several measurements first.
fn shared<'a>(of: &OneFrame<'a>, alone: &[WindowResult]) -> Result<Vec<Shared<'a>>, String> {
    let place = of.results.place(of.frame.frame).map_err(|e| e.what)?;
    let samples: Vec<Sample> = (1..=alone.len())
        .map(|window| of.results.sample(place, window).map_err(|e| e.what)?.ok_or_else(|| NO_DRAWS.to_owned()))
        .collect::<Result<_, _>>()?;
    let together = of.sample()?;
    let own = |(m, window): (usize, &WindowResult), parameter: &ParameterResult| {
        let same = |p: &&ParameterResult| (&p.term, p.peak) == (&parameter.term, parameter.peak) && named_in(parameter, window, p);
        let found = best(window)?.parameters.iter().find(same)?;
        Some((m, draws(&samples[m], found)?))
    };
    let parameters = &of.best()?.parameters;
    let mut all: Vec<Shared<'_>> = Vec::new();
    for (i, parameter) in parameters.iter().enumerate() {
        let key = |p: &ParameterResult| (p.term.clone(), p.parameter.clone(), p.peak);
        let mut alone: Vec<_> = alone.iter().enumerate().filter_map(|window| own(window, parameter)).collect();
        if !parameter.term.is_empty() {
            // A term is one measurement's: of terms of one name, each in its turn.
            let earlier = parameters[..i].iter().filter(|p| key(p) == key(parameter)).count();
            alone = alone.into_iter().skip(earlier).take(1).collect();
        }
        if let Some(together) = draws(together, parameter).filter(|_| !alone.is_empty()) {
            all.push(Shared { parameter, together, alone });
        }
    }
    all.sort_by_key(|shared| std::cmp::Reverse(shared.alone.len()));
    if all.is_empty() { Err("the most probable candidates have no parameter in common".into()) } else { Ok(all) }
}

/// Whether a measurement's parameter is the joint one: the scale of its noise bears its name only where there are several.
fn named_in(joint: &ParameterResult, window: &WindowResult, alone: &ParameterResult) -> bool {
    joint.parameter == alone.parameter || joint.parameter == format!("{}[{}]", alone.parameter, window.window)
}

fn marginal(canvas: &mut Canvas, at: [f64; 4], shared: &Shared<'_>) {
    let middle = |values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        [0.005, 0.995].map(|p| sorted[((sorted.len() - 1) as f64 * p) as usize])
    };
    let (low, high) = extent([&shared.together].into_iter().chain(shared.alone.iter().map(|a| &a.1)).flat_map(|v| middle(v)));
    let x = Scale::linear(low, high);
    let curves: Vec<(usize, Vec<f64>)> = shared.alone.iter().map(|(m, draws)| (*m, density(draws, x, BINS))).collect();
    let together = density(&shared.together, x, BINS);
    let top = curves.iter().flat_map(|c| &c.1).chain(&together).copied().fold(f64::MIN_POSITIVE, f64::max);
    let label = Label::new(&called(shared.parameter), &unit(&shared.parameter.unit));
    over(canvas, at, (x, label), 1.08 * top).draw(canvas, |panel, canvas| {
        canvas.path("area together f0", &outline(panel, &together));
        for (m, counts) in &curves {
            canvas.path(&format!("line alone s{}", shade(m + 1)), outline(panel, counts).trim_end_matches('Z'));
        }
    });
}

/// Contours of F around its least, and the least.
fn noises(canvas: &mut Canvas, at: [f64; 4], plane: &NoisePlane) {
    let [x, y] = [0, 1].map(|m| {
        let (low, high) = extent(plane.scales[m].iter().copied());
        (Scale::log(low, high), Label::new(&format!("factor of σ, {}", plane.measurements[m]), ""))
    });
    Panel::within(canvas, at, x, y).draw(canvas, |panel, canvas| {
        for level in LEVELS {
            let contour = contour(plane, level).into_iter().map(|c| panel.p((c[0], c[1])));
            canvas.path("band noise f0", &(line(contour) + "Z"));
        }
        let best = panel.p((plane.best[0], plane.best[1]));
        canvas.path("dot best s", &super::super::svg::dots([best]));
    });
}

/// Where F is so much above its least, seen from there in all directions, by halving; at the edge of the plane where it stays below.
fn contour(plane: &NoisePlane, level: f64) -> Vec<[f64; 2]> {
    let reach = [0, 1].map(|m| (plane.scales[m][plane.scales[m].len() - 1] / plane.scales[m][0]).ln());
    let corner = |i: usize| {
        let (sin, cos) = (TAU * i as f64 / CORNERS as f64).sin_cos();
        let at = |r: f64| [plane.best[0] * (r * cos * reach[0]).exp(), plane.best[1] * (r * sin * reach[1]).exp()];
        let (mut inside, mut outside) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let r = 0.5 * (inside + outside);
            let below = between(plane, at(r)).is_some_and(|f| f - plane.free_energy < level);
            if below { inside = r } else { outside = r }
        }
        at(inside)
    };
    (0..CORNERS).map(corner).collect()
}

/// F between the points of the plane, bilinear in ln c; none outside.
fn between(plane: &NoisePlane, c: [f64; 2]) -> Option<f64> {
    let cell = |m: usize| {
        let scales = &plane.scales[m];
        let i = scales.partition_point(|s| *s <= c[m]).checked_sub(1).filter(|i| i + 1 < scales.len())?;
        Some((i, (c[m] / scales[i]).ln() / (scales[i + 1] / scales[i]).ln()))
    };
    let ((i, u), (j, v)) = (cell(0)?, cell(1)?);
    let f = |i: usize, j: usize| plane.free_energies[i * plane.scales[1].len() + j];
    let low = (1.0 - v) * f(i, j) + v * f(i, j + 1);
    let high = (1.0 - v) * f(i + 1, j) + v * f(i + 1, j + 1);
    Some((1.0 - u) * low + u * high)
}
