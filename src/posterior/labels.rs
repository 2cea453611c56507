//! Labels: draws of exchangeable peaks are told apart and numbered, so that copies can be compared and quantities reported.

use super::relabel::Cloud;
use crate::models::Role;
use crate::prior::Coordinate;
use crate::problem::Problem;
use crate::sampler::schedule::{exchangeable, find, own};
use crate::sampler::{Record, Sampled};

/// One reported quantity: a parameter of the peak of some number, or a parameter that belongs to no peak.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    /// Peak number from 1, by position.
    pub peak: Option<usize>,
    /// Index of a parameter that has this name, unit and prior.
    pub parameter: usize,
    /// Draws, one slice a copy.
    pub chains: Vec<Vec<f64>>,
}

/// Every reported quantity of a candidate, in the order of the spec, peak by peak; the peaks of every draw are numbered by their own
/// positions. No label can be wrong, so these are the quantities that convergence is judged by.
pub(super) fn sorted(problem: &Problem, sampled: &Sampled) -> Vec<Quantity> {
    quantities(problem, sampled, &|group, _, row| {
        let mut order = group.to_vec();
        let centre = |k: usize| find(problem, k, Role::Center).map_or(0.0, |i| row[i]);
        order.sort_by(|&a, &b| centre(a).total_cmp(&centre(b)));
        order
    })
}

/// The same, but every peak keeps its number where peaks change places: the labels that keep each peak's draws closest together, numbered
/// by mean position. These are the quantities that are reported.
pub(super) fn labelled(problem: &Problem, sampled: &Sampled) -> Vec<Quantity> {
    Orders::new(problem, sampled).quantities(problem, sampled)
}

/// Which term has which number in every draw, as [`labelled`] numbers them.
pub(super) struct Orders {
    /// Groups whose peaks can be told apart, with their labels.
    of: Vec<(Vec<usize>, Vec<usize>)>,
}

impl Orders {
    /// Of the draws of a candidate.
    pub fn new(problem: &Problem, sampled: &Sampled) -> Self {
        let tellable = |group: &Vec<usize>| group.len() > 1 && !own(problem, group[0]).is_empty();
        let labels = |group: Vec<usize>| {
            let labels = cloud(problem, sampled, &group).labels();
            (group, labels)
        };
        Self { of: groups(problem).into_iter().filter(tellable).map(labels).collect() }
    }

    /// The terms of a group by their numbers, in one draw, counted over all copies.
    pub fn terms(&self, group: &[usize], draw: usize) -> Vec<usize> {
        match self.of.iter().find(|(of, _)| of == group) {
            Some((_, labels)) => labels[draw * group.len()..(draw + 1) * group.len()].iter().map(|&peak| group[peak]).collect(),
            None => group.to_vec(),
        }
    }

    /// The quantities, so numbered.
    pub fn quantities(&self, problem: &Problem, sampled: &Sampled) -> Vec<Quantity> {
        quantities(problem, sampled, &|group, draw, _| self.terms(group, draw))
    }
}

/// The terms of a group in the order of their numbers, for a draw: its number, counted over all copies, and its parameters.
type Order<'a> = dyn Fn(&[usize], usize, &[f64]) -> Vec<usize> + 'a;

fn quantities(problem: &Problem, sampled: &Sampled, order: &Order<'_>) -> Vec<Quantity> {
    let d = problem.dimension();
    let groups = groups(problem);
    let mut all: Vec<Quantity> = Vec::new();
    for group in &groups {
        for (rank, &term) in group.iter().enumerate() {
            let counted = problem.terms[term].counted;
            let peak = counted.then_some(rank + 1);
            all.extend(own(problem, term).into_iter().map(|parameter| Quantity { peak, parameter, chains: Vec::new() }));
        }
    }
    let free: Vec<usize> = (0..d).filter(|&i| problem.parameters[i].owner.is_none()).collect();
    all.extend(free.iter().map(|&parameter| Quantity { peak: None, parameter, chains: Vec::new() }));
    let own: Vec<Vec<usize>> = (0..problem.terms.len()).map(|k| own(problem, k)).collect();
    let mut draw = 0;
    for copy in &sampled.copies {
        for quantity in &mut all {
            quantity.chains.push(Vec::with_capacity(copy.rows()));
        }
        for row in rows(copy, d) {
            let terms = groups.iter().flat_map(|group| order(group, draw, row));
            let source: Vec<usize> = terms.flat_map(|k| own[k].iter().copied()).chain(free.iter().copied()).collect();
            for (quantity, from) in all.iter_mut().zip(source) {
                if let Some(chain) = quantity.chains.last_mut() {
                    chain.push(row[from]);
                }
            }
            draw += 1;
        }
    }
    all
}

/// Draws of one copy; none where nothing is free.
fn rows(copy: &Record, d: usize) -> impl Iterator<Item = &[f64]> {
    copy.draws.chunks_exact(d.max(1)).take(if d == 0 { 0 } else { copy.rows() })
}

/// The peaks of a group over all draws, in the coordinates in which their priors are natural, positions first.
fn cloud(problem: &Problem, sampled: &Sampled, group: &[usize]) -> Cloud {
    let d = problem.dimension();
    let sources: Vec<Vec<usize>> = group
        .iter()
        .map(|&k| {
            let centre = find(problem, k, Role::Center);
            centre.into_iter().chain(own(problem, k).into_iter().filter(|i| Some(*i) != centre)).collect()
        })
        .collect();
    let natural = |i: usize, value: f64| match problem.parameters[i].prior.coordinate() {
        Coordinate::Log => value.ln(),
        Coordinate::Linear => value,
    };
    let mut points = Vec::new();
    let (mut densest, mut most, mut draw) = (0, f64::NEG_INFINITY, 0);
    let rungs = sampled.betas.len();
    for copy in &sampled.copies {
        for (row, energies) in rows(copy, d).zip(copy.energies.chunks_exact(rungs.max(1))) {
            points.extend(sources.iter().flatten().map(|&i| natural(i, row[i])));
            let prior: f64 = row.iter().zip(&problem.parameters).map(|(v, p)| p.ln_density(*v)).sum();
            let density = prior - energies.last().copied().unwrap_or(f64::INFINITY);
            if density > most {
                (densest, most) = (draw, density);
            }
            draw += 1;
        }
    }
    Cloud { peaks: group.len(), coordinates: sources[0].len(), points, densest }
}

/// Terms that are exchangeable with each other, group by group; a term that is not stands alone.
pub(crate) fn groups(problem: &Problem) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for k in 0..problem.terms.len() {
        match groups.iter_mut().find(|g| exchangeable(problem, g[0], k)) {
            Some(group) => group.push(k),
            None => groups.push(vec![k]),
        }
    }
    groups
}
