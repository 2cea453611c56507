//! `keisoku limit`: how long, or with how little noise, one must measure to find the truth of a spec's `[simulate]`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;

use super::kept::{self, Kept};
use super::output;
use super::run::prepare::{self, Asked};
use super::run::{self, Common};
use crate::batch;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::limit::{self, DataSet, Kind, Levels, Plan, Truth};
use crate::report::{Exit, Folder};
use crate::simulate;
use crate::trial::Record;

/// Find the measurement limit: down to which time, or up to which noise, the right number of peaks is found.
///
/// A virtual measurement of the truth in the spec's [simulate]: data sets at every level, each with noise of its own, each sampled as a run would.
/// Tells the probability of choosing the right candidate, and how wide and how right the positions are beside their Cramér–Rao bound. What the spec
/// leaves open is derived once, from the series that [simulate] describes (or from --data), and is the same at all levels. Writes limit.json,
/// limit.csv and report.html; interrupted or killed, the same command goes on where it stopped, also with a larger N or more levels.
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 good; 2 a data set failed, or a winner may not be quoted; 1 nothing could run; 130 interrupted.")]
pub(super) struct Arguments {
    #[command(flatten)]
    pub common: Common,
    /// Folder of the results [default: results/NAME OF THE SPEC-limit]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Measuring times of counts, separated by commas; a frame of [simulate] takes 1
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub times: Option<String>,
    /// σ of Gaussian noise, separated by commas, in place of that of [simulate]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub sigmas: Option<String>,
    /// Data sets of each level
    #[arg(long, value_name = "N", default_value = "50")]
    pub n: NonZeroUsize,
    /// The frame of [simulate] that is true, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub frame: usize,
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
    let series = pool.install(|| simulate::simulate(&raw, None))?;
    let Some(simulate) = &raw.simulate else { return Err(Error::fatal("the spec has no [simulate]").hint("add one")) };
    let levels = Levels::read(arguments.times.as_deref(), arguments.sigmas.as_deref(), simulate)?;
    let truth = Truth::new(&raw, &series, arguments.frame)?;
    if levels.kind == Kind::Sigma {
        raw.take_sigma_of_data();
    }
    let default = || Path::new("results").join(format!("{}-limit", prepare::name(&arguments.common.spec)));
    let out = arguments.out.clone().unwrap_or_else(default);
    let stop = run::interrupt();
    let mut folder: Folder<Record<DataSet>> = if arguments.fresh { Folder::fresh(&out)? } else { Folder::open(&out)? };
    let dataset = match arguments.common.data {
        Some(_) => Dataset::open(&raw.data()?)?,
        None => kept::simulated(&mut raw, &series, &out)?,
    };
    let data_sets = arguments.n.get();
    let asked = Asked { raw, dataset };
    let ready = pool.install(|| asked.resolve(folder.header(), &arguments.common.adapter, data_sets * levels.values.len()))?;
    let mut spec = ready.spec;
    spec.together();
    for warning in spec.warnings() {
        output::note(&format!("warning: {warning}"));
    }
    let settings = batch::Settings { pool: &pool, deadline: None, stop: &stop, plan: None, draws: false };
    let plan = Plan { spec: &spec, truth: &truth, levels: &levels, data_sets };
    folder.begin(ready.header)?;
    let kept = Kept::new(folder, &limit::names(&spec, &levels, data_sets), arguments.quiet);
    let found = limit::limit(&*ready.engine, &plan, &settings, &kept);
    kept.ended(found, &stop, (&out, arguments.quiet), |found| {
        limit::write(found, &out)?;
        Ok((limit::text(found), found.good))
    })
}
