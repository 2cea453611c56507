//! From the states seen at a rung to the normal densities that describe them.
//!
//! Components begin about states far from one another (Arthur and Vassilvitskii, SODA 2007) and take turns with the assignment of every
//! state to the component most likely to have made it (classification EM: Celeux and Govaert, Comput. Stat. Data Anal. 14 (1992) 315), at the end in
//! shares. How well it fits decides how often steps are accepted, and nothing else.

use super::adapt::cholesky;
use super::normal::{Approximation, MOST, MOST_COMPONENTS, Normal};
use super::record::thin;

/// States that must have been seen, a parameter and component.
const LEAST_SEEN: usize = 8;
/// A component is this much wider than what was seen: a draw from too narrow a one is seldom left again.
const WIDER: f64 = 1.1;
/// Turns of finding centres, and of assigning states whole.
const TURNS: (usize, usize) = (4, 4);
/// States of the spread within all components that each one borrows, so that none is flat; many of them would blur narrow ones.
const BORROWED: f64 = 0.1;
/// A state that is a component's by less than this share is left out of it.
const LEAST_SHARE: f64 = 0.01;

/// States seen at one rung in the coordinates of their charts, peaks in order, evenly spaced in time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct States {
    /// Row after row.
    rows: Vec<f64>,
    /// States between two rows, as a power of two.
    doublings: u32,
    passed: usize,
}

impl States {
    /// Adds the next state; of more than `most` every second one is kept.
    pub fn add(&mut self, state: &[f64], most: usize) {
        if self.passed.is_multiple_of(1 << self.doublings) {
            if self.rows.len() >= most.max(2) * state.len() {
                thin(&mut self.rows, state.len());
                self.doublings += 1;
            }
            if self.passed.is_multiple_of(1 << self.doublings) {
                self.rows.extend_from_slice(state);
            }
        }
        self.passed += 1;
    }
}

/// What a component would be learned from.
struct Group {
    weight: f64,
    mean: Vec<f64>,
    /// Σ (x − mean)(x − mean)ᵀ, the lower triangle row by row.
    products: Vec<f64>,
}

/// Describes what several copies have seen of `n` parameters by at most so many normal densities; none where too little was seen.
pub fn approximation(seen: &[&States], n: usize, components: usize) -> Option<Approximation> {
    let rows: Vec<&[f64]> = seen.iter().flat_map(|states| states.rows.chunks_exact(n.max(1))).collect();
    let most = components.min(rows.len() / (LEAST_SEEN * n.max(1))).min(MOST_COMPONENTS);
    if most == 0 {
        return None;
    }
    let whole = mixture(&groups(&rows, &vec![(0, 1.0); rows.len()], 1, n), rows.len(), n)?;
    if most == 1 {
        return Some(whole);
    }
    let mut normals = mixture(&groups(&rows, &apart(&rows, &whole, most, n), most, n), rows.len(), n)?;
    for _ in 0..TURNS.1 {
        let whole = |row: &&[f64]| {
            let mut odds = [0.0; MOST_COMPONENTS];
            normals.ln_density(row, &mut odds);
            let likeliest = (0..normals.components()).max_by(|&a, &b| odds[a].total_cmp(&odds[b]));
            (likeliest.unwrap_or(0), 1.0)
        };
        let shares: Vec<(usize, f64)> = rows.iter().map(whole).collect();
        normals = mixture(&groups(&rows, &shares, normals.components(), n), rows.len(), n)?;
    }
    let (mut all, mut shares) = (Vec::new(), Vec::new());
    for row in &rows {
        let mut odds = [0.0; MOST_COMPONENTS];
        normals.ln_density(row, &mut odds);
        for (component, &odds) in odds[..normals.components()].iter().enumerate().filter(|(_, odds)| **odds >= LEAST_SHARE) {
            all.push(*row);
            shares.push((component, odds));
        }
    }
    mixture(&groups(&all, &shares, normals.components(), n), rows.len(), n)
}

/// Weight, mean and spread of each component; a row comes with its component and its share in it.
fn groups(rows: &[&[f64]], shares: &[(usize, f64)], components: usize, n: usize) -> Vec<Group> {
    let mut groups: Vec<Group> =
        (0..components).map(|_| Group { weight: 0.0, mean: vec![0.0; n], products: vec![0.0; n * (n + 1) / 2] }).collect();
    for (row, &(component, share)) in rows.iter().zip(shares) {
        let group = &mut groups[component];
        group.weight += share;
        group.mean.iter_mut().zip(*row).for_each(|(mean, x)| *mean += share * x);
    }
    for group in &mut groups {
        group.mean.iter_mut().for_each(|mean| *mean /= group.weight);
    }
    let mut off = [0.0; MOST];
    for (row, &(component, share)) in rows.iter().zip(shares) {
        let group = &mut groups[component];
        off.iter_mut().zip(row.iter().zip(&group.mean)).for_each(|(off, (x, mean))| *off = x - mean);
        let mut at = 0;
        for i in 0..n {
            let (own, others) = (share * off[i], &off[..=i]);
            group.products[at..=at + i].iter_mut().zip(others).for_each(|(product, other)| *product += own * other);
            at += i + 1;
        }
    }
    groups
}

/// The densities of all groups that have more states than parameters; none where one of them is flat.
fn mixture(groups: &[Group], states: usize, n: usize) -> Option<Approximation> {
    let kept: Vec<&Group> = groups.iter().filter(|group| group.weight > n as f64).collect();
    let weight: f64 = kept.iter().map(|group| group.weight).sum();
    let within = |at: usize| groups.iter().map(|group| group.products[at]).sum::<f64>() / states as f64;
    let within: Vec<f64> = (0..n * (n + 1) / 2).map(within).collect();
    let normal = |group: &&Group| {
        let borrowed = if kept.len() > 1 { BORROWED } else { 0.0 };
        let mut covariance = vec![0.0; n * n];
        let mut at = 0;
        for i in 0..n {
            for j in 0..=i {
                let spread = WIDER * WIDER * (group.products[at] + borrowed * within[at]) / (group.weight + borrowed);
                covariance[i * n + j] = if i == j { spread * (1.0 + 1e-9) } else { spread };
                at += 1;
            }
        }
        Some(Normal { mean: group.mean.clone(), factor: cholesky(&covariance, n)?, share: group.weight / weight })
    };
    let components: Vec<Normal> = kept.iter().map(normal).collect::<Option<_>>()?;
    Approximation::of(&components, n)
}

/// First groups: about states that are far from one another in units of the whole, each state with the nearest.
fn apart(rows: &[&[f64]], whole: &Approximation, components: usize, n: usize) -> Vec<(usize, f64)> {
    let mut white = Vec::with_capacity(rows.len() * n);
    for row in rows {
        let mut z = [0.0; MOST];
        whole.solve(0, row, &mut z);
        white.extend_from_slice(&z[..n]);
    }
    let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let mut centres = white[..n].to_vec();
    let mut distances: Vec<f64> = white.chunks_exact(n).map(|row| square(row, &centres)).collect();
    // The next one with odds of the squared distance to the nearest, at a place that no random number is needed for.
    let mut place = 0.0f64;
    while centres.len() < components * n {
        place = (place + 0.618_033_988_749_895).fract();
        let mut left = place * distances.iter().sum::<f64>();
        let next = distances.iter().position(|d| {
            left -= d;
            left < 0.0
        });
        let next = next.unwrap_or(0) * n;
        let centre = white[next..next + n].to_vec();
        distances.iter_mut().zip(white.chunks_exact(n)).for_each(|(d, row)| *d = d.min(square(row, &centre)));
        centres.extend(centre);
    }
    let nearest = |centres: &[f64], row: &[f64]| {
        let distances = centres.chunks_exact(n).map(|centre| square(row, centre)).enumerate();
        distances.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(at, _)| at)
    };
    for _ in 0..TURNS.0 {
        let (mut sums, mut counts) = (vec![0.0; components * n], vec![0.0; components]);
        for row in white.chunks_exact(n) {
            let own = nearest(&centres, row);
            counts[own] += 1.0;
            sums[own * n..(own + 1) * n].iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        for (own, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            (own * n..(own + 1) * n).for_each(|i| centres[i] = sums[i] / count);
        }
    }
    white.chunks_exact(n).map(|row| (nearest(&centres, row), 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::super::rivals::standard;
    use super::*;
    use crate::random::{Key, Stream};

    /// States of four parameters from three normal densities that lie apart, the third one narrow; the first has half of them.
    fn states(count: usize, random: &mut Stream) -> Vec<[f64; 4]> {
        let one = |_| {
            let which = random.random::<f64>();
            let mut z: [f64; 4] = std::array::from_fn(|_| standard(random));
            z[1] += 0.8 * z[0];
            match which {
                u if u < 0.5 => z,
                u if u < 0.8 => [z[0] + 7.0, z[1] - 5.0, 2.0 * z[2], z[3]],
                _ => [0.1 * z[0] - 6.0, 0.1 * z[1] - 6.0, 0.3 * z[2], 0.1 * z[3] + 4.0],
            }
        };
        (0..count).map(one).collect()
    }

    fn learned(states: &[[f64; 4]], components: usize) -> Option<Approximation> {
        let (mut a, mut b) = (States::default(), States::default());
        let half = states.len() / 2;
        states[..half].iter().for_each(|state| a.add(state, 4096));
        states[half..].iter().for_each(|state| b.add(state, 4096));
        approximation(&[&a, &b], 4, components)
    }

    /// Mean ln density of new states: of three components it is within .05 of that of the densities they come from but widened (each of the four
    /// parameters costs ln 1.1 − ½(1 − 1/1.21) = .0086), of one it is far less; more components than there are do little harm.
    #[test]
    fn as_many_components_as_there_are_describe_the_states() {
        let mut random = Key::new(3, "states", "", "", 0).stream(0, 0, 0);
        let (seen, new) = (states(1500, &mut random), states(4000, &mut random));
        let mean = |of: &dyn Fn(&[f64; 4]) -> f64| new.iter().map(of).sum::<f64>() / new.len() as f64;
        let truth = |x: &[f64; 4]| {
            let square = |a: f64, b: f64, c: f64, d: f64| a * a + (b - 0.8 * a).powi(2) + c * c + d * d;
            let all = [
                0.5 * (-0.5 * square(x[0], x[1], x[2], x[3])).exp(),
                0.3 / 2.0 * (-0.5 * square(x[0] - 7.0, x[1] + 5.0, x[2] / 2.0, x[3])).exp(),
                0.2 / 0.0003 * (-0.5 * square((x[0] + 6.0) * 10.0, (x[1] + 6.0) * 10.0, x[2] / 0.3, (x[3] - 4.0) * 10.0)).exp(),
            ];
            all.iter().sum::<f64>().ln() - 2.0 * std::f64::consts::TAU.ln()
        };
        let best = mean(&truth);
        let short = |components: usize| {
            let learned = learned(&seen, components).unwrap();
            assert_eq!(learned.components(), components);
            best - mean(&|x| learned.ln_density(x, &mut [0.0; MOST_COMPONENTS]))
        };
        let (one, three, eight) = (short(1), short(3), short(8));
        println!("short of the truth by {one:.3} with one component, {three:.3} with three, {eight:.3} with eight");
        assert!(three < 0.034 + 0.05 && eight < 0.2 && one > 1.0, "{one} {three} {eight}");
    }

    #[test]
    fn too_few_states_or_flat_ones_describe_nothing() {
        let seen = states(200, &mut Key::new(4, "states", "", "", 0).stream(0, 0, 0));
        assert!(learned(&seen[..LEAST_SEEN * 4 - 1], 1).is_none());
        assert_eq!(learned(&seen[..LEAST_SEEN * 4], 8).unwrap().components(), 1, "as many as the states allow");
        assert!(learned(&[[1.0; 4]; 100], 1).is_none() && learned(&[[f64::NAN; 4]; 100], 2).is_none());
        // Half of them all alike: the component that has them borrows a width from the others.
        let half: Vec<[f64; 4]> = seen.iter().enumerate().map(|(i, state)| if i % 2 == 0 { *state } else { [20.0; 4] }).collect();
        assert!(learned(&half, 2).unwrap().ln_density(&[20.0; 4], &mut [0.0; MOST_COMPONENTS]).is_finite());
    }

    #[test]
    fn states_kept_are_evenly_spaced() {
        let mut states = States::default();
        (0..1000).for_each(|i| states.add(&[f64::from(i), -f64::from(i)], 100));
        let rows: Vec<f64> = states.rows.chunks_exact(2).map(|row| row[0]).collect();
        assert_eq!(rows, (0..63).map(|i| f64::from(16 * i)).collect::<Vec<_>>());
        assert!(states.rows.chunks_exact(2).all(|row| row[1] == -row[0]));
    }
}
