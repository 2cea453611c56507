//! Examples of other kinds of model, from spec to answer on every engine: a Mössbauer site whose baseline is the background's level, and
//! two windows that share a zero shift.

use keisoku::engine::Engine;
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::engine::oracle::Oracle;
use keisoku::posterior::{CandidateResult, WindowResult};

use crate::equivalence_gpu::gpu;
use crate::examples;

/// Bound of a difference in its standard errors: with some 15 degrees of freedom one in a thousand of a perfect sampler's goes beyond.
const ERRORS: f64 = 4.0;

/// Targets that take a moment: effective draws, standard error of F, most sweeps.
type Small = (f64, f64, usize);

/// What the cpu is asked for.
const TARGETS: Small = (100.0, 0.15, 1500);
/// What the oracle, and an adapter that may be software, are asked for.
const TINY: Small = (30.0, 0.3, 300);

/// Every engine of this machine and what it is asked for.
fn engines() -> Vec<(Box<dyn Engine>, Small)> {
    vec![(Box::new(Cpu::new(Precision::F32).unwrap()), TARGETS), (Box::new(Oracle), TINY)]
}

/// The one window of the example's one frame.
fn window(engine: &dyn Engine, example: &str, (ess, free_energy_se, max_sweeps): Small) -> WindowResult {
    let (mut spec, dataset) = examples::read(example);
    spec.run.ess = ess;
    spec.run.free_energy_se = free_energy_se;
    spec.run.max_sweeps = max_sweeps;
    spec.run.copies = 4;
    let time = std::time::Instant::now();
    let window = examples::answers(engine, &spec, &dataset).remove(0).windows.remove(0);
    println!("{example} on {}: {:.1} s", engine.describe(), time.elapsed().as_secs_f64());
    window
}

/// The answers of every engine: the cpu's first.
fn everywhere(example: &str) -> Vec<WindowResult> {
    let mut all: Vec<_> = engines().iter().map(|(engine, small)| window(&**engine, example, *small)).collect();
    if let Some(gpu) = gpu() {
        all.push(window(gpu, example, TINY));
    }
    all
}

/// The truth of every parameter, in the order of the results, lies within 4 posterior standard deviations.
fn holds(candidate: &CandidateResult, truth: &[(&str, f64)]) -> bool {
    let names: Vec<&str> = candidate.parameters.iter().map(|p| p.parameter.as_str()).collect();
    assert_eq!(names, truth.iter().map(|t| t.0).collect::<Vec<_>>());
    candidate.parameters.iter().zip(truth).all(|(got, (name, truth))| {
        let off = (got.mean - truth) / got.sd;
        println!("  {:>12} {name:<12} {:>10.4} ± {:.4}, truth {truth}, {off:+.2} sd off", got.term, got.mean, got.sd);
        off.abs() < ERRORS
    })
}

/// Whether both engines give every candidate the same F within its errors.
fn agree(one: &WindowResult, other: &WindowResult) -> bool {
    assert_eq!(one.candidates.len(), other.candidates.len());
    one.candidates.iter().zip(&other.candidates).all(|(a, b)| {
        let (difference, error) = (b.free_energy - a.free_energy, a.free_energy_se.hypot(b.free_energy_se));
        println!("  {}: F {:.3} and {:.3}, {:+.2} errors of {error:.3}", a.candidate, a.free_energy, b.free_energy, difference / error);
        // An error bar of nats would agree with anything.
        error < 1.0 && difference.abs() < ERRORS * error
    })
}

/// The splitting of the simulated spectrum.
const QUADRUPOLE: f64 = 0.08;

fn doublet(quadrupole: f64) -> [(&'static str, f64); 5] {
    [("area", 0.04), ("shift", 0.35), ("quadrupole", quadrupole), ("fwhm", 0.35), ("baseline", 20000.0)]
}

#[test]
fn the_line_of_a_site_splits_on_every_engine() {
    let all = everywhere("mossbauer");
    for window in &all {
        assert_eq!(window.candidates[window.best].candidate, "doublet");
        assert!(holds(&window.candidates[1], &doublet(QUADRUPOLE)));
        assert!(agree(&all[0], window));
    }
    // The bounds can be missed: by a splitting of another size and by a free energy two nats off.
    assert!(!holds(&all[0].candidates[1], &doublet(1.5 * QUADRUPOLE)));
    let mut other = all[0].clone();
    other.candidates[1].free_energy += 2.0;
    assert!(!agree(&all[0], &other));
}

#[test]
fn two_windows_share_a_zero_shift_on_every_engine() {
    let all = everywhere("two-windows");
    let truth = [
        ("level0", 40.0),
        ("height", 60.0),
        ("fwhm", 0.14),
        ("level0", 40.0),
        ("height", 35.0),
        ("fwhm", 0.18),
        ("zero", 0.025),
        ("scale[low]", 0.5),
        ("scale[high]", 0.5),
    ];
    for window in &all {
        assert!(holds(&window.candidates[0], &truth));
        assert!(agree(&all[0], window));
    }
    // The bounds can be missed: by no shift at all.
    let mut wrong = truth;
    wrong[6].1 = 0.0;
    assert!(!holds(&all[0].candidates[0], &wrong));
}
