//! A background that falls as 1/x.

use super::{ABREAST, Abreast, DefaultPrior, Extent, Golden, Inadmissible, Number, Quantity, Role, Setup, Shape, Term, Unit, abreast};

/// Nearest that the window may come to x = 0, as a fraction of its middle: the denominator then keeps a digit in f32.
const CLOSEST: f64 = 1e-6;

/// level · mid/x = c₀/(1 + c₁ t); coefficients: level, half/mid.
pub struct Power;

impl Shape for Power {
    #[inline(always)]
    fn at<N: Number>(t: N, c: &[N]) -> N {
        c[0] / t.mul_add(c[1], t.of(1.0))
    }

    fn support(_: &[f64], _: f64) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
}

impl Term for Power {
    type Shape = Self;
    const NAME: &'static str = "power";
    const TITLE: &'static str = "1/x background";
    const ABOUT: &'static str = "f(x) = level x_mid / x, where x_mid is the middle of the window, so that `level` is a value of the curve. \
        With a `chebyshev` of degree 0 it is c + a/x, a = level x_mid. The window must not reach x = 0.";

    fn parameters(_: usize) -> Vec<Quantity> {
        vec![Quantity {
            name: "level".into(),
            unit: Unit::Y,
            role: Role::Level,
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
            prior: DefaultPrior::ByRole,
            about: "value at the middle of the window",
        }]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 2 }
    }

    fn requires(setup: &Setup) -> Result<(), &'static str> {
        // False for a NaN too.
        let away = setup.half <= setup.mid.abs() * (1.0 - CLOSEST);
        if away { Ok(()) } else { Err("1/x has no value at x = 0: choose a window on one side of it") }
    }

    #[inline(always)]
    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        Self::requires(setup).map_err(|_| Inadmissible)?;
        out[0] = theta[0] / setup.scale;
        out[1] = setup.half / setup.mid;
        Ok(())
    }

    #[inline(always)]
    fn prepare_abreast(theta: &[Abreast], setup: &Setup, out: &mut [f64], fine: &mut [bool; ABREAST]) {
        abreast::<Self, 1, 2>(theta, setup, out, fine);
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let near = Setup { mid: 8.0, half: 5.0, scale: 40.0, ..Setup::default() };
        let far = Setup { mid: -120.5, half: 20.25, scale: 1.0, ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], &[
                (&near, &[17.5],
                 &[46.666666666667, 31.111111111111, 22.4, 17.5, 14.141414141414, 11.666666666667, 10.769230769231]),
                (&near, &[-0.375],
                 &[-1.0, -0.66666666666667, -0.48, -0.375, -0.3030303030303, -0.25, -0.23076923076923]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25], &[
                (&far, &[1200.0],
                 &[1027.3534635879, 1103.8167938931, 1143.0830039526, 1200.0, 1256.2988705474, 1390.3846153846, 1442.3940149626]),
            ]),
        ].concat()
    }
}
