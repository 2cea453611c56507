//! Adapters, and a device that answers with errors where wgpu would panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};

/// Longest wait for one submission before the device is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// What to do when a device fails in the middle of a run.
const FALL_BACK: &str =
    "run again with --engine cpu, or choose another adapter (keisoku doctor lists them); a run resumes where it stopped";

/// Which adapter to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// The best real GPU; a software adapter never.
    #[default]
    Best,
    /// By its number in [`adapters`].
    Index(usize),
    /// The first whose name, driver or backend contains the text, upper and lower case alike; also a software adapter.
    Named(String),
}

impl std::str::FromStr for Selection {
    type Err = std::convert::Infallible;

    /// A number is an index, `best` or nothing the best GPU, anything else a part of a name.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(match (text.parse(), text) {
            (Ok(index), _) => Self::Index(index),
            (_, "" | "best") => Self::Best,
            _ => Self::Named(text.into()),
        })
    }
}

/// One adapter, in words and numbers for people.
#[derive(Clone, Debug)]
pub struct AdapterInfo {
    /// Its number, for [`Selection::Index`].
    pub index: usize,
    /// Name, such as `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Invocations that run in lockstep, smallest and largest.
    pub subgroup: (u32, u32),
    /// What the adapter could do; devices are asked for wgpu's defaults only.
    pub limits: wgpu::Limits,
    /// Optional abilities, by name; of them only timestamps are used.
    pub features: wgpu::Features,
}

impl AdapterInfo {
    /// Whether a CPU pretends to be a GPU.
    pub fn is_software(&self) -> bool {
        self.kind == "software"
    }

    fn of(index: usize, adapter: &wgpu::Adapter) -> Self {
        let info = adapter.get_info();
        Self {
            index,
            name: info.name,
            driver: format!("{} {}", info.driver, info.driver_info).trim().into(),
            backend: info.backend.to_string(),
            kind: match info.device_type {
                wgpu::DeviceType::DiscreteGpu => "discrete",
                wgpu::DeviceType::IntegratedGpu => "integrated",
                wgpu::DeviceType::VirtualGpu => "virtual",
                wgpu::DeviceType::Cpu => "software",
                wgpu::DeviceType::Other => "other",
            },
            subgroup: (info.subgroup_min_size, info.subgroup_max_size),
            limits: adapter.limits(),
            features: adapter.features(),
        }
    }

    /// How much it is wanted by [`Selection::Best`]: smaller is better, none never.
    fn rank(&self) -> Option<usize> {
        ["discrete", "integrated", "virtual", "other"].iter().position(|kind| *kind == self.kind)
    }
}

impl std::fmt::Display for AdapterInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {}, {})", self.name, self.kind, self.backend, self.driver)
    }
}

fn enumerate() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        // Validation layers and debug names cost time and are no help to a user.
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
}

/// Every adapter of this machine, real GPUs and software, in the order of their numbers.
pub fn adapters() -> Vec<AdapterInfo> {
    enumerate().iter().enumerate().map(|(i, a)| AdapterInfo::of(i, a)).collect()
}

fn choose(selection: &Selection) -> Result<(wgpu::Adapter, AdapterInfo)> {
    let all = enumerate();
    let infos: Vec<AdapterInfo> = all.iter().enumerate().map(|(i, a)| AdapterInfo::of(i, a)).collect();
    let chosen = match selection {
        Selection::Best => infos.iter().filter(|a| a.rank().is_some()).min_by_key(|a| (a.rank(), a.index)),
        Selection::Index(index) => infos.get(*index),
        Selection::Named(text) => {
            let text = text.to_lowercase();
            infos.iter().find(|a| a.to_string().to_lowercase().contains(&text))
        }
    };
    if let Some(info) = chosen {
        return Ok((all[info.index].clone(), info.clone()));
    }
    let what = match selection {
        Selection::Best => "no GPU was found".into(),
        Selection::Index(index) => format!("there is no adapter number {index}"),
        Selection::Named(text) => format!("no adapter's name contains `{text}`"),
    };
    let list: Vec<String> = infos.iter().map(|a| format!("  {} {a}", a.index)).collect();
    let hint = if infos.is_empty() {
        "install the vendor's Vulkan driver, or use --engine cpu"
    } else {
        "name one of the adapters above by a part of its name or its number, or use --engine cpu"
    };
    Err(Error::fatal(what).excerpt(list.join("\n")).hint(hint))
}

/// The first thing that went wrong with a device; once there is one, nothing the device returns is believed.
#[derive(Debug, Default)]
struct Fault(Mutex<Option<String>>);

impl Fault {
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, what: String) {
        self.lock().get_or_insert(what);
    }
}

/// A device with its queue, and the memory of its first fault.
#[derive(Debug)]
pub struct Device {
    /// The device.
    pub raw: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// The adapter it is of.
    pub info: AdapterInfo,
    fault: Arc<Fault>,
}

impl Device {
    /// Opens the selected adapter within wgpu's default limits, its error handlers installed before anything else.
    ///
    /// # Errors
    /// Where there is no such adapter, or it refuses a device.
    pub fn open(selection: &Selection) -> Result<Self> {
        let (adapter, info) = choose(selection)?;
        // Of what an adapter can do beyond the defaults, only its clock is used: it changes no result.
        let required_features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let descriptor = wgpu::DeviceDescriptor { label: Some("keisoku"), required_features, ..Default::default() };
        let (raw, queue) = pollster::block_on(adapter.request_device(&descriptor)).map_err(|e| {
            Error::fatal(format!("the adapter {info} gave no device: {e}"))
                .hint("close programs that use the GPU, choose another adapter, or use --engine cpu")
        })?;
        let fault = Arc::new(Fault::default());
        let uncaptured = Arc::clone(&fault);
        raw.on_uncaptured_error(Arc::new(move |e: wgpu::Error| uncaptured.set(e.to_string())));
        let lost = Arc::clone(&fault);
        raw.set_device_lost_callback(move |reason, message| lost.set(format!("device lost ({reason:?}) {message}")));
        Ok(Self { raw, queue, info, fault })
    }

    /// An error if anything has gone wrong with the device so far.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<()> {
        match &*self.fault.lock() {
            Some(what) => Err(self.error(what)),
            None => Ok(()),
        }
    }

    /// Runs `make` inside error scopes, so that a refused buffer or kernel is an error of this call and the device stays usable.
    ///
    /// # Errors
    /// What the scopes caught, or an earlier fault.
    pub fn scoped<T>(&self, doing: &str, make: impl FnOnce(&wgpu::Device) -> T) -> Result<T> {
        self.check()?;
        let filters = [wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal];
        let mut scopes: Vec<_> = filters.into_iter().map(|f| self.raw.push_error_scope(f)).collect();
        let made = make(&self.raw);
        let mut caught = None;
        while let Some(scope) = scopes.pop() {
            caught = pollster::block_on(scope.pop()).or(caught);
        }
        self.check()?;
        match caught {
            None => Ok(made),
            Some(wgpu::Error::OutOfMemory { .. }) => Err(Error::device(format!("{}: out of memory while {doing}", self.info))
                .hint("use fewer copies (run.copies), close programs that use the GPU, or use --engine cpu")),
            Some(e) => Err(self.error(&format!("while {doing}: {e}"))),
        }
    }

    /// Waits until a submission is done and its callbacks have run.
    ///
    /// # Errors
    /// Where the device is lost or does not answer.
    pub fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(PATIENCE) };
        // wgpu 30 has no error for a device lost while waited for: `Device::poll` panics.
        match catch_unwind(AssertUnwindSafe(|| self.raw.poll(wait))) {
            Ok(Ok(_)) => {}
            Ok(Err(e)) => self.fault.set(format!("no answer: {e}")),
            Err(_) => self.fault.set("device lost while it was waited for".into()),
        }
        self.check()
    }

    fn error(&self, what: &str) -> Error {
        Error::device(format!("{}: {}", self.info, what.trim())).hint(FALL_BACK)
    }
}
