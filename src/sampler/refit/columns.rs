//! The curves that belong to the linear parameters of a refit, and their products.

use fearless_simd::{Simd, SimdBase, SimdInto, f32x16};

use super::{LANES, MOST, Part, Refit, Room};
use crate::engine::cpu::span::Span;
use crate::models::level::OnLevel;
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
    /// Which of the linear parameters' columns each of them overlaps with.
    links: Vec<Columns>,
}

/// Columns with a correlation of which this is the square, and all that are linked by such, have amounts that are drawn together. On others they
/// depend too little to matter.
const COUPLED: f64 = 1e-4;

/// Products of the columns: those at `from`, the data less everything else, those of the changed terms at `to`.
#[derive(Debug, Default)]
pub(super) struct Gram {
    products: Vec<f64>,
    columns: usize,
    /// Linear parameters, which is the place of the data.
    pub(super) linear: usize,
    /// Those of the changed terms, whose columns at `to` come after the data.
    changed: Vec<usize>,
    /// Those that are drawn: first such as have the same column at both places, then the changed ones.
    pub(super) drawn: Vec<usize>,
    /// How many of them have the same column at both places.
    pub(super) kept: usize,
    /// The others.
    fixed: Vec<usize>,
}

impl Gram {
    pub(super) fn of(&self, i: usize, j: usize) -> f64 {
        self.products[i.max(j) * self.columns + i.min(j)]
    }

    /// The product of a column, or of the data, with the data less the columns that are fixed.
    pub(super) fn data(&self, column: usize, amounts: &[f64]) -> f64 {
        let less = |column: usize| self.fixed.iter().map(|&r| self.of(column, r) * amounts[r]).sum::<f64>();
        let own = self.of(column, self.linear) - less(column);
        if column == self.linear { own - self.fixed.iter().map(|&r| amounts[r] * self.data(r, amounts)).sum::<f64>() } else { own }
    }

    /// The column of a linear parameter.
    pub(super) fn place(&self, i: usize, moved: bool) -> usize {
        self.changed.iter().position(|&c| moved && c == i).map_or(i, |at| self.linear + 1 + at)
    }

    /// Chooses what is drawn, by the `links` between the old columns: the same, whichever of the two places is the old one.
    fn choose(&mut self, links: &[Columns]) {
        let moved = self.changed.iter().fold(0, |all: Columns, own| all | 1 << own);
        let kept = |own: &usize| moved & 1 << own == 0;
        let mut drawn = self.changed.iter().fold(0, |all, &own| all | links[own]) & !moved;
        for at in 0..self.changed.len() {
            drawn |= (0..self.linear)
                .filter(kept)
                .filter(|&j| {
                    let at = self.linear + 1 + at;
                    coupled(self.of(j, at), self.of(j, j), self.of(at, at))
                })
                .fold(0, |all: Columns, j| all | 1 << j);
        }
        let mut left = drawn;
        while left != 0 {
            let more = links[left.trailing_zeros() as usize] & !moved & !drawn;
            drawn |= more;
            left = (left & (left - 1)) | more;
        }
        self.drawn.clear();
        self.drawn.extend((0..self.linear).filter(|own| drawn & 1 << own != 0));
        self.kept = self.drawn.len();
        self.drawn.extend_from_slice(&self.changed);
        self.fixed.clear();
        self.fixed.extend((0..self.linear).filter(kept).filter(|own| drawn & 1 << own == 0));
    }
}

/// Whether columns of these products overlap so much that their amounts depend on each other.
fn coupled(both: f64, first: f64, second: f64) -> bool {
    both * both > COUPLED * first * second
}

/// Finds the links of stale columns anew, from the products of all.
fn link(links: &mut [Columns], products: &[f64], stale: Columns) {
    let p = links.len();
    let of = |i: usize, j: usize| products[i.max(j) * (p + 1) + i.min(j)];
    for i in (0..p).filter(|i| stale & 1 << i != 0) {
        for j in 0..p {
            let linked = Columns::from(coupled(of(i, j), of(i, i), of(j, j)));
            links[i] = links[i] & !(1 << j) | linked << j;
            links[j] = links[j] & !(1 << i) | linked << i;
        }
    }
}

/// A set of columns, a bit each; that of the data comes after those of the linear parameters.
type Columns = u32;

impl Memory {
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
        memory.theta.clear();
        memory.columns.resize((p + 1) * n, [0.0; LANES]);
        memory.spans.resize(p + 1, Span::EMPTY);
        memory.products.resize((p + 1) * (p + 1), 0.0);
        memory.links.resize(p, 0);
        let moved = refit.parts.iter().filter(|part| peaks.iter().any(|peak| peak.term == part.term));
        let moved = moved.fold(0, |all, part| all | part.feeds(p));
        room.clear();
        let Room { columns, spans, vectors, theta, coefficients, gram, .. } = room;
        gram.changed.clear();
        gram.changed.extend((0..p).filter(|own| moved & 1 << own != 0));
        let changed = gram.changed.len();
        columns.resize(columns.len().max(changed * n), [0.0; LANES]);
        spans.resize(changed, Span::EMPTY);
        *vectors = n;
        let mut build = Build { simd, refit, problem, theta, coefficients };
        build.columns(from, stale, |own| own, &mut memory.columns, &mut memory.spans)?;
        let column = |own: usize| Column { values: &memory.columns[own * n..(own + 1) * n], span: memory.spans[own] };
        for i in (0..=p).filter(|i| stale & 1 << i != 0) {
            // The product of two stale columns is made once.
            let others = (0..=p).filter(|&j| j <= i || stale & 1 << j == 0).map(|j| (j, column(j)));
            column(i).times(simd, others, |j, product| memory.products[i.max(j) * (p + 1) + i.min(j)] = product);
        }
        link(&mut memory.links, &memory.products, stale);
        memory.theta.extend_from_slice(from);
        let place = |own: usize| gram.changed.iter().filter(|&&c| c < own).count();
        build.columns(to, moved, place, columns, spans)?;
        (gram.columns, gram.linear) = (p + 1 + changed, p);
        gram.products.resize(gram.columns * gram.columns, 0.0);
        for (new, old) in gram.products.chunks_exact_mut(gram.columns).zip(memory.products.chunks_exact(p + 1)) {
            new[..=p].copy_from_slice(old);
        }
        let new = |at: usize| Column { values: &columns[at * n..(at + 1) * n], span: spans[at] };
        for i in 0..changed {
            let row = (p + 1 + i) * gram.columns;
            let same = (0..=p).filter(|j| !gram.changed.contains(j)).map(|j| (j, column(j)));
            let others = same.chain((0..=i).map(|j| (p + 1 + j, new(j))));
            new(i).times(simd, others, |j, product| gram.products[row + j] = product);
        }
        gram.choose(&memory.links);
        Some(())
    }
}

impl Room {
    /// All columns are zero again.
    fn clear(&mut self) {
        for (at, span) in self.spans.iter().enumerate() {
            self.columns[at * self.vectors..][span.range()].fill([0.0; LANES]);
        }
        self.spans.clear();
    }

    /// The vectors in which the curves of two places may differ.
    pub(super) fn changed(&self, memory: &Memory) -> Span {
        let old = self.gram.drawn.iter().map(|&own| memory.spans[own]);
        old.chain(self.spans.iter().copied()).fold(Span::EMPTY, Span::hull)
    }
}

/// The misfit of a curve in some vectors: of the columns at the old place or at the new one, at the linear parameters of `theta`. It depends on the
/// parameters alone, to the last bit: whichever place is the old one, columns are added in one order.
pub(super) struct Rest<'a> {
    pub(super) refit: &'a Refit,
    pub(super) theta: &'a [f64],
    pub(super) moved: bool,
    pub(super) span: Span,
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
                let Self { refit, theta, moved, span, memory, room } = self;
                let (p, n) = (refit.parameters.len(), refit.t.len());
                let Room { columns, spans, gram, rest, .. } = room;
                rest.clear();
                rest.extend_from_slice(&memory.columns[p * n..][span.range()]);
                for (own, (&i, &unit)) in refit.parameters.iter().zip(&refit.unit).enumerate() {
                    let at = gram.place(own, moved);
                    let (columns, own, at) =
                        if at > p { (&*columns, spans[at - p - 1], at - p - 1) } else { (&memory.columns, memory.spans[at], at) };
                    let within = own.overlap(span).range();
                    let amount: f32x16<S> = (-(theta[i] / unit) as f32).simd_into(simd);
                    let rest = rest.iter_mut().skip(within.start - span.begin.min(within.start));
                    for (rest, column) in rest.zip(&columns[at * n..][within]) {
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
                    sum += f64::from(lanes.reduce_sum());
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

/// A column of a grid, zero outside a span.
#[derive(Clone, Copy)]
struct Column<'a> {
    values: &'a [[f32; LANES]],
    span: Span,
}

/// Columns that are multiplied with one side by side, so that no sum waits for another.
const TOGETHER: usize = 4;

impl<'a> Column<'a> {
    /// Its products with others. Of two columns it is the same, whichever is the other.
    fn times<S: Simd>(self, simd: S, others: impl Iterator<Item = (usize, Self)>, mut put: impl FnMut(usize, f64)) {
        let (mut some, mut count, mut span) = ([(0, self.values); TOGETHER], 0, Span::EMPTY);
        let mut flush = |some: &[(usize, &'a [[f32; LANES]]); TOGETHER], count: usize, span: Span| {
            let products = dots(simd, &self.values[span.range()], some.map(|(_, values)| &values[span.range()]));
            some.iter().zip(products).take(count).for_each(|(&(at, _), product)| put(at, product));
        };
        for (at, other) in others {
            some[count] = (at, other.values);
            span = span.hull(self.span.overlap(other.span));
            count += 1;
            if count == TOGETHER {
                flush(&some, count, span);
                (count, span) = (0, Span::EMPTY);
            }
        }
        flush(&some, count, span);
    }
}

#[inline(always)]
fn dots<S: Simd>(simd: S, own: &[[f32; LANES]], others: [&[[f32; LANES]]; TOGETHER]) -> [f64; TOGETHER] {
    simd.vectorize(
        #[inline(always)]
        || {
            let [a, b, c, d] = others;
            let mut sums: [f32x16<S>; TOGETHER] = [0f32.simd_into(simd); TOGETHER];
            for ((((own, a), b), c), d) in own.iter().zip(a).zip(b).zip(c).zip(d) {
                let own = f32x16::load_array_ref(simd, own);
                sums[0] = Number::mul_add(own, f32x16::load_array_ref(simd, a), sums[0]);
                sums[1] = Number::mul_add(own, f32x16::load_array_ref(simd, b), sums[1]);
                sums[2] = Number::mul_add(own, f32x16::load_array_ref(simd, c), sums[2]);
                sums[3] = Number::mul_add(own, f32x16::load_array_ref(simd, d), sums[3]);
            }
            let [a, b, c, d] = sums;
            [f64::from(a.reduce_sum()), f64::from(b.reduce_sum()), f64::from(c.reduce_sum()), f64::from(d.reduce_sum())]
        },
    )
}
