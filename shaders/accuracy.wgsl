// One function of math.wgsl at many arguments: twin of src/engine/gpu/accuracy.rs, which compares the values with f64.

// Which one: its number in FUNCTIONS.
override function: u32 = 0u;

@group(0) @binding(0) var<storage, read> arguments: array<vec2<f32>>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(64)
fn accuracy(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= arrayLength(&arguments) {
        return;
    }
    let x = arguments[i].x;
    let p = arguments[i].y;
    switch function {
        case 0u: { values[i] = m_exp(x); }
        case 1u: { values[i] = m_ln(x); }
        case 2u: { values[i] = m_ln1p(x); }
        case 3u: { values[i] = m_sin(x); }
        case 4u: { values[i] = m_cos(x); }
        case 5u: { values[i] = m_atan(x); }
        case 6u: { values[i] = m_erf(x); }
        case 7u: { values[i] = m_pow(x, p); }
        case 8u: { values[i] = m_bell(x); }
        default: { values[i] = m_half_deviance(x, p); }
    }
}
