//! The text of a spec, and errors that point into it with file, line, column and a caret.

use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, Place, Result};

/// Largest spec that is read: a spec is written by hand, so a larger file is a data file named by mistake.
const MOST_BYTES: u64 = 1 << 20;

/// Characters of a line shown around the caret.
const SHOWN: usize = 110;

/// A spec's text and where it came from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// Where the file cannot be read, is longer than a spec can be, is not UTF-8 or holds nothing.
    pub fn read(path: &Path) -> Result<Self> {
        let place = || Place::file(path);
        let cannot = |e: std::io::Error| {
            Error::fatal(format!("the spec cannot be read: {e}"))
                .at(place())
                .hint("give the path of a spec, or write a first one with `keisoku init FILES`")
        };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(cannot)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Error::fatal(format!("the spec is larger than {} KiB", MOST_BYTES >> 10))
                .at(place())
                .hint("is this a data file? Data are named by `folder` and `files` in [data]"));
        }
        let text = String::from_utf8(bytes).map_err(|e| {
            let good = String::from_utf8_lossy(&e.as_bytes()[..e.utf8_error().valid_up_to()]).into_owned();
            let (line, column) = position(&good, good.len());
            Error::fatal("the spec is not UTF-8 text")
                .at(Place { file: Some(path.into()), line: Some(line), column: Some(column) })
                .hint("save the file as UTF-8 and run again")
        })?;
        Self::new(path, text)
    }

    /// Takes a text that is already in memory; `path` is what errors name and what relative folders start from.
    ///
    /// # Errors
    /// Where the text holds nothing but white space.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Result<Self> {
        let source = Self { path: path.into(), text: text.into() };
        if source.text.trim().is_empty() {
            return Err(Error::fatal("the spec is empty")
                .at(Place::file(&source.path))
                .hint("a spec needs [data] and a [[window]]; write a first one with `keisoku init FILES`"));
        }
        Ok(source)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that relative paths start from.
    pub fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(p) if p != Path::new("") => p.into(),
            _ => ".".into(),
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// An error at a span of bytes, with its line and a caret; an empty span at 0 stands for a value that no one wrote.
    pub fn error(&self, span: &Range<usize>, what: impl Into<String>) -> Error {
        let error = Error::fatal(what);
        if *span == (0..0) {
            return error.at(Place::file(&self.path));
        }
        let start = floor_char(&self.text, span.start);
        let end = floor_char(&self.text, span.end.max(start));
        let (line, column) = position(&self.text, start);
        error
            .at(Place { file: Some(self.path.clone()), line: Some(line), column: Some(column) })
            .excerpt(excerpt(&self.text, start, end, line))
    }
}

fn floor_char(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Line and column, both from 1, the column in characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The line with carets under the part of the span that lies on it.
fn excerpt(text: &str, start: usize, end: usize, line: usize) -> String {
    let line_start = text[..start].rfind('\n').map_or(0, |n| n + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let whole = text[line_start..line_end].trim_end_matches('\r');
    let before: Vec<char> = text[line_start..start].chars().collect();
    let marked = text[start..end.min(line_end)].trim_end().chars().count().clamp(1, SHOWN);
    // Of a long line only the neighbourhood of the caret is shown.
    let skip = if before.len() + marked > SHOWN { before.len().saturating_sub(SHOWN / 3) } else { 0 };
    let shown: String = whole.chars().skip(skip).take(SHOWN).collect();
    let clipped = if skip > 0 { "…" } else { "" };
    let pad: String = before[skip..].iter().map(|&c| blank(c)).collect();
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let indent = if skip > 0 { " " } else { "" };
    format!(" {gutter} |\n {number} | {clipped}{shown}\n {gutter} | {indent}{pad}{}", "^".repeat(marked))
}

/// A blank as wide as the character, so that the caret stands under its text in a terminal.
fn blank(c: char) -> char {
    match c {
        '\t' => '\t',
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' => {
            '\u{3000}'
        }
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caret_stands_under_the_span() {
        let source = Source::new("a.toml", "x = 1\r\n\ttitle = \"計測\" # 5\nz = 3").expect("text");
        let at = source.text().find('#').expect("comment");
        let error = source.error(&(at..at + 3), "oh");
        assert_eq!((error.place.line, error.place.column), (Some(2), Some(15)));
        assert_eq!(error.excerpt.as_deref(), Some("   |\n 2 | \ttitle = \"計測\" # 5\n   | \t         \u{3000}\u{3000}  ^^^"));
    }

    #[test]
    fn long_lines_and_odd_spans_are_shown_in_part() {
        let text = format!("{}計{}", "a".repeat(5000), "b".repeat(5000));
        let source = Source::new("a.toml", text).expect("text");
        for span in [5001..5002, 4999..20_000, 90_000..90_001] {
            let error = source.error(&span, "oh");
            let excerpt = error.excerpt.expect("excerpt");
            assert!(excerpt.lines().all(|l| l.chars().count() < 2 * SHOWN), "{excerpt}");
            assert!(excerpt.contains('^'), "{excerpt}");
        }
    }
}
