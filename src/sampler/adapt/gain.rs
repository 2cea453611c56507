//! How sizes of steps follow decisions (Robbins and Monro).

use std::sync::LazyLock;

/// Gains of the first decisions, which are wanted often and cost a power.
static GAINS: LazyLock<[f64; 1024]> = LazyLock::new(|| std::array::from_fn(|n| power_gain(n as u32)));

/// What ln of a size becomes with the decision that is the n-th.
#[inline(always)]
pub fn followed(ln_size: f64, n: u32, accepted: bool, rate: f64, longest: f64) -> f64 {
    (ln_size + gain(n) * (f64::from(u8::from(accepted)) - rate)).clamp(-60.0, longest)
}

/// The Robbins–Monro gain at the n-th decision.
fn gain(n: u32) -> f64 {
    GAINS.get(n as usize).copied().unwrap_or_else(|| power_gain(n))
}

/// It falls as n^−0.6, which converges and forgets its start.
fn power_gain(n: u32) -> f64 {
    2.0 * (f64::from(n) + 3.0).powf(-0.6)
}
