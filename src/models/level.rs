//! The instruction sets a machine has, by name.
//!
//! No model: it has no shader twin, for a device has instructions of its own.

use fearless_simd::{Level, Simd};

use crate::error::{Error, Result};

/// Environment variable that forces an instruction set.
pub const ENVIRONMENT: &str = "KEISOKU_SIMD";

/// Something to do that is compiled once for each instruction set.
pub trait OnLevel {
    /// What it returns.
    type Output;
    /// Called with the instruction set.
    fn on<S: Simd>(self, simd: S) -> Self::Output;
}

/// Names of the instruction sets of this machine, best first.
pub fn available() -> Vec<&'static str> {
    levels().into_iter().map(name).collect()
}

/// Name of an instruction set.
pub fn name(level: Level) -> &'static str {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(_) => "avx512",
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(_) => "avx2",
        #[cfg(target_arch = "x86_64")]
        _ => "sse2",
        #[cfg(target_arch = "aarch64")]
        _ => "neon",
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        _ => "fallback",
    }
}

/// The instruction set of that name; `fallback` is the least of this machine.
///
/// # Errors
/// Where this machine does not have it.
pub fn named(wanted: &str) -> Result<Level> {
    let levels = levels();
    let found = match wanted {
        "fallback" => levels.last(),
        _ => levels.iter().find(|l| name(**l) == wanted),
    };
    found.copied().ok_or_else(|| {
        Error::fatal(format!("this machine has no instruction set `{wanted}`"))
            .hint(format!("it has {}, and `fallback` stands for the last; leave {ENVIRONMENT} unset for the first", available().join(", ")))
    })
}

/// The instruction set that the environment names, otherwise the best.
///
/// # Errors
/// Where the environment names one that this machine does not have.
pub fn chosen() -> Result<Level> {
    match std::env::var(ENVIRONMENT) {
        Ok(wanted) if !wanted.is_empty() => named(&wanted),
        _ => Ok(Level::new()),
    }
}

/// Runs the task compiled for the level.
#[cfg(target_arch = "x86_64")]
pub fn on<T: OnLevel>(level: Level, task: T) -> T::Output {
    // SSE4.2 has nothing over SSE2 that matters here, and each level is a copy of every loop in the binary.
    if let Some(simd) = level.as_avx512() {
        task.on(simd)
    } else if let Some(simd) = level.as_avx2() {
        task.on(simd)
    } else {
        let Some(simd) = level.as_sse2() else { unreachable!("every x86-64 has SSE2") };
        task.on(simd)
    }
}

/// Runs the task compiled for the level.
#[cfg(not(target_arch = "x86_64"))]
pub fn on<T: OnLevel>(level: Level, task: T) -> T::Output {
    fearless_simd::dispatch!(level, simd => task.on(simd))
}

/// The levels of this machine, best first.
fn levels() -> Vec<Level> {
    let best = Level::new();
    #[cfg(target_arch = "x86_64")]
    let all = [best.as_avx512().map(Level::Avx512), best.as_avx2().map(Level::Avx2), best.as_sse2().map(Level::Sse2)];
    #[cfg(not(target_arch = "x86_64"))]
    let all = [Some(best)];
    all.into_iter().flatten().collect()
}
