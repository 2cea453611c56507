//! 2θ, q and d: the same abscissa in three units, by Bragg's law.

use std::f64::consts::PI;

use crate::error::{Error, Result};
use crate::spec::XAxis;

/// What a diffraction axis measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Scattering angle 2θ in degrees.
    TwoTheta,
    /// q = 4π sin θ/λ in Å⁻¹.
    Q,
    /// d = λ/(2 sin θ) = 2π/q in Å.
    D,
}

impl Axis {
    /// The axis of that name in specs.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "two_theta" => Some(Self::TwoTheta),
            "q" => Some(Self::Q),
            "d" => Some(Self::D),
            _ => None,
        }
    }

    /// q in Å⁻¹ at x; `wavelength` in Å. Negative angles (a detector on the other side of the beam) give negative q. NaN where x stands for no
    /// reflection: |2θ| > 180°, d ≤ 0.
    fn to_q(self, x: f64, wavelength: f64) -> f64 {
        match self {
            Self::TwoTheta if x.abs() <= 180.0 => 4.0 * PI * (0.5 * x).to_radians().sin() / wavelength,
            Self::Q => x,
            Self::D if x > 0.0 => 2.0 * PI / x,
            _ => f64::NAN,
        }
    }

    /// x at q in Å⁻¹. NaN where there is none: |q| > 4π/λ for an angle, q ≤ 0 for d.
    fn of_q(self, q: f64, wavelength: f64) -> f64 {
        match self {
            Self::TwoTheta => 2.0 * (q * wavelength / (4.0 * PI)).asin().to_degrees(),
            Self::Q => q,
            Self::D if q > 0.0 => 2.0 * PI / q,
            Self::D => f64::NAN,
        }
    }
}

/// x converted from one axis to another; `wavelength` in Å. NaN where the other axis has no such point (2θ = 0 has no d).
pub fn convert(x: f64, from: Axis, to: Axis, wavelength: f64) -> f64 {
    to.of_q(from.to_q(x, wavelength), wavelength)
}

/// What turns the file's x into the spec's x, or none where they are the same.
///
/// The file is taken to be in degrees, Å⁻¹ or Å; `x.unit` may ask for `1/nm` or `nm`.
///
/// # Errors
/// Fatal: axes that are not two of `two_theta`, `q`, `d`; no wavelength where one is needed; a unit that is not known.
pub(super) fn conversion(x: &XAxis, wavelength: Option<f64>) -> Result<Option<impl Fn(f64) -> f64 + use<>>> {
    let Some(file) = x.file.as_deref().filter(|file| *file != x.name) else { return Ok(None) };
    let (Some(from), Some(to)) = (Axis::of(file), Axis::of(&x.name)) else {
        let error = Error::fatal(format!("x cannot be converted from \"{file}\" to \"{}\"", x.name));
        return Err(error.hint("conversions exist between two_theta, q and d"));
    };
    let angle = from == Axis::TwoTheta || to == Axis::TwoTheta;
    let wavelength = match wavelength {
        Some(wavelength) if wavelength > 0.0 && wavelength.is_finite() => wavelength,
        None if !angle => 1.0,
        _ => {
            let error = Error::fatal(format!("converting x from {file} to {} needs a wavelength", x.name));
            return Err(error.hint("give wavelength = … in ångström under [data]"));
        }
    };
    let factor = match (to, x.unit.as_str()) {
        (Axis::TwoTheta, "" | "deg" | "degree" | "degrees" | "°")
        | (Axis::Q, "" | "1/angstrom" | "1/Å" | "1/A")
        | (Axis::D, "" | "angstrom" | "Å" | "A") => 1.0,
        (Axis::Q, "1/nm") => 10.0,
        (Axis::D, "nm") => 0.1,
        _ => {
            let error = Error::fatal(format!("x as {} in \"{}\" is not known", x.name, x.unit));
            return Err(error.hint("two_theta is in deg, q in 1/angstrom or 1/nm, d in angstrom or nm"));
        }
    };
    Ok(Some(move |x| factor * convert(x, from, to, wavelength)))
}

#[cfg(test)]
mod tests {
    use super::{Axis, convert};

    /// LaB6 (110) at Cu Kα1: a of NIST SRM 660c; 2θ by Bragg's law in Python's math module.
    #[test]
    fn a_certified_line() {
        let (wavelength, a) = (1.540_592_9, 4.156_826);
        let d = a / 2f64.sqrt();
        assert!((convert(d, Axis::D, Axis::TwoTheta, wavelength) - 30.385_399_717_616_777).abs() < 1e-12);
        assert!((convert(d, Axis::D, Axis::Q, wavelength) - 2.0 * std::f64::consts::PI / d).abs() < 1e-12);
    }

    #[test]
    fn there_and_back() {
        let axes = [Axis::TwoTheta, Axis::Q, Axis::D];
        for (from, to) in axes.iter().flat_map(|from| axes.iter().map(move |to| (*from, *to))) {
            let x = if from == Axis::TwoTheta { 37.5 } else { 2.1 };
            assert!((convert(convert(x, from, to, 0.9), to, from, 0.9) - x).abs() < 1e-12 * x);
        }
    }

    #[test]
    fn what_has_no_counterpart_is_nan() {
        assert!(convert(0.0, Axis::TwoTheta, Axis::D, 1.0).is_nan());
        assert!(convert(200.0, Axis::TwoTheta, Axis::Q, 1.0).is_nan());
        assert!(convert(20.0, Axis::Q, Axis::TwoTheta, 1.0).is_nan());
        assert!(convert(-1.0, Axis::D, Axis::Q, 1.0).is_nan());
    }
}
