//! Which column of a file is x, y, σ or the monitor.

use super::sheet::{Kind, Sheet};
use crate::error::{Error, Result};
use crate::spec::{Data, Layout};

/// The meaning of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    X,
    Y,
    Sigma,
    Monitor,
    Skip,
}

/// What `columns` of a spec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    list: Vec<Name>,
    /// Whether the last name was `y...`: all further columns are frames.
    rest: bool,
}

/// Indices of the columns of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// x, where the file has it.
    pub(super) x: Option<usize>,
    /// y and σ of each frame.
    pub(super) frames: Vec<(usize, Option<usize>)>,
    /// The monitor.
    pub(super) monitor: Option<usize>,
}

impl Names {
    /// Checks the words `x y sigma monitor - y...` and the word that `normalise` names, which means the monitor.
    ///
    /// # Errors
    /// Fatal: an unknown word, no y, two x or monitors, σ that cannot be paired with y, a monitor that nothing asks for, x given twice.
    pub(super) fn parse(data: &Data) -> Result<Self> {
        let fail = |what: String, hint: &str| Err(Error::fatal(what).hint(hint));
        let (mut list, mut rest) = (Vec::new(), false);
        for (i, word) in data.columns.iter().enumerate() {
            list.push(match word.as_str() {
                word if data.normalise.as_deref() == Some(word) => Name::Monitor,
                "x" => Name::X,
                "y" => Name::Y,
                "sigma" => Name::Sigma,
                "-" => Name::Skip,
                "y..." if i + 1 == data.columns.len() => {
                    rest = true;
                    Name::Y
                }
                "monitor" => {
                    return fail(
                        "`columns` has a monitor that nothing uses".into(),
                        "add normalise = \"monitor\", or write - for that column",
                    );
                }
                _ => {
                    return fail(
                        format!("`columns` has the unknown name \"{word}\""),
                        "use x, y, sigma, monitor, - to skip one, and y... at the end for all others",
                    );
                }
            });
        }
        let names = Self { list, rest };
        let count = |name| names.list.iter().filter(|n| **n == name).count();
        if names.list.is_empty() {
            return Ok(names);
        }
        if count(Name::Y) == 0 {
            return fail("`columns` names no y".into(), "write for instance columns = \"x y sigma\"");
        }
        if count(Name::X) > 1 || count(Name::Monitor) > 1 {
            return fail(
                "`columns` names x or the monitor twice".into(),
                "all frames of a file share one x and one monitor; write - to skip a column",
            );
        }
        if count(Name::Sigma) != 0 && (count(Name::Sigma) != count(Name::Y) || rest) {
            return fail("`columns` must name one sigma for each y, or none".into(), "write for instance columns = \"x y sigma y sigma\"");
        }
        if count(Name::X) == 1 && data.x.start_step.is_some() {
            return fail("x is given twice: as a column and by start and step".into(), "remove start and step, or write - for the column");
        }
        Ok(names)
    }

    /// How many frames a file holds, where that does not depend on the file.
    pub(super) fn frames(&self, data: &Data) -> Option<usize> {
        let known = !self.rest && !self.list.is_empty();
        known.then(|| self.list.iter().filter(|n| **n == Name::Y).count()).filter(|_| data.layout == Layout::Columns)
    }

    /// The columns of a sheet (its rows, where the frames lie in rows).
    ///
    /// A header that has exactly the wanted names, each once, decides by name; otherwise names go by position. Where the spec names nothing
    /// the kind of file decides: x y, or x y sigma (.xye, .fxye), or every row or column of an array without x. Columns beyond those named
    /// are left out, but never silently where the spec named none.
    ///
    /// # Errors
    /// Recoverable: fewer columns than named; more than expected where nothing was named.
    pub(super) fn locate(&self, sheet: &Sheet, data: &Data) -> Result<Columns> {
        let (rows, columns) = sheet.values.dim();
        let width = if data.layout == Layout::Rows { rows } else { columns };
        let header = if data.layout == Layout::Rows { &[][..] } else { &sheet.names[..] };
        let list = if self.list.is_empty() { default(sheet.kind, width, header, data)? } else { self.list.clone() };
        if width < list.len() {
            let (what, lines) = (if width == 1 { "" } else { "s" }, if data.layout == Layout::Rows { "row" } else { "column" });
            let error = Error::recoverable(format!("the file has {width} {lines}{what}, and {} are named", list.len()));
            return Err(error.hint("name what it has under [data], for instance columns = \"y\" with x = { start = 0, step = 0.1 }"));
        }
        let mut list = by_header(&list, header, data).unwrap_or(list);
        if self.rest {
            list.resize(width, Name::Y);
        }
        Ok(Columns::of(&list))
    }
}

impl Columns {
    fn of(list: &[Name]) -> Self {
        let all = |name| list.iter().enumerate().filter(move |(_, n)| **n == name).map(|(i, _)| i);
        let mut sigma = all(Name::Sigma);
        let frames = all(Name::Y).map(|y| (y, sigma.next())).collect();
        Self { x: all(Name::X).next(), frames, monitor: all(Name::Monitor).next() }
    }
}

/// The names that the kind of file implies.
fn default(kind: Kind, width: usize, header: &[String], data: &Data) -> Result<Vec<Name>> {
    let ask = |hint: &str| {
        let what = format!("the file has {width} {}, and nothing says which they are", if width == 1 { "column" } else { "columns" });
        Err(Error::recoverable(what).hint(hint.to_string()))
    };
    let no_x = data.x.start_step.is_some();
    if data.layout == Layout::Rows || (kind == Kind::Array && (width == 1 || no_x)) {
        return Ok(vec![Name::Y; width]);
    }
    if let Some(names) = names_of(header, data)
        && names.contains(&Name::Y)
        && !(no_x && names.contains(&Name::X))
    {
        return Ok(names);
    }
    match (kind, width, no_x) {
        (_, 1, true) => Ok(vec![Name::Y]),
        (_, 1, false) => ask("write under [data] columns = \"y\" and, for another x than 0, 1, 2 …, x = { start = …, step = … }"),
        (_, _, true) => ask("x has start and step, so name the columns under [data], for instance columns = \"y sigma\""),
        (Kind::WithSigma, 3, _) => Ok(vec![Name::X, Name::Y, Name::Sigma]),
        (Kind::Text | Kind::Array, 2, _) => Ok(vec![Name::X, Name::Y]),
        _ => ask("name them under [data], for instance columns = \"x y sigma\" or \"x y -\""),
    }
}

/// The meaning of each word of a header, where all have one and none but `-` comes twice.
fn names_of(header: &[String], data: &Data) -> Option<Vec<Name>> {
    let name = |word: &String| match word.as_str() {
        word if data.normalise.as_deref() == Some(word) => Some(Name::Monitor),
        "x" => Some(Name::X),
        "y" => Some(Name::Y),
        "sigma" => Some(Name::Sigma),
        "monitor" => Some(Name::Skip),
        _ => None,
    };
    let names = header.iter().map(name).collect::<Option<Vec<Name>>>()?;
    let once = |wanted| names.iter().filter(|n| **n == wanted).count() < 2;
    (!names.is_empty() && [Name::X, Name::Y, Name::Sigma, Name::Monitor].into_iter().all(once)).then_some(names)
}

/// The wanted names in the order of the header, where it has every one of them exactly once.
fn by_header(wanted: &[Name], header: &[String], data: &Data) -> Option<Vec<Name>> {
    let spelled = |name: Name| match name {
        Name::X => "x",
        Name::Y => "y",
        Name::Sigma => "sigma",
        Name::Monitor => data.normalise.as_deref().unwrap_or("monitor"),
        Name::Skip => "-",
    };
    let mut list = vec![Name::Skip; header.len()];
    for name in wanted.iter().copied().filter(|n| *n != Name::Skip) {
        let mut places = header.iter().enumerate().filter(|(_, word)| *word == spelled(name)).map(|(i, _)| i);
        let (Some(at), None) = (places.next(), places.next()) else { return None };
        list[at] = name;
    }
    // Two y cannot both be the header's one y.
    let placed = list.iter().filter(|n| **n != Name::Skip).count();
    (placed == wanted.iter().filter(|n| **n != Name::Skip).count()).then_some(list)
}
