//! Sixteen f32 lanes as a [`Number`]: the elementary functions of [`super::polynomials`], with the same bits on every instruction set.
//!
//! No model: its shader twin is `shaders/math.wgsl`.
//!
//! Worst errors over the range given, in ulp of the result (the tests below hold them, by dense and random sweeps against f64):
//!
//! | function | range | ulp |
//! |---|---|---|
//! | exp | all; 0 below −87.33654, 3.4e38 above 88.72283 | 1 |
//! | bell | all, from its square as rounded; 8·10⁻³¹ beyond ±10 | 1 |
//! | ln | positive; subnormal numbers count as the smallest normal one | 1 |
//! | ln_1p | −1 < x < 10³⁷ | 1.5 |
//! | sin, cos | ∣x∣ ≤ 10⁴ | 2.5 |
//! | atan | all | 1.5 |
//! | erf | all | 1.5 |
//! | powf | x > 0, ∣p ln x∣ ≤ 5 | 3 |
//! | powf | x > 0, ∣p ln x∣ ≤ 87 | 11 |
//!
//! Only operations that IEEE 754 rounds exactly are used, fused multiply-add included (emulated where the instruction set has none), so
//! that levels differ in speed only. A NaN stays one through every function; `min` and `max` keep a NaN of `self`; ln of infinity is NaN.

use fearless_simd::{Bytes, Select, Simd, SimdBase, SimdFloat, SimdInt, SimdInto, f32x16, i32x16};

use super::number::Number;
use super::polynomials as table;

/// 1.5·2²³: adding it rounds a float below 2²² in magnitude to an integer, and leaves that integer in the low bits.
const ROUNDER: f32 = 12_582_912.0;

impl<S: Simd> Number for f32x16<S> {
    #[inline(always)]
    fn of(self, value: f64) -> Self {
        splat(self, value as f32)
    }

    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self.mul_add_precise(a, b)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        SimdBase::abs(self)
    }

    // Instruction sets agree that the second operand is returned where either is NaN, or that a NaN is; in this order both keep one of self.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        SimdBase::min(other, self)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        SimdBase::max(other, self)
    }

    #[inline(always)]
    fn if_below(self, bound: Self, below: Self, otherwise: Self) -> Self {
        self.simd_lt(bound).select(below, otherwise)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        SimdFloat::sqrt(self)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        exponential(Number::min(self, splat(self, table::EXP_HIGH)))
    }

    #[inline(always)]
    fn bell(self) -> Self {
        bell(self)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        let (n, f) = logarithm_parts(self);
        logarithm(n, f)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        let n = binary_exponent(self + 1.0).0;
        let scale = float((-n + 127) << 23);
        let f = self.mul_add_precise(scale, scale - 1.0);
        logarithm(n.to_float(), f)
    }

    #[inline(always)]
    fn sin(self) -> Self {
        let (quadrant, r) = quadrant(self);
        sine_of_quadrant(quadrant, r)
    }

    #[inline(always)]
    fn cos(self) -> Self {
        let (quadrant, r) = quadrant(self);
        sine_of_quadrant(quadrant + 1, r)
    }

    #[inline(always)]
    fn atan(self) -> Self {
        let one = splat(self, 1.0);
        let a = SimdBase::abs(self);
        let q = Number::min(a, one) / Number::max(a, one);
        let q2 = q * q;
        let v = (q * q2).mul_add_precise(horner(q2, &table::ATAN), q);
        let beyond = (splat(self, table::HALF_PI_HIGH) - v) + table::HALF_PI_LOW;
        a.simd_gt(one).select(beyond, v).copysign(self)
    }

    #[inline(always)]
    fn erf(self) -> Self {
        let one = splat(self, 1.0);
        let a = SimdBase::abs(self);
        let near = a.mul_add_precise(horner(a * a, &table::ERF), a);
        let c = Number::min(a, splat(self, 4.0));
        let far = one - Number::exp(-(a * horner(c, &table::ERFC)));
        a.simd_lt(one).select(near, far).copysign(self)
    }

    #[inline(always)]
    fn powf(self, p: Self) -> Self {
        let (n, f) = logarithm_parts(self);
        // ln x = high + low by error-free sums: the power multiplies its relative error by |p ln x|.
        let square = f * f;
        let square_rest = f.mul_add_precise(f, -square);
        let shift = n * table::LN_2_HIGH;
        let h1 = shift + f;
        let l1 = f - (h1 - shift);
        let minus_half_square = square * -0.5;
        let h2 = h1 + minus_half_square;
        let l2 = minus_half_square - (h2 - h1);
        let rest = n.mul_add_precise(table::LN_2_LOW, square_rest * -0.5);
        let tail = l1 + l2 + (f * square).mul_add_precise(horner(f, &table::LN), rest);
        let high = h2 + tail;
        let low = tail - (high - h2);
        let y = p * high;
        let y_rest = p.mul_add_precise(low, p.mul_add_precise(high, -y));
        let e = Number::exp(y);
        e.mul_add_precise(y_rest, e)
    }
}

/// What an exponential needs beyond a number.
pub trait Scale: Number {
    /// self · 2ⁿ, where n was rounded by adding 1.5·2²³ and `rounded` is the sum.
    #[must_use]
    fn scale(self, rounded: Self) -> Self;
}

impl<S: Simd> Scale for f32x16<S> {
    #[inline(always)]
    fn scale(self, rounded: Self) -> Self {
        float(bits(self) + (bits(rounded) << 23))
    }
}

/// eˣ for x up to [`table::EXP_HIGH`], operation by operation over whatever `x` holds.
#[inline(always)]
pub fn exponential<N: Scale>(x: N) -> N {
    let rounded = x.mul_add(constant(x, table::ONE_OVER_LN_2), constant(x, ROUNDER));
    let minus_n = constant(x, ROUNDER) - rounded;
    let r = minus_n.mul_add(constant(x, table::LN_2_HIGH), x);
    let r = minus_n.mul_add(constant(x, table::LN_2_LOW), r);
    let mut sum = constant(x, table::EXP[table::EXP.len() - 1]);
    for &c in table::EXP[..table::EXP.len() - 1].iter().rev() {
        sum = sum.mul_add(r, constant(x, c));
    }
    let p = (r * r).mul_add(sum, r) + constant(x, 1.0);
    x.if_below(constant(x, table::EXP_LOW), constant(x, 0.0), p.scale(rounded))
}

/// 2 to the power −u², operation by operation over whatever `u` holds.
#[inline(always)]
pub fn bell<N: Scale>(u: N) -> N {
    let square = (u * u).min(constant(u, table::BELL_END * table::BELL_END));
    let rounded = constant(u, ROUNDER) - square;
    let r = (constant(u, ROUNDER) - rounded) - square;
    let mut sum = constant(u, table::EXP2[table::EXP2.len() - 1]);
    for &c in table::EXP2[..table::EXP2.len() - 1].iter().rev() {
        sum = sum.mul_add(r, constant(u, c));
    }
    sum.mul_add(r, constant(u, 1.0)).scale(rounded)
}

#[inline(always)]
fn constant<N: Number>(like: N, value: f32) -> N {
    like.of(f64::from(value))
}

/// Half the Poisson deviance of expectation f ≥ [`f32::MIN_POSITIVE`] and counts y ≥ 0 (0 or normal): f − y − y ln(f/y).
///
/// Within 4 ulp where f and y differ by less than 25 % (however close they are), within 12 ulp elsewhere, wherever it is above 10⁻³⁰: the
/// difference and the logarithm are formed from the same numbers, so the leading terms do not cancel.
#[inline(always)]
pub fn half_deviance<S: Simd>(y: f32x16<S>, f: f32x16<S>) -> f32x16<S> {
    let n = (bits(f) - bits(y) + (1 << 22)) >> 23;
    let g = float(bits(f) - (n << 23));
    let d = g - y;
    let s = d / (g + y);
    let s2 = s * s;
    let series = (s * s2) * horner(s2, &table::ATANH);
    let steps: f32x16<S> = n.to_float();
    let shift = (f - g) - (y * steps) * std::f32::consts::LN_2;
    let value = d.mul_add_precise(s, -((y + y) * series)) + shift;
    y.if_below(splat(y, f32::MIN_POSITIVE), f, value)
}

#[inline(always)]
fn splat<S: Simd>(like: f32x16<S>, value: f32) -> f32x16<S> {
    use fearless_simd::ExtractToken;
    value.simd_into(like.token())
}

#[inline(always)]
fn bits<S: Simd>(x: f32x16<S>) -> i32x16<S> {
    x.bitcast()
}

#[inline(always)]
fn float<S: Simd>(x: i32x16<S>) -> f32x16<S> {
    x.bitcast()
}

/// Polynomial with ascending coefficients.
#[inline(always)]
fn horner<S: Simd, const N: usize>(x: f32x16<S>, coefficients: &[f32; N]) -> f32x16<S> {
    let mut sum = splat(x, coefficients[N - 1]);
    for &c in coefficients[..N - 1].iter().rev() {
        sum = sum.mul_add_precise(x, c);
    }
    sum
}

/// n and m with x = m·2ⁿ, m in [√½, √2); x below the smallest normal number counts as that.
#[inline(always)]
fn binary_exponent<S: Simd>(x: f32x16<S>) -> (i32x16<S>, f32x16<S>) {
    let i = bits(Number::max(x, splat(x, f32::MIN_POSITIVE))) - table::SQRT_HALF_BITS;
    (i >> 23, float((i & 0x007f_ffff) + table::SQRT_HALF_BITS))
}

/// n and f = m − 1 of ln x = n ln 2 + ln(1 + f); f is NaN where x is not finite.
#[inline(always)]
fn logarithm_parts<S: Simd>(x: f32x16<S>) -> (f32x16<S>, f32x16<S>) {
    let (n, m) = binary_exponent(x);
    (n.to_float(), x.mul_add_precise(0.0, m - 1.0))
}

/// n ln 2 + ln(1 + f) for integer n and f in [√½ − 1, √2 − 1].
#[inline(always)]
fn logarithm<S: Simd>(n: f32x16<S>, f: f32x16<S>) -> f32x16<S> {
    let square = f * f;
    let cubic = (f * square).mul_add_precise(horner(f, &table::LN), n * table::LN_2_LOW);
    let small = square.mul_add_precise(-0.5, cubic);
    n.mul_add_precise(table::LN_2_HIGH, f + small)
}

/// Quadrant (its low two bits count) and remainder within ±π/4.
#[inline(always)]
fn quadrant<S: Simd>(x: f32x16<S>) -> (i32x16<S>, f32x16<S>) {
    let rounded = x.mul_add_precise(table::TWO_OVER_PI, ROUNDER);
    let minus_n = splat(x, ROUNDER) - rounded;
    let mut r = x;
    for piece in table::HALF_PI {
        r = minus_n.mul_add_precise(piece, r);
    }
    (bits(rounded), r)
}

/// sin(r + quadrant·π/2)
#[inline(always)]
fn sine_of_quadrant<S: Simd>(quadrant: i32x16<S>, r: f32x16<S>) -> f32x16<S> {
    let r2 = r * r;
    let sine = (r * r2).mul_add_precise(horner(r2, &table::SIN), r);
    let cosine = (r2 * r2).mul_add_precise(horner(r2, &table::COS), r2.mul_add_precise(-0.5, 1.0));
    let value = (quadrant & 1).simd_eq(1).select(cosine, sine);
    float(bits(value) ^ ((quadrant & 2) << 30))
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
