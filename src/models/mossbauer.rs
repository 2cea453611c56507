//! One ⁵⁷Fe site of a transmission Mössbauer spectrum: eight lines from the full nuclear Hamiltonian.
//!
//! The Hamiltonian is diagonalised on the host; what remains for each point is eight Lorentzians, so it needs no shader of its own.

use std::f64::consts::{FRAC_PI_2, PI};

use nalgebra::{Complex, Matrix4};

use super::{DefaultPrior, Extent, Golden, Inadmissible, Quantity, Role, Setup, Term, Unit, lorentzian, quantity};

/// |g_e| μ_N of the excited state (I = 3/2), mm/s per tesla.
const EXCITED: f64 = 0.067_899;

/// g_g μ_N of the ground state (S = 1/2), mm/s per tesla: its splitting.
const GROUND: f64 = 0.118_872;

/// A line of a site: where it is and how much of the intensity it has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// Doppler velocity relative to the centre shift, mm/s.
    pub velocity: f64,
    /// Share of the powder intensity; the eight add up to 1.
    pub weight: f64,
}

/// The field at the nucleus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// A = e Q V_zz/12, mm/s.
    pub quadrupole: f64,
    /// Magnetic flux density, tesla.
    pub field: f64,
    /// Asymmetry of the field gradient.
    pub eta: f64,
    /// Polar angle of the magnetic field in the frame of the field gradient, rad.
    pub theta: f64,
    /// Azimuth of the magnetic field in the frame of the field gradient, rad.
    pub phi: f64,
}

impl Site {
    /// H_e = A[3I_z² − I(I+1) + η(I_x² − I_y²)] + |g_e|μ_N B n·I in the basis m = 3/2, 1/2, −1/2, −3/2 (g_e is negative), mm/s.
    fn excited(&self) -> Matrix4<Complex<f64>> {
        let along = EXCITED * self.field * self.theta.cos();
        let across = 0.5 * EXCITED * self.field * self.theta.sin();
        let (sin, cos) = self.phi.sin_cos();
        // n·I = n_z I_z + ½ (n_x + i n_y) I₋ + h.c.; ⟨m−1|I₋|m⟩ = √3, 2, √3. Only the lower triangle is read.
        let lower = |element: f64| Complex::new(across * element * cos, across * element * sin);
        let mixing = Complex::new(self.quadrupole * self.eta * 3f64.sqrt(), 0.0);
        let mut h = Matrix4::zeros();
        for (i, m) in [1.5, 0.5, -0.5, -1.5].into_iter().enumerate() {
            h[(i, i)] = Complex::new(self.quadrupole * (3.0 * m * m - 3.75) + along * m, 0.0);
        }
        h[(1, 0)] = lower(3f64.sqrt());
        h[(2, 1)] = lower(2.0);
        h[(3, 2)] = lower(3f64.sqrt());
        h[(2, 0)] = mixing;
        h[(3, 1)] = mixing;
        h
    }

    /// Energies and states (m = 1/2, −1/2) of H_g = −g_gμ_N B n·S: the spins along and against the field, mm/s.
    fn ground(&self) -> [(f64, [Complex<f64>; 2]); 2] {
        let energy = 0.5 * GROUND * self.field;
        let (sin, cos) = (0.5 * self.theta).sin_cos();
        let (up, down) = (Complex::new(cos, 0.0), Complex::new(sin * self.phi.cos(), sin * self.phi.sin()));
        [(-energy, [up, down]), (energy, [Complex::new(-down.re, down.im), up])]
    }

    /// The eight lines v = E_e − E_g with `W = ¼ Σ_q |Σ conj(e[m]) C(½m′;1q|3/2 m) g[m′]|²`.
    ///
    /// # Errors
    /// [`Inadmissible`] where the eigenvalues do not converge, which takes parameters that are not finite.
    pub fn lines(&self) -> Result<[Line; 8], Inadmissible> {
        let excited = self.excited().try_symmetric_eigen(f64::EPSILON, 200).ok_or(Inadmissible)?;
        let (two_thirds, third) = ((2f64 / 3.0).sqrt(), (1f64 / 3.0).sqrt());
        let mut lines = [Line::default(); 8];
        for (i, line) in lines.iter_mut().enumerate() {
            let (ground_energy, g) = &self.ground()[i % 2];
            let e = |m: usize| excited.eigenvectors[(m, i / 2)].conj();
            // q = +1, 0, −1: the pairs (m, m′) that photon connects.
            let amplitudes =
                [e(0) * g[0] + e(1) * g[1] * third, e(1) * g[0] * two_thirds + e(2) * g[1] * two_thirds, e(2) * g[0] * third + e(3) * g[1]];
            line.velocity = excited.eigenvalues[i / 2] - ground_energy;
            line.weight = 0.25 * amplitudes.iter().map(|a| a.norm_sqr()).sum::<f64>();
        }
        Ok(lines)
    }
}

/// −baseline r Σ W L(v − shift − v_line): what one site takes away from the counts.
pub struct Mossbauer;

/// A parameter of the Hamiltonian.
fn of_site(name: &str, unit: &'static str, bounds: (f64, f64), prior: DefaultPrior, about: &'static str) -> Quantity {
    Quantity { name: name.into(), unit: Unit::Named(unit), role: Role::Other, bounds, prior, about }
}

impl Term for Mossbauer {
    type Shape = lorentzian::Lorentzian;
    const NAME: &'static str = "mossbauer-site";
    const TITLE: &'static str = "57Fe Moessbauer site";
    const ABOUT: &'static str = "f(v) = -baseline area sum_8 W L(v - shift - v_line), L a Lorentzian of area 1 and full width fwhm, \
        v the velocity in mm/s: one site of a powder's transmission spectrum. The eight lines are those between the eigenstates of \
        H_e = quadrupole [3 Iz^2 - 15/4 + eta (Ix^2 - Iy^2)] + 0.067899 field n.I (I = 3/2) \
        and H_g = -0.118872 field n.S (S = 1/2), mm/s and tesla, \
        n = (sin theta cos phi, sin theta sin phi, cos theta) in the frame of the field gradient; the weights W add up to 1. \
        quadrupole = e Q Vzz / 12, so a doublet splits by 6 |quadrupole| sqrt(1 + eta^2 / 3). \
        The spectrum does not change under phi -> -phi, phi -> pi - phi, theta -> pi - theta: eight equal solutions on the sphere. \
        baseline is the count without absorption: tie it to the background's level. \
        As height, the amplitude is the depth that all lines would have at one place. \
        The priors of the literature are kept, theta uniform on [0, pi] among them; `isotropic` is a direction without preference. \
        The line width's prior there is Gamma(1.5, 1.5) on the half width, here the same on the full width; \
        the natural full width is 0.194 mm/s. \
        Reference: Moriguchi et al., J. Phys. Soc. Jpn. 91 (2022) 104002.";

    const LINEAR: bool = false;

    fn parameters(_: usize) -> Vec<Quantity> {
        let free = (f64::NEG_INFINITY, f64::INFINITY);
        vec![
            Quantity {
                name: "baseline".into(),
                unit: Unit::Y,
                role: Role::Level,
                bounds: (0.0, f64::INFINITY),
                prior: DefaultPrior::ByRole,
                about: "counts without absorption, tied to the background",
            },
            Quantity {
                unit: Unit::Named("mm/s"),
                bounds: (0.0, f64::INFINITY),
                prior: DefaultPrior::Uniform(0.0, 1.0),
                about: "relative absorption, integrated over velocity",
                ..quantity::amplitude()
            },
            Quantity {
                name: "shift".into(),
                unit: Unit::Named("mm/s"),
                prior: DefaultPrior::Uniform(-1.0, 2.5),
                about: "centre shift",
                ..quantity::center()
            },
            of_site("quadrupole", "mm/s", free, DefaultPrior::Uniform(-1.0, 1.0), "A = e Q Vzz / 12"),
            of_site("field", "T", free, DefaultPrior::Uniform(0.0, 10.0), "magnetic flux density at the nucleus"),
            quantity::shape("eta", 0.0, 1.0, "asymmetry of the field gradient"),
            of_site("theta", "rad", free, DefaultPrior::Uniform(0.0, PI), "polar angle of the field"),
            of_site("phi", "rad", free, DefaultPrior::Uniform(0.0, 2.0 * PI), "azimuth of the field"),
            Quantity {
                unit: Unit::Named("mm/s"),
                // fwhm = 2γ with γ ~ Gamma(1.5, rate 1.5).
                prior: DefaultPrior::Gamma(1.5, 0.75),
                about: "full width of each line",
                ..quantity::width()
            },
        ]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 8, stride: 3 }
    }

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let [baseline, amplitude, shift, quadrupole, field, eta, polar, azimuth, fwhm] = *theta else { unreachable!("nine parameters") };
        let (w, admitted) = setup.width(fwhm);
        admitted?;
        if ![shift, quadrupole, field, eta, polar, azimuth].iter().all(|v| v.is_finite()) {
            return Err(Inadmissible);
        }
        let depth = baseline * setup.peak_height(amplitude, FRAC_PI_2 * fwhm);
        let lines = Site { quadrupole, field, eta, theta: polar, phi: azimuth }.lines()?;
        for (line, c) in lines.iter().zip(out.chunks_exact_mut(3)) {
            c[0] = -depth * line.weight;
            c[1] = setup.position(shift + line.velocity);
            c[2] = 2.0 / w;
        }
        Ok(())
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let area = Setup { mid: 0.25, half: 6.0, scale: 1024.0, ..Setup::default() };
        let height = Setup { mid: 0.25, half: 6.0, scale: 1024.0, height: true, ..Setup::default() };
        Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[-5.5, -3.1, -0.8, 0.0, 0.35, 0.9, 4.0], &[
            (&area, &[50000.0, 0.4, 0.11, 0.0, 33.04, 0.0, 0.0, 0.0, 0.24],
             &[-2071.2405340159, -4320.1969279275, -3418.2835718715, -225.08509400834, -263.34559117306, -3791.0802949456, -298.58365486757]),
            (&height, &[2000000.0, 0.08, 0.35, 0.28, 0.0, 0.3, 0.5, 1.0, 0.3],
             &[-112.05535091884, -363.01814132777, -16662.271649928, -7770.8624514724, -4804.6893768318, -16692.768992131, -318.03562816896]),
            (&area, &[50000.0, 0.7, -0.2, -0.41, 9.5, 0.65, 1.1, 4.0, 0.5],
             &[-143.82827976751, -2208.9507952647, -5608.7546726594, -9250.2393659051, -4146.6321994806, -3193.8800999857, -339.98521989867]),
            (&height, &[1000.0, 0.3, 0.9, 0.13, 21.0, 1.0, 2.4, 5.5, 0.2],
             &[-0.13505156034624, -2.0812356773935, -5.7716335277586, -8.3520999730725, -7.6076209268116, -1.842521071768, -3.1780501055662]),
        ])
    }
}
