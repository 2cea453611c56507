//! Quantities of a candidate that no label can change: what a truth and draws are compared by.

use crate::models::Role;
use crate::posterior;
use crate::problem::Problem;
use crate::sampler::schedule::{find, own};

/// One quantity of a parameter vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// Its name: `TERM.PARAMETER`, `TERM.PARAMETER[1]` for a peak counted by position, `TERM.total PARAMETER`, or the parameter's alone.
    pub name: String,
    source: Source,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    /// That parameter.
    Parameter(usize),
    /// The sum of those.
    Total(Vec<usize>),
    /// One parameter of each peak: that of the peak whose centre is at `place`, from 0.
    Placed { centres: Vec<usize>, parameters: Vec<usize>, place: usize },
}

impl Quantity {
    /// Its value at θ.
    pub fn value(&self, theta: &[f64]) -> f64 {
        match &self.source {
            Source::Parameter(i) => theta[*i],
            Source::Total(all) => all.iter().map(|&i| theta[i]).sum(),
            Source::Placed { centres, parameters, place } => {
                let mut order: Vec<usize> = (0..centres.len()).collect();
                order.sort_by(|&a, &b| theta[centres[a]].total_cmp(&theta[centres[b]]));
                theta[parameters[order[*place]]]
            }
        }
    }
}

/// The quantities of a candidate: of exchangeable peaks the sorted positions, the sum of amplitudes, and what the leftmost peak has of its own;
/// of every other term its parameters; then those that belong to no term alone.
pub fn quantities(problem: &Problem) -> Vec<Quantity> {
    let mut all = Vec::new();
    for group in posterior::groups(problem) {
        let first = &problem.terms[group[0]];
        let joint = problem.measurements.len() > 1;
        let measurement = if joint { format!("{}.", problem.measurements[first.measurement].name) } else { String::new() };
        let name = |text: String| format!("{measurement}{}.{text}", first.name);
        let called = |i: usize| problem.parameters[i].name.clone();
        if first.counted {
            peaks(problem, &group, &mut |i, source| {
                let name = match source {
                    Source::Total(_) => name(format!("total {}", called(i))),
                    Source::Placed { place, .. } => name(format!("{}[{}]", called(i), place + 1)),
                    Source::Parameter(_) => name(called(i)),
                };
                all.push(Quantity { name, source });
            });
        } else {
            let own = own(problem, group[0]).into_iter();
            all.extend(own.map(|i| Quantity { name: name(called(i)), source: Source::Parameter(i) }));
        }
    }
    let shared = problem.parameters.iter().enumerate().filter(|(_, p)| p.owner.is_none());
    all.extend(shared.map(|(i, p)| {
        let term = p.term.as_ref().map_or_else(String::new, |term| format!("{term}."));
        Quantity { name: format!("{term}{}", p.name), source: Source::Parameter(i) }
    }));
    all
}

/// The quantities of peaks that are exchangeable, each with a parameter that gives its name.
fn peaks(problem: &Problem, group: &[usize], add: &mut dyn FnMut(usize, Source)) {
    let each = |role: Role| group.iter().map(|&k| find(problem, k, role)).collect::<Option<Vec<usize>>>();
    if let Some(amplitudes) = each(Role::Amplitude).filter(|_| group.len() > 1) {
        add(amplitudes[0], Source::Total(amplitudes));
    }
    // Peaks that share their centre have no order.
    let Some(centres) = each(Role::Center) else { return };
    for place in 0..group.len() {
        add(centres[0], Source::Placed { centres: centres.clone(), parameters: centres.clone(), place });
    }
    let own: Vec<Vec<usize>> = group.iter().map(|&k| own(problem, k)).collect();
    for at in (0..own[0].len()).filter(|&at| own[0][at] != centres[0]) {
        let parameters: Vec<usize> = own.iter().map(|own| own[at]).collect();
        add(parameters[0], Source::Placed { centres: centres.clone(), parameters, place: 0 });
    }
}
