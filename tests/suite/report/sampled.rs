//! The report of a series that was sampled: it is made by the run, holds the fit and the draws, and costs no result where it fails.

use std::fs;

use assert_cmd::Command;
use keisoku::report::page::{self, Options};

use super::browser::nothing_is_cut;
use super::driver::browser;
use crate::cli::copy_of_finished;
use crate::limit::peak;

#[test]
fn a_run_leaves_a_report_and_the_folder_alone_makes_it_anew() {
    let series = copy_of_finished();
    let path = series.path("out/report.html");
    let made = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    page::write(&series.path("out"), &Options::default()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), made);
}

#[test]
fn a_report_that_cannot_be_made_costs_no_result() {
    let series = copy_of_finished();
    fs::remove_file(series.path("out/report.html")).unwrap();
    fs::create_dir(series.path("out/report.html")).unwrap();
    let before = fs::read(series.path("out/result.json")).unwrap();
    let ran = series.run(&[]).code(0);
    let told = String::from_utf8_lossy(&ran.get_output().stderr).into_owned();
    assert!(told.contains("warning: no report") && told.contains("report.html"), "{told}");
    assert_eq!(fs::read(series.path("out/result.json")).unwrap(), before);
}

#[test]
fn the_fit_and_any_two_parameters_are_drawn_of_the_draws() {
    let Some(browser) = browser() else { return };
    let series = copy_of_finished();
    browser.size(1400, 900);
    browser.open(&series.path("out/report.html"));
    browser.has(&[
        (".what-tracks image.heat", 1),
        (".what-fit path.data", 1),
        (".what-fit path.expectation", 1),
        (".what-fit path.predictive", 1),
        (".what-fit path.term", 2),
        (".what-fit path.histogram", 1),
        (".what-marginals path.marginal", 4),
        (".what-marginals path.prior", 4),
        (".what-noise path.noise", 1),
        (".what-pair path.draws", 1),
        (".what-pair option", 8),
    ]);
    let label = "document.querySelector('.what-pair .panel').dataset.yl";
    let before = browser.run(&format!("return {label}"));
    browser.run("const s = document.querySelector('.pair-y'); s.value = 0; s.dispatchEvent(new Event('change'));");
    let after = browser.run(&format!("return {label}"));
    assert_ne!(before, after);
    // The choice stays where the frame changes.
    browser.key('\u{e014}');
    browser.wait("document.body.dataset.shown === '1'");
    assert_eq!(browser.run(&format!("return {label}")), after);
    assert_eq!(browser.console(), [""; 0]);
}

/// Every parameter of a joint problem has its draws, those of the measurements' own scales too, and every measurement its panels.
#[test]
fn a_joint_problem_is_drawn_whole() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/two-windows/spec.toml");
    let out = folder.path().join("out");
    Command::new(env!("CARGO_BIN_EXE_keisoku")).args(["run", spec, "--engine", "cpu", "--quiet", "--out"]).arg(&out).assert().code(0);
    browser.open(&out.join("report.html"));
    browser.has(&[
        // Nine parameters together; four and two noises of nine are each measurement's own, and both have the zero shift.
        (".what-marginals path.marginal", 9 + 5 + 5),
        (".what-marginals path.prior", 9 + 5 + 5),
        (".what-pair option", 2 * (9 + 5 + 5)),
        (".what-fit path.data", 2 + 1 + 1),
        (".what-fit path.predictive", 2 + 1 + 1),
        (".what-fit path.histogram", 2 + 1 + 1),
        (".what-integration path.together", 9),
        (".what-integration path.alone", 10),
        (".what-integration path.noise", 2),
        ("p.what-integration", 0),
    ]);
    assert_eq!(browser.console(), [""; 0]);
}

/// A measurement limit at two levels, with one position, at both widths of the page.
#[test]
fn a_measurement_limit_is_shown() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spec.toml"), peak("model = \"poisson\"", 2.0, "0..1")).unwrap();
    let mut limit = Command::new(env!("CARGO_BIN_EXE_keisoku"));
    limit.current_dir(folder.path()).args(["limit", "spec.toml", "--times", "0.3,3", "--n", "3", "--quiet", "--out", "out"]);
    let code = limit.assert().get_output().status.code();
    assert!(matches!(code, Some(0 | 2)), "{code:?}");
    for width in [1400, 400] {
        browser.size(width, 900);
        browser.open(&folder.path().join("out/report.html"));
        browser.has(&[
            (".what-limit path.share", 1),
            (".what-limit path.probability", 1),
            (".what-widths path.bound", 1),
            (".what-widths path.sd", 1),
            (".what-held path.held", 2),
            ("p.missing", 0),
        ]);
        nothing_is_cut(&browser);
    }
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn figures_of_draws_are_files() {
    let series = copy_of_finished();
    let out = series.path("out");
    let plot = |what: &str, more: &[&str]| {
        let file = series.path(&format!("{what}.pdf"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_keisoku"));
        command.arg("plot").arg(&out).args(["--what", what, "-o"]).arg(&file).args(more);
        (command.assert(), file)
    };
    for what in ["fit", "corner", "marginals", "noise"] {
        let (ran, file) = plot(what, &["--frame", "2"]);
        ran.code(0);
        assert!(fs::read(file).unwrap().starts_with(b"%PDF-"));
    }
    let (ran, _) = plot("corner", &["--frame", "2", "--parameters", "center1,width"]);
    let told = String::from_utf8_lossy(&ran.code(1).get_output().stderr).into_owned();
    assert!(told.contains("no parameter is called `width`") && told.contains("center 1"), "{told}");
    let (ran, _) = plot("tracks", &[]);
    ran.code(0);
}
