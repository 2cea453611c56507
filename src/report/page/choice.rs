//! Which frames' details a report holds.

use super::Options;
use crate::error::Result;
use crate::report::view::{Results, best};

/// Most frames whose details are held where nothing else is asked for: some ten megabytes.
pub const DETAILS: usize = 200;

/// Places of the frames, ascending: those asked for, then those with the worst verdicts, then evenly spaced ones.
pub(super) fn places(results: &Results, options: &Options) -> Result<Vec<usize>> {
    let n = results.frames.len();
    let mut chosen = vec![false; n];
    for number in &options.frames {
        chosen[results.place(*number)?] = true;
    }
    let bad = |i: usize| results.frames[i].frame.windows.iter().filter_map(best).map(|c| c.verdict.len()).sum::<usize>();
    let mut order: Vec<usize> = (0..n).filter(|i| bad(*i) > 0).collect();
    order.sort_by_key(|i| std::cmp::Reverse(bad(*i)));
    for (already, i) in order.into_iter().enumerate() {
        if already < options.details {
            chosen[i] = true;
        }
    }
    let left = options.details.saturating_sub(chosen.iter().filter(|c| **c).count());
    let others: Vec<usize> = (0..n).filter(|i| !chosen[*i]).collect();
    for i in spaced(others.len(), left) {
        chosen[others[i]] = true;
    }
    Ok((0..n).filter(|i| chosen[*i]).collect())
}

/// So many of `n` indices, evenly spaced, the first and the last among them.
fn spaced(n: usize, wanted: usize) -> Vec<usize> {
    match wanted.min(n) {
        0 => Vec::new(),
        1 => vec![0],
        wanted => (0..wanted).map(|i| i * (n - 1) / (wanted - 1)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_spread_from_end_to_end() {
        assert_eq!(spaced(10, 4), [0, 3, 6, 9]);
        assert_eq!(spaced(3, 200), [0, 1, 2]);
        assert_eq!(spaced(0, 5), [0; 0]);
        assert_eq!(spaced(7, 1), [0]);
    }
}
