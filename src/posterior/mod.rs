//! From draws to answers: labels, intervals, probabilities of candidates, verdict and fit.

mod curves;
mod draws;
mod fit;
mod labels;
mod modes;
mod positions;
mod relabel;
mod sensitivity;
mod summary;
mod verdict;

use serde::{Deserialize, Serialize};

pub(crate) use curves::{mean_count, new_datum};
pub(crate) use draws::{free, word};
pub(crate) use labels::groups;

pub use curves::{Curves, Picked, QUANTILES};
pub use draws::{Draws, Observed, Variable, draws};
pub use modes::Mode;
pub use positions::Positions;
pub use sensitivity::{Alternative, Movement, Sensitivity};
pub use summary::window;
pub use verdict::shortfall;

use crate::evidence;
use crate::evidence::noise::{NoiseCurve, NoisePlane};

/// The answer for one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameResult {
    /// Place in the series, from 1.
    pub frame: usize,
    /// Name of the frame.
    pub name: String,
    /// File (and column or row).
    pub source: String,
    /// Time or temperature.
    pub axis: Option<f64>,
    /// Hash of the frame's numbers.
    pub data_hash: String,
    /// Rows dropped while loading.
    pub dropped: usize,
    /// What evaluated its models: `cpu`, `gpu` or `oracle`.
    pub engine: String,
    /// In what: `f32`, or `f64` where that was asked for or f32 could not hold its energies to the budget.
    pub precision: String,
    /// One entry a window, in the order of the spec; of a joint problem, the first, and then one entry a measurement by itself.
    pub windows: Vec<WindowResult>,
    /// What the measurements of a joint problem say together; none where they were not sampled alone too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Integration>,
}

/// Measurements of one specimen together, against each with parameters of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Integration {
    /// ΔF = F(D₁, D₂, …) − F(D₁) − F(D₂) − … in nats, each F that of any of its candidates: below zero, the data prefer that they share parameters.
    pub free_energy: f64,
    /// Its standard error.
    pub free_energy_se: f64,
}

impl Integration {
    /// Of the windows of a joint problem that was sampled with its measurements alone.
    pub fn of(windows: &[WindowResult]) -> Option<Self> {
        let any = |w: &WindowResult| evidence::of_any(&w.candidates.iter().map(|c| (c.free_energy, c.free_energy_se)).collect::<Vec<_>>());
        let [joint, alone @ ..] = windows else { return None };
        let (mut free_energy, se) = any(joint);
        let mut variance = se * se;
        for (own, se) in alone.iter().map(any) {
            free_energy -= own;
            variance += se * se;
        }
        Some(Self { free_energy, free_energy_se: variance.sqrt() })
    }

    /// What it means, as far as its error lets it tell: beyond two standard errors.
    pub fn sentence(&self) -> &'static str {
        match self.free_energy {
            d if d.abs() < 2.0 * self.free_energy_se => "the data do not tell whether parameters are shared",
            d if d < 0.0 => "the data prefer shared parameters",
            _ => "the data prefer parameters of their own for each measurement",
        }
    }
}

/// The answer for one window (or one joint problem) of a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowResult {
    /// Name of the window.
    pub window: String,
    /// Data points used.
    pub points: usize,
    /// The candidates, in the order of the spec.
    pub candidates: Vec<CandidateResult>,
    /// Index of the most probable one.
    pub best: usize,
    /// Density of the positions of counted peaks over all candidates, one entry a measurement that counts peaks.
    pub positions: Vec<Positions>,
    /// How the probabilities move when a prior is half or twice as wide, one entry a prior.
    pub sensitivity: Vec<Sensitivity>,
}

impl WindowResult {
    /// How the most probable candidate's probability moves when one prior at a time is half or twice as wide.
    pub fn movement(&self) -> Option<Movement> {
        let best = self.candidates.get(self.best)?;
        (self.candidates.len() > 1).then(|| sensitivity::movement(&self.sensitivity, self.best, best.probability))
    }
}

/// The answer for one candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateResult {
    /// Its label.
    pub candidate: String,
    /// Its count, where the window counts something.
    pub k: Option<usize>,
    /// F in nats.
    pub free_energy: f64,
    /// Standard error of F.
    pub free_energy_se: f64,
    /// Degrees of freedom of that error.
    pub free_energy_df: usize,
    /// E = ⟨U⟩.
    pub energy: f64,
    /// S = E − F.
    pub entropy: f64,
    /// p(candidate | D) under equal prior odds.
    pub probability: f64,
    /// Standard error of the probability, from those of F.
    pub probability_se: f64,
    /// Posterior mean of the noise scale (or of σ where it was unknown), σ where it was one number; none under Poisson or with a σ column
    /// alone.
    pub noise: Option<f64>,
    /// F as a function of the noise of one measurement; no part of any probability. None under Poisson.
    pub noise_curve: Option<NoiseCurve>,
    /// F as a function of two noises, of the most probable candidate of two measurements whose scales are inferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_plane: Option<NoisePlane>,
    /// May these numbers be quoted? Empty: yes.
    pub verdict: Vec<Verdict>,
    /// Does the model describe the data? Empty: yes.
    pub fit: Vec<Fit>,
    /// Figures behind verdict and fit.
    pub figures: Figures,
    /// One entry a reported parameter.
    pub parameters: Vec<ParameterResult>,
}

/// Figures behind verdict and fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Inverse temperatures.
    pub betas: Vec<f64>,
    /// Rejection rate of each pair of rungs.
    pub rejection: Vec<f64>,
    /// F at every rung.
    pub rung_free_energy: Vec<f64>,
    /// Communication barrier Λ.
    pub barrier: f64,
    /// Local barrier λ(β) in nats at each rung, without bias: Λ is its integral over β. Empty in results of versions that did not tell it.
    #[serde(default)]
    pub local_barrier: Vec<f64>,
    /// Round trips over all copies.
    pub round_trips: u64,
    /// Restarts over all copies: arrivals at β = 1 of states that descend from a draw of the prior at β = 0. Zero in results of versions that did
    /// not tell it.
    #[serde(default)]
    pub restarts: u64,
    /// Copies.
    pub copies: usize,
    /// Sweeps a copy spent adapting.
    pub burn_in: usize,
    /// Sweeps a copy kept.
    pub sweeps: usize,
    /// Whether the kept part was extended.
    pub extended: bool,
    /// Largest R-hat of the label-free quantities.
    pub rhat: f64,
    /// Smallest bulk effective sample size of the label-free quantities.
    pub ess_bulk: f64,
    /// Smallest tail effective sample size of the label-free quantities.
    pub ess_tail: f64,
    /// Stepping stones upward minus downward, in nats.
    pub bracket: f64,
    /// β² Var U at β = 1.
    pub heat: f64,
    /// Largest drift of kept totals, in units of misfit.
    pub drift: f64,
    /// Proposals whose energy was not a number.
    pub broken: u64,
    /// χ² (or deviance) at the posterior mean curve, and its number of points less parameters.
    pub misfit: f64,
    /// Data points less free parameters.
    pub degrees: f64,
    /// Lag-one autocorrelation of the standardised residuals of the posterior mean curve.
    pub autocorrelation: f64,
}

/// Reasons why numbers may not be quoted. `ok` in files is an empty list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The two ends of the ladder exchanged states too few times.
    RoundTrips,
    /// Copies disagree (R-hat).
    Rhat,
    /// Too few effective draws.
    Ess,
    /// The error of the free energy is larger than asked for.
    FreeEnergy,
    /// Forward and backward free energies disagree.
    Bracket,
    /// A time cap cut the run short.
    Time,
}

/// Reasons why the model does not describe the data. `good` in files is an empty list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// The largest count offered has p > .05.
    Range,
    /// σ is known and χ² lies outside its 10⁻³ band.
    Misfit,
    /// The standardised residuals are correlated beyond their 10⁻³ bound.
    Residuals,
    /// Posterior mass piles up at a prior's bound.
    Bound,
    /// Poisson noise on values that are no counts.
    NotCounts,
}

impl Verdict {
    /// Code in files.
    pub fn code(self) -> &'static str {
        match self {
            Self::RoundTrips => "round-trips",
            Self::Rhat => "rhat",
            Self::Ess => "ess",
            Self::FreeEnergy => "free-energy",
            Self::Bracket => "bracket",
            Self::Time => "time",
        }
    }

    /// What it means and what to do, in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::RoundTrips => "the two ends of the ladder exchanged states too few times; raise run.max_sweeps",
            Self::Rhat => "the copies disagree about where the posterior is; raise run.max_sweeps or run.copies",
            Self::Ess => "fewer independent draws than asked for; raise run.max_sweeps or lower targets.ess",
            Self::FreeEnergy => "the free energy is less certain than asked for; raise run.max_sweeps or targets.free_energy_se",
            Self::Bracket => "forward and backward free energies disagree: the ladder does not connect; raise run.max_sweeps",
            Self::Time => "a time cap cut the run short; the same command without the cap goes on",
        }
    }
}

impl Fit {
    /// Code in files.
    pub fn code(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Misfit => "misfit",
            Self::Residuals => "residuals",
            Self::Bound => "bound",
            Self::NotCounts => "not-counts",
        }
    }

    /// What it means and what to do, in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Range => "the largest count offered won: widen the range, or the peak shape is wrong (see the residuals)",
            Self::Misfit => "χ² is not what the stated σ allows: the model or σ is wrong",
            Self::Residuals => "the residuals are correlated: the model misses something, or the data were rebinned",
            Self::Bound => "the posterior piles up at the end of a prior: widen it",
            Self::NotCounts => "these values do not scatter like counts: use gaussian noise",
        }
    }
}

/// The summary of one parameter of one candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterResult {
    /// Peak number from 1, by mean position, where the parameter belongs to a counted term; a peak keeps its number in draws where it has
    /// changed places with another.
    pub peak: Option<usize>,
    /// Name of the spec's term, empty for noise and shared parameters.
    pub term: String,
    /// Name: `center`, `fwhm`, …
    pub parameter: String,
    /// Unit.
    pub unit: String,
    /// Posterior mean.
    pub mean: f64,
    /// Posterior standard deviation.
    pub sd: f64,
    /// Quantiles .025, .16, .5, .84, .975.
    pub quantiles: [f64; 5],
    /// R-hat over copies, like the effective sample sizes of the quantity that has this number when each draw's peaks are sorted by
    /// position.
    pub rhat: f64,
    /// Bulk effective sample size.
    pub ess_bulk: f64,
    /// Tail effective sample size.
    pub ess_tail: f64,
    /// Where the marginal certainly has several modes: each of them, ascending; otherwise empty.
    pub modes: Vec<Mode>,
}

/// What was asked for, as the verdict needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Targets {
    /// Bulk effective sample size.
    pub ess: f64,
    /// Standard error of the free energy in nats.
    pub free_energy_se: f64,
    /// Round trips over all copies.
    pub round_trips: usize,
}
