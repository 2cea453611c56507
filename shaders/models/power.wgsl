// c0 / (1 + c1 t): twin of src/models/power.rs
fn power(t: f32, at: u32, n: u32) -> f32 {
    return coefficient(at) / fma(t, coefficient(at + 1u), 1.0);
}
