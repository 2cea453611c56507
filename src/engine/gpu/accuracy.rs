//! The elementary functions of shaders/math.wgsl on an adapter, against f64.

use super::Gpu;
use super::program::accuracy_source;
use crate::engine::oracle;
use crate::error::{Error, Result};

/// A function of math.wgsl: its range in a test and the error it may show there.
pub struct Function {
    /// Its name in math.wgsl.
    pub name: &'static str,
    /// Words for the range of arguments.
    pub range: &'static str,
    /// Largest error allowed, in ulp of the result (f32). Twice to three times what adapters show that round every operation to nearest;
    /// a division may add 2.5 (WGSL's bound).
    pub bound: f64,
    /// Arguments at u in [0, 1); the second one only where the function has two.
    arguments: fn(f64) -> [f64; 2],
    /// Value in f64.
    truth: fn(f64, f64) -> f64,
}

/// Arguments of each function.
const COUNT: usize = 1 << 15;

fn log_between(low: f64, high: f64, u: f64) -> f64 {
    low * (high / low).powf(u)
}

/// A second number in [0, 1) that looks unrelated to the first.
fn scatter(u: f64) -> f64 {
    (u * 7919.0).fract()
}

/// Every function, in the order of the switch in shaders/accuracy.wgsl.
pub const FUNCTIONS: [Function; 10] = [
    Function { name: "m_exp", range: "-87 .. 88", bound: 2.0, arguments: |u| [175.0 * u - 87.0, 0.0], truth: |x, _| x.exp() },
    Function { name: "m_ln", range: "1e-37 .. 1e37", bound: 2.0, arguments: |u| [log_between(1e-37, 1e37, u), 0.0], truth: |x, _| x.ln() },
    Function {
        name: "m_ln1p",
        range: "-0.9 .. 1e9",
        bound: 3.0,
        arguments: |u| [if u < 0.5 { 1.8 * u - 0.9 } else { log_between(1e-9, 1e9, 2.0 * u - 1.0) }, 0.0],
        truth: |x, _| x.ln_1p(),
    },
    Function { name: "m_sin", range: "-1e4 .. 1e4", bound: 3.0, arguments: |u| [2e4 * u - 1e4, 0.0], truth: |x, _| x.sin() },
    Function { name: "m_cos", range: "-1e4 .. 1e4", bound: 3.0, arguments: |u| [2e4 * u - 1e4, 0.0], truth: |x, _| x.cos() },
    Function {
        name: "m_atan",
        range: "1e-6 .. 1e6",
        bound: 5.0,
        arguments: |u| [log_between(1e-6, 1e6, u) * if scatter(u) < 0.5 { -1.0 } else { 1.0 }, 0.0],
        truth: |x, _| x.atan(),
    },
    Function { name: "m_erf", range: "-5 .. 5", bound: 3.0, arguments: |u| [10.0 * u - 5.0, 0.0], truth: |x, _| libm::erf(x) },
    Function {
        name: "m_pow",
        range: "|p ln x| < 40",
        bound: 16.0,
        arguments: |u| {
            let x = log_between(1e-3, 1e3, u);
            [x, 80.0 * (scatter(u) - 0.5) / x.ln().abs().max(0.1)]
        },
        truth: |x, p| x.powf(p),
    },
    Function {
        name: "m_bell",
        range: "-10 .. 10, exact squares",
        bound: 2.0,
        // A device that does not fuse rounds the square, which alone may make 35 ulp.
        arguments: |u| [((20.0 * u - 10.0) * 256.0).round() / 256.0, 0.0],
        truth: |x, _| (-x * x).exp2(),
    },
    Function {
        name: "m_half_deviance",
        range: "f/y of 1e-6 .. 1e6",
        bound: 12.0,
        arguments: |u| {
            let y = log_between(1e-3, 2.0, scatter(u));
            [y, y * if u < 0.5 { 0.8 + 0.8 * u } else { log_between(1e-6, 1e6, 2.0 * u - 1.0) }]
        },
        truth: |y, f| 0.5 * oracle::deviance(y, f),
    },
];

impl Gpu {
    /// The largest error of each function, in ulp of the result, in the order of [`FUNCTIONS`].
    ///
    /// # Errors
    /// Where the device fails.
    pub fn accuracy(&self) -> Result<Vec<f64>> {
        FUNCTIONS.iter().enumerate().map(|(i, function)| self.largest_error(i, function)).collect()
    }

    fn largest_error(&self, number: usize, function: &Function) -> Result<f64> {
        let arguments: Vec<[f32; 2]> =
            (0..COUNT).map(|i| (function.arguments)((i as f64 + 0.5) / COUNT as f64).map(|x| x as f32)).collect();
        let values = self.evaluate(number, &arguments)?;
        let error = |([x, p], value): (&[f32; 2], &f32)| {
            let truth = (function.truth)(f64::from(*x), f64::from(*p));
            let ulp = f64::from(f32::EPSILON) * truth.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor().exp2();
            let error = (f64::from(*value) - truth).abs() / ulp;
            if error.is_nan() { f64::INFINITY } else { error }
        };
        Ok(arguments.iter().zip(&values).map(error).fold(0.0, f64::max))
    }

    fn evaluate(&self, number: usize, arguments: &[[f32; 2]]) -> Result<Vec<f32>> {
        use wgpu::BufferUsages as Usage;
        let bytes = 4 * arguments.len() as u64;
        let pipeline = super::program::compile(&self.device, &accuracy_source(), "accuracy", None, &[("function", number as f64)])?;
        let (submission, readback) = self.device.scoped("measuring its functions", |raw| {
            let buffer = |size, usage| raw.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
            let input = buffer(2 * bytes, Usage::STORAGE | Usage::COPY_DST);
            let output = buffer(bytes, Usage::STORAGE | Usage::COPY_SRC);
            let readback = buffer(bytes, Usage::MAP_READ | Usage::COPY_DST);
            self.device.queue.write_buffer(&input, 0, bytemuck::cast_slice(arguments));
            let group = raw.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &pipeline.get_bind_group_layout(0),
                entries: &[
                    wgpu::BindGroupEntry { binding: 0, resource: input.as_entire_binding() },
                    wgpu::BindGroupEntry { binding: 1, resource: output.as_entire_binding() },
                ],
            });
            let mut encoder = raw.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups((arguments.len() as u32).div_ceil(64), 1, 1);
            drop(pass);
            encoder.copy_buffer_to_buffer(&output, 0, &readback, 0, bytes);
            let submission = self.device.queue.submit([encoder.finish()]);
            readback.map_async(wgpu::MapMode::Read, .., |_| {});
            (submission, readback)
        })?;
        self.device.wait(submission)?;
        let view = readback.get_mapped_range(..).map_err(|e| Error::fatal(e.to_string()))?;
        Ok(bytemuck::cast_slice(&view).to_vec())
    }
}
