//! Specs against data: measured series, the examples, and first specs written for files.

use std::path::{Path, PathBuf};

use keisoku::prior::Prior;
use keisoku::spec::{Parameter, RawSpec, Spec};

use super::{example, labels};

/// The folder of measured series, if this machine has it.
fn measured(series: &str) -> Option<PathBuf> {
    let root = std::env::var_os("KEISOKU_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let folder = root.join("xrd_series").join(series);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no data");
    None
}

/// The resolved spec of an example with its data elsewhere; defaults come from the data.
fn resolved_with(name: &str, folder: &Path) -> (RawSpec, Spec) {
    let mut raw = example(name);
    raw.set_data_folder(folder).expect("a folder");
    let raw = raw.resolve(&keisoku::dataset::facts).unwrap_or_else(|e| panic!("{e}"));
    let spec = raw.check().unwrap_or_else(|e| panic!("{e}"));
    (raw, spec)
}

#[test]
fn a_powder_series_is_resolved_from_all_its_frames() {
    let Some(folder) = measured("y2mn2o7_insitu/XYE_every8") else { return };
    let (raw, spec) = resolved_with("y2mn2o7", &folder);
    let series = keisoku::dataset::Dataset::open(&spec.data).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(series.entries.len(), 48);
    assert!((series.entries[47].axis.expect("a temperature") - 650.0).abs() < 5.0, "{:?}", series.entries[47]);
    let terms = &spec.groups[0].measurements[0].terms;
    let Parameter::Free(Prior::Uniform { low, high }) = terms[0].parameters[0] else { panic!("{:?}", terms[0]) };
    assert!(low == 0.0 && high > 1000.0 && high.is_finite(), "{low} {high}");
    let Parameter::Free(Prior::Uniform { low: 0.0, high: area }) = terms[1].parameters[0] else { panic!("{:?}", terms[1]) };
    assert!(area > 0.0 && area < high, "an area over one degree is below the highest point: {area}");
    let again = RawSpec::parse(Path::new("spec.toml"), &raw.to_toml()).and_then(|raw| raw.check());
    assert_eq!(again, Ok(spec));
}

#[test]
fn a_series_with_its_temperature_in_the_header_has_three_windows() {
    let Some(folder) = measured("seqtut_11bm") else { return };
    let (_, spec) = resolved_with("cucr2o4", &folder);
    let names: Vec<&str> = spec.groups.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(names, ["weak", "split", "low"]);
    assert_eq!(labels(&spec, 0), ["K=0", "K=1", "K=2"]);
    let series = keisoku::dataset::Dataset::open(&spec.data).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(series.entries.len(), 17);
    let frame = series.load(&series.entries[0], &spec.data).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(frame.axis, Some(6.778));
    for group in &spec.groups {
        let terms = &group.measurements[0].terms;
        let (Parameter::Free(level), Parameter::Free(area)) = (&terms[0].parameters[0], &terms[1].parameters[0]) else {
            panic!("{terms:?}")
        };
        let (low, high) = group.measurements[0].range;
        // In degrees, not in the centidegrees of the file: no area is larger than the window times the highest point.
        assert!(area.range().1 > 0.0 && area.range().1 < level.range().1 * (high - low), "{}", group.name);
    }
}

#[test]
fn the_examples_with_their_own_data_become_problems() {
    for (name, points, dimensions) in [
        ("yardstick-a", 301, vec![3, 6, 9, 12, 15, 18]),
        ("yardstick-b", 300, vec![3, 6, 9, 12, 15, 18]),
        ("straight-line", 50, vec![1, 2]),
    ] {
        let raw = example(name).resolve(&keisoku::dataset::facts).unwrap_or_else(|e| panic!("{e}"));
        let spec = raw.check().unwrap_or_else(|e| panic!("{e}"));
        let series = keisoku::dataset::Dataset::open(&spec.data).unwrap_or_else(|e| panic!("{e}"));
        let frame = series.load(&series.entries[0], &spec.data).unwrap_or_else(|e| panic!("{e}"));
        let problems = keisoku::problem::build(&spec, &frame).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(problems.iter().map(keisoku::problem::Problem::dimension).collect::<Vec<_>>(), dimensions, "{name}");
        assert!(problems.iter().all(|p| p.points() == points), "{name}");
    }
}

#[test]
fn a_first_spec_is_written_for_files_and_is_a_spec() {
    let out = Path::new("examples/yardstick-a/first.toml");
    let (text, _) = keisoku::cli::init::starter(&["examples/yardstick-a/data.csv".into()], None, out).unwrap_or_else(|e| panic!("{e}"));
    let raw = RawSpec::parse(out, &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let spec = raw.resolve(&keisoku::dataset::facts).and_then(|raw| raw.check()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(spec.groups.len(), 1, "the three lines overlap: {text}");
    let (low, high) = spec.groups[0].measurements[0].range;
    assert!(low < 1.21 && high > 1.70, "{text}");
    assert!(spec.groups[0].candidates.iter().any(|c| c.k == Some(3)), "{text}");
    assert!(keisoku::cli::init::starter(&["src/lib.rs".into(), "tests/suite/main.rs".into()], None, out).is_err(), "two folders");
}

#[test]
fn a_first_spec_for_a_powder_series_has_its_strongest_lines() {
    let Some(folder) = measured("y2mn2o7_insitu/XYE_every8") else { return };
    let files: Vec<PathBuf> = ["001.xye", "009.xye", "377.xye"].iter().map(|f| folder.join(f)).collect();
    let out = Path::new("first.toml");
    let (text, _) = keisoku::cli::init::starter(&files, None, out).unwrap_or_else(|e| panic!("{e}"));
    let raw = RawSpec::parse(out, &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let spec = raw.resolve(&keisoku::dataset::facts).and_then(|raw| raw.check()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(spec.groups.len(), 6, "{text}");
    assert!(spec.groups.iter().all(|g| g.candidates.len() <= 7), "at most six peaks a window: {text}");
}
