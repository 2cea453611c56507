//! Which sign separates the columns of a text, and which is the decimal sign.

use super::number;

/// How a text writes its rows of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    separator: Separator,
    decimal_comma: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Whitespace,
    Comma,
    Semicolon,
}

/// A field that is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadField {
    /// Its first byte in the line, from 0.
    pub(super) at: usize,
    /// Its text.
    pub(super) text: String,
    /// Whether the fields before it were numbers: a damaged row rather than a line of words.
    pub(super) after_numbers: bool,
}

/// Rows looked at before a dialect is decided; later rows are held to it by the parser.
const SAMPLE: usize = 1000;

/// What the rows seen so far contain.
#[derive(Default)]
struct Evidence {
    semicolon: bool,
    point: bool,
    comma: bool,
    /// A comma with white space beside it.
    loose_comma: bool,
    /// A line where some commas have white space beside them and others have not.
    uneven_comma: bool,
    /// White space between columns that no comma accounts for.
    gap: bool,
    /// A comma that cannot separate thousands: `0,5`, `12,34`, `1234,500`.
    certain_decimal: bool,
}

impl Dialect {
    /// Columns separated by white space, decimal point.
    pub(super) const PLAIN: Self = Self { separator: Separator::Whitespace, decimal_comma: false };

    /// The dialect of the rows of numbers among these lines (comments already removed); lines of words are passed over.
    ///
    /// # Errors
    /// A sentence that says what is ambiguous: a guess would read wrong numbers without a word.
    pub(super) fn detect<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Self, &'static str> {
        let mut seen = Evidence::default();
        for line in lines.filter(|line| looks_numeric(line)).take(SAMPLE) {
            seen.add(line);
        }
        seen.decide()
    }

    /// Appends the numbers of a line to `row`; an empty field of a separated list is NaN. Returns one more than the index of the last field
    /// that is not empty (0 for a blank line).
    ///
    /// # Errors
    /// The first field that is no number; `row` is then as it was.
    pub(super) fn row(self, line: &[u8], row: &mut Vec<f64>) -> Result<usize, BadField> {
        let start = row.len();
        let mut filled = 0;
        let mut push = |field: &[u8], row: &mut Vec<f64>| -> Result<(), BadField> {
            if field.is_empty() {
                row.push(f64::NAN);
                return Ok(());
            }
            match std::str::from_utf8(field).ok().and_then(|text| self.number(text)) {
                Some(value) => {
                    row.push(value);
                    filled = row.len() - start;
                    Ok(())
                }
                None => {
                    let at = field.as_ptr() as usize - line.as_ptr() as usize;
                    let after_numbers = filled > 0;
                    Err(BadField { at, text: String::from_utf8_lossy(field).chars().take(40).collect(), after_numbers })
                }
            }
        };
        let result = match self.separator {
            Separator::Whitespace => {
                let mut fields = line.split(u8::is_ascii_whitespace).filter(|f| !f.is_empty());
                fields.try_for_each(|field| push(unquoted(field), row))
            }
            Separator::Comma => line.split(|b| *b == b',').try_for_each(|field| push(unquoted(field), row)),
            Separator::Semicolon => line.split(|b| *b == b';').try_for_each(|field| push(unquoted(field), row)),
        };
        if let Err(bad) = result {
            row.truncate(start);
            return Err(bad);
        }
        Ok(filled)
    }

    /// The words of a line, as its numbers would be separated.
    pub(super) fn words(self, line: &str) -> Vec<String> {
        let split: Vec<&str> = match self.separator {
            Separator::Whitespace => line.split_whitespace().collect(),
            Separator::Comma => line.split(',').collect(),
            Separator::Semicolon => line.split(';').collect(),
        };
        split.iter().map(|word| word.trim().trim_matches('"').to_string()).collect()
    }

    fn number(self, text: &str) -> Option<f64> {
        if self.decimal_comma { number::parse_decimal_comma(text) } else { number::parse(text) }
    }
}

impl Evidence {
    fn add(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        self.semicolon |= line.contains(&b';');
        self.point |= line.contains(&b'.');
        let (mut tight, mut loose) = (false, false);
        for (i, _) in line.iter().enumerate().filter(|(_, b)| **b == b',') {
            self.comma = true;
            // A comma at either end of the line closes an empty field and says nothing about spacing.
            if i == 0 || i + 1 == line.len() {
                continue;
            }
            if line[i - 1].is_ascii_whitespace() || line[i + 1].is_ascii_whitespace() { loose = true } else { tight = true }
        }
        self.loose_comma |= loose;
        self.uneven_comma |= tight && loose;
        self.gap |= line.split(|b| *b == b',').any(|piece| piece.trim_ascii().iter().any(u8::is_ascii_whitespace));
        for token in line.split(|b| b.is_ascii_whitespace() || *b == b';') {
            self.certain_decimal |= cannot_be_thousands(token);
        }
    }

    fn decide(&self) -> Result<Dialect, &'static str> {
        let dialect = |separator, decimal_comma| Ok(Dialect { separator, decimal_comma });
        let thousands = "commas may be decimal signs or separate thousands";
        if self.semicolon {
            return match (self.comma, self.point) {
                (true, true) => Err("numbers have both commas and points"),
                (true, false) if !self.certain_decimal => Err(thousands),
                (comma, _) => dialect(Separator::Semicolon, comma),
            };
        }
        if !self.comma {
            return dialect(Separator::Whitespace, false);
        }
        if !self.gap {
            return if self.uneven_comma && !self.point {
                Err("commas stand both with and without a space, so some may be decimal signs")
            } else {
                dialect(Separator::Comma, false)
            };
        }
        if self.point || self.loose_comma {
            Err("both commas and spaces separate the numbers")
        } else if self.certain_decimal {
            dialect(Separator::Whitespace, true)
        } else {
            Err(thousands)
        }
    }
}

/// Whether one comma stands where no thousands separator could.
fn cannot_be_thousands(token: &[u8]) -> bool {
    let mut parts = token.split(|b| *b == b',');
    let (Some(before), Some(after), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    let before = before.strip_prefix(b"-").or(before.strip_prefix(b"+")).unwrap_or(before);
    let fraction = after.iter().take_while(|b| b.is_ascii_digit()).count();
    fraction != 3 || fraction != after.len() || before.is_empty() || before.len() > 3 || before[0] == b'0'
}

/// Whether a line can be a row of numbers: it begins like one and holds no other letters than exponents, `nan` and `inf` need.
fn looks_numeric(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.first().is_some_and(|b| b.is_ascii_digit() || b"+-.,\"nNiI".contains(b))
        && line.iter().any(u8::is_ascii_digit)
        && line.iter().all(|b| b.is_ascii_digit() || b.is_ascii_whitespace() || b"+-.,;\"eEdDnNaAiIfFtTyY".contains(b))
}

/// A field without white space and quotes around it.
fn unquoted(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    field.strip_prefix(b"\"").and_then(|f| f.strip_suffix(b"\"")).map_or(field, <[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Separator};

    fn detect(text: &str) -> Result<(Separator, bool), &'static str> {
        Dialect::detect(text.lines().map(str::as_bytes)).map(|d| (d.separator, d.decimal_comma))
    }

    #[test]
    fn separators_and_decimal_signs() {
        use Separator::{Comma, Semicolon, Whitespace};
        assert_eq!(detect("x, y\n1.0 2.0"), Ok((Whitespace, false)));
        assert_eq!(detect("1,2\n3,4"), Ok((Comma, false)));
        assert_eq!(detect("1.5, 2.5\n3.0,4"), Ok((Comma, false)));
        assert_eq!(detect("1.5 ,2.5,\n3.0 ,4"), Ok((Comma, false)));
        assert_eq!(detect("1;2\n1,3;2,9"), Ok((Semicolon, true)));
        assert_eq!(detect("1.3;2.9"), Ok((Semicolon, false)));
        assert_eq!(detect("41110,0001736 0,29 -0,75"), Ok((Whitespace, true)));
        assert_eq!(detect("1,250\t1,125\n0,5\t2"), Ok((Whitespace, true)));
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        for text in ["1,234.5 2,345.6", "1,000 2,000", "1;1,000", "1,5;2.5", "1,5, 2,5", "1.0, 2.0 3.0"] {
            assert!(detect(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_damaged_row_leaves_the_numbers_before_it() {
        let mut row = vec![7.0];
        let bad = Dialect::PLAIN.row(b"1.0 abc", &mut row);
        assert_eq!(bad.map_err(|b| (b.at, b.text, b.after_numbers)), Err((4, "abc".to_string(), true)));
        assert_eq!(row, [7.0]);
    }
}
