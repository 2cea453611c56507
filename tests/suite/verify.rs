//! The check before a run: it passes where all is well and sees an engine that is broken.

use keisoku::batch::{Verified, verify};
use keisoku::dataset::Entry;
use keisoku::engine::Engine;
use keisoku::engine::cpu::{Cpu, Precision};
use keisoku::error::Result;

use crate::equivalence::{Broken, Fault};
use crate::equivalence_gpu::gpu;
use crate::examples;

/// Yardstick A, one peak and three.
fn check(engine: &dyn Engine) -> Result<Verified> {
    let (mut spec, dataset) = examples::read("yardstick-a");
    spec.groups[0].candidates.retain(|c| matches!(c.k, Some(1 | 3)));
    spec.run.copies = 4;
    let entries: Vec<&Entry> = dataset.entries.iter().collect();
    verify(engine, &spec, &dataset, &entries, 2)
}

#[test]
fn every_engine_is_verified() {
    let cpu = Cpu::new(Precision::F32).unwrap();
    for engine in [Some(&cpu as &dyn Engine), gpu().map(|g| g as &dyn Engine)].into_iter().flatten() {
        let found = check(engine).unwrap();
        println!("{}: {found:?}", engine.name());
        assert_eq!((found.candidates, found.energies.states), (2, 512));
    }
}

#[test]
fn a_broken_engine_is_not() {
    let cpu = Cpu::new(Precision::F32).unwrap();
    let faults = [(Fault::Settle, "energies"), (Fault::Misfit, "energies"), (Fault::Crowd, "other numbers"), (Fault::Far, "F is")];
    for (fault, word) in faults {
        let error = check(&Broken(&cpu, fault)).unwrap_err().to_string();
        println!("{error}");
        assert!(error.contains("verification failed") && error.contains(word), "{fault:?}: {error}");
    }
}
