//! Figures: pure functions from results to drawings. Where one cannot be drawn, a sentence says what is missing and why.

mod corner;
mod counts;
mod coverage;
mod evidence;
mod fit;
mod heat;
mod held;
mod integration;
mod ladder;
mod legend;
mod limit;
mod limited;
mod marginals;
mod noise;
mod positions;
mod ranks;
mod series;
mod strip;
mod tracks;
mod trends;
mod widths;

use super::samples::Sample;
use super::svg::{Figure, Size};
use super::view::{Against, Results, best};
use crate::posterior::{CandidateResult, FrameResult, ParameterResult, WindowResult};

pub use coverage::Calibrated;
pub(super) use heat::Heat;
pub use limited::Limited;
pub(super) use series::Series;

/// A figure, or why there is none.
pub type Drawn = Result<Figure, String>;

/// Why figures of draws and data are missing where a run kept none.
pub const NO_DRAWS: &str = "the run kept no draws (--no-samples), and the data lie beside them";

/// What can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Data of a series as a heat map, with the positions of peaks and their 95 % bands.
    Tracks,
    /// Probabilities of the candidates along a series, stacked.
    Counts,
    /// Every parameter along a series with its bands.
    Trends,
    /// Verdict and fit along a series.
    Verdicts,
    /// Data of a frame, what the posterior expects, its terms and the residuals.
    Fit,
    /// F and p of every candidate, energy and entropy apart.
    Evidence,
    /// Marginals with intervals and priors.
    Marginals,
    /// Chosen parameters against one another.
    Corner,
    /// Where peaks are, whatever their number.
    Positions,
    /// Exchange, local barrier and free energy along the ladder.
    Ladder,
    /// F as a function of the noise.
    Noise,
    /// Measurements together and each alone.
    Integration,
    /// Rank histograms of a calibration.
    Ranks,
    /// Coverage of a calibration, and its probabilities of candidates.
    Coverage,
    /// How often the right candidate is chosen at each level of a measurement limit.
    Limit,
    /// Widths of positions at each level, beside their bounds.
    Widths,
    /// Coverage of positions at each level.
    Held,
}

impl What {
    /// All of a series, in the report's order.
    pub const SERIES: [Self; 4] = [Self::Verdicts, Self::Tracks, Self::Counts, Self::Trends];
    /// All of a frame, in the report's order; the corner plot is drawn by the page.
    pub const FRAME: [Self; 7] =
        [Self::Fit, Self::Integration, Self::Evidence, Self::Positions, Self::Marginals, Self::Ladder, Self::Noise];
    /// All of a calibration.
    pub const CALIBRATION: [Self; 2] = [Self::Ranks, Self::Coverage];
    /// All of a measurement limit.
    pub const LIMIT: [Self; 3] = [Self::Limit, Self::Widths, Self::Held];
    /// All there are.
    pub const ALL: [Self; 17] = [
        Self::Tracks,
        Self::Counts,
        Self::Trends,
        Self::Verdicts,
        Self::Fit,
        Self::Evidence,
        Self::Marginals,
        Self::Corner,
        Self::Positions,
        Self::Ladder,
        Self::Noise,
        Self::Integration,
        Self::Ranks,
        Self::Coverage,
        Self::Limit,
        Self::Widths,
        Self::Held,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tracks => "tracks",
            Self::Counts => "counts",
            Self::Trends => "trends",
            Self::Verdicts => "verdicts",
            Self::Fit => "fit",
            Self::Evidence => "evidence",
            Self::Marginals => "marginals",
            Self::Corner => "corner",
            Self::Positions => "positions",
            Self::Ladder => "ladder",
            Self::Noise => "noise",
            Self::Integration => "integration",
            Self::Ranks => "ranks",
            Self::Coverage => "coverage",
            Self::Limit => "limit",
            Self::Widths => "widths",
            Self::Held => "held",
        }
    }

    /// The figure that a word names.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.word() == word)
    }

    /// What it shows, for a caption.
    pub fn about(self) -> &'static str {
        match self {
            Self::Tracks => "Data, and the positions of the peaks of the most probable candidate with their 95 % bands",
            Self::Counts => "Probability of every candidate, stacked",
            Self::Trends => "Parameters of the most probable candidate: median, 68 % and 95 % bands",
            Self::Verdicts => "May the numbers be quoted (verdict), and does the model describe the data (fit)?",
            Self::Fit => "Data, 95 % bands of the expectation and of new data, each term; residuals in σ beside N(0, 1)",
            Self::Evidence => "Free energy and probability of every candidate; energy and entropy apart",
            Self::Marginals => "Marginals: draws, median, 68 % and 95 % intervals, and the prior (dashed)",
            Self::Corner => "Parameters against one another",
            Self::Positions => "Where peaks are, whatever their number: density averaged over the candidates",
            Self::Ladder => "The ladder of temperatures: rejected exchanges, local barrier, free energy",
            Self::Noise => "Free energy as a function of the noise, all σ times one factor",
            Self::Integration => {
                "Parameters from all measurements together and from each alone; where F is least as a function of two noises, 68 % and 95 %"
            }
            Self::Ranks => "Ranks of the truths among their draws: flat within the bands where posteriors are right",
            Self::Coverage => "How often intervals hold the truth, and how often candidates of a probability are true",
            Self::Limit => "How often the right candidate is the most probable one, and where that crosses one half",
            Self::Widths => "Widths of the positions beside their Cramér–Rao bound: where they leave it is the limit",
            Self::Held => "How often intervals hold the true position: of 68 % (large dots) and of 95 % (small dots)",
        }
    }
}

/// One window of one frame.
#[derive(Clone, Copy, Debug)]
pub struct OneFrame<'a> {
    /// The folder it belongs to.
    pub results: &'a Results,
    /// Everything that is recorded of the frame.
    pub frame: &'a FrameResult,
    /// Which window.
    pub window: usize,
    /// Draws and curves, or why there are none.
    pub sample: Result<&'a Sample, &'a str>,
}

impl<'a> OneFrame<'a> {
    /// Whether it is a joint problem whose measurements were sampled alone too.
    pub(super) fn is_joint(&self) -> bool {
        self.window == 0 && self.frame.integration.is_some()
    }

    fn window(&self) -> Result<&'a WindowResult, String> {
        self.frame.windows.get(self.window).ok_or_else(|| "the frame has no such window".into())
    }

    fn best(&self) -> Result<&'a CandidateResult, String> {
        best(self.window()?).ok_or_else(|| "no candidate has an answer".into())
    }

    /// The sample, if it is of the candidate that is shown.
    fn sample(&self) -> Result<&'a Sample, String> {
        let sample = self.sample.map_err(str::to_owned)?;
        match self.best()? {
            best if best.candidate == sample.candidate => Ok(sample),
            _ => Err("the draws that were kept are of another candidate".into()),
        }
    }
}

/// A figure of a frame.
///
/// # Errors
/// A sentence that says what is missing and why.
pub fn frame(what: What, of: &OneFrame<'_>, chosen: &[String], size: Size) -> Drawn {
    match what {
        What::Fit => fit::draw(of, size),
        What::Evidence => evidence::draw(of, size),
        What::Marginals => marginals::draw(of, size),
        What::Corner => corner::draw(of, chosen, size),
        What::Positions => positions::draw(of, size),
        What::Ladder => ladder::draw(of, size),
        What::Noise => noise::draw(of, size),
        What::Integration => integration::draw(of, size),
        _ => Err(format!("`{}` is no figure of a frame", what.word())),
    }
}

/// A figure of a series.
///
/// # Errors
/// A sentence that says what is missing and why.
pub fn along(what: What, results: &Results, window: usize, against: Against, size: Size) -> Drawn {
    let series = Series::new(results, window, against)?;
    match what {
        What::Tracks => tracks::draw(&series, &Heat::gather(results, window), size),
        What::Counts => counts::draw(&series, size),
        What::Trends => trends::draw(&series, size),
        What::Verdicts => strip::draw(&series, size),
        _ => Err(format!("`{}` is no figure of a series", what.word())),
    }
}

/// A figure of a calibration.
///
/// # Errors
/// A sentence that says what is missing and why.
pub fn calibrated(what: What, of: &Calibrated, window: usize, size: Size) -> Drawn {
    match what {
        What::Ranks => ranks::draw(of, window, size),
        What::Coverage => coverage::draw(of, window, size),
        _ => Err(format!("`{}` is no figure of a calibration", what.word())),
    }
}

/// A figure of a measurement limit.
///
/// # Errors
/// A sentence that says what is missing and why.
pub fn limited(what: What, of: &Limited, window: usize, size: Size) -> Drawn {
    match what {
        What::Limit => limit::draw(of, window, size),
        What::Widths => widths::draw(of, window, size),
        What::Held => held::draw(of, window, size),
        _ => Err(format!("`{}` is no figure of a measurement limit", what.word())),
    }
}

/// A parameter's name among others: `center 2`, `background level0`.
pub(super) fn called(parameter: &ParameterResult) -> String {
    named(&parameter.term, &parameter.parameter, parameter.peak)
}

fn named(term: &str, parameter: &str, peak: Option<usize>) -> String {
    let name = super::view::spoken(parameter);
    match peak {
        Some(peak) => format!("{name} {peak}"),
        None if term.is_empty() => name,
        None => format!("{term} {name}"),
    }
}
