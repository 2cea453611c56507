//! One integration binary: every module is one kind of promise.

mod cli;
mod equivalence;
mod examples;
mod equivalence_gpu;
mod fixtures;
mod formats;
mod golden;
mod invariance;
mod layout;
mod regression;
mod shaders;
mod spec;
mod specs;
mod statistics;
