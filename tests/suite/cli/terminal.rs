//! What a person at a terminal sees, in a pseudo-terminal of util-linux's `script`; and what is left of it in a pipe.

use std::process::{Command, Stdio};

use super::copy_of_finished;

/// Columns of the terminal: some of what there is to say does not fit.
const COLUMNS: usize = 60;

/// Text without the codes that move the cursor and clear lines, line by line; and the codes, each once.
fn lines(log: &str) -> (Vec<String>, Vec<String>) {
    let (mut text, mut codes): (String, Vec<String>) = (String::new(), Vec::new());
    let mut rest = log.chars();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            text.push(c);
            continue;
        }
        let mut code = String::new();
        for c in rest.by_ref() {
            code.push(c);
            if c.is_ascii_alphabetic() {
                break;
            }
        }
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    (text.split(['\r', '\n']).filter(|l| !l.trim().is_empty()).map(str::to_owned).collect(), codes)
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_a_line_that_fits_and_no_colours() {
    let series = copy_of_finished();
    series.add_frame(5);
    series.add_frame(6);
    let command = [vec![env!("CARGO_BIN_EXE_keisoku").to_owned()], series.arguments(&["--threads", "1"])].concat().join("' '");
    let log = series.path("log");
    let ran = Command::new("script")
        .args(["-qec", &format!("stty rows 24 cols {COLUMNS}; '{command}'")])
        .arg(&log)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    let Ok(status) = ran else {
        eprintln!("skipped: no `script`");
        return;
    };
    assert!(status.success(), "{status}");
    let log = std::fs::read_to_string(log).unwrap();
    let (lines, codes) = lines(&log);
    // Clearing a line and moving the cursor, no colours.
    assert!(codes.iter().all(|code| !code.ends_with('m')), "{codes:?}");
    let bars: Vec<&String> = lines.iter().filter(|l| l.contains("/2 frames")).collect();
    assert!(bars.iter().any(|l| l.contains("/min, ") && l.contains("left  p(K) ▁█")), "{lines:?}");
    assert!(bars.iter().all(|l| l.chars().count() <= COLUMNS), "{bars:?}");
    // The closing table fits too: positions are cut.
    let table: Vec<&String> = lines.iter().filter(|l| l.contains("limited by the model")).filter(|l| !l.contains("frames")).collect();
    assert!(table.len() == 6 && table.iter().all(|l| l.chars().count() <= COLUMNS && l.contains('…')), "{table:?}");
}

#[test]
fn a_pipe_gets_the_same_in_plain_lines() {
    let series = copy_of_finished();
    series.add_frame(5);
    series.add_frame(6);
    let output = series.run(&["--threads", "1"]).code(0).get_output().clone();
    let told = String::from_utf8(output.stderr).unwrap();
    let told: Vec<&str> = told.lines().collect();
    assert!(told.len() == 2 && told[0].starts_with("[1/2] frame 5 (f5.xye): K ≥ 1") && told[0].contains("p(K) ▁█"), "{told:?}");
    assert!(told[0].ends_with(" left") && told[0].contains("/min, ") && told[1].ends_with("/min"), "{told:?}");
}
