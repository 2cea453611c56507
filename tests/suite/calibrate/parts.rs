//! The pure parts: ranks, histograms, bands, sums of coins, levels, reliability.

use keisoku::calibrate::rank::{draws_of, rank};
use keisoku::calibrate::tally::{band, coins, histogram, holm};
use keisoku::calibrate::{DataSet, chances, reliability};
use keisoku::random::{Key, Stream};

#[test]
fn ranks_fall_into_equal_bins() {
    let even = histogram((0..160).map(|i| (i % 16, 15)));
    assert_eq!((even.counts.as_slice(), even.chi2, even.degrees, even.p), ([10; 16].as_slice(), 0.0, 15, Some(1.0)));
    // Ranks among 15, 31 and 127 draws share bins.
    let mixed = histogram([(0, 15), (1, 31), (15, 127), (16, 31)].into_iter().cycle().take(20).collect::<Vec<_>>().into_iter());
    assert_eq!(mixed.counts, [15, 0, 5, 0]);
    assert_eq!(mixed.chi2, 30.0);
    // χ² of 3 degrees of freedom beyond 30: 1.3800570e-6.
    assert!((mixed.p.unwrap_or(1.0) / 1.380_057e-6 - 1.0).abs() < 1e-5, "{:?}", mixed.p);
    let few = histogram((0..9).map(|i| (i, 15)));
    assert_eq!((few.counts.as_slice(), few.p), ([9].as_slice(), None));
    assert_eq!(histogram(std::iter::empty()).chi2, 0.0);
}

#[test]
fn bands_hold_what_they_say() {
    // Binomial(200, .68): .0046 lie below 119; above 152 lie .0053, which are too many, so the band ends at 153.
    let (n, p) = (200, 0.68);
    let (low, high) = band(n, p, 0.005);
    assert_eq!((low, high), (119, 153));
    let all = vec![p; n];
    // `coins` doubles the tail from the sum on.
    assert!(coins(&all, low - 1) <= 0.01 && coins(&all, low) > 0.01, "{low}");
    assert!(coins(&all, high + 1) <= 0.01 && coins(&all, high) > 0.01, "{high}");
    assert_eq!(band(1, 0.5, 0.005), (0, 1));
}

#[test]
fn unequal_coins_are_summed_exactly() {
    // P(0) = .9·.5 = .45, P(1) = .1·.5 + .9·.5 = .5, P(2) = .05.
    for (sum, p) in [(0, 0.9), (1, 1.0), (2, 0.1)] {
        assert!((coins(&[0.1, 0.5], sum) - p).abs() < 1e-15, "{sum}");
    }
    assert_eq!(coins(&[1.0, 0.0], 2), 0.0);
    assert_eq!(coins(&[], 0), 1.0);
}

#[test]
fn holm_steps_down() {
    // .004 ≤ .01/2 lets the next one be compared with .01, which Bonferroni would not.
    assert_eq!(holm(&[0.008, 0.004], 0.01), [true, true]);
    assert_eq!(holm(&[0.008, 0.006], 0.01), [false, false]);
    assert_eq!(holm(&[0.5, 0.001, 0.02], 0.01), [false, true, false]);
    assert_eq!(holm(&[], 0.01), [false; 0]);
}

#[test]
fn draws_are_no_more_than_are_independent() {
    for (ess, draws) in [(f64::NAN, 15), (3.0, 15), (61.9, 15), (62.0, 31), (400.0, 127), (1e9, 1023)] {
        assert_eq!(draws_of(ess), draws, "{ess}");
    }
}

#[test]
fn a_rank_counts_the_draws_below() {
    let mut stream = Key::new(1, "", "", "", 0).stream(0, 0, 0);
    // Four chains that run to and fro through 0…99: no two draws alike within a chain.
    let chains: Vec<Vec<f64>> = (0..4).map(|c| (0..100).map(|i| f64::from((37 * i + 11 * c) % 100)).collect()).collect();
    let of = |truth: f64, stream: &mut Stream| rank(truth, &chains, stream).expect("draws");
    let (low, middle, high) = (of(-1.0, &mut stream), of(49.5, &mut stream), of(100.0, &mut stream));
    assert_eq!((low.rank, high.rank), (0, high.draws));
    assert_eq!((low.inside, middle.inside), ([false; 3], [true; 3]));
    assert_eq!(of(20.0, &mut stream).inside, [false, true, true]);
    assert!((middle.rank as f64 / middle.draws as f64 - 0.5).abs() < 0.1, "{middle:?}");
    assert_eq!(rank(0.0, &[], &mut stream), None);
}

/// All draws equal to the truth: every rank is as likely. 2000 ranks of 0…15 beyond the 10⁻⁴ quantile of χ² once in 10⁴ seeds; put
/// below the truth, all would be 15.
#[test]
fn ties_are_split_at_random() {
    let mut stream = Key::new(2, "", "", "", 0).stream(0, 0, 0);
    let chains = [vec![1.0; 10], vec![1.0; 10]];
    let ranks: Vec<(usize, usize)> = (0..2000).filter_map(|_| rank(1.0, &chains, &mut stream)).map(|r| (r.rank, r.draws)).collect();
    let found = histogram(ranks.into_iter());
    assert!(found.p.is_some_and(|p| p > 1e-4), "{found:?}");
}

fn set(index: usize, p: f64) -> DataSet {
    DataSet {
        data_set: 1,
        candidate: String::new(),
        index,
        truth: Vec::new(),
        probabilities: vec![p, 1.0 - p],
        verdict: Vec::new(),
        best_verdict: Vec::new(),
        ranks: Vec::new(),
    }
}

#[test]
fn probabilities_that_are_kept_are_told_from_boasts() {
    let labels = ["K=0".to_owned(), "K=1".to_owned()];
    // Of a hundred data sets that give K = 0 a fifth, twenty are its.
    let kept: Vec<DataSet> = (0..100).map(|i| set(usize::from(i % 5 != 0), 0.2)).collect();
    let [first, second] = &chances(&labels, &kept)[..] else { panic!("two candidates") };
    assert_eq!((first.truths, second.truths), (20, 80));
    assert!(first.z.abs() < 1e-12 && first.p > 0.99, "{first:?}");
    let table = reliability(&labels, &kept);
    assert_eq!(table.iter().map(|t| (t.from, t.number, t.true_share)).collect::<Vec<_>>(), [(0.2, 100, 0.2), (0.8, 100, 0.8)]);
    // The same truths where every tenth was expected: z = 10/3, and 20 or more of Binomial(100, .1) have p = .0020.
    let boast: Vec<DataSet> = kept.iter().map(|s| set(s.index, 0.1)).collect();
    let first = &chances(&labels, &boast)[0];
    assert!((first.z - 10.0 / 3.0).abs() < 1e-12 && (first.p - 2.0 * 0.001_979).abs() < 1e-5, "{first:?}");
    assert_eq!(chances(&labels[..1], &kept), []);
}
