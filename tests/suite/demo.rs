//! The README's main job: the series that ships, run as it ships, finds the peaks that are there.

use std::collections::BTreeMap;
use std::path::Path;

use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::posterior::WindowResult;

use crate::examples;

/// A frame can tell its number of peaks from one fewer where the noise-free truth is this far from the best fit with one fewer, in nats.
const RESOLVABLE: f64 = 25.0;

/// Rows of a CSV file of the example, each as a map from column to text.
fn table(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/phase-transition").join(name);
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// What the truth says of one frame in one window.
struct Truth {
    k: usize,
    resolvable: bool,
    centers: Vec<f64>,
}

fn truths(range: (f64, f64), window: &str) -> Vec<Truth> {
    let rows = table("truth.csv");
    let of = |frame: &str| {
        let here = rows.iter().filter(|r| r["frame"] == frame && r["exists"] == "true" && r["parameter"] == "center");
        let mut centers: Vec<f64> = here.map(|r| r["value"].parse().unwrap()).filter(|c| (range.0..range.1).contains(c)).collect();
        centers.sort_by(f64::total_cmp);
        centers
    };
    let resolvability = table("resolvability.csv");
    let rows = resolvability.iter().filter(|r| r["window"] == window);
    rows.map(|r| Truth {
        k: r["k"].parse().unwrap(),
        resolvable: r["kl_nat"].parse::<f64>().unwrap() >= RESOLVABLE,
        centers: of(&r["frame"]),
    })
    .collect()
}

/// (true positions inside their 95 % intervals, positions) of the winning candidate.
fn covered(window: &WindowResult, truth: &Truth) -> (usize, usize) {
    let best = &window.candidates[window.best];
    let centers = best.parameters.iter().filter(|p| p.parameter == "center");
    let inside = centers.zip(&truth.centers).filter(|(p, truth)| (p.quantiles[0]..=p.quantiles[4]).contains(truth)).count();
    (inside, truth.centers.len())
}

#[test]
fn the_series_that_ships_gives_its_peaks() {
    let (spec, dataset) = examples::read("phase-transition");
    let truths: Vec<Vec<Truth>> = spec.groups.iter().map(|g| truths(g.measurements[0].range, &g.name)).collect();
    let frames = dataset.entries.len();
    let clear = |frame: usize| truths.iter().all(|t| t[frame].resolvable);
    let count = (0..frames).filter(|&f| clear(f)).count();
    assert!(count >= 28 && frames - count >= 5, "{count} of {frames} frames can be resolved");

    let results = examples::answers(&Cpu::new(Precision::F32).unwrap(), &spec, &dataset);
    let (mut right, mut above, mut inside, mut cases) = (0, 0, 0, 0);
    for (f, result) in results.iter().enumerate() {
        let k = |w: &WindowResult| w.candidates[w.best].k.unwrap();
        let windows = || result.windows.iter().zip(&truths).map(|(w, t)| (w, &t[f]));
        right += usize::from(clear(f) && windows().all(|(w, t)| k(w) == t.k));
        above += usize::from(windows().any(|(w, t)| k(w) > t.k));
        for (w, t) in windows().filter(|(w, t)| t.resolvable && k(w) == t.k) {
            let (hit, of) = covered(w, t);
            inside += hit;
            cases += of;
        }
    }
    println!("right in {right} of {count} resolvable frames, above the truth in {above} of {frames}, {inside} of {cases} positions inside");
    assert!(right as f64 >= 0.9 * count as f64, "{right} of {count}");
    assert!(above as f64 <= 0.05 * frames as f64, "{above} of {frames}");
    assert!(cases >= 100 && (0.90..=0.99).contains(&(inside as f64 / cases as f64)), "{inside} of {cases}");
}
