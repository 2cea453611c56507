// Records and constants that both kernels share: twin of src/engine/gpu/layout.rs, compared by tests/suite/layout.rs.

// Invocations of a workgroup.
const WORKGROUP: u32 = 64u;
// Points an invocation holds in registers at a time: a term's coefficients are read once for all of them.
const POINTS_A_LANE: u32 = 4u;
// Returned instead of infinity or NaN, neither of which a shader may compute.
const SENTINEL: f32 = 3e38;
// The smallest expectation under Poisson, in units of y/scale.
const POISSON_FLOOR: f32 = 1e-12;
// No standardised residual is larger: 1e7 squares of it stay below the sentinel.
const RESIDUAL_LIMIT: f32 = 1e15;
// Noise models.
const GAUSSIAN: u32 = 0u;
const POISSON: u32 = 1u;
// Added to `Move::changed` where all terms are to be recomputed whatever is kept.
const WHOLE: u32 = 0x80000000u;

// How many invocations share one job: a power of two, at most WORKGROUP. Where data are short a workgroup has several jobs.
override lanes: u32 = 64u;
// Points that neighbouring invocations read side by side: min(lanes, 32), so that a subgroup of 32 with nothing left to do rests.
override row: u32 = 32u;

// What one dispatch does. Moves and what they change stand in two slots, used in turn: the kernel `settle` reads the slot of the last attempt.
struct Call {
    // First record in `moves` of this attempt, and how many there are.
    first_move: u32,
    moves: u32,
    // Sums a move: the parts that every problem of the block has.
    slots: u32,
    // First record in `moves` of the attempt to settle, and how many there are.
    first_settled: u32,
    settled: u32,
}

// One data point. Padding has weight and factor 0, so that it adds nothing.
struct Point {
    t: f32,
    y: f32,
    // scale/sigma (Gaussian) or the exposure (Poisson).
    weight: f32,
    // 2 scale (Poisson): what half a deviance is multiplied by; unused under Gaussian noise.
    factor: f32,
}

// One term of a problem.
struct Term {
    // Which shape: its number in `ShapeKind`.
    kind: u32,
    // Place of its coefficients among the walker's.
    at: u32,
    // Coefficients of one evaluation; the last two of a peak's are the ends of its support.
    stride: u32,
    // How many evaluations are summed.
    repeats: u32,
}

// A stretch of one measurement's points: what one job sums over.
struct Part {
    first_point: u32,
    // Points with their padding: a multiple of row * POINTS_A_LANE.
    points: u32,
    // The measurement's terms.
    first_term: u32,
    terms: u32,
    // GAUSSIAN or POISSON.
    noise: u32,
}

// One walker.
struct Walker {
    // Place of its coefficients in `coefficients`.
    resident: u32,
    // Parts of its problem.
    first_part: u32,
    // Place in `coefficients` of its totals, one a point of its problem, where they are kept.
    totals: u32,
}

// One move.
struct Move {
    walker: u32,
    // The terms it changes: places in `changed`, which holds places in `terms`, ascending.
    first_changed: u32,
    // How many: WHOLE may be added.
    changed: u32,
    // Place in `coefficients` of their new coefficients, one term after the other.
    fresh: u32,
}

@group(0) @binding(0) var<uniform> call: Call;
@group(0) @binding(1) var<storage, read> terms: array<Term>;
@group(0) @binding(2) var<storage, read> walkers: array<Walker>;
@group(0) @binding(3) var<storage, read> moves: array<Move>;
@group(0) @binding(4) var<storage, read> changed: array<u32>;
