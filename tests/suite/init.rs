//! `keisoku init`: a first spec that can be run as it is, for series of several kinds.

use std::path::{Path, PathBuf};

use keisoku::cli::init::starter;
use keisoku::dataset::{self, Survey};
use keisoku::spec::{Noise, RawSpec, Sigma, Spec};

/// The starter spec for these files, checked with all its defaults.
fn started(files: &[PathBuf], folder: &Path) -> (String, Survey, Spec) {
    let path = folder.join("spec.toml");
    let (text, survey) = starter(files, None, &path).unwrap_or_else(|e| panic!("{e}"));
    let raw = RawSpec::parse(&path, &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let spec = raw.resolve(&dataset::facts).and_then(|raw| raw.check()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (text, survey, spec)
}

#[test]
fn the_demo_gets_windows_around_its_lines() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/phase-transition");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (text, survey, spec) = started(&[folder], elsewhere.path());
    assert_eq!((survey.frames, survey.counts, survey.sigma), (40, true, false));
    assert_eq!(spec.data.files, "frame_*.xy");
    assert_eq!(spec.data.frames.as_ref().and_then(|f| f.axis.as_deref()), Some("temperature_C"), "{text}");
    // The lines that move and merge, the one that grows, the one of the second window: some may share a window.
    for line in [10.42, 10.62, 10.82, 11.1, 12.3] {
        let holds = |g: &keisoku::spec::Group| (g.measurements[0].range.0..g.measurements[0].range.1).contains(&line);
        assert_eq!(spec.groups.iter().filter(|g| holds(g)).count(), 1, "{line} in {text}");
    }
    let covered: f64 = spec.groups.iter().map(|g| g.measurements[0].range.1 - g.measurements[0].range.0).sum();
    assert!(covered < 2.4 && spec.groups.len() >= 2, "{covered} of 3 degrees in {} windows", spec.groups.len());
    assert!(spec.groups.iter().all(|g| g.measurements[0].noise == Noise::Poisson && g.candidates.len() >= 3));
    assert_eq!(spec.warnings(), [""; 0]);
}

/// Three two-column files with one line on a flat ground; a ripple stands for noise.
fn two_columns(folder: &Path) -> Vec<PathBuf> {
    let line = |x: f64| 3.0 + 20.0 * (-((x - 4.0) / 0.1).powi(2)).exp();
    (1..=3)
        .map(|n| {
            let row = |i: i32| {
                let x = f64::from(i) * 0.02;
                format!("{x:.2}\t{:.3}\n", line(x) + if i % 2 == 0 { 0.1 } else { -0.1 })
            };
            let path = folder.join(format!("scan {n}.dat"));
            std::fs::write(&path, (0..400).map(row).collect::<String>()).expect("a file");
            path
        })
        .collect()
}

#[test]
fn two_column_files_get_one_window_and_an_unknown_sigma() {
    let root = tempfile::tempdir().expect("a folder");
    let data = root.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    let files = two_columns(&data);
    let (text, survey, spec) = started(&files, root.path());
    assert!(text.contains("folder = \"data\""), "a folder below the spec is named from there: {text}");
    assert_eq!((spec.data.files.as_str(), survey.frames, survey.stretches.len()), ("scan *.dat", 3, 1));
    let measurement = &spec.groups[0].measurements[0];
    assert!(measurement.range.0 < 3.8 && measurement.range.1 > 4.2 && measurement.range.1 - measurement.range.0 < 2.0);
    assert!(matches!(measurement.noise, Noise::Gaussian { sigma: Sigma::Number(_), scale: Some(_) }));
    assert_eq!(measurement.terms[1].count, (0, 3));
    let (_, _, same) = started(&[data], root.path());
    assert_eq!(same.groups, spec.groups, "the folder and its files are the same series");
}

#[test]
fn a_flat_series_gets_one_window_over_everything() {
    let root = tempfile::tempdir().expect("a folder");
    let rows: String = (0..100).map(|i| format!("{i} {}\n", if i % 2 == 0 { 4.9 } else { 5.1 })).collect();
    std::fs::write(root.path().join("flat.xy"), rows).expect("a file");
    let (_, survey, spec) = started(&[root.path().join("flat.xy")], root.path());
    assert_eq!(survey.stretches, []);
    assert_eq!((spec.groups.len(), spec.groups[0].measurements[0].range, spec.data.files.as_str()), (1, (0.0, 99.0), "flat.xy"));
}

#[test]
fn what_is_no_series_is_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let files = two_columns(root.path());
    let other = root.path().join("other.xy");
    std::fs::write(&other, "1 2\n2 3\n").expect("a file");
    let empty = root.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    for (named, told) in [
        (vec![root.path().join("absent.xy")], "no such file"),
        (vec![files[0].clone(), other], "another kind"),
        (vec![files[0].clone(), empty.clone()], "folder among files"),
        (vec![empty], "holds no data"),
    ] {
        let error = starter(&named, None, &root.path().join("spec.toml")).expect_err(told);
        assert!(error.to_string().contains(told) && error.hint.is_some(), "{error}");
    }
}

#[test]
fn columns_that_no_file_explains_are_asked_for() {
    let root = tempfile::tempdir().expect("a folder");
    let file = root.path().join("three.txt");
    let rows: String = (0..50).map(|i| format!("{i} {} {}\n", 3 + i % 2, 0.5)).collect();
    std::fs::write(&file, rows).expect("a file");
    let init = |more: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("keisoku").expect("the executable");
        command.current_dir(root.path()).arg("init").arg(&file).args(more).assert()
    };
    let told = String::from_utf8_lossy(&init(&[]).code(1).get_output().stderr).into_owned();
    assert!(told.contains("3 columns") && told.contains("--columns \"x y sigma\""), "{told}");
    let told = String::from_utf8_lossy(&init(&["--columns", "x y sigma"]).success().get_output().stdout).into_owned();
    assert!(told.contains("next: keisoku run spec.toml --dry-run"), "{told}");
    let text = std::fs::read_to_string(root.path().join("spec.toml")).expect("a spec");
    assert!(text.contains("columns = \"x y sigma\"") && text.contains("column * scale"), "{text}");
    let told = String::from_utf8_lossy(&init(&["--columns", "x y sigma"]).code(1).get_output().stderr).into_owned();
    assert!(told.contains("exists already"), "what was edited is not overwritten: {told}");
}
