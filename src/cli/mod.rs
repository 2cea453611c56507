//! The executable's verbs, one file each: they parse and call the library.

pub mod bench;
mod calibrate;
pub mod demo;
pub mod doctor;
pub mod init;
mod kept;
mod limit;
pub mod models;
mod output;
mod plot;
mod report;
mod run;
pub mod simulate;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::engine::gpu::Selection;
use crate::error::Result;
use crate::report::Exit;

/// Bayesian measurement: how many peaks, where, how certain, and whether the numbers may be quoted.
#[derive(Debug, Parser)]
#[command(name = "keisoku", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Arguments),
    Watch(watch::Arguments),
    /// Look at data files and write a first spec
    Init(init::Arguments),
    Simulate(simulate::Arguments),
    Calibrate(calibrate::Arguments),
    Limit(limit::Arguments),
    Report(report::Arguments),
    Plot(plot::Arguments),
    /// List the models, or explain one
    Models {
        /// Name of a model
        name: Option<String>,
    },
    /// Examine the GPUs of this machine: limits, and how well each agrees with the oracle
    Doctor {
        /// Number or part of the name of an adapter [default: all]
        adapter: Option<Selection>,
    },
    /// Measure how many energies a second the engines return
    Bench {
        /// Engines, separated by commas
        #[arg(long, value_delimiter = ',', default_value = "cpu")]
        engine: Vec<String>,
        /// Number or part of the name of the gpu engine's adapter
        #[arg(long, default_value = "best")]
        adapter: Selection,
        /// Leave out cases that would take longer than this a step
        #[arg(long, value_name = "TIME", default_value = "2s", value_parser = run::time::duration)]
        patience: Duration,
        /// Write all figures to this file as well, as JSON
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Parses, runs and returns the exit code: 0 good, 1 nothing could run, 2 a frame failed or may not be quoted, 130 interrupted.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(told) => {
            // Help and the version are no errors; a mistyped command is one, and 2 would mean a doubtful frame.
            let code = if told.use_stderr() { Exit::Nothing } else { Exit::Good };
            let _ = told.print();
            return code.code();
        }
    };
    let done: Result<Exit> = match &cli.verb {
        Verb::Run(arguments) => run::run(arguments),
        Verb::Watch(arguments) => watch::run(arguments),
        Verb::Init(arguments) => init::run(arguments).map(|()| Exit::Good),
        Verb::Simulate(arguments) => simulate::run(arguments).map(|()| Exit::Good),
        Verb::Calibrate(arguments) => calibrate::run(arguments),
        Verb::Limit(arguments) => limit::run(arguments),
        Verb::Report(arguments) => report::run(arguments).map(|()| Exit::Good),
        Verb::Plot(arguments) => plot::run(arguments).map(|()| Exit::Good),
        Verb::Models { name } => models::run(name.as_deref()).map(|()| Exit::Good),
        Verb::Doctor { adapter } => doctor::run(adapter.as_ref()).map(|()| Exit::Good),
        Verb::Bench { engine, adapter, patience, out } => bench::run(engine, adapter, *patience, out.as_deref()).map(|()| Exit::Good),
    };
    match done {
        Ok(exit) => exit.code(),
        Err(error) => {
            output::error(&error);
            Exit::Nothing.code()
        }
    }
}
