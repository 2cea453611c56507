//! Placeholder of posterior: filled next.
