//! Parameters and priors as a spec writes them: `{ prior = "uniform", low = 0, high = 1 }`, `{ fixed = 0.04 }`, `{ tie = "NAME" }`, `0.04`.

use std::ops::Range;

use toml::Spanned;

use super::fields::{Fields, Value, listed, nearest};
use super::write;
use crate::error::Result;
use crate::prior::Prior;

/// A parameter of a term as written.
#[derive(Clone, Debug, PartialEq)]
pub enum RawParameter {
    /// `{ prior = …, shared = true }`; without `prior` the default is filled in later.
    Free {
        /// The prior, if one is written.
        prior: Option<Prior>,
        /// Whether all peaks of the term share one value.
        shared: bool,
    },
    /// `{ fixed = 0.04 }` or `0.04`.
    Fixed(f64),
    /// `{ tie = "NAME", factor = 1, offset = 0 }`.
    Tied {
        /// Name under `[parameters]`.
        to: Spanned<String>,
        /// Factor.
        factor: f64,
        /// Offset.
        offset: f64,
    },
}

/// A parameter under `[parameters]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RawShared {
    /// Its name.
    pub name: Spanned<String>,
    /// Its unit.
    pub unit: Option<String>,
    /// Its prior.
    pub prior: Prior,
}

/// The kinds of prior and the keys each takes.
const KINDS: [(&str, Kind); 8] = [
    ("uniform", Kind::Uniform),
    ("log-uniform", Kind::LogUniform),
    ("normal", Kind::Normal),
    ("half-normal", Kind::HalfNormal),
    ("truncated-normal", Kind::TruncatedNormal),
    ("gamma", Kind::Gamma),
    ("beta", Kind::Beta),
    ("isotropic", Kind::Isotropic),
];

#[derive(Clone, Copy)]
enum Kind {
    Uniform,
    LogUniform,
    Normal,
    HalfNormal,
    TruncatedNormal,
    Gamma,
    Beta,
    Isotropic,
}

impl Kind {
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Uniform | Self::LogUniform => &["low", "high"],
            Self::Normal => &["mean", "sd", "variance"],
            Self::HalfNormal => &["sd", "variance"],
            Self::TruncatedNormal => &["mean", "sd", "variance", "low", "high"],
            Self::Gamma => &["shape", "rate"],
            Self::Beta => &["alpha", "beta"],
            Self::Isotropic => &[],
        }
    }
}

impl RawParameter {
    /// Reads a parameter of a term.
    pub(super) fn read(value: Value<'_>) -> Result<Spanned<Self>> {
        let span = value.span.clone();
        if !value.is_table() {
            let key = value.key.clone();
            let number = value
                .number()
                .map_err(|e| e.hint(format!("write {key} = {{ prior = \"uniform\", low = …, high = … }}, or a number, which fixes it")))?;
            return Ok(Spanned::new(span, Self::Fixed(*number.get_ref())));
        }
        let name = format!("`{}`", value.key);
        let mut fields = value.table(name)?;
        let parameter = if fields.has("fixed") {
            fields = fields.only(&["fixed"])?;
            Self::Fixed(*fields.need("fixed", "fixed = 1")?.number()?.get_ref())
        } else if fields.has("tie") {
            fields = fields.only(&["tie", "factor", "offset"])?;
            let number = |n: Option<Spanned<f64>>, default: f64| n.map_or(default, Spanned::into_inner);
            let factor = number(fields.number("factor")?, 1.0);
            let offset = number(fields.number("offset")?, 0.0);
            Self::Tied { to: fields.need("tie", "tie = \"NAME\"")?.string()?, factor, offset }
        } else {
            let shared = fields.take("shared").map(Value::boolean).transpose()?.unwrap_or(false);
            let prior = if fields.has("prior") { Some(prior(fields, &[])?.0) } else { none_but_shared(fields)? };
            Self::Free { prior, shared }
        };
        Ok(Spanned::new(span, parameter))
    }

    /// The text that reads back as this parameter.
    pub(super) fn write(&self) -> String {
        match self {
            Self::Free { prior: None, shared: false } => "{ }".into(),
            Self::Free { prior: None, shared: true } => "{ shared = true }".into(),
            Self::Free { prior: Some(prior), shared } => {
                format!("{{ {}{} }}", write_prior(prior), if *shared { ", shared = true" } else { "" })
            }
            Self::Fixed(value) => format!("{{ fixed = {} }}", write::number(*value)),
            Self::Tied { to, factor, offset } => format!(
                "{{ tie = {}, factor = {}, offset = {} }}",
                write::string(to.get_ref()),
                write::number(*factor),
                write::number(*offset)
            ),
        }
    }
}

/// A table without `prior`: only an empty one (after `shared`) is a parameter with its default prior.
fn none_but_shared(fields: Fields<'_>) -> Result<Option<Prior>> {
    let (source, span, name) = (fields.source, fields.span.clone(), fields.name.clone());
    match fields.rest().first() {
        Some((key, _)) if ["low", "high", "mean", "sd", "variance", "shape", "rate", "alpha", "beta"].contains(&key.get_ref().as_str()) => {
            Err(source
                .error(&span, format!("{name} has numbers but no kind of prior"))
                .hint(format!("add prior = one of {}", listed(&KINDS.map(|(word, _)| word)))))
        }
        Some((key, value)) => {
            let words = ["prior", "fixed", "tie", "shared"];
            let error = source.error(&key.span(), format!("unknown key `{}` in {name}", value.key));
            Err(match nearest(key.get_ref(), &words) {
                Some(word) => error.hint(format!("did you mean `{word}`?")),
                None => error.hint("a parameter is { prior = … }, { fixed = … } or { tie = … }"),
            })
        }
        None => Ok(None),
    }
}

impl RawShared {
    /// Reads one entry of `[parameters]`.
    pub(super) fn read(name: Spanned<String>, value: Value<'_>) -> Result<Self> {
        let fields = value.table(format!("[parameters.{}]", name.get_ref()))?;
        if !fields.has("prior") {
            return Err(fields
                .source
                .error(&name.span(), format!("{} lacks `prior`", fields.name))
                .hint("add prior = \"uniform\" with low and high"));
        }
        let (prior, mut fields) = prior(fields, &["unit"])?;
        Ok(Self { name, unit: fields.string("unit")?.map(Spanned::into_inner), prior })
    }
}

/// Reads a prior out of a table that has one; `besides` are the table's other keys, and are given back.
pub(super) fn prior<'a>(mut fields: Fields<'a>, besides: &[&str]) -> Result<(Prior, Fields<'a>)> {
    let kind = fields.need("prior", "prior = \"uniform\"")?.word(&KINDS)?;
    let span = fields.span.clone();
    let known: Vec<&str> = kind.get_ref().keys().iter().chain(besides).copied().collect();
    let mut fields = fields.only(&known)?;
    let prior = match kind.get_ref() {
        Kind::Uniform => {
            let (low, high) = ends(&mut fields)?;
            Prior::Uniform { low, high }
        }
        Kind::LogUniform => {
            let (low, high) = ends_above_zero(&mut fields)?;
            Prior::LogUniform { low, high }
        }
        Kind::Normal => Prior::Normal { mean: number(&mut fields, "mean")?, sd: sd(&mut fields)? },
        Kind::HalfNormal => Prior::HalfNormal { sd: sd(&mut fields)? },
        Kind::TruncatedNormal => {
            let (mean, sd) = (number(&mut fields, "mean")?, sd(&mut fields)?);
            let (low, high) = ends(&mut fields)?;
            Prior::TruncatedNormal { mean, sd, low, high }
        }
        Kind::Gamma => Prior::Gamma { shape: above_zero(&mut fields, "shape")?, rate: above_zero(&mut fields, "rate")? },
        Kind::Beta => Prior::Beta { alpha: above_zero(&mut fields, "alpha")?, beta: above_zero(&mut fields, "beta")? },
        Kind::Isotropic => Prior::Isotropic,
    };
    normalisable(&prior, &fields, &span)?;
    Ok((prior, fields))
}

/// Refuses densities whose normalisation f64 cannot hold, such as a truncated normal whose interval lies 50 sd from its mean.
fn normalisable(prior: &Prior, fields: &Fields<'_>, span: &Range<usize>) -> Result<()> {
    let at = match *prior {
        Prior::TruncatedNormal { mean, low, high, .. } => mean.clamp(low, high),
        Prior::Uniform { low, .. } | Prior::LogUniform { low, .. } => low,
        _ => prior.moments().0,
    };
    let (mean, sd) = prior.moments();
    let sharp = matches!(prior, Prior::Gamma { .. } | Prior::Beta { .. } | Prior::Isotropic);
    if (sharp || prior.ln_density(at).is_finite()) && mean.is_finite() && sd.is_finite() && sd > 0.0 {
        return Ok(());
    }
    Err(fields
        .source
        .error(span, format!("the prior of {} cannot be normalised in floating point", fields.name))
        .hint("bring its numbers nearer together: an interval within some 30 sd of the mean, and no extreme powers of ten"))
}

fn number(fields: &mut Fields<'_>, key: &str) -> Result<f64> {
    Ok(fields.need(key, format!("{key} = 1"))?.number()?.into_inner())
}

fn above_zero(fields: &mut Fields<'_>, key: &str) -> Result<f64> {
    Ok(fields.need(key, format!("{key} = 1"))?.positive()?.into_inner())
}

/// The standard deviation, also where it is given as a variance.
fn sd(fields: &mut Fields<'_>) -> Result<f64> {
    match fields.take("variance") {
        Some(variance) if fields.has("sd") => {
            Err(variance.error(format!("{} has both `sd` and `variance`", fields.name)).hint("keep one of them"))
        }
        Some(variance) => Ok(variance.positive()?.get_ref().sqrt()),
        None => above_zero(fields, "sd"),
    }
}

/// `low` and `high`, in this order.
fn ends(fields: &mut Fields<'_>) -> Result<(f64, f64)> {
    let low = fields.need("low", "low = 0")?.number()?;
    let high = fields.need("high", "high = 1")?.number()?.into_inner();
    if *low.get_ref() < high {
        return Ok((low.into_inner(), high));
    }
    let what = format!("`low` of {} is not below `high` ({} and {})", fields.name, low.get_ref(), write::number(high));
    Err(fields.source.error(&low.span(), what).hint("give the smaller end as `low`; for a single value write { fixed = … }"))
}

/// `low` and `high` of a density that lives above zero.
fn ends_above_zero(fields: &mut Fields<'_>) -> Result<(f64, f64)> {
    let span = fields.span_of("low");
    let (low, high) = ends(fields)?;
    if low > 0.0 {
        return Ok((low, high));
    }
    Err(fields
        .source
        .error(&span, format!("the log-uniform prior of {} must start above 0", fields.name))
        .hint("give the smallest value that makes sense as `low`, or write prior = \"uniform\""))
}

/// The keys of a prior's table, without braces.
pub(super) fn write_prior(prior: &Prior) -> String {
    let keys = |kind: &str, pairs: &[(&str, f64)]| {
        let mut text = format!("prior = \"{kind}\"");
        for (key, value) in pairs {
            text.push_str(&format!(", {key} = {}", write::number(*value)));
        }
        text
    };
    match *prior {
        Prior::Uniform { low, high } => keys("uniform", &[("low", low), ("high", high)]),
        Prior::LogUniform { low, high } => keys("log-uniform", &[("low", low), ("high", high)]),
        Prior::Normal { mean, sd } => keys("normal", &[("mean", mean), ("sd", sd)]),
        Prior::HalfNormal { sd } => keys("half-normal", &[("sd", sd)]),
        Prior::TruncatedNormal { mean, sd, low, high } => {
            keys("truncated-normal", &[("mean", mean), ("sd", sd), ("low", low), ("high", high)])
        }
        Prior::Gamma { shape, rate } => keys("gamma", &[("shape", shape), ("rate", rate)]),
        Prior::Beta { alpha, beta } => keys("beta", &[("alpha", alpha), ("beta", beta)]),
        Prior::Isotropic => keys("isotropic", &[]),
    }
}
