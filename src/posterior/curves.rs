//! Draws as curves: what is expected at every point, term by term, what new data would look like, and how likely each datum is.

use super::labels::{Orders, groups};
use crate::engine::{POISSON_FLOOR, oracle};
use crate::problem::{Measurement, Noise, Problem};
use crate::random::{Key, Stream, draw};
use crate::sampler::Sampled;
use crate::sampler::diagnostics::sorted_quantile;

/// Which quantiles of the expected curve are kept: 95 % and 68 % intervals and the median, as of parameters.
pub const QUANTILES: [f64; 5] = [0.025, 0.16, 0.5, 0.84, 0.975];
/// Draws that a curve's quantiles and means are made of, at most, over all chains: their own scatter is then 1/20 of the posterior's.
const CURVES: usize = 400;
/// Draws of each chain that have new data, at most.
const PREDICTED: usize = 25;
/// Draws that have likelihoods point by point, at most, over all chains: with fewer, Pareto tails of leave-one-out weights are hardly known.
const SCORED: usize = 1000;
/// And of each chain at least, where there are so many: less shows nothing.
const LEAST: usize = 4;
/// New data may take one part in so many of the room that parameters and energies take; likelihoods twice that.
const ROOM: usize = 4;
/// What the draws say about one measurement at its N points, in units of its y; Poisson expectations have the exposure in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// Draws that the expectation and the terms are made of.
    pub draws: usize,
    /// [`QUANTILES`] of the expected y, quantile by quantile, 5 × N.
    pub expectation: Vec<f64>,
    /// Mean curve of every term, peaks as they are numbered in the results: they add up to the mean of the expected y.
    pub terms: Vec<(String, Vec<f64>)>,
    /// New data of the draws picked for it, chains × picked × N.
    pub predictive: Vec<f32>,
    /// ln of the likelihood of each datum, for the draws picked for it, chains × picked × N; summed over points and measurements it is −U of the
    /// draw.
    pub ln_likelihood: Vec<f32>,
}

/// Draws of each chain, counted from 0, that have numbers for every point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picked {
    /// New data.
    pub predicted: Vec<usize>,
    /// Likelihoods.
    pub scored: Vec<usize>,
}

impl Picked {
    /// Of `rows` draws of each chain, evenly spaced.
    fn new(problem: &Problem, sampled: &Sampled, rows: usize) -> Self {
        let kept = rows * (problem.dimension() + sampled.betas.len() + 2) * size_of::<f64>();
        let room = kept / ROOM / (problem.points() * size_of::<f32>()).max(1);
        let of = |room: usize, most: usize| spaced(rows, room.min(most).max(LEAST));
        Self { predicted: of(room, PREDICTED), scored: of(2 * room, SCORED / sampled.copies.len().max(1)) }
    }
}

/// The picked draws, and the curves of each measurement. `rows` draws of each chain count.
pub(super) fn curves(problem: &Problem, sampled: &Sampled, orders: &Orders, rows: usize, seed: u64) -> (Picked, Vec<Curves>) {
    let chains = sampled.copies.len();
    let used = spaced(rows, CURVES / chains.max(1));
    let picked = Picked::new(problem, sampled, rows);
    let mut builder = Builder::new(problem);
    let mut before = 0;
    for (chain, copy) in sampled.copies.iter().enumerate() {
        let theta = |row: usize| &copy.draws[row * problem.dimension()..(row + 1) * problem.dimension()];
        for &row in &used {
            builder.add(orders, before + row, theta(row));
        }
        let key = Key::new(seed, &problem.frame, &problem.window, &format!("posterior predictive of {}", problem.candidate), chain);
        for &row in &picked.predicted {
            builder.predict(theta(row), |m| key.stream(m as u32, row as u32, 0));
        }
        picked.scored.iter().for_each(|&row| builder.score(theta(row)));
        before += copy.rows();
    }
    (picked, builder.finish())
}

/// At most so many of `rows` rows, evenly spaced.
fn spaced(rows: usize, most: usize) -> Vec<usize> {
    (0..rows).step_by(rows.div_ceil(most.max(1)).max(1)).collect()
}

/// Curves that are being made.
struct Builder<'a> {
    problem: &'a Problem,
    groups: Vec<Vec<usize>>,
    coefficients: Vec<f64>,
    made: Vec<Curves>,
    /// For each measurement the expected curves, draw by draw.
    expected: Vec<Vec<f64>>,
}

impl<'a> Builder<'a> {
    fn new(problem: &'a Problem) -> Self {
        let groups = groups(problem);
        let made = problem
            .measurements
            .iter()
            .enumerate()
            .map(|(m, data)| {
                let numbered =
                    groups.iter().flat_map(|group| group.iter().enumerate()).filter(|(_, k)| problem.terms[**k].measurement == m);
                let terms = numbered.map(|(rank, &k)| (name(problem, k, rank), vec![0.0; data.t.len()])).collect();
                Curves { terms, ..Curves::default() }
            })
            .collect();
        Self {
            problem,
            groups,
            coefficients: vec![0.0; problem.coefficients()],
            made,
            expected: vec![Vec::new(); problem.measurements.len()],
        }
    }

    /// Adds a draw to expectation and terms.
    fn add(&mut self, orders: &Orders, draw: usize, theta: &[f64]) {
        if !self.problem.prepare_all(theta, &mut self.coefficients) {
            return;
        }
        let mut places = vec![0; self.made.len()];
        let mut sums: Vec<Vec<f64>> = self.problem.measurements.iter().map(|m| vec![0.0; m.t.len()]).collect();
        for k in self.groups.iter().flat_map(|group| orders.terms(group, draw)) {
            let m = self.problem.terms[k].measurement;
            let curve = in_units(&self.problem.measurements[m], oracle::term(self.problem, k, &self.coefficients));
            let mean = &mut self.made[m].terms[places[m]].1;
            places[m] += 1;
            for ((mean, sum), f) in mean.iter_mut().zip(&mut sums[m]).zip(curve) {
                *mean += f;
                *sum += f;
            }
        }
        for ((made, expected), sum) in self.made.iter_mut().zip(&mut self.expected).zip(sums) {
            made.draws += 1;
            expected.extend(sum);
        }
    }

    /// Adds new data of a draw; no numbers where the model refuses it.
    fn predict(&mut self, theta: &[f64], stream: impl Fn(usize) -> Stream) {
        let good = self.problem.prepare_all(theta, &mut self.coefficients);
        for (m, data) in self.problem.measurements.iter().enumerate() {
            let mut stream = stream(m);
            let curve = oracle::curve(self.problem, m, &self.coefficients);
            let new = |(i, f): (usize, f64)| if good { new_datum(data, i, f, theta, &mut stream) as f32 } else { f32::NAN };
            self.made[m].predictive.extend(curve.into_iter().enumerate().map(new));
        }
    }

    /// Adds likelihoods of a draw; no numbers where the model refuses it.
    fn score(&mut self, theta: &[f64]) {
        let good = self.problem.prepare_all(theta, &mut self.coefficients);
        for (m, data) in self.problem.measurements.iter().enumerate() {
            let curve = oracle::curve(self.problem, m, &self.coefficients);
            let of = |(i, f): (usize, f64)| if good { ln_likelihood(data, i, f, theta) as f32 } else { f32::NAN };
            self.made[m].ln_likelihood.extend(curve.into_iter().enumerate().map(of));
        }
    }

    fn finish(mut self) -> Vec<Curves> {
        for ((made, expected), data) in self.made.iter_mut().zip(&self.expected).zip(&self.problem.measurements) {
            let n = made.draws as f64;
            made.terms.iter_mut().flat_map(|(_, mean)| mean).for_each(|sum| *sum /= n);
            let points = data.t.len();
            made.expectation = vec![f64::NAN; QUANTILES.len() * points];
            for i in 0..points {
                let mut values: Vec<f64> = expected.iter().skip(i).step_by(points).copied().collect();
                values.sort_by(f64::total_cmp);
                for (q, p) in QUANTILES.iter().enumerate() {
                    made.expectation[q * points + i] = sorted_quantile(&values, *p);
                }
            }
        }
        self.made
    }
}

/// What a term is called: by its name, or by its number where it is a peak, with the name where peaks are of several kinds.
fn name(problem: &Problem, k: usize, rank: usize) -> String {
    let term = &problem.terms[k];
    if !term.counted {
        return term.name.clone();
    }
    let several = problem.terms.iter().any(|t| t.counted && t.measurement == term.measurement && t.name != term.name);
    format!("{} {}", if several { &term.name } else { "peak" }, rank + 1)
}

/// A curve in units of y, with the exposure in it.
fn in_units(data: &Measurement, mut curve: Vec<f64>) -> Vec<f64> {
    for (i, f) in curve.iter_mut().enumerate() {
        *f *= data.scale * exposure(data, i);
    }
    curve
}

fn exposure(data: &Measurement, i: usize) -> f64 {
    data.exposure.get(i).copied().unwrap_or(1.0)
}

/// The standard deviation of y at a point.
fn sigma(data: &Measurement, i: usize, theta: &[f64]) -> f64 {
    let stated = data.scale / data.weight[i];
    if let Noise::Scaled { parameter } = data.noise { stated * theta[parameter] } else { stated }
}

/// The mean count at a point where the model gives f, held above the floor that likelihoods have.
pub(crate) fn mean_count(data: &Measurement, i: usize, f: f64) -> f64 {
    (f * exposure(data, i)).max(POISSON_FLOOR) * data.scale
}

/// y of a new measurement where the model gives f. A Poisson mean that no count can be drawn from exactly gives a rounded normal number.
pub(crate) fn new_datum(data: &Measurement, i: usize, f: f64, theta: &[f64], stream: &mut Stream) -> f64 {
    if data.noise != Noise::Poisson {
        return f * data.scale + sigma(data, i, theta) * draw::normal(stream);
    }
    let mean = mean_count(data, i, f);
    if mean <= draw::MOST_COUNTS { draw::poisson(mean, stream) } else { (mean + mean.sqrt() * draw::normal(stream)).round().max(0.0) }
}

/// ln p(y | f), every constant kept.
fn ln_likelihood(data: &Measurement, i: usize, f: f64, theta: &[f64]) -> f64 {
    if data.noise != Noise::Poisson {
        let sigma = sigma(data, i, theta);
        let off = (data.y[i] - f) * data.scale / sigma;
        return -0.5 * off * off - sigma.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln();
    }
    let y = data.y[i] * data.scale;
    let at_best = if y > 0.0 { y * y.ln() - y } else { 0.0 };
    at_best - libm::lgamma(y + 1.0) - 0.5 * data.scale * oracle::deviance(data.y[i], f * exposure(data, i))
}
