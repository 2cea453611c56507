//! Files of draws and peaks.csv in a notebook: real ArviZ, xarray and pandas open them and find what keisoku says.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::draws::crossing;
use super::finished;
use crate::readme::{blocks, readme};

/// Path of a python with the packages that tests/notebook/check.py names.
const PYTHON: &str = "KEISOKU_PYTHON";
/// 1 makes a failure of a missing python or package.
const REQUIRED: &str = "KEISOKU_REQUIRE_PYTHON";

/// The script's exit code: 0 where all is as promised.
fn check(python: &str, samples: &Path, peaks: &Path, more: &[&str]) -> Option<i32> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/notebook/check.py");
    let output = Command::new(python).arg(script).arg(samples).arg(peaks).args(more).output().unwrap_or_else(|e| panic!("{python}: {e}"));
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.status.code()
}

/// The python to use; none where the test is skipped, which is told.
fn python() -> Option<String> {
    let required = std::env::var(REQUIRED).is_ok_and(|v| v == "1");
    let python = std::env::var(PYTHON).ok();
    let imports = "import arviz, h5netcdf, matplotlib, pandas, xarray; assert int(arviz.__version__.split('.')[0]) < 1";
    let has_all = |p: &String| Command::new(p).args(["-c", imports]).status().unwrap_or_else(|e| panic!("{p}: {e}")).success();
    let good = python.filter(has_all);
    assert!(good.is_some() || !required, "{REQUIRED} is set, and {PYTHON} names no python with all packages");
    if good.is_none() {
        eprintln!("skipped: {PYTHON} names no python with arviz (below 1), h5netcdf, matplotlib, pandas and xarray");
    }
    good
}

#[test]
fn notebooks_find_what_keisoku_says() {
    let Some(python) = python() else { return };
    let series = finished();
    assert_eq!(check(&python, &series.path("out/samples/f2.nc"), &series.path("out/peaks.csv"), &[]), Some(0));
    let crossing = crossing();
    for window in ["line", "a%2Fb"] {
        let (samples, peaks) = (crossing.path(&format!("out/samples@{window}.nc")), crossing.path("out/peaks.csv"));
        assert_eq!(check(&python, &samples, &peaks, &[]), Some(0), "{window}");
        // The mutant: one draw of each chain left out is more than the tolerance.
        assert_eq!(check(&python, &samples, &peaks, &["--drop-a-draw"]), Some(1), "{window}");
    }
}

/// The README's own lines, beside the results of a frame.
#[test]
fn the_notebook_of_the_readme_runs() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::copy(finished().path("out/samples/f2.nc"), folder.path().join("samples.nc")).unwrap();
    fs::copy(finished().path("out/peaks.csv"), folder.path().join("peaks.csv")).unwrap();
    let readme = readme();
    let lines: Vec<String> = blocks(&readme).into_iter().filter(|(kind, _)| kind == "python").map(|(_, text)| text).collect();
    assert_eq!(lines.len(), 1);
    let output = Command::new(&python).env("MPLBACKEND", "Agg").args(["-c", &lines[0]]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("r_hat"));
}
