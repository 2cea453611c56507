//! One frame from one file of each kind, in every spelling.

use keisoku::spec::Layout;
use proptest::prelude::*;

use super::{columns, npy, read, read_as, refusal};

/// Three points whose x and y every spelling below must give.
const X: [f64; 3] = [1.0, 1.5, 2.0];
const Y: [f64; 3] = [10.0, 20.5, -3.0];

#[test]
fn every_spelling_of_the_same_three_points() {
    for (name, text) in [
        ("a.xy", "1 10\n1.5 20.5\n2 -3\n"),
        ("a.dat", "  1.0\t10\r\n  1.5\t20.5\r\n  2.0\t-3\r\n"),
        ("a.csv", "\u{feff}x_deg,counts\n1,10\n1.5,20.5\n2,-3\n"),
        ("a.csv", "1, 10\n1.5, 20.5\n2, -3"),
        ("a.csv", "\"x\",\"y\"\n\"1\",\"10\"\n\"1.5\",\"20.5\"\n\"2\",\"-3\"\n"),
        ("a.csv", "1,10,\n1.5,20.5,\n2,-3,\n"),
        ("a.csv", "y,x\n10,1\n20.5,1.5\n-3,2\n"),
        ("a.csv", "1;10\n1,5;20,5\n2;-3\n"),
        ("a.csv", "\"my;x\";\"my,y\"\n1;10\n1,5;20,5\n2;-3,\n"),
        ("a.txt", "1,0 10,0\n1,5 20,5\n2,0 -3,0\n"),
        ("a.txt", "1\r10\r".replace("\r1", "\t1").replace('\r', "\r1.5\t20.5\r2\t-3\r").as_str()),
        ("a.dat", "1.0D+00 1.0+01\n0.15d1 0.205E2\n2.0d0 -3.0-00\n"),
        ("a.xy", "# comment\n! comment\n/ comment\n' comment\n; comment\n* comment\n1 10 # first\n\n1.5 20.5 ! second\n2 -3\n"),
        ("a.xy", "/*\n 7 7\n*/\n1 10\n/* one line */\n1.5 20.5\n2 -3\n"),
        ("a.xy", "title of many words\nanother 12 words\n1 10\n1.5 20.5\n2 -3\n"),
        ("a.chi", "title\n2-Theta Angle (Degrees)\nIntensity\n       3\n 1.0E+00  1.0E+01\n 1.5E+00  2.05E+01\n 2.0E+00 -3.0E+00\n"),
        ("a.chi", "2018 25\nangle\nintensity\n3\n1 10\n1.5 20.5\n2 -3\n"),
        ("a.chi", "# k chi\n1 10\n1.5 20.5\n2 -3\n"),
        ("a.xy", "2 -3\n1.5 20.5\n1 10\n"),
        ("a.xy", "1 10\nnan 5\n1.2 NaN\n1.3 inf\n1.5 20.5\n1.6 -Infinity\n2 -3\n"),
    ] {
        let frame = read(name, text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        assert_eq!((&frame.x[..], &frame.y[..]), (&X[..], &Y[..]), "{text:?}");
        assert_eq!(frame.sigma, None);
        assert_eq!(frame.dropped, text.to_lowercase().matches("nan").count() + text.to_lowercase().matches("inf").count(), "{text:?}");
        assert_eq!((frame.number, frame.name.as_str(), frame.source.as_str()), (1, "a", name));
        assert_eq!(frame.monitor, [1.0]);
    }
}

#[test]
fn a_comment_may_hold_latin_1_bytes() {
    let frame = read("a.xy", b"# Temperatur 25 \xb0C\n1 10\n1.5 20.5\n2 -3\n").expect("loads");
    assert_eq!(frame.y, Y);
}

#[test]
fn columns_in_any_order() {
    let text = "1 7 10 9 3\n1.5 7 20.5 9 4\n2 7 -3 9 5\n";
    let frame = read_as("a.dat", text, |d| d.columns = columns("x - y - sigma")).expect("loads");
    assert_eq!((&frame.x[..], &frame.y[..], frame.sigma.as_deref()), (&X[..], &Y[..], Some(&[3.0, 4.0, 5.0][..])));
    let frame =
        read_as("a.iexy", "# Intensity Error DeltaE\n10 3 1\n20.5 4 1.5\n-3 5 2\n", |d| d.columns = columns("y sigma x")).expect("loads");
    assert_eq!((&frame.x[..], &frame.y[..], frame.sigma.as_deref()), (&X[..], &Y[..], Some(&[3.0, 4.0, 5.0][..])));
}

#[test]
fn the_kind_of_file_names_its_columns() {
    let text = "1 10 3\n1.5 20.5 4\n2 -3 5\n";
    assert_eq!(read("a.xye", text).expect("loads").sigma, Some(vec![3.0, 4.0, 5.0]));
    assert!(refusal(read("a.dat", text)).contains("has 3 columns, and nothing says which they are"));
    assert!(refusal(read("a.dat", "1\n2\n")).contains("columns = \"y\""));
    assert_eq!(read("a.dat", format!("# x y sigma\n{text}")).expect("loads").sigma, Some(vec![3.0, 4.0, 5.0]));
}

#[test]
fn a_descending_file_takes_sigma_and_monitor_along() {
    let frame = read_as("a.dat", "2 -3 5 8\n1.5 20.5 4 7\n1 10 3 6\n", |d| {
        d.columns = columns("x y sigma i0");
        d.normalise = Some("i0".into());
    })
    .expect("loads");
    assert_eq!((&frame.x[..], &frame.y[..]), (&X[..], &Y[..]));
    assert_eq!((frame.sigma, frame.monitor), (Some(vec![3.0, 4.0, 5.0]), vec![6.0, 7.0, 8.0]));
}

#[test]
fn without_an_x_column_x_is_counted_or_comes_from_the_spec() {
    let frame = read_as("a.dat", "5\r\n6\r\n7\r\n", |d| d.columns = columns("y")).expect("loads");
    assert_eq!((frame.x, frame.y), (vec![0.0, 1.0, 2.0], vec![5.0, 6.0, 7.0]));
    let frame = read_as("a.dat", "5\n6\n7\n", |d| d.x.start_step = Some((10.0, -0.5))).expect("loads");
    assert_eq!((frame.x, frame.y), (vec![9.0, 9.5, 10.0], vec![7.0, 6.0, 5.0]));
}

#[test]
fn x_is_converted_and_sorted_again() {
    let text = "0 9 1\n10 1 1\n20 2 2\n30 3 3\n";
    let converted = |name: &str, unit: &str| {
        read_as("a.xye", text, |d| {
            d.x.file = Some("two_theta".into());
            d.x.name = name.into();
            d.x.unit = unit.into();
            d.wavelength = Some(0.5);
        })
    };
    let q = converted("q", "1/nm").expect("loads");
    // 4π sin(5°)/0.5 Å = 2.190462… Å⁻¹
    assert!((q.x[1] - 21.904_627_3).abs() < 1e-6, "{}", q.x[1]);
    assert_eq!((q.dropped, q.y.len()), (0, 4));
    let d = converted("d", "angstrom").expect("loads");
    assert_eq!((&d.y[..], d.sigma.as_deref(), d.dropped), (&[3.0, 2.0, 1.0][..], Some(&[3.0, 2.0, 1.0][..]), 1));
    // λ/(2 sin 15°)
    assert!((d.x[0] - 0.965_925_826).abs() < 1e-8, "{}", d.x[0]);
    let missing = read_as("a.xy", "1 1\n2 2\n", |d| {
        d.x.file = Some("two_theta".into());
        d.x.name = "q".into();
    });
    assert!(missing.expect_err("no wavelength").to_string().contains("wavelength"));
}

#[test]
fn saturated_points_are_dropped_and_counted() {
    let frame = read_as("a.xy", "1 10\n2 1e6\n3 1000001\n4 nan\n5 7\n", |d| d.mask_above = Some(1e6)).expect("loads");
    assert_eq!((frame.x, frame.masked, frame.dropped), (vec![1.0, 2.0, 5.0], 1, 1));
}

#[test]
fn gsas_fxye() {
    let header = "scan of 2011\n# Temp (K) =              6.778 \n# Calibrated wavelength = 0.413263 \n";
    let rows = "  50.000000 65.2 11.5 \n 50.200000 91.1 13.6 \n 50.400000 83.8 13.1 \n";
    let frame =
        read_as("a.fxye", format!("{header}BANK 1 3 3 CONS 50.0 0.2  0 0 FXYE\n{rows}"), |d| d.axis_header = Some("temperature".into()));
    let frame = frame.expect("loads");
    assert_eq!((&frame.x[..], &frame.y[..]), (&[0.5, 0.502, 0.504][..], &[65.2, 91.1, 83.8][..]));
    assert_eq!((frame.sigma, frame.axis), (Some(vec![11.5, 13.6, 13.1]), Some(6.778)));
    assert!(frame.metadata.contains(&("temperature_K".into(), "6.778".into())));
    assert!(frame.metadata.contains(&("Calibrated wavelength".into(), "0.413263".into())));
    for (bank, reason) in [
        ("BANK 1 4 4 CONS 50.0 0.2 0 0 FXYE", "a.fxye:4: BANK promises 4 points of 3 numbers; the file holds 3 of 3"),
        ("BANK 1 3 3 CONS 50.0 0.2 0 0 ESD", "of type ESD"),
        ("BANK 1 3 3 CONST 50.0 0.2 0 0", "of type STD"),
        ("BANK 1 3 3 SLOG 50.0 0.2 0 0 FXYE", "time of flight"),
        ("BANK 1 3 3 CONS 50.0 0.2 0 0 FXYE\nBANK 2 3 3 CONS 50.0 0.2 0 0 FXYE", "a.fxye:5: a second bank"),
        ("BANK", "of type"),
        ("", "has no BANK line"),
    ] {
        let text = refusal(read("a.fxye", format!("{header}{bank}\n{rows}")));
        assert!(text.contains(reason), "{text}");
    }
    let absent = read_as("a.fxye", format!("BANK 1 3 3 CONS 50.0 0.2 0 0 FXYE\n{rows}"), |d| d.axis_header = Some("temperature".into()));
    assert!(refusal(absent).contains("no number for the axis \"temperature\""));
}

#[test]
fn npy_of_every_type_and_order() {
    fn all(little: bool, numbers: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Vec<u8> {
        numbers.flat_map(|(le, be)| if little { le } else { be }).collect()
    }
    macro_rules! check {
        ($($type:ty => $code:literal),+) => {$(
            for (little, sign) in [(true, '<'), (false, '>')] {
                let numbers = [3.0, 7.0, 100.0].into_iter().map(|v| (v as $type).to_le_bytes().to_vec()).zip([3.0, 7.0, 100.0].into_iter().map(|v| (v as $type).to_be_bytes().to_vec()));
                let file = npy(1, &format!("{sign}{}", $code), false, "(3,)", &all(little, numbers));
                assert_eq!(read("a.npy", file).expect($code).y, [3.0, 7.0, 100.0]);
            }
        )+};
    }
    check!(f32 => "f4", f64 => "f8", i16 => "i2", i32 => "i4", i64 => "i8", u16 => "u2", u32 => "u4", u64 => "u8");
    assert_eq!(read("a.npy", npy(1, "|u1", false, "(3, 1)", &[1, 2, 255])).expect("u1").y, [1.0, 2.0, 255.0]);
    assert_eq!(read("a.npy", npy(3, "|i1", false, "(3,)", &[1, 2, 255])).expect("i1").y, [1.0, 2.0, -1.0]);
}

#[test]
fn npy_of_two_dimensions() {
    // Rows: (1, 10), (2, 20), (3, 30).
    let c_order: Vec<u8> = [1u8, 10, 2, 20, 3, 30].into();
    let fortran: Vec<u8> = [1u8, 2, 3, 10, 20, 30].into();
    for (order, bytes) in [(false, c_order), (true, fortran)] {
        let file = npy(2, "|u1", order, "(3, 2)", &bytes);
        let frame = read("a.npy", &file).expect("loads");
        assert_eq!((&frame.x[..], &frame.y[..]), (&[1.0, 2.0, 3.0][..], &[10.0, 20.0, 30.0][..]));
        let frame = read_as("a.npy", &file, |d| d.layout = Layout::Rows).expect("loads");
        assert_eq!((&frame.x[..], &frame.y[..], frame.source.as_str()), (&[0.0, 1.0][..], &[1.0, 10.0][..], "a.npy row 1"));
    }
}

#[test]
fn npy_that_numpy_would_not_write() {
    let good = npy(1, "<f8", false, "(2,)", &[0; 16]);
    for (bytes, reason) in [
        (good[..good.len() - 1].to_vec(), "promises 2 × 1 numbers and holds 1"),
        (good[..20].to_vec(), "is not a complete .npy file"),
        (b"1 2\n3 4\n".to_vec(), "is not a complete .npy file"),
        (npy(1, "<c16", false, "(2,)", &[0; 32]), "numbers of type <c16"),
        (npy(1, "<f8", false, "()", &[0; 8]), "array of 0 dimensions"),
        (npy(1, "<f8", false, "(2, 2, 2)", &[0; 64]), "array of 3 dimensions"),
        (npy(1, "<f8", false, "(0,)", &[]), "without numbers"),
        (npy(1, "<f8", false, "(18446744073709551615, 18446744073709551615)", &[]), "promises"),
        (npy(1, "<f8", false, "(99999999999999999999999,)", &[]), "has a header"),
        (npy(1, "é", false, "(2,)", &[]), "numbers of type é"),
        (npy(9, "<f8", false, "(2,)", &[0; 16]), "is not a complete"),
    ] {
        let text = refusal(read("a.npy", bytes));
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn the_hash_is_that_of_the_numbers() {
    let hash = |text: &str| read("a.xye", text).expect("loads").hash;
    let first = hash("1 10 3\n2 20 4\n");
    assert_eq!(first.len(), 64);
    assert_eq!(first, hash("# same numbers\n2.0,2e1,4\n1,10,3\n"));
    for other in ["1 10 3\n2 20 5\n", "1 10 3\n2 21 4\n", "1 10 3\n3 20 4\n"] {
        assert_ne!(first, hash(other));
    }
    assert_ne!(first, read("a.xy", "1 10\n2 20\n").expect("loads").hash);
    // hashlib.sha256(struct.pack("<Q2dQ2dQQd", 2, 1, 2, 2, 10, 20, 0, 1, 1)), Python 3.
    assert_eq!(read("a.xy", "1 10\n2 20\n").expect("loads").hash, "88eca7236b507ac4e643404e5c9165ca6d8e3d15727c8b9d30862cda4236c78b");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        points in proptest::collection::vec((1e-6..1e3f64, -1e9..1e9f64, 1e-9..1e9f64), 2..40),
        style in 0..6usize,
        descending: bool,
    ) {
        let mut x = 0.0;
        let mut rows: Vec<[f64; 3]> = points.iter().map(|(step, y, sigma)| { x += step; [x, *y, *sigma] }).collect();
        let expected = rows.clone();
        if descending {
            rows.reverse();
        }
        let text: String = rows.iter().map(|row| {
            let fields: Vec<String> = row.iter().map(|v| match style {
                3 | 4 => format!("{v:?}").replace('.', ","),
                5 => format!("{v:e}").replace('e', "D"),
                _ => format!("{v:?}"),
            }).collect();
            fields.join([" ", "\t", ",", ";", "   ", " "][style]) + "\n"
        }).collect();
        let frame = read("a.xye", text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&frame.x, &expected.iter().map(|r| r[0]).collect::<Vec<_>>());
        prop_assert_eq!(&frame.y, &expected.iter().map(|r| r[1]).collect::<Vec<_>>());
        prop_assert_eq!(frame.sigma, Some(expected.iter().map(|r| r[2]).collect::<Vec<_>>()));
    }
}
