//! A tile on a GPU: spreads moves over its blocks, submits once, gathers misfits.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use super::Gpu;
use super::block::Block;
use super::clock::{Clock, Stamps};
use super::plan;
use super::stretch::Stretches;
use crate::engine::timeline::Traffic;
use crate::engine::{Moves, Roster, Tile};
use crate::error::Result;

/// A walker's place: its block and number there, and its problem's numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Home {
    block: u32,
    walker: u32,
    measurements: u32,
    terms: u32,
    coefficients: u32,
}

/// A tile.
#[derive(Debug)]
pub struct GpuTile<'p> {
    gpu: &'p Gpu,
    blocks: Vec<Block>,
    home: Vec<Home>,
    /// The moves of the last attempt, packed.
    stretches: Stretches,
    /// The submission under way.
    flight: Option<wgpu::SubmissionIndex>,
    clock: Option<Clock>,
    /// Moves of all terms, for `load`.
    whole: Moves,
}

impl<'p> GpuTile<'p> {
    /// Cuts the roster into blocks and makes their buffers.
    ///
    /// # Errors
    /// Where a ladder exceeds the limits or the device refuses.
    pub fn new(gpu: &'p Gpu, roster: &Roster<'p>) -> Result<Self> {
        let drafts = plan::blocks(roster, gpu.forced, gpu.bounds)?;
        let mut home = vec![Home::default(); roster.walkers()];
        let mut blocks = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            for (walker, &(w, problem)) in draft.walkers.iter().enumerate() {
                let problem = draft.problems[problem as usize].0;
                home[w as usize] = Home {
                    block: blocks.len() as u32,
                    walker: walker as u32,
                    measurements: problem.measurements.len() as u32,
                    terms: problem.terms.len() as u32,
                    coefficients: problem.coefficients() as u32,
                };
            }
            blocks.push(Block::new(blocks.len(), &gpu.device, &gpu.programs, draft, gpu.forced, gpu.bounds)?);
        }
        let (clock, whole) = (Clock::new(&gpu.device)?, Moves::default());
        Ok(Self { gpu, blocks, home, stretches: Stretches::default(), flight: None, clock, whole })
    }

    /// Packs moves on all threads, and lines up what each block gets.
    fn pack(&mut self, moves: &[Moves], whole: bool) {
        let (blocks, home) = (&self.blocks, &self.home);
        self.stretches.fill(moves, blocks.len(), |list, i, number, stretch| {
            let home = home[list.walker[i] as usize];
            let (terms, coefficients) = list.of(i);
            let upload = &mut stretch.uploads[home.block as usize];
            blocks[home.block as usize].push(upload, home.walker, terms, coefficients, whole);
            upload.origin.push(number);
            upload.place.push(stretch.misfits as u32);
            stretch.misfits += home.measurements as usize;
        });
        self.blocks.iter_mut().for_each(Block::clear);
        for stretch in self.stretches.used_mut() {
            self.blocks.iter_mut().zip(&mut stretch.uploads).for_each(|(block, upload)| block.follow(upload));
        }
        let blocks = &self.blocks;
        self.stretches.each(|stretch| blocks.iter().zip(&mut stretch.uploads).for_each(|(block, upload)| block.shift(upload)));
    }

    /// Records every block with moves and submits once; `whole` tells that no kept total may be used.
    fn launch(&mut self, moves: &[Moves], whole: bool) -> Result<()> {
        self.finish(None)?;
        self.gpu.device.check()?;
        self.pack(moves, whole);
        let device = &self.gpu.device;
        let mut encoder = device.raw.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let busy = self.blocks.iter().filter(|b| b.is_busy()).count();
        if busy == 0 {
            return Ok(());
        }
        let mut traffic = Traffic { submissions: 1, ..Traffic::default() };
        for (i, block) in self.blocks.iter_mut().filter(|b| b.is_busy()).enumerate() {
            let stamps = Stamps { clock: self.clock.as_ref(), first: i == 0, last: i + 1 == busy };
            traffic += block.encode(&self.gpu.programs, &self.stretches, stamps, &mut encoder)?;
        }
        if let Some(clock) = &self.clock {
            clock.encode(&mut encoder);
        }
        let submission = device.queue.submit([encoder.finish()]);
        self.blocks.iter().filter(|b| b.is_busy()).for_each(Block::request);
        if let Some(clock) = &self.clock {
            clock.request();
        }
        self.flight = Some(submission);
        self.gpu.watch().departed(traffic);
        device.check()
    }

    /// Waits for the submission under way, if there is one, and reads what it brought.
    fn finish(&mut self, misfits: Option<&mut Vec<f64>>) -> Result<()> {
        let Some(submission) = self.flight.take() else {
            if let Some(misfits) = misfits {
                misfits.clear();
            }
            return Ok(());
        };
        let since = Instant::now();
        let answered = self.gpu.device.wait(submission);
        let waited = since.elapsed();
        let kernels = answered.and_then(|()| self.clock.as_ref().map(Clock::read).transpose());
        self.gpu.watch().arrived(waited, kernels.as_ref().ok().copied().flatten());
        kernels?;
        let mut unread = Vec::new();
        let misfits = misfits.unwrap_or(&mut unread);
        misfits.clear();
        misfits.resize(self.stretches.misfits(), 0.0);
        for block in self.blocks.iter_mut().filter(|b| b.is_busy()) {
            block.read(&mut self.stretches, misfits)?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl GpuTile<'_> {
    /// Moves of the last attempt, and those of them that were made from totals.
    pub fn count_from_totals(&self) -> (usize, usize) {
        let each = self.blocks.iter().map(|b| b.count_from_totals(&self.stretches));
        each.fold((0, 0), |(moves, some), (m, s)| (moves + m, some + s))
    }
}

impl Drop for GpuTile<'_> {
    /// What is still under way when a run is cut short is waited for by nobody.
    fn drop(&mut self) {
        if self.flight.is_some() {
            self.gpu.watch().arrived(Duration::ZERO, None);
        }
    }
}

impl Tile for GpuTile<'_> {
    fn load(&mut self, walkers: &[u32], coefficients: &[f64], misfits: &mut Vec<f64>) -> Result<()> {
        let mut whole = std::mem::take(&mut self.whole);
        whole.clear();
        for &w in walkers {
            let home = self.home[w as usize];
            whole.walker.push(w);
            whole.term.extend(0..home.terms);
            whole.term_start.push(whole.term.len() as u32);
            let end = whole.coefficient_start[whole.coefficient_start.len() - 1];
            whole.coefficient_start.push(end + home.coefficients);
        }
        whole.coefficients.extend_from_slice(coefficients);
        let loaded = self.launch(from_ref(&whole), true).and_then(|()| self.finish(Some(misfits)));
        self.whole = whole;
        loaded?;
        self.blocks.iter_mut().filter(|b| b.is_busy()).for_each(|b| b.choose(&self.stretches, |_| true));
        Ok(())
    }

    fn attempt(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        self.submit(moves)?;
        self.finish(Some(misfits))
    }

    fn submit(&mut self, moves: &[Moves]) -> Result<()> {
        self.launch(moves, false)
    }

    fn collect(&mut self, moves: &[Moves], misfits: &mut Vec<f64>) -> Result<()> {
        if self.flight.is_none() {
            return self.attempt(moves, misfits);
        }
        self.finish(Some(misfits))
    }

    fn settle(&mut self, choices: &[bool]) -> Result<()> {
        // A block without moves in the last attempt still holds the choices of an earlier one.
        let keep = |i: usize| choices.get(i).copied().unwrap_or(false);
        self.blocks.iter_mut().filter(|b| b.is_busy()).for_each(|b| b.choose(&self.stretches, keep));
        Ok(())
    }

    fn drift(&mut self, drifts: &mut Vec<f64>) -> Result<()> {
        drifts.clear();
        // Moves of no term: every walker as it stands, from its total and from all terms.
        let mut still = Moves::default();
        still.clear();
        for (w, _) in self.home.iter().enumerate().filter(|(_, home)| self.blocks[home.block as usize].keeps_totals()) {
            still.walker.push(w as u32);
            still.term_start.push(0);
            still.coefficient_start.push(0);
        }
        if still.is_empty() {
            return Ok(());
        }
        let (mut kept, mut rebuilt) = (Vec::new(), Vec::new());
        self.launch(from_ref(&still), false)?;
        self.finish(Some(&mut kept))?;
        self.launch(from_ref(&still), true)?;
        self.finish(Some(&mut rebuilt))?;
        drifts.resize(self.home.len(), 0.0);
        let mut differences = kept.iter().zip(&rebuilt).map(|(k, r)| (k - r).abs());
        for &w in &still.walker {
            let measurements = self.home[w as usize].measurements as usize;
            drifts[w as usize] = differences.by_ref().take(measurements).fold(0.0, f64::max);
        }
        Ok(())
    }
}
