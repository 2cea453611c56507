//! A spec as the user wrote it: structure, types and numbers are checked while it is read, everything left out stays out.

use std::ops::{Range, RangeInclusive};
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;

use super::Layout;
use super::fields::{Fields, Value};
use super::parameter::{RawShared, prior};
use super::simulate::Simulate;
use super::source::Source;
use super::term::RawTerm;
use super::write;
use crate::error::Result;
use crate::prior::Prior;

/// A spec as written. Values keep their place in the file, so that later checks can point at them.
#[derive(Clone, Debug)]
pub struct RawSpec {
    /// The text it was read from.
    pub(super) source: Arc<Source>,
    /// A title for reports.
    pub title: Option<String>,
    /// `[data]`
    pub data: RawData,
    /// `[noise]`
    pub noise: Option<RawNoise>,
    /// `[parameters.NAME]`
    pub parameters: Vec<RawShared>,
    /// Candidates of the joint problem of all `[[measurement]]`s.
    pub candidates: Option<RawCandidates>,
    /// `[[window]]`: independent problems.
    pub windows: Vec<RawMeasurement>,
    /// `[[measurement]]`: one joint problem.
    pub measurements: Vec<RawMeasurement>,
    /// `[run]`
    pub run: RawRun,
    /// `[simulate]`
    pub simulate: Option<Simulate>,
}

/// Names of candidates, each with the names of its terms.
pub type RawCandidates = Vec<(Spanned<String>, Vec<Spanned<String>>)>;

/// `[data]` as written; see [`super::Data`].
#[derive(Clone, Debug)]
pub struct RawData {
    /// Folder, relative to the spec's.
    pub folder: Option<Spanned<String>>,
    /// Glob or one file name.
    pub files: Spanned<String>,
    /// Names of the columns.
    pub columns: Option<Spanned<Vec<String>>>,
    /// How frames lie in a file.
    pub layout: Option<Layout>,
    /// The abscissa.
    pub x: RawX,
    /// Wavelength in ångström.
    pub wavelength: Option<f64>,
    /// Wavelength of Kα₂ in ångström.
    pub wavelength2: Option<f64>,
    /// Name of the monitor.
    pub normalise: Option<String>,
    /// Saturation.
    pub mask_above: Option<f64>,
    /// The table of frames.
    pub frames: Option<RawFrames>,
    /// Header quantity of the files that becomes the frames' axis.
    pub axis_header: Option<String>,
}

/// `x = { … }` as written; see [`super::XAxis`].
#[derive(Clone, Debug, Default)]
pub struct RawX {
    /// Kind of axis.
    pub name: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// What the file holds.
    pub file: Option<Spanned<String>>,
    /// First value.
    pub start: Option<f64>,
    /// Step.
    pub step: Option<f64>,
}

/// `frames = { … }` as written; see [`super::FrameTable`].
#[derive(Clone, Debug)]
pub struct RawFrames {
    /// The CSV file.
    pub table: Spanned<String>,
    /// Column that identifies the frame.
    pub key: String,
    /// Whether the key is a number in the file's name.
    pub by_number: Option<bool>,
    /// Column that becomes the axis.
    pub axis: Option<String>,
}

/// `[noise]` as written; see [`super::Noise`].
#[derive(Clone, Debug, Default)]
pub struct RawNoise {
    /// Where it stands in the file.
    pub span: Range<usize>,
    /// Gaussian or Poisson.
    pub model: Option<Spanned<NoiseModel>>,
    /// Where σ comes from.
    pub sigma: Option<Spanned<RawSigma>>,
    /// Prior of the scale.
    pub scale: Option<Spanned<Prior>>,
    /// Relative model errors ε, each a candidate.
    pub model_error: Option<Spanned<Vec<f64>>>,
}

/// Distribution of the noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseModel {
    /// Gaussian.
    Gaussian,
    /// Poisson.
    Poisson,
}

/// `sigma = …` as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RawSigma {
    /// A known number.
    Number(f64),
    /// `"0.0123 * scale"`
    ScaledNumber(f64),
    /// `"column"`
    Column,
    /// `"column * scale"`
    ScaledColumn,
    /// `"unknown"`: a scale times the robust noise figure of the series.
    Unknown,
}

/// `[[window]]` or `[[measurement]]` as written; see [`super::Measurement`].
#[derive(Clone, Debug)]
pub struct RawMeasurement {
    /// Where it stands in the file.
    pub span: Range<usize>,
    /// Its name.
    pub name: Option<Spanned<String>>,
    /// Range of x, the whole data where none is given.
    pub range: Option<Spanned<(f64, f64)>>,
    /// Ranges left out.
    pub exclude: Vec<(f64, f64)>,
    /// Noise of a `[[measurement]]`, where it has its own.
    pub noise: Option<RawNoise>,
    /// Candidates of a `[[window]]`.
    pub candidates: Option<RawCandidates>,
    /// Its terms.
    pub terms: Vec<RawTerm>,
}

/// `[run]` as written; see [`super::Run`].
#[derive(Clone, Debug, Default)]
pub struct RawRun {
    /// Seed.
    pub seed: Option<u64>,
    /// Engine, one of [`ENGINES`].
    pub engine: Option<&'static str>,
    /// Whether the cpu engine works in f64.
    pub f64: Option<bool>,
    /// Copies of each ladder.
    pub copies: Option<usize>,
    /// Proposals of a walker and step.
    pub proposals: Option<usize>,
    /// Most sweeps of a copy.
    pub max_sweeps: Option<usize>,
    /// Effective sample size asked for.
    pub ess: Option<f64>,
    /// Standard error of the free energy asked for, nats.
    pub free_energy_se: Option<f64>,
    /// Round trips asked for.
    pub round_trips: Option<usize>,
    /// Whether measurements of a joint problem are sampled alone too.
    pub alone: Option<Spanned<bool>>,
}

/// The engines a spec can name.
pub const ENGINES: [&str; 4] = ["auto", "cpu", "gpu", "oracle"];

impl RawSpec {
    /// Reads a spec from a file.
    ///
    /// # Errors
    /// Where the file cannot be read, is no UTF-8, no TOML, or says something a spec cannot say: with line, column and caret.
    pub fn read(path: &Path) -> Result<Self> {
        Self::of(Source::read(path)?)
    }

    /// Reads a spec from text; `path` is what errors name and what relative folders start from.
    ///
    /// # Errors
    /// As [`RawSpec::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        Self::of(Source::new(path, text)?)
    }

    fn of(source: Source) -> Result<Self> {
        let source = Arc::new(source);
        let known = ["title", "data", "noise", "parameters", "candidates", "window", "measurement", "run", "simulate"];
        let mut fields = Fields::root(&source)?.only(&known)?;
        let data = fields.need("data", "[data] with files = \"*.xye\"")?.table("[data]")?;
        let spec = Self {
            title: fields.string("title")?.map(Spanned::into_inner),
            data: RawData::read(data)?,
            noise: fields.take("noise").map(RawNoise::read).transpose()?,
            parameters: match fields.take("parameters") {
                Some(all) => {
                    let all = all.table("[parameters]")?.rest();
                    all.into_iter().map(|(name, value)| RawShared::read(name, value)).collect::<Result<_>>()?
                }
                None => Vec::new(),
            },
            candidates: fields.take("candidates").map(read_candidates).transpose()?,
            windows: tables(&mut fields, "window", RawMeasurement::read_window)?,
            measurements: tables(&mut fields, "measurement", RawMeasurement::read_measurement)?,
            run: fields.take("run").map(RawRun::read).transpose()?.unwrap_or_default(),
            simulate: fields.take("simulate").map(Simulate::read).transpose()?,
            source: source.clone(),
        };
        Ok(spec)
    }

    /// All windows, or all measurements, in the order of the file.
    pub fn stretches(&self) -> impl Iterator<Item = &RawMeasurement> {
        self.windows.iter().chain(&self.measurements)
    }

    /// Takes σ from the data wherever the spec states it as a number, or as a number times a scale: for data whose σ is not the spec's.
    pub fn take_sigma_of_data(&mut self) {
        let stretches = self.windows.iter_mut().chain(&mut self.measurements);
        for sigma in stretches.filter_map(|m| m.noise.as_mut()).chain(&mut self.noise).filter_map(|n| n.sigma.as_mut()) {
            let from = match sigma.get_ref() {
                RawSigma::Number(_) => RawSigma::Column,
                RawSigma::ScaledNumber(_) => RawSigma::ScaledColumn,
                other => *other,
            };
            *sigma = Spanned::new(sigma.span(), from);
        }
    }
}

fn tables<'a, T>(fields: &mut Fields<'a>, key: &str, read: impl Fn(Value<'a>) -> Result<T>) -> Result<Vec<T>> {
    match fields.take(key) {
        Some(all) if all.is_array() => all.array()?.into_iter().map(read).collect(),
        Some(one) => {
            let name = fields.name.trim_matches(['[', ']']).to_string();
            let path = if name == "the spec" { key.to_string() } else { format!("{name}.{key}") };
            Err(one.error(format!("`{key}` must be a list of tables")).hint(format!("write [[{path}]] with two brackets")))
        }
        None => Ok(Vec::new()),
    }
}

fn read_candidates(value: Value<'_>) -> Result<RawCandidates> {
    let one = |(name, terms): (Spanned<String>, Value<'_>)| {
        Ok((name, terms.array()?.into_iter().map(Value::string).collect::<Result<Vec<_>>>()?))
    };
    let (source, span) = (value.source, value.span.clone());
    let all = value.table("`candidates`")?.rest();
    if all.is_empty() {
        return Err(source.error(&span, "`candidates` is empty").hint("write candidates = { \"a name\" = [\"term\", \"term\"], … }"));
    }
    all.into_iter().map(one).collect()
}

impl RawData {
    fn read(fields: Fields<'_>) -> Result<Self> {
        let known =
            ["folder", "files", "columns", "layout", "x", "wavelength", "wavelength2", "normalise", "mask_above", "frames", "axis_header"];
        let mut fields = fields.only(&known)?;
        let text = |s: Option<Spanned<String>>| s.map(Spanned::into_inner);
        let frames = fields.take("frames").map(RawFrames::read).transpose()?;
        let axis_header = fields.take("axis_header");
        if let (Some(header), true) = (&axis_header, frames.as_ref().is_some_and(|f| f.axis.is_some())) {
            return Err(header.error("the frames' axis is given twice").hint("keep `axis_header` or the `axis` of `frames`"));
        }
        let normalise = text(fields.string("normalise")?);
        let (wavelength, wavelength2) = read_wavelengths(&mut fields)?;
        Ok(Self {
            folder: fields.string("folder")?,
            files: fields.need("files", "files = \"*.xye\", or the name of one file")?.string()?,
            columns: fields.take("columns").map(|v| read_columns(v, normalise.as_deref())).transpose()?,
            layout: word(fields.take("layout"), &[("columns", Layout::Columns), ("rows", Layout::Rows)])?,
            x: fields.take("x").map(RawX::read).transpose()?.unwrap_or_default(),
            wavelength,
            wavelength2,
            normalise,
            mask_above: fields.number("mask_above")?.map(Spanned::into_inner),
            frames,
            axis_header: text(axis_header.map(Value::string).transpose()?),
        })
    }
}

/// `wavelength` and `wavelength2`: that of Kα₁, or of the only line, and that of Kα₂.
fn read_wavelengths(fields: &mut Fields<'_>) -> Result<(Option<f64>, Option<f64>)> {
    let (first, second) = (fields.positive("wavelength")?, fields.positive("wavelength2")?);
    let what = match (&first, &second) {
        (None, Some(_)) => "`wavelength2` stands without `wavelength`",
        (Some(first), Some(second)) if second.get_ref() <= first.get_ref() => "`wavelength2` must be larger than `wavelength`",
        _ => return Ok((first.map(Spanned::into_inner), second.map(Spanned::into_inner))),
    };
    let span = second.map_or(0..0, |second| second.span());
    Err(fields.source.error(&span, what).hint("`wavelength` is that of K-alpha1, `wavelength2` that of K-alpha2, both in ångström"))
}

fn word<T: Copy>(value: Option<Value<'_>>, words: &[(&str, T)]) -> Result<Option<T>> {
    Ok(value.map(|v| v.word(words)).transpose()?.map(Spanned::into_inner))
}

/// `"x y sigma"` or `["x", "y", "sigma"]`; a word of the user's own is the monitor that `normalise` names.
fn read_columns(value: Value<'_>, normalise: Option<&str>) -> Result<Spanned<Vec<String>>> {
    let (source, span) = (value.source, value.span.clone());
    let columns: Vec<String> = if value.is_array() {
        value.array()?.into_iter().map(|v| v.string().map(Spanned::into_inner)).collect::<Result<_>>()?
    } else {
        value.string()?.get_ref().split_whitespace().map(str::to_string).collect()
    };
    let known = |word: &str| ["x", "y", "sigma", "-", "y..."].contains(&word) || normalise == Some(word);
    let what = match columns.iter().find(|c| !known(c)) {
        Some(word) => format!("`columns` cannot hold `{word}`"),
        None if !columns.iter().any(|c| c.starts_with('y')) => "`columns` has no `y`".into(),
        None if columns.iter().filter(|c| *c == "x").count() > 1 => "`columns` has `x` twice".into(),
        None => return Ok(Spanned::new(span, columns)),
    };
    let hint = "name the columns in order: x, y and sigma, `-` to skip one, `y...` for all others, and the monitor that `normalise` names";
    Err(source.error(&span, what).hint(hint))
}

impl RawX {
    fn read(value: Value<'_>) -> Result<Self> {
        let mut fields = value.table("`x`")?.only(&["name", "unit", "file", "start", "step"])?;
        let step_span = fields.span_of("step");
        let x = Self {
            name: fields.string("name")?.map(Spanned::into_inner),
            unit: fields.string("unit")?.map(Spanned::into_inner),
            file: fields.string("file")?,
            start: fields.number("start")?.map(Spanned::into_inner),
            step: fields.number("step")?.map(Spanned::into_inner),
        };
        match (x.start, x.step) {
            (Some(_), None) | (None, Some(_)) => Err(fields
                .source
                .error(&fields.span, "`start` and `step` of `x` go together")
                .hint("give both, or name x among the columns")),
            (_, Some(0.0)) => Err(fields.source.error(&step_span, "`step` of `x` is 0").hint("give the distance of two points")),
            _ => Ok(x),
        }
    }
}

impl RawFrames {
    fn read(value: Value<'_>) -> Result<Self> {
        let mut fields = value.table("`frames`")?.only(&["table", "key", "match", "axis"])?;
        Ok(Self {
            table: fields.need("table", "table = \"frames.csv\"")?.string()?,
            key: fields.need("key", "key = \"frame\", the column that identifies the frame")?.string()?.into_inner(),
            by_number: word(fields.take("match"), &[("file number", true), ("name", false)])?,
            axis: fields.string("axis")?.map(Spanned::into_inner),
        })
    }
}

impl NoiseModel {
    /// Its word in specs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Poisson => "poisson",
        }
    }
}

impl RawSigma {
    fn read(value: Value<'_>) -> Result<Spanned<Self>> {
        let (source, span) = (value.source, value.span.clone());
        if !value.is_string() {
            return Ok(Spanned::new(span, Self::Number(value.positive()?.into_inner())));
        }
        let text = value.string()?.into_inner();
        let words: Vec<&str> = text.split('*').map(str::trim).collect();
        let number = |w: &str| w.parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0);
        let sigma = match words[..] {
            ["column"] => Some(Self::Column),
            ["column", "scale"] | ["scale", "column"] => Some(Self::ScaledColumn),
            ["unknown"] => Some(Self::Unknown),
            [n] => number(n).map(Self::Number),
            [n, "scale"] | ["scale", n] => number(n).map(Self::ScaledNumber),
            _ => None,
        };
        sigma.map(|s| Spanned::new(span.clone(), s)).ok_or_else(|| {
            source
                .error(&span, format!("`sigma` cannot be `{text}`"))
                .hint("write a positive number, \"column\", \"column * scale\", \"0.01 * scale\" or \"unknown\"")
        })
    }

    /// The text that reads back as this.
    pub(super) fn write(self) -> String {
        match self {
            Self::Number(n) => write::number(n),
            Self::ScaledNumber(n) => write::string(&format!("{} * scale", write::number(n))),
            Self::Column => write::string("column"),
            Self::ScaledColumn => write::string("column * scale"),
            Self::Unknown => write::string("unknown"),
        }
    }

    /// Whether a scale multiplies it.
    pub fn scaled(self) -> bool {
        matches!(self, Self::ScaledNumber(_) | Self::ScaledColumn | Self::Unknown)
    }
}

impl RawNoise {
    fn read(value: Value<'_>) -> Result<Self> {
        Self::of(value, &["model", "sigma", "scale", "model_error"])
    }

    /// Noise of one measurement: a relative model error is a candidate, and so belongs to all measurements.
    fn read_own(value: Value<'_>) -> Result<Self> {
        Self::of(value, &["model", "sigma", "scale"])
    }

    fn of(value: Value<'_>, known: &[&str]) -> Result<Self> {
        let span = value.span.clone();
        let mut fields = value.table("the noise")?.only(known)?;
        let models = [("gaussian", NoiseModel::Gaussian), ("poisson", NoiseModel::Poisson)];
        let scale = match fields.take("scale") {
            Some(value) => {
                let at = value.span.clone();
                let (prior, fields) = prior(value.table("`scale`")?, &[])?;
                if prior.range().0 < 0.0 {
                    let error = fields.source.error(&at, "the prior of `scale` reaches below 0");
                    return Err(error.hint("write { prior = \"log-uniform\", low = 1e-3, high = 1e3 }"));
                }
                Some(Spanned::new(at, prior))
            }
            None => None,
        };
        Ok(Self {
            span,
            model: fields.take("model").map(|v| v.word(&models)).transpose()?,
            sigma: fields.take("sigma").map(RawSigma::read).transpose()?,
            scale,
            model_error: fields.take("model_error").map(read_model_error).transpose()?,
        })
    }
}

/// One ε or a list of different ones.
fn read_model_error(value: Value<'_>) -> Result<Spanned<Vec<f64>>> {
    let (source, span) = (value.source, value.span.clone());
    let items = if value.is_array() { value.array()? } else { vec![value] };
    let mut errors: Vec<f64> = Vec::new();
    for item in items {
        let number = item.number()?;
        let epsilon = *number.get_ref();
        let what = match epsilon {
            e if e < 0.0 => "is negative",
            e if errors.contains(&e) => "is given twice",
            _ => {
                errors.push(epsilon);
                continue;
            }
        };
        return Err(source
            .error(&number.span(), format!("`model_error` {epsilon} {what}"))
            .hint("give different relative errors such as [0, 0.005]"));
    }
    if errors.is_empty() {
        return Err(source.error(&span, "`model_error` is an empty list").hint("leave it out, or write [0, 0.005]"));
    }
    Ok(Spanned::new(span, errors))
}

impl RawMeasurement {
    /// The range of x, all of it where none is given.
    pub fn bounds(&self) -> (f64, f64) {
        self.range.as_ref().map_or((f64::NEG_INFINITY, f64::INFINITY), |r| *r.get_ref())
    }

    /// Its name: its range unless given.
    pub fn label(&self) -> String {
        self.name.as_ref().map_or_else(|| super::resolve::default_name(self.bounds()), |n| n.get_ref().clone())
    }

    fn read_window(value: Value<'_>) -> Result<Self> {
        Self::read(value, "window", &["name", "range", "exclude", "candidates", "term"])
    }

    fn read_measurement(value: Value<'_>) -> Result<Self> {
        Self::read(value, "measurement", &["name", "range", "exclude", "noise", "term"])
    }

    fn read(value: Value<'_>, word: &str, known: &[&str]) -> Result<Self> {
        let span = value.span.clone();
        let mut fields = value.table(format!("[[{word}]]"))?.only(known)?;
        let exclude = match fields.take("exclude") {
            Some(list) => list.array()?.into_iter().map(|v| v.interval().map(Spanned::into_inner)).collect::<Result<_>>()?,
            None => Vec::new(),
        };
        let measurement = Self {
            name: fields.string("name")?,
            range: fields.take("range").map(Value::interval).transpose()?,
            exclude,
            noise: fields.take("noise").map(RawNoise::read_own).transpose()?,
            candidates: fields.take("candidates").map(read_candidates).transpose()?,
            terms: tables(&mut fields, "term", RawTerm::read)?,
            span,
        };
        if measurement.terms.is_empty() {
            return Err(fields
                .source
                .error(&measurement.span, format!("this [[{word}]] has no terms"))
                .hint(format!("add [[{word}.term]] with model = \"gaussian\" and count = \"0..3\" below it")));
        }
        Ok(measurement)
    }
}

impl RawRun {
    fn read(value: Value<'_>) -> Result<Self> {
        let mut fields =
            value.table("[run]")?.only(&["seed", "engine", "precision", "copies", "proposals", "max_sweeps", "alone", "targets"])?;
        let engines = ENGINES.map(|e| (e, e));
        let mut run = Self {
            seed: fields.integer("seed")?.map(Spanned::into_inner),
            engine: word(fields.take("engine"), &engines)?,
            f64: word(fields.take("precision"), &[("f32", false), ("f64", true)])?,
            copies: between(&mut fields, "copies", 1..=MOST)?,
            proposals: between(&mut fields, "proposals", 1..=MOST_PROPOSALS)?,
            max_sweeps: between(&mut fields, "max_sweeps", 100..=MOST)?,
            alone: fields.take("alone").map(|value| Ok(Spanned::new(value.span.clone(), value.boolean()?))).transpose()?,
            ..Self::default()
        };
        if let Some(targets) = fields.take("targets") {
            let mut targets = targets.table("`targets`")?.only(&["ess", "free_energy_se", "round_trips"])?;
            run.ess = targets.positive("ess")?.map(Spanned::into_inner);
            run.free_energy_se = targets.positive("free_energy_se")?.map(Spanned::into_inner);
            run.round_trips = between(&mut targets, "round_trips", 0..=MOST)?;
        }
        Ok(run)
    }
}

/// Beyond any machine, and small enough that products of a few such numbers do not overflow.
const MOST: u64 = 1_000_000_000;
/// Each of them takes a walker's share of the device's memory once more.
const MOST_PROPOSALS: u64 = 64;

fn between(fields: &mut Fields<'_>, key: &str, range: RangeInclusive<u64>) -> Result<Option<usize>> {
    let Some(number) = fields.integer(key)? else { return Ok(None) };
    match usize::try_from(*number.get_ref()) {
        Ok(n) if range.contains(number.get_ref()) => Ok(Some(n)),
        _ => Err(fields
            .source
            .error(&number.span(), format!("`{key}` must be between {} and {}", range.start(), range.end()))
            .hint(format!("leave `{key}` out for its default"))),
    }
}
