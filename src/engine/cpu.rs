//! The SIMD engine: one ladder a tile, carried by one thread, with the same bits on every instruction set.
//!
//! Every walker keeps the curve of each of its terms. A visit to one term sums the other terms once (`rest`) and then costs one
//! evaluation of that term an attempt, within its support; a chosen move is kept by exchanging two slots. Nothing is ever subtracted from
//! a kept total, so misfits depend on the coefficients alone (to the order of one f32 sum), and there is no drift to correct.
//! From scratch, the total of a few blocks is formed at a time and nothing else is written: curves are, when the first move asks for them.
//! A walker takes (2 × terms + 1) × points numbers, of which (terms + 2) × points are touched while moves change one term.

mod arithmetic;
pub mod ceiling;
mod grid;
mod kernel;
mod pair;
pub mod span;
mod tile;
mod walker;

use fearless_simd::{Level, Simd};

use self::arithmetic::{Double, Lanes};
use super::ceiling::Ceilings;
use super::{Engine, Numbers, Roster, Tile, Tiling};
use crate::error::Result;

pub use self::span::STEP;
use crate::models::level::{self, OnLevel};
pub use crate::models::level::{ENVIRONMENT, available};

/// In what terms are evaluated; sums over points are f64 in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// f32 lanes.
    F32,
    /// f64 throughout, one point at a time.
    F64,
}

/// The cpu engine.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    precision: Precision,
    level: Level,
}

impl Cpu {
    /// The best instruction set of this machine, or the one that the environment variable [`ENVIRONMENT`] names.
    ///
    /// # Errors
    /// Where the variable names an instruction set that this machine does not have.
    pub fn new(precision: Precision) -> Result<Self> {
        Ok(Self { precision, level: level::chosen()? })
    }

    /// The instruction set of that name, one of [`available`].
    ///
    /// # Errors
    /// Where this machine does not have it.
    pub fn with_level(precision: Precision, name: &str) -> Result<Self> {
        Ok(Self { precision, level: level::named(name)? })
    }
}

impl Engine for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn describe(&self) -> String {
        let level = level::name(self.level);
        match self.precision {
            Precision::F32 => format!("{level}, f32 terms, f64 sums"),
            Precision::F64 => format!("{level}, f64"),
        }
    }

    fn numbers(&self) -> Numbers {
        match self.precision {
            Precision::F32 => Numbers::F32,
            Precision::F64 => Numbers::F64,
        }
    }

    fn tiling(&self) -> Tiling {
        Tiling::Ladder
    }

    fn ceilings(&self) -> Result<Option<Ceilings>> {
        Ok(Some(ceiling::measure(self.level)))
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        level::on(self.level, MakeTile { precision: self.precision, roster })
    }
}

/// Makes a tile that is compiled for one instruction set.
struct MakeTile<'p> {
    precision: Precision,
    roster: Roster<'p>,
}

impl<'p> OnLevel for MakeTile<'p> {
    type Output = Result<Box<dyn Tile + 'p>>;

    fn on<S: Simd>(self, simd: S) -> Self::Output {
        Ok(match self.precision {
            Precision::F32 => Box::new(tile::CpuTile::new(Lanes(simd), &self.roster)?),
            Precision::F64 => Box::new(tile::CpuTile::new(Double(simd), &self.roster)?),
        })
    }
}
