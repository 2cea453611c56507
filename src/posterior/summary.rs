//! One window's answer: intervals of every reported quantity, probabilities, verdict and fit of every candidate.

use super::labels::{self, Quantity};
use super::{CandidateResult, Figures, Fit, ParameterResult, Targets, WindowResult, fit, modes, positions, sensitivity, verdict};
use crate::evidence::noise::{Curve, Inferred, NoiseCurve, NoisePlane, Scan};
use crate::evidence::{self, FreeEnergy};
use crate::problem::{Noise, Problem};
use crate::sampler::Sampled;
use crate::sampler::diagnostics::{convergence, sorted_quantile};

/// The largest count offered may have this probability before `fit` says that the range was too short.
const LARGEST_COUNT: f64 = 0.05;

/// The answer for one window from all its candidates' problems and samples (same order).
pub fn window(problems: &[&Problem], sampled: &[Sampled], targets: &Targets) -> WindowResult {
    let free: Vec<Option<FreeEnergy>> = sampled.iter().map(evidence::free_energy).collect();
    let pairs: Vec<(f64, f64)> = free.iter().map(|f| f.as_ref().map_or((f64::NAN, f64::NAN), |f| (f.value, f.se))).collect();
    let probabilities = evidence::probabilities(&pairs);
    // total_cmp puts NaN last: a candidate without a free energy is never the best.
    let best = (0..pairs.len()).min_by(|&a, &b| pairs[a].0.total_cmp(&pairs[b].0)).unwrap_or(0);
    let noise_plane = free.get(best).and_then(Option::as_ref).and_then(|f| NoisePlane::of(problems[best], &sampled[best], f));
    let mut candidates: Vec<CandidateResult> = problems
        .iter()
        .zip(sampled)
        .zip(free)
        .zip(&probabilities)
        .map(|(((problem, sampled), free), p)| candidate(problem, sampled, free.as_ref(), *p, targets))
        .collect();
    if let Some(best) = candidates.get_mut(best) {
        best.noise_plane = noise_plane;
    }
    let largest = candidates.iter().filter_map(|c| c.k).max();
    let offered = candidates.iter().filter_map(|c| c.k).min() < largest;
    let share: f64 = candidates.iter().filter(|c| c.k == largest).map(|c| c.probability).sum();
    if offered && share > LARGEST_COUNT {
        for (i, c) in candidates.iter_mut().enumerate() {
            if i == best || c.k == largest {
                c.fit.insert(0, Fit::Range);
            }
        }
    }
    let shares: Vec<f64> = probabilities.iter().map(|p| p.0).collect();
    let values: Vec<f64> = pairs.iter().map(|f| f.0).collect();
    WindowResult {
        positions: positions::positions(problems, sampled, &shares),
        sensitivity: sensitivity::sensitivity(problems, sampled, &values, &shares),
        window: problems.first().map(|p| p.window.clone()).unwrap_or_default(),
        points: problems.first().map_or(0, |p| p.points()),
        candidates,
        best,
    }
}

fn candidate(problem: &Problem, sampled: &Sampled, free: Option<&FreeEnergy>, p: (f64, f64), targets: &Targets) -> CandidateResult {
    let (quantities, sorted) = (labels::labelled(problem, sampled), labels::sorted(problem, sampled));
    let worst = verdict::label_free(problem, sampled);
    let heat = free.map_or(0.0, |f| f.heat);
    let (residuals, fit) = fit::examine(problem, sampled, &quantities, heat);
    // Where nothing was kept, the reason is that it was cut, so that a resumed run takes it up again.
    let nothing = || vec![if sampled.timed_out { super::Verdict::Time } else { super::Verdict::FreeEnergy }];
    let verdict = free.map_or_else(nothing, |f| verdict::verdict(problem, sampled, f, &worst, targets));
    let nan = f64::NAN;
    CandidateResult {
        candidate: problem.candidate.clone(),
        k: problem.k,
        free_energy: free.map_or(nan, |f| f.value),
        free_energy_se: free.map_or(nan, |f| f.se),
        free_energy_df: free.map_or(0, |f| f.degrees),
        energy: free.map_or(nan, |f| f.energy),
        entropy: free.map_or(nan, |f| f.entropy),
        probability: p.0,
        probability_se: p.1,
        noise: noise(problem, &quantities),
        noise_curve: free.and_then(|f| noise_curve(problem, sampled, f)),
        noise_plane: None,
        verdict,
        fit,
        figures: Figures {
            betas: sampled.betas.clone(),
            rejection: sampled.rejection.clone(),
            rung_free_energy: free.map_or_else(Vec::new, |f| f.rungs.clone()),
            barrier: sampled.barrier(),
            local_barrier: sampled.local_barrier(),
            round_trips: sampled.round_trips(),
            restarts: sampled.restarts(),
            copies: sampled.copies.len(),
            burn_in: sampled.burn_in,
            sweeps: sampled.copies.first().map_or(0, |c| c.sweeps),
            extended: sampled.extended,
            rhat: worst.rhat,
            ess_bulk: worst.ess_bulk,
            ess_tail: worst.ess_tail,
            bracket: free.map_or(nan, |f| f.forward - f.backward),
            heat,
            drift: sampled.drift,
            broken: sampled.broken,
            misfit: residuals.misfit,
            degrees: residuals.degrees,
            autocorrelation: residuals.autocorrelation,
        },
        parameters: quantities.iter().zip(&sorted).map(|(q, sorted)| parameter(problem, q, sorted)).collect(),
    }
}

/// F as a function of the noise, whether σ is known or its scale inferred.
fn noise_curve(problem: &Problem, sampled: &Sampled, free: &FreeEnergy) -> Option<NoiseCurve> {
    let known = Scan::of(problem, sampled, free).map(|scan| scan.curve());
    known.or_else(|| Inferred::of(problem, sampled, free).map(|inferred| inferred.curve()))
}

fn parameter(problem: &Problem, quantity: &Quantity, sorted: &Quantity) -> ParameterResult {
    let from = &problem.parameters[quantity.parameter];
    let mut all: Vec<f64> = quantity.chains.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let sd = (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let c = convergence(&sorted.chains);
    // A mode that is seldom entered shows in its own draws' effective number, not in the sorted ones'.
    let own = if quantity.chains == sorted.chains { c } else { convergence(&quantity.chains) };
    ParameterResult {
        peak: quantity.peak,
        term: from.term.clone().unwrap_or_default(),
        parameter: from.name.clone(),
        unit: from.unit.clone(),
        mean,
        sd,
        quantiles: [0.025, 0.16, 0.5, 0.84, 0.975].map(|p| sorted_quantile(&all, p)),
        rhat: c.rhat,
        ess_bulk: c.ess_bulk,
        ess_tail: c.ess_tail,
        modes: modes::modes(&all, own.ess_bulk.min(own.ess_tail)),
    }
}

/// σ where all points share one, times the inferred scale where there is one; the scale alone over a σ column; none under Poisson.
fn noise(problem: &Problem, quantities: &[Quantity]) -> Option<f64> {
    let data = problem.measurements.first()?;
    let (first, last) = (data.weight.first()?, data.weight.last()?);
    let one = data.weight.iter().all(|w| w == first) && first == last;
    let sigma = if one { data.scale / first } else { 1.0 };
    match data.noise {
        Noise::Poisson => None,
        Noise::Gaussian => one.then_some(sigma),
        Noise::Scaled { parameter } => {
            let all: Vec<f64> = quantities.iter().find(|q| q.parameter == parameter)?.chains.iter().flatten().copied().collect();
            Some(sigma * all.iter().sum::<f64>() / all.len() as f64)
        }
    }
}
