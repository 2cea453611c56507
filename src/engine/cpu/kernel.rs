//! The loops over points: a term's curve, the sum of curves, and the misfit of a curve block by block.

use super::arithmetic::{Arithmetic, Partial, Step};
use super::grid::{Axis, Data, Grid, MOST_COEFFICIENTS, Part, TermOnGrid};
use super::span::{ABREAST, STEPS_A_BLOCK, Span};
use crate::engine::POISSON_FLOOR;
use crate::models::{Argument, Extent, Number, Shape, Visit};

/// Writes a term's curve at some steps, or adds it to what is there.
pub fn evaluate<A: Arithmetic>(
    arithmetic: A,
    term: &TermOnGrid,
    coefficients: &[f64],
    axis: Axis<'_, A::Element>,
    onto: bool,
    curve: &mut [Step<A::Element>],
) {
    term.shape.visit(Evaluate { arithmetic, extent: term.extent, coefficients, axis, onto, curve });
}

struct Evaluate<'a, A: Arithmetic> {
    arithmetic: A,
    extent: Extent,
    coefficients: &'a [f64],
    axis: Axis<'a, A::Element>,
    onto: bool,
    curve: &'a mut [Step<A::Element>],
}

/// Coefficients that most shapes do not exceed: clearing room for many costs as much as a short support.
const FEW: usize = 8;

impl<A: Arithmetic> Visit for Evaluate<'_, A> {
    type Output = ();

    fn visit<S: Shape>(self) {
        if self.extent.stride <= FEW {
            self.arithmetic.vectorize(
                #[inline(always)]
                || self.run::<S, FEW>(),
            );
        } else {
            self.arithmetic.vectorize(
                #[inline(always)]
                || self.run::<S, MOST_COEFFICIENTS>(),
            );
        }
    }
}

impl<A: Arithmetic> Evaluate<'_, A> {
    #[inline(always)]
    fn run<S: Shape, const N: usize>(self) {
        let (a, Extent { repeats, stride }) = (self.arithmetic, self.extent);
        let t = if S::ARGUMENT == Argument::T { self.axis.t } else { self.axis.near };
        for i in 0..repeats {
            let (own, onto) = (&self.coefficients[i * stride..(i + 1) * stride], self.onto || i > 0);
            // Room for many coefficients of steps abreast would not stay in registers, and clearing it would cost more than it spares.
            let abreast = if N > FEW { 0 } else { self.curve.len() / ABREAST };
            let (curve, curve_left) = self.curve.split_at_mut(abreast * ABREAST);
            let (t, t_left) = t.split_at(abreast * ABREAST);
            let (origins, origins_left) = self.axis.origins.split_at(abreast * ABREAST);
            if N <= FEW && abreast > 0 {
                let (t, origins) = (t.as_chunks().0, origins.as_chunks().0);
                steps_abreast::<A, S, N>(a, own, t, origins, onto, curve.as_chunks_mut().0);
            }
            steps::<A, S, N>(a, own, t_left, origins_left, onto, curve_left);
        }
    }
}

/// A run of coefficients step by step, given t or, where the shape has a position, t from origins.
#[inline(always)]
fn steps<A: Arithmetic, S: Shape, const N: usize>(
    a: A,
    own: &[f64],
    t: &[Step<A::Element>],
    origins: &[f64],
    onto: bool,
    curve: &mut [Step<A::Element>],
) {
    let mut room = [a.splat(A::element(0.0)); N];
    // All of the room is written: a loop of known length leaves in registers what is read.
    for (i, c) in room.iter_mut().enumerate() {
        *c = a.splat(A::element(own.get(i).copied().unwrap_or(0.0)));
    }
    let c = &room[..own.len()];
    for ((t, origin), out) in t.iter().zip(origins).zip(curve) {
        let offset = a.splat(offset::<A, S>(own, *origin));
        for part in 0..A::PARTS {
            let value = S::at(argument::<S, _>(a.load(t, part), offset, c), c);
            a.store(if onto { a.load(out, part) + value } else { value }, out, part);
        }
    }
}

/// How often steps abreast are evaluated before the next offsets are formed: what was just written as a vector is not ready to be read number
/// by number.
const TURNS: usize = 32;

/// The same, several steps at once.
#[inline(always)]
fn steps_abreast<A: Arithmetic, S: Shape, const N: usize>(
    a: A,
    own: &[f64],
    t: &[[Step<A::Element>; ABREAST]],
    origins: &[[f64; ABREAST]],
    onto: bool,
    curve: &mut [[Step<A::Element>; ABREAST]],
) {
    let mut offsets = [[A::element(0.0); ABREAST]; TURNS];
    let mut room = [a.splat_abreast(&offsets[0], 0); N];
    // As in `steps`; what is the same of all steps abreast then takes one register.
    for (i, c) in room.iter_mut().enumerate() {
        *c = a.splat_abreast(&[A::element(own.get(i).copied().unwrap_or(0.0)); ABREAST], 0);
    }
    let c = &room[..own.len()];
    for begin in (0..curve.len()).step_by(TURNS) {
        let turns = begin..curve.len().min(begin + TURNS);
        let (t, origins, curve) = (&t[turns.clone()], &origins[turns.clone()], &mut curve[turns]);
        if S::ARGUMENT != Argument::T {
            for (offset, origin) in offsets.as_flattened_mut().iter_mut().zip(origins.as_flattened()) {
                *offset = self::offset::<A, S>(own, *origin);
            }
        }
        for ((t, offsets), out) in t.iter().zip(&offsets).zip(curve) {
            for part in 0..A::PARTS_ABREAST {
                let offset = a.splat_abreast(offsets, part);
                let value = S::at(argument::<S, _>(a.load_abreast(t, part), offset, c), c);
                a.store_abreast(if onto { a.load_abreast(out, part) + value } else { value }, out, part);
            }
        }
    }
}

/// An origin from the position, scaled as the shape wants it. The difference in f64: near the peak it is small, and so is its rounding error.
#[inline(always)]
fn offset<A: Arithmetic, S: Shape>(own: &[f64], origin: f64) -> A::Element {
    A::element(match S::ARGUMENT {
        Argument::T => 0.0,
        Argument::Distance(position) => origin - own[position],
        Argument::Scaled(position, scale) => (origin - own[position]) * own[scale],
    })
}

/// What a shape takes, of t from an origin and of that from the position: with a scale, one operation instead of two.
#[inline(always)]
fn argument<S: Shape, N: Number>(t: N, offset: N, c: &[N]) -> N {
    match S::ARGUMENT {
        Argument::T => t,
        Argument::Distance(_) => t + offset,
        Argument::Scaled(_, scale) => t.mul_add(c[scale], offset),
    }
}

/// Writes the origin plus some curves, each with the steps it lives on, at the steps of a span.
pub fn sum_curves<'a, A: Arithmetic>(
    a: A,
    origin: &[Step<A::Element>],
    curves: impl Iterator<Item = (&'a [Step<A::Element>], Span)>,
    span: Span,
    into: &mut [Step<A::Element>],
) where
    A::Element: 'a,
{
    a.vectorize(
        #[inline(always)]
        || {
            into[span.range()].copy_from_slice(&origin[span.range()]);
            for (curve, of) in curves {
                let steps = of.overlap(span).range();
                add_steps(a, &curve[steps.clone()], &mut into[steps]);
            }
        },
    );
}

/// Adds a curve to a total.
pub fn add<A: Arithmetic>(a: A, curve: &[Step<A::Element>], total: &mut [Step<A::Element>]) {
    a.vectorize(
        #[inline(always)]
        || add_steps(a, curve, total),
    );
}

#[inline(always)]
fn add_steps<A: Arithmetic>(a: A, curve: &[Step<A::Element>], total: &mut [Step<A::Element>]) {
    for (total, curve) in total.iter_mut().zip(curve) {
        for part in 0..A::PARTS {
            a.store(a.load(total, part) + a.load(curve, part), total, part);
        }
    }
}

/// A curve without one of its terms, and that term.
#[derive(Clone, Copy)]
pub struct Total<'a, E> {
    /// Origin plus all other terms.
    pub rest: &'a [Step<E>],
    /// The term.
    pub curve: &'a [Step<E>],
    /// Where the term lives, in steps.
    pub span: Span,
}

impl<E> Total<'_, E> {
    /// The part in some steps.
    #[inline(always)]
    fn within(self, steps: Span) -> Self {
        let inside = self.span.overlap(steps);
        let span = if inside.is_empty() { Span::EMPTY } else { Span { begin: inside.begin - steps.begin, end: inside.end - steps.begin } };
        Self { rest: &self.rest[steps.range()], curve: &self.curve[steps.range()], span }
    }
}

/// Writes the partial misfits of the `changed` blocks, and returns the sum over a measurement: changed blocks as written, others as kept.
pub fn measure<A: Arithmetic>(
    a: A,
    grid: &Grid<'_, A::Element>,
    part: &Part<'_>,
    total: Total<'_, A::Element>,
    changed: [Span; 2],
    kept: &[Partial],
    written: &mut [Partial],
) -> Partial {
    // Two copies, so that nothing is chosen at a point. Loops here are `for`, not `for_each`: an ordinary closure would not be compiled
    // for the instruction set.
    if part.poisson {
        a.vectorize(
            #[inline(always)]
            || {
                for blocks in changed {
                    sum_blocks::<A, HalfDeviance>(a, grid.data(blocks.steps()), total.within(blocks.steps()), &mut written[blocks.range()]);
                }
                sum_partials(part.blocks, changed, kept, written)
            },
        )
    } else {
        a.vectorize(
            #[inline(always)]
            || {
                for blocks in changed {
                    sum_blocks::<A, Square>(a, grid.data(blocks.steps()), total.within(blocks.steps()), &mut written[blocks.range()]);
                }
                sum_partials(part.blocks, changed, kept, written)
            },
        )
    }
}

/// Writes the partial misfits of a total in some blocks.
pub fn measure_blocks<A: Arithmetic>(
    a: A,
    grid: &Grid<'_, A::Element>,
    poisson: bool,
    blocks: Span,
    total: &[Step<A::Element>],
    written: &mut [Partial],
) {
    let (data, total) = (grid.data(blocks.steps()), Total { rest: total, curve: &[], span: Span::EMPTY });
    if poisson {
        a.vectorize(
            #[inline(always)]
            || sum_blocks::<A, HalfDeviance>(a, data, total, &mut written[blocks.range()]),
        );
    } else {
        a.vectorize(
            #[inline(always)]
            || sum_blocks::<A, Square>(a, data, total, &mut written[blocks.range()]),
        );
    }
}

/// What a point adds to the misfit. A trait, because a function passed as a value is not compiled for the instruction set.
trait PointMisfit {
    /// From the total and what `first` and `second` of the data hold there.
    fn of<A: Arithmetic>(a: A, total: A::Vector, first: A::Vector, second: A::Vector) -> A::Vector;
}

/// The square of a weighted residual.
struct Square;

impl PointMisfit for Square {
    #[inline(always)]
    fn of<A: Arithmetic>(_: A, residual: A::Vector, weight: A::Vector, _: A::Vector) -> A::Vector {
        let r = residual * weight;
        r * r
    }
}

/// Half the deviance of a curve with exposure from counts.
struct HalfDeviance;

impl PointMisfit for HalfDeviance {
    #[inline(always)]
    fn of<A: Arithmetic>(a: A, curve: A::Vector, counts: A::Vector, exposure: A::Vector) -> A::Vector {
        let (f, floor) = (curve * exposure, a.splat(A::element(POISSON_FLOOR)));
        A::half_deviance(counts, f.if_below(floor, floor, f))
    }
}

#[inline(always)]
fn sum_blocks<A: Arithmetic, M: PointMisfit>(a: A, data: Data<'_, A::Element>, total: Total<'_, A::Element>, out: &mut [Partial]) {
    for (b, out) in out.iter_mut().enumerate() {
        // Whole blocks as slices of known length: one check each instead of one a vector.
        let steps = Span { begin: b * STEPS_A_BLOCK, end: (b + 1) * STEPS_A_BLOCK };
        let rest = &total.rest[steps.range()];
        let data = Data { first: &data.first[steps.range()], second: &data.second[steps.range()] };
        let inside = total.span.overlap(steps);
        *out = if inside == steps {
            let curve = &total.curve[steps.range()];
            a.sum_block(
                #[inline(always)]
                |step, part| misfit::<A, M>(a, data, step, part, a.load(&rest[step], part) + a.load(&curve[step], part)),
            )
        } else if inside.is_empty() {
            a.sum_block(
                #[inline(always)]
                |step, part| misfit::<A, M>(a, data, step, part, a.load(&rest[step], part)),
            )
        } else {
            let curve = &total.curve[steps.range()];
            a.sum_block(
                #[inline(always)]
                |step, part| {
                    let there = inside.begin <= steps.begin + step && steps.begin + step < inside.end;
                    let rest = a.load(&rest[step], part);
                    misfit::<A, M>(a, data, step, part, if there { rest + a.load(&curve[step], part) } else { rest })
                },
            )
        };
    }
}

#[inline(always)]
fn misfit<A: Arithmetic, M: PointMisfit>(a: A, data: Data<'_, A::Element>, step: usize, part: usize, total: A::Vector) -> A::Vector {
    M::of(a, total, a.load(&data.first[step], part), a.load(&data.second[step], part))
}

/// The sum over all blocks, ascending in two chains by turns, so that one addition does not wait for the last.
#[inline(always)]
pub fn sum_partials(all: Span, changed: [Span; 2], kept: &[Partial], written: &[Partial]) -> Partial {
    let mut sums = [Partial::default(); 2];
    let mut at = all.begin;
    for blocks in changed.into_iter().filter(|c| !c.is_empty()) {
        add_partials(&kept[at..blocks.begin], &mut sums);
        add_partials(&written[blocks.range()], &mut sums);
        at = blocks.end;
    }
    add_partials(&kept[at..all.end], &mut sums);
    let [mut even, odd] = sums;
    even.add(&odd);
    even
}

#[inline(always)]
fn add_partials(partials: &[Partial], [even, odd]: &mut [Partial; 2]) {
    let pairs = partials.chunks_exact(2);
    if let [last] = pairs.remainder() {
        even.add(last);
    }
    for pair in pairs {
        even.add(&pair[0]);
        odd.add(&pair[1]);
    }
}
