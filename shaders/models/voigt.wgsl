// a Re w(x + iy) by Weideman's expansion: twin of src/models/voigt.rs, its loop written out because indexing a constant array costs a copy
fn voigt(t: f32, at: u32, n: u32) -> f32 {
    let x = (t - coefficient(at + 1u)) * coefficient(at + 2u);
    let y = coefficient(at + 3u);
    let p = y + 3.7606030930863934;
    let inverse = 1.0 / fma(p, p, x * x);
    let qr = p * inverse;
    let qi = x * inverse;
    let double = 7.521206186172787;
    let zr = fma(qr, double, -1.0);
    let zi = qi * double;
    let r = zr + zr;
    let s = -fma(zr, zr, zi * zi);
    var b1 = -1.474273118886e-08;
    var b2 = 0.0;
    b2 = fma(r, b1, fma(s, b2, -1.487191316163e-07));
    b1 = fma(r, b2, fma(s, b1, 7.423415995852e-08));
    b2 = fma(r, b1, fma(s, b2, 9.520915117763e-07));
    b1 = fma(r, b2, fma(s, b1, -6.512434156392e-08));
    b2 = fma(r, b1, fma(s, b2, -6.451117611661e-06));
    b1 = fma(r, b2, fma(s, b1, -5.111169444749e-06));
    b2 = fma(r, b1, fma(s, b2, 4.145751721234e-05));
    b1 = fma(r, b2, fma(s, b1, 9.81458181089e-05));
    b2 = fma(r, b1, fma(s, b2, -0.0001611300969243));
    b1 = fma(r, b2, fma(s, b1, -0.001192821014764));
    b2 = fma(r, b1, fma(s, b2, -0.001730724096738));
    b1 = fma(r, b2, fma(s, b1, 0.006026110195026));
    b2 = fma(r, b1, fma(s, b2, 0.04298428387902));
    b1 = fma(r, b2, fma(s, b1, 0.1457515759325));
    b2 = fma(r, b1, fma(s, b2, 0.3570412559921));
    b1 = fma(r, b2, fma(s, b1, 0.7008013310383));
    b2 = fma(r, b1, fma(s, b2, 1.152063411564));
    b1 = fma(r, b2, fma(s, b1, 1.623208132512));
    let sum_r = fma(zr, b1, fma(s, b2, 1.985300977497));
    let sum_i = zi * b1;
    let ur = fma(sum_r * qr - sum_i * qi, 2.0, 0.5641895835477563);
    let ui = fma(sum_i, qr, sum_r * qi) * 2.0;
    return coefficient(at) * (qr * ur - qi * ui);
}
