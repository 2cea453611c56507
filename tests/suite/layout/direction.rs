//! Data flows one way: a module uses only modules to its left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The modules of the crate in the direction data flows. `error` is for all; `noise` makes energies of a problem's misfits.
const ORDER: [&str; 19] = [
    "spec",
    "dataset",
    "models",
    "prior",
    "random",
    "problem",
    "noise",
    "engine",
    "sampler",
    "evidence",
    "posterior",
    "batch",
    "report",
    "simulate",
    "trial",
    "calibrate",
    "limit",
    "cli",
    "error",
];

/// Who may look to the right, and why.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("spec", "models", "a spec names models: it needs the list of their words and parameters"),
    ("spec", "prior", "a spec writes priors out: they are plain values of its own"),
];

/// All Rust files below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files = Vec::new();
    for path in entries.map(|e| e.unwrap().path()) {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Top-level modules that a source names after `crate::`, also in `crate::{a::b, c}`; comments do not count.
fn used(source: &str) -> BTreeSet<String> {
    let code: String = source.lines().map(|l| l.split_once("//").map_or(l, |(code, _)| code)).collect::<Vec<_>>().join("\n");
    let word = |s: &str| s.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.insert(word(&std::mem::take(&mut item)));
                    continue;
                }
                _ => {}
            }
            item.push(c);
        }
        found.insert(word(&item));
    }
    found.remove("");
    found
}

/// What a module of that name uses and may not.
fn wrong(module: &str, source: &str) -> Vec<String> {
    let place = |m: &str| ORDER.iter().position(|o| *o == m);
    let allowed = |m: &str| {
        m == "error"
            || place(m) <= place(module) && place(m).is_some()
            || EXCEPTIONS.iter().any(|(from, to, _)| (*from, *to) == (module, m))
    };
    used(source).into_iter().filter(|m| !allowed(m)).collect()
}

/// The top-level module a file belongs to, and the file relative to src; none for the roots.
fn module_of(path: &Path, src: &Path) -> Option<String> {
    let first = path.strip_prefix(src).ok()?.components().next()?.as_os_str().to_string_lossy().into_owned();
    let module = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (module != "lib" && module != "main").then_some(module)
}

#[test]
fn a_module_uses_only_modules_to_its_left() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&src) {
        let Some(module) = module_of(&path, &src) else { continue };
        assert!(ORDER.contains(&module.as_str()), "{}: give the module a place in ORDER", path.display());
        let wrong = wrong(&module, &std::fs::read_to_string(&path).unwrap());
        assert!(wrong.is_empty(), "{} uses {wrong:?}, which is to its right", path.display());
    }
}

#[test]
fn every_exception_is_used() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (from, to, why) in EXCEPTIONS {
        let uses = |p: &PathBuf| module_of(p, &src).as_deref() == Some(from) && used(&std::fs::read_to_string(p).unwrap()).contains(to);
        assert!(rust_files(&src).iter().any(uses), "{from} does not use {to} ({why}): take it off the list");
    }
}

#[test]
fn a_look_to_the_right_is_seen() {
    let source = "use crate::{error::Result, sampler::{run, moves}, models};\nfn f() { crate::report::json() } // crate::cli::run";
    assert_eq!(used(source), ["error", "models", "report", "sampler"].map(String::from).into());
    assert_eq!(wrong("engine", source), ["report", "sampler"]);
    assert_eq!(wrong("cli", source), [""; 0]);
    assert_eq!(wrong("dataset", "use crate::models::Model;"), ["models"]);
    assert_eq!(wrong("spec", "use crate::models::Model;"), [""; 0]);
}
