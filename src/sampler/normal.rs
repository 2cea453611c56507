//! All parameters at once, about an approximation of the posterior that was learned while adapting: a mixture of normal densities.
//!
//! Where the data decide, a posterior is nearly normal about each of its modes, and a draw from a few normal densities is nearly a draw from the
//! posterior: one step does what many along single parameters do. How far posterior and approximation differ enters the acceptance.
//!
//! A fresh draw comes from any component, so that it crosses between modes. A step of size s stays with a component, which is drawn with the
//! odds that the state came from it: with z the parameters in the component's units, z' = √(1 − s²) z + s ξ, ξ standard normal (Neal 1998; Rudolf and
//! Sprungk, Found. Comput. Math. 18 (2018) 309). That leaves each component as it is, and with those odds the mixture too, for every s; s follows
//! the acceptance, and where it stays small the step is no longer made.
//!
//! Parameters are taken in coordinates in which an end of a prior is no end ([`super::chart`]); a draw that leaves them is refused, as one beyond the
//! prior's ends would be.
//!
//! Exchangeable peaks are taken in the order of their centres, in which the K! images of a mode are one. A step that changes the order is
//! refused, so that the way back is made among the same names.

use std::f64::consts::TAU;

use fearless_simd::{Level, Simd, SimdBase, SimdFrom, f64x8};
use rand::RngExt;

use super::chart::Chart;
use super::mixture::members;
use super::rivals::Centre;
use super::schedule::{find, own};
use crate::models::level::{self, OnLevel};
use crate::models::{Number, Role};
use crate::noise::Scale;
use crate::problem::Problem;
use crate::random::Stream;

/// Most parameters that step together.
pub const MOST: usize = 64;
/// Most normal densities of an approximation: all are worked on abreast.
pub const MOST_COMPONENTS: usize = 8;
/// A number of each component.
pub type Lanes = [f64; MOST_COMPONENTS];

/// The parameters that step together, and which of them are exchangeable.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Free parameters.
    pub parameters: Vec<usize>,
    /// Families of exchangeable peaks: of each peak, the places of its parameters, that of the centre first.
    families: Vec<Vec<Vec<usize>>>,
    /// ln of in how many orders all peaks can be.
    ln_orders: f64,
    /// The coordinate of each parameter.
    charts: Vec<Chart>,
}

/// What a step comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stepped {
    /// ln of the approximation's density at the state, of peaks in order.
    pub ln_here: f64,
    /// ln of the ratio of the proposals.
    pub ln_ratio: f64,
    /// Whether the way back is made among the same names: the ratio is right only where it is.
    pub allowed: bool,
}

/// A mixture of normal densities of the parameters in the coordinates of their charts, peaks in the order of their centres. Lanes beyond its components
/// have no density.
#[derive(Clone, Debug)]
pub struct Approximation {
    components: usize,
    mean: Vec<Lanes>,
    /// Lower Cholesky factors of the covariances, column by column from the diagonal on.
    factor: Vec<Lanes>,
    /// One over their diagonals.
    inverse: Vec<Lanes>,
    /// ln of share and density at the mean.
    ln_top: Lanes,
    share: Lanes,
    /// Whether fresh draws from it are accepted often.
    pub fresh: bool,
    level: Level,
}

/// A normal density, and its share of a mixture.
#[derive(Clone, Debug)]
pub struct Normal {
    /// Its mean.
    pub mean: Vec<f64>,
    /// Lower Cholesky factor of its covariance, row by row.
    pub factor: Vec<f64>,
    /// Its share.
    pub share: f64,
}

/// How far a step goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// Anywhere, from any component.
    Fresh,
    /// So much of a standard deviation, at most 1, within one.
    Within(f64),
}

impl Places {
    /// Of a problem: every parameter but scales that are drawn from their conditionals. None where they are too many, or only one.
    pub fn of(problem: &Problem) -> Option<Self> {
        let scales = Scale::of(problem);
        let drawn = |i: &usize| scales.iter().any(|s| s.parameter == *i);
        let parameters: Vec<usize> = (0..problem.dimension()).filter(|i| !drawn(i)).collect();
        let place = |i: &usize| parameters.iter().position(|p| p == i);
        let mut families: Vec<Vec<Vec<usize>>> = Vec::new();
        for k in 0..problem.terms.len() {
            let Some(centre) = find(problem, k, Role::Center) else { continue };
            let all: Vec<usize> = [centre].into_iter().chain(own(problem, k).into_iter().filter(|&i| i != centre)).collect();
            let kin: Vec<Vec<usize>> = members(problem, &all).iter().filter_map(|m| m.iter().map(place).collect()).collect();
            let known = |family: &Vec<Vec<usize>>| family.iter().any(|m| Some(m[0]) == place(&centre));
            if kin.len() > 1 && !families.iter().any(known) {
                families.push(kin);
            }
        }
        (2..=MOST).contains(&parameters.len()).then(|| Self {
            charts: parameters.iter().map(|&i| Chart::of(&problem.parameters[i])).collect(),
            ln_orders: families.iter().map(|family| libm::lgamma(family.len() as f64 + 1.0)).sum(),
            parameters,
            families,
        })
    }

    /// The parameter that stands at each place when peaks are in order.
    fn ordered(&self, theta: &[f64]) -> [usize; MOST] {
        let mut at = [0; MOST];
        at[..self.parameters.len()].copy_from_slice(&self.parameters);
        for family in &self.families {
            let centre = |peak: usize| theta[self.parameters[family[peak][0]]];
            let mut order = [0; MOST];
            let order = &mut order[..family.len()];
            order.iter_mut().enumerate().for_each(|(rank, peak)| *peak = rank);
            order.sort_unstable_by(|&a, &b| centre(a).total_cmp(&centre(b)).then(a.cmp(&b)));
            for (places, &peak) in family.iter().zip(order.iter()) {
                for (&place, &from) in places.iter().zip(&family[peak]) {
                    at[place] = self.parameters[from];
                }
            }
        }
        at
    }

    /// Writes the parameters in the coordinates of their charts, peaks in order, and returns which ones they are.
    pub fn state(&self, theta: &[f64], phi: &mut [f64; MOST]) -> [usize; MOST] {
        let at = self.ordered(theta);
        phi.iter_mut().zip(&at[..self.parameters.len()]).zip(&self.charts).for_each(|((phi, &i), chart)| *phi = chart.coordinate(theta[i]));
        at
    }

    /// ln of the prior's density at a point, all orders of the peaks together: peaks in order stand for them.
    pub fn ln_prior(&self, problem: &Problem, theta: &[f64]) -> f64 {
        self.ln_orders + self.parameters.iter().map(|&i| problem.parameters[i].ln_density(theta[i])).sum::<f64>()
    }

    /// Whether the peaks are in that order, and no parameter has left its chart.
    fn in_order(&self, at: &[usize; MOST], theta: &[f64]) -> bool {
        at[..self.parameters.len()].iter().all(|&i| !theta[i].is_nan())
            && self.families.iter().all(|family| family.windows(2).all(|pair| theta[at[pair[0][0]]] < theta[at[pair[1][0]]]))
    }

    /// Changes `to` by a step.
    pub fn step(
        &self,
        approximation: &Approximation,
        how: (Length, Centre<'_>),
        from: &[f64],
        to: &mut [f64],
        stream: &mut Stream,
    ) -> Stepped {
        let n = self.parameters.len();
        let (mut phi, mut odds) = ([0.0; MOST], [0.0; MOST_COMPONENTS]);
        let at = self.state(from, &mut phi);
        let slopes = |theta: &[f64]| at[..n].iter().zip(&self.charts).map(|(&i, chart)| chart.ln_slope(theta[i])).sum::<f64>();
        let here = approximation.ln_density(&phi[..n], &mut odds) - slopes(from);
        approximation.step(how, &odds, &mut phi[..n], stream);
        for ((&phi, &i), chart) in phi.iter().zip(&at[..n]).zip(&self.charts) {
            to[i] = chart.value(phi);
        }
        let ln_ratio = here - approximation.ln_density(&phi[..n], &mut odds) + slopes(to);
        Stepped { ln_here: here, ln_ratio, allowed: self.in_order(&at, to) }
    }
}

impl Approximation {
    /// Of normal densities of `n` parameters whose shares are one together; none where they are none, too many, or no densities.
    pub fn of(normals: &[Normal], n: usize) -> Option<Self> {
        let lanes = |of: &dyn Fn(&Normal) -> f64, none: f64| -> Lanes { std::array::from_fn(|lane| normals.get(lane).map_or(none, of)) };
        let ln_top = |normal: &Normal| normal.share.ln() - (0..n).map(|i| normal.factor[i * n + i].ln() + 0.5 * TAU.ln()).sum::<f64>();
        let fine = |normal: &Normal| normal.mean.iter().all(|v| v.is_finite()) && ln_top(normal).is_finite();
        let column = |j: usize| (j..n).map(move |i| i * n + j);
        ((1..=MOST_COMPONENTS).contains(&normals.len()) && normals.iter().all(fine)).then(|| Self {
            components: normals.len(),
            mean: (0..n).map(|i| lanes(&|normal| normal.mean[i], 0.0)).collect(),
            factor: (0..n).flat_map(column).map(|at| lanes(&|normal| normal.factor[at], 0.0)).collect(),
            inverse: (0..n).map(|i| lanes(&|normal| 1.0 / normal.factor[i * n + i], 0.0)).collect(),
            ln_top: lanes(&ln_top, f64::NEG_INFINITY),
            share: lanes(&|normal| normal.share, 0.0),
            fresh: false,
            // The numbers are the same on all; an engine that is to use one this machine lacks has said so.
            level: level::chosen().unwrap_or_else(|_| Level::new()),
        })
    }

    /// Number of its normal densities.
    pub fn components(&self) -> usize {
        self.components
    }

    /// ln of the density; `odds` become those of each component to have made the point.
    pub fn ln_density(&self, phi: &[f64], odds: &mut Lanes) -> f64 {
        level::on(self.level, Density { of: self, phi, odds })
    }

    /// Moves a point by a step that leaves the mixture as it is; `odds` are those of each component to have made the point.
    fn step(&self, (length, centre): (Length, Centre<'_>), odds: &Lanes, phi: &mut [f64], stream: &mut Stream) {
        let (n, mut z) = (phi.len(), [0.0; MOST]);
        let (component, kept) = match length {
            Length::Fresh => (self.any(stream.random()), 0.0),
            Length::Within(s) => {
                let component = self.like(odds, centre.uniform(n, stream));
                self.solve(component, phi, &mut z);
                (component, (1.0 - s * s).max(0.0).sqrt())
            }
        };
        let long = (1.0 - kept * kept).sqrt();
        for (at, z) in z[..n].iter_mut().enumerate() {
            // Two steps of √kept each, by way of the centre.
            *z = kept * *z + long * centre.step(at, kept.sqrt(), stream);
        }
        self.place(component, &z[..n], phi);
    }

    /// A component, by its share.
    fn any(&self, u: f64) -> usize {
        pick(&self.share[..self.components], u)
    }

    /// A component, by the odds that it made a point.
    fn like(&self, odds: &Lanes, u: f64) -> usize {
        pick(&odds[..self.components], u)
    }

    /// Writes the point in units of a component.
    pub fn solve(&self, component: usize, phi: &[f64], z: &mut [f64; MOST]) {
        let (n, mut column) = (phi.len(), &self.factor[..]);
        z.iter_mut().zip(phi).zip(&self.mean).for_each(|((z, phi), mean)| *z = phi - mean[component]);
        for j in 0..n {
            let (own, others) = column.split_at(n - j);
            z[j] *= self.inverse[j][component];
            for i in j + 1..n {
                z[i] -= own[i - j][component] * z[j];
            }
            column = others;
        }
    }

    /// The point that is `z` in units of a component.
    fn place(&self, component: usize, z: &[f64], phi: &mut [f64]) {
        let mut column = &self.factor[..];
        phi.iter_mut().zip(&self.mean).for_each(|(phi, mean)| *phi = mean[component]);
        for (j, z) in z.iter().enumerate() {
            let (own, others) = column.split_at(phi.len() - j);
            phi[j..].iter_mut().zip(own).for_each(|(phi, l)| *phi += l[component] * z);
            column = others;
        }
    }
}

/// On which of the odds, which are one together, u falls.
fn pick(odds: &[f64], mut u: f64) -> usize {
    let fallen = odds.iter().position(|odds| {
        u -= odds;
        u < 0.0
    });
    fallen.unwrap_or(odds.len() - 1)
}

/// [`Approximation::ln_density`], compiled for an instruction set.
struct Density<'a> {
    of: &'a Approximation,
    phi: &'a [f64],
    odds: &'a mut Lanes,
}

impl OnLevel for Density<'_> {
    type Output = f64;

    #[inline(always)]
    fn on<S: Simd>(self, simd: S) -> f64 {
        simd.vectorize(
            // Vectors by name: of loops over lanes the compiler makes gathers and scatters.
            #[inline(always)]
            || {
                let Density { of, phi, odds } = self;
                let n = phi.len().min(MOST);
                let mut z = [f64x8::splat(simd, 0.0); MOST];
                for ((z, &phi), &mean) in z.iter_mut().zip(phi).zip(&of.mean) {
                    *z = f64x8::splat(simd, phi) - f64x8::simd_from(simd, mean);
                }
                let (mut squares, mut column) = (f64x8::splat(simd, 0.0), &of.factor[..]);
                for j in 0..n {
                    let (below, others) = column.split_at(n - j);
                    let own = z[j] * f64x8::simd_from(simd, of.inverse[j]);
                    squares += own * own;
                    for (z, &l) in z[j + 1..n].iter_mut().zip(&below[1..]) {
                        *z -= f64x8::simd_from(simd, l) * own;
                    }
                    column = others;
                }
                *odds = (f64x8::simd_from(simd, of.ln_top) - squares * 0.5).into();
                let (mut top, mut sum) = (f64::NEG_INFINITY, 0.0);
                for odds in &*odds {
                    top = top.max(*odds);
                }
                for odds in &mut *odds {
                    *odds = Number::exp(*odds - top);
                }
                for odds in &*odds {
                    sum += odds;
                }
                for odds in odds {
                    *odds /= sum;
                }
                top + sum.ln()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::super::rivals::{Rival, choose, standard};
    use super::*;
    use crate::random::Key;

    /// Three densities of three parameters, with shares .5, .3 and .2.
    fn densities() -> Vec<Normal> {
        let factor = |s: f64| vec![s, 0.0, 0.0, 0.4 * s, 0.8, 0.0, -0.2, 0.1, 1.5 * s];
        let normal = |share, mean: [f64; 3], s| Normal { mean: mean.to_vec(), factor: factor(s), share };
        vec![normal(0.5, [0.0; 3], 1.0), normal(0.3, [3.0, 1.0, -1.0], 0.5), normal(0.2, [-2.0, 0.0, 4.0], 0.7)]
    }

    /// ln of the density of one, with its share: by the determinant and the solution of its triangle, row by row.
    fn plain(normal: &Normal, phi: &[f64]) -> f64 {
        let mut z = [0.0; 3];
        for i in 0..3 {
            let known: f64 = (0..i).map(|j| normal.factor[3 * i + j] * z[j]).sum();
            z[i] = (phi[i] - normal.mean[i] - known) / normal.factor[4 * i];
        }
        let determinant = normal.factor[0] * normal.factor[4] * normal.factor[8];
        normal.share.ln() - determinant.ln() - 1.5 * TAU.ln() - 0.5 * z.iter().map(|z| z * z).sum::<f64>()
    }

    #[test]
    fn the_density_is_that_of_its_components() {
        let (normals, mut random) = (densities(), Key::new(1, "phi", "", "", 0).stream(0, 0, 0));
        for count in 1..=3 {
            let some = &normals[..count];
            let approximation = Approximation::of(some, 3).unwrap();
            for _ in 0..50 {
                let phi: [f64; 3] = std::array::from_fn(|_| random.random_range(-5.0..5.0));
                let mut odds = [f64::NAN; MOST_COMPONENTS];
                let density = approximation.ln_density(&phi, &mut odds);
                let all: Vec<f64> = some.iter().map(|normal| plain(normal, &phi)).collect();
                let sum: f64 = all.iter().map(|ln| ln.exp()).sum();
                assert_relative_eq!(density, sum.ln(), epsilon = 1e-12, max_relative = 1e-12);
                for (at, odds) in odds.iter().enumerate() {
                    assert_relative_eq!(*odds, all.get(at).map_or(0.0, |ln| ln.exp() / sum), epsilon = 1e-12);
                }
                for component in 0..count {
                    let (mut z, mut back) = ([0.0; MOST], phi);
                    approximation.solve(component, &phi, &mut z);
                    approximation.place(component, &z[..3], &mut back);
                    phi.iter().zip(back).for_each(|(phi, back)| assert_relative_eq!(*phi, back, epsilon = 1e-12));
                }
            }
        }
        assert!(Approximation::of(&[], 3).is_none() && Approximation::of(&vec![normals[0].clone(); MOST_COMPONENTS + 1], 3).is_none());
        let flat = Normal { factor: vec![0.0; 9], ..normals[0].clone() };
        assert!(Approximation::of(&[flat], 3).is_none());
    }

    /// Points of the mixture times 1 where the first coordinate is positive and .2 where it is not: after steps by choice among four proposals, means
    /// and squares of all coordinates are what they were, within four and a half standard errors (nine numbers and two lengths: a false alarm once
    /// in 8000 seeds). Components chosen by their shares, or by each proposal for itself, are seen.
    #[test]
    fn steps_leave_the_mixture_as_it_is() {
        const POINTS: u32 = 400_000;
        const PROPOSALS: usize = 4;
        let approximation = Approximation::of(&densities(), 3).unwrap();
        let ln_weight = |phi: &[f64; 3]| if phi[0] > 0.0 { 0.0 } else { 0.2f64.ln() };
        let look = |phi: &[f64; 3]| -> Vec<f64> { phi.iter().flat_map(|x| [*x, x * x, x.signum()]).collect() };
        let moved = |length: Length, by_share: bool, common: bool, number: u32| {
            let mut stream = Key::new(6, "mixture", "", "", 0).stream(number, 0, 0);
            let mut phi = [0.0; 3];
            let origin = [0.0; MOST_COMPONENTS];
            loop {
                approximation.step((Length::Fresh, Centre(&[])), &origin, &mut phi, &mut stream);
                if stream.random::<f64>().ln() < ln_weight(&phi) {
                    break;
                }
            }
            let before = look(&phi);
            for _ in 0..3 {
                let mut odds = [0.0; MOST_COMPONENTS];
                approximation.ln_density(&phi, &mut odds);
                if by_share {
                    odds = approximation.share;
                }
                let mut centre: Vec<f64> = (0..3).map(|_| standard(&mut stream)).collect();
                if common {
                    centre.push(stream.random());
                }
                let mut all = [phi; PROPOSALS];
                all.iter_mut().for_each(|to| approximation.step((length, Centre(&centre)), &odds, to, &mut stream));
                let rival = |to: &[f64; 3]| Rival { ln_weight: ln_weight(to) - ln_weight(&phi), energy: 0.0, tempered: f64::NAN };
                if let Some(at) = choose(&all.map(|to| rival(&to)), &mut stream) {
                    phi = all[at];
                }
            }
            look(&phi).iter().zip(before).map(|(after, before)| after - before).collect::<Vec<f64>>()
        };
        let errors = |length, by_share, common| {
            let all: Vec<Vec<f64>> = (0..POINTS).map(|number| moved(length, by_share, common, number)).collect();
            let n = f64::from(POINTS);
            let one = |at: usize| {
                let mean = all.iter().map(|row| row[at]).sum::<f64>() / n;
                mean.abs() / (all.iter().map(|row| (row[at] - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt()
            };
            (0..all[0].len()).map(one).fold(0.0, f64::max)
        };
        let within = Length::Within(0.9);
        let (fresh, right) = (errors(Length::Fresh, false, true), errors(within, false, true));
        let (shares, own) = (errors(within, true, true), errors(within, false, false));
        println!("{fresh:.2} and {right:.2} errors; {shares:.2} by shares, {own:.2} where each proposal has its own component");
        assert!(fresh < 4.5 && right < 4.5 && shares > 4.5 && own > 4.5, "{fresh} {right} {shares} {own}");
    }

    /// Of 10⁵ picks each component has its share, within four and a half standard errors.
    #[test]
    fn components_are_picked_by_their_odds() {
        let (odds, mut random, mut counts) = ([0.5, 0.3, 0.2], Key::new(2, "picks", "", "", 0).stream(0, 0, 0), [0.0; 3]);
        const PICKS: f64 = 1e5;
        (0..PICKS as usize).for_each(|_| counts[pick(&odds, random.random())] += 1.0);
        for (count, odds) in counts.iter().zip(odds) {
            assert!((count / PICKS - odds).abs() < 4.5 * (odds * (1.0 - odds) / PICKS).sqrt(), "{counts:?}");
        }
        assert_eq!(pick(&odds, 1.0), 2);
    }
}
