//! `keisoku plot` and `keisoku report` from outside.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

use super::folder::{Made, calibration};

fn keisoku(folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keisoku"));
    command.current_dir(folder).args(arguments).assert()
}

fn told(folder: &Path, arguments: &[&str]) -> String {
    String::from_utf8(keisoku(folder, arguments).code(1).get_output().stderr.clone()).unwrap()
}

#[test]
fn figures_are_files_of_three_kinds() {
    let folder = Made::default().folder();
    let at = |name: &str| folder.path().join(name);
    for (ending, begins) in [("svg", "<svg ".as_bytes()), ("pdf", b"%PDF-"), ("png", b"\x89PNG")] {
        for (what, more) in [("trends", &[] as &[&str]), ("evidence", &["--frame", "3", "--size", "double"])] {
            let file = format!("{what}.{ending}");
            keisoku(folder.path(), &[&["plot", ".", "--what", what, "-o", &file], more].concat()).code(0);
            let bytes = fs::read(at(&file)).unwrap();
            assert!(bytes.starts_with(begins) && bytes.len() > 2000, "{file}: {}", bytes.len());
        }
    }
    let svg = fs::read_to_string(at("evidence.svg")).unwrap();
    assert!(svg.contains("width=\"174mm\"") && !svg.contains("var("), "{svg}");
    // 85 mm at 300 dots an inch.
    let png = fs::read(at("trends.png")).unwrap();
    assert_eq!(u32::from_be_bytes(png[16..20].try_into().unwrap()), 1004);
    // The letters are in the file, whatever fonts the machine has.
    assert!(fs::read(at("trends.pdf")).unwrap().windows(8).any(|w| w == b"NotoSans"));
}

#[test]
fn what_cannot_be_drawn_is_told_with_what_to_do() {
    let folder = Made::default().folder();
    let plot = |more: &[&str]| told(folder.path(), &[&["plot", "."], more].concat());
    for (arguments, parts) in [
        (vec!["--what", "fits", "-o", "a.svg"], ["no figure is called `fits`", "tracks, counts"]),
        (vec!["--what", "evidence", "-o", "a.svg"], ["a figure of one frame, and 12", "--frame N"]),
        (vec!["--what", "evidence", "-o", "a.svg", "--frame", "99"], ["no frame 99", "from 1 to 12"]),
        (vec!["--what", "evidence", "-o", "a.jpg", "--frame", "1"], ["none of svg, pdf and png", "-o figure.svg"]),
        (vec!["--what", "fit", "-o", "a.svg", "--frame", "1"], ["no draws (--no-samples)", "without --no-samples"]),
        (vec!["--what", "counts", "-o", "a.svg", "--window", "v"], ["no window `v`", "the windows are w"]),
        (vec!["--what", "ranks", "-o", "a.svg"], ["no calibration here", "keisoku calibrate"]),
        (vec!["--what", "counts", "-o", "no/such/a.svg"], ["cannot be written", "-o"]),
    ] {
        let said = plot(&arguments);
        assert!(parts.iter().all(|part| said.contains(part)), "{arguments:?}: {said}");
    }
    let empty = tempfile::tempdir().unwrap();
    let said = told(empty.path(), &["plot", ".", "--what", "counts", "-o", "a.svg"]);
    assert!(said.contains("no results here") && said.contains("keisoku run"), "{said}");
}

#[test]
fn reports_are_made_of_the_folder_alone() {
    let folder = Made::default().folder();
    let said = keisoku(folder.path(), &["report", ".", "--frame", "2,3", "--detail", "1", "--against", "frame"]).code(0);
    assert!(String::from_utf8_lossy(&said.get_output().stdout).contains("report.html"));
    let html = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert_eq!(html.matches("class=\"packed\"").count(), 3);
    let calibrated = tempfile::tempdir().unwrap();
    calibration(calibrated.path());
    keisoku(calibrated.path(), &["report", "."]).code(0);
    keisoku(calibrated.path(), &["plot", ".", "--what", "ranks", "-o", "r.pdf"]).code(0);
    let empty = tempfile::tempdir().unwrap();
    assert!(told(empty.path(), &["report", "."]).contains("no results here"));
}
