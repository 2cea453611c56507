//! The text of a first spec.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::files::Source;
use crate::dataset::{Dataset, Stretch, Survey};
use crate::error::Result;
use crate::spec::{RawSpec, quoted};

/// Windows written at most, the highest first: a start is to be read.
const MOST_WINDOWS: usize = 6;

/// The text of a spec at `spec` for the data files named, and what was seen of them; `columns` says what the files' columns are, where they
/// do not say it themselves.
///
/// # Errors
/// Where the files are no series or a frame cannot be read.
pub fn starter(named: &[PathBuf], columns: Option<&str>, spec: &Path) -> Result<(String, Survey)> {
    let source = Source::of(named)?;
    let folder = relative(&source.folder, spec);
    let columns = columns.map_or_else(String::new, |columns| format!("columns = {}\n", quoted(columns)));
    let head = format!("[data]\nfolder = {}\nfiles = {}\n{columns}", quoted(&folder), quoted(&source.files));
    let data = RawSpec::parse(spec, &head)?.data()?;
    let survey = Survey::of(&Dataset::open(&data)?, &data)?;
    let frames = if survey.frames > 1 { frames(&source.folder, &head, spec) } else { None };
    let mut text = String::from("# A first spec, written by `keisoku init` from a look at the data: a start to be edited.\n\n");
    // Writing to a String cannot fail, here and below.
    text += &head;
    text += "# x = { name = \"two_theta\", unit = \"deg\" }  # two_theta, d, q, energy, channel or a name of its own\n";
    match frames {
        Some(frames) => text += &frames,
        None => {
            text += "# frames = { table = \"frames.csv\", key = \"frame\", axis = \"temperature_C\" }  # a table with each frame's time or temperature\n"
        }
    }
    text += &noise(&survey);
    let mut windows = survey.stretches.clone();
    if windows.is_empty() {
        windows.push(Stretch { range: survey.x, maxima: 1, rise: 0.0 });
    }
    windows.sort_by(|a, b| b.rise.total_cmp(&a.rise));
    let mut left_out = windows.split_off(windows.len().min(MOST_WINDOWS));
    for list in [&mut windows, &mut left_out] {
        list.sort_by(|a, b| a.range.0.total_cmp(&b.range.0));
    }
    for stretch in &windows {
        text += &window(stretch, &survey);
    }
    if !left_out.is_empty() {
        let ranges: Vec<String> = left_out.iter().map(|s| range(s, &survey)).collect();
        let _ = writeln!(text, "\n# Lower groups of peaks were seen at {}.", ranges.join(", "));
    }
    text += "\n[run]\nseed = 1\n";
    Ok((text, survey))
}

/// The data folder as the spec names it: relative to the spec's where it lies below that, otherwise absolute.
fn relative(folder: &Path, spec: &Path) -> String {
    let absolute = |p: &Path| std::path::absolute(p).unwrap_or_else(|_| p.into());
    let (folder, beside) = (absolute(folder), absolute(spec));
    let inside = beside.parent().and_then(|b| folder.strip_prefix(b).ok());
    match inside {
        Some(below) if below == Path::new("") => ".".into(),
        // A spec may travel to a machine with other separators.
        Some(below) => below.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"),
        None => folder.to_string_lossy().into_owned(),
    }
}

/// The line for a `frames.csv` that fits the files: its first column names the frame, its second is the axis.
fn frames(folder: &Path, head: &str, spec: &Path) -> Option<String> {
    let table = std::fs::read_to_string(folder.join("frames.csv")).ok()?;
    let mut columns = table.lines().next()?.split(',').map(str::trim);
    let (key, axis) = (columns.next()?, columns.next()?);
    let line = format!("frames = {{ table = \"frames.csv\", key = {}, match = \"file number\", axis = {} }}\n", quoted(key), quoted(axis));
    let data = RawSpec::parse(spec, &format!("{head}{line}")).and_then(|raw| raw.data()).ok()?;
    Dataset::open(&data).is_ok().then_some(line)
}

fn noise(survey: &Survey) -> String {
    let (model, sigma, why) = match (survey.sigma, survey.counts) {
        (true, _) => ("gaussian", "sigma = \"column * scale\"", "the column is nominal more often than not, so its scale is inferred"),
        (false, true) => ("poisson", "", "every value is a whole number: counts"),
        (false, false) => ("gaussian", "sigma = \"unknown\"", "inferred, one for all points"),
    };
    if sigma.is_empty() {
        return format!("\n[noise]\nmodel = \"{model}\"  # {why}\n");
    }
    format!("\n[noise]\nmodel = \"{model}\"\n{sigma}  # {why}\n")
}

fn window(stretch: &Stretch, survey: &Survey) -> String {
    /// More peaks than this take long, and mean mostly that the window should be two.
    const MOST_PEAKS: usize = 6;
    let most = (stretch.maxima + 2).min(MOST_PEAKS);
    let length = stretch.range.1 - stretch.range.0;
    let widths = (three_digits(2.0 * survey.spacing), three_digits(0.5 * length));
    let mut text = format!("\n[[window]]\nrange = {}\n", range(stretch, survey));
    text += "\n[[window.term]]\nmodel  = \"chebyshev\"  # background\nname   = \"background\"\ndegree = 1\n";
    let _ = writeln!(text, "\n[[window.term]]\nmodel = \"pseudo-voigt\"\nname  = \"peaks\"");
    let advice = if stretch.maxima > most { ": split the window" } else { "; each count is a candidate" };
    let _ = writeln!(text, "count = \"0..{most}\"  # {} seen in the mean of the frames{advice}", stretch.maxima);
    if widths.0 < widths.1 {
        let _ = writeln!(
            text,
            "fwhm  = {{ prior = \"log-uniform\", low = {}, high = {} }}  # two points to half the window",
            widths.0, widths.1
        );
    }
    text += "eta   = { shared = true }  # one shape for all peaks; area and center have defaults, see the dry run\n";
    text
}

/// A range with no more digits than points can tell.
fn range(stretch: &Stretch, survey: &Survey) -> String {
    let decimals = (1.0 - survey.spacing.log10().floor()).clamp(0.0, 12.0) as usize;
    let round = |x: f64| format!("{x:.decimals$}").parse::<f64>().unwrap_or(x);
    format!("[{}, {}]", round(stretch.range.0), round(stretch.range.1))
}

fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}
