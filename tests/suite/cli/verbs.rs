//! What the verbs print and write.

use std::fs;

use serde_json::Value;

use super::{Series, copy_of_finished, finished, keisoku, rows};

#[test]
fn the_files_are_those_of_the_contract() {
    let results = finished().results();
    let header = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        header(&results[0]),
        "frame,window,candidate,k,free_energy,free_energy_se,energy,entropy,probability,probability_se,noise,verdict,fit,source,\
         scale_hat,scale_hat_se,free_energy_hat,free_energy_hat_se"
    );
    assert_eq!(
        header(&results[1]),
        "frame,axis,window,candidate,k,peak,parameter,unit,mean,sd,q025,q160,q500,q840,q975,rhat,ess_bulk,ess_tail,source,term,modes"
    );
    let evidence = rows(&results[0]);
    assert_eq!(evidence.len(), 8);
    for pair in evidence.chunks(2) {
        let p: f64 = pair.iter().map(|row| row[8].parse::<f64>().unwrap()).sum();
        assert!((p - 1.0).abs() < 1e-8);
        // Eight standard deviations high: the peak is there.
        assert!(pair[1][8].parse::<f64>().unwrap() > 0.99, "{pair:?}");
        assert_eq!((pair[1][11], pair[1][3]), ("ok", "1"));
    }
    for (number, row) in (1..).zip(rows(&results[1]).iter().filter(|row| row[6] == "center")) {
        let (mean, sd): (f64, f64) = (row[8].parse().unwrap(), row[9].parse().unwrap());
        let truth = 1.0 + 0.1 * f64::from(number);
        assert!((mean - truth).abs() < 5.0 * sd && sd < 0.05, "frame {number}: {mean} ± {sd}");
        assert_eq!(row[18], format!("f{number}.xye"));
    }
    let value: Value = serde_json::from_str(&results[2]).unwrap();
    assert_eq!(value["schema"], 3);
    assert_eq!(value["frames"].as_array().map(Vec::len), Some(4));
    let curves = value["frames"].as_array().into_iter().flatten().flat_map(|f| f["windows"][0]["candidates"].as_array().unwrap());
    for (row, curve) in evidence.iter().zip(curves.map(|c| &c["noise_curve"])) {
        // σ is known: a minimum, or the edge that it lies at.
        assert_eq!(row[14..].iter().any(|cell| cell.is_empty()), curve["edge"].is_string(), "{row:?}");
        assert_eq!(row[14].parse().ok(), curve["scale"].as_f64().map(|c| format!("{c:.8e}").parse::<f64>().unwrap()));
        assert_eq!(curve["scales"].as_array().map(Vec::len), curve["free_energies"].as_array().map(Vec::len));
    }
    let info: Value = serde_json::from_str(&fs::read_to_string(finished().path("out/run-info.json")).unwrap()).unwrap();
    assert_eq!((&info["threads"], &info["frames"]), (&1.into(), &4.into()));
}

/// Errors a million times smaller than the values: what f32 cannot hold is run in f64, and every file and the terminal say so.
#[test]
fn a_frame_that_needs_f64_gets_it_and_says_so() {
    let series = Series::new();
    let frame = series.path("data/f2.xye");
    let exact = fs::read_to_string(&frame).unwrap().replace(" 0.5\n", " 0.0000005\n");
    fs::write(&frame, exact).unwrap();
    let dry = series.run(&["--dry-run"]).code(0).get_output().stdout.clone();
    assert!(String::from_utf8(dry).unwrap().contains("1 frames are beyond 0.01 and run on the cpu in f64"));
    let told = series.run(&["--frames", "1,2"]).get_output().stdout.clone();
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("1 of 2 frames ran on the cpu in f64"), "{told}");
    let value: Value = serde_json::from_str(&series.results()[2]).unwrap();
    let precisions: Vec<&str> = value["frames"].as_array().unwrap().iter().map(|f| f["precision"].as_str().unwrap()).collect();
    assert_eq!(precisions, ["f32", "f64"]);
    assert!(fs::read_to_string(series.path("out/results.jsonl")).unwrap().contains("\"engine\":\"cpu\",\"precision\":\"f64\""));
}

/// A run on an adapter of this machine says what its probe found; a software one will do.
#[test]
fn a_gpu_tells_what_its_probe_found() {
    let Some(adapter) = keisoku::engine::gpu::adapters().into_iter().min_by_key(|a| a.is_software()) else { return };
    let series = Series::new();
    let more = ["--engine", "gpu", "--adapter", &adapter.index.to_string(), "--frames", "1", "--max-time", "20s"];
    let output = series.run(&more).get_output().clone();
    let (told, info) = (String::from_utf8(output.stderr).unwrap(), fs::read_to_string(series.path("out/run-info.json")).unwrap());
    let info: Value = serde_json::from_str(&info).unwrap();
    assert!(told.contains("probe: energies within"), "{told}");
    assert!(info["probe_nat"].as_f64().unwrap() < 0.01 && info["probe_states"].as_u64().unwrap() >= 64, "{info}");
    assert!(info["device_refused"].is_null());
}

#[test]
fn the_resolved_spec_gives_the_same_results() {
    let series = Series::new();
    fs::copy(finished().path("out/spec.toml"), series.path("tiny.toml")).unwrap();
    series.run(&["--frames", "1..2"]).code(0);
    let (ours, theirs) = (series.results(), finished().results());
    assert!(theirs[0].starts_with(&ours[0]), "{}\n{}", ours[0], theirs[0]);
    assert!(theirs[1].starts_with(&ours[1]));
}

#[test]
fn a_bad_frame_is_recorded_and_the_others_are_run() {
    let series = copy_of_finished();
    fs::write(series.path("data/g.xye"), "this is no frame\n").unwrap();
    let output = series.run(&["--json"]).code(2).get_output().clone();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["frames"], &told["failed"], &told["exit"]), (&4.into(), &1.into(), &2.into()));
    let results = series.results();
    assert_eq!(results[..2], finished().results()[..2]);
    let value: Value = serde_json::from_str(&results[2]).unwrap();
    assert_eq!(value["failures"][0]["source"], "g.xye");
    // Mended, it is run like a new one.
    fs::copy(series.path("data/f1.xye"), series.path("data/g.xye")).unwrap();
    series.run(&[]).code(0);
    let value: Value = serde_json::from_str(&series.results()[2]).unwrap();
    assert_eq!((value["failures"].as_array().map(Vec::len), value["frames"].as_array().map(Vec::len)), (Some(0), Some(5)));
}

#[test]
fn frames_keep_their_numbers() {
    let series = Series::new();
    series.run(&["--frames", "2..4:2"]).code(0);
    let theirs = finished().results();
    let expected: Vec<Vec<&str>> = rows(&theirs[0]).into_iter().filter(|row| row[0] == "2" || row[0] == "4").collect();
    assert_eq!(rows(&series.results()[0]), expected);
}

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let series = Series::new();
    let output = series.run(&["--dry-run"]).code(0).get_output().clone();
    let told = String::from_utf8(output.stdout).unwrap();
    for word in ["K=0, K=1", "log-uniform", "frames      4 of 4", "memory", "time"] {
        assert!(told.contains(word), "{word} in {told}");
    }
    assert!(!series.path("out").exists());
    fs::write(series.path("data/g.xye"), "this is no frame\n").unwrap();
    let output = series.run(&["--dry-run"]).code(2).get_output().clone();
    assert!(String::from_utf8(output.stdout).unwrap().contains("frame 5 (g.xye) would fail"));
}

#[test]
fn pipes_get_plain_text_and_quiet_is_quiet() {
    let series = copy_of_finished();
    series.add_frame(5);
    let output = series.run(&[]).code(0).get_output().clone();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    // One peak wins where at most one is offered: its probability is no answer.
    assert!(out.contains("window line") && out.contains("K ≥ 1, limited by the model") && out.contains("\nrange: "), "{out}");
    assert!(err.starts_with("[1/1] frame 5 (f5.xye): K ≥ 1"), "{err}");
    assert!(!(out + &err).contains(['\u{1b}', '\r']));
    let output = series.run(&["--quiet"]).code(0).get_output().clone();
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn help_and_version_are_no_errors() {
    keisoku().arg("--help").assert().code(0);
    keisoku().args(["run", "--help"]).assert().code(0);
    let output = keisoku().arg("--version").assert().code(0).get_output().clone();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("keisoku {}\n", env!("CARGO_PKG_VERSION")));
}
