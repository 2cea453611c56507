//! Files that are either whole or not there: written beside their place, synced, then renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Place, Result};

/// Writes a file in one step: a reader sees the old file or the new one, never half of either.
///
/// # Errors
/// Where the folder cannot be written to or `write` fails; the old file is then still there.
pub fn write(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let temporary = beside(path);
    let done = fill(&temporary, path, write);
    if done.is_err() {
        // What went wrong is told by the error; a leftover would only be in the way.
        let _ = fs::remove_file(&temporary);
    }
    done
}

fn fill(temporary: &Path, path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut out = BufWriter::new(File::create(temporary).map_err(|e| cannot_write(path, &e))?);
    write(&mut out)?;
    let file = out.into_inner().map_err(|e| cannot_write(path, e.error()))?;
    file.sync_all().map_err(|e| cannot_write(path, &e))?;
    fs::rename(temporary, path).map_err(|e| cannot_write(path, &e))
}

/// `.NAME.tmp` in the same folder, because a rename between file systems is a copy.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.tmp"))
}

/// The error of a file that cannot be written.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::fatal(format!("cannot be written: {error}"))
        .at(Place::file(path))
        .hint("free some space or choose another folder with --out DIR")
}

/// The error of a file that cannot be read.
pub(super) fn cannot_read(path: &Path, error: &io::Error) -> Error {
    Error::fatal(format!("cannot be read: {error}"))
        .at(Place::file(path))
        .hint("check its permissions, or choose another folder with --out DIR")
}
