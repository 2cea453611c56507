//! A polynomial background, by its values at the Chebyshev nodes of the window.

use super::{DefaultPrior, Extent, Golden, Inadmissible, Number, Quantity, Role, Setup, Shape, Term, Unit};

/// Σ c_j T_j(t), by Clenshaw's recurrence; coefficients: c_0 … c_degree.
pub struct Chebyshev;

impl Shape for Chebyshev {
    #[inline(always)]
    fn eval<N: Number>(t: N, c: &[N]) -> N {
        let zero = t.of(0.0);
        let twice = t + t;
        let (mut b1, mut b2) = (zero, zero);
        for &cj in c[1..].iter().rev() {
            let b0 = twice.mul_add(b1, cj - b2);
            b2 = b1;
            b1 = b0;
        }
        t.mul_add(b1, c[0] - b2)
    }

    fn support(_: &[f64], _: f64) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
}

impl Term for Chebyshev {
    type Shape = Self;
    const NAME: &'static str = "chebyshev";
    const TITLE: &'static str = "polynomial background";
    const ABOUT: &'static str = "Polynomial of the given degree through its values at the Chebyshev nodes \
        t_j = cos(pi (j + 1/2)/(degree + 1)) of the window, j = 0 at the high end: a prior on values has a meaning, one on coefficients has not.";
    const SIZE: Option<(&'static str, usize)> = Some(("degree", 1));

    fn parameters(degree: usize) -> Vec<Quantity> {
        (0..=degree)
            .map(|j| Quantity {
                name: format!("level{j}"),
                unit: Unit::Y,
                role: Role::Level,
                bounds: (f64::NEG_INFINITY, f64::INFINITY),
                prior: DefaultPrior::ByRole,
                about: "value at a Chebyshev node of the window",
            })
            .collect()
    }

    fn extent(degree: usize) -> Extent {
        Extent { repeats: 1, stride: degree + 1 }
    }

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        // Discrete orthogonality of T_j on the nodes of T_n: c_j = (2 − δ_j0)/n Σ_k f_k T_j(t_k).
        let n = theta.len() as f64;
        for (j, c) in out.iter_mut().enumerate() {
            let sum: f64 = theta
                .iter()
                .enumerate()
                .map(|(k, f)| f * (std::f64::consts::PI * j as f64 * (k as f64 + 0.5) / n).cos())
                .sum();
            *c = sum * if j == 0 { 1.0 } else { 2.0 } / n / setup.scale;
        }
        Ok(())
    }

    fn golden() -> Vec<Golden> {
        vec![] // filled with numpy values
    }
}
