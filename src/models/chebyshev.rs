//! A polynomial background, by its values at the Chebyshev nodes of the window.

use super::{DefaultPrior, Extent, Golden, Inadmissible, Number, Quantity, Role, Setup, Shape, Term, Unit};

/// Σ c_j T_j(t), by Clenshaw's recurrence; coefficients: c_0 … c_degree.
pub struct Chebyshev;

impl Shape for Chebyshev {
    #[inline(always)]
    fn at<N: Number>(t: N, c: &[N]) -> N {
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
        t_j = cos(pi (j + 1/2)/(degree + 1)) of the window, j = 0 at the high end: \
        a prior on values has a meaning, one on coefficients has not.";
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
        out.fill(0.0);
        for (k, f) in theta.iter().enumerate() {
            // T_j by its recurrence: one cosine a node. A cosine a node and degree takes longer than all points for degrees beyond ten.
            let t = (std::f64::consts::PI * (k as f64 + 0.5) / n).cos();
            let (mut before, mut here) = (t, 1.0);
            for c in out.iter_mut() {
                *c += f * here;
                (before, here) = (here, 2.0 * t * here - before);
            }
        }
        for (j, c) in out.iter_mut().enumerate() {
            *c *= if j == 0 { 1.0 } else { 2.0 } / n / setup.scale;
        }
        Ok(())
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let near = Setup { mid: 8.0, half: 5.0, scale: 40.0, ..Setup::default() };
        let far = Setup { mid: -120.5, half: 20.25, scale: 1.0, ..Setup::default() };
        [
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 0, &[3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], &[
                (&near, &[17.5],
                 &[17.5, 17.5, 17.5, 17.5, 17.5, 17.5, 17.5]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 1, &[3.0, 4.5, 6.25, 8.0, 9.9, 12.0, 13.0], &[
                (&near, &[120.0, 80.5],
                 &[72.319282143131, 80.698497500192, 90.474248750096, 100.25, 110.86367278561, 122.59457428549, 128.18071785687]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 2, &[-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25], &[
                (&far, &[1.5, -0.25, 0.75],
                 &[1.1503206314411, 0.018387561067317, -0.2173489852886, -0.25, -0.0041595757917041, 1.3200176656479, 2.0163460352256]),
            ]),
            Golden::table("mpmath, 30 digits: tests/golden/make.py", 1e-12, 4, &[-140.75, -131.0, -126.5, -120.5, -115.1, -104.0, -100.25], &[
                (&far, &[3.0, 1.0, 4.0, 1.0, 5.0],
                 &[6.7143549878698, 1.270636989256, 2.7426441667763, 4.0, 3.2170705154686, 1.0308641329701, 4.2522081581296]),
            ]),
        ].concat()
    }
}
