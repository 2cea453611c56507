//! Many frames: order, names, several in a file, the table of frames.

use std::fs;

use keisoku::dataset::Dataset;
use keisoku::spec::{Data, Layout};

use super::{columns, data, folder, npy, table};

const TWO: &[u8] = b"1 2\n3 4\n";

fn names(data: &Data) -> Vec<String> {
    Dataset::open(data).expect("opens").entries.into_iter().map(|entry| entry.name).collect()
}

#[test]
fn natural_order_and_unique_names() {
    let here = folder(&[("s10.xy", TWO), ("s2.xy", TWO), ("s1.xy", TWO), ("s2.xye", TWO), ("other.dat", TWO)]);
    assert_eq!(names(&data(here.path(), "s*.xy")), ["s1", "s2", "s10"]);
    assert_eq!(names(&data(here.path(), "s*")), ["s1", "s2.xy", "s2.xye", "s10"]);
    let parent = here.path().parent().expect("a parent");
    let inner = format!("{}/s?.xy", here.path().file_name().expect("a name").to_string_lossy());
    let dataset = Dataset::open(&data(parent, &inner)).expect("opens");
    assert_eq!(dataset.entries.iter().map(|e| e.number).collect::<Vec<_>>(), [1, 2]);
    assert!(dataset.entries[0].source.ends_with("/s1.xy"));
}

#[test]
fn several_columns_are_several_frames() {
    let here = folder(&[("a.dat", b"1 10 20 30\n2 11 21 31\n3 12 22 32\n"), ("b.dat", b"1 40 50 60\n2 41 51 61\n")]);
    let mut data = data(here.path(), "*.dat");
    for words in ["x y y y", "x y..."] {
        data.columns = columns(words);
        let dataset = Dataset::open(&data).expect("opens");
        let frames: Vec<_> = dataset.entries.iter().map(|e| dataset.load(e, &data).expect("loads")).collect();
        assert_eq!(frames.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["a#1", "a#2", "a#3", "b#1", "b#2", "b#3"]);
        assert_eq!(frames[1].y, [20.0, 21.0, 22.0]);
        assert_eq!(frames[5].y, [60.0, 61.0]);
        assert_eq!((frames[5].number, frames[5].source.as_str()), (6, "b.dat frame 3"));
    }
    data.columns = columns("x y sigma -");
    assert_eq!(names(&data), ["a", "b"]);
}

#[test]
fn rows_of_an_array_are_frames() {
    let bytes: Vec<u8> = (0..12u8).collect();
    let here = folder(&[("a.npy", &npy(1, "|u1", false, "(3, 4)", &bytes)), ("b.txt", b"5 6 7\n8 9 10\n")]);
    let mut data = data(here.path(), "*.npy");
    data.layout = Layout::Rows;
    data.x.start_step = Some((15.0, 0.1));
    let dataset = Dataset::open(&data).expect("opens");
    assert_eq!(dataset.entries.len(), 3);
    let last = dataset.load(&dataset.entries[2], &data).expect("loads");
    assert_eq!((last.y, last.source.as_str(), last.x[3]), (vec![8.0, 9.0, 10.0, 11.0], "a.npy row 3", 15.0 + 0.1 * 3.0));
    data.x.start_step = None;
    data.columns = columns("x y...");
    let dataset = Dataset::open(&data).expect("opens");
    let last = dataset.load(&dataset.entries[1], &data).expect("loads");
    assert_eq!((last.x, last.y), (vec![0.0, 1.0, 2.0, 3.0], vec![8.0, 9.0, 10.0, 11.0]));
    data.files = "b.txt".into();
    data.columns = Vec::new();
    assert_eq!(names(&data), ["b#1", "b#2"]);
}

#[test]
fn a_file_of_many_frames_is_parsed_once() {
    let columns_of = |first: usize| (first..first + 2000).map(|c| c.to_string()).collect::<Vec<_>>().join(" ");
    let text: String = (0..400).map(|row| format!("{row} {}\n", columns_of(row))).collect();
    let here = folder(&[("a.dat", text.as_bytes())]);
    let mut data = data(here.path(), "a.dat");
    data.columns = columns("x y...");
    let dataset = Dataset::open(&data).expect("opens");
    assert_eq!(dataset.entries.len(), 2000);
    // Parsing 2000 times would read 8·10⁸ numbers: minutes instead of a second.
    let start = std::time::Instant::now();
    let sum: f64 = dataset.entries.iter().map(|e| dataset.load(e, &data).map_or(f64::NAN, |f| f.y[399])).sum();
    assert_eq!(sum, (0..2000).map(|i| f64::from(399 + i)).sum::<f64>());
    assert!(start.elapsed().as_secs() < 30);
    // A file that changes is read again.
    fs::write(here.path().join("a.dat"), text.replace("399 399", "399 7")).expect("written");
    assert_eq!(dataset.load(&dataset.entries[0], &data).expect("loads").y[399], 7.0);
}

#[test]
fn the_table_is_joined_by_number_or_name_and_never_by_position() {
    // Rows in another order, more rows than files, the table beside the frames.
    let here = folder(&[
        ("run7_009_x.csv", b"1,2\n3,4\n"),
        ("run7_010_x.csv", b"1,2\n3,4\n"),
        ("frames.csv", b"\xef\xbb\xbf# frame,file,T,i0\n10,run7_010_x,300.5,4\n9,run7_009_x.csv,\"25,5\",2\n11,c,1,1\n"),
    ]);
    let mut data = data(here.path(), "*.csv");
    data.normalise = Some("i0".into());
    for (key, by_number) in [("frame", true), ("file", false)] {
        data.frames = Some(table(here.path().join("frames.csv"), key, by_number, Some("T")));
        let dataset = Dataset::open(&data).expect("opens");
        let axes: Vec<_> = dataset.entries.iter().map(|e| (e.axis, e.monitor)).collect();
        assert_eq!(axes, [(Some(25.5), Some(2.0)), (Some(300.5), Some(4.0))]);
        let frame = dataset.load(&dataset.entries[1], &data).expect("loads");
        assert_eq!((frame.axis, frame.monitor), (Some(300.5), vec![4.0]));
    }
}

#[test]
fn decimal_numbers_in_names() {
    let here = folder(&[("10.0K.dat", TWO), ("10.5K.dat", TWO), ("t.csv", b"T\n10.5\n10.0\n")]);
    let mut data = data(here.path(), "*.dat");
    data.frames = Some(table(here.path().join("t.csv"), "T", true, Some("T")));
    let axes: Vec<_> = Dataset::open(&data).expect("opens").entries.iter().map(|e| e.axis).collect();
    assert_eq!(axes, [Some(10.0), Some(10.5)]);
}

#[test]
fn frames_of_one_file_are_counted() {
    let here = folder(&[("run5.npy", &npy(1, "|u1", false, "(2, 3)", &[1, 2, 3, 4, 5, 6])), ("t.csv", b"n,T\n5,0\n1,10\n2,20\n")]);
    let mut data = data(here.path(), "*.npy");
    data.layout = Layout::Rows;
    data.frames = Some(table(here.path().join("t.csv"), "n", true, Some("T")));
    let axes: Vec<_> = Dataset::open(&data).expect("opens").entries.iter().map(|e| e.axis).collect();
    assert_eq!(axes, [Some(10.0), Some(20.0)]);
}

#[test]
fn several_files_of_several_frames_share_the_row_of_their_file() {
    let rows: &[u8] = b"1 2 3\n4 5 6\n";
    let here = folder(&[("s_1.dat", rows), ("s_2.dat", rows), ("t.csv", b"n,T\n1,10\n2,20\n")]);
    let mut data = data(here.path(), "*.dat");
    data.columns = columns("x y y");
    data.frames = Some(table(here.path().join("t.csv"), "n", true, Some("T")));
    let axes: Vec<_> = Dataset::open(&data).expect("opens").entries.iter().map(|e| e.axis).collect();
    assert_eq!(axes, [Some(10.0), Some(10.0), Some(20.0), Some(20.0)]);
}

#[test]
fn a_table_that_does_not_fit_is_refused_with_its_line() {
    let here = folder(&[("s_1_25C.xy", TWO), ("s_2_26C.xy", TWO), ("s_3_27C.xy", TWO)]);
    let mut data = data(here.path(), "*.xy");
    for (text, key, by_number, reason) in [
        ("n,T\n1,0\n2,0\n", "n", true, "has no row with n = 3, for the file s_3_27C.xy"),
        ("n,T\n1,0\n2,0\n3,0\n2,5\n", "n", true, "t.csv:5: the key n = 2 stands here and on line 3"),
        ("n,T\n1,0\n2,zero\n3,0\n", "n", true, "t.csv:3: \"zero\" in column \"T\" is not a number"),
        ("n,T\n1,0\n2\n3,0\n", "n", true, "t.csv:3: \"\" in column \"T\" is not a number"),
        ("n,T\n1,0\nb,0\n3,0\n", "n", true, "t.csv:3: the key \"b\" is not a number"),
        ("m,T\n1,0\n", "n", true, "t.csv:1: the table of frames has no column \"n\""),
        ("n,T\n1,0\n2,0\n3,0\n25,0\n26,0\n27,0\n", "n", true, "\"s_1_25C\" could be n 1 or 25"),
        ("n,T\ns_1_25C,0\ns_2_26C.xy,0\n", "n", false, "has no row named \"s_3_27C\""),
        ("", "n", false, "t.csv: is empty"),
    ] {
        fs::write(here.path().join("t.csv"), text).expect("written");
        data.frames = Some(table(here.path().join("t.csv"), key, by_number, Some("T")));
        let error = Dataset::open(&data).expect_err(text).to_string();
        assert!(error.contains(reason), "expected {reason:?} in:\n{error}");
    }
    // One number for all files: a position would be a guess.
    let here = folder(&[("s_7_a.xy", TWO), ("s_7_b.xy", TWO), ("t.csv", b"n,T\n7,0\n8,0\n")]);
    data.folder = here.path().into();
    data.frames = Some(table(here.path().join("t.csv"), "n", true, None));
    assert!(Dataset::open(&data).expect_err("double").to_string().contains("same number"));
    data.frames = Some(table(here.path().join("absent.csv"), "n", true, None));
    assert!(Dataset::open(&data).expect_err("absent").to_string().contains("absent.csv: does not exist"));
}
