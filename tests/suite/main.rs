//! One integration binary: every module is one kind of promise.

mod cli;
mod equivalence;
mod equivalence_gpu;
mod examples;
mod fixtures;
mod formats;
mod golden;
mod init;
mod invariance;
mod layout;
mod regression;
mod shaders;
mod simulate;
mod spec;
mod specs;
mod statistics;
