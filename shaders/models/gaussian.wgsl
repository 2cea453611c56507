// h exp(-g (t - m)^2): twin of src/models/gaussian.rs
fn gaussian(t: f32, at: u32, n: u32) -> f32 {
    let d = t - coefficient(at + 1u);
    return coefficient(at) * m_exp(-(coefficient(at + 2u) * d * d));
}
