//! What a run refuses, in words that say what to do.

use std::fs::{self, File};

use super::{Series, copy_of_finished, keisoku};

/// Runs, expects exit code 1, and returns what was said.
fn refused(series: &Series, more: &[&str]) -> String {
    let output = series.run(more).code(1).get_output().clone();
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_second_process() {
    let series = copy_of_finished();
    let lock = File::create(series.path("out/.lock")).unwrap();
    lock.lock().unwrap();
    let told = refused(&series, &[]);
    assert!(told.contains("another keisoku is at work"), "{told}");
    lock.unlock().unwrap();
    series.run(&[]).code(0);
}

#[test]
fn another_spec() {
    let series = copy_of_finished();
    let told = refused(&series, &["--seed", "9"]);
    assert!(told.contains("run.seed was 1, is 9") && told.contains("--fresh"), "{told}");
    let spec = fs::read_to_string(series.path("tiny.toml")).unwrap();
    fs::write(series.path("tiny.toml"), spec.replace("range = [0, 3]", "range = [0, 2.5]")).unwrap();
    let told = refused(&series, &[]);
    assert!(told.contains("window[1].range"), "{told}");
    assert_eq!(series.results(), super::finished().results(), "a refusal changes nothing");
}

#[test]
fn other_numbers_in_a_finished_frame() {
    let series = copy_of_finished();
    let frame = series.path("data/f2.xye");
    let text = fs::read_to_string(&frame).unwrap();
    fs::write(&frame, text.replacen("0.5\n", "0.6\n", 1)).unwrap();
    let told = refused(&series, &[]);
    assert!(told.contains("frame f2 (f2.xye) have changed"), "{told}");
    fs::remove_file(&frame).unwrap();
    let told = refused(&series, &[]);
    assert!(told.contains("frame f2 is finished and no longer in the data"), "{told}");
}

#[test]
fn another_schema() {
    let series = copy_of_finished();
    let journal = series.path("out/results.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"schema\":3", "\"schema\":99", 1)).unwrap();
    let told = refused(&series, &[]);
    assert!(told.contains("schema 99"), "{told}");
    series.run(&["--fresh", "--frames", "1"]).code(0);
    assert_eq!(series.lines(), 2);
}

#[test]
fn a_spec_that_is_not_there() {
    let output = keisoku().args(["run", "nowhere.toml"]).assert().code(1).get_output().clone();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("error: nowhere.toml:"), "{told}");
}

#[test]
fn arguments_that_mean_nothing() {
    for arguments in [&["run"][..], &["run", "a.toml", "--frames", "3..1"], &["run", "a.toml", "--max-time", "soon"], &["fit"], &[]] {
        keisoku().args(arguments).assert().code(1);
    }
    let series = Series::new();
    assert!(refused(&series, &["--frames", "9.."]).contains("none of the 4 frames"));
    assert!(refused(&series, &["--candidate", "7"]).contains("offered are"));
}
