//! What `fit` says: frames whose peak shape is wrong are flagged, frames whose model made them are not.

use std::path::{Path, PathBuf};

use keisoku::dataset::{self, Dataset};
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::simulate;
use keisoku::spec::Spec;

use crate::examples;

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/misfit").join(file)
}

/// So many new frames of the example's series, fitted with `file`'s terms, `count` of them, in as few sweeps as a summary takes: how many of the
/// winners are flagged.
fn flagged(file: &str, count: &str, frames: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let truth = std::fs::read_to_string(example("spec.toml")).unwrap();
    assert!(truth.contains("\nframes = 12\nseed   = 2018\n"), "the example's simulation is written otherwise");
    let truth = truth.replace("\nframes = 12\nseed   = 2018\n", &format!("\nframes = {frames}\nseed   = 5\n"));
    let path = folder.path().join("truth.toml");
    std::fs::write(&path, truth).unwrap();
    simulate::write(&simulate::simulate(&Spec::read(&path).unwrap(), None).unwrap(), folder.path()).unwrap();
    let path = folder.path().join("spec.toml");
    std::fs::copy(example(file), &path).unwrap();
    let raw = Spec::read(&path).unwrap();
    let dataset = Dataset::open(&raw.data().unwrap()).unwrap();
    let mut spec = raw.resolve(&|raw| dataset::facts(raw)).unwrap().check().unwrap();
    spec.run.copies = 2;
    spec.run.ess = 100.0;
    spec.run.free_energy_se = 0.5;
    spec.run.round_trips = 2;
    spec.groups[0].candidates.retain(|c| count.split(' ').any(|k| c.label == k));
    assert_eq!(spec.groups[0].candidates.len(), count.split(' ').count());
    let results = examples::answers(&Cpu::new(Precision::F32).unwrap(), &spec, &dataset);
    results.iter().filter(|r| !r.windows[0].candidates[r.windows[0].best].fit.is_empty()).count()
}

/// One frame may pass: rules that flag 99.9 % of such frames fail here once in five thousand times.
#[test]
fn symmetric_peaks_on_asymmetric_lines_are_flagged() {
    let frames = 20;
    let flagged = flagged("spec.toml", "K=2 K=3", frames);
    println!("{flagged} of {frames} frames flagged");
    assert!(flagged as f64 >= 0.95 * frames as f64);
}

/// The residuals' bound alone raises a false alarm in one frame of a thousand: more than 2 of 200 once in nine hundred times.
#[test]
fn the_shape_that_made_the_data_is_not_flagged() {
    let frames = 200;
    let flagged = flagged("true-shape.toml", "K=2", frames);
    println!("{flagged} of {frames} frames flagged");
    assert!(flagged as f64 <= 0.01 * frames as f64);
}
