//! What the blocks of a tile propose and choose, in one list each.
//!
//! On all threads: copied by one, the lists would take as long as the work of a dozen.

use super::host::Block;
use crate::engine::Moves;

/// The lists of a tile, filled anew.
pub(super) fn gather(blocks: &[Block<'_, '_>], moves: &mut Moves, choices: &mut Vec<bool>) {
    let Sizes { moves: count, terms, coefficients, choices: chosen } = Sizes::of(blocks);
    moves.walker.resize(count, 0);
    moves.term.resize(terms, 0);
    moves.coefficients.resize(coefficients, 0.0);
    choices.resize(chosen, false);
    for starts in [&mut moves.term_start, &mut moves.coefficient_start] {
        starts.resize(count + 1, 0);
        starts[0] = 0;
    }
    let into = Lists {
        walker: &mut moves.walker,
        term_start: &mut moves.term_start[1..],
        term: &mut moves.term,
        coefficient_start: &mut moves.coefficient_start[1..],
        coefficients: &mut moves.coefficients,
        choices,
    };
    fill(blocks, into, (0, 0));
    moves.beta.clear();
    moves.ln_ratio.clear();
    moves.stream.clear();
    for block in blocks.iter().filter(|block| block.moves.followed) {
        moves.beta.extend_from_slice(&block.moves.beta);
        moves.ln_ratio.extend_from_slice(&block.moves.ln_ratio);
        moves.stream.extend_from_slice(&block.moves.stream);
    }
}

/// Lengths of what some blocks propose and choose.
#[derive(Clone, Copy)]
struct Sizes {
    moves: usize,
    terms: usize,
    coefficients: usize,
    choices: usize,
}

impl Sizes {
    fn of(blocks: &[Block<'_, '_>]) -> Self {
        let sum = |length: fn(&Block<'_, '_>) -> usize| blocks.iter().map(length).sum();
        Self {
            moves: sum(|block| block.moves.len()),
            terms: sum(|block| block.moves.term.len()),
            coefficients: sum(|block| block.moves.coefficients.len()),
            choices: sum(|block| block.choices.len()),
        }
    }
}

/// Where they go.
struct Lists<'l> {
    walker: &'l mut [u32],
    term_start: &'l mut [u32],
    term: &'l mut [u32],
    coefficient_start: &'l mut [u32],
    coefficients: &'l mut [f64],
    choices: &'l mut [bool],
}

impl<'l> Lists<'l> {
    /// The places of the first blocks and those of the others.
    fn split(self, at: Sizes) -> (Self, Self) {
        let (walker, term_start) = (self.walker.split_at_mut(at.moves), self.term_start.split_at_mut(at.moves));
        let (term, coefficient_start) = (self.term.split_at_mut(at.terms), self.coefficient_start.split_at_mut(at.moves));
        let (coefficients, choices) = (self.coefficients.split_at_mut(at.coefficients), self.choices.split_at_mut(at.choices));
        let half = |walker, term_start, term, coefficient_start, coefficients, choices| Lists {
            walker,
            term_start,
            term,
            coefficient_start,
            coefficients,
            choices,
        };
        (
            half(walker.0, term_start.0, term.0, coefficient_start.0, coefficients.0, choices.0),
            half(walker.1, term_start.1, term.1, coefficient_start.1, coefficients.1, choices.1),
        )
    }
}

/// Copies what blocks have to their places, before which there are so many terms and coefficients.
fn fill(blocks: &[Block<'_, '_>], into: Lists<'_>, (terms, coefficients): (usize, usize)) {
    let [block] = blocks else {
        let (some, others) = blocks.split_at(blocks.len() / 2);
        let sizes = Sizes::of(some);
        let (left, right) = into.split(sizes);
        let after = (terms + sizes.terms, coefficients + sizes.coefficients);
        rayon::join(|| fill(some, left, (terms, coefficients)), || fill(others, right, after));
        return;
    };
    let moves = &block.moves;
    into.walker.copy_from_slice(&moves.walker);
    into.term.copy_from_slice(&moves.term);
    into.coefficients.copy_from_slice(&moves.coefficients);
    into.choices.copy_from_slice(&block.choices);
    for (start, own) in into.term_start.iter_mut().zip(&moves.term_start[1..]) {
        *start = terms as u32 + own;
    }
    for (start, own) in into.coefficient_start.iter_mut().zip(&moves.coefficient_start[1..]) {
        *start = coefficients as u32 + own;
    }
}
