//! Every shape has a Rust file and a WGSL twin of the same stem, and there is no other file.

use std::collections::BTreeSet;
use std::path::Path;

use keisoku::models::ShapeKind;

/// Files of src/models that hold no shape: the list, the numbers shapes are evaluated in, instruction sets, and models that borrow another model's shape.
const WITHOUT_SHAPE: [&str; 8] = ["mod", "number", "level", "lanes", "lanes_tests", "polynomials", "doublet", "mossbauer"];

/// Stems of the files with that extension in a folder of the crate.
fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = files.map(|f| f.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == extension));
    paths.map(|p| p.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// Stems that are in one set only.
fn orphans(files: &BTreeSet<String>, shapes: &BTreeSet<String>) -> Vec<String> {
    files.symmetric_difference(shapes).cloned().collect()
}

fn shapes() -> BTreeSet<String> {
    ShapeKind::ALL.iter().map(|s| s.stem().to_owned()).collect()
}

#[test]
fn every_shape_has_its_twin() {
    let mut rust = stems("src/models", "rs");
    for other in WITHOUT_SHAPE {
        assert!(rust.remove(other), "src/models/{other}.rs is gone: take it off the list");
    }
    assert_eq!(orphans(&rust, &shapes()), [""; 0], "in src/models or in `shapes!`, not in both");
    assert_eq!(orphans(&stems("shaders/models", "wgsl"), &shapes()), [""; 0], "in shaders/models or in `shapes!`, not in both");
}

#[test]
fn an_orphan_is_seen() {
    let mut files = shapes();
    files.insert("orphan".into());
    assert_eq!(orphans(&files, &shapes()), ["orphan"]);
    assert!(files.remove("gaussian"));
    assert_eq!(orphans(&files, &shapes()), ["gaussian", "orphan"]);
}

#[test]
fn every_twin_defines_the_function_of_its_stem_and_names_its_file() {
    for shape in ShapeKind::ALL {
        let (stem, source) = (shape.stem(), shape.wgsl());
        assert!(source.contains(&format!("fn {stem}(t: f32, at: u32, n: u32) -> f32 {{")), "{stem}.wgsl");
        assert!(source.lines().next().is_some_and(|l| l.contains(&format!("src/models/{stem}.rs"))), "{stem}.wgsl");
    }
}

/// Decimal numbers of at least ten digits, in the order they stand in the source.
fn long_numbers(source: &str) -> Vec<f64> {
    let is_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let words = source.split(|c| !is_number(c)).map(|w| w.replace('_', ""));
    words.filter(|w| w.chars().filter(char::is_ascii_digit).count() >= 10).filter_map(|w| w.parse().ok()).collect()
}

#[test]
fn the_expansion_of_the_voigt_peak_is_the_same_in_both_languages() {
    let rust = include_str!("../../../src/models/voigt.rs");
    let (_, table) = rust.split_once("const A: [f64; 20] = [").unwrap();
    let table = long_numbers(table.split_once("];").unwrap().0);
    let twin = long_numbers(ShapeKind::Voigt.wgsl());
    assert_eq!(table.len(), 20);
    // The scale L, 2 L, the table, 1/√π.
    assert_eq!(twin[2..22], table[..], "numbers differ");
    assert_eq!(twin.len(), 23);
    assert!(rust.contains(&format!("const L: f64 = {};", twin[0])) && twin[1] == 2.0 * twin[0]);
    assert!((twin[22] - std::f64::consts::PI.sqrt().recip()).abs() < 1e-15);
}
