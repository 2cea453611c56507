//! The loops over points: a term's curve, the sum of curves, and the misfit of a curve block by block.

use super::arithmetic::{Arithmetic, Partial, Step};
use super::grid::{Axis, Grid, MOST_COEFFICIENTS, Part, TermOnGrid};
use super::span::{STEPS_A_BLOCK, Span};
use crate::engine::POISSON_FLOOR;
use crate::models::{Extent, Number, Shape, Visit};

/// Writes a term's curve at some steps.
pub fn evaluate<A: Arithmetic>(
    arithmetic: A,
    term: &TermOnGrid,
    coefficients: &[f64],
    axis: Axis<'_, A::Element>,
    curve: &mut [Step<A::Element>],
) {
    term.shape.visit(Evaluate { arithmetic, extent: term.extent, coefficients, axis, curve });
}

struct Evaluate<'a, A: Arithmetic> {
    arithmetic: A,
    extent: Extent,
    coefficients: &'a [f64],
    axis: Axis<'a, A::Element>,
    curve: &'a mut [Step<A::Element>],
}

impl<A: Arithmetic> Visit for Evaluate<'_, A> {
    type Output = ();

    fn visit<S: Shape>(self) {
        // Most shapes have few coefficients, and clearing room for many costs as much as a short support.
        if self.extent.stride <= 8 {
            self.arithmetic.vectorize(
                #[inline(always)]
                || self.run::<S, 8>(),
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
        let a = self.arithmetic;
        let Extent { repeats, stride } = self.extent;
        let zero = a.splat(0.0);
        let mut room = [zero; N];
        for i in 0..repeats {
            for (c, &value) in room.iter_mut().zip(&self.coefficients[i * stride..(i + 1) * stride]) {
                *c = a.splat(value);
            }
            let position = S::POSITION.map(|p| (p, self.coefficients[i * stride + p]));
            let t = if position.is_some() { self.axis.near } else { self.axis.t };
            for ((t, &origin), out) in t.iter().zip(self.axis.origins).zip(self.curve.iter_mut()) {
                if let Some((p, value)) = position {
                    // The difference in f64: near the peak it is small, and so is its rounding error.
                    room[p] = a.splat(value - origin);
                }
                let c = &room[..stride];
                for part in 0..A::PARTS {
                    let value = S::eval(a.load(t, part), c);
                    a.store(if i == 0 { value } else { a.load(out, part) + value }, out, part);
                }
            }
        }
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
                for (out, curve) in into[steps.clone()].iter_mut().zip(&curve[steps]) {
                    for part in 0..A::PARTS {
                        a.store(a.load(out, part) + a.load(curve, part), out, part);
                    }
                }
            }
        },
    );
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
                    sum_blocks::<A, HalfDeviance>(a, grid, total, blocks, written);
                }
                sum_partials(part.blocks, changed, kept, written)
            },
        )
    } else {
        a.vectorize(
            #[inline(always)]
            || {
                for blocks in changed {
                    sum_blocks::<A, Square>(a, grid, total, blocks, written);
                }
                sum_partials(part.blocks, changed, kept, written)
            },
        )
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
        let (f, floor) = (curve * exposure, a.splat(POISSON_FLOOR));
        A::half_deviance(counts, f.if_below(floor, floor, f))
    }
}

#[inline(always)]
fn sum_blocks<A: Arithmetic, M: PointMisfit>(
    a: A,
    grid: &Grid<'_, A::Element>,
    total: Total<'_, A::Element>,
    blocks: Span,
    out: &mut [Partial],
) {
    for b in blocks.range() {
        // Whole blocks as slices of known length: one check each instead of one a vector.
        let steps = Span { begin: b * STEPS_A_BLOCK, end: (b + 1) * STEPS_A_BLOCK };
        let (rest, first, second) = (&total.rest[steps.range()], &grid.first[steps.range()], &grid.second[steps.range()]);
        let data = (first, second);
        let inside = total.span.overlap(steps);
        out[b] = if inside == steps {
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

/// A block of the grid's `first` and `second`.
type Pair<'a, E> = (&'a [Step<E>], &'a [Step<E>]);

#[inline(always)]
fn misfit<A: Arithmetic, M: PointMisfit>(
    a: A,
    (first, second): Pair<'_, A::Element>,
    step: usize,
    part: usize,
    total: A::Vector,
) -> A::Vector {
    M::of(a, total, a.load(&first[step], part), a.load(&second[step], part))
}

/// The sum over all blocks, ascending in two chains by turns, so that one addition does not wait for the last.
#[inline(always)]
fn sum_partials(all: Span, changed: [Span; 2], kept: &[Partial], written: &[Partial]) -> Partial {
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
