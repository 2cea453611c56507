//! The gpu engine against the oracle, on whatever adapter there is.

#[test]
fn smoke() {
    keisoku::cli::doctor::run(None).unwrap();
}
