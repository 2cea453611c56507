//! One integration binary: every module is one kind of promise.

mod batches;
mod budget;
mod cli;
mod closed_forms;
mod demo;
mod equivalence;
mod equivalence_gpu;
mod equivalence_led;
mod examples;
mod examples_run;
mod fallback;
mod fixtures;
mod formats;
mod golden;
mod init;
mod invariance;
mod layout;
mod misfit;
mod posterior;
mod readme;
mod shaders;
mod simulate;
mod spec;
mod specs;
mod statistics;
