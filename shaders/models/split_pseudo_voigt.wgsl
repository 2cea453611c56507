// A pseudo-Voigt of its own width on either side: twin of src/models/split_pseudo_voigt.rs
fn split_pseudo_voigt(t: f32, at: u32, n: u32) -> f32 {
    let d = t - coefficient(at + 2u);
    let u = d * select(coefficient(at + 4u), coefficient(at + 3u), d < 0.0);
    return fma(coefficient(at), m_bell(u), coefficient(at + 1u) / fma(u, u, 1.0));
}
