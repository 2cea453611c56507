//! How time grows with the problem: twice the points, the peaks, the frames, the copies.
//!
//! `cargo bench --bench scaling [-- REPEATS]` makes a fixed number of sweeps of simulated series on the cpu engine, doubles one size at a
//! time, and prints the seconds (the smallest of several repeats, in turn) and the exponent d ln t / d ln n by least squares; 1 is linear.
//! A machine that others use stretches wall time, so where the system tells it, the exponent of processor time stands beside.
//!
//! Peaks are 10 fwhm apart in a window of one length, and fine enough for all: their supports are local. Twice the peaks are twice the moves of
//! a sweep, and a longer ladder, as the information in the data grows: what is held to be linear is the time of a sweep of one walker.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::posterior::FrameResult;
use keisoku::simulate;
use keisoku::spec::Spec;

#[path = "../tests/suite/examples.rs"]
#[expect(dead_code, reason = "of the examples' runner only a part is needed here")]
mod examples;

/// Most that an exponent may be: linear, and what noise adds to a slope over three doublings.
const MOST: f64 = 1.1;

/// What is sampled.
#[derive(Clone, Copy, Debug)]
struct Size {
    points: usize,
    peaks: usize,
    frames: usize,
    copies: usize,
    sweeps: usize,
}

const SIZE: Size = Size { points: 500, peaks: 2, frames: 1, copies: 8, sweeps: 400 };

/// Wall and processor seconds of one run, per walker where that is asked for.
type Seconds = [f64; 2];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let repeats: usize = arguments.first().map_or(3, |text| text.parse().unwrap());
    let engine = Cpu::new(Precision::F32).unwrap();
    let doubled = |first: usize, size: &dyn Fn(usize) -> Size| (0..4).map(|i| (first << i, size(first << i))).collect::<Vec<_>>();
    let mut fine = true;
    fine &= axis(engine, repeats, "points", false, &doubled(500, &|points| Size { points, ..SIZE }));
    fine &= axis(engine, repeats, "peaks", true, &doubled(1, &|peaks| Size { points: 2000, peaks, sweeps: 160, ..SIZE }));
    fine &= axis(engine, repeats, "frames", false, &doubled(2, &|frames| Size { frames, sweeps: 200, ..SIZE }));
    fine &= axis(engine, repeats, "copies", false, &doubled(4, &|copies| Size { copies, ..SIZE }));
    println!("{}", if fine { "all grow linearly or better" } else { "something grows faster than linearly" });
}

/// One size doubled; whether time grows linearly or better.
fn axis(engine: Cpu, repeats: usize, name: &str, each_walker: bool, sizes: &[(usize, Size)]) -> bool {
    let folders: Vec<_> = sizes.iter().map(|(_, size)| written(size)).collect();
    let mut least: Vec<Seconds> = vec![[f64::INFINITY; 2]; sizes.len()];
    let mut rungs = vec![0; sizes.len()];
    for _ in 0..repeats {
        for (i, (_, size)) in sizes.iter().enumerate() {
            let (seconds, found) = run(engine, size, folders[i].path());
            rungs[i] = found;
            least[i].iter_mut().zip(seconds).for_each(|(least, seconds)| *least = least.min(seconds));
        }
    }
    for ((n, _), (seconds, rungs)) in sizes.iter().zip(least.iter().zip(&rungs)) {
        println!("{n:>6} {name:<7} {:>8.3} s, {:>8.3} s of processor time, {rungs} rungs", seconds[0], seconds[1]);
    }
    let unit = |i: usize| if each_walker { rungs[i] as f64 } else { 1.0 };
    let slope = |which: usize| {
        let at = |i: usize| ((sizes[i].0 as f64).ln(), (least[i][which] / unit(i)).ln());
        exponent(&(0..sizes.len()).map(at).collect::<Vec<_>>())
    };
    let (wall, processor) = (slope(0), slope(1));
    let what = if each_walker { "time a walker" } else { "time" };
    println!("{name}: {what} grows with exponent {wall:.2}, processor time with {processor:.2}\n");
    (if processor.is_nan() { wall } else { processor }) <= MOST
}

/// Slope of a straight line by least squares.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

/// A folder with the spec and its simulated series.
fn written(size: &Size) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = format!(
        "[data]\nfiles = \"frame_*.xy\"\n[noise]\nmodel = \"gaussian\"\nsigma = 0.05\n[[window]]\nrange = [0, 1]\n[[window.term]]\n\
         model = \"gaussian\"\ncount = {peaks}\nheight = {{ prior = \"uniform\", low = 0, high = 3 }}\n\
         center = {{ prior = \"uniform\", low = 0, high = 1 }}\nfwhm = {{ prior = \"log-uniform\", low = 0.005, high = 0.05 }}\n\
         [simulate]\nframes = {frames}\nseed = 1\naxis = {{ name = \"time\", start = 0, stop = 1 }}\n\
         x = {{ start = 0, stop = 1, step = {step} }}\nnoise = {{ model = \"gaussian\", sigma = 0.05 }}\n",
        peaks = size.peaks,
        frames = size.frames.max(2),
        step = 1.0 / size.points as f64,
    );
    for k in 0..size.peaks {
        let center = (k as f64 + 0.5) / size.peaks as f64;
        // Writing to a String cannot fail.
        let _ = write!(text, "[[simulate.term]]\nmodel = \"gaussian\"\nheight = 1\ncenter = {center}\nfwhm = 0.0125\n");
    }
    let path = folder.path().join("spec.toml");
    std::fs::write(&path, text).unwrap();
    simulate::write(&simulate::simulate(&Spec::read(&path).unwrap(), None).unwrap(), folder.path()).unwrap();
    folder
}

/// Samples the series with targets out of reach, so that all sweeps are made; seconds, and rungs of the first frame.
fn run(engine: Cpu, size: &Size, folder: &Path) -> (Seconds, usize) {
    let (mut spec, mut dataset) = examples::open(&folder.join("spec.toml"));
    dataset.entries.truncate(size.frames);
    spec.run.copies = size.copies;
    spec.run.max_sweeps = size.sweeps;
    spec.run.free_energy_se = 1e-6;
    let (start, before) = (Instant::now(), processor());
    let frames: Vec<FrameResult> = examples::answers(&engine, &spec, &dataset);
    let seconds = [start.elapsed().as_secs_f64(), processor() - before];
    let figures = &frames[0].windows[0].candidates[0].figures;
    assert_eq!(figures.burn_in + figures.sweeps, size.sweeps, "not all sweeps were made");
    (seconds, figures.betas.len())
}

/// Seconds of processor time of all threads so far, in hundredths; NaN where the system does not tell.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time are the 12th and 13th words after the name of the program, in ticks of a hundredth of a second.
    let words = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').skip(11).take(2);
    let ticks: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
    if ticks.len() == 2 { (ticks[0] + ticks[1]) / 100.0 } else { f64::NAN }
}
