//! An exponential background, by its values at the ends of the window.

use super::{DefaultPrior, Extent, Golden, Inadmissible, Number, Quantity, Role, Setup, Shape, Term, Unit};

/// c₀ exp(c₁ t − c₂); coefficients: the larger end value, half the logarithm of right/left, its magnitude.
///
/// The exponent is never positive in the window, so nothing overflows however steep the curve is.
pub struct Exponential;

impl Shape for Exponential {
    #[inline(always)]
    fn eval<N: Number>(t: N, c: &[N]) -> N {
        c[0] * t.mul_add(c[1], -c[2]).exp()
    }

    fn support(_: &[f64], _: f64) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
}

impl Term for Exponential {
    type Shape = Self;
    const NAME: &'static str = "exponential";
    const TITLE: &'static str = "exponential background";
    const ABOUT: &'static str = "f(x) = left (right / left)^((x - x_low) / (x_high - x_low)): positive, rising or falling, through its values at the two ends of the window, \
        because a prior on values has a meaning in every window. The decay length is (x_high - x_low) / ln(left / right).";

    fn parameters(_: usize) -> Vec<Quantity> {
        let level = |name: &str, about| Quantity {
            name: name.into(),
            unit: Unit::Y,
            role: Role::Level,
            bounds: (0.0, f64::INFINITY),
            prior: DefaultPrior::ByRole,
            about,
        };
        vec![level("left", "value at the low end of the window"), level("right", "value at the high end of the window")]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 3 }
    }

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let [left, right] = theta else { unreachable!("two parameters") };
        let rate = 0.5 * (right / left).ln();
        if !rate.is_finite() || *left <= 0.0 {
            return Err(Inadmissible);
        }
        out[0] = left.max(*right) / setup.scale;
        out[1] = rate;
        out[2] = rate.abs();
        Ok(())
    }

    fn golden() -> Vec<Golden> {
        vec![]
    }
}
