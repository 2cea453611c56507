//! Kα₁/Kα₂ doublets of the symmetric peaks: each line of a laboratory diffractometer appears twice.
//!
//! A doublet has no shape of its own: it is two evaluations of its peak's shape (`repeats` 2), so it needs no shader.

use std::marker::PhantomData;

use super::{Extent, Golden, Inadmissible, Quantity, Setup, Term};
use super::{gaussian::Gaussian, lorentzian::Lorentzian, pearson7::Pearson7, pseudo_voigt::PseudoVoigt, voigt::Voigt};

/// Kα₁ and Kα₂ wavelengths in ångström of the usual anodes: Ag, Mo, Cu, Co, Fe, Cr.
///
/// International Tables for Crystallography C (2006), table 4.2.2.4, which is the evaluation of Deslattes et al., Rev. Mod. Phys. 75, 35
/// (2003), and the direct column of NIST's database SRD 128: peaks of KL3 and KL2, Cr to Cu by Hölzer et al., Phys. Rev. A 56, 4554 (1997),
/// Mo and Ag by Deslattes and Kessler (1985). Bearden's scale of 1967, still in use elsewhere, is smaller by 20 to 26 parts in 10⁶. Every
/// figure agrees with those of MAUD (XrayTubeRadiation), taken from the same tables.
const ANODES: [(f64, f64); 6] = [
    (0.559_421_78, 0.563_813_1),
    (0.709_317_15, 0.713_607),
    (1.540_592_9, 1.544_427_4),
    (1.788_996, 1.792_835),
    (1.936_041, 1.939_973),
    (2.289_726, 2.293_651),
];

/// Cu Kα, where the spec names no wavelength.
const COPPER: (f64, f64) = ANODES[2];

/// Area of Kα₂ over that of Kα₁.
const RATIO: f64 = 0.5;

/// Kα₁ and Kα₂ wavelengths in ångström: as given; Kα₂ of the anode whose Kα₁ is within 10⁻³ of the given one; Cu where nothing is
/// given. None where Kα₁ is of no anode in the list and Kα₂ is not given, or where they are not 0 < Kα₁ < Kα₂.
pub fn wavelengths(first: Option<f64>, second: Option<f64>) -> Option<(f64, f64)> {
    let of_anode = |first: f64| ANODES.iter().find(|anode| (first / anode.0 - 1.0).abs() < 1e-3).map(|anode| first * anode.1 / anode.0);
    let first = first.unwrap_or(COPPER.0);
    let second = second.or_else(|| of_anode(first))?;
    (0.0 < first && first < second).then_some((first, second))
}

/// 2θ of Kα₂ where that of Kα₁ is given (degrees), by Bragg's law. None where there is none: beyond backscattering.
fn second_position(two_theta: f64, first: f64, second: f64) -> Option<f64> {
    let sine = second / first * (two_theta.to_radians() / 2.0).sin();
    (two_theta.abs() < 180.0 && sine.abs() <= 1.0).then(|| 2.0 * sine.asin().to_degrees())
}

/// A peak that can be doubled: its parameters begin with amplitude and center.
pub trait Peak: Term {
    /// Name of the doublet in specs.
    const KA_NAME: &'static str;
    /// One line for lists.
    const KA_TITLE: &'static str;
    /// Golden values of the doublet.
    fn ka_golden() -> Vec<Golden>;
}

/// Two lines of shape P at the angles of Kα₁ and Kα₂.
pub struct Doublet<P>(PhantomData<P>);

impl<P: Peak> Term for Doublet<P> {
    type Shape = P::Shape;
    const NAME: &'static str = P::KA_NAME;
    const TITLE: &'static str = P::KA_TITLE;
    const ABOUT: &'static str = "Two lines of the model whose name stands before -ka (`keisoku models` has its page), at 2theta = center \
        (K-alpha1) and at 2 asin(sin(center / 2) lambda2 / lambda1) (K-alpha2), x being 2theta in degrees. They have the same shape and \
        width; area and height are those of K-alpha1, and K-alpha2 has half of it. The wavelength of the spec is that of K-alpha1; \
        K-alpha2 is `wavelength2`, or follows for anodes of Ag, Mo, Cu, Co, Fe and Cr; without a wavelength it is Cu: 1.5405929 and \
        1.5444274 angstrom.";

    fn parameters(size: usize) -> Vec<Quantity> {
        P::parameters(size)
    }

    fn extent(size: usize) -> Extent {
        Extent { repeats: 2, ..P::extent(size) }
    }

    fn requires(setup: &Setup) -> Result<(), &'static str> {
        match wavelengths(setup.wavelength, setup.wavelength2) {
            Some(_) => Ok(()),
            None => Err(
                "give the K-alpha1 wavelength of Ag, Mo, Cu, Co, Fe or Cr in angstrom as `wavelength` under [data], or leave it out for \
                 Cu; another anode's K-alpha2 is `wavelength2`",
            ),
        }
    }

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let (lambda1, lambda2) = wavelengths(setup.wavelength, setup.wavelength2).ok_or(Inadmissible)?;
        let (first, second) = out.split_at_mut(out.len() / 2);
        P::prepare(theta, setup, first)?;
        let mut theta = theta.to_vec();
        theta[0] *= RATIO;
        theta[1] = second_position(theta[1], lambda1, lambda2).ok_or(Inadmissible)?;
        P::prepare(&theta, setup, second)
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        P::ka_golden()
    }
}

impl Peak for Gaussian {
    const KA_NAME: &'static str = "gaussian-ka";
    const KA_TITLE: &'static str = "Gaussian K-alpha doublet";

    #[rustfmt::skip]
    fn ka_golden() -> Vec<Golden> {
        let copper = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let molybdenum = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, wavelength: Some(0.70931715), ..Setup::default() };
        let other = Setup { mid: 120.0, half: 1.5, scale: 3.0, wavelength: Some(1.5), wavelength2: Some(1.503), ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
                (&copper, &[12.5, 29.9, 0.11],
                 &[9.5686514919869e-194, 9.6316296035524e-41, 0.027290011321381, 97.62597220862, 29.695477711755, 1.9557097827516e-09, 4.4460051972066e-230]),
                (&molybdenum, &[410.0, 30.0625, 0.6],
                 &[2.8099789619525e-06, 2.6338976108858, 179.40518981368, 382.69812382889, 548.53714382989, 466.41025072201, 0.0012365373756819]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[118.5, 119.0, 119.7, 119.9, 120.125, 120.3, 121.5], &[
                (&other, &[6.0, 119.75, 2.5],
                 &[1.4661550917777, 2.3861948663765, 3.284201197614, 3.3296857152407, 3.2453956215147, 3.0870616217519, 1.0794510256033]),
            ]),
        ].concat()
    }
}

impl Peak for Lorentzian {
    const KA_NAME: &'static str = "lorentzian-ka";
    const KA_TITLE: &'static str = "Lorentzian K-alpha doublet";

    #[rustfmt::skip]
    fn ka_golden() -> Vec<Golden> {
        let copper = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let molybdenum = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, wavelength: Some(0.70931715), ..Setup::default() };
        let other = Setup { mid: 120.0, half: 1.5, scale: 3.0, wavelength: Some(1.5), wavelength2: Some(1.503), ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
                (&copper, &[12.5, 29.9, 0.11],
                 &[0.16162430179228, 0.72059707591554, 7.0745835040039, 68.208044500356, 29.455481465515, 2.3564824340597, 0.13244258039612]),
                (&molybdenum, &[410.0, 30.0625, 0.6],
                 &[20.438198859279, 66.158559346663, 220.75881564736, 375.18525019115, 539.12880156744, 451.20188200148, 28.253829787624]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[118.5, 119.0, 119.7, 119.9, 120.125, 120.3, 121.5], &[
                (&other, &[6.0, 119.75, 2.5],
                 &[1.0433397830021, 1.5384676367812, 2.2030687838196, 2.2416250410207, 2.1654567914203, 2.0326095401093, 0.86772853352125]),
            ]),
        ].concat()
    }
}

impl Peak for PseudoVoigt {
    const KA_NAME: &'static str = "pseudo-voigt-ka";
    const KA_TITLE: &'static str = "pseudo-Voigt K-alpha doublet";

    #[rustfmt::skip]
    fn ka_golden() -> Vec<Golden> {
        let copper = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let molybdenum = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, wavelength: Some(0.70931715), ..Setup::default() };
        let other = Setup { mid: 120.0, half: 1.5, scale: 3.0, wavelength: Some(1.5), wavelength2: Some(1.503), ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
                (&copper, &[12.5, 29.9, 0.11, 0.35],
                 &[0.07156226878402, 0.31905821748218, 3.1476147739389, 84.600618803331, 29.589214756926, 1.0433779304047, 0.058641500267312]),
                (&molybdenum, &[410.0, 30.0625, 0.6, 0.0],
                 &[2.8099789619525e-06, 2.6338976108858, 179.40518981368, 382.69812382889, 548.53714382989, 466.41025072201, 0.0012365373756819]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[118.5, 119.0, 119.7, 119.9, 120.125, 120.3, 121.5], &[
                (&other, &[6.0, 119.75, 2.5, 1.0],
                 &[1.0433397830021, 1.5384676367812, 2.2030687838196, 2.2416250410207, 2.1654567914203, 2.0326095401093, 0.86772853352125]),
            ]),
        ].concat()
    }
}

impl Peak for Voigt {
    const KA_NAME: &'static str = "voigt-ka";
    const KA_TITLE: &'static str = "Voigt K-alpha doublet";

    #[rustfmt::skip]
    fn ka_golden() -> Vec<Golden> {
        let copper = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let molybdenum = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, wavelength: Some(0.70931715), ..Setup::default() };
        let other = Setup { mid: 120.0, half: 1.5, scale: 3.0, wavelength: Some(1.5), wavelength2: Some(1.503), ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 5e-9, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
                (&copper, &[12.5, 29.9, 0.11, 0.07],
                 &[0.10327771775213, 0.46725216549151, 5.6860056371478, 69.385505009588, 34.169202184089, 1.6018352279782, 0.084567290952407]),
                (&molybdenum, &[410.0, 30.0625, 0.6, 0.004],
                 &[0.10450431678449, 3.1580704379822, 181.0349183001, 383.82879042631, 548.90554584526, 467.21325522329, 0.15399123286995]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 5e-9, 0, &[118.5, 119.0, 119.7, 119.9, 120.125, 120.3, 121.5], &[
                (&other, &[6.0, 119.75, 0.25, 1.7],
                 &[0.95471763653036, 1.6734248855742, 3.0852847104627, 3.1773343458275, 2.9778610487026, 2.6602102334809, 0.75203880928189]),
            ]),
        ].concat()
    }
}

impl Peak for Pearson7 {
    const KA_NAME: &'static str = "pearson7-ka";
    const KA_TITLE: &'static str = "Pearson VII K-alpha doublet";

    #[rustfmt::skip]
    fn ka_golden() -> Vec<Golden> {
        let copper = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let molybdenum = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, wavelength: Some(0.70931715), ..Setup::default() };
        let other = Setup { mid: 120.0, half: 1.5, scale: 3.0, wavelength: Some(1.5), wavelength2: Some(1.503), ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
                (&copper, &[12.5, 29.9, 0.11, 1.7],
                 &[0.0067747474379168, 0.085636581334231, 3.8792008259354, 84.395778823812, 32.309447503676, 0.6362892382042, 0.0048307464278001]),
                (&molybdenum, &[410.0, 30.0625, 0.6, 0.8],
                 &[31.440213011215, 81.736143162868, 227.63187060462, 372.59374921558, 536.86357347092, 447.74846719415, 40.835577020995]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[118.5, 119.0, 119.7, 119.9, 120.125, 120.3, 121.5], &[
                (&other, &[6.0, 119.75, 2.5, 25.0],
                 &[1.4581455077254, 2.3619160081658, 3.2560650156987, 3.3016127486326, 3.2170449950722, 3.0585734260026, 1.0817412925648]),
            ]),
        ].concat()
    }
}
