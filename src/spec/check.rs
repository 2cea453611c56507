//! From a resolved spec to a checked one: names found, priors within their models' bounds, nothing left open.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::candidates::{alone, candidates};
use super::fields::nearest;
use super::parameter::RawParameter;
use super::raw::{NoiseModel, RawFrames, RawMeasurement, RawNoise, RawSigma, RawSpec};
use super::term::RawTerm;
use super::{
    Data, FrameTable, Group, Layout, Measurement, Noise, Parameter, Run, SharedParameter, Sigma, Spec, Term, Width, XAxis, defaults,
};
use crate::error::{Error, Result};
use crate::models::{Quantity, Role};
use crate::prior::Prior;

impl RawSpec {
    /// Checks a resolved spec.
    ///
    /// # Errors
    /// Where a name means nothing, a prior leaves its model's bounds, the noise contradicts itself, the candidates are too many,
    /// a folder or table is missing, or something is still left out: with file, line, column and what to do.
    pub fn check(&self) -> Result<Spec> {
        if self.windows.is_empty() == self.measurements.is_empty() {
            let both = !self.windows.is_empty();
            let span = self.measurements.first().map_or(0..0, |m| m.span.clone());
            let what = if both { "a spec has [[window]]s or [[measurement]]s, not both" } else { "the spec has no [[window]]" };
            return Err(self
                .source
                .error(&span, what)
                .hint("[[window]]s are independent problems, [[measurement]]s one joint problem; each needs a term"));
        }
        let spec = Spec {
            title: self.title.clone().unwrap_or_default(),
            data: self.data()?,
            shared: self.shared(),
            groups: self.groups()?,
            run: self.run(),
        };
        self.no_idle_parameter(&spec)?;
        Ok(spec)
    }

    /// The checked `[data]` section, which says where the frames are before any default is derived from them.
    ///
    /// # Errors
    /// Where the folder or the table of frames does not exist, or the axes cannot be converted.
    pub fn data(&self) -> Result<Data> {
        let raw = &self.data;
        let folder = self.folder()?;
        let name = raw.x.name.clone().unwrap_or_else(|| "x".into());
        let has_x = raw.columns.as_ref().is_none_or(|c| c.get_ref().iter().any(|c| c == "x"));
        if !has_x && raw.x.start.is_none() {
            let span = raw.columns.as_ref().map_or(0..0, Spanned::span);
            return Err(self.source.error(&span, "no column holds x").hint("name a column x, or give x = { start = …, step = … }"));
        }
        if let Some(file) = raw.x.file.as_ref().filter(|f| *f.get_ref() != name) {
            let known = ["two_theta", "d", "q"];
            let error = |what: String| Err(self.source.error(&file.span(), what));
            if !known.contains(&file.get_ref().as_str()) || !known.contains(&name.as_str()) {
                return error(format!("x cannot be converted from `{}` to `{name}`", file.get_ref()))
                    .map_err(|e: Error| e.hint("two_theta, d and q can be converted into one another; otherwise leave `file` out"));
            }
            if raw.wavelength.is_none() && (file.get_ref() == "two_theta" || name == "two_theta") {
                return error("a conversion from or to two_theta needs the wavelength".into())
                    .map_err(|e: Error| e.hint("add wavelength = 0.2413 (ångström) to [data]"));
            }
        }
        Ok(Data {
            files: raw.files.get_ref().clone(),
            columns: raw.columns.as_ref().map(|c| c.get_ref().clone()).unwrap_or_default(),
            layout: raw.layout.unwrap_or(Layout::Columns),
            x: XAxis {
                unit: raw.x.unit.clone().unwrap_or_else(|| defaults::x_unit(&name).into()),
                file: raw.x.file.as_ref().map(|f| f.get_ref().clone()),
                start_step: raw.x.start.zip(raw.x.step),
                name,
            },
            wavelength: raw.wavelength,
            wavelength2: raw.wavelength2,
            normalise: raw.normalise.clone(),
            mask_above: raw.mask_above,
            frames: raw.frames.as_ref().map(|f| self.frame_table(f, &folder)).transpose()?,
            axis_header: raw.axis_header.clone(),
            folder,
        })
    }

    fn folder(&self) -> Result<PathBuf> {
        let span = self.data.folder.as_ref().map_or(0..0, Spanned::span);
        let given = self.data.folder.as_ref().map_or(".", |f| f.get_ref());
        let folder = absolute(&self.source.folder().join(given));
        if folder.to_str().is_none() {
            return Err(self
                .source
                .error(&span, "the data folder's path is not UTF-8")
                .hint("move the data, or run from within the folder"));
        }
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(self
            .source
            .error(&span, format!("the data folder {} does not exist", folder.display()))
            .hint("correct `folder` (it starts from the spec's folder), or give --data DIR"))
    }

    /// Finds the table of frames beside the spec, in the data folder or in its parent.
    fn frame_table(&self, raw: &RawFrames, folder: &Path) -> Result<FrameTable> {
        let name = Path::new(raw.table.get_ref());
        let mut places = vec![absolute(&self.source.folder()), folder.to_path_buf()];
        places.extend(folder.parent().map(Path::to_path_buf));
        let Some(table) = places.iter().map(|p| p.join(name)).find(|p| p.is_file()) else {
            let places: Vec<String> = places.iter().map(|p| p.display().to_string()).collect();
            return Err(self
                .source
                .error(&raw.table.span(), format!("the table of frames {} is not found", name.display()))
                .hint(format!("it was looked for in {}", places.join(", "))));
        };
        Ok(FrameTable { table, key: raw.key.clone(), by_number: raw.by_number.unwrap_or(true), axis: raw.axis.clone() })
    }

    /// How to run, with every default.
    pub fn run(&self) -> Run {
        let raw = &self.run;
        Run {
            seed: raw.seed.unwrap_or(defaults::SEED),
            engine: raw.engine.unwrap_or(defaults::ENGINE).into(),
            f64: raw.f64.unwrap_or(false),
            copies: raw.copies.unwrap_or(defaults::COPIES),
            proposals: raw.proposals.unwrap_or(defaults::PROPOSALS),
            ess: raw.ess.unwrap_or(defaults::ESS),
            free_energy_se: raw.free_energy_se.unwrap_or(defaults::FREE_ENERGY_SE),
            max_sweeps: raw.max_sweeps.unwrap_or(defaults::MAX_SWEEPS),
            round_trips: raw.round_trips.unwrap_or(defaults::ROUND_TRIPS),
            alone: self.measurements.len() > 1 && raw.alone.as_ref().is_none_or(|alone| *alone.get_ref()),
        }
    }

    fn shared(&self) -> Vec<SharedParameter> {
        let one = |p: &super::parameter::RawShared| SharedParameter {
            name: p.name.get_ref().clone(),
            unit: p.unit.clone().unwrap_or_default(),
            prior: p.prior,
        };
        self.parameters.iter().map(one).collect()
    }

    /// A parameter that nothing is tied to would be sampled and mean nothing: a misspelt tie elsewhere, or a leftover.
    fn no_idle_parameter(&self, spec: &Spec) -> Result<()> {
        let ties: Vec<&str> = spec
            .groups
            .iter()
            .flat_map(|g| &g.measurements)
            .flat_map(|m| &m.terms)
            .flat_map(|t| &t.parameters)
            .filter_map(|p| if let Parameter::Tied { to, .. } = p { Some(to.as_str()) } else { None })
            .collect();
        match self.parameters.iter().find(|p| !ties.contains(&p.name.get_ref().as_str())) {
            Some(idle) => {
                let name = idle.name.get_ref();
                let error = self.source.error(&idle.name.span(), format!("nothing is tied to the parameter `{name}`"));
                Err(error.hint(format!("tie a term's parameter to it: fwhm = {{ tie = \"{name}\" }}, or remove it")))
            }
            None => Ok(()),
        }
    }

    fn groups(&self) -> Result<Vec<Group>> {
        let mut names: Vec<&str> = Vec::new();
        for m in self.stretches() {
            let name = m.name.as_ref().map_or("", |n| n.get_ref());
            if names.contains(&name) {
                let span = m.name.as_ref().map_or(m.span.clone(), Spanned::span);
                let span = if span == (0..0) { m.span.clone() } else { span };
                let error = self.source.error(&span, format!("two windows or measurements are called `{name}`"));
                return Err(error.hint("give each its own name = \"…\""));
            }
            names.push(name);
        }
        if let (Some(named), false) = (&self.candidates, self.windows.is_empty()) {
            let span = named.first().map_or(0..0, |(name, _)| name.span());
            return Err(self
                .source
                .error(&span, "`candidates` at the top belongs to [[measurement]]s")
                .hint("move it into its [[window]]"));
        }
        if let (Some(given), true) = (&self.run.alone, self.measurements.len() < 2) {
            let error = self.source.error(&given.span(), "`alone` says whether each of several [[measurement]]s is sampled alone too");
            return Err(error.hint("remove it: there are no several [[measurement]]s"));
        }
        let model_errors = self.model_errors();
        let mut groups = Vec::new();
        for raw in &self.windows {
            let measurements = vec![self.measurement(raw)?];
            let candidates = candidates(self, &raw.span, raw.candidates.as_ref(), &measurements, model_errors)?;
            groups.push(Group { name: measurements[0].name.clone(), measurements, candidates });
        }
        if let Some(first) = self.measurements.first() {
            let measurements = self.measurements.iter().map(|m| self.measurement(m)).collect::<Result<Vec<_>>>()?;
            let candidates = candidates(self, &first.span, self.candidates.as_ref(), &measurements, model_errors)?;
            let name = measurements.iter().map(|m| m.name.as_str()).collect::<Vec<_>>().join(" + ");
            let names = measurements.iter().map(|m| m.name.clone());
            let one = |(m, name)| {
                let candidates = alone(self, &first.span, self.candidates.as_ref(), (&measurements, m), model_errors)?;
                Ok(Group { name, measurements: vec![measurements[m].clone()], candidates })
            };
            let alone = if self.run().alone { names.enumerate().map(one).collect::<Result<Vec<_>>>()? } else { Vec::new() };
            groups.push(Group { name, measurements, candidates });
            groups.extend(alone.into_iter().filter(|group| !group.candidates.is_empty()));
        }
        Ok(groups)
    }

    fn model_errors(&self) -> &[f64] {
        self.noise.as_ref().and_then(|n| n.model_error.as_ref()).map_or(&[0.0], |e| e.get_ref())
    }

    fn open(&self, span: &Range<usize>, what: &str) -> Error {
        self.source.error(span, format!("{what} is still left out")).hint("resolve the spec against its data first")
    }

    fn measurement(&self, raw: &RawMeasurement) -> Result<Measurement> {
        let range = raw.range.as_ref().ok_or_else(|| self.open(&raw.span, "the range"))?;
        let name = raw.name.as_ref().ok_or_else(|| self.open(&raw.span, "the name"))?.get_ref().clone();
        let noise = raw.noise.as_ref().or(self.noise.as_ref()).ok_or_else(|| self.open(&raw.span, "the noise"))?;
        let terms = raw.terms.iter().map(|t| self.term(t)).collect::<Result<Vec<_>>>()?;
        for (i, term) in terms.iter().enumerate() {
            if terms[..i].iter().any(|other| other.name == term.name) {
                let error = self.source.error(&raw.terms[i].span, format!("two terms are called `{}`", term.name));
                return Err(error.hint("give one of them its own name = \"…\""));
            }
        }
        Ok(Measurement { name, range: *range.get_ref(), exclude: raw.exclude.clone(), noise: self.noise(noise)?, terms })
    }

    fn noise(&self, raw: &RawNoise) -> Result<Noise> {
        let model = raw.model.as_ref().ok_or_else(|| self.open(&raw.span, "the noise model"))?;
        if *model.get_ref() == NoiseModel::Poisson {
            let extra = raw.sigma.as_ref().map(Spanned::span).or(raw.scale.as_ref().map(Spanned::span));
            let epsilon = self.noise.as_ref().and_then(|n| n.model_error.as_ref()).filter(|e| e.get_ref().iter().any(|e| *e > 0.0));
            return match extra.or(epsilon.map(Spanned::span)) {
                Some(span) => Err(self
                    .source
                    .error(&span, "Poisson noise has no sigma, no scale and no model error: the counts say it all")
                    .hint("remove it, or write model = \"gaussian\"")),
                None => Ok(Noise::Poisson),
            };
        }
        let given = raw.sigma.as_ref().ok_or_else(|| self.open(&raw.span, "sigma"))?;
        let sigma = match *given.get_ref() {
            RawSigma::Number(n) | RawSigma::ScaledNumber(n) => Sigma::Number(n),
            RawSigma::Column | RawSigma::ScaledColumn => Sigma::Column,
            RawSigma::Unknown => return Err(self.open(&given.span(), "the robust noise figure of the series")),
        };
        let columns = self.data.columns.as_ref();
        if sigma == Sigma::Column && columns.is_some_and(|c| !c.get_ref().iter().any(|c| c == "sigma")) {
            return Err(self
                .source
                .error(&given.span(), "sigma comes from a column, but `columns` in [data] names none")
                .hint("add sigma to `columns`, or write sigma = \"unknown\""));
        }
        let scale = match (given.get_ref().scaled(), &raw.scale) {
            (true, None) => return Err(self.open(&given.span(), "the prior of the scale")),
            (false, Some(scale)) => {
                let hint = format!("write sigma = {}, or remove `scale`", scaled(*given.get_ref()));
                return Err(self.source.error(&scale.span(), "`scale` has a prior, but sigma is not scaled").hint(hint));
            }
            (_, scale) => scale.as_ref().map(|s| *s.get_ref()),
        };
        Ok(Noise::Gaussian { sigma, scale })
    }

    fn term(&self, raw: &RawTerm) -> Result<Term> {
        let given = &raw.given;
        let quantities = given.quantities();
        let (height, width) = (given.height.unwrap_or(false), given.width.unwrap_or(Width::Fwhm));
        let mut parameters = Vec::with_capacity(quantities.len());
        for (i, quantity) in quantities.iter().enumerate() {
            let key = given.key(i, &quantities);
            let open = || self.open(&raw.span, &format!("`{key}`"));
            let value = given.values[i].as_ref().ok_or_else(open)?;
            let width = if quantity.name == "fwhm" { width } else { Width::Fwhm };
            parameters.push(match value.get_ref() {
                RawParameter::Free { prior: None, .. } => return Err(open()),
                RawParameter::Free { prior: Some(prior), shared } => {
                    self.within(value, &key, quantity, width, reach(prior, 1.0, 0.0))?;
                    if *shared { Parameter::Shared(*prior) } else { Parameter::Free(*prior) }
                }
                RawParameter::Fixed(fixed) => {
                    self.within(value, &key, quantity, width, Reach { low: *fixed, high: *fixed, touches: true })?;
                    Parameter::Fixed(*fixed)
                }
                RawParameter::Tied { to, factor, offset } => {
                    let target = self.target(to)?;
                    self.within(value, &key, quantity, width, reach(&target, *factor, *offset))?;
                    Parameter::Tied { to: to.get_ref().clone(), factor: *factor, offset: *offset }
                }
            });
        }
        let count = raw.count.as_ref().map(|c| *c.get_ref());
        Ok(Term {
            name: raw.name().into(),
            model: given.model,
            size: given.size(),
            count: count.unwrap_or((1, 1)),
            counted: count.is_some(),
            height,
            width,
            parameters,
        })
    }

    /// The prior of the parameter that a tie names.
    fn target(&self, to: &Spanned<String>) -> Result<Prior> {
        if let Some(target) = self.parameters.iter().find(|p| p.name == *to) {
            return Ok(target.prior);
        }
        let names: Vec<&str> = self.parameters.iter().map(|p| p.name.get_ref().as_str()).collect();
        let error = self.source.error(&to.span(), format!("there is no parameter `{}` to tie to", to.get_ref()));
        Err(match nearest(to.get_ref(), &names) {
            Some(name) => error.hint(format!("did you mean \"{name}\"?")),
            None => {
                error.hint(format!("add [parameters.{}] with prior = \"uniform\", low = … and high = …", super::write::key(to.get_ref())))
            }
        })
    }

    /// Refuses values that the model does not have.
    fn within(&self, at: &Spanned<RawParameter>, key: &str, quantity: &Quantity, width: Width, reach: Reach) -> Result<()> {
        let (low, high) = if width == Width::Fwhm { quantity.bounds } else { (0.0, f64::INFINITY) };
        // A width of exactly 0 is no peak; densities that only tend to 0 never draw it.
        let zero_width = quantity.role == Role::Width && reach.low <= 0.0 && reach.touches;
        if reach.low >= low && reach.high <= high && !zero_width {
            return Ok(());
        }
        let bounds = match (low.is_finite(), high.is_finite()) {
            (true, true) => format!("between {low} and {high}"),
            (true, false) if quantity.role == Role::Width => "greater than 0".into(),
            (true, false) => format!("{low} or larger"),
            _ => format!("{high} or smaller"),
        };
        let hint = match at.get_ref() {
            RawParameter::Free { prior: Some(Prior::Normal { mean, sd }), .. } => format!(
                "write {{ prior = \"truncated-normal\", mean = {}, sd = {}, low = …, high = … }}",
                super::write::number(*mean),
                super::write::number(*sd)
            ),
            _ if zero_width => "start at the smallest width that the points can show, two point spacings".into(),
            _ => "bring the numbers within these bounds".into(),
        };
        Err(self.source.error(&at.span(), format!("`{key}` must be {bounds}")).hint(hint))
    }
}

/// Where a parameter may lie.
struct Reach {
    low: f64,
    high: f64,
    /// Whether `low` itself can be drawn.
    touches: bool,
}

/// Where offset + factor × a draw of the prior may lie.
fn reach(prior: &Prior, factor: f64, offset: f64) -> Reach {
    let (low, high) = prior.range();
    let touches = !matches!(prior, Prior::Gamma { .. } | Prior::HalfNormal { .. } | Prior::Beta { .. });
    let (a, b) = if factor == 0.0 { (offset, offset) } else { (low * factor + offset, high * factor + offset) };
    Reach { low: a.min(b), high: a.max(b), touches: touches || factor == 0.0 }
}

/// The scaled form of a plain sigma, as it would be written.
fn scaled(sigma: RawSigma) -> String {
    match sigma {
        RawSigma::Number(n) => RawSigma::ScaledNumber(n).write(),
        _ => RawSigma::ScaledColumn.write(),
    }
}

/// An absolute path without following links, so that a resolved spec still reads the way the user wrote it.
fn absolute(path: &Path) -> PathBuf {
    // `.` components are dropped; where the working directory is gone, the path stays as it is and the check of its existence speaks.
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}
