//! Kα₁/Kα₂ doublets of the symmetric peaks: each line of a laboratory diffractometer appears twice.
//!
//! A doublet has no shape of its own: it is two evaluations of its peak's shape (`repeats` 2), so it needs no shader.

use std::marker::PhantomData;

use super::{Extent, Golden, Inadmissible, Quantity, Setup, Term};
use super::{gaussian::Gaussian, lorentzian::Lorentzian, pearson7::Pearson7, pseudo_voigt::PseudoVoigt, voigt::Voigt};

/// Kα₁ and Kα₂ wavelengths in ångström of the usual anodes: Ag, Mo, Cu, Co, Fe, Cr (International Tables for Crystallography C, table 4.2.2.4).
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
    const ABOUT: &'static str = "Two lines of the model named before -ka, at 2theta = center (K-alpha1) and at 2 asin(sin(center / 2) lambda2 / lambda1) (K-alpha2), \
        x being 2theta in degrees. They have the same shape and width; area and height are those of K-alpha1, and K-alpha2 has half of it. \
        The wavelength of the spec is that of K-alpha1; K-alpha2 follows for anodes of Ag, Mo, Cu, Co, Fe and Cr; without a wavelength it is Cu: 1.5405929 and 1.5444274 angstrom.";

    fn parameters(size: usize) -> Vec<Quantity> {
        P::parameters(size)
    }

    fn extent(size: usize) -> Extent {
        Extent { repeats: 2, ..P::extent(size) }
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

    fn golden() -> Vec<Golden> {
        P::ka_golden()
    }
}

impl Peak for Gaussian {
    const KA_NAME: &'static str = "gaussian-ka";
    const KA_TITLE: &'static str = "Gaussian K-alpha doublet";

    fn ka_golden() -> Vec<Golden> {
        vec![]
    }
}

impl Peak for Lorentzian {
    const KA_NAME: &'static str = "lorentzian-ka";
    const KA_TITLE: &'static str = "Lorentzian K-alpha doublet";

    fn ka_golden() -> Vec<Golden> {
        vec![]
    }
}

impl Peak for PseudoVoigt {
    const KA_NAME: &'static str = "pseudo-voigt-ka";
    const KA_TITLE: &'static str = "pseudo-Voigt K-alpha doublet";

    fn ka_golden() -> Vec<Golden> {
        vec![]
    }
}

impl Peak for Voigt {
    const KA_NAME: &'static str = "voigt-ka";
    const KA_TITLE: &'static str = "Voigt K-alpha doublet";

    fn ka_golden() -> Vec<Golden> {
        vec![]
    }
}

impl Peak for Pearson7 {
    const KA_NAME: &'static str = "pearson7-ka";
    const KA_TITLE: &'static str = "Pearson VII K-alpha doublet";

    fn ka_golden() -> Vec<Golden> {
        vec![]
    }
}
