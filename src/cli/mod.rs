//! The executable's verbs, one file each: they parse and call the library.

pub mod init;
pub mod bench;
pub mod demo;
pub mod doctor;
pub mod models;
mod output;
mod run;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

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
    /// Look at data files and write a first spec
    Init(init::Arguments),
    /// List the models, or explain one
    Models {
        /// Name of a model
        name: Option<String>,
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
        Verb::Init(arguments) => init::run(arguments).map(|()| Exit::Good),
        Verb::Models { name } => models::run(name.as_deref()).map(|()| Exit::Good),
    };
    match done {
        Ok(exit) => exit.code(),
        Err(error) => {
            output::error(&error);
            Exit::Nothing.code()
        }
    }
}
