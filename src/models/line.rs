//! The straight line y = slope · x + intercept, on the raw axis: the model whose every answer is known in closed form.

use super::{ABREAST, Abreast, DefaultPrior, Extent, Golden, Inadmissible, Number, Quantity, Role, Setup, Shape, Term, Unit, abreast};

/// c₀ + c₁ t
pub struct Line;

impl Shape for Line {
    #[inline(always)]
    fn at<N: Number>(t: N, c: &[N]) -> N {
        t.mul_add(c[1], c[0])
    }

    fn support(_: &[f64], _: f64) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
}

impl Term for Line {
    type Shape = Self;
    const NAME: &'static str = "line";
    const TITLE: &'static str = "straight line";
    const ABOUT: &'static str = "y = slope x + intercept. With `intercept = { fixed = 0 }` it is y = a x.";

    fn parameters(_: usize) -> Vec<Quantity> {
        let other = |name: &str, unit, about| Quantity {
            name: name.into(),
            unit,
            role: Role::Other,
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
            prior: DefaultPrior::Uniform(-1.0, 1.0),
            about,
        };
        vec![other("slope", Unit::Slope, "a of y = a x + b"), other("intercept", Unit::Y, "b of y = a x + b")]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 2 }
    }

    #[inline(always)]
    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        out[0] = (theta[0] * setup.mid + theta[1]) / setup.scale;
        out[1] = theta[0] * setup.half / setup.scale;
        Ok(())
    }

    #[inline(always)]
    fn prepare_abreast(theta: &[Abreast], setup: &Setup, out: &mut [f64], fine: &mut [bool; ABREAST]) {
        abreast::<Self, 2, 2>(theta, setup, out, fine);
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let near = Setup { mid: 8.0, half: 5.0, scale: 40.0, ..Setup::default() };
        let far = Setup { mid: -120.5, half: 20.25, scale: 1.0, ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], &[
                (&near, &[0.8, 0.1],
                 &[2.5, 3.7, 5.1, 6.5, 8.02, 9.7, 10.5]),
                (&near, &[-31.25, 250.0],
                 &[156.25, 109.375, 54.6875, 0.0, -59.375, -125.0, -156.25]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25], &[
                (&far, &[0.5, 60.5],
                 &[-9.875, -5.0, -2.75, 0.25, 2.95, 8.5, 10.375]),
            ]),
        ].concat()
    }
}
