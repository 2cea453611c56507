//! One walker: the curves of its terms, its misfits block by block, and the move it is trying.

use super::arithmetic::{Arithmetic, Partial, Step};
use super::grid::{Grid, Part};
use super::kernel::{self, Total};
use super::span::Span;

/// Blocks whose total from scratch is formed at once: few enough for the nearest cache, enough for a term to be worth the call.
const BLOCKS_AT_ONCE: usize = 32;

/// Where a term's curve is kept.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Which run of the grid's steps in `curves`.
    at: usize,
    /// The steps in which it was evaluated; elsewhere the term is negligible and the numbers mean nothing.
    span: Span,
}

/// A term that a move changes, and its new curve.
#[derive(Clone, Copy, Debug)]
struct Change {
    term: usize,
    slot: Slot,
}

/// The sum of all terms but one, kept for the next attempt on that term.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    /// The term left out; none where the sum is of no use.
    term: Option<usize>,
    /// Where the sum is valid, in steps.
    span: Span,
}

/// A walker's state. Numbers a walker: (2 × terms + 1) × points.
#[derive(Debug)]
pub struct Walker<E> {
    curves: Vec<Step<E>>,
    slots: Vec<Slot>,
    /// Coefficients of all terms while their curves are not written yet, otherwise none.
    unwritten: Vec<f64>,
    /// Unused slots; the last freed is used first, so that moves of one term touch one spare slot only.
    free: Vec<usize>,
    sum: Vec<Step<E>>,
    rest: Rest,
    partials: Vec<Partial>,
    misfits: Vec<f64>,
    changes: Vec<Change>,
    /// Blocks that the move changes, and what their misfits would be.
    changed: [Span; 2],
    trial_partials: Vec<Partial>,
    trial_misfits: Vec<f64>,
}

impl<E: Copy + Default> Walker<E> {
    /// A walker that is not loaded yet.
    pub fn new(grid: &Grid<'_, E>) -> Self {
        let (terms, steps) = (grid.terms.len(), grid.steps());
        let blocks = grid.parts.last().map_or(0, |p| p.blocks.end);
        Self {
            curves: vec![Step::default(); 2 * terms * steps],
            slots: (0..terms).map(|at| Slot { at, span: Span::EMPTY }).collect(),
            unwritten: Vec::new(),
            free: (terms..2 * terms).collect(),
            sum: vec![Step::default(); steps],
            rest: Rest::default(),
            partials: vec![Partial::default(); blocks],
            misfits: vec![0.0; grid.parts.len()],
            changes: Vec::with_capacity(terms),
            changed: [Span::EMPTY; 2],
            trial_partials: vec![Partial::default(); blocks],
            trial_misfits: vec![0.0; grid.parts.len()],
        }
    }

    /// Evaluates all terms from scratch and keeps their coefficients; their curves are written when the first move asks for them.
    pub fn load<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>, coefficients: &[f64]) {
        self.drop_move();
        self.rest.term = None;
        self.unwritten.clear();
        self.unwritten.extend_from_slice(coefficients);
        for (term, own) in grid.coefficients(coefficients) {
            self.slots[term].span = grid.support(term, own);
        }
        for p in 0..grid.parts.len() {
            let Part { blocks, poisson, .. } = grid.parts[p];
            for begin in blocks.range().step_by(BLOCKS_AT_ONCE) {
                let some = Span { begin, end: blocks.end.min(begin + BLOCKS_AT_ONCE) };
                self.total(a, grid, some.steps());
                kernel::measure_blocks(a, grid, poisson, some, &self.sum, &mut self.partials);
            }
            self.misfits[p] = grid.parts[p].misfit(&kernel::sum_partials(blocks, [Span::EMPTY; 2], &self.partials, &[]));
        }
    }

    /// Writes the total of unwritten curves at some steps to the beginning of `sum`, where it stays in the cache from term to term.
    fn total<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>, steps: Span) {
        let total = &mut self.sum[..steps.end - steps.begin];
        total.copy_from_slice(&grid.origin[steps.range()]);
        for (term, own) in grid.coefficients(&self.unwritten) {
            let (info, Slot { at, span }) = (&grid.terms[term], self.slots[term]);
            let inside = span.overlap(steps);
            if inside.is_empty() {
                continue;
            }
            let into = &mut total[inside.begin - steps.begin..inside.end - steps.begin];
            if info.extent.repeats == 1 {
                kernel::evaluate(a, info, own, grid.axis(inside), true, into);
            } else {
                let curve = &mut self.curves[at * grid.steps()..][inside.range()];
                kernel::evaluate(a, info, own, grid.axis(inside), false, curve);
                kernel::add(a, curve, into);
            }
        }
    }

    /// Writes the curves of all terms where that is still to be done.
    fn write_curves<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>) {
        for (term, own) in grid.coefficients(&self.unwritten) {
            let Slot { at, span } = self.slots[term];
            let curve = &mut self.curves[at * grid.steps()..][span.range()];
            kernel::evaluate(a, &grid.terms[term], own, grid.axis(span), false, curve);
        }
        self.unwritten.clear();
    }

    /// Evaluates a move that changes some terms, whose new coefficients follow one another.
    pub fn attempt<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>, terms: &[u32], coefficients: &[f64]) {
        if !self.unwritten.is_empty() {
            self.write_curves(a, grid);
        }
        self.begin();
        let mut at = 0;
        for &term in terms {
            at += self.change(a, grid, term as usize, &coefficients[at..]);
        }
        match *self.changes.as_slice() {
            [change] => self.measure_one(a, grid, change),
            _ => {
                let hull = self.changes.iter().fold(Span::EMPTY, |hull, c| hull.hull(self.slots[c.term].span).hull(c.slot.span));
                self.measure_several(a, grid, hull.blocks());
            }
        }
    }

    /// The misfits of the move last tried.
    pub fn tried(&self) -> &[f64] {
        &self.trial_misfits
    }

    /// The misfits as they are.
    pub fn misfits(&self) -> &[f64] {
        &self.misfits
    }

    /// Keeps the move last tried.
    pub fn keep(&mut self) {
        let others_moved = self.changes.iter().any(|c| self.rest.term != Some(c.term));
        if others_moved {
            self.rest.term = None;
        }
        for change in self.changes.drain(..) {
            self.free.push(self.slots[change.term].at);
            self.slots[change.term] = change.slot;
        }
        for blocks in self.changed {
            self.partials[blocks.range()].copy_from_slice(&self.trial_partials[blocks.range()]);
        }
        self.misfits.copy_from_slice(&self.trial_misfits);
    }

    /// Forgets the move last tried.
    pub fn drop_move(&mut self) {
        for change in self.changes.drain(..) {
            self.free.push(change.slot.at);
        }
    }

    fn begin(&mut self) {
        self.drop_move();
        self.trial_misfits.copy_from_slice(&self.misfits);
    }

    /// Evaluates one changed term to a free slot; tells how many coefficients it took.
    fn change<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>, term: usize, coefficients: &[f64]) -> usize {
        let info = &grid.terms[term];
        let coefficients = &coefficients[..info.extent.len()];
        let span = grid.support(term, coefficients);
        let Some(at) = self.free.pop() else { unreachable!("a slot for every term, and as many spare") };
        let curve = &mut self.curves[at * grid.steps()..][span.range()];
        kernel::evaluate(a, info, coefficients, grid.axis(span), false, curve);
        self.changes.push(Change { term, slot: Slot { at, span } });
        info.extent.len()
    }

    /// Misfits of a move of one term: against the sum of the others, where the term was and where it would be.
    fn measure_one<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>, change: Change) {
        self.changed = self.slots[change.term].span.blocks().union(change.slot.span.blocks());
        self.prepare_rest(a, grid, change.term, self.changed[0].hull(self.changed[1]).steps());
        self.measure(a, grid, change.slot);
    }

    /// Misfits of a move of several terms, or of all.
    fn measure_several<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>, blocks: Span) {
        let steps = grid.steps();
        self.changed = [blocks, Span::EMPTY];
        self.rest.term = None;
        let (curves, changes) = (&self.curves, &self.changes);
        let terms = self.slots.iter().enumerate().map(|(term, kept)| {
            let slot = changes.iter().find(|c| c.term == term).map_or(kept, |c| &c.slot);
            (&curves[slot.at * steps..][..steps], slot.span)
        });
        kernel::sum_curves(a, &grid.origin, terms, blocks.steps(), &mut self.sum);
        self.measure(a, grid, Slot::default());
    }

    /// Makes `sum` the total without `term` wherever it is needed.
    fn prepare_rest<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>, term: usize, needed: Span) {
        let known = if self.rest.term == Some(term) { self.rest.span } else { Span::EMPTY };
        if known.contains(needed) {
            return;
        }
        let hull = known.hull(needed);
        let missing = if known.is_empty() {
            [hull, Span::EMPTY]
        } else {
            [Span { begin: hull.begin, end: known.begin }, Span { begin: known.end, end: hull.end }]
        };
        let (curves, steps) = (&self.curves, grid.steps());
        for span in missing.into_iter().filter(|s| !s.is_empty()) {
            let others = self.slots.iter().enumerate().filter(|(k, _)| *k != term);
            let others = others.map(|(_, slot)| (&curves[slot.at * steps..][..steps], slot.span));
            kernel::sum_curves(a, &grid.origin, others, span, &mut self.sum);
        }
        self.rest = Rest { term: Some(term), span: hull };
    }

    /// Misfits of `sum` plus one term, for every measurement with a changed block; the others stay as they are.
    fn measure<A: Arithmetic<Element = E>>(&mut self, a: A, grid: &Grid<'_, E>, term: Slot) {
        let total = Total { rest: &self.sum, curve: &self.curves[term.at * grid.steps()..], span: term.span };
        for (part, misfit) in grid.parts.iter().zip(&mut self.trial_misfits) {
            let changed = self.changed.map(|c| c.overlap(part.blocks));
            if changed.iter().any(|c| !c.is_empty()) {
                let sum = kernel::measure(a, grid, part, total, changed, &self.partials, &mut self.trial_partials);
                *misfit = part.misfit(&sum);
            }
        }
    }
}
