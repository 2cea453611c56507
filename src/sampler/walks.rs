//! Random walks of many walkers abreast: random numbers, steps, ratios of priors, bounds and coefficients, as arrays across walkers.
//!
//! Most moves are walks, and on a device or on short data they cost the host more than the engine, so they alone are made this way. The numbers
//! are plain arithmetic in f64, which a compiler turns into the vectors of any instruction set with the same bits, but for normal numbers,
//! which are f32: a step only has to be as likely as its opposite.

use fearless_simd::{Level, Simd, SimdBase, SimdInto, f32x16};

use super::adapt::Tuning;
use super::chains::Trial;
use super::schedule::{LARGEST_BLOCK, Target};
use crate::engine::Moves;
use crate::models::level::OnLevel;
use crate::models::{ABREAST, Abreast, MAX_PARAMETERS, Number};
use crate::noise::{self, Scale};
use crate::problem::Problem;
use crate::random::{self, Source, Stream};

/// 2⁻³², one over the number of 32-bit words.
const PER_WORD: f64 = 1.0 / 4_294_967_296.0;
/// Bits of a word that say how far into a quadrant an angle lies; the two above them say into which.
const ANGLE: u32 = 0x3fff_ffff;

/// One walk of some walkers of some ladders.
pub struct Walks<'a> {
    pub problem: &'a Problem,
    pub target: &'a Target,
    pub tuning: &'a Tuning,
    /// Which move of the sweep it is.
    pub step: usize,
    pub sources: &'a [Source],
    pub sweep: u32,
    /// The walkers, ascending, none at β = 0.
    pub walkers: &'a [u32],
    pub place_of: &'a [u32],
    pub betas: &'a [f64],
    pub scales: &'a [Scale],
    /// Proposals of each walker.
    pub proposals: usize,
    /// Number of the first walker in the tile.
    pub offset: u32,
    /// States of all walkers.
    pub theta: &'a [f64],
    /// Proposals of all walkers: what the walk does not change is that of the state.
    pub trial: &'a mut [f64],
    pub ln_ratio: &'a mut [f64],
    pub state: &'a mut [Trial],
    /// Of each walker that has one proposal, the number that decides it.
    pub uniform: &'a mut [f64],
    /// Of each walker, the stream that goes on after its proposals; written where `streamed`.
    pub streams: &'a mut [Stream],
    pub streamed: bool,
    pub room: &'a mut Room,
    pub moves: &'a mut Moves,
}

/// Room for what is computed abreast, of one problem after the other.
#[derive(Debug)]
pub struct Room {
    normals: Box<[Abreast; LARGEST_BLOCK]>,
    values: Box<[Abreast; MAX_PARAMETERS]>,
    coefficients: Vec<f64>,
}

impl Default for Room {
    fn default() -> Self {
        let (normals, values) = (Box::new([[0.0; ABREAST]; LARGEST_BLOCK]), Box::new([[0.0; ABREAST]; MAX_PARAMETERS]));
        Self { normals, values, coefficients: Vec::new() }
    }
}

/// Proposals that are made abreast; those beyond `count` repeat the last.
struct Rows {
    count: usize,
    walker: [u32; ABREAST],
    rival: [u32; ABREAST],
    source: [Source; ABREAST],
    /// Place among all proposals.
    at: [usize; ABREAST],
    place: [usize; ABREAST],
}

impl OnLevel for Walks<'_> {
    type Output = ();

    #[inline(always)]
    fn on<S: Simd>(mut self, simd: S) {
        simd.vectorize(
            #[inline(always)]
            || self.all(simd),
        );
    }
}

#[expect(clippy::needless_range_loop, reason = "closures of iterators would not be compiled for the instruction set")]
impl Walks<'_> {
    #[inline(always)]
    fn all<S: Simd>(&mut self, simd: S) {
        let (mut next, mut rival, all) = (0, 0, self.walkers.len() * self.proposals);
        let Some(&first) = self.walkers.first() else { return };
        let source = [self.sources[first as usize]; ABREAST];
        let mut made = 0;
        while made < all {
            let count = (all - made).min(ABREAST);
            let mut rows = Rows { count, walker: [0; ABREAST], rival: [0; ABREAST], source, at: [0; ABREAST], place: [0; ABREAST] };
            for lane in 0..ABREAST {
                let w = self.walkers[next];
                (rows.walker[lane], rows.rival[lane], rows.place[lane]) = (w, rival, self.place_of[w as usize] as usize);
                rows.source[lane] = self.sources[w as usize];
                rows.at[lane] = w as usize * self.proposals + rival as usize;
                if lane + 1 < count {
                    rival += 1;
                    if rival as usize == self.proposals {
                        (rival, next) = (0, next + 1);
                    }
                }
            }
            (rival, next) = if rival as usize + 1 == self.proposals { (0, next + 1) } else { (rival + 1, next) };
            self.propose(simd, &rows);
            made += count;
        }
    }

    #[inline(always)]
    fn propose<S: Simd>(&mut self, simd: S, rows: &Rows) {
        self.draw(simd, rows);
        let (problem, d, parameters) = (self.problem, self.problem.dimension(), self.target.parameters.as_slice());
        let n = parameters.len();
        let factors = self.tuning.shapes(self.step);
        let (mut size, mut factor) = ([0.0; ABREAST], [0; ABREAST]);
        for lane in 0..ABREAST {
            (size[lane], factor[lane]) = (self.tuning.ln_size(rows.place[lane], self.step), rows.place[lane] * n * n);
        }
        for size in &mut size {
            *size = Number::exp(*size);
        }
        for scale in self.scales.iter().filter(|scale| parameters.contains(&scale.parameter)) {
            for lane in 0..ABREAST {
                if scale.collapses(self.betas[rows.place[lane]]) {
                    // Nothing to propose: it is drawn when the move is decided.
                    size[lane] = 0.0;
                }
            }
        }
        let mut fine = [false; ABREAST];
        for lane in 0..rows.count {
            fine[lane] = true;
        }
        let mut ln_ratio = [0.0; ABREAST];
        for row in 0..n {
            let parameter = &problem.parameters[parameters[row]];
            let (mut from, mut delta, mut to) = ([0.0; ABREAST], [0.0; ABREAST], [0.0; ABREAST]);
            let mut along = [0.0; ABREAST];
            for column in 0..=row {
                let (mut shape, normals) = ([0.0; ABREAST], &self.room.normals[column]);
                for lane in 0..ABREAST {
                    shape[lane] = factors[factor[lane] + row * n + column];
                }
                for lane in 0..ABREAST {
                    along[lane] += shape[lane] * normals[lane];
                }
            }
            for lane in 0..ABREAST {
                delta[lane] = size[lane] * along[lane];
                from[lane] = self.theta[rows.walker[lane] as usize * d + parameters[row]];
            }
            parameter.prior.steps(&from, &delta, &mut to, &mut ln_ratio);
            let (low, high) = parameter.bounds;
            for lane in 0..ABREAST {
                fine[lane] &= to[lane] >= low;
                fine[lane] &= to[lane] <= high;
            }
            for lane in 0..rows.count {
                self.trial[rows.at[lane] * d + parameters[row]] = to[lane];
            }
        }
        for lane in 0..ABREAST {
            fine[lane] &= ln_ratio[lane] > f64::NEG_INFINITY;
        }
        self.prepare(simd.level(), rows, &mut fine);
        for lane in 0..rows.count {
            self.ln_ratio[rows.at[lane]] = ln_ratio[lane];
            self.state[rows.at[lane]] = if fine[lane] { Trial::Evaluated } else { Trial::Refused };
        }
        if self.streamed {
            self.go_on(rows);
        }
        self.hand_on(rows, &fine);
    }

    /// Normal numbers of every proposal, one a parameter, and of the only one of a walker the number that decides it. Several proposals step from the
    /// state to a centre and from there to each, half of the variance each, so that state and proposals are all alike to the centre.
    #[inline(always)]
    fn draw<S: Simd>(&mut self, simd: S, rows: &Rows) {
        let pairs = self.target.parameters.len().div_ceil(2);
        if self.proposals == 1 {
            let uniform = self.pairs(simd, rows, &[0; ABREAST], pairs);
            for lane in 0..rows.count {
                self.uniform[rows.walker[lane] as usize] = uniform[lane];
            }
            return;
        }
        let (blocks, mut first) = (pairs.div_ceil(2) as u32, [0; ABREAST]);
        self.pairs(simd, rows, &first, pairs);
        let centre = *self.room.normals;
        for lane in 0..ABREAST {
            first[lane] = blocks * (1 + rows.rival[lane]);
        }
        self.pairs(simd, rows, &first, pairs);
        for row in 0..self.target.parameters.len() {
            for lane in 0..ABREAST {
                self.room.normals[row][lane] = std::f64::consts::FRAC_1_SQRT_2 * (self.room.normals[row][lane] + centre[row][lane]);
            }
        }
    }

    /// So many pairs of normal numbers from each proposal's first block on, and a uniform number from the two words that follow.
    #[inline(always)]
    fn pairs<S: Simd>(&mut self, simd: S, rows: &Rows, first: &[u32; ABREAST], pairs: usize) -> Abreast {
        let mut uniform = [0.0; ABREAST];
        for block in 0..=pairs / 2 {
            let mut number = *first;
            for lane in 0..ABREAST {
                number[lane] += block as u32;
            }
            let words = random::words(simd, &rows.source, &number, self.sweep, self.step as u32);
            for half in 0..2 {
                let (pair, words) = (2 * block + half, [&words[2 * half], &words[2 * half + 1]]);
                if pair < pairs {
                    let [a, b] = normals(simd, words);
                    (self.room.normals[2 * pair], self.room.normals[2 * pair + 1]) = (a, b);
                } else if pair == pairs {
                    for lane in 0..ABREAST {
                        // As `rand` makes an f64 of two words.
                        let bits = (u64::from(words[0][lane]) | u64::from(words[1][lane]) << 32) >> 11;
                        uniform[lane] = bits as f64 * (1.0 / (1_u64 << 53) as f64);
                    }
                }
            }
        }
        uniform
    }

    /// Coefficients of the changed terms, term after term and walker after walker; those that the model refuses, or that leave the numbers, are not
    /// fine.
    #[inline(always)]
    fn prepare(&mut self, level: Level, rows: &Rows, fine: &mut [bool; ABREAST]) {
        let (problem, d) = (self.problem, self.problem.dimension());
        let Room { values: all, coefficients, .. } = &mut *self.room;
        let mut from = 0;
        for &k in &self.target.terms {
            let term = &problem.terms[k as usize];
            for (values, binding) in all.iter_mut().zip(&term.bindings) {
                if let Some(i) = binding.free {
                    for lane in 0..ABREAST {
                        values[lane] = self.trial[rows.at[lane] * d + i];
                    }
                }
                binding.values(values);
            }
            let length = term.extent.len();
            let end = from + length * ABREAST;
            if coefficients.len() < end {
                coefficients.resize(end, 0.0);
            }
            let out = &mut coefficients[from..end];
            from = end;
            (term.model.prepare_abreast)(level, &all[..term.bindings.len()], &term.setup, out, fine);
            for (lane, own) in out.chunks_exact(length).enumerate() {
                for coefficient in own {
                    fine[lane] &= coefficient.is_finite();
                }
            }
        }
    }

    /// Streams of walkers whose decision wants more than one number, or is followed.
    fn go_on(&mut self, rows: &Rows) {
        let pairs = self.target.parameters.len().div_ceil(2);
        let words = if self.proposals == 1 { 2 * pairs } else { 4 * pairs.div_ceil(2) * (1 + self.proposals) };
        for &w in &rows.walker[..rows.count] {
            self.streams[w as usize] = self.sources[w as usize].stream_after(words as u32, self.sweep, self.step as u32);
        }
    }

    /// Appends what the engine is to evaluate.
    #[inline(always)]
    fn hand_on(&mut self, rows: &Rows, fine: &[bool; ABREAST]) {
        let terms = &self.target.terms;
        if terms.is_empty() {
            for lane in 0..rows.count {
                if fine[lane] {
                    self.state[rows.at[lane]] = Trial::Free;
                }
            }
            return;
        }
        // The lanes that are handed on, side by side.
        let (mut lanes, mut walkers, mut count) = ([0; ABREAST], [0; ABREAST], 0);
        for lane in 0..rows.count {
            (lanes[count], walkers[count]) = (lane, self.offset + rows.walker[lane]);
            count += usize::from(fine[lane]);
        }
        let (lanes, moves) = (&lanes[..count], &mut *self.moves);
        moves.walker.extend_from_slice(&walkers[..count]);
        let (first_term, first) = (moves.term.len() as u32, moves.coefficients.len() as u32);
        let each: usize = terms.iter().map(|&k| self.problem.terms[k as usize].extent.len()).sum();
        for place in 1..=count as u32 {
            moves.term_start.push(first_term + place * terms.len() as u32);
            moves.coefficient_start.push(first + place * each as u32);
        }
        moves.coefficients.resize(first as usize + count * each, 0.0);
        moves.term.resize(first_term as usize + count * terms.len(), 0);
        let (handed, changed) = (&mut moves.coefficients[first as usize..], &mut moves.term[first_term as usize..]);
        let (mut from, mut at) = (0, 0);
        for (number, &k) in terms.iter().enumerate() {
            let length = self.problem.terms[k as usize].extent.len();
            let all = &self.room.coefficients[from..from + length * ABREAST];
            for (place, &lane) in lanes.iter().enumerate() {
                let out = &mut handed[place * each + at..place * each + at + length];
                for (out, coefficient) in out.iter_mut().zip(&all[lane * length..(lane + 1) * length]) {
                    *out = *coefficient;
                }
                changed[place * terms.len() + number] = k;
            }
            (from, at) = (from + length * ABREAST, at + length);
        }
        if moves.followed {
            for &lane in lanes {
                moves.beta.push(self.betas[rows.place[lane]]);
                moves.ln_ratio.push(self.ln_ratio[rows.at[lane]]);
                moves.stream.push(self.streams[rows.walker[lane] as usize].clone());
            }
        }
    }
}

/// Two normal numbers from two words (Box and Muller, Ann. Math. Stat. 29 (1958) 610), in f32 and at most 6.8. The angle is drawn within a quadrant and
/// the quadrant by two signs, so that opposite numbers are equally likely to the last bit.
#[inline(always)]
fn normals<S: Simd>(simd: S, words: [&[u32; ABREAST]; 2]) -> [Abreast; 2] {
    let (mut share, mut angle) = ([0.0f32; ABREAST], [0.0f32; ABREAST]);
    for lane in 0..ABREAST {
        share[lane] = ((f64::from(words[0][lane]) + 0.5) * PER_WORD) as f32;
        angle[lane] = ((f64::from(words[1][lane] & ANGLE) + 0.5) * (std::f64::consts::TAU * PER_WORD)) as f32;
    }
    let (share, angle): (f32x16<S>, f32x16<S>) = (share.simd_into(simd), angle.simd_into(simd));
    let radius = Number::sqrt(Number::ln(share) * -2.0);
    let (a, b) = ((radius * Number::cos(angle)).to_array(), (radius * Number::sin(angle)).to_array());
    let mut pair = [[0.0; ABREAST]; 2];
    for lane in 0..ABREAST {
        let sign = words[1][lane];
        pair[0][lane] = f64::from(f32::from_bits(a[lane].to_bits() ^ (sign & 0x8000_0000)));
        pair[1][lane] = f64::from(f32::from_bits(b[lane].to_bits() ^ ((sign << 1) & 0x8000_0000)));
    }
    pair
}

/// Metropolis's rule for the proposals of a walk, each the only one of its walker, where no scale is integrated out.
pub struct Decide<'a> {
    pub problem: &'a Problem,
    /// Which move of the sweep it is.
    pub step: usize,
    /// The walkers, ascending, none at β = 0.
    pub walkers: &'a [u32],
    pub place_of: &'a [u32],
    pub betas: &'a [f64],
    /// Parameters that the walk changes.
    pub changed: &'a [usize],
    pub state: &'a [Trial],
    pub ln_ratio: &'a [f64],
    pub uniform: &'a [f64],
    pub theta: &'a mut [f64],
    pub trial: &'a mut [f64],
    pub misfits: &'a mut [f64],
    pub energy: &'a mut [f64],
    pub tuning: &'a mut Tuning,
    /// Misfits of those proposals that were handed on.
    pub new: &'a [f64],
    /// What becomes of them.
    pub choices: &'a mut Vec<bool>,
}

impl OnLevel for Decide<'_> {
    /// How many misfits were read, and how many proposals had an energy that is no number.
    type Output = (usize, u64);

    #[inline(always)]
    fn on<S: Simd>(mut self, simd: S) -> (usize, u64) {
        simd.vectorize(
            #[inline(always)]
            || {
                let (mut read, mut broken) = (0, 0);
                for walkers in self.walkers.chunks(ABREAST) {
                    broken += self.some(walkers, &mut read);
                }
                (read, broken)
            },
        )
    }
}

impl Decide<'_> {
    /// As many walkers as are abreast, or fewer.
    #[inline(always)]
    fn some(&mut self, walkers: &[u32], read: &mut usize) -> u64 {
        let (d, m, count) = (self.problem.dimension(), self.problem.measurements.len(), walkers.len());
        let (mut energy, mut ln_weight, mut uniform) = ([0.0; ABREAST], [f64::NAN; ABREAST], [1.0; ABREAST]);
        let (mut from, mut broken) = (*read, 0);
        for lane in 0..count {
            let w = walkers[lane] as usize;
            if self.state[w] == Trial::Refused {
                continue;
            }
            let own = if self.state[w] == Trial::Free {
                &self.misfits[w * m..(w + 1) * m]
            } else {
                from += m;
                &self.new[from - m..from]
            };
            energy[lane] = noise::energy(self.problem, own, &self.trial[w * d..(w + 1) * d]);
            let rise = self.betas[self.place_of[w] as usize] * (energy[lane] - self.energy[w]);
            broken += u64::from(rise.is_nan());
            ln_weight[lane] = self.ln_ratio[w] - rise;
            uniform[lane] = self.uniform[w];
        }
        let mut taken = [false; ABREAST];
        for lane in 0..ABREAST {
            taken[lane] = (ln_weight[lane] >= 0.0) | (uniform[lane] < Number::exp(ln_weight[lane]));
        }
        for lane in 0..count {
            let (w, keep) = (walkers[lane] as usize, taken[lane]);
            self.tuning.count(self.place_of[w] as usize, self.step, keep);
            if self.state[w] == Trial::Evaluated {
                if keep {
                    self.misfits[w * m..(w + 1) * m].copy_from_slice(&self.new[*read..*read + m]);
                }
                *read += m;
                self.choices.push(keep);
            }
            let (state, trial) = (&mut self.theta[w * d..(w + 1) * d], &mut self.trial[w * d..(w + 1) * d]);
            if keep {
                self.energy[w] = energy[lane];
                for &i in self.changed {
                    state[i] = trial[i];
                }
            } else {
                for &i in self.changed {
                    trial[i] = state[i];
                }
            }
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::level;

    /// Words of walkers abreast, made into normal numbers.
    struct Draw<'a>([&'a [u32; ABREAST]; 2]);

    impl OnLevel for Draw<'_> {
        type Output = [Abreast; 2];

        #[inline(always)]
        fn on<S: Simd>(self, simd: S) -> [Abreast; 2] {
            normals(simd, self.0)
        }
    }

    /// χ² of a million numbers in forty cells of equal probability, and of their pairs in forty times as many, below the level of 10⁻⁵; numbers
    /// half a per cent too wide are not. Words at the ends of their range give finite numbers, and those with the signs turned the opposite.
    #[test]
    fn numbers_are_normal_and_as_likely_as_their_opposites() {
        const CELLS: usize = 40;
        let (key, level) = (random::Key::new(11, "normal", "", "", 0), level::chosen().unwrap());
        let mut pairs = Vec::new();
        for walker in 0..1 << 15 {
            let mut stream = key.stream(walker, 0, 0);
            let words: [[u32; ABREAST]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| rand::Rng::next_u32(&mut stream)));
            let [a, b] = level::on(level, Draw([&words[0], &words[1]]));
            let [c, d] = level::on(level, Draw([&words[0], &words[1].map(|w| w ^ 0xc000_0000)]));
            assert_eq!((a.map(|v| -v), b.map(|v| -v)), (c, d));
            pairs.extend(a.into_iter().zip(b));
        }
        let chi2 = |wider: f64| {
            let cell = |z: f64| {
                (puruspe::erfc(-wider * z * std::f64::consts::FRAC_1_SQRT_2) * 0.5 * CELLS as f64).min(CELLS as f64 - 1.0) as usize
            };
            let (mut alone, mut together) = ([0.0; CELLS], vec![0.0; CELLS * CELLS]);
            for &(a, b) in &pairs {
                let (a, b) = (cell(a), cell(b));
                alone[a] += 1.0;
                alone[b] += 1.0;
                together[a * CELLS + b] += 1.0;
            }
            let distance = |counts: &[f64]| {
                let expected = counts.iter().sum::<f64>() / counts.len() as f64;
                let chi2: f64 = counts.iter().map(|n| (n - expected).powi(2) / expected).sum();
                chi2 / (2.0 * puruspe::invgammp(1.0 - 1e-5, 0.5 * (counts.len() - 1) as f64))
            };
            (distance(&alone), distance(&together))
        };
        let (right, wrong) = (chi2(1.0), chi2(1.005));
        println!("χ² in units of its bound: {right:?}, of numbers half a per cent too wide {wrong:?}");
        assert!(right.0 < 1.0 && right.1 < 1.0 && wrong.0 > 1.0, "{right:?} {wrong:?}");
        let ends = [[0, u32::MAX].map(|w| [w; ABREAST]), [u32::MAX, 0].map(|w| [w; ABREAST])];
        for words in ends {
            let numbers = level::on(level, Draw([&words[0], &words[1]]));
            assert!(numbers.iter().flatten().all(|z| z.abs() < 6.8), "{numbers:?}");
        }
    }
}
