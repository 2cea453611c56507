//! The levels of a virtual measurement: measuring times of counts, or standard deviations of Gaussian noise.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::simulate::Scale;
use crate::spec::{NoiseModel, Simulate};

/// What a level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A measuring time T of counts: a frame of `[simulate]` takes 1.
    Time,
    /// σ of Gaussian noise, in units of y, in place of that of `[simulate]`.
    Sigma,
}

impl Kind {
    /// How records and tables call it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Time => "T",
            Self::Sigma => "sigma",
        }
    }

    /// The flag that gives such levels.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Time => "--times",
            Self::Sigma => "--sigmas",
        }
    }

    /// Which way levels go that tell more.
    pub fn better(self) -> &'static str {
        match self {
            Self::Time => "longer times",
            Self::Sigma => "smaller sigmas",
        }
    }

    /// Which way levels go that tell less.
    pub fn worse(self) -> &'static str {
        match self {
            Self::Time => "shorter times",
            Self::Sigma => "larger sigmas",
        }
    }

    /// How many standard errors of the level 1 (T = 1 or σ = 1) one of this level is: √T⁻¹, or σ.
    pub fn width(self, level: f64) -> f64 {
        match self {
            Self::Time => level.sqrt().recip(),
            Self::Sigma => level,
        }
    }
}

/// Levels, from the one that tells least to the one that tells most, no two alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    /// What they are.
    pub kind: Kind,
    /// Their values, at least one, positive.
    pub values: Vec<f64>,
}

impl Levels {
    /// The levels that `--times` or `--sigmas` lists, separated by commas, for the noise that `[simulate]` draws.
    ///
    /// # Errors
    /// Where none or both are given, they are of the wrong kind for the noise, one is no positive number, or two are alike.
    pub fn read(times: Option<&str>, sigmas: Option<&str>, simulate: &Simulate) -> Result<Self> {
        let (kind, noise, example) = match simulate.noise {
            NoiseModel::Poisson => (Kind::Time, "poisson", "1,3,10"),
            NoiseModel::Gaussian => (Kind::Sigma, "gaussian", "0.1,0.2,0.4"),
        };
        let hint = format!("the noise of [simulate] is {noise}: give {} {example}", kind.flag());
        let text = match (kind, times, sigmas) {
            (Kind::Time, Some(text), None) | (Kind::Sigma, None, Some(text)) => text,
            (_, None, None) => return Err(Error::fatal("no levels are given").hint(hint)),
            (_, Some(_), Some(_)) => return Err(Error::fatal("both --times and --sigmas are given").hint(hint)),
            (Kind::Time, ..) => return Err(Error::fatal("counts have no sigma of their own").hint(hint)),
            (Kind::Sigma, ..) => return Err(Error::fatal("a measuring time means nothing to Gaussian noise").hint(hint)),
        };
        let wrong = |what: String| Error::fatal(format!("{}: {what}", kind.flag())).hint(format!("give {} {example}", kind.flag()));
        let mut values = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.parse::<f64>() {
                Ok(value) if value > 0.0 && value.is_finite() => values.push(value),
                Ok(_) => return Err(wrong(format!("{word} is no positive number"))),
                Err(_) => return Err(wrong(format!("`{word}` is no number"))),
            }
        }
        values.sort_by(f64::total_cmp);
        if let Some((twice, _)) = values.iter().zip(values.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(wrong(format!("{twice} stands there twice")));
        }
        if values.is_empty() {
            return Err(wrong("the list is empty".into()));
        }
        if kind == Kind::Sigma {
            values.reverse();
        }
        Ok(Self { kind, values })
    }

    /// The noise at the level 1.
    pub fn unit_noise(&self) -> Scale {
        match self.kind {
            Kind::Time => Scale::Poisson,
            Kind::Sigma => Scale::Gaussian(1.0),
        }
    }

    /// The factor of the expectation and the noise about it at a level.
    pub fn at(&self, level: f64) -> (f64, Scale) {
        match self.kind {
            Kind::Time => (level, Scale::Poisson),
            Kind::Sigma => (1.0, Scale::Gaussian(level)),
        }
    }

    /// A level as records and tables have it.
    pub fn name(&self, level: f64) -> String {
        format!("{} = {level}", self.kind.symbol())
    }
}
