//! The shipped examples, run through the library as the run verb does.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use keisoku::batch::{self, Outcome, Settings};
use keisoku::dataset::{self, Dataset, Entry};
use keisoku::engine::Engine;
use keisoku::posterior::FrameResult;
use keisoku::spec::Spec;

/// The spec of an example, resolved and checked, and its series.
pub fn read(example: &str) -> (Spec, Dataset) {
    open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("spec.toml"))
}

/// A spec, resolved and checked, and its series.
pub fn open(path: &Path) -> (Spec, Dataset) {
    let raw = Spec::read(path).unwrap();
    let dataset = Dataset::open(&raw.data().unwrap()).unwrap();
    let spec = raw.resolve(&|raw| dataset::facts(raw)).unwrap().check().unwrap();
    (spec, dataset)
}

/// The answers for all frames, in order.
pub fn answers(engine: &dyn Engine, spec: &Spec, dataset: &Dataset) -> Vec<FrameResult> {
    let pool = rayon::ThreadPoolBuilder::new().build().unwrap();
    let stop = AtomicBool::new(false);
    let entries: Vec<&Entry> = dataset.entries.iter().collect();
    let results = Mutex::new(Vec::new());
    let settings = Settings { pool: &pool, deadline: None, stop: &stop, plan: None, draws: false };
    batch::run(engine, spec, dataset, &entries, &settings, &|outcome, _| {
        match outcome {
            Outcome::Done(result) => results.lock().unwrap().push(*result),
            Outcome::Failed(failure) => panic!("{}", failure.message),
        }
        Ok(())
    })
    .unwrap();
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|r| r.frame);
    results
}
