//! The rates of a device: exponentials of math.wgsl in registers, and copies in its memory.

use std::time::{Duration, Instant};

use super::Gpu;
use super::program::{self, ceiling_source};
use crate::engine::ceiling::Ceilings;
use crate::error::Result;

/// Exponentials of an invocation: [`ROUNDS`] in each of four chains.
const ROUNDS: u32 = 256;
/// Invocations of the first try, and bytes of its copy.
const FEW: u64 = 1 << 12;
/// And of the last: 65 535 workgroups of 64 are 2²² − 64 invocations; a copy is no longer than wgpu's default limit on a buffer.
const MANY: (u64, u64) = (1 << 21, 1 << 27);
/// A try of this length drowns what a submission costs.
const LONG_ENOUGH: Duration = Duration::from_millis(50);

impl Gpu {
    /// Measures them.
    ///
    /// # Errors
    /// Where the device fails.
    pub(super) fn measure(&self) -> Result<Ceilings> {
        let pipeline = program::compile(&self.device, &ceiling_source(), "ceiling", None, &[("rounds", f64::from(ROUNDS))])?;
        let exponentials = growing(MANY.0, |invocations| {
            let submission = self.device.scoped("measuring its exponentials", |raw| {
                let values = buffer(raw, 4 * invocations);
                let resource = values.as_entire_binding();
                let layout = &pipeline.get_bind_group_layout(0);
                let entries = &[wgpu::BindGroupEntry { binding: 0, resource }];
                let group = raw.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries });
                let mut encoder = raw.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                pass.set_pipeline(&pipeline);
                pass.set_bind_group(0, &group, &[]);
                pass.dispatch_workgroups((invocations as u32).div_ceil(64), 1, 1);
                drop(pass);
                encoder.finish()
            })?;
            self.timed(submission)
        })?;
        let copied = growing(MANY.1, |bytes| {
            let submission = self.device.scoped("measuring its memory", |raw| {
                let (from, to) = (buffer(raw, bytes), buffer(raw, bytes));
                let mut encoder = raw.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
                encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
                encoder.finish()
            })?;
            self.timed(submission)
        })?;
        Ok(Ceilings { exponentials: f64::from(4 * ROUNDS) * exponentials, copied: 2.0 * copied })
    }

    fn timed(&self, commands: wgpu::CommandBuffer) -> Result<Duration> {
        let start = Instant::now();
        let submission = self.device.queue.submit([commands]);
        self.device.wait(submission)?;
        Ok(start.elapsed())
    }
}

fn buffer(raw: &wgpu::Device, size: u64) -> wgpu::Buffer {
    use wgpu::BufferUsages as Usage;
    let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    raw.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

/// Units a second, from the second of two calls of an amount that takes long enough, or that is the most there may be.
fn growing(most: u64, mut call: impl FnMut(u64) -> Result<Duration>) -> Result<f64> {
    let mut amount = FEW;
    loop {
        call(amount)?;
        let time = call(amount)?;
        if time >= LONG_ENOUGH || amount >= most {
            return Ok(amount as f64 / time.as_secs_f64());
        }
        amount = (4 * amount).min(most);
    }
}
