//! Random walks of the walkers at many places abreast: random numbers, steps, ratios of priors, bounds and coefficients, as arrays across places.
//!
//! Most moves are walks, and on a device or on short data they cost the host more than the engine, so they alone are made this way. The numbers
//! are plain arithmetic in f64, which a compiler turns into the vectors of any instruction set with the same bits, but for normal numbers,
//! which are f32: a step only has to be as likely as its opposite. Lanes are places next to each other, so that arrays are read as vectors;
//! those that make no move, such as β = 0, are computed all the same and left out at the end.

mod decide;

use fearless_simd::{Level, Simd, SimdBase, SimdInto, f32x16};

use super::adapt::Tuning;
use super::chains::Trial;
use super::parameters::Parameters;
use super::schedule::{Kind, LARGEST_BLOCK, Target};
use crate::engine::Moves;
use crate::models::level::OnLevel;
use crate::models::{ABREAST, Abreast, Number};
use crate::noise::Scale;
use crate::problem::Problem;
use crate::random::{self, Sources, Stream};
pub use decide::Decide;

/// 2⁻³², one over the number of 32-bit words.
const PER_WORD: f64 = 1.0 / 4_294_967_296.0;
/// Bits of a word that say how far into a quadrant an angle lies; the two above them say into which.
const ANGLE: u32 = 0x3fff_ffff;

/// One walk at all places of some ladders.
pub struct Walks<'a> {
    pub problem: &'a Problem,
    pub target: &'a Target,
    pub tuning: &'a Tuning,
    /// Which move of the sweep it is.
    pub step: usize,
    pub sources: &'a Sources,
    pub sweep: u32,
    pub walker_of: &'a [u32],
    pub betas: &'a [f64],
    pub scales: &'a [Scale],
    /// Proposals of each walker.
    pub proposals: usize,
    /// Number of the first walker in the tile.
    pub offset: u32,
    /// Parameters of all states.
    pub theta: &'a Parameters,
    /// Whether what is proposed is decided abreast, for which it is written to `proposed`; otherwise to `trial`, with the streams that go on after the
    /// proposals, and the places to `due`.
    pub abreast: bool,
    pub proposed: &'a mut Proposed,
    pub trial: &'a mut [f64],
    pub streams: &'a mut [Stream],
    pub due: &'a mut Vec<u32>,
    /// Place after place, proposal after proposal.
    pub ln_ratio: &'a mut [f64],
    pub state: &'a mut [Trial],
    pub room: &'a mut Room,
    pub moves: &'a mut Moves,
}

/// What a walk proposes at all places, one proposal each.
#[derive(Debug)]
pub struct Proposed {
    /// Parameters that it changes.
    changed: Vec<usize>,
    /// What they become, in the same order.
    values: Parameters,
    /// The number that decides at each place.
    uniform: Vec<f64>,
}

impl Proposed {
    /// Room for any walk of so many parameters.
    pub fn new(parameters: usize, places: usize) -> Self {
        let values = Parameters::new(parameters.min(LARGEST_BLOCK), places);
        Self { changed: Vec::with_capacity(LARGEST_BLOCK), values, uniform: vec![0.0; places.next_multiple_of(ABREAST)] }
    }

    /// All parameters proposed at a place whose state is `row`.
    #[cfg(test)]
    pub fn at(&self, place: usize, mut row: Vec<f64>) -> Vec<f64> {
        self.changed.iter().zip(self.values.row(place)).for_each(|(&i, value)| row[i] = value);
        row
    }
}

/// Room for what is computed abreast, of one problem after the other. A unit is a proposal of the places abreast; where there is one number a unit and a
/// row, it is row after row, unit after unit.
#[derive(Debug, Default)]
pub struct Room {
    /// Which places make the move, and the sizes of their steps.
    due: [bool; ABREAST],
    sizes: Abreast,
    /// Normal numbers to the centre, and of each unit.
    centre: Vec<Abreast>,
    normals: Vec<Abreast>,
    /// What the changed parameters become.
    to: Vec<Abreast>,
    ln_ratio: Vec<Abreast>,
    /// Whether they are admitted.
    fine: Vec<[bool; ABREAST]>,
    /// What a term is made of.
    values: Vec<Abreast>,
    /// Of each binding of the changed terms, which of the changed parameters it has.
    rows: Vec<Option<usize>>,
    /// Of each unit the coefficients of the changed terms, term after term and lane after lane.
    coefficients: Vec<f64>,
    /// Lane and unit of what is handed on.
    handed: Vec<(usize, usize)>,
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
        self.make_room();
        for first in (0..self.walker_of.len()).step_by(ABREAST) {
            self.find_due(first);
            self.draw(simd, first);
            self.step(first);
            self.prepare(simd.level(), first);
            self.tell(first);
            self.hand_on(first);
        }
    }

    /// Everything that is the same at all places, and room for the proposals of those abreast.
    fn make_room(&mut self) {
        let (parameters, terms, units) = (&self.target.parameters, &self.target.terms, self.proposals);
        self.proposed.changed.clear();
        self.proposed.changed.extend_from_slice(parameters);
        let bindings = |k: u32| &self.problem.terms[k as usize].bindings;
        let room = &mut *self.room;
        room.rows.clear();
        for &k in terms {
            let which = |free: Option<usize>| free.and_then(|i| parameters.iter().position(|p| *p == i));
            room.rows.extend(bindings(k).iter().map(|binding| which(binding.free)));
        }
        let (zeros, rows) = ([0.0; ABREAST], 2 * parameters.len().div_ceil(2));
        room.values.resize(terms.iter().map(|&k| bindings(k).len()).max().unwrap_or(0), zeros);
        room.centre.resize(rows, zeros);
        room.normals.resize(units * rows, zeros);
        room.to.resize(units * rows, zeros);
        room.ln_ratio.resize(units, zeros);
        room.fine.resize(units, [false; ABREAST]);
        let each: usize = terms.iter().map(|&k| self.problem.terms[k as usize].extent.len()).sum();
        room.coefficients.resize(units * each * ABREAST, 0.0);
        room.handed.resize(self.proposals * ABREAST, (0, 0));
    }

    #[inline(always)]
    fn find_due(&mut self, first: usize) {
        let (mut due, betas) = ([false; ABREAST], &self.betas[first..first + ABREAST]);
        for lane in 0..ABREAST {
            due[lane] = betas[lane] > 0.0;
        }
        if !self.tuning.always(self.step) {
            for lane in 0..ABREAST {
                due[lane] = due[lane] && self.tuning.wants(first + lane, self.step, Kind::Walk, self.sweep);
            }
        }
        self.room.due = due;
    }

    /// Of one proposal a walker, its normal numbers and the one that decides it. Several step from the state to a centre and from there to each, half of
    /// the variance each, so that state and proposals are all alike to the centre.
    #[inline(always)]
    fn draw<S: Simd>(&mut self, simd: S, first: usize) {
        let (n, step) = (self.target.parameters.len(), self.step as u32);
        let (pairs, of) = (n.div_ceil(2), self.sources.abreast(first));
        let Room { centre, normals, .. } = &mut *self.room;
        if self.proposals == 1 {
            let uniform = draw_pairs(simd, &of, (0, self.sweep, step), pairs, normals, 1);
            self.proposed.uniform[first..first + ABREAST].copy_from_slice(&uniform);
            return;
        }
        draw_pairs(simd, &of, (0, self.sweep, step), pairs, centre, 1);
        let blocks = pairs.div_ceil(2) as u32;
        for unit in 0..self.proposals {
            draw_pairs(simd, &of, (blocks * (1 + unit as u32), self.sweep, step), pairs, &mut normals[unit..], self.proposals);
            for row in 0..n {
                let (mut own, centre) = (normals[row * self.proposals + unit], centre[row]);
                for lane in 0..ABREAST {
                    own[lane] = std::f64::consts::FRAC_1_SQRT_2 * (own[lane] + centre[lane]);
                }
                normals[row * self.proposals + unit] = own;
            }
        }
    }

    /// Steps of the parameters, within bounds or not fine.
    #[inline(always)]
    fn step(&mut self, first: usize) {
        let (problem, parameters) = (self.problem, self.target.parameters.as_slice());
        let n = parameters.len();
        let Room { due, sizes, normals, to, ln_ratio, fine, .. } = &mut *self.room;
        let (mut size, ln_sizes) = ([0.0; ABREAST], self.tuning.ln_sizes(first, self.step));
        for lane in 0..ABREAST {
            size[lane] = Number::exp(ln_sizes[lane]);
        }
        for scale in self.scales.iter().filter(|scale| parameters.contains(&scale.parameter)) {
            for lane in 0..ABREAST {
                if scale.collapses(self.betas[first + lane]) {
                    // Nothing to propose: it is drawn when the move is decided.
                    size[lane] = 0.0;
                }
            }
        }
        *sizes = size;
        fine.fill(*due);
        ln_ratio.fill([0.0; ABREAST]);
        for row in 0..n {
            let parameter = &problem.parameters[parameters[row]];
            let (low, high) = parameter.bounds;
            for unit in 0..self.proposals {
                let (mut from, mut delta, mut along) = ([0.0; ABREAST], [0.0; ABREAST], [0.0; ABREAST]);
                for column in 0..=row {
                    let shape = self.tuning.entries(first, self.step, row * n + column);
                    let normals = &normals[column * self.proposals + unit];
                    for lane in 0..ABREAST {
                        along[lane] += shape[lane] * normals[lane];
                    }
                }
                let (theta, size) = (self.theta.abreast(parameters[row], first), *sizes);
                for lane in 0..ABREAST {
                    delta[lane] = size[lane] * along[lane];
                    from[lane] = theta[lane];
                }
                let (mut there, mut ratio, mut within) = ([0.0; ABREAST], ln_ratio[unit], fine[unit]);
                parameter.prior.steps(&from, &delta, &mut there, &mut ratio);
                for lane in 0..ABREAST {
                    within[lane] &= there[lane] >= low;
                    within[lane] &= there[lane] <= high;
                    within[lane] &= ratio[lane] > f64::NEG_INFINITY;
                }
                (to[row * self.proposals + unit], ln_ratio[unit], fine[unit]) = (there, ratio, within);
            }
        }
    }

    /// Coefficients of the changed terms; those that the model refuses, or that leave the numbers, are not fine.
    #[inline(always)]
    fn prepare(&mut self, level: Level, first: usize) {
        let proposals = self.proposals;
        let Room { values: all, to, rows, coefficients, fine, .. } = &mut *self.room;
        let each = coefficients.len() / fine.len();
        let (mut from, mut at) = (0, 0);
        for &k in &self.target.terms {
            let term = &self.problem.terms[k as usize];
            let (length, bindings) = (term.extent.len(), term.bindings.len());
            for unit in 0..proposals {
                for (b, binding) in term.bindings.iter().enumerate() {
                    let values = &mut all[b];
                    match (binding.free, rows[at + b]) {
                        (Some(_), Some(row)) => *values = to[row * proposals + unit],
                        (Some(i), None) => values.copy_from_slice(self.theta.abreast(i, first)),
                        (None, _) => {}
                    }
                    binding.values(values);
                }
                let out = &mut coefficients[unit * each + from..][..length * ABREAST];
                (term.model.prepare_abreast)(level, &all[..bindings], &term.setup, out, &mut fine[unit]);
                for (lane, own) in out.chunks_exact(length).enumerate() {
                    for coefficient in own {
                        fine[unit][lane] &= coefficient.is_finite();
                    }
                }
            }
            (from, at) = (from + length * ABREAST, at + bindings);
        }
    }

    /// What became of the proposals so far, for who decides.
    #[inline(always)]
    fn tell(&mut self, first: usize) {
        let good = if self.target.terms.is_empty() { Trial::Free } else { Trial::Evaluated };
        for unit in 0..self.proposals {
            let (due, fine, ln_ratio) = (&self.room.due, &self.room.fine[unit], &self.room.ln_ratio[unit]);
            let mut states = [Trial::None; ABREAST];
            for lane in 0..ABREAST {
                let state = if fine[lane] { good } else { Trial::Refused };
                states[lane] = if due[lane] { state } else { Trial::None };
            }
            if self.proposals == 1 {
                self.ln_ratio[first..first + ABREAST].copy_from_slice(ln_ratio);
                self.state[first..first + ABREAST].copy_from_slice(&states);
            } else {
                for lane in 0..ABREAST {
                    let at = (first + lane) * self.proposals + unit;
                    (self.ln_ratio[at], self.state[at]) = (ln_ratio[lane], states[lane]);
                }
            }
            if self.abreast {
                for row in 0..self.target.parameters.len() {
                    self.proposed.values.abreast_mut(row, first).copy_from_slice(&self.room.to[row * self.proposals + unit]);
                }
            } else {
                self.write(first, unit);
            }
        }
        if !self.abreast || self.moves.followed {
            self.go_on(first);
        }
    }

    /// Writes the proposals that are decided one by one.
    fn write(&mut self, first: usize, unit: usize) {
        let d = self.problem.dimension();
        for lane in (0..ABREAST).filter(|&lane| self.room.due[lane]) {
            let place = first + lane;
            let at = place * self.proposals + unit;
            let row = &mut self.trial[at * d..(at + 1) * d];
            row.iter_mut().zip(self.theta.row(place)).for_each(|(to, from)| *to = from);
            for (number, &i) in self.target.parameters.iter().enumerate() {
                row[i] = self.room.to[number * self.proposals + unit][lane];
            }
            if unit == 0 {
                self.due.push(place as u32);
            }
        }
    }

    /// Streams of walkers whose decision wants more than one number, or is followed.
    fn go_on(&mut self, first: usize) {
        let pairs = self.target.parameters.len().div_ceil(2);
        let words = if self.proposals == 1 { 2 * pairs } else { 4 * pairs.div_ceil(2) * (1 + self.proposals) };
        for place in (0..ABREAST).filter(|&lane| self.room.due[lane]).map(|lane| first + lane) {
            self.streams[place] = self.sources.at(place).stream_after(words as u32, self.sweep, self.step as u32);
        }
    }

    /// Appends what the engine is to evaluate.
    #[inline(always)]
    fn hand_on(&mut self, first: usize) {
        let terms = &self.target.terms;
        if terms.is_empty() {
            return;
        }
        let (moves, Room { coefficients, fine, handed, ln_ratio, .. }) = (&mut *self.moves, &mut *self.room);
        let of_unit = coefficients.len() / fine.len();
        let each = of_unit / ABREAST;
        let mut count = 0;
        for lane in 0..ABREAST {
            for unit in 0..self.proposals {
                handed[count] = (lane, unit);
                count += usize::from(fine[unit][lane]);
            }
        }
        let handed = &handed[..count];
        let (first_term, begin) = (moves.term.len() as u32, moves.coefficients.len() as u32);
        for place in 1..=count as u32 {
            moves.term_start.push(first_term + place * terms.len() as u32);
            moves.coefficient_start.push(begin + place * each as u32);
        }
        for &(lane, _) in handed {
            moves.walker.push(self.offset + self.walker_of[first + lane]);
        }
        moves.coefficients.resize(begin as usize + count * each, 0.0);
        moves.term.resize(first_term as usize + count * terms.len(), 0);
        let (into, changed) = (&mut moves.coefficients[begin as usize..], &mut moves.term[first_term as usize..]);
        let (mut from, mut at) = (0, 0);
        for (number, &k) in terms.iter().enumerate() {
            let length = self.problem.terms[k as usize].extent.len();
            for (place, &(lane, unit)) in handed.iter().enumerate() {
                let own = &coefficients[unit * of_unit + from + lane * length..][..length];
                for (out, coefficient) in into[place * each + at..][..length].iter_mut().zip(own) {
                    *out = *coefficient;
                }
                changed[place * terms.len() + number] = k;
            }
            (from, at) = (from + length * ABREAST, at + length);
        }
        if moves.followed {
            for &(lane, unit) in handed {
                let place = first + lane;
                moves.beta.push(self.betas[place]);
                moves.ln_ratio.push(ln_ratio[unit][lane]);
                moves.stream.push(self.streams[place].clone());
            }
        }
    }
}

/// So many pairs of normal numbers, every `stride`-th of what is given, from a block of words, sweep and move on; and a uniform number from the two words
/// that follow.
#[inline(always)]
fn draw_pairs<S: Simd>(
    simd: S,
    of: &random::Abreast,
    (first, sweep, step): (u32, u32, u32),
    pairs: usize,
    into: &mut [Abreast],
    stride: usize,
) -> Abreast {
    let mut uniform = [0.0; ABREAST];
    for block in 0..=pairs / 2 {
        let words = random::words(simd, of, first + block as u32, sweep, step);
        for half in 0..2 {
            let (pair, words) = (2 * block + half, [&words[2 * half], &words[2 * half + 1]]);
            if pair < pairs {
                [into[2 * pair * stride], into[(2 * pair + 1) * stride]] = normals(simd, words);
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
