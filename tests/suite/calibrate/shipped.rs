//! The calibrations of `examples/calibration` in short: fewer data sets and fewer draws. As they ship they take 900 data sets each:
//! `keisoku calibrate examples/calibration/gaussian.toml --n 900`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Verb, rejections};
use keisoku::calibrate::rank::{NARROWED, Ranked};
use keisoku::calibrate::{LEVEL, tally};

/// Data sets of a whole calibration.
const WHOLE: u32 = 900;
/// Most tests of one.
const TESTS: f64 = 8.0;

/// The spec of that name with another seed, and with targets that take a moment, calibrated on so many data sets.
fn short(name: &str, seed: u64, n: usize) -> (Option<i32>, String, Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/calibration").join(name);
    let text = fs::read_to_string(path).unwrap();
    let seeded = format!("seed       = {seed}\n");
    let brief =
        text.replace("ess = 300", "ess = 70").replace("max_sweeps = 8000", "max_sweeps = 3000").replace("seed       = 1\n", &seeded);
    assert!(brief.contains("ess = 70") && brief.contains("max_sweeps = 3000") && brief.contains(&seeded), "{name} has other targets");
    let verb = Verb::new("calibrate", &brief);
    let (code, told) = verb.run("out", &["--n", &n.to_string()]);
    (code, told, serde_json::from_str(&verb.read("out/calibration.json")).unwrap())
}

/// A false alarm once in a hundred seeds, as with each of those below.
#[test]
fn two_peaks_are_calibrated() {
    let (code, told, _) = short("gaussian.toml", 1, 24);
    assert!(code == Some(0) && told.contains("gaussian.total area") && told.contains("none of 7 tests"), "{told}");
}

/// The first 24 data sets of seed 1 raise a false alarm (p = .0013 for one of the positions), all its 900 do not.
#[test]
fn two_peaks_of_counts_are_calibrated() {
    let (code, told, _) = short("poisson.toml", 2, 24);
    assert!(code == Some(0) && told.contains("gaussian.center[2]") && told.contains("none of 7 tests"), "{told}");
}

#[test]
fn two_peaks_of_unknown_noise_are_calibrated() {
    let (code, told, _) = short("noise.toml", 1, 24);
    assert!(code == Some(0) && told.contains("  scale ") && told.contains("none of 8 tests"), "{told}");
}

/// Σ(1{K} − p(K)) of none, one and two peaks, each true as often.
#[test]
fn how_many_peaks_is_calibrated() {
    let (code, told, found) = short("counts.toml", 1, 24);
    let chances = found["windows"][0]["candidates"].as_array().unwrap();
    assert!(code == Some(0) && chances.len() == 3, "{told}");
    assert_eq!(chances.iter().map(|c| c["truths"].as_u64().unwrap()).sum::<u64>(), 24);
    let sum: f64 = chances.iter().map(|c| c["expected"].as_f64().unwrap()).sum();
    assert!((sum - 24.0).abs() < 1e-9, "{sum}");
}

/// How long a calibration has to be: ranks among 127 draws that are 15 % too narrow fall into 16 bins so that χ² of 900 has the noncentrality
/// 40.2, and is beyond the 1 %/8 point of 15 degrees of freedom, 37.0, with 91.6 %: Holm's first step among eight tests asks for no more. Of
/// 24 calibrations fewer than 16 are rejected once in 3000 seeds at a power of .9; of the same draws as they are, more than 2 of 24 are
/// rejected at that level once in 2·10⁵.
#[test]
fn nine_hundred_data_sets_show_draws_fifteen_percent_too_narrow() {
    assert!((NARROWED - 0.85).abs() < 1e-12);
    let (_, ranks) = rejections(1.0, 24, WHOLE, 100);
    let p = |of: fn(&Ranked) -> usize, all: &[Ranked]| tally::histogram(all.iter().map(|r| (of(r), r.draws))).p.unwrap();
    let rejected = |of: fn(&Ranked) -> usize| ranks.chunks(WHOLE as usize).filter(|all| p(of, all) <= LEVEL / TESTS).count();
    let (narrow, right) = (rejected(|r| r.narrowed), rejected(|r| r.rank));
    println!("{narrow} of 24 rejected with narrowed draws, {right} with the draws as they are");
    assert!(narrow >= 16 && right <= 2, "{narrow}, {right}");
}
