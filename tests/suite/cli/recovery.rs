//! Threads, order, interruptions and resumes leave the same bytes.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use keisoku::engine::cpu;

use super::{FRAMES, Series, copy_of_finished, finished, keisoku};

/// Starts a run and waits until its first frame is in the journal.
fn begun(series: &Series) -> Child {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_keisoku"))
        .args(series.arguments(&["--threads", "1"]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while series.lines() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no frame in a minute");
        assert!(child.try_wait().unwrap().is_none_or(|status| status.success()), "the run ended early");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

#[test]
fn threads_and_order_leave_the_same_bytes() {
    let series = Series::new();
    series.run(&["--threads", "2", "--frames", "3,1,4,2"]).code(0);
    assert_eq!(series.results(), finished().results());
    assert!(series.draws() == finished().draws(), "other draws");
}

/// Refits, terms and sums on every instruction set of this machine but the best, which the finished run has used.
#[test]
fn instruction_sets_leave_the_same_bytes() {
    for level in cpu::available().iter().skip(1) {
        let series = Series::new();
        keisoku().env(cpu::ENVIRONMENT, level).args(series.arguments(&[])).assert().code(0);
        assert_eq!(series.results(), finished().results(), "{level}");
    }
}

#[test]
fn another_seed_leaves_other_bytes() {
    let series = Series::new();
    series.run(&["--seed", "2", "--frames", "1"]).code(0);
    let (ours, theirs) = (series.results(), finished().results());
    let first = |text: &str| text.lines().nth(1).map(str::to_owned);
    assert_ne!(first(&ours[0]), first(&theirs[0]));
    assert_ne!(first(&ours[1]), first(&theirs[1]));
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let series = Series::new();
    let mut child = begun(&series);
    child.kill().unwrap();
    child.wait().unwrap();
    let done = series.lines() - 1;
    assert!((1..FRAMES).contains(&done), "{done} frames were finished");
    // What a power cut leaves of a line.
    let journal = series.path("out/results.jsonl");
    let torn = std::fs::read_to_string(&journal).unwrap() + "{\"done\":{\"frame\":3,\"na";
    std::fs::write(&journal, torn).unwrap();
    series.run(&["--threads", "2"]).code(0);
    assert_eq!(series.lines() - 1, FRAMES, "a finished frame was run again");
    assert_eq!(series.results(), finished().results());
    assert!(series.draws() == finished().draws(), "other draws");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_its_frames_and_goes_on() {
    let series = Series::new();
    let mut child = begun(&series);
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let evidence = &series.results()[0];
    let kept = evidence.lines().count() - 1;
    assert_eq!(kept, 2 * (series.lines() - 1), "two candidates a finished frame");
    assert!(kept < 2 * FRAMES);
    series.run(&[]).code(0);
    assert_eq!(series.results(), finished().results());
    assert!(series.draws() == finished().draws(), "other draws");
}

#[test]
fn a_run_cut_by_time_goes_on_to_the_same_bytes() {
    let series = Series::new();
    let output = series.run(&["--max-time", "0.3s", "--threads", "1"]).get_output().clone();
    // However far a slow machine got: nothing, some frames with a cut one, or all.
    assert!(matches!(output.status.code(), Some(0..=2)));
    series.run(&[]).code(0);
    assert_eq!(series.results(), finished().results());
    assert!(series.draws() == finished().draws(), "other draws");
}

#[test]
fn new_frames_are_run_and_leave_the_finished_ones_alone() {
    let series = copy_of_finished();
    let before = finished().results();
    // Named so that it comes first: numbers move, answers do not. It is narrower, so that defaults derived anew would differ.
    let narrow: String =
        std::fs::read_to_string(series.path("data/f1.xye")).unwrap().lines().step_by(3).map(|l| format!("{l}\n")).collect();
    std::fs::write(series.path("data/a0.xye"), narrow).unwrap();
    series.run(&[]).code(0);
    assert_eq!(series.lines() - 1, FRAMES + 1);
    let after = series.results();
    let (old, new) = (super::rows(&before[0]), super::rows(&after[0]));
    assert_eq!(new.len(), old.len() + 2);
    for (old, new) in old.iter().zip(&new[2..]) {
        assert_eq!(old[1..], new[1..]);
        assert_eq!(old[0].parse::<usize>().unwrap() + 1, new[0].parse::<usize>().unwrap());
    }
}

#[test]
fn a_finished_run_is_only_written_again() {
    let series = copy_of_finished();
    series.run(&["--all-candidates"]).code(0);
    let (few, all) = (finished().results(), series.results());
    assert_eq!(few[0], all[0]);
    assert!(all[1].lines().count() > few[1].lines().count());
    series.run(&["--candidate", "0"]).code(0);
    assert!(super::rows(&series.results()[1]).iter().all(|row| row[4] == "0"));
    series.run(&[]).code(0);
    assert_eq!(series.results(), few);
}
