//! Placeholder of evidence: filled next.
