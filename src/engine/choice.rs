//! Which engine a run gets.

use super::Engine;
use super::cpu::{Cpu, Precision};
use super::oracle::Oracle;
use crate::error::{Error, Result};

/// The engine of that name: `cpu`, `oracle`, or `auto`, which is the cpu. `f64` asks for double precision.
///
/// # Errors
/// Where there is no such engine, or it cannot do what is asked.
pub fn choose(name: &str, f64: bool) -> Result<Box<dyn Engine>> {
    match name {
        "auto" | "cpu" => Ok(Box::new(Cpu::new(if f64 { Precision::F64 } else { Precision::F32 })?)),
        "oracle" => Ok(Box::new(Oracle)),
        _ => Err(Error::fatal(format!("there is no engine {name}")).hint("use --engine cpu")),
    }
}
