//! What fresh draws tell of the normalisation of a rung: bridge sampling.
//!
//! With q an approximation, whose normalisation is known, and π = exp(−βU)·prior, whose integral Z is wanted, for every C
//! Z = eᶜ ⟨1/(1 + qeᶜ/π)⟩ over q divided by ⟨1/(1 + π/qeᶜ)⟩ over π, most exactly where C is ln Z (Bennett, J. Comput. Phys. 22 (1976) 245; Meng and
//! Wong, Statistica Sinica 6 (1996) 831). The draws of q are proposals that are made anyway, independent of one another and of the states.
//! What q leaves out costs precision and nothing else, as long as the states go there.

/// Sums of one rung over some sweeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bridge {
    /// C: ln Z as far as it was known before, NaN where it was not.
    pub about: f64,
    /// Σ over fresh draws of 1/(1 + qeᶜ/π).
    pub fresh: f64,
    /// Σ over as many states of 1/(1 + π/qeᶜ).
    pub own: f64,
}

impl Bridge {
    /// Nothing yet.
    pub fn new(about: f64) -> Self {
        Self { about, fresh: 0.0, own: 0.0 }
    }

    /// Adds a state and a fresh draw, by ln(π/q) of each.
    pub fn add(&mut self, own: f64, fresh: f64) {
        if (own - self.about).is_finite() && !fresh.is_nan() {
            self.own += 1.0 / (1.0 + (own - self.about).exp());
            self.fresh += 1.0 / (1.0 + (self.about - fresh).exp());
        }
    }

    /// Adds the sums of other sweeps, made with the same C.
    pub fn merge(&mut self, other: &Self) {
        self.fresh += other.fresh;
        self.own += other.own;
    }
}

#[cfg(test)]
mod tests {
    use super::super::rivals::standard;
    use super::*;
    use crate::random::Key;

    /// A density e³ times that of a normal number, half of it in a second mode that the approximation of the first one does not know: ln Z is 3
    /// whatever it was thought to be, within four and a half standard errors of ten parts each.
    #[test]
    fn a_bridge_finds_the_norm_of_a_density_that_its_approximation_half_covers() {
        const PARTS: usize = 10;
        let mut stream = Key::new(4, "bridge", "", "", 0).stream(0, 0, 0);
        let ln_pi = |x: f64| 3.0 + ((-0.5 * x * x).exp() + (-0.5 * (x - 8.0).powi(2)).exp()).ln() - 2f64.ln();
        let ln_q = |x: f64| -0.5 * (x / 1.2).powi(2) - 1.2f64.ln();
        for about in [3.0, 1.5, 5.0] {
            let mut part = |number: usize| {
                let mut bridge = Bridge::new(about);
                for i in 0..2000 {
                    let (own, fresh) =
                        (standard(&mut stream) + if (i + number).is_multiple_of(2) { 8.0 } else { 0.0 }, 1.2 * standard(&mut stream));
                    bridge.add(ln_pi(own) - ln_q(own), ln_pi(fresh) - ln_q(fresh));
                }
                bridge
            };
            let parts: Vec<Bridge> = (0..PARTS).map(&mut part).collect();
            let ln_z = |bridge: &Bridge| bridge.about + (bridge.fresh / bridge.own).ln();
            let mut all = Bridge::new(about);
            parts.iter().for_each(|part| all.merge(part));
            let scatter = parts.iter().map(|part| (ln_z(part) - ln_z(&all)).powi(2)).sum::<f64>() / (PARTS * (PARTS - 1)) as f64;
            let off = (ln_z(&all) - 3.0) / scatter.sqrt();
            println!("about {about}: {:.4} ± {:.4}", ln_z(&all), scatter.sqrt());
            assert!(off.abs() < 4.5 && scatter.sqrt() < 0.05, "{off} errors");
        }
    }

    #[test]
    fn what_is_no_number_is_left_out_and_a_refused_draw_counts() {
        let mut bridge = Bridge::new(f64::NAN);
        bridge.add(1.0, 1.0);
        assert!(bridge.own == 0.0 && bridge.fresh == 0.0);
        let mut bridge = Bridge::new(2.0);
        bridge.add(f64::NAN, 1.0);
        bridge.add(f64::INFINITY, 1.0);
        bridge.add(2.0, f64::NEG_INFINITY);
        assert!(bridge.own == 0.5 && bridge.fresh == 0.0);
    }
}
