// c0 exp(c1 t - c2): twin of src/models/exponential.rs
fn exponential(t: f32, at: u32, n: u32) -> f32 {
    return coefficient(at) * m_exp(fma(t, coefficient(at + 1u), -coefficient(at + 2u)));
}
