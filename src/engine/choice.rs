//! Which engine a run gets.

use super::Engine;
use super::cpu::{Cpu, Precision};
use super::gpu::{Gpu, Selection};
use super::oracle::Oracle;
use crate::error::{Error, Result};

/// Walkers from which a GPU is taken by `auto`: with fewer, its submissions and transfers cost more than they save.
const ENOUGH: usize = 20_000;

/// The engine of that name: `cpu`, `gpu`, `oracle`, or `auto`, which takes a real GPU where there is one and `walkers` in flight are enough to
/// pay for it, otherwise the cpu; never a software adapter, and no GPU where `f64` asks for double precision, which the cpu has.
///
/// # Errors
/// Where there is no such engine, or it cannot do what is asked.
pub fn choose(name: &str, f64: bool, adapter: &Selection, walkers: usize) -> Result<Box<dyn Engine>> {
    match name {
        "auto" if walkers >= ENOUGH && !f64 => Gpu::new(&Selection::Best).map_or_else(|_| cpu(f64), |gpu| Ok(Box::new(gpu))),
        "auto" => cpu(f64),
        "cpu" => cpu(f64),
        "gpu" if f64 => {
            Err(Error::fatal("a GPU works in single precision").hint("use --engine cpu --precision f64, or leave the precision out"))
        }
        "gpu" => Ok(Box::new(Gpu::new(adapter)?)),
        "oracle" => Ok(Box::new(Oracle)),
        _ => Err(Error::fatal(format!("there is no engine `{name}`")).hint("engines are auto, cpu, gpu and oracle")),
    }
}

fn cpu(f64: bool) -> Result<Box<dyn Engine>> {
    Ok(Box::new(Cpu::new(if f64 { Precision::F64 } else { Precision::F32 })?))
}
