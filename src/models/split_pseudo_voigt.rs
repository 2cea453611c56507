//! The asymmetric pseudo-Voigt peak: different widths left and right of the centre.

use super::pseudo_voigt::{eta, reach, unit_area};
use super::{ABREAST, Abreast, Argument, Extent, Golden, Inadmissible, Number, Quantity, Setup, Shape, Term, quantity, abreast};

/// The largest asymmetry: widths of 19 to 1.
const MOST: f64 = 0.9;

/// A pseudo-Voigt of its own width on either side; coefficients: h (1 − η), h η, position, 2/width left and right in units of t.
pub struct SplitPseudoVoigt;

impl Shape for SplitPseudoVoigt {
    const ARGUMENT: Argument = Argument::Distance(2);

    #[inline(always)]
    fn at<N: Number>(d: N, c: &[N]) -> N {
        let u = d * d.if_below(d.of(0.0), c[3], c[4]);
        c[0].mul_add(u.bell(), c[1] / u.mul_add(u, u.of(1.0)))
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

    #[inline(always)]
    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let [amplitude, center, fwhm, asymmetry, eta] = theta else { unreachable!("five parameters") };
        let (left, left_admitted) = setup.width(fwhm * (1.0 - asymmetry));
        let (right, right_admitted) = setup.width(fwhm * (1.0 + asymmetry));
        let height = setup.peak_height(*amplitude, unit_area(*fwhm, *eta));
        out[0] = height * (1.0 - eta);
        out[1] = height * eta;
        out[2] = setup.position(*center);
        out[3] = 2.0 / left;
        out[4] = 2.0 / right;
        left_admitted.and(right_admitted)
    }

    #[inline(always)]
    fn prepare_abreast(theta: &[Abreast], setup: &Setup, out: &mut [f64], fine: &mut [bool; ABREAST]) {
        abreast::<Self, 5, 5>(theta, setup, out, fine);
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let area = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let height = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, ..Setup::default() };
        Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
            (&area, &[12.5, 29.9, 0.11, 0.25, 0.35],
             &[0.027783685714979, 0.12848443876037, 1.441851060309, 69.542260457734, 11.990281228753, 0.91908707981718, 0.059030875602013]),
            (&height, &[410.0, 30.0625, 0.6, -0.5, 0.0],
             &[0.096264851202785, 42.797340278943, 267.95909762783, 363.51447142088, 408.52032561719, 72.130406792396, 9.2492269405262e-26]),
            (&area, &[-3.75, 31.75, 2.5, 0.75, 0.9],
             &[-0.0081354198454415, -0.013662498928129, -0.020361500135574, -0.024001687307609, -0.028378027053926, -0.039417617919164, -0.6048216108929]),
        ])
    }
}
