//! gpu engine.
