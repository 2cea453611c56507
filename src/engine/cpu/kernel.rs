//! The loops over points: a term's curve, the sum of curves, and the misfit of a curve block by block.

use super::arithmetic::{Arithmetic, Partial};
use super::grid::{Grid, MOST_COEFFICIENTS, Part, TermOnGrid};
use super::span::{BLOCK, STEP, STEPS_A_BLOCK, Span};
use crate::engine::POISSON_FLOOR;
use crate::models::{Number, Shape, Visit};

/// Writes a term's curve at the points of a span.
pub fn evaluate<A: Arithmetic>(arithmetic: A, term: &TermOnGrid, coefficients: &[f64], t: &[A::Element], curve: &mut [A::Element]) {
    term.shape.visit(Evaluate { arithmetic, stride: term.extent.stride, coefficients, t, curve });
}

struct Evaluate<'a, A: Arithmetic> {
    arithmetic: A,
    stride: usize,
    coefficients: &'a [f64],
    t: &'a [A::Element],
    curve: &'a mut [A::Element],
}

impl<A: Arithmetic> Visit for Evaluate<'_, A> {
    type Output = ();

    fn visit<S: Shape>(self) {
        // Most shapes have few coefficients, and clearing room for many costs as much as a short support.
        if self.stride <= 8 {
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
        let zero = a.splat(0.0);
        let mut room = [zero; N];
        for (i, run) in self.coefficients.chunks_exact(self.stride).enumerate() {
            for (c, &value) in room.iter_mut().zip(run) {
                *c = a.splat(value);
            }
            let c = &room[..self.stride];
            for (t, out) in self.t.chunks_exact(A::WIDTH).zip(self.curve.chunks_exact_mut(A::WIDTH)) {
                let before = if i == 0 { zero } else { a.load(out) };
                a.store(before + S::eval(a.load(t), c), out);
            }
        }
    }
}

/// Writes a copy of `from`, at the points of a span.
pub fn copy<A: Arithmetic>(from: &[A::Element], span: Span, into: &mut [A::Element]) {
    into[span.points()].copy_from_slice(&from[span.points()]);
}

/// Adds a curve that lives on `of` where it overlaps `span`.
pub fn add<A: Arithmetic>(a: A, curve: &[A::Element], of: Span, span: Span, into: &mut [A::Element]) {
    let points = of.overlap(span).points();
    let (curve, into) = (&curve[points.clone()], &mut into[points]);
    a.vectorize(
        #[inline(always)]
        || {
            for (c, out) in curve.chunks_exact(A::WIDTH).zip(into.chunks_exact_mut(A::WIDTH)) {
                a.store(a.load(out) + a.load(c), out);
            }
        },
    );
}

/// A curve without one of its terms, and that term.
#[derive(Clone, Copy)]
pub struct Total<'a, E> {
    /// Origin plus all other terms.
    pub rest: &'a [E],
    /// The term.
    pub curve: &'a [E],
    /// Where the term lives, in steps.
    pub span: Span,
}

/// Writes the partial misfits of some blocks.
pub fn measure<A: Arithmetic>(
    a: A,
    grid: &Grid<'_, A::Element>,
    part: &Part<'_>,
    total: Total<'_, A::Element>,
    blocks: Span,
    out: &mut [Partial],
) {
    if blocks.is_empty() {
        return;
    }
    if part.poisson {
        a.vectorize(
            #[inline(always)]
            || {
                let floor = a.splat(POISSON_FLOOR);
                sum_blocks(
                    a,
                    grid,
                    total,
                    blocks,
                    out,
                    #[inline(always)]
                    |total, counts, exposure| {
                        let f = total * exposure;
                        A::half_deviance(counts, f.if_below(floor, floor, f))
                    },
                );
            },
        );
    } else {
        a.vectorize(
            #[inline(always)]
            || {
                sum_blocks(
                    a,
                    grid,
                    total,
                    blocks,
                    out,
                    #[inline(always)]
                    |residual, weight, _| {
                        let r = residual * weight;
                        r * r
                    },
                );
            },
        );
    }
}

/// `contribution` gets the total and what `first` and `second` of the grid hold there.
#[inline(always)]
fn sum_blocks<A: Arithmetic>(
    a: A,
    grid: &Grid<'_, A::Element>,
    total: Total<'_, A::Element>,
    blocks: Span,
    out: &mut [Partial],
    contribution: impl Fn(A::Vector, A::Vector, A::Vector) -> A::Vector,
) {
    for (b, out) in (blocks.begin..blocks.end).zip(&mut out[blocks.begin..blocks.end]) {
        // Whole blocks as slices of known length: one check each instead of one a vector.
        let points = b * BLOCK..(b + 1) * BLOCK;
        let (rest, first, second) = (&total.rest[points.clone()], &grid.first[points.clone()], &grid.second[points.clone()]);
        let steps = Span { begin: b * STEPS_A_BLOCK, end: (b + 1) * STEPS_A_BLOCK };
        let inside = total.span.overlap(steps);
        *out = if inside == steps {
            let curve = &total.curve[points];
            a.sum_block(
                #[inline(always)]
                |i| contribution(a.load(&rest[i..]) + a.load(&curve[i..]), a.load(&first[i..]), a.load(&second[i..])),
            )
        } else if inside.is_empty() {
            a.sum_block(
                #[inline(always)]
                |i| contribution(a.load(&rest[i..]), a.load(&first[i..]), a.load(&second[i..])),
            )
        } else {
            let curve = &total.curve[points];
            a.sum_block(
                #[inline(always)]
                |i| {
                    let step = steps.begin + i / STEP;
                    let there = inside.begin <= step && step < inside.end;
                    let rest = a.load(&rest[i..]);
                    contribution(if there { rest + a.load(&curve[i..]) } else { rest }, a.load(&first[i..]), a.load(&second[i..]))
                },
            )
        };
    }
}

/// Adds partial sums, in four chains so that one addition does not wait for the last.
pub fn add_partials<A: Arithmetic>(a: A, partials: &[Partial], sum: &mut Partial) {
    a.vectorize(
        #[inline(always)]
        || {
            let mut chains = [Partial::default(); 4];
            let fours = partials.chunks_exact(4);
            for (chain, partial) in chains.iter_mut().zip(fours.remainder()) {
                add_partial(chain, partial);
            }
            for four in fours {
                for (chain, partial) in chains.iter_mut().zip(four) {
                    add_partial(chain, partial);
                }
            }
            for chain in &chains {
                add_partial(sum, chain);
            }
        },
    );
}

#[inline(always)]
fn add_partial(sum: &mut Partial, partial: &Partial) {
    for (s, p) in sum.iter_mut().zip(partial) {
        *s += p;
    }
}
