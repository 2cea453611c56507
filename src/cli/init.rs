//! `keisoku init FILES`: a first spec for data at hand, with windows where the mean frame rises above its background.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::dataset::{Dataset, Frame, neighbour_noise};
use crate::error::{Error, Place, Result};
use crate::spec::RawSpec;

/// Arguments of the verb.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Data files of one series, in one folder
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Where the spec is written; an existing file is left as it is
    #[arg(long, default_value = "spec.toml")]
    pub out: PathBuf,
}

/// Frames averaged, at most: evenly spaced, so that a series that changes is seen at both ends.
const FRAMES: usize = 50;

/// A region must rise above the background by this many standard deviations of the smoothed mean frame: in 10⁴ points of white noise none
/// does, the wandering of the clipped background included.
const RISE: f64 = 6.0;

/// Windows written, at most: the regions with the largest areas.
const WINDOWS: usize = 6;

/// A stretch of the mean frame that holds peaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Where it begins and ends, with some background on either side, in units of x.
    pub range: (f64, f64),
    /// Maxima that stand out of the noise.
    pub maxima: usize,
    /// Area above the background.
    pub area: f64,
}

/// Looks at the files and writes the spec.
///
/// # Errors
/// Where the files are in several folders or cannot be read, or the spec exists already.
pub fn run(arguments: &Arguments) -> Result<()> {
    let text = starter(&arguments.files, &arguments.out)?;
    let place = || Place::file(&arguments.out);
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(&arguments.out).map_err(|e| {
            Error::fatal(format!("the spec cannot be written: {e}")).at(place()).hint("name another file with --out NAME.toml")
        })?;
    file.write_all(text.as_bytes()).map_err(|e| Error::fatal(format!("the spec cannot be written: {e}")).at(place()))?;
    let next = arguments.out.display();
    // A closed standard error is no reason to fail after the work is done.
    let _ = writeln!(std::io::stderr(), "{next} is written; look at it, then try: keisoku run {next} --dry-run");
    Ok(())
}

/// The text of a first spec, to be written to `out`.
///
/// # Errors
/// Where the files are in several folders or of several kinds, or none can be read.
pub fn starter(files: &[PathBuf], out: &Path) -> Result<String> {
    let data = data_section(files, out)?;
    let probe = RawSpec::parse(out, &format!("{data}[[window]]\n[[window.term]]\nmodel = \"gaussian\"\n"))?.data()?;
    let series = Dataset::open(&probe)?;
    let n = series.entries.len();
    let count = n.min(FRAMES);
    let at = |i: usize| if count < 2 { 0 } else { i * (n - 1) / (count - 1) };
    let loaded: Vec<Result<Frame>> = (0..count).map(|i| series.load(&series.entries[at(i)], &probe)).collect();
    let first_error = loaded.iter().find_map(|frame| frame.as_ref().err().cloned());
    let frames: Vec<Frame> = loaded.into_iter().flatten().collect();
    let Some(first) = frames.first() else {
        return Err(first_error.unwrap_or_else(|| Error::fatal("there are no frames").hint("name the data files")));
    };
    let mean = mean(&frames);
    let mut text =
        format!("{data}# x        = {{ name = \"two_theta\", unit = \"deg\" }}     # what x is; results carry the name and the unit\n\n");
    text.push_str(&noise_section(&frames));
    let mut found = regions(&first.x, &mean);
    if found.is_empty() {
        // Nothing stands out: the whole range, and "is there a peak at all" is the question.
        found.push(Region { range: (first.x[0], first.x[first.x.len() - 1]), maxima: 0, area: 0.0 });
    }
    for region in &found {
        text.push_str(&window_section(region));
    }
    text.push_str("\n[run]\ntargets = { ess = 400, free_energy_se = 0.1 }\n");
    Ok(text)
}

fn data_section(files: &[PathBuf], out: &Path) -> Result<String> {
    let folder = |p: &Path| p.parent().filter(|f| *f != Path::new("")).map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let Some(first) = files.first() else { return Err(Error::fatal("no files are named").hint("keisoku init *.xye")) };
    let wrong = |what: &str, at: &Path| {
        Err(Error::fatal(what).at(Place::file(at)).hint("name the files of one series; a spec has one folder and one pattern"))
    };
    if let Some(other) = files.iter().find(|f| folder(f) != folder(first)) {
        return wrong("the files are in several folders", other);
    }
    if let Some(other) = files.iter().find(|f| f.extension() != first.extension()) {
        return wrong("the files are of several kinds", other);
    }
    let name = |p: Option<&std::ffi::OsStr>| p.and_then(|n| n.to_str()).map(str::to_string);
    let pattern = match files {
        [one] => name(one.file_name()),
        _ => name(first.extension()).map(|e| format!("*.{e}")),
    };
    // Paths of the command line start from the working directory, those of a spec from its own folder.
    let folder = if folder(out) == Path::new(".") { folder(first) } else { std::path::absolute(folder(first)).unwrap_or_default() };
    let (Some(pattern), Some(folder)) = (pattern, folder.to_str()) else {
        return wrong("the files have no name that a spec can hold", first);
    };
    let quoted = |text: &str| toml::Value::String(text.into()).to_string();
    Ok(format!(
        "[data]\nfolder     = {}     # relative to this file; --data replaces it\nfiles      = {}\n",
        quoted(folder),
        quoted(&pattern)
    ))
}

fn noise_section(frames: &[Frame]) -> String {
    let whole = |f: &Frame| f.y.iter().all(|y| *y >= 0.0 && y.fract() == 0.0);
    let lines = if frames.iter().all(|f| f.sigma.is_some()) {
        "model = \"gaussian\"\nsigma = \"column * scale\"     # the files' sigma times an inferred factor; \"column\" trusts it\n"
    } else if frames.iter().all(whole) {
        "model = \"poisson\"              # whole numbers without a sigma column: counts\n"
    } else {
        "model = \"gaussian\"\nsigma = \"unknown\"            # inferred; a number where it is known\n"
    };
    format!("[noise]\n{lines}")
}

fn window_section(region: &Region) -> String {
    let (low, high) = region.range;
    let mut text =
        format!("\n[[window]]\nrange = [{low}, {high}]\n\n[[window.term]]\nmodel  = \"chebyshev\"            # background\ndegree = 1\n");
    // Two more than can be seen: shoulders are what the counting is for. Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n[[window.term]]\nmodel = \"pseudo-voigt\"\ncount = \"0..{}\"                 # both ends included; each count is a candidate\n\
         # fwhm  = {{ prior = \"log-uniform\", low = …, high = … }}   # left out: two point spacings to half the window\n\
         eta   = {{ shared = true }}     # one shape for all peaks of the window\n",
        region.maxima + 2
    );
    text
}

/// The mean of frames at the points of the first, interpolated where theirs differ.
fn mean(frames: &[Frame]) -> Vec<f64> {
    let at = |frame: &Frame, x: f64| {
        let right = frame.x.partition_point(|v| *v < x).clamp(1, frame.x.len() - 1);
        let (a, b) = (right - 1, right);
        let share = ((x - frame.x[a]) / (frame.x[b] - frame.x[a])).clamp(0.0, 1.0);
        frame.y[a] + share * (frame.y[b] - frame.y[a])
    };
    let sum = |x: f64| frames.iter().map(|f| at(f, x)).sum::<f64>();
    frames[0].x.iter().map(|x| sum(*x) / frames.len() as f64).collect()
}

/// The background by clipping peaks: y is replaced by the mean of its neighbours at distance p wherever that is lower, for p = reach … 1
/// (SNIP, C. G. Ryan et al., Nucl. Instrum. Methods B 34 (1988) 396, without its logarithms, which need counts).
fn background(y: &[f64], reach: usize) -> Vec<f64> {
    let mut clipped = y.to_vec();
    for p in (1..=reach).rev() {
        let before = clipped.clone();
        for i in p..y.len().saturating_sub(p) {
            clipped[i] = before[i].min(0.5 * (before[i - p] + before[i + p]));
        }
    }
    clipped
}

/// Contiguous regions of a curve above its background, cut where they hold too many maxima and widened by up to half their width on either
/// side: at most six, those of the largest areas, in the order of x.
pub fn regions(x: &[f64], y: &[f64]) -> Vec<Region> {
    let n = x.len();
    if n < 8 {
        return Vec::new();
    }
    // Peaks narrower than a twentieth of the range are clipped whole.
    let smooth = smoothed(y);
    let base = background(&smooth, (n / 20).clamp(4, 500));
    // The mean of five points has 1/√5 of the noise.
    let noise = neighbour_noise(y) / 5f64.sqrt();
    let above: Vec<f64> = smooth.iter().zip(&base).map(|(s, b)| s - b).collect();
    // Clipping follows the lower envelope of the noise, and most points are background: their median says how far below it lies.
    let offset = median(&above);
    let rise: Vec<f64> = above.iter().map(|r| r - offset).collect();
    let highest = rise.iter().copied().fold(0.0, f64::max);
    // Ripples of a hundredth of the strongest line are no first question.
    let threshold = (RISE * noise).max(0.01 * highest);
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for i in (0..n).filter(|&i| rise[i] > threshold && threshold > 0.0) {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == i => *end = i,
            _ => runs.push((i, i)),
        }
    }
    let parts: Vec<(usize, usize)> =
        runs.into_iter().filter(|(a, b)| b - a >= 2).flat_map(|(a, b)| split(&rise, a, b, threshold)).collect();
    let widened = |i: usize| {
        let (a, b) = parts[i];
        let margin = ((b - a) / 2).max(5);
        // No further than half way to the next region.
        let before = i.checked_sub(1).map_or(0, |j| (parts[j].1 + a).div_ceil(2));
        let after = parts.get(i + 1).map_or(n - 1, |next| (b + next.0) / 2);
        (a.saturating_sub(margin).max(before), (b + margin).min(after))
    };
    let area = |a: usize, b: usize| (a..b).map(|i| 0.5 * (rise[i] + rise[i + 1]) * (x[i + 1] - x[i])).sum();
    let mut found: Vec<Region> = (0..parts.len())
        .map(widened)
        .map(|(a, b)| Region { range: rounded(x[a], x[b]), maxima: maxima(&rise[a..=b], threshold), area: area(a, b) })
        .collect();
    found.sort_by(|a, b| b.area.total_cmp(&a.area));
    found.truncate(WINDOWS);
    found.sort_by(|a, b| a.range.0.total_cmp(&b.range.0));
    found
}

/// Cuts a region at its deepest inner valley until no part has more maxima than a window can count in reasonable time.
fn split(rise: &[f64], a: usize, b: usize, threshold: f64) -> Vec<(usize, usize)> {
    /// With two more offered than seen, six peaks are the most that is counted.
    const MOST_MAXIMA: usize = 4;
    let edge = (b - a) / 8;
    if maxima(&rise[a..=b], threshold) <= MOST_MAXIMA || edge == 0 {
        return vec![(a, b)];
    }
    let cut = (a + edge..=b - edge).min_by(|i, j| rise[*i].total_cmp(&rise[*j])).unwrap_or(a);
    [split(rise, a, cut, threshold), split(rise, cut, b, threshold)].concat()
}

/// The upper median of a list that is not empty.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The mean of five neighbours, fewer at the ends.
fn smoothed(y: &[f64]) -> Vec<f64> {
    let window = |i: usize| &y[i.saturating_sub(2)..(i + 3).min(y.len())];
    (0..y.len()).map(|i| window(i).iter().sum::<f64>() / window(i).len() as f64).collect()
}

/// Maxima that rise by more than the threshold above the valleys on both sides; the curve counts as 0 beyond its end.
fn maxima(rise: &[f64], threshold: f64) -> usize {
    let (mut count, mut valley, mut peak) = (0, 0.0, 0.0);
    for &r in rise.iter().chain([&0.0]) {
        peak = f64::max(peak, r);
        let stands_out = peak - valley > threshold && peak - r > threshold;
        count += usize::from(stands_out);
        if stands_out || r < valley {
            (valley, peak) = (r, r);
        }
    }
    count
}

/// An interval with its ends rounded to about a thousandth of its length.
fn rounded(low: f64, high: f64) -> (f64, f64) {
    let decimals = usize::try_from(3 - (high - low).log10().ceil() as i64).unwrap_or(0).min(12);
    let parse = |x: f64| format!("{x:.decimals$}").parse().unwrap_or(x);
    (parse(low), parse(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Roughly normal: the sum of twelve uniform draws of a linear congruential generator (Knuth's MMIX), less 6.
    fn normal(state: &mut u64) -> f64 {
        let mut uniform = || {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    #[test]
    fn three_lines_are_three_regions() {
        let mut rng = 1;
        let x: Vec<f64> = (0..2000).map(|i| 4.0 + 0.005 * f64::from(i)).collect();
        let line = |x: f64, c: f64, h: f64| h * (-((x - c) / 0.05).powi(2)).exp();
        let y: Vec<f64> =
            x.iter().map(|&x| 100.0 + 3.0 * x + line(x, 6.0, 50.0) + line(x, 6.2, 30.0) + line(x, 11.0, 40.0) + normal(&mut rng)).collect();
        let found = regions(&x, &y);
        let [first, second, third] = found[..] else { panic!("{found:?}") };
        assert!((5.7..5.95).contains(&first.range.0) && (6.05..6.15).contains(&first.range.1), "{first:?}");
        assert!(second.range.0 >= first.range.1 && (6.25..6.5).contains(&second.range.1), "they meet between the lines: {second:?}");
        assert!((10.7..10.95).contains(&third.range.0) && (11.05..11.3).contains(&third.range.1), "{third:?}");
        assert_eq!((first.maxima, second.maxima, third.maxima), (1, 1, 1));
    }

    #[test]
    fn noise_has_no_regions() {
        let x: Vec<f64> = (0..10_000).map(f64::from).collect();
        for seed in 0..20 {
            let mut rng = seed;
            let y: Vec<f64> = x.iter().map(|_| 1000.0 + normal(&mut rng)).collect();
            assert_eq!(regions(&x, &y), [], "seed {seed}");
        }
        assert_eq!(regions(&x, &vec![0.0; x.len()]), []);
        assert_eq!(regions(&[1.0, 2.0], &[0.0, 9.0]), []);
    }

    #[test]
    fn maxima_need_valleys_on_both_sides() {
        assert_eq!(maxima(&[0.0, 5.0, 4.5, 5.0, 0.0], 1.0), 1);
        assert_eq!(maxima(&[0.0, 5.0, 2.0, 5.0, 0.0], 1.0), 2);
        assert_eq!(maxima(&[9.0, 5.0, 6.5, 5.0, 9.0], 1.0), 3);
        assert_eq!(maxima(&[0.0, 0.5], 1.0), 0);
    }
}
