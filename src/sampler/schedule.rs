//! The moves of a sweep: which parameters each proposes, and how.

use super::guide::Guide;
use crate::models::Role;
use crate::noise::Scale;
use crate::problem::Problem;

/// One move of a sweep. Every walker at β > 0 makes it once a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// What it does.
    pub kind: Kind,
    /// What it can change; where there are several, each proposal picks one at random (two peaks of many).
    pub targets: Vec<Target>,
    /// Acceptance its step size is adapted to; none where there is no step.
    pub rate: Option<f64>,
    /// Where a relocated peak may go.
    pub guide: Option<Guide>,
    /// Made in sweeps of this parity only; none: in every sweep. Moves across modes are dear and seldom taken.
    pub parity: Option<u32>,
}

/// The parameters one proposal changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Free parameters.
    pub parameters: Vec<usize>,
    /// Terms that depend on them, ascending.
    pub terms: Vec<u32>,
    /// Centres of the other peaks like those that a relocation moves.
    pub others: Vec<usize>,
}

impl Move {
    /// Parameters of the (first) peak that the move puts elsewhere: its centre, then the others.
    pub fn placed(&self) -> Option<&[usize]> {
        let parameters = &self.targets[0].parameters;
        match self.kind {
            Kind::Relocate => Some(parameters),
            Kind::RelocatePair => Some(&parameters[..parameters.len() / 2]),
            _ => None,
        }
    }
}

/// What a move does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A normal step of each parameter, in its own coordinate; several parameters step along the learned covariance.
    Walk,
    /// All parameters of the move afresh from their priors.
    Renew,
    /// A peak (its centre, then other parameters) afresh: where peaks have been seen, or from the guide and the priors.
    Relocate,
    /// Two peaks afresh in the same way, one after the other.
    RelocatePair,
    /// What one peak gains another loses: opposite steps of two amplitudes (the first two parameters).
    Trade,
    /// Two peaks (centres, then amplitudes) move apart or together about their centre of gravity.
    Spread,
}

/// Acceptance rates that random walks are tuned to: .44 in one dimension, .3 in a few (Roberts and Rosenthal 2001 give .234 in many).
const TARGET_SINGLE: f64 = 0.44;
const TARGET_BLOCK: f64 = 0.30;

/// Most parameters that step together along a learned covariance.
pub const LARGEST_BLOCK: usize = 16;

/// The moves of one sweep, visiting one term after another.
pub fn schedule(problem: &Problem) -> Vec<Move> {
    let mut moves = Vec::new();
    let target = |parameters: Vec<usize>| Target { terms: terms_of(problem, &parameters), parameters, others: Vec::new() };
    let single = |i: usize| Move { kind: Kind::Walk, targets: vec![target(vec![i])], rate: Some(TARGET_SINGLE), guide: None, parity: None };
    let block =
        |list: Vec<usize>| Move { kind: Kind::Walk, targets: vec![target(list)], rate: Some(TARGET_BLOCK), guide: None, parity: None };
    for k in 0..problem.terms.len() {
        let own = own(problem, k);
        moves.extend(own.iter().map(|&i| single(i)));
        if own.len() > 1 && own.len() <= LARGEST_BLOCK {
            moves.push(block(own.clone()));
        }
        let partners: Vec<usize> = (0..problem.terms.len()).filter(|&b| b != k && exchangeable(problem, k, b)).collect();
        moves.extend(relocations(problem, k, &partners));
        for (kind, roles, parity) in [(Kind::Trade, &[Role::Amplitude][..], 0), (Kind::Spread, &[Role::Center, Role::Amplitude], 1)] {
            let pairs: Vec<Target> = partners.iter().filter_map(|&b| pair(problem, k, b, roles)).map(target).collect();
            if !pairs.is_empty() {
                moves.push(Move { kind, targets: pairs, rate: Some(TARGET_SINGLE), guide: None, parity: Some(parity) });
            }
        }
    }
    moves.extend((0..problem.dimension()).filter(|&i| problem.parameters[i].owner.is_none()).map(single));
    moves.extend(together(problem).map(block));
    moves
}

/// Peaks put elsewhere: one as wide and as large as it is, or as the prior or what was learned says; or two at once, because a peak that
/// doubles another can leave only if that one changes too.
fn relocations(problem: &Problem, k: usize, partners: &[usize]) -> Vec<Move> {
    let Some(centre) = find(problem, k, Role::Center) else { return Vec::new() };
    let term = &problem.terms[k];
    let direct = term.bindings.iter().any(|b| b.free == Some(centre) && b.factor == 1.0 && b.offset == 0.0);
    let guide = Guide::new(&problem.measurements[term.measurement], problem.parameters[centre].prior).filter(|_| direct);
    let kind = if guide.is_some() { Kind::Relocate } else { Kind::Renew };
    let all = |k: usize| {
        let centre = find(problem, k, Role::Center)?;
        Some(std::iter::once(centre).chain(own(problem, k).into_iter().filter(|&i| i != centre)).collect::<Vec<_>>())
    };
    let relocation = |kind, lists: Vec<Vec<usize>>, parity| {
        let stay = |list: &[usize]| partners.iter().filter_map(|&q| find(problem, q, Role::Center)).filter(|i| !list.contains(i)).collect();
        let target = |list: Vec<usize>| Target { terms: terms_of(problem, &list), others: stay(&list), parameters: list };
        Move { kind, targets: lists.into_iter().map(target).collect(), rate: None, guide: guide.clone(), parity }
    };
    let mut moves = vec![relocation(kind, vec![vec![centre]], Some(1))];
    moves.extend(all(k).filter(|list| list.len() <= LARGEST_BLOCK).map(|list| relocation(kind, vec![list], None)));
    let pairs: Vec<Vec<usize>> = partners.iter().filter_map(|&q| Some([all(k)?, all(q)?].concat())).collect();
    if guide.is_some() && !pairs.is_empty() {
        moves.push(relocation(Kind::RelocatePair, pairs, Some(0)));
    }
    moves
}

/// A fresh draw of everything, for β = 0.
pub fn refresh(problem: &Problem) -> Move {
    let target =
        Target { parameters: (0..problem.dimension()).collect(), terms: (0..problem.terms.len() as u32).collect(), others: Vec::new() };
    Move { kind: Kind::Renew, targets: vec![target], rate: None, guide: None, parity: None }
}

/// Whether two terms are peaks of one kind, drawn from one prior: moves between them are then reversible with equal odds.
pub fn exchangeable(problem: &Problem, a: usize, b: usize) -> bool {
    let (a, b) = (&problem.terms[a], &problem.terms[b]);
    a.counted && a.name == b.name && a.measurement == b.measurement
}

/// Free parameters that belong to one term alone.
pub fn own(problem: &Problem, term: usize) -> Vec<usize> {
    (0..problem.dimension()).filter(|&i| problem.parameters[i].owner == Some(term)).collect()
}

/// The term's own parameter of a role.
pub fn find(problem: &Problem, term: usize, role: Role) -> Option<usize> {
    (0..problem.dimension()).find(|&i| problem.parameters[i].owner == Some(term) && problem.parameters[i].role == role)
}

/// The parameters of those roles in both terms: role by role, first `a`, then `b`.
fn pair(problem: &Problem, a: usize, b: usize, roles: &[Role]) -> Option<Vec<usize>> {
    roles.iter().flat_map(|&role| [find(problem, a, role), find(problem, b, role)]).collect()
}

/// Everything that is no exchangeable peak, together: a background, a physical model and shared parameters are often correlated. A
/// scale that is drawn from its conditional has no part in it.
fn together(problem: &Problem) -> Option<Vec<usize>> {
    let alone = |k: usize| !problem.terms[k].counted || problem.terms[k].of == 1;
    let scales = Scale::of(problem);
    let drawn = |i: usize| scales.iter().any(|s| s.parameter == i);
    let rest: Vec<usize> = (0..problem.dimension()).filter(|&i| problem.parameters[i].owner.is_none_or(alone) && !drawn(i)).collect();
    let one_term = (0..problem.terms.len()).any(|k| own(problem, k) == rest);
    (rest.len() > 1 && rest.len() <= LARGEST_BLOCK && !one_term).then_some(rest)
}

fn terms_of(problem: &Problem, parameters: &[usize]) -> Vec<u32> {
    let mut terms: Vec<u32> = parameters.iter().flat_map(|&i| problem.dependents[i].iter().copied()).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}
