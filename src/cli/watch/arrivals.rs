//! Which frames of a folder are complete: their files unchanged between two looks, and readable.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::dataset::{Dataset, Entry};

/// A file at one look. A file that cannot be looked at has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    changed: Option<SystemTime>,
}

/// A file, and since when it looks like that.
#[derive(Clone, Copy, Debug)]
struct Seen {
    stamp: Option<Stamp>,
    since: Instant,
}

/// What was found in a frame, in the state of its file at that time.
#[derive(Clone, Debug)]
struct Found {
    stamp: Option<Stamp>,
    /// Hash of its numbers; none where it is no good frame.
    hash: Option<String>,
    /// Whether it has been handed over in that state.
    taken: bool,
}

/// The files of a folder over several looks.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// A file is complete when it has not changed for so long.
    settle: Duration,
    /// One that is no good frame is handed over all the same when it has not changed for so long, so that its failure is recorded.
    patience: Duration,
    files: HashMap<PathBuf, Seen>,
    frames: HashMap<String, Found>,
}

/// What a look shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    /// Frames that are complete and new, or changed since they were handed over; in the order of the series.
    pub ready: Vec<Entry>,
    /// Names of frames that are being written, or no good frames yet.
    pub partial: Vec<String>,
}

impl Arrivals {
    /// Nothing seen yet; `finished` gives the frames that have answers, with the hashes of their numbers.
    pub fn new(settle: Duration, patience: Duration, finished: impl Iterator<Item = (String, String)>) -> Self {
        let frames = finished.map(|(name, hash)| (name, Found { stamp: None, hash: Some(hash), taken: true })).collect();
        Self { settle, patience, files: HashMap::new(), frames }
    }

    /// Looks at the files of a series as it is now. `check` reads a frame and gives the hash of its numbers, none where it is no good frame.
    pub fn look(&mut self, dataset: &Dataset, now: Instant, check: &dyn Fn(&Entry) -> Option<String>) -> Look {
        let mut look = Look::default();
        self.see(dataset, now);
        for entry in &dataset.entries {
            let seen = self.files[&entry.path];
            let quiet = now.saturating_duration_since(seen.since);
            if seen.stamp.is_none() || quiet < self.settle {
                if !self.frames.get(&entry.name).is_some_and(|f| f.taken && (f.stamp.is_none() || f.stamp == seen.stamp)) {
                    look.partial.push(entry.name.clone());
                }
                continue;
            }
            let known = self.frames.get(&entry.name);
            if known.is_none_or(|f| f.stamp != seen.stamp) {
                let hash = check(entry);
                // The same numbers need no other answer, whatever else became of the file.
                let taken = known.is_some_and(|f| f.taken && f.hash.is_some() && f.hash == hash);
                self.frames.insert(entry.name.clone(), Found { stamp: seen.stamp, hash, taken });
            }
            let Some(found) = self.frames.get_mut(&entry.name) else { continue };
            if found.taken {
                continue;
            }
            if found.hash.is_some() || quiet >= self.patience {
                found.taken = true;
                look.ready.push(entry.clone());
            } else {
                look.partial.push(entry.name.clone());
            }
        }
        look
    }

    /// Notes which files have changed; those that are gone are forgotten.
    fn see(&mut self, dataset: &Dataset, now: Instant) {
        let mut files = HashMap::with_capacity(self.files.len());
        for entry in &dataset.entries {
            if files.contains_key(&entry.path) {
                continue;
            }
            let stamp = stamp(&entry.path);
            let since = self.files.get(&entry.path).filter(|seen| seen.stamp == stamp).map_or(now, |seen| seen.since);
            files.insert(entry.path.clone(), Seen { stamp, since });
        }
        self.files = files;
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok()?;
    Some(Stamp { length: about.len(), changed: about.modified().ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a minute of looks a second apart, in a folder that changes; which frames are handed over at which look.
    #[test]
    fn frames_are_handed_over_when_they_are_complete_and_again_when_they_change() {
        let folder = tempfile::tempdir().expect("folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("file");
        let mut arrivals =
            Arrivals::new(Duration::from_secs(1), Duration::from_secs(10), [("old".to_owned(), "good".to_owned())].into_iter());
        let check = |entry: &Entry| fs::read_to_string(&entry.path).ok().filter(|text| text.starts_with("good"));
        let begin = Instant::now();
        let mut handed = Vec::new();
        write("old", "good");
        write("a", "goo");
        write("bad", "nonsense");
        for second in 0..30 {
            match second {
                3 => write("a", "good 1"),
                8 => write("b", "good 2"),
                15 => write("old", "good other numbers"),
                _ => {}
            }
            let mut names: Vec<_> = fs::read_dir(folder.path()).expect("folder").map(|e| e.expect("entry").file_name()).collect();
            names.sort();
            let entry = |(i, name): (usize, &std::ffi::OsString)| Entry {
                number: i + 1,
                name: name.to_string_lossy().into_owned(),
                source: String::new(),
                path: folder.path().join(name),
                part: 0,
                axis: None,
                monitor: None,
            };
            let dataset = Dataset::of(names.iter().enumerate().map(entry).collect());
            let look = arrivals.look(&dataset, begin + Duration::from_secs(second), &check);
            handed.extend(look.ready.into_iter().map(|e| (second, e.name)));
            assert_eq!(look.partial.contains(&"a".to_owned()), second < 4, "at {second} s");
        }
        let expected = [(4, "a"), (9, "b"), (10, "bad"), (16, "old")].map(|(second, name)| (second, name.to_owned()));
        assert_eq!(handed, expected);
    }
}
