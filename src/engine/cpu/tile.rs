//! The walkers of a tile and the grids they share.

use super::arithmetic::Arithmetic;
use super::grid::Grid;
use super::walker::Walker;
use crate::engine::{Moves, Roster, Tile};
use crate::error::Result;

/// A tile in one kind of number on one instruction set.
pub struct CpuTile<'p, A: Arithmetic> {
    arithmetic: A,
    /// One a problem: ladders of the same problem share it.
    grids: Vec<Grid<'p, A::Element>>,
    /// Grid of each walker.
    grid_of: Vec<usize>,
    walkers: Vec<Walker<A::Element>>,
    /// Walkers of the last attempt.
    tried: Vec<u32>,
    /// Whether a walker may have several moves in one attempt, and then the last attempt's.
    rivals: bool,
    moves: Vec<Moves>,
}

impl<'p, A: Arithmetic> CpuTile<'p, A> {
    /// A tile of walkers that are not loaded yet.
    pub fn new(arithmetic: A, roster: &Roster<'p>) -> Result<Self> {
        let mut tile = Self {
            arithmetic,
            grids: Vec::new(),
            grid_of: Vec::new(),
            walkers: Vec::new(),
            tried: Vec::new(),
            rivals: roster.rivals > 0,
            moves: Vec::new(),
        };
        for (l, &problem) in roster.problems.iter().enumerate() {
            let known = roster.problems[..l].iter().position(|p| std::ptr::eq(*p, problem));
            let grid = match known {
                Some(ladder) => tile.grid_of[roster.first[ladder]],
                None => {
                    tile.grids.push(Grid::new::<A>(problem)?);
                    tile.grids.len() - 1
                }
            };
            for _ in roster.first[l]..roster.first[l + 1] {
                tile.grid_of.push(grid);
                tile.walkers.push(Walker::new(&tile.grids[grid]));
            }
        }
        Ok(tile)
    }
}

impl<A: Arithmetic> CpuTile<'_, A> {
    fn attempt_one(&mut self, moves: &Moves, i: usize) -> &mut Walker<A::Element> {
        let w = moves.walker[i] as usize;
        let (walker, grid) = (&mut self.walkers[w], &self.grids[self.grid_of[w]]);
        let (terms, coefficients) = moves.of(i);
        walker.attempt(self.arithmetic, grid, terms, coefficients);
        walker
    }
}

impl<A: Arithmetic> Tile for CpuTile<'_, A> {
    fn load(&mut self, walkers: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        misfits.clear();
        self.tried.clear();
        let mut at = 0;
        for &w in walkers {
            let (walker, grid) = (&mut self.walkers[w as usize], &self.grids[self.grid_of[w as usize]]);
            let n: usize = grid.terms.iter().map(|t| t.extent.len()).sum();
            walker.load(self.arithmetic, grid, &coefficients[at..at + n]);
            misfits.extend_from_slice(walker.misfits());
            at += n;
        }
        Ok(())
    }

    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        misfits.clear();
        self.tried.clear();
        for list in moves {
            self.tried.extend_from_slice(&list.walker);
            for i in 0..list.len() {
                misfits.extend_from_slice(self.attempt_one(list, i).tried());
            }
        }
        if self.rivals {
            self.moves.resize_with(moves.len(), Moves::default);
            self.moves.clone_from_slice(moves);
        }
        Ok(())
    }

    fn settle(&mut self, choices: &[bool]) -> Result<()> {
        if self.rivals {
            // A walker knows the last of its moves only: one that is kept is made again.
            let moves = std::mem::take(&mut self.moves);
            let all = moves.iter().flat_map(|list| (0..list.len()).map(move |i| (list, i)));
            let kept = all.zip(choices).filter(|(_, keep)| **keep);
            kept.for_each(|((list, i), _)| self.attempt_one(list, i).keep());
            self.moves = moves;
        } else {
            for (&w, &keep) in self.tried.iter().zip(choices) {
                let walker = &mut self.walkers[w as usize];
                if keep {
                    walker.keep();
                } else {
                    walker.drop_move();
                }
            }
        }
        self.tried.clear();
        Ok(())
    }
}
