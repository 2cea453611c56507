//! `keisoku doctor`: adapters, their limits, and how well each agrees with the oracle.

use super::demo::Demo;
use super::output::say;
use crate::engine::budget::BUDGET;
use crate::engine::gpu::accuracy::FUNCTIONS;
use crate::engine::gpu::{AdapterInfo, Gpu, Selection, adapters};
use crate::engine::oracle::push_misfits;
use crate::engine::probe::probe;
use crate::error::{Error, Result};
use crate::models::{MODELS, Model, find};

/// Points and walkers of each probe.
const POINTS: usize = 1000;
const WALKERS: usize = 64;
/// How far above the truth's energy a state of the posterior may lie, in nats.
const NEAR: f64 = 20.0;

/// Prints every adapter (or the selected one) with its limits and a table of its differences from the oracle.
///
/// # Errors
/// Where the adapter asked for does not exist; one that fails its probe is reported, and the next follows.
pub fn run(selection: Option<&Selection>) -> Result<()> {
    let all = adapters();
    let chosen = match selection {
        Some(selection) => vec![Gpu::new(selection)?.adapter().clone()],
        None => all,
    };
    if chosen.is_empty() {
        say!("no adapter: install the vendor's Vulkan driver, or use --engine cpu");
    }
    for adapter in &chosen {
        describe(adapter);
        if let Err(error) = examine(adapter) {
            say!("  failed: {error}");
        }
    }
    Ok(())
}

fn describe(adapter: &AdapterInfo) {
    let limits = &adapter.limits;
    say!("adapter {}: {adapter}", adapter.index);
    say!(
        "  subgroups of {} to {}; storage buffers {}; binding {} MiB; workgroup {} invocations, {} KiB; {} workgroups a dimension",
        adapter.subgroup.0,
        adapter.subgroup.1,
        limits.max_storage_buffers_per_shader_stage,
        limits.max_storage_buffer_binding_size >> 20,
        limits.max_compute_invocations_per_workgroup,
        limits.max_compute_workgroup_storage_size >> 10,
        limits.max_compute_workgroups_per_dimension
    );
    let features: Vec<&str> = adapter.features.iter_names().map(|(name, _)| name).collect();
    say!("  features (none is used): {}", features.join(" ").to_lowercase());
}

/// Opens the adapter and probes every model on it.
fn examine(adapter: &AdapterInfo) -> Result<()> {
    let gpu = Gpu::new(&Selection::Index(adapter.index))?;
    let mut beyond = Vec::new();
    say!("  largest errors of the shader's own functions, in ulp of f32");
    for (function, error) in FUNCTIONS.iter().zip(gpu.accuracy()?) {
        say!("  {:<18}{:<22}{error:>8.2} (bound {})", function.name, function.range, function.bound);
        if error > function.bound {
            beyond.push(function.name);
        }
    }
    say!("  largest |U - U_oracle| in nats: {POINTS} points, near the truth (budget {BUDGET}) and anywhere (relative)");
    say!("  {:<34}{:>12}{:>12}{:>12}{:>12}", "model", "gaussian", "anywhere", "poisson", "anywhere");
    for model in MODELS {
        let gaussian = differences(&gpu, model, false)?;
        let poisson = differences(&gpu, model, true)?;
        say!("  {:<34}{:>12.2e}{:>12.1e}{:>12.2e}{:>12.1e}", model.name, gaussian.near, gaussian.far, poisson.near, poisson.far);
        if gaussian.near > BUDGET || poisson.near > BUDGET {
            beyond.push(model.name);
        }
    }
    if beyond.is_empty() {
        return Ok(());
    }
    Err(Error::fatal(format!("beyond the budget: {}", beyond.join(", "))).hint("run these models with --engine cpu"))
}

/// Differences of one model on one adapter.
struct Differences {
    /// Largest of the walkers near the truth, in nats.
    near: f64,
    /// Largest of all walkers, relative to the energy there.
    far: f64,
}

fn differences(gpu: &Gpu, model: &'static Model, poisson: bool) -> Result<Differences> {
    let size = model.size.map_or(0, |(_, default)| default);
    // A background keeps the expectation positive under terms that are dips.
    let background = find("chebyshev").map(|model| (model, 1));
    let terms: Vec<_> = [(model, size), (model, size)].into_iter().chain(background).collect();
    let mut demo = Demo::new(&terms, POINTS, poisson)?;
    let coefficients = demo.walkers(WALKERS)?;
    let n = demo.problem.coefficients();
    let differences = probe(gpu, &demo.problem, &coefficients)?;
    let mut misfits = Vec::new();
    coefficients.chunks_exact(n).for_each(|own| push_misfits(&demo.problem, own, &mut misfits));
    // The first walker stands at the truth; a posterior's states lie within a few nats of it for each parameter.
    let reach = 0.5 * misfits[0] + NEAR;
    let mut largest = Differences { near: 0.0, far: 0.0 };
    for (difference, misfit) in differences.into_iter().zip(misfits) {
        let energy = 0.5 * misfit;
        if energy < reach {
            largest.near = largest.near.max(difference);
        }
        largest.far = largest.far.max(difference / energy.max(1.0));
    }
    Ok(largest)
}
