//! Specs: what they may say, what is filled in, and how each mistake is reported.

mod series;

use std::path::{Path, PathBuf};

use keisoku::models::Role;
use keisoku::prior::Prior;
use keisoku::spec::{Facts, Law, Noise, Parameter, RawSpec, Sigma, Spec, Width};
use proptest::prelude::*;

/// The example of the design, word for word.
const DESIGN: &str = include_str!("spec/design.toml");

/// Reads a text as if it were `spec.toml` in the crate's root.
fn parse(text: &str) -> keisoku::error::Result<RawSpec> {
    RawSpec::parse(Path::new("spec.toml"), text)
}

/// What a series might say of each window.
fn facts(raw: &RawSpec) -> Vec<Facts> {
    let one = Facts { x: (1.0, 3.0), spacing: 0.01, y: (-0.5, 7.5), area: 2.5, noise: 0.0125, counts: false, sigma: false };
    raw.stretches().map(|_| one.clone()).collect()
}

fn resolve(raw: &RawSpec) -> keisoku::error::Result<RawSpec> {
    raw.resolve(&|raw| Ok(facts(raw)))
}

fn checked(text: &str) -> keisoku::error::Result<Spec> {
    resolve(&parse(text)?)?.check()
}

/// The spec, resolved and checked; reading its resolved text again gives the same spec, and resolving that changes nothing.
fn sound(raw: &RawSpec) -> Spec {
    let resolved = resolve(raw).unwrap_or_else(|e| panic!("{e}"));
    let spec = resolved.check().unwrap_or_else(|e| panic!("{e}"));
    let text = resolved.to_toml();
    let again = RawSpec::parse(Path::new("elsewhere/spec.toml"), &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let no_data = |_: &RawSpec| -> keisoku::error::Result<Vec<Facts>> { panic!("a resolved spec needs no data:\n{text}") };
    let twice = again.resolve(&no_data).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(twice.to_toml(), text, "resolving is a fixed point");
    assert_eq!(twice.check().unwrap_or_else(|e| panic!("{e}")), spec);
    assert_eq!(again.check().unwrap_or_else(|e| panic!("{e}")), spec);
    assert_eq!(twice.hash(), resolved.hash());
    spec
}

fn example(name: &str) -> RawSpec {
    Spec::read(&Path::new("examples").join(name).join("spec.toml")).unwrap_or_else(|e| panic!("{e}"))
}

fn labels(spec: &Spec, group: usize) -> Vec<&str> {
    spec.groups[group].candidates.iter().map(|c| c.label.as_str()).collect()
}

/// `[data]` and Gaussian noise, then the rest.
fn with_head(rest: &str) -> String {
    format!("[data]\nfiles = \"*.xy\"\n[noise]\nmodel = \"gaussian\"\nsigma = 0.1\n{rest}")
}

const PEAKS: &str = "[[window]]\nrange = [1, 3]\n[[window.term]]\nmodel = \"gaussian\"\ncount = \"0..2\"\n";

#[test]
fn the_example_of_the_design_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("frames.csv"), "frame,temperature_C\n1,25\n").expect("a table");
    let raw = RawSpec::parse(&folder.path().join("spec.toml"), DESIGN).unwrap_or_else(|e| panic!("{e}"));
    let spec = sound(&raw);
    assert_eq!(spec.data.folder, folder.path());
    assert_eq!(spec.data.columns, ["x", "y", "sigma"]);
    let table = spec.data.frames.as_ref().expect("a table");
    assert_eq!((table.table.as_path(), table.by_number), (folder.path().join("frames.csv").as_path(), true));
    let window = &spec.groups[0].measurements[0];
    assert_eq!((spec.groups[0].name.as_str(), window.range), ("4.3..5.3", (4.3, 5.3)));
    assert_eq!(window.noise, Noise::Gaussian { sigma: Sigma::Column, scale: Some(Prior::LogUniform { low: 1e-3, high: 1e3 }) });
    assert_eq!(labels(&spec, 0), ["K=0", "K=1", "K=2", "K=3", "K=4", "K=5", "K=6"]);
    assert_eq!(spec.groups[0].candidates[2].terms, [(0, 0, 1), (0, 1, 2)]);
    assert_eq!(spec.groups[0].candidates[0].terms, [(0, 0, 1)], "no peak is a candidate, and the background stays");
    let peaks = &window.terms[1];
    // area, center, fwhm, eta
    assert_eq!(peaks.parameters[0], Parameter::Free(Prior::Uniform { low: 0.0, high: 2.5 }));
    assert_eq!(peaks.parameters[2], Parameter::Free(Prior::LogUniform { low: 0.02, high: 0.2 }));
    assert_eq!(peaks.parameters[3], Parameter::Shared(Prior::Uniform { low: 0.0, high: 1.0 }));
    assert_eq!((spec.run.seed, spec.run.copies, spec.run.ess, spec.run.engine.as_str()), (1, 8, 400.0, "auto"));
    assert_eq!(spec.warnings(), Vec::<String>::new());
}

#[test]
fn the_yardsticks_are_read() {
    let a = sound(&example("yardstick-a"));
    let term = &a.groups[0].measurements[0].terms[0];
    assert_eq!((term.height, term.width, term.count, term.counted), (true, Width::B, (1, 6), true));
    assert_eq!(
        term.parameters,
        [
            Parameter::Free(Prior::Gamma { shape: 5.0, rate: 5.0 }),
            Parameter::Free(Prior::Normal { mean: 1.5, sd: 0.2f64.sqrt() }),
            Parameter::Free(Prior::Gamma { shape: 5.0, rate: 0.04 }),
        ]
    );
    assert_eq!(labels(&a, 0), ["K=1", "K=2", "K=3", "K=4", "K=5", "K=6"]);
    assert_eq!((a.run.ess, a.run.free_energy_se), (5000.0, 0.02));
    assert_eq!(a.groups[0].measurements[0].noise, Noise::Gaussian { sigma: Sigma::Number(0.1), scale: None });
    let b = sound(&example("yardstick-b"));
    assert_eq!(b.groups[0].measurements[0].terms[0].width, Width::Sigma);
}

#[test]
fn the_straight_line_is_two_named_candidates() {
    let spec = sound(&example("straight-line"));
    assert_eq!(labels(&spec, 0), ["y = a x", "y = a x + b"]);
    let terms: Vec<_> = spec.groups[0].candidates.iter().map(|c| (c.k, c.terms.clone())).collect();
    assert_eq!(terms, [(None, vec![(0, 0, 1)]), (None, vec![(0, 1, 1)])]);
    let measurement = &spec.groups[0].measurements[0];
    assert_eq!(measurement.terms[0].parameters[1], Parameter::Fixed(0.0));
    let Noise::Gaussian { sigma: Sigma::Number(sigma), .. } = measurement.noise else { panic!("a known sigma") };
    approx::assert_relative_eq!(sigma * sigma, 0.01024, max_relative = 1e-15);
}

#[test]
fn measurements_join_in_one_problem_and_share_by_name() {
    let text = r#"
title = "two stretches, one width"
[data]
files = "*.xy"
[noise]
model_error = [0, 0.005]
[parameters.width]
prior = "log-uniform"
low = 0.01
high = 0.1
unit = "deg"
[[measurement]]
name = "first"
range = [1, 2]
exclude = [[1.4, 1.5]]
noise = { sigma = "unknown" }
[[measurement.term]]
model = "gaussian"
count = "1..2"
fwhm = { tie = "width" }
[[measurement]]
name = "second"
range = [2, 3]
noise = { model = "gaussian", sigma = 0.5, scale = { prior = "gamma", shape = 2, rate = 2 } }
[[measurement.term]]
model = "gaussian"
count = 1
fwhm = { tie = "width", factor = 2, offset = 0.001 }
"#;
    let error = checked(text).expect_err("a scale without a scaled sigma");
    assert!(error.to_string().contains("0.5 * scale"), "{error}");
    let text = text.replace("sigma = 0.5", "sigma = \"0.5 * scale\"");
    let spec = sound(&parse(&text).expect("a spec"));
    // Together, and each alone with what its candidates are there.
    assert_eq!(spec.groups.iter().map(|g| g.name.as_str()).collect::<Vec<_>>(), ["first + second", "first", "second"]);
    assert_eq!(labels(&spec, 1), ["K=1 eps=0", "K=2 eps=0", "K=1 eps=0.005", "K=2 eps=0.005"]);
    assert_eq!(labels(&spec, 2), ["K=1 eps=0", "K=1 eps=0.005"]);
    assert_eq!((&spec.groups[2].measurements[..], spec.run.alone), (&spec.groups[0].measurements[1..], true));
    let together = sound(&parse(&format!("{text}[run]\nalone = false\n")).expect("a spec"));
    assert_eq!((together.groups.len(), &together.groups[0]), (1, &spec.groups[0]));
    // Models that differ in the other measurement alone are one.
    let named = format!(
        "candidates = {{ a = [\"one\", \"two\"], b = [\"one\"], c = [\"two\"] }}\n{}",
        text.replacen("count = \"1..2\"", "name = \"one\"", 1)
            .replace("count = 1", "name = \"two\"")
            .replace("model_error = [0, 0.005]", "")
    );
    let named = sound(&parse(&named).expect("a spec"));
    assert_eq!([0, 1, 2].map(|g| labels(&named, g)), [vec!["a", "b", "c"], vec!["a or b"], vec!["a or c"]]);
    assert_eq!(spec.shared[0].unit, "deg");
    assert_eq!(
        labels(&spec, 0),
        [
            "first.gaussian=1 second.gaussian=1 eps=0",
            "first.gaussian=2 second.gaussian=1 eps=0",
            "first.gaussian=1 second.gaussian=1 eps=0.005",
            "first.gaussian=2 second.gaussian=1 eps=0.005",
        ]
    );
    assert_eq!(spec.groups[0].candidates[3].model_error, 0.005);
    let [first, second] = &spec.groups[0].measurements[..] else { panic!("two measurements") };
    // The robust noise figure of the series became a number, and the scale multiplies it.
    let scale = Prior::LogUniform { low: 1e-3, high: 1e3 };
    assert_eq!(first.noise, Noise::Gaussian { sigma: Sigma::Number(0.0125), scale: Some(scale) });
    assert_eq!(second.noise, Noise::Gaussian { sigma: Sigma::Number(0.5), scale: Some(Prior::Gamma { shape: 2.0, rate: 2.0 }) });
    assert_eq!(second.terms[0].parameters[2], Parameter::Tied { to: "width".into(), factor: 2.0, offset: 0.001 });
    // A tied width of at most 0.1 on either side of the window.
    assert_eq!(first.terms[0].parameters[1], Parameter::Free(Prior::Uniform { low: 0.9, high: 2.1 }));
}

#[test]
fn a_spec_of_four_lines_has_every_default() {
    let text = "[data]\nfiles = \"*.xy\"\n[[window]]\n[[window.term]]\nmodel = \"chebyshev\"\n[[window.term]]\nmodel = \"gaussian\"\ncount = \"0..3\"\n";
    let spec = sound(&parse(text).expect("a spec"));
    let window = &spec.groups[0].measurements[0];
    assert_eq!(window.range, (1.0, 3.0), "the whole range of the data");
    assert_eq!(window.noise, Noise::Gaussian { sigma: Sigma::Number(0.0125), scale: Some(Prior::LogUniform { low: 1e-3, high: 1e3 }) });
    let level = Parameter::Free(Prior::Uniform { low: -0.5, high: 7.5 });
    assert_eq!(window.terms[0].parameters, [level.clone(), level]);
    assert_eq!(
        window.terms[1].parameters,
        [
            Parameter::Free(Prior::Uniform { low: 0.0, high: 2.5 }),
            Parameter::Free(Prior::Uniform { low: 0.0, high: 4.0 }),
            Parameter::Free(Prior::LogUniform { low: 0.02, high: 1.0 }),
        ]
    );
    let counts = |raw: &RawSpec| Ok(facts(raw).into_iter().map(|f| Facts { counts: true, y: (2.0, 90.0), ..f }).collect());
    let spec = parse(text).and_then(|raw| raw.resolve(&counts)).and_then(|raw| raw.check()).unwrap_or_else(|e| panic!("{e}"));
    let window = &spec.groups[0].measurements[0];
    assert_eq!(window.noise, Noise::Poisson);
    assert_eq!(window.terms[0].parameters[0], Parameter::Free(Prior::Uniform { low: 0.0, high: 90.0 }));
    let columns = |raw: &RawSpec| Ok(facts(raw).into_iter().map(|f| Facts { sigma: true, ..f }).collect());
    let spec = parse(text).and_then(|raw| raw.resolve(&columns)).and_then(|raw| raw.check()).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(spec.groups[0].measurements[0].noise, Noise::Gaussian { sigma: Sigma::Column, scale: Some(_) }));
}

#[test]
fn a_default_width_belongs_to_the_word_it_is_given_as() {
    for (word, low, high) in [
        ("hwhm", 0.01, 0.5),
        ("sigma", 0.02 / 2.354_820_045, 1.0 / 2.354_820_045),
        ("b", 2.354_820_045f64.powi(2), (117.741_002_25f64).powi(2)),
    ] {
        let spec = checked(&with_head(&format!("{PEAKS}{word} = {{ shared = true }}\nheight = {{}}\n"))).unwrap_or_else(|e| panic!("{e}"));
        let term = &spec.groups[0].measurements[0].terms[0];
        let Parameter::Shared(Prior::LogUniform { low: l, high: h }) = term.parameters[2] else { panic!("{term:?}") };
        approx::assert_relative_eq!(l, low, max_relative = 1e-8);
        approx::assert_relative_eq!(h, high, max_relative = 1e-8);
        // The widest peak has a fwhm of 1, whatever the word.
        let Parameter::Free(Prior::Uniform { low, high }) = term.parameters[1] else { panic!("{term:?}") };
        approx::assert_relative_eq!(low, 0.0, epsilon = 1e-12);
        approx::assert_relative_eq!(high, 4.0, epsilon = 1e-12);
        assert_eq!(term.parameters[0], Parameter::Free(Prior::Uniform { low: 0.0, high: 8.0 }), "a height");
    }
}

#[test]
fn counts_and_lists_multiply() {
    let text = with_head(
        "[[window]]\nrange = [1, 3]\ncandidates = { flat = [\"base\", \"wide\"], sloped = [\"slope\", \"wide\", \"narrow\"] }\n\
         [[window.term]]\nmodel = \"chebyshev\"\nname = \"base\"\ndegree = 0\nlevel = 1\n\
         [[window.term]]\nmodel = \"chebyshev\"\nname = \"slope\"\n\
         [[window.term]]\nmodel = \"gaussian\"\nname = \"wide\"\ncount = \"0..1\"\n\
         [[window.term]]\nmodel = \"gaussian\"\nname = \"narrow\"\ncount = \"1..2\"\n",
    );
    let spec = sound(&parse(&text).expect("a spec"));
    let expected = [
        "flat wide=0",
        "flat wide=1",
        "sloped wide=0 narrow=1",
        "sloped wide=0 narrow=2",
        "sloped wide=1 narrow=1",
        "sloped wide=1 narrow=2",
    ];
    assert_eq!(labels(&spec, 0), expected);
    assert_eq!(spec.groups[0].candidates[5].k, Some(3));
    assert_eq!(spec.groups[0].measurements[0].terms[0].parameters, [Parameter::Fixed(1.0)]);
}

#[test]
fn a_log_uniform_amplitude_draws_a_warning() {
    let area = "area = { prior = \"log-uniform\", low = 0.1, high = 10 }\n";
    let spec = checked(&with_head(&format!("{PEAKS}{area}"))).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(spec.warnings().len(), 1);
    assert!(spec.warnings()[0].contains("invisible peaks"), "{:?}", spec.warnings());
}

#[test]
fn the_hash_ignores_folders_and_nothing_else() {
    let hash = |text: &str| resolve(&parse(text).expect("a spec")).expect("resolved").hash();
    let text = with_head(PEAKS);
    let base = hash(&text);
    assert_eq!(base.len(), 64);
    assert_eq!(hash(&text.replace("files", "folder = \"src\"\nfiles")), base);
    for (from, to) in [("0..2", "0..3"), ("0.1", "0.2"), ("*.xy", "*.xye"), ("[1, 3]", "[1, 3.5]")] {
        assert_ne!(hash(&text.replace(from, to)), base, "{from} → {to}");
    }
}

#[test]
fn the_data_folder_can_be_replaced() {
    let mut raw = example("yardstick-a");
    raw.set_data_folder(Path::new("src")).expect("a folder");
    let spec = sound(&raw);
    assert_eq!(spec.data.folder, std::path::absolute("src").expect("a path"));
}

#[test]
fn the_table_of_frames_is_found_beside_the_spec_the_data_and_above_them() {
    let root = tempfile::tempdir().expect("a folder");
    let data = root.path().join("series/XYE");
    std::fs::create_dir_all(&data).expect("folders");
    let text = "[data]\nfolder = \"series/XYE\"\nfiles = \"*\"\nframes = { table = \"frames.csv\", key = \"n\" }\n";
    let raw = RawSpec::parse(&root.path().join("spec.toml"), text).expect("a spec");
    let error = raw.data().expect_err("no table");
    assert_eq!((error.place.line, error.place.column), (Some(4), Some(20)));
    for place in [data.parent().expect("a parent"), &data, root.path()] {
        std::fs::write(place.join("frames.csv"), "n\n").expect("a table");
        assert_eq!(raw.data().expect("data").frames.expect("frames").table, place.join("frames.csv"), "nearer places come first");
    }
}

#[test]
fn a_simulation_has_laws() {
    let text = format!(
        "{}{}",
        with_head(PEAKS),
        r#"
[simulate]
frames = 40
seed = 7
axis = { name = "temperature_C", start = 25, stop = 420 }
x = { start = 4, stop = 5, step = 0.001 }
noise = { model = "gaussian", sigma = 0.1 }
sigma_column_factor = 0.5

[[simulate.term]]
model = "gaussian"
height = { law = "sigmoid", low = 1, high = 3, center = 220, width = 10 }
center = { law = "linear", start = 4.4, stop = 4.6 }
sigma = 0.02

[[simulate.term]]
model = "chebyshev"
degree = 2
level = { law = "exponential", start = 4, end = 1, rate = 0.01 }

[[simulate.term]]
model = "gaussian"
area = { law = "onset", onset = 100, high = 3, length = -20 }
center = 4.5
fwhm = { law = "onset", onset = 0, high = 1, length = 50 }
"#
    );
    let raw = parse(&text).unwrap_or_else(|e| panic!("{e}"));
    sound(&raw);
    let simulate = raw.simulate.as_ref().expect("a simulation");
    assert_eq!((simulate.frames, simulate.seed, simulate.sigma, simulate.sigma_column_factor), (40, 7, Some(0.1), 0.5));
    assert_eq!(simulate.terms[0].width, Some(Width::Sigma));
    assert_eq!(simulate.terms[1].values.len(), 3);
    let at = |law: Option<&Law>, axis| law.expect("a law").at(axis, 25.0, 420.0);
    let center = simulate.terms[0].values[1].as_ref();
    approx::assert_relative_eq!(at(center, 25.0), 4.4);
    approx::assert_relative_eq!(at(center, 420.0), 4.6, max_relative = 1e-14);
    approx::assert_relative_eq!(at(simulate.terms[0].values[0].as_ref(), 220.0), 2.0);
    approx::assert_relative_eq!(at(simulate.terms[1].values[2].as_ref(), 125.0), 1.0 + 3.0 * (-1f64).exp(), max_relative = 1e-14);
    let onset = |parameter: usize, axis| at(simulate.terms[2].values[parameter].as_ref(), axis);
    assert_eq!((onset(0, 100.0), onset(0, 250.0), onset(2, -1.0)), (0.0, 0.0, 0.0), "exactly nothing");
    approx::assert_relative_eq!(onset(0, 80.0), 3.0 * (1.0 - (-1f64).exp()), max_relative = 1e-14);
    approx::assert_relative_eq!(onset(2, 100.0), 1.0 - (-2f64).exp(), max_relative = 1e-14);
    let bare = parse(&with_head(PEAKS)).and_then(|raw| resolve(&raw)).expect("a spec");
    assert_eq!(resolve(&raw).expect("resolved").hash(), bare.hash(), "a simulation does not change what a run gives");
    let error = parse(&text.replace("sigma = 0.02", "")).expect_err("no width");
    assert!(error.to_string().contains("lacks `fwhm`"), "{error}");
}

/// Every mistake: the text, and the error as printed.
#[test]
fn mistakes_are_reported_with_place_caret_and_advice() {
    let head = with_head("");
    let window = with_head(PEAKS);
    let cases: Vec<(&str, String)> = vec![
        ("syntax", "[data]\nfiles = *.xye\n".into()),
        ("empty", " \n\n".into()),
        ("no data", "title = \"x\"\n".into()),
        ("unknown key", "[data]\nfile = \"*.xye\"\n".into()),
        ("unknown key of a parameter", format!("{window}centre = {{ prior = \"uniform\", low = 1, high = 2 }}\n")),
        ("wrong type", format!("{head}[run]\nseed = \"one\"\n")),
        ("low above high", format!("{window}fwhm = {{ prior = \"log-uniform\", low = 0.2, high = 0.02 }}\n")),
        ("log-uniform from zero", format!("{window}fwhm = {{ prior = \"log-uniform\", low = 0, high = 0.02 }}\n")),
        ("negative sd", format!("{window}center = {{ prior = \"normal\", mean = 2, sd = -1 }}\n")),
        ("far tail", format!("{window}center = {{ prior = \"truncated-normal\", mean = 0, sd = 0.01, low = 1, high = 2 }}\n")),
        ("no kind of prior", format!("{window}center = {{ low = 1, high = 2 }}\n")),
        ("width down to zero", format!("{window}fwhm = {{ prior = \"uniform\", low = 0, high = 0.02 }}\n")),
        ("normal width", format!("{window}fwhm = {{ prior = \"normal\", mean = 0.1, sd = 0.02 }}\n")),
        ("two amplitudes", format!("{window}area = 1\nheight = 1\n")),
        ("missing folder", window.replace("files", "folder = \"no such folder\"\nfiles")),
        ("reversed count", window.replace("0..2", "3..1")),
        ("huge count", window.replace("\"0..2\"", "1000000000")),
        ("odd count", window.replace("0..2", "1-6")),
        ("tie to nothing", format!("{window}fwhm = {{ tie = \"wdith\" }}\n[parameters.width]\nprior = \"uniform\"\nlow = 1\nhigh = 2\n")),
        ("idle parameter", format!("{window}[parameters.width]\nprior = \"uniform\"\nlow = 1\nhigh = 2\n")),
        ("too many candidates", window.replace("0..2", "0..200")),
        ("no terms", format!("{head}[[window]]\nrange = [1, 3]\n")),
        ("one bracket", format!("{head}[window]\nrange = [1, 3]\n")),
        ("no window", head.clone()),
        ("unknown model", window.replace("gaussian\"\ncount", "gausian\"\ncount")),
        ("huge degree", format!("{head}[[window]]\n[[window.term]]\nmodel = \"chebyshev\"\ndegree = 99999999999\n")),
        ("reversed range", window.replace("[1, 3]", "[3, 1]")),
        ("poisson with sigma", window.replace("model = \"gaussian\"\nsigma", "model = \"poisson\"\nsigma")),
        ("no sigma column", window.replace("files", "columns = \"x y\"\nfiles").replace("sigma = 0.1", "sigma = \"column\"")),
        ("odd sigma", window.replace("sigma = 0.1", "sigma = \"colum\"")),
        ("orphan term", window.replace("range", "candidates = { \"none\" = [] }\nrange")),
        ("unknown term", window.replace("range", "candidates = { \"one\" = [\"gausian\"] }\nrange")),
        ("twice the same term", format!("{window}[[window.term]]\nmodel = \"gaussian\"\n")),
        ("nothing to be alone", format!("{window}[run]\nalone = true\n")),
        ("windows and measurements", format!("{window}[[measurement]]\n[[measurement.term]]\nmodel = \"gaussian\"\n")),
        ("no wavelength", window.replace("files", "x = { name = \"q\", file = \"two_theta\" }\nfiles")),
        ("wavelength2 alone", window.replace("files", "wavelength2 = 1.5444\nfiles")),
        ("wavelength2 below wavelength", window.replace("files", "wavelength = 1.5444\nwavelength2 = 1.5406\nfiles")),
        ("infinite", window.replace("[1, 3]", "[1, inf]")),
        ("unknown engine", format!("{head}[run]\nengine = \"cuda\"\n")),
    ];
    let root = std::path::absolute(".").expect("a working directory");
    let mut all = String::new();
    for (name, text) in cases {
        let error = checked(&text).expect_err(name);
        assert!(error.hint.is_some(), "{name}: {error}");
        assert_eq!(error.place.file, Some(PathBuf::from("spec.toml")), "{name}: {error}");
        assert_eq!(error.place.line.is_some(), error.excerpt.is_some(), "{name}: {error}");
        all.push_str(&format!("-- {name}\n{error}\n\n"));
    }
    insta::assert_snapshot!(all.replace(&*root.to_string_lossy(), "ROOT"));
}

#[test]
fn files_that_are_no_specs_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spec.toml");
    let error = Spec::read(&path).expect_err("no file");
    assert!(error.to_string().contains("keisoku init"), "{error}");
    std::fs::write(&path, b"title = \"a\"\nfiles = \"\xff\"\n").expect("a file");
    let error = Spec::read(&path).expect_err("not UTF-8");
    assert_eq!((error.what.as_str(), error.place.line, error.place.column), ("the spec is not UTF-8 text", Some(2), Some(10)));
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).expect("a file");
    let error = Spec::read(&path).expect_err("huge");
    assert!(error.what.contains("larger than 1024 KiB"), "{error}");
    assert!(Spec::read(folder.path()).is_err(), "a folder is no spec");
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    for (open, close) in [("[", "]"), ("{ a = ", "}")] {
        let text = format!("[data]\nfiles = {}1{}\n", open.repeat(20_000), close.repeat(20_000));
        assert!(parse(&text).is_err());
    }
}

/// Changes a valid spec at some place: more often than free text it reaches the checks behind the parser.
fn damaged() -> impl Strategy<Value = String> {
    const PIECES: &[&str] =
        &["\"", "[", "]", "{", "}", "=", "..", "-", "1e999", "nan", "計", "\n", "true", "[[window]]", "0", "prior", "\u{0}", "\r"];
    let base = prop_oneof![
        Just(DESIGN.to_string()),
        Just(include_str!("../../examples/yardstick-a/spec.toml").to_string()),
        Just(include_str!("../../examples/straight-line/spec.toml").to_string()),
    ];
    (base, prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, prop::sample::select(PIECES)), 1..4)).prop_map(
        |(base, cuts)| {
            let mut chars: Vec<char> = base.chars().collect();
            for (at, length, piece) in cuts {
                let at = at.index(chars.len());
                let end = (at + length).min(chars.len());
                chars.splice(at..end, piece.chars());
            }
            chars.into_iter().collect()
        },
    )
}

/// Any text, control characters included (which `any::<String>()` leaves out).
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![any::<char>(), prop::char::range('\0', '\u{9f}')], 0..40)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, rng_seed: proptest::test_runner::RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in text()) {
        let _ = checked(&text);
    }

    #[test]
    fn no_damage_panics_and_what_passes_reads_back(text in damaged()) {
        match parse(&text).and_then(|raw| resolve(&raw)).and_then(|raw| Ok((raw.check()?, raw))) {
            Ok((spec, raw)) => {
                let again = parse(&raw.to_toml()).and_then(|raw| raw.check());
                prop_assert_eq!(again, Ok(spec));
            }
            Err(error) => prop_assert!(error.hint.is_some(), "{}", error),
        }
    }

    #[test]
    fn texts_read_back_as_they_are(text in text()) {
        let mut raw = parse(&with_head(PEAKS)).expect("a spec");
        raw.title = Some(text.clone());
        let again = parse(&raw.to_toml());
        prop_assert_eq!(again.map(|raw| raw.title), Ok(Some(text)));
    }

    #[test]
    fn no_series_panics(numbers in prop::array::uniform6(any::<f64>()), y in any::<f64>()) {
        let [low, high, spacing, top, area, noise] = numbers;
        for facts in [
            Facts { x: (low, high), spacing, y: (y, top), area, noise, counts: false, sigma: false },
            Facts { x: (1.0, 3.0), spacing: 0.01, y: (y, y), area: 0.0, noise: 0.0, counts: true, sigma: false },
        ] {
            let text = "[data]\nfiles = \"*\"\n[[window]]\n[[window.term]]\nmodel = \"chebyshev\"\n[[window.term]]\nmodel = \"gaussian\"\n";
            let resolved = parse(text).and_then(|raw| raw.resolve(&|_| Ok(vec![facts.clone()])));
            if let Ok(raw) = resolved {
                let checked = raw.check();
                prop_assert!(checked.is_ok(), "{:?}", checked);
            }
        }
    }

    #[test]
    fn numbers_read_back_as_they_are(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite() && number > 0.0 && number < 1e300);
        let text = with_head(&format!("{PEAKS}area = {number:?}\n"));
        let spec = resolve(&parse(&text).expect("a spec")).expect("resolved").to_toml();
        let again = parse(&spec).and_then(|raw| raw.check()).expect("a spec");
        prop_assert_eq!(&again.groups[0].measurements[0].terms[0].parameters[0], &Parameter::Fixed(number));
    }
}

#[test]
fn every_model_can_be_named_with_nothing_else_said() {
    for model in keisoku::models::MODELS {
        let text = with_head(&format!("[[window]]\nrange = [1, 3]\n[[window.term]]\nmodel = \"{}\"\ncount = \"0..2\"\n", model.name));
        let spec = checked(&text).unwrap_or_else(|e| panic!("{e}"));
        let term = &spec.groups[0].measurements[0].terms[0];
        let quantities = (model.parameters)(term.size);
        for (parameter, quantity) in term.parameters.iter().zip(&quantities) {
            assert!(matches!(parameter, Parameter::Free(_)), "{}: {}", model.name, quantity.name);
            assert!(quantity.role != Role::Width || term.width == Width::Fwhm);
        }
    }
}
