//! Columns of numbers in a text: comments, headers, any separator, either decimal sign.

use std::path::Path;

use ndarray::Array2;

use super::dialect::{BadField, Dialect};
use super::number;
use super::sheet::{Kind, Sheet, refused};
use crate::error::{Error, Place, Result};

/// A longer line is refused: it is not a row of measured values.
const MAX_LINE: usize = 16 << 20;
/// Header facts kept.
const MAX_METADATA: usize = 64;

/// Reads a text. Its rows begin with the first line of numbers; lines of words before it are the header; after it every line must be a row
/// of as many numbers. Lines that begin with one of `# ! / ' ; *` are comments, as is what stands between `/*` and `*/`, and what follows
/// `#` or `!` in a line. A single first row of another length (the number of points of a .chi file) belongs to the header.
///
/// # Errors
/// Recoverable, with the line: text where numbers belong, rows of unequal length, an ambiguous decimal comma, no numbers at all.
pub(super) fn read(bytes: &[u8], path: &Path, kind: Kind) -> Result<Sheet> {
    read_after(bytes, path, kind, 0)
}

/// Reads a .chi file: the four header lines of FIT2D (title, two axis labels, number of points) where the fourth is one integer, else a text.
///
/// # Errors
/// As [`read`].
pub(super) fn read_chi(bytes: &[u8], path: &Path) -> Result<Sheet> {
    let fourth = lines(bytes).nth(3).and_then(|(_, line)| std::str::from_utf8(line).ok()).unwrap_or("");
    let header = if fourth.trim().parse::<u64>().is_ok() { 4 } else { 0 };
    read_after(bytes, path, Kind::Text, header)
}

fn read_after(bytes: &[u8], path: &Path, kind: Kind, header_lines: usize) -> Result<Sheet> {
    let sample = Content::new(bytes).filter(|(number, _)| *number > header_lines).filter_map(|(_, line)| match line {
        Line::Text(text) if text.len() <= MAX_LINE => Some(text),
        _ => None,
    });
    let dialect = Dialect::detect(sample).map_err(|what| {
        refused(path, what).hint("write the numbers with decimal points, in columns separated by spaces, tabs, commas or semicolons")
    })?;
    let mut reader = Reader::new(path, dialect);
    let mut content = Content::new(bytes);
    for (number, line) in content.by_ref() {
        match line {
            Line::TooLong => {
                let what = format!("the line is longer than {} MiB", MAX_LINE >> 20);
                return Err(Error::recoverable(what).at(Place::line(path, number)).hint("is this a text of columns?"));
            }
            Line::Comment(text) => reader.header(text),
            Line::Text(text) if number <= header_lines => reader.header(text),
            Line::Text(text) => reader.line(number, text)?,
        }
    }
    if let Some(opened) = content.open_comment {
        return Err(Error::recoverable("the comment that begins here is never closed").at(Place::line(path, opened)).hint("add a line */"));
    }
    reader.finish(kind)
}

/// Collects rows and the header.
pub(super) struct Reader<'a> {
    path: &'a Path,
    dialect: Dialect,
    values: Vec<f64>,
    lines: Vec<usize>,
    width: usize,
    /// Columns up to the last that any row fills: an empty last column (a separator at the end of each line) is none.
    filled: usize,
    /// The last line of words or comment before the numbers.
    title: String,
    /// A line just before the numbers that began with numbers, with its fault: a damaged first row.
    damaged: Option<(usize, usize, Error)>,
    metadata: Vec<(String, String)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a Path, dialect: Dialect) -> Self {
        let title = String::new();
        Self { path, dialect, values: Vec::new(), lines: Vec::new(), width: 0, filled: 0, title, damaged: None, metadata: Vec::new() }
    }

    /// Takes a line of the header or a comment.
    pub(super) fn header(&mut self, line: &[u8]) {
        if !self.lines.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&line[..line.len().min(4096)]);
        let text = text.trim_start_matches(|c: char| "#!/';*%".contains(c)).trim();
        if let Some((key, value)) = fact(text)
            && self.metadata.len() < MAX_METADATA
        {
            if let Some(name) = temperature_name(key, value)
                && let Some(kelvin_or_so) = number::leading(value)
            {
                self.metadata.push((name.to_string(), kelvin_or_so.to_string()));
            }
            self.metadata.push((key.to_string(), value.to_string()));
        }
        if !text.is_empty() {
            self.title = text.to_string();
        }
    }

    /// Takes a line that is no comment: a row, or a line of words before the first row.
    pub(super) fn line(&mut self, number: usize, line: &[u8]) -> Result<()> {
        let start = self.values.len();
        match self.dialect.row(line, &mut self.values) {
            Ok(0) => self.values.truncate(start),
            Ok(filled) => self.row(number, start, filled)?,
            Err(bad) if self.lines.is_empty() => {
                let fields = self.dialect.words(&String::from_utf8_lossy(line)).len();
                self.damaged = bad.after_numbers.then(|| (fields, number, self.bad_field(number, line, &bad)));
                self.header(line);
            }
            Err(bad) => return Err(self.bad_field(number, line, &bad)),
        }
        Ok(())
    }

    fn row(&mut self, number: usize, start: usize, filled: usize) -> Result<()> {
        let width = self.values.len() - start;
        if self.lines.len() == 1 && width != self.width {
            self.values.drain(..start);
            self.lines.clear();
            self.filled = 0;
        }
        if self.lines.is_empty() {
            self.width = width;
        } else if width != self.width {
            let what = format!("the row has {width} columns, those before it {}", self.width);
            return Err(Error::recoverable(what).at(Place::line(self.path, number)).hint("complete the row or delete it"));
        }
        if let Some((fields, line, error)) = self.damaged.take()
            && fields == width
            && line + 1 == number
        {
            return Err(error.hint("correct the number, or put # before the line if it belongs to the header"));
        }
        self.lines.push(number);
        self.filled = self.filled.max(filled);
        Ok(())
    }

    fn bad_field(&self, number: usize, line: &[u8], bad: &BadField) -> Error {
        // A caret under the field, with the line cut to what a terminal shows.
        let from = bad.at.saturating_sub(40);
        let shown: String = String::from_utf8_lossy(&line[from..line.len().min(bad.at + 40)]).chars().map(visible).collect();
        let indent = String::from_utf8_lossy(&line[from..bad.at]).chars().count();
        let excerpt = format!("  {shown}\n  {}^", " ".repeat(indent));
        let text: String = bad.text.chars().map(visible).collect();
        let place = Place { file: Some(self.path.into()), line: Some(number), column: Some(bad.at + 1) };
        Error::recoverable(format!("\"{text}\" is not a number"))
            .at(place)
            .excerpt(excerpt)
            .hint("correct it, or put # before the line if it is a comment")
    }

    /// The sheet of all rows.
    pub(super) fn finish(mut self, kind: Kind) -> Result<Sheet> {
        if self.lines.is_empty() {
            let error = refused(self.path, "holds no numbers");
            return Err(match self.damaged {
                Some((_, _, damaged)) => damaged,
                None => error.hint("keisoku reads columns of numbers separated by spaces, tabs, commas or semicolons"),
            });
        }
        if self.filled < self.width {
            let (width, filled) = (self.width, self.filled);
            self.values = self.values.chunks_exact(width).flat_map(|row| &row[..filled]).copied().collect();
            self.width = filled;
        }
        let shape = (self.lines.len(), self.width);
        let values =
            Array2::from_shape_vec(shape, self.values).map_err(|e| refused(self.path, &format!("has rows of unequal length: {e}")))?;
        let mut names = self.dialect.words(&self.title);
        if names.len() != self.width {
            names = self.title.split_whitespace().map(str::to_string).collect();
        }
        if names.len() != self.width {
            names.clear();
        }
        Ok(Sheet { kind, values, lines: self.lines, names, metadata: self.metadata })
    }
}

/// A control character would garble the terminal.
fn visible(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// `key = value`, or `key: value` with white space after the colon (a time of day has none).
fn fact(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=').or_else(|| text.split_once(": ")).or_else(|| text.split_once(":\t"))?;
    let (key, value) = (key.trim(), value.trim());
    (!key.is_empty() && !value.is_empty() && key.len() <= 64 && value.len() <= 256).then_some((key, value))
}

/// `temperature_K`, `temperature_C` or `temperature` where the key is a temperature: `Temp (K)`, `Temperature [C]`, `T = 5 K`.
fn temperature_name(key: &str, value: &str) -> Option<&'static str> {
    let mut words = key.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let first = words.next()?;
    if !(first == "T" || first.eq_ignore_ascii_case("temp") || first.eq_ignore_ascii_case("temperature")) {
        return None;
    }
    let unit = words.next().or_else(|| value.split_whitespace().nth(1)).unwrap_or("");
    match unit.trim_start_matches('°') {
        "K" | "k" | "Kelvin" | "kelvin" => Some("temperature_K"),
        "C" | "c" | "degC" | "Celsius" | "celsius" => Some("temperature_C"),
        _ => Some("temperature"),
    }
}

/// A line by what it is.
pub(super) enum Line<'a> {
    /// A comment, with its sign.
    Comment(&'a [u8]),
    /// Anything else that is not blank, without a comment at its end.
    Text(&'a [u8]),
    /// Longer than any row.
    TooLong,
}

/// The lines of a text with their numbers from 1; blank lines are left out.
pub(super) struct Content<'a> {
    lines: Box<dyn Iterator<Item = (usize, &'a [u8])> + 'a>,
    /// Line of the `/*` not closed so far.
    pub(super) open_comment: Option<usize>,
}

impl<'a> Content<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { lines: Box::new(lines(bytes)), open_comment: None }
    }
}

impl<'a> Iterator for Content<'a> {
    type Item = (usize, Line<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (number, line) = self.lines.next()?;
            if line.len() > MAX_LINE {
                return Some((number, Line::TooLong));
            }
            let text = line.trim_ascii();
            let closes = || text.windows(2).any(|w| w == b"*/");
            if self.open_comment.is_some() || text.starts_with(b"/*") {
                let opened = self.open_comment.unwrap_or(number);
                self.open_comment = if closes() { None } else { Some(opened) };
                return Some((number, Line::Comment(text)));
            }
            match text.first() {
                None => {}
                Some(b'#' | b'!' | b'/' | b'\'' | b';' | b'*') => return Some((number, Line::Comment(text))),
                Some(_) => {
                    let end = line.iter().position(|b| *b == b'#' || *b == b'!').unwrap_or(line.len());
                    return Some((number, Line::Text(&line[..end])));
                }
            }
        }
    }
}

/// Lines with their numbers from 1, ended by LF, CR LF, or CR alone where the text has no LF.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    bytes.split(move |b| *b == end).enumerate().map(|(i, line)| {
        let length = line.iter().rposition(|b| *b != b'\r').map_or(0, |at| at + 1);
        (i + 1, &line[..length])
    })
}
