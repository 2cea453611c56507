//! The Pearson VII peak: from a Lorentzian (exponent 1) to a Gaussian (exponent ∞).

use std::f64::consts::{LN_2, PI};

use super::{Argument, DefaultPrior, Extent, Golden, Inadmissible, Number, Quantity, Role, Setup, Shape, Term, Unit, exp2_above, log2_above, quantity};

/// h [1 + k (x − center)²]^−m; coefficients: height, position, k in units of t, m.
pub struct Pearson7;

impl Shape for Pearson7 {
    const ARGUMENT: Argument = Argument::Distance(1);

    #[inline(always)]
    fn at<N: Number>(d: N, c: &[N]) -> N {
        c[0] * (-(c[3] * (c[2] * d * d).ln_1p())).exp()
    }

    fn support(c: &[f64], floor: f64) -> (f64, f64) {
        let ratio = c[0].abs() / floor;
        if ratio <= 1.0 {
            return (f64::INFINITY, f64::NEG_INFINITY);
        }
        let reach = ((exp2_above(log2_above(ratio) / c[3]) - 1.0) / c[2]).sqrt();
        (c[1] - reach, c[1] + reach)
    }
}

impl Term for Pearson7 {
    type Shape = Self;
    const NAME: &'static str = "pearson7";
    const TITLE: &'static str = "Pearson VII peak";
    const ABOUT: &'static str = "f(x) = h [1 + 4 (2^(1/exponent) - 1) (x - center)^2 / fwhm^2]^(-exponent); \
        area = h fwhm sqrt(pi) Gamma(exponent - 1/2) / (2 sqrt(2^(1/exponent) - 1) Gamma(exponent)), \
        which is finite for exponent > 1/2 only. \
        Exponent 1 is a Lorentzian, infinity a Gaussian. Reference: Hall, Veeraraghavan, Rubin, Winchell, J. Appl. Cryst. 10 (1977) 66.";

    fn parameters(_: usize) -> Vec<Quantity> {
        let exponent = Quantity {
            name: "exponent".into(),
            unit: Unit::One,
            role: Role::Shape,
            bounds: (0.5, 1000.0),
            prior: DefaultPrior::LogUniform(0.75, 20.0),
            about: "1: Lorentzian, large: Gaussian",
        };
        vec![quantity::amplitude(), quantity::center(), quantity::width(), exponent]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 4 }
    }

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let [amplitude, center, fwhm, exponent] = theta else { unreachable!("four parameters") };
        let (w, admitted) = setup.width(*fwhm);
        admitted?;
        if exponent.is_nan() || *exponent <= 0.5 {
            return Err(Inadmissible);
        }
        let root = (LN_2 / exponent).exp_m1();
        let gammas = (libm::lgamma(exponent - 0.5) - libm::lgamma(*exponent)).exp();
        out[0] = setup.peak_height(*amplitude, fwhm * (PI / root).sqrt() * gammas / 2.0);
        out[1] = setup.position(*center);
        out[2] = 4.0 * root / (w * w);
        out[3] = *exponent;
        Ok(())
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let area = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let height = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, ..Setup::default() };
        Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
            (&area, &[12.5, 29.9, 0.11, 1.7],
             &[0.0047783301882233, 0.063685346980138, 3.2880099968777, 76.093355184305, 9.2546334739249, 0.31926219455354, 0.00303831373288]),
            (&height, &[410.0, 30.0625, 0.6, 0.8],
             &[22.150950243952, 59.729477436532, 174.78230960737, 290.48165844399, 404.76997679222, 249.1411140506, 25.216999781266]),
            (&area, &[-3.75, 31.75, 2.5, 25.0],
             &[-0.018040490547328, -0.097344048998183, -0.22981789575343, -0.30159666236215, -0.38220179542008, -0.55235534457506, -1.3588480258798]),
        ])
    }
}
