//! Free energies and their errors: MBAR over all rungs with what fresh draws tell of each, stepping stones as a bracket, standard errors from blocks.
//!
//! Shirts and Chodera, J. Chem. Phys. 129 (2008) 124105. For the one-parameter family exp(−βU)·prior a draw needs nothing but its energy. The ladder
//! alone knows F to the root of Λ² over the draws of a rung; where fresh draws of an approximation are accepted they tell F of their own rung
//! ([`Bridge`]), and the ladder carries it to the others.

pub mod noise;

use std::ops::Range;

use crate::sampler::{Bridge, Energies, Piece, Sampled};

/// A free energy in nats, with what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct FreeEnergy {
    /// F = −ln p(D | candidate).
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// Degrees of freedom of the standard error.
    pub degrees: usize,
    /// E = ⟨U⟩ over the posterior.
    pub energy: f64,
    /// S = E − F = −KL(posterior ‖ prior) ≤ 0.
    pub entropy: f64,
    /// β² Var U at β = 1.
    pub heat: f64,
    /// Stepping stones from β = 0 up and from β = 1 down: their difference shows what the ladder does not connect.
    pub forward: f64,
    /// See `forward`.
    pub backward: f64,
    /// Standard error of forward − backward, from blocks.
    pub bracket_se: f64,
    /// F at every rung.
    pub rungs: Vec<f64>,
    /// Standard error of F at every rung; that of the first is 0, that of the last is `se`.
    pub rung_se: Vec<f64>,
}

/// Blocks that standard errors come from: with 8 copies, two a copy.
const BLOCKS: usize = 16;
/// Newton steps at most, and the change in nats at which they end.
const STEPS: usize = 60;
const TOLERANCE: f64 = 1e-10;

/// Energies of a sampled problem, block by block: blocks are of one copy each and of about equal length.
struct Samples<'a> {
    rungs: usize,
    /// Pooled energies of every sweep.
    blocks: Vec<Block>,
    /// Kept rows of the same blocks, row after row, for what needs each rung's own energies.
    rows: Vec<&'a [f64]>,
    /// The posterior's draws of the same rows.
    draws: Vec<&'a [f64]>,
    /// What fresh draws tell of each rung but the first.
    known: Vec<Option<Known>>,
}

/// F at a rung from fresh draws there.
struct Known {
    free: f64,
    /// The second derivative of Bennett's likelihood at its maximum.
    weight: f64,
    /// Each block's share of the sweeps, and the first derivative of F with respect to the weight of the block.
    pull: Vec<(f64, f64)>,
}

impl Known {
    /// Of one rung's sums in each block; none where draws and states have nothing in common.
    fn of(blocks: &[Block], rung: usize) -> Option<Self> {
        let mut all = Bridge::new(blocks.iter().find_map(|block| block.bridges.get(rung))?.about);
        blocks.iter().filter_map(|block| block.bridges.get(rung)).for_each(|own| all.merge(own));
        let sweeps: f64 = blocks.iter().map(|block| block.sweeps).sum();
        let pull = |block: &Block| {
            let own = block.bridges.get(rung).map_or(0.0, |own| own.fresh / all.fresh - own.own / all.own);
            (block.sweeps / sweeps, own)
        };
        let pull = blocks.iter().map(pull).collect();
        let (free, weight) = (-all.about - (all.fresh / all.own).ln(), (all.fresh * all.own).sqrt());
        free.is_finite().then_some(Self { free, weight, pull })
    }
}

/// Pooled energies of a block: bins of energy with their draws. Draws of zero likelihood are in none.
#[derive(Debug)]
struct Block {
    bins: Vec<(f64, f64)>,
    /// Draws at every rung.
    sweeps: f64,
    /// What fresh draws tell of each rung.
    bridges: Vec<Bridge>,
}

/// Free energy of a sampled problem; none where nothing was kept.
pub fn free_energy(sampled: &Sampled) -> Option<FreeEnergy> {
    let samples = Samples::of(sampled);
    let betas = &sampled.betas;
    if samples.blocks.len() < 2 {
        return None;
    }
    let (forward, backward, differences) = stepping_stones(&samples, betas);
    let start: Vec<f64> = forward.iter().zip(&backward).map(|(a, b)| mean_finite(*a, *b)).collect();
    let solved = solve(&samples, betas, start);
    let last = betas.len() - 1;
    let (energy, heat) = cold_moments(&samples, betas, &solved.f);
    let value = solved.f[last];
    Some(FreeEnergy {
        value,
        se: solved.se[last],
        degrees: samples.blocks.len() - 1,
        energy,
        entropy: energy - value,
        heat,
        forward: forward[last],
        backward: backward[last],
        bracket_se: jackknife_se(&differences, &vec![1.0; differences.len()]),
        rungs: solved.f,
        rung_se: solved.se,
    })
}

fn mean_finite(a: f64, b: f64) -> f64 {
    match (a.is_finite(), b.is_finite()) {
        (true, true) => 0.5 * (a + b),
        (true, false) => a,
        (false, true) => b,
        _ => 0.0,
    }
}

impl<'a> Samples<'a> {
    fn of(sampled: &'a Sampled) -> Self {
        let rungs = sampled.betas.len();
        let parts = BLOCKS.div_ceil(sampled.copies.len()).max(1);
        let (mut blocks, mut rows, mut draws) = (Vec::new(), Vec::new(), Vec::new());
        for copy in &sampled.copies {
            let dimension = copy.draws.len() / copy.rows().max(1);
            for (block, share) in Block::of(&copy.histogram, parts) {
                let end = |share: f64| (copy.rows() as f64 * share).round() as usize;
                let (from, to) = (end(share.start), end(share.end));
                blocks.push(block);
                rows.push(&copy.energies[from * rungs..to * rungs]);
                draws.push(&copy.draws[from * dimension..to * dimension]);
            }
        }
        let known = (1..rungs).map(|rung| Known::of(&blocks, rung)).collect();
        Self { rungs, blocks, rows, draws, known }
    }
}

impl Block {
    /// The pieces of a copy in so many blocks, as equal as the pieces allow, each with its share of the sweeps.
    fn of(energies: &Energies, parts: usize) -> Vec<(Self, Range<f64>)> {
        let pieces = energies.pieces();
        let total = pieces.iter().map(|p| p.sweeps).sum::<usize>() as f64;
        let mut blocks = Vec::new();
        let (mut from, mut done) = (0, 0.0);
        for part in 0..parts {
            let (first, begin) = (from, done);
            let due = total * (part + 1) as f64 / parts as f64;
            while from < pieces.len() && (part + 1 == parts || done + 0.5 * pieces[from].sweeps as f64 <= due) {
                done += pieces[from].sweeps as f64;
                from += 1;
            }
            if first < from {
                let all = Piece::all(&pieces[first..from]);
                let bins = energies.bins(&all);
                blocks.push((Self { bins, sweeps: all.sweeps as f64, bridges: all.bridges }, begin / total..done / total));
            }
        }
        blocks
    }
}

/// Sums of exp(x) by block, scaled by one common factor, so that any block can be left out.
struct Sums {
    largest: f64,
    /// (sum, entries) of each block.
    blocks: Vec<(f64, f64)>,
}

impl Sums {
    /// Over exp(factor · U) of one rung.
    fn new(samples: &Samples<'_>, rung: usize, factor: f64) -> Self {
        let values = |rows: &[f64]| rows.iter().skip(rung).step_by(samples.rungs).map(|u| factor * u).collect::<Vec<f64>>();
        let blocks: Vec<Vec<f64>> = samples.rows.iter().map(|rows| values(rows)).collect();
        let largest = blocks.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum = |b: &Vec<f64>| (b.iter().map(|v| (v - largest).exp()).sum(), b.len() as f64);
        Self { largest, blocks: if largest.is_finite() { blocks.iter().map(sum).collect() } else { Vec::new() } }
    }

    /// −ln of the mean; +∞ where nothing has weight.
    fn minus_ln_mean(&self, without: Option<usize>) -> f64 {
        let kept = self.blocks.iter().enumerate().filter(|(b, _)| Some(*b) != without);
        let (sum, n) = kept.fold((0.0, 0.0), |(s, n), (_, b)| (s + b.0, n + b.1));
        if n > 0.0 { -(self.largest + (sum / n).ln()) } else { f64::INFINITY }
    }
}

/// F at every rung by one-sided averages, and the difference of both at the coldest with each block left out: upward over the hotter rung's
/// draws, downward over the colder one's. The weights exp((β′ − β)U) of the way down have a second moment over draws at β′ only where
/// 2β > β′, for the prior reaches energies without bound in all but name: further apart there is only the way up.
fn stepping_stones(samples: &Samples<'_>, betas: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (mut up, mut down) = (vec![0.0], vec![0.0]);
    let mut differences = vec![0.0; samples.blocks.len()];
    for r in 0..betas.len() - 1 {
        let step = betas[r + 1] - betas[r];
        let hot = Sums::new(samples, r, -step);
        let rise = hot.minus_ln_mean(None);
        up.push(up[r] + rise);
        if 2.0 * betas[r] <= betas[r + 1] {
            down.push(down[r] + rise);
            continue;
        }
        let cold = Sums::new(samples, r + 1, step);
        down.push(down[r] - cold.minus_ln_mean(None));
        for (b, difference) in differences.iter_mut().enumerate() {
            *difference += hot.minus_ln_mean(Some(b)) + cold.minus_ln_mean(Some(b));
        }
    }
    (up, down, differences)
}

struct Solved {
    f: Vec<f64>,
    /// Standard error of each.
    se: Vec<f64>,
    /// What leaving out each block adds to all but the first, which is zero.
    shifts: Vec<Vec<f64>>,
}

/// Newton's method on the convex objective Σ ln Σ_l N exp(f_l − β_l U) − N Σ f_l with f_0 = 0, plus a parabola for each F that fresh draws tell, as
/// wide as Bennett's likelihood: that counts the states of such a rung twice, which costs some precision and is no bias. Then a one-step
/// delete-one-block jackknife: leaving out a block shifts the solution by H⁻¹ times that block's share of the gradient, to first order in 1/blocks.
fn solve(samples: &Samples<'_>, betas: &[f64], mut f: Vec<f64>) -> Solved {
    let l = betas.len();
    let mut system = System::new(l);
    for _ in 0..STEPS {
        system.assemble(samples, betas, &f);
        let Some(step) = system.solve(&system.gradient) else { break };
        // Far from the solution a full step may overshoot: bounded steps still converge, because the objective is convex.
        let largest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
        let damp = if largest > 2.0 { 2.0 / largest } else { 1.0 };
        for (f, s) in f[1..].iter_mut().zip(&step) {
            *f -= damp * s;
        }
        if largest < TOLERANCE {
            break;
        }
    }
    system.assemble(samples, betas, &f);
    let total: f64 = samples.blocks.iter().map(|b| b.sweeps).sum();
    let sizes: Vec<f64> = samples.blocks.iter().map(|b| b.sweeps).collect();
    let shift = |(g, own): (&Vec<f64>, &f64)| {
        let without = system.solve(g).unwrap_or_else(|| vec![f64::NAN; l - 1]);
        without.iter().map(|s| s * total / (total - own)).collect()
    };
    let shifts: Vec<Vec<f64>> = system.by_block.iter().zip(&sizes).map(shift).collect();
    let error = |r: usize| jackknife_se(&shifts.iter().map(|s| s[r]).collect::<Vec<f64>>(), &sizes);
    let se = [0.0].into_iter().chain((0..l - 1).map(error)).collect();
    Solved { f, se, shifts }
}

/// Standard error from the estimates that leave out one block each, for blocks of unequal size
/// (Busing, Meijer, van der Leeden, Statistics and Computing 9 (1999) 3); of equal size, it is the ordinary jackknife.
fn jackknife_se(without: &[f64], sizes: &[f64]) -> f64 {
    let total: f64 = sizes.iter().sum();
    let lean: f64 = without.iter().zip(sizes).map(|(v, m)| v * (1.0 - m / total)).sum();
    let each = |(v, m): (&f64, &f64)| {
        let others = total / m - 1.0;
        (others * v - lean).powi(2) / others
    };
    (without.iter().zip(sizes).map(each).sum::<f64>() / without.len() as f64).sqrt()
}

/// Gradient and Hessian with respect to f_1 … f_{L−1}.
struct System {
    l: usize,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
    by_block: Vec<Vec<f64>>,
}

impl System {
    fn new(l: usize) -> Self {
        Self { l, gradient: vec![0.0; l - 1], hessian: vec![0.0; (l - 1) * (l - 1)], by_block: Vec::new() }
    }

    fn assemble(&mut self, samples: &Samples<'_>, betas: &[f64], f: &[f64]) {
        let n = self.l - 1;
        self.gradient.fill(0.0);
        self.hessian.fill(0.0);
        self.by_block.clear();
        let mut p = vec![0.0; self.l];
        for block in &samples.blocks {
            let mut own = vec![-block.sweeps; n];
            for &(u, draws) in &block.bins {
                shares(u, betas, f, &mut p);
                for a in 0..n {
                    let share = draws * p[a + 1];
                    own[a] += share;
                    if p[a + 1] < 1e-12 {
                        continue;
                    }
                    let row = &mut self.hessian[a * n..a * n + a + 1];
                    for (h, q) in row.iter_mut().zip(&p[1..]) {
                        *h -= share * q;
                    }
                    self.hessian[a * n + a] += share;
                }
            }
            self.gradient.iter_mut().zip(&own).for_each(|(g, o)| *g += o);
            self.by_block.push(own);
        }
        for (a, known) in samples.known.iter().enumerate().filter_map(|(a, known)| Some((a, known.as_ref()?))) {
            let off = f[a + 1] - known.free;
            self.hessian[a * n + a] += known.weight;
            self.gradient[a] += known.weight * off;
            for (own, pull) in self.by_block.iter_mut().zip(&known.pull) {
                own[a] += known.weight * (off * pull.0 + pull.1);
            }
        }
        for a in 0..n {
            for b in 0..a {
                self.hessian[b * n + a] = self.hessian[a * n + b];
            }
        }
    }

    /// H⁻¹ g by Cholesky; a trace of ridge keeps rungs that share no draws solvable.
    fn solve(&self, g: &[f64]) -> Option<Vec<f64>> {
        let n = self.l - 1;
        let mut a = self.hessian.clone();
        for i in 0..n {
            a[i * n + i] += 1e-9 * (1.0 + a[i * n + i]);
        }
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
                let rest = a[i * n + j] - dot;
                if i == j {
                    if rest <= 0.0 {
                        return None;
                    }
                    a[i * n + i] = rest.sqrt();
                } else {
                    a[i * n + j] = rest / a[j * n + j];
                }
            }
        }
        let mut x = g.to_vec();
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| a[i * n + k] * x[k]).sum();
            x[i] = (x[i] - dot) / a[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| a[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / a[i * n + i];
        }
        Some(x)
    }
}

/// Probabilities that a draw of finite energy u came from each rung, all rungs having equally many draws; returns ln Σ exp(f − βu).
fn shares(u: f64, betas: &[f64], f: &[f64], p: &mut [f64]) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    for ((p, b), f) in p.iter_mut().zip(betas).zip(f) {
        *p = f - b * u;
        largest = largest.max(*p);
    }
    let mut sum = 0.0;
    for p in p.iter_mut() {
        *p = if *p - largest > -40.0 { (*p - largest).exp() } else { 0.0 };
        sum += *p;
    }
    p.iter_mut().for_each(|p| *p /= sum);
    largest + sum.ln()
}

/// ⟨U⟩ and β² Var U at the coldest rung, by reweighting all draws.
fn cold_moments(samples: &Samples<'_>, betas: &[f64], f: &[f64]) -> (f64, f64) {
    let last = betas.len() - 1;
    let mut p = vec![0.0; betas.len()];
    let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
    // Energies are taken relative to the lowest, so that squares keep their digits.
    let origin = samples.blocks.iter().flat_map(|b| &b.bins).map(|bin| bin.0).fold(f64::INFINITY, f64::min);
    for block in &samples.blocks {
        for &(u, draws) in &block.bins {
            shares(u, betas, f, &mut p);
            let (weight, d) = (draws * p[last], u - origin);
            sum += weight;
            first += weight * d;
            second += weight * d * d;
        }
    }
    let mean = first / sum;
    (origin + mean, betas[last].powi(2) * (second / sum - mean * mean))
}

/// −ln of the mean of exp(−F) over candidates of equal prior odds, with the standard error that those of F make (delta method): the free energy
/// of "one of them", in nats. NaN where one candidate has no F.
pub fn of_any(free: &[(f64, f64)]) -> (f64, f64) {
    let p = probabilities(free);
    let least = free.iter().map(|f| f.0).fold(f64::INFINITY, f64::min);
    let sum: f64 = free.iter().map(|f| (least - f.0).exp()).sum();
    let variance: f64 = p.iter().zip(free).map(|(p, f)| if p.0 == 0.0 { 0.0 } else { (p.0 * f.1).powi(2) }).sum();
    (least - (sum / free.len() as f64).ln(), variance.sqrt())
}

/// Probabilities of candidates from their free energies under equal prior odds, and the standard errors that those of F make (delta method).
/// All are NaN where one candidate has no F: a rival that was not heard cannot have lost.
pub fn probabilities(free: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if free.iter().any(|f| f.0.is_nan()) {
        return vec![(f64::NAN, f64::NAN); free.len()];
    }
    let least = free.iter().map(|f| f.0).filter(|f| f.is_finite()).fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = free.iter().map(|f| if f.0.is_finite() { (least - f.0).exp() } else { 0.0 }).collect();
    let total: f64 = weights.iter().sum();
    let p: Vec<f64> = weights.iter().map(|w| if total > 0.0 { w / total } else { 0.0 }).collect();
    (0..p.len())
        .map(|i| {
            let variance: f64 = (0..p.len())
                .map(|j| {
                    let slope = p[i] * (f64::from(u8::from(i == j)) - p[j]);
                    if slope == 0.0 { 0.0 } else { (slope * free[j].1).powi(2) }
                })
                .sum();
            (p[i], variance.sqrt())
        })
        .collect()
}

#[cfg(test)]
mod tests;
