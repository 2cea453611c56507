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
