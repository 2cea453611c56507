//! The straight line in all its forms: a thousand simulated data sets and the reference data, against closed forms.
//!
//! A prior of θ whose width scales with the noise (normal–inverse-gamma) cannot be said in a spec, so its closed form is not here.

use std::f64::consts::PI;
use std::sync::atomic::AtomicBool;

use keisoku::calibrate::rank::{self, LEVELS, Ranked};
use keisoku::calibrate::tally::band;
use keisoku::dataset::Frame;
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::evidence::noise::{Curve, Least, Scan};
use keisoku::evidence::{self, FreeEnergy};
use keisoku::posterior::{Targets, shortfall};
use keisoku::prior::Prior;
use keisoku::problem::{self, Problem};
use keisoku::random::Key;
use keisoku::sampler::{self, Sampled, Settings, diagnostics};
use keisoku::spec::{Candidate, Noise, Parameter, Sigma, Spec};
use rayon::prelude::*;

use crate::{examples, specs};

/// Points, σ, and the priors' half-width.
const N: usize = 50;
const S: f64 = 0.1;
const B: f64 = 1.0;

/// One run of a problem.
struct Run {
    problem: Problem,
    sampled: Sampled,
    free: FreeEnergy,
}

/// Runs what the spec poses on a frame, as the run verb does, but with other targets: so short that a line takes milliseconds.
fn run(spec: &Spec, frame: &Frame, seed: u64, (ess, free_energy_se): (f64, f64), max_sweeps: usize) -> Vec<Run> {
    let problems = problem::build(spec, frame).unwrap();
    let stop = AtomicBool::new(false);
    let copies = spec.run.copies;
    let settings = Settings { seed, copies, proposals: 1, max_sweeps, most_rows: sampler::rows(ess, copies), deadline: None, stop: &stop };
    let targets = Targets { ess, free_energy_se, round_trips: 1 };
    let judge = |problem: &Problem, sampled: &Sampled| shortfall(problem, sampled, &targets);
    let sampled = sampler::run(&Cpu::new(Precision::F32).unwrap(), &problems, &settings, &judge).unwrap();
    let each = |(problem, sampled): (Problem, Sampled)| {
        let free = evidence::free_energy(&sampled).expect("draws are kept");
        Run { problem, sampled, free }
    };
    problems.into_iter().zip(sampled).map(each).collect()
}

/// y = a x and y = a x + b under one prior each, x in [−1, 1].
fn spec(noise: Noise, slope: Prior, intercept: Prior) -> Spec {
    let (slope, intercept) = (Parameter::Free(slope), Parameter::Free(intercept));
    let proportional = specs::term("line", 0, vec![slope.clone(), Parameter::Fixed(0.0)]);
    let terms = vec![proportional, specs::term("line", 0, vec![slope, intercept])];
    let candidate = |term: usize, label: &str| Candidate { label: label.into(), k: None, terms: vec![(0, term, 1)], model_error: 0.0 };
    specs::spec((-1.0, 1.0), noise, terms, vec![candidate(0, "y = a x"), candidate(1, "y = a x + b")])
}

fn uniform() -> Prior {
    Prior::Uniform { low: -B, high: B }
}

/// N points of a line with noise, the same for one number whatever the rest of the test does.
fn data(number: u32, a: impl Fn(f64) -> f64, b: impl Fn(f64) -> f64) -> (Frame, [f64; 2]) {
    let mut stream = Key::new(41, "lines", "", "", 0).stream(number, 0, 0);
    let (a, b) = (a(uniform().sample(&mut stream)), b(uniform().sample(&mut stream)));
    let x: Vec<f64> = (0..N).map(|i| -1.0 + 2.0 * i as f64 / (N - 1) as f64).collect();
    let noise = Prior::Normal { mean: 0.0, sd: S };
    let y = x.iter().map(|x| a * x + b + noise.sample(&mut stream)).collect();
    (specs::frame(&format!("line {number}"), x, y), [a, b])
}

/// What data on centred x say about the line through zero (d = 1) or not (d = 2), in closed form.
struct Exact {
    n: f64,
    rss: f64,
    /// Least squares of each parameter, and Σ of the squares of its column.
    estimates: Vec<(f64, f64)>,
}

impl Exact {
    fn of(frame: &Frame, d: usize) -> Self {
        let (x, y, n) = (&frame.x, &frame.y, frame.x.len() as f64);
        let xx: f64 = x.iter().map(|x| x * x).sum();
        let xy: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
        let mut estimates = vec![(xy / xx, xx), (y.iter().sum::<f64>() / n, n)];
        estimates.truncate(d);
        let b = estimates.get(1).map_or(0.0, |e| e.0);
        let rss = x.iter().zip(y).map(|(x, y)| (y - xy / xx * x - b).powi(2)).sum();
        Self { n, rss, estimates }
    }

    fn d(&self) -> f64 {
        self.estimates.len() as f64
    }

    /// F under U(−B, B) for each parameter, with the posterior's mass inside the box.
    fn uniform(&self, s2: f64) -> f64 {
        let each = |&(estimate, square): &(f64, f64)| {
            let error = (2.0 * s2 / square).sqrt();
            let mass = 0.5 * (libm::erf((B - estimate) / error) + libm::erf((B + estimate) / error));
            0.5 * square.ln() + (2.0 * B).ln() - mass.ln()
        };
        0.5 * (self.n - self.d()) * (2.0 * PI * s2).ln() + 0.5 * self.rss / s2 + self.estimates.iter().map(each).sum::<f64>()
    }

    /// F under N(0, 1) for each parameter. Columns are orthogonal, so that each adds for itself: its estimate is N(0, 1 + s²/Σ) beforehand.
    fn normal(&self, s2: f64) -> f64 {
        let each = |&(estimate, square): &(f64, f64)| 0.5 * (1.0 + square / s2).ln() + 0.5 * estimate * estimate * square / (s2 + square);
        0.5 * self.n * (2.0 * PI * s2).ln() + 0.5 * self.rss / s2 + self.estimates.iter().map(each).sum::<f64>()
    }
}

/// Probability that |t| of so many degrees of freedom is larger.
fn beyond(t: f64, degrees: f64) -> f64 {
    puruspe::betai(0.5 * degrees, 0.5, degrees / (degrees + t * t))
}

fn phi(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// Probability over data sets that y = a x + b wins where that is true: the threshold c of |b₀|√N/s follows from F₂ − F₁ = (c² − N b₀²/s²)/2.
fn chosen(b: f64, c2: f64) -> f64 {
    let m = (N as f64).sqrt() * b / S;
    phi(m - c2.sqrt()) + phi(-m - c2.sqrt())
}

/// Intercepts of the data sets, 250 each: false choices, few detections, half of them, most.
const INTERCEPTS: [f64; 4] = [0.0, 0.02, 0.0402, 0.06];
const EACH: usize = 250;

/// One data set's outcome: whether the second candidate won, whether exact free energies say so, and how many errors each F is off.
struct Outcome {
    won: bool,
    exact: bool,
    errors: [f64; 2],
    se: f64,
    degrees: f64,
}

fn outcome(spec: &Spec, number: u32, b: f64) -> Outcome {
    let (frame, _) = data(number, |a| 0.9 * a, |_| b);
    let runs = run(spec, &frame, 1, (60.0, 0.3), MOST_SWEEPS);
    let exact = [1, 2].map(|d| Exact::of(&frame, d).uniform(S * S));
    let errors = [0, 1].map(|i| (runs[i].free.value - exact[i]) / runs[i].free.se);
    let se = runs.iter().map(|r| r.free.se).fold(0.0, f64::max);
    let degrees = runs[0].free.degrees as f64;
    Outcome { won: runs[1].free.value < runs[0].free.value, exact: exact[1] < exact[0], errors, se, degrees }
}

/// Sweeps of a copy, adaptation included.
const MOST_SWEEPS: usize = 400;

#[test]
fn a_thousand_lines_are_told_apart_as_often_as_they_should_be() {
    let mut spec = spec(specs::sigma(S), uniform(), uniform());
    spec.run.copies = 4;
    let began = std::time::Instant::now();
    let each = |i: usize| outcome(&spec, i as u32, INTERCEPTS[i / EACH]);
    let outcomes: Vec<Outcome> = (0..INTERCEPTS.len() * EACH).into_par_iter().map(each).collect();
    println!("{} data sets in {:.1} s", outcomes.len(), began.elapsed().as_secs_f64());
    choices(&outcomes);
    errors(&outcomes);
}

/// How often the second candidate wins. Each number is inside an exact binomial band that leaves 1/800 on either side: four of them raise an
/// alarm in 1 % of seeds. An F that is .1 nat off moves the threshold by .035, which the frequencies feel in second order only.
fn choices(outcomes: &[Outcome]) {
    let c2 = (N as f64 / (2.0 * PI * S * S)).ln() + 2.0 * (2.0 * B).ln();
    assert!((c2.sqrt() - 2.84).abs() < 0.005 && (chosen(0.0, c2) - 0.0045).abs() < 5e-5 && (chosen(0.0402, c2) - 0.5).abs() < 0.005);
    let won: Vec<usize> = outcomes.chunks(EACH).map(|o| o.iter().filter(|o| o.won).count()).collect();
    let holds = |c2: f64| {
        INTERCEPTS.iter().zip(&won).all(|(b, won)| {
            let (low, high) = band(EACH, chosen(*b, c2), 1.25e-3);
            (low..=high).contains(won)
        })
    };
    for (b, won) in INTERCEPTS.iter().zip(&won) {
        let p = chosen(*b, c2);
        println!("b = {b}: y = a x + b wins {won} times of {EACH}, {:.1} expected, band {:?}", p * EACH as f64, band(EACH, p, 1.25e-3));
    }
    assert!(holds(c2), "{won:?}");
    // BIC's threshold, and F₂ without its 2π.
    assert!(!holds((N as f64).ln()) && !holds(c2 + (2.0 * PI).ln()), "a mutant passes: {won:?}");
    // Those whose F₂ − F₁ is nearer to zero than its error, by chance.
    let otherwise = outcomes.iter().filter(|o| o.won != o.exact).count();
    println!("{otherwise} of {} choices are not those of exact free energies", outcomes.len());
}

/// (F − exact)/se of all runs, t distributed with the blocks' degrees of freedom ν. Mean: within ½ se, by which −ln of a mean of that error is
/// too large on average, and 3.5 standard errors. Mean square: ν/(ν − 2) within 3.5 standard errors, from the kurtosis 3 + 6/(ν − 4).
/// Largest: beyond it once in 1000 seeds for all together. Alarms in .2 % of seeds.
fn errors(outcomes: &[Outcome]) {
    let (all, nu): (Vec<f64>, f64) = (outcomes.iter().flat_map(|o| o.errors).collect(), outcomes[0].degrees);
    let n = all.len() as f64;
    let se = outcomes.iter().map(|o| o.se).sum::<f64>() / outcomes.len() as f64;
    let (mean, square) = (all.iter().sum::<f64>() / n, all.iter().map(|v| v * v).sum::<f64>() / n);
    let variance = nu / (nu - 2.0);
    let spread = variance * ((2.0 + 6.0 / (nu - 4.0)) / n).sqrt();
    let largest = all.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    println!("{n} F of error {se:.3}: mean {mean:+.3}, mean square {square:.3} for {variance:.3} ± {spread:.3}, largest {largest:.2}");
    let about = |centre: f64, mean: f64| (mean - centre).abs() < 3.5 * (variance / n).sqrt() + 0.5 * se;
    assert!(about(0.0, mean), "a mean of {mean} errors");
    let honest = |square: f64| (square - variance).abs() < 3.5 * spread;
    assert!(honest(square), "a mean square of {square}");
    assert!(beyond(largest, nu) > 1e-3 / n, "one F is {largest} errors off");
    assert!((beyond(2.131, 15.0) - 0.05).abs() < 1e-4, "not the table's t of 15 degrees of freedom");
    // F off by a quarter of its error, and errors an eighth too small or too large.
    assert!(!about(0.0, mean + 0.25) && !honest(square * 1.27) && !honest(square / 1.27), "a mutant passes");
}

/// Truths from the prior, so that coverage is exact whatever the data: 300 of a and b each.
const TRUTHS: u32 = 300;

/// Central intervals of a and b. Each of the six numbers is inside an exact binomial band that leaves 1/1200 on either side: alarms in 1 % of
/// seeds. Quantiles of n effective draws cover level·(1 − 2/(n + 1)), by which the lower end is lowered.
#[test]
fn credible_intervals_of_lines_cover_at_their_rate() {
    let mut spec = spec(specs::sigma(S), uniform(), uniform());
    spec.groups[0].candidates.remove(0);
    let key = Key::new(43, "lines", "", "", 0);
    let each = |number: u32| {
        let (frame, truth) = data(10_000 + number, |a| a, |b| b);
        let run = run(&spec, &frame, 2, (60.0, 0.3), 2 * MOST_SWEEPS).remove(0);
        let chains =
            |i: usize| run.sampled.copies.iter().map(|c| c.draws.iter().skip(i).step_by(2).copied().collect()).collect::<Vec<Vec<f64>>>();
        [0, 1].map(|i| (rank::rank(truth[i], &chains(i), &mut key.stream(number, i as u32, 0)).unwrap(), diagnostics::ess_mean(&chains(i))))
    };
    let all: Vec<[(Ranked, f64); 2]> = (0..TRUTHS).into_par_iter().map(each).collect();
    let n = TRUTHS as usize;
    for (i, name) in ["a", "b"].into_iter().enumerate() {
        let ess = all.iter().map(|r| r[i].1).sum::<f64>() / n as f64;
        for (l, level) in LEVELS.into_iter().enumerate() {
            let inside = all.iter().filter(|r| r[i].0.inside[l]).count();
            let (low, high) = (band(n, level * (1.0 - 2.0 / (ess + 1.0)), 1.0 / 1200.0).0, band(n, level, 1.0 / 1200.0).1);
            println!("{name}: {inside} of {n} inside {level} ({low} to {high}), {ess:.0} effective draws");
            assert!((low..=high).contains(&inside), "{name}: {inside} of {n} inside {level}");
        }
        // Intervals of 50 % taken for those of 68 %, and those of 68 % for 95 %.
        let inside = |l: usize| all.iter().filter(|r| r[i].0.inside[l]).count();
        assert!(inside(0) < band(n, 0.67, 1.0 / 1200.0).0 && inside(1) < band(n, 0.94, 1.0 / 1200.0).0);
    }
}

/// The reference data: numpy's default_rng(12345), a = .8, b = .1.
fn reference() -> Frame {
    let (spec, dataset) = examples::read("straight-line");
    dataset.load(&dataset.entries[0], &spec.data).unwrap()
}

/// s² of the reference numbers.
const S2: f64 = 0.01024;

/// Whether F is what it should be within its own error, of 15 degrees of freedom: beyond it once in 1000.
fn holds(free: &FreeEnergy, exact: f64) -> bool {
    let off = (free.value - exact) / free.se;
    println!("F {:.4} ± {:.4} for {exact:.4}: {off:+.2} errors", free.value, free.se);
    assert!(free.se < 0.04, "an error of {} agrees with anything", free.se);
    beyond(off, free.degrees as f64) > 1e-3
}

/// Closed forms of this file against the numbers of an independent program.
#[test]
fn closed_forms_of_the_line_are_those_of_the_reference() {
    let frame = reference();
    let [one, two] = [1, 2].map(|d| Exact::of(&frame, d));
    assert!((two.rss - 0.538458336).abs() < 1e-8 && (one.rss - 1.100742632).abs() < 1e-8);
    for (got, exact) in [(one.uniform(S2), -11.3505725), (two.uniform(S2), -34.7849134), (two.normal(S2), -33.9976130)] {
        assert!((got - exact).abs() < 1e-6, "{got} for {exact}");
    }
    // The noise that minimises F under flat priors.
    let least = two.rss / (two.n - 2.0);
    assert!((least - 0.0112179).abs() < 1e-7 && (two.uniform(least) + 34.88784).abs() < 1e-5);
}

/// F under N(0, 1), and the noise that minimises it, where s²* = ⟨RSS⟩/N over the posterior at s²*.
#[test]
fn a_line_under_normal_priors_comes_out_exactly() {
    let (frame, normal) = (reference(), Prior::Normal { mean: 0.0, sd: 1.0 });
    let runs = run(&spec(specs::sigma(S2.sqrt()), normal, normal), &frame, 3, (400.0, 0.02), 20_000);
    for (d, run) in (1..).zip(&runs) {
        let exact = Exact::of(&frame, d);
        assert!(holds(&run.free, exact.normal(S2)) && !holds(&run.free, exact.uniform(S2)), "uniform priors would pass");
    }
    let stated = 0.05;
    for (d, run) in (1..).zip(run(&spec(specs::sigma(stated), normal, normal), &frame, 4, (400.0, 0.02), 20_000)) {
        let exact = Exact::of(&frame, d);
        let rss =
            |s2: f64| exact.rss + exact.estimates.iter().map(|(e, q)| q * (e * s2 / (s2 + q)).powi(2) + q * s2 / (s2 + q)).sum::<f64>();
        let least = (0..100).fold(S2, |s2, _| rss(s2) / exact.n);
        let near = [0.999, 1.001].map(|f| exact.normal(f * least));
        assert!(near.iter().all(|f| *f > exact.normal(least)), "the fixed point is no minimum");
        let Least::Minimum(m) = Scan::of(&run.problem, &run.sampled, &run.free).unwrap().least() else { panic!("an edge") };
        let off = (m.scale - least.sqrt() / stated) / m.scale_se;
        let without = (m.scale - (exact.rss / exact.n).sqrt() / stated) / m.scale_se;
        println!("s² {:.6} for {least:.6}: {off:+.2} errors; RSS/N is {without:+.2} off", (m.scale * stated).powi(2));
        assert!(beyond(off, 15.0) > 1e-3 && (m.free_energy - exact.normal(least)).abs() < 4.1 * m.free_energy_se);
        assert!(d == 1 || beyond(without, 15.0) < 1e-3, "the mutant RSS/N would pass");
    }
}

/// An unknown scale c, log-uniform: F by the sum over ln c, Student's t of N − d degrees of freedom for a and b, an inverse Gamma for s².
#[test]
fn a_line_of_unknown_noise_comes_out_exactly() {
    let (frame, stated) = (reference(), 0.05);
    let noise = Noise::Gaussian { sigma: Sigma::Number(stated), scale: Some(Prior::LogUniform { low: 1e-3, high: 1e3 }) };
    for (d, run) in (1..).zip(run(&spec(noise, uniform(), uniform()), &frame, 5, (2000.0, 0.02), 40_000)) {
        let exact = Exact::of(&frame, d);
        // A sum over a smooth integrand that vanishes at both ends converges exponentially.
        let (low, high, n) = (1e-3f64.ln(), 1e3f64.ln(), 4000);
        let origin = exact.uniform(exact.rss / exact.n);
        let at = |i: usize| (stated * (low + (high - low) * (i as f64 + 0.5) / n as f64).exp()).powi(2);
        let mean = (0..n).map(|i| (origin - exact.uniform(at(i))).exp()).sum::<f64>() / n as f64;
        let sum = origin - mean.ln();
        assert!(holds(&run.free, sum) && !holds(&run.free, sum - 1e6f64.ln().ln()), "a prior that is not normalised would pass");
        let k = exact.estimates.len() + 1;
        // a and b to 4.5 errors, and s², whose posterior is an inverse Gamma of shape (N − d)/2 and scale RSS/2: six numbers, an alarm once in
        // 24 000 seeds.
        let half = 0.5 * (exact.n - exact.d());
        let (mean, shape) = (0.5 * exact.rss / (half - 1.0), half - 2.0);
        let mut moments = vec![(k - 1, 2, mean, mean / shape.sqrt())];
        moments.extend(exact.estimates.iter().enumerate().map(|(i, (e, q))| (i, 1, *e, (mean / q).sqrt())));
        for (i, power, expected, sd) in moments {
            let value = |row: &[f64]| if power == 2 { (stated * row[i]).powi(2) } else { row[i] };
            let chains: Vec<Vec<f64>> = run.sampled.copies.iter().map(|c| c.draws.chunks_exact(k).map(value).collect()).collect();
            let (all, ess) = (chains.concat(), diagnostics::ess_mean(&chains));
            let got = all.iter().sum::<f64>() / all.len() as f64;
            let off = (got - expected) / (sd / ess.sqrt());
            println!("{}: {got:.6} for {expected:.6}: {off:+.2} errors, {ess:.0} effective draws", run.problem.parameters[i].name);
            assert!(off.abs() < 4.5 && ess > 1000.0);
            // Flat in s² instead of Jeffreys' prior: (N − d − 2)/2.
            let flat = 0.5 * exact.rss / (half - 2.0);
            assert!(power == 1 || (got - flat).abs() > 4.5 * sd / ess.sqrt(), "the mutant prior would pass");
        }
    }
}
