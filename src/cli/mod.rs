//! cli.

pub mod demo;
pub mod doctor;
