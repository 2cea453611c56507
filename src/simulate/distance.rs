//! How well the data of a frame can tell its true number of peaks, known before any run.
//!
//! The Kullback–Leibler distance, in nats, from the truth to the nearest curve with one peak fewer is the log likelihood ratio that the
//! data give on average. A method that is right on average must still miss peaks that are closer than their own Occam factor, some
//! ten nats; [`RESOLVABLE`] leaves twice that.

use nalgebra::{DMatrix, DVector};

use super::scoring::{self, Standing};
use super::truth::{TrueTerm, curve};
use crate::error::Result;
use crate::models::{Role, Setup};

/// A window whose distance is at least this, in nats, counts as resolvable: its number of peaks should be found.
pub const RESOLVABLE: f64 = 25.0;

/// A curve that touches 0 has no information of its own; the smallest one keeps the numbers finite.
const LEAST: f64 = 1e-12;

/// The noise that a distance is measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Counts: Σ f ln(f/g) − f + g.
    Poisson,
    /// Gaussian of that σ: Σ (f − g)²/2σ².
    Gaussian(f64),
}

impl Scale {
    /// Distance from f to g in nats; infinite where g allows no counts and f has some.
    pub fn distance(self, f: &[f64], g: &[f64]) -> f64 {
        let one = |f: f64, g: f64| match self {
            Self::Gaussian(sigma) => 0.5 * ((f - g) / sigma).powi(2),
            Self::Poisson if g < 0.0 => f64::INFINITY,
            Self::Poisson if f > 0.0 => f * (f / g).ln() - f + g,
            Self::Poisson => g,
        };
        f.iter().zip(g).map(|(f, g)| one(*f, *g)).sum()
    }

    /// Derivative of the distance with respect to g.
    pub(super) fn slope(self, f: f64, g: f64) -> f64 {
        match self {
            Self::Gaussian(sigma) => (g - f) / (sigma * sigma),
            Self::Poisson => 1.0 - f / g.max(LEAST),
        }
    }

    /// Fisher information of g.
    pub(super) fn information(self, g: f64) -> f64 {
        match self {
            Self::Gaussian(sigma) => (sigma * sigma).recip(),
            Self::Poisson => g.max(LEAST).recip(),
        }
    }
}

/// The true number of peaks in a window at one frame, and how far the nearest curve with one fewer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolvability {
    /// Peaks that exist and have their center in the window.
    pub k: usize,
    /// Kullback–Leibler distance in nats; infinite where there is no peak, for nothing has fewer.
    pub nats: f64,
}

/// The resolvability of the peaks of `terms` in the window `range`, whose points are `x`.
///
/// The curve with one peak fewer has the models of the truth. All parameters of its peaks and of what is no peak are free, within
/// the models' bounds; amplitudes keep their sign, centers stay in the window; peaks whose center lies outside stay as they are. A
/// fit whose parameters are tied or held within priors is farther away, so the distance is the least any spec can have.
///
/// # Errors
/// Where a model refuses the truth.
pub fn resolvability(terms: &[TrueTerm], x: &[f64], range: (f64, f64), setup: &Setup, scale: Scale) -> Result<Resolvability> {
    let center = |t: &TrueTerm| t.role(Role::Center).unwrap_or(f64::NAN);
    let inside = |t: &TrueTerm| t.is_peak() && (range.0..=range.1).contains(&center(t));
    let there = || terms.iter().filter(|t| t.exists());
    let mut peaks: Vec<TrueTerm> = there().filter(|t| inside(t)).cloned().collect();
    if peaks.is_empty() {
        return Ok(Resolvability { k: 0, nats: f64::INFINITY });
    }
    peaks.sort_by(|a, b| center(a).total_cmp(&center(b)));
    let others: Vec<TrueTerm> = there().filter(|t| !t.is_peak()).cloned().collect();
    let outside: Vec<TrueTerm> = there().filter(|t| t.is_peak() && !inside(t)).cloned().collect();
    let search = Search { x, setup, scale, range, target: curve(terms, x, setup)?, offset: curve(&outside, x, setup)? };
    let mut nats = f64::INFINITY;
    for start in starts(&peaks) {
        // Rounding can leave less than nothing where two peaks coincide.
        nats = nats.min(search.nearest([others.clone(), start].concat())).max(0.0);
    }
    Ok(Resolvability { k: peaks.len(), nats })
}

/// One peak fewer: each one left out, each pair of neighbours made one.
fn starts(peaks: &[TrueTerm]) -> Vec<Vec<TrueTerm>> {
    let without = |i: usize| [&peaks[..i], &peaks[i + 1..]].concat();
    let joined = |i: usize| [&peaks[..i], &[merged(&peaks[i], &peaks[i + 1])], &peaks[i + 2..]].concat();
    (0..peaks.len()).map(without).chain((1..peaks.len()).map(|i| joined(i - 1))).collect()
}

/// One peak in place of two: their amplitude, and their mean and variance as if they were Gaussians.
fn merged(a: &TrueTerm, b: &TrueTerm) -> TrueTerm {
    /// fwhm²/σ² of a Gaussian, 8 ln 2.
    const FWHM2: f64 = 5.545_177_444_479_562;
    let mut one = a.clone();
    let of = |t: &TrueTerm, role| t.role(role).unwrap_or(0.0);
    let (wa, wb) = (of(a, Role::Amplitude).abs(), of(b, Role::Amplitude).abs());
    let mean = |p: f64, q: f64| if wa + wb > 0.0 { (wa * p + wb * q) / (wa + wb) } else { 0.5 * (p + q) };
    let (ca, cb) = (of(a, Role::Center), of(b, Role::Center));
    let center = mean(ca, cb);
    let spread = mean((ca - center).powi(2), (cb - center).powi(2));
    let fwhm = (mean(of(a, Role::Width).powi(2), of(b, Role::Width).powi(2)) + FWHM2 * spread).sqrt();
    let amplitude = of(a, Role::Amplitude) + of(b, Role::Amplitude);
    for (role, value) in [(Role::Center, center), (Role::Width, fwhm), (Role::Amplitude, amplitude)] {
        if let Some(i) = one.index(role) {
            one.theta[i] = value;
        }
    }
    one
}

/// The curve that is sought, and where.
struct Search<'a> {
    x: &'a [f64],
    setup: &'a Setup,
    scale: Scale,
    range: (f64, f64),
    target: Vec<f64>,
    /// Peaks that stay as they are.
    offset: Vec<f64>,
}

/// Where a fit stands.
struct State<'a> {
    search: &'a Search<'a>,
    terms: Vec<TrueTerm>,
    curve: Vec<f64>,
    nats: f64,
}

impl Search<'_> {
    /// The least distance reached from `start`; infinite where the start itself is impossible.
    fn nearest(&self, start: Vec<TrueTerm>) -> f64 {
        self.state(start).map_or(f64::INFINITY, |start| scoring::nearest(start).nats)
    }

    fn state(&self, terms: Vec<TrueTerm>) -> Option<State<'_>> {
        let mut curve = curve(&terms, self.x, self.setup).ok()?;
        curve.iter_mut().zip(&self.offset).for_each(|(c, o)| *c += o);
        let nats = self.scale.distance(&self.target, &curve);
        nats.is_finite().then_some(State { search: self, terms, curve, nats })
    }

    /// The bounds of parameter j of a term.
    fn bounds(&self, term: &TrueTerm, j: usize) -> (f64, f64) {
        let (low, high) = term.bounds[j];
        let window = self.range.1 - self.range.0;
        match term.roles[j] {
            Role::Amplitude if term.is_peak() && term.theta[j] < 0.0 => (low, 0.0),
            Role::Amplitude if term.is_peak() => (low.max(0.0), high),
            Role::Center => (low.max(self.range.0), high.min(self.range.1)),
            // Narrower than the points are apart is not seen, wider than this is background.
            Role::Width => (low.max(1e-3 * window), high.min(10.0 * window)),
            _ => (low, high),
        }
    }

    /// Derivatives of the curve with respect to all parameters, by differences of one term at a time, and whether each is at its lower or upper
    /// bound.
    fn columns(&self, terms: &[TrueTerm]) -> (Vec<Vec<f64>>, Vec<(bool, bool)>) {
        let mut scratch = Vec::new();
        let mut columns = Vec::new();
        let mut held = Vec::new();
        for term in terms {
            for j in 0..term.theta.len() {
                let (low, high) = self.bounds(term, j);
                let size = match term.roles[j] {
                    Role::Center => term.role(Role::Width).unwrap_or(self.range.1 - self.range.0),
                    _ => term.theta[j].abs().max(1e-3),
                };
                let step = if term.theta[j] + 1e-6 * size > high { -1e-6 * size } else { 1e-6 * size };
                let mut column = vec![0.0; self.x.len()];
                let mut moved = term.clone();
                moved.theta[j] += step;
                // A parameter that cannot be moved does not change the curve.
                let mut before = vec![0.0; self.x.len()];
                if moved.add(self.x, self.setup, &mut scratch, &mut column).is_ok()
                    && term.add(self.x, self.setup, &mut scratch, &mut before).is_ok()
                {
                    column.iter_mut().zip(&before).for_each(|(c, b)| *c = (*c - b) / step);
                } else {
                    column.fill(0.0);
                }
                columns.push(column);
                held.push((term.theta[j] <= low, term.theta[j] >= high));
            }
        }
        (columns, held)
    }

    /// The terms less a step, held within bounds.
    fn stepped(&self, terms: &[TrueTerm], step: &DVector<f64>) -> Vec<TrueTerm> {
        let mut terms = terms.to_vec();
        let mut steps = step.iter();
        for term in &mut terms {
            for j in 0..term.theta.len() {
                let (low, high) = self.bounds(term, j);
                term.theta[j] = (term.theta[j] - steps.next().copied().unwrap_or(0.0)).clamp(low, high);
            }
        }
        terms
    }
}

impl Standing for State<'_> {
    fn nats(&self) -> f64 {
        self.nats
    }

    fn derivatives(&self) -> (DVector<f64>, DMatrix<f64>) {
        let (columns, ends) = self.search.columns(&self.terms);
        scoring::derivatives(&columns, &ends, (&self.search.target, &self.curve), self.search.scale)
    }

    fn stepped(&self, step: &DVector<f64>) -> Option<Self> {
        self.search.state(self.search.stepped(&self.terms, step))
    }
}
