//! A spec as TOML text, laid out as a person would write it.

use super::Layout;
use super::parameter::write_prior;
use super::raw::{RawCandidates, RawData, RawFrames, RawMeasurement, RawNoise, RawRun, RawSpec, RawX};

/// Lines of `key = value`.
#[derive(Default)]
pub(super) struct Lines {
    pub text: String,
}

impl Lines {
    pub fn line(&mut self, name: &str, value: &str) {
        self.text.push_str(&format!("{} = {value}\n", key(name)));
    }

    pub fn maybe(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.line(name, &value);
        }
    }

    /// An empty line and a header, such as `[data]`.
    pub fn header(&mut self, header: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&format!("{header}\n"));
    }
}

/// A number that reads back as the same f64.
pub(super) fn number(value: f64) -> String {
    // Debug prints the shortest digits that read back the same, with an exponent where that is shorter.
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

/// A quoted text.
pub(crate) fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A key, quoted where it must be.
pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { text.into() } else { string(text) }
}

/// `[low, high]`
pub(super) fn interval((low, high): (f64, f64)) -> String {
    format!("[{}, {}]", number(low), number(high))
}

/// `{ a = 1, b = 2 }` of the entries that are there.
pub(super) fn inline(entries: &[(&str, Option<String>)]) -> Option<String> {
    let there: Vec<String> = entries.iter().filter_map(|(k, v)| v.as_ref().map(|v| format!("{k} = {v}"))).collect();
    (!there.is_empty()).then(|| format!("{{ {} }}", there.join(", ")))
}

impl RawSpec {
    /// The spec as TOML: what is left out stays out, and reading the text gives the same spec.
    pub fn to_toml(&self) -> String {
        let mut out = Lines::default();
        out.maybe("title", self.title.as_deref().map(string));
        out.maybe("candidates", self.candidates.as_ref().map(candidates));
        out.header("[data]");
        data(&mut out, &self.data);
        if let Some(noise) = self.noise.as_ref() {
            out.header("[noise]");
            for (key, value) in noise_entries(noise) {
                out.maybe(key, value);
            }
        }
        for shared in &self.parameters {
            out.header(&format!("[parameters.{}]", key(shared.name.get_ref())));
            out.text.push_str(&write_prior(&shared.prior).replace(", ", "\n"));
            out.text.push('\n');
            out.maybe("unit", shared.unit.as_deref().map(string));
        }
        for (word, list) in [("window", &self.windows), ("measurement", &self.measurements)] {
            for m in list {
                measurement(&mut out, word, m);
            }
        }
        let run = run(&self.run);
        if !run.text.is_empty() {
            out.header("[run]");
            out.text.push_str(&run.text);
        }
        if let Some(simulate) = &self.simulate {
            simulate.write(&mut out);
        }
        out.text
    }
}

fn data(out: &mut Lines, data: &RawData) {
    let RawData { folder, files, columns, layout, x, wavelength, wavelength2, normalise, mask_above, frames, axis_header } = data;
    out.maybe("folder", folder.as_ref().map(|f| string(f.get_ref())));
    out.line("files", &string(files.get_ref()));
    out.maybe("columns", columns.as_ref().map(|c| string(&c.get_ref().join(" "))));
    out.maybe("layout", layout.map(|l| string(if l == Layout::Rows { "rows" } else { "columns" })));
    let RawX { name, unit, file, start, step } = x;
    let x = [
        ("name", name.as_deref().map(string)),
        ("unit", unit.as_deref().map(string)),
        ("file", file.as_ref().map(|f| string(f.get_ref()))),
        ("start", start.map(number)),
        ("step", step.map(number)),
    ];
    out.maybe("x", inline(&x));
    out.maybe("wavelength", wavelength.map(number));
    out.maybe("wavelength2", wavelength2.map(number));
    out.maybe("normalise", normalise.as_deref().map(string));
    out.maybe("mask_above", mask_above.map(number));
    out.maybe("axis_header", axis_header.as_deref().map(string));
    if let Some(RawFrames { table, key, by_number, axis }) = frames {
        let frames = [
            ("table", Some(string(table.get_ref()))),
            ("key", Some(string(key))),
            ("match", by_number.map(|n| string(if n { "file number" } else { "name" }))),
            ("axis", axis.as_deref().map(string)),
        ];
        out.maybe("frames", inline(&frames));
    }
}

fn noise_entries(noise: &RawNoise) -> Vec<(&'static str, Option<String>)> {
    let RawNoise { model, sigma, scale, model_error, .. } = noise;
    let errors = model_error.as_ref().map(|e| match e.get_ref()[..] {
        [one] => number(one),
        ref several => format!("[{}]", several.iter().map(|e| number(*e)).collect::<Vec<_>>().join(", ")),
    });
    vec![
        ("model", model.as_ref().map(|m| string(m.get_ref().word()))),
        ("sigma", sigma.as_ref().map(|s| s.get_ref().write())),
        ("scale", scale.as_ref().map(|s| format!("{{ {} }}", write_prior(s.get_ref())))),
        ("model_error", errors),
    ]
}

fn measurement(out: &mut Lines, word: &str, m: &RawMeasurement) {
    out.header(&format!("[[{word}]]"));
    out.maybe("name", m.name.as_ref().map(|n| string(n.get_ref())));
    out.maybe("range", m.range.as_ref().map(|r| interval(*r.get_ref())));
    if !m.exclude.is_empty() {
        out.line("exclude", &format!("[{}]", m.exclude.iter().map(|e| interval(*e)).collect::<Vec<_>>().join(", ")));
    }
    out.maybe("noise", m.noise.as_ref().and_then(|n| inline(&noise_entries(n))));
    out.maybe("candidates", m.candidates.as_ref().map(candidates));
    for term in &m.terms {
        out.header(&format!("[[{word}.term]]"));
        out.text.push_str(&term.write());
    }
}

fn candidates(candidates: &RawCandidates) -> String {
    let one = |(name, terms): &(toml::Spanned<String>, Vec<toml::Spanned<String>>)| {
        let terms: Vec<String> = terms.iter().map(|t| string(t.get_ref())).collect();
        format!("{} = [{}]", key(name.get_ref()), terms.join(", "))
    };
    format!("{{ {} }}", candidates.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn run(run: &RawRun) -> Lines {
    let RawRun { seed, engine, f64, copies, proposals, max_sweeps, ess, free_energy_se, round_trips, alone } = run;
    let mut out = Lines::default();
    out.maybe("seed", seed.map(|n| n.to_string()));
    out.maybe("engine", engine.map(string));
    out.maybe("precision", f64.map(|f64| string(if f64 { "f64" } else { "f32" })));
    out.maybe("copies", copies.map(|n| n.to_string()));
    out.maybe("proposals", proposals.map(|n| n.to_string()));
    out.maybe("max_sweeps", max_sweeps.map(|n| n.to_string()));
    out.maybe("alone", alone.as_ref().map(|alone| alone.get_ref().to_string()));
    let targets =
        [("ess", ess.map(number)), ("free_energy_se", free_energy_se.map(number)), ("round_trips", round_trips.map(|n| n.to_string()))];
    out.maybe("targets", inline(&targets));
    out
}
