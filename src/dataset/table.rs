//! The table of frames: its rows joined to the frames by the number in the file's name or by the name, never by position.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{Entry, number, series, sheet};
use crate::error::{Error, Place, Result, Severity};
use crate::spec::{Data, FrameTable};

/// A CSV table as text.
struct Table<'a> {
    path: &'a Path,
    header: Vec<String>,
    /// Line and fields of each row.
    rows: Vec<(usize, Vec<String>)>,
}

/// Gives every entry the axis and the monitor of its row.
///
/// By name, a key is a frame's name, its file's name or its file's stem. By number, names may hold several (`adc_041_700C_00012`): the one
/// that counts is found from the whole series: at the same place in every name (counted from either end), in the table for every file, and
/// different for every file. Frames that lie in one file are counted from 1. Where two places would do and give different rows, nothing is guessed.
///
/// # Errors
/// Fatal, with the table's line where there is one: an unreadable table, a column that is not there, a key that is missing, double, or not a
/// number, a value of the axis or monitor that is no number.
pub(super) fn join(entries: &mut [Entry], frames: &FrameTable, data: &Data, monitor: Option<&str>) -> Result<()> {
    let table = Table::read(&frames.table)?;
    let key = table.column(&frames.key)?;
    let axis = frames.axis.as_deref().map(|name| table.column(name)).transpose()?;
    let monitor = monitor.map(|name| table.column(name)).transpose()?;
    let rows = if frames.by_number { table.by_number(key, entries)? } else { table.by_name(key, entries)? };
    for (entry, row) in entries.iter_mut().zip(rows) {
        entry.axis = axis.map(|column| table.value(row, column)).transpose()?;
        entry.monitor = monitor.map(|column| table.value(row, column)).transpose()?;
        if entry.monitor.is_some_and(|m| m <= 0.0) {
            let what = format!("the monitor \"{}\" is not positive", data.normalise.as_deref().unwrap_or_default());
            return Err(Error::fatal(what).at(table.place(row)).hint("correct it, or leave the frame out of `files`"));
        }
    }
    Ok(())
}

impl<'a> Table<'a> {
    fn read(path: &'a Path) -> Result<Self> {
        let bytes = sheet::read_bytes(path).map_err(|e| Error { severity: Severity::Fatal, ..e })?;
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
        let first = text.lines().next().unwrap_or("");
        let delimiter = [b'\t', b';'].into_iter().find(|d| first.contains(char::from(*d))).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
        let fail = |error: &csv::Error| {
            let line = error.position().and_then(|p| usize::try_from(p.line()).ok());
            let place = Place { file: Some(path.into()), line, column: None };
            Error::fatal(format!("the table of frames cannot be read: {error}")).at(place)
        };
        let header = reader.headers().map_err(|e| fail(&e))?.iter().map(|name| name.trim_start_matches('#').trim().to_string()).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| fail(&e))?;
            let line = record.position().and_then(|p| usize::try_from(p.line()).ok()).unwrap_or(0);
            rows.push((line, record.iter().map(str::to_string).collect()));
        }
        Ok(Self { path, header, rows })
    }

    fn column(&self, name: &str) -> Result<usize> {
        self.header.iter().position(|h| h == name).ok_or_else(|| {
            let error = Error::fatal(format!("the table of frames has no column \"{name}\"")).at(Place::line(self.path, 1));
            error.hint(format!("its columns are {}", self.header.join(", ")))
        })
    }

    fn place(&self, row: usize) -> Place {
        Place::line(self.path, self.rows[row].0)
    }

    /// A field; a short row has empty ones.
    fn field(&self, row: usize, column: usize) -> &str {
        self.rows[row].1.get(column).map_or("", String::as_str)
    }

    fn value(&self, row: usize, column: usize) -> Result<f64> {
        let text = self.field(row, column);
        let value = number::parse(text).or_else(|| number::parse_decimal_comma(text)).filter(|v| v.is_finite());
        value.ok_or_else(|| {
            let what = format!("\"{text}\" in column \"{}\" is not a number", self.header[column]);
            Error::fatal(what).at(self.place(row)).hint("every frame needs a number there; name another axis, or correct the table")
        })
    }

    /// Row of each key.
    fn keys<K: std::hash::Hash + Eq>(&self, column: usize, read: impl Fn(usize) -> Result<K>) -> Result<HashMap<K, usize>> {
        let mut keys = HashMap::new();
        for row in 0..self.rows.len() {
            if let Some(first) = keys.insert(read(row)?, row) {
                let (text, line) = (self.field(row, column), self.rows[first].0);
                let error = Error::fatal(format!("the key {} = {text} stands here and on line {line}", self.header[column]));
                return Err(error.at(self.place(row)).hint("each frame needs exactly one row; delete one of them"));
            }
        }
        Ok(keys)
    }

    fn by_name(&self, key: usize, entries: &[Entry]) -> Result<Vec<usize>> {
        let keys = self.keys(key, |row| Ok(self.field(row, key)))?;
        let row = |entry: &Entry| {
            let file = file_name(entry);
            let names = [entry.name.as_str(), file.as_str(), &series::stem(&file)];
            let found = names.iter().find_map(|name| keys.get(name).copied());
            found.ok_or_else(|| self.missing(key, entry, &format!("named \"{}\"", entry.name)))
        };
        entries.iter().map(row).collect()
    }

    fn by_number(&self, key: usize, entries: &[Entry]) -> Result<Vec<usize>> {
        let keys = self.keys(key, |row| {
            let text = self.field(row, key);
            number::parse(text).filter(|v| v.is_finite()).map(bits).ok_or_else(|| {
                let error = Error::fatal(format!("the key \"{text}\" is not a number")).at(self.place(row));
                error.hint("name another key under [data] frames, or write match = \"name\"")
            })
        })?;
        let places = places(entries);
        let mut found: Vec<Vec<usize>> = Vec::new();
        for numbers in &places {
            let rows: Option<Vec<usize>> = numbers.iter().map(|n| keys.get(&bits(*n)).copied()).collect();
            if let Some(rows) = rows.filter(|rows| distinct_files(entries, rows) && !found.contains(rows)) {
                found.push(rows);
            }
        }
        match <[_; 1]>::try_from(found) {
            Ok([rows]) => Ok(rows),
            Err(found) if found.is_empty() => Err(self.no_number(key, entries, &places, &keys)),
            Err(found) => {
                let first = |n: usize| self.field(found[n][0], key).to_string();
                let what = format!(
                    "\"{}\" could be {} {} or {}: several numbers in the names are keys",
                    entries[0].name,
                    self.header[key],
                    first(0),
                    first(1)
                );
                let hint = "give the table a column with the names of the files and write match = \"name\"";
                Err(Error::fatal(what).at(Place::file(self.path)).hint(hint))
            }
        }
    }

    /// Why no place in the names does: the place that serves most frames tells best.
    fn no_number(&self, key: usize, entries: &[Entry], places: &[Vec<f64>], keys: &HashMap<u64, usize>) -> Error {
        let missing = |numbers: &Vec<f64>| numbers.iter().filter(|n| !keys.contains_key(&bits(**n))).count();
        let same = |numbers: &Vec<f64>| numbers.iter().map(|n| bits(*n)).collect::<HashSet<_>>().len() < numbers.len();
        let Some(best) = places.iter().min_by_key(|numbers| (missing(numbers), same(numbers))) else {
            let error = Error::fatal("the names of the files hold no number to join by").at(Place::file(self.path));
            return error.hint("write match = \"name\" under [data] frames, with the names of the files as keys");
        };
        match best.iter().position(|n| !keys.contains_key(&bits(*n))) {
            Some(i) => self.missing(key, &entries[i], &format!("with {} = {}", self.header[key], best[i])),
            None => {
                let error = Error::fatal("several files have the same number in their names").at(Place::file(self.path));
                error.hint("write match = \"name\" under [data] frames, with the names of the files as keys")
            }
        }
    }

    fn missing(&self, key: usize, entry: &Entry, which: &str) -> Error {
        let what = format!("the table of frames has no row {which}, for the file {}", entry.source);
        let keys: Vec<&str> = (0..self.rows.len().min(3)).map(|row| self.field(row, key)).collect();
        let hint = format!("its keys ({}) are {}, …; add the row or leave the file out of `files`", self.header[key], keys.join(", "));
        Error::fatal(what).at(Place::file(self.path)).hint(hint)
    }
}

/// Numbers that compare as equal have equal bits (−0 is 0; NaN is not a key).
fn bits(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

/// Whether no two files share a row; frames of one file may.
fn distinct_files(entries: &[Entry], rows: &[usize]) -> bool {
    let mut owner = HashMap::new();
    entries.iter().zip(rows).all(|(entry, row)| *owner.entry(row).or_insert(&entry.path) == &entry.path)
}

/// For each place where every name has a number, those numbers, one an entry: whole numbers and decimal ones, counted from either end, and
/// the number of the frame in its file where one file holds the whole series.
fn places(entries: &[Entry]) -> Vec<Vec<f64>> {
    let mut places = Vec::new();
    for decimals in [false, true] {
        let numbers: Vec<Vec<f64>> = entries.iter().map(|entry| numbers(&series::stem(&file_name(entry)), decimals)).collect();
        let fewest = numbers.iter().map(Vec::len).min().unwrap_or(0);
        for at in 0..fewest {
            places.push(numbers.iter().map(|list| list[at]).collect());
            places.push(numbers.iter().map(|list| list[list.len() - 1 - at]).collect());
        }
    }
    if entries.len() > 1 && entries.iter().all(|entry| entry.path == entries[0].path) {
        // The file's own number would give every frame the same row.
        places = vec![entries.iter().map(|entry| (entry.part + 1) as f64).collect()];
    }
    places
}

fn file_name(entry: &Entry) -> String {
    entry.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The numbers in a name, without signs (a hyphen joins words): runs of digits, or runs of digits with a decimal point between.
fn numbers(name: &str, decimals: bool) -> Vec<f64> {
    name.split(|c: char| !(c.is_ascii_digit() || (decimals && c == '.'))).filter_map(|run| run.trim_matches('.').parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn numbers_in_names() {
        assert_eq!(numbers("adc_041_7Nb_700C_15mms_00012", false), [41.0, 7.0, 700.0, 15.0, 12.0]);
        assert_eq!(numbers("10.5K", false), [10.0, 5.0]);
        assert_eq!(numbers("10.5K", true), [10.5]);
        assert_eq!(numbers("run-3", true), [3.0]);
        assert!(numbers("calibration", true).is_empty());
    }
}
