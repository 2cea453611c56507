//! How well the sampler mixes, rung by rung: rejection of exchanges, autocorrelation of the energy, acceptance of each kind of move.
//!
//! `cargo bench --bench sampler -- SPEC FRAME WINDOW CANDIDATE [SWEEPS [DATA [PROPOSALS]]]` samples one candidate (all numbers from 1) of one frame on the
//! cpu engine, by the spec's targets or for so many sweeps a copy, and prints what a round trip, an effective draw and an error of the free
//! energy cost. Without arguments: yardstick A, three peaks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use keisoku::dataset::{self, Dataset};
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::evidence;
use keisoku::posterior::{self, Targets};
use keisoku::problem;
use keisoku::sampler::{self, Sampled, Settings, diagnostics};
use keisoku::spec::Spec;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let text = |i: usize, default: &str| arguments.get(i).map_or_else(|| default.to_owned(), Clone::clone);
    let number = |i: usize, default: usize| text(i, &default.to_string()).parse::<usize>().unwrap();
    let mut raw = Spec::read(Path::new(&text(0, "examples/yardstick-a/spec.toml"))).unwrap();
    if let Some(folder) = arguments.get(5).filter(|folder| !folder.is_empty()) {
        raw.set_data_folder(Path::new(folder)).unwrap();
    }
    let dataset = Dataset::open(&raw.data().unwrap()).unwrap();
    let mut spec = raw.resolve(&|raw| dataset::facts(raw)).unwrap().check().unwrap();
    let frame = dataset.load(&dataset.entries[number(1, 1) - 1], &spec.data).unwrap();
    spec.groups = vec![spec.groups.swap_remove(number(2, 1) - 1)];
    spec.groups[0].candidates = vec![spec.groups[0].candidates.swap_remove(number(3, 3) - 1)];
    let problems = problem::build(&spec, &frame).unwrap();
    let run = &spec.run;
    let sweeps = number(4, 0);
    let stop = AtomicBool::new(false);
    let settings = Settings {
        seed: run.seed,
        copies: run.copies,
        proposals: number(6, run.proposals),
        max_sweeps: if sweeps > 0 { sweeps } else { run.max_sweeps },
        // Nothing is thinned where the length is given: every sweep counts.
        most_rows: if sweeps > 0 { sweeps } else { sampler::rows(run.ess, run.copies) },
        deadline: None,
        stop: &stop,
    };
    let targets = Targets { ess: run.ess, free_energy_se: run.free_energy_se, round_trips: run.round_trips };
    let engine = Cpu::new(Precision::F32).unwrap();
    let judge = |problem: &problem::Problem, sampled: &Sampled| {
        let asked = posterior::shortfall(problem, sampled, &targets);
        if sweeps > 0 { f64::from(u16::MAX) } else { asked }
    };
    let time = Instant::now();
    let sampled = sampler::run(&engine, &problems, &settings, &judge).unwrap().remove(0);
    report(&problems[0], &sampled, time.elapsed().as_secs_f64());
}

fn report(problem: &problem::Problem, sampled: &Sampled, seconds: f64) {
    let kept = sampled.copies[0].sweeps;
    let mut kinds: BTreeMap<String, (usize, Vec<f64>)> = BTreeMap::new();
    for (name, rates) in &sampled.acceptance {
        let words: Vec<&str> = name.split_whitespace().collect();
        let kind = format!("{}{}", words[0], words.len() - 1);
        let entry = kinds.entry(kind).or_insert((0, vec![0.0; rates.len()]));
        entry.0 += 1;
        entry.1.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += rate);
    }
    println!(
        "  {:>9} {:>6} {:>8} {:>8} {:>5}  acceptance: {}",
        "beta",
        "reject",
        "energy",
        "tau",
        "hot",
        kinds.keys().cloned().collect::<Vec<_>>().join(" ")
    );
    let rungs = sampled.betas.len();
    for (r, beta) in sampled.betas.iter().enumerate() {
        let chains: Vec<Vec<f64>> =
            sampled.copies.iter().map(|c| c.energies.iter().skip(r).step_by(rungs).map(|u| u.min(1e30)).collect()).collect();
        let all: f64 = chains.iter().flatten().sum::<f64>() / chains.iter().map(Vec::len).sum::<usize>() as f64;
        let tau = (kept * sampled.copies.len()) as f64 / diagnostics::convergence(&chains).ess_bulk;
        let rates: Vec<String> = kinds.values().map(|(n, sum)| format!("{:.3}", sum[r] / *n as f64)).collect();
        let rejection = sampled.rejection.get(r).copied().unwrap_or(f64::NAN);
        let flow = sampled.copies.iter().fold([0, 0], |[a, b], c| [a + c.flow[r][0], b + c.flow[r][1]]);
        let hot = flow[0] as f64 / (flow[0] + flow[1]).max(1) as f64;
        println!("  {beta:>9.2e} {rejection:>6.2} {all:>8.1} {tau:>8.1} {hot:>5.2}  {}", rates.join(" "));
    }
    let steps: usize = kinds.values().map(|k| k.0).sum();
    let sweeps = (sampled.burn_in + kept) * sampled.copies.len();
    let ideal = 1.0 / (2.0 + 2.0 * sampled.rejection.iter().map(|r| r / (1.0 - r)).sum::<f64>());
    let trips = sampled.round_trips() as f64 / (kept * sampled.copies.len()) as f64;
    println!(
        "{} {} {}: {rungs} rungs, barrier {:.2}, {steps} steps a sweep, {} + {kept} sweeps a copy, {seconds:.2} s, {:.0} ns a walker step",
        problem.frame,
        problem.window,
        problem.candidate,
        sampled.barrier(),
        sampled.burn_in,
        seconds * 1e9 * 2.0 / (sweeps * rungs * steps) as f64,
    );
    println!("round trips {}, a sweep and copy {trips:.2e}, ideal {ideal:.2e}, ratio {:.3}", sampled.round_trips(), trips / ideal);
    // The smallest of the energy and the sorted quantities: what a judge with no other wish finds short of a size.
    let wish = Targets { ess: 1e9, free_energy_se: f64::INFINITY, round_trips: 0 };
    let draws = wish.ess / posterior::shortfall(problem, sampled, &wish);
    println!(
        "effective draws {draws:.0}, {:.0} a second, one in {:.2} kept sweeps",
        draws / seconds,
        (kept * sampled.copies.len()) as f64 / draws
    );
    if let Some(free) = evidence::free_energy(sampled) {
        println!("F {:.3} ± {:.3}, bracket {:+.3} ± {:.3}", free.value, free.se, free.forward - free.backward, free.bracket_se);
        println!("error × √(seconds): {:.3}", free.se * seconds.sqrt());
    }
}
