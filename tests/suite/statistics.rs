//! Free energies, error bars and coverage against exact answers.

use std::sync::atomic::AtomicBool;

use keisoku::engine::Engine;
use keisoku::engine::oracle::Oracle;
use keisoku::evidence;
use keisoku::problem;
use keisoku::sampler::{self, Settings};

use crate::specs;

#[test]
fn yardstick_a_quick() {
    let text = std::fs::read_to_string("/tmp/y/a.csv").unwrap();
    let (x, y): (Vec<f64>, Vec<f64>) =
        text.lines().map(|l| l.split_once(',').map(|(a, b)| (a.parse::<f64>().unwrap(), b.parse::<f64>().unwrap())).unwrap()).unzip();
    let spec = specs::spec((0.0, 3.0), specs::sigma(0.1), vec![specs::peaks_a()], specs::counts(6));
    let problems = problem::build(&spec, &specs::frame("a", x, y)).unwrap();
    let stop = AtomicBool::new(false);
    let settings = Settings { seed: 1, copies: 8, max_sweeps: 20000, deadline: None, stop: &stop };
    let cpu = keisoku::engine::cpu::Cpu::new(keisoku::engine::cpu::Precision::F32).unwrap();
    let engine: &dyn Engine = &cpu;
    let _ = Oracle;
    let start = std::time::Instant::now();
    let sampled = sampler::run(engine, &problems, &settings, &|_, _| 1.0).unwrap();
    println!("{:?}", start.elapsed());
    for s in &sampled {
        let f = evidence::free_energy(s).unwrap();
        println!(
            "F {:.3} ± {:.3} [{:.3} {:.3}] E {:.2} heat {:.2} rungs {} barrier {:.2} trips {} burn {} kept {} settled {} extended {}",
            f.value,
            f.se,
            f.forward,
            f.backward,
            f.energy,
            f.heat,
            s.betas.len(),
            s.barrier(),
            s.round_trips(),
            s.burn_in,
            s.copies[0].sweeps,
            s.settled,
            s.extended
        );
        if std::env::var("V").is_err() {
            continue;
        }
        println!("  {:?}", s.betas.iter().map(|b| format!("{b:.2e}")).collect::<Vec<_>>());
        println!("  {:?}", s.rejection.iter().map(|b| format!("{b:.2}")).collect::<Vec<_>>());
        println!("  {:?}", s.acceptance.iter().map(|(n, b)| format!("{n} {b:.2}")).collect::<Vec<_>>());
    }
}
