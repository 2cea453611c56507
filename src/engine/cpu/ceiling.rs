//! The rates of this machine's cores: exponentials on lanes in the level 1 cache, and copies of what no cache holds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use fearless_simd::{Level, Simd, SimdBase, f32x16};

use super::pair::Pair;
use crate::engine::ceiling::Ceilings;
use crate::models::Number;
use crate::models::level::{self, OnLevel};

/// Numbers of a loop of exponentials: they stay in the level 1 cache.
const NUMBERS: usize = 2048;
/// Bytes of a copy: more than any cache has for one core.
const BYTES: usize = 64 << 20;
/// How long each rate is measured for; the best of many short stretches counts, because other programs only ever slow it down.
const LONG_ENOUGH: Duration = Duration::from_millis(200);

/// The rates of all threads of the present pool together.
pub fn measure(level: Level) -> Ceilings {
    Ceilings { exponentials: all(|| 1e9 / exponential(level)), copied: all(copied) }
}

/// Nanoseconds that an exponential takes on one core.
pub fn exponential(level: Level) -> f64 {
    let x: Vec<f32> = (0..NUMBERS).map(|i| -(i as f32) / 100.0).collect();
    let mut y = vec![0.0; NUMBERS];
    let mut once = || level::on(level, Exponentials { x: black_box(&x), y: black_box(&mut y) });
    let calls = 32;
    let best = best(|| (0..calls).for_each(|_| once()));
    best.as_secs_f64() * 1e9 / (f64::from(calls) * NUMBERS as f64)
}

fn copied() -> f64 {
    let (from, mut to) = (vec![1u8; BYTES], vec![0u8; BYTES]);
    let best = best(|| black_box(&mut to).copy_from_slice(black_box(&from)));
    2.0 * BYTES as f64 / best.as_secs_f64()
}

/// The sum of a rate over threads that measure it at the same time.
fn all(rate: impl Fn() -> f64 + Sync) -> f64 {
    rayon::broadcast(|_| rate()).into_iter().sum()
}

/// The shortest time of a call.
fn best(mut call: impl FnMut()) -> Duration {
    let began = Instant::now();
    let mut best = Duration::MAX;
    while began.elapsed() < LONG_ENOUGH {
        let start = Instant::now();
        call();
        best = best.min(start.elapsed());
    }
    best
}

struct Exponentials<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
}

impl OnLevel for Exponentials<'_> {
    type Output = ();

    fn on<S: Simd>(self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || {
                // Four vectors abreast, as terms are evaluated: one after the other they wait for each other, and that is no ceiling.
                for (x, y) in self.x.chunks_exact(64).zip(self.y.chunks_exact_mut(64)) {
                    let first = Pair(f32x16::from_slice(simd, &x[..16]), f32x16::from_slice(simd, &x[16..32]));
                    let second = Pair(f32x16::from_slice(simd, &x[32..48]), f32x16::from_slice(simd, &x[48..]));
                    let Pair(Pair(a, b), Pair(c, d)) = Number::exp(Pair(first, second));
                    a.store_slice(&mut y[..16]);
                    b.store_slice(&mut y[16..32]);
                    c.store_slice(&mut y[32..48]);
                    d.store_slice(&mut y[48..]);
                }
            },
        );
    }
}
