//! Noise from the same run: F as a function of the noise against closed forms, the reference, and runs that infer the scale.

use std::sync::atomic::AtomicBool;

use keisoku::batch;
use keisoku::dataset::{Dataset, Frame};
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::evidence::noise::{Curve, Edge, Inferred, Least, Minimum, Scan, joint};
use keisoku::evidence::{self, FreeEnergy};
use keisoku::posterior;
use keisoku::prior::Prior;
use keisoku::problem::{self, Problem};
use keisoku::sampler::{self, Sampled, Settings};
use keisoku::spec::{Noise, Parameter, Sigma, Spec};

use crate::{examples, specs};

/// σ of the runs: half of the noise in the data, so that the ladders cover b̂ by a factor of 4.
const STATED: f64 = 0.05;
/// Bound of a difference in its standard errors, of 15 degrees of freedom: beyond it once in 1000.
const ERRORS: f64 = 4.1;

/// One candidate's run.
struct Run {
    problem: Problem,
    sampled: Sampled,
    free: FreeEnergy,
}

impl Run {
    fn scan(&self) -> Scan {
        Scan::of(&self.problem, &self.sampled, &self.free).expect("σ is known")
    }

    fn minimum(&self) -> Minimum {
        let Least::Minimum(minimum) = self.scan().least() else { panic!("{}: an edge", self.problem.candidate) };
        minimum
    }

    /// The scan of so many points, as a mistake would have it.
    fn mistaken(&self, points: usize) -> Scan {
        let constant = self.problem.measurements[0].constant;
        Scan::new(&self.sampled, &self.free, points, constant).expect("draws are kept")
    }
}

/// An example with its first candidates, its noise replaced, and targets.
fn posed(example: &str, noise: Noise, most: usize, (ess, free_energy_se): (f64, f64)) -> (Spec, Dataset) {
    let (mut spec, dataset) = examples::read(example);
    spec.groups[0].measurements[0].noise = noise;
    spec.groups[0].candidates.retain(|c| c.k.is_none_or(|k| k <= most));
    spec.run.ess = ess;
    spec.run.free_energy_se = free_energy_se;
    (spec, dataset)
}

fn frame(spec: &Spec, dataset: &Dataset) -> Frame {
    dataset.load(&dataset.entries[0], &spec.data).unwrap()
}

/// Runs every candidate of the one frame.
fn run(spec: &Spec, dataset: &Dataset, seed: u64) -> Vec<Run> {
    let problems = problem::build(spec, &frame(spec, dataset)).unwrap();
    let (run, stop) = (&spec.run, AtomicBool::new(false));
    let most_rows = sampler::rows(run.ess, run.copies);
    let settings = Settings { seed, copies: run.copies, proposals: 1, max_sweeps: run.max_sweeps, most_rows, deadline: None, stop: &stop };
    let targets = batch::targets(run);
    let judge = |problem: &Problem, sampled: &Sampled| posterior::shortfall(problem, sampled, &targets);
    let sampled = sampler::run(&Cpu::new(Precision::F32).unwrap(), &problems, &settings, &judge).unwrap();
    let each = |(problem, sampled): (Problem, Sampled)| {
        let free = evidence::free_energy(&sampled).expect("draws are kept");
        Run { problem, sampled, free }
    };
    problems.into_iter().zip(sampled).map(each).collect()
}

/// One candidate of a yardstick: for K = 1 by quadrature, for others by importance sampling (`tests/golden/noise.py`).
struct Reference {
    /// The s² that minimises F.
    s2: f64,
    /// F there.
    least: f64,
    /// F at s² = .01.
    at_truth: f64,
}

/// What the s² are exact to, and the F.
const S2_SHARE: f64 = 0.002;
const F_ERROR: f64 = 0.0025;

const fn reference(s2: f64, least: f64, at_truth: f64) -> Reference {
    Reference { s2, least, at_truth }
}

/// K = 1, 2, 3.
const A: [Reference; 3] =
    [reference(0.02357, -123.632, -49.191), reference(0.01650, -169.331, -147.565), reference(0.00987, -244.228, -244.216)];
const B: [Reference; 3] =
    [reference(0.03047, -87.549, 50.593), reference(0.01745, -164.132, -136.505), reference(0.00996, -238.078, -238.077)];

/// Whether a scan gives the reference: s² within its share, which is tens of errors, F within so many combined errors that a number raises a false
/// alarm once in 1000 times.
fn holds(scan: &Scan, of: &Reference) -> bool {
    let Least::Minimum(m) = scan.least() else { return false };
    let (got, at) = ((m.scale * STATED).powi(2), scan.free_energy(0.1 / STATED));
    let bound = ERRORS * m.free_energy_se.hypot(F_ERROR);
    println!(
        "s² {got:.5} ± {:.1e} for {}, F {:.3} ± {:.3} for {}, at s² = .01 {at:.3} for {}",
        2.0 * got * m.scale_se / m.scale,
        of.s2,
        m.free_energy,
        m.free_energy_se,
        of.least,
        of.at_truth
    );
    (got / of.s2 - 1.0).abs() < S2_SHARE && (m.free_energy - of.least).abs() < bound && (at - of.at_truth).abs() < bound
}

fn yardstick(example: &str, references: [Reference; 3]) {
    let (spec, dataset) = posed(example, specs::sigma(STATED), 3, (200.0, 0.05));
    let runs = run(&spec, &dataset, 1);
    assert_eq!(runs.len(), 3);
    for (run, reference) in runs.iter().zip(&references) {
        assert!(holds(&run.scan(), reference), "{}", run.problem.candidate);
        // What such bounds see: half of the points, N ln c left out, the constant tempered with the rest.
        let points = run.problem.points();
        let untempered = Scan::new(&run.sampled, &run.free, points, 0.0).unwrap();
        assert!(![run.mistaken(points / 2), run.mistaken(0), untempered].iter().any(|mutant| holds(mutant, reference)));
    }
}

#[test]
fn yardstick_a_has_the_noise_of_the_reference() {
    yardstick("yardstick-a", A);
}

#[test]
fn yardstick_b_has_the_noise_of_the_reference() {
    yardstick("yardstick-b", B);
}

/// The straight line through zero (d = 1) or not (d = 2) with uniform priors on [−1, 1]: F at any s², and the s² that minimises it.
struct Line {
    d: f64,
    n: f64,
    ln_s: f64,
    rss: f64,
}

impl Line {
    fn both(frame: &Frame) -> [Self; 2] {
        let (x, y, n) = (&frame.x, &frame.y, frame.x.len() as f64);
        let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(x, y)| f(*x, *y)).sum::<f64>();
        let (xx, b) = (sum(&|x, _| x * x), sum(&|_, y| y) / n);
        let a = sum(&|x, y| x * y) / xx;
        let rss = |b: f64| sum(&|x, y| (y - a * x - b).powi(2));
        [Self { d: 1.0, n, ln_s: xx.ln(), rss: rss(0.0) }, Self { d: 2.0, n, ln_s: xx.ln() + n.ln(), rss: rss(b) }]
    }

    fn free_energy(&self, s2: f64) -> f64 {
        let widths = self.d * 2f64.ln();
        0.5 * (self.n - self.d) * (2.0 * std::f64::consts::PI * s2).ln() + 0.5 * self.ln_s + 0.5 * self.rss / s2 + widths
    }

    fn least(&self) -> f64 {
        self.rss / (self.n - self.d)
    }
}

fn mean_square(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64
}

/// Both lines over twelve seeds: ĉ and F(ĉ) against the closed form in their own errors. The mean of 24 squares of t with 15 degrees of
/// freedom, the candidates' own runs, is within these bounds but for one time in 2500.
#[test]
fn the_line_has_its_closed_form_and_honest_errors() {
    let (low, high) = (0.25, 3.2);
    let (spec, dataset) = posed("straight-line", specs::sigma(STATED), 9, (100.0, 0.1));
    let lines = Line::both(&frame(&spec, &dataset));
    assert!((lines[1].least() - 0.0112179).abs() < 1e-7 && (lines[1].free_energy(lines[1].least()) + 34.88784).abs() < 1e-5);
    let mut off = [Vec::new(), Vec::new()];
    for seed in 1..=12 {
        for (run, line) in run(&spec, &dataset, seed).iter().zip(&lines) {
            let (m, s2) = (run.minimum(), line.least());
            off[0].push((m.scale - s2.sqrt() / STATED) / m.scale_se);
            off[1].push((m.free_energy - line.free_energy(s2)) / m.free_energy_se);
            assert!(m.scale_se < 0.02 * m.scale && m.free_energy_se < 0.1, "errors as large as that agree with anything");
            // λ of a regular posterior is d/2.
            assert!((m.ln_b_sd - (0.5 * (line.n - line.d)).powf(-0.5)).abs() < 0.02 * m.ln_b_sd);
            let half = run.mistaken(25).least();
            assert!(!matches!(half, Least::Minimum(h) if (h.scale - m.scale).abs() < ERRORS * m.scale_se), "half of N passes");
        }
    }
    for (off, of) in off.iter().zip(["scale", "F"]) {
        let square = mean_square(off);
        println!("{of}: mean square {square:.2} of {off:.2?}");
        assert!(low < square && square < high, "{of}: {square}");
        // Errors three times as large or as small are seen.
        assert!(square / 9.0 < low && square * 9.0 > high, "{of}: the mutants pass");
    }
}

/// p(K, b) of both lines: its rows differ as the closed forms do, add up to 1, and have the width that is stated.
#[test]
fn candidate_and_noise_have_a_joint_posterior() {
    let (spec, dataset) = posed("straight-line", specs::sigma(STATED), 9, (400.0, 0.03));
    let runs = run(&spec, &dataset, 1);
    let lines = Line::both(&frame(&spec, &dataset));
    assert!(runs.iter().all(|r| r.minimum().free_energy_se < 0.04));
    let scans: Vec<Scan> = runs.iter().map(Run::scan).collect();
    let joint = joint(&scans).unwrap();
    let step = joint.ln_b[0] - joint.ln_b[1];
    let all: f64 = joint.density.iter().flatten().sum::<f64>() * step;
    assert!((all - 1.0).abs() < 1e-9 && (joint.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{all}");
    let s2 = |ln_b: f64| STATED * STATED * (-ln_b).exp();
    let between = joint.ln_b.iter().enumerate().filter(|(_, ln_b)| (0.004..0.05).contains(&s2(**ln_b)));
    let mut points = 0;
    for (i, &ln_b) in between {
        let got = (joint.density[1][i] / joint.density[0][i]).ln();
        let exact = lines[0].free_energy(s2(ln_b)) - lines[1].free_energy(s2(ln_b));
        // N ln c cancels, what is each line's own does not.
        assert!((got - exact).abs() < ERRORS * 0.04 * 2f64.sqrt(), "ln b {ln_b}: {got} for {exact}");
        assert!((got + exact).abs() > 1.0, "candidates that changed places would pass");
        points += 1;
    }
    assert!(points > 40, "{points}");
    // Under a prior uniform in ln b, b of the line has a Gamma density of shape 24: its logarithm has variance ψ′(24) = .042548.
    let row = &joint.density[1];
    let moment = |f: &dyn Fn(f64) -> f64| joint.ln_b.iter().zip(row).map(|(b, p)| p * f(*b)).sum::<f64>() / row.iter().sum::<f64>();
    let mean = moment(&|b| b);
    let variance = moment(&|b| (b - mean).powi(2));
    println!("p(K) {:?}, ln b {mean:.4}, variance {variance:.5}", joint.probabilities);
    assert!((variance / 0.042_548 - 1.0).abs() < 0.02, "{variance}");
}

/// Whether two curves are the same: ĉ, F(ĉ), and F two standard deviations of ln c to either side, in 4.1 combined errors (four numbers).
fn same(inferred: &dyn Curve, known: &dyn Curve, shift: f64) -> bool {
    let (Least::Minimum(a), Least::Minimum(b)) = (inferred.least(), known.least()) else { return false };
    let (scale_se, error) = (a.scale_se.hypot(b.scale_se), a.free_energy_se.hypot(b.free_energy_se));
    println!(
        "ĉ {:.4} ± {:.4} and {:.4} ± {:.4}, F {:.3} ± {:.3} and {:.3} ± {:.3}",
        a.scale, a.scale_se, b.scale, b.scale_se, a.free_energy, a.free_energy_se, b.free_energy, b.free_energy_se
    );
    let at = |k: f64| {
        let c = b.scale * (0.5 * k * b.ln_b_sd).exp();
        (inferred.free_energy(c) + shift - known.free_energy(c)).abs() < ERRORS * error
    };
    (a.scale - b.scale).abs() < ERRORS * scale_se && error < 0.15 && scale_se < 0.02 * b.scale && [-2.0, 0.0, 2.0].into_iter().all(at)
}

/// F of a sampled scale and F(c) integrated over its prior, for both lines and two candidates of a yardstick: within 4.1 combined errors (four
/// numbers of at least 15 degrees of freedom: one false alarm in 250 seeds), and F(c) of either way of sampling (sixteen more). What the ladder does not cover holds less than exp(−15).
#[test]
fn the_treatments_of_noise_agree() {
    for (example, most) in [("straight-line", 9), ("yardstick-b", 2)] {
        let prior = Prior::LogUniform { low: 1e-3, high: 1e3 };
        let scaled = Noise::Gaussian { sigma: Sigma::Number(STATED), scale: Some(prior) };
        let targets = (200.0, 0.05);
        let (spec, dataset) = posed(example, scaled, most, targets);
        let inferred = run(&spec, &dataset, 2);
        let (spec, dataset) = posed(example, specs::sigma(STATED), most, targets);
        for (inferred, known) in inferred.iter().zip(run(&spec, &dataset, 1)) {
            assert!(Scan::of(&inferred.problem, &inferred.sampled, &inferred.free).is_none(), "a scale is inferred");
            let (scan, m) = (known.scan(), known.minimum());
            for edge in [1.0, scan.range().1] {
                // The rest of the prior's range is 14 wide in ln c at most, and F only rises there.
                assert!(scan.free_energy(edge) > m.free_energy + 20.0, "{edge}");
            }
            let error = m.free_energy_se.hypot(inferred.free.se);
            let agrees = |integrated: f64| (integrated - inferred.free.value).abs() < ERRORS * error;
            let integrated = scan.integrated(1e-3, 1e3);
            println!("{}: {integrated:.3} and {:.3}, error {error:.3}", known.problem.candidate, inferred.free.value);
            assert!(error < 0.15 && agrees(integrated), "{}", known.problem.candidate);
            let curve = Inferred::of(&inferred.problem, &inferred.sampled, &inferred.free).expect("a scale is inferred");
            assert!(same(&curve, &scan, 0.0), "{}", known.problem.candidate);
            // The prior's density left out, and a scan of half of N.
            assert!(!same(&curve, &scan, 1e6f64.ln().ln()) && !same(&curve, &known.mistaken(known.problem.points() / 2), 0.0));
            assert!(Inferred::of(&known.problem, &known.sampled, &known.free).is_none(), "σ is known");
            // Half of N, and the prior's density left out.
            assert!(!agrees(known.mistaken(known.problem.points() / 2).integrated(1e-3, 1e3)));
            assert!(!agrees(integrated - 1e6f64.ln().ln()));
        }
    }
}

/// Where F is least at an edge no minimum is given: σ stated three times too large, and a line that cannot follow the data at all.
#[test]
fn an_edge_is_no_minimum() {
    let small = (50.0, 0.3);
    let (spec, dataset) = posed("straight-line", specs::sigma(0.3), 9, small);
    let (mut stiff, _) = posed("straight-line", specs::sigma(0.01), 9, small);
    for term in &mut stiff.groups[0].measurements[0].terms {
        for parameter in &mut term.parameters {
            if matches!(parameter, Parameter::Free(_)) {
                *parameter = Parameter::Free(Prior::Uniform { low: 0.0, high: 1e-6 });
            }
        }
    }
    for (spec, edge) in [(spec, Edge::Stated), (stiff, Edge::Prior)] {
        for run in run(&spec, &dataset, 1) {
            let curve = run.scan().curve();
            println!("{:?} {:?}", curve.edge, curve.scales);
            assert_eq!(curve.edge, Some(edge));
            assert_eq!((curve.scale, curve.free_energy, curve.ln_b_sd), (None, None, None));
            let ends = (curve.free_energies[0], *curve.free_energies.last().unwrap());
            assert!(if edge == Edge::Stated { ends.0 < ends.1 } else { ends.1 < ends.0 }, "{ends:?}");
        }
    }
    // The same line with σ stated small enough has a minimum, in the middle of its curve.
    let (spec, dataset) = posed("straight-line", specs::sigma(STATED), 9, small);
    for run in run(&spec, &dataset, 1) {
        let (curve, minimum) = (run.scan().curve(), run.minimum());
        assert_eq!((curve.edge, curve.scale, curve.scales.len()), (None, Some(minimum.scale), 41));
        assert!((curve.free_energies[20] - minimum.free_energy).abs() < 1e-9);
        assert!(curve.free_energies.iter().all(|f| *f >= minimum.free_energy - 1e-9));
    }
}
