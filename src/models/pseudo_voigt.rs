//! The pseudo-Voigt peak: a Lorentzian and a Gaussian of the same width, mixed.

use super::{ABREAST, Abreast, Argument, Extent, Golden, Inadmissible, Number, Quantity, Setup, Shape, Term, gaussian, log2_above, lorentzian, quantity, abreast};

/// h [η L + (1 − η) G]; coefficients: h (1 − η), h η, position, 2/fwhm in units of t.
pub struct PseudoVoigt;

/// Share of the Lorentzian in the height.
pub(super) fn eta() -> Quantity {
    quantity::shape("eta", 0.0, 1.0, "share of the Lorentzian in the height")
}

/// Area of the peak of unit height.
#[inline(always)]
pub(super) fn unit_area(fwhm: f64, eta: f64) -> f64 {
    eta * lorentzian::unit_area(fwhm) + (1.0 - eta) * gaussian::unit_area(fwhm)
}

/// u ≥ 0 beyond which g 2^(−u²) + l/(1 + u²) < floor, for g, l ≥ 0; none where it is below everywhere.
///
/// A tenth of the floor is left to the Gaussian, whose reach hardly depends on it, and the rest to the Lorentzian.
pub(super) fn reach(g: f64, l: f64, floor: f64) -> Option<f64> {
    if g + l <= floor {
        return None;
    }
    let of_gaussian = log2_above(10.0 * g / floor);
    let of_lorentzian = l / (0.9 * floor) - 1.0;
    Some(of_gaussian.max(of_lorentzian).max(0.0).sqrt())
}

impl Shape for PseudoVoigt {
    const ARGUMENT: Argument = Argument::Scaled(2, 3);

    #[inline(always)]
    fn at<N: Number>(u: N, c: &[N]) -> N {
        c[0].mul_add(u.bell(), c[1] / u.mul_add(u, u.of(1.0)))
    }

    fn support(c: &[f64], floor: f64) -> (f64, f64) {
        match reach(c[0].abs(), c[1].abs(), floor) {
            Some(u) => (c[2] - u / c[3], c[2] + u / c[3]),
            None => (f64::INFINITY, f64::NEG_INFINITY),
        }
    }
}

impl Term for PseudoVoigt {
    type Shape = Self;
    const NAME: &'static str = "pseudo-voigt";
    const TITLE: &'static str = "pseudo-Voigt peak";
    const ABOUT: &'static str = "f(x) = h [eta L + (1 - eta) G] with L = 1 / (1 + u^2), G = exp(-ln2 u^2), u = 2 (x - center) / fwhm; \
        area = h fwhm [eta pi / 2 + (1 - eta) sqrt(pi / (4 ln2))]. \
        eta mixes peaks of equal height; programs that mix peaks of equal area (GSAS, FullProf) \
        have eta_area = eta / (eta + (1 - eta) sqrt(1 / (pi ln2))).";

    fn parameters(_: usize) -> Vec<Quantity> {
        vec![quantity::amplitude(), quantity::center(), quantity::width(), eta()]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 4 }
    }

    #[inline(always)]
    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let [amplitude, center, fwhm, eta] = theta else { unreachable!("four parameters") };
        let (w, admitted) = setup.width(*fwhm);
        let height = setup.peak_height(*amplitude, unit_area(*fwhm, *eta));
        out[0] = height * (1.0 - eta);
        out[1] = height * eta;
        out[2] = setup.position(*center);
        out[3] = 2.0 / w;
        admitted
    }

    #[inline(always)]
    fn prepare_abreast(theta: &[Abreast], setup: &Setup, out: &mut [f64], fine: &mut [bool; ABREAST]) {
        abreast::<Self, 4, 4>(theta, setup, out, fine);
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let area = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let height = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, ..Setup::default() };
        Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
            (&area, &[12.5, 29.9, 0.11, 0.35],
             &[0.049359918994936, 0.22770637444342, 2.4917474405506, 78.09594469327, 6.1007234835067, 0.59435519082984, 0.037804841928984]),
            (&height, &[410.0, 30.0625, 0.6, 0.0],
             &[2.7978382472845e-06, 2.5392644565826, 157.46147631747, 312.74762090263, 406.67823987812, 265.53237987047, 5.0247475998164e-05]),
            (&area, &[-3.75, 31.75, 2.5, 1.0],
             &[-0.12305794568961, -0.19098593171027, -0.26066588485291, -0.2938245103235, -0.33003994591487, -0.40711530463479, -0.91820159476093]),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_above_the_floor_lies_beyond_the_reach() {
        for (g, l) in [(1.0, 0.0), (0.0, 1.0), (0.7, 1e-9), (3e-7, 0.4), (1e5, 1e2), (1.1e-6, 0.0), (0.0, 1.1e-6)] {
            let u = reach(g, l, 1e-6).unwrap();
            assert!(g * (-u * u).exp2() + l / (1.0 + u * u) <= 1e-6 * (1.0 + 1e-12), "{g} {l}: {u}");
        }
        assert_eq!(reach(5e-7, 4e-7, 1e-6), None);
    }
}
