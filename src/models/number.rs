//! The numbers a term is evaluated in: f64 for the oracle, f32 lanes for the cpu engine.

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
    fn exp(self) -> Self {
        f64::exp(self)
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
