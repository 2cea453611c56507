//! Every function against f64 over its whole range, on every level of this machine, with the same bits on all of them.

use fearless_simd::{Level, Simd, SimdBase, dispatch, f32x16};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::{Number, half_deviance};
use crate::models::polynomials::BELL_END;

/// A function of two arguments (the second ignored by most) on lanes and in f64.
struct Case {
    name: &'static str,
    f32: fn(Level, &[f32], &[f32]) -> Vec<f32>,
    f64: fn(f64, f64) -> f64,
    /// Largest error in ulp of the result.
    ulp: f64,
    /// Errors below this do not count.
    absolute: f64,
}

macro_rules! case {
    ($name:ident, |$x:ident, $p:ident| $lanes:expr, $exact:expr, $ulp:expr) => {
        Case {
            name: stringify!($name),
            f32: |level, xs, ps| {
                #[inline(always)]
                fn run<S: Simd>(simd: S, xs: &[f32], ps: &[f32]) -> Vec<f32> {
                    let mut out = vec![0.0; xs.len()];
                    for ((x, p), y) in xs.chunks_exact(16).zip(ps.chunks_exact(16)).zip(out.chunks_exact_mut(16)) {
                        let ($x, $p) = (f32x16::from_slice(simd, x), f32x16::from_slice(simd, p));
                        let _ = $p;
                        $lanes.store_slice(y);
                    }
                    out
                }
                dispatch!(level, simd => run(simd, xs, ps))
            },
            f64: $exact,
            ulp: $ulp,
            absolute: 0.0,
        }
    };
}

/// The levels this machine has, best first.
fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut all = vec![best];
    #[cfg(target_arch = "x86_64")]
    all.extend(best.as_avx2().map(Level::Avx2).into_iter().chain(best.as_sse2().map(Level::Sse2)));
    all
}

fn ulp(reference: f64) -> f64 {
    let exponent = reference.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor();
    (exponent - 23.0).exp2()
}

/// Values of every binary exponent between the ends, a dense linear sweep and random values, a multiple of 16 in all.
fn sweep(low: f32, high: f32, seed: u64) -> Vec<f32> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut xs: Vec<f32> = (0..=200_000).map(|i| low + (high - low) * (i as f32 / 200_000.0)).collect();
    xs.extend((0..100_000).map(|_| rng.random_range(low..=high)));
    let step = 40_009; // odd: every low bit pattern occurs
    xs.extend((0..u32::MAX).step_by(step).map(f32::from_bits).filter(|x| *x >= low && *x <= high));
    xs.extend([low, high]);
    xs.resize(xs.len().next_multiple_of(16), high);
    xs
}

fn worst(case: &Case, xs: &[f32], ps: &[f32]) -> f64 {
    let mut first: Option<Vec<f32>> = None;
    let mut worst = (0.0, f32::NAN, f32::NAN, f32::NAN);
    for level in levels() {
        let ys = (case.f32)(level, xs, ps);
        if let Some(first) = &first {
            for ((a, b), x) in first.iter().zip(&ys).zip(xs) {
                assert!(a.to_bits() == b.to_bits(), "{} at {x}: {a} against {b} on {level:?}", case.name);
            }
            continue;
        }
        for ((&x, &p), &y) in xs.iter().zip(ps).zip(&ys) {
            let reference = (case.f64)(f64::from(x), f64::from(p));
            let error = (f64::from(y) - reference).abs();
            if error.is_nan() || (error > case.absolute && error / ulp(reference) > worst.0) {
                worst = (error / ulp(reference), x, p, y);
            }
        }
        first = Some(ys);
    }
    assert!(!worst.0.is_nan(), "{} is NaN at {}", case.name, worst.1);
    println!("{:>14} {:.3} ulp at ({:?}, {:?}) -> {:?}", case.name, worst.0, worst.1, worst.2, worst.3);
    worst.0
}

fn hold(case: &Case, xs: &[f32], ps: &[f32]) {
    let found = worst(case, xs, ps);
    assert!(found <= case.ulp, "{}: {found} ulp", case.name);
    assert!(found > 0.3, "{}: {found} ulp is better than rounding allows: the comparison is empty", case.name);
}

fn alone(case: &Case, low: f32, high: f32, seed: u64) {
    let xs = sweep(low, high, seed);
    hold(case, &xs, &xs.clone());
}

#[test]
fn exp_is_within_one_ulp_everywhere() {
    let exact = |x: f64, _| if x < -87.336_54 { 0.0 } else { x.min(88.722_831_726_074_22).exp() };
    let case = case!(exp, |x, _p| Number::exp(x), exact, 1.0);
    alone(&case, -1e9, 1e9, 1);
    alone(&case, -88.0, 89.0, 2);
    alone(&case, -1.0, 1.0, 3);
}

#[test]
fn bells_are_within_one_ulp_of_their_squares_everywhere() {
    // Of the square as rounded: its rounding alone makes up to 35 ulp far out.
    let exact = |x: f64, _| (-f64::from((x * x) as f32).min(f64::from(BELL_END * BELL_END))).exp2();
    let case = case!(bell, |x, _p| Number::bell(x), exact, 1.0);
    alone(&case, -1e30, 1e30, 17);
    alone(&case, -12.0, 12.0, 18);
    alone(&case, -1.0, 1.0, 19);
}

#[test]
fn logarithms_are_within_their_bounds() {
    let case = case!(ln, |x, _p| Number::ln(x), |x: f64, _| x.ln(), 1.0);
    alone(&case, f32::MIN_POSITIVE, f32::MAX, 4);
    alone(&case, 0.5, 2.0, 5);
    let case = case!(ln_1p, |x, _p| Number::ln_1p(x), |x: f64, _| x.ln_1p(), 1.5);
    alone(&case, -0.999_999_94, 1e37, 6);
    alone(&case, -0.999_999_94, 2.0, 7);
}

#[test]
fn sine_and_cosine_are_within_their_bounds() {
    let sin = case!(sin, |x, _p| Number::sin(x), |x: f64, _| x.sin(), 2.5);
    let cos = case!(cos, |x, _p| Number::cos(x), |x: f64, _| x.cos(), 2.5);
    // Close to the zeros as well: the floats nearest to multiples of π/2.
    let mut near: Vec<f32> = (-6366..=6366).map(|n| (f64::from(n) * std::f64::consts::FRAC_PI_2) as f32).collect();
    near.resize(near.len().next_multiple_of(16), 1.0);
    for case in [sin, cos] {
        alone(&case, -1e4, 1e4, 8);
        alone(&case, -4.0, 4.0, 9);
        hold(&case, &near, &near);
    }
}

#[test]
fn arc_tangent_and_error_function_are_within_their_bounds() {
    let case = case!(atan, |x, _p| Number::atan(x), |x: f64, _| x.atan(), 1.5);
    alone(&case, -1e30, 1e30, 10);
    alone(&case, -5.0, 5.0, 11);
    let case = case!(erf, |x, _p| Number::erf(x), |x: f64, _| libm::erf(x), 1.5);
    alone(&case, -1e30, 1e30, 12);
    alone(&case, -5.0, 5.0, 13);
}

#[test]
fn powers_are_within_their_bounds() {
    let case = |ulp| case!(powf, |x, p| Number::powf(x, p), |x: f64, p: f64| x.powf(p), ulp);
    for (reach, bound) in [(5.0, 3.0), (87.0, 11.0)] {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(14);
        let (mut xs, mut ps) = (Vec::new(), Vec::new());
        for _ in 0..400_000 {
            let ln_x: f64 = rng.random_range(-80.0..80.0) * rng.random::<f64>().powi(3);
            let x = ln_x.exp() as f32;
            let most = (reach / f64::from(x).ln().abs()).min(1e6);
            xs.push(x);
            ps.push(rng.random_range(-most..most) as f32);
        }
        hold(&case(bound), &xs, &ps);
    }
}

#[test]
fn deviance_does_not_cancel() {
    let exact = |y: f64, f: f64| {
        if y == 0.0 {
            return f;
        }
        let r = (f - y) / y;
        // f64 cancels too: near f = y, where the series is exact to 1e-12, and for small f, where 1 + r loses f.
        let h = if r.abs() < 1e-3 { r * r * (0.5 - r * (1.0 / 3.0 - r * (0.25 - r * 0.2))) } else { r - (f / y).ln() };
        y * h
    };
    let case = |ulp| Case { absolute: 1e-30, ..case!(half_deviance, |y, f| half_deviance(y, f), exact, ulp) };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(15);
    let (mut ys, mut fs, mut near) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..400_000 {
        let y: f64 = if i % 10 == 0 { 0.0 } else { (rng.random_range(-3.0..7.0_f64)).exp2().powi(3) };
        let f = match i % 3 {
            0 => y * (1.0 + rng.random_range(-1.0..1.0_f64) * rng.random::<f64>().powi(6)),
            1 => y * rng.random_range(-40.0..40.0_f64).exp(),
            _ => rng.random_range(-12.0..8.0_f64).exp() * 1e3,
        };
        ys.push(y as f32);
        fs.push((f as f32).max(1e-12));
        near.push(((y * (1.0 + rng.random_range(-0.25..0.25_f64) * rng.random::<f64>().powi(6))) as f32).max(1e-12));
    }
    hold(&case(12.0), &ys, &fs);
    hold(&case(4.0), &ys, &near);
}

#[test]
fn nan_is_never_lost_and_selection_takes_sides() {
    let case = case!(
        all,
        |x, p| Number::exp(x) + Number::bell(x) + Number::ln(x) + Number::sin(x) + Number::atan(x) + Number::erf(x) + Number::powf(x, p),
        |x: f64, _| x,
        0.0
    );
    for level in levels() {
        let each = |f: fn(Level, &[f32], &[f32]) -> Vec<f32>| assert!(f(level, &[f32::NAN; 16], &[1.0; 16]).iter().all(|y| y.is_nan()));
        each(case.f32);
        each(case!(exp, |x, _p| Number::exp(x), |x: f64, _| x, 0.0).f32);
        each(case!(bell, |x, _p| Number::bell(x), |x: f64, _| x, 0.0).f32);
        each(case!(ln, |x, _p| Number::ln(x), |x: f64, _| x, 0.0).f32);
        each(case!(ln_1p, |x, _p| Number::ln_1p(x), |x: f64, _| x, 0.0).f32);
        each(case!(cos, |x, _p| Number::cos(x), |x: f64, _| x, 0.0).f32);
        each(case!(erf, |x, _p| Number::erf(x), |x: f64, _| x, 0.0).f32);
        each(case!(atan, |x, _p| Number::atan(x), |x: f64, _| x, 0.0).f32);
        each(case!(min, |x, p| Number::min(x, p), |x: f64, _| x, 0.0).f32);
        each(case!(max, |x, p| Number::max(x, p), |x: f64, _| x, 0.0).f32);
        each(case!(deviance, |x, p| half_deviance(p, x), |x: f64, _| x, 0.0).f32);
        let chosen = case!(if_below, |x, p| Number::if_below(x, p, x.of(1.0), x.of(2.0)), |x: f64, _| x, 0.0);
        assert_eq!((chosen.f32)(level, &[3.0; 16], &[3.0; 16]), [2.0; 16]);
        assert_eq!((chosen.f32)(level, &[2.9; 16], &[3.0; 16]), [1.0; 16]);
    }
}

/// A coefficient wrong by 10⁻³ of itself is seen: the tests above can fail.
#[test]
fn a_wrong_coefficient_is_rejected() {
    fn wrong<S: Simd>(x: f32x16<S>) -> f32x16<S> {
        // exp with the quadratic coefficient of its polynomial changed.
        let right = Number::exp(x);
        let n: f32x16<S> = SimdFloatRound::nearest(x * std::f32::consts::LOG2_E);
        let r = x - n * std::f32::consts::LN_2;
        right * (r * r * 0.000_5 + 1.0)
    }
    trait SimdFloatRound {
        fn nearest(self) -> Self;
    }
    impl<S: Simd> SimdFloatRound for f32x16<S> {
        fn nearest(self) -> Self {
            fearless_simd::SimdFloat::round_ties_even(self)
        }
    }
    let case = case!(exp, |x, _p| wrong(x), |x: f64, _| x.exp(), 1.0);
    let xs = sweep(-10.0, 10.0, 16);
    assert!(worst(&case, &xs, &xs.clone()) > 100.0);
}
