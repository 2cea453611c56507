//! Which engine a run gets.

use super::Engine;
use super::cpu::{Cpu, Precision};
use super::gpu::{Gpu, Selection, adapters};
use super::oracle::Oracle;
use crate::error::{Error, Result};

/// The engine of that name: `cpu`, `gpu`, `oracle`, or `auto`. `f64` asks for double precision; `gpu` chooses the adapter.
///
/// `auto` is the cpu: a GPU is used where it is asked for. A software adapter is taken only where the gpu engine is asked for by name and
/// there is no real one.
///
/// # Errors
/// Where there is no such engine, or it cannot do what is asked.
pub fn choose(name: &str, f64: bool, gpu: &Selection) -> Result<Box<dyn Engine>> {
    match name {
        "auto" | "cpu" => Ok(Box::new(Cpu::new(if f64 { Precision::F64 } else { Precision::F32 })?)),
        "oracle" => Ok(Box::new(Oracle)),
        "gpu" if f64 => Err(Error::fatal("the gpu engine computes in single precision").hint("use --engine cpu with --precision f64")),
        "gpu" => Ok(Box::new(Gpu::new(&adapter(gpu))?)),
        _ => Err(Error::fatal(format!("there is no engine {name}")).hint("use --engine cpu, gpu or oracle")),
    }
}

/// The best real GPU, or else the first software adapter, where none was named.
fn adapter(asked: &Selection) -> Selection {
    if *asked != Selection::Best || adapters().iter().any(|a| !a.is_software()) {
        return asked.clone();
    }
    adapters().iter().position(crate::engine::gpu::AdapterInfo::is_software).map_or(Selection::Best, Selection::Index)
}
