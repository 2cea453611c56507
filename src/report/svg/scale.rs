//! Scales: from numbers to places between 0 and 1 and back, and where their ticks are.

/// How numbers lie along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Kind {
    /// Evenly.
    Linear,
    /// Their logarithms lie evenly.
    Log,
    /// Evenly near zero and as logarithms far from it: asinh.
    Bent,
}

/// An axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) struct Scale {
    pub kind: Kind,
    pub low: f64,
    pub high: f64,
}

impl Scale {
    /// From one number to another; where they are no interval, some interval around them.
    pub fn linear(low: f64, high: f64) -> Self {
        let (low, high) = interval(low, high);
        Self { kind: Kind::Linear, low, high }
    }

    /// Between two positive numbers.
    pub fn log(low: f64, high: f64) -> Self {
        let low = if low > 0.0 && low.is_finite() { low } else { 1e-300 };
        let high = if high > low && high.is_finite() { high } else { low * 10.0 };
        Self { kind: Kind::Log, low, high }
    }

    /// Even within a few units of zero, logarithmic beyond.
    pub fn bent(low: f64, high: f64) -> Self {
        Self { kind: Kind::Bent, ..Self::linear(low, high) }
    }

    /// Even within a few units of zero, logarithmic beyond; holds all finite values, with some room on both sides.
    pub fn bent_around(values: impl IntoIterator<Item = f64>, room: f64) -> Self {
        let (low, high) = extent(values);
        let (low, high) = interval(low, high);
        let room = room * (high.asinh() - low.asinh());
        Self::bent((low.asinh() - room).sinh(), (high.asinh() + room).sinh())
    }

    /// Holds all finite values, with some room on both sides.
    pub fn around(values: impl IntoIterator<Item = f64>, room: f64) -> Self {
        let (low, high) = extent(values);
        let (low, high) = interval(low, high);
        let room = room * (high - low);
        Self::linear(low - room, high + room)
    }

    /// The same with other room: from zero where that is near.
    pub fn down_to_zero(mut self) -> Self {
        if self.low > 0.0 && self.low < 0.5 * self.high {
            self.low = 0.0;
        }
        self
    }

    fn bend(self, value: f64) -> f64 {
        match self.kind {
            Kind::Linear => value,
            Kind::Log => value.max(1e-300).ln(),
            Kind::Bent => value.asinh(),
        }
    }

    /// Where a number lies: 0 at the low end, 1 at the high one.
    pub fn at(self, value: f64) -> f64 {
        let (low, high) = (self.bend(self.low), self.bend(self.high));
        (self.bend(value) - low) / (high - low)
    }

    /// Its word in the page.
    pub fn word(self) -> &'static str {
        match self.kind {
            Kind::Linear => "lin",
            Kind::Log => "log",
            Kind::Bent => "bent",
        }
    }

    /// About so many ticks, each with its text.
    pub fn ticks(self, about: usize) -> Vec<(f64, String)> {
        let about = about.max(2);
        match self.kind {
            Kind::Linear => linear_ticks(self.low, self.high, about),
            Kind::Log => self.log_ticks(about),
            Kind::Bent => self.bent_ticks(about),
        }
    }

    fn log_ticks(self, about: usize) -> Vec<(f64, String)> {
        let (low, high) = (self.low.log10(), self.high.log10());
        if high - low < 1.3 {
            // Less than some decades: round numbers of the plain scale are denser and read better.
            return linear_ticks(self.low, self.high, about);
        }
        if high - low < 3.0 {
            let all = (low.floor() as i32..=high.floor() as i32).flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(e)));
            let ticks: Vec<f64> = all.filter(|v| *v >= self.low * 0.999_999 && *v <= self.high * 1.000_001).collect();
            if ticks.len() <= about + 2 {
                return ticks.into_iter().map(|v| (v, short(v))).collect();
            }
        }
        let step = ((high - low) / about as f64).ceil().max(1.0) as i32;
        let first = (low - 1e-9).ceil() as i32;
        let all = (first..=(high + 1e-9).floor() as i32).filter(|e| (e - first) % step == 0);
        all.map(|e| (10f64.powi(e), power(e))).collect()
    }

    fn bent_ticks(self, about: usize) -> Vec<(f64, String)> {
        let most = self.low.abs().max(self.high.abs());
        if most <= 8.0 {
            return linear_ticks(self.low, self.high, about);
        }
        let sizes = (0..=most.log10().floor() as i32).map(|e| 10f64.powi(e));
        let mut all: Vec<f64> = sizes.flat_map(|v| [-v, v]).chain([0.0]).filter(|v| *v >= self.low && *v <= self.high).collect();
        all.sort_by(f64::total_cmp);
        let skip = all.len().div_ceil(about + 1).max(1);
        let zero = all.iter().position(|v| *v == 0.0).unwrap_or(0);
        let shown = all.iter().enumerate().filter(|(i, _)| i.abs_diff(zero) % skip == 0);
        shown
            .map(|(_, v)| {
                (
                    *v,
                    if v.abs() < 1e4 {
                        plain(*v, 0)
                    } else {
                        format!("{}{}", if *v < 0.0 { "−" } else { "" }, power(v.abs().log10() as i32))
                    },
                )
            })
            .collect()
    }
}

/// The least and the greatest finite value; no interval where there is none.
pub(in crate::report) fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values.into_iter().filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
}

fn interval(low: f64, high: f64) -> (f64, f64) {
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    if high > low {
        return (low, high);
    }
    let half = if low == 0.0 { 1.0 } else { 0.05 * low.abs() };
    (low - half, low + half)
}

fn linear_ticks(low: f64, high: f64, about: usize) -> Vec<(f64, String)> {
    let magnitude = 10f64.powf(((high - low) / about as f64).log10().floor());
    let count = |step: &f64| (high / step + 1e-9).floor() - (low / step - 1e-9).ceil() + 1.0;
    // Of round steps that whose number of ticks is nearest; of two as near, the finer.
    let steps = [0.5, 1.0, 2.0, 5.0, 10.0].map(|m| m * magnitude);
    let off = |step: &f64| (count(step) - about as f64).abs();
    let step = steps.into_iter().min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(magnitude);
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    let far = low.abs().max(high.abs());
    let text = |v: f64| {
        if far >= 1e5 || (far > 0.0 && far < 1e-3) {
            let exponent = far.log10().floor() as i32;
            let places = (decimals as i32 + exponent).clamp(0, 6) as usize;
            let places = if step >= 1.0 { (f64::from(exponent) - step.log10().floor()).max(0.0) as usize } else { places };
            if v == 0.0 { "0".into() } else { format!("{}·{}", plain(v / 10f64.powi(exponent), places), power(exponent)) }
        } else {
            plain(v, decimals)
        }
    };
    (first..=last).map(|i| i as f64 * step).map(|v| (v, text(if v.abs() < 1e-9 * step { 0.0 } else { v }))).collect()
}

/// A number of one digit, as short as it is.
fn short(value: f64) -> String {
    let exponent = (value.log10() + 1e-9).floor() as i32;
    if (-3..5).contains(&exponent) {
        return plain(value, (-exponent).max(0) as usize);
    }
    match (value / 10f64.powi(exponent)).round() {
        1.0 => power(exponent),
        digit => format!("{digit}·{}", power(exponent)),
    }
}

/// A number with a true minus sign.
fn plain(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}").replace('-', "−")
}

/// 10 to a power, the exponent in small figures.
fn power(exponent: i32) -> String {
    const SMALL: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if exponent == 0 {
        return "1".into();
    }
    let small = |c: char| c.to_digit(10).map_or('⁻', |d| SMALL[d as usize]);
    format!("10{}", exponent.to_string().chars().map(small).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scale: Scale, about: usize) -> Vec<String> {
        scale.ticks(about).into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(texts(Scale::linear(4.3, 5.3), 5), ["4.4", "4.6", "4.8", "5.0", "5.2"]);
        assert_eq!(texts(Scale::linear(-1.0, 1.0), 4), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(texts(Scale::linear(0.0, 213_000.0), 4), ["0", "0.5·10⁵", "1.0·10⁵", "1.5·10⁵", "2.0·10⁵"]);
        assert_eq!(texts(Scale::linear(-3.8, 3.8), 3), ["−2", "0", "2"]);
        assert_eq!(texts(Scale::log(0.02, 0.6), 5), ["0.02", "0.05", "0.1", "0.2", "0.5"]);
        assert_eq!(texts(Scale::log(1e-4, 1.0), 4), ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "1"]);
        assert_eq!(texts(Scale::bent(0.0, 1500.0), 6), ["0", "1", "10", "100", "1000"]);
        assert_eq!(texts(Scale::linear(7.0, 7.0), 3), ["6.8", "7.0", "7.2"]);
    }

    #[test]
    fn places_run_from_0_to_1() {
        for scale in [Scale::linear(2.0, 6.0), Scale::log(0.1, 10.0), Scale::bent(-5.0, 100.0)] {
            assert_eq!((scale.at(scale.low), scale.at(scale.high)), (0.0, 1.0));
        }
        assert!((Scale::log(0.1, 10.0).at(1.0) - 0.5).abs() < 1e-12);
        assert_eq!(Scale::around([f64::NAN], 0.0), Scale::linear(0.0, 1.0));
    }
}
