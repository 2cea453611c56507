// Elementary functions from + - * / fma, bits and integers: twin of src/models/polynomials.rs, whose tables and reductions these are.
// WGSL promises 2^-11 for a sine and 4096 ulp for an arc tangent; these keep their bounds on every adapter. None makes infinity or NaN
// of numbers in its range. Rounding to an integer is by floor, never by adding and subtracting a large number: shader compilers reassociate.

const LN_2_HIGH: f32 = 0.6933594;
const LN_2_LOW: f32 = -0.00021219444;
const ONE_OVER_LN_2: f32 = 1.442695;
const EXP_LOW: f32 = -87.33654;
const EXP_HIGH: f32 = 88.72283;
const EXP = array<f32, 5>(0.49999994, 0.16666521, 0.041668255, 0.008368663, 0.0013821468);
const BELL_END: f32 = 10.0;
const EXP2 = array<f32, 6>(0.6931472, 0.24022648, 0.0555036, 0.009618506, 0.0013390806, 0.00015326463);

const SQRT_HALF_BITS: i32 = 0x3f3504f3;
const LN = array<f32, 9>(
    0.33333313,
    -0.2500001,
    0.20002072,
    -0.16667989,
    0.14220358,
    -0.12406234,
    0.11883549,
    -0.116700985,
    0.067492694,
);

const TWO_OVER_PI: f32 = 0.63661975;
const HALF_PI = array<f32, 4>(1.5703125, 0.0004837513, 7.5495336e-8, 2.563344e-12);
const SIN = array<f32, 3>(-0.16666655, 0.008332189, -0.00019518286);
const COS = array<f32, 3>(0.041666646, -0.001388731, 2.4432327e-5);

const HALF_PI_HIGH: f32 = 1.5707964;
const HALF_PI_LOW: f32 = -4.371139e-8;
const ATAN = array<f32, 9>(
    -0.333333,
    0.1999853,
    -0.14264016,
    0.109508805,
    -0.08399306,
    0.057881393,
    -0.031097002,
    0.01086871,
    -0.001782832,
);

const ERF = array<f32, 7>(0.12837917, -0.37612626, 0.11283579, -0.026853347, 0.005187162, -0.0007997853, 7.806903e-5);
const ERFC = array<f32, 6>(1.1284801, 0.63583136, 0.10511629, -0.022798559, 0.0031869768, -0.00021064705);

const ATANH = array<f32, 4>(0.3333333, 0.20000504, 0.14249057, 0.12121699);

const SMALLEST_NORMAL: f32 = 1.1754944e-38;
// Clears the low half of a mantissa: products of two such numbers are exact, whatever a compiler reassociates.
const TWELVE_BITS: u32 = 0xfffff000u;

// 2^n (e^r) for |r| <= ln(2)/2.
fn m_exp_of(n: f32, r: f32) -> f32 {
    let e = fma(fma(fma(fma(EXP[4], r, EXP[3]), r, EXP[2]), r, EXP[1]), r, EXP[0]);
    let p = fma(r * r, e, r) + 1.0;
    return bitcast<f32>(bitcast<i32>(p) + (i32(n) << 23u));
}

// e^x: 0 below EXP_LOW, 3.4e38 above EXP_HIGH.
fn m_exp(x: f32) -> f32 {
    let c = clamp(x, EXP_LOW, EXP_HIGH);
    let n = floor(fma(c, ONE_OVER_LN_2, 0.5));
    let r = fma(-n, LN_2_LOW, fma(-n, LN_2_HIGH, c));
    return select(m_exp_of(n, r), 0.0, x < EXP_LOW);
}

// 2^(-u^2), one half at 1 and -1; beyond BELL_END either way it stays at its value there, 8e-31.
fn m_bell(u: f32) -> f32 {
    let c = clamp(u, -BELL_END, BELL_END);
    let n = floor(fma(-c, c, 0.5));
    let r = fma(-c, c, -n);
    let high = fma(fma(EXP2[5], r, EXP2[4]), r, EXP2[3]);
    let p = fma(fma(fma(fma(high, r, EXP2[2]), r, EXP2[1]), r, EXP2[0]), r, 1.0);
    return bitcast<f32>(bitcast<i32>(p) + (i32(n) << 23u));
}

// n and f of x = 2^n (1 + f), f in [sqrt(1/2) - 1, sqrt(2) - 1], as numbers.
fn m_logarithm_parts(x: f32) -> vec2<f32> {
    let i = bitcast<i32>(max(x, SMALLEST_NORMAL)) - SQRT_HALF_BITS;
    let m = bitcast<f32>((i & 0x7fffff) + SQRT_HALF_BITS);
    return vec2(f32(i >> 23u), m - 1.0);
}

// (ln(1 + f) - f + f^2/2)/f^3
fn m_logarithm_series(f: f32) -> f32 {
    let high = fma(fma(fma(fma(LN[8], f, LN[7]), f, LN[6]), f, LN[5]), f, LN[4]);
    return fma(fma(fma(fma(high, f, LN[3]), f, LN[2]), f, LN[1]), f, LN[0]);
}

// n ln 2 + ln(1 + f)
fn m_logarithm(n: f32, f: f32) -> f32 {
    let square = f * f;
    let cubic = fma(f * square, m_logarithm_series(f), n * LN_2_LOW);
    return fma(n, LN_2_HIGH, f + fma(-0.5, square, cubic));
}

// ln x of a positive number; below the smallest normal one, of that.
fn m_ln(x: f32) -> f32 {
    let parts = m_logarithm_parts(x);
    return m_logarithm(parts.x, parts.y);
}

// ln(1 + x), exact for small x; x > -1.
fn m_ln1p(x: f32) -> f32 {
    let n = m_logarithm_parts(1.0 + x).x;
    let scale = bitcast<f32>((127 - i32(n)) << 23u);
    return m_logarithm(n, fma(x, scale, scale - 1.0));
}

// sin(x + shift pi/2), |x| <= 1e4.
fn m_sine(x: f32, shift: i32) -> f32 {
    let n = floor(fma(x, TWO_OVER_PI, 0.5));
    let r = fma(-n, HALF_PI[3], fma(-n, HALF_PI[2], fma(-n, HALF_PI[1], fma(-n, HALF_PI[0], x))));
    let r2 = r * r;
    let sine = fma(r * r2, fma(fma(SIN[2], r2, SIN[1]), r2, SIN[0]), r);
    let cosine = fma(r2 * r2, fma(fma(COS[2], r2, COS[1]), r2, COS[0]), fma(-0.5, r2, 1.0));
    let quadrant = i32(n) + shift;
    let value = select(sine, cosine, (quadrant & 1) == 1);
    return select(value, -value, (quadrant & 2) == 2);
}

// sin x, |x| <= 1e4.
fn m_sin(x: f32) -> f32 {
    return m_sine(x, 0);
}

// cos x, |x| <= 1e4.
fn m_cos(x: f32) -> f32 {
    return m_sine(x, 1);
}

// arc tangent of x.
fn m_atan(x: f32) -> f32 {
    let a = abs(x);
    let q = min(a, 1.0) / max(a, 1.0);
    let q2 = q * q;
    let high = fma(fma(fma(fma(ATAN[8], q2, ATAN[7]), q2, ATAN[6]), q2, ATAN[5]), q2, ATAN[4]);
    let series = fma(fma(fma(fma(high, q2, ATAN[3]), q2, ATAN[2]), q2, ATAN[1]), q2, ATAN[0]);
    let v = fma(q * q2, series, q);
    let angle = select(v, (HALF_PI_HIGH - v) + HALF_PI_LOW, a > 1.0);
    return select(angle, -angle, x < 0.0);
}

// Error function of x.
fn m_erf(x: f32) -> f32 {
    let a = abs(x);
    let b = min(a, 1.0);
    let b2 = b * b;
    let series = fma(fma(fma(fma(fma(fma(ERF[6], b2, ERF[5]), b2, ERF[4]), b2, ERF[3]), b2, ERF[2]), b2, ERF[1]), b2, ERF[0]);
    let near = fma(b, series, b);
    let c = min(a, 4.0);
    let tail = fma(fma(fma(fma(fma(ERFC[5], c, ERFC[4]), c, ERFC[3]), c, ERFC[2]), c, ERFC[1]), c, ERFC[0]);
    let far = 1.0 - m_exp(-(c * tail));
    let value = select(far, near, a < 1.0);
    return select(value, -value, x < 0.0);
}

// x^p of positive x. The power multiplies the relative error of ln x by |p ln x|, so ln x and p ln x are carried in two pieces. The
// pieces are cut by bits, so that their products are exact; a clamp that never bites keeps a compiler from adding them in another order,
// which costs 30 ulp (seen).
fn m_pow(x: f32, p: f32) -> f32 {
    let parts = m_logarithm_parts(x);
    let n = parts.x;
    let f = parts.y;
    // f to a multiple of 2^-12, so that n LN_2_HIGH + f_high is exact.
    let f_high = floor(f * 4096.0) * (1.0 / 4096.0);
    let square = f * f;
    let low = fma(f * square, m_logarithm_series(f), fma(-0.5, square, fma(n, LN_2_LOW, f - f_high)));
    let high = fma(n, LN_2_HIGH, f_high);
    let l_high = bitcast<f32>(bitcast<u32>(high + low) & TWELVE_BITS);
    let l_low = clamp(high - l_high, -1.0, 1.0) + low;
    let p_high = bitcast<f32>(bitcast<u32>(p) & TWELVE_BITS);
    let y_high = p_high * l_high;
    let y_low = fma(p, l_low, (p - p_high) * l_high);
    let y = y_high + y_low;
    let m = floor(fma(clamp(y, EXP_LOW, EXP_HIGH), ONE_OVER_LN_2, 0.5));
    let r = fma(-m, LN_2_LOW, clamp(fma(-m, LN_2_HIGH, y_high), -0.5, 0.5) + y_low);
    // Outside the range of exp r is not small: it is held, and the sign of y decides.
    return select(m_exp_of(m, clamp(r, -0.36, 0.36)), 0.0, y < EXP_LOW);
}

// Half the Poisson deviance of expectation f (positive, normal) and counts y: f - y - y ln(f/y), f where y = 0. The difference of f and y
// and the logarithm's argument are formed of the same numbers, so that nothing cancels near f = y.
fn m_half_deviance(y: f32, f: f32) -> f32 {
    let none = y < SMALLEST_NORMAL;
    let counts = select(y, f, none);
    let i = (bitcast<i32>(f) - bitcast<i32>(counts) + 0x400000) >> 23u;
    let g = bitcast<f32>(bitcast<i32>(f) - (i << 23u));
    let s = (g - counts) / (g + counts);
    let s2 = s * s;
    let series = s * s2 * fma(fma(fma(ATANH[3], s2, ATANH[2]), s2, ATANH[1]), s2, ATANH[0]);
    let shift = (f - g) - counts * f32(i) * 0.6931472;
    return select(fma(g - counts, s, -2.0 * counts * series) + shift, f, none);
}
