//! The data of a problem as the loops want them: all measurements on one axis, padded to whole blocks.

use super::arithmetic::{Arithmetic, Partial, Step};
use super::span::{Ends, STEP, STEPS_A_BLOCK, Span};
use crate::engine::{POISSON_FLOOR, floor};
use crate::error::{Error, Result};
use crate::models::{Extent, ShapeKind};
use crate::problem::{Measurement, Noise, Problem};

/// Most coefficients of one evaluation of a shape.
pub const MOST_COEFFICIENTS: usize = 128;

/// A problem's data and terms.
#[derive(Debug)]
pub struct Grid<'p, E> {
    /// (x − mid)/half; padding repeats the last point of its measurement.
    t: Vec<Step<E>>,
    /// The middle of each step, in f64.
    origins: Vec<f64>,
    /// t from there: what is left to round is small.
    near: Vec<Step<E>>,
    /// What the curve is added to: −y under Gaussian noise (the sum is a residual), 0 under Poisson.
    pub origin: Vec<Step<E>>,
    /// 1/σ under Gaussian noise, the counts under Poisson; padding makes no misfit.
    first: Vec<Step<E>>,
    /// Exposure under Poisson; unused under Gaussian noise.
    second: Vec<Step<E>>,
    /// One a measurement.
    pub parts: Vec<Part<'p>>,
    /// One a term.
    pub terms: Vec<TermOnGrid>,
}

/// Some steps of the axis.
#[derive(Clone, Copy, Debug)]
pub struct Axis<'a, E> {
    /// t.
    pub t: &'a [Step<E>],
    /// A t in the middle of each step.
    pub origins: &'a [f64],
    /// t less the origin of its step.
    pub near: &'a [Step<E>],
}

/// What misfits are formed with at some steps.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a, E> {
    /// See [`Grid`].
    pub first: &'a [Step<E>],
    /// See [`Grid`].
    pub second: &'a [Step<E>],
}

/// Where a measurement lies on the axis.
#[derive(Debug)]
pub struct Part<'p> {
    /// Its t in f64: supports are found before anything is rounded, so that a peak between two points stays there.
    t: &'p [f64],
    ends: Ends,
    /// Its blocks.
    pub blocks: Span,
    /// Which misfit.
    pub poisson: bool,
    /// What the sum over points is multiplied by.
    factor: f64,
}

/// What a loop needs to know of a term.
#[derive(Clone, Copy, Debug)]
pub struct TermOnGrid {
    /// Its shape.
    pub shape: ShapeKind,
    /// How its coefficients lie.
    pub extent: Extent,
    /// Its measurement.
    pub part: usize,
    /// Magnitude below which it is left out.
    floor: f64,
}

impl<'p, E: Copy> Grid<'p, E> {
    /// The grid of a problem.
    pub fn new<A: Arithmetic<Element = E>>(problem: &'p Problem) -> Result<Self> {
        let terms = problem.terms.iter().map(|term| term_on_grid(problem, term)).collect::<Result<_>>()?;
        let (t, origins, near) = (Vec::new(), Vec::new(), Vec::new());
        let (origin, first, second) = (Vec::new(), Vec::new(), Vec::new());
        let mut grid = Self { t, origins, near, origin, first, second, parts: Vec::new(), terms };
        for measurement in &problem.measurements {
            grid.push::<A>(measurement);
        }
        Ok(grid)
    }

    fn push<A: Arithmetic<Element = E>>(&mut self, measurement: &'p Measurement) {
        let Measurement { t, y, weight, exposure, .. } = measurement;
        let poisson = measurement.noise == Noise::Poisson;
        let begin = self.t.len() / STEPS_A_BLOCK;
        let end = begin + t.len().div_ceil(STEP * STEPS_A_BLOCK);
        for step in 0..(end - begin) * STEPS_A_BLOCK {
            let gather = |of: &dyn Fn(usize) -> f64| Step(std::array::from_fn(|lane| A::element(of(step * STEP + lane))));
            let inside = |i: usize| i < t.len();
            let at = |i: usize| t[i.min(t.len() - 1)];
            let middle = at(step * STEP + STEP / 2);
            self.t.push(gather(&at));
            self.origins.push(middle);
            self.near.push(gather(&|i| at(i) - middle));
            self.origin.push(gather(&|i| if inside(i) && !poisson { -y[i] } else { 0.0 }));
            self.first.push(gather(&|i| match (inside(i), poisson) {
                (true, true) => y[i],
                (true, false) => weight[i],
                // Without exposure the expectation is the floor; counts equal to that make no misfit.
                (false, true) => POISSON_FLOOR,
                (false, false) => 0.0,
            }));
            self.second.push(gather(&|i| if inside(i) { exposure.get(i).copied().unwrap_or(1.0) } else { 0.0 }));
        }
        let factor = if poisson { 2.0 * measurement.scale } else { 1.0 };
        self.parts.push(Part { t, ends: Ends::of(t), blocks: Span { begin, end }, poisson, factor });
    }

    /// Steps, padding included.
    pub fn steps(&self) -> usize {
        self.t.len()
    }

    /// The axis at the steps of a span.
    pub fn axis(&self, span: Span) -> Axis<'_, E> {
        let steps = span.range();
        Axis { t: &self.t[steps.clone()], origins: &self.origins[steps.clone()], near: &self.near[steps] }
    }

    /// The data at the steps of a span.
    #[inline(always)]
    pub fn data(&self, span: Span) -> Data<'_, E> {
        Data { first: &self.first[span.range()], second: &self.second[span.range()] }
    }

    /// Each term with its coefficients, of those of all terms in a row.
    pub fn coefficients<'c>(&self, all: &'c [f64]) -> impl Iterator<Item = (usize, &'c [f64])> {
        self.terms.iter().enumerate().scan(all, |left, (k, term)| {
            let (own, after) = left.split_at(term.extent.len());
            *left = after;
            Some((k, own))
        })
    }

    /// The steps in which a term is not negligible.
    pub fn support(&self, term: usize, coefficients: &[f64]) -> Span {
        let TermOnGrid { shape, extent, part, floor } = self.terms[term];
        let part = &self.parts[part];
        let (low, high) = shape.support(coefficients, extent, floor);
        let first = part.blocks.begin * STEPS_A_BLOCK;
        if low.is_nan() || high.is_nan() {
            return part.blocks.steps();
        }
        let Span { begin, end } = part.ends.touched(part.t, low, high);
        Span { begin: first + begin, end: first + end }
    }
}

impl Part<'_> {
    /// The misfit that a sum over all points stands for.
    pub fn misfit(&self, sum: &Partial) -> f64 {
        let [a, b, c, d, e, f, g, h] = sum.0;
        let misfit = self.factor * (((a + b) + (c + d)) + ((e + f) + (g + h)));
        if misfit.is_finite() { misfit } else { crate::engine::SENTINEL }
    }
}

fn term_on_grid(problem: &Problem, term: &crate::problem::Term) -> Result<TermOnGrid> {
    if term.extent.stride > MOST_COEFFICIENTS {
        return Err(Error::fatal(format!("a `{}` of size {} has {} coefficients", term.model.name, term.size, term.extent.stride))
            .hint(format!("at most {MOST_COEFFICIENTS} can be evaluated; choose a smaller size")));
    }
    let data = &problem.measurements[term.measurement];
    Ok(TermOnGrid { shape: term.model.shape, extent: term.extent, part: term.measurement, floor: floor(data) })
}
