// Nothing but exponentials: the rate that no kernel with one exponential a point exceeds.

// Exponentials that depend on one another; four chains an invocation, as `misfit` has four points.
override rounds: u32 = 256u;

@group(0) @binding(0) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(64)
fn ceiling(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= arrayLength(&values) {
        return;
    }
    // exp(-x) has a fixed point, .567: the numbers stay ordinary ones.
    var x = vec4(values[i]) + vec4(0.0, 0.1, 0.2, 0.3);
    for (var n = 0u; n < rounds; n++) {
        x = vec4(m_exp(-x.x), m_exp(-x.y), m_exp(-x.z), m_exp(-x.w));
    }
    values[i] = x.x + x.y + x.z + x.w;
}
