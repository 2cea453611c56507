//! Buffers that the host writes or reads: whether they are its own at the moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How long another thread may take to run a callback that is due: a loaded machine's time slices, many times over.
const HANDOVER: Duration = Duration::from_secs(10);

/// Whether a buffer is mapped; wgpu's callback sets it.
#[derive(Debug, Default)]
pub struct Mapping(Arc<AtomicU8>);

impl Mapping {
    const WAITING: u8 = 0;
    const MAPPED: u8 = 1;
    const FAILED: u8 = 2;

    /// Of a buffer that was mapped when it was made.
    pub fn mapped() -> Self {
        Self(Arc::new(AtomicU8::new(Self::MAPPED)))
    }

    /// Asks for a mapping.
    pub fn request(&self, buffer: &wgpu::Buffer, mode: wgpu::MapMode, bytes: u64) {
        self.0.store(Self::WAITING, Ordering::Release);
        let state = Arc::clone(&self.0);
        buffer.map_async(mode, 0..bytes, move |result| {
            state.store(if result.is_ok() { Self::MAPPED } else { Self::FAILED }, Ordering::Release);
        });
    }

    /// To be called when the submission has been waited for. Another thread that polls the device takes along every callback that is due
    /// and runs them after this thread's wait is over, so that a callback may still be on its way.
    ///
    /// # Errors
    /// Where the device refuses it.
    pub fn check(&self) -> Result<()> {
        let since = Instant::now();
        while self.0.load(Ordering::Acquire) == Self::WAITING && since.elapsed() < HANDOVER {
            std::thread::yield_now();
        }
        match self.0.load(Ordering::Acquire) {
            Self::MAPPED => Ok(()),
            _ => Err(Error::device("a buffer of the GPU could not be mapped").hint("run again with --engine cpu")),
        }
    }
}
