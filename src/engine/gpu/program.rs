//! Programs: plain concatenations of the shader files, and the one generated function, the switch over the shapes a program uses.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use super::device::Device;
use super::layout::{WORKGROUP, binding};
use super::path::Path;
use crate::error::Result;
use crate::models::ShapeKind;
use crate::problem::Problem;

const LAYOUT: &str = include_str!("../../../shaders/layout.wgsl");
const MATH: &str = include_str!("../../../shaders/math.wgsl");
const CHANGE: &str = include_str!("../../../shaders/change.wgsl");
const RECOMPUTED: &str = include_str!("../../../shaders/recomputed.wgsl");
const KEPT: &str = include_str!("../../../shaders/kept.wgsl");
const KEEP: &str = include_str!("../../../shaders/keep.wgsl");
const MISFIT: &str = include_str!("../../../shaders/misfit.wgsl");
const SETTLE: &str = include_str!("../../../shaders/settle.wgsl");
const CEILING: &str = include_str!("../../../shaders/ceiling.wgsl");
const ACCURACY: &str = include_str!("../../../shaders/accuracy.wgsl");

/// What makes two walkers share a pipeline: it depends on their problem alone, so that a result does not depend on company.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The shapes the problem's terms use, ascending, each once.
    pub kinds: Vec<ShapeKind>,
    /// Invocations that share a job.
    pub lanes: u32,
    /// How the kernel comes by a walker's curve.
    pub path: Path,
}

impl Key {
    /// The key of a problem on a path.
    pub fn of(problem: &Problem, path: Path) -> Self {
        let mut kinds: Vec<ShapeKind> = problem.terms.iter().map(|t| t.model.shape).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let points = problem.measurements.iter().map(|m| m.t.len()).max().unwrap_or(0);
        Self { kinds, lanes: lanes(points), path }
    }

    /// Points that neighbouring invocations read side by side.
    pub fn row(&self) -> u32 {
        self.lanes.min(32)
    }
}

/// Invocations that share a job of so many points. A workgroup of one job is uniform to the compiler (five times the throughput on RDNA2,
/// by its driver's own estimate), which several jobs a workgroup outweigh only where most of its invocations would idle.
fn lanes(points: usize) -> u32 {
    match points {
        0..=32 => 8,
        33..=64 => 16,
        _ => WORKGROUP,
    }
}

/// Source of the kernel `misfit` for some shapes on a path.
pub fn misfit_source(kinds: &[ShapeKind], path: Path) -> String {
    let curve = match path {
        Path::Recomputed => RECOMPUTED,
        Path::Kept => KEPT,
    };
    [&evaluation(kinds), curve, MISFIT].join("\n")
}

/// Source of the kernel `keep` for some shapes.
pub fn keep_source(kinds: &[ShapeKind]) -> String {
    [&evaluation(kinds), KEPT, KEEP].join("\n")
}

/// What evaluates shapes.
fn evaluation(kinds: &[ShapeKind]) -> String {
    let shapes: Vec<&str> = kinds.iter().map(|k| k.wgsl()).collect();
    [LAYOUT, MATH, &shapes.join("\n"), &switch(kinds), CHANGE].join("\n")
}

/// Source of the kernel `settle`.
pub fn settle_source() -> String {
    [LAYOUT, SETTLE].join("\n")
}

/// Source of the kernel `accuracy`.
pub fn accuracy_source() -> String {
    [MATH, ACCURACY].join("\n")
}

/// Source of the kernel `ceiling`.
pub fn ceiling_source() -> String {
    [MATH, CEILING].join("\n")
}

/// The switch over the kinds of term: adds one shape times a sign at four ascending points, so that its coefficients are read once.
///
/// A peak is evaluated at the first two of them and at the last two only where some of its support may lie between those. That any lies between
/// the first and the last is asked first, so that most of what is outside is passed over after two comparisons; a subgroup skips what none of its
/// points needs.
fn switch(kinds: &[ShapeKind]) -> String {
    let mut text = String::from("fn add_shape(f: vec4<f32>, sign: f32, kind: u32, t: vec4<f32>, at: u32, n: u32) -> vec4<f32> {\n");
    text.push_str("    var sum = f;\n    switch kind {\n");
    for kind in kinds {
        let (number, stem) = (*kind as u32, kind.stem());
        let [x, y, z, w] = ["x", "y", "z", "w"].map(|axis| format!("sum.{axis} += sign * {stem}(t.{axis}, at, n);"));
        let _ = writeln!(text, "        case {number}u: {{");
        if kind.is_local() {
            text.push_str("            let low = coefficient(at + n - 2u);\n            let high = coefficient(at + n - 1u);\n");
            text.push_str("            if t.w >= low && t.x <= high {\n");
            let _ = writeln!(text, "                if t.y >= low {{ {x} {y} }}\n                if t.z <= high {{ {z} {w} }}");
            text.push_str("            }\n");
        } else {
            let _ = writeln!(text, "            {x} {y} {z} {w}");
        }
        text.push_str("        }\n");
    }
    text.push_str("        default: {}\n    }\n    return sum;\n}\n");
    text
}

/// The kernels of a device, compiled when first asked for.
#[derive(Debug)]
pub struct Programs {
    misfit_layout: wgpu::BindGroupLayout,
    settle_layout: wgpu::BindGroupLayout,
    keep_layout: wgpu::BindGroupLayout,
    settle: wgpu::ComputePipeline,
    known: Mutex<HashMap<Key, Pipelines>>,
    /// What a test makes of a kernel's source before it is compiled.
    #[cfg(test)]
    pub edit: Option<fn(String) -> String>,
}

/// The kernels of a key.
#[derive(Clone, Debug)]
pub struct Pipelines {
    /// `misfit`.
    pub misfit: Arc<wgpu::ComputePipeline>,
    /// `keep`, where totals are kept.
    pub keep: Option<Arc<wgpu::ComputePipeline>>,
}

impl Programs {
    /// Compiles what every problem needs.
    ///
    /// # Errors
    /// Where the device refuses a kernel.
    pub fn new(device: &Device) -> Result<Self> {
        use binding::{CALL, CHANGED, CHOICES, COEFFICIENTS, MOVES, PARTS, POINTS, SUMS, TERMS, WALKERS};
        let common =
            [(CALL, Access::Uniform), (TERMS, Access::Read), (WALKERS, Access::Read), (MOVES, Access::Read), (CHANGED, Access::Read)];
        let misfit = [(POINTS, Access::Read), (PARTS, Access::Read), (COEFFICIENTS, Access::Read), (SUMS, Access::Write)];
        let settle = [(COEFFICIENTS, Access::Write), (CHOICES, Access::Read)];
        let keep = [(POINTS, Access::Read), (PARTS, Access::Read), (COEFFICIENTS, Access::Write), (CHOICES, Access::Read)];
        let (misfit_layout, settle_layout, keep_layout) = device.scoped("laying out the kernels", |raw| {
            let layout = |own: &[(u32, Access)]| {
                let entries: Vec<_> = common.iter().chain(own).map(|&(number, access)| access.entry(number)).collect();
                raw.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
            };
            (layout(&misfit), layout(&settle), layout(&keep))
        })?;
        let settle = compile(device, &settle_source(), "settle", Some(&settle_layout), &[])?;
        Ok(Self {
            misfit_layout,
            settle_layout,
            keep_layout,
            settle,
            known: Mutex::default(),
            #[cfg(test)]
            edit: None,
        })
    }

    /// Buffers of the kernel `misfit`.
    pub fn misfit_layout(&self) -> &wgpu::BindGroupLayout {
        &self.misfit_layout
    }

    /// Buffers of the kernel `settle`.
    pub fn settle_layout(&self) -> &wgpu::BindGroupLayout {
        &self.settle_layout
    }

    /// Buffers of the kernel `keep`.
    pub fn keep_layout(&self) -> &wgpu::BindGroupLayout {
        &self.keep_layout
    }

    /// The kernel `settle`.
    pub fn settle(&self) -> &wgpu::ComputePipeline {
        &self.settle
    }

    /// The kernels of a key.
    ///
    /// # Errors
    /// Where the device refuses one.
    pub fn of(&self, device: &Device, key: &Key) -> Result<Pipelines> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipelines) = known.get(key) {
            return Ok(pipelines.clone());
        }
        let constants = [("lanes", f64::from(key.lanes)), ("row", f64::from(key.row()))];
        let make = |source: String, entry: &str, layout| {
            #[cfg(test)]
            let source = match self.edit {
                Some(edit) => edit(source),
                None => source,
            };
            compile(device, &source, entry, Some(layout), &constants).map(Arc::new)
        };
        let misfit = make(misfit_source(&key.kinds, key.path), "misfit", &self.misfit_layout)?;
        let keep = match key.path {
            Path::Recomputed => None,
            Path::Kept => Some(make(keep_source(&key.kinds), "keep", &self.keep_layout)?),
        };
        let pipelines = Pipelines { misfit, keep };
        known.insert(key.clone(), pipelines.clone());
        Ok(pipelines)
    }
}

/// How a kernel uses a buffer.
#[derive(Clone, Copy)]
enum Access {
    Uniform,
    Read,
    Write,
}

impl Access {
    fn entry(self, number: u32) -> wgpu::BindGroupLayoutEntry {
        let ty = match self {
            Self::Uniform => wgpu::BufferBindingType::Uniform,
            Self::Read => wgpu::BufferBindingType::Storage { read_only: true },
            Self::Write => wgpu::BufferBindingType::Storage { read_only: false },
        };
        wgpu::BindGroupLayoutEntry {
            binding: number,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        }
    }
}

/// A pipeline of one entry point; without a layout, one is made from the shader.
pub(super) fn compile(
    device: &Device,
    source: &str,
    entry: &str,
    group: Option<&wgpu::BindGroupLayout>,
    constants: &[(&str, f64)],
) -> Result<wgpu::ComputePipeline> {
    device.scoped(&format!("compiling the kernel {entry}"), |raw| {
        let module =
            raw.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(entry), source: wgpu::ShaderSource::Wgsl(source.into()) });
        let layout = group.map(|_| {
            let bind_group_layouts = &[group];
            raw.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor { label: Some(entry), bind_group_layouts, ..Default::default() })
        });
        raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry),
            layout: layout.as_ref(),
            module: &module,
            entry_point: Some(entry),
            // Every invocation writes its word of workgroup memory before any is read.
            compilation_options: wgpu::PipelineCompilationOptions { constants, zero_initialize_workgroup_memory: false },
            cache: None,
        })
    })
}
