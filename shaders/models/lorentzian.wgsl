// h / (1 + u^2): twin of src/models/lorentzian.rs
fn lorentzian(t: f32, at: u32, n: u32) -> f32 {
    let u = (t - coefficient(at + 1u)) * coefficient(at + 2u);
    return coefficient(at) / fma(u, u, 1.0);
}
