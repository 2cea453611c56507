//! A term's coefficients as they lie on the device: in f32, each peak's evaluations followed by the two ends of their support.

use crate::engine::floor;
use crate::models::{Extent, ShapeKind};
use crate::problem::{Problem, Term};

/// Coefficients are held within ±this on the device, so that products of three of them stay finite; a finite curve has none so large.
const COEFFICIENT_LIMIT: f64 = 1e12;

/// Ends of supports are held within ±this, so that none is infinite; all points lie within ±1.
const BEYOND: f64 = 2.0;

/// Numbers that the ends of a support take.
const ENDS: usize = 2;

/// How one term is packed.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    shape: ShapeKind,
    /// On the host.
    extent: Extent,
    /// Magnitude below which an evaluation is left out.
    floor: f64,
}

impl Packing {
    /// Of a term of a problem. Each evaluation may be as large as the floor, so that their sum is held to it.
    pub fn of(problem: &Problem, term: &Term) -> Self {
        let floor = floor(&problem.measurements[term.measurement]) / term.extent.repeats as f64;
        Self { shape: term.model.shape, extent: term.extent, floor }
    }

    /// How its numbers lie on the device.
    pub fn extent(&self) -> Extent {
        let ends = if self.shape.is_local() { ENDS } else { 0 };
        Extent { stride: self.extent.stride + ends, ..self.extent }
    }

    /// Packs the first of the coefficients and leaves the others; false where one is not finite.
    pub fn push(&self, coefficients: &mut &[f64], out: &mut Vec<f32>) -> bool {
        let (own, others) = coefficients.split_at(self.extent.len());
        *coefficients = others;
        let mut finite = true;
        for run in own.chunks_exact(self.extent.stride) {
            out.extend(run.iter().map(|&c| {
                finite &= c.is_finite();
                let held = if c.is_nan() { COEFFICIENT_LIMIT } else { c.clamp(-COEFFICIENT_LIMIT, COEFFICIENT_LIMIT) };
                held as f32
            }));
            if self.shape.is_local() {
                let (low, high) = self.support(run);
                out.extend([low as f32, high as f32]);
            }
        }
        finite
    }

    /// Where an evaluation is not negligible, in t: nowhere if its first number is the larger one. Points are rounded to f32 as the ends are, and
    /// rounding keeps the order, so that none is lost.
    pub fn support(&self, run: &[f64]) -> (f64, f64) {
        let (low, high) = self.shape.support(run, Extent { repeats: 1, ..self.extent }, self.floor);
        let held = |end: f64, unknown: f64| if end.is_nan() { unknown } else { end.clamp(-BEYOND, BEYOND) };
        (held(low, -BEYOND), held(high, BEYOND))
    }
}

/// Numbers that a walker's coefficients take on the device.
pub fn coefficients(problem: &Problem) -> usize {
    problem.terms.iter().map(|term| Packing::of(problem, term).extent().len()).sum()
}
