//! The numbers of one file as an array, with where each row came from and what the header said.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use ndarray::Array2;

use super::{fxye, npy, text};
use crate::error::{Error, Place, Result};

/// What kind of file it is, as far as defaults of columns depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text whose columns are x and y unless the spec or the header says otherwise.
    Text,
    /// Text whose columns are x, y and σ by its very name.
    WithSigma,
    /// An array without names.
    Array,
}

/// The numbers of one file.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    /// What kind of file.
    pub(super) kind: Kind,
    /// The numbers as they lie in the file, rows × columns; what is missing is NaN.
    pub(super) values: Array2<f64>,
    /// Line of each row, from 1; empty where the file has no lines.
    pub(super) lines: Vec<usize>,
    /// Names of the columns, where the last line of words before the numbers has as many as there are columns.
    pub(super) names: Vec<String>,
    /// `key = value` and `key: value` lines of the header.
    pub(super) metadata: Vec<(String, String)>,
}

/// Larger files are refused: they are no measured curves, and would not fit in memory beside their numbers.
const MAX_BYTES: u64 = 1 << 30;

/// What can be read, for hints.
const READABLE: &str =
    "keisoku reads columns of text (.xy .xye .dat .csv .txt .chi and the like), GSAS .fxye and numpy .npy; convert others to one of them";

impl Sheet {
    /// Reads a file of any kind; the extension chooses among text, .fxye and .npy.
    ///
    /// # Errors
    /// Recoverable, with file and line: what cannot be read, is empty or too large, is not text, or holds no numbers.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = read_bytes(path)?;
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if extension == "npy" || npy::is_npy(&bytes) {
            return npy::read(&bytes, path);
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(refused(path, "is written in UTF-16").hint("save it as UTF-8 or plain text"));
        }
        if bytes.contains(&0) {
            return Err(refused(path, "is a binary file").hint(READABLE));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        match extension.as_str() {
            "fxye" | "gsas" | "gsa" | "gss" => fxye::read(bytes, path),
            "xye" => text::read(bytes, path, Kind::WithSigma),
            "chi" => text::read_chi(bytes, path),
            _ => text::read(bytes, path, Kind::Text),
        }
    }

    /// Where a row of the file is.
    pub(super) fn place(&self, path: &Path, row: usize) -> Place {
        self.lines.get(row).map_or_else(|| Place::file(path), |line| Place::line(path, *line))
    }
}

/// An error about a whole file that costs one frame.
pub(super) fn refused(path: &Path, what: &str) -> Error {
    Error::recoverable(what).at(Place::file(path))
}

/// The bytes of a regular file of reasonable size.
///
/// # Errors
/// Recoverable: not there, not permitted, a folder or a device, empty, too large.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let failed = |error: io::Error| unreadable(path, &error);
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        let what = if about.is_dir() { "is a folder, not a file" } else { "is not a regular file" };
        return Err(refused(path, what).hint("name files in `files`, and their folder in `folder`"));
    }
    let mut bytes = Vec::new();
    // The limit is on what is read, not on what the metadata promised: the file may be growing.
    File::open(path).map_err(failed)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused(path, "is larger than 1 GiB").hint("split it, or store it as .npy with one file a scan"));
    }
    if bytes.is_empty() {
        return Err(refused(path, "is empty").hint("measure it again, or leave it out of `files`"));
    }
    Ok(bytes)
}

/// What the system said, in the words of a user.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Error {
    let (what, hint) = match error.kind() {
        io::ErrorKind::NotFound => ("does not exist".to_string(), "check `folder` and `files` under [data], or give --data DIR"),
        io::ErrorKind::PermissionDenied => ("may not be read".to_string(), "change its permissions"),
        _ => (format!("cannot be read: {error}"), "check the disk, or copy the file and try again"),
    };
    refused(path, &what).hint(hint)
}
