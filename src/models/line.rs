//! The straight line y = slope · x + intercept, on the raw axis: the model whose every answer is known in closed form.

use super::{DefaultPrior, Extent, Golden, Inadmissible, Number, Quantity, Role, Setup, Shape, Term, Unit};

/// c₀ + c₁ t
pub struct Line;

impl Shape for Line {
    #[inline(always)]
    fn eval<N: Number>(t: N, c: &[N]) -> N {
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

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        out[0] = (theta[0] * setup.mid + theta[1]) / setup.scale;
        out[1] = theta[0] * setup.half / setup.scale;
        Ok(())
    }

    fn golden() -> Vec<Golden> {
        vec![] // filled with exact values
    }
}
