// Sum of c_j T_j(t) by Clenshaw's recurrence: twin of src/models/chebyshev.rs
fn chebyshev(t: f32, at: u32, n: u32) -> f32 {
    var b1 = 0.0;
    var b2 = 0.0;
    for (var j = n - 1u; j > 0u; j--) {
        let b0 = fma(t + t, b1, coefficient(at + j) - b2);
        b2 = b1;
        b1 = b0;
    }
    return fma(t, b1, coefficient(at) - b2);
}
