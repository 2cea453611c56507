// h (1 + k d^2)^-m: twin of src/models/pearson7.rs
fn pearson7(t: f32, at: u32, n: u32) -> f32 {
    let d = t - coefficient(at + 1u);
    return coefficient(at) * m_exp(-(coefficient(at + 3u) * m_ln1p(coefficient(at + 2u) * d * d)));
}
