//! Geweke's joint test of every kind of move (JASA 99 (2004) 799): parameters drawn from their prior and data drawn from them have the same
//! joint distribution after a move at these data, however often it is made.
//!
//! Every repeat starts afresh, so that repeats are independent. Compared is what was before and after in one repeat: a move that leaves the
//! joint distribution as it is makes all mean differences zero. At β below 1 the data are drawn from the likelihood to the power β, whose
//! norm depends on no parameter only where σ is known; counts and an inferred scale are tested at β = 1.

use std::slice::from_ref;
use std::sync::Arc;

use rand_distr::{Distribution, Poisson};
use rayon::prelude::*;

use super::super::cluster::{self, States};
use super::super::normal::{Approximation, Length, MOST};
use super::super::rivals::choose;
use super::super::schedule;
use super::*;
use crate::dataset::Frame;
use crate::engine::oracle::{self, Oracle};
use crate::engine::{Engine, Roster};
use crate::prior::Prior;
use crate::problem::{self, Noise};
use crate::spec::{self, Parameter, Sigma, bare};

const REPEATS: u32 = 4000;
const SWEEPS: u32 = 10;
/// A mutant is given more of them, for what is wrong adds up; most where the priors' ends and the data hold it nearly in place.
const MUTANT_SWEEPS: [u32; 2] = [30, 120];
/// Draws of the prior that a parameter is ranked among.
const RANKED: usize = 19;
/// False-alarm rate of one number. All tests here look at fewer than a thousand: together they raise an alarm in less than 1 % of seeds.
const LEVEL: f64 = 1e-5;
/// Standard error of a point.
const SIGMA: f64 = 3.0;

/// What is wrong on purpose with a move's acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// The ratio of the priors alone decides: the proposal's density or Jacobian is left out.
    Proposal,
    /// No ratio at all: the prior is left out as well.
    Prior,
}

/// The curve that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    /// Two broad peaks on a level.
    Broad,
    /// The same with one area for both.
    Shared,
    /// Three narrow peaks and no level: which of them overlap differs from draw to draw.
    Narrow,
}

/// Noise, inverse temperature, whether relocations know where peaks have been seen, the curve, and how many proposals a walker chooses among.
#[derive(Clone, Copy, Debug)]
struct Case {
    noise: Noise,
    beta: f64,
    learned: bool,
    curve: Curve,
    proposals: usize,
}

const CASES: [Case; 4] = [
    Case { noise: Noise::Gaussian, beta: 1.0, learned: false, curve: Curve::Broad, proposals: 1 },
    Case { noise: Noise::Gaussian, beta: 0.3, learned: true, curve: Curve::Broad, proposals: 1 },
    Case { noise: Noise::Poisson, beta: 1.0, learned: true, curve: Curve::Broad, proposals: 1 },
    Case { noise: Noise::Scaled { parameter: 7 }, beta: 1.0, learned: false, curve: Curve::Broad, proposals: 1 },
];

/// A curve on 30 points, with priors in both coordinates and with ends that are met; the data are put in later.
pub(super) fn template(noise: Noise, curve: Curve) -> Problem {
    let noise = match noise {
        Noise::Gaussian => spec::Noise::Gaussian { sigma: Sigma::Number(SIGMA), scale: None },
        Noise::Scaled { .. } => {
            spec::Noise::Gaussian { sigma: Sigma::Number(SIGMA), scale: Some(Prior::LogUniform { low: 0.3, high: 2.0 }) }
        }
        Noise::Poisson => spec::Noise::Poisson,
    };
    let area = Prior::TruncatedNormal { mean: 5.0, sd: 3.0, low: 0.0, high: 20.0 };
    let fwhm = if curve == Curve::Narrow { (0.15, 0.4) } else { (0.3, 1.2) };
    let fwhm = Prior::LogUniform { low: fwhm.0, high: fwhm.1 };
    let mut peak = [area, Prior::TruncatedNormal { mean: 1.5, sd: 0.5, low: 0.2, high: 2.8 }, fwhm].map(Parameter::Free).to_vec();
    if curve == Curve::Shared {
        peak[0] = Parameter::Shared(area);
    }
    let level = Parameter::Free(Prior::Gamma { shape: 4.0, rate: 1.0 });
    let (level, peaks) = (bare::term("chebyshev", 0, vec![level], false), bare::term("gaussian", 0, peak, true));
    let spec = match curve {
        Curve::Narrow => bare::spec((0.0, 3.0), noise, vec![peaks], &[&[3]]),
        Curve::Broad | Curve::Shared => bare::spec((0.0, 3.0), noise, vec![level, peaks], &[&[1, 2]]),
    };
    let x: Vec<f64> = (0..30).map(|i| 0.05 + 0.1 * f64::from(i)).collect();
    let y = x.iter().map(|_| 20.0).collect();
    problem::build(&spec, &Frame { number: 1, x, y, monitor: vec![1.0], ..Frame::default() }).unwrap().remove(0)
}

pub(super) fn prior(problem: &Problem, stream: &mut Stream) -> Vec<f64> {
    problem.parameters.iter().map(|p| p.prior.sample(stream)).collect()
}

/// Data at a point of parameter space, from the likelihood to the power β.
pub(super) fn measure(problem: &mut Problem, theta: &[f64], beta: f64, stream: &mut Stream) {
    let mut of_theta = vec![0.0; problem.coefficients()];
    assert!(problem.prepare_all(theta, &mut of_theta));
    let curve = oracle::curve(problem, 0, &of_theta);
    let data = &mut problem.measurements[0];
    let mut noisy = |f: f64| match data.noise {
        Noise::Poisson => Poisson::new(f * data.scale).expect("an expectation").sample(stream) / data.scale,
        Noise::Gaussian => f + SIGMA / data.scale / beta.sqrt() * standard(stream),
        Noise::Scaled { parameter } => f + theta[parameter] * SIGMA / data.scale * standard(stream),
    };
    data.y = curve.into_iter().map(&mut noisy).collect();
}

/// The moves of a schedule that are of this kind. A peak drawn afresh has no guide; a relocation is made where a refit would be too.
fn moves_of(problem: &Problem, kind: Kind) -> Vec<Move> {
    let wanted = if kind == Kind::Renew { Kind::Relocate } else { kind };
    let mut moves: Vec<Move> = schedule::schedule(problem).into_iter().filter(|m| m.kind == wanted).collect();
    for what in &mut moves {
        what.kind = kind;
        what.guide = what.guide.take().filter(|_| kind != Kind::Renew);
        what.refit = what.refit.take().filter(|_| kind == Kind::Refit);
        what.parity = None;
    }
    assert!(!moves.is_empty(), "no {kind:?}");
    moves
}

/// Draws that have nothing to do with the data, for relocations to learn from.
fn seen(problem: &Problem) -> Record {
    let mut record = Record::new(1, problem.dimension(), 64, 0.0);
    let mut stream = Key::new(1, "seen", "", "", 0).stream(0, 0, 0);
    for _ in 0..64 {
        record.keep(&[0.0], &[], &prior(problem, &mut stream));
    }
    record
}

/// The same as an approximation of a posterior that it has nothing to do with, by several normal densities.
fn approximation(problem: &Problem, whole: &Move) -> Arc<Approximation> {
    let places = whole.places.as_ref().expect("places");
    let (mut states, n) = (States::default(), places.parameters.len());
    let mut stream = Key::new(1, "seen", "", "", 0).stream(0, 0, 0);
    for _ in 0..400 {
        let mut theta = prior(problem, &mut stream);
        // The peak to the left is the smaller one, so that it matters which is which: those that changed places could not go back.
        if (theta[2] < theta[5]) != (theta[1] < theta[4]) {
            theta.swap(1, 4);
        }
        let mut state = [0.0; MOST];
        places.state(&theta, &mut state);
        states.add(&state[..n], 400);
    }
    let learned = cluster::approximation(&[&states], n, 4).expect("enough states");
    assert_eq!(learned.components(), 4);
    Arc::new(learned)
}

/// One repeat: functions of parameters and data before and after, and the ranks of the parameters after among draws of their priors.
fn repeat(problem: &mut Problem, case: Case, kind: Kind, mutant: Mutant, number: u32) -> ([Vec<f64>; 2], Vec<usize>) {
    let d = problem.dimension();
    let mut stream = Key::new(2, "joint", "data", "", 0).stream(number, 0, 0);
    let theta = prior(problem, &mut stream);
    measure(problem, &theta, case.beta, &mut stream);
    let problem = &*problem;
    let moves = moves_of(problem, kind);
    let refresh = schedule::refresh(problem);
    let mut chain = Chains::new(problem, vec![Key::new(2, "joint", "moves", "", number as usize)], &[0.0, case.beta], &moves, 1);
    chain.tuning.adapting = false;
    if case.learned {
        chain.tuning.place(problem, &moves, &[&seen(problem)]);
    }
    if kind == Kind::Whole {
        chain.tuning.normals[1] = Some(approximation(problem, &moves[0]));
    }
    chain.theta.set(1, &theta);
    chain.choose_among(case.proposals);
    let mut roster = Roster { rivals: case.proposals - 1, ..Roster::default() };
    roster.push(problem, 2);
    let mut tile = Oracle.tile(roster).unwrap();
    let (mut all, mut misfits, mut choices, mut proposed) = (Vec::new(), Vec::new(), Vec::new(), Moves::default());
    let mut room = Room::default();
    let admitted = chain.coefficients(&mut all);
    tile.load(&[0, 1], &all, &mut misfits).unwrap();
    chain.loaded(&misfits, &admitted);
    let look = |chain: &Chains<'_>| {
        let (theta, misfit) = (chain.row(1), chain.misfits[1]);
        theta.iter().flat_map(|v| [*v, v * v, v * misfit]).chain([misfit, misfit * misfit]).collect::<Vec<f64>>()
    };
    let before = look(&chain);
    let sweeps = match mutant {
        Mutant::None => SWEEPS,
        Mutant::Proposal => MUTANT_SWEEPS[0],
        Mutant::Prior => MUTANT_SWEEPS[1],
    };
    for sweep in 0..sweeps {
        chain.sweep = sweep;
        for step in 0..moves.len() {
            proposed.clear();
            chain.propose(step, &moves, &refresh, 0, &mut proposed, &mut room);
            if mutant != Mutant::None {
                for at in case.proposals..2 * case.proposals {
                    let state = chain.row(1);
                    let to = if chain.abreast { chain.proposed.at(1, state.clone()) } else { chain.trial[at * d..(at + 1) * d].to_vec() };
                    let of = |i: usize| problem.parameters[i].prior.ln_ratio(to[i], state[i]);
                    chain.ln_ratio[at] = if mutant == Mutant::Proposal { (0..d).map(of).sum() } else { 0.0 };
                }
            }
            choices.clear();
            tile.attempt(from_ref(&proposed), &mut misfits).unwrap();
            chain.decide(step, &mut misfits.as_slice(), &mut choices);
            tile.settle(&choices).unwrap();
        }
    }
    let end = chain.row(1);
    let rank = |i: usize| (0..RANKED).filter(|_| problem.parameters[i].prior.sample(&mut stream) < end[i]).count();
    ([before, look(&chain)], (0..d).map(rank).collect())
}

/// The largest of all numbers of a case, each in units of its bound: differences over their standard errors, and χ² of ranks.
fn largest(case: Case, kind: Kind, mutant: Mutant) -> f64 {
    let template = template(case.noise, case.curve);
    let each = |number| repeat(&mut template.clone(), case, kind, mutant, number);
    let all: Vec<_> = (0..REPEATS).into_par_iter().map(each).collect();
    let n = f64::from(REPEATS);
    let deviate = |j: usize| {
        let differences: Vec<f64> = all.iter().map(|([before, after], _)| after[j] - before[j]).collect();
        let mean = differences.iter().sum::<f64>() / n;
        let variance = differences.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        if variance > 0.0 { mean.abs() / (variance / n).sqrt() } else { 0.0 }
    };
    let chi2 = |i: usize| {
        let mut counts = [0.0; RANKED + 1];
        all.iter().for_each(|(_, ranks)| counts[ranks[i]] += 1.0);
        let expected = n / counts.len() as f64;
        counts.iter().map(|c| (c - expected).powi(2) / expected).sum::<f64>()
    };
    let deviates = (0..all[0].0[0].len()).map(deviate).fold(0.0, f64::max);
    let ranks = (0..all[0].1.len()).map(chi2).fold(0.0, f64::max);
    let moved = all.iter().filter(|([before, after], _)| before != after).count();
    println!("{kind:?} {mutant:?} {case:?}: {deviates:.2} errors, χ² {ranks:.1}, {moved} of {REPEATS} moved");
    assert!(moved > REPEATS as usize / 16, "{kind:?} hardly moves");
    // Normal on both sides, and the ranks' degrees of freedom.
    let bounds = (std::f64::consts::SQRT_2 * puruspe::inverfc(LEVEL), 2.0 * puruspe::invgammp(1.0 - LEVEL, 0.5 * RANKED as f64));
    (deviates / bounds.0).max(ranks / bounds.1)
}

/// Several proposals a walker: all moves that can have them leave the joint distribution as it is. Steps from the state itself, without a centre that
/// state and proposals have in common, are not exchangeable: walks are then 16 errors off.
#[test]
fn choices_among_several_leave_the_joint_distribution() {
    let several = |case: Case| Case { proposals: 4, ..case };
    for kind in [Kind::Walk, Kind::Renew, Kind::Relocate, Kind::Trade, Kind::Spread, Kind::Whole] {
        for case in CASES.map(several) {
            assert!(largest(case, kind, Mutant::None) < 1.0, "{kind:?} changes the joint distribution: {case:?}");
        }
    }
    assert!(largest(several(CASES[0]), Kind::Walk, Mutant::Proposal) > 1.0, "the mutant passes");
}

/// Among weights of one state and three proposals, whichever of the four the state is: what passes from one to another passes back. 12 pairs at four
/// and a half standard errors, a false alarm once in ten thousand seeds; a proposal that is taken as soon as it is drawn is some 50 off.
#[test]
fn what_is_chosen_one_way_is_chosen_back() {
    const DRAWS: u32 = 200_000;
    let weights = [1.0f64, 0.2, 3.0, 0.5];
    let total: f64 = weights.iter().sum();
    let mut stream = Key::new(8, "choice", "", "", 0).stream(0, 0, 0);
    let mut flow = [[0.0; 4]; 4];
    for (from, flow) in flow.iter_mut().enumerate() {
        let others: Vec<usize> = (0..4).filter(|&i| i != from).collect();
        let rival = |&i: &usize| Rival { ln_weight: (weights[i] / weights[from]).ln(), energy: 0.0, tempered: f64::NAN };
        let rivals: Vec<Rival> = others.iter().map(rival).collect();
        for _ in 0..DRAWS {
            let to = choose(&rivals, &mut stream).map_or(from, |at| others[at]);
            flow[to] += weights[from] / total / f64::from(DRAWS);
        }
    }
    for (a, b) in (0..4).flat_map(|a| (0..a).map(move |b| (a, b))) {
        let variance = |from: usize, flow: f64| flow * weights[from] / total / f64::from(DRAWS);
        let errors = (flow[a][b] - flow[b][a]) / (variance(a, flow[a][b]) + variance(b, flow[b][a])).sqrt();
        assert!(errors.abs() < 4.5 && flow[a][b] > 0.0, "{a} to {b}: {errors} errors");
    }
    assert_eq!(choose(&[Rival::REFUSED; 3], &mut stream), None);
}

/// Every case passes, and the mutant is rejected: at β = 1, or at β = .3 where it is the prior that is missing.
fn joint(kind: Kind, mutant: Mutant) {
    for case in CASES {
        assert!(largest(case, kind, Mutant::None) < 1.0, "{kind:?} changes the joint distribution: {case:?}");
    }
    let weak = CASES[usize::from(mutant == Mutant::Prior)];
    assert!(largest(weak, kind, mutant) > 1.0, "the mutant passes");
}

#[test]
fn walks_leave_the_joint_distribution() {
    joint(Kind::Walk, Mutant::Proposal);
}

#[test]
fn renewals_leave_the_joint_distribution() {
    joint(Kind::Renew, Mutant::Proposal);
}

#[test]
fn relocations_leave_the_joint_distribution() {
    joint(Kind::Relocate, Mutant::Proposal);
}

#[test]
fn refits_leave_the_joint_distribution() {
    joint(Kind::Refit, Mutant::Proposal);
}

/// One amplitude that is part of a curve that moves and of one that stays: the column at the new place is of both.
#[test]
fn refits_of_a_shared_amplitude_leave_the_joint_distribution() {
    let case = Case { noise: Noise::Gaussian, beta: 1.0, learned: true, curve: Curve::Shared, proposals: 1 };
    assert!(largest(case, Kind::Refit, Mutant::None) < 1.0);
    assert!(largest(case, Kind::Refit, Mutant::Proposal) > 1.0, "the mutant passes");
}

/// Peaks that are far from those put elsewhere keep their amplitudes; which these are differs from draw to draw.
#[test]
fn refits_among_peaks_that_are_apart_leave_the_joint_distribution() {
    let case = Case { noise: Noise::Gaussian, beta: 1.0, learned: false, curve: Curve::Narrow, proposals: 1 };
    let cases = [case, Case { learned: true, beta: 0.3, ..case }, Case { noise: Noise::Scaled { parameter: 9 }, ..case }];
    for case in cases {
        assert!(largest(case, Kind::Refit, Mutant::None) < 1.0, "{case:?}");
    }
    assert!(largest(case, Kind::Refit, Mutant::Proposal) > 1.0, "the mutant passes");
}

#[test]
fn trades_leave_the_joint_distribution() {
    joint(Kind::Trade, Mutant::Prior);
}

#[test]
fn spreads_leave_the_joint_distribution() {
    joint(Kind::Spread, Mutant::Prior);
}

#[test]
fn steps_of_the_whole_leave_the_joint_distribution() {
    joint(Kind::Whole, Mutant::Proposal);
}

/// Where peaks often change places, as they do under the prior, steps that are not refused then let the smaller one of the approximation
/// drift to its side. Bounds as in the joint test.
#[test]
fn steps_of_the_whole_refuse_peaks_that_change_places() {
    let problem = template(Noise::Gaussian, Curve::Broad);
    let moves = moves_of(&problem, Kind::Whole);
    let places = moves[0].places.as_ref().expect("places");
    let normals = approximation(&problem, &moves[0]);
    // By how much the peak to the left is the larger one: which is which shows in no parameter alone.
    let left = |theta: &[f64]| (theta[5] - theta[2]).signum() * (theta[1] - theta[4]);
    let errors = |mutant: bool| {
        let repeat = |number: u32| {
            let mut stream = Key::new(4, "places", "", "", 0).stream(number, 0, 0);
            let mut theta = prior(&problem, &mut stream);
            let before = left(&theta);
            for _ in 0..MUTANT_SWEEPS[0] {
                let mut to = theta.clone();
                let stepped = places.step(&normals, (Length::Within(0.7), Centre(&[])), &theta, &mut to, &mut stream);
                let ratios = problem.parameters.iter().zip(to.iter().zip(&theta)).map(|(p, (to, from))| p.prior.ln_ratio(*to, *from));
                let accepted = stream.random::<f64>().ln() < stepped.ln_ratio + ratios.sum::<f64>();
                if accepted && (stepped.allowed || mutant) {
                    theta = to;
                }
            }
            left(&theta) - before
        };
        let all: Vec<f64> = (0..REPEATS).map(repeat).collect();
        let n = f64::from(REPEATS);
        let mean = all.iter().sum::<f64>() / n;
        mean.abs() / (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt()
    };
    let (right, mutant) = (errors(false), errors(true));
    println!("{right:.2} errors, {mutant:.2} where peaks may change places");
    let bound = std::f64::consts::SQRT_2 * puruspe::inverfc(LEVEL);
    assert!(right < bound && mutant > bound, "{right}, {mutant}");
}

/// The first stage of a refit's acceptance is exact where its misfits depend on the parameters alone: those of a state are the same bits as the place
/// that is come to and as the one that is left for where one came from, over the same points: amplitudes that are drawn anew because of the old place
/// alone would not be those of the way back. What they are off by costs acceptance: f32 columns are some 1e-7 of the
/// data, against residuals of a thousandth.
#[test]
fn misfits_that_refits_know_depend_on_the_parameters_alone() {
    for (noise, curve) in [
        (Noise::Gaussian, Curve::Broad),
        (Noise::Scaled { parameter: 7 }, Curve::Broad),
        (Noise::Gaussian, Curve::Narrow),
        (Noise::Scaled { parameter: 9 }, Curve::Narrow),
    ] {
        let mut problem = template(noise, curve);
        let mut stream = Key::new(5, "misfits", "data", "", 0).stream(0, 0, 0);
        let mut theta = prior(&problem, &mut stream);
        measure(&mut problem, &theta, 1.0, &mut stream);
        let mut memory = Memory::default();
        let (mut seen, mut kept) = (0, 0);
        for what in moves_of(&problem, Kind::Refit).iter().cycle().take(60) {
            let refit = what.refit.as_ref().expect("a refit");
            let target = &what.targets[0];
            let placed: Vec<usize> = target.peaks.iter().flat_map(|peak| peak.parameters.iter().copied()).collect();
            let old: Vec<f64> = placed.iter().map(|&i| theta[i]).collect();
            let new: Vec<f64> = placed.iter().map(|&i| problem.parameters[i].prior.sample(&mut stream)).collect();
            let mut known = None;
            // There, back to the old place, and there again.
            for place in [&new, &old, &new] {
                let mut to = theta.clone();
                placed.iter().zip(place).for_each(|(&i, &value)| to[i] = value);
                let Some(drawn) = refit.draw(&problem, (1.0, &target.peaks), &mut memory, &theta, &mut to, &mut stream) else { break };
                let [here, there] = drawn.misfits.expect("known variances");
                assert!(known.is_none_or(|known: f64| known.to_bits() == here.to_bits()), "{noise:?}, {curve:?}: {known:?} and {here}");
                let exact = [&theta, &to].map(|theta| oracle::misfits(&problem, theta).expect("admissible")[0]);
                let (off, most) = ((there - here) - (exact[1] - exact[0]), 1e-4 * (1.0 + exact[0] + exact[1]));
                assert!(off.abs() < most, "{noise:?}, {curve:?}: from {here} to {there} in place of {exact:?}");
                if noise != Noise::Gaussian {
                    assert!((there - exact[1]).abs() < most, "{noise:?}, {curve:?}: {there} in place of {}", exact[1]);
                }
                kept += refit.parameters.iter().filter(|&&i| theta[i] == to[i]).count();
                (theta, known, seen) = (to, Some(there), seen + 1);
            }
        }
        assert!(seen > 90, "{noise:?}, {curve:?}: {seen} draws");
        assert_eq!(kept > 0, curve == Curve::Narrow, "{noise:?}, {curve:?}: {kept} amplitudes kept");
    }
}

/// Amplitudes that stay are taken off the data: peaks drawn where they are then fit as well as before, whatever is left besides them. Of the three
/// degrees of freedom at most that a draw has, misfits rise by no more than three times the scale squared on average; where a far peak is left in the
/// data, an inferred scale is as large as that peak, and so are the draws.
#[test]
fn amplitudes_that_stay_are_taken_off_the_data() {
    let mut problem = template(Noise::Scaled { parameter: 9 }, Curve::Narrow);
    let mut stream = Key::new(9, "stay", "data", "", 0).stream(0, 0, 0);
    let peak = |area: f64, centre: f64| [area, centre, 0.2];
    let theta = [peak(5.0, 0.5), peak(15.0, 1.5), peak(15.0, 2.5)].concat().into_iter().chain([0.3]).collect::<Vec<f64>>();
    measure(&mut problem, &theta, 1.0, &mut stream);
    let what = &moves_of(&problem, Kind::Refit)[0];
    let (refit, peaks) = (what.refit.as_ref().expect("a refit"), &what.targets[0].peaks);
    let scale = 0.3f64;
    let rises: Vec<f64> = (0..1000)
        .filter_map(|_| {
            let mut to = theta.clone();
            let drawn = refit.draw(&problem, (1.0, peaks), &mut Memory::default(), &theta, &mut to, &mut stream)?;
            assert_eq!(to[3], theta[3], "a far peak is drawn anew");
            let [here, there] = drawn.misfits.expect("a known variance");
            Some((there - here) / scale.powi(2))
        })
        .collect();
    let mean = rises.iter().sum::<f64>() / rises.len() as f64;
    println!("{} draws, {mean:.2} more on average", rises.len());
    assert!(rises.len() > 900 && mean < 3.0, "{} draws, {mean}", rises.len());
}

/// What the first stage lets pass is what would be accepted: the engine's misfits differ from those of the refit by a thousandth of a nat, so that at
/// most one in a hundred is refused. A first stage that knows nothing of the data is corrected by the second just as well, and refuses what fits.
#[test]
fn what_passes_the_first_stage_is_accepted() {
    for noise in [Noise::Gaussian, Noise::Scaled { parameter: 7 }] {
        let mut problem = template(noise, Curve::Broad);
        let mut stream = Key::new(6, "stages", "data", "", 0).stream(0, 0, 0);
        let theta = prior(&problem, &mut stream);
        measure(&mut problem, &theta, 1.0, &mut stream);
        let (moves, refresh) = (moves_of(&problem, Kind::Refit), schedule::refresh(&problem));
        let mut chain = Chains::new(&problem, vec![Key::new(6, "stages", "moves", "", 0)], &[0.0, 1.0], &moves, 1);
        chain.theta.set(1, &theta);
        chain.choose_among(1);
        let mut roster = Roster::default();
        roster.push(&problem, 2);
        let mut tile = Oracle.tile(roster).unwrap();
        let (mut all, mut misfits, mut choices, mut proposed) = (Vec::new(), Vec::new(), Vec::new(), Moves::default());
        let mut room = Room::default();
        let admitted = chain.coefficients(&mut all);
        tile.load(&[0, 1], &all, &mut misfits).unwrap();
        chain.loaded(&misfits, &admitted);
        let (mut passed, mut accepted) = (0, 0);
        for sweep in 0..4000 {
            chain.sweep = sweep;
            for step in 0..moves.len() {
                proposed.clear();
                chain.propose(step, &moves, &refresh, 0, &mut proposed, &mut room);
                choices.clear();
                tile.attempt(from_ref(&proposed), &mut misfits).unwrap();
                chain.decide(step, &mut misfits.as_slice(), &mut choices);
                tile.settle(&choices).unwrap();
                for (_, &choice) in proposed.walker.iter().zip(&choices).filter(|(w, _)| **w == 1) {
                    (passed, accepted) = (passed + 1, accepted + usize::from(choice));
                }
            }
        }
        println!("{noise:?}: {accepted} of {passed}, of {} proposals", 4000 * moves.len());
        assert!(passed > 300 && 100 * (passed - accepted) <= passed, "{noise:?}: {accepted} of {passed} accepted");
    }
}
