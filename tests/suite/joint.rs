//! Measurements together and alone: y = a x in two ranges of x that share a, each with noise of its own, against closed forms.

use std::f64::consts::PI;
use std::fs;
use std::process::Command;

use assert_cmd::assert::OutputAssertExt;
use keisoku::prior::Prior;
use keisoku::random::Key;
use serde_json::Value;

/// Points of each measurement, and their true noise.
const N: usize = 40;
const S: [f64; 2] = [0.2, 0.6];
/// σ that the specs state: half of it.
const STATED: [f64; 2] = [0.1, 0.3];
/// a lies between −B and B.
const B: f64 = 2.0;
/// Bound of a difference in its standard errors: of 15 degrees of freedom beyond it once in 1000, of 7 for what copies tell.
const ERRORS: f64 = 4.1;
const ERRORS_OF_COPIES: f64 = 5.4;

/// Σ x², Σ xy and Σ y² of each measurement.
type Sums = [[f64; 3]; 2];

/// F of measurements that share a, with these σ, in closed form; of one alone where the other's is infinite.
fn exact(sums: &Sums, sigma: [f64; 2]) -> f64 {
    let there = |m: &usize| sigma[*m].is_finite();
    let all = |i: usize| [0, 1].iter().filter(|m| there(m)).map(|&m| sums[m][i] / sigma[m].powi(2)).sum::<f64>();
    let (xx, xy, yy) = (all(0), all(1), all(2));
    let mass = [-B, B].map(|bound| libm::erf((bound - xy / xx) * (0.5 * xx).sqrt()));
    let norm: f64 = [0, 1].iter().filter(|m| there(m)).map(|&m| 0.5 * N as f64 * (2.0 * PI * sigma[m].powi(2)).ln()).sum();
    norm + 0.5 * (yy - xy * xy / xx) + 0.5 * (xx / (2.0 * PI)).ln() + (2.0 * B).ln() - (0.5 * (mass[1] - mass[0])).ln()
}

/// Writes data and spec to a folder, runs, and returns the one frame of result.json.
fn run(sums: &mut Sums, scale: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut stream = Key::new(5, "joint", "", "", 0).stream(0, 0, 0);
    let mut text = String::new();
    *sums = Sums::default();
    for i in 0..2 * N {
        // Left and right of zero, half a step away from it.
        let (m, x) = (i / N, (i as f64 + 0.5) / N as f64 - 1.0);
        let y = 0.7 * x + Prior::Normal { mean: 0.0, sd: S[m] }.sample(&mut stream);
        [x * x, x * y, y * y].iter().zip(&mut sums[m]).for_each(|(v, sum)| *sum += v);
        text += &format!("{x} {y} {}\n", STATED[m]);
    }
    fs::write(folder.path().join("data.txt"), text).unwrap();
    let part = |name: &str, range: &str| {
        format!(
            "[[measurement]]\nname = \"{name}\"\nrange = {range}\n[[measurement.term]]\nmodel = \"line\"\nname = \"{name} line\"\n\
             slope = {{ tie = \"slope\" }}\nintercept = {{ fixed = 0 }}\n"
        )
    };
    let spec = format!(
        "[data]\nfiles = \"data.txt\"\ncolumns = \"x y sigma\"\n[noise]\nmodel = \"gaussian\"\nsigma = \"column{scale}\"\n\
         [parameters]\nslope = {{ prior = \"uniform\", low = -{B}, high = {B} }}\n{}{}[run]\ntargets = {{ ess = 2000, free_energy_se = 0.03 }}\n",
        part("left", "[-1, 0]"),
        part("right", "[0, 1]")
    );
    fs::write(folder.path().join("spec.toml"), spec).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_keisoku"));
    command.current_dir(folder.path()).args(["run", "spec.toml", "--engine", "cpu", "--out", "out"]).assert().code(0);
    let all: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("out/result.json")).unwrap()).unwrap();
    all["frames"][0].clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// With σ known: F together and alone, and ΔF. That of parameters not shared, zero, is the mutant.
#[test]
fn shared_parameters_gain_what_the_closed_form_says() {
    let mut sums = Sums::default();
    let frame = run(&mut sums, "");
    let none = f64::INFINITY;
    let windows = ["left + right", "left", "right"].iter().zip([STATED, [STATED[0], none], [none, STATED[1]]]);
    let mut expected = 0.0;
    for (i, (name, sigma)) in windows.enumerate() {
        let (window, f) = (&frame["windows"][i], exact(&sums, sigma));
        let best = &window["candidates"][0];
        let errors = (number(&best["free_energy"]) - f) / number(&best["free_energy_se"]);
        println!("{name}: F {} for {f:.4}, {errors:+.2} errors", best["free_energy"]);
        assert!(window["window"] == *name && errors.abs() < ERRORS);
        expected += if i == 0 { f } else { -f };
    }
    let found = &frame["integration"];
    let errors = |f: f64| (number(&found["free_energy"]) - f) / number(&found["free_energy_se"]);
    println!("together {found} for {expected:.4}, {:+.2} errors; {:+.2} for none", errors(expected), errors(0.0));
    assert!(errors(expected).abs() < ERRORS && errors(0.0).abs() > 2.0 * ERRORS);
}

/// With both scales inferred: F as a function of both, at all points of the plane that are not far above the least. The mean over the draws is of
/// densities that vary by less than their mean there, so that of 400 effective draws it is known to .05, and .2 nat is four errors. The mutant is
/// the plane seen from its other side.
#[test]
fn two_noises_have_the_free_energy_of_the_closed_form() {
    let mut sums = Sums::default();
    let frame = run(&mut sums, " * scale");
    let best = &frame["windows"][0]["candidates"][0];
    let plane = &best["noise_plane"];
    let list = |value: &Value| value.as_array().unwrap().iter().map(number).collect::<Vec<f64>>();
    let (scales, free) = ([0, 1].map(|m| list(&plane["scales"][m])), list(&plane["free_energies"]));
    let f = |c: [f64; 2]| exact(&sums, [c[0] * STATED[0], c[1] * STATED[1]]);
    let least = [list(&plane["best"]), list(&plane["best_se"])];
    // The exact minimum, by c² = ⟨χ²⟩/N: χ² at the estimate plus the share of one parameter.
    let mut c = [1.0; 2];
    for _ in 0..200 {
        let weight = |m: usize, i: usize| sums[m][i] / (c[m] * STATED[m]).powi(2);
        let (xx, xy) = (weight(0, 0) + weight(1, 0), weight(0, 1) + weight(1, 1));
        let a = xy / xx;
        c = [0, 1].map(|m| {
            let rss = sums[m][2] - 2.0 * a * sums[m][1] + a * a * sums[m][0];
            ((rss + sums[m][0] / xx) / (N as f64 * STATED[m].powi(2))).sqrt()
        });
    }
    for m in 0..2 {
        println!("c {:.4}({:.4}) for {:.4}", least[0][m], least[1][m], c[m]);
        assert!((least[0][m] - c[m]).abs() < ERRORS_OF_COPIES * least[1][m] && least[1][m] < 0.02);
    }
    let level = f(c);
    let error = number(&best["free_energy_se"]);
    assert!((number(&plane["free_energy"]) - level).abs() < 0.2 + ERRORS * error);
    let far = |turned: bool| {
        let mut far = 0.0f64;
        for (i, a) in scales[0].iter().enumerate() {
            for (j, b) in scales[1].iter().enumerate() {
                let expected = f(if turned { [*b, *a] } else { [*a, *b] });
                if f([*a, *b]) < level + 3.0 {
                    far = far.max((free[i * scales[1].len() + j] - expected).abs());
                }
            }
        }
        far
    };
    println!("largest difference {:.3}, turned {:.3}", far(false), far(true));
    assert!(far(false) < 0.2 + ERRORS * error && far(true) > 2.0);
}
