//! Numbers as text: short, exact to nine digits, the same on every machine.

/// Significant digits in CSV files: three more than any Monte Carlo error leaves meaningful, few enough to read.
const DIGITS: usize = 9;

/// A number for a CSV cell: the shortest text that reads back as the value rounded to nine significant digits; empty where it is no number.
pub fn cell(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    if value == 0.0 {
        // −0 and 0 are one number to a reader.
        return "0".into();
    }
    let rounded = format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value);
    shortest(rounded)
}

/// The shortest text that reads back as the same number.
fn shortest(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// A value with its standard deviation in crystallographers' notation: 4.61232(42) is 4.61232 ± 0.00042.
pub fn with_error(value: f64, sd: f64) -> String {
    if !value.is_finite() {
        return "?".into();
    }
    if !(sd.is_finite() && sd > 0.0) {
        return cell(value);
    }
    let magnitude = sd.log10().floor();
    // Two digits of the error; 9.96 rounds to 10 and then has one place less.
    let mut decimals = 1 - magnitude as i32;
    if (sd * 10f64.powi(decimals)).round() >= 100.0 {
        decimals -= 1;
    }
    if (0..=12).contains(&decimals) {
        let error = (sd * 10f64.powi(decimals)).round();
        return format!("{value:.*}({error})", decimals as usize);
    }
    format!("{} ± {}", cell(value), shortest(format!("{sd:.1e}").parse().unwrap_or(sd)))
}

/// A probability for people: three digits, and never a 1 or a 0 that is none.
pub fn probability(p: f64) -> String {
    match p {
        p if p.is_nan() => "p = ?".into(),
        p if p > 0.9995 && p < 1.0 => "p > 0.999".into(),
        p => format!("p = {p:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_short_and_exact_to_nine_digits() {
        for (value, text) in [
            (0.1, "0.1"),
            (1.0, "1"),
            (-0.0, "0"),
            (4.612_345_678_912, "4.61234568"),
            (-123_456.789_012, "-123456.789"),
            (1.0 / 3.0, "0.333333333"),
            (2e-7, "2e-7"),
            (1.5e300, "1.5e300"),
            (99_999_999.96, "100000000"),
            (f64::NAN, ""),
            (f64::NEG_INFINITY, ""),
        ] {
            assert_eq!(cell(value), text);
        }
    }

    #[test]
    fn errors_have_two_digits() {
        for (value, sd, text) in [
            (4.612_321, 0.000_42, "4.61232(42)"),
            (4.612_321, 0.000_996, "4.6123(10)"),
            (4.612_321, 0.009_97, "4.612(10)"),
            (120.4, 2.3, "120.4(23)"),
            (1234.0, 45.0, "1234(45)"),
            (123_456.0, 450.0, "123456 ± 450"),
            (2.0, 0.0, "2"),
            (f64::NAN, 1.0, "?"),
        ] {
            assert_eq!(with_error(value, sd), text);
        }
    }
}
