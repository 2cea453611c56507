//! The Voigt peak: a Lorentzian convolved with a Gaussian.

use std::f64::consts::{FRAC_1_PI, FRAC_2_SQRT_PI, LN_2, PI};

use super::{Argument, Extent, Golden, Inadmissible, Number, Quantity, Setup, Shape, Term, log2_above, quantity};

/// Coefficients of Weideman's expansion with N = 20 terms, highest power first (the recipe is `weideman` in tests/golden/make.py).
///
/// J. A. C. Weideman, SIAM J. Numer. Anal. 31 (1994) 1497, equations 38 and 39.
#[rustfmt::skip]
const A: [f64; 20] = [
    -1.474273118886e-08, -1.487191316163e-07, 7.423415995852e-08, 9.520915117763e-07,
    -6.512434156392e-08, -6.451117611661e-06, -5.111169444749e-06, 4.145751721234e-05,
    9.81458181089e-05, -0.0001611300969243, -0.001192821014764, -0.001730724096738,
    0.006026110195026, 0.04298428387902, 0.1457515759325, 0.3570412559921,
    0.7008013310383, 1.152063411564, 1.623208132512, 1.985300977497,
];

/// Weideman's scale √(N/√2).
const L: f64 = 3.7606030930863934;

/// 1/√π
const FRAC_1_SQRT_PI: f64 = 0.5 * FRAC_2_SQRT_PI;

/// The Gaussian is taken no narrower than this times the Lorentzian: the curve changes by less than 1e-8 of its height, and the
/// arguments of `faddeeva` stay in the range of f32.
const NARROWEST: f64 = 1e-4;

/// Re w(x + iy) for y ≥ 0, w the Faddeeva function: one formula for the whole half plane, without branches or loops that depend on data.
///
/// With q = 1/(L − iz) and Z = (L + iz)q = 2Lq − 1, |Z| ≤ 1: w(z) = q (2 Σ a_n Zⁿ q + 1/√π). The sum has real coefficients, so the
/// recurrence b ← a + 2 Re Z b′ − |Z|² b″ needs two real fma a term.
///
/// Largest error against scipy's wofz (`make.py --voigt`), relative to the peak Re w(iy), f64 / f32 without fma:
///
/// | γ/σ | distance < σ | < 3 σ | < 10 σ | < 100 σ | < 10⁶ σ |
/// |---|---|---|---|---|---|
/// | 0 … 10⁻³ | 3e-9 / 9e-7 | 3e-9 / 4e-7 | 3e-9 / 1e-7 | 7e-10 / 1e-8 | 5e-12 / 1e-10 |
/// | 10⁻³ … 0.1 | 3e-9 / 9e-7 | 3e-9 / 4e-7 | 3e-9 / 2e-7 | 7e-10 / 1e-8 | 5e-12 / 1e-10 |
/// | 0.1 … 1 | 2e-9 / 9e-7 | 2e-9 / 5e-7 | 2e-9 / 1e-7 | 6e-10 / 2e-8 | 9e-12 / 3e-10 |
/// | 1 … 10 | 3e-12 / 7e-7 | 1e-11 / 5e-7 | 3e-10 / 3e-7 | 3e-10 / 1e-7 | 6e-11 / 3e-9 |
/// | 10 … 10⁴ | 2e-10 / 4e-7 | 2e-10 / 3e-7 | 2e-10 / 3e-7 | 2e-10 / 4e-7 | 2e-10 / 2e-7 |
///
/// Relative to the value itself the far tail is off by 1e-6/(γ/σ) of itself at γ/σ < 1 in f64 (f32: 20 times that); a misfit sees
/// differences relative to the noise, never that.
#[inline(always)]
fn faddeeva<N: Number>(x: N, y: N) -> N {
    let one = x.of(1.0);
    let p = y + x.of(L);
    let inverse = one / p.mul_add(p, x * x);
    let (qr, qi) = (p * inverse, x * inverse);
    let (zr, zi) = (qr.mul_add(x.of(2.0 * L), -one), qi * x.of(2.0 * L));
    let (r, s) = (zr + zr, -zr.mul_add(zr, zi * zi));
    let (mut b1, mut b2) = (x.of(A[0]), x.of(0.0));
    for &a in &A[1..A.len() - 1] {
        (b1, b2) = (r.mul_add(b1, s.mul_add(b2, x.of(a))), b1);
    }
    let (sum_r, sum_i) = (zr.mul_add(b1, s.mul_add(b2, x.of(A[A.len() - 1]))), zi * b1);
    let two = x.of(2.0);
    let ur = (sum_r * qr - sum_i * qi).mul_add(two, x.of(FRAC_1_SQRT_PI));
    let ui = sum_i.mul_add(qr, sum_r * qi) * two;
    qr * ur - qi * ui
}

/// a Re w(s (x − center) + iy); coefficients: a, position, s in units of t, y.
pub struct Voigt;

impl Shape for Voigt {
    const ARGUMENT: Argument = Argument::Scaled(1, 2);

    #[inline(always)]
    fn at<N: Number>(x: N, c: &[N]) -> N {
        c[0] * faddeeva(x, c[3])
    }

    /// Re w(x + iy) ≤ exp(−x²) + (1 + 2.9/x²) y/(√π (x² + y²)), and 1.65 will do for the bracket at any x (checked on a grid of
    /// x = 10⁻² … 10⁴, y = 10⁻⁸ … 10⁵). A tenth of the floor is left to the first part. The height, Re w(iy), is at most
    /// 2/√π/(y + √(y² + 4/π)) (Abramowitz and Stegun 7.1.13), which is a tenth of the time that the height itself takes.
    fn support(c: &[f64], floor: f64) -> (f64, f64) {
        let (ratio, y) = (c[0].abs() / floor, c[3]);
        if ratio * FRAC_2_SQRT_PI <= y + (y * y + 4.0 * FRAC_1_PI).sqrt() {
            return (f64::INFINITY, f64::NEG_INFINITY);
        }
        // Squares: a root each would be two more.
        let x = LN_2 * log2_above(10.0 * ratio);
        let bracket = (1.0 + 2.9 / x).min(1.65);
        let tail = bracket * ratio * y * (FRAC_1_SQRT_PI / 0.9) - y * y;
        let reach = x.max(tail).sqrt() / c[2];
        (c[1] - reach, c[1] + reach)
    }
}

impl Term for Voigt {
    type Shape = Self;
    const NAME: &'static str = "voigt";
    const TITLE: &'static str = "Voigt peak";
    const ABOUT: &'static str = "Area times the convolution of a Gaussian of full width fwhm with a Lorentzian of full width lorentz_fwhm: \
        f(x) = area s / sqrt(pi) Re w(s (x - center) + i y), s = 2 sqrt(ln2) / fwhm, y = sqrt(ln2) lorentz_fwhm / fwhm, w the Faddeeva \
        function. fwhm is the Gaussian part alone, so that it can be fixed at the instrument's resolution; the whole peak is wider: \
        0.5346 lorentz_fwhm + sqrt(0.2166 lorentz_fwhm^2 + fwhm^2) to 2e-4 (Olivero, Longbothum, JQSRT 17 (1977) 233). Computed by \
        Weideman's expansion (SIAM J. Numer. Anal. 31 (1994) 1497), to 4e-9 of the peak in f64 and 1e-6 in f32.";

    fn parameters(_: usize) -> Vec<Quantity> {
        let gauss = Quantity { about: "full width of the Gaussian part", ..quantity::width() };
        let lorentz = Quantity { name: "lorentz_fwhm".into(), about: "full width of the Lorentzian part", ..quantity::width() };
        vec![quantity::amplitude(), quantity::center(), gauss, lorentz]
    }

    fn extent(_: usize) -> Extent {
        Extent { repeats: 1, stride: 4 }
    }

    fn prepare(theta: &[f64], setup: &Setup, out: &mut [f64]) -> Result<(), Inadmissible> {
        let [amplitude, center, fwhm, lorentz] = theta else { unreachable!("four parameters") };
        if lorentz.is_nan() || *lorentz < 0.0 {
            return Err(Inadmissible);
        }
        let gauss = fwhm.max(NARROWEST * lorentz);
        let root = LN_2.sqrt();
        let y = root * lorentz / gauss;
        out[3] = y;
        let (w, admitted) = setup.width(gauss);
        admitted?;
        out[2] = 2.0 * root / w;
        out[1] = setup.position(*center);
        let unit_area = gauss * PI.sqrt() / (2.0 * root);
        let at_center = if setup.height { faddeeva(0.0, y) } else { 1.0 };
        out[0] = setup.peak_height(*amplitude, unit_area) / at_center;
        Ok(())
    }

    #[rustfmt::skip]
    fn golden() -> Vec<Golden> {
        let area = Setup { mid: 30.0, half: 1.5, scale: 250.0, ..Setup::default() };
        let height = Setup { mid: 30.0, half: 1.5, scale: 250.0, height: true, ..Setup::default() };
        Golden::table("mpmath, 30 digits: tests/golden/make.py", 5e-9, 0, &[28.5, 29.25, 29.71, 29.875, 30.03, 30.3, 31.5], &[
            (&area, &[12.5, 29.9, 0.11, 0.07],
             &[0.071245071507753, 0.33384991607584, 4.6183448468305, 59.172720694178, 11.84122156595, 0.90102354465321, 0.054512120718942]),
            (&height, &[410.0, 30.0625, 0.6, 0.004],
             &[0.075106861312347, 2.9513926448584, 158.58809678536, 313.30152264782, 406.69891369393, 266.30983287518, 0.090471232753574]),
            (&area, &[-3.75, 31.75, 0.25, 1.7],
             &[-0.090155505320617, -0.14612809255928, -0.20890041622588, -0.24088766695247, -0.27752507102828, -0.3620034618832, -1.2799900360446]),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y/π ∫ exp(−t²)/((x − t)² + y²) dt by the trapezoid rule, whose error is below 2 exp(−2π y/h).
    fn convolution(x: f64, y: f64) -> f64 {
        let h = 0.01;
        let term = |i: i32| (-(h * f64::from(i)).powi(2)).exp() / ((x - h * f64::from(i)).powi(2) + y * y);
        y / PI * h * (-650..=650).map(term).sum::<f64>()
    }

    #[test]
    fn the_expansion_is_the_convolution() {
        for y in [0.05, 0.2, 0.7, 1.0, 3.0, 10.0, 70.0, 1e3] {
            let peak = faddeeva(0.0, y);
            for x in (0..400).map(|i| 0.05 * f64::from(i) * (1.0 + y)) {
                let error = (faddeeva(x, y) - convolution(x, y)).abs() / peak;
                assert!(error < 4e-9, "x = {x}, y = {y}: {error:e}");
            }
        }
    }

    #[test]
    fn without_a_lorentzian_it_is_the_gaussian() {
        for x in (0..1000).map(|i| 0.01 * f64::from(i)) {
            let error = (faddeeva(x, 0.0) - (-x * x).exp()).abs();
            assert!(error < 4e-9, "x = {x}: {error:e}");
        }
    }

    #[test]
    fn the_bound_behind_the_support_holds() {
        for y in (-16..=10).map(|i| 10f64.powf(0.5 * f64::from(i))) {
            for x in (1..400).map(|i| 0.02 * f64::from(i) * (1.0 + f64::from(i) / 20.0)) {
                let bracket = (1.0 + 2.9 / (x * x)).min(1.65);
                let bound = (-x * x).exp() + bracket * y * FRAC_1_SQRT_PI / (x * x + y * y);
                // The expansion's own error is added, which is no longer small against a tail of y = 1e-8.
                assert!(faddeeva(x, y) <= bound + 4e-9 * faddeeva(0.0, y), "x = {x}, y = {y}");
            }
        }
    }
}
