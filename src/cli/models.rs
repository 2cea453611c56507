//! `keisoku models`: the list of models, and the page of one.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};

use crate::error::{Error, Result};
use crate::models::{DefaultPrior, MODELS, Model, Quantity, Role, Unit, find};

/// Columns of a terminal that texts are wrapped to.
const COLUMNS: usize = 100;

/// Prints the list of models, or the page of the one named.
///
/// # Errors
/// Where there is no model of that name, or standard output cannot be written.
pub fn run(name: Option<&str>) -> Result<()> {
    let text = match name {
        None => list(),
        Some(name) => page(find(name).ok_or_else(|| unknown(name))?),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        // `keisoku models | head` is no failure.
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::fatal(format!("cannot write to standard output: {e}"))),
        _ => Ok(()),
    }
}

/// Every model in a line: name, what it is, parameters.
pub fn list() -> String {
    let rows: Vec<[String; 3]> = MODELS.iter().map(|m| [m.name.into(), m.title.into(), names(m).join(" ")]).collect();
    aligned(&rows) + "\n`keisoku models NAME` prints the definition of one, with units, bounds, default priors and references.\n"
}

/// All that is to be known of a model.
pub fn page(model: &Model) -> String {
    let size = default_size(model);
    let mut rows = vec![["parameter", "unit", "bounds", "default prior", ""].map(String::from)];
    for q in (model.parameters)(size) {
        rows.push([q.name.clone(), unit(q.unit).into(), bounds(q.bounds), prior(&q), q.about.into()]);
    }
    let mut page = format!("{}: {}\n\n{}\n\n{}", model.name, model.title, wrapped(model.about), aligned(&rows));
    if let Some((key, default)) = model.size {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "\nThe table is for {key} = {default}, the default; `{key}` in the term gives another.");
    }
    page
}

/// The README's table of models, in markdown.
pub fn markdown_table() -> String {
    let mut table = String::from("| model | what it is | parameters |\n|---|---|---|\n");
    for model in MODELS {
        let names: Vec<String> = names(model).iter().map(|n| format!("`{n}`")).collect();
        let _ = writeln!(table, "| `{}` | {} | {} |", model.name, model.title, names.join(" "));
    }
    table
}

fn unknown(name: &str) -> Error {
    let near = MODELS.iter().map(|m| (strsim::jaro_winkler(name, m.name), m.name)).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match near {
        Some((likeness, model)) if likeness > 0.7 => format!("did you mean `{model}`? `keisoku models` lists them all"),
        _ => "`keisoku models` lists them all".into(),
    };
    Error::fatal(format!("there is no model `{name}`")).hint(hint)
}

fn default_size(model: &Model) -> usize {
    model.size.map_or(0, |(_, default)| default)
}

fn names(model: &Model) -> Vec<String> {
    (model.parameters)(default_size(model)).into_iter().map(|q| q.name).collect()
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::X => "x",
        Unit::Y => "y",
        Unit::Area => "x y",
        Unit::Slope => "y/x",
        Unit::One => "1",
        Unit::Named(name) => name,
    }
}

fn bounds((low, high): (f64, f64)) -> String {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("{low} … {high}"),
        (true, false) => format!("≥ {low}"),
        (false, true) => format!("≤ {high}"),
        (false, false) => "any".into(),
    }
}

/// The default prior in words; those that follow from the data say how.
fn prior(quantity: &Quantity) -> String {
    let number = |v: f64| format!("{}", (v * 1e4).round() / 1e4);
    match (quantity.prior, quantity.role) {
        (DefaultPrior::Uniform(low, high), _) => format!("uniform {} … {}", number(low), number(high)),
        (DefaultPrior::LogUniform(low, high), _) => format!("log-uniform {} … {}", number(low), number(high)),
        (DefaultPrior::Gamma(shape, rate), _) => format!("gamma, shape {} rate {}", number(shape), number(rate)),
        (DefaultPrior::Isotropic, _) => "isotropic".into(),
        (DefaultPrior::ByRole, Role::Center) => "uniform: the window and one largest width either side".into(),
        (DefaultPrior::ByRole, Role::Width) => "log-uniform: two point spacings … half the window".into(),
        (DefaultPrior::ByRole, Role::Amplitude) => "uniform: 0 … the largest of the series".into(),
        (DefaultPrior::ByRole, Role::Level) => "uniform: 0 and the values of the series".into(),
        (DefaultPrior::ByRole, Role::Shape | Role::Other) => "none: give one".into(),
    }
}

/// Columns as wide as their widest entry, two spaces apart.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|j| rows.iter().map(|r| r[j].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let line: Vec<String> = row.iter().zip(widths).map(|(entry, width)| format!("{entry:width$}")).collect();
        text += line.join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// Lines of at most [`COLUMNS`] characters, broken between words.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > COLUMNS {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += length;
    }
    out
}
