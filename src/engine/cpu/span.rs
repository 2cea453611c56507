//! Half-open ranges of the steps and blocks of a grid.

/// Points that one SIMD operation handles, on every instruction set.
pub const STEP: usize = 16;

/// Steps whose misfit is kept as one partial sum.
pub const STEPS_A_BLOCK: usize = 4;

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
