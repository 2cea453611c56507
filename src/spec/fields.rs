//! A TOML table as it is read: typed values, and unknown keys refused with the nearest known one.

use std::fmt::Display;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::Source;
use crate::error::{Error, Result};

/// A table being read. Its known keys are stated first, so that a misspelt key is reported as such and not as a missing one.
pub(super) struct Fields<'a> {
    pub source: &'a Source,
    /// What errors call it: `[data]`, `` `x` ``, …
    pub name: String,
    pub span: Range<usize>,
    table: DeTable<'a>,
}

/// A value being read.
pub(super) struct Value<'a> {
    pub source: &'a Source,
    pub key: String,
    pub span: Range<usize>,
    inner: DeValue<'a>,
}

/// A value that nobody wrote: a default.
pub(super) fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// The word most like `given`, if any is much like it.
pub(super) fn nearest<'a>(given: &str, words: &[&'a str]) -> Option<&'a str> {
    /// Below this similarity (Jaro–Winkler) a suggestion confuses more than it helps.
    const LIKE: f64 = 0.8;
    let likeness = |w: &str| strsim::jaro_winkler(&given.to_lowercase(), w);
    words.iter().copied().filter(|w| likeness(w) >= LIKE).max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

/// Words as `a`, `b` or `c`.
pub(super) fn listed(words: &[&str]) -> String {
    match words {
        [] => "nothing".into(),
        [one] => format!("`{one}`"),
        [rest @ .., last] => format!("{} or `{last}`", rest.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")),
    }
}

impl<'a> Fields<'a> {
    /// The whole file.
    pub fn root(source: &'a Source) -> Result<Self> {
        let table = DeTable::parse(source.text()).map_err(|e| {
            let span = e.span().unwrap_or(0..1);
            source
                .error(&(span.start..span.end.max(span.start + 1)), format!("the spec is not valid TOML: {}", e.message()))
                .hint("text needs quotes, lists need [ ], and a table like { low = 0, high = 1 } must be closed on its line")
        })?;
        Ok(Self { source, name: "the spec".into(), span: 0..0, table: table.into_inner() })
    }

    /// Refuses keys that are not among the known.
    pub fn only(self, known: &[&str]) -> Result<Self> {
        for key in self.table.keys() {
            let given: &str = key.get_ref();
            if !known.contains(&given) {
                let error = self.source.error(&key.span(), format!("unknown key `{given}` in {}", self.name));
                return Err(match nearest(given, known) {
                    Some(word) => error.hint(format!("did you mean `{word}`?")),
                    None => error.hint(format!("{} takes {}", self.name, listed(known))),
                });
            }
        }
        Ok(self)
    }

    /// Whether a key is still there.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the value of a key stands; the table itself if it is not there.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Takes a value out.
    pub fn take(&mut self, key: &str) -> Option<Value<'a>> {
        let value = self.table.remove(key)?;
        Some(Value { source: self.source, key: key.into(), span: value.span(), inner: value.into_inner() })
    }

    /// Takes a value that must be there; `example` is a line the user could add.
    pub fn need(&mut self, key: &str, example: impl Display) -> Result<Value<'a>> {
        self.take(key).ok_or_else(|| self.source.error(&self.span, format!("{} lacks `{key}`", self.name)).hint(format!("add {example}")))
    }

    /// What is left, in the order of the file.
    pub fn rest(mut self) -> Vec<(Spanned<String>, Value<'a>)> {
        let keys: Vec<_> = self.table.keys().map(|k| Spanned::new(k.span(), k.get_ref().to_string())).collect();
        keys.into_iter().filter_map(|k| self.take(k.get_ref()).map(|v| (k, v))).collect()
    }

    pub fn string(&mut self, key: &str) -> Result<Option<Spanned<String>>> {
        self.take(key).map(Value::string).transpose()
    }

    pub fn number(&mut self, key: &str) -> Result<Option<Spanned<f64>>> {
        self.take(key).map(Value::number).transpose()
    }

    pub fn integer(&mut self, key: &str) -> Result<Option<Spanned<u64>>> {
        self.take(key).map(Value::integer).transpose()
    }

    pub fn positive(&mut self, key: &str) -> Result<Option<Spanned<f64>>> {
        self.take(key).map(Value::positive).transpose()
    }
}

impl<'a> Value<'a> {
    /// An error at this value.
    pub fn error(&self, what: impl Into<String>) -> Error {
        self.source.error(&self.span, what)
    }

    fn wrong(&self, wanted: &str, example: &str) -> Error {
        let kind = match &self.inner {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(format!("`{}` must be {wanted}, not {kind}", self.key)).hint(format!("write {} = {example}", self.key))
    }

    pub fn is_table(&self) -> bool {
        matches!(self.inner, DeValue::Table(_))
    }

    pub fn is_string(&self) -> bool {
        matches!(self.inner, DeValue::String(_))
    }

    pub fn is_array(&self) -> bool {
        matches!(self.inner, DeValue::Array(_))
    }

    pub fn string(self) -> Result<Spanned<String>> {
        match &self.inner {
            DeValue::String(s) => Ok(Spanned::new(self.span, s.to_string())),
            _ => Err(self.wrong("a text", "\"…\"")),
        }
    }

    /// A finite number; −0 becomes 0, so that writing and reading it again changes nothing.
    pub fn number(self) -> Result<Spanned<f64>> {
        let number = match &self.inner {
            DeValue::Float(f) => f.as_str().parse::<f64>().ok(),
            DeValue::Integer(i) if i.radix() == 10 => i.as_str().parse::<f64>().ok(),
            DeValue::Integer(i) => u64::from_str_radix(i.as_str(), i.radix()).ok().map(|n| n as f64),
            _ => return Err(self.wrong("a number", "1.5, without quotes")),
        };
        match number {
            Some(n) if n.is_finite() => Ok(Spanned::new(self.span, n + 0.0)),
            _ => Err(self.error(format!("`{}` must be a finite number", self.key)).hint("write it in digits, such as 1.5 or 2e-3")),
        }
    }

    pub fn positive(self) -> Result<Spanned<f64>> {
        let (source, key) = (self.source, self.key.clone());
        let number = self.number()?;
        if *number.get_ref() > 0.0 {
            return Ok(number);
        }
        Err(source.error(&number.span(), format!("`{key}` must be greater than 0")).hint(format!("write {key} = a positive number")))
    }

    pub fn integer(self) -> Result<Spanned<u64>> {
        let DeValue::Integer(i) = &self.inner else { return Err(self.wrong("a whole number", "1, without quotes")) };
        match u64::from_str_radix(i.as_str(), i.radix()) {
            Ok(n) => Ok(Spanned::new(self.span, n)),
            Err(_) => {
                Err(self.error(format!("`{}` must be a whole number from 0 to {}", self.key, u64::MAX)).hint("write it without a sign"))
            }
        }
    }

    pub fn boolean(self) -> Result<bool> {
        match self.inner {
            DeValue::Boolean(b) => Ok(b),
            _ => Err(self.wrong("true or false", "true")),
        }
    }

    pub fn table(self, name: impl Into<String>) -> Result<Fields<'a>> {
        match self.inner {
            DeValue::Table(table) => Ok(Fields { source: self.source, name: name.into(), span: self.span, table }),
            _ => Err(self.wrong("a table", "{ … }")),
        }
    }

    pub fn array(self) -> Result<Vec<Value<'a>>> {
        match self.inner {
            DeValue::Array(items) => Ok(items
                .into_iter()
                .map(|item| Value { source: self.source, key: self.key.clone(), span: item.span(), inner: item.into_inner() })
                .collect()),
            _ => Err(self.wrong("a list", "[ … ]")),
        }
    }

    /// A text that is one of the words, as what the word stands for.
    pub fn word<T: Copy>(self, words: &[(&str, T)]) -> Result<Spanned<T>> {
        let (source, key) = (self.source, self.key.clone());
        let given = self.string()?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| word == given.get_ref()) {
            return Ok(Spanned::new(given.span(), *meaning));
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let error = source.error(&given.span(), format!("`{key}` cannot be `{}`", given.get_ref()));
        Err(match nearest(given.get_ref(), &names) {
            Some(word) => error.hint(format!("did you mean \"{word}\"? It may be {}", listed(&names))),
            None => error.hint(format!("write one of {}", listed(&names))),
        })
    }

    /// Two numbers, the first smaller.
    pub fn interval(self) -> Result<Spanned<(f64, f64)>> {
        let (source, span, key) = (self.source, self.span.clone(), self.key.clone());
        let wrong = |what: &str| {
            source.error(&span, format!("`{key}` must be {what}")).hint("write [low, high] with low < high, such as [4.3, 5.3]")
        };
        let numbers = self.array()?.into_iter().map(Value::number).collect::<Result<Vec<_>>>()?;
        let [low, high] = &numbers[..] else { return Err(wrong("two numbers")) };
        if low.get_ref() >= high.get_ref() {
            return Err(wrong("an interval whose first number is the smaller one"));
        }
        Ok(Spanned::new(span, (*low.get_ref(), *high.get_ref())))
    }
}
