//! Figures from numbers that are known: as drawn, and what they say where something is missing.

use keisoku::posterior::Variable;
use keisoku::report::figure::{self, Calibrated, OneFrame, What};
use keisoku::report::samples::{Measured, Sample};
use keisoku::report::svg::{Figure, Size, alone};
use keisoku::report::view::{Against, Results};

use super::folder::{HOSTILE, Made, calibration};

/// A size whose snapshots are short.
const SMALL: Size = Size { width: 320.0, stretch: 0.7, font: 9.0 };

fn results(made: &Made) -> (tempfile::TempDir, Results) {
    let folder = made.folder();
    let results = Results::open(folder.path()).unwrap();
    (folder, results)
}

/// Nine points, two peaks, and twenty draws of every parameter of the frame's most probable candidate.
fn sample(results: &Results, place: usize) -> Sample {
    let frame = &results.frames[place].frame;
    let best = &frame.windows[0].candidates[frame.windows[0].best];
    let scatter = |mean: f64, sd: f64| (0..20).map(move |i| mean + sd * (f64::from(i) - 9.5) / 5.0).collect::<Vec<f64>>();
    let mut variables = Vec::new();
    for name in ["level0", "center", "fwhm"] {
        let of: Vec<_> = best.parameters.iter().filter(|p| p.parameter == name).collect();
        let columns: Vec<Vec<f64>> = of.iter().map(|p| scatter(p.mean, p.sd)).collect();
        let values = (0..20).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
        variables.push(Variable {
            name: name.into(),
            unit: of[0].unit.clone(),
            peaks: (name != "level0").then_some(("peak".to_owned(), of.len())),
            values,
        });
    }
    let x: Vec<f64> = (0..9).map(|i| 4.0 + f64::from(i) / 8.0).collect();
    let flat = |v: f64| vec![v; 9];
    let measured = Measured {
        y: x.iter().map(|x| 3.0 + (x * 20.0).sin()).collect(),
        sigma: flat(0.5),
        expectation: [2.6, 2.8, 3.0, 3.2, 3.4].map(flat),
        terms: vec![("background".into(), flat(2.9)), ("peak 1".into(), flat(0.1)), ("peak 2".into(), flat(0.2))],
        name: String::new(),
        exposure: Vec::new(),
        predictive: Vec::new(),
        x,
    };
    Sample {
        frame: frame.name.clone(),
        source: frame.source.clone(),
        axis: frame.axis,
        window: "w".into(),
        candidate: best.candidate.clone(),
        k: best.k,
        variables,
        chains: 1,
        rows: 20,
        betas: Vec::new(),
        energies: Vec::new(),
        lp: Vec::new(),
        measurements: vec![measured],
    }
}

fn of_frame(what: What, results: &Results, sample: Result<&Sample, &str>) -> Result<Figure, String> {
    let frame = results.whole(0).unwrap();
    figure::frame(what, &OneFrame { results, frame: &frame, window: 0, sample }, &[], SMALL)
}

/// Elements of a class in a drawing.
fn count(figure: &Figure, class: &str) -> usize {
    figure.body.split("class=\"").skip(1).filter(|rest| rest.split('"').next().unwrap().split(' ').any(|c| c == class)).count()
}

#[test]
fn small_figures_are_drawn_as_they_were() {
    let (_folder, results) = results(&Made { frames: 5, ..Made::default() });
    let strip = figure::along(What::Verdicts, &results, 0, Against::Best, SMALL).unwrap();
    insta::assert_snapshot!("verdicts", alone(&strip, 0.2646));
    let ladder = of_frame(What::Ladder, &results, Err("none")).unwrap();
    insta::assert_snapshot!("ladder", ladder.body);
    let sample = sample(&results, 0);
    insta::assert_snapshot!("fit", of_frame(What::Fit, &results, Ok(&sample)).unwrap().body);
}

#[test]
fn every_figure_of_a_frame_has_its_marks() {
    let (_folder, results) = results(&Made::default());
    let sample = sample(&results, 0);
    let of = |what| of_frame(what, &results, Ok(&sample)).unwrap();
    let fit = of(What::Fit);
    assert_eq!(
        ["data", "mean", "expectation", "predictive", "term", "residual", "histogram", "normal"].map(|c| count(&fit, c)),
        [1, 1, 1, 1, 3, 1, 1, 1]
    );
    let evidence = of(What::Evidence);
    assert_eq!(["free-energy", "probability", "part", "panel"].map(|c| count(&evidence, c)), [1, 3, 2, 3]);
    let marginals = of(What::Marginals);
    assert_eq!(["panel", "marginal", "prior", "median"].map(|c| count(&marginals, c)), [5, 5, 5, 5]);
    assert_eq!(count(&of(What::Corner), "panel"), 15);
    assert_eq!(["positions", "tenfold"].map(|c| count(&of(What::Positions), c)), [1, 1]);
    assert_eq!(["rejection", "barrier"].map(|c| count(&of(What::Ladder), c)), [1, 1]);
    assert!(of_frame(What::Noise, &results, Ok(&sample)).unwrap_err().contains("where one measurement has Gaussian noise"));
}

#[test]
fn without_draws_a_sentence_says_why() {
    let (_folder, results) = results(&Made::default());
    let why = "the run kept no draws (--no-samples)";
    for what in [What::Fit, What::Corner] {
        assert_eq!(of_frame(what, &results, Err(why)).unwrap_err(), why);
    }
    let marginals = of_frame(What::Marginals, &results, Err(why)).unwrap();
    assert!(marginals.title.contains(why) && count(&marginals, "prior") == 5 && count(&marginals, "marginal") == 0);
    let tracks = figure::along(What::Tracks, &results, 0, Against::Best, SMALL).unwrap();
    assert!(tracks.title.contains("--no-samples") && count(&tracks, "heat") == 0 && count(&tracks, "track") == 2, "{}", tracks.title);
}

#[test]
fn a_series_has_one_path_a_track_however_long_it_is() {
    for frames in [12, 4000] {
        let (_folder, results) = results(&Made { frames, ..Made::default() });
        let of = |what| figure::along(what, &results, 0, Against::Best, Size::PAGE).unwrap();
        assert_eq!(["track", "track-band"].map(|c| count(&of(What::Tracks), c)), [2, 2]);
        assert_eq!(["trend", "panel"].map(|c| count(&of(What::Trends), c)), [5, 3]);
        assert_eq!(count(&of(What::Counts), "count"), 3);
        let strip = of(What::Verdicts);
        assert!((3..=4).contains(&count(&strip, "cell")) && strip.body.len() < 200_000, "{}", strip.body.len());
        assert!(of(What::Trends).body.len() < 1_200_000, "{}", of(What::Trends).body.len());
    }
}

#[test]
fn one_frame_is_no_series() {
    let (_folder, results) = results(&Made { frames: 1, ..Made::default() });
    for what in What::SERIES {
        assert!(figure::along(what, &results, 0, Against::Best, SMALL).unwrap_err().contains("two frames"));
    }
}

#[test]
fn names_are_escaped_in_figures() {
    let (_folder, results) = results(&Made { title: HOSTILE, window: HOSTILE, ..Made::default() });
    let mut sample = sample(&results, 0);
    sample.measurements[0].name = HOSTILE.into();
    sample.measurements[0].terms[0].0 = HOSTILE.into();
    let fit = of_frame(What::Fit, &results, Ok(&sample)).unwrap();
    assert!(!fit.body.contains("<script") && fit.body.contains("&lt;script&gt;") && fit.body.contains("計測"));
}

#[test]
fn a_calibration_has_histograms_with_bands() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Calibrated::open(folder.path()).unwrap().is_none());
    calibration(folder.path());
    let of = Calibrated::open(folder.path()).unwrap().unwrap();
    let ranks = figure::calibrated(What::Ranks, &of, 0, SMALL).unwrap();
    assert_eq!(["rank", "band", "strong"].map(|c| count(&ranks, c)), [2, 2, 1]);
    assert!(!ranks.body.contains("<script"));
    let coverage = figure::calibrated(What::Coverage, &of, 0, SMALL).unwrap();
    assert_eq!(["coverage", "trust"].map(|c| count(&coverage, c)), [3, 1]);
}
