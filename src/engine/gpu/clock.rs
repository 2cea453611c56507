//! The device's own clock: how long the kernels of a submission took, from timestamps before the first and after the last.

use std::time::Duration;

use super::device::Device;
use super::mapping::Mapping;
use crate::error::{Error, Result};

/// Two timestamps of eight bytes.
const BYTES: u64 = 16;

/// The clock of one tile.
#[derive(Debug)]
pub struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
    mapped: Mapping,
    /// Nanoseconds a tick.
    period: f64,
}

impl Clock {
    /// A clock, where the adapter has one.
    ///
    /// # Errors
    /// Where the device refuses its buffers.
    pub fn new(device: &Device) -> Result<Option<Self>> {
        if !device.raw.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let period = f64::from(device.queue.get_timestamp_period());
        device.scoped("making a clock", |raw| {
            use wgpu::BufferUsages as Usage;
            let buffer = |usage| raw.create_buffer(&wgpu::BufferDescriptor { label: None, size: BYTES, usage, mapped_at_creation: false });
            let ty = wgpu::QueryType::Timestamp;
            Some(Self {
                queries: raw.create_query_set(&wgpu::QuerySetDescriptor { label: None, ty, count: 2 }),
                resolved: buffer(Usage::QUERY_RESOLVE | Usage::COPY_SRC),
                readback: buffer(Usage::MAP_READ | Usage::COPY_DST),
                mapped: Mapping::default(),
                period,
            })
        })
    }

    /// Records the way of the timestamps to the host, after all passes.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readback, 0, BYTES);
    }

    /// Asks for the timestamps; to be called after the submission.
    pub fn request(&self) {
        self.mapped.request(&self.readback, wgpu::MapMode::Read, BYTES);
    }

    /// Time between the two timestamps of the submission that has been waited for.
    ///
    /// # Errors
    /// Where the buffer is not mapped.
    pub fn read(&self) -> Result<Duration> {
        self.mapped.check()?;
        let view = self.readback.get_mapped_range(0..BYTES).map_err(|e| Error::device(e.to_string()))?;
        let ticks: [u64; 2] = bytemuck::pod_read_unaligned(&view);
        drop(view);
        self.readback.unmap();
        // A device that was reset, or that was asleep, may turn its clock back.
        Ok(Duration::from_nanos((ticks[1].saturating_sub(ticks[0]) as f64 * self.period) as u64))
    }
}

/// Which passes of a submission write timestamps.
#[derive(Clone, Copy, Debug)]
pub struct Stamps<'c> {
    /// The clock, where there is one.
    pub clock: Option<&'c Clock>,
    /// Whether these are the first passes of the submission.
    pub first: bool,
    /// Whether they are the last.
    pub last: bool,
}

impl<'c> Stamps<'c> {
    /// What one pass writes, given whether it is the first or the last among these.
    pub fn of(self, first: bool, last: bool) -> Option<wgpu::ComputePassTimestampWrites<'c>> {
        let (begins, ends) = (self.first && first, self.last && last);
        let clock = self.clock.filter(|_| begins || ends)?;
        Some(wgpu::ComputePassTimestampWrites {
            query_set: &clock.queries,
            beginning_of_pass_write_index: begins.then_some(0),
            end_of_pass_write_index: ends.then_some(1),
        })
    }
}
