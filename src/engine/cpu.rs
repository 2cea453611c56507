//! cpu engine.
