//! Amplitudes and levels fitted anew: what a curve depends on linearly is drawn together from a normal approximation of its conditional.
//!
//! A peak put elsewhere is accepted only where its amplitude, the background and its neighbours' amplitudes suit it there. Least squares
//! knows them: given everything else, a sum of terms under Gaussian noise has a normal conditional in its linear parameters. They are
//! drawn one after the other, each within the bounds of its prior (the GHK simulator; Geweke 1991, Hajivassiliou and McFadden 1998), so
//! that the density of the draw is known and enters the acceptance: what is only nearly right (the variance of counts, an inferred scale,
//! f32 columns) costs acceptance, never correctness. It is computed on the host, with the same bits for every engine and instruction set.

mod columns;

use std::cell::RefCell;

use fearless_simd::Level;
use rand::Rng;

use self::columns::{Design, Gram, Rest};
use super::schedule::Peak;
use crate::engine::cpu::span::{Ends, STEP, Span};
use crate::models::Role;
use crate::models::level;
use crate::prior::{Prior, normal_mass};
use crate::problem::{Binding, Noise, Problem};

/// A parameter that the data do not hold is held by this share of the precision of the one that they hold best.
const LOOSE: f64 = 1e-10;
/// ln √2π.
const LN_ROOT_TAU: f64 = 0.918_938_533_204_672_8;
/// Bounds further than this many standard deviations from the mean are left to the prior: the draw and its density are those of the whole normal,
/// and the few draws beyond are refused. Which of the two it is follows from mean and spread alone, so that the way back agrees.
const FAR: f64 = 5.0;
/// Products are brought to logarithms before they leave the numbers.
const SMALL: f64 = 1e-200;
/// Under an inferred scale the conditional is Student's, with βN less the linear parameters as degrees of freedom; with fewer than this
/// share of βN it has hardly a shape, and moves that know nothing do as well.
const LEAST_DEGREES: f64 = 0.5;
/// Most linear parameters.
const MOST: usize = 16;
/// Points of a vector.
const LANES: usize = STEP;

/// The linear parameters of one measurement.
#[derive(Clone, Debug)]
pub struct Refit {
    /// The measurement.
    pub measurement: usize,
    /// Free parameters, ascending.
    pub parameters: Vec<usize>,
    /// Terms that depend on them, ascending.
    pub terms: Vec<u32>,
    bounds: Vec<(f64, f64)>,
    /// What each is counted in: about its prior's range.
    unit: Vec<f64>,
    parts: Vec<Part>,
    level: Level,
    /// Where each vector of points begins and ends.
    ends: Ends,
    /// Points as vectors, the last one padded.
    t: Vec<[f32; LANES]>,
    /// What a curve is multiplied by: exposure over the standard deviation of each point, from the data alone. 0 where padded.
    weight: Vec<[f32; LANES]>,
    /// The data over their standard deviation.
    y: Vec<[f32; LANES]>,
}

/// A term of the measurement.
#[derive(Clone, Debug)]
struct Part {
    term: usize,
    /// Whether something is left of it where all linear parameters are zero.
    base: bool,
    /// Places of the linear parameters that it depends on.
    columns: Vec<usize>,
    /// Other free parameters that it depends on.
    bent: Vec<usize>,
}

/// Room for what is computed anew every time.
#[derive(Debug, Default)]
struct Room {
    /// The columns of the changed terms at the new place, each of `vectors`, and the spans outside which they are zero.
    columns: Vec<[f32; LANES]>,
    spans: Vec<Span>,
    vectors: usize,
    theta: Vec<f64>,
    coefficients: Vec<f64>,
    gram: Gram,
    /// The conditionals at the old place and at the new one.
    here: Conditional,
    there: Conditional,
    /// The data less a whole curve.
    rest: Vec<[f32; LANES]>,
}

/// What a draw comes to.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// ln of the density with which the way back would draw what was there, less that of the draw.
    pub ln_ratio: f64,
    /// The misfits before and after as the columns have them, the same whichever is before; none of counts, whose variance is not theirs. Under a
    /// stated scale, where only their difference counts, of those points alone where the curves differ.
    pub misfits: Option<[f64; 2]>,
}

pub use self::columns::Memory;

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

impl Refit {
    /// The linear parameters of a measurement; none where there are none that belong to it alone, or too many.
    pub fn new(problem: &Problem, measurement: usize) -> Option<Self> {
        let data = &problem.measurements[measurement];
        let parameters: Vec<usize> = (0..problem.dimension()).filter(|&i| linear(problem, measurement, i)).collect();
        let mut terms: Vec<u32> = parameters.iter().flat_map(|&i| problem.dependents[i].iter().copied()).collect();
        terms.sort_unstable();
        terms.dedup();
        let bounds: Vec<(f64, f64)> = parameters
            .iter()
            .map(|&i| {
                let (own, model) = (problem.parameters[i].prior.range(), problem.parameters[i].bounds);
                (own.0.max(model.0), own.1.min(model.1))
            })
            .collect();
        let unit = |(&i, (low, high)): (&usize, &(f64, f64))| {
            let range = high - low;
            if range.is_finite() { range } else { problem.parameters[i].prior.moments().1 }
        };
        let unit = parameters.iter().zip(&bounds).map(unit).collect();
        let parts = problem.terms.iter().enumerate().filter(|(_, term)| term.measurement == measurement);
        let parts = parts
            .map(|(k, term)| {
                let own = |b: &Binding| b.free.and_then(|i| parameters.iter().position(|&p| p == i));
                let amounts = term.bindings.iter().zip((term.model.parameters)(term.size)).filter(|(_, q)| amount(q.role));
                let base = !term.model.linear || amounts.into_iter().any(|(b, _)| own(b).is_none() || b.offset != 0.0);
                let mut columns: Vec<usize> = term.bindings.iter().filter_map(own).collect();
                columns.sort_unstable();
                columns.dedup();
                let bent = term.bindings.iter().filter_map(|b| b.free).filter(|i| !parameters.contains(i)).collect();
                Part { term: k, base, columns, bent }
            })
            .collect();
        // Of counts y the variance is about y + 1, in units of y/scale.
        let sigma = |i: usize| match data.noise {
            Noise::Poisson => (data.y[i] * data.scale + 1.0).sqrt() / data.scale,
            Noise::Gaussian | Noise::Scaled { .. } => 1.0 / data.weight[i],
        };
        let n = data.t.len();
        let vectors = |of: &dyn Fn(usize) -> f64, padding: &dyn Fn() -> f64| -> Vec<[f32; LANES]> {
            let at = |i: usize| (if i < n { of(i) } else { padding() }) as f32;
            (0..n.div_ceil(LANES)).map(|v| std::array::from_fn(|lane| at(v * LANES + lane))).collect()
        };
        let weight = |i: usize| data.exposure.get(i).copied().unwrap_or(1.0) / sigma(i);
        let small = problem.terms.iter().all(|term| term.measurement != measurement || term.extent.stride <= MOST);
        let few = !parameters.is_empty() && parameters.len() <= MOST && small;
        Some(Self {
            t: vectors(&|i| data.t[i], &|| data.t[n - 1]),
            weight: vectors(&weight, &|| 0.0),
            y: vectors(&|i| data.y[i] / sigma(i), &|| 0.0),
            ends: Ends::of(&data.t),
            level: level::chosen().ok()?,
            measurement,
            parameters,
            terms,
            bounds,
            unit,
            parts,
        })
        .filter(|_| few)
    }

    /// Whether a term is proportional to linear parameters: only such a one can be put elsewhere.
    pub fn fits(&self, term: usize) -> bool {
        self.parts.iter().any(|p| p.term == term && !p.base && !p.columns.is_empty())
    }

    /// Whether the conditional has a shape at this inverse temperature.
    pub fn holds(&self, problem: &Problem, beta: f64) -> bool {
        let degrees = self.degrees(problem, beta, self.parameters.len());
        degrees.is_none_or(|d| d >= LEAST_DEGREES * beta * self.points(problem))
    }

    /// Draws linear parameters of `to`, which differs from `from` in the other parameters of some peaks: theirs, and those whose curves are
    /// linked to these peaks by overlaps, at the old place or at the new one. The others stay what they are. None where the draw or the way back cannot be had.
    pub fn draw<R: Rng>(
        &self,
        problem: &Problem,
        (beta, peaks): (f64, &[Peak]),
        memory: &mut Memory,
        from: &[f64],
        to: &mut [f64],
        rng: &mut R,
    ) -> Option<Drawn> {
        ROOM.with_borrow_mut(|room| {
            level::on(self.level, Design { refit: self, problem, peaks, from, to, memory, room })?;
            let Room { gram, here, there, .. } = &mut *room;
            let mut amounts = [0.0; MOST];
            for ((amount, &i), unit) in amounts.iter_mut().zip(&self.parameters).zip(&self.unit) {
                *amount = from[i] / unit;
            }
            let degrees = self.degrees(problem, beta, gram.drawn.len());
            here.fit(gram, &amounts, (0, false), beta, degrees)?;
            there.copy(here, gram.kept);
            there.fit(gram, &amounts, (gram.kept, true), beta, degrees)?;
            let mut value = [0.0; MOST];
            for (value, &own) in value.iter_mut().zip(&gram.drawn) {
                *value = amounts[own];
            }
            let back = self.walk(here, &gram.drawn, &mut value, |_, value| value)?;
            let forth = self.walk(there, &gram.drawn, &mut value, |prior, _| prior.sample(rng))?;
            for (value, &own) in value.iter().zip(&gram.drawn) {
                to[self.parameters[own]] = value * self.unit[own];
            }
            let noise = problem.measurements[self.measurement].noise;
            // The weight of an inferred scale depends on the whole misfit.
            let span = if matches!(noise, Noise::Scaled { .. }) { self.whole() } else { room.changed(memory) };
            let mut misfit = |theta, moved| level::on(self.level, Rest { refit: self, theta, moved, span, memory, room });
            let misfits = (noise != Noise::Poisson).then(|| [misfit(from, false), misfit(to, true)]);
            Some(Drawn { ln_ratio: back - forth, misfits })
        })
    }

    fn points(&self, problem: &Problem) -> f64 {
        problem.measurements[self.measurement].t.len() as f64
    }

    /// The vectors in which a term is not negligible. What it is outside counts as zero, at the old place as at the new one: peaks that do
    /// not overlap then cost nothing together.
    fn span(&self, problem: &Problem, term: usize, coefficients: &[f64]) -> Span {
        let (data, term) = (&problem.measurements[self.measurement], &problem.terms[term]);
        let (low, high) = term.model.shape.support(coefficients, term.extent, data.floor);
        if low.is_nan() || high.is_nan() {
            return self.whole();
        }
        self.ends.touched(&data.t, low, high)
    }

    fn whole(&self) -> Span {
        Span { begin: 0, end: self.t.len() }
    }

    /// Degrees of freedom of the conditional of so many linear parameters under an inferred scale.
    fn degrees(&self, problem: &Problem, beta: f64, linear: usize) -> Option<f64> {
        let scaled = matches!(problem.measurements[self.measurement].noise, Noise::Scaled { .. });
        scaled.then(|| beta * self.points(problem) - linear as f64)
    }

    /// Visits the parameters from the last to the first, each with its density given those before; `choose` gives its value. Returns ln of the
    /// density of all.
    fn walk(
        &self,
        conditional: &Conditional,
        drawn: &[usize],
        value: &mut [f64],
        mut choose: impl FnMut(Prior, f64) -> f64,
    ) -> Option<f64> {
        let p = drawn.len();
        let Conditional { mean, factor, inverse, root } = conditional;
        let (mut ln_density, mut spread) = (0.0, 1.0f64);
        let mut whole = 1.0;
        for i in (0..p).rev() {
            let others: f64 = (i + 1..p).map(|k| factor[k * MOST + i] * (value[k] - mean[k])).sum();
            let (mean, sd) = (mean[i] - others * inverse[i], inverse[i] / root);
            let (bounds, unit) = (self.bounds[drawn[i]], self.unit[drawn[i]]);
            let (low, high) = (bounds.0 / unit, bounds.1 / unit);
            let density = if mean - low > FAR * sd && high - mean > FAR * sd {
                Prior::Normal { mean, sd }
            } else {
                let mass = normal_mass(mean, sd, low, high);
                // Some 38 standard deviations from the bounds no mass is left in f64.
                if mass.is_nan() || mass < f64::MIN_POSITIVE {
                    return None;
                }
                whole *= mass;
                if whole < SMALL {
                    ln_density -= whole.ln();
                    whole = 1.0;
                }
                Prior::TruncatedNormal { mean, sd, low, high }
            };
            value[i] = choose(density, value[i]);
            let z = (value[i] - mean) / sd;
            ln_density -= 0.5 * z * z + LN_ROOT_TAU;
            spread *= sd;
        }
        ln_density -= (spread * whole).ln();
        ln_density.is_finite().then_some(ln_density)
    }
}

/// A normal density of the linear parameters that are drawn, each in its unit, given the others.
#[derive(Debug)]
struct Conditional {
    mean: [f64; MOST],
    /// Lower Cholesky factor of the columns' products, row by row, each of [`MOST`].
    factor: [f64; MOST * MOST],
    /// One over its diagonal.
    inverse: [f64; MOST],
    /// Root of the precision over those products.
    root: f64,
}

impl Conditional {
    /// Takes over the first rows of another's factor.
    fn copy(&mut self, other: &Self, rows: usize) {
        self.factor[..rows * MOST].copy_from_slice(&other.factor[..rows * MOST]);
        self.inverse[..rows].copy_from_slice(&other.inverse[..rows]);
    }

    /// Factors the products of the columns at the old place or at the new one, from row `first` on, and solves for mean and precision. Under an
    /// inferred scale the conditional has so many `degrees` of freedom.
    fn fit(&mut self, gram: &Gram, amounts: &[f64], (first, moved): (usize, bool), beta: f64, degrees: Option<f64>) -> Option<()> {
        let (factor, inverse, mean, p) = (&mut self.factor, &mut self.inverse, &mut self.mean, gram.drawn.len());
        let mut place = [0; MOST];
        for (place, &own) in place.iter_mut().zip(&gram.drawn) {
            *place = gram.place(own, moved);
        }
        // Of what is the same at both places, so that rows that are shared are.
        let largest = place[..gram.kept].iter().chain([&gram.linear]).map(|&i| gram.of(i, i)).fold(0.0, f64::max);
        for i in first..p {
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| factor[i * MOST + k] * factor[j * MOST + k]).sum();
                let rest = gram.of(place[i], place[j]) - known;
                factor[i * MOST + j] = if i == j {
                    // Columns that are alike to the last digits of f32, or zero, must not make it indefinite.
                    (rest + 1e-6 * gram.of(place[i], place[i]) + LOOSE * largest).sqrt()
                } else {
                    rest * inverse[j]
                };
            }
            inverse[i] = 1.0 / factor[i * MOST + i];
        }
        for i in 0..p {
            let known: f64 = (0..i).map(|k| factor[i * MOST + k] * mean[k]).sum();
            mean[i] = (gram.data(place[i], amounts) - known) * inverse[i];
        }
        let precision = degrees.map_or(beta, |degrees| {
            let fitted: f64 = mean[..p].iter().map(|z| z * z).sum();
            let all = gram.of(gram.linear, gram.linear);
            degrees / (gram.data(gram.linear, amounts) - fitted).max(1e-6 * all).max(f64::MIN_POSITIVE)
        });
        for i in (0..p).rev() {
            let known: f64 = (i + 1..p).map(|k| factor[k * MOST + i] * mean[k]).sum();
            mean[i] = (mean[i] - known) * inverse[i];
        }
        self.root = precision.sqrt();
        self.mean[..p].iter().all(|m| m.is_finite()).then_some(())
    }
}

impl Default for Conditional {
    fn default() -> Self {
        Self { mean: [0.0; MOST], factor: [0.0; MOST * MOST], inverse: [0.0; MOST], root: 0.0 }
    }
}

/// Whether a free parameter is an amplitude or a level of this measurement alone, and whatever depends on it is linear in it.
fn linear(problem: &Problem, measurement: usize, parameter: usize) -> bool {
    let dependents = &problem.dependents[parameter];
    !dependents.is_empty()
        && dependents.iter().all(|&k| {
            let term = &problem.terms[k as usize];
            let of_it = term.bindings.iter().zip((term.model.parameters)(term.size)).filter(|(b, _)| b.free == Some(parameter));
            term.measurement == measurement && term.model.linear && of_it.into_iter().all(|(_, q)| amount(q.role))
        })
}

/// Whether a linear term is proportional to parameters of this role.
fn amount(role: Role) -> bool {
    matches!(role, Role::Amplitude | Role::Level)
}
