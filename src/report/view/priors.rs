//! The priors of a resolved spec, by window, term and parameter, so that marginals can show what was believed before.

use crate::models::Role;
use crate::posterior::ParameterResult;
use crate::prior::Prior;
use crate::spec::{RawNoise, RawParameter, RawSpec, Width};

/// Priors by window (or measurement), term and parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Priors {
    all: Vec<(String, String, String, Prior)>,
    joint: bool,
    /// Terms that are counted, by window and name.
    counted: Vec<(String, String)>,
}

impl Priors {
    /// Those that a resolved spec spells out.
    pub(super) fn of(spec: &RawSpec) -> Self {
        let mut priors = Self { joint: spec.measurements.len() > 1, ..Self::default() };
        for shared in &spec.parameters {
            priors.add("", "", shared.name.get_ref(), shared.prior);
        }
        for stretch in spec.stretches() {
            let window = stretch.label();
            for term in &stretch.terms {
                if term.count.is_some() {
                    priors.counted.push((window.clone(), term.name().to_owned()));
                }
                let model = term.given.model;
                let size = term.given.size.or(model.size.map(|s| s.1)).unwrap_or(0);
                for (quantity, value) in (model.parameters)(size).iter().zip(&term.given.values) {
                    let Some(RawParameter::Free { prior: Some(prior), .. }) = value.as_ref().map(|v| v.get_ref()) else { continue };
                    priors.add(&window, term.name(), &quantity.name, *prior);
                    // A parameter bears the word it was given by.
                    let other = match quantity.role {
                        Role::Amplitude if term.given.height == Some(true) => Some("height"),
                        Role::Width => term.given.width.map(word),
                        _ => None,
                    };
                    if let Some(other) = other.filter(|o| *o != quantity.name) {
                        priors.add(&window, term.name(), other, *prior);
                    }
                }
            }
            let scale = |noise: &RawNoise| noise.scale.as_ref().map(|s| *s.get_ref());
            if let Some(prior) = stretch.noise.as_ref().and_then(scale).or_else(|| spec.noise.as_ref().and_then(scale)) {
                priors.add(&window, "", "scale", prior);
                if priors.joint {
                    // Together, several measurements each have their own.
                    priors.add(&window, "", &format!("scale[{window}]"), prior);
                }
            }
        }
        priors
    }

    fn add(&mut self, window: &str, term: &str, parameter: &str, prior: Prior) {
        self.all.push((window.into(), term.into(), parameter.into(), prior));
    }

    /// The prior of a parameter of a window; none where the spec does not say.
    pub fn get(&self, window: &str, parameter: &ParameterResult) -> Option<Prior> {
        let same = |p: &&(String, String, String, Prior)| p.1 == parameter.term && p.2 == parameter.parameter;
        let here = self.all.iter().filter(same).find(|p| p.0.is_empty() || p.0 == window);
        // A joint problem's parameters are told apart by their terms alone.
        here.or_else(|| self.all.iter().filter(|_| self.joint).find(same)).map(|p| p.3)
    }

    /// Whether a term is one that is counted.
    pub fn counts(&self, window: &str, term: &str) -> bool {
        self.counted.iter().any(|(of, name)| (self.joint || of == window) && name == term)
    }
}

fn word(width: Width) -> &'static str {
    match width {
        Width::Fwhm => "fwhm",
        Width::Hwhm => "hwhm",
        Width::Sigma => "sigma",
        Width::B => "b",
    }
}
