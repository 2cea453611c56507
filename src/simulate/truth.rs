//! The true terms of one frame: their parameters, which peaks exist, and the curve they make.

use crate::error::{Error, Result};
use crate::models::{Model, Role, Setup};
use crate::spec::{Given, Law, Width};

/// One term of the truth at one frame.
#[derive(Clone, Debug)]
pub struct TrueTerm {
    /// The model.
    pub model: &'static Model,
    /// Its size (degree), 0 where it has none.
    pub size: usize,
    /// Whether the amplitude is a height.
    pub height: bool,
    /// Parameters as the spec writes them, in the model's order: word and value.
    pub written: Vec<(String, f64)>,
    /// Parameters as the model takes them: in its order, the width as fwhm.
    pub theta: Vec<f64>,
    /// What each of them means.
    pub roles: Vec<Role>,
    /// Bounds of each.
    pub bounds: Vec<(f64, f64)>,
}

impl TrueTerm {
    /// The term at `axis` of a series that runs from `ends.0` to `ends.1`.
    pub(super) fn at(given: &Given<Law>, axis: f64, ends: (f64, f64)) -> Self {
        let quantities = given.quantities();
        let width = given.width.unwrap_or(Width::Fwhm);
        let mut term = Self {
            model: given.model,
            size: given.size(),
            height: given.height.unwrap_or(false),
            written: Vec::new(),
            theta: Vec::new(),
            roles: quantities.iter().map(|q| q.role).collect(),
            bounds: quantities.iter().map(|q| q.bounds).collect(),
        };
        // Every law is there: `[simulate]` is refused otherwise.
        for (i, law) in given.values.iter().enumerate().filter_map(|(i, law)| Some((i, law.as_ref()?))) {
            let value = law.at(axis, ends.0, ends.1);
            term.written.push((given.key(i, &quantities), value));
            term.theta.push(if quantities[i].name == "fwhm" { width.to_fwhm(value) } else { value });
        }
        term
    }

    /// The value of the first parameter of that role.
    pub fn role(&self, role: Role) -> Option<f64> {
        self.index(role).map(|i| self.theta[i])
    }

    /// The first parameter of that role.
    pub(super) fn index(&self, role: Role) -> Option<usize> {
        self.roles.iter().position(|r| *r == role)
    }

    /// Whether it is a peak: it has a center.
    pub fn is_peak(&self) -> bool {
        self.index(Role::Center).is_some()
    }

    /// Whether it is there: a peak of amplitude 0 is not. A peak without an amplitude always is.
    pub fn exists(&self) -> bool {
        self.role(Role::Amplitude) != Some(0.0)
    }

    /// Adds its curve at x to `y`; `coefficients` is scratch.
    ///
    /// # Errors
    /// Where the model refuses the parameters.
    pub(super) fn add(&self, x: &[f64], setup: &Setup, coefficients: &mut Vec<f64>, y: &mut [f64]) -> Result<()> {
        let extent = (self.model.extent)(self.size);
        coefficients.clear();
        coefficients.resize(extent.len(), 0.0);
        let setup = Setup { height: self.height, ..setup.clone() };
        (self.model.requires)(&setup).map_err(|need| Error::fatal(format!("the true {} cannot be had", self.model.name)).hint(need))?;
        if (self.model.prepare)(&self.theta, &setup, coefficients).is_err() {
            let values: Vec<String> = self.written.iter().map(|(word, value)| format!("{word} = {value}")).collect();
            return Err(Error::fatal(format!("there is no {} with {}", self.model.name, values.join(", ")))
                .hint("change the laws of its parameters in [[simulate.term]]"));
        }
        for (x, y) in x.iter().zip(y) {
            let t = (x - setup.mid) / setup.half;
            *y += coefficients.chunks_exact(extent.stride).map(|run| self.model.shape.eval_f64(t, run)).sum::<f64>();
        }
        Ok(())
    }
}

/// The sum of the terms that exist, at x.
///
/// # Errors
/// Where a model refuses its parameters.
pub fn curve(terms: &[TrueTerm], x: &[f64], setup: &Setup) -> Result<Vec<f64>> {
    let mut y = vec![0.0; x.len()];
    let mut scratch = Vec::new();
    for term in terms.iter().filter(|t| t.exists()) {
        term.add(x, setup, &mut scratch, &mut y)?;
    }
    Ok(y)
}
