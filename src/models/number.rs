//! The numbers a term is evaluated in: f64 for the oracle, f32 lanes for the cpu engine.
//!
//! No model, so it has no shader: in shaders a number is an f32.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number or a vector of them, all lanes alike.
///
/// Terms are written once over this trait; their WGSL twins are the same lines with the functions of `shaders/math.wgsl`.
/// Every function must be correct to a few ulp of the lane type over the range that its document names.
pub trait Number: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self> {
    /// A constant of the same kind as `self` (SIMD vectors carry their level with them).
    #[must_use]
    fn of(self, value: f64) -> Self;
    /// self · a + b, rounded once.
    #[must_use]
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// |self|
    #[must_use]
    fn abs(self) -> Self;
    /// The smaller one.
    #[must_use]
    fn min(self, other: Self) -> Self;
    /// The larger one.
    #[must_use]
    fn max(self, other: Self) -> Self;
    /// `below` where self < bound, `otherwise` elsewhere.
    #[must_use]
    fn if_below(self, bound: Self, below: Self, otherwise: Self) -> Self;
    /// √self, self ≥ 0.
    #[must_use]
    fn sqrt(self) -> Self;
    /// eˢᵉˡᶠ; 0 below the smallest normal number.
    #[must_use]
    fn exp(self) -> Self;
    /// A bell: 2 to the power −self², which is one half at ±1. In f32 it stays at its value there beyond ±10, 8·10⁻³¹.
    #[must_use]
    fn bell(self) -> Self;
    /// Natural logarithm of a positive normal number.
    #[must_use]
    fn ln(self) -> Self;
    /// Natural logarithm of 1 + self, self > −1, exact for small self.
    #[must_use]
    fn ln_1p(self) -> Self;
    /// Sine; |self| ≤ 10⁴.
    #[must_use]
    fn sin(self) -> Self;
    /// Cosine; |self| ≤ 10⁴.
    #[must_use]
    fn cos(self) -> Self;
    /// Arc tangent.
    #[must_use]
    fn atan(self) -> Self;
    /// Error function.
    #[must_use]
    fn erf(self) -> Self;
    /// selfᵖ for positive self.
    #[must_use]
    fn powf(self, p: Self) -> Self;
}

/// 1/12!, 1/11!, … 1/0!.
const INVERSE_FACTORIALS: [f64; 13] = [
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

impl Number for f64 {
    fn of(self, value: f64) -> Self {
        value
    }
    fn mul_add(self, a: Self, b: Self) -> Self {
        f64::mul_add(self, a, b)
    }
    fn abs(self) -> Self {
        f64::abs(self)
    }
    fn min(self, other: Self) -> Self {
        f64::min(self, other)
    }
    fn max(self, other: Self) -> Self {
        f64::max(self, other)
    }
    fn if_below(self, bound: Self, below: Self, otherwise: Self) -> Self {
        if self < bound { below } else { otherwise }
    }
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    /// Without a branch or a call, so that a loop over points becomes vectors: 2ᵏ times the series of eʳ, |r| ≤ ½ ln 2, whose first term left
    /// out is 4·10⁻¹⁸; within 2 ulp of the library's.
    #[inline(always)]
    fn exp(self) -> Self {
        // Adding it rounds to an integer, and leaves that integer in the low bits.
        const ROUNDER: f64 = 6_755_399_441_055_744.0;
        // ln 2 as a number of 33 bits and what is left: times k, the first is exact.
        const LN_2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
        const SMALLEST: f64 = -708.396_418_532_264_1;
        // 2¹⁰²³·⁵: the last binade is given up, for 2¹⁰²⁴ is no number.
        const LARGEST: f64 = 709.436_139_303_104;
        let shifted = self * std::f64::consts::LOG2_E + ROUNDER;
        let k = shifted - ROUNDER;
        let r = (self - k * LN_2.0) - k * LN_2.1;
        let mut sum = 1.0 / 6_227_020_800.0;
        for inverse in INVERSE_FACTORIALS {
            sum = sum * r + inverse;
        }
        let power = (shifted.to_bits() << 52).wrapping_add(1023 << 52);
        let value = sum * Self::from_bits(power);
        let value = if self < SMALLEST { 0.0 } else { value };
        if self > LARGEST { Self::INFINITY } else { value }
    }
    fn bell(self) -> Self {
        (-self * self).exp2()
    }
    fn ln(self) -> Self {
        f64::ln(self)
    }
    fn ln_1p(self) -> Self {
        f64::ln_1p(self)
    }
    fn sin(self) -> Self {
        f64::sin(self)
    }
    fn cos(self) -> Self {
        f64::cos(self)
    }
    fn atan(self) -> Self {
        f64::atan(self)
    }
    fn erf(self) -> Self {
        libm::erf(self)
    }
    fn powf(self, p: Self) -> Self {
        f64::powf(self, p)
    }
}

/// log2 x from above, by at most .0861 too much (Mitchell 1962); for 0 and subnormal numbers some −1023.
///
/// A double's bits count its powers of two in their upper part and go linearly from one to the next below: e + f for 2ᵉ(1 + f), and
/// log2(1 + f) − f is between 0 and .08608. A support is asked for once a move, of whose cost a logarithm is a fiftieth.
pub(super) fn log2_above(x: f64) -> f64 {
    let bits = |x: f64| x.to_bits() as f64;
    (bits(x) - bits(1.0)) / (1_u64 << (f64::MANTISSA_DIGITS - 1)) as f64 + 0.0861
}

/// 2ˣ from above, by at most 6.2 % too much, for x ≥ 0: the inverse of a double's bits as [`log2_above`] reads them, 2ᵉ(1 + f) for x = e + f.
pub(super) fn exp2_above(x: f64) -> f64 {
    // What would be no number is infinite.
    f64::from_bits(((x.min(1024.0) + 1023.0) * (1_u64 << (f64::MANTISSA_DIGITS - 1)) as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::{Number, exp2_above, log2_above};

    #[test]
    fn exponentials_are_those_of_the_library() {
        for i in -7_400_000..=7_100_000 {
            let x = f64::from(i) * 1.000_000_7e-4;
            let (got, expected) = (Number::exp(x), f64::exp(x));
            let fine = match x {
                ..-708.396_418_532_264_1 => got == 0.0,
                709.436_139_303_104.. => got == f64::INFINITY,
                _ => (got / expected - 1.0).abs() < 4.5e-16,
            };
            assert!(fine, "exp({x}): {got} for {expected}");
        }
        assert!(Number::exp(f64::NAN).is_nan());
        assert_eq!((Number::exp(f64::NEG_INFINITY), Number::exp(0.0f64), Number::exp(f64::INFINITY)), (0.0, 1.0, f64::INFINITY));
    }

    #[test]
    fn the_logarithm_is_bounded_from_above_and_closely() {
        for i in -40_000..40_000 {
            let x = (f64::from(i) * 1e-3).exp2();
            let excess = log2_above(x) - x.log2();
            assert!((0.0..0.0862).contains(&excess), "{x}: {excess}");
        }
        assert!(log2_above(0.0) < -1000.0);
    }

    #[test]
    fn the_power_is_bounded_from_above_and_closely() {
        for i in 0..1_000_000 {
            let x = f64::from(i) * 1e-3;
            let excess = exp2_above(x) / x.exp2() - 1.0;
            assert!((-1e-12..0.062).contains(&excess), "{x}: {excess}");
        }
        assert_eq!((exp2_above(0.0), exp2_above(1e300)), (1.0, f64::INFINITY));
    }
}
