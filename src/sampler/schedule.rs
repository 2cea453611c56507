//! The moves of a sweep: which parameters each proposes, and how.

use std::sync::Arc;

use super::guide::Guide;
use super::normal::Places;
use super::refit::Refit;
use crate::models::Role;
use crate::noise::Scale;
use crate::problem::Problem;

/// One move of a sweep. Every walker at β > 0 makes it once a sweep.
#[derive(Clone, Debug)]
pub struct Move {
    /// What it does.
    pub kind: Kind,
    /// What it can change; where there are several, each proposal picks one at random (two peaks of many).
    pub targets: Vec<Target>,
    /// Acceptance its step size is adapted to; none where there is no step.
    pub rate: Option<f64>,
    /// Where a relocated peak may go.
    pub guide: Option<Guide>,
    /// What fits amplitudes and levels anew, for a move that does.
    pub refit: Option<Arc<Refit>>,
    /// What steps together, for a step of the whole.
    pub places: Option<Arc<Places>>,
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
    /// The peaks that are put elsewhere, one after the other.
    pub peaks: Vec<Peak>,
}

/// A peak that is put elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Peak {
    /// Its term.
    pub term: usize,
    /// Its parameters that are drawn: the centre, then others.
    pub parameters: Vec<usize>,
    /// Centres of the peaks like it that have their places already.
    pub others: Vec<usize>,
}

impl Move {
    /// One that is made in every sweep, and needs nothing but its targets.
    fn new(kind: Kind, targets: Vec<Target>, rate: Option<f64>) -> Self {
        Self { kind, targets, rate, guide: None, refit: None, places: None, parity: None }
    }

    /// Whether it is made at this inverse temperature in this sweep. Of a refit and the relocation that stands in for it, only one is.
    pub fn due(&self, problem: &Problem, beta: f64, sweep: u32) -> bool {
        let refitted = || self.refit.as_ref().is_some_and(|refit| refit.holds(problem, beta)) == (self.kind == Kind::Refit);
        self.parity.is_none_or(|p| p == sweep & 1) && (self.refit.is_none() || refitted())
    }

    /// Parameters of the peak that the move puts elsewhere first: its centre, then the others.
    pub fn placed(&self) -> Option<&[usize]> {
        self.targets[0].peaks.first().filter(|_| self.kind != Kind::Renew).map(|peak| peak.parameters.as_slice())
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
    /// A peak or two elsewhere (their parameters but the amplitudes), and all amplitudes and levels of the measurement drawn to suit.
    Refit,
    /// What one peak gains another loses: opposite steps of two amplitudes (the first two parameters).
    Trade,
    /// Two peaks (centres, then amplitudes) move apart or together about their centre of gravity.
    Spread,
    /// All parameters at once, about an approximation of the posterior: a fresh draw from it where no rate is asked for, otherwise a step.
    Whole,
}

/// Acceptance rates that random walks are tuned to: .44 in one dimension, .3 in a few (Roberts and Rosenthal 2001 give .234 in many).
const TARGET_SINGLE: f64 = 0.44;
const TARGET_BLOCK: f64 = 0.30;
/// Shorter steps about an approximation are taken only where fewer than this share of fresh draws are: they lead less far.
const TARGET_WHOLE: f64 = 0.25;

/// Most parameters that step together along a learned covariance.
pub const LARGEST_BLOCK: usize = 16;

/// The moves of one sweep, visiting one term after another.
pub fn schedule(problem: &Problem) -> Vec<Move> {
    let mut moves = Vec::new();
    let target = |parameters: Vec<usize>| Target { terms: terms_of(problem, &parameters), parameters, peaks: Vec::new() };
    let single = |i: usize| Move::new(Kind::Walk, vec![target(vec![i])], Some(TARGET_SINGLE));
    let block = |list: Vec<usize>| Move::new(Kind::Walk, vec![target(list)], Some(TARGET_BLOCK));
    let refits: Vec<Option<Arc<Refit>>> = (0..problem.measurements.len()).map(|m| Refit::new(problem, m).map(Arc::new)).collect();
    for k in 0..problem.terms.len() {
        let own = own(problem, k);
        moves.extend(own.iter().map(|&i| single(i)));
        if own.len() > 1 && own.len() <= LARGEST_BLOCK {
            moves.push(block(own.clone()));
        }
        let partners: Vec<usize> = (0..problem.terms.len()).filter(|&b| b != k && exchangeable(problem, k, b)).collect();
        moves.extend(relocations(problem, k, &partners, refits[problem.terms[k].measurement].as_ref()));
        for (kind, roles, parity) in [(Kind::Trade, &[Role::Amplitude][..], 0), (Kind::Spread, &[Role::Center, Role::Amplitude], 1)] {
            let pairs: Vec<Target> = partners.iter().filter_map(|&b| pair(problem, k, b, roles)).map(target).collect();
            if !pairs.is_empty() {
                moves.push(Move { parity: Some(parity), ..Move::new(kind, pairs, Some(TARGET_SINGLE)) });
            }
        }
    }
    moves.extend((0..problem.dimension()).filter(|&i| problem.parameters[i].owner.is_none()).map(single));
    moves.extend(together(problem).map(block));
    if let Some(places) = Places::of(problem).map(Arc::new) {
        let targets = vec![target(places.parameters.clone())];
        let whole = |rate| Move { places: Some(Arc::clone(&places)), ..Move::new(Kind::Whole, targets.clone(), rate) };
        moves.insert(0, whole(None));
        moves.push(whole(Some(TARGET_WHOLE)));
    }
    moves
}

/// A peak elsewhere: with all that is linear fitted to it where the data know that, as the priors and what was learned say elsewhere. Two peaks
/// that share a line leave it and come to it only together, so that every other refit moves two.
fn relocations(problem: &Problem, k: usize, partners: &[usize], refit: Option<&Arc<Refit>>) -> Vec<Move> {
    let guide = guide(problem, k);
    let refit = refit.filter(|refit| guide.is_some() && refit.fits(k));
    let peak = |term: usize, others: &[usize], left: &[usize]| -> Option<Peak> {
        let centre = find(problem, term, Role::Center)?;
        let rest = own(problem, term).into_iter().filter(|i| *i != centre && !left.contains(i));
        let others = others.iter().filter_map(|&q| find(problem, q, Role::Center)).collect();
        Some(Peak { term, parameters: [centre].into_iter().chain(rest).collect(), others })
    };
    let relocation = |kind, targets: Vec<Vec<Peak>>, refit: Option<&Arc<Refit>>, parity| {
        let left = refit.filter(|_| kind == Kind::Refit).map_or(&[][..], |refit| &refit.parameters);
        let target = |peaks: Vec<Peak>| {
            let parameters: Vec<usize> = peaks.iter().flat_map(|p| &p.parameters).chain(left).copied().collect();
            Target { terms: terms_of(problem, &parameters), parameters, peaks }
        };
        let targets: Vec<Target> = targets.into_iter().map(target).collect();
        let what = Move { guide: guide.clone(), refit: refit.cloned(), parity, ..Move::new(kind, targets, None) };
        (!what.targets.is_empty()).then_some(what)
    };
    let mut moves = Vec::new();
    if let Some(refit) = refit {
        let left = &refit.parameters;
        let pair = |&q: &usize| {
            let stay: Vec<usize> = partners.iter().copied().filter(|&other| other != q).collect();
            Some(vec![peak(k, &stay, left)?, peak(q, &[stay.as_slice(), &[k]].concat(), left)?])
        };
        let pairs: Vec<Vec<Peak>> = partners.iter().filter_map(pair).collect();
        let one = peak(k, partners, left).into_iter().map(|one| vec![one]).collect();
        moves.extend(relocation(Kind::Refit, one, Some(refit), (!pairs.is_empty()).then_some(0)));
        moves.extend(relocation(Kind::Refit, pairs, Some(refit), Some(1)));
    }
    if own(problem, k).len() <= LARGEST_BLOCK {
        let kind = if guide.is_some() { Kind::Relocate } else { Kind::Renew };
        let one = peak(k, partners, &[]).into_iter().map(|one| vec![one]).collect();
        // Where the refit is made, this one is not: see `Move::due`.
        moves.extend(relocation(kind, one, refit, None));
    }
    moves
}

/// Where a peak may be put, if its centre is a parameter of its own.
fn guide(problem: &Problem, k: usize) -> Option<Guide> {
    let centre = find(problem, k, Role::Center)?;
    let term = &problem.terms[k];
    let direct = term.bindings.iter().any(|b| b.free == Some(centre) && b.factor == 1.0 && b.offset == 0.0);
    Guide::new(&problem.measurements[term.measurement], problem.parameters[centre].prior).filter(|_| direct)
}

/// A fresh draw of everything, for β = 0.
pub fn refresh(problem: &Problem) -> Move {
    let target =
        Target { parameters: (0..problem.dimension()).collect(), terms: (0..problem.terms.len() as u32).collect(), peaks: Vec::new() };
    Move::new(Kind::Renew, vec![target], None)
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
