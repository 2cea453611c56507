//! What a machine can do at best: rates that no engine on it exceeds, against which its own rates are told.

/// Rates of all cores, or of a whole device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceilings {
    /// Exponentials a second of the engine's own function, in a loop of nothing else.
    pub exponentials: f64,
    /// Bytes a second that a copy in the engine's memory reads and writes, both counted.
    pub copied: f64,
}
