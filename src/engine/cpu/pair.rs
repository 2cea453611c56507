//! Two numbers abreast, operation by operation, so that one need not wait for what the other waits for.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::models::Number;
use crate::models::lanes::{Scale, bell, exponential};
use crate::models::polynomials::EXP_HIGH;

/// Two numbers; each gets the bits that it would get alone.
#[derive(Clone, Copy, Debug)]
pub struct Pair<N>(pub N, pub N);

macro_rules! each {
    ($($method:ident($($other:ident),*)),+ $(,)?) => {$(
        #[inline(always)]
        fn $method(self, $($other: Self),*) -> Self {
            Self(self.0.$method($($other.0),*), self.1.$method($($other.1),*))
        }
    )+};
}

macro_rules! operators {
    ($($operator:ident::$method:ident($($other:ident),*)),+ $(,)?) => {$(
        impl<N: Number> $operator for Pair<N> {
            type Output = Self;
            each!($method($($other),*));
        }
    )+};
}

operators!(Add::add(other), Sub::sub(other), Mul::mul(other), Div::div(other), Neg::neg());

impl<N: Scale> Scale for Pair<N> {
    each!(scale(rounded));
}

impl<N: Scale> Number for Pair<N> {
    each!(mul_add(a, b), abs(), min(other), max(other), if_below(bound, below, otherwise), sqrt());
    each!(ln(), ln_1p(), sin(), cos(), atan(), erf(), powf(p));

    #[inline(always)]
    fn of(self, value: f64) -> Self {
        Self(self.0.of(value), self.1.of(value))
    }

    // A chain of a dozen operations, each of which waits for the last: two chains at once take little longer than one.
    #[inline(always)]
    fn exp(self) -> Self {
        exponential(self.min(self.of(f64::from(EXP_HIGH))))
    }

    #[inline(always)]
    fn bell(self) -> Self {
        bell(self)
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, Simd, SimdBase, SimdInto, f32x16};

    use super::*;
    use crate::models::level::{OnLevel, named, on};

    struct Same(f32);

    impl OnLevel for Same {
        type Output = ();

        fn on<S: Simd>(self, simd: S) {
            let bits = |x: f32x16<S>| x.to_array().map(f32::to_bits);
            let (x, y): (f32x16<S>, f32x16<S>) = (self.0.simd_into(simd), (0.5 * self.0 - 1.0).simd_into(simd));
            let pair = Pair(x, y);
            let functions = [
                ("exp", Number::exp(pair), Number::exp(x), Number::exp(y)),
                ("bell", Number::bell(pair), Number::bell(x), Number::bell(y)),
                ("atan", Number::atan(pair), Number::atan(x), Number::atan(y)),
                ("erf", Number::erf(pair), Number::erf(x), Number::erf(y)),
                ("min", Number::min(pair, pair.of(0.3)), Number::min(x, x.of(0.3)), Number::min(y, y.of(0.3))),
                ("mul_add", pair.mul_add(pair, pair.of(0.7)), x.mul_add(x, x.of(0.7)), y.mul_add(y, y.of(0.7))),
                ("division", pair.of(1.0) / pair, x.of(1.0) / x, y.of(1.0) / y),
                ("difference", pair - pair.of(0.1), x - x.of(0.1), y - y.of(0.1)),
            ];
            for (name, both, first, second) in functions {
                assert_eq!((bits(both.0), bits(both.1)), (bits(first), bits(second)), "{name} of {}", self.0);
            }
        }
    }

    #[test]
    fn each_of_two_gets_the_bits_it_would_get_alone() {
        for level in [Level::new(), named("fallback").unwrap()] {
            for x in [-1e30, -200.0, -87.4, -87.3, -3.7, -0.0, 1e-9, 0.4, 5.0, 88.7, 89.0, 1e30, f32::INFINITY, f32::NAN] {
                on(level, Same(x));
            }
        }
    }
}
