// g 2^(-u^2) + l / (1 + u^2): twin of src/models/pseudo_voigt.rs
fn pseudo_voigt(t: f32, at: u32, n: u32) -> f32 {
    let u = (t - coefficient(at + 2u)) * coefficient(at + 3u);
    return fma(coefficient(at), m_bell(u), coefficient(at + 1u) / fma(u, u, 1.0));
}
