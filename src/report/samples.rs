//! Where the draws of a run lie: samples.nc for one frame, samples/NAME.nc a frame of a series.

mod read;

pub use read::{Measured, Sample, read};

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{atomic, netcdf};
use crate::error::Result;
use crate::posterior::{Draws, FrameResult};

/// Folder of a series' files.
const FOLDER: &str = "samples";

/// The files of draws in a run's folder. Frames may be written from any thread, each by one at a time.
#[derive(Clone, Debug)]
pub struct Samples {
    folder: PathBuf,
    series: bool,
    origin: netcdf::Origin,
}

impl Samples {
    /// The files of a run; where the series has grown to two frames or shrunk to one, the file there is gets its new place.
    pub(super) fn new(folder: &Path, frames: &[&str], finished: &[&str], origin: netcdf::Origin) -> Result<Self> {
        let samples = Self { folder: folder.into(), series: frames.len() > 1, origin };
        if let [one] = finished {
            let other = Self { series: !samples.series, ..samples.clone() };
            for from in other.files(one)? {
                let to = samples.path(one, window_of(&from).as_deref());
                samples.make_folder()?;
                fs::rename(&from, &to).map_err(|e| atomic::cannot_write(&to, &e))?;
            }
            if !samples.series {
                // Left only where something else lies in it.
                let _ = fs::remove_dir(folder.join(FOLDER));
            }
        }
        Ok(samples)
    }

    /// Writes the files of a frame, one a window; where nothing was kept, none is left.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn write(&self, frame: &FrameResult, draws: &[Draws]) -> Result<()> {
        self.make_folder()?;
        let several = draws.len() > 1;
        for draws in draws {
            let path = self.path(&frame.name, several.then_some(draws.window.as_str()));
            if draws.rows > 0 {
                netcdf::write(&path, &self.origin, frame, draws)?;
            } else {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn make_folder(&self) -> Result<()> {
        let folder = self.folder.join(FOLDER);
        if self.series { fs::create_dir_all(&folder).map_err(|e| atomic::cannot_write(&folder, &e)) } else { Ok(()) }
    }

    fn path(&self, frame: &str, window: Option<&str>) -> PathBuf {
        place(&self.folder, self.series, frame, window)
    }

    /// The files a frame has.
    fn files(&self, frame: &str) -> Result<Vec<PathBuf>> {
        let stem = if self.series { escaped(frame) } else { FOLDER.to_owned() };
        let of_it = |name: &str| name.strip_suffix(".nc").is_some_and(|n| n == stem || n.starts_with(&format!("{stem}@")));
        let folder = if self.series { self.folder.join(FOLDER) } else { self.folder.clone() };
        Ok(listed(&folder)?.into_iter().filter(|path| path.file_name().is_some_and(|n| of_it(&n.to_string_lossy()))).collect())
    }
}

/// Where the draws of a frame lie. `@` parts the frame's name from the window's; in names it is escaped.
pub(super) fn place(folder: &Path, series: bool, frame: &str, window: Option<&str>) -> PathBuf {
    let window = window.map_or_else(String::new, |w| format!("@{}", escaped(w)));
    if series { folder.join(FOLDER).join(format!("{}{window}.nc", escaped(frame))) } else { folder.join(format!("{FOLDER}{window}.nc")) }
}

/// The window's part of a file's name, as it was written.
fn window_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    stem.split_once('@').map(|(_, window)| unescaped(window))
}

/// Removes all files of draws in a run's folder.
pub(super) fn remove_all(folder: &Path) -> Result<()> {
    let inner = folder.join(FOLDER);
    for path in listed(&inner)?.into_iter().chain(listed(folder)?) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let ours = path.parent() == Some(inner.as_path()) || name == "samples.nc" || name.starts_with("samples@");
        if ours && path.extension().is_some_and(|e| e == "nc") {
            remove(&path)?;
        }
    }
    let _ = fs::remove_dir(inner);
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(atomic::cannot_write(path, &e)),
        _ => Ok(()),
    }
}

/// The files of a folder in order of names; none where there is no folder.
fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| atomic::cannot_read(folder, &e))?,
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.sort();
    Ok(files)
}

/// A name as a file's name: letters, digits and `-_.+` stay, everything else is %XX, so that different names stay different.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_alphanumeric() || "-_+".contains(c) || c == '.' && i > 0 {
            out.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| out += &format!("%{b:02X}"));
        }
    }
    out
}

fn unescaped(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_names_are_different_files() {
        let names = ["a", "a/b", "a@b", "a%b", "a%2Fb", ".a", "..", "4.3..5.3", "計測", "a b"];
        for (i, name) in names.iter().enumerate() {
            assert_eq!(unescaped(&escaped(name)), *name);
            assert!(!escaped(name).contains(['/', '@', ' ']) && !escaped(name).starts_with('.'), "{name}");
            assert!(names[..i].iter().all(|other| escaped(other) != escaped(name)), "{name}");
        }
        assert_eq!(escaped("4.3..5.3"), "4.3..5.3");
    }

    #[test]
    fn a_file_follows_its_frame_when_the_series_grows() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        let origin =
            || netcdf::Origin { title: String::new(), seed: 1, engine: "cpu".into(), keisoku: "0".into(), spec_hash: String::new() };
        fs::write(at("samples@w.1.nc"), "x").expect("file");
        Samples::new(folder.path(), &["a", "b"], &["a"], origin()).expect("grown");
        assert!(at("samples/a@w.1.nc").is_file() && !at("samples@w.1.nc").exists());
        Samples::new(folder.path(), &["a"], &["a"], origin()).expect("shrunk");
        assert!(at("samples@w.1.nc").is_file() && !at("samples").exists());
        fs::write(at("samples.toml"), "mine").expect("file");
        remove_all(folder.path()).expect("removed");
        assert!(at("samples.toml").is_file() && !at("samples@w.1.nc").exists());
    }
}
