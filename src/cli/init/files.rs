//! From the files a user names to what a spec says of them: a folder and a pattern.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::{Error, Place, Result};

/// Files that stand beside data and are none.
const NO_DATA: [&str; 9] = ["toml", "md", "html", "json", "jsonl", "py", "png", "pdf", "log"];

/// A folder, and the name of one file in it or the pattern of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub folder: PathBuf,
    pub files: String,
}

impl Source {
    /// The series that `named` means: one file, several of one kind in one folder, or a folder, whose most frequent kind counts.
    ///
    /// # Errors
    /// Where a file does not exist, the files lie in several folders or are of several kinds, or a folder holds none.
    pub fn of(named: &[PathBuf]) -> Result<Self> {
        for path in named {
            if !path.exists() {
                return Err(Error::fatal("there is no such file or folder").at(Place::file(path)).hint("give data files, or their folder"));
            }
        }
        match named {
            [folder] if folder.is_dir() => Self::of_folder(folder),
            [file] => Ok(Self { folder: folder_of(file), files: text(file.file_name().unwrap_or_default(), file)? }),
            files => Self::of_files(files),
        }
    }

    fn of_files(files: &[PathBuf]) -> Result<Self> {
        let folder = folder_of(&files[0]);
        let extension = files[0].extension().unwrap_or_default();
        for file in files {
            let what = if file.is_dir() {
                "is a folder among files"
            } else if folder_of(file) != folder {
                "lies in another folder than the first file"
            } else if file.extension().unwrap_or_default() != extension {
                "is of another kind than the first file"
            } else {
                continue;
            };
            return Err(Error::fatal(what).at(Place::file(file)).hint("a series is files of one kind in one folder"));
        }
        Ok(Self { folder, files: pattern(files, extension)? })
    }

    fn of_folder(folder: &Path) -> Result<Self> {
        let unreadable = |e: std::io::Error| Error::fatal(format!("the folder cannot be read: {e}")).at(Place::file(folder));
        let mut kinds: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let kind = PathBuf::from(path.extension().unwrap_or_default());
            let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
            if !path.is_file() || hidden || NO_DATA.iter().any(|k| kind == Path::new(k)) {
                continue;
            }
            match kinds.iter_mut().find(|(k, _)| *k == kind) {
                Some((_, files)) => files.push(path),
                None => kinds.push((kind, vec![path])),
            }
        }
        // The most frequent kind; of two as frequent the first by name, so that the order of the folder does not matter.
        kinds.sort_by(|a, b| (b.1.len(), &a.0).cmp(&(a.1.len(), &b.0)));
        let Some((kind, files)) = kinds.into_iter().next() else {
            return Err(Error::fatal("the folder holds no data")
                .at(Place::file(folder))
                .hint("give the folder that holds the files themselves"));
        };
        Ok(Self { folder: folder.into(), files: pattern(&files, kind.as_os_str())? })
    }
}

/// The folder of a file; `.` for a bare name.
fn folder_of(file: &Path) -> PathBuf {
    file.parent().filter(|p| *p != Path::new("")).map_or_else(|| ".".into(), Path::to_path_buf)
}

/// What the names have in common before and after a star.
fn pattern(files: &[PathBuf], extension: &OsStr) -> Result<String> {
    let names = files.iter().map(|f| text(f.file_name().unwrap_or_default(), f)).collect::<Result<Vec<_>>>()?;
    if let [one] = names.as_slice() {
        return Ok(one.clone());
    }
    let is_common = |prefix: &str| names.iter().all(|n| n.starts_with(prefix));
    let first = &names[0];
    // Up to the first digit: the next frame of the series may have any number.
    let digit = first.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let before = if is_common(&first[..digit]) && !first[..digit].contains(['*', '?', '[']) { &first[..digit] } else { "" };
    let extension = text(extension, &files[0])?;
    Ok(if extension.is_empty() { format!("{before}*") } else { format!("{before}*.{extension}") })
}

fn text(name: &OsStr, file: &Path) -> Result<String> {
    name.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::fatal("the name is not UTF-8, and a spec is").at(Place::file(file)).hint("rename the file"))
}
