//! The parameters of a candidate whose curve is nearest to the truth, and the Cramér–Rao bound there.

use nalgebra::{DMatrix, DVector};

use crate::engine::oracle;
use crate::models::Role;
use crate::problem::{Problem, Term};
use crate::simulate::scoring::{self, Standing};
use crate::simulate::{Scale, TrueTerm};

/// Where a candidate is nearest to a truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// Its parameters there; one that does not change the curve (a scale of the noise) keeps the middle of its prior.
    pub theta: Vec<f64>,
    /// Kullback–Leibler distance of its curve from the truth, in nats, at the level 1.
    pub nats: f64,
    /// Cramér–Rao bound of the standard error of every parameter at the level 1, all others free; infinite where the data do not determine it.
    pub bound: Vec<f64>,
}

impl Nearest {
    /// Of a candidate's problem to a truth: its terms `peaks` (in the window, by position) and `others`, and its expectation `target` at the points of all
    /// measurements, in units of y. None where the model has no curve at all.
    ///
    /// Parameters stay within the bounds of their models and the ranges of their priors, so a truth that a prior excludes is at a distance.
    pub fn of(problem: &Problem, (peaks, others): (&[TrueTerm], &[TrueTerm]), target: &[f64], scale: Scale) -> Option<Self> {
        let theta = start(problem, peaks, others);
        let here = scoring::nearest(Stand::new(problem, target, scale, theta)?);
        let columns = here.columns();
        Some(Self { bound: cramer_rao(&scoring::information(&columns, &here.curve, scale)), theta: here.theta, nats: here.nats.max(0.0) })
    }
}

/// √(I⁻¹)ⱼⱼ of a Fisher information; parameters without information are left out, and infinite.
///
/// The matrix is brought to a unit diagonal first: parameters have units of their own.
pub fn cramer_rao(information: &DMatrix<f64>) -> Vec<f64> {
    let own: Vec<f64> = information.diagonal().iter().copied().collect();
    let told: Vec<usize> = (0..own.len()).filter(|&i| own[i] > 0.0).collect();
    let mut bound = vec![f64::INFINITY; own.len()];
    let unit = DMatrix::from_fn(told.len(), told.len(), |i, j| information[(told[i], told[j])] / (own[told[i]] * own[told[j]]).sqrt());
    if let Some(cholesky) = unit.cholesky() {
        let inverse = cholesky.inverse();
        for (i, &at) in told.iter().enumerate() {
            bound[at] = (inverse[(i, i)] / own[at]).sqrt();
        }
    }
    bound
}

/// Where the search stands.
struct Stand<'a> {
    problem: &'a Problem,
    target: &'a [f64],
    scale: Scale,
    theta: Vec<f64>,
    curve: Vec<f64>,
    nats: f64,
}

impl<'a> Stand<'a> {
    fn new(problem: &'a Problem, target: &'a [f64], scale: Scale, theta: Vec<f64>) -> Option<Self> {
        let curve = curve(problem, &theta)?;
        let nats = scale.distance(target, &curve);
        nats.is_finite().then_some(Self { problem, target, scale, theta, curve, nats })
    }

    /// Derivatives of the curve with respect to every parameter.
    fn columns(&self) -> Vec<Vec<f64>> {
        (0..self.theta.len()).map(|i| derivative(self.problem, &self.theta, &self.curve, i)).collect()
    }
}

impl Standing for Stand<'_> {
    fn nats(&self) -> f64 {
        self.nats
    }

    fn derivatives(&self) -> (DVector<f64>, DMatrix<f64>) {
        let end = |i: usize| {
            let (low, high) = range(self.problem, i);
            (self.theta[i] <= low, self.theta[i] >= high)
        };
        let ends: Vec<(bool, bool)> = (0..self.theta.len()).map(end).collect();
        scoring::derivatives(&self.columns(), &ends, (self.target, &self.curve), self.scale)
    }

    fn stepped(&self, step: &DVector<f64>) -> Option<Self> {
        let moved = |(i, v): (usize, &f64)| {
            let (low, high) = range(self.problem, i);
            (v - step[i]).clamp(low, high)
        };
        Self::new(self.problem, self.target, self.scale, self.theta.iter().enumerate().map(moved).collect())
    }
}

/// The values that a parameter may have: those that its model admits and its prior does not exclude.
fn range(problem: &Problem, i: usize) -> (f64, f64) {
    let parameter = &problem.parameters[i];
    let (low, high) = parameter.prior.range();
    (low.max(parameter.bounds.0), high.min(parameter.bounds.1))
}

/// The curve of all measurements, one after the other, in units of y; none where a model refuses θ.
fn curve(problem: &Problem, theta: &[f64]) -> Option<Vec<f64>> {
    let mut coefficients = vec![0.0; problem.coefficients()];
    if !problem.prepare_all(theta, &mut coefficients) {
        return None;
    }
    let of = |(m, data): (usize, &crate::problem::Measurement)| {
        oracle::curve(problem, m, &coefficients).into_iter().map(|f| f * data.scale).collect::<Vec<f64>>()
    };
    let all: Vec<f64> = problem.measurements.iter().enumerate().flat_map(of).collect();
    all.iter().all(|f| f.is_finite()).then_some(all)
}

/// ∂f/∂θᵢ by differences, extrapolated to a step of 0 (Ridders, Adv. Eng. Software 4 (1982) 75): no one step suits a position of a hundredth of the
/// window and a level of thousands of counts, so the step is halved from a tenth of the prior's width until the estimates agree best. Where a
/// bound forbids one side, differences are taken on the other.
fn derivative(problem: &Problem, theta: &[f64], here: &[f64], i: usize) -> Vec<f64> {
    /// From a tenth of a prior to 10⁻¹³ of it.
    const HALVINGS: usize = 40;
    let (low, high) = range(problem, i);
    let wide = if (high - low).is_finite() { high - low } else { problem.parameters[i].prior.moments().1 };
    let at = |step: f64| {
        let mut moved = theta.to_vec();
        moved[i] += step;
        curve(problem, &moved)
    };
    let difference = |h: f64| -> Option<Vec<f64>> {
        let central = |a: Vec<f64>, b: Vec<f64>| a.iter().zip(&b).map(|(a, b)| (a - b) / (2.0 * h)).collect();
        let aside =
            |a: Vec<f64>, b: Vec<f64>, sign: f64| (0..a.len()).map(|n| sign * (4.0 * a[n] - 3.0 * here[n] - b[n]) / (2.0 * h)).collect();
        match (at(h), at(-h)) {
            (Some(a), Some(b)) => Some(central(a, b)),
            (Some(a), None) => Some(aside(a, at(2.0 * h)?, 1.0)),
            (None, Some(a)) => Some(aside(a, at(-2.0 * h)?, -1.0)),
            (None, None) => None,
        }
    };
    let (mut best, mut least) = (vec![0.0; here.len()], f64::INFINITY);
    let (mut coarse, mut before): (Option<Vec<f64>>, Option<Vec<f64>>) = (None, None);
    for k in 0..HALVINGS {
        let fine = difference(0.1 * wide * 0.5f64.powi(k as i32));
        let estimate: Option<Vec<f64>> =
            coarse.zip(fine.as_ref()).map(|(c, f)| c.iter().zip(f).map(|(c, f)| (4.0 * f - c) / 3.0).collect());
        if let (Some(new), Some(old)) = (&estimate, &before) {
            let norm: f64 = new.iter().map(|v| v * v).sum();
            let off = new.iter().zip(old).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / norm;
            // No number where the curve does not change at all: it may begin to at a smaller step.
            if off < least {
                (best, least) = (new.clone(), off);
            } else if least < 1e-12 && off > 100.0 * least {
                break;
            }
        }
        before = estimate;
        coarse = fine;
    }
    best
}

/// Where the search begins: peaks at the true ones, one each, terms of a model that the truth has too with its values, everything else in the middle
/// of its prior.
fn start(problem: &Problem, peaks: &[TrueTerm], others: &[TrueTerm]) -> Vec<f64> {
    let mut theta: Vec<f64> = (0..problem.dimension()).map(|i| problem.parameters[i].prior.moments().0).collect();
    let (mut peaks, mut others): (Vec<&TrueTerm>, Vec<&TrueTerm>) = (peaks.iter().collect(), others.iter().collect());
    // Terms whose model the truth has choose first.
    let mut order: Vec<&Term> = problem.terms.iter().collect();
    order.sort_by_key(|term| !peaks.iter().any(|t| t.model.name == term.model.name));
    for term in order {
        let of = if is_peak(term) { &mut peaks } else { &mut others };
        let same = of.iter().position(|t| t.model.name == term.model.name && t.size == term.size);
        let any = (is_peak(term) && !of.is_empty()).then_some(0);
        let Some(truth) = same.or(any).map(|at| of.remove(at)) else { continue };
        take(term, truth, &mut theta);
    }
    for (i, value) in theta.iter_mut().enumerate() {
        let (low, high) = range(problem, i);
        *value = value.clamp(low, high);
    }
    theta
}

/// Whether a term has a position.
pub fn is_peak(term: &Term) -> bool {
    (term.model.parameters)(term.size).iter().any(|q| q.role == Role::Center)
}

/// Gives a term's free parameters the values of a true one: each that has the same place in the same model, or else the same meaning.
fn take(term: &Term, truth: &TrueTerm, theta: &mut [f64]) {
    let same = truth.model.name == term.model.name && truth.size == term.size;
    for (j, (binding, quantity)) in term.bindings.iter().zip((term.model.parameters)(term.size)).enumerate() {
        let known = if same { Some(truth.theta[j]) } else { truth.role(quantity.role).filter(|_| quantity.role != Role::Other) };
        // An area is no height; the search finds either.
        let known = known.filter(|_| quantity.role != Role::Amplitude || truth.height == term.setup.height);
        if let (Some(value), Some(i)) = (known, binding.free) {
            theta[i] = (binding.width.of_fwhm(value) - binding.offset) / binding.factor;
        }
    }
}
