//! `[simulate]`: the truth that `keisoku simulate` draws frames from.

use toml::Spanned;

use super::fields::{Fields, Value};
use super::raw::NoiseModel;
use super::term::{Given, known_keys, read_model, read_size};
use super::write::{self, Lines};
use crate::error::Result;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Simulate {
    /// How many frames.
    pub frames: usize,
    /// Seed of the noise.
    pub seed: u64,
    /// Name of the frames' axis (temperature, time) and its value at the first and the last frame.
    pub axis: (String, f64, f64),
    /// First x, last x and step.
    pub x: (f64, f64, f64),
    /// Noise model.
    pub noise: NoiseModel,
    /// σ of Gaussian noise, in units of y; none under Poisson.
    pub sigma: Option<f64>,
    /// Factor of the σ column that is written, √max(y, 1) under Poisson: 1 for honest columns.
    pub sigma_column_factor: f64,
    /// The true terms, each over the whole of x; each parameter a law.
    pub terms: Vec<Given<Law>>,
}

/// How a parameter changes over the frames' axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// Always the same.
    Constant {
        /// The value.
        value: f64,
    },
    /// A straight line from the first frame to the last.
    Linear {
        /// Value at the first frame.
        start: f64,
        /// Value at the last frame.
        stop: f64,
    },
    /// low + (high − low)/(1 + exp(−(axis − center)/width)); a negative width falls instead of rising.
    Sigmoid {
        /// Value far below the center.
        low: f64,
        /// Value far above it.
        high: f64,
        /// Axis value half way.
        center: f64,
        /// Axis units over which it changes.
        width: f64,
    },
    /// end + (start − end) exp(−(axis − first)/length).
    Exponential {
        /// Value at the first frame.
        start: f64,
        /// Value it tends to.
        end: f64,
        /// Axis units in which the difference falls by e.
        length: f64,
    },
    /// Exactly 0 up to `onset`, then high (1 − exp(−(axis − onset)/length)): grows out of nothing. A negative length runs the axis
    /// backwards: it shrinks to nothing at `onset`.
    Onset {
        /// Axis value where it begins.
        onset: f64,
        /// Value it tends to.
        high: f64,
        /// Axis units in which the distance to it falls by e.
        length: f64,
    },
}

impl Law {
    /// The value at `axis` of a series that runs from `first` to `last`.
    pub fn at(&self, axis: f64, first: f64, last: f64) -> f64 {
        match *self {
            Self::Constant { value } => value,
            Self::Linear { start, stop } if last == first => 0.5 * (start + stop),
            Self::Linear { start, stop } => start + (stop - start) * (axis - first) / (last - first),
            Self::Sigmoid { low, high, center, width } => low + (high - low) / (1.0 + (-(axis - center) / width).exp()),
            Self::Exponential { start, end, length } => end + (start - end) * (-(axis - first) / length).exp(),
            Self::Onset { onset, high, length } => -high * (-((axis - onset) / length).max(0.0)).exp_m1(),
        }
    }

    fn read(value: Value<'_>) -> Result<Self> {
        if !value.is_table() {
            return Ok(Self::Constant { value: value.number()?.into_inner() });
        }
        let name = format!("`{}`", value.key);
        let mut fields = value.table(name)?;
        let words = [("constant", 0), ("linear", 1), ("sigmoid", 2), ("exponential", 3), ("onset", 4)];
        let kind = fields.need("law", "law = \"linear\", start = 1, stop = 2, or write one number")?.word(&words)?.into_inner();
        let keys: [&[&str]; 5] = [
            &["value"],
            &["start", "stop"],
            &["low", "high", "center", "width"],
            &["start", "end", "length", "rate"],
            &["onset", "high", "length"],
        ];
        let mut fields = fields.only(keys[kind])?;
        let mut number = |key: &str| Ok::<f64, crate::error::Error>(fields.need(key, format!("{key} = 1"))?.number()?.into_inner());
        Ok(match kind {
            0 => Self::Constant { value: number("value")? },
            1 => Self::Linear { start: number("start")?, stop: number("stop")? },
            2 => {
                let (low, high, center) = (number("low")?, number("high")?, number("center")?);
                Self::Sigmoid { low, high, center, width: not_zero(&mut fields, "width")? }
            }
            3 => {
                let (start, end) = (number("start")?, number("end")?);
                let length = if fields.has("rate") { 1.0 / not_zero(&mut fields, "rate")? } else { not_zero(&mut fields, "length")? };
                Self::Exponential { start, end, length }
            }
            _ => {
                let (onset, high) = (number("onset")?, number("high")?);
                Self::Onset { onset, high, length: not_zero(&mut fields, "length")? }
            }
        })
    }

    fn write(&self) -> String {
        let law = |word: &str, pairs: &[(&str, f64)]| {
            let pairs: String = pairs.iter().map(|(k, v)| format!(", {k} = {}", write::number(*v))).collect();
            format!("{{ law = \"{word}\"{pairs} }}")
        };
        match *self {
            Self::Constant { value } => write::number(value),
            Self::Linear { start, stop } => law("linear", &[("start", start), ("stop", stop)]),
            Self::Sigmoid { low, high, center, width } => {
                law("sigmoid", &[("low", low), ("high", high), ("center", center), ("width", width)])
            }
            Self::Exponential { start, end, length } => law("exponential", &[("start", start), ("end", end), ("length", length)]),
            Self::Onset { onset, high, length } => law("onset", &[("onset", onset), ("high", high), ("length", length)]),
        }
    }
}

fn not_zero(fields: &mut Fields<'_>, key: &str) -> Result<f64> {
    let number = fields.need(key, format!("{key} = 1"))?.number()?;
    if *number.get_ref() != 0.0 {
        return Ok(number.into_inner());
    }
    Err(fields.source.error(&number.span(), format!("`{key}` cannot be 0")).hint("give it in units of the frames' axis"))
}

impl Simulate {
    /// Reads `[simulate]`.
    pub(super) fn read(value: Value<'_>) -> Result<Self> {
        let known = ["frames", "seed", "axis", "x", "noise", "sigma_column_factor", "term"];
        let mut fields = value.table("[simulate]")?.only(&known)?;
        let (source, span) = (fields.source, fields.span.clone());
        let frames = fields.need("frames", "frames = 40")?.integer()?;
        let frame_count = match usize::try_from(*frames.get_ref()) {
            Ok(n) if (1..=1_000_000).contains(&n) => n,
            _ => return Err(source.error(&frames.span(), "`frames` must be between 1 and 1000000").hint("write frames = 40")),
        };
        let axis = match fields.take("axis") {
            Some(value) => {
                let mut axis = value.table("`axis`")?.only(&["name", "start", "stop"])?;
                let name = axis.need("name", "name = \"temperature_C\"")?.string()?.into_inner();
                let number = |axis: &mut Fields<'_>, key| {
                    Ok::<f64, crate::error::Error>(axis.need(key, format!("{key} = 25"))?.number()?.into_inner())
                };
                (name, number(&mut axis, "start")?, number(&mut axis, "stop")?)
            }
            None => ("frame".into(), 1.0, frame_count as f64),
        };
        let x = read_x(fields.need("x", "x = { start = 4, stop = 5, step = 0.001 }")?)?;
        let (noise, sigma) = read_noise(fields.need("noise", "noise = { model = \"poisson\" }")?)?;
        let terms = match fields.take("term") {
            Some(all) => all.array()?.into_iter().map(read_term).collect::<Result<Vec<_>>>()?,
            None => Vec::new(),
        };
        if terms.is_empty() {
            return Err(source.error(&span, "[simulate] has no terms").hint("add [[simulate.term]] with a model and its parameters"));
        }
        let seed = fields.integer("seed")?.map_or(1, Spanned::into_inner);
        let sigma_column_factor = fields.positive("sigma_column_factor")?.map_or(1.0, Spanned::into_inner);
        Ok(Self { frames: frame_count, seed, axis, x, noise, sigma, sigma_column_factor, terms })
    }

    /// Adds `[simulate]` to a spec's text.
    pub(super) fn write(&self, out: &mut Lines) {
        out.header("[simulate]");
        out.line("frames", &self.frames.to_string());
        out.line("seed", &self.seed.to_string());
        let (name, start, stop) = &self.axis;
        let axis = format!("{{ name = {}, start = {}, stop = {} }}", write::string(name), write::number(*start), write::number(*stop));
        out.line("axis", &axis);
        let (start, stop, step) = self.x;
        let x = format!("{{ start = {}, stop = {}, step = {} }}", write::number(start), write::number(stop), write::number(step));
        out.line("x", &x);
        let noise = [("model", Some(write::string(self.noise.word()))), ("sigma", self.sigma.map(write::number))];
        out.maybe("noise", write::inline(&noise));
        out.line("sigma_column_factor", &write::number(self.sigma_column_factor));
        for term in &self.terms {
            out.header("[[simulate.term]]");
            out.line("model", &write::string(term.model.name));
            term.write(out, Law::write);
        }
    }
}

fn read_x(value: Value<'_>) -> Result<(f64, f64, f64)> {
    let (source, span) = (value.source, value.span.clone());
    let mut fields = value.table("`x`")?.only(&["start", "stop", "step"])?;
    let mut number = |key: &str| Ok::<f64, crate::error::Error>(fields.need(key, format!("{key} = 1"))?.number()?.into_inner());
    let (start, stop, step) = (number("start")?, number("stop")?, number("step")?);
    /// More points than any detector has: a slip of the step, not a wish.
    const MOST_POINTS: f64 = 1e7;
    let wrong = |what: &str| Err(source.error(&span, format!("`x` {what}")).hint("write x = { start = 4, stop = 5, step = 0.001 }"));
    match (stop - start) / step {
        n if !(n.is_finite() && n > 0.0 && step > 0.0) => wrong("must rise from `start` to `stop` in positive steps"),
        n if n > MOST_POINTS => wrong("has more than ten million points"),
        _ => Ok((start, stop, step)),
    }
}

fn read_noise(value: Value<'_>) -> Result<(NoiseModel, Option<f64>)> {
    let mut fields = value.table("`noise`")?.only(&["model", "sigma"])?;
    let models = [("gaussian", NoiseModel::Gaussian), ("poisson", NoiseModel::Poisson)];
    let model = fields.need("model", "model = \"poisson\"")?.word(&models)?.into_inner();
    let span = fields.span_of("sigma");
    match (model, fields.positive("sigma")?) {
        (NoiseModel::Gaussian, Some(sigma)) => Ok((model, Some(sigma.into_inner()))),
        (NoiseModel::Poisson, None) => Ok((model, None)),
        (NoiseModel::Gaussian, None) => Err(fields.source.error(&span, "Gaussian noise lacks `sigma`").hint("add sigma = 0.1")),
        (NoiseModel::Poisson, Some(_)) => Err(fields.source.error(&span, "Poisson noise has no `sigma`").hint("remove it")),
    }
}

fn read_term(value: Value<'_>) -> Result<Given<Law>> {
    let mut fields = value.table("[[simulate.term]]")?;
    let (source, span) = (fields.source, fields.span.clone());
    let model = read_model(&mut fields)?;
    let size = read_size(&mut fields, model)?;
    let given = Given::read(known_keys(fields, model, size, &[])?, model, size, Law::read)?;
    let quantities = given.quantities();
    match given.values.iter().position(Option::is_none) {
        Some(i) => Err(source
            .error(&span, format!("the true {} lacks `{}`", model.name, quantities[i].name))
            .hint(format!("add {} = a number, or a law such as {{ law = \"linear\", start = 1, stop = 2 }}", quantities[i].name))),
        None => Ok(given),
    }
}
