//! The curves that belong to the linear parameters of a refit, and their products.

use fearless_simd::{Simd, SimdBase, SimdInto, f32x16};

use super::{LANES, MOST, Order, Part, Refit, Room};
use crate::engine::cpu::level::OnLevel;
use crate::engine::cpu::span::Span;
use crate::models::{Number, Shape, Visit};
use crate::problem::Problem;
use crate::sampler::schedule::Peak;

/// What a walker's last refit left: its columns, for those parameters that its next one finds unchanged. The columns of peaks that have not
/// moved since then are most of the work.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The parameters then; empty where nothing is remembered.
    theta: Vec<f64>,
    /// A column for each linear parameter, then the data less everything that is left without them.
    columns: Vec<[f32; LANES]>,
    /// The vectors outside which each column is zero.
    spans: Vec<Span>,
    /// Their products, row by row.
    products: Vec<f64>,
}

/// Products of the columns: those at `from`, the data less everything else, those of the changed terms at `to`.
#[derive(Debug, Default)]
pub(super) struct Gram {
    products: Vec<f64>,
    columns: usize,
    /// Linear parameters, which is the place of the data.
    pub(super) linear: usize,
    /// Those of the changed terms, whose columns at `to` come after the data.
    changed: Vec<usize>,
}

impl Gram {
    pub(super) fn of(&self, i: usize, j: usize) -> f64 {
        self.products[i.max(j) * self.columns + i.min(j)]
    }

    /// How many linear parameters have the same column at both places.
    pub(super) fn kept(&self) -> usize {
        self.linear - self.changed.len()
    }

    /// Those first whose column is the same at both places: so are their rows of the factor.
    pub(super) fn order(&self) -> Order {
        let mut order = [0; MOST];
        let kept = (0..self.linear).filter(|i| !self.changed.contains(i));
        order.iter_mut().zip(kept.chain(self.changed.iter().copied())).for_each(|(place, i)| *place = i);
        order
    }

    /// The column of a linear parameter.
    pub(super) fn place(&self, i: usize, moved: bool) -> usize {
        self.changed.iter().position(|&c| moved && c == i).map_or(i, |at| self.linear + 1 + at)
    }
}

/// A set of columns, a bit each; that of the data comes after those of the linear parameters.
type Columns = u32;

impl Memory {
    /// Forgets everything and keeps the memory.
    fn forget(&mut self) {
        self.theta.clear();
    }

    /// The columns that are not what they would be at `from`.
    fn stale(&self, refit: &Refit, from: &[f64]) -> Columns {
        let p = refit.parameters.len();
        if self.theta.is_empty() {
            return (2 << p) - 1;
        }
        let bent = |part: &&Part| part.bent.iter().any(|&i| self.theta[i].to_bits() != from[i].to_bits());
        refit.parts.iter().filter(bent).map(|part| part.feeds(p)).fold(0, |all, part| all | part)
    }
}

impl Part {
    /// The columns that it is part of.
    fn feeds(&self, linear: usize) -> Columns {
        self.columns.iter().fold(if self.base { 1 << linear } else { 0 }, |all, own| all | 1 << own)
    }
}

/// Columns and their products, compiled for an instruction set.
pub(super) struct Design<'a> {
    pub(super) refit: &'a Refit,
    pub(super) problem: &'a Problem,
    pub(super) peaks: &'a [Peak],
    pub(super) from: &'a [f64],
    pub(super) to: &'a [f64],
    pub(super) memory: &'a mut Memory,
    pub(super) room: &'a mut Room,
}

impl OnLevel for Design<'_> {
    type Output = Option<()>;

    fn on<S: Simd>(self, simd: S) -> Option<()> {
        let Self { refit, problem, peaks, from, to, memory, room } = self;
        let (p, n) = (refit.parameters.len(), refit.t.len());
        let stale = memory.stale(refit, from);
        // What cannot be finished is not remembered.
        memory.forget();
        memory.columns.resize((p + 1) * n, [0.0; LANES]);
        memory.spans.resize(p + 1, Span::EMPTY);
        memory.products.resize((p + 1) * (p + 1), 0.0);
        let Room { columns, spans, theta, coefficients, gram, .. } = room;
        let mut build = Build { simd, refit, problem, theta, coefficients };
        build.columns(from, stale, |own| own, &mut memory.columns, &mut memory.spans)?;
        let overlap = |a: Span, b: Span| a.overlap(b).range();
        for i in 0..=p {
            for j in 0..=i {
                if stale & (1 << i | 1 << j) != 0 {
                    let both = overlap(memory.spans[i], memory.spans[j]);
                    let column = |column: usize| &memory.columns[column * n..(column + 1) * n][both.clone()];
                    memory.products[i * (p + 1) + j] = dot(simd, column(i), column(j));
                }
            }
        }
        memory.theta.extend_from_slice(from);
        let moved = refit.parts.iter().filter(|part| peaks.iter().any(|peak| peak.term == part.term));
        let moved = moved.fold(0, |all, part| all | part.feeds(p));
        gram.changed.clear();
        gram.changed.extend((0..p).filter(|own| moved & 1 << own != 0));
        let changed = gram.changed.len();
        columns.clear();
        columns.resize(changed * n, [0.0; LANES]);
        spans.clear();
        spans.resize(changed, Span::EMPTY);
        let place = |own: usize| gram.changed.iter().filter(|&&c| c < own).count();
        build.columns(to, moved, place, columns, spans)?;
        (gram.columns, gram.linear) = (p + 1 + changed, p);
        gram.products.resize(gram.columns * gram.columns, 0.0);
        for (new, old) in gram.products.chunks_exact_mut(gram.columns).zip(memory.products.chunks_exact(p + 1)) {
            new[..=p].copy_from_slice(old);
        }
        for i in 0..changed {
            let row = (p + 1 + i) * gram.columns;
            let new = |column: usize, both: std::ops::Range<usize>| &columns[column * n..(column + 1) * n][both];
            for j in (0..=p).filter(|j| !gram.changed.contains(j)) {
                let both = overlap(spans[i], memory.spans[j]);
                gram.products[row + j] = dot(simd, new(i, both.clone()), &memory.columns[j * n..(j + 1) * n][both]);
            }
            for j in 0..=i {
                let both = overlap(spans[i], spans[j]);
                gram.products[row + p + 1 + j] = dot(simd, new(i, both.clone()), new(j, both));
            }
        }
        Some(())
    }
}

/// The misfit of a whole curve: of the columns at the old place or at the new one, at the linear parameters of `theta`. It depends on the parameters
/// alone, to the last bit: whichever place is the old one, columns are added in one order.
pub(super) struct Rest<'a> {
    pub(super) refit: &'a Refit,
    pub(super) theta: &'a [f64],
    pub(super) moved: bool,
    pub(super) memory: &'a Memory,
    pub(super) room: &'a mut Room,
}

/// Vectors whose squares are added in f32: their rounding, about 3e-7, is that of the columns.
const BLOCK: usize = 32;

impl OnLevel for Rest<'_> {
    type Output = f64;

    #[inline(always)]
    fn on<S: Simd>(self, simd: S) -> f64 {
        simd.vectorize(
            #[inline(always)]
            || {
                let Self { refit, theta, moved, memory, room } = self;
                let (p, n) = (refit.parameters.len(), refit.t.len());
                let Room { columns, spans, gram, rest, .. } = room;
                rest.clear();
                rest.extend_from_slice(&memory.columns[p * n..]);
                for (own, (&i, &unit)) in refit.parameters.iter().zip(&refit.unit).enumerate() {
                    let at = gram.place(own, moved);
                    let (columns, span, at) =
                        if at > p { (&*columns, spans[at - p - 1], at - p - 1) } else { (&memory.columns, memory.spans[at], at) };
                    let amount: f32x16<S> = (-(theta[i] / unit) as f32).simd_into(simd);
                    for (rest, column) in rest[span.range()].iter_mut().zip(&columns[at * n..][span.range()]) {
                        Number::mul_add(f32x16::load_array_ref(simd, column), amount, f32x16::load_array_ref(simd, rest)).store_array(rest);
                    }
                }
                let mut sum = 0.0;
                for block in rest.chunks(BLOCK) {
                    let mut lanes: f32x16<S> = 0f32.simd_into(simd);
                    for rest in block {
                        let rest = f32x16::load_array_ref(simd, rest);
                        lanes = Number::mul_add(rest, rest, lanes);
                    }
                    sum += f64::from(added(lanes));
                }
                sum
            },
        )
    }
}

/// Makes columns.
struct Build<'a, S> {
    simd: S,
    refit: &'a Refit,
    problem: &'a Problem,
    theta: &'a mut Vec<f64>,
    coefficients: &'a mut Vec<f64>,
}

impl<S: Simd> Build<'_, S> {
    /// Makes the wanted columns at some parameters, each from all terms that are part of it, and tells outside which vectors they are zero.
    fn columns(
        &mut self,
        theta: &[f64],
        wanted: Columns,
        place: impl Fn(usize) -> usize,
        columns: &mut [[f32; LANES]],
        spans: &mut [Span],
    ) -> Option<()> {
        let (refit, p, n) = (self.refit, self.refit.parameters.len(), self.refit.t.len());
        self.theta.clear();
        self.theta.extend_from_slice(theta);
        refit.parameters.iter().for_each(|&i| self.theta[i] = 0.0);
        for own in (0..=p).filter(|own| wanted & 1 << own != 0) {
            let at = place(own);
            let column = &mut columns[at * n..(at + 1) * n];
            if own == p {
                column.copy_from_slice(&refit.y);
                spans[at] = refit.whole();
            } else {
                // What is outside was zero before.
                column[spans[at].range()].fill([0.0; LANES]);
                spans[at] = Span::EMPTY;
            }
        }
        for part in refit.parts.iter().filter(|part| part.feeds(p) & wanted != 0) {
            let mut add = |build: &mut Self, sign: f32, own: usize| {
                let at = place(own);
                let span = build.add(part.term, sign, &mut columns[at * n..(at + 1) * n])?;
                spans[at] = spans[at].hull(span);
                Some(())
            };
            if part.base && wanted & 1 << p != 0 {
                add(self, -1.0, p)?;
            }
            for &own in part.columns.iter().filter(|&own| wanted & 1 << own != 0) {
                if part.base {
                    add(self, -1.0, own)?;
                }
                self.theta[refit.parameters[own]] = refit.unit[own];
                add(self, 1.0, own)?;
                self.theta[refit.parameters[own]] = 0.0;
            }
        }
        Some(())
    }

    /// Adds a term's weighted curve to a column, within the span that it returns.
    fn add(&mut self, term: usize, sign: f32, column: &mut [[f32; LANES]]) -> Option<Span> {
        let (refit, shape) = (self.refit, &self.problem.terms[term]);
        self.coefficients.resize(shape.extent.len(), 0.0);
        self.problem.prepare(term, self.theta, self.coefficients).ok()?;
        let span = self.coefficients.iter().all(|c| c.is_finite()).then(|| refit.span(self.problem, term, self.coefficients))?;
        let (curve, coefficients) = (&mut column[span.range()], &*self.coefficients);
        shape.model.shape.visit(Add { simd: self.simd, refit, coefficients, stride: shape.extent.stride, sign, at: span.begin, curve });
        Some(span)
    }
}

/// Adds a multiple of a term's weighted curve to a column.
struct Add<'a, S> {
    simd: S,
    refit: &'a Refit,
    coefficients: &'a [f64],
    stride: usize,
    sign: f32,
    /// First vector of the curve.
    at: usize,
    curve: &'a mut [[f32; LANES]],
}

impl<S: Simd> Visit for Add<'_, S> {
    type Output = ();

    fn visit<T: Shape>(self) {
        self.simd.vectorize(
            #[inline(always)]
            || self.run::<T>(),
        );
    }
}

impl<S: Simd> Add<'_, S> {
    #[inline(always)]
    fn run<T: Shape>(self) {
        let splat = |value: f64| -> f32x16<S> { (value as f32).simd_into(self.simd) };
        let sign = splat(f64::from(self.sign));
        for run in self.coefficients.chunks_exact(self.stride) {
            let mut c = [splat(0.0); MOST];
            for (c, &value) in c.iter_mut().zip(run) {
                *c = splat(value);
            }
            let c = &c[..self.stride.min(MOST)];
            let (t, weight) = (&self.refit.t[self.at..], &self.refit.weight[self.at..]);
            for ((t, weight), out) in t.iter().zip(weight).zip(self.curve.iter_mut()) {
                let value = T::eval(f32x16::load_array_ref(self.simd, t), c) * f32x16::load_array_ref(self.simd, weight);
                Number::mul_add(value, sign, f32x16::load_array_ref(self.simd, out)).store_array(out);
            }
        }
    }
}

#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[[f32; LANES]], b: &[[f32; LANES]]) -> f64 {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut sum: f32x16<S> = 0f32.simd_into(simd);
            for (a, b) in a.iter().zip(b) {
                sum = Number::mul_add(f32x16::load_array_ref(simd, a), f32x16::load_array_ref(simd, b), sum);
            }
            f64::from(added(sum))
        },
    )
}

/// The sum of all lanes: halves upon halves, so that no addition waits for all the others.
#[inline(always)]
fn added<S: Simd>(sum: f32x16<S>) -> f32 {
    let mut lanes = [0f32; LANES];
    sum.store_array(&mut lanes);
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}
