//! Counter-based random numbers: a draw depends on what it is for, never on threads, batches, order or a resume.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011). The key is a hash of (seed, frame, window, candidate, copy); the counter holds
//! (block, walker, sweep, move), so that every walker, sweep and move has a stream of its own and a distribution that rejects
//! takes nothing from its neighbours.

pub(crate) mod draw;

use std::convert::Infallible;

use fearless_simd::{Simd, SimdBase, SimdInto, u64x8};
use rand::TryRng;
use sha2::{Digest, Sha256};

use crate::models::ABREAST;

/// Multipliers and key increments of Philox4x32.
const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Streams of a ladder: 64 bits derived from what names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u32; 2]);

impl Key {
    /// The key of one copy of one candidate's ladder.
    pub fn new(seed: u64, frame: &str, window: &str, candidate: &str, copy: usize) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        for part in [frame, window, candidate] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update((copy as u64).to_le_bytes());
        let digest = hash.finalize();
        let word = |i: usize| u32::from_le_bytes([digest[i], digest[i + 1], digest[i + 2], digest[i + 3]]);
        Self([word(0), word(4)])
    }

    /// The stream of one move of one walker in one sweep.
    #[inline]
    pub fn stream(self, walker: u32, sweep: u32, purpose: u32) -> Stream {
        Source { key: self, walker }.stream(sweep, purpose)
    }
}

/// What all streams of a walker have in common: the key of its copy, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Of the walker's copy.
    pub key: Key,
    /// The walker's number in its copy.
    pub walker: u32,
}

impl Source {
    /// The stream of one of the walker's moves in one sweep.
    #[inline]
    pub fn stream(self, sweep: u32, purpose: u32) -> Stream {
        Stream { key: self.key.0, counter: [0, self.walker, sweep, purpose], words: [0; AHEAD], used: AHEAD as u32 }
    }

    /// The same without its first words.
    #[inline]
    pub fn stream_after(self, words: u32, sweep: u32, purpose: u32) -> Stream {
        let mut stream = self.stream(sweep, purpose);
        stream.counter[0] = words / 4;
        (0..words % 4).for_each(|_| _ = stream.word());
        stream
    }
}

/// The sources of the walkers at many places, as columns.
#[derive(Clone, Debug)]
pub struct Sources {
    keys: [Vec<u32>; 2],
    walkers: Vec<u32>,
}

/// Those of walkers abreast.
#[derive(Clone, Copy, Debug)]
pub struct Abreast {
    keys: [[u32; ABREAST]; 2],
    walkers: [u32; ABREAST],
}

impl Sources {
    /// Of so many walkers a key, each at the place of its number.
    pub fn new(keys: &[Key], walkers: usize) -> Self {
        let places = (keys.len() * walkers).next_multiple_of(ABREAST);
        let mut all = Self { keys: [Vec::with_capacity(places), Vec::with_capacity(places)], walkers: Vec::with_capacity(places) };
        for key in keys {
            all.keys.iter_mut().zip(key.0).for_each(|(words, word)| words.extend(std::iter::repeat_n(word, walkers)));
            all.walkers.extend(0..walkers as u32);
        }
        all.keys.iter_mut().chain([&mut all.walkers]).for_each(|words| words.resize(places, 0));
        all
    }

    /// The one at a place.
    #[inline]
    pub fn at(&self, place: usize) -> Source {
        Source { key: Key([self.keys[0][place], self.keys[1][place]]), walker: self.walkers[place] }
    }

    /// Walkers of one key change places.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.walkers.swap(a, b);
    }

    /// Those at the places from one on, as many as are abreast.
    #[inline(always)]
    pub fn abreast(&self, first: usize) -> Abreast {
        let mut some = Abreast { keys: [[0; ABREAST]; 2], walkers: [0; ABREAST] };
        for half in 0..2 {
            some.keys[half].copy_from_slice(&self.keys[half][first..first + ABREAST]);
        }
        some.walkers.copy_from_slice(&self.walkers[first..first + ABREAST]);
        some
    }
}

/// Begins streams of the walkers at some places, of which there are `sources` and `streams` for all. Their first blocks, which most moves do with, are
/// computed abreast.
#[inline(always)]
pub fn begin<S: Simd>(simd: S, places: &[u32], sources: &Sources, sweep: u32, purpose: u32, streams: &mut [Stream]) {
    // No closures here: they would not be compiled for the instruction set.
    for some in places.chunks(ABREAST) {
        let mut lanes = Abreast { keys: [[0; ABREAST]; 2], walkers: [0; ABREAST] };
        for (lane, &place) in some.iter().enumerate() {
            let Source { key: Key(key), walker } = sources.at(place as usize);
            (lanes.keys[0][lane], lanes.keys[1][lane], lanes.walkers[lane]) = (key[0], key[1], walker);
        }
        let first = words(simd, &lanes, 0, sweep, purpose);
        let second = words(simd, &lanes, 1, sweep, purpose);
        for (lane, &place) in some.iter().enumerate() {
            let stream = &mut streams[place as usize];
            *stream = sources.at(place as usize).stream(sweep, purpose);
            (stream.counter[0], stream.used) = (2, 0);
            for word in 0..4 {
                stream.words[word] = first[word][lane];
                stream.words[4 + word] = second[word][lane];
            }
        }
    }
}

/// A block of four words of the streams of walkers abreast.
#[inline(always)]
pub fn words<S: Simd>(simd: S, of: &Abreast, block: u32, sweep: u32, purpose: u32) -> [[u32; ABREAST]; 4] {
    let (block_of, sweep_of) = (u64x8::splat(simd, u64::from(block)), u64x8::splat(simd, u64::from(sweep)));
    let purpose_of = u64x8::splat(simd, u64::from(purpose));
    let mut words = [[0; ABREAST]; 4];
    let mut from = 0;
    while from < ABREAST {
        let (mut walkers, mut keys) = ([0; LANES], [[0; LANES]; 2]);
        for lane in 0..LANES {
            walkers[lane] = u64::from(of.walkers[from + lane]);
            keys[0][lane] = u64::from(of.keys[0][from + lane]);
            keys[1][lane] = u64::from(of.keys[1][from + lane]);
        }
        let counter = [block_of, walkers.simd_into(simd), sweep_of, purpose_of];
        let some = side_by_side(simd, counter, [keys[0].simd_into(simd), keys[1].simd_into(simd)]);
        for word in 0..4 {
            for lane in 0..LANES {
                words[word][from + lane] = some[word][lane] as u32;
            }
        }
        from += LANES;
    }
    words
}

/// Words that are computed ahead: two blocks.
const AHEAD: usize = 8;
/// Blocks of a vector.
const LANES: usize = 8;

/// One stream: 2³² blocks of four words.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    /// Of the next block to be computed.
    counter: [u32; 4],
    words: [u32; AHEAD],
    used: u32,
}

/// Ten rounds of Philox4x32.
#[inline]
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(MULTIPLIER[0]) * u64::from(counter[0]);
        let b = u64::from(MULTIPLIER[1]) * u64::from(counter[2]);
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// The same of eight counters and keys, whose words are each in a number of 64 bits: products then need no widening.
#[inline(always)]
fn side_by_side<S: Simd>(simd: S, mut counter: [u64x8<S>; 4], mut key: [u64x8<S>; 2]) -> [[u64; LANES]; 4] {
    let low = u64x8::splat(simd, u64::from(u32::MAX));
    for _ in 0..10 {
        let a = (counter[0] & low) * u64::from(MULTIPLIER[0]);
        let b = (counter[2] & low) * u64::from(MULTIPLIER[1]);
        // What a key carries beyond its word stays in the upper half, which no product reads.
        counter = [(b >> 32) ^ counter[1] ^ key[0], b & low, (a >> 32) ^ counter[3] ^ key[1], a & low];
        key = [key[0] + u64::from(WEYL[0]), key[1] + u64::from(WEYL[1])];
    }
    let [a, b, c, d] = counter;
    [a.to_array(), b.to_array(), c.to_array(), d.to_array()]
}

impl Stream {
    #[inline]
    fn word(&mut self) -> u32 {
        if self.used as usize == AHEAD {
            self.next_block();
        }
        self.used += 1;
        self.words[self.used as usize - 1]
    }

    /// One more block, at the end of what is computed ahead.
    #[cold]
    fn next_block(&mut self) {
        self.words[AHEAD - 4..].copy_from_slice(&philox(self.counter, self.key));
        self.counter[0] = self.counter[0].wrapping_add(1);
        self.used = AHEAD as u32 - 4;
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = self.word();
        Ok(u64::from(low) | u64::from(self.word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.word().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known-answer vectors of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn philox_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_begun_side_by_side_are_the_same() {
        let keys = [3, 4].map(|copy| Key::new(1, "frame", "", "", copy));
        let mut sources = Sources::new(&keys, 100);
        sources.walkers[17] |= 1 << 31;
        sources.swap(103, 119);
        assert_eq!((sources.at(119), sources.at(199)), (Source { key: keys[1], walker: 3 }, Source { key: keys[1], walker: 99 }));
        let walkers = [0, 1, 2, 5, 7, 8, 9, 11, 12, 17, 98, 99, 100, 101, 107, 119, 120, 199];
        let mut streams = vec![keys[0].stream(0, 0, 0); 200];
        let simd = fearless_simd::Level::new();
        fearless_simd::dispatch!(simd, simd => begin(simd, &walkers, &sources, 77, u32::MAX - 5, &mut streams));
        for walker in walkers {
            let (mut alone, beside) = (sources.at(walker as usize).stream(77, u32::MAX - 5), &mut streams[walker as usize]);
            assert!((0..23).all(|_| alone.word() == beside.word()), "walker {walker}");
        }
    }

    #[test]
    fn a_stream_goes_on_after_its_first_words() {
        let key = Key::new(1, "frame", "", "", 3);
        for words in 0..19 {
            let (mut whole, mut rest) = (key.stream(5, 77, 9), Source { key, walker: 5 }.stream_after(words, 77, 9));
            (0..words).for_each(|_| _ = whole.word());
            assert!((0..23).all(|_| whole.word() == rest.word()), "after {words} words");
        }
    }
}
