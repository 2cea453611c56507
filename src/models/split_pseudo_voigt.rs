//! The asymmetric pseudo-Voigt peak: different widths left and right of the centre.

use std::f64::consts::LN_2;

use super::pseudo_voigt::{eta, reach, unit_area};
use super::{Extent, Golden, Inadmissible, Number, Quantity, Setup, Shape, Term, quantity};

/// The largest asymmetry: widths of 19 to 1.
const MOST: f64 = 0.9;

/// A pseudo-Voigt of its own width on either side; coefficients: h (1 − η), h η, position, 2/width left and right in units of t.
pub struct SplitPseudoVoigt;

impl Shape for SplitPseudoVoigt {
    #[inline(always)]
    fn eval<N: Number>(t: N, c: &[N]) -> N {
        let d = t - c[2];
        let u = d * d.if_below(t.of(0.0), c[3], c[4]);
        let v = u * u;
        c[0].mul_add((v * t.of(-LN_2)).exp(), c[1] / (v + t.of(1.0)))
    }

    fn support(c: &[f64], floor: f64) -> (f64, f64) {
        match reach(c[0].abs(), c[1].abs(), floor) {
            Some(u) => (c[2] - u / c[3], c[2] + u / c[4]),
            None => (f64::INFINITY, f64::NEG_INFINITY),
        }
    }
}

impl Term for SplitPseudoVoigt {
    type Shape = Self;
    const NAME: &'static str = "split-pseudo-voigt";
    const TITLE: &'static str = "asymmetric pseudo-Voigt peak";
    const ABOUT: &'static str = "f(x) = h [eta L + (1 - eta) G] with L = 1 / (1 + u^2), G = exp(-ln2 u^2), u = 2 (x - center) / w; \
        w = fwhm (1 - asymmetry) left of the center and fwhm (1 + asymmetry) right of it. \
        fwhm is the full width of the whole peak at half its height, asymmetry = (w_right - w_left) / (w_right + w_left); \
        the height is at the center, and the area is that of the symmetric peak: h fwhm [eta pi / 2 + (1 - eta) sqrt(pi / (4 ln2))].";

    fn parameters(_: usize) -> Vec<Quantity> {
        let asymmetry = quantity::shape("asymmetry", -MOST, MOST, "(right - left)/(right + left) of the half widths");
        vec![quantity::amplitude(), quantity::center(), quantity::width(), asymmetry, eta()]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 5 }
    }

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let [amplitude, center, fwhm, asymmetry, eta] = theta else { unreachable!("five parameters") };
        let left = setup.width(fwhm * (1.0 - asymmetry))?;
        let right = setup.width(fwhm * (1.0 + asymmetry))?;
        let height = setup.peak_height(*amplitude, unit_area(*fwhm, *eta));
        out[0] = height * (1.0 - eta);
        out[1] = height * eta;
        out[2] = setup.position(*center);
        out[3] = 2.0 / left;
        out[4] = 2.0 / right;
        Ok(())
    }

    fn golden() -> Vec<Golden> {
        vec![]
    }
}
