//! `keisoku plot`: one figure of a results folder as a file, for a paper or a talk.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::error::{Error, Place, Result};
use crate::report::export;
use crate::report::figure::{self, Calibrated, Drawn, Limited, NO_DRAWS, OneFrame, What};
use crate::report::svg::Size;
use crate::report::view::{Against, Results};

/// Draw one figure of a folder of results, as SVG, PDF or PNG.
///
/// Of a series: tracks, counts, trends, verdicts. Of a frame: fit, evidence, marginals, corner, positions, ladder, noise. Of a calibration:
/// ranks, coverage. Of a measurement limit: limit, widths, held. The same drawings as in report.html.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder that `run`, `calibrate` or `limit` wrote to
    pub folder: PathBuf,
    /// The figure: tracks, counts, trends, verdicts, fit, evidence, marginals, corner, positions, ladder, noise, ranks, coverage, limit,
    /// widths or held
    #[arg(long, value_name = "FIGURE")]
    pub what: String,
    /// The file; its ending (svg, pdf or png) says how
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Number of the frame, from 1 [default: the only one]
    #[arg(long, value_name = "N")]
    pub frame: Option<usize>,
    /// Name of the window [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub window: Option<String>,
    /// Parameters of a corner plot, such as center1,fwhm1 [default: the first five, positions first]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub parameters: Vec<String>,
    /// What series are drawn against [default: the axis where it ascends or descends throughout]
    #[arg(long, value_enum)]
    pub against: Option<AgainstName>,
    /// Width and letters: a journal's single column (85 mm, 7 pt), its double column (174 mm, 8 pt), or as in the report
    #[arg(long, value_enum, default_value = "single")]
    pub size: SizeName,
    /// Height over the usual one
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = stretch)]
    pub stretch: f64,
    /// Pixels an inch of a PNG
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(20..=2400))]
    pub dpi: u32,
}

/// `--against`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AgainstName {
    /// Numbers of the frames
    Frame,
    /// Their time or temperature
    Axis,
}

impl AgainstName {
    /// What it means, and what its absence does.
    pub fn meant(given: Option<Self>) -> Against {
        match given {
            None => Against::Best,
            Some(Self::Frame) => Against::Frame,
            Some(Self::Axis) => Against::Axis,
        }
    }
}

/// `--size`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SizeName {
    /// 85 mm, letters of 7 pt
    Single,
    /// 174 mm, letters of 8 pt
    Double,
    /// 164 mm, letters of 10 pt
    Report,
}

impl SizeName {
    fn size(self, stretch: f64) -> Size {
        let of = |millimetres: f64, points: f64| Size { width: millimetres / 25.4 * 96.0, stretch, font: points / 72.0 * 96.0 };
        match self {
            Self::Single => of(85.0, 7.0),
            Self::Double => of(174.0, 8.0),
            Self::Report => Size { stretch, ..Size::PAGE },
        }
    }
}

fn stretch(text: &str) -> std::result::Result<f64, String> {
    text.parse().ok().filter(|f| (0.2..=5.0).contains(f)).ok_or_else(|| "give a factor from 0.2 to 5".into())
}

/// Runs the verb.
///
/// # Errors
/// Where there is no such figure, frame or window, something it is drawn from is missing, or the file cannot be written.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    let what = What::of(&arguments.what).ok_or_else(|| {
        let words: Vec<&str> = What::ALL.iter().map(|w| w.word()).collect();
        Error::fatal(format!("no figure is called `{}`", arguments.what)).hint(format!("the figures are {}", words.join(", ")))
    })?;
    let size = arguments.size.size(arguments.stretch);
    let drawn = match what {
        what if What::CALIBRATION.contains(&what) => calibration(arguments, what, size)?,
        what if What::LIMIT.contains(&what) => limit(arguments, what, size)?,
        _ => of_run(arguments, what, size)?,
    };
    let figure = drawn.map_err(|why| {
        Error::fatal(format!("`{}` cannot be drawn: {why}", what.word())).at(Place::file(&arguments.folder)).hint(advice(&why))
    })?;
    export::write(&figure, &arguments.output, f64::from(arguments.dpi))
}

/// What to do about it.
fn advice(why: &str) -> &'static str {
    match why {
        w if w.contains("--no-samples") => "run again without --no-samples, or draw another figure",
        w if w.contains("no parameter is called") => "give its name with its peak's number, such as center1",
        _ => "draw another figure, or another frame with --frame N",
    }
}

fn calibration(arguments: &Arguments, what: What, size: Size) -> Result<Drawn> {
    let Some(calibrated) = Calibrated::open(&arguments.folder)? else {
        return Err(Error::fatal("there is no calibration here: no calibration.json")
            .at(Place::file(&arguments.folder))
            .hint("give the folder that `keisoku calibrate` wrote to"));
    };
    let names: Vec<String> = calibrated.windows.iter().map(|w| w.window.clone()).collect();
    Ok(figure::calibrated(what, &calibrated, window(arguments, &names)?, size))
}

fn limit(arguments: &Arguments, what: What, size: Size) -> Result<Drawn> {
    let Some(limited) = Limited::open(&arguments.folder)? else {
        return Err(Error::fatal("there is no measurement limit here: no limit.json")
            .at(Place::file(&arguments.folder))
            .hint("give the folder that `keisoku limit` wrote to"));
    };
    let names: Vec<String> = limited.windows.iter().map(|w| w.window.clone()).collect();
    Ok(figure::limited(what, &limited, window(arguments, &names)?, size))
}

fn of_run(arguments: &Arguments, what: What, size: Size) -> Result<Drawn> {
    let results = Results::open(&arguments.folder)?;
    // Of a joint problem the first window is all measurements together.
    let joint = what == What::Integration && arguments.window.is_none();
    let window = if joint { 0 } else { window(arguments, &results.windows())? };
    let against = AgainstName::meant(arguments.against);
    if What::SERIES.contains(&what) {
        return Ok(figure::along(what, &results, window, against, size));
    }
    let place = match (arguments.frame, results.frames.len()) {
        (Some(number), _) => results.place(number)?,
        (None, 1) => 0,
        (None, n) => {
            return Err(Error::fatal(format!("`{}` is a figure of one frame, and {n} have answers", what.word()))
                .at(Place::file(&arguments.folder))
                .hint("choose one with --frame N"));
        }
    };
    let frame = results.whole(place)?;
    let sample = results.sample(place, window);
    let sample = match &sample {
        Ok(Some(sample)) => Ok(sample),
        Ok(None) => Err(NO_DRAWS),
        // Most figures do without.
        Err(error) => Err(error.what.as_str()),
    };
    Ok(figure::frame(what, &OneFrame { results: &results, frame: &frame, window, sample }, &arguments.parameters, size))
}

/// Which window: the one named, or the only one.
fn window(arguments: &Arguments, names: &[String]) -> Result<usize> {
    let list = || names.join(", ");
    match &arguments.window {
        Some(name) => names.iter().position(|n| n == name).ok_or_else(|| {
            Error::fatal(format!("there is no window `{name}` in these results"))
                .at(Place::file(&arguments.folder))
                .hint(format!("the windows are {}", list()))
        }),
        None if names.len() > 1 => Err(Error::fatal(format!("the results have {} windows", names.len()))
            .at(Place::file(&arguments.folder))
            .hint(format!("choose one with --window: {}", list()))),
        None => Ok(0),
    }
}
