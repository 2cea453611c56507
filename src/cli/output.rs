//! Text for standard output and standard error that survives a closed pipe.

use std::io::Write;

use crate::error::Error;

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
pub(super) fn out(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Columns of the terminal that standard output is; none where it is a file or a pipe.
pub(super) fn width() -> Option<usize> {
    console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))
}

/// Writes a line to standard error.
pub(super) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes an error to standard error.
pub(super) fn error(error: &Error) {
    note(&format!("error: {error}"));
}

/// As `println!`, which panics where the pipe is closed.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::output::out(&format!("{}\n", format_args!($($text)*)))
    };
}
pub(super) use say;
