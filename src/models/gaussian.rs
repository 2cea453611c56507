//! The Gaussian peak.

use std::f64::consts::{LN_2, PI};

use super::{ABREAST, Abreast, Argument, Extent, Golden, Inadmissible, Number, Quantity, Setup, Shape, Term, log2_above, quantity, abreast};

/// Area of the peak of unit height and the given full width at half maximum: fwhm √(π/(4 ln 2)).
#[inline(always)]
pub(super) fn unit_area(fwhm: f64) -> f64 {
    fwhm * (PI / (4.0 * LN_2)).sqrt()
}

/// h 2^(−u²), u = 2 (x − center)/fwhm, which is h exp(−4 ln 2 (x − center)²/fwhm²); coefficients: height, position, 2/fwhm in units of t.
pub struct Gaussian;

impl Shape for Gaussian {
    const ARGUMENT: Argument = Argument::Scaled(1, 2);

    #[inline(always)]
    fn at<N: Number>(u: N, c: &[N]) -> N {
        c[0] * u.bell()
    }

    fn support(c: &[f64], floor: f64) -> (f64, f64) {
        let ratio = c[0].abs() / floor;
        if ratio <= 1.0 {
            return (f64::INFINITY, f64::NEG_INFINITY);
        }
        let reach = log2_above(ratio).sqrt() / c[2];
        (c[1] - reach, c[1] + reach)
    }
}

impl Term for Gaussian {
    type Shape = Self;
    const NAME: &'static str = "gaussian";
    const TITLE: &'static str = "Gaussian peak";
    const ABOUT: &'static str = "f(x) = h exp(-4 ln2 (x - center)^2 / fwhm^2), area = h fwhm sqrt(pi / (4 ln2)).";

    fn parameters(_: usize) -> Vec<Quantity> {
        vec![quantity::amplitude(), quantity::center(), quantity::width()]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 3 }
    }

    #[inline(always)]
    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let [amplitude, center, fwhm] = theta else { unreachable!("three parameters") };
        let (w, admitted) = setup.width(*fwhm);
        out[0] = setup.peak_height(*amplitude, unit_area(*fwhm));
        out[1] = setup.position(*center);
        out[2] = 2.0 / w;
        admitted
    }

    #[inline(always)]
    fn prepare_abreast(theta: &[Abreast], setup: &Setup, out: &mut [f64], fine: &mut [bool; ABREAST]) {
        abreast::<Self, 3, 3>(theta, setup, out, fine);
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let area = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let height = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, ..Setup::default() };
        Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
            (&area, &[12.5, 29.9, 0.11],
             &[9.5686514919869e-194, 9.6316296033736e-41, 0.027285252639301, 92.510033365658, 2.221251345573, 1.2768427449281e-14, 1.8725000804495e-253]),
            (&height, &[410.0, 30.0625, 0.6],
             &[2.7978382472845e-06, 2.5392644565826, 157.46147631747, 312.74762090263, 406.67823987812, 265.53237987047, 5.0247475998164e-05]),
            (&area, &[-3.75, 31.75, 2.5],
             &[-0.013001584359581, -0.088072244878092, -0.22242752722238, -0.29623854000534, -0.37931156108847, -0.55448919372253, -1.3706224753661]),
        ])
    }
}
