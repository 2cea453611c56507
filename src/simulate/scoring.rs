//! The curve of a model that is nearest to a truth, by scoring steps damped after Levenberg and Marquardt and held within bounds.

use nalgebra::{DMatrix, DVector};

use super::Scale;

/// Where a fit stands.
pub(crate) trait Standing: Sized {
    /// Distance from the truth in nats.
    fn nats(&self) -> f64;

    /// Slope of the distance, and Fisher information, of all parameters; those that are held have a slope of 0 and the row of a unit matrix.
    fn derivatives(&self) -> (DVector<f64>, DMatrix<f64>);

    /// The parameters less a step, held within bounds; none where that is impossible.
    fn stepped(&self, step: &DVector<f64>) -> Option<Self>;
}

/// The nearest curve that is reached from a start.
pub(crate) fn nearest<S: Standing>(mut here: S) -> S {
    /// More than any fit of a few peaks takes.
    const MOST_STEPS: usize = 300;
    let mut damping = 1e-3;
    for _ in 0..MOST_STEPS {
        let (slope, information) = here.derivatives();
        let Some(next) = downhill(&here, &slope, &information, &mut damping) else { break };
        let gain = here.nats() - next.nats();
        here = next;
        // Far below the third decimal of what is reported.
        if gain < 1e-9 * (1.0 + here.nats()) {
            break;
        }
    }
    here
}

/// The first damped step that leads downhill; none where there is none.
fn downhill<S: Standing>(here: &S, slope: &DVector<f64>, information: &DMatrix<f64>, damping: &mut f64) -> Option<S> {
    while *damping < 1e12 {
        let mut damped = information.clone();
        for i in 0..slope.len() {
            damped[(i, i)] *= 1.0 + *damping;
        }
        let next = damped.cholesky().and_then(|c| here.stepped(&c.solve(slope)));
        if let Some(next) = next.filter(|n| n.nats() < here.nats()) {
            *damping = (*damping * 0.2).max(1e-12);
            return Some(next);
        }
        *damping *= 8.0;
    }
    None
}

/// Fisher information of parameters whose derivatives of the curve are `columns`.
pub(crate) fn information(columns: &[Vec<f64>], curve: &[f64], scale: Scale) -> DMatrix<f64> {
    let weights: Vec<f64> = curve.iter().map(|g| scale.information(*g)).collect();
    let n = columns.len();
    DMatrix::from_fn(n, n, |i, j| columns[i].iter().zip(&columns[j]).zip(&weights).map(|((a, b), w)| a * b * w).sum())
}

/// Slope of the distance from `target` to `curve` and Fisher information. A parameter at its lower or upper bound (`ends`) that the slope pushes
/// against it is held, and so is one that does not change the curve.
pub(crate) fn derivatives(
    columns: &[Vec<f64>],
    ends: &[(bool, bool)],
    (target, curve): (&[f64], &[f64]),
    scale: Scale,
) -> (DVector<f64>, DMatrix<f64>) {
    let slopes: Vec<f64> = target.iter().zip(curve).map(|(f, g)| scale.slope(*f, *g)).collect();
    let mut slope = DVector::from_fn(columns.len(), |i, _| columns[i].iter().zip(&slopes).map(|(c, s)| c * s).sum());
    let mut information = information(columns, curve, scale);
    for (i, (at_low, at_high)) in ends.iter().enumerate() {
        if *at_low && slope[i] > 0.0 || *at_high && slope[i] < 0.0 || information[(i, i)] <= 0.0 {
            slope[i] = 0.0;
            information.row_mut(i).fill(0.0);
            information.column_mut(i).fill(0.0);
            information[(i, i)] = 1.0;
        }
    }
    (slope, information)
}
