//! The kept draws of one candidate as named arrays, for whoever wants to go on with them.

use super::curves::{self, Curves, Picked};
use super::labels::{Orders, Quantity};
use crate::problem::{Measurement, Noise, Parameter, Problem};
use crate::sampler::Sampled;

/// Names that a variable cannot have, because dimensions have them.
const RESERVED: [&str; 4] = ["chain", "draw", "peak", "rung"];

/// The draws of one candidate. Arrays over draws are chain by chain, draw by draw; a chain is a copy of the ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct Draws {
    /// Name of the window.
    pub window: String,
    /// Label of the candidate.
    pub candidate: String,
    /// Its count, where the window counts something.
    pub k: Option<usize>,
    /// Chains.
    pub chains: usize,
    /// Draws of each chain.
    pub rows: usize,
    /// Sweeps between two draws.
    pub interval: usize,
    /// The parameters.
    pub variables: Vec<Variable>,
    /// ln of likelihood times prior, every constant kept, `chains × rows`.
    pub lp: Vec<f64>,
    /// Inverse temperatures.
    pub betas: Vec<f64>,
    /// U at every rung, `chains × rows × betas`; the last rung is the posterior's.
    pub energies: Vec<f64>,
    /// Draws that have new data and likelihoods point by point.
    pub picked: Picked,
    /// The measurements the candidate was fitted to.
    pub observed: Vec<Observed>,
}

/// One parameter, of all peaks of its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name, unique among the variables.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Name and length of the dimension of its peaks, where it belongs to peaks.
    pub peaks: Option<(String, usize)>,
    /// `chains × rows`, times the peaks where there are any.
    pub values: Vec<f64>,
}

/// The data of one measurement as the likelihood saw them, in their own units.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Its name; empty where it is the only one.
    pub name: String,
    /// Axis.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Standard errors before any inferred scale; empty under Poisson.
    pub sigma: Vec<f64>,
    /// Factor of the expectation; empty for 1.
    pub exposure: Vec<f64>,
    /// What the draws say of it, point by point.
    pub curves: Curves,
}

/// The kept draws of a candidate, its peaks numbered as in the results, and what they say point by point. New data come from streams of
/// `seed` and the candidate's names.
pub fn draws(problem: &Problem, sampled: &Sampled, seed: u64) -> Draws {
    let orders = Orders::new(problem, sampled);
    let quantities = orders.quantities(problem, sampled);
    let rungs = sampled.betas.len();
    let rows = sampled.copies.iter().map(crate::sampler::Record::rows).min().unwrap_or(0);
    let energies: Vec<f64> = sampled.copies.iter().flat_map(|c| &c.energies[..rows * rungs]).copied().collect();
    let d = problem.dimension();
    let prior = |row: &[f64]| row.iter().zip(&problem.parameters).map(|(v, p)| p.ln_density(*v)).sum::<f64>();
    let cold = energies.iter().skip(rungs - 1).step_by(rungs);
    let at = (0..sampled.copies.len()).flat_map(|c| (0..rows).map(move |r| (c, r)));
    let lp = cold.zip(at).map(|(u, (c, r))| prior(&sampled.copies[c].draws[r * d..(r + 1) * d]) - u).collect();
    let joint = problem.measurements.len() > 1;
    let (picked, curves) = curves::curves(problem, sampled, &orders, rows, seed);
    Draws {
        window: problem.window.clone(),
        candidate: problem.candidate.clone(),
        k: problem.k,
        chains: sampled.copies.len(),
        rows,
        interval: sampled.copies.first().map_or(1, |c| c.interval),
        variables: variables(problem, &quantities, rows),
        lp,
        betas: sampled.betas.clone(),
        energies,
        picked,
        observed: problem.measurements.iter().zip(curves).map(|(m, curves)| observed(m, joint, curves)).collect(),
    }
}

/// What makes quantities one variable: measurement, term and parameter.
type Key<'a> = (Option<usize>, Option<&'a str>, &'a str);

fn variables(problem: &Problem, quantities: &[Quantity], rows: usize) -> Vec<Variable> {
    let of = |q: &Quantity| -> &Parameter { &problem.parameters[q.parameter] };
    let key = |q: &Quantity| -> Key<'_> {
        let p = &problem.parameters[q.parameter];
        (p.owner.map(|k| problem.terms[k].measurement), p.term.as_deref(), p.name.as_str())
    };
    let mut members: Vec<(Key<'_>, Vec<&Quantity>)> = Vec::new();
    for quantity in quantities {
        let key = key(quantity);
        match members.iter_mut().find(|(k, of)| *k == key && of.iter().all(|q| q.peak.is_some()) && quantity.peak.is_some()) {
            Some((_, of)) => of.push(quantity),
            None => members.push((key, vec![quantity])),
        }
    }
    // Kinds of peaks: one has the dimension `peak`, each of several has its own.
    let mut kinds: Vec<(Option<usize>, Option<&str>)> = Vec::new();
    for (key, _) in members.iter().filter(|(_, of)| of[0].peak.is_some()) {
        if !kinds.contains(&(key.0, key.1)) {
            kinds.push((key.0, key.1));
        }
    }
    let mut taken: Vec<String> = RESERVED.map(String::from).into();
    let mut variables = Vec::new();
    for (key, of_it) in &members {
        let alike = |same: &dyn Fn(&Key<'_>) -> bool| members.iter().filter(|(other, _)| same(other)).count() > 1;
        let mut words: Vec<&str> = vec![key.2];
        if alike(&|other| other.2 == key.2) {
            words.insert(0, key.1.unwrap_or("shared"));
        }
        if let (true, Some(m)) = (alike(&|other| (other.1, other.2) == (key.1, key.2)), key.0) {
            words.insert(0, &problem.measurements[m].name);
        }
        let name = free(words.join("_"), &mut taken);
        let peaks = of_it[0].peak.map(|_| {
            let several = kinds.len() > 1;
            let place = kinds.iter().position(|kind| *kind == (key.0, key.1)).map_or(0, |p| p + 1);
            let word = format!("peak_{}", word(key.1.unwrap_or_default()));
            let twice = kinds.iter().filter(|kind| kind.1 == key.1).count() > 1;
            let name = if twice { format!("{word}_{place}") } else { word };
            (if several { name } else { "peak".into() }, of_it.len())
        });
        let chains = of_it[0].chains.len();
        let values = (0..chains).flat_map(|c| (0..rows).flat_map(move |r| of_it.iter().map(move |q| q.chains[c][r]))).collect();
        variables.push(Variable { name, unit: of(of_it[0]).unit.clone(), peaks, values });
    }
    variables
}

/// A name that is a word in any language and not taken; takes it.
pub(crate) fn free(name: String, taken: &mut Vec<String>) -> String {
    let base = word(&name);
    let mut name = base.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{base}_{number}");
        number += 1;
    }
    taken.push(name.clone());
    name
}

/// What a name becomes in a file of draws: letters, digits and underscores, for readers make attributes of names.
pub(crate) fn word(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect::<String>().trim_end_matches('_').to_owned()
}

fn observed(data: &Measurement, joint: bool, curves: Curves) -> Observed {
    Observed {
        name: if joint { word(&data.name) } else { String::new() },
        x: data.x.clone(),
        y: data.y.iter().map(|y| y * data.scale).collect(),
        sigma: if data.noise == Noise::Poisson { Vec::new() } else { data.weight.iter().map(|w| data.scale / w).collect() },
        exposure: data.exposure.clone(),
        curves,
    }
}
