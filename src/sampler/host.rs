//! The host's side of a tile: chains propose and decide, block by block on all threads, and what they say is put in order.

use std::ops::Range;

use rayon::prelude::*;

use super::campaign::Witnesses;
use super::chains::Chains;
use super::schedule::Move;
use super::walks::Room;
use crate::engine::Moves;

/// Fewest walkers of a block: with fewer, handing them to another thread takes longer than their work.
const BLOCK: usize = 256;

/// Chains of one problem with what they need for a round.
pub(super) struct Part<'c, 'p> {
    pub chains: &'c mut Chains<'p>,
    pub moves: &'c [Move],
    pub refresh: &'c Move,
    pub quota: usize,
    pub adapting: bool,
    pub witnesses: Witnesses,
    /// First walker in the tile.
    pub offset: u32,
}

/// One step of a sweep, and whether it is the last.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub sweep: usize,
    pub step: usize,
    pub last: bool,
}

/// The chains of a tile, in blocks. What comes out depends neither on where they are cut nor on threads.
pub(super) struct Host<'c, 'p> {
    blocks: Vec<Block<'c, 'p>>,
    /// What each block proposes.
    moves: Vec<Moves>,
    /// What all choose.
    choices: Vec<bool>,
}

/// Some chains that are next to each other in the tile.
struct Block<'c, 'p> {
    parts: Vec<Part<'c, 'p>>,
    /// Its share of the misfits of all moves.
    misfits: Range<usize>,
    choices: Vec<bool>,
    room: Room,
}

impl<'c, 'p> Host<'c, 'p> {
    /// Chains in the order of their walkers, whose moves are `followed` or not (see [`Moves::followed`]).
    pub fn new(parts: Vec<Part<'c, 'p>>, followed: bool) -> Self {
        let mut blocks: Vec<Block<'c, 'p>> = Vec::new();
        let mut walkers = BLOCK;
        for part in parts {
            if walkers >= BLOCK {
                blocks.push(Block { parts: Vec::new(), misfits: 0..0, choices: Vec::new(), room: Room::default() });
                walkers = 0;
            }
            walkers += part.chains.walkers();
            if let Some(block) = blocks.last_mut() {
                block.parts.push(part);
            }
        }
        let moves = blocks.iter().map(|_| Moves { followed, ..Moves::default() }).collect();
        Self { blocks, moves, choices: Vec::new() }
    }

    /// The chains.
    pub fn parts(&self) -> impl Iterator<Item = &Part<'c, 'p>> {
        self.blocks.iter().flat_map(|block| &block.parts)
    }

    /// The chains, to be changed.
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part<'c, 'p>> {
        self.blocks.iter_mut().flat_map(|block| &mut block.parts)
    }

    /// All chains decide the moves of one step, which `misfits` are of, exchange temperatures and record the sweep where it was the last, and propose
    /// those of another: one after the other in each block, which is then in a cache.
    pub fn turn(&mut self, decided: Option<Turn>, proposed: Option<Turn>, misfits: &[f64]) {
        self.blocks.par_iter_mut().zip(&mut self.moves).for_each(|(block, moves)| {
            if let Some(turn) = decided {
                block.decide(turn, misfits);
            }
            if let Some(turn) = proposed {
                block.propose(turn, moves);
            }
        });
        self.choices.clear();
        let mut at = 0;
        for block in &mut self.blocks {
            let length = block.misfits.len();
            block.misfits = at..at + length;
            at += length;
            self.choices.extend_from_slice(&block.choices);
        }
    }

    /// What was proposed last, list after list.
    pub fn moves(&self) -> &[Moves] {
        &self.moves
    }

    /// Whether anything was.
    pub fn proposes(&self) -> bool {
        self.moves.iter().any(|list| !list.is_empty())
    }

    /// What was decided last: one choice a move.
    pub fn choices(&self) -> &[bool] {
        &self.choices
    }

    /// Brings the records of all chains up to date.
    pub fn complete(&mut self) {
        self.blocks.par_iter_mut().flat_map_iter(|block| &mut block.parts).for_each(|part| part.chains.complete());
    }
}

impl Block<'_, '_> {
    fn propose(&mut self, Turn { sweep, step, .. }: Turn, moves: &mut Moves) {
        moves.clear();
        let mut misfits = 0;
        for part in self.parts.iter_mut().filter(|part| sweep < part.quota) {
            let before = moves.len();
            part.chains.propose(step, part.moves, part.refresh, part.offset, moves, &mut self.room);
            misfits += (moves.len() - before) * part.chains.problem.measurements.len();
        }
        self.misfits = 0..misfits;
    }

    fn decide(&mut self, Turn { sweep, step, last }: Turn, misfits: &[f64]) {
        let mut own = &misfits[self.misfits.clone()];
        self.choices.clear();
        for part in self.parts.iter_mut().filter(|part| sweep < part.quota) {
            part.chains.decide(step, &mut own, &mut self.choices);
            if last {
                part.chains.exchange(part.adapting);
            }
        }
    }
}
