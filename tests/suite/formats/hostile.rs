//! Input that is wrong: refused with file, line and a hint, never a panic.

use std::fs;

use keisoku::dataset::Dataset;
use keisoku::error::Severity;
use proptest::prelude::*;

use super::{columns, data, folder, read, read_as, refusal};

#[test]
fn each_fault_is_named_with_its_line() {
    for (name, bytes, reason) in [
        ("a.xy", &b""[..], "a.xy: is empty"),
        ("a.xy", b"\n\n\n", "a.xy: holds no numbers"),
        ("a.xy", b"nothing but words\nand more words\n", "a.xy: holds no numbers"),
        ("a.xy", b"1 2\n3 4\n5 six\n", "a.xy:3:3: \"six\" is not a number"),
        ("a.xy", b"1 2\n3 4\nend of scan\n", "a.xy:3:1: \"end\" is not a number"),
        ("a.xy", b"title\n1 2,o\n3 4\n5 6\n", "a.xy:2:3: \"2,o\" is not a number"),
        ("a.xy", b"1 2\n3 4\n5\n", "a.xy:3: the row has 1 columns, those before it 2"),
        ("a.xy", b"1 2\n3 4\n3 5\n", "a.xy:3: x = 3 stands here and on line 2"),
        ("a.xy", b"1 2\n\n3 4\n2 5\n", "a.xy:4: x goes back: 2 follows 3 on line 3"),
        ("a.xy", b"3 2\n2 4\n# comment\n4 5\n", "a.xy:4: x goes back: 4 follows 2 on line 2"),
        ("a.xy", b"nan nan\nnan nan\n", "no points left; 2 dropped"),
        ("a.xy", b"1 nan\n2 1\n", "only one point left; 1 dropped"),
        ("a.xy", b"1 2\n", "only one point left"),
        ("a.xy", b"1 2\n3 4\n/* never\n", "a.xy:3: the comment that begins here is never closed"),
        ("a.xy", b"1,000 2,000\n", "commas may be decimal signs or separate thousands"),
        ("a.xy", b"1,234.5 2.0\n", "both commas and spaces"),
        ("a.xy", b"1 2\n\x00\x01\x02", "is a binary file"),
        ("a.xy", b"\xff\xfe1\x00 \x002\x00", "is written in UTF-16"),
        ("a.xy", b"\x80\x81\xfe\xff\x90", "holds no numbers"),
        ("a.xye", b"1 2 .5\n\n3 1e44 .5\n5 6 .5\n", "a.xye:3: y = 1e44 is no measurement"),
        ("a.xye", b"1 2\n3 4\n", "has 2 columns, and nothing says which they are"),
    ] {
        let result = read(name, bytes);
        assert!(matches!(&result, Err(error) if error.severity == Severity::Recoverable), "{result:?}");
        let text = refusal(result);
        assert!(text.contains(reason), "expected {reason:?} in:\n{text}");
    }
}

#[test]
fn the_caret_stands_under_the_fault() {
    let text = refusal(read("a.xy", "1 2\n3 4\n5 six 7\n"));
    assert_eq!(text, "a.xy:3:3: \"six\" is not a number\n  5 six 7\n    ^\n  correct it, or put # before the line if it is a comment");
}

#[test]
fn a_line_of_100_mb_is_refused() {
    let text = refusal(read("a.xy", "1 ".repeat(50_000_000)));
    assert!(text.contains("a.xy:1: the line is longer than 16 MiB"), "{text}");
}

#[test]
fn more_names_than_columns() {
    let text = refusal(read_as("a.xy", "# c\n1 2\n3 4\n", |d| d.columns = columns("x y sigma")));
    assert!(text.contains("a.xy:2: the file has 2 columns, and 3 are named"), "{text}");
}

#[test]
fn a_monitor_that_is_not_positive() {
    let result = read_as("a.xy", "1 2 5\n3 4 0\n", |d| {
        d.columns = columns("x y monitor");
        d.normalise = Some("monitor".into());
    });
    assert!(refusal(result).contains("a.xy:2: the monitor is not positive"));
}

#[test]
fn columns_that_make_no_sense() {
    for (words, reason) in [
        ("x y z", "unknown name \"z\""),
        ("x sigma", "names no y"),
        ("x x y", "names x or the monitor twice"),
        ("x y y sigma", "one sigma for each y"),
        ("x y... sigma", "unknown name \"y...\""),
        ("x y monitor", "monitor that nothing uses"),
    ] {
        let error = read_as("a.xy", "1 2\n3 4\n", |d| d.columns = columns(words)).expect_err(words);
        assert!(error.to_string().contains(reason) && error.severity == Severity::Fatal, "{error}");
    }
    let both = read_as("a.xy", "1 2\n3 4\n", |d| {
        d.columns = columns("x y");
        d.x.start_step = Some((0.0, 1.0));
    });
    assert!(both.expect_err("x twice").to_string().contains("x is given twice"));
    let nothing = read_as("a.xy", "1 2\n3 4\n", |d| d.normalise = Some("i0".into()));
    assert!(nothing.expect_err("no monitor").to_string().contains("names no column of the data"));
}

#[test]
fn folders_that_hold_nothing_to_read() {
    let here = folder(&[("a.xy", b"1 2\n"), (".hidden.xye", b"1 2 3\n")]);
    fs::create_dir(here.path().join("folder.xye")).expect("a folder");
    let open = |files: &str| Dataset::open(&data(here.path(), files)).map(|d| d.entries.len());
    assert!(open("*.xye").expect_err("none").to_string().contains("there are 1 files, such as a.xy"));
    assert!(open("*/a.xy").expect_err("wildcard").to_string().contains("wildcard in a folder"));
    let absent = Dataset::open(&data(&here.path().join("absent"), "*")).expect_err("absent").to_string();
    assert!(absent.contains("does not exist"), "{absent}");
    assert!(Dataset::open(&data(&here.path().join("a.xy"), "*")).is_err());
}

#[test]
fn a_file_that_vanishes_costs_one_frame() {
    let here = folder(&[("a.xy", b"1 2\n3 4\n"), ("b.xy", b"1 2\n3 4\n")]);
    let data = data(here.path(), "*.xy");
    let dataset = Dataset::open(&data).expect("opens");
    fs::remove_file(here.path().join("a.xy")).expect("removed");
    fs::create_dir(here.path().join("a.xy")).expect("a folder");
    let error = dataset.load(&dataset.entries[0], &data).expect_err("a folder");
    assert!(error.to_string().contains("is a folder, not a file") && error.severity == Severity::Recoverable);
    assert!(dataset.load(&dataset.entries[1], &data).is_ok());
    fs::remove_dir(here.path().join("a.xy")).expect("removed");
    assert!(dataset.load(&dataset.entries[0], &data).expect_err("gone").to_string().contains("does not exist"));
}

/// The memory of a process is a regular file whose first byte is mapped by nobody: reading it fails for any user.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read() {
    let here = folder(&[("b.xy", b"1 2\n3 4\n")]);
    std::os::unix::fs::symlink("/proc/self/mem", here.path().join("a.xy")).expect("a link");
    let data = data(here.path(), "*.xy");
    let dataset = Dataset::open(&data).expect("opens");
    let error = dataset.load(&dataset.entries[0], &data).expect_err("unreadable");
    assert!(error.to_string().contains("a.xy: cannot be read: ") && error.hint.is_some(), "{error}");
    assert_eq!(error.severity, Severity::Recoverable);
    assert!(dataset.load(&dataset.entries[1], &data).is_ok());
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let here = folder(&[("a.xy", b"1 2\n3 4\n")]);
    let path = here.path().join("a.xy");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).expect("permissions");
    if fs::read(&path).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let data = data(here.path(), "a.xy");
    let dataset = Dataset::open(&data).expect("opens");
    assert!(dataset.load(&dataset.entries[0], &data).expect_err("forbidden").to_string().contains("may not be read"));
}

/// Names, orders of columns and layouts under which any bytes are tried.
fn try_all(bytes: &[u8]) {
    for name in ["a.xy", "a.xye", "a.chi", "a.fxye", "a.npy", "a.csv"] {
        for words in ["", "y", "x y...", "sigma y x -"] {
            for layout in [keisoku::spec::Layout::Columns, keisoku::spec::Layout::Rows] {
                let result = read_as(name, bytes, |d| {
                    d.columns = columns(words);
                    d.layout = layout;
                });
                match result {
                    Ok(frame) => {
                        assert!(frame.x.len() > 1 && frame.x.windows(2).all(|w| w[0] < w[1]));
                        assert!(frame.y.iter().chain(&frame.x).all(|v| v.is_finite()) && frame.x.len() == frame.y.len());
                    }
                    Err(error) => assert!(error.place.file.is_some() && error.hint.is_some(), "{error}"),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        try_all(&bytes);
    }

    #[test]
    fn what_looks_like_numbers_never_panics(text in "[0-9eEdD+., ;\t\n\r#!*/'\"naif-]{0,200}") {
        try_all(text.as_bytes());
    }

    #[test]
    fn a_damaged_npy_never_panics(at in 0..150usize, byte: u8, cut in 0..150usize) {
        let mut file = super::npy(1, "<f8", true, "(3, 2)", &[1; 48]);
        let length = file.len();
        file[at % length] = byte;
        file.truncate(length - cut % length);
        try_all(&file);
    }

    #[test]
    fn a_damaged_bank_never_panics(bank in "BANK[ 0-9CONSTFXYE.\n-]{0,80}") {
        try_all(bank.as_bytes());
    }
}
