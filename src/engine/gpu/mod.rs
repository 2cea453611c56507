//! The gpu engine: the misfits of a whole tile in one submission, by WGSL compute shaders, on any adapter wgpu knows.

pub mod accuracy;
mod block;
mod ceiling;
mod clock;
mod device;
pub mod layout;
mod mapping;
mod packing;
pub mod path;
mod plan;
pub mod program;
mod stretch;
#[cfg(test)]
mod stretch_tests;
#[cfg(test)]
mod support_tests;
#[cfg(test)]
mod tests;
mod tile;
mod totals;
#[cfg(test)]
mod totals_tests;

pub use device::{AdapterInfo, Selection, adapters};

use std::sync::{Mutex, MutexGuard, PoisonError};

use self::device::Device;
use self::path::Path;
use self::plan::Bounds;
use self::program::Programs;
use self::tile::GpuTile;
use super::ceiling::Ceilings;
use super::timeline::{Timeline, Watch};
use super::{Engine, Numbers, Roster, Tile, Tiling};
use crate::error::Result;

/// A GPU.
#[derive(Debug)]
pub struct Gpu {
    device: Device,
    programs: Programs,
    bounds: Bounds,
    /// The path that every problem takes; none: each its own.
    forced: Option<Path>,
    watch: Mutex<Watch>,
}

impl Gpu {
    /// Opens an adapter and compiles what every problem needs.
    ///
    /// # Errors
    /// Where there is no such adapter, or it refuses a device or a kernel.
    pub fn new(selection: &Selection) -> Result<Self> {
        let device = Device::open(selection)?;
        let programs = Programs::new(&device)?;
        Ok(Self { device, programs, bounds: Bounds::standard(), forced: None, watch: Mutex::default() })
    }

    /// Takes one path with every problem, whatever it costs; totals that no buffer holds are not kept, though.
    #[must_use]
    pub fn on(self, path: Path) -> Self {
        Self { forced: Some(path), ..self }
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The adapter in use.
    pub fn adapter(&self) -> &AdapterInfo {
        &self.device.info
    }
}

impl Engine for Gpu {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn describe(&self) -> String {
        format!("{}, f32", self.device.info)
    }

    fn numbers(&self) -> Numbers {
        Numbers::Device
    }

    fn tiling(&self) -> Tiling {
        Tiling::Halves
    }

    fn ceilings(&self) -> Result<Option<Ceilings>> {
        self.measure().map(Some)
    }

    fn timeline(&self) -> Option<Timeline> {
        Some(self.watch().timeline())
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        Ok(Box::new(GpuTile::new(self, &roster)?))
    }
}
