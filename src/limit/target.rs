//! What a virtual measurement should find: the truth, which candidates are right, and how sure their parameters can be at best.

use super::levels::{Kind, Levels};
use super::nearest::{Nearest, is_peak};
use crate::dataset::{self, Frame};
use crate::error::{Error, Result};
use crate::models::Role;
use crate::posterior;
use crate::problem::{self, Noise, Problem};
use crate::sampler::schedule::find;
use crate::simulate::{Resolvability, Series, TrueTerm};
use crate::spec::{Group, NoiseModel, RawSpec, Spec};
use crate::trial;

/// A candidate whose nearest curve is this near the truth at the level that tells most, in nats, can say it: the budget of every energy.
const HOLDS: f64 = 0.01;

/// The truth: one frame of what `[simulate]` describes.
#[derive(Clone, Debug)]
pub struct Truth {
    /// The frame, from 1.
    pub number: usize,
    /// x, ascending, N points.
    pub x: Vec<f64>,
    /// Expectation of y, N points, at the noise of `[simulate]` (T = 1).
    pub expected: Vec<f64>,
    /// The noise that is drawn.
    pub noise: NoiseModel,
    /// Factor of the σ column over what is true.
    pub sigma_factor: f64,
    /// The true terms.
    pub terms: Vec<TrueTerm>,
    /// True peaks of every window, and how far the nearest curve with one fewer is, at the noise of `[simulate]`.
    pub resolvability: Vec<Resolvability>,
    /// σ of `[simulate]`, 1 under Poisson: what `resolvability` is told at.
    pub own_level: f64,
    /// Hash of all that data are drawn from besides seed and level.
    pub hash: String,
}

impl Truth {
    /// The truth of a frame, from 1, of a simulated series.
    ///
    /// # Errors
    /// Where there is no such frame.
    pub fn new(raw: &RawSpec, series: &Series, number: usize) -> Result<Self> {
        let frames = series.frames.len();
        let (Some(frame), Some(simulate)) = (number.checked_sub(1).and_then(|i| series.frames.get(i)), raw.simulate.as_ref()) else {
            return Err(Error::fatal(format!("[simulate] has no frame {number}")).hint(format!("give --frame N with N from 1 to {frames}")));
        };
        Ok(Self {
            number,
            x: series.x.clone(),
            expected: frame.expected.clone(),
            noise: simulate.noise,
            sigma_factor: simulate.sigma_column_factor,
            terms: frame.terms.clone(),
            resolvability: frame.resolvability.clone(),
            own_level: simulate.sigma.unwrap_or(1.0),
            hash: dataset::hash(&[&series.x, &frame.expected, &[simulate.sigma_column_factor]]),
        })
    }

    /// The frame whose problems truths are compared in: its y is nobody's.
    fn template(&self) -> Frame {
        let rounded = |f: &f64| if self.noise == NoiseModel::Poisson { f.max(0.0).round() } else { *f };
        let (y, sigma) = (self.expected.iter().map(rounded).collect(), Some(vec![1.0; self.x.len()]));
        Frame { name: "truth".into(), source: "[simulate]".into(), x: self.x.clone(), y, sigma, monitor: vec![1.0], ..Frame::default() }
    }
}

/// A parameter whose posterior is compared with the truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    /// Name of its term, empty where several share it.
    pub term: String,
    /// Its name.
    pub parameter: String,
    /// Peak number by position, from 1, of a counted term.
    pub peak: Option<usize>,
    /// Its unit.
    pub unit: String,
    /// Whether it is a position.
    pub position: bool,
    /// Its true value.
    pub truth: f64,
    /// Its Cramér–Rao bound at the level 1.
    pub bound: f64,
}

/// What one window should find.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// True peaks of the counted terms; none where the candidates count nothing.
    pub true_k: Option<usize>,
    /// Labels of all candidates.
    pub labels: Vec<String>,
    /// Which candidates are right.
    pub right: Vec<usize>,
    /// Which of them is measured: the one whose nearest curve is nearest to the truth, and of several as near the one of fewest parameters.
    pub measured: usize,
    /// Kullback–Leibler distance of its nearest curve from the truth at the level 1, in nats.
    pub nats: f64,
    /// That of the nearest curve with one peak fewer, whatever the candidates; infinite where the window has no peak.
    pub fewer_nats: f64,
    /// The parameters of the measured candidate, but scales of the noise.
    pub reported: Vec<Reported>,
}

impl Target {
    /// Those of all windows.
    ///
    /// # Errors
    /// Where the spec's noise cannot be that of `[simulate]`, two measurements use one point, or no candidate is right.
    pub fn all(spec: &Spec, truth: &Truth, levels: &Levels) -> Result<Vec<Self>> {
        let frame = truth.template();
        let mut first = 0;
        let mut all = Vec::new();
        for (i, group) in spec.groups.iter().enumerate() {
            let poisson = group.measurements.iter().any(|m| m.noise == crate::spec::Noise::Poisson);
            if poisson && levels.kind == Kind::Sigma {
                return Err(Error::fatal(format!("window {}: Gaussian noise makes no counts, and its noise model is poisson", group.name))
                    .hint("give [noise] and noise of [simulate] the same model"));
            }
            let stretches = first..first + group.measurements.len();
            first = stretches.end;
            let problems = problem::build(&trial::alone(spec, i), &frame)?;
            all.push(Self::of(group, &problems, (truth, &frame), &truth.resolvability[stretches], levels)?);
        }
        Ok(all)
    }

    fn of(group: &Group, problems: &[Problem], (truth, frame): (&Truth, &Frame), found: &[Resolvability], levels: &Levels) -> Result<Self> {
        let points = problems.iter().map(|p| trial::points(frame, p)).collect::<Result<Vec<_>>>()?;
        let target: Vec<f64> = points[0].iter().flatten().map(|&i| truth.expected[i]).collect();
        let (peaks, others) = split(group, truth);
        let peaks_of = |p: &Problem| p.terms.iter().filter(|t| is_peak(t)).count();
        let true_peaks: usize = found.iter().map(|r| r.k).sum();
        let near: Vec<Option<Nearest>> = problems.iter().map(|p| Nearest::of(p, (&peaks, &others), &target, levels.unit_noise())).collect();
        let unit = |nats: f64| nats / levels.kind.width(levels.values[levels.values.len() - 1]).powi(2);
        let holds = |i: &usize| near[*i].as_ref().is_some_and(|n| unit(n.nats) < HOLDS);
        let counts = problems.iter().any(|p| p.k.is_some());
        let simplest = |all: &[usize]| all.iter().copied().min_by_key(|&i| (problems[i].dimension(), i));
        let right: Vec<usize> = if counts {
            (0..problems.len()).filter(|&i| peaks_of(&problems[i]) == true_peaks).collect()
        } else {
            simplest(&(0..problems.len()).filter(holds).collect::<Vec<_>>()).into_iter().collect()
        };
        let holding: Vec<usize> = right.iter().copied().filter(holds).collect();
        let distance = |i: &usize| near[*i].as_ref().map_or(f64::INFINITY, |n| n.nats);
        let nearest = || right.iter().copied().filter(|i| near[*i].is_some()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let Some((measured, at)) = simplest(&holding).or_else(nearest).and_then(|i| Some((i, near[i].as_ref()?))) else {
            return Err(not_offered(group, problems, counts.then_some(true_peaks), &near));
        };
        // Told at the noise of [simulate]; as a distance it falls with T and with 1/σ².
        let own = levels.kind.width(truth.own_level).powi(2);
        Ok(Self {
            true_k: counts.then(|| problems[measured].k.unwrap_or(true_peaks)),
            labels: problems.iter().map(|p| p.candidate.clone()).collect(),
            measured,
            nats: at.nats,
            fewer_nats: own * found.iter().map(|r| r.nats).fold(f64::INFINITY, f64::min),
            reported: reported(&problems[measured], at),
            right,
        })
    }

    /// Whether the candidate of that index is right.
    pub fn is_right(&self, candidate: usize) -> bool {
        self.right.contains(&candidate)
    }
}

/// The true terms that exist: peaks within the group's windows, by position, and what is no peak.
fn split(group: &Group, truth: &Truth) -> (Vec<TrueTerm>, Vec<TrueTerm>) {
    let centre = |t: &TrueTerm| t.role(Role::Center).unwrap_or(f64::NAN);
    let inside = |t: &TrueTerm| group.measurements.iter().any(|m| (m.range.0..=m.range.1).contains(&centre(t)));
    let there = truth.terms.iter().filter(|t| t.exists());
    let (mut peaks, others): (Vec<TrueTerm>, Vec<TrueTerm>) = there.cloned().partition(TrueTerm::is_peak);
    peaks.retain(inside);
    peaks.sort_by(|a, b| centre(a).total_cmp(&centre(b)));
    (peaks, others)
}

fn not_offered(group: &Group, problems: &[Problem], true_peaks: Option<usize>, near: &[Option<Nearest>]) -> Error {
    let labels: Vec<&str> = problems.iter().map(|p| p.candidate.as_str()).collect();
    let labels = labels.join(", ");
    match true_peaks {
        Some(k) => Error::fatal(format!(
            "window {}: [simulate] puts {k} peak{} there, and no candidate has so many (offered are {labels})",
            group.name,
            if k == 1 { "" } else { "s" }
        ))
        .hint(format!("give the counted term of this window a count that includes it, such as count = \"0..{}\"", k + 1)),
        None => {
            let off = near.iter().flatten().map(|n| n.nats).fold(f64::INFINITY, f64::min);
            Error::fatal(format!(
                "window {}: no candidate can say what [simulate] says: the nearest of {labels} is {off:.3} nats off at the level 1",
                group.name
            ))
            .hint("offer a candidate with the terms of [simulate], and priors that do not exclude their values")
        }
    }
}

/// The parameters of a candidate with their true values and bounds, but scales of the noise, which no curve tells of.
fn reported(problem: &Problem, near: &Nearest) -> Vec<Reported> {
    let scale = |i: usize| problem.measurements.iter().any(|m| m.noise == Noise::Scaled { parameter: i });
    let groups = posterior::groups(problem);
    let peak = |term: usize| {
        let group = groups.iter().find(|g| g.contains(&term)).filter(|_| problem.terms[term].counted)?;
        let centre = |k: usize| find(problem, k, Role::Center).map_or(k as f64, |i| near.theta[i]);
        Some(1 + group.iter().filter(|&&k| (centre(k), k) < (centre(term), term)).count())
    };
    let one = |i: usize| {
        let parameter = &problem.parameters[i];
        Reported {
            term: parameter.term.clone().unwrap_or_default(),
            parameter: parameter.name.clone(),
            peak: parameter.owner.and_then(peak),
            unit: parameter.unit.clone(),
            position: parameter.role == Role::Center,
            truth: near.theta[i],
            bound: near.bound[i],
        }
    };
    (0..problem.dimension()).filter(|&i| !scale(i)).map(one).collect()
}
