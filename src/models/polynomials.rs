//! The coefficient tables of the f32 elementary functions, shared by the cpu lanes and by `shaders/math.wgsl`.
//!
//! No model: that file is their twin.
//!
//! Every function needs +, −, ×, ÷, fused multiply-add and bit operations only, so that it gives the same bits on every instruction
//! set and has a bound of its own on every GPU (WGSL promises little for its built-ins). Tables are minimax fits (Lawson's algorithm on
//! 3001 Chebyshev points), rounded to f32 from the lowest degree up with the rest refitted after each; they are in ascending order and
//! evaluated by Horner's rule. "Fit" is the relative error of the function that the rounded table causes in exact arithmetic (half an
//! ulp is 6e-8). `fma(a, b, c)` is a·b + c rounded once; where a device rounds twice the reductions below still hold, because every
//! product with a leading constant is exact. `lanes` is the reference implementation and its tests state the error of each function.
//!
//! # exp
//! x is clamped from above to [`EXP_HIGH`]; the result is 0 for x < [`EXP_LOW`] (it would be subnormal).
//! n = round(x/ln 2), r = fma(−n, [`LN_2_LOW`], fma(−n, [`LN_2_HIGH`], x)), |r| ≤ ½ ln 2 (the first step is exact);
//! exp x = 2ⁿ (1 + fma(r², E(r), r)), E = [`EXP`]; 2ⁿ is added to the exponent bits (n = 128 occurs with a factor below 1).
//!
//! # bell
//! 2 to the power −u², of which peaks that halve at a width are made: no multiplication by 1/ln 2, and nothing is left of n to subtract.
//! v = u² is clamped from above to [`BELL_END`]², and the result stays at its value there; n = round(−v), r = −v − n (exact), |r| ≤ ½;
//! 2⁻ᵛ = 2ⁿ fma(r, E(r), 1), E = [`EXP2`]; 2ⁿ is added to the exponent bits. A degree less would make it 1.9 ulp. In shaders u is clamped,
//! and n and r are formed of it by fma, which rounds v a time less.
//!
//! # ln
//! x is raised to the smallest normal number. i = bits(x) − bits(√½), n = i >> 23 (arithmetic), m = float((i & 0x7fffff) + bits(√½)) in
//! [√½, √2), f = m − 1 (exact). ln(1 + f) = f − f²/2 + f³ L(f), L = [`LN`];
//! ln x = fma(n, [`LN_2_HIGH`], f + fma(−½, f², fma(f·f², L(f), n·[`LN_2_LOW`]))), with n·LN_2_HIGH exact.
//!
//! # ln_1p
//! n from 1 + x as in ln; s = 2⁻ⁿ by bits; f = fma(x, s, s − 1) is (1 + x)/2ⁿ − 1 rounded once (f = x where n = 0); then as ln.
//!
//! # sin, cos
//! n = round(2x/π), r = fma(−n, P₃, fma(−n, P₂, fma(−n, P₁, fma(−n, P₀, x)))) with P = [`HALF_PI`] (pieces of 10, 11 and 11 bits, so that
//! n·P₀, n·P₁, n·P₂ are exact for |n| < 2¹³, and the rest). S = fma(r·r², `SIN`(r²), r), C = fma(r²·r², `COS`(r²), 1 − r²/2).
//! sin: S for even n, C for odd, negated where n & 2; cos: the same with n + 1.
//!
//! # atan
//! a = |x|; q = min(a, 1)/max(a, 1); v = fma(q·q², `ATAN`(q²), q); π/2 − v where a > 1, as `(HALF_PI_HIGH − v) + HALF_PI_LOW`; sign of x.
//!
//! # erf
//! a = |x|. a < 1: fma(a, `ERF`(a²), a). Otherwise 1 − exp(−a·`ERFC`(min(a, 4))); sign of x.
//!
//! # powf
//! ln x as an unevaluated sum h + l: with f, n as in ln, t = n·LN_2_HIGH, h₁ = t + f, l₁ = f − (h₁ − t), c = −½·f² (rounded square), h₂ = h₁ + c,
//! l₂ = c − (h₂ − h₁), tail = l₁ + l₂ + fma(f·f², L(f), fma(n, LN_2_LOW, −½·fma(f, f, −f²))), h = h₂ + tail, l = tail − (h − h₂).
//! y = p·h, d = fma(p, l, fma(p, h, −y)); xᵖ = fma(e, d, e) with e = exp y. Without a fused multiply-add d loses its meaning and the result
//! has the error of exp(p·ln x), about 1 + |p ln x| ulp.
//!
//! # Poisson deviance
//! d(y, f)/2 = f − y − y ln(f/y) without cancellation and with one division: i = (bits(f) − bits(y) + 2²²) >> 23 (arithmetic),
//! g = f·2⁻ⁱ by bits (within a factor 1.5 of y), s = (g − y)/(g + y), ln(g/y) = 2s + 2s³ A(s²), A = [`ATANH`];
//! d/2 = fma(g − y, s, −2y·s·s²·A) + ((f − g) − y·i·ln 2), where the last bracket is exactly 0 near f = y. For y = 0 it is f.

/// High part of ln 2: 9 bits, so that products with an exponent are exact.
pub const LN_2_HIGH: f32 = 0.693_359_4;
/// ln 2 − [`LN_2_HIGH`].
pub const LN_2_LOW: f32 = -0.000_212_194_44;
/// 1/ln 2.
pub const ONE_OVER_LN_2: f32 = std::f32::consts::LOG2_E;
/// Below this exp is 0: the smallest f32 whose exponential is a normal number.
pub const EXP_LOW: f32 = -87.336_54;
/// Above this exp stays at its value here, 3.4e38: no function makes an infinity.
pub const EXP_HIGH: f32 = 88.722_83;
/// (eʳ − 1 − r)/r² on |r| ≤ ½ ln 2; fit 3.1e-9.
pub const EXP: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_255, 0.008_368_663, 0.001_382_146_8];

/// Beyond this, either way, a bell stays at its value here, 2⁻¹⁰⁰ = 8·10⁻³¹: nothing beside any noise, and not so small that a low peak's
/// values are subnormal, which cost cores many times as much.
pub const BELL_END: f32 = 10.0;
/// (2ʳ − 1)/r on |r| ≤ ½; fit 3.0e-9.
pub const EXP2: [f32; 6] = [std::f32::consts::LN_2, 0.240_226_48, 0.055_503_6, 0.009_618_506, 0.001_339_080_6, 0.000_153_264_63];

/// Bits of √½.
pub const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
/// (ln(1 + f) − f + f²/2)/f³ on [√½ − 1, √2 − 1]; fit 7.7e-10.
pub const LN: [f32; 9] =
    [0.333_333_13, -0.250_000_1, 0.200_020_72, -0.166_679_89, 0.142_203_58, -0.124_062_34, 0.118_835_49, -0.116_700_985, 0.067_492_69];

/// 2/π.
pub const TWO_OVER_PI: f32 = std::f32::consts::FRAC_2_PI;
/// π/2 in four pieces; what is left is 8e-20.
pub const HALF_PI: [f32; 4] = [1.570_312_5, 0.000_483_751_3, 7.549_533_6e-8, 2.563_344e-12];
/// (sin r − r)/r³ in powers of r² on |r| ≤ π/4; fit 4.0e-9.
pub const SIN: [f32; 3] = [-0.166_666_55, 0.008_332_189, -0.000_195_182_86];
/// (cos r − 1 + r²/2)/r⁴ in powers of r² on |r| ≤ π/4; fit 1.2e-10.
pub const COS: [f32; 3] = [0.041_666_646, -0.001_388_731, 2.443_232_7e-5];

/// π/2 rounded to f32.
pub const HALF_PI_HIGH: f32 = std::f32::consts::FRAC_PI_2;
/// π/2 − [`HALF_PI_HIGH`].
pub const HALF_PI_LOW: f32 = -4.371_139e-8;
/// (atan q − q)/q³ in powers of q² on |q| ≤ 1; fit 2.6e-9.
pub const ATAN: [f32; 9] =
    [-0.333_333, 0.199_985_3, -0.142_640_16, 0.109_508_805, -0.083_993_06, 0.057_881_393, -0.031_097_002, 0.010_868_71, -0.001_782_832];

/// erf(x)/x − 1 in powers of x² on |x| ≤ 1; fit 1.4e-9.
pub const ERF: [f32; 7] = [0.128_379_17, -0.376_126_26, 0.112_835_79, -0.026_853_347, 0.005_187_162, -0.000_799_785_3, 7.806_903e-5];
/// −ln(1 − erf x)/x on [1, 4]; error of erf 2.5e-9.
pub const ERFC: [f32; 6] = [1.128_480_1, 0.635_831_36, 0.105_116_29, -0.022_798_559, 0.003_186_976_8, -0.000_210_647_05];

/// (atanh s − s)/s³ in powers of s² on |s| ≤ 0.21; fit 4.3e-11.
pub const ATANH: [f32; 4] = [0.333_333_3, 0.200_005_04, 0.142_490_57, 0.121_216_99];
