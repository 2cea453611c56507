//! Errors that say what went wrong, where, and what to do next.

use std::fmt;
use std::path::PathBuf;

/// Where an error happened: a file, and where it is known a line and a column (both from 1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, if the error concerns one.
    pub file: Option<PathBuf>,
    /// Line, counted from 1.
    pub line: Option<usize>,
    /// Column, counted from 1.
    pub column: Option<usize>,
}

impl Place {
    /// A whole file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { file: Some(path.into()), line: None, column: None }
    }

    /// A line of a file, counted from 1.
    pub fn line(path: impl Into<PathBuf>, line: usize) -> Self {
        Self { file: Some(path.into()), line: Some(line), column: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
                if let Some(column) = self.column {
                    write!(f, ":{column}")?;
                }
            }
        }
        Ok(())
    }
}

/// What an error stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// One frame is lost; it is recorded and the run goes on.
    Recoverable,
    /// A device is lost, or cannot be trusted or cannot hold the work: another engine does it again.
    Device,
    /// Nothing can go on.
    Fatal,
}

/// An error: what, where, what to do next, and whether the run can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What happened, in one sentence without a full stop.
    pub what: String,
    /// Where it happened.
    pub place: Place,
    /// A few lines of context (a caret under the offending text), printed as they are.
    pub excerpt: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// What it stops.
    pub severity: Severity,
}

/// The result of anything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error that ends the run.
    pub fn fatal(what: impl Into<String>) -> Self {
        Self { what: what.into(), place: Place::default(), excerpt: None, hint: None, severity: Severity::Fatal }
    }

    /// An error that costs one frame only.
    pub fn recoverable(what: impl Into<String>) -> Self {
        Self { severity: Severity::Recoverable, ..Self::fatal(what) }
    }

    /// An error of a device, not of the work: another engine can do it.
    pub fn device(what: impl Into<String>) -> Self {
        Self { severity: Severity::Device, ..Self::fatal(what) }
    }

    /// Adds where it happened.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds lines of context, printed as they are.
    #[must_use]
    pub fn excerpt(mut self, excerpt: impl Into<String>) -> Self {
        self.excerpt = Some(excerpt.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.file.is_some() {
            write!(f, "{}: ", self.place)?;
        }
        write!(f, "{}", self.what)?;
        if let Some(excerpt) = &self.excerpt {
            write!(f, "\n{}", excerpt.trim_end())?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
