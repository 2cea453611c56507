// g exp(-ln2 u^2) + l / (1 + u^2): twin of src/models/pseudo_voigt.rs
fn pseudo_voigt(t: f32, at: u32, n: u32) -> f32 {
    let u = (t - coefficient(at + 2u)) * coefficient(at + 3u);
    let v = u * u;
    return fma(coefficient(at), m_exp(v * -0.6931471805599453), coefficient(at + 1u) / (v + 1.0));
}
