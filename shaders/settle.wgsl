// Keeps the chosen moves of the last attempt: their coefficients replace the resident ones.

// One bit a move.
@group(0) @binding(9) var<storage, read> choices: array<u32>;
@group(0) @binding(7) var<storage, read_write> coefficients: array<f32>;

// One invocation a move.
@compute @workgroup_size(WORKGROUP)
fn settle(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * grid.x + group.x) * WORKGROUP + local;
    if i >= call.settled || (choices[i / 32u] >> (i % 32u) & 1u) == 0u {
        return;
    }
    let move_ = moves[call.first_settled + i];
    var fresh = move_.fresh;
    for (var j = 0u; j < (move_.changed & ~WHOLE); j++) {
        let term = terms[changed[move_.first_changed + j]];
        let at = walkers[move_.walker].resident + term.at;
        let len = term.stride * term.repeats;
        for (var k = 0u; k < len; k++) {
            coefficients[at + k] = coefficients[fresh + k];
        }
        fresh += len;
    }
}
