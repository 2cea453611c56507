//! What the README says is run: its commands, its spec, and every name of a verb, flag, file and example that it gives.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// Flags of cargo and of the benchmarks in their commands.
const CARGO: [&str; 4] = ["--release", "--nocapture", "--bench", "--peers"];

pub fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

fn keisoku() -> Command {
    let mut keisoku = Command::new(env!("CARGO_BIN_EXE_keisoku"));
    keisoku.current_dir(env!("CARGO_MANIFEST_DIR"));
    keisoku
}

/// Fenced blocks: kind and text.
pub fn blocks(readme: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in readme.lines() {
        match line.strip_prefix("```") {
            Some(kind) if !open => blocks.push((kind.into(), String::new())),
            Some(_) => {}
            None if open => blocks.last_mut().unwrap().1 += &format!("{line}\n"),
            None => continue,
        }
        open ^= line.starts_with("```");
    }
    assert!(!open, "a block is not closed");
    blocks
}

/// Inline code outside blocks.
fn spans(text: &str) -> Vec<&str> {
    let mut spans = Vec::new();
    for (i, part) in text.split("```").enumerate() {
        if i % 2 == 0 {
            spans.extend(part.split('`').skip(1).step_by(2));
        }
    }
    spans
}

/// A command that the README tells the reader to give.
#[derive(Debug, PartialEq)]
enum Told<'r> {
    /// A run of keisoku with these arguments.
    Run(Vec<&'r str>),
    /// The tests, or those whose name contains a word.
    Test(Option<&'r str>),
    /// A benchmark, of cargo or a script of Python: it takes minutes, so it is only looked up.
    Bench(&'r str),
}

/// What a line of a block, or a span, tells to run.
fn told(line: &str) -> Result<Told<'_>, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["cargo", "run", "--release", "--", "run", ..] => Ok(Told::Run(words[4..].to_vec())),
        ["cargo", "bench", "--bench", name, ..] => Ok(Told::Bench(name)),
        ["python3", script, ..] => script.strip_prefix("benches/").map(Told::Bench).ok_or_else(|| format!("no benchmark: {line}")),
        ["cargo", "test"] => Ok(Told::Test(None)),
        ["cargo", "test", name, "--", "--nocapture"] => Ok(Told::Test(Some(name))),
        _ => Err(format!("nothing here runs `{line}`")),
    }
}

/// All commands of the README's shell blocks and spans; an error where there is a block or a command that nothing here runs.
fn commands(readme: &str) -> Result<Vec<Told<'_>>, String> {
    for (kind, _) in blocks(readme) {
        if !["sh", "toml", "python"].contains(&kind.as_str()) {
            return Err(format!("nothing here runs a block of `{kind}`"));
        }
    }
    let shell = readme.split("```sh\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap_or_default().lines());
    let inline = spans(readme).into_iter().filter(|span| ["cargo ", "python3 "].iter().any(|c| span.starts_with(c)));
    shell.filter(|line| !line.trim().is_empty()).chain(inline).map(told).collect()
}

/// Text of a section, by its heading.
fn section<'r>(readme: &'r str, heading: &str) -> &'r str {
    let start = readme.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}")).1;
    start.split_once("\n## ").map_or(start, |(section, _)| section)
}

/// Code in the first cells of a section's table, row by row, and the rest of the row.
fn rows(section: &str) -> Vec<(Vec<&str>, &str)> {
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(" |"))
        .map(|(cell, rest)| {
            let names = cell.split('`').step_by(2).filter(|n| !n.is_empty()).collect();
            (names, rest)
        })
        .collect()
}

/// Words such as `--dry-run` in a text.
fn flags(text: &str) -> BTreeSet<&str> {
    let word = |c: char| !(c.is_ascii_lowercase() || c == '-');
    let found = text.split(word).filter(|w| w.starts_with("--") && w.len() > 3 && !w[2..].starts_with('-'));
    found.filter(|flag| !CARGO.contains(flag)).collect()
}

/// What there is, apart from the README.
struct Known {
    /// Verbs, each with its flags.
    verbs: Vec<(String, BTreeSet<String>)>,
    examples: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Known {
    fn get(results: &Path) -> Self {
        let help = |arguments: &[&str]| String::from_utf8(keisoku().args(arguments).assert().code(0).get_output().stdout.clone()).unwrap();
        let list = help(&["--help"]);
        let listed = list.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap();
        let names = listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        let own = |verb: &str| flags(&help(&[verb, "--help"])).into_iter().map(str::to_owned).collect();
        Self {
            verbs: names.map(|verb| (verb.to_owned(), own(verb))).collect(),
            examples: entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), true),
            files: entries(results, false),
        }
    }

    /// What the README says and is not so, or leaves out.
    fn wrong(&self, readme: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut same = |what: &str, told: BTreeSet<String>, is: BTreeSet<String>| {
            wrong.extend(told.symmetric_difference(&is).map(|name| format!("{what} {name}")));
        };
        let first = |section: &str| rows(section).into_iter().flat_map(|(names, _)| names).map(str::to_owned).collect::<BTreeSet<_>>();
        let verbs = rows(section(readme, "Verbs"));
        let verb = |names: &[&str]| names[0].split(' ').next().unwrap_or_default().to_owned();
        same("verb", verbs.iter().map(|(names, _)| verb(names)).collect(), self.verbs.iter().map(|v| v.0.clone()).collect());
        same("example", first(section(readme, "Examples")), self.examples.clone());
        same("file", first(section(readme, "Results")), self.files.clone());
        for (names, rest) in &verbs {
            let own = self.verbs.iter().find(|v| v.0 == verb(names)).map(|v| &v.1);
            wrong.extend(
                flags(rest).into_iter().filter(|f| !own.is_some_and(|own| own.contains(*f))).map(|f| format!("{f} of {}", names[0])),
            );
        }
        let any = |flag: &str| self.verbs.iter().any(|v| v.1.contains(flag));
        wrong.extend(spans(readme).into_iter().flat_map(flags).filter(|f| !any(f)).map(|f| format!("flag {f}")));
        let called = spans(readme).into_iter().filter_map(|span| span.strip_prefix("keisoku ")?.split(' ').next());
        wrong.extend(called.filter(|name| self.verbs.iter().all(|v| v.0 != *name)).map(|name| format!("keisoku {name}")));
        wrong
    }
}

/// Names of the folders, or of the files that are not hidden, in a folder.
fn entries(folder: &Path, folders: bool) -> BTreeSet<String> {
    let all = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|e| e.path().is_dir() == folders);
    all.map(|e| e.file_name().into_string().unwrap()).filter(|name| !name.starts_with('.')).collect()
}

/// Whether `benches` has a script of that name, or Cargo knows a benchmark of it.
fn is_bench(name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    root.join("benches").join(name).is_file() || cargo.contains(&format!("[[bench]]\nname = \"{name}\"\n"))
}

/// Every command is given as it stands, but to one frame, for two seconds, and into another folder; the tests are only looked up, because
/// this is one of them. The names are compared with what the run left.
#[test]
fn commands_run_and_names_are_right() {
    let readme = readme();
    let commands = commands(&readme).unwrap();
    let out = tempfile::tempdir().unwrap();
    let list = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap().stdout;
    let tests = String::from_utf8(list).unwrap();
    for command in &commands {
        match command {
            Told::Run(arguments) => {
                let folder = out.path().to_str().unwrap();
                let ran = keisoku().args(arguments).args(["--out", folder, "--frames", "1", "--max-time", "2s"]).assert();
                // 2: two seconds may not be enough for a number that may be quoted.
                assert!(matches!(ran.get_output().status.code(), Some(0 | 2)), "{arguments:?}: {ran}");
            }
            Told::Bench(name) => assert!(is_bench(name), "{name} is no benchmark"),
            Told::Test(name) => {
                assert!(tests.lines().any(|test| test.contains(name.unwrap_or(": test"))), "no test has {name:?} in its name")
            }
        }
    }
    assert!(matches!(commands[0], Told::Run(_)) && commands.contains(&Told::Test(None)), "{commands:?}");
    assert!(commands.iter().any(|c| matches!(c, Told::Bench(_))) && !is_bench("efficienty.py") && !is_bench("scalling"));
    let known = Known::get(out.path());
    assert_eq!(known.wrong(&readme), [""; 0]);
    for (from, to, wrong) in [
        ("| `doctor` |", "| `doctors` |", "verb doctors"),
        ("| `bench` |", "| bench |", "verb bench"),
        ("`--dry-run`", "`--dryrun`", "--dryrun of run SPEC"),
        ("`--engine auto`", "`--engines auto`", "flag --engines"),
        ("`misfit`", "`misfits`", "example misfits"),
        ("`peaks.csv`", "`peak.csv`", "file peak.csv"),
        ("`keisoku init FILES…`", "`keisoku begin FILES…`", "keisoku begin"),
    ] {
        assert!(readme.contains(from), "{from}");
        assert!(known.wrong(&readme.replacen(from, to, 1)).iter().any(|w| w == wrong), "{to} is not seen");
    }
}

/// The spec is put beside three frames and checked as a run would check it.
#[test]
fn the_spec_is_good() {
    let readme = readme();
    let specs: Vec<String> = blocks(&readme).into_iter().filter(|(kind, _)| kind == "toml").map(|(_, text)| text).collect();
    assert_eq!(specs.len(), 1);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("frames")).unwrap();
    for frame in 1..=3 {
        let height = |x: f64| 40.0 + 900.0 * (-0.5 * ((x - 4.7) / 0.03).powi(2)).exp();
        let noise = |i: i32| f64::from((i * 37 + frame * 11) % 13) - 6.0;
        let point = |i: i32| (4.2 + 0.005 * f64::from(i), i);
        let text: String =
            (0..240).map(point).map(|(x, i)| format!("{x:.3} {:.2} {:.2}\n", height(x) + noise(i), height(x).sqrt())).collect();
        fs::write(folder.path().join(format!("frames/f{frame}.xye")), text).unwrap();
    }
    let path = folder.path().join("spec.toml");
    let dry = |text: &str| {
        fs::write(&path, text).unwrap();
        keisoku().args(["run", path.to_str().unwrap(), "--dry-run"]).assert()
    };
    let told = String::from_utf8(dry(&specs[0]).code(0).get_output().stdout.clone()).unwrap();
    assert!(told.contains("frames      3 of 3") && told.contains("K=0, K=1, K=2, K=3, K=4, K=5, K=6"), "{told}");
    dry(&specs[0].replace("count", "counts")).code(1);
    dry(&specs[0].replace("pseudo-voigt", "pseudovoigt")).code(1);
}

#[test]
fn what_nothing_runs_is_seen() {
    let readme = readme();
    for (from, to) in [("```toml\n", "```ruby\n"), ("```sh\ncargo test", "```sh\nmake test"), ("`cargo test led --", "`cargo bench led --")]
    {
        assert!(readme.contains(from), "{from}");
        assert!(commands(&readme.replacen(from, to, 1)).is_err(), "{to:?} is not seen");
    }
}
