// h 2^(-u^2): twin of src/models/gaussian.rs
fn gaussian(t: f32, at: u32, n: u32) -> f32 {
    let u = (t - coefficient(at + 1u)) * coefficient(at + 2u);
    return coefficient(at) * m_bell(u);
}
