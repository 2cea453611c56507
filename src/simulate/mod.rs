//! Series drawn from a known truth: frames with noise, the parameters behind them, and what their data can tell.
//!
//! A draw depends on the seed, the frame's name and the point, never on threads or order.

mod distance;
pub(crate) mod scoring;
mod truth;
mod write;

use rayon::prelude::*;

pub use distance::{RESOLVABLE, Resolvability, Scale, resolvability};
pub use truth::{TrueTerm, curve};
pub use write::{Written, write};

use crate::error::{Error, Result};
use crate::models::Setup;
use crate::random::{Key, draw};
use crate::spec::{RawSpec, Simulate};

/// A simulated series.
#[derive(Clone, Debug)]
pub struct Series {
    /// Name of the frames' axis.
    pub axis: String,
    /// x of every frame, ascending, N points, as written to files.
    pub x: Vec<f64>,
    /// Digits after the point that write x exactly.
    pub decimals: usize,
    /// Names of the spec's windows.
    pub windows: Vec<String>,
    /// The frames.
    pub frames: Vec<SimulatedFrame>,
}

/// One frame and its truth.
#[derive(Clone, Debug)]
pub struct SimulatedFrame {
    /// Place in the series, counted from 1.
    pub number: usize,
    /// Name of its file.
    pub file: String,
    /// Its value of the axis.
    pub axis: f64,
    /// Expectation of y, N points.
    pub expected: Vec<f64>,
    /// y, N points.
    pub y: Vec<f64>,
    /// Standard errors as the file claims them, N points, where it has a column of them.
    pub sigma: Option<Vec<f64>>,
    /// The true terms, those that do not exist included.
    pub terms: Vec<TrueTerm>,
    /// One entry a window.
    pub resolvability: Vec<Resolvability>,
}

/// What all frames of a simulation share.
struct Scene<'a> {
    simulate: &'a Simulate,
    seed: u64,
    setup: Setup,
    x: Vec<f64>,
    /// Range and points of each window.
    windows: Vec<((f64, f64), Vec<f64>)>,
    with_sigma: bool,
}

/// Draws the series that `[simulate]` describes; `seed` replaces the spec's.
///
/// The files have a σ column where `columns` in `[data]` names one, or their name ends in `.xye`.
///
/// # Errors
/// Where the spec has no `[simulate]`, `files` cannot name the frames, a model refuses its true parameters, a window has no point, or counts
/// have a negative or a hopelessly large mean.
pub fn simulate(raw: &RawSpec, seed: Option<u64>) -> Result<Series> {
    let simulate = raw.simulate.as_ref().ok_or_else(|| {
        Error::fatal("the spec has no [simulate]")
            .hint("add one with frames, x, noise and a [[simulate.term]]; see examples/phase-transition/spec.toml")
    })?;
    if raw.data.x.file.is_some() {
        let error = Error::fatal("a simulation writes x as the windows use it, and `x` in [data] asks for a conversion");
        return Err(error.hint("leave `file` out of `x`"));
    }
    let pattern = raw.data.files.get_ref();
    let (x, decimals) = axis_of_points(simulate.x);
    let ends = (x[0], x[x.len() - 1]);
    let setup = Setup {
        mid: 0.5 * (ends.0 + ends.1),
        half: 0.5 * (ends.1 - ends.0),
        wavelength: raw.data.wavelength,
        wavelength2: raw.data.wavelength2,
        ..Setup::default()
    };
    let windows = raw.stretches().map(|m| points_of(&x, m.bounds(), &m.exclude, &m.label())).collect::<Result<Vec<_>>>()?;
    let names_sigma = raw.data.columns.as_ref().is_some_and(|c| c.get_ref().iter().any(|c| c == "sigma"));
    let with_sigma = names_sigma || raw.data.columns.is_none() && pattern.ends_with(".xye");
    let scene = Scene { simulate, seed: seed.unwrap_or(simulate.seed), setup, x, windows, with_sigma };
    let files = file_names(pattern, simulate.frames)?;
    let frames = files.into_par_iter().enumerate().map(|(i, file)| scene.frame(i, file)).collect::<Result<Vec<_>>>()?;
    let windows = raw.stretches().map(|m| m.label()).collect();
    Ok(Series { axis: simulate.axis.0.clone(), x: scene.x, decimals, windows, frames })
}

impl Scene<'_> {
    fn frame(&self, i: usize, file: String) -> Result<SimulatedFrame> {
        let &(_, first, last) = &self.simulate.axis;
        let share = if self.simulate.frames > 1 { i as f64 / (self.simulate.frames - 1) as f64 } else { 0.0 };
        let axis = first + (last - first) * share;
        let in_frame = |error: Error| Error { what: format!("frame {}: {}", i + 1, error.what), ..error };
        let terms: Vec<TrueTerm> = self.simulate.terms.iter().map(|t| TrueTerm::at(t, axis, (first, last))).collect();
        let expected = curve(&terms, &self.x, &self.setup).map_err(in_frame)?;
        let y = self.noisy(&file, &expected).map_err(in_frame)?;
        let scale = self.simulate.sigma.map_or(Scale::Poisson, Scale::Gaussian);
        let resolvability = self.windows.iter().map(|(range, x)| resolvability(&terms, x, *range, &self.setup, scale));
        let resolvability = resolvability.collect::<Result<Vec<_>>>().map_err(in_frame)?;
        let sigma = self.with_sigma.then(|| claimed(&y, scale, self.simulate.sigma_column_factor));
        Ok(SimulatedFrame { number: i + 1, file, axis, expected, y, sigma, terms, resolvability })
    }

    fn noisy(&self, file: &str, expected: &[f64]) -> Result<Vec<f64>> {
        let key = Key::new(self.seed, file, "", "simulate", 0);
        noisy(&self.x, expected, self.simulate.sigma.map_or(Scale::Poisson, Scale::Gaussian), key)
    }
}

/// y drawn about its expectation at every point; a draw depends on the key and the point's place.
///
/// # Errors
/// Where counts have a negative or a hopelessly large mean.
pub(crate) fn noisy(x: &[f64], expected: &[f64], noise: Scale, key: Key) -> Result<Vec<f64>> {
    let mut noisy = Vec::with_capacity(expected.len());
    for ((i, &mean), x) in (0u32..).zip(expected).zip(x) {
        let mut stream = key.stream(i, 0, 0);
        noisy.push(match noise {
            Scale::Gaussian(sigma) => mean + sigma * draw::normal(&mut stream),
            Scale::Poisson if (0.0..=draw::MOST_COUNTS).contains(&mean) => draw::poisson(mean, &mut stream),
            Scale::Poisson => {
                let error = Error::fatal(format!("the true curve is {mean} at x = {x}, which is no mean of counts"));
                return Err(error.hint(format!("keep the terms' sum between 0 and {}", draw::MOST_COUNTS)));
            }
        });
    }
    Ok(noisy)
}

/// Standard errors as a file claims them: σ, or √max(y, 1) of counts, times a factor that is 1 where it is honest.
pub(crate) fn claimed(y: &[f64], noise: Scale, factor: f64) -> Vec<f64> {
    let one = |y: &f64| match noise {
        Scale::Gaussian(sigma) => sigma,
        Scale::Poisson => y.max(1.0).sqrt(),
    };
    y.iter().map(|y| factor * one(y)).collect()
}

/// The points first, first + step, … and the digits after the point that write them; each is the number that its text reads as.
fn axis_of_points((first, last, step): (f64, f64, f64)) -> (Vec<f64>, usize) {
    // A last point that misses its place by rounding is still one.
    let steps = ((last - first) / step + 1e-6).floor() as usize;
    let digits = |v: f64| format!("{v}").split_once('.').map_or(0, |(_, digits)| digits.len());
    let decimals = digits(first).max(digits(step));
    let exact = |v: f64| format!("{v:.decimals$}").parse().unwrap_or(v);
    ((0..=steps).map(|i| exact(first + step * i as f64)).collect(), decimals)
}

/// The range of a window, no wider than the data, and its points.
fn points_of(x: &[f64], range: (f64, f64), exclude: &[(f64, f64)], name: &str) -> Result<((f64, f64), Vec<f64>)> {
    let within = |x: f64, (low, high): (f64, f64)| x >= low && x <= high;
    let points: Vec<f64> = x.iter().copied().filter(|x| within(*x, range) && !exclude.iter().any(|e| within(*x, *e))).collect();
    if points.is_empty() {
        let error = Error::fatal(format!("the window {name} holds no simulated point"));
        return Err(error.hint(format!("x in [simulate] runs from {} to {}", x[0], x[x.len() - 1])));
    }
    Ok(((range.0.max(x[0]), range.1.min(x[x.len() - 1])), points))
}

/// The pattern with the frame's number in place of its star: what the spec will find.
fn file_names(pattern: &str, frames: usize) -> Result<Vec<String>> {
    let is_plain = |part: &str| !part.contains(['*', '?', '[', '{', '/', '\\']);
    match pattern.split('*').collect::<Vec<_>>()[..] {
        [whole] if frames == 1 && is_plain(whole) => Ok(vec![whole.into()]),
        [before, after] if is_plain(before) && is_plain(after) => {
            let digits = frames.to_string().len().max(2);
            Ok((1..=frames).map(|i| format!("{before}{i:0digits$}{after}")).collect())
        }
        _ => Err(Error::fatal(format!("files = \"{pattern}\" cannot name {frames} simulated frames"))
            .hint("write files = \"frame_*.xy\": the star becomes the number of the frame")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_what_their_text_reads_as() {
        let (x, decimals) = axis_of_points((4.0, 5.0, 0.001));
        assert_eq!((x.len(), decimals, x[3], x[1000]), (1001, 3, 4.003, 5.0));
        let (x, decimals) = axis_of_points((-0.25, 1.0, 0.5));
        assert_eq!((x.as_slice(), decimals), ([-0.25, 0.25, 0.75].as_slice(), 2));
    }

    #[test]
    fn the_star_becomes_the_number() {
        assert_eq!(file_names("f_*.xy", 3).unwrap(), ["f_01.xy", "f_02.xy", "f_03.xy"]);
        assert_eq!(file_names("*.xy", 100).unwrap()[8], "009.xy");
        assert_eq!(file_names("one.xy", 1).unwrap(), ["one.xy"]);
        for (pattern, frames) in [("one.xy", 2), ("*_*.xy", 2), ("[ab]*.xy", 2), ("a/*.xy", 2)] {
            assert!(file_names(pattern, frames).unwrap_err().to_string().contains("frame_*.xy"), "{pattern}");
        }
    }
}
