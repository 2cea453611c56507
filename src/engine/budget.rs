//! How wrong an engine's energies can be, predicted from the data before a run.
//!
//! With standardised residuals rᵢ the energy is U = ½Σrᵢ² (Poisson: the same with σᵢ² = max(yᵢ, 1), to second order in r/√y), so a
//! curve that is wrong by δᵢ, in units of σᵢ, makes it wrong by
//!
//! > δU = Σ rᵢδᵢ + ½Σ δᵢ².
//!
//! **Where.** A run at β visits states with β(χ² − N) about d, the number of parameters. So βΣr² is about βN + d, most at β = 1: there
//! the errors are largest, and there the curve is the data without their noise. δ and r have nothing to do with each other, except for
//! errors that are those of a coefficient; but at such a state the gradient of U along a coefficient is random too, and of the size
//! √Σ(∂f/∂c)². Both give Var δU = (1 + d/N) Σ δᵢ², χ² = N being assumed: where σ is scaled, by a scale c that makes it so, which is at
//! least what neighbouring points differ by; where σ is known and the data scatter more, residuals are larger by as much. States that
//! describe the data worse than their noise allows are off by more nats, but then by a part in 10⁷ of what speaks against them.
//!
//! **What**, with u = 2⁻²⁴ half the distance of 1 from the next larger f32 (2⁻⁵³ in f64):
//!
//! * *values*: yᵢ is rounded, by an amount that is known exactly. f is wrong by about u of itself: the exponential or the division half
//!   an ulp, its argument x by u·x where it is worth eˉˣ, the product, the coefficients and the sum of terms half an ulp each
//!   (`VALUE`). A polynomial is wrong by u of its coefficients (taken as the median of |y|), a sum with negative terms by u of the
//!   largest term (taken as the largest |y|).
//! * *positions*: tᵢ is rounded, by a known amount, and so is a line's position, by .22 u rms on [−1, 1]; both times the slope of the
//!   curve. That is the slope of the data where it shows above the noise (differences of adjacent means of 1, 2, 4, … points). The cpu
//!   takes both from the middle of each step of sixteen points, so that only as much of them is rounded as lies between; what is rounded
//!   of the distance from there to the line is u of an argument, which is among the values. That holds for lines; polynomials of low
//!   degree rise by no more than their coefficients; curves of other kinds have their argument rounded.
//! * *unseen*: a line that does not show has (d or the threshold²) ≥ Σf² in units of σ, and Σf'² ≤ (1.7/fwhm)²Σf² (Gaussian 1.67,
//!   Lorentzian 1.41), at worst with the narrowest width that its prior allows.
//! * *support*: engines leave a term out where it is below the floor, which is so small that N points with a floor each are 3·10⁻⁴ nat
//!   (`problem::LEFT_OUT`). Tails of 1/x² fill the window with a third of floor², Gaussian ones end within a twentieth of the largest
//!   width.
//! * *sum*: squares are rounded once or twice each. The device adds them in f32, at most 4096 in one tree, whose last additions are the
//!   worst: .41 u of each tree's sum.
//! * *bias*: weights 1/σ are rounded; where all are the same number, χ² is wrong by N times their error, which is known. Deviances of
//!   few counts are alike from point to point: an ulp of half of N. And ½Σδ².
//!
//! All but the last have random signs, many of each: the prediction is [`WORST`] standard deviations of their sum plus the bias, which
//! a normal error exceeds in one state in two million. (States far above the mean energy have larger gradients: those ten nats above it
//! were measured within the prediction too.)

use super::Numbers;
use super::cpu::STEP;
use crate::models::{Quantity, Role, ShapeKind};
use crate::problem::{Binding, Measurement, Noise, Problem, Term};

/// Largest β·|U − U_oracle| an engine may show, in nats.
pub const BUDGET: f64 = 0.01;

/// Standard deviations that stand for the worst of many states.
pub const WORST: f64 = 5.0;

/// Rounding errors of a term's value and of the sum it goes into, in units of u times the curve: on the cpu, and on a device, which may
/// divide to 2.5 ulp.
const VALUE: (f64, f64) = (1.0, 2.0);

/// Rounding of an addition to a kept total in units of u times the curve. An ulp of a sum is between u and 2u of it, 1.47 u in the mean square
/// over mantissas, and what is rounded is spread evenly over it: .42 u. Curves are no larger than twice the data (see `engine::gpu::totals`).
const ADDITION: f64 = 2.0 * 0.42;

/// Root mean square of rounding on [−1, 1] in units of u: half of it has the largest ulp, a quarter half of that, and so on.
const ROUNDING: f64 = 0.218;

/// √(Σf'²/Σf²) of a line of unit full width, at most.
const STEEPEST: f64 = 1.7;

/// Rounding of a point's deviance in units of u.
const DEVIANCE: f64 = 4.0;

/// Points that a device adds in one tree, and its error in units of u times the sum: √Σ 2⁻ʲ additions of .29 u.
const TREE: (f64, f64) = (4096.0, 0.41);

/// What makes an energy wrong, each in nats: standard deviations, but for the bias.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    /// Rounding of y and of the curve.
    pub values: f64,
    /// Rounding of positions, times the slope that the data show.
    pub positions: f64,
    /// Rounding of positions, times the slope of lines that do not show.
    pub unseen: f64,
    /// Terms left out where they are negligible.
    pub support: f64,
    /// Rounding of squares and of their sum.
    pub sum: f64,
    /// Errors that all have one sign.
    pub bias: f64,
}

impl Parts {
    /// Standard deviation of an energy's error.
    pub fn typical(&self) -> f64 {
        [self.values, self.positions, self.unseen, self.support, self.sum].iter().map(|p| p * p).sum::<f64>().sqrt()
    }

    /// What no state of a run exceeds.
    pub fn worst(&self) -> f64 {
        WORST * self.typical() + self.bias
    }

    fn add(&mut self, other: &Self) {
        self.values = self.values.hypot(other.values);
        self.positions = self.positions.hypot(other.positions);
        self.unseen = self.unseen.hypot(other.unseen);
        self.support = self.support.hypot(other.support);
        self.sum = self.sum.hypot(other.sum);
        self.bias += other.bias;
    }
}

/// Largest β·|U − U_oracle| that an engine computing in such numbers will show on this problem, in nats.
pub fn predicted(problem: &Problem, numbers: Numbers) -> f64 {
    parts(problem, numbers).worst()
}

/// Whether an engine computing in such numbers keeps to the budget on all of these problems.
pub fn keeps(problems: &[Problem], numbers: Numbers) -> bool {
    problems.iter().all(|problem| predicted(problem, numbers) <= BUDGET)
}

/// What makes the energies of a problem wrong.
pub fn parts(problem: &Problem, numbers: Numbers) -> Parts {
    parts_of(problem, numbers, Rounding::of(numbers))
}

/// Largest β·|U − U_oracle| that a device will show which keeps totals to which so many numbers are added before they are made anew.
pub fn with_totals(problem: &Problem, additions: u32) -> f64 {
    let device = Rounding::of(Numbers::Device);
    let value = device.value.hypot(ADDITION * f64::from(additions).sqrt() * device.u);
    parts_of(problem, Numbers::Device, Rounding { value, ..device }).worst()
}

fn parts_of(problem: &Problem, numbers: Numbers, rounding: Rounding) -> Parts {
    let mut all = Parts::default();
    for m in 0..problem.measurements.len() {
        all.add(&of_measurement(problem, m, numbers, rounding));
    }
    all
}

/// The unit in which curves are wrong, and how much their values are.
#[derive(Clone, Copy)]
struct Rounding {
    /// Relative error of a number.
    u: f64,
    /// Relative error of a curve.
    value: f64,
    exact: bool,
}

impl Rounding {
    fn of(numbers: Numbers) -> Self {
        let single = 2f64.powi(-24);
        match numbers {
            Numbers::F64 => Self { u: 2f64.powi(-53), value: 2f64.powi(-53), exact: true },
            Numbers::F32 => Self { u: single, value: VALUE.0 * single, exact: false },
            Numbers::Device => Self { u: single, value: VALUE.1 * single, exact: false },
        }
    }

    /// What a number of the data is wrong by.
    fn error(&self, x: f64) -> f64 {
        if self.exact { 0.0 } else { x - f64::from(x as f32) }
    }
}

fn of_measurement(problem: &Problem, m: usize, numbers: Numbers, rounding: Rounding) -> Parts {
    let data = &problem.measurements[m];
    let (n, d) = (data.t.len() as f64, problem.dimension() as f64);
    let scatter = Scatter::of(problem, data);
    let reach = reach(problem, m, numbers);
    let (slopes, threshold) = slopes(data, &scatter.weight, scatter.residual);
    let beneath = beneath(problem, m);
    let (mut values, mut positions, mut places, mut weights, mut floors) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (i, (&t, &y)) in data.t.iter().zip(&data.y).enumerate() {
        let w = scatter.weight[i];
        let place = reach.map_or_else(|| rounding.error(t).powi(2), |near| (ROUNDING * rounding.u * near).powi(2))
            + (ROUNDING * rounding.u * reach.unwrap_or(1.0)).powi(2);
        values += w * w * (rounding.error(y).powi(2) + (rounding.value * (y.abs() + beneath)).powi(2));
        positions += (w * slopes[i]).powi(2) * place;
        places += place / n;
        weights += data.weight.get(i).map_or(0.0, |w| rounding.error(*w) / w);
        floors += (w * data.floor).powi(2);
    }
    let residual = scatter.residual * (1.0 + d / n).sqrt();
    let unseen = d.sqrt().max(threshold) * STEEPEST / narrowest(problem, m) * places.sqrt();
    let squares = if data.noise == Noise::Poisson { DEVIANCE } else { 1.0 } * rounding.u * n.sqrt();
    let alike = if data.noise == Noise::Poisson { 0.5 * rounding.u * n } else { 0.0 };
    let device = numbers == Numbers::Device;
    let tree = if device { 0.5 * TREE.1 * rounding.u * n / (n / TREE.0).ceil().sqrt() } else { 0.0 };
    Parts {
        values: residual * values.sqrt(),
        positions: residual * positions.sqrt(),
        unseen: residual * unseen,
        support: residual * (floors * shares(problem, m)).sqrt(),
        sum: residual.powi(2) * squares.hypot(tree),
        bias: scatter.residual.powi(2) * (weights.abs() + alike) + 0.5 * (values + positions),
    }
}

/// Largest polynomial degree that is taken not to be steep.
const STEEP: usize = 3;

/// How far the cpu's arguments reach from where it measures them, in t; none where they are measured from the middle of the window.
fn reach(problem: &Problem, m: usize, numbers: Numbers) -> Option<f64> {
    let gentle = |term: &Term| match term.model.shape {
        ShapeKind::Chebyshev => term.size <= STEEP,
        ShapeKind::Line => true,
        shape => shape.position().is_some(),
    };
    let near = numbers != Numbers::Device && problem.terms.iter().filter(|term| term.measurement == m).all(gentle);
    let t = &problem.measurements[m].t;
    let farthest = |t: &[f64]| 0.5 * (t[t.len() - 1] - t[0]);
    near.then(|| t.chunks(STEP).map(farthest).fold(0.0, f64::max))
}

/// How the data scatter about a curve that describes them.
struct Scatter {
    /// One over the standard deviation of the noise at each point, in units of y/scale.
    weight: Vec<f64>,
    /// Standardised residuals: 1, or what neighbours differ by where that is more.
    residual: f64,
}

impl Scatter {
    fn of(problem: &Problem, data: &Measurement) -> Self {
        let mut weight = data.standards();
        let figure = data.scatter();
        let Noise::Scaled { parameter } = data.noise else { return Self { weight, residual: figure.max(1.0) } };
        let (low, high) = problem.parameters[parameter].prior.range();
        let c = figure.max(f64::MIN_POSITIVE).clamp(low.max(f64::MIN_POSITIVE), high.max(f64::MIN_POSITIVE));
        weight.iter_mut().for_each(|w| *w /= c);
        Self { weight, residual: 1.0 }
    }
}

/// The slope at each point, where differences between adjacent means of 1, 2, 4, … points show above the noise, otherwise zero; in units of
/// y/scale and t. With it the threshold in standard deviations of a difference, that noise alone exceeds in one data set of ten thousand.
fn slopes(data: &Measurement, weight: &[f64], residual: f64) -> (Vec<f64>, f64) {
    let n = data.t.len();
    let threshold = (2.0 * (n as f64).ln()).sqrt() + 2.0;
    let sums = |of: &dyn Fn(usize) -> f64| {
        let mut sum = 0.0;
        std::iter::once(0.0)
            .chain((0..n).map(|i| {
                sum += of(i);
                sum
            }))
            .collect::<Vec<f64>>()
    };
    let (y, t, variance) = (sums(&|i| data.y[i]), sums(&|i| data.t[i]), sums(&|i| (residual / weight[i]).powi(2)));
    let mut slopes = vec![0.0f64; n];
    let mut width = 1;
    while 2 * width <= n {
        let count = width as f64;
        for from in (0..=n - 2 * width).step_by(width) {
            let (middle, to) = (from + width, from + 2 * width);
            let rise = |sum: &[f64]| (sum[to] - 2.0 * sum[middle] + sum[from]) / count;
            let (rise_y, rise_t) = (rise(&y), rise(&t));
            let noise = (variance[to] - variance[from]) / (count * count);
            if rise_y * rise_y > threshold * threshold * noise && rise_t > 0.0 {
                let slope = (rise_y * rise_y - noise).sqrt() / rise_t;
                slopes[from..to].iter_mut().for_each(|s| *s = s.max(slope));
            }
        }
        width *= 2;
    }
    (slopes, threshold)
}

/// What lies beneath the data, in whose ulps a sum of terms is wrong: a polynomial about as large as the median of |y|; where terms may be
/// negative, as large as the largest.
fn beneath(problem: &Problem, m: usize) -> f64 {
    let mut terms = problem.terms.iter().filter(|term| term.measurement == m);
    let mut sizes: Vec<f64> = problem.measurements[m].y.iter().map(|y| y.abs()).collect();
    if terms.clone().any(|term| negative(problem, term)) {
        return sizes.into_iter().fold(0.0, f64::max);
    }
    if !terms.any(|term| term.model.shape == ShapeKind::Chebyshev) {
        return 0.0;
    }
    let middle = sizes.len() / 2;
    *sizes.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Whether a term may be negative: an absorption site, or an amplitude whose prior reaches below zero.
fn negative(problem: &Problem, term: &Term) -> bool {
    let below = |(binding, quantity): (&Binding, Quantity)| {
        quantity.role == Role::Amplitude && binding.free.map_or(binding.offset, |i| problem.parameters[i].prior.range().0) < 0.0
    };
    term.model.name.starts_with("mossbauer") || term.bindings.iter().zip((term.model.parameters)(term.size)).any(below)
}

/// The full widths that a term's priors allow, in units of t, between half the distance of points and the window.
fn widths(problem: &Problem, term: &Term) -> Option<(f64, f64)> {
    let data = &problem.measurements[term.measurement];
    let least = 1.0 / data.t.len() as f64;
    let of = |binding: &Binding| {
        let (low, high) = binding.free.map_or((0.0, 0.0), |i| problem.parameters[i].prior.range());
        let at = |x: f64| binding.width.to_fwhm(x * binding.factor + binding.offset) / data.half;
        let (a, b) = (at(low), at(high));
        (a.min(b).clamp(least, 2.0), a.max(b).clamp(least, 2.0))
    };
    let quantities = (term.model.parameters)(term.size);
    let all = term.bindings.iter().zip(&quantities).filter(|(_, q)| q.role == Role::Width).map(|(binding, _)| of(binding));
    all.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// The narrowest line of a measurement; the window where there is none.
fn narrowest(problem: &Problem, m: usize) -> f64 {
    problem.terms.iter().filter(|term| term.measurement == m).filter_map(|term| widths(problem, term)).fold(2.0, |least, w| least.min(w.0))
}

/// The sum over terms of the share of the window that a tail below the floor fills.
fn shares(problem: &Problem, m: usize) -> f64 {
    let share = |term: &Term| match term.model.shape {
        ShapeKind::Chebyshev | ShapeKind::Power | ShapeKind::Exponential => 0.0,
        ShapeKind::Gaussian => widths(problem, term).map_or(2.0, |w| w.1) / 20.0,
        _ => 1.0 / 3.0,
    };
    problem.terms.iter().filter(|term| term.measurement == m).map(share).sum()
}
