//! `keisoku calibrate`: whether a spec's posteriors cover truths drawn from its priors as often as they say.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;

use super::kept::{self, Kept};
use super::output;
use super::run::prepare::{self, Asked};
use super::run::{self, Common};
use crate::batch;
use crate::calibrate::{self, DataSet, Plan};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::report::{Exit, Folder};
use crate::simulate;
use crate::spec::{RawSpec, Spec};
use crate::trial::Record;

/// Test whether posteriors cover truths drawn from the priors as often as they say (simulation-based calibration).
///
/// Each data set is drawn from a truth, the truth from the spec's priors, at the points of the spec's first frame; where there are no data,
/// those that its [simulate] describes are written to OUT/data. Writes calibration.json and ranks.csv; interrupted or killed, the same
/// command goes on where it stopped, and with a larger N it goes on to that.
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 calibrated; 2 not; 1 nothing could run; 130 interrupted.")]
pub(super) struct Arguments {
    #[command(flatten)]
    pub common: Common,
    /// Folder of the results [default: results/NAME OF THE SPEC-calibration]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Data sets of each window
    #[arg(long, value_name = "N", default_value = "200")]
    pub n: NonZeroUsize,
    /// This count or candidate alone (K=2 or 2)
    #[arg(long, value_name = "K")]
    pub candidate: Option<String>,
    /// Remove earlier results from the folder and start over
    #[arg(long)]
    pub fresh: bool,
    /// No progress and no table
    #[arg(long)]
    pub quiet: bool,
}

/// Runs the verb.
///
/// # Errors
/// Where nothing could run.
pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    let pool = run::pool(arguments.common.threads)?;
    let mut raw = Asked::raw(&arguments.common)?;
    let default = || Path::new("results").join(format!("{}-calibration", prepare::name(&arguments.common.spec)));
    let out = arguments.out.clone().unwrap_or_else(default);
    let stop = run::interrupt();
    let mut folder: Folder<Record<DataSet>> = if arguments.fresh { Folder::fresh(&out)? } else { Folder::open(&out)? };
    let dataset = open(&mut raw, &out)?;
    let data_sets = arguments.n.get();
    let asked = Asked { raw, dataset };
    let ready = pool.install(|| asked.resolve(folder.header(), &arguments.common.adapter, data_sets))?;
    let mut spec = ready.spec;
    spec.together();
    if let Some(name) = &arguments.candidate {
        keep_candidate(&mut spec, name)?;
    }
    for warning in spec.warnings() {
        output::note(&format!("warning: {warning}"));
    }
    let first = asked.dataset.entries.first().ok_or_else(|| Error::fatal("there is no frame"))?;
    let frame = asked.dataset.load(first, &spec.data)?;
    folder.begin(ready.header)?;
    let settings = batch::Settings { pool: &pool, deadline: None, stop: &stop, plan: None, draws: false };
    let plan = Plan { spec: &spec, truth: &spec, frame: &frame, data_sets };
    let kept = Kept::new(folder, &calibrate::names(&spec, data_sets), arguments.quiet);
    let found = calibrate::calibrate(&*ready.engine, &plan, &settings, &kept);
    kept.ended(found, &stop, (&out, arguments.quiet), |found| {
        calibrate::write(found, &out)?;
        Ok((calibrate::text(found), found.calibrated))
    })
}

/// The spec's series; where there is none, the one that its `[simulate]` describes, written to a folder of its own.
fn open(raw: &mut RawSpec, out: &Path) -> Result<Dataset> {
    match Dataset::open(&raw.data()?) {
        Err(_) if raw.simulate.is_some() => {
            let series = simulate::simulate(raw, None)?;
            kept::simulated(raw, &series, out)
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
