//! Labels: draws of exchangeable peaks are numbered by position, so that copies can be compared and quantities reported.

use crate::models::Role;
use crate::problem::Problem;
use crate::sampler::Sampled;
use crate::sampler::schedule::{exchangeable, find, own};

/// One reported quantity: a parameter of the peak of some rank, or a parameter that belongs to no peak.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    /// Peak number from 1, by position.
    pub peak: Option<usize>,
    /// Index of a parameter that has this name, unit and prior.
    pub parameter: usize,
    /// Draws, one slice a copy.
    pub chains: Vec<Vec<f64>>,
}

/// Every reported quantity of a candidate, in the order of the spec, peak by peak.
pub(super) fn quantities(problem: &Problem, sampled: &Sampled) -> Vec<Quantity> {
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
    let free = (0..d).filter(|&i| problem.parameters[i].owner.is_none());
    all.extend(free.map(|parameter| Quantity { peak: None, parameter, chains: Vec::new() }));
    for copy in &sampled.copies {
        for quantity in &mut all {
            quantity.chains.push(Vec::with_capacity(copy.rows()));
        }
        if d == 0 {
            continue;
        }
        for row in copy.draws.chunks_exact(d) {
            let source = relabelled(problem, &groups, row);
            for (quantity, &from) in all.iter_mut().zip(&source) {
                if let Some(chain) = quantity.chains.last_mut() {
                    chain.push(row[from]);
                }
            }
        }
    }
    all
}

/// Which parameter of a draw each quantity takes its value from.
fn relabelled(problem: &Problem, groups: &[Vec<usize>], row: &[f64]) -> Vec<usize> {
    let mut source = Vec::with_capacity(row.len());
    for group in groups {
        let mut order = group.clone();
        let centre = |k: usize| find(problem, k, Role::Center).map_or(0.0, |i| row[i]);
        order.sort_by(|&a, &b| centre(a).total_cmp(&centre(b)));
        source.extend(order.into_iter().flat_map(|k| own(problem, k)));
    }
    source.extend((0..row.len()).filter(|&i| problem.parameters[i].owner.is_none()));
    source
}

/// Terms that are exchangeable with each other, group by group; a term that is not stands alone.
fn groups(problem: &Problem) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for k in 0..problem.terms.len() {
        match groups.iter_mut().find(|g| exchangeable(problem, g[0], k)) {
            Some(group) => group.push(k),
            None => groups.push(vec![k]),
        }
    }
    groups
}
