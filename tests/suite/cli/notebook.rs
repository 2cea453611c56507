//! Files of draws and peaks.csv in a notebook: real ArviZ, xarray and pandas open them and find what keisoku says.

use std::path::Path;
use std::process::Command;

use super::draws::crossing;
use super::finished;

/// Path of a python with the packages that tests/notebook/check.py names.
const PYTHON: &str = "KEISOKU_PYTHON";
/// Makes a failure of a missing python or package.
const REQUIRED: &str = "KEISOKU_REQUIRE_PYTHON";

/// The script's exit code: 0 where all is as promised, 3 where a package is missing.
fn check(python: &str, samples: &Path, peaks: &Path, more: &[&str]) -> Option<i32> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/notebook/check.py");
    let output = Command::new(python).arg(script).arg(samples).arg(peaks).args(more).output().unwrap_or_else(|e| panic!("{python}: {e}"));
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.status.code()
}

#[test]
fn notebooks_find_what_keisoku_says() {
    let required = std::env::var(REQUIRED).is_ok_and(|v| v == "1");
    let Ok(python) = std::env::var(PYTHON) else {
        assert!(!required, "{REQUIRED} is set, and {PYTHON} names no python");
        eprintln!("skipped: {PYTHON} names no python with arviz, xarray, h5netcdf and pandas");
        return;
    };
    let series = finished();
    let (samples, peaks) = (series.path("out/samples/f2.nc"), series.path("out/peaks.csv"));
    match check(&python, &samples, &peaks, &[]) {
        Some(3) if !required => {
            eprintln!("skipped: {python} lacks a package");
            return;
        }
        code => assert_eq!(code, Some(0)),
    }
    let crossing = crossing();
    for window in ["line", "a%2Fb"] {
        let (samples, peaks) = (crossing.path(&format!("out/samples@{window}.nc")), crossing.path("out/peaks.csv"));
        assert_eq!(check(&python, &samples, &peaks, &[]), Some(0), "{window}");
        // The mutant: one draw of each chain left out is more than the tolerance.
        assert_eq!(check(&python, &samples, &peaks, &["--drop-a-draw"]), Some(1), "{window}");
    }
}
