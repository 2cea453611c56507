//! `--frames`: which frames of a series, and in which order.

use std::str::FromStr;

use crate::dataset::Entry;
use crate::error::{Error, Result};

/// Ranges of frames, counted from 1, both ends included: `7`, `1..48`, `1..48:8`, `..5`, `30..`, or several joined by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Frames(Vec<Stretch>);

/// first, first + step, … up to last; none is the end of the series.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stretch {
    first: usize,
    last: Option<usize>,
    step: usize,
}

impl Frames {
    /// The frames named, in the order named, each once.
    ///
    /// # Errors
    /// Where the series has none of them.
    pub fn of<'a>(&self, entries: &'a [Entry]) -> Result<Vec<&'a Entry>> {
        let mut taken = vec![false; entries.len()];
        let mut chosen = Vec::new();
        for stretch in &self.0 {
            let last = stretch.last.unwrap_or(entries.len()).min(entries.len());
            for number in (stretch.first..=last).step_by(stretch.step) {
                if !std::mem::replace(&mut taken[number - 1], true) {
                    chosen.push(&entries[number - 1]);
                }
            }
        }
        if chosen.is_empty() {
            return Err(
                Error::fatal(format!("--frames names none of the {} frames of this series", entries.len())).hint("frames count from 1")
            );
        }
        Ok(chosen)
    }
}

impl FromStr for Frames {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        text.split(',').map(|part| part.trim().parse()).collect::<std::result::Result<_, _>>().map(Self)
    }
}

impl FromStr for Stretch {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = |text: &str| match text.trim().parse() {
            Ok(0) => Err("frames count from 1".to_owned()),
            Ok(n) => Ok(n),
            Err(_) => Err(format!("`{text}` is no frame: write 7, 1..48, 1..48:8 or 1,5,9")),
        };
        let (range, step) = match text.split_once(':') {
            Some((range, step)) => (range, number(step)?),
            None => (text, 1),
        };
        let (first, last) = match range.split_once("..") {
            Some((first, last)) => {
                (if first.trim().is_empty() { 1 } else { number(first)? }, if last.trim().is_empty() { None } else { Some(number(last)?) })
            }
            None => (number(range)?, Some(number(range)?)),
        };
        if last.is_some_and(|last| last < first) {
            return Err(format!("`{text}` ends before it begins"));
        }
        Ok(Self { first, last, step })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> std::result::Result<Vec<usize>, String> {
        let entries: Vec<Entry> = (1..=10)
            .map(|number| Entry { number, name: String::new(), source: String::new(), path: "".into(), part: 0, axis: None, monitor: None })
            .collect();
        let frames: Frames = text.parse()?;
        frames.of(&entries).map(|chosen| chosen.iter().map(|e| e.number).collect()).map_err(|e| e.what)
    }

    #[test]
    fn ranges_include_both_ends() {
        for (text, expected) in [
            ("7", vec![7]),
            ("1..3", vec![1, 2, 3]),
            ("1..48:4", vec![1, 5, 9]),
            ("..2", vec![1, 2]),
            ("9..", vec![9, 10]),
            ("3, 1..3", vec![3, 1, 2]),
        ] {
            assert_eq!(numbers(text), Ok(expected), "{text}");
        }
        for text in ["0", "a", "3..1", "1..5:0", "", "11", "1..x"] {
            assert!(numbers(text).is_err(), "{text}");
        }
    }
}
