//! `keisoku calibrate`: whether a spec's posteriors cover truths drawn from its priors as often as they say.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::output;
use super::run::{self, EngineName, prepare};
use crate::batch;
use crate::calibrate::{self, Plan};
use crate::dataset::{self, Dataset};
use crate::engine::choice;
use crate::engine::gpu::Selection;
use crate::error::{Error, Result};
use crate::report::Exit;
use crate::simulate;
use crate::spec::{RawSpec, Spec};

/// Test whether posteriors cover truths drawn from the priors as often as they say (simulation-based calibration).
///
/// Each data set is drawn from a truth, the truth from the spec's priors, at the points of the spec's first frame; where there are no data,
/// those that its [simulate] describes are written to OUT/data. Writes calibration.json and ranks.csv.
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 calibrated; 2 not; 1 nothing could run.")]
pub(super) struct Arguments {
    /// The spec, a TOML file
    pub spec: PathBuf,
    /// Folder of the data, instead of the spec's
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder of the results [default: results/NAME OF THE SPEC-calibration]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Data sets of each window
    #[arg(long, value_name = "N", default_value = "200")]
    pub n: NonZeroUsize,
    /// Seed of all random numbers, instead of the spec's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// This count or candidate alone (K=2 or 2)
    #[arg(long, value_name = "K")]
    pub candidate: Option<String>,
    /// What evaluates the models, instead of the spec's choice
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// Runs the verb.
///
/// # Errors
/// Where nothing could run.
pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    let pool = run::pool(arguments.threads)?;
    let mut raw = Spec::read(&arguments.spec)?;
    if let Some(folder) = &arguments.data {
        raw.set_data_folder(folder)?;
    }
    raw.run.seed = arguments.seed.or(raw.run.seed);
    raw.run.engine = arguments.engine.map(EngineName::word).or(raw.run.engine);
    let default = || Path::new("results").join(format!("{}-calibration", prepare::name(&arguments.spec)));
    let out = arguments.out.clone().unwrap_or_else(default);
    let dataset = open(&mut raw, &out)?;
    let mut spec = pool.install(|| raw.resolve(&|raw| dataset::facts(raw)))?.check()?;
    if let Some(name) = &arguments.candidate {
        keep_candidate(&mut spec, name)?;
    }
    for warning in spec.warnings() {
        output::note(&format!("warning: {warning}"));
    }
    let first = dataset.entries.first().ok_or_else(|| Error::fatal("there is no frame"))?;
    let frame = dataset.load(first, &spec.data)?;
    let data_sets = arguments.n.get();
    let engine = choice::choose(&spec.run.engine, spec.run.f64, &Selection::Best, batch::most_walkers(&spec, data_sets))?;
    let stop = AtomicBool::new(false);
    let settings = batch::Settings { pool: &pool, deadline: None, stop: &stop, plan: None, draws: false };
    let plan = Plan { spec: &spec, truth: &spec, frame: &frame, data_sets };
    let calibration = calibrate::calibrate(&*engine, &plan, &settings)?;
    calibrate::write(&calibration, &out)?;
    output::out(&format!("{}results in {}\n", calibrate::text(&calibration), out.display()));
    Ok(if calibration.calibrated { Exit::Good } else { Exit::Doubtful })
}

/// The spec's series; where there is none, the one that its `[simulate]` describes, written to a folder of its own.
fn open(raw: &mut RawSpec, out: &Path) -> Result<Dataset> {
    match Dataset::open(&raw.data()?) {
        Err(_) if raw.simulate.is_some() => {
            let folder = out.join("data");
            simulate::write(&simulate::simulate(raw, None)?, &folder)?;
            raw.set_data_folder(&folder)?;
            Dataset::open(&raw.data()?)
        }
        opened => opened,
    }
}

/// Leaves one candidate, in the windows that offer it.
fn keep_candidate(spec: &mut Spec, name: &str) -> Result<()> {
    let mut labels: Vec<String> = spec.groups.iter().flat_map(|g| &g.candidates).map(|c| c.label.clone()).collect();
    labels.dedup();
    for group in &mut spec.groups {
        group.candidates.retain(|c| c.label == name || c.k.is_some_and(|k| k.to_string() == name));
    }
    spec.groups.retain(|g| !g.candidates.is_empty());
    if spec.groups.is_empty() {
        return Err(Error::fatal(format!("no window offers the candidate {name}")).hint(format!("offered are {}", labels.join(", "))));
    }
    Ok(())
}
