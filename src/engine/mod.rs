//! Misfits of many walkers at once. Three engines behind one trait: the oracle (f64, obvious), the cpu (SIMD), the gpu (WGSL).

pub mod budget;
pub mod ceiling;
pub mod choice;
pub mod cpu;
pub mod gpu;
pub mod oracle;
pub mod probe;
pub mod timeline;

use self::ceiling::Ceilings;
use self::timeline::Timeline;
use crate::error::Result;
use crate::problem::{Measurement, Noise, Problem};
use crate::random::Stream;

/// What an engine returns instead of infinity or NaN: the move is inadmissible. Shaders may not compute either.
pub const SENTINEL: f64 = 3e38;

/// The smallest expectation a Poisson engine divides by or takes the logarithm of, in units of y/scale: the same in all engines.
pub const POISSON_FLOOR: f64 = 1e-12;

/// Magnitude below which an engine leaves a term out, in units of y/scale.
///
/// A deviance goes with the logarithm of the expectation: where counts meet no background, even a far tail is worth many nats. Below a thousandth of
/// the expectation's floor nothing can be seen.
pub fn floor(data: &Measurement) -> f64 {
    if data.noise == Noise::Poisson { data.floor.min(1e-3 * POISSON_FLOOR) } else { data.floor }
}

/// The walkers of some ladders, stored as arrays across walkers; exchange never leaves a tile.
///
/// Walker w of a tile belongs to ladder `ladder[w]`; all walkers of a ladder share one problem.
#[derive(Clone, Debug, Default)]
pub struct Roster<'p> {
    /// The problem of each ladder.
    pub problems: Vec<&'p Problem>,
    /// First walker of each ladder, and one past the last: ladder l holds walkers `first[l] .. first[l + 1]`.
    pub first: Vec<usize>,
    /// Moves that a walker may have in one attempt, beyond one.
    pub rivals: usize,
}

impl<'p> Roster<'p> {
    /// Walkers in the tile.
    pub fn walkers(&self) -> usize {
        self.first.last().copied().unwrap_or(0)
    }

    /// Adds a ladder of `rungs` walkers.
    pub fn push(&mut self, problem: &'p Problem, rungs: usize) {
        if self.first.is_empty() {
            self.first.push(0);
        }
        self.first.push(self.walkers() + rungs);
        self.problems.push(problem);
    }
}

/// Moves of some walkers of a tile, as arrays.
///
/// Move i belongs to walker `walker[i]` and changes the terms `term[term_start[i] .. term_start[i + 1]]` (indices into the
/// problem's terms, ascending); their new coefficients stand one after the other in `coefficients` from `coefficient_start[i]`.
/// A move that changes no term (a noise parameter) is not handed to an engine. Several moves of one walker stand
/// together: they are rivals, of which at most one is kept, and a roster says how many there may be.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// Walker of each move.
    pub walker: Vec<u32>,
    /// Start of each move's terms, and the end of the last: one longer than `walker`.
    pub term_start: Vec<u32>,
    /// Terms changed.
    pub term: Vec<u32>,
    /// Start of each move's coefficients, and the end of the last: one longer than `walker`.
    pub coefficient_start: Vec<u32>,
    /// New coefficients of the changed terms, `extent.len()` each, in units of t and y/scale.
    pub coefficients: Vec<f64>,
    /// Whether a comparison wants to know, of the moves that a sampler makes, what follows; engines do without.
    pub followed: bool,
    /// Inverse temperature of each move's walker.
    pub beta: Vec<f64>,
    /// ln of the ratio of priors and proposals of each move.
    pub ln_ratio: Vec<f64>,
    /// The stream whose next draw decides each move.
    pub stream: Vec<Stream>,
}

impl Moves {
    /// Empties the arrays and keeps their memory.
    pub fn clear(&mut self) {
        self.walker.clear();
        self.term.clear();
        self.coefficients.clear();
        self.beta.clear();
        self.ln_ratio.clear();
        self.stream.clear();
        self.term_start.clear();
        self.term_start.push(0);
        self.coefficient_start.clear();
        self.coefficient_start.push(0);
    }

    /// Number of moves.
    pub fn len(&self) -> usize {
        self.walker.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.walker.is_empty()
    }

    /// Terms that a move changes, and their new coefficients.
    #[inline]
    pub fn of(&self, i: usize) -> (&[u32], &[f64]) {
        (
            &self.term[self.term_start[i] as usize..self.term_start[i + 1] as usize],
            &self.coefficients[self.coefficient_start[i] as usize..self.coefficient_start[i + 1] as usize],
        )
    }
}

/// Number of moves in some lists.
pub fn count(lists: &[Moves]) -> usize {
    lists.iter().map(Moves::len).sum()
}

/// How an engine wants the population cut into tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiling {
    /// One ladder a tile: one task carries it through a whole round without leaving its core.
    Ladder,
    /// Two tiles, each half of those walkers that take turns together: one is evaluated while the host decides for the other.
    Halves,
}

/// In what an engine computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// f64 throughout.
    F64,
    /// f32 terms on this machine's own instruction set, added in f64.
    F32,
    /// f32 terms, added in f32, by a device and a compiler of which the least is known: it is probed in every run.
    Device,
}

impl Numbers {
    /// As results say it.
    pub fn precision(self) -> &'static str {
        if self == Self::F64 { "f64" } else { "f32" }
    }
}

/// An engine: makes tiles.
pub trait Engine: Send + Sync {
    /// `oracle`, `cpu` or `gpu`.
    fn name(&self) -> &'static str;

    /// Words for people: instruction set, adapter and driver, precision.
    fn describe(&self) -> String;

    /// In what it computes: how wrong its energies can be follows from it (see [`budget`]).
    fn numbers(&self) -> Numbers;

    /// How the population should be cut.
    fn tiling(&self) -> Tiling;

    /// Measures what the engine's machine can do at best, which takes a second; none where nobody asks for speed.
    ///
    /// # Errors
    /// Where the device fails.
    fn ceilings(&self) -> Result<Option<Ceilings>> {
        Ok(None)
    }

    /// Where time went so far, and what passed between host and device; none where they are one.
    fn timeline(&self) -> Option<Timeline> {
        None
    }

    /// Prepares data for the tile's problems. No walker is loaded yet.
    ///
    /// # Errors
    /// Where the device refuses (memory, limits, lost).
    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>>;
}

/// One tile on an engine. Misfits are `measurements()` numbers a walker or move: Σ((y−f)/σ)² with the problem's base σ, or the
/// Poisson deviance 2 Σ [y ln(y/f) − (y − f)] — free of noise parameters.
pub trait Tile: Send {
    /// Forgets everything and evaluates the listed walkers from scratch. `coefficients` holds all terms of each listed walker, one
    /// walker after the other (`problem.coefficients()` numbers each). `misfits` gets, walker after walker, one number a measurement.
    ///
    /// # Errors
    /// Where the device fails.
    fn load(&mut self, walkers: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()>;

    /// The misfits the walkers would have; nothing changes yet. Moves come in lists, which follow each other: a sampler makes many at once. `misfits` gets,
    /// move after move, one number a measurement.
    ///
    /// # Errors
    /// Where the device fails.
    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()>;

    /// Starts what `collect` finishes: an engine that works beside the host begins here; others do nothing yet.
    ///
    /// # Errors
    /// Where the device fails.
    fn submit(&mut self, _moves: &[Moves]) -> Result<()> {
        Ok(())
    }

    /// Waits for the misfits of the moves last submitted (the same ones).
    ///
    /// # Errors
    /// Where the device fails.
    fn collect(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        self.attempt(moves, misfits)
    }

    /// Keeps the moves of the last `attempt` whose choice is true (one choice a move).
    ///
    /// # Errors
    /// Where the device fails.
    fn settle(&mut self, choices: &[bool]) -> Result<()>;

    /// Whether it compares engines and decides moves itself: see [`Moves::followed`].
    fn follows(&self) -> bool {
        false
    }

    /// Largest difference between a measurement's misfit by kept totals and by all terms anew, of every walker as it stands; `drifts` is left
    /// empty where no totals are kept.
    ///
    /// # Errors
    /// Where the device fails.
    fn drift(&mut self, drifts: &mut Vec<f64>) -> Result<()> {
        drifts.clear();
        Ok(())
    }
}
