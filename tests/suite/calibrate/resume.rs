//! A calibration that was stopped goes on to the same bytes, also to more data sets; what does not belong together is refused.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::line;
use crate::verb::Verb;

/// Data sets of a whole calibration.
const N: usize = 30;

impl Verb {
    /// A folder with the line's spec and its calibration of so many data sets in `whole`.
    fn whole() -> Self {
        let verb = Self::new("calibrate", &line(0.3, 0.3));
        assert_eq!(verb.run("whole", &["--n", &N.to_string(), "--threads", "2"]).0, Some(0));
        verb
    }

    /// Whether a folder has the files of the whole calibration.
    fn same(&self, out: &str) -> bool {
        ["calibration.json", "ranks.csv"].iter().all(|file| self.read(&format!("{out}/{file}")) == self.read(&format!("whole/{file}")))
    }

    /// Data sets in the journal of a folder, the torn line of a crash left out; the first line is the header.
    fn recorded(&self, out: &str) -> usize {
        let journal = fs::read_to_string(self.folder.path().join(out).join("calibration.jsonl")).unwrap_or_default();
        journal.matches('\n').count().saturating_sub(1)
    }
}

#[test]
fn a_stopped_calibration_goes_on_to_the_same_bytes() {
    let verb = Verb::whole();
    // One that is killed, and one that is interrupted.
    for (signal, code, out) in [("-KILL", None, "killed"), ("-INT", Some(130), "interrupted")] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keisoku"))
            .current_dir(verb.folder.path())
            .args(["calibrate", "spec.toml", "--out", out, "--n", &N.to_string(), "--threads", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while verb.recorded(out) < 2 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no data set in a minute");
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), code);
        let done = verb.recorded(out);
        assert!((2..N).contains(&done), "{done} were finished");
        let (code, told) = verb.run(out, &["--n", &N.to_string(), "--threads", "2"]);
        assert_eq!(code, Some(0));
        // Plain lines say how far it is, of what was left.
        let left = N - done;
        assert!(told.contains(&format!("[1/{left}] ")) && told.contains(&format!("[{left}/{left}] ")), "{told}");
        assert_eq!(verb.recorded(out), N, "a finished data set was made again");
        assert!(verb.same(out), "{out}");
    }
}

#[test]
fn more_data_sets_are_added_and_a_finished_one_is_only_written_again() {
    let verb = Verb::whole();
    assert_eq!(verb.run("more", &["--n", "10"]).0, Some(0));
    assert!(!verb.same("more"));
    assert_eq!(verb.run("more", &["--n", &N.to_string()]).0, Some(0));
    assert!(verb.same("more"));
    let (_, told) = verb.run("more", &["--n", &N.to_string()]);
    assert!(!told.contains("data set ") && verb.recorded("more") == N && verb.same("more"), "{told}");
    // Other candidates have other truths: they are beside the old ones, not instead of them.
    verb.run("more", &["--n", "5", "--candidate", "y = a x"]);
    assert_eq!(verb.recorded("more"), N + 5);
    verb.run("more", &["--n", &N.to_string(), "--quiet"]);
    assert!(verb.same("more") && verb.recorded("more") == N + 5);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let verb = Verb::whole();
    let (code, told) = verb.run("whole", &["--seed", "2"]);
    assert!(code == Some(1) && told.contains("another spec: run.seed was 1, is 2"), "{told}");
    // Another first frame, of data that are named.
    let data = verb.folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("line.xy"), "-1 0\n0 0\n1 0\n").unwrap();
    let (code, told) = verb.run("whole", &["--data", "data"]);
    assert!(code == Some(1) && told.contains("have changed since they were made"), "{told}");
    let (code, told) = verb.run("whole", &["--seed", "2", "--fresh", "--n", "5", "--quiet"]);
    assert!(code == Some(0) && told.is_empty() && verb.recorded("whole") == 5, "{told}");
}
