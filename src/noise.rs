//! Placeholder of noise: filled next.
