//! Records and constants that the shaders share: twin of shaders/layout.wgsl, compared by a test that parses the shader.

use bytemuck::{Pod, Zeroable};

/// Invocations of a workgroup.
pub const WORKGROUP: u32 = 64;
/// Points an invocation holds in registers at a time.
pub const POINTS_A_LANE: u32 = 4;
/// No standardised residual, and no expectation under Poisson, is larger in a shader.
pub const RESIDUAL_LIMIT: f32 = 1e15;
/// `Part::noise` of Gaussian noise.
pub const GAUSSIAN: u32 = 0;
/// `Part::noise` of Poisson noise.
pub const POISSON: u32 = 1;
/// Added to `Move::changed` where all terms are to be recomputed whatever is kept.
pub const WHOLE: u32 = 1 << 31;

/// What one dispatch does: a slot of moves to evaluate, and one whose choices are to be settled first.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct Call {
    /// First record in `moves` of this attempt.
    pub first_move: u32,
    /// How many there are.
    pub moves: u32,
    /// Sums a move: the parts that every problem of the block has.
    pub slots: u32,
    /// First record in `moves` of the attempt to settle.
    pub first_settled: u32,
    /// How many there are.
    pub settled: u32,
}

/// One data point; padding has weight and factor 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Point {
    /// Abscissa in [−1, 1].
    pub t: f32,
    /// y/scale.
    pub y: f32,
    /// scale/σ under Gaussian noise, the exposure under Poisson.
    pub weight: f32,
    /// 2 scale under Poisson: what half a deviance is multiplied by; unused under Gaussian noise.
    pub factor: f32,
}

/// One term of a problem.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Term {
    /// Number of the shape in [`crate::models::ShapeKind`].
    pub kind: u32,
    /// Place of its coefficients among the walker's.
    pub at: u32,
    /// Coefficients of one evaluation; the last two of a peak's are the ends of its support (see `packing`).
    pub stride: u32,
    /// How many evaluations are summed.
    pub repeats: u32,
}

/// A stretch of one measurement's points: what one job sums over.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Part {
    /// First point.
    pub first_point: u32,
    /// Points with their padding.
    pub points: u32,
    /// First of the measurement's terms.
    pub first_term: u32,
    /// How many there are.
    pub terms: u32,
    /// [`GAUSSIAN`] or [`POISSON`].
    pub noise: u32,
}

/// One walker.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Walker {
    /// Place of its coefficients in the buffer of coefficients.
    pub resident: u32,
    /// First part of its problem.
    pub first_part: u32,
    /// Place in the buffer of coefficients of its totals, where they are kept.
    pub totals: u32,
}

/// One move.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Move {
    /// Walker within the block.
    pub walker: u32,
    /// First of the terms it changes, in the list of changed terms.
    pub first_changed: u32,
    /// How many it changes; [`WHOLE`] may be added.
    pub changed: u32,
    /// Place of their new coefficients in the buffer of coefficients.
    pub fresh: u32,
}

/// Binding numbers of group 0.
pub mod binding {
    /// `call`, uniform.
    pub const CALL: u32 = 0;
    /// `terms`.
    pub const TERMS: u32 = 1;
    /// `walkers`.
    pub const WALKERS: u32 = 2;
    /// `moves`.
    pub const MOVES: u32 = 3;
    /// `changed`.
    pub const CHANGED: u32 = 4;
    /// `points`, kernels `misfit` and `keep`.
    pub const POINTS: u32 = 5;
    /// `parts`, kernels `misfit` and `keep`.
    pub const PARTS: u32 = 6;
    /// `coefficients`, and totals where they are kept: read by `misfit`, written by `settle` and `keep`.
    pub const COEFFICIENTS: u32 = 7;
    /// `sums`, kernel `misfit`.
    pub const SUMS: u32 = 8;
    /// `choices`, kernels `settle` and `keep`.
    pub const CHOICES: u32 = 9;
}
