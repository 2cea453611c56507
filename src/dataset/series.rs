//! The files of a series: which they are, their natural order, their names.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::sheet::unreadable;
use crate::error::{Error, Place, Result, Severity};
use crate::spec::Data;

/// One file of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeriesFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Relative to the data folder.
    pub(super) source: String,
    /// Its stem, or the whole file name where several share the stem (`a.xy` beside `a.xye`).
    pub(super) name: String,
}

/// Lists the files that match, in natural order (`scan2` before `scan10`), without hidden files and without the table of frames.
///
/// `data.files` is a pattern of file names, where `*` stands for any characters and `?` for one; folders may stand before it.
///
/// # Errors
/// Fatal: the folder cannot be listed, a wildcard in a folder, or no file matches (the hint names the files that are there).
pub(super) fn files(data: &Data) -> Result<Vec<SeriesFile>> {
    let (inner, pattern) = data.files.rsplit_once('/').unwrap_or(("", &data.files));
    if inner.contains(['*', '?']) {
        let error = Error::fatal(format!("`files` has a wildcard in a folder: \"{}\"", data.files));
        return Err(error.hint("wildcards stand for file names only; set `folder` to the folder that holds the files"));
    }
    let folder = data.folder.join(inner);
    let listing = fs::read_dir(&folder).map_err(|e| Error { severity: Severity::Fatal, ..unreadable(&folder, &e) })?;
    // An entry that vanishes or cannot be looked at while the folder is listed is not there.
    let mut names: Vec<String> = listing.flatten().filter_map(|entry| regular_file(&entry)).collect();
    names.sort_by(|a, b| natord::compare(a, b).then_with(|| a.cmp(b)));
    let table = data.frames.as_ref().and_then(|frames| fs::canonicalize(&frames.table).ok());
    let wanted = |name: &&String| {
        let hidden = name.starts_with('.') && !pattern.starts_with('.');
        !hidden && matches(pattern, name) && (table.is_none() || fs::canonicalize(folder.join(name)).ok() != table)
    };
    let matching: Vec<&String> = names.iter().filter(wanted).collect();
    if matching.is_empty() {
        return Err(no_match(&folder, pattern, &names));
    }
    let mut stems: HashMap<String, usize> = HashMap::new();
    for name in &matching {
        *stems.entry(stem(name)).or_default() += 1;
    }
    let file = |name: &String| {
        let stem = stem(name);
        let unique = stems.get(&stem) == Some(&1);
        let source = if inner.is_empty() { name.clone() } else { format!("{inner}/{name}") };
        SeriesFile { path: folder.join(name), source, name: if unique { stem } else { name.clone() } }
    };
    Ok(matching.into_iter().map(file).collect())
}

/// The name of a regular file (links followed) that is text; a name in another encoding cannot be written in a spec either.
fn regular_file(entry: &fs::DirEntry) -> Option<String> {
    fs::metadata(entry.path()).ok().filter(fs::Metadata::is_file)?;
    entry.file_name().into_string().ok()
}

fn no_match(folder: &Path, pattern: &str, names: &[String]) -> Error {
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.starts_with('.')).collect();
    let hint = if names.is_empty() {
        "the folder holds no files; check `folder` under [data], or give --data DIR".to_string()
    } else {
        format!("there are {} files, such as {}; check `files` under [data]", names.len(), names[..names.len().min(3)].join(", "))
    };
    Error::fatal(format!("no file matches \"{pattern}\"")).at(Place::file(folder)).hint(hint)
}

/// A file name without its last extension.
pub(super) fn stem(name: &str) -> String {
    Path::new(name).file_stem().map_or_else(|| name.to_string(), |stem| stem.to_string_lossy().into_owned())
}

/// Whether a name matches a pattern of `*` (any characters, also none) and `?` (exactly one).
///
/// Linear in memory and at worst quadratic in time: after a mismatch only the last `*` needs to take one character more.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((star_p, star_n)) = star else { return false };
                star = Some((star_p, star_n + 1));
                p = star_p + 1;
                n = star_n + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name) in
            [("*.xye", "001.xye"), ("*", ""), ("a?c*", "abc"), ("*a*b", "xaxab"), ("run_*_[1].dat", "run_x_[1].dat"), ("?.xy", "é.xy")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.xye", "001.xy"), ("?", ""), ("a?c", "ac"), ("*a*b", "xaxabc"), ("", "a"), ("*.XYE", "a.xye")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        // Backtracking without bound would take the age of the universe here.
        assert!(!matches(&"*a".repeat(50), &"a".repeat(1000).replace("aa", "ab").replace('a', "b")));
    }
}
