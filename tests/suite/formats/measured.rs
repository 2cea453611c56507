//! Measured files of many instruments: each loads as its spec says, or is refused for a known reason.

use std::fs;
use std::path::{Path, PathBuf};

use keisoku::dataset::Dataset;
use keisoku::spec::{Data, Layout};

use super::{columns, data, table};

/// The folder of measured data, where there is one.
fn measured() -> Option<PathBuf> {
    let folder =
        std::env::var_os("KEISOKU_DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no data");
    None
}

/// Folder or file (relative), `columns`, and what every file of the table's kinds there must do: none, load; some, be refused with these words.
type Expected = (&'static str, &'static str, Option<&'static str>);

/// The first entry that a path begins with decides; the rest of the files need nothing in the spec and load.
const EXPECTED: &[Expected] = &[
    ("cef/RE3Sb3A2O14/Data/Slices/NdZn_T6_E150_cut_mod", "x y sigma", None),
    ("cef/RE3Sb3A2O14/Data/Slices/NdZn_T6_E40_cut_mod", "x y sigma", None),
    ("cef/RE3Sb3A2O14/Data/Slices/NdZn_T6_E80_cut_mod", "x y sigma", None),
    ("cef/RE3Sb3A2O14/Data/Slices/PrMg_T6_E150_cut_mod", "x y sigma", None),
    ("cef/RE3Sb3A2O14/Data/Slices/PrMg_T6_E40_cut_mod", "x y sigma", None),
    ("cef/RE3Sb3A2O14/Data/Slices/PrMg_T6_E80_cut_mod", "x y sigma", None),
    ("cef/RE3Sb3A2O14/Data/Slices/", "y sigma x", None),
    ("cef/RE3Sb3A2O14/Data/ResolutionFunction/", "", None),
    ("cef/RE3Sb3A2O14/Data/", "- - - x y sigma", None),
    ("cef/mantid_cf_examples/cf_examples_data/MER", "x y sigma", None),
    ("mossbauer/edvintb_student/Fe2O3_cum36of36h", "x y", None),
    ("mossbauer/edvintb_student/FeF2_RT_cum72of72h", "x y", None),
    ("mossbauer/edvintb_student/stainless_steel_cum96of96h", "x y", None),
    ("mossbauer/edvintb_student", "x - y", None),
    ("mossbauer/grigg_ferrihydrite", "y", None),
    // Repeated and unsorted measurements of regression problems.
    ("nist_strd/linear/longley.csv", "y x", Some(":4: x goes back: 88.2 follows 88.5")),
    ("nist_strd/linear/norris.csv", "", Some(":4: x goes back: 118.2 follows 337.4")),
    ("nist_strd/nonlinear/Chwirut2.dat", "y x", Some(":66: x goes back: 0.875 follows 5.75")),
    ("nist_strd/nonlinear/Kirby2.dat", "y x", Some(":97: x = 125.79 stands here and on line 96")),
    ("nist_strd/linear", "", None),
    ("nist_strd", "y x", None),
    ("nmr", "x y sigma", None),
    ("sas/gsas2_sas", "x y sigma", None),
    ("sas/sasview_1d/1d_data/n_", "x y sigma", None),
    ("sas/sasview_1d/1d_data/x_", "x y sigma", None),
    ("xas", "x y", None),
    ("xrd_series/crystalshift/AlFeLiO/alfeli.npy", "y...", None),
    ("xrd_series/crystalshift/AlFeLiO/sol.csv", "x y...", None),
    // Tables that are no curves.
    ("xrd_series/crystalshift/AlFeLiO/sticks.csv", "", Some("is not a number")),
    ("xrd_series/y2mn2o7_insitu/frames.csv", "", Some("holds no numbers")),
    ("xrd_series/xrdfit_ti_load/adc", "x y...", None),
    ("xrd_series/xrdfit_ti_load/instrument", "x - y", None),
    ("xrd_single/geddes_formats/data/xy/sample.xy", "x y sigma", None),
    // Formats of their own in a .dat: y without x, ten to a line, and words after them.
    ("xrd_single/xylib_samples/D1A5.dat", "", Some("the file has 10 columns")),
    ("xrd_single/xylib_samples/PSI_DMC.dat", "", Some("\"Filelist='HRPT/2001/2455-2490'\" is not a number")),
    // xylib's own collection of oddities: bars as separators, x in no order, a word with a space in the numbers, two regions in a file.
    ("xrd_single/xylib_samples/test2.csv", "", Some("holds no numbers")),
    ("xrd_single/xylib_samples/test3.csv", "", Some(":10: x goes back: -3 follows 2 on line 9")),
    ("xrd_single/xylib_samples/with_commas.txt", "x y", Some(":14: the row has 5 columns, those before it 4")),
    ("xrd_single/xylib_samples/mm-specs.xy", "x y -", None),
    ("xrd_single/xylib_samples/specsxy_example.xy", "x y -", Some(":1431: x goes back: 100 follows 1402 on line 1373")),
    ("xrd_single/xylib_samples/with_sigma.txt", "x y sigma", None),
];

/// Kinds of files that are read.
const KINDS: [&str; 9] = ["xy", "xye", "dat", "csv", "txt", "chi", "fxye", "npy", "iexy"];

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|e| KINDS.iter().any(|kind| e == *kind)) {
            found.push(path);
        }
    }
}

#[test]
fn every_file_loads_or_is_refused_for_a_known_reason() {
    let Some(root) = measured() else { return };
    let mut files = Vec::new();
    files_below(&root, &mut files);
    files.sort();
    let (mut loaded, mut refused, mut wrong) = (0, 0, Vec::new());
    let mut used = vec![false; EXPECTED.len()];
    for path in &files {
        let relative = path.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        let known = EXPECTED.iter().position(|(prefix, ..)| relative.starts_with(prefix));
        let (words, reason) = known.map_or(("", None), |i| {
            used[i] = true;
            (EXPECTED[i].1, EXPECTED[i].2)
        });
        let mut data = data(path.parent().expect("a folder"), &path.file_name().expect("a name").to_string_lossy());
        data.columns = columns(words);
        let result = Dataset::open(&data).and_then(|dataset| dataset.load(&dataset.entries[0], &data));
        match (result, reason) {
            (Ok(frame), None) => {
                loaded += 1;
                assert!(frame.x.len() > 1 && frame.x.windows(2).all(|w| w[0] < w[1]), "{relative}");
            }
            (Err(error), Some(reason)) if error.to_string().contains(reason) && error.hint.is_some() => refused += 1,
            (Ok(frame), Some(_)) => wrong.push(format!("{relative}: loads {} points", frame.x.len())),
            (Err(error), _) => wrong.push(format!("{relative}: {error}")),
        }
    }
    println!("{} files: {loaded} load, {refused} are refused for a known reason", files.len());
    assert!(wrong.is_empty(), "{} surprises:\n{}", wrong.len(), wrong.join("\n"));
    let unused: Vec<_> = EXPECTED.iter().zip(&used).filter(|(_, used)| !**used).map(|(expected, _)| expected.0).collect();
    assert!(unused.is_empty(), "expected and not there: {unused:?}");
}

fn open(folder: PathBuf, files: &str, change: impl FnOnce(&mut Data)) -> (Dataset, Data) {
    let mut data = data(&folder, files);
    change(&mut data);
    (Dataset::open(&data).unwrap_or_else(|e| panic!("{e}")), data)
}

/// A series with its table: file 009 is row 9, whatever its place.
#[test]
fn a_heating_series_with_its_table() {
    let Some(root) = measured() else { return };
    let (dataset, data) = open(root.join("xrd_series/y2mn2o7_insitu/XYE_every8"), "*.xye", |d| {
        d.frames = Some(table(root.join("xrd_series/y2mn2o7_insitu/frames.csv"), "frame", true, Some("temperature_C")));
    });
    assert_eq!(dataset.entries.len(), 48);
    let first = dataset.load(&dataset.entries[0], &data).expect("loads");
    assert_eq!((first.name.as_str(), first.axis, first.x.len()), ("001", Some(25.1), 2500));
    assert_eq!((first.x[0], first.y[0], first.sigma.expect("σ")[0]), (0.7, 6141.097275, 78.365153));
    let axis = |place: usize| (dataset.entries[place].name.as_str(), dataset.entries[place].axis);
    assert_eq!((axis(1), axis(47)), (("009", Some(43.2)), ("377", Some(649.8))));
}

/// The temperature stands in the header of each file.
#[test]
fn a_cooling_series_with_temperatures_in_headers() {
    let Some(root) = measured() else { return };
    let (dataset, data) = open(root.join("xrd_series/seqtut_11bm"), "OH_*.fxye", |d| d.axis_header = Some("temperature".into()));
    let frames: Vec<_> = dataset.entries.iter().map(|e| dataset.load(e, &data).expect("loads")).collect();
    assert_eq!(frames.len(), 17);
    assert_eq!((frames[0].axis, frames[0].x.len(), frames[0].x[0]), (Some(6.778), 12_799, 0.5));
    assert!((frames[0].x[12_798] - 26.096).abs() < 1e-9);
    let hottest = frames.iter().filter_map(|f| f.axis).fold(0.0, f64::max);
    assert!((288.0..290.0).contains(&hottest), "{hottest}");
}

/// Arrays of frames: 10 files of 36 azimuths, one file of 231 rows, 60 arrays without x.
#[test]
fn files_of_many_frames() {
    let Some(root) = measured() else { return };
    let (dataset, data) = open(root.join("xrd_series/xrdfit_ti_load"), "*.dat", |d| d.columns = columns("x y..."));
    assert_eq!(dataset.entries.len(), 360);
    let last = dataset.load(&dataset.entries[359], &data).expect("loads");
    assert!(last.name.ends_with("_00010#36") && last.x.len() == 1027, "{}", last.name);
    let (dataset, data) = open(root.join("xrd_series/crystalshift/AlFeLiO"), "*.npy", |d| {
        d.layout = Layout::Rows;
        d.x.start_step = Some((15.0, 0.1));
    });
    let row = dataset.load(&dataset.entries[230], &data).expect("loads");
    assert_eq!((dataset.entries.len(), row.y.len()), (231, 650));
    assert!((row.x[649] - 79.9).abs() < 1e-9);
    let (dataset, data) = open(root.join("xrd_series/nsls2_cmf/BaTiO3_xrd_ramp"), "*.npy", |_| {});
    let frame = dataset.load(&dataset.entries[0], &data).expect("loads");
    let highest = (0..frame.y.len()).max_by(|a, b| frame.y[*a].total_cmp(&frame.y[*b])).expect("points");
    // The strongest line of the cubic phase is (110), near index 473.
    assert!(dataset.entries.len() == 60 && (463..483).contains(&highest), "{highest}");
}
