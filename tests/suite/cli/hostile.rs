//! Frames that are no measurements: each is named with what is wrong and where, the run ends with 2, and finished frames stay as they are.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Series, copy_of_finished, finished};

/// Forty points of one value, but for one of them.
fn points(value: &str, odd: &str) -> String {
    (0..40).map(|i| format!("{:.3} {} 0.5\n", 0.075 * f64::from(i), if i == 20 { odd } else { value })).collect()
}

/// Runs the series and returns what was wrong with each frame that failed.
fn failures(series: &Series) -> Vec<(String, String)> {
    let output = series.run(&["--json"]).code(2).get_output().clone();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
    let value: Value = serde_json::from_str(&series.results()[2]).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    value["failures"].as_array().unwrap().iter().map(|f| (text(&f["source"]), text(&f["message"]))).collect()
}

#[test]
fn hostile_frames_cost_themselves_only() {
    let series = copy_of_finished();
    let cases: [(&str, String, &str); 9] = [
        ("g1.xye", String::new(), "g1.xye: is empty"),
        ("g2.xye", "1\n2\n3\n".into(), "g2.xye:1: the file has 1 column, and 3 are named"),
        ("g3.xye", points("3", "three"), "g3.xye:21:7: \"three\" is not a number"),
        ("g4.xye", "nan nan nan\n".repeat(9), "g4.xye: no points left; 9 dropped"),
        ("g5.xye", "1 2 0.5\n".into(), "g5.xye: only one point left"),
        ("g6.xye", "10 2 0.5\n11 3 0.5\n".into(), "g6.xye: window line holds no point"),
        ("g7.xye", points("3", "1e44"), "g7.xye:21: y = 1e44 is no measurement"),
        ("g8.xye", points("3", "3").replace("0.075 3 0.5", "0.075 3 -0.5"), "g8.xye:2: the standard error is -0.5, not a positive number"),
        ("g9.xye", points("3", "3").replace("0.075 3 0.5", "0.075 3 0"), "g9.xye:2: the standard error is 0, not a positive number"),
    ];
    for (name, text, _) in &cases {
        fs::write(series.path("data").join(name), text).unwrap();
    }
    // A folder is no frame, whatever its name.
    fs::create_dir(series.path("data/h.xye")).unwrap();
    let failures = failures(&series);
    assert_eq!(failures.len(), cases.len());
    for ((source, message), (name, _, expected)) in failures.iter().zip(&cases) {
        assert_eq!(source, name);
        assert!(message.contains(expected) && message.contains("\n  "), "expected {expected:?} and advice in:\n{message}");
    }
    assert_eq!(series.results()[..2], finished().results()[..2], "finished frames are kept");
}

#[test]
fn a_negative_count_is_no_count() {
    let series = Series::new();
    let spec = fs::read_to_string(series.path("tiny.toml")).unwrap();
    let spec = spec.replace("columns = \"x y sigma\"", "columns = \"x y -\"").replace("sigma = \"column\"", "model = \"poisson\"");
    fs::write(series.path("tiny.toml"), spec).unwrap();
    for (frame, odd) in [("f1", "3"), ("f2", "-3"), ("f3", "3.5"), ("f4", "1e44")] {
        fs::write(series.path(&format!("data/{frame}.xye")), points("3", odd)).unwrap();
    }
    let failures = failures(&series);
    let expected = ["f2.xye:21: -3.0 is no count", "f3.xye:21: 3.5 is no count", "f4.xye:21: 1e44 is no count"];
    assert_eq!(failures.len(), expected.len());
    for ((_, message), expected) in failures.iter().zip(expected) {
        assert!(message.starts_with(expected), "{message}");
    }
    assert_eq!(super::rows(&series.results()[0]).len(), 2);
}

/// One line of 100 MB: within 1 GiB of address space, threads and the file itself included, and within a minute (it takes a second).
#[cfg(target_os = "linux")]
#[test]
fn a_line_of_100_mb_is_bounded_in_time_and_memory() {
    let series = copy_of_finished();
    fs::write(series.path("data/g.xye"), "1 ".repeat(50_000_000)).unwrap();
    let began = Instant::now();
    let limited = |kib: &str| {
        let mut shell = assert_cmd::Command::new("sh");
        shell.args(["-c", &format!("ulimit -v {kib}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_keisoku")]);
        shell.args(series.arguments(&["--threads", "2"])).output().unwrap()
    };
    let output = limited("1048576");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("g.xye:1: the line is longer than 16 MiB") && !told.contains("panicked"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(series.results()[..2], finished().results()[..2], "finished frames are kept");
    // The limit limits: the file has no room in 50 MiB, and even that costs its frame only.
    let told = String::from_utf8_lossy(&limited("51200").stderr).into_owned();
    assert!(told.contains("g.xye: cannot be read: ") && !told.contains("panicked"), "{told}");
}

/// Without a desktop session a run has nothing to say but its progress, also where it looks for GPUs.
#[cfg(target_os = "linux")]
#[test]
fn no_driver_speaks_up() {
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/phase-transition/spec.toml");
    let bare = |arguments: &[&str]| {
        let mut keisoku = super::keisoku();
        for name in ["XDG_RUNTIME_DIR", "WAYLAND_DISPLAY", "NODEVICE_SELECT"] {
            keisoku.env_remove(name);
        }
        String::from_utf8(keisoku.args(arguments).assert().get_output().stderr.clone()).unwrap()
    };
    // Large enough for `auto` to look at the adapters.
    assert_eq!(bare(&["run", spec, "--dry-run", "--frames", "1", "--engine", "auto"]), "");
    let series = copy_of_finished();
    series.add_frame(5);
    let arguments = series.arguments(&[]);
    let told = bare(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(told.starts_with("[1/1] frame 5 (f5.xye)") && told.lines().count() == 1, "{told}");
}
