// c0 + c1 t: twin of src/models/line.rs
fn line(t: f32, at: u32, n: u32) -> f32 {
    return fma(t, coefficient(at + 1u), coefficient(at));
}
