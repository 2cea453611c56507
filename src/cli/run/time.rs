//! `--max-time`: a duration as people write it.

use std::time::Duration;

/// Reads `90s`, `10m`, `2h`, `1h30m`, `1.5h`; a number alone is seconds.
///
/// # Errors
/// A sentence that says what is wrong.
pub(in crate::cli) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write 90s, 10m, 2h or 1h30m");
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number: f64 = rest[..end].parse().map_err(|_| wrong())?;
        let unit = rest[end..].chars().next();
        total += number
            * match unit {
                Some('s') | None => 1.0,
                Some('m') => 60.0,
                Some('h') => 3600.0,
                Some('d') => 86400.0,
                Some(_) => return Err(wrong()),
            };
        rest = rest[end + unit.map_or(0, char::len_utf8)..].trim_start();
    }
    Duration::try_from_secs_f64(total).ok().filter(|d| !d.is_zero()).ok_or_else(wrong)
}

/// A duration for people: two units at most.
pub(in crate::cli) fn words(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "unknown".into(),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        s if s < 2.0 * 86400.0 => format!("{:.0} h {:.0} min", (s / 3600.0).floor(), s % 3600.0 / 60.0),
        s => format!("{:.1} days", s / 86400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_written() {
        for (text, seconds) in [("90", 90.0), ("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("1.5 h", f64::NAN), ("0.5m", 30.0)] {
            let read = duration(text);
            assert_eq!(read.ok().map(|d| d.as_secs_f64()), Some(seconds).filter(|s| s.is_finite()), "{text}");
        }
        for text in ["", "m", "10 minutes", "-5s", "0", "1e400"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
