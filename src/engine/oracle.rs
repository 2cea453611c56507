//! The truth for every test: plain f64 loops over all points and all terms, never optimised.

use super::{Engine, Moves, Numbers, POISSON_FLOOR, Roster, Tile, Tiling};
use crate::error::Result;
use crate::problem::{Noise, Problem};

/// The oracle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Oracle;

impl Engine for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn describe(&self) -> String {
        "plain f64 loops".into()
    }

    fn numbers(&self) -> Numbers {
        Numbers::F64
    }

    fn tiling(&self) -> Tiling {
        Tiling::Ladder
    }

    fn tile<'p>(&'p self, roster: Roster<'p>) -> Result<Box<dyn Tile + 'p>> {
        let walkers = roster.walkers();
        let mut problem_of = Vec::with_capacity(walkers);
        for (l, p) in roster.problems.iter().enumerate() {
            problem_of.extend(std::iter::repeat_n(*p, roster.first[l + 1] - roster.first[l]));
        }
        let state = problem_of.iter().map(|p| vec![0.0; p.coefficients()]).collect();
        Ok(Box::new(OracleTile { problem_of, state, pending: Vec::new() }))
    }
}

/// Coefficients of every walker, and those of the last attempt.
struct OracleTile<'p> {
    problem_of: Vec<&'p Problem>,
    state: Vec<Vec<f64>>,
    pending: Vec<(usize, Vec<f64>)>,
}

impl Tile for OracleTile<'_> {
    fn load(&mut self, walkers: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        misfits.clear();
        let mut at = 0;
        for &w in walkers {
            let w = w as usize;
            let n = self.state[w].len();
            self.state[w].copy_from_slice(&coefficients[at..at + n]);
            at += n;
            push_misfits(self.problem_of[w], &self.state[w], misfits);
        }
        Ok(())
    }

    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        misfits.clear();
        self.pending.clear();
        for (list, i) in moves.iter().flat_map(|list| (0..list.len()).map(move |i| (list, i))) {
            let w = list.walker[i] as usize;
            let problem = self.problem_of[w];
            let mut trial = self.state[w].clone();
            let (terms, mut coefficients) = list.of(i);
            for &k in terms {
                let term = &problem.terms[k as usize];
                let (own, others) = coefficients.split_at(term.extent.len());
                trial[term.at..term.at + own.len()].copy_from_slice(own);
                coefficients = others;
            }
            push_misfits(problem, &trial, misfits);
            self.pending.push((w, trial));
        }
        Ok(())
    }

    fn settle(&mut self, choices: &[bool]) -> Result<()> {
        for ((w, trial), &keep) in self.pending.drain(..).zip(choices) {
            if keep {
                self.state[w] = trial;
            }
        }
        Ok(())
    }
}

/// The curve of one measurement at its points, in units of y/scale and without exposure.
pub fn curve(problem: &Problem, measurement: usize, coefficients: &[f64]) -> Vec<f64> {
    let at_point = |t: f64| -> f64 {
        let mut sum = 0.0;
        for term in problem.terms.iter().filter(|term| term.measurement == measurement) {
            for run in coefficients[term.at..term.at + term.extent.len()].chunks_exact(term.extent.stride) {
                sum += term.model.shape.eval_f64(t, run);
            }
        }
        sum
    };
    problem.measurements[measurement].t.iter().map(|&t| at_point(t)).collect()
}

/// The curve of one term at the points of its measurement, in units of y/scale and without exposure.
pub fn term(problem: &Problem, term: usize, coefficients: &[f64]) -> Vec<f64> {
    let term = &problem.terms[term];
    let runs = || coefficients[term.at..term.at + term.extent.len()].chunks_exact(term.extent.stride);
    let at_point = |t: &f64| runs().map(|run| term.model.shape.eval_f64(*t, run)).sum();
    problem.measurements[term.measurement].t.iter().map(at_point).collect()
}

/// Misfits at θ, one a measurement; none where a bound or a model refuses θ.
pub fn misfits(problem: &Problem, theta: &[f64]) -> Option<Vec<f64>> {
    let (mut coefficients, mut misfits) = (vec![0.0; problem.coefficients()], Vec::new());
    problem.prepare_all(theta, &mut coefficients).then(|| {
        push_misfits(problem, &coefficients, &mut misfits);
        misfits
    })
}

/// Appends the misfit of every measurement for one walker's coefficients.
pub fn push_misfits(problem: &Problem, coefficients: &[f64], misfits: &mut Vec<f64>) {
    for (m, data) in problem.measurements.iter().enumerate() {
        let f = curve(problem, m, coefficients);
        let misfit: f64 = match data.noise {
            Noise::Gaussian | Noise::Scaled { .. } => {
                f.iter().zip(&data.y).zip(&data.weight).map(|((f, y), w)| ((y - f) * w).powi(2)).sum()
            }
            Noise::Poisson => {
                let exposure = |i: usize| data.exposure.get(i).copied().unwrap_or(1.0);
                data.scale * f.iter().zip(&data.y).enumerate().map(|(i, (f, y))| deviance(*y, f * exposure(i))).sum::<f64>()
            }
        };
        misfits.push(if misfit.is_finite() { misfit } else { super::SENTINEL });
    }
}

/// 2 [y ln(y/f) − (y − f)], with f held above [`POISSON_FLOOR`].
pub fn deviance(y: f64, f: f64) -> f64 {
    // Not `max`, which would turn NaN into the floor.
    let f = if f < POISSON_FLOOR { POISSON_FLOOR } else { f };
    if y == 0.0 {
        return 2.0 * f;
    }
    // y ln(y/f) − (y − f) = y (r − ln(1 + r)) with r = (f − y)/y: no cancellation near f = y; far below it, 1 + r would lose f.
    let r = (f - y) / y;
    2.0 * y * (r - if r < -0.5 { (f / y).ln() } else { r.ln_1p() })
}
