//! One frame times one candidate: measurements, terms and priors, flattened; immutable.

use crate::dataset::{Frame, MOST_SIGMAS, neighbour_noise};
use crate::error::{Error, Place, Result};
use crate::models::{ABREAST, Abreast, Extent, Inadmissible, Model, Quantity, Role, Setup, Unit};
use crate::prior::Prior;
use crate::spec;

/// A problem: what one ladder samples.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Name of the frame.
    pub frame: String,
    /// Name of the group (window).
    pub window: String,
    /// Label of the candidate.
    pub candidate: String,
    /// Total count of counted terms.
    pub k: Option<usize>,
    /// The measurements, at least one.
    pub measurements: Vec<Measurement>,
    /// Terms, grouped by measurement in ascending order.
    pub terms: Vec<Term>,
    /// Free parameters: θ has one entry each.
    pub parameters: Vec<Parameter>,
    /// For each free parameter the terms that depend on it, ascending.
    pub dependents: Vec<Vec<u32>>,
}

/// The data of one measurement in one problem.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Name, unique in the problem.
    pub name: String,
    /// Middle and half-width of the window and the unit of y.
    pub mid: f64,
    /// Half-width of the window.
    pub half: f64,
    /// Unit of y: engines see y/scale. Under Poisson it is 1 times a power of two, so that deviances stay those of counts.
    pub scale: f64,
    /// x, ascending, N points.
    pub x: Vec<f64>,
    /// (x − mid)/half.
    pub t: Vec<f64>,
    /// y/scale.
    pub y: Vec<f64>,
    /// scale/σ of the base noise (Gaussian), N points; empty under Poisson.
    pub weight: Vec<f64>,
    /// Factor of the expectation at each point (monitor), Poisson only; empty for 1.
    pub exposure: Vec<f64>,
    /// Noise model.
    pub noise: Noise,
    /// The part of the energy that no parameter changes: Σ ln σ + N/2 ln 2π, or Σ(y − y ln y + ln y!).
    pub constant: f64,
    /// A term's support is where its magnitude is at least this, in units of y/scale: see [`support_floor`].
    pub floor: f64,
}

/// Noise of a measurement, as the energy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// Gaussian with the base σ.
    Gaussian,
    /// Gaussian with the base σ times `θ[index]`.
    Scaled {
        /// Index of the scale among the free parameters.
        parameter: usize,
    },
    /// Poisson.
    Poisson,
}

/// One additive piece.
#[derive(Clone, Debug)]
pub struct Term {
    /// The model.
    pub model: &'static Model,
    /// Its size (degree).
    pub size: usize,
    /// Index of the measurement it belongs to.
    pub measurement: usize,
    /// Name of the spec's term it came from.
    pub name: String,
    /// Which of several like it, from 0.
    pub copy: usize,
    /// How many there are of that spec term in this candidate.
    pub of: usize,
    /// Whether copies are exchangeable peaks.
    pub counted: bool,
    /// Window and amplitude convention.
    pub setup: Setup,
    /// Where each parameter of the model comes from.
    pub bindings: Vec<Binding>,
    /// Place of its coefficients among the walker's.
    pub at: usize,
    /// How its coefficients lie.
    pub extent: Extent,
}

/// Where a term's parameter comes from, and how what the spec gives becomes what the model wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binding {
    /// Index of the free parameter, or none: then the value is `offset`.
    pub free: Option<usize>,
    /// Factor.
    pub factor: f64,
    /// Offset.
    pub offset: f64,
    /// Conversion of the result (a width given as b or σ).
    pub width: spec::Width,
}

/// One free parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name in results: `center`, `fwhm`, `scale`, …
    pub name: String,
    /// Unit in results.
    pub unit: String,
    /// Its prior.
    pub prior: Prior,
    /// The prior's [`Prior::ln_constant`].
    pub ln_constant: f64,
    /// What it means.
    pub role: Role,
    /// The spec term it belongs to; none for noise and parameters shared by name.
    pub term: Option<String>,
    /// The peak it belongs to (index among the problem's terms); none if shared by several.
    pub owner: Option<usize>,
    /// Bounds of the model: inadmissible outside.
    pub bounds: (f64, f64),
}

impl Parameter {
    /// ln of the prior density.
    #[inline]
    pub fn ln_density(&self, x: f64) -> f64 {
        self.prior.ln_kernel(x) + self.ln_constant
    }
}

impl Problem {
    /// Number of free parameters.
    pub fn dimension(&self) -> usize {
        self.parameters.len()
    }

    /// Number of coefficients of a walker.
    pub fn coefficients(&self) -> usize {
        self.terms.last().map_or(0, |t| t.at + t.extent.len())
    }

    /// Number of data points over all measurements.
    pub fn points(&self) -> usize {
        self.measurements.iter().map(|m| m.t.len()).sum()
    }

    /// Coefficients of one term at θ, in units of t and y/scale; `out` has `extent.len()` entries.
    ///
    /// # Errors
    /// [`Inadmissible`] where the model refuses θ.
    pub fn prepare(&self, term: usize, theta: &[f64], out: &mut [f64]) -> std::result::Result<(), Inadmissible> {
        let term = &self.terms[term];
        let mut values = [0.0; MAX_PARAMETERS];
        for (value, binding) in values.iter_mut().zip(&term.bindings) {
            *value = binding.value(theta);
        }
        (term.model.prepare)(&values[..term.bindings.len()], &term.setup, out)
    }

    /// Coefficients of all terms at θ, [`Problem::coefficients`] of them; false where a bound or a model refuses θ, or they leave the numbers.
    pub fn prepare_all(&self, theta: &[f64], out: &mut [f64]) -> bool {
        let within = |(p, v): (&Parameter, &f64)| (p.bounds.0..=p.bounds.1).contains(v);
        self.parameters.iter().zip(theta).all(within)
            && self.terms.iter().enumerate().all(|(k, term)| {
                let own = &mut out[term.at..term.at + term.extent.len()];
                self.prepare(k, theta, own).is_ok() && own.iter().all(|c| c.is_finite())
            })
    }
}

pub use crate::models::MAX_PARAMETERS;

impl Binding {
    /// The value the model gets.
    pub fn value(&self, theta: &[f64]) -> f64 {
        let given = match self.free {
            Some(i) => theta[i] * self.factor + self.offset,
            None => self.offset,
        };
        self.width.to_fwhm(given)
    }

    /// The same for walkers abreast: of the free parameter's values it makes those that the model gets.
    #[inline(always)]
    pub fn values(&self, all: &mut Abreast) {
        if self.free.is_some() {
            for value in all.iter_mut() {
                *value = *value * self.factor + self.offset;
            }
        } else {
            *all = [self.offset; ABREAST];
        }
        self.width.all_to_fwhm(all);
    }
}

/// Builds the problems of one frame, group after group, candidate after candidate.
///
/// # Errors
/// Where a window holds no points, values do not fit the noise model (negative or fractional counts under Poisson), or a model
/// cannot be had in its window.
pub fn build(spec: &spec::Spec, frame: &Frame) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for group in &spec.groups {
        for candidate in &group.candidates {
            problems.push(Builder::new(spec, frame, group, candidate)?.finish()?);
        }
    }
    Ok(problems)
}

/// Puts one problem together: measurements first, then terms and their parameters in the order of the spec.
struct Builder<'a> {
    spec: &'a spec::Spec,
    group: &'a spec::Group,
    candidate: &'a spec::Candidate,
    problem: Problem,
    /// Free parameters that several bindings share, by the key that names them.
    known: Vec<(Key, usize)>,
    at: usize,
}

/// What makes two bindings the same free parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    /// `[parameters.NAME]`.
    Named(String),
    /// `shared = true`: measurement, term and parameter of the spec.
    OfTerm(usize, usize, usize),
}

impl<'a> Builder<'a> {
    fn new(spec: &'a spec::Spec, frame: &Frame, group: &'a spec::Group, candidate: &'a spec::Candidate) -> Result<Self> {
        let measurements =
            group.measurements.iter().map(|m| Measurement::new(m, frame, candidate.model_error)).collect::<Result<Vec<_>>>()?;
        let problem = Problem {
            frame: frame.name.clone(),
            window: group.name.clone(),
            candidate: candidate.label.clone(),
            k: candidate.k,
            measurements,
            terms: Vec::new(),
            parameters: Vec::new(),
            dependents: Vec::new(),
        };
        Ok(Self { spec, group, candidate, problem, known: Vec::new(), at: 0 })
    }

    fn finish(mut self) -> Result<Problem> {
        for &(measurement, term, count) in &self.candidate.terms {
            for copy in 0..count {
                self.term(measurement, term, copy, count)?;
            }
        }
        for (m, measurement) in self.group.measurements.iter().enumerate() {
            if let spec::Noise::Gaussian { scale: Some(prior), .. } = &measurement.noise {
                let name = if self.group.measurements.len() > 1 { format!("scale[{}]", measurement.name) } else { "scale".into() };
                let index = self.free(Parameter {
                    name,
                    unit: String::new(),
                    prior: *prior,
                    ln_constant: prior.ln_constant(),
                    role: Role::Other,
                    term: None,
                    owner: None,
                    bounds: (f64::MIN_POSITIVE, f64::INFINITY),
                });
                let data = &mut self.problem.measurements[m];
                data.noise = Noise::Scaled { parameter: index };
                // The smallest noise the problem knows: what neighbours differ by, where the stated σ is larger.
                data.floor *= data.scatter().min(1.0).max(prior.range().0);
            }
        }
        let mut problem = self.problem;
        problem.dependents = vec![Vec::new(); problem.parameters.len()];
        for (k, term) in problem.terms.iter().enumerate() {
            for binding in &term.bindings {
                if let Some(i) = binding.free
                    && problem.dependents[i].last() != Some(&(k as u32))
                {
                    problem.dependents[i].push(k as u32);
                }
            }
        }
        Ok(problem)
    }

    fn term(&mut self, measurement: usize, index: usize, copy: usize, count: usize) -> Result<()> {
        let from = &self.group.measurements[measurement].terms[index];
        let quantities = (from.model.parameters)(from.size);
        let owner = self.problem.terms.len();
        let bindings = from
            .parameters
            .iter()
            .zip(&quantities)
            .enumerate()
            .map(|(j, (source, quantity))| {
                let width = if quantity.role == Role::Width && quantity.name == "fwhm" { from.width } else { spec::Width::Fwhm };
                let parameter = |prior: &Prior, owner| Parameter {
                    name: parameter_name(quantity, from),
                    unit: self.unit(quantity.unit, from.height),
                    prior: *prior,
                    ln_constant: prior.ln_constant(),
                    role: quantity.role,
                    term: Some(from.name.clone()),
                    owner,
                    bounds: given_bounds(quantity.bounds, width),
                };
                let (free, factor, offset) = match source {
                    spec::Parameter::Free(prior) => {
                        let new = parameter(prior, Some(owner));
                        (Some(self.free(new)), 1.0, 0.0)
                    }
                    spec::Parameter::Shared(prior) => {
                        let new = parameter(prior, None);
                        (Some(self.shared(Key::OfTerm(measurement, index, j), new)), 1.0, 0.0)
                    }
                    spec::Parameter::Fixed(value) => (None, 0.0, *value),
                    spec::Parameter::Tied { to, factor, offset } => (self.named(to), *factor, *offset),
                };
                Binding { free, factor, offset, width }
            })
            .collect();
        let extent = (from.model.extent)(from.size);
        let data = &self.problem.measurements[measurement];
        let setup = Setup {
            mid: data.mid,
            half: data.half,
            scale: data.scale,
            height: from.height,
            wavelength: self.spec.data.wavelength,
            wavelength2: self.spec.data.wavelength2,
        };
        if let Err(need) = (from.model.requires)(&setup) {
            return Err(Error::fatal(format!("the term `{}` cannot be had in the window `{}`", from.name, data.name)).hint(need));
        }
        self.problem.terms.push(Term {
            model: from.model,
            size: from.size,
            measurement,
            name: from.name.clone(),
            copy,
            of: count,
            counted: from.counted,
            setup,
            bindings,
            at: self.at,
            extent,
        });
        self.at += extent.len();
        Ok(())
    }

    fn free(&mut self, parameter: Parameter) -> usize {
        self.problem.parameters.push(parameter);
        self.problem.parameters.len() - 1
    }

    fn shared(&mut self, key: Key, parameter: Parameter) -> usize {
        if let Some((_, index)) = self.known.iter().find(|(k, _)| *k == key) {
            return *index;
        }
        let index = self.free(parameter);
        self.known.push((key, index));
        index
    }

    /// The parameter of that name; the checked spec holds every name a term is tied to.
    fn named(&mut self, name: &str) -> Option<usize> {
        let from = self.spec.shared.iter().find(|s| s.name == name)?;
        let parameter = Parameter {
            name: name.to_owned(),
            unit: from.unit.clone(),
            prior: from.prior,
            ln_constant: from.prior.ln_constant(),
            role: Role::Other,
            term: None,
            owner: None,
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
        };
        Some(self.shared(Key::Named(name.to_owned()), parameter))
    }

    fn unit(&self, unit: Unit, height: bool) -> String {
        let x = &self.spec.data.x.unit;
        match unit {
            Unit::X => x.clone(),
            Unit::Y => "y".into(),
            Unit::Area if height || x.is_empty() => "y".into(),
            Unit::Area => format!("y {x}"),
            Unit::Slope if x.is_empty() => "y".into(),
            Unit::Slope => format!("y/{x}"),
            Unit::One => String::new(),
            Unit::Named(name) => name.into(),
        }
    }
}

/// The name a parameter has in results: the one the spec used for it.
fn parameter_name(quantity: &Quantity, term: &spec::Term) -> String {
    match quantity.role {
        Role::Amplitude if term.height => "height".into(),
        Role::Width if quantity.name == "fwhm" => match term.width {
            spec::Width::Fwhm => "fwhm",
            spec::Width::Hwhm => "hwhm",
            spec::Width::Sigma => "sigma",
            spec::Width::B => "b",
        }
        .into(),
        _ => quantity.name.clone(),
    }
}

/// Bounds of a full width, as bounds of what the spec gives (only positivity can be lost; all forms are positive).
fn given_bounds(bounds: (f64, f64), width: spec::Width) -> (f64, f64) {
    match width {
        spec::Width::Fwhm => bounds,
        spec::Width::Hwhm | spec::Width::Sigma | spec::Width::B => (0.0, f64::INFINITY),
    }
}

impl Measurement {
    /// One over the standard deviation of y/scale by the stated noise, N points; under Poisson √counts, and one where there are none.
    pub fn standards(&self) -> Vec<f64> {
        match self.noise {
            Noise::Gaussian | Noise::Scaled { .. } => self.weight.clone(),
            Noise::Poisson => self.y.iter().map(|y| self.scale / (y * self.scale).max(1.0).sqrt()).collect(),
        }
    }

    /// How many times the stated noise neighbouring points differ by; 0 for fewer than three points.
    pub fn scatter(&self) -> f64 {
        neighbour_noise(&self.standards().iter().zip(&self.y).map(|(w, y)| w * y).collect::<Vec<_>>())
    }

    /// Cuts the window out of a frame and brings it into the units engines see.
    fn new(from: &spec::Measurement, frame: &Frame, model_error: f64) -> Result<Self> {
        let mut x = Vec::new();
        let mut y = Vec::new();
        let mut sigma = Vec::new();
        let mut monitor = Vec::new();
        let mut point = Vec::new();
        let column = frame.sigma.as_deref();
        for (i, (&xi, &yi)) in frame.x.iter().zip(&frame.y).enumerate() {
            let inside = xi >= from.range.0 && xi <= from.range.1;
            if !inside || from.exclude.iter().any(|&(low, high)| xi >= low && xi <= high) {
                continue;
            }
            x.push(xi);
            y.push(yi);
            point.push(i);
            monitor.push(*frame.monitor.get(i).or(frame.monitor.first()).unwrap_or(&1.0));
            sigma.push(match (&from.noise, column) {
                (spec::Noise::Gaussian { sigma: spec::Sigma::Number(s), .. }, _) => *s,
                (spec::Noise::Gaussian { sigma: spec::Sigma::Column, .. }, Some(column)) => column[i],
                (spec::Noise::Gaussian { .. }, None) => return Err(no_sigma(frame)),
                (spec::Noise::Poisson, _) => 1.0,
            });
        }
        if x.is_empty() {
            return Err(empty_window(from, frame));
        }
        let (mid, half) = (0.5 * (from.range.0 + from.range.1), 0.5 * (from.range.1 - from.range.0));
        let t = x.iter().map(|x| (x - mid) / half).collect();
        let largest = y.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        let mut data = Self {
            name: from.name.clone(),
            mid,
            half,
            scale: power_of_two(largest),
            x,
            t,
            y: Vec::new(),
            weight: Vec::new(),
            exposure: Vec::new(),
            noise: Noise::Gaussian,
            constant: 0.0,
            floor: 0.0,
        };
        let place = |i: usize| frame.place(point[i]);
        match from.noise {
            spec::Noise::Gaussian { .. } => data.gaussian(&y, &sigma, &monitor, model_error, &place)?,
            spec::Noise::Poisson => data.poisson(&y, monitor, &place)?,
        }
        Ok(data)
    }

    fn gaussian(&mut self, y: &[f64], sigma: &[f64], monitor: &[f64], model_error: f64, place: &dyn Fn(usize) -> Place) -> Result<()> {
        let mut smallest = f64::INFINITY;
        let mut constant = 0.5 * y.len() as f64 * (2.0 * std::f64::consts::PI).ln();
        for (i, ((&y, &given), &monitor)) in y.iter().zip(sigma).zip(monitor).enumerate() {
            let y = y / monitor;
            let sigma = (given / monitor).hypot(model_error * y);
            if !(given >= 0.0 && sigma > 0.0 && sigma.is_finite()) {
                return Err(Error::recoverable(format!("the standard error is {given}, not a positive number"))
                    .at(place(i))
                    .hint("exclude the points, give one number as sigma, or a model_error"));
            }
            if y.abs() > MOST_SIGMAS * sigma {
                return Err(Error::recoverable(format!("y = {y:e} is no measurement: it has σ = {sigma}"))
                    .at(place(i))
                    .hint("delete the row, or drop what is saturated with mask_above under [data]"));
            }
            smallest = smallest.min(sigma);
            constant += sigma.ln();
            self.y.push(y / self.scale);
            self.weight.push(self.scale / sigma);
        }
        self.constant = constant;
        self.floor = support_floor(smallest, y.len()) / self.scale;
        Ok(())
    }

    fn poisson(&mut self, y: &[f64], monitor: Vec<f64>, place: &dyn Fn(usize) -> Place) -> Result<()> {
        let mut constant = 0.0;
        let mut smallest = f64::INFINITY;
        for (i, &y) in y.iter().enumerate() {
            if y < 0.0 || y.fract() != 0.0 || y > LARGEST_COUNT {
                return Err(Error::recoverable(format!("{y:?} is no count"))
                    .at(place(i))
                    .hint("normalised? use gaussian, or give the monitor column"));
            }
            constant += libm::lgamma(y + 1.0) + if y > 0.0 { y - y * y.ln() } else { 0.0 };
            smallest = smallest.min(y.max(1.0).sqrt());
            self.y.push(y / self.scale);
        }
        if monitor.iter().any(|&m| m != 1.0) {
            self.exposure = monitor;
        }
        self.noise = Noise::Poisson;
        self.constant = constant;
        self.floor = support_floor(smallest, y.len()) / self.scale;
        Ok(())
    }
}

/// Counts beyond this are not whole numbers any more: 2⁵³.
const LARGEST_COUNT: f64 = 9_007_199_254_740_992.0;

/// A term's support ends where it falls below this share of the smallest noise level.
const FLOOR: f64 = 1e-4;
/// And N points that each miss a floor change the energy by this many nats at most, in standard deviations: √N·floor.
const LEFT_OUT: f64 = 3e-4;

/// The magnitude below which a term is left out, for a noise level and a number of points.
pub fn support_floor(noise: f64, points: usize) -> f64 {
    noise * FLOOR.min(LEFT_OUT / (points.max(1) as f64).sqrt())
}

/// The power of two next below a positive number; 1 for zero. Division by it is exact.
fn power_of_two(largest: f64) -> f64 {
    if largest > 0.0 && largest.is_finite() { largest.log2().floor().clamp(-1000.0, 1000.0).exp2() } else { 1.0 }
}

fn no_sigma(frame: &Frame) -> Error {
    Error::recoverable(format!("frame {} has no σ column", frame.name))
        .at(Place::file(&frame.source))
        .hint("name the column in [data] columns, or give noise.sigma as a number or \"unknown\"")
}

fn empty_window(window: &spec::Measurement, frame: &Frame) -> Error {
    let (low, high) = (frame.x.first().copied().unwrap_or(f64::NAN), frame.x.last().copied().unwrap_or(f64::NAN));
    Error::recoverable(format!("window {} holds no point of frame {}", window.name, frame.name))
        .at(Place::file(&frame.source))
        .hint(format!("the window is {} to {}, the data run from {low} to {high}", window.range.0, window.range.1))
}
