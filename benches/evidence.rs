//! Are the stated errors right, and what do they cost? Many runs of one frame, each with its own seed.
//!
//! `cargo bench --bench evidence -- SPEC SEEDS ERROR [ESS [FIRST]]` runs the spec's first frame (default: yardstick A, 40 seeds from 0 on, target .1 nat) and prints for
//! each candidate the mean free energy, the scatter over the seeds and the stated error, then the ratio of the two over everything:
//! deviations from each candidate's own mean times √(n/(n − 1)), divided by their stated errors. Of reports with Student's t of 15
//! degrees of freedom the root mean square is 1.07. The scatter of posterior means is compared with what the effective sizes imply; of
//! surplus peaks, whose labels may differ from run to run, the ratio says nothing.

use std::path::Path;
use std::time::Instant;

use keisoku::engine::cpu::{Cpu, Precision};

#[path = "../tests/suite/examples.rs"]
#[expect(dead_code, reason = "of the examples' runner only a part is needed here")]
mod examples;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let text = |i: usize, default: &str| arguments.get(i).map_or_else(|| default.to_owned(), Clone::clone);
    let (seeds, target): (u64, f64) = (text(1, "40").parse().unwrap(), text(2, "0.1").parse().unwrap());
    let (mut spec, mut dataset) = examples::open(Path::new(&text(0, "examples/yardstick-a/spec.toml")));
    dataset.entries.truncate(1);
    spec.run.free_energy_se = target;
    spec.run.ess = text(3, "400").parse().unwrap();
    let first: u64 = text(4, "0").parse().unwrap();
    let engine = Cpu::new(Precision::F32).unwrap();
    let time = Instant::now();
    let runs: Vec<_> = (first..first + seeds)
        .map(|seed| {
            spec.run.seed = seed;
            examples::answers(&engine, &spec, &dataset).remove(0).windows.remove(0)
        })
        .collect();
    let seconds = time.elapsed().as_secs_f64();
    let correction = (seeds as f64 / (seeds as f64 - 1.0)).sqrt();
    let (mut sum, mut count) = (0.0, 0.0);
    println!("{:>8} {:>10} {:>8} {:>8} {:>6} {:>9} {:>16}", "", "F", "scatter", "stated", "ratio", "verdicts", "means: scatter²/implied²");
    for k in 0..runs[0].candidates.len() {
        let all: Vec<_> = runs.iter().map(|run| &run.candidates[k]).collect();
        let of = |value: &dyn Fn(usize) -> f64| (0..all.len()).map(value).sum::<f64>() / all.len() as f64;
        let mean = of(&|i| all[i].free_energy);
        let scatter = of(&|i| (all[i].free_energy - mean).powi(2)).sqrt() * correction;
        let stated = of(&|i| all[i].free_energy_se.powi(2)).sqrt();
        let squares: f64 = all.iter().map(|c| ((c.free_energy - mean) * correction / c.free_energy_se).powi(2)).sum();
        (sum, count) = (sum + squares, count + all.len() as f64);
        // Posterior means: (scatter / standard error that the effective size implies)², over all parameters.
        let parameters = all[0].parameters.len();
        let ratio = (0..parameters)
            .map(|p| {
                let own = of(&|i| all[i].parameters[p].mean);
                let scatter = of(&|i| (all[i].parameters[p].mean - own).powi(2)) * correction.powi(2);
                scatter / of(&|i| all[i].parameters[p].sd.powi(2) / all[i].parameters[p].ess_bulk)
            })
            .sum::<f64>()
            / parameters as f64;
        let good = all.iter().filter(|c| c.verdict.is_empty()).count();
        println!(
            "{:>8} {mean:>10.3} {scatter:>8.3} {stated:>8.3} {:>6.2} {:>9} {ratio:>16.2}",
            all[0].candidate,
            (squares / all.len() as f64).sqrt(),
            format!("{good}/{seeds}"),
        );
    }
    println!("root mean square of deviations in stated errors {:.3}, {:.2} s a run", (sum / count).sqrt(), seconds / seeds as f64);
}
