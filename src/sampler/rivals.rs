//! Several proposals of one walker and step, of which it takes one or none.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use crate::random::Stream;

/// A proposal that a walker may choose.
#[derive(Clone, Copy, Debug)]
pub struct Rival {
    /// ln of its weight over that of the state as it is.
    pub ln_weight: f64,
    /// Its energy in nats.
    pub energy: f64,
    /// What it was decided on where scales are integrated out, otherwise NaN.
    pub tempered: f64,
}

impl Rival {
    /// One that cannot be chosen.
    pub const REFUSED: Self = Self { ln_weight: f64::NEG_INFINITY, energy: f64::INFINITY, tempered: f64::NAN };
}

/// The proposal that a walker takes, if any. State and proposals are exchangeable but for their weights, so that one of the others is drawn by its
/// weight and taken with the probability that makes the way back as likely (Liu, Biometrika 83 (1996) 681; Tjelmeland 2004; Calderhead, PNAS 111
/// (2014) 17408): with S the sum of all weights, W that of the state and V that of the proposal, min(1, (S − W)/(S − V)). Of one proposal this is
/// Metropolis's rule.
#[inline]
pub fn choose(rivals: &[Rival], stream: &mut Stream) -> Option<usize> {
    if let [rival] = rivals {
        return (rival.ln_weight >= 0.0 || stream.random::<f64>() < rival.ln_weight.exp()).then_some(0);
    }
    let largest = rivals.iter().map(|rival| rival.ln_weight).fold(0.0, f64::max);
    let weight = |rival: &Rival| (rival.ln_weight - largest).exp();
    let others: f64 = rivals.iter().map(weight).sum();
    let mut left = stream.random::<f64>() * others;
    let chosen = rivals.iter().position(|rival| {
        left -= weight(rival);
        left < 0.0
    })?;
    let back = others - weight(&rivals[chosen]) + (-largest).exp();
    (others >= back || stream.random::<f64>() * back < others).then_some(chosen)
}

/// What proposals of one walker and step have in common: steps go from the state to a centre and from there to each proposal, half of the variance
/// each, so that state and proposals are all alike to the centre. Empty where there is one proposal.
#[derive(Clone, Copy, Debug)]
pub struct Centre<'a>(pub &'a [f64]);

impl Centre<'_> {
    /// A standard normal number, of which the part to the centre counts `share` times as much as the part from it.
    #[inline]
    pub fn step(self, at: usize, share: f64, stream: &mut Stream) -> f64 {
        let own = standard(stream);
        self.0.get(at).map_or(own, |centre| (share * centre + own) / (share * share + 1.0).sqrt())
    }

    /// A number between 0 and 1 that all proposals have in common, the one after so many standard normal ones.
    #[inline]
    pub fn uniform(self, at: usize, stream: &mut Stream) -> f64 {
        self.0.get(at).copied().unwrap_or_else(|| stream.random())
    }
}

/// A standard normal number.
#[inline]
pub fn standard(stream: &mut Stream) -> f64 {
    StandardNormal.sample(stream)
}
