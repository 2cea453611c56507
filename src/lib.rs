//! keisoku (計測, "measurement") turns measured curves into posterior distributions by exchange Monte Carlo.
//!
//! Data flows one way, and a module uses only modules to its left:
//!
//! ```text
//! spec ──▶ dataset ──▶ models ──▶ problem ──▶ engine ──▶ sampler ──▶ evidence ──▶ posterior ──▶ batch ──▶ report
//! ```
//!
//! * [`spec`]: what the user asked for, read from TOML, checked, with every default written out.
//! * [`dataset`]: frames of measured x, y and σ, whatever file they came from.
//! * [`models`]: the terms a curve is a sum of; one file a model, with a WGSL twin of the same stem.
//! * [`prior`], [`noise`]: normalised densities, and the energies that misfits stand for.
//! * [`random`]: counter-based streams, so that no result depends on threads or order.
//! * [`problem`]: one frame times one candidate, flattened and immutable.
//! * [`engine`]: misfits of thousands of walkers, on the oracle (f64), the CPU (SIMD) or the GPU (WGSL).
//! * [`sampler`]: exchange Monte Carlo; the only loop.
//! * [`evidence`]: free energies and their errors.
//! * [`posterior`]: labels, intervals, probabilities of candidates, verdicts.
//! * [`batch`]: a series of frames through all of the above, many at a time.
//! * [`report`]: results as files; pure functions but for the journal, which is how a run is resumed.
//! * [`simulate`]: series drawn from a known truth, to test all of the above on.
//! * [`trial`]: data sets made, sampled, compared with their truth and kept, each once.
//! * [`calibrate`]: whether posteriors cover truths drawn from the prior as often as they say.
//! * [`limit`]: down to which measuring time the right number of peaks is found, and how sure their positions are.
//! * [`cli`]: the executable's verbs; they parse and call.

#![warn(missing_docs)]

pub mod batch;
pub mod calibrate;
pub mod cli;
pub mod dataset;
pub mod engine;
pub mod error;
pub mod evidence;
pub mod limit;
pub mod models;
pub mod noise;
pub mod posterior;
pub mod prior;
pub mod problem;
pub mod random;
pub mod report;
pub mod sampler;
pub mod simulate;
pub mod spec;
pub mod trial;
