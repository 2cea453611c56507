//! The Mössbauer site: known splittings, intensities and the invariances of a powder spectrum.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use approx::assert_abs_diff_eq;
use keisoku::models::mossbauer::{Line, Site};
use proptest::prelude::*;

const NOTHING: Site = Site { quadrupole: 0.0, field: 0.0, eta: 0.0, theta: 0.0, phi: 0.0 };

/// Lines with intensity, coinciding ones merged, by velocity.
fn merged(site: Site) -> Vec<Line> {
    let mut lines = site.lines().unwrap().to_vec();
    lines.retain(|l| l.weight > 1e-9);
    lines.sort_by(|a, b| a.velocity.total_cmp(&b.velocity));
    let mut out: Vec<Line> = Vec::new();
    for line in lines {
        match out.last_mut() {
            Some(last) if (last.velocity - line.velocity).abs() < 1e-9 => last.weight += line.weight,
            _ => out.push(line),
        }
    }
    out
}

/// The absorption at v with lines of a full width of .3 mm/s and height W.
fn absorption(site: Site, v: f64) -> f64 {
    site.lines().unwrap().iter().map(|l| l.weight / (1.0 + ((v - l.velocity) / 0.15).powi(2))).sum()
}

/// The largest difference of two spectra, of which each line is at most 1 high.
fn difference(a: Site, b: Site) -> f64 {
    (-120..=120).map(|i| 0.1 * f64::from(i)).map(|v| (absorption(a, v) - absorption(b, v)).abs()).fold(0.0, f64::max)
}

#[test]
fn metallic_iron_is_a_sextet() {
    let lines = merged(Site { field: 33.04, theta: 0.7, phi: 2.0, ..NOTHING });
    let expected = [(-5.329, 3.0), (-3.085, 2.0), (-0.842, 1.0), (0.842, 1.0), (3.085, 2.0), (5.329, 3.0)];
    assert_eq!(lines.len(), 6);
    for (line, (velocity, ratio)) in lines.iter().zip(expected) {
        assert_abs_diff_eq!(line.velocity, velocity, epsilon = 1e-3);
        assert_abs_diff_eq!(line.weight, ratio / 12.0, epsilon = 1e-12);
    }
}

#[test]
fn a_field_gradient_alone_is_a_doublet() {
    for (quadrupole, eta) in [(0.3, 0.0), (-0.3, 0.6), (0.05, 1.0)] {
        let lines = merged(Site { quadrupole, eta, ..NOTHING });
        assert_eq!(lines.len(), 2);
        let splitting = 6.0 * f64::abs(quadrupole) * f64::sqrt(1.0 + eta * eta / 3.0);
        assert_abs_diff_eq!(lines[1].velocity - lines[0].velocity, splitting, epsilon = 1e-12);
        assert_abs_diff_eq!(lines[0].weight, 0.5, epsilon = 1e-12);
    }
}

#[test]
fn nothing_is_one_line() {
    let lines = merged(NOTHING);
    assert_eq!(lines.len(), 1);
    assert_abs_diff_eq!(lines[0].weight, 1.0, epsilon = 1e-12);
}

prop_compose! {
    fn site()(quadrupole in -1.0..1.0, field in 0.0..40.0, eta in 0.0..1.0, theta in 0.0..PI, phi in 0.0..TAU) -> Site {
        Site { quadrupole, field, eta, theta, phi }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(57), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn weights_add_up_to_one(s in site()) {
        let lines = s.lines().unwrap();
        prop_assert!((lines.iter().map(|l| l.weight).sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert!(lines.iter().all(|l| l.weight >= 0.0));
        // The traces of both Hamiltonians vanish.
        prop_assert!(lines.iter().map(|l| l.velocity).sum::<f64>().abs() < 1e-10);
    }

    #[test]
    fn powder_spectra_do_not_tell_mirrored_fields_apart(s in site()) {
        let same = [
            Site { phi: -s.phi, ..s },
            Site { phi: PI - s.phi, ..s },
            Site { theta: PI - s.theta, ..s },
            Site { field: -s.field, ..s },
            Site { eta: -s.eta, phi: s.phi + FRAC_PI_2, ..s },
        ];
        for other in same {
            prop_assert!(difference(s, other) < 1e-9, "{s:?} and {other:?}: {}", difference(s, other));
        }
    }
}

#[test]
fn what_is_no_symmetry_is_seen() {
    let s = Site { quadrupole: 0.4, field: 12.0, eta: 0.5, theta: 0.8, phi: 0.6 };
    let others = [
        Site { phi: s.phi + 1.5, ..s },
        Site { theta: s.theta + 0.3, ..s },
        Site { quadrupole: -s.quadrupole, ..s },
        Site { eta: -s.eta, ..s },
        Site { field: s.field * 1.001, ..s },
    ];
    for other in others {
        assert!(difference(s, other) > 1e-4, "{other:?}: {}", difference(s, other));
    }
}
