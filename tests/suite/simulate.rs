//! Simulated series: the same bytes everywhere, the laws they follow, their noise, and what their data can tell.

use std::path::{Path, PathBuf};

use keisoku::dataset::{self, Dataset};
use keisoku::simulate::{self, RESOLVABLE, Scale, Series, Written};
use keisoku::spec::RawSpec;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn simulated(text: &str) -> Series {
    let raw = RawSpec::parse(Path::new("spec.toml"), text).unwrap_or_else(|e| panic!("{e}"));
    simulate::simulate(&raw, None).unwrap_or_else(|e| panic!("{e}"))
}

/// A spec with a window over everything and the simulation given.
fn spec(simulate: &str) -> String {
    format!(
        "[data]\nfiles = \"*.xy\"\n[[window]]\nname = \"all\"\n[[window.term]]\nmodel = \"gaussian\"\ncount = \"0..3\"\n[simulate]\n{simulate}"
    )
}

/// Name and bytes of every file of a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry"));
    let mut files: Vec<_> =
        entries.map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read(e.path()).expect("a file"))).collect();
    files.sort();
    files
}

fn write_example(name: &str, seed: Option<u64>) -> (tempfile::TempDir, Written) {
    let raw = RawSpec::read(&example(name).join("spec.toml")).unwrap_or_else(|e| panic!("{e}"));
    let folder = tempfile::tempdir().expect("a folder");
    let series = simulate::simulate(&raw, seed).unwrap_or_else(|e| panic!("{e}"));
    let written = simulate::write(&series, folder.path()).unwrap_or_else(|e| panic!("{e}"));
    (folder, written)
}

#[test]
fn the_examples_are_what_simulate_writes() {
    for name in ["phase-transition", "misfit", "mossbauer", "two-windows"] {
        let (folder, _) = write_example(name, None);
        let mut committed = files(&example(name));
        committed.retain(|(file, _)| !file.ends_with(".toml"));
        let made = files(folder.path());
        let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&made), names(&committed), "{name}");
        for ((file, made), (_, committed)) in made.iter().zip(&committed) {
            assert!(made == committed, "{name}/{file} differs: run `keisoku simulate examples/{name}/spec.toml` and look at what changed");
        }
    }
}

#[test]
fn bytes_do_not_depend_on_threads_and_do_on_the_seed() {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let one = files(alone.install(|| write_example("misfit", Some(3)).0).path());
    assert!(one == files(write_example("misfit", Some(3)).0.path()));
    let other = files(write_example("misfit", Some(4)).0.path());
    for ((name, a), (_, b)) in one.iter().zip(&other) {
        assert_eq!(a == b, name.ends_with(".csv"), "{name}: the truth stays, the noise does not");
    }
}

/// Frames whose windows are all resolvable, those with one that is not, and the peaks of all windows that are.
fn tally(series: &Series) -> (usize, usize, usize) {
    let windows = series.frames.iter().flat_map(|f| &f.resolvability);
    let peaks = windows.filter(|r| r.nats >= RESOLVABLE).map(|r| r.k).sum();
    let clear = series.frames.iter().filter(|f| f.resolvability.iter().all(|r| r.nats >= RESOLVABLE)).count();
    (clear, series.frames.len() - clear, peaks)
}

#[test]
fn the_demo_is_mostly_clear_and_partly_hopeless() {
    let raw = RawSpec::read(&example("phase-transition").join("spec.toml")).expect("a spec");
    let (clear, unclear, peaks) = tally(&simulate::simulate(&raw, None).expect("a series"));
    assert!(clear >= 28 && unclear >= 5 && peaks >= 100, "{clear} clear, {unclear} unclear, {peaks} peaks");
    let bytes: usize = files(&example("phase-transition")).iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes < 400_000, "{bytes} bytes");
}

#[test]
fn the_examples_can_be_run() {
    for (name, spec, frames, points) in
        [("phase-transition", "spec.toml", 40, 301), ("misfit", "spec.toml", 12, 151), ("misfit", "true-shape.toml", 12, 151)]
    {
        let raw = RawSpec::read(&example(name).join(spec)).unwrap_or_else(|e| panic!("{e}"));
        let spec = raw.resolve(&dataset::facts).and_then(|raw| raw.check()).unwrap_or_else(|e| panic!("{e}"));
        let dataset = Dataset::open(&spec.data).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(dataset.entries.len(), frames);
        for entry in &dataset.entries {
            let frame = dataset.load(entry, &spec.data).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((frame.x.len(), frame.axis.is_some(), frame.dropped), (points, true, 0));
            keisoku::problem::build(&spec, &frame).unwrap_or_else(|e| panic!("{e}"));
        }
        assert_eq!(spec.warnings(), [""; 0]);
    }
}

/// A line that moves on a level that falls, in 50 frames.
const MOVING: &str = "frames = 50\naxis = { name = \"t\", start = 0, stop = 98 }\nx = { start = 0, stop = 10, step = 0.05 }\n\
    noise = { model = \"poisson\" }\n\
    [[simulate.term]]\nmodel = \"chebyshev\"\ndegree = 0\nlevel0 = { law = \"exponential\", start = 60, end = 20, length = 30 }\n\
    [[simulate.term]]\nmodel = \"gaussian\"\nheight = { law = \"onset\", onset = 20, high = 90, length = 25 }\n\
    center = { law = \"linear\", start = 4, stop = 6 }\nfwhm = 0.8\n";

/// The curve of `MOVING`, written down once more; `turn` = −1 lets the line move backwards.
fn moving(t: f64, x: f64, turn: f64) -> f64 {
    let height = if t < 20.0 { 0.0 } else { 90.0 * (1.0 - (-(t - 20.0) / 25.0).exp()) };
    let u = (x - 5.0 - turn * (t / 49.0 - 1.0)) / 0.4;
    20.0 + 40.0 * (-t / 30.0).exp() + height * 0.5f64.powf(u * u)
}

#[test]
fn frames_follow_their_laws_and_their_noise() {
    let series = simulated(&spec(MOVING));
    let reduced = |turn: f64, variance: f64| {
        let mut z = Vec::new();
        for frame in &series.frames {
            let f = series.x.iter().map(|x| moving(frame.axis, *x, turn));
            z.extend(frame.y.iter().zip(f).map(|(y, f)| (y - f).powi(2) / (variance * f)));
        }
        // (y − f)²/f has mean 1 and variance 2 + 1/f, f ≥ 20.
        let n = z.len() as f64;
        (z.iter().sum::<f64>() - n) / (2.05 * n).sqrt()
    };
    // Beyond 4 standard errors once in 16 000.
    assert!(reduced(1.0, 1.0).abs() < 4.0, "{}", reduced(1.0, 1.0));
    assert!(reduced(-1.0, 1.0) > 100.0, "a line that moves backwards passes");
    assert!(reduced(1.0, 1.1) < -4.0 && reduced(1.0, 1.0 / 1.1) > 4.0, "a wrong variance passes");
}

#[test]
fn a_line_that_grows_out_of_nothing_is_not_there_before() {
    let series = simulated(&spec(MOVING));
    for frame in &series.frames {
        let found = frame.resolvability[0];
        assert_eq!(found.k, usize::from(frame.axis > 20.0), "at {}", frame.axis);
        assert_eq!(frame.terms[1].exists(), frame.axis > 20.0);
        assert!(found.k > 0 || found.nats == f64::INFINITY);
    }
    let nats: Vec<f64> = series.frames.iter().map(|f| f.resolvability[0].nats).skip(11).collect();
    assert!(nats[0] > 1.0 && nats.windows(2).all(|w| w[0] < w[1]), "a line that grows gets clearer: {nats:?}");
}

#[test]
fn the_distance_of_a_lone_peak_is_that_of_the_mean() {
    // Without its peak the nearest curve is the best level, the mean: Σ f ln(f/mean).
    let series = simulated(&spec(MOVING));
    let frame = &series.frames[40];
    let mean = frame.expected.iter().sum::<f64>() / frame.expected.len() as f64;
    let sum: f64 = frame.expected.iter().map(|f| f * (f / mean).ln()).sum();
    approx::assert_relative_eq!(frame.resolvability[0].nats, sum, max_relative = 1e-8);
    let flat = vec![mean; frame.expected.len()];
    approx::assert_relative_eq!(Scale::Poisson.distance(&frame.expected, &flat), sum, max_relative = 1e-10);
}

/// Two equal Gaussians at that distance, σ = 2.
fn two(distance: f64) -> Series {
    simulated(
        &spec(&format!(
            "frames = 1\nx = {{ start = -20, stop = 20, step = 0.01 }}\nnoise = {{ model = \"gaussian\", sigma = 2 }}\n\
        [[simulate.term]]\nmodel = \"gaussian\"\nheight = 5\ncenter = {}\nfwhm = 0.5\n\
        [[simulate.term]]\nmodel = \"gaussian\"\nheight = 5\ncenter = {}\nfwhm = 0.5\n",
            -0.5 * distance,
            0.5 * distance
        ))
        .replace("*.xy", "one.xy"),
    )
}

#[test]
fn the_distance_of_two_separate_peaks_is_one_of_them() {
    // Far apart, the nearest single peak is either of them: Σ g²/2σ² = h²/2σ² · fwhm √(π/8 ln 2)/step.
    let found = two(20.0).frames[0].resolvability[0];
    let one = 25.0 / 8.0 * 0.5 * (std::f64::consts::PI / (8.0 * std::f64::consts::LN_2)).sqrt() / 0.01;
    assert_eq!(found.k, 2);
    approx::assert_relative_eq!(found.nats, one, max_relative = 1e-6);
    assert!((found.nats - one * 1.01).abs() > 1e-3 * one, "a hundredth more is seen");
}

#[test]
fn peaks_that_come_together_fade() {
    let nats: Vec<f64> = [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6].map(|d| two(d).frames[0].resolvability[0].nats).into();
    assert!(nats[0] < 1e-6 && nats.windows(2).all(|w| w[0] < w[1]), "{nats:?}");
    // One peak takes up the moments of the two up to the third, the width the second and symmetry the third. What is left is of fourth order in
    // the separation, and the distance is quadratic in that.
    let power = (nats[3] / nats[2]).log2();
    assert!((7.0..8.5).contains(&power), "{power}");
}

#[test]
fn what_cannot_be_simulated_says_why() {
    let bare = "[data]\nfiles = \"*.xy\"\n[[window]]\n[[window.term]]\nmodel = \"gaussian\"\n";
    for (text, told) in [
        (bare.to_string(), "no [simulate]"),
        (spec(MOVING).replace("start = 60, end = 20", "start = 60, end = -900"), "no mean of counts"),
        (spec(MOVING).replace("fwhm = 0.8", "fwhm = -1"), "there is no gaussian with"),
        (spec(MOVING).replace("*.xy", "one.xy"), "cannot name 50"),
        (spec(MOVING).replace("name = \"all\"", "range = [90, 95]"), "holds no simulated point"),
    ] {
        let raw = RawSpec::parse(Path::new("spec.toml"), &text).unwrap_or_else(|e| panic!("{e}"));
        let error = simulate::simulate(&raw, None).expect_err(told);
        assert!(error.to_string().contains(told) && error.hint.is_some(), "{error}");
    }
}

#[test]
fn frames_of_a_longer_series_are_not_left_among_the_new_ones() {
    let (folder, _) = write_example("misfit", None);
    let raw = RawSpec::read(&example("misfit").join("spec.toml")).expect("a spec");
    let mut series = simulate::simulate(&raw, None).expect("a series");
    simulate::write(&series, folder.path()).expect("the same series again");
    series.frames.truncate(11);
    let error = simulate::write(&series, folder.path()).expect_err("a twelfth frame");
    assert!(error.to_string().contains("frame_12.xye"), "{error}");
}

#[test]
fn the_verb_writes_where_it_is_told_and_says_what_comes_next() {
    let out = tempfile::tempdir().expect("a folder");
    let mut command = assert_cmd::Command::cargo_bin("keisoku").expect("the executable");
    let spec = example("misfit").join("spec.toml");
    let done = command.arg("simulate").arg(&spec).arg("--out").arg(out.path()).args(["--seed", "5"]).assert().success();
    let told = String::from_utf8_lossy(&done.get_output().stdout).into_owned();
    assert!(told.contains("wrote 12 frames of 151 points") && told.contains("window lines: the peaks of 12 frames"), "{told}");
    assert!(told.contains(&format!("next: keisoku run {} --data {}", spec.display(), out.path().display())), "{told}");
    assert!(files(out.path()) == files(write_example("misfit", Some(5)).0.path()));
}
