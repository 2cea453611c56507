//! A term is evaluated at every point of its support, and at none that is far from it: kernels in which a Gaussian is one wherever it is evaluated.

use std::slice::from_ref;

use super::packing::Packing;
use super::path::Path;
use super::program::Key;
use super::tests::{bounded, problem};
use super::totals_tests::push;
use super::*;
use crate::engine::Moves;
use crate::problem::Problem;

/// What a test makes of a kernel's source.
type Edit = fn(String) -> String;

fn counting(source: String) -> String {
    const VALUE: &str = "return coefficient(at) * m_bell(u);";
    assert!(source.contains(VALUE));
    source.replace(VALUE, "return 1.0;")
}

/// Coefficients of two Gaussians, the second of height zero: it has no support.
fn coefficients(position: f64, sharpness: f64) -> [f64; 6] {
    [1.0, position, sharpness, 0.0, 0.1, 2.0]
}

/// Two Gaussians against data that are one where the first has its support and zero elsewhere. What is up to a row of lanes away may be evaluated
/// or not, and has no weight.
fn telling(points: usize, all: &[f64; 6]) -> Problem {
    let mut of = problem(points, &[("gaussian", 0), ("gaussian", 0)]);
    of.measurements[0].floor = 1e-3;
    let (low, high) = Packing::of(&of, &of.terms[0]).support(&all[..3]);
    let row = Key::of(&of, Path::Recomputed).row() as usize;
    let data = &mut of.measurements[0];
    let (first, last) = (data.t.partition_point(|t| *t < low), data.t.partition_point(|t| *t <= high));
    for i in 0..points {
        let inside = (first..last).contains(&i);
        data.y[i] = f64::from(u8::from(inside));
        data.weight[i] = if inside || i + row < first || i >= last + row { 1.0 } else { 0.0 };
    }
    of
}

/// Points that are evaluated and should not be, or should be and are not: in a move of the first Gaussian, and in one of the second after it was kept.
fn wrong(gpu: &Gpu, points: usize, (position, sharpness): (f64, f64)) -> f64 {
    let target = coefficients(position, sharpness);
    let of = telling(points, &target);
    let mut roster = Roster::default();
    roster.push(&of, 1);
    let mut tile = GpuTile::new(gpu, &roster).expect("fits");
    let mut seen = Vec::new();
    tile.load(&[0], &coefficients(0.3, 8.5), &mut seen).expect("runs");
    let mut count = 0.0;
    for term in [0, 1] {
        let mut moves = Moves::default();
        moves.clear();
        push(&mut moves, &of, 0, &[term], &target);
        tile.attempt(from_ref(&moves), &mut seen).expect("runs");
        tile.settle(&[true]).expect("runs");
        count += seen[0];
    }
    count
}

/// Positions and sharpness (2/fwhm) of supports: narrow and wide ones, one between two points, ones cut by either end, outside, and over all.
const SUPPORTS: [(f64, f64); 9] =
    [(0.0, 120.0), (0.0, 12.0), (-0.37, 24.0), (0.0031, 38e3), (-1.0, 6.6), (1.0, 21.0), (-1.5, 12.0), (3.0, 38.0), (0.1, 1.2)];

/// All that is wrong on one path with kernels as a test wants them; none without an adapter.
fn all_wrong(path: Path, edit: Edit) -> Option<f64> {
    let mut gpu = bounded(|_| ())?.on(path);
    gpu.programs.edit = Some(edit);
    let each = [1, 33, 64, 65, 301, 1000, 5000].into_iter().flat_map(|points| SUPPORTS.map(|support| (points, support)));
    Some(each.map(|(points, support)| wrong(&gpu, points, support)).sum())
}

#[test]
fn terms_are_evaluated_within_their_supports() {
    for path in [Path::Recomputed, Path::Kept] {
        let Some(found) = all_wrong(path, counting) else { return };
        assert!(found == 0.0, "{path:?}: {found} points");
    }
}

/// Comparisons left out are points too many, comparisons with the wrong point of the four are points too few.
#[test]
fn wrong_supports_are_seen() {
    let mutants: [(&str, Edit); 6] = [
        ("ends are ignored", |s| {
            counting(s).replace("t.w >= low && t.x <= high", "true").replace("t.y >= low", "true").replace("t.z <= high", "true")
        }),
        ("both halves are evaluated where one is needed", |s| counting(s).replace("t.y >= low", "true").replace("t.z <= high", "true")),
        ("the first half begins late", |s| counting(s).replace("t.y >= low", "t.x >= low")),
        ("the second half ends early", |s| counting(s).replace("t.z <= high", "t.w <= high")),
        ("the last of four is not looked at", |s| counting(s).replace("t.w >= low", "t.y >= low")),
        ("the first of four is not looked at", |s| counting(s).replace("t.x <= high", "t.z <= high")),
    ];
    for (what, edit) in mutants {
        for path in [Path::Recomputed, Path::Kept] {
            let Some(found) = all_wrong(path, edit) else { return };
            println!("{path:?}, {what}: {found} points");
            assert!(found > 0.0, "{path:?}: {what} was not seen");
        }
    }
}

/// Whatever a shape and its coefficients, ends are finite; only what has a position has ends, and what has no height lies nowhere.
#[test]
fn ends_are_finite() {
    for model in crate::models::MODELS {
        let size = model.size.map_or(0, |s| s.1);
        let mut of = problem(10, &[(model.name, size)]);
        let (stride, local) = (of.terms[0].extent.stride, model.shape.is_local());
        for floor in [0.0, 1e-3] {
            of.measurements[0].floor = floor;
            let packing = Packing::of(&of, &of.terms[0]);
            assert_eq!(packing.extent().stride, stride + if local { 2 } else { 0 }, "{}", model.name);
            for value in [0.0, 1e-300, 1e-9, 1.0, 1e9, 1e300, f64::INFINITY, f64::NAN] {
                let (low, high) = packing.support(&vec![value; stride]);
                assert!(low.abs() <= 2.0 && high.abs() <= 2.0, "{}: {low}, {high}", model.name);
                assert!(local || (low, high) == (-2.0, 2.0), "{}: {low}, {high}", model.name);
            }
            let mut nothing = vec![1.0; stride];
            nothing[..model.shape.position().unwrap_or(0)].fill(0.0);
            let (low, high) = packing.support(&nothing);
            assert!(!local || floor == 0.0 || low > high, "{}: {low}, {high}", model.name);
        }
    }
}
