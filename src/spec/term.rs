//! `[[window.term]]` as written: a model, its size and count, and what is said of each of its parameters.

use std::ops::Range;

use toml::Spanned;

use super::fields::{Fields, Value, listed, nearest};
use super::parameter::RawParameter;
use super::{Width, write};
use crate::error::Result;
use crate::models::{self, MAX_PARAMETERS, Model, Quantity, Role};

/// A term as written.
#[derive(Clone, Debug)]
pub struct RawTerm {
    /// Where the term stands in the file.
    pub span: Range<usize>,
    /// Its name, if it has one.
    pub name: Option<Spanned<String>>,
    /// Smallest and largest count, both included.
    pub count: Option<Spanned<(usize, usize)>>,
    /// What is said of its parameters.
    pub given: Given<Spanned<RawParameter>>,
}

/// A model and what a spec says of each of its parameters.
#[derive(Clone, Debug)]
pub struct Given<T> {
    /// The model.
    pub model: &'static Model,
    /// Its size, where it has one and the spec gives it.
    pub size: Option<usize>,
    /// Whether the amplitude is written as a height (true) or as an area; none where no amplitude is written.
    pub height: Option<bool>,
    /// What the width is written as; none where no width is written.
    pub width: Option<Width>,
    /// One entry a parameter of the model, in the model's order.
    pub values: Vec<Option<T>>,
}

/// Words for a width, and what they mean.
pub(super) const WIDTHS: [(&str, Width); 4] = [("fwhm", Width::Fwhm), ("hwhm", Width::Hwhm), ("sigma", Width::Sigma), ("b", Width::B)];

/// What a key of a term stands for.
enum Slot {
    Area(usize, bool),
    Width(usize, Width),
    Plain(Vec<usize>),
}

impl RawTerm {
    /// Reads one term.
    pub(super) fn read(value: Value<'_>) -> Result<Self> {
        let span = value.span.clone();
        let mut fields = value.table("the term")?;
        let model = read_model(&mut fields)?;
        let size = read_size(&mut fields, model)?;
        let fields = known_keys(fields, model, size, &["name", "count"])?;
        let mut fields = fields;
        let name = fields.string("name")?;
        let count = fields.take("count").map(read_count).transpose()?;
        let given = Given::read(fields, model, size, RawParameter::read)?;
        Ok(Self { span, name, count, given })
    }

    /// Its name: the model's unless given.
    pub fn name(&self) -> &str {
        self.name.as_ref().map_or(self.given.model.name, |n| n.get_ref())
    }

    /// The lines of the term, without its header.
    pub(super) fn write(&self) -> String {
        let mut lines = write::Lines::default();
        lines.line("model", &write::string(self.given.model.name));
        lines.maybe("name", self.name.as_ref().map(|n| write::string(n.get_ref())));
        lines.maybe("count", self.count.as_ref().map(|c| write_count(*c.get_ref())));
        self.given.write(&mut lines, |p| p.get_ref().write());
        lines.text
    }
}

/// Takes `model` out and finds it in the list.
pub(super) fn read_model(fields: &mut Fields<'_>) -> Result<&'static Model> {
    let name = fields.need("model", "model = \"gaussian\" (`keisoku models` lists them)")?.string()?;
    models::find(name.get_ref()).ok_or_else(|| {
        let words: Vec<&str> = models::MODELS.iter().map(|m| m.name).collect();
        let error = fields.source.error(&name.span(), format!("no model is called `{}`", name.get_ref()));
        match nearest(name.get_ref(), &words) {
            Some(word) => error.hint(format!("did you mean \"{word}\"?")),
            None => error.hint(format!("the models are {}", listed(&words))),
        }
    })
}

/// Takes the size key out, where the model has one.
pub(super) fn read_size(fields: &mut Fields<'_>, model: &'static Model) -> Result<Option<usize>> {
    let Some((key, _)) = model.size else { return Ok(None) };
    let Some(size) = fields.integer(key)? else { return Ok(None) };
    // A size is bounded before it is used: a model would allocate for any number.
    let fits = |n: usize| n < MAX_PARAMETERS && (model.parameters)(n).len() <= MAX_PARAMETERS;
    match usize::try_from(*size.get_ref()) {
        Ok(n) if fits(n) => Ok(Some(n)),
        _ => Err(fields
            .source
            .error(&size.span(), format!("`{key}` of {} is too large: a term has at most {MAX_PARAMETERS} parameters", model.name))
            .hint("use a smaller one, or several terms")),
    }
}

/// Refuses keys that are neither `besides` nor a parameter of the model.
pub(super) fn known_keys<'a>(fields: Fields<'a>, model: &Model, size: Option<usize>, besides: &[&str]) -> Result<Fields<'a>> {
    let quantities = (model.parameters)(size.unwrap_or_else(|| default_size(model)));
    let keys = keys(&quantities);
    let words: Vec<&str> = besides.iter().copied().chain(keys.iter().map(String::as_str)).collect();
    let mut fields = fields;
    fields.name = format!("the {} term", model.name);
    fields.only(&words)
}

/// The size of a model where the spec gives none.
pub(super) fn default_size(model: &Model) -> usize {
    model.size.map_or(0, |(_, default)| default)
}

/// Most copies of a term: a window with more lines is a task for several windows, and a slip must not fill the memory.
const MOST_COPIES: usize = 100;

/// `"0..6"`, both ends included, `"3"` or `3`.
fn read_count(value: Value<'_>) -> Result<Spanned<(usize, usize)>> {
    let (source, span) = (value.source, value.span.clone());
    let wrong = |what: &str, hint: &str| Err(source.error(&span, format!("`count` {what}")).hint(hint.to_string()));
    let hint = "write count = \"0..6\" (both ends included), or one number";
    let text = if value.is_string() { value.string()?.into_inner() } else { value.integer()?.get_ref().to_string() };
    let ends: Vec<Option<usize>> = text.split("..").map(|n| n.trim().parse().ok()).collect();
    match ends[..] {
        [.., Some(high)] if high > MOST_COPIES => wrong(&format!("is more than {MOST_COPIES}"), "split the window"),
        [Some(n)] => Ok(Spanned::new(span, (n, n))),
        [Some(low), Some(high)] if low <= high => Ok(Spanned::new(span, (low, high))),
        [Some(low), Some(high)] => wrong("runs backwards", &format!("write count = \"{high}..{low}\"")),
        _ => wrong(&format!("cannot be `{text}`"), hint),
    }
}

fn write_count((low, high): (usize, usize)) -> String {
    if low == high { low.to_string() } else { format!("\"{low}..{high}\"") }
}

/// Every key that a term of these parameters takes.
fn keys(quantities: &[Quantity]) -> Vec<String> {
    let mut keys: Vec<String> = quantities.iter().map(|q| q.name.clone()).collect();
    if area(quantities).is_some() {
        keys.push("height".into());
    }
    if width(quantities).is_some() {
        keys.extend(WIDTHS.iter().map(|(word, _)| (*word).to_string()).filter(|w| w != "fwhm"));
    }
    for q in quantities {
        let family = q.name.trim_end_matches(|c: char| c.is_ascii_digit());
        if family != q.name && !keys.iter().any(|k| k == family) {
            keys.push(family.into());
        }
    }
    keys
}

/// The parameter that may be an area or a height.
fn area(quantities: &[Quantity]) -> Option<usize> {
    quantities.iter().position(|q| q.role == Role::Amplitude && q.name == "area")
}

/// The parameter that may be written as fwhm, hwhm, sigma or b: only where the model has one width, since one word says it for the term.
fn width(quantities: &[Quantity]) -> Option<usize> {
    let mut widths = quantities.iter().enumerate().filter(|(_, q)| q.role == Role::Width);
    let first = widths.next();
    first.filter(|(_, q)| q.name == "fwhm" && widths.next().is_none()).map(|(i, _)| i)
}

fn slot(quantities: &[Quantity], key: &str) -> Slot {
    match (area(quantities), width(quantities), WIDTHS.iter().find(|(word, _)| *word == key)) {
        (Some(i), _, _) if key == "area" || key == "height" => Slot::Area(i, key == "height"),
        (_, Some(i), Some((_, meaning))) => Slot::Width(i, *meaning),
        _ => match quantities.iter().position(|q| q.name == key) {
            Some(i) => Slot::Plain(vec![i]),
            None => {
                let of_family = |q: &Quantity| q.name.trim_end_matches(|c: char| c.is_ascii_digit()) == key;
                Slot::Plain((0..quantities.len()).filter(|&i| of_family(&quantities[i])).collect())
            }
        },
    }
}

impl<T: Clone> Given<T> {
    /// Reads what is left of a term's table, whose keys are known to be the model's.
    pub(super) fn read(
        fields: Fields<'_>,
        model: &'static Model,
        size: Option<usize>,
        read: impl Fn(Value<'_>) -> Result<T>,
    ) -> Result<Self> {
        let quantities = (model.parameters)(size.unwrap_or_else(|| default_size(model)));
        let mut given = Self { model, size, height: None, width: None, values: vec![None; quantities.len()] };
        let source = fields.source;
        for (key, value) in fields.rest() {
            let value = read(value)?;
            let at = match slot(&quantities, key.get_ref()) {
                Slot::Area(i, height) => {
                    given.height.get_or_insert(height);
                    vec![i]
                }
                Slot::Width(i, width) => {
                    given.width.get_or_insert(width);
                    vec![i]
                }
                Slot::Plain(all) => all,
            };
            for i in at {
                if given.values[i].replace(value.clone()).is_some() {
                    let what = format!("`{}` says again what another key of this term has said", key.get_ref());
                    return Err(source.error(&key.span(), what).hint("keep one of them: area or height; fwhm, hwhm, sigma or b"));
                }
            }
        }
        Ok(given)
    }
}

impl<T> Given<T> {
    /// The size, the model's default where none is given.
    pub fn size(&self) -> usize {
        self.size.unwrap_or_else(|| default_size(self.model))
    }

    /// The parameters of the model.
    pub fn quantities(&self) -> Vec<Quantity> {
        (self.model.parameters)(self.size())
    }

    /// The key that parameter `i` is written with.
    pub fn key(&self, i: usize, quantities: &[Quantity]) -> String {
        let word = |w: Width| WIDTHS.iter().find(|(_, meaning)| *meaning == w).map(|(word, _)| (*word).to_string());
        match (area(quantities), width(quantities)) {
            (Some(a), _) if a == i && self.height == Some(true) => "height".into(),
            (_, Some(w)) if w == i => self.width.and_then(word).unwrap_or_else(|| quantities[i].name.clone()),
            _ => quantities[i].name.clone(),
        }
    }

    /// Adds the lines of size and parameters.
    pub(super) fn write(&self, lines: &mut write::Lines, value: impl Fn(&T) -> String) {
        if let (Some((key, _)), Some(size)) = (self.model.size, self.size) {
            lines.line(key, &size.to_string());
        }
        let quantities = self.quantities();
        for (i, given) in self.values.iter().enumerate() {
            lines.maybe(&self.key(i, &quantities), given.as_ref().map(&value));
        }
    }
}
