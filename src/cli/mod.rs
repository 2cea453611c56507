//! cli.

pub mod models;
