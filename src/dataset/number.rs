//! One number from the text of a field, in every spelling that instruments and Fortran programs write.

/// The number a field holds, with a decimal point; NaN and ±∞ are numbers here (rows of them are dropped later).
///
/// Beside what [`str::parse`] takes (`1.5`, `.5`, `5.`, `+1e-3`, `nan`, `inf`) it takes Fortran's `1.0D+03` and `1.0+03`. The last needs its
/// point, so that `10-20` stays what it is: text.
pub(super) fn parse(field: &str) -> Option<f64> {
    if let Ok(value) = field.parse() {
        return Some(value);
    }
    if !field.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    if let Some(at) = field.find(['d', 'D']) {
        return format!("{}e{}", &field[..at], &field[at + 1..]).parse().ok();
    }
    let at = 1 + field.get(1..)?.find(['+', '-'])?;
    let (mantissa, exponent) = field.split_at(at);
    if !mantissa.contains('.') || mantissa.contains(['e', 'E']) {
        return None;
    }
    format!("{mantissa}e{exponent}").parse().ok()
}

/// The number a field holds where the decimal sign is a comma; a point is refused, because it could only separate thousands.
pub(super) fn parse_decimal_comma(field: &str) -> Option<f64> {
    if field.contains('.') { None } else { parse(&field.replacen(',', ".", 1)) }
}

/// The number at the start of a text such as `6.778 K` or `25.1°C`.
pub(super) fn leading(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(text.len());
    // The unit may begin with a letter of the exponent (`5 eV`, `5eV`), so the longest prefix that parses is taken.
    (1..=end).rev().find_map(|n| text.get(..n)?.parse().ok()).filter(|v: &f64| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{leading, parse, parse_decimal_comma};

    #[test]
    fn every_spelling() {
        for (text, value) in [
            ("1.5", 1.5),
            ("+3", 3.0),
            ("-.5", -0.5),
            ("5.", 5.0),
            ("1e3", 1e3),
            ("8.98814e+007", 8.98814e7),
            ("1.0D+03", 1e3),
            ("1.0d-3", 1e-3),
            ("1.0+03", 1e3),
            ("-1.5-03", -1.5e-3),
            ("1e999", f64::INFINITY),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
        assert!(parse("NaN").is_some_and(f64::is_nan));
        for text in ["", "-", "abc", "10-20", "2018-10-25", "1.2.3", "0x10", "1_000", "1,5", "d5", "1e5e5", "é", "1é", "1.5e-3-2"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse_decimal_comma("-12,"), Some(-12.0));
        assert_eq!(parse_decimal_comma(",8"), Some(0.8));
        assert_eq!(parse_decimal_comma("7e1"), Some(70.0));
        assert_eq!(parse_decimal_comma("1,2,3"), None);
        assert_eq!(parse_decimal_comma("1.5"), None);
        assert_eq!(leading("+08.3679E+0 "), Some(8.3679));
        assert_eq!(leading("6.778 K"), Some(6.778));
        assert_eq!(leading("5eV"), Some(5.0));
        assert_eq!(leading("none"), None);
    }
}
