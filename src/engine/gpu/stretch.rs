//! The moves of an attempt in stretches, each of which is packed and read by a task of its own.

use std::ops::{AddAssign, Range};

use super::layout::Move;
use super::totals::Known;
use crate::engine::Moves;

/// Most moves of a stretch: packing them takes many times as long as starting a task. Where stretches begin does not depend on threads.
pub const LENGTH: usize = 1024;

/// How much of an attempt goes to a block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    pub moves: usize,
    pub changed: usize,
    pub fresh: usize,
}

impl AddAssign for Sizes {
    fn add_assign(&mut self, more: Self) {
        self.moves += more.moves;
        self.changed += more.changed;
        self.fresh += more.fresh;
    }
}

/// What a stretch has for one block, as it goes to the device.
#[derive(Debug, Default)]
pub struct Upload {
    pub moves: Vec<Move>,
    pub changed: Vec<u32>,
    pub fresh: Vec<f32>,
    /// Number of each move among all of the attempt.
    pub origin: Vec<u32>,
    /// Place of each move's misfits among those of the stretch.
    pub place: Vec<u32>,
    /// Moves with a coefficient that is not finite.
    pub refused: Vec<u32>,
    /// Where totals are kept: what will be known of them if a move is kept.
    pub tried: Vec<Known>,
    /// What the stretches before it have for the block.
    pub before: Sizes,
}

impl Upload {
    fn clear(&mut self) {
        let Self { moves, changed, fresh, origin, place, refused, tried, before } = self;
        moves.clear();
        changed.clear();
        fresh.clear();
        origin.clear();
        place.clear();
        refused.clear();
        tried.clear();
        *before = Sizes::default();
    }

    /// How much it is.
    pub fn sizes(&self) -> Sizes {
        Sizes { moves: self.moves.len(), changed: self.changed.len(), fresh: self.fresh.len() }
    }
}

/// One stretch.
#[derive(Debug, Default)]
pub struct Stretch {
    /// What it has for each block.
    pub uploads: Vec<Upload>,
    /// Misfits of its moves.
    pub misfits: usize,
    /// Its moves in a list, which of the lists that is, and how many moves are in those before.
    own: Range<usize>,
    list: usize,
    before: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Stretches {
    /// Those of the largest attempt so far, whose memory stays.
    all: Vec<Stretch>,
    used: usize,
}

impl Stretches {
    /// Cuts lists of moves for so many blocks; `pack` adds one of them, by its place in its list and its number among all, to a stretch.
    pub fn fill(&mut self, lists: &[Moves], blocks: usize, pack: impl Fn(&Moves, usize, u32, &mut Stretch) + Sync) {
        self.used = 0;
        let mut before = 0;
        for (list, moves) in lists.iter().enumerate() {
            for first in (0..moves.len()).step_by(LENGTH) {
                if self.used == self.all.len() {
                    self.all.push(Stretch::default());
                }
                let stretch = &mut self.all[self.used];
                (stretch.own, stretch.list, stretch.before) = (first..moves.len().min(first + LENGTH), list, before);
                self.used += 1;
            }
            before += moves.len();
        }
        self.each(|stretch| {
            stretch.uploads.resize_with(blocks, Upload::default);
            stretch.uploads.iter_mut().for_each(Upload::clear);
            stretch.misfits = 0;
            for i in stretch.own.clone() {
                pack(&lists[stretch.list], i, (stretch.before + i) as u32, stretch);
            }
        });
    }

    /// Those of this attempt.
    pub fn used_mut(&mut self) -> &mut [Stretch] {
        &mut self.all[..self.used]
    }

    /// What goes to a block.
    pub fn of(&self, block: usize) -> impl Iterator<Item = &Upload> + Clone {
        self.all[..self.used].iter().map(move |stretch| &stretch.uploads[block])
    }

    /// Misfits of all moves.
    pub fn misfits(&self) -> usize {
        self.all[..self.used].iter().map(|stretch| stretch.misfits).sum()
    }

    /// Does something to each.
    pub fn each(&mut self, work: impl Fn(&mut Stretch) + Sync) {
        each(self.used_mut(), (), &|_, ()| ((), ()), &|stretch, ()| work(stretch));
    }

    /// Does something to each and to its own of all misfits.
    pub fn each_with_misfits(&mut self, misfits: &mut [f64], work: impl Fn(&mut Stretch, &mut [f64]) + Sync) {
        let cut = |some: &[Stretch], all| <[f64]>::split_at_mut(all, some.iter().map(|stretch| stretch.misfits).sum());
        each(self.used_mut(), misfits, &cut, &|stretch, own| work(stretch, own));
    }
}

/// Does something to each stretch and its share of `all`, which `cut` cuts behind some first stretches: on all threads, without memory of its own.
fn each<T: Send>(
    stretches: &mut [Stretch],
    all: T,
    cut: &(impl Fn(&[Stretch], T) -> (T, T) + Sync),
    work: &(impl Fn(&mut Stretch, T) + Sync),
) {
    match stretches {
        [] => (),
        [one] => work(one, all),
        _ => {
            let (some, others) = stretches.split_at_mut(stretches.len() / 2);
            let (left, right) = cut(some, all);
            rayon::join(|| each(some, left, cut, work), || each(others, right, cut, work));
        }
    }
}
