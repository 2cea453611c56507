//! The executable: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(keisoku::cli::main(std::env::args_os()))
}
