//! Labels of exchangeable peaks: of all ways to tell the peaks of every draw apart, the one in which each label's peaks lie closest
//! together.
//!
//! A label has a mean and a standard deviation in each coordinate, and each draw's peaks go to the labels of highest joint normal density
//! (the optimal assignment); means and deviations follow, until nothing changes. Each round can only lower Σ ln sd, so it ends; which end
//! is reached depends on the start, so there are several, and the lowest Σ ln sd is kept (Stephens, J. R. Stat. Soc. B 62 (2000) 795).

/// Draws that means and deviations are learned from, evenly spaced; all draws are then assigned.
const LEARNED_FROM: usize = 500;
/// Rounds at most; some five are usual.
const ROUNDS: usize = 30;
/// Another start must come out lower by this, in nats a draw, so that rounding never decides.
const LOWER: f64 = 1e-6;

/// Peaks of one kind over draws.
#[derive(Debug)]
pub(super) struct Cloud {
    /// Peaks of a draw.
    pub peaks: usize,
    /// Coordinates of a peak; the first is its position.
    pub coordinates: usize,
    /// Draw by draw, peak by peak, coordinate by coordinate.
    pub points: Vec<f64>,
    /// The draw of highest posterior density.
    pub densest: usize,
}

/// Means and standard deviations, label by label, coordinate by coordinate.
#[derive(Clone, Debug)]
struct Labels {
    mean: Vec<f64>,
    sd: Vec<f64>,
}

impl Cloud {
    /// For every draw, which of its peaks has each label; labels are in the order of their mean positions.
    pub fn labels(&self) -> Vec<usize> {
        let (k, p) = (self.peaks, self.coordinates);
        let draws = self.points.len() / (k * p).max(1);
        let sorted = |coordinate: usize, draw: usize| {
            let mut order: Vec<usize> = (0..k).collect();
            order.sort_by(|&a, &b| self.at(draw, a, coordinate).total_cmp(&self.at(draw, b, coordinate)));
            order
        };
        let learned: Vec<usize> = (0..draws).step_by(draws.div_ceil(LEARNED_FROM).max(1)).collect();
        if k < 2 || learned.len() < 2 {
            return (0..draws).flat_map(|draw| sorted(0, draw)).collect();
        }
        let starts = (0..p).map(|c| self.moments(&learned, &learned.iter().flat_map(|&draw| sorted(c, draw)).collect::<Vec<_>>()));
        let starts: Vec<Labels> = starts.collect();
        let densest = Labels { mean: self.points[self.densest * k * p..][..k * p].to_vec(), sd: starts[0].sd.clone() };
        let mut best: Option<(f64, Labels)> = None;
        for start in starts.into_iter().chain([densest]) {
            let (spread, labels) = self.settled(&learned, start);
            if best.as_ref().is_none_or(|(least, _)| spread < least - LOWER) {
                best = Some((spread, labels));
            }
        }
        let Some((_, labels)) = best else { return Vec::new() };
        let all: Vec<usize> = (0..draws).collect();
        let assigned = self.assigned(&all, &labels);
        let place = self.moments(&all, &assigned);
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by(|&a, &b| place.mean[a * p].total_cmp(&place.mean[b * p]));
        assigned.chunks_exact(k).flat_map(|draw| order.iter().map(|&label| draw[label])).collect()
    }

    fn at(&self, draw: usize, peak: usize, coordinate: usize) -> f64 {
        self.points[(draw * self.peaks + peak) * self.coordinates + coordinate]
    }

    /// Σ ln sd and the labels where no round lowers it.
    fn settled(&self, draws: &[usize], start: Labels) -> (f64, Labels) {
        let (mut least, mut labels) = (f64::INFINITY, start);
        for _ in 0..ROUNDS {
            labels = self.moments(draws, &self.assigned(draws, &labels));
            let spread: f64 = labels.sd.iter().map(|s| s.ln()).sum();
            if spread > least - LOWER {
                break;
            }
            least = spread;
        }
        (least, labels)
    }

    /// Peaks by label, draw by draw. ln sd is the same for every assignment, so squared distances alone decide.
    fn assigned(&self, draws: &[usize], labels: &Labels) -> Vec<usize> {
        let (k, p) = (self.peaks, self.coordinates);
        let mut all = Vec::with_capacity(draws.len() * k);
        let mut cost = vec![0.0; k * k];
        for &draw in draws {
            for (i, cost) in cost.iter_mut().enumerate() {
                let (label, peak) = (i / k, i % k);
                let off = |c: usize| ((self.at(draw, peak, c) - labels.mean[label * p + c]) / labels.sd[label * p + c]).powi(2);
                *cost = (0..p).map(off).sum();
            }
            all.extend(assignment(&cost, k));
        }
        all
    }

    /// Of the peaks that each label has over some draws.
    fn moments(&self, draws: &[usize], assigned: &[usize]) -> Labels {
        let (k, p) = (self.peaks, self.coordinates);
        let n = draws.len() as f64;
        let over = |label: usize, c: usize, f: &dyn Fn(f64) -> f64| {
            draws.iter().enumerate().map(|(i, &draw)| f(self.at(draw, assigned[i * k + label], c))).sum::<f64>() / n
        };
        let (mut mean, mut sd) = (vec![0.0; k * p], vec![0.0; k * p]);
        for label in 0..k {
            for c in 0..p {
                let m = over(label, c, &|v| v);
                mean[label * p + c] = m;
                // What never varies tells peaks apart as well as rounding allows.
                sd[label * p + c] = over(label, c, &|v| (v - m).powi(2)).sqrt().max(1e-9 * m.abs()).max(1e-300);
            }
        }
        Labels { mean, sd }
    }
}

/// The column of each row that makes the sum of costs least; `cost` has k rows of k. Shortest augmenting paths with potentials
/// (Jonker and Volgenant, Computing 38 (1987) 325), k³ steps.
fn assignment(cost: &[f64], k: usize) -> Vec<usize> {
    // Rows and columns count from 1; 0 is the root of the path.
    let (mut row_price, mut column_price) = (vec![0.0; k + 1], vec![0.0; k + 1]);
    let mut row_of = vec![0; k + 1];
    let mut way = vec![0; k + 1];
    for row in 1..=k {
        row_of[0] = row;
        let mut column = 0;
        let mut least = vec![f64::INFINITY; k + 1];
        let mut seen = vec![false; k + 1];
        loop {
            seen[column] = true;
            let from = row_of[column];
            let (mut step, mut next) = (f64::INFINITY, 0);
            for j in 1..=k {
                if seen[j] {
                    continue;
                }
                let reduced = cost[(from - 1) * k + j - 1] - row_price[from] - column_price[j];
                if reduced < least[j] {
                    least[j] = reduced;
                    way[j] = column;
                }
                if least[j] < step || next == 0 {
                    (step, next) = (least[j], j);
                }
            }
            for j in 0..=k {
                if seen[j] {
                    row_price[row_of[j]] += step;
                    column_price[j] -= step;
                } else {
                    least[j] -= step;
                }
            }
            column = next;
            if row_of[column] == 0 {
                break;
            }
        }
        while column != 0 {
            row_of[column] = row_of[way[column]];
            column = way[column];
        }
    }
    let mut columns = vec![0; k];
    for j in 1..=k {
        columns[row_of[j] - 1] = j - 1;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::Prior;
    use crate::random::Key;

    fn permutations(k: usize) -> Vec<Vec<usize>> {
        if k == 0 {
            return vec![Vec::new()];
        }
        let with = |rest: Vec<usize>| (0..k).map(move |at| [&rest[..at], &[k - 1], &rest[at..]].concat());
        permutations(k - 1).into_iter().flat_map(with).collect()
    }

    #[test]
    fn no_permutation_costs_less() {
        let mut stream = Key::new(3, "assignment", "", "", 0).stream(0, 0, 0);
        let unit = Prior::Uniform { low: 0.0, high: 1.0 };
        for k in 1..=6 {
            for _ in 0..50 {
                let cost: Vec<f64> = (0..k * k).map(|_| unit.sample(&mut stream)).collect();
                let sum = |columns: &[usize]| columns.iter().enumerate().map(|(i, j)| cost[i * k + j]).sum::<f64>();
                let least = permutations(k).iter().map(|p| sum(p)).fold(f64::INFINITY, f64::min);
                assert!(sum(&assignment(&cost, k)) <= least + 1e-12);
            }
        }
    }

    /// Two peaks at one place, 1 ± .1, whose widths are .2 and .3 ± .01: five standard deviations from the middle, so one label in three
    /// million is wrong. In each draw they stand in random order, as exchange moves leave them. Labels by position mix the widths.
    #[test]
    fn peaks_that_cross_are_told_apart_by_what_does_not() {
        let mut stream = Key::new(4, "crossing", "", "", 0).stream(0, 0, 0);
        let normal = Prior::Normal { mean: 0.0, sd: 1.0 };
        let mut swapped = Vec::new();
        let mut points = Vec::new();
        for draw in 0..4000 {
            let mut z = || normal.sample(&mut stream);
            let pair = [[1.0 + 0.1 * z(), 0.2 + 0.01 * z()], [1.0 + 0.1 * z(), 0.3 + 0.01 * z()]];
            let swap = (draw * 7919) % 3 == 1;
            swapped.push(swap);
            points.extend(if swap { [pair[1], pair[0]] } else { pair }.concat());
        }
        let cloud = Cloud { peaks: 2, coordinates: 2, points, densest: 17 };
        let labels = cloud.labels();
        let right = |labels: &[usize]| labels.chunks(2).zip(&swapped).filter(|(l, s)| (l[0] == 1) == **s).count();
        let n = right(&labels).max(4000 - right(&labels));
        assert!(n >= 3998, "{n} of 4000 draws are labelled as they were made");
        // The mutant: labels by position are right in half of the draws, ± 32.
        let by_position: Vec<usize> =
            (0..4000).flat_map(|d| if cloud.at(d, 0, 0) <= cloud.at(d, 1, 0) { [0, 1] } else { [1, 0] }).collect();
        assert!((right(&by_position) as f64 - 2000.0).abs() < 200.0);
    }

    #[test]
    fn peaks_that_stand_apart_are_labelled_by_position() {
        let points = (0..300).flat_map(|d: usize| {
            let wobble = 0.01 * (d as f64).sin();
            let three = [3.0 + wobble, 1.0 - wobble, 2.0 + wobble];
            (0..3).map(move |i| three[(i + d) % 3])
        });
        let cloud = Cloud { peaks: 3, coordinates: 1, points: points.collect(), densest: 0 };
        for (d, labels) in cloud.labels().chunks(3).enumerate() {
            let positions: Vec<f64> = labels.iter().map(|&i| cloud.at(d, i, 0)).collect();
            assert!(positions.is_sorted(), "{positions:?}");
        }
    }
}
