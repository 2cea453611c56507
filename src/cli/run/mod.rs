//! `keisoku run`: every frame of a series, its candidates and their probabilities, into a folder that a later run continues.

mod dry;
pub(super) mod frames;
pub(super) mod prepare;
pub(super) mod progress;
pub(super) mod time;
pub(super) mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use clap::{Args, ValueEnum};

use self::frames::Frames;
use self::prepare::Asked;
use self::progress::Progress;
use self::work::Work;
use super::output;
use crate::batch::{self, Account, Outcome};
use crate::dataset::Entry;
use crate::engine::gpu::Selection;
use crate::error::{Error, Result};
use crate::report::{Exit, Folder, Peaks, RunInfo, State, Summary, page};

/// Measure every frame of a series.
///
/// Writes evidence.csv, peaks.csv, result.json and report.html, which any browser shows; interrupted or killed, the same command goes on where it stopped.
#[derive(Debug, Args)]
#[command(after_help = "Exit code: 0 good; 2 a frame failed, or may not be quoted; 1 nothing could run; 130 interrupted.")]
pub(super) struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub results: Results,
    /// Frames to run, counted from 1, both ends included: 7, 1..48, 1..48:8 or 1,5,9 [default: all]
    #[arg(long, value_name = "RANGE")]
    pub frames: Option<Frames>,
    /// Stop after this time (90s, 10m, 2h); the same command without it goes on
    #[arg(long, value_name = "TIME", value_parser = time::duration)]
    pub max_time: Option<Duration>,
    /// Check spec and data; print candidates, priors, memory and expected time; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// First make a piece again on the oracle, with other threads and another batch size, and compare
    #[arg(long)]
    pub verify: bool,
}

/// What every verb that samples is told.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// The spec, a TOML file
    pub spec: PathBuf,
    /// Folder of the data, instead of the spec's
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// What evaluates the models, instead of the spec's choice
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// Precision of the cpu engine, instead of the spec's choice
    #[arg(long, value_enum)]
    pub precision: Option<Precision>,
    /// Number or part of the name of the gpu engine's adapter (see `keisoku doctor`)
    #[arg(long, value_name = "NAME", default_value = "best")]
    pub adapter: Selection,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Seed of all random numbers, instead of the spec's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// What every verb that measures a series is told about its results.
#[derive(Debug, Args)]
pub(super) struct Results {
    /// Folder of the results [default: results/NAME OF THE SPEC]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// peaks.csv holds the parameters of every candidate
    #[arg(long, conflicts_with = "candidate")]
    pub all_candidates: bool,
    /// peaks.csv holds the parameters of this count or candidate in every frame
    #[arg(long, value_name = "K")]
    pub candidate: Option<String>,
    /// Remove earlier results from the folder and start over
    #[arg(long)]
    pub fresh: bool,
    /// Keep no draws: no samples.nc (some megabytes a frame)
    #[arg(long)]
    pub no_samples: bool,
    /// No progress and no summary
    #[arg(long)]
    pub quiet: bool,
    /// The summary as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// `--engine`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EngineName {
    /// A GPU where there is one and it pays, otherwise the cpu
    Auto,
    /// SIMD on all cores
    Cpu,
    /// WGSL on a GPU
    Gpu,
    /// Plain double precision, slow
    Oracle,
}

impl EngineName {
    /// As the spec writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Oracle => "oracle",
        }
    }
}

/// `--precision`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Precision {
    /// Terms in single, sums in double precision
    F32,
    /// Double precision throughout
    F64,
}

/// When the program began.
pub(super) struct Clock {
    pub wall: SystemTime,
    pub instant: Instant,
}

/// Runs the verb.
///
/// # Errors
/// Where nothing could run.
pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    let clock = Clock { wall: SystemTime::now(), instant: Instant::now() };
    let pool = pool(arguments.common.threads)?;
    let asked = Asked::read(&arguments.common)?;
    let chosen = asked.frames(arguments.frames.as_ref())?;
    let frames = asked.dataset.entries.len();
    if arguments.dry_run {
        let ready = pool.install(|| asked.resolve(None, &arguments.common.adapter, frames))?;
        return dry::run(&asked.dataset, &ready, &chosen, &pool);
    }
    let stop = interrupt();
    let out = prepare::out(&arguments.common, &arguments.results);
    let mut folder: Folder = if arguments.results.fresh { Folder::fresh(&out)? } else { Folder::open(&out)? };
    let ready = pool.install(|| asked.resolve(folder.header(), &arguments.common.adapter, frames))?;
    let peaks = prepare::peaks(&arguments.results, &ready.spec)?;
    for warning in ready.spec.warnings() {
        output::note(&format!("warning: {warning}"));
    }
    folder.begin(ready.header.clone())?;
    pool.install(|| folder.verify(&asked.dataset, &ready.spec))?;
    if arguments.verify {
        let found = batch::verify(&*ready.engine, &ready.spec, &asked.dataset, &chosen, pool.current_num_threads())?;
        tell_verified(&found, arguments.results.quiet);
    }
    let todo: Vec<&Entry> = chosen.iter().copied().filter(|e| folder.state(&e.name) != Some(State::Done)).collect();
    let before = chosen.len() - todo.len();
    let settings = batch::Settings {
        pool: &pool,
        deadline: arguments.max_time.map(|t| clock.instant + t),
        stop: &stop,
        plan: None,
        draws: !arguments.results.no_samples,
    };
    let work = Work { dataset: &asked.dataset, ready: &ready, settings: &settings };
    let (ended, mut info) = sample(&work, &mut folder, &todo, arguments.results.quiet, &clock)?;
    info.finished_before = before;
    let exit = finish(&mut folder, &work, &peaks, &chosen, &arguments.results, ended)?;
    info.wall = clock.instant.elapsed();
    folder.write_run_info(&info)?;
    // Results are safe by now: a report that cannot be made costs nothing but itself.
    if let Err(error) = pool.install(|| page::write(&out, &page::Options::default())) {
        output::note(&format!("warning: no report: {error}"));
    }
    Ok(exit)
}

/// Runs what is left to run. The inner result is how the run ended.
fn sample(work: &Work<'_>, folder: &mut Folder, todo: &[&Entry], quiet: bool, clock: &Clock) -> Result<(Result<()>, RunInfo)> {
    let progress = Progress::new(todo.len(), "frames", quiet);
    let (frames, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let told = |outcome: &Outcome, _: &mut Folder| {
        let count = if matches!(outcome, Outcome::Done(_)) { &frames } else { &failed };
        count.fetch_add(1, Ordering::Relaxed);
        progress.frame(outcome);
        Ok(())
    };
    let began = Instant::now();
    let ended = work.run(folder, todo, &told);
    progress.finish();
    let (ended, account) = match ended? {
        Ok(account) => (Ok(()), account),
        Err(error) => (Err(error), Account::default()),
    };
    tell_engine(&account, quiet);
    let info = RunInfo {
        engine: work.ready.engine.name(),
        device: work.ready.engine.describe(),
        threads: work.settings.pool.current_num_threads(),
        started: clock.wall,
        wall: clock.instant.elapsed(),
        sampling: began.elapsed(),
        timeline: work.ready.engine.timeline(),
        frames: frames.into_inner(),
        failed: failed.into_inner(),
        finished_before: 0,
        probe: account.probe().map(|found| (found.largest, found.states)),
        refusal: account.refusal().map(|error| error.what),
        interrupted: work.settings.stop.load(Ordering::Relaxed),
    };
    Ok((ended, info))
}

/// Tells what was compared before the run.
fn tell_verified(found: &batch::Verified, quiet: bool) {
    if quiet {
        return;
    }
    output::note(&format!(
        "verified on frame {}, {} candidates, {} sweeps: the same numbers with {} and {} threads and in a larger population; energies of {} states \
         within {:.1e} nat of the oracle's, free energies within {:.1} errors of those of a run on the oracle",
        found.frame,
        found.candidates,
        found.sweeps,
        found.threads.0,
        found.threads.1,
        found.energies.states,
        found.energies.largest,
        found.free_energy,
    ));
}

/// Tells what the probe found, and that a device was given up.
pub(super) fn tell_engine(account: &Account, quiet: bool) {
    if let (Some(found), false) = (account.probe(), quiet) {
        output::note(&format!("probe: energies within {:.1e} nat of the oracle's on {} states", found.largest, found.states));
    }
    if let Some(error) = account.refusal() {
        output::note(&format!("warning: {error}\nfrom there on frames ran on the cpu, and their results say so"));
    }
}

/// Writes the files, tells the summary, and says how the run ended.
fn finish(folder: &mut Folder, work: &Work<'_>, peaks: &Peaks, chosen: &[&Entry], results: &Results, ended: Result<()>) -> Result<Exit> {
    let summary = folder.finish(work.dataset, &work.ready.spec, peaks)?;
    let missing = chosen.iter().filter(|e| folder.state(&e.name).is_none()).count();
    let interrupted = work.settings.stop.load(Ordering::Relaxed);
    let exit = if interrupted { Exit::Interrupted } else { summary.exit(missing) };
    tell(&summary, folder, results, exit);
    match ended {
        Err(error) => output::error(&error),
        Ok(()) if missing > 0 => {
            output::note(&format!("the time is up; {missing} of {} frames are left, the same command goes on with them", chosen.len()));
        }
        Ok(()) => {}
    }
    Ok(exit)
}

/// Tells the summary as asked for.
pub(super) fn tell(summary: &Summary, folder: &Folder, results: &Results, exit: Exit) {
    if results.json {
        let mut value = summary.json(exit);
        value["out"] = folder.path().to_string_lossy().into();
        output::out(&format!("{value:#}\n"));
    } else if !results.quiet {
        output::out(&format!("{}\nresults in {}; look at {} there\n", summary.text(output::width()), folder.path().display(), page::NAME));
    }
}

/// The threads that do the work; none: all cores.
pub(super) fn pool(threads: Option<std::num::NonZeroUsize>) -> Result<rayon::ThreadPool> {
    let threads = threads.map_or(0, std::num::NonZeroUsize::get);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("keisoku-{i}"))
        .build()
        .map_err(|e| Error::fatal(format!("the threads cannot be started: {e}")).hint("give fewer with --threads N"))
}

/// A flag that the first interrupt sets; the second one ends the program, whose journal is whole at any time.
pub(super) fn interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let installed = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
    if let Err(error) = installed {
        output::note(&format!("warning: an interrupt will end the run at once ({error}); finished frames are safe all the same"));
    }
    stop
}
