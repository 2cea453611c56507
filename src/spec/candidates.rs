//! The candidates of a group: named lists of terms, times every count, times every relative model error.

use std::ops::Range;

use toml::Spanned;

use super::fields::nearest;
use super::raw::{RawCandidates, RawSpec};
use super::{Candidate, Measurement, write};
use crate::error::{Error, Result};

/// Most candidates of a group: beyond it the probabilities say little and the run takes days.
const MOST: usize = 200;

/// A candidate before its counts are chosen: a name and the terms it holds, as (measurement, term).
struct Base {
    name: Option<String>,
    terms: Vec<(usize, usize)>,
}

/// All candidates of a group whose place in the file is `span`.
pub(super) fn candidates(
    raw: &RawSpec,
    span: &Range<usize>,
    named: Option<&RawCandidates>,
    measurements: &[Measurement],
    model_errors: &[f64],
) -> Result<Vec<Candidate>> {
    expand(raw, span, &bases(raw, named, measurements)?, measurements, model_errors)
}

/// The candidates of one of several measurements by itself: what those of the joint problem are there.
pub(super) fn alone(
    raw: &RawSpec,
    span: &Range<usize>,
    named: Option<&RawCandidates>,
    (measurements, m): (&[Measurement], usize),
    model_errors: &[f64],
) -> Result<Vec<Candidate>> {
    let mut own: Vec<Base> = Vec::new();
    for base in bases(raw, named, measurements)? {
        let terms: Vec<_> = base.terms.iter().filter(|at| at.0 == m).map(|&(_, t)| (0, t)).collect();
        match own.iter_mut().find(|other| other.terms == terms) {
            // Models that differ in other measurements alone are one here.
            Some(other) => other.name = other.name.take().zip(base.name).map(|(a, b)| format!("{a} or {b}")),
            None => own.push(Base { name: base.name, terms }),
        }
    }
    own.retain(|base| !base.terms.is_empty());
    expand(raw, span, &own, &measurements[m..=m], model_errors)
}

fn bases(raw: &RawSpec, named: Option<&RawCandidates>, measurements: &[Measurement]) -> Result<Vec<Base>> {
    match named {
        Some(named) => read_bases(raw, named, measurements),
        None => Ok(vec![Base { name: None, terms: all_terms(measurements).collect() }]),
    }
}

/// Every choice of counts of every base.
fn expand(
    raw: &RawSpec,
    span: &Range<usize>,
    bases: &[Base],
    measurements: &[Measurement],
    model_errors: &[f64],
) -> Result<Vec<Candidate>> {
    let number: f64 = bases.iter().map(|b| b.terms.iter().map(|&(m, t)| counts(&measurements[m].terms[t].count)).product::<f64>()).sum();
    let number = number * model_errors.len() as f64;
    if number > MOST as f64 {
        return Err(raw
            .source
            .error(span, format!("{number} candidates, and more than {MOST} cannot compete"))
            .hint("narrow the counts, or split the window; several counts multiply"));
    }
    let several = all_terms(measurements).filter(|&(m, t)| measurements[m].terms[t].counted).count() > 1;
    let mut all = Vec::new();
    for &model_error in model_errors {
        for base in bases {
            for counts in odometer(base, measurements) {
                let mut candidate = candidate(base, &counts, measurements, several);
                if model_errors.len() > 1 {
                    candidate.label.push_str(&format!(" eps={}", write::number(model_error)));
                }
                candidate.model_error = model_error;
                all.push(candidate);
            }
        }
    }
    Ok(all)
}

fn all_terms(measurements: &[Measurement]) -> impl Iterator<Item = (usize, usize)> {
    measurements.iter().enumerate().flat_map(|(m, measurement)| (0..measurement.terms.len()).map(move |t| (m, t)))
}

fn counts((low, high): &(usize, usize)) -> f64 {
    (high - low) as f64 + 1.0
}

fn read_bases(raw: &RawSpec, named: &RawCandidates, measurements: &[Measurement]) -> Result<Vec<Base>> {
    let term = |at: (usize, usize)| &measurements[at.0].terms[at.1];
    let names: Vec<&str> = all_terms(measurements).map(|at| term(at).name.as_str()).collect();
    let mut bases = Vec::new();
    for (name, list) in named {
        for word in list {
            if !names.contains(&word.get_ref().as_str()) {
                return Err(unknown_term(raw, word, &names));
            }
        }
        let listed = |at: &(usize, usize)| list.iter().any(|word| *word.get_ref() == term(*at).name);
        bases.push(Base { name: Some(name.get_ref().clone()), terms: all_terms(measurements).filter(listed).collect() });
    }
    match names.iter().find(|n| !named.iter().any(|(_, list)| list.iter().any(|word| word.get_ref() == *n))) {
        Some(orphan) => {
            let span = named.first().map_or(0..0, |(name, _)| name.span());
            Err(raw
                .source
                .error(&span, format!("the term `{orphan}` is in no candidate"))
                .hint("name it in every list it belongs to (a background too), or remove the term"))
        }
        None => Ok(bases),
    }
}

fn unknown_term(raw: &RawSpec, word: &Spanned<String>, names: &[&str]) -> Error {
    let error = raw.source.error(&word.span(), format!("no term is called `{}`", word.get_ref()));
    match nearest(word.get_ref(), names) {
        Some(name) => error.hint(format!("did you mean \"{name}\"?")),
        None => error.hint(format!("the terms are {}; give a term another name with name = \"…\"", super::fields::listed(names))),
    }
}

/// Every choice of counts of a base's terms, the last one running fastest.
fn odometer(base: &Base, measurements: &[Measurement]) -> Vec<Vec<usize>> {
    let mut choices = vec![Vec::new()];
    for &(m, t) in &base.terms {
        let (low, high) = measurements[m].terms[t].count;
        choices = choices.iter().flat_map(|c| (low..=high).map(move |n| c.iter().copied().chain([n]).collect())).collect();
    }
    choices
}

fn candidate(base: &Base, counts: &[usize], measurements: &[Measurement], several: bool) -> Candidate {
    let chosen = || base.terms.iter().zip(counts).map(|(&(m, t), &n)| (m, t, n, &measurements[m].terms[t]));
    let counted: Vec<_> = chosen().filter(|(.., term)| term.counted).collect();
    let k = (!counted.is_empty()).then(|| counted.iter().map(|(_, _, n, _)| n).sum());
    let joint = measurements.len() > 1;
    let name = |m: usize, term: &super::Term| {
        // The same name may stand in several measurements.
        let twice =
            joint && measurements.iter().enumerate().any(|(i, o)| i != m && o.terms.iter().any(|t| t.counted && t.name == term.name));
        if twice { format!("{}.{}", measurements[m].name, term.name) } else { term.name.clone() }
    };
    let mut words: Vec<String> = base.name.iter().cloned().collect();
    match &counted[..] {
        [(_, _, n, _)] if !several => words.push(format!("K={n}")),
        _ => words.extend(counted.iter().map(|&(m, _, n, term)| format!("{}={n}", name(m, term)))),
    }
    if words.is_empty() {
        words.push(chosen().map(|(.., term)| term.name.clone()).collect::<Vec<_>>().join(" + "));
    }
    let terms = chosen().filter(|(_, _, n, _)| *n > 0).map(|(m, t, n, _)| (m, t, n)).collect();
    Candidate { label: words.join(" "), k, terms, model_error: 0.0 }
}
