//! What becomes of the draws: labels of peaks that cross, where the peaks are whatever their number, other priors against closed forms.

use std::sync::atomic::AtomicBool;

use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::posterior::{self, Alternative, Figures, Targets, WindowResult};
use keisoku::prior::Prior;
use keisoku::problem::{self, Problem};
use keisoku::sampler::{self, Settings};
use keisoku::spec::{Candidate, Parameter, Spec, Term};

use crate::specs;

const TARGETS: Targets = Targets { ess: 400.0, free_energy_se: 0.1, round_trips: 1 };

fn answer(spec: &Spec, x: Vec<f64>, y: Vec<f64>, seed: u64) -> WindowResult {
    let problems = problem::build(spec, &specs::frame("priors", x, y)).unwrap();
    let stop = AtomicBool::new(false);
    let settings = Settings { seed, copies: 8, proposals: 1, max_sweeps: 4000, most_rows: 1000, deadline: None, stop: &stop };
    let sampled = sampler::run(&Cpu::new(Precision::F64).unwrap(), &problems, &settings, &|_, _| 12.0).unwrap();
    posterior::window(&problems.iter().collect::<Vec<&Problem>>(), &sampled, &TARGETS)
}

fn of<'a>(window: &'a WindowResult, parameter: &str) -> (&'a Alternative, &'a Alternative) {
    let found = window.sensitivity.iter().find(|s| s.parameter == parameter).expect("the prior is there");
    (&found.halved, &found.doubled)
}

/// The straight line y = a x + b of 50 points on [−1, 1], the same draw for every run.
fn line(priors: [Prior; 2]) -> (Spec, Vec<f64>, Vec<f64>) {
    let x: Vec<f64> = (0..50).map(|i| -1.0 + 2.0 * f64::from(i) / 49.0).collect();
    let mut stream = keisoku::random::Key::new(8, "line", "", "", 0).stream(0, 0, 0);
    let noise = Prior::Normal { mean: 0.0, sd: 0.1 };
    let y = x.iter().map(|x| 0.8 * x + 0.1 + noise.sample(&mut stream)).collect();
    let terms = vec![specs::term("line", 0, priors.map(Parameter::Free).to_vec())];
    let candidate = Candidate { label: "line".into(), k: None, terms: vec![(0, 0, 1)], model_error: 0.0 };
    (specs::spec((-1.0, 1.0), specs::sigma(0.1), terms, vec![candidate]), x, y)
}

/// F up to what no prior changes, for independent normal priors N(0, sd) of slope and intercept (axis centred, σ known).
fn closed_form(x: &[f64], y: &[f64], sd: [f64; 2]) -> f64 {
    let s2 = 0.01;
    let n = x.len() as f64;
    let sum = |f: &dyn Fn(usize) -> f64| (0..x.len()).map(f).sum::<f64>();
    let parts = [(sum(&|i| x[i] * x[i]), sum(&|i| x[i] * y[i])), (n, sum(&|i| y[i]))];
    // S is diagonal: each part is ½ ln(A/P) − ½ m A m with P = 1/sd², A = P + S/s², m = Xᵀy/s²/A.
    let each = parts.iter().zip(sd).map(|((s, xy), sd)| {
        let (p, a) = (sd.powi(-2), sd.powi(-2) + s / s2);
        0.5 * (a / p).ln() - 0.5 * (xy / s2).powi(2) / a
    });
    each.sum()
}

/// Normal priors: both changes of both widths against the closed form, at 4.5 of their own standard errors (sixteen numbers, a false
/// alarm once in 9000 seeds). No shift at all would be tens of errors off.
#[test]
fn a_normal_prior_half_or_twice_as_wide_shifts_the_line_as_the_closed_form_says() {
    let (spec, x, y) = line([Prior::Normal { mean: 0.0, sd: 1.0 }, Prior::Normal { mean: 0.0, sd: 0.1 }]);
    let now = closed_form(&x, &y, [1.0, 0.1]);
    let changes = [("slope", [0.5, 0.1], [2.0, 0.1]), ("intercept", [1.0, 0.05], [1.0, 0.2])];
    for (seed, (parameter, halved, doubled)) in (3..7).flat_map(|seed| changes.map(|change| (seed, change))) {
        let window = answer(&spec, x.clone(), y.clone(), seed);
        let got = of(&window, parameter);
        for (alternative, sd) in [(got.0, halved), (got.1, doubled)] {
            let exact = closed_form(&x, &y, sd) - now;
            let (shift, se) = alternative.shifts[0].expect("told");
            println!("seed {seed}, {parameter} {sd:?}: {shift:+.4} ± {se:.4}, exact {exact:+.4}");
            assert!((shift - exact).abs() < 4.5 * se && se < 0.02, "{parameter}: {shift} ± {se} for {exact}");
            assert!(exact.abs() > 10.0 * se, "the mutant without a shift would pass");
        }
    }
}

/// A box twice as wide that holds the posterior costs exactly ln 2, half as wide gains it; a box that cuts the posterior in half gains
/// nothing but an unlikely half; where the posterior leans on the end, nobody can tell what lies beyond.
#[test]
fn a_box_twice_as_wide_costs_ln_2_where_it_holds_the_posterior() {
    let ln2 = std::f64::consts::LN_2;
    let (spec, x, y) = line([Prior::Uniform { low: 0.0, high: 1.6 }, Prior::Uniform { low: -0.9, high: 0.1 }]);
    let window = answer(&spec, x, y, 3);
    let slope = of(&window, "slope");
    for (got, exact) in [(slope.0, -ln2), (slope.1, ln2)] {
        let (shift, se) = got.shifts[0].expect("all draws of .8 ± .024 are in [.4, 1.2]");
        assert!((shift - exact).abs() < 1e-12 && se < 1e-12, "{shift} ± {se}");
    }
    assert_eq!(slope.1.probabilities.as_deref(), Some(&[1.0][..]));
    // The intercept is .1 ± .014, cut off at .1; of [−.65, −.15] it knows nothing either.
    let intercept = of(&window, "intercept");
    assert_eq!((intercept.0.shifts[0], intercept.1.shifts[0]), (None, None));
    assert_eq!((&intercept.0.probabilities, &intercept.1.probabilities), (&None, &None));
}

/// Zero, one and two peaks on nothing, two of them there: heights from 0 with room above.
fn peaks() -> WindowResult {
    let prior = |low, high| Parameter::Free(Prior::Uniform { low, high });
    let peak = specs::term("gaussian", 0, vec![prior(0.0, 6.0), prior(0.2, 2.8), prior(0.1, 0.5)]);
    let terms = vec![Term { counted: true, height: true, count: (0, 2), ..peak }];
    let candidate = |k| Candidate { label: format!("K={k}"), k: Some(k), terms: vec![(0, 0, k)], model_error: 0.0 };
    let spec = specs::spec((0.0, 3.0), specs::sigma(0.1), terms, (0..3).map(candidate).collect());
    let x: Vec<f64> = (0..150).map(|i| 0.02 * f64::from(i)).collect();
    let mut stream = keisoku::random::Key::new(9, "peaks", "", "", 0).stream(0, 0, 0);
    let noise = Prior::Normal { mean: 0.0, sd: 0.1 };
    let bump = |x: f64, c: f64| (-0.5 * ((x - c) / 0.1).powi(2)).exp();
    let y = x.iter().map(|&x| 1.5 * bump(x, 0.9) + bump(x, 2.0) + noise.sample(&mut stream)).collect();
    answer(&spec, x, y, 3)
}

/// Heights of 1 and 1.5 under priors that end at 3, 6 and 12: F shifts by K ln 2, exactly, and by nothing where there is no peak. The
/// density of positions integrates to Σ p(K) K and lies where the peaks are.
#[test]
fn amplitudes_cost_k_ln_2_and_positions_add_up_to_the_number_of_peaks() {
    let ln2 = std::f64::consts::LN_2;
    let window = peaks();
    assert_eq!(window.best, 2);
    let (halved, doubled) = of(&window, "height");
    // K = 1 sits on one peak, so it is as exact as K = 2.
    for (k, (less, more)) in halved.shifts.iter().zip(&doubled.shifts).enumerate() {
        let (less, more) = (less.expect("told").0, more.expect("told").0);
        assert!((less + k as f64 * ln2).abs() < 1e-9 && (more - k as f64 * ln2).abs() < 1e-9, "{k}: {less} {more}");
    }
    let movement = window.movement().expect("there are rivals");
    assert!(movement.stays && movement.range.0 > 0.99, "{movement:?}");
    let [positions] = &window.positions[..] else { panic!("{:?}", window.positions) };
    assert_eq!((positions.low, positions.high, positions.density.len()), (0.2, 2.8, 512));
    let expected: f64 = window.candidates.iter().map(|c| c.probability * c.k.unwrap() as f64).sum();
    let within = |a: f64, b: f64| {
        let at = |i: usize| positions.low + (i as f64 + 0.5) * positions.width();
        (0..512).filter(|&i| (a..b).contains(&at(i))).map(|i| positions.density[i] * positions.width()).sum::<f64>()
    };
    assert!((within(0.0, 3.0) - expected).abs() < 1e-4, "{} for {expected}", within(0.0, 3.0));
    assert!((within(0.8, 1.0) - 1.0).abs() < 1e-3 && (within(1.9, 2.1) - 1.0).abs() < 1e-3);
}

/// A narrow and a broad line at one place: positions .01 apart and known to .002 and .009, so the peaks change places in a third of the
/// draws, and widths that differ by many standard deviations. Numbered by position draw by draw, each width would be a mixture of both,
/// with a standard deviation beyond .3.
#[test]
fn peaks_that_cross_are_reported_as_themselves() {
    let prior = |low, high| Parameter::Free(Prior::Uniform { low, high });
    let peak = specs::term("gaussian", 0, vec![prior(0.0, 6.0), prior(0.2, 2.8), prior(0.05, 2.0)]);
    let terms = vec![Term { counted: true, height: true, count: (2, 2), ..peak }];
    let candidate = Candidate { label: "K=2".into(), k: Some(2), terms: vec![(0, 0, 2)], model_error: 0.0 };
    let spec = specs::spec((0.0, 3.0), specs::sigma(0.1), terms, vec![candidate]);
    let x: Vec<f64> = (0..150).map(|i| 0.02 * f64::from(i)).collect();
    let mut stream = keisoku::random::Key::new(10, "crossing", "", "", 0).stream(0, 0, 0);
    let noise = Prior::Normal { mean: 0.0, sd: 0.1 };
    let bump = |x: f64, c: f64, fwhm: f64| (-4.0 * std::f64::consts::LN_2 * ((x - c) / fwhm).powi(2)).exp();
    let y = x.iter().map(|&x| 2.0 * bump(x, 1.5, 0.2) + bump(x, 1.51, 0.9) + noise.sample(&mut stream)).collect();
    let window = answer(&spec, x, y, 3);
    let widths: Vec<_> = window.candidates[0].parameters.iter().filter(|p| p.parameter == "fwhm").collect();
    for p in &window.candidates[0].parameters {
        println!("{:?} {} {:.4} ± {:.4}, rhat {:.3}, modes {:?}", p.peak, p.parameter, p.mean, p.sd, p.rhat, p.modes);
    }
    let narrow = usize::from(widths[0].mean > widths[1].mean);
    for (got, truth) in [(widths[narrow], 0.2), (widths[1 - narrow], 0.9)] {
        // 4.5 standard deviations: once in 10⁵ data sets.
        assert!((got.mean - truth).abs() < 4.5 * got.sd && got.sd < 0.1, "{} ± {} for {truth}", got.mean, got.sd);
        assert!(got.modes.is_empty());
    }
    // Convergence is judged by sorted quantities: their effective number is what it would be for labels by position.
    assert!(window.candidates[0].verdict.iter().all(|v| v.code() != "rhat"));
}

/// Figures that were written before a ladder told its local barrier and restarts are read; without any other figure they are not.
#[test]
fn figures_of_earlier_results_are_read() {
    let written = serde_json::to_value(Figures { round_trips: 3, local_barrier: vec![0.5], restarts: 4, ..Figures::default() }).unwrap();
    let without = |names: &[&str]| {
        let mut object = written.as_object().unwrap().clone();
        names.iter().for_each(|name| assert!(object.remove(*name).is_some(), "{name} is not written"));
        serde_json::from_value::<Figures>(object.into())
    };
    let read = without(&["local_barrier", "restarts"]).unwrap();
    assert_eq!((read.round_trips, read.restarts, read.local_barrier.len()), (3, 0, 0));
    assert!(without(&["barrier"]).is_err());
}
