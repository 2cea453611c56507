//! Files of draws: which there are, what the reader makes of them, and of files that are none.

use std::fs;

use keisoku::report::samples::{Sample, read};

use super::{Series, copy_of_finished, finished};

/// A frame of two windows, the first with two exchangeable peaks that change places.
pub fn crossing() -> Series {
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

/// What the reader gives is what peaks.csv says and what the data are.
#[test]
fn files_of_draws_are_read_back() {
    let series = finished();
    let sample = read(&series.path("out/samples/f2.nc")).unwrap();
    assert_eq!((sample.frame.as_str(), sample.window.as_str(), sample.candidate.as_str(), sample.k), ("f2", "line", "K=1", Some(1)));
    assert_eq!(sample.betas.last(), Some(&1.0));
    let [data] = &sample.measurements[..] else { panic!("{} measurements", sample.measurements.len()) };
    assert!(data.name.is_empty() && data.exposure.is_empty() && data.sigma == vec![0.5; 40] && data.x.len() == 40);
    let names: Vec<&str> = data.terms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["chebyshev", "peak 1"]);
    for (i, y) in data.y.iter().enumerate() {
        let [low, .., high] = data.expectation.each_ref().map(|q| q[i]);
        // Curves of 40 points that four parameters follow: noise of half a unit, at five standard deviations.
        assert!(low < high && (low - 2.5..high + 2.5).contains(y), "point {i}: {y} in {low} to {high}");
    }
    assert_eq!(data.predictive.len() % 40, 0);
    let peaks = &series.results()[1];
    let rows: Vec<Vec<&str>> = super::rows(peaks).into_iter().filter(|row| row[0] == "2").collect();
    let said: Vec<&str> = rows.iter().map(|row| row[6]).collect();
    let read: Vec<&str> = sample.variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(said, read, "the order of the results");
    for (row, variable) in rows.iter().zip(&sample.variables) {
        assert_eq!(variable.values.len(), sample.chains * sample.rows);
        let mean = variable.values.iter().sum::<f64>() / variable.values.len() as f64;
        assert!((mean / row[8].parse::<f64>().unwrap() - 1.0).abs() < 1e-8, "{row:?}: {mean}");
    }
    let crossing = crossing();
    let two = read_of(&crossing, "line");
    assert_eq!(two.variables.iter().find(|v| v.name == "center").and_then(|v| v.peaks.clone()), Some(("peak".into(), 2)));
}

fn read_of(series: &Series, window: &str) -> Sample {
    read(&series.path(&format!("out/samples@{window}.nc"))).unwrap()
}

/// A file that is not there, not ours, cut anywhere or with a byte changed: an error that names it, or what it says; never a panic.
#[test]
fn hostile_files_of_draws_are_refused() {
    let good = fs::read(finished().path("out/samples/f1.nc")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("samples.nc");
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let Err(error) = read(&path) else { panic!("{} bytes are read", bytes.len()) };
        assert!(error.to_string().starts_with(path.to_str().unwrap()) && error.hint.is_some(), "{error}");
    };
    assert!(read(&folder.path().join("none.nc")).is_err());
    refused(b"");
    refused(b"x,y\n1,2\n");
    refused(b"\x89HDF\r\n\x1a\n");
    for part in 1..60 {
        refused(&good[..good.len() * part / 60]);
    }
    let mut state = 1_u64;
    for _ in 0..300 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = good.clone();
        // Headers lie between the arrays, most of them near either end.
        let near = (state >> 33) as usize % bytes.len().min(20_000);
        let at = [near, bytes.len() - 1 - near, (state >> 33) as usize % bytes.len()][(state >> 61) as usize % 3];
        bytes[at] ^= (state >> 8) as u8 | 1;
        fs::write(&path, &bytes).unwrap();
        let _ = read(&path);
    }
}
