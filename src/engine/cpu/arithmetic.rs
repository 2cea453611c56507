//! The two kinds of numbers the engine computes in: sixteen f32 lanes, or one f64.

use fearless_simd::{Simd, SimdBase, SimdInto, SimdWiden, f32x16};

use super::pair::Pair;
use super::span::{ABREAST, STEP, STEPS_A_BLOCK};
use crate::engine::oracle;
use crate::models::{Number, lanes};

/// The numbers of one step, on a cache line of their own: a vector that straddles two costs twice.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub struct Step<E>(pub [E; STEP]);

/// Partial sums of one block: eight, so that they are added as vectors and always in the same order.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub struct Partial(pub [f64; 8]);

impl Partial {
    /// Adds another one.
    #[inline(always)]
    pub fn add(&mut self, other: &Self) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a += b;
        }
    }
}

/// A kind of number, on an instruction set.
pub trait Arithmetic: Copy + Send {
    /// What arrays hold.
    type Element: Copy + Default + Send + std::fmt::Debug;
    /// What expressions are written in.
    type Vector: Number;
    /// Vectors of a step.
    const PARTS: usize;
    /// What terms are evaluated in: numbers of several steps, so that while one waits for its last operation, the others go on.
    type Abreast: Number;
    /// How many of those [`ABREAST`] steps are.
    const PARTS_ABREAST: usize;

    /// The element nearest to a value.
    fn element(value: f64) -> Self::Element;
    /// A vector of equal elements.
    fn splat(self, element: Self::Element) -> Self::Vector;
    /// One vector of a step.
    fn load(self, from: &Step<Self::Element>, part: usize) -> Self::Vector;
    /// Writes one vector of a step.
    fn store(self, vector: Self::Vector, into: &mut Step<Self::Element>, part: usize);
    /// Of each step an element for all its points.
    fn splat_abreast(self, elements: &[Self::Element; ABREAST], part: usize) -> Self::Abreast;
    /// Numbers of steps abreast.
    fn load_abreast(self, from: &[Step<Self::Element>; ABREAST], part: usize) -> Self::Abreast;
    /// Writes numbers of steps abreast.
    fn store_abreast(self, numbers: Self::Abreast, into: &mut [Step<Self::Element>; ABREAST], part: usize);
    /// Half the Poisson deviance of counts y and expectation f > 0.
    fn half_deviance(y: Self::Vector, f: Self::Vector) -> Self::Vector;
    /// Sums a block's contributions, given by step of the block and part of the step.
    fn sum_block(self, contribution: impl Fn(usize, usize) -> Self::Vector) -> Partial;
    /// Runs a closure (which must be `#[inline(always)]`) compiled for the instruction set.
    fn vectorize<R>(self, task: impl FnOnce() -> R) -> R;
}

/// f32 lanes.
#[derive(Clone, Copy)]
pub struct Lanes<S>(pub S);

impl<S: Simd> Arithmetic for Lanes<S> {
    type Element = f32;
    type Vector = f32x16<S>;
    const PARTS: usize = 1;
    type Abreast = Pair<Pair<f32x16<S>>>;
    const PARTS_ABREAST: usize = 1;

    #[inline(always)]
    fn element(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn splat(self, element: f32) -> f32x16<S> {
        element.simd_into(self.0)
    }

    #[inline(always)]
    fn load(self, from: &Step<f32>, _: usize) -> f32x16<S> {
        f32x16::load_array_ref(self.0, &from.0)
    }

    #[inline(always)]
    fn store(self, vector: f32x16<S>, into: &mut Step<f32>, _: usize) {
        vector.store_array(&mut into.0);
    }

    #[inline(always)]
    fn splat_abreast(self, [a, b, c, d]: &[f32; ABREAST], _: usize) -> Self::Abreast {
        Pair(Pair(self.splat(*a), self.splat(*b)), Pair(self.splat(*c), self.splat(*d)))
    }

    #[inline(always)]
    fn load_abreast(self, [a, b, c, d]: &[Step<f32>; ABREAST], _: usize) -> Self::Abreast {
        Pair(Pair(self.load(a, 0), self.load(b, 0)), Pair(self.load(c, 0), self.load(d, 0)))
    }

    #[inline(always)]
    fn store_abreast(self, Pair(Pair(a, b), Pair(c, d)): Self::Abreast, into: &mut [Step<f32>; ABREAST], _: usize) {
        self.store(a, &mut into[0], 0);
        self.store(b, &mut into[1], 0);
        self.store(c, &mut into[2], 0);
        self.store(d, &mut into[3], 0);
    }

    #[inline(always)]
    fn half_deviance(y: f32x16<S>, f: f32x16<S>) -> f32x16<S> {
        lanes::half_deviance(y, f)
    }

    // Four f32 numbers are added before they are widened: their rounding, 6e-8 of a block's part, is below that of the terms.
    #[inline(always)]
    fn sum_block(self, contribution: impl Fn(usize, usize) -> f32x16<S>) -> Partial {
        let sum = (contribution(0, 0) + contribution(1, 0)) + (contribution(2, 0) + contribution(3, 0));
        let (low, high) = sum.widen();
        Partial((low + high).to_array())
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
    const PARTS: usize = STEP;
    type Abreast = f64;
    const PARTS_ABREAST: usize = ABREAST * STEP;

    #[inline(always)]
    fn element(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn splat(self, element: f64) -> f64 {
        element
    }

    #[inline(always)]
    fn load(self, from: &Step<f64>, part: usize) -> f64 {
        from.0[part]
    }

    #[inline(always)]
    fn store(self, vector: f64, into: &mut Step<f64>, part: usize) {
        into.0[part] = vector;
    }

    #[inline(always)]
    fn splat_abreast(self, elements: &[f64; ABREAST], part: usize) -> f64 {
        elements[part / STEP]
    }

    #[inline(always)]
    fn load_abreast(self, from: &[Step<f64>; ABREAST], part: usize) -> f64 {
        from[part / STEP].0[part % STEP]
    }

    #[inline(always)]
    fn store_abreast(self, numbers: f64, into: &mut [Step<f64>; ABREAST], part: usize) {
        into[part / STEP].0[part % STEP] = numbers;
    }

    #[inline(always)]
    fn half_deviance(y: f64, f: f64) -> f64 {
        0.5 * oracle::deviance(y, f)
    }

    #[inline(always)]
    fn sum_block(self, contribution: impl Fn(usize, usize) -> f64) -> Partial {
        let mut partial = Partial::default();
        for step in 0..STEPS_A_BLOCK {
            for part in 0..STEP {
                partial.0[part % 8] += contribution(step, part);
            }
        }
        partial
    }

    #[inline(always)]
    fn vectorize<R>(self, task: impl FnOnce() -> R) -> R {
        self.0.vectorize(task)
    }
}
