//! Cuts the walkers of a tile into blocks, each with one pipeline and buffers within the limits, and lays out their tables.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::layout::{GAUSSIAN, Move, POINTS_A_LANE, POISSON, Part, Point, Term, Walker};
use super::packing::{self, Packing};
use super::path::{self, Path};
use super::program::Key;
use crate::engine::Roster;
use crate::error::{Error, Result};
use crate::problem::{Measurement, Noise, Problem};

/// What no buffer, grid or invocation may exceed.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of one buffer.
    pub buffer: u64,
    /// Workgroups in one dimension of a grid.
    pub workgroups: u32,
    /// Loop iterations of one invocation, summed over all its loops: lavapipe stops silently after 65 535.
    pub iterations: usize,
}

impl Bounds {
    /// wgpu's default limits, and what lavapipe runs to the end; the same on every adapter, so that results have the same bits.
    pub fn standard() -> Self {
        let limits = wgpu::Limits::defaults();
        Self { buffer: limits.max_storage_buffer_binding_size, workgroups: limits.max_compute_workgroups_per_dimension, iterations: 65_000 }
    }
}

/// Passes over the points that one job makes at most, so that each of its accumulators adds few numbers (f32 keeps 1e-7 of the sum)
/// and long data are spread over many workgroups.
const MOST_PASSES: usize = 16;

/// Iterations of one evaluation of a shape beyond one for each coefficient: sums over fixed nodes.
const FIXED_ITERATIONS: usize = 8;

/// How the measurements of a problem are cut into parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Pipeline.
    pub key: Key,
    /// Parts of each measurement.
    pub parts: Vec<usize>,
}

impl Cut {
    /// Cuts a problem for a path.
    ///
    /// # Errors
    /// Where one pass over all terms is already too long for an invocation.
    pub fn of(problem: &Problem, path: Path, bounds: Bounds) -> Result<Self> {
        let key = Key::of(problem, path);
        let mut parts = Vec::with_capacity(problem.measurements.len());
        for (m, data) in problem.measurements.iter().enumerate() {
            let passes = passes(problem, m, path, bounds).ok_or_else(|| {
                Error::device(format!(
                    "{} {} {}: a model with so many lines and coefficients is too long for a GPU's invocation",
                    problem.frame, problem.window, problem.candidate
                ))
                .hint("use --engine cpu")
            })?;
            let most = passes * (POINTS_A_LANE * key.lanes) as usize;
            parts.push(data.t.len().div_ceil(most).max(1));
        }
        Ok(Self { key, parts })
    }

    /// Parts of all measurements.
    pub fn slots(&self) -> usize {
        self.parts.iter().sum()
    }
}

/// How many passes over the points one job may make: none where the bound leaves not even one.
fn passes(problem: &Problem, measurement: usize, path: Path, bounds: Bounds) -> Option<usize> {
    // A move that changes all terms of a measurement, but not those of another, may evaluate each twice, and once more where little is left.
    let evaluations = if path == Path::Kept { 3 } else { 1 };
    let mut pass = 1;
    for term in problem.terms.iter().filter(|t| t.measurement == measurement) {
        let extent = Packing::of(problem, term).extent();
        pass += evaluations * (1 + extent.repeats * (1 + POINTS_A_LANE as usize * (extent.stride + FIXED_ITERATIONS)));
    }
    // The reduction, the search for the first changed term; the kernel `settle` copies a walker in one invocation.
    let once = 16 + problem.terms.len();
    if once + problem.terms.len() + packing::coefficients(problem) > bounds.iterations {
        return None;
    }
    let passes = (bounds.iterations - once) / pass;
    (passes > 0).then_some(passes.min(MOST_PASSES))
}

/// A block before it has buffers: ladders that share a pipeline and the number of sums a move.
#[derive(Debug)]
pub struct Draft<'p> {
    /// Pipeline.
    pub key: Key,
    /// Sums a move.
    pub slots: usize,
    /// Distinct problems, with their cuts.
    pub problems: Vec<(&'p Problem, Cut)>,
    /// Walkers: their number in the tile and their problem's in `problems`.
    pub walkers: Vec<(u32, u32)>,
    /// Padded points of all problems.
    points: usize,
    /// Numbers of all walkers' coefficients.
    pub coefficients: usize,
    /// Terms of all walkers.
    pub terms: usize,
    /// Kept totals of all walkers.
    pub totals: usize,
    /// Most moves of a walker in one attempt.
    pub proposals: usize,
}

impl<'p> Draft<'p> {
    fn new(key: Key, slots: usize, proposals: usize) -> Self {
        Self { key, slots, problems: Vec::new(), walkers: Vec::new(), points: 0, coefficients: 0, terms: 0, totals: 0, proposals }
    }

    /// Most moves of an attempt.
    pub fn moves(&self) -> usize {
        self.proposals * self.walkers.len()
    }

    /// Where the totals begin among the coefficients: behind those of all walkers and two slots of fresh ones.
    pub fn first_total(&self) -> usize {
        (1 + 2 * self.proposals) * self.coefficients
    }

    /// The largest buffer if `walkers` more of a problem came in, in bytes.
    fn largest(&self, problem: &Problem, cut: &Cut, new_points: usize, walkers: usize) -> u64 {
        let all = self.walkers.len() + walkers;
        let moves = self.proposals * all;
        let totals = self.totals + walkers * totals(problem, cut);
        let coefficients = (1 + 2 * self.proposals) * (self.coefficients + walkers * packing::coefficients(problem)) + totals;
        let changed = 2 * self.proposals * (self.terms + walkers * problem.terms.len());
        let words = [4 * (self.points + new_points), coefficients, changed, moves * self.slots, 2 * moves * (size_of::<Move>() / 4)];
        4 * words.into_iter().max().unwrap_or(0) as u64
    }
}

/// Cuts a roster into blocks; every problem takes the path that is forced, or else its own, but none is kept that no buffer or invocation holds.
///
/// # Errors
/// Where one ladder alone exceeds a limit.
pub fn blocks<'p>(roster: &Roster<'p>, forced: Option<Path>, bounds: Bounds) -> Result<Vec<Draft<'p>>> {
    let proposals = 1 + roster.rivals;
    let mut wanted: HashMap<*const Problem, Path> = HashMap::new();
    let mut cuts: HashMap<(*const Problem, Path), Cut> = HashMap::new();
    let mut groups: BTreeMap<(Key, usize), Vec<usize>> = BTreeMap::new();
    for (ladder, &problem) in roster.problems.iter().enumerate() {
        let address = std::ptr::from_ref(problem);
        let mut path = *wanted.entry(address).or_insert_with(|| forced.unwrap_or_else(|| path::of(problem)));
        if path == Path::Kept {
            let walkers = roster.first[ladder + 1] - roster.first[ladder];
            let fits = |cut: &Cut| {
                let alone = Draft::new(cut.key.clone(), cut.slots(), proposals);
                alone.largest(problem, cut, padded_points(problem, cut), walkers) <= bounds.buffer
            };
            if !cut_of(&mut cuts, problem, path, bounds).is_ok_and(fits) {
                path = Path::Recomputed;
            }
        }
        let cut = cut_of(&mut cuts, problem, path, bounds)?;
        groups.entry((cut.key.clone(), cut.slots())).or_default().push(ladder);
    }
    let mut done = Vec::new();
    for ((key, slots), ladders) in groups {
        let new = || Draft::new(key.clone(), slots, proposals);
        let mut draft = new();
        let mut known: HashMap<*const Problem, u32> = HashMap::new();
        for ladder in ladders {
            let problem = roster.problems[ladder];
            let address = std::ptr::from_ref(problem);
            let cut = &cuts[&(address, key.path)];
            let walkers = roster.first[ladder]..roster.first[ladder + 1];
            let points = |known: &HashMap<_, _>| if known.contains_key(&address) { 0 } else { padded_points(problem, cut) };
            if draft.largest(problem, cut, points(&known), walkers.len()) > bounds.buffer && !draft.walkers.is_empty() {
                done.push(std::mem::replace(&mut draft, new()));
                known.clear();
            }
            let new_points = points(&known);
            if draft.largest(problem, cut, new_points, walkers.len()) > bounds.buffer {
                return Err(Error::device(format!(
                    "{} {}: one ladder of {} walkers with {} points needs more than the {} MiB a GPU buffer may have",
                    problem.frame,
                    problem.window,
                    walkers.len(),
                    problem.points(),
                    bounds.buffer >> 20
                ))
                .hint("use --engine cpu, or narrower windows"));
            }
            let number = *known.entry(address).or_insert_with(|| {
                draft.problems.push((problem, cut.clone()));
                draft.problems.len() as u32 - 1
            });
            draft.points += new_points;
            draft.coefficients += walkers.len() * packing::coefficients(problem);
            draft.terms += walkers.len() * problem.terms.len();
            draft.totals += walkers.len() * totals(problem, cut);
            draft.walkers.extend(walkers.map(|w| (w as u32, number)));
        }
        done.push(draft);
    }
    Ok(done)
}

/// The cut of a problem for a path, made when first asked for.
fn cut_of<'c>(cuts: &'c mut HashMap<(*const Problem, Path), Cut>, problem: &Problem, path: Path, bounds: Bounds) -> Result<&'c Cut> {
    Ok(match cuts.entry((std::ptr::from_ref(problem), path)) {
        Entry::Occupied(cut) => cut.into_mut(),
        Entry::Vacant(place) => place.insert(Cut::of(problem, path, bounds)?),
    })
}

/// Totals that a walker of a problem keeps.
fn totals(problem: &Problem, cut: &Cut) -> usize {
    match cut.key.path {
        Path::Recomputed => 0,
        Path::Kept => padded_points(problem, cut),
    }
}

/// The points of each part of a measurement: as even as can be.
fn part_ranges(points: usize, parts: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..parts).map(move |i| points * i / parts..points * (i + 1) / parts)
}

fn padded(points: usize, key: &Key) -> usize {
    points.next_multiple_of((POINTS_A_LANE * key.row()) as usize)
}

fn padded_points(problem: &Problem, cut: &Cut) -> usize {
    let of = |(data, parts): (&Measurement, &usize)| part_ranges(data.t.len(), *parts).map(|r| padded(r.len(), &cut.key)).sum::<usize>();
    problem.measurements.iter().zip(&cut.parts).map(of).sum()
}

/// The tables of a block that never change.
#[derive(Debug, Default)]
pub struct Tables {
    /// Data points of the distinct problems.
    pub points: Vec<Point>,
    /// Terms of the distinct problems.
    pub terms: Vec<Term>,
    /// Parts of the distinct problems.
    pub parts: Vec<Part>,
    /// Walkers.
    pub walkers: Vec<Walker>,
    /// First term of each problem in `terms`.
    pub first_term: Vec<u32>,
}

impl Tables {
    /// Lays out a block.
    pub fn of(draft: &Draft<'_>) -> Self {
        let mut tables = Self::default();
        let mut first_part = Vec::with_capacity(draft.problems.len());
        for (problem, cut) in &draft.problems {
            first_part.push(tables.parts.len() as u32);
            tables.first_term.push(tables.terms.len() as u32);
            tables.push(problem, cut);
        }
        let (mut resident, mut total) = (0, draft.first_total() as u32);
        for &(_, problem) in &draft.walkers {
            tables.walkers.push(Walker { resident, first_part: first_part[problem as usize], totals: total });
            let (of, cut) = &draft.problems[problem as usize];
            resident += packing::coefficients(of) as u32;
            total += totals(of, cut) as u32;
        }
        tables
    }

    fn push(&mut self, problem: &Problem, cut: &Cut) {
        let mut first_term = self.terms.len() as u32;
        let mut at = 0;
        self.terms.extend(problem.terms.iter().map(|term| {
            let extent = Packing::of(problem, term).extent();
            let first = at;
            at += extent.len() as u32;
            Term { kind: term.model.shape as u32, at: first, stride: extent.stride as u32, repeats: extent.repeats as u32 }
        }));
        for (m, data) in problem.measurements.iter().enumerate() {
            let terms = problem.terms.iter().filter(|t| t.measurement == m).count() as u32;
            let noise = if data.noise == Noise::Poisson { POISSON } else { GAUSSIAN };
            for range in part_ranges(data.t.len(), cut.parts[m]) {
                let first_point = self.points.len();
                let points = padded(range.len(), &cut.key);
                self.points.extend(range.map(|i| point(data, i)));
                // Padding lies where the model is evaluated anyway, and is well behaved.
                let last = self.points.last().copied().unwrap_or_default();
                self.points.resize(first_point + points, Point { weight: 0.0, factor: 0.0, ..last });
                self.parts.push(Part { first_point: first_point as u32, points: points as u32, first_term, terms, noise });
            }
            first_term += terms;
        }
    }
}

fn point(data: &Measurement, i: usize) -> Point {
    let (weight, factor) = match data.noise {
        Noise::Gaussian | Noise::Scaled { .. } => (data.weight[i], 0.0),
        Noise::Poisson => (data.exposure.get(i).copied().unwrap_or(1.0), 2.0 * data.scale),
    };
    Point { t: data.t[i] as f32, y: data.y[i] as f32, weight: weight as f32, factor: factor as f32 }
}
