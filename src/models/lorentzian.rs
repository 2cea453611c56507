//! The Lorentzian peak.

use std::f64::consts::FRAC_PI_2;

use super::{ABREAST, Abreast, Argument, Extent, Golden, Inadmissible, Number, Quantity, Setup, Shape, Term, quantity, abreast};

/// Area of the peak of unit height and the given full width at half maximum: fwhm π/2.
#[inline(always)]
pub(super) fn unit_area(fwhm: f64) -> f64 {
    fwhm * FRAC_PI_2
}

/// h/(1 + 4 (x − center)²/fwhm²); coefficients: height, position, 2/fwhm in units of t.
pub struct Lorentzian;

impl Shape for Lorentzian {
    const ARGUMENT: Argument = Argument::Scaled(1, 2);

    #[inline(always)]
    fn at<N: Number>(u: N, c: &[N]) -> N {
        c[0] / u.mul_add(u, u.of(1.0))
    }

    fn support(c: &[f64], floor: f64) -> (f64, f64) {
        let ratio = c[0].abs() / floor;
        if ratio <= 1.0 {
            return (f64::INFINITY, f64::NEG_INFINITY);
        }
        let reach = (ratio - 1.0).sqrt() / c[2];
        (c[1] - reach, c[1] + reach)
    }
}

impl Term for Lorentzian {
    type Shape = Self;
    const NAME: &'static str = "lorentzian";
    const TITLE: &'static str = "Lorentzian peak";
    const ABOUT: &'static str = "f(x) = h / (1 + 4 (x - center)^2 / fwhm^2), area = h fwhm pi / 2.";

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
             &[0.11148001006169, 0.5142777668794, 5.5933047093, 59.955629246948, 10.983088921021, 1.3423588207413, 0.085382720321244]),
            (&height, &[410.0, 30.0625, 0.6],
             &[14.576877970496, 49.189752134972, 172.2236807561, 294.83146067416, 405.24401125678, 252.03842049093, 17.111803492501]),
            (&area, &[-3.75, 31.75, 2.5],
             &[-0.12305794568961, -0.19098593171027, -0.26066588485291, -0.2938245103235, -0.33003994591487, -0.40711530463479, -0.91820159476093]),
        ])
    }
}
