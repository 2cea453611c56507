//! What defaults are derived from: noise from neighbours, and the scales of a series.

use keisoku::dataset::{Dataset, SeriesSummary, neighbour_noise};

use super::{columns, data, folder};

/// Standard normal numbers: Box and Muller on SplitMix64 (Steele, Lea, Flood 2014).
fn normals(mut state: u64) -> impl FnMut() -> f64 {
    let mut uniform = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / 2f64.powi(53)
    };
    move || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
}

/// White noise of σ = 0.3 on a slope and a peak 15 points wide, 2000 points.
///
/// The estimate has a relative standard error of 1.43/√N = .032 (4000 simulated curves, numpy): adjacent differences share points.
#[test]
fn noise_is_found_under_slopes_and_peaks() {
    let curve = |i: usize| 5.0 + 0.01 * i as f64 + 40.0 * (-((i as f64 - 900.0) / 6.5).powi(2) / 2.0).exp();
    let estimate = |seed: u64, noise: f64| {
        let mut normal = normals(seed);
        let y: Vec<f64> = (0..2000).map(|i| curve(i) + noise * normal()).collect();
        neighbour_noise(&y)
    };
    let mean = (0..20).map(|seed| estimate(seed, 0.3)).sum::<f64>() / 20.0;
    // Over 20 curves the standard error is .032·.3/√20 = .0021 and the bound 3.7 of them; a constant that is 3 % too large (mutant) is beyond it.
    assert!((mean - 0.3).abs() < 0.008, "{mean}");
    assert!((estimate(1, 0.6) / estimate(1, 0.3) - 2.0).abs() < 0.05);
}

#[test]
fn scales_of_a_series() {
    let here = folder(&[
        ("1.xye", b"0 5 1\n1 7 2\n2 9 3\n3 7 2\n4 5 1\n9 1000 50\n"),
        ("2.xye", b"0 2 .5\n1 2 1\n2 6 1\n3 2 1\n4 2 1\n"),
        ("3.xye", b"no numbers\n"),
        ("4.xye", b"10 1 1\n11 1 1\n"),
    ]);
    let data = data(here.path(), "*.xye");
    let dataset = Dataset::open(&data).expect("opens");
    let all = SeriesSummary::of(&dataset, &data, (0.0, 4.0), &[]).expect("summarised");
    assert_eq!((all.frames, all.skipped, all.points), (2, 2, (5, 5)));
    assert_eq!((all.x, all.spacing, all.y), ((0.0, 4.0), 1.0, (2.0, 9.0)));
    // (0+2)/2 + (2+4)/2 + … = 8 above 5; the other frame has 4 above 2.
    assert_eq!(all.area, 8.0);
    assert!(all.counts);
    assert_eq!(all.sigma, Some((0.5, 3.0)));
    // |second differences| 0 4 0 → median 0 → root mean square 4/√18; and 4 8 4 → 4 · .60527.
    assert!((all.noise - 0.5 * (4.0 / 18f64.sqrt() + 4.0 * 0.605_269_821)).abs() < 1e-8, "{}", all.noise);
    let without = SeriesSummary::of(&dataset, &data, (0.0, 4.0), &[(1.5, 2.5)]).expect("summarised");
    assert_eq!((without.points, without.y, without.sigma), ((4, 4), (2.0, 7.0), Some((0.5, 2.0))));
    let nothing = SeriesSummary::of(&dataset, &data, (100.0, 200.0), &[]).expect_err("nothing there").to_string();
    assert!(nothing.contains("no frame has a point between 100 and 200"), "{nothing}");
}

#[test]
fn a_monitor_scales_everything_but_the_counts() {
    let here = folder(&[("1.dat", b"0 10 2\n1 30 2\n2 10 2\n")]);
    let mut data = data(here.path(), "*.dat");
    data.columns = columns("x y i0");
    data.normalise = Some("i0".into());
    let dataset = Dataset::open(&data).expect("opens");
    let summary = SeriesSummary::of(&dataset, &data, (f64::NEG_INFINITY, f64::INFINITY), &[]).expect("summarised");
    assert_eq!((summary.y, summary.area, summary.counts, summary.sigma), ((5.0, 15.0), 10.0, true, None));
}

#[test]
fn fractions_and_negative_values_are_no_counts() {
    for text in ["0 1\n1 2.5\n", "0 1\n1 -2\n"] {
        let here = folder(&[("1.xy", text.as_bytes())]);
        let data = data(here.path(), "*.xy");
        let summary = SeriesSummary::of(&Dataset::open(&data).expect("opens"), &data, (0.0, 1.0), &[]).expect("summarised");
        assert!(!summary.counts);
    }
}

#[test]
fn a_long_series_is_sampled_from_end_to_end() {
    let files: Vec<(String, String)> = (0..1500).map(|i| (format!("{i}.xy"), format!("0 {i}\n1 {i}\n"))).collect();
    let borrowed: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let here = folder(&borrowed);
    let data = data(here.path(), "*.xy");
    let summary = SeriesSummary::of(&Dataset::open(&data).expect("opens"), &data, (0.0, 1.0), &[]).expect("summarised");
    assert_eq!((summary.frames, summary.y), (1000, (0.0, 1499.0)));
}
