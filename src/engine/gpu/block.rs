//! One block of a tile on the device: its buffers, what an attempt uploads, and what comes back.

use super::clock::Stamps;
use super::device::Device;
use super::layout::{Call, Move, WHOLE, WORKGROUP, binding};
use super::mapping::Mapping;
use super::packing::Packing;
use super::path::Path;
use super::plan::{Bounds, Draft, Tables};
use super::program::{Pipelines, Programs};
use super::stretch::{Sizes, Stretches, Upload};
use super::totals::Totals;
use crate::engine::SENTINEL;
use crate::engine::timeline::Traffic;
use crate::error::{Error, Result};

/// Buffers of a block. Those that an attempt fills hold two slots, used in turn, because the last attempt is settled by the next.
#[derive(Debug)]
struct Buffers {
    call: wgpu::Buffer,
    moves: wgpu::Buffer,
    changed: wgpu::Buffer,
    /// All walkers' coefficients, then the two slots of fresh ones, then the totals that are kept.
    coefficients: wgpu::Buffer,
    choices: wgpu::Buffer,
    sums: wgpu::Buffer,
    /// Everything an attempt uploads, written by the host.
    staging: wgpu::Buffer,
    /// The sums, read by the host.
    readback: wgpu::Buffer,
}

/// What each kernel reads and writes.
#[derive(Debug)]
struct Groups {
    misfit: wgpu::BindGroup,
    settle: wgpu::BindGroup,
    keep: wgpu::BindGroup,
}

/// A block.
#[derive(Debug)]
pub struct Block {
    /// Its number in the tile.
    number: usize,
    pipelines: Pipelines,
    groups: Groups,
    buffers: Buffers,
    staging_mapped: Mapping,
    readback_mapped: Mapping,
    lanes: u32,
    slots: usize,
    workgroups: u32,
    /// First term in the table of terms, how each is packed and parts of each measurement, of each problem; and each walker's problem.
    first_term: Vec<u32>,
    packings: Vec<Vec<Packing>>,
    parts: Vec<Vec<usize>>,
    problem_of: Vec<u32>,
    /// Coefficients of all walkers.
    resident: usize,
    /// Sizes of a slot: moves, and their terms and coefficients.
    moves: usize,
    terms: usize,
    fresh: usize,
    /// The slot of the last attempt, and how many moves it had.
    slot: usize,
    last: usize,
    /// Choices for the last attempt, one bit a move; none yet: empty.
    choices: Vec<u32>,
    /// What this attempt uploads.
    sizes: Sizes,
    /// Where totals are kept: what is known of them.
    totals: Option<Totals>,
    /// Number of sums that the flight brings back.
    awaited: usize,
}

impl Block {
    /// Makes the buffers and uploads the tables.
    ///
    /// # Errors
    /// Where the device refuses a kernel or a buffer.
    pub fn new(
        number: usize,
        device: &Device,
        programs: &Programs,
        draft: &Draft<'_>,
        forced: Option<Path>,
        bounds: Bounds,
    ) -> Result<Self> {
        let pipelines = programs.of(device, &draft.key)?;
        let tables = Tables::of(draft);
        let (buffers, groups) = device.scoped("making the buffers of a tile", |raw| make(raw, &device.queue, programs, draft, &tables))?;
        let problems = draft.problems.iter().map(|p| p.0);
        let totals = (draft.key.path == Path::Kept).then(|| Totals::new(problems, draft.walkers.len(), forced.is_some()));
        Ok(Self {
            number,
            pipelines,
            groups,
            buffers,
            staging_mapped: Mapping::mapped(),
            readback_mapped: Mapping::default(),
            lanes: draft.key.lanes,
            slots: draft.slots,
            workgroups: bounds.workgroups,
            first_term: tables.first_term,
            packings: draft.problems.iter().map(|(problem, _)| problem.terms.iter().map(|t| Packing::of(problem, t)).collect()).collect(),
            parts: draft.problems.iter().map(|(_, cut)| cut.parts.clone()).collect(),
            problem_of: draft.walkers.iter().map(|w| w.1).collect(),
            resident: draft.coefficients,
            moves: draft.moves(),
            terms: draft.proposals * draft.terms,
            fresh: draft.proposals * draft.coefficients,
            slot: 0,
            last: 0,
            choices: Vec::with_capacity(draft.moves().div_ceil(32)),
            sizes: Sizes::default(),
            totals,
            awaited: 0,
        })
    }

    /// Forgets the moves of the last attempt.
    pub fn clear(&mut self) {
        self.sizes = Sizes::default();
        self.awaited = 0;
    }

    /// Adds a move of one of its walkers to what a stretch has for it; `whole` tells that nothing kept may be used. Places are told as if nothing came
    /// before the stretch, until [`Self::shift`].
    pub fn push(&self, upload: &mut Upload, walker: u32, terms: &[u32], coefficients: &[f64], whole: bool) {
        let problem = self.problem_of[walker as usize];
        let first_term = self.first_term[problem as usize];
        let whole = self.totals.as_ref().is_some_and(|totals| {
            let (whole, known) = totals.judge(walker, problem, terms, whole);
            upload.tried.push(known);
            whole
        });
        let number = upload.moves.len() as u32;
        upload.moves.push(Move {
            walker,
            first_changed: upload.changed.len() as u32,
            changed: terms.len() as u32 | if whole { WHOLE } else { 0 },
            fresh: upload.fresh.len() as u32,
        });
        upload.changed.extend(terms.iter().map(|k| first_term + k));
        let (packings, mut rest, mut finite) = (&self.packings[problem as usize], coefficients, true);
        for &k in terms {
            finite &= packings[k as usize].push(&mut rest, &mut upload.fresh);
        }
        if !finite {
            upload.refused.push(number);
        }
    }

    /// Lets what the next stretch has for it follow what those before have.
    pub fn follow(&mut self, upload: &mut Upload) {
        upload.before = self.sizes;
        self.sizes += upload.sizes();
    }

    /// Moves the places that the moves of a stretch tell to where they will be on the device.
    pub fn shift(&self, upload: &mut Upload) {
        let next = 1 - self.slot;
        let first_changed = (next * self.terms + upload.before.changed) as u32;
        let fresh = (self.resident + next * self.fresh + upload.before.fresh) as u32;
        for moved in &mut upload.moves {
            moved.first_changed += first_changed;
            moved.fresh += fresh;
        }
    }

    /// Whether its walkers' totals stay on the device.
    pub fn keeps_totals(&self) -> bool {
        self.totals.is_some()
    }

    /// Moves of the last attempt, and those of them that were made from totals.
    #[cfg(test)]
    pub fn count_from_totals(&self, stretches: &Stretches) -> (usize, usize) {
        let moves = stretches.of(self.number).flat_map(|upload| &upload.moves);
        (self.sizes.moves, moves.filter(|m| self.keeps_totals() && m.changed & WHOLE == 0).count())
    }

    /// Whether it has moves to evaluate.
    pub fn is_busy(&self) -> bool {
        self.sizes.moves > 0
    }

    /// Notes choices for its moves of the last attempt, as a function of their number in the tile's list.
    pub fn choose(&mut self, stretches: &Stretches, keep: impl Fn(usize) -> bool) {
        let Self { choices, totals, .. } = self;
        choices.clear();
        choices.resize(self.last.div_ceil(32), 0);
        let is_kept = |origin: u32| keep(origin as usize);
        for upload in stretches.of(self.number) {
            for (at, &origin) in (upload.before.moves..).zip(&upload.origin) {
                choices[at / 32] |= u32::from(is_kept(origin)) << (at % 32);
            }
            let Some(totals) = totals else { continue };
            let tried = upload.moves.iter().zip(&upload.tried).zip(&upload.origin);
            for ((moved, &tried), _) in tried.filter(|(_, origin)| is_kept(**origin)) {
                totals.keep(moved.walker, tried);
            }
        }
    }

    /// Fills the staging buffer and records copies and kernels; the last attempt, where choices came for it, is settled first. Tells what that
    /// comes to.
    ///
    /// # Errors
    /// Where the staging buffer is not mapped.
    pub fn encode(
        &mut self,
        programs: &Programs,
        stretches: &Stretches,
        stamps: Stamps<'_>,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Traffic> {
        self.staging_mapped.check()?;
        let next = 1 - self.slot;
        let moves = self.sizes.moves;
        let settled = if self.choices.is_empty() { 0 } else { self.last };
        let call = Call {
            first_move: (next * self.moves) as u32,
            moves: moves as u32,
            slots: self.slots as u32,
            first_settled: (self.slot * self.moves) as u32,
            settled: settled as u32,
        };
        let uploaded = self.copy(encoder, stretches, &call)?;
        let spread = |jobs: usize| grid(jobs.div_ceil((WORKGROUP / self.lanes) as usize), self.workgroups);
        let keep = self.pipelines.keep.as_ref().filter(|_| settled > 0);
        if let Some(keep) = keep {
            dispatch(encoder, stamps.of(true, false), keep, &self.groups.keep, spread(settled * self.slots));
        }
        if settled > 0 {
            let grid = grid(settled.div_ceil(WORKGROUP as usize), self.workgroups);
            dispatch(encoder, stamps.of(keep.is_none(), false), programs.settle(), &self.groups.settle, grid);
        }
        let jobs = moves * self.slots;
        dispatch(encoder, stamps.of(settled == 0, true), &self.pipelines.misfit, &self.groups.misfit, spread(jobs));
        encoder.copy_buffer_to_buffer(&self.buffers.sums, 0, &self.buffers.readback, 0, 4 * jobs as u64);
        self.awaited = jobs;
        self.slot = next;
        self.last = moves;
        self.choices.clear();
        let dispatches = 1 + u64::from(settled > 0) + u64::from(keep.is_some());
        Ok(Traffic { submissions: 0, dispatches, moves: moves as u64, uploaded, downloaded: 4 * jobs as u64 })
    }

    /// Writes everything an attempt needs into the staging buffer, one piece after the other, and records a copy for each. Tells how many bytes.
    fn copy(&self, encoder: &mut wgpu::CommandEncoder, stretches: &Stretches, call: &Call) -> Result<u64> {
        let (b, sizes, next) = (&self.buffers, self.sizes, 1 - self.slot);
        let words = |count: usize| 4 * count as u64;
        let a_move = size_of::<Move>() as u64;
        let pieces = [
            (size_of::<Call>() as u64, &b.call, 0),
            (words(self.choices.len()), &b.choices, 0),
            (a_move * sizes.moves as u64, &b.moves, a_move * (next * self.moves) as u64),
            (words(sizes.changed), &b.changed, words(next * self.terms)),
            (words(sizes.fresh), &b.coefficients, words(self.resident + next * self.fresh)),
        ];
        let total = pieces.iter().map(|p| p.0).sum();
        let mut view = b.staging.get_mapped_range_mut(0..total).map_err(|e| Error::device(e.to_string()))?;
        let mut at = 0;
        let mut write = |bytes: &[u8]| {
            view.slice(at..at + bytes.len()).copy_from_slice(bytes);
            at += bytes.len();
        };
        write(bytemuck::bytes_of(call));
        write(bytemuck::cast_slice(&self.choices));
        let uploads = stretches.of(self.number);
        uploads.clone().for_each(|upload| write(bytemuck::cast_slice(&upload.moves)));
        uploads.clone().for_each(|upload| write(bytemuck::cast_slice(&upload.changed)));
        uploads.for_each(|upload| write(bytemuck::cast_slice(&upload.fresh)));
        drop(view);
        b.staging.unmap();
        let mut at = 0;
        for (bytes, target, offset) in pieces.into_iter().filter(|p| p.0 > 0) {
            encoder.copy_buffer_to_buffer(&b.staging, at, target, offset, bytes);
            at += bytes;
        }
        Ok(total)
    }

    /// Asks for the buffers that the host needs next; to be called after the submission.
    pub fn request(&self) {
        self.staging_mapped.request(&self.buffers.staging, wgpu::MapMode::Write, self.buffers.staging.size());
        self.readback_mapped.request(&self.buffers.readback, wgpu::MapMode::Read, 4 * self.awaited as u64);
    }

    /// Reads the sums that came back; `misfits` are those of all moves of the tile, of which it fills in its own, the sentinel where a move is
    /// inadmissible.
    ///
    /// # Errors
    /// Where the buffer is not mapped.
    pub fn read(&mut self, stretches: &mut Stretches, misfits: &mut [f64]) -> Result<()> {
        self.readback_mapped.check()?;
        let view = self.buffers.readback.get_mapped_range(0..4 * self.awaited as u64).map_err(|e| Error::device(e.to_string()))?;
        let sums: &[f32] = bytemuck::cast_slice(&view);
        let of_moves = |upload: &Upload| &sums[self.slots * upload.before.moves..][..self.slots * upload.moves.len()];
        stretches.each_with_misfits(misfits, |stretch, misfits| {
            let upload = &mut stretch.uploads[self.number];
            self.add(of_moves(upload), upload, misfits);
        });
        drop(view);
        self.buffers.readback.unmap();
        self.awaited = 0;
        Ok(())
    }

    /// Adds the sums of what a stretch has for it, which go to their places among the misfits of the stretch.
    fn add(&self, sums: &[f32], upload: &mut Upload, misfits: &mut [f64]) {
        let mut refused = upload.refused.iter().peekable();
        for (i, (moved, mut rest)) in upload.moves.iter().zip(sums.chunks_exact(self.slots)).enumerate() {
            let finite = refused.next_if(|&&r| r as usize == i).is_none();
            let problem = self.problem_of[moved.walker as usize];
            let parts = &self.parts[problem as usize];
            let own = &mut misfits[upload.place[i] as usize..][..parts.len()];
            for (m, (slot, &parts)) in own.iter_mut().zip(parts).enumerate() {
                let (own, others) = rest.split_at(parts);
                rest = others;
                // Each part is at most the sentinel; a sum of them stays finite in f64 and is cut to it.
                let misfit = if finite { own.iter().map(|&s| f64::from(s)).sum() } else { f64::INFINITY };
                if let Some(totals) = &self.totals {
                    totals.measured(&mut upload.tried[i], problem, m, misfit);
                }
                *slot = if misfit < SENTINEL { misfit } else { SENTINEL };
            }
        }
    }
}

/// A grid of at least `groups` workgroups within `most` in each dimension; the kernel counts row by row.
pub fn grid(groups: usize, most: u32) -> [u32; 2] {
    let most = most as usize;
    let rows = groups.div_ceil(most).max(1);
    [groups.div_ceil(rows) as u32, rows as u32]
}

fn dispatch(
    encoder: &mut wgpu::CommandEncoder,
    timestamp_writes: Option<wgpu::ComputePassTimestampWrites<'_>>,
    pipeline: &wgpu::ComputePipeline,
    group: &wgpu::BindGroup,
    [x, y]: [u32; 2],
) {
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, group, &[]);
    pass.dispatch_workgroups(x, y, 1);
}

fn make(raw: &wgpu::Device, queue: &wgpu::Queue, programs: &Programs, draft: &Draft<'_>, tables: &Tables) -> (Buffers, Groups) {
    use wgpu::BufferUsages as Usage;
    let buffer = |words: usize, usage: Usage, mapped_at_creation: bool| {
        // A binding may not be empty.
        let size = 4 * words.max(4) as u64;
        raw.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation })
    };
    let device = |words: usize| buffer(words, Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC, false);
    let table = |bytes: &[u8]| {
        let made = device(bytes.len() / 4);
        queue.write_buffer(&made, 0, bytes);
        made
    };
    let (moves, proposals) = (draft.moves(), draft.proposals);
    let (move_words, call_words) = (size_of::<Move>() / 4, size_of::<Call>() / 4);
    let (changed, fresh) = (proposals * draft.terms, proposals * draft.coefficients);
    let upload = call_words + moves.div_ceil(32) + moves * move_words + changed + fresh;
    let buffers = Buffers {
        call: buffer(call_words, Usage::UNIFORM | Usage::COPY_DST, false),
        moves: device(2 * moves * move_words),
        changed: device(2 * changed),
        coefficients: device(draft.first_total() + draft.totals),
        choices: device(moves.div_ceil(32)),
        sums: device(moves * draft.slots),
        staging: buffer(upload, Usage::MAP_WRITE | Usage::COPY_SRC, true),
        readback: buffer(moves * draft.slots, Usage::MAP_READ | Usage::COPY_DST, false),
    };
    let terms = table(bytemuck::cast_slice(&tables.terms));
    let table_of_walkers = table(bytemuck::cast_slice(&tables.walkers));
    let points = table(bytemuck::cast_slice(&tables.points));
    let parts = table(bytemuck::cast_slice(&tables.parts));
    let common = [
        (binding::CALL, &buffers.call),
        (binding::TERMS, &terms),
        (binding::WALKERS, &table_of_walkers),
        (binding::MOVES, &buffers.moves),
        (binding::CHANGED, &buffers.changed),
        (binding::COEFFICIENTS, &buffers.coefficients),
    ];
    let group = |layout: &wgpu::BindGroupLayout, own: &[(u32, &wgpu::Buffer)]| {
        let entries: Vec<_> = common
            .iter()
            .chain(own)
            .map(|&(number, buffer)| wgpu::BindGroupEntry { binding: number, resource: buffer.as_entire_binding() })
            .collect();
        raw.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
    };
    let data = [(binding::POINTS, &points), (binding::PARTS, &parts)];
    let (sums, choices) = ((binding::SUMS, &buffers.sums), (binding::CHOICES, &buffers.choices));
    let groups = Groups {
        misfit: group(programs.misfit_layout(), &[data[0], data[1], sums]),
        settle: group(programs.settle_layout(), &[choices]),
        keep: group(programs.keep_layout(), &[data[0], data[1], choices]),
    };
    (buffers, groups)
}
