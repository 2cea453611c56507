//! Supports: outside of one a term is below the floor, and it is not much wider than that.

use keisoku::models::{Extent, MODELS, Model, Role, Setup, ShapeKind};
use rand::RngExt;

use crate::fixtures::{self, Random};

/// Models of a shape of their own that has a position.
fn peaks() -> impl Iterator<Item = &'static Model> {
    MODELS.iter().filter(|m| m.shape.is_local() && (m.extent)(0).repeats == 1)
}

/// Coefficients of a peak on [−1, 1]: heights over nine decades, widths over four, shapes within their bounds.
fn draw(model: &Model, rng: &mut Random) -> Vec<f64> {
    let setup = Setup { height: true, ..Setup::default() };
    let mut out = vec![0.0; (model.extent)(0).stride];
    loop {
        let mut of = |low: f64, high: f64| (low + (high - low) * rng.random::<f64>()).exp2();
        let parameters = (model.parameters)(0);
        let theta: Vec<f64> = parameters
            .iter()
            .map(|q| match q.role {
                Role::Center => of(-3.0, 1.0) - 1.0,
                Role::Width => of(-10.0, 2.0),
                Role::Amplitude => of(-10.0, 20.0),
                _ => of(-6.0, 6.0).clamp(q.bounds.0, q.bounds.1),
            })
            .collect();
        if (model.prepare)(&theta, &setup, &mut out).is_ok() {
            return out;
        }
    }
}

/// Largest value, in floors, outside the supports of many peaks; and the least at six tenths of their reach, of those as high as a thousand floors.
fn outside_and_inside(shape: ShapeKind, c: &[f64], floor: f64, all: &mut (f64, f64)) {
    let (low, high) = shape.support(c, Extent { repeats: 1, stride: c.len() }, floor);
    let position = c[shape.position().expect("it is a peak")];
    let value = |t: f64| shape.eval_f64(t, c).abs() / floor;
    if low > high {
        all.0 = all.0.max(value(position));
        return;
    }
    for end in [low, high] {
        // The Voigt function is computed to 4·10⁻⁹ of its height.
        let beyond = [1.0 + 1e-12, 1.01, 1.1, 2.0, 10.0].map(|k| value(position + k * (end - position)) - 4e-9 * value(position));
        all.0 = beyond.into_iter().fold(all.0, f64::max);
        if value(position) > 1000.0 {
            all.1 = all.1.min(value(position + 0.6 * (end - position)));
        }
    }
}

#[test]
fn outside_its_support_a_peak_is_below_the_floor() {
    for model in peaks() {
        let mut rng = fixtures::random(1);
        let (mut sound, mut mutant) = ((0.0, f64::INFINITY), (0.0, f64::INFINITY));
        for _ in 0..20_000 {
            let c = draw(model, &mut rng);
            outside_and_inside(model.shape, &c, 1e-3, &mut sound);
            // Supports of a floor too high are too narrow.
            outside_and_inside(model.shape, &c, 2e-3, &mut mutant);
        }
        let (outside, inside) = sound;
        println!("{:>20}: at most {outside:.3} floors outside, at least {inside:.1} at six tenths of the reach", model.name);
        assert!(outside <= 1.0 + 1e-9 && inside >= 1.0, "{}: {outside}, {inside}", model.name);
        assert!(2.0 * mutant.0 > 1.0 + 1e-9, "{}: a mutant is not seen: {}", model.name, 2.0 * mutant.0);
    }
}

/// Shapes without a position are everywhere.
#[test]
fn only_peaks_have_supports_that_end() {
    for shape in ShapeKind::ALL {
        let (low, high) = shape.support(&[1.0, 0.5, 2.0, 1.5, 1.2], Extent { repeats: 1, stride: 5 }, 1e-3);
        assert_eq!(low.is_finite() && high.is_finite(), shape.is_local(), "{}", shape.stem());
    }
}
