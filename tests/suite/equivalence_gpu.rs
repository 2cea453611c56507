//! The gpu engine against the oracle, on whatever adapter there is.

#[test]
fn smoke() {
    keisoku::cli::doctor::run(None).unwrap();
}

#[test]
fn bench_smoke() {
    let sel = keisoku::engine::gpu::Selection::Named("llvm".into());
    keisoku::cli::bench::run(&["gpu".into(), "oracle".into()], &sel, std::time::Duration::from_secs(2)).unwrap();
}
