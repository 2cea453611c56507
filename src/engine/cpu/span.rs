//! Half-open ranges of the steps and blocks of a grid.

/// Points that one SIMD operation handles, on every instruction set.
pub const STEP: usize = 16;

/// Steps whose misfit is kept as one partial sum.
pub const STEPS_A_BLOCK: usize = 4;

/// Steps that a term is evaluated in at once.
pub const ABREAST: usize = 4;

/// Steps or blocks `begin .. end`; empty where begin ≥ end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First.
    pub begin: usize,
    /// One past the last.
    pub end: usize,
}

impl Span {
    /// Nothing.
    pub const EMPTY: Self = Self { begin: 0, end: 0 };

    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.begin >= self.end
    }

    /// Whether it holds all of the other.
    pub fn contains(self, other: Self) -> bool {
        other.is_empty() || (self.begin <= other.begin && other.end <= self.end)
    }

    /// The smallest span that holds both.
    pub fn hull(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self { begin: self.begin.min(other.begin), end: self.end.max(other.end) }
    }

    /// What both hold.
    pub fn overlap(self, other: Self) -> Self {
        Self { begin: self.begin.max(other.begin), end: self.end.min(other.end) }
    }

    /// Of a span of steps: the blocks it touches.
    pub fn blocks(self) -> Self {
        if self.is_empty() {
            return Self::EMPTY;
        }
        Self { begin: self.begin / STEPS_A_BLOCK, end: self.end.div_ceil(STEPS_A_BLOCK) }
    }

    /// Of a span of blocks: its steps.
    pub fn steps(self) -> Self {
        Self { begin: self.begin * STEPS_A_BLOCK, end: self.end * STEPS_A_BLOCK }
    }

    /// As indices.
    pub fn range(self) -> std::ops::Range<usize> {
        if self.is_empty() { 0..0 } else { self.begin..self.end }
    }

    /// Both as at most two spans that do not overlap, ascending: their hull where they touch.
    pub fn union(self, other: Self) -> [Self; 2] {
        if self.is_empty() || other.is_empty() || (self.begin <= other.end && other.begin <= self.end) {
            return [self.hull(other), Self::EMPTY];
        }
        if self.begin < other.begin { [self, other] } else { [other, self] }
    }
}

/// The first and the last of the ascending numbers of each step.
#[derive(Clone, Debug, PartialEq)]
pub struct Ends {
    firsts: Ascending,
    lasts: Ascending,
}

impl Ends {
    /// Of points `t`.
    pub fn of(t: &[f64]) -> Self {
        let (firsts, lasts) = t.chunks(STEP).map(|step| (step[0], step[step.len() - 1])).unzip();
        Self { firsts: Ascending::new(firsts), lasts: Ascending::new(lasts) }
    }

    /// The steps of the same `t` that have a point in [low, high].
    pub fn touched(&self, t: &[f64], low: f64, high: f64) -> Span {
        let (begin, end) = (self.lasts.count(low, |t| t < low), self.firsts.count(high, |t| t <= high));
        let inside = || t[begin * STEP..].iter().take(STEP).any(|t| low <= *t && *t <= high);
        if begin >= end || (end == begin + 1 && !inside()) {
            return Span::EMPTY;
        }
        Span { begin, end }
    }
}

/// Ascending numbers, most often evenly spaced, in which places are looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Ascending {
    values: Vec<f64>,
    /// How many of them a unit, on average.
    rate: f64,
}

impl Ascending {
    /// Of ascending `values`.
    pub fn new(values: Vec<f64>) -> Self {
        let rate = match values.as_slice() {
            [first, .., last] if last > first => (values.len() - 1) as f64 / (last - first),
            _ => 0.0,
        };
        Self { values, rate }
    }

    /// The numbers.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many are below, which those are that are less than `x` (or no more than it).
    #[inline]
    pub fn count(&self, x: f64, below: impl Fn(f64) -> bool) -> usize {
        let (values, n) = (&*self.values, self.values.len());
        let Some(first) = values.first() else { return 0 };
        // Where they are even, this is off by one at most, and right without a branch that goes now this way, now that.
        let guess = (((x - first) * self.rate) as usize).min(n - 1);
        let up = usize::from(below(values[guess]));
        let down = usize::from(up == 0 && guess > 0 && !below(values[guess.max(1) - 1]));
        let found = guess + up - down;
        if (found == 0 || below(values[found - 1])) && (found == n || !below(values[found])) {
            return found;
        }
        values.partition_point(|v| below(*v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touched_steps_are_those_of_the_points_inside() {
        for n in [1, 15, 16, 17, 100, 1025] {
            let t: Vec<f64> = (0..n).map(|i| i as f64).collect();
            let ends = Ends::of(&t);
            for low in [-3.0, 0.0, 0.2, 15.0, 15.5, 16.0, 31.9, 99.0, 1e9] {
                for width in [-1.0, 0.0, 0.5, 1.0, 17.0, 1e9] {
                    let inside: Vec<usize> = (0..t.len()).filter(|&i| low <= t[i] && t[i] <= low + width).collect();
                    let expected = match (inside.first(), inside.last()) {
                        (Some(first), Some(last)) => Span { begin: first / STEP, end: last / STEP + 1 },
                        _ => Span::EMPTY,
                    };
                    assert_eq!(ends.touched(&t, low, low + width), expected, "{n} points, {low} + {width}");
                }
            }
        }
    }

    #[test]
    fn counts_are_those_of_a_search() {
        let evenly = |i: usize| 0.3 + 0.1 * i as f64;
        let widening = |i: usize| (0.1 * i as f64).exp();
        let twice = |i: usize| (i / 2) as f64;
        for of in [&evenly as &dyn Fn(usize) -> f64, &widening, &twice] {
            for n in [0, 1, 2, 3, 50] {
                let values = Ascending::new((0..n).map(of).collect());
                let near = values.values().iter().flat_map(|&v| [v - 1e-9, v, v + 1e-9]).collect::<Vec<_>>();
                for x in near.into_iter().chain([f64::NEG_INFINITY, -1e300, 1e300, f64::INFINITY, f64::NAN]) {
                    assert_eq!(values.count(x, |v| v < x), values.values().iter().filter(|v| **v < x).count(), "{n} values, {x}");
                    assert_eq!(values.count(x, |v| v <= x), values.values().iter().filter(|v| **v <= x).count(), "{n} values, {x}");
                }
            }
        }
    }
}
