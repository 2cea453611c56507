//! Files of draws: which there are, and that ArviZ reads them and finds what keisoku says.

use std::fs;
use std::process::Command;

use super::{Series, copy_of_finished, finished};

/// A frame of two windows, the first with two exchangeable peaks that change places.
fn crossing() -> Series {
    let series = Series::new();
    for number in 2..=super::FRAMES {
        fs::remove_file(series.path(&format!("data/f{number}.xye"))).unwrap();
    }
    let spec = fs::read_to_string(series.path("tiny.toml")).unwrap();
    let (head, run) = spec.split_once("[run]").unwrap();
    let (head, window) = head.split_once("[[window]]").unwrap();
    let second = window.replace("\"line\"", "\"a/b\"").replace("\"0..1\"", "\"0..0\"");
    let first = window.replace("\"0..1\"", "\"2..2\"");
    fs::write(series.path("tiny.toml"), format!("{head}[[window]]{first}[[window]]{second}[run]{run}")).unwrap();
    series.run(&["--threads", "2"]);
    series
}

#[test]
fn one_frame_has_a_file_a_window_and_a_series_a_file_a_frame() {
    let names: Vec<String> = finished().draws().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["f1.nc", "f2.nc", "f3.nc", "f4.nc"]);
    let one = crossing();
    assert!(one.path("out/samples@line.nc").is_file() && one.path("out/samples@a%2Fb.nc").is_file());
    assert!(!one.path("out/samples").exists());
    // The series grows: the file there is becomes one of several.
    let before = fs::read(one.path("out/samples@line.nc")).unwrap();
    one.add_frame(2);
    one.run(&["--threads", "2"]);
    let after = one.draws();
    assert_eq!(after.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["f1@a%2Fb.nc", "f1@line.nc", "f2@a%2Fb.nc", "f2@line.nc"]);
    assert!(after[1].1 == before && !one.path("out/samples@line.nc").exists());
}

#[test]
fn a_fresh_start_removes_draws_and_none_are_kept_where_none_are_asked_for() {
    let series = copy_of_finished();
    series.run(&["--fresh", "--no-samples", "--frames", "1"]).code(0);
    assert!(!series.path("out/samples").exists());
}

/// tests/arviz_check.py compares summaries; it ends with 0 where they agree and 3 where ArviZ is not there.
#[test]
fn arviz_finds_what_keisoku_says() {
    let python = std::env::var("KEISOKU_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/arviz_check.py");
    let check = |samples: &std::path::Path, peaks: &std::path::Path, more: &[&str]| {
        let output = Command::new(&python).arg(script).arg(samples).arg(peaks).args(more).output();
        let Ok(output) = output else { return Some(3) };
        println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        output.status.code()
    };
    let series = finished();
    let first = check(&series.path("out/samples/f2.nc"), &series.path("out/peaks.csv"), &[]);
    if first == Some(3) {
        eprintln!("skipped: no python with arviz and xarray");
        return;
    }
    assert_eq!(first, Some(0));
    let crossing = crossing();
    for window in ["line", "a%2Fb"] {
        let samples = crossing.path(&format!("out/samples@{window}.nc"));
        assert_eq!(check(&samples, &crossing.path("out/peaks.csv"), &[]), Some(0), "{window}");
        // The mutant: one draw of each chain left out is more than the tolerance.
        assert_eq!(check(&samples, &crossing.path("out/peaks.csv"), &["--drop-a-draw"]), Some(1), "{window}");
    }
}
