//! The two kinds of numbers the engine computes in: sixteen f32 lanes, or one f64.

use fearless_simd::{Simd, SimdBase, SimdInto, SimdWiden, f32x16};

use super::span::{BLOCK, STEP};
use crate::engine::oracle;
use crate::models::{Number, lanes};

/// Partial sums of one block: eight, so that they are added as vectors and always in the same order.
pub type Partial = [f64; 8];

/// A kind of number, on an instruction set.
pub trait Arithmetic: Copy + Send {
    /// What arrays hold.
    type Element: Copy + Default + Send + std::fmt::Debug;
    /// What expressions are written in.
    type Vector: Number;
    /// Points of a vector; divides [`STEP`].
    const WIDTH: usize;

    /// The element nearest to a value.
    fn element(value: f64) -> Self::Element;
    /// A vector of equal elements.
    fn splat(self, value: f64) -> Self::Vector;
    /// A vector of the first elements of a slice.
    fn load(self, from: &[Self::Element]) -> Self::Vector;
    /// Writes a vector to the first elements of a slice.
    fn store(self, vector: Self::Vector, into: &mut [Self::Element]);
    /// Half the Poisson deviance of counts y and expectation f > 0.
    fn half_deviance(y: Self::Vector, f: Self::Vector) -> Self::Vector;
    /// Sums a block's contributions, given by the offset of their first point.
    fn sum_block(self, contribution: impl Fn(usize) -> Self::Vector) -> Partial;
    /// Runs a closure (which must be `#[inline(always)]`) compiled for the instruction set.
    fn vectorize<R>(self, task: impl FnOnce() -> R) -> R;
}

/// f32 lanes.
#[derive(Clone, Copy)]
pub struct Lanes<S>(pub S);

impl<S: Simd> Arithmetic for Lanes<S> {
    type Element = f32;
    type Vector = f32x16<S>;
    const WIDTH: usize = STEP;

    #[inline(always)]
    fn element(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn splat(self, value: f64) -> f32x16<S> {
        (value as f32).simd_into(self.0)
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> f32x16<S> {
        f32x16::from_slice(self.0, &from[..STEP])
    }

    #[inline(always)]
    fn store(self, vector: f32x16<S>, into: &mut [f32]) {
        vector.store_slice(&mut into[..STEP]);
    }

    #[inline(always)]
    fn half_deviance(y: f32x16<S>, f: f32x16<S>) -> f32x16<S> {
        lanes::half_deviance(y, f)
    }

    // Four f32 numbers are added before they are widened: their rounding, 6e-8 of a block's part, is below that of the terms.
    #[inline(always)]
    fn sum_block(self, contribution: impl Fn(usize) -> f32x16<S>) -> Partial {
        let sum = (contribution(0) + contribution(STEP)) + (contribution(2 * STEP) + contribution(3 * STEP));
        let (low, high) = sum.widen();
        *(low + high)
    }

    #[inline(always)]
    fn vectorize<R>(self, task: impl FnOnce() -> R) -> R {
        self.0.vectorize(task)
    }
}

/// One f64 at a time; the instruction set gives it a fused multiply-add.
#[derive(Clone, Copy)]
pub struct Double<S>(pub S);

impl<S: Simd> Arithmetic for Double<S> {
    type Element = f64;
    type Vector = f64;
    const WIDTH: usize = 1;

    #[inline(always)]
    fn element(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn splat(self, value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn load(self, from: &[f64]) -> f64 {
        from[0]
    }

    #[inline(always)]
    fn store(self, vector: f64, into: &mut [f64]) {
        into[0] = vector;
    }

    #[inline(always)]
    fn half_deviance(y: f64, f: f64) -> f64 {
        0.5 * oracle::deviance(y, f)
    }

    #[inline(always)]
    fn sum_block(self, contribution: impl Fn(usize) -> f64) -> Partial {
        let mut partial = Partial::default();
        for i in 0..BLOCK {
            partial[i % 8] += contribution(i);
        }
        partial
    }

    #[inline(always)]
    fn vectorize<R>(self, task: impl FnOnce() -> R) -> R {
        self.0.vectorize(task)
    }
}
