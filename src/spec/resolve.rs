//! From the spec as written to the spec as resolved: every default spelled out, so that running it again gives the same result.

use std::cell::OnceCell;
use std::path::Path;

use sha2::{Digest, Sha256};
use toml::Spanned;

use super::defaults::{self, Context, Facts};
use super::fields::unplaced;
use super::parameter::RawParameter;
use super::raw::{NoiseModel, RawData, RawFrames, RawNoise, RawRun, RawSigma, RawSpec, RawX};
use super::term::RawTerm;
use super::{Data, Run, Width};
use crate::error::{Error, Result};
use crate::models::Role;

/// The series' summaries, asked for when a default first needs them: a complete spec never reads the data for its defaults.
struct Series<'a> {
    raw: &'a RawSpec,
    summarise: &'a dyn Fn(&RawSpec) -> Result<Vec<Facts>>,
    cell: OnceCell<Vec<Facts>>,
}

impl Series<'_> {
    fn all(&self) -> Result<&[Facts]> {
        if self.cell.get().is_none() {
            let summaries = (self.summarise)(self.raw)?;
            // Just seen to be empty, and nothing else writes it.
            let _ = self.cell.set(summaries);
        }
        Ok(self.cell.get().map_or(&[], Vec::as_slice))
    }

    fn of(&self, stretch: usize) -> Result<&Facts> {
        self.all()?.get(stretch).ok_or_else(|| {
            self.raw
                .source
                .error(&(0..0), "the data do not say enough for the defaults of this spec")
                .hint("give range, noise and every prior")
        })
    }

    fn some(&self, stretches: &[usize]) -> Result<Vec<&Facts>> {
        stretches.iter().map(|&i| self.of(i)).collect()
    }
}

impl RawSpec {
    /// Fills in every default. `summarise` gives one summary a stretch, in the order of [`RawSpec::stretches`]; it is called at
    /// most once, and only where a default depends on the data.
    ///
    /// # Errors
    /// Where `summarise` fails, or a default has no value: the error points at the term and names the key to give.
    pub fn resolve(&self, summarise: &dyn Fn(&Self) -> Result<Vec<Facts>>) -> Result<Self> {
        let series = Series { raw: self, summarise, cell: OnceCell::new() };
        let mut out = self.clone();
        out.title.get_or_insert_with(|| self.default_title());
        out.data = RawData::of(&self.data()?, &self.data);
        out.run = RawRun::of(&self.run());
        // Where there is nothing to be alone, what was given is left for the check to refuse.
        out.run.alone = if self.measurements.len() > 1 { Some(Spanned::new(0..0, self.run().alone)) } else { self.run.alone.clone() };
        for (i, m) in out.windows.iter_mut().chain(&mut out.measurements).enumerate() {
            if m.range.is_none() {
                let x = series.of(i)?.x;
                if x.0.partial_cmp(&x.1) != Some(std::cmp::Ordering::Less) {
                    return Err(self.source.error(&m.span, "the data span no range of x").hint("give range = [low, high]"));
                }
                m.range = Some(unplaced(x));
            }
            let range = m.range.as_ref().map_or((0.0, 0.0), |r| *r.get_ref());
            m.name.get_or_insert_with(|| unplaced(default_name(range)));
        }
        out.noises(&series)?;
        let shared_noise = out.noise.clone();
        for (i, m) in out.windows.iter_mut().chain(&mut out.measurements).enumerate() {
            let noise = m.noise.as_ref().or(shared_noise.as_ref());
            let poisson = noise.and_then(|n| n.model.as_ref()).is_some_and(|n| *n.get_ref() == NoiseModel::Poisson);
            let (range, terms) = (m.range.as_ref().map_or((0.0, 0.0), |r| *r.get_ref()), &mut m.terms);
            for term in terms {
                self.fill_term(term, i, range, poisson, &series)?;
            }
        }
        Ok(out)
    }

    /// The file's stem, or its folder where the file is just called spec.
    fn default_title(&self) -> String {
        let name = |p: Option<&std::ffi::OsStr>| p.map(|n| n.to_string_lossy().into_owned()).filter(|n| !n.is_empty());
        let stem = name(self.source.path().file_stem()).unwrap_or_default();
        let absolute = std::path::absolute(self.source.folder()).unwrap_or_default();
        if stem == "spec" { name(absolute.file_name()).unwrap_or(stem) } else { stem }
    }

    /// The noise of the measurements that have their own, then the common one of all others.
    fn noises(&mut self, series: &Series<'_>) -> Result<()> {
        let windows = self.windows.len();
        let mut common = Vec::new();
        for i in 0..windows + self.measurements.len() {
            match self.measurements.get_mut(i.wrapping_sub(windows)).and_then(|m| m.noise.as_mut()) {
                Some(own) => fill_noise(own, &[i], series)?,
                None => common.push(i),
            }
        }
        if !common.is_empty() {
            let noise = self.noise.get_or_insert_default();
            fill_noise(noise, &common, series)?;
            if noise.model.as_ref().is_some_and(|m| *m.get_ref() == NoiseModel::Gaussian) {
                noise.model_error.get_or_insert(unplaced(vec![0.0]));
            }
        }
        Ok(())
    }

    fn fill_term(&self, term: &mut RawTerm, stretch: usize, range: (f64, f64), poisson: bool, series: &Series<'_>) -> Result<()> {
        let name = unplaced(term.name().to_string());
        term.name.get_or_insert(name);
        let given = &mut term.given;
        given.size = given.model.size.map(|_| given.size());
        let quantities = given.quantities();
        let (height, width) = (*given.height.get_or_insert(false), *given.width.get_or_insert(Width::Fwhm));
        // Widths before centers: a center may lie outside its window by the widest peak.
        let mut order: Vec<usize> = (0..quantities.len()).collect();
        order.sort_by_key(|&i| quantities[i].role != Role::Width);
        let mut widest = 0.0;
        for i in order {
            let quantity = &quantities[i];
            let shared = match given.values[i].as_ref().map(Spanned::get_ref) {
                None => Some(false),
                Some(RawParameter::Free { prior: None, shared }) => Some(*shared),
                Some(_) => None,
            };
            if let Some(shared) = shared {
                let span = given.values[i].as_ref().map_or(term.span.clone(), Spanned::span);
                let unknown = Facts::default();
                let needs_series = quantity.prior == crate::models::DefaultPrior::ByRole;
                let summary = if needs_series { series.of(stretch)? } else { &unknown };
                let context = Context {
                    series: summary,
                    range,
                    poisson,
                    height,
                    width: if quantity.name == "fwhm" { width } else { Width::Fwhm },
                    widest,
                };
                let Some(prior) = defaults::prior(quantity, &context) else {
                    let what = format!("`{}` of the {} term has no default here", given.key(i, &quantities), given.model.name);
                    let key = given.key(i, &quantities);
                    return Err(self.source.error(&span, what).hint(format!("add {key} = {{ prior = \"uniform\", low = …, high = … }}")));
                };
                given.values[i] = Some(Spanned::new(span, RawParameter::Free { prior: Some(prior), shared }));
            }
            if quantity.role == Role::Width {
                let word = if quantity.name == "fwhm" { width } else { Width::Fwhm };
                widest = f64::max(widest, self.widest(given.values[i].as_ref().map(Spanned::get_ref), word, range));
            }
        }
        Ok(())
    }

    /// The largest full width that a parameter allows.
    fn widest(&self, parameter: Option<&RawParameter>, width: Width, range: (f64, f64)) -> f64 {
        let window = range.1 - range.0;
        let fixed = |value: f64| Some(width.to_fwhm(value)).filter(|w| w.is_finite()).unwrap_or(window).clamp(0.0, window);
        match parameter {
            Some(RawParameter::Free { prior: Some(prior), .. }) => defaults::widest(prior, width, range),
            Some(RawParameter::Fixed(value)) => fixed(*value),
            Some(RawParameter::Tied { to, factor, offset }) => match self.parameters.iter().find(|p| p.name == *to) {
                Some(p) => {
                    let (low, high) = p.prior.range();
                    f64::max(fixed(factor * low + offset), fixed(factor * high + offset))
                }
                None => 0.0,
            },
            _ => 0.0,
        }
    }

    /// Uses other data: `--data DIR`, which starts from the working directory, not from the spec.
    ///
    /// # Errors
    /// Where the path is not UTF-8, for then no spec can hold it.
    pub fn set_data_folder(&mut self, folder: &Path) -> Result<()> {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.into());
        let Some(text) = absolute.to_str() else {
            let error = Error::fatal(format!("the data folder {} is not UTF-8", absolute.display()));
            return Err(error.hint("rename the folder, or reach it through a link with a plain name"));
        };
        self.data.folder = Some(unplaced(text.into()));
        Ok(())
    }

    /// Hexadecimal SHA-256 of the resolved spec, without its folders (each frame has a hash of its own, so data may move) and without
    /// `[simulate]`, which no run reads.
    pub fn hash(&self) -> String {
        let mut bare = self.clone();
        bare.data.folder = None;
        bare.simulate = None;
        if let Some(frames) = &mut bare.data.frames {
            let name = Path::new(frames.table.get_ref()).file_name().map(|n| n.to_string_lossy().into_owned());
            frames.table = unplaced(name.unwrap_or_default());
        }
        Sha256::digest(bare.to_toml().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A window's name where none is given: its range, written like a count, both ends included.
pub(super) fn default_name((low, high): (f64, f64)) -> String {
    format!("{}..{}", super::write::number(low), super::write::number(high))
}

fn fill_noise(noise: &mut RawNoise, stretches: &[usize], series: &Series<'_>) -> Result<()> {
    let model = match (&noise.model, &noise.sigma) {
        (Some(model), _) => *model.get_ref(),
        // Whoever writes sigma says Gaussian.
        (None, Some(_)) => NoiseModel::Gaussian,
        (None, None) => defaults::noise_model(&series.some(stretches)?),
    };
    noise.model.get_or_insert(unplaced(model));
    if model == NoiseModel::Poisson {
        return Ok(());
    }
    let sigma = match &noise.sigma {
        Some(sigma) => sigma.clone(),
        None => unplaced(defaults::sigma(&series.some(stretches)?)),
    };
    let sigma = match sigma.get_ref() {
        RawSigma::Unknown => {
            let figure = defaults::base_noise(&series.some(stretches)?).ok_or_else(|| {
                let error = series
                    .raw
                    .source
                    .error(&sigma.span(), "no noise can be estimated from these data: neighbours are all equal or too few");
                error.hint("give a start such as sigma = \"0.01 * scale\"")
            })?;
            Spanned::new(sigma.span(), RawSigma::ScaledNumber(figure))
        }
        _ => sigma,
    };
    if sigma.get_ref().scaled() {
        noise.scale.get_or_insert(unplaced(defaults::SCALE));
    }
    noise.sigma = Some(sigma);
    Ok(())
}

impl RawData {
    /// The checked data section, written back; `raw` has what only errors need.
    fn of(data: &Data, raw: &Self) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            folder: Some(unplaced(text(&data.folder))),
            files: raw.files.clone(),
            columns: raw.columns.clone(),
            layout: Some(data.layout),
            x: RawX {
                name: Some(data.x.name.clone()),
                unit: Some(data.x.unit.clone()),
                file: raw.x.file.clone(),
                start: data.x.start_step.map(|s| s.0),
                step: data.x.start_step.map(|s| s.1),
            },
            wavelength: data.wavelength,
            wavelength2: data.wavelength2,
            normalise: data.normalise.clone(),
            mask_above: data.mask_above,
            frames: data.frames.as_ref().map(|f| RawFrames {
                table: unplaced(text(&f.table)),
                key: f.key.clone(),
                by_number: Some(f.by_number),
                axis: f.axis.clone(),
            }),
            axis_header: data.axis_header.clone(),
        }
    }
}

impl RawRun {
    fn of(run: &Run) -> Self {
        Self {
            seed: Some(run.seed),
            engine: super::raw::ENGINES.into_iter().find(|e| *e == run.engine),
            f64: Some(run.f64),
            copies: Some(run.copies),
            proposals: Some(run.proposals),
            max_sweeps: Some(run.max_sweeps),
            ess: Some(run.ess),
            free_energy_se: Some(run.free_energy_se),
            round_trips: Some(run.round_trips),
            alone: None,
        }
    }
}
