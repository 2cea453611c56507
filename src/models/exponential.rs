//! An exponential background, by its values at the ends of the window.

use super::{DefaultPrior, Extent, Golden, Inadmissible, Number, Quantity, Role, Setup, Shape, Term, Unit};

/// c₀ exp(c₁ t − c₂); coefficients: the larger end value, half the logarithm of right/left, its magnitude.
///
/// The exponent is never positive in the window, so nothing overflows however steep the curve is.
pub struct Exponential;

impl Shape for Exponential {
    #[inline(always)]
    fn at<N: Number>(t: N, c: &[N]) -> N {
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
    const ABOUT: &'static str = "f(x) = left (right / left)^((x - x_low) / (x_high - x_low)): positive, rising or falling, \
        through its values at the two ends of the window, \
        because a prior on values has a meaning in every window. The decay length is (x_high - x_low) / ln(left / right).";

    const LINEAR: bool = false;

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

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let near = Setup { mid: 8.0, half: 5.0, scale: 40.0, ..Setup::default() };
        let far = Setup { mid: -120.5, half: 20.25, scale: 1.0, ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], &[
                (&near, &[120.0, 7.5],
                 &[120.0, 79.170474646374, 48.735143781374, 30.0, 17.714889921443, 9.8963093307967, 7.5]),
                (&near, &[2e-09, 4.0],
                 &[2e-09, 4.9680332636568e-08, 2.1079715455401e-06, 8.9442719099992e-05, 0.0052328790002313, 0.46984757723521, 4.0]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25], &[
                (&far, &[0.5, 0.625],
                 &[0.5, 0.52759441876751, 0.54083896358408, 0.55901699437495, 0.57589902850085, 0.61221909070693, 0.625]),
            ]),
        ].concat()
    }
}
