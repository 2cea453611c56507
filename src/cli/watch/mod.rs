//! `keisoku watch`: follows a folder, takes each frame when it is complete, and keeps the results and a live page current.

mod arrivals;
mod board;
mod pace;
mod queue;
mod refresh;
mod serve;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use self::arrivals::Arrivals;
use self::board::Board;
use self::queue::Queue;
use self::refresh::Refresh;
use self::serve::Listen;
use super::output;
use super::run::prepare::{self, Asked, Ready};
use super::run::work::Work;
use super::run::{self, Clock, Common, Results, progress, time};
use crate::batch::{self, Outcome};
use crate::dataset::{Dataset, Entry};
use crate::error::Result;
use crate::problem;
use crate::report::{Exit, Folder, RunInfo};
use crate::spec::{Data, RawSpec};

/// What the page is made of; it asks for the rest.
const PAGE: &str = include_str!("page.html");
/// How often whoever waits looks whether it still has to.
const MOMENT: Duration = Duration::from_millis(100);

/// Follow a folder and measure each frame as it arrives.
///
/// A frame is taken when its file has not changed between two looks and can be read. Results are those of `run` in the same folder, which
/// goes on where this stopped, and this goes on where that stopped. What the spec leaves open is derived from the frames that are complete at
/// the beginning, at least one, and kept. The page can only be read, and only from this machine.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with an interrupt (Ctrl-C), or with --idle. Exit code: 0 good; 2 a frame failed, or may not be quoted; 1 nothing \
                        could run; 130 interrupted."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub results: Results,
    /// Address of the page, 127.0.0.1:PORT, or none [default: 127.0.0.1:8737, another port where that is taken]
    #[arg(long, value_name = "ADDRESS", default_value = "usual", hide_default_value = true)]
    pub listen: Listen,
    /// Time between two looks: a file that does not change for so long is complete
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time::duration)]
    pub every: Duration,
    /// A file that does not change for so long and still is no frame is recorded as failed; when it changes, it is taken all the same
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time::duration)]
    pub patience: Duration,
    /// End when no frame has come for so long [default: never]
    #[arg(long, value_name = "TIME", value_parser = time::duration)]
    pub idle: Option<Duration>,
}

/// Runs the verb.
///
/// # Errors
/// Where nothing could run, or the results cannot be written.
pub(super) fn run(arguments: &Arguments) -> Result<Exit> {
    let clock = Clock { wall: SystemTime::now(), instant: Instant::now() };
    let pool = run::pool(arguments.common.threads)?;
    let raw = Asked::raw(&arguments.common)?;
    let data = raw.data()?;
    let stop = run::interrupt();
    let out = prepare::out(&arguments.common, &arguments.results);
    let mut folder: Folder = if arguments.results.fresh { Folder::fresh(&out)? } else { Folder::open(&out)? };
    let board = Arc::new(Board::new(raw.title.as_deref().unwrap_or_default(), &out.to_string_lossy(), pool.current_num_threads()));
    let shown = Shown::new(arguments.results.quiet);
    open_page(arguments, &board, &out, &data, &shown)?;
    let Some(asked) = first(arguments, raw, &data, &stop, &board, &shown)? else {
        shown.finish();
        output::note("no frame was complete: nothing was measured");
        return Ok(if stop.load(Ordering::Relaxed) { Exit::Interrupted } else { Exit::Nothing });
    };
    let ready = pool.install(|| asked.resolve(folder.header(), &arguments.common.adapter, asked.dataset.entries.len()))?;
    let peaks = prepare::peaks(&arguments.results, &ready.spec)?;
    ready.spec.warnings().iter().for_each(|warning| shown.note(&format!("warning: {warning}")));
    folder.begin(ready.header.clone())?;
    let settings = batch::Settings { pool: &pool, deadline: None, stop: &stop, plan: None, draws: !arguments.results.no_samples };
    let refresh = Refresh::new(&ready.spec, &peaks, &board);
    let watch = Watch { arguments, ready: &ready, data: &data, settings: &settings, board: &board, shown: &shown, refresh: &refresh };
    let (counts, measured) = watch.follow(&mut folder, asked.dataset)?;
    shown.finish();
    let summary = refresh.now(&mut folder)?;
    board.phase("ended");
    let interrupted = stop.load(Ordering::Relaxed);
    let exit = if interrupted { Exit::Interrupted } else { summary.exit(board.partial()) };
    run::tell(&summary, &folder, &arguments.results, exit);
    folder.write_run_info(&RunInfo {
        engine: ready.engine.name(),
        device: ready.engine.describe(),
        threads: pool.current_num_threads(),
        started: clock.wall,
        wall: clock.instant.elapsed(),
        sampling: measured.sampling,
        timeline: ready.engine.timeline(),
        frames: counts.done.into_inner(),
        failed: counts.failed.into_inner(),
        finished_before: counts.before,
        probe: measured.probe,
        refusal: measured.refusal,
        interrupted,
    })?;
    Ok(exit)
}

/// Opens the page and says where it is.
fn open_page(arguments: &Arguments, board: &Arc<Board>, out: &Path, data: &Data, shown: &Shown) -> Result<()> {
    let (board, out) = (board.clone(), out.to_owned());
    let answers = move |path: &str| match path {
        "/" => Some(("text/html", PAGE.as_bytes().to_vec())),
        "/status.json" => Some(("application/json", board.json().to_string().into_bytes())),
        "/report.html" => Some(("text/html", std::fs::read(out.join("report.html")).ok()?)),
        "/evidence.csv" | "/peaks.csv" | "/positions.csv" => Some(("text/csv", std::fs::read(out.join(&path[1..])).ok()?)),
        _ => None,
    };
    let address = serve::serve(arguments.listen, Arc::new(answers))?;
    shown.say(&format!("watching {} for {}", data.folder.display(), data.files));
    if let Some(address) = address {
        shown.say(&format!("page at http://{address}/"));
    }
    Ok(())
}

/// Waits until at least one frame is complete; none where it was told to end before. The series that is then is what defaults derive from.
fn first(arguments: &Arguments, raw: RawSpec, data: &Data, stop: &AtomicBool, board: &Board, shown: &Shown) -> Result<Option<Asked>> {
    let began = Instant::now();
    let mut arrivals = Arrivals::new(arguments.every, Duration::MAX, std::iter::empty());
    while !stop.load(Ordering::Relaxed) && arguments.idle.is_none_or(|idle| began.elapsed() < idle) {
        match Dataset::open(data) {
            Ok(dataset) => {
                let look = arrivals.look(&dataset, Instant::now(), &|entry| dataset.load(entry, data).ok().map(|frame| frame.hash));
                if !look.ready.is_empty() {
                    return Ok(Some(Asked { raw, dataset: Dataset::of(look.ready) }));
                }
                board.looked(dataset.entries.len(), &look, true);
            }
            Err(error) => shown.trouble(board, &error.to_string()),
        }
        shown.update(board);
        pause(arguments.every.min(Duration::from_secs(1)), &|| stop.load(Ordering::Relaxed));
    }
    Ok(None)
}

/// Waits for so long, or until it is over.
fn pause(time: Duration, over: &dyn Fn() -> bool) {
    let until = Instant::now() + time;
    while !over() && Instant::now() < until {
        std::thread::sleep(MOMENT.min(until.saturating_duration_since(Instant::now())));
    }
}

/// Frames of this run, and of earlier ones.
#[derive(Debug, Default)]
struct Counts {
    done: AtomicUsize,
    failed: AtomicUsize,
    before: usize,
}

/// How measuring went.
#[derive(Debug, Default)]
struct Measured {
    /// Time spent sampling.
    sampling: Duration,
    /// The last probe of a device: largest error in nats, and states.
    probe: Option<(f64, usize)>,
    /// Why a device was given up.
    refusal: Option<String>,
}

/// What following needs.
struct Watch<'a> {
    arguments: &'a Arguments,
    ready: &'a Ready,
    data: &'a Data,
    settings: &'a batch::Settings<'a>,
    board: &'a Board,
    shown: &'a Shown,
    refresh: &'a Refresh<'a>,
}

impl Watch<'_> {
    /// Follows the folder until it is told to end: one thread looks, this one measures.
    fn follow(&self, folder: &mut Folder, series: Dataset) -> Result<(Counts, Measured)> {
        let finished = folder.finished();
        let counts = Counts { before: finished.len(), ..Counts::default() };
        let arrivals = Arrivals::new(self.arguments.every, self.arguments.patience, finished.into_iter());
        let queue = Queue::new(series);
        let ended = AtomicBool::new(false);
        self.board.phase("watching");
        let measured = std::thread::scope(|scope| {
            scope.spawn(|| self.look(arrivals, &queue, &ended));
            let measured = self.measure(folder, &queue, &counts);
            ended.store(true, Ordering::Relaxed);
            measured
        });
        measured.map(|measured| (counts, measured))
    }

    /// Looks at the folder again and again.
    fn look(&self, mut arrivals: Arrivals, queue: &Queue, ended: &AtomicBool) {
        let mut old = true;
        while !ended.load(Ordering::Relaxed) {
            let began = Instant::now();
            match Dataset::open(self.data) {
                Ok(dataset) => {
                    let check = |entry: &Entry| {
                        let frame = dataset.load(entry, self.data).ok()?;
                        problem::build(&self.ready.spec, &frame).ok().map(|_| frame.hash)
                    };
                    let look = arrivals.look(&dataset, Instant::now(), &check);
                    self.board.looked(dataset.entries.len(), &look, old);
                    old &= look.ready.is_empty();
                    queue.put(look.ready, dataset);
                }
                Err(error) => self.shown.trouble(self.board, &error.to_string()),
            }
            self.shown.update(self.board);
            // Where a look takes long, it is taken less often.
            pause(self.arguments.every.max(4 * began.elapsed()), &|| ended.load(Ordering::Relaxed));
        }
    }

    /// Measures what is complete, as it comes.
    fn measure(&self, folder: &mut Folder, queue: &Queue, counts: &Counts) -> Result<Measured> {
        let mut measured = Measured::default();
        let told = |outcome: &Outcome, folder: &mut Folder| {
            let count = if matches!(outcome, Outcome::Done(_)) { &counts.done } else { &counts.failed };
            count.fetch_add(1, Ordering::Relaxed);
            self.board.finished(outcome);
            self.shown.frame(outcome, self.board);
            self.refresh.perhaps(folder)
        };
        while !self.settings.stop.load(Ordering::Relaxed) {
            let (todo, dataset) = queue.take(MOMENT);
            self.refresh.series(&dataset);
            if todo.is_empty() {
                if self.arguments.idle.is_some_and(|idle| queue.quiet() >= idle) {
                    break;
                }
                continue;
            }
            let work = Work { dataset: &dataset, ready: self.ready, settings: self.settings };
            let began = Instant::now();
            let ended = work.run(folder, &todo.iter().collect::<Vec<_>>(), &told)?;
            measured.sampling += began.elapsed();
            match ended {
                Ok(account) => {
                    // What the probe finds is told once, what goes wrong always.
                    let quiet = self.arguments.results.quiet || measured.probe.is_some();
                    self.shown.aside(|| run::tell_engine(&account, quiet));
                    measured.probe = account.probe().map(|found| (found.largest, found.states)).or(measured.probe);
                    measured.refusal = account.refusal().map(|error| error.what).or(measured.refusal);
                }
                Err(_) if self.settings.stop.load(Ordering::Relaxed) => break,
                Err(error) => return Err(error),
            }
            queue.done();
            self.refresh.now(folder)?;
        }
        Ok(measured)
    }
}

/// What the terminal shows: a line that is kept current, lines alone in a file or pipe, or nothing.
struct Shown {
    line: Option<ProgressBar>,
    quiet: bool,
}

impl Shown {
    fn new(quiet: bool) -> Self {
        use std::io::IsTerminal;
        let line = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let line = ProgressBar::new_spinner();
            // A template that indicatif cannot read leaves its own style, which tells as much.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(500));
            line
        });
        Self { line, quiet }
    }

    /// A line that stays, unless it is to be quiet.
    fn say(&self, line: &str) {
        if !self.quiet {
            self.note(line);
        }
    }

    /// A line that stays.
    fn note(&self, line: &str) {
        match &self.line {
            Some(shown) => shown.println(line),
            None => output::note(line),
        }
    }

    /// Lets someone else write.
    fn aside(&self, tell: impl FnOnce()) {
        match &self.line {
            Some(line) => line.suspend(tell),
            None => tell(),
        }
    }

    /// The folder cannot be looked at: told once.
    fn trouble(&self, board: &Board, what: &str) {
        if board.trouble(what) {
            self.note(&format!("waiting: {what}"));
        }
    }

    fn update(&self, board: &Board) {
        if let Some(line) = &self.line {
            line.set_message(board.line());
        }
    }

    fn frame(&self, outcome: &Outcome, board: &Board) {
        let told = match outcome {
            Outcome::Done(result) => progress::line(result),
            Outcome::Failed(failure) => format!("frame {} failed: {}", failure.frame, failure.message),
        };
        match &self.line {
            Some(_) => self.say(&told),
            None => self.say(&format!("{told}  [{}]", board.line())),
        }
        self.update(board);
    }

    fn finish(&self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }
}
