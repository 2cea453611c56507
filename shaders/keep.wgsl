// Keeps the totals of the chosen moves of the last attempt: to run before `settle` replaces the coefficients that are subtracted.

@group(0) @binding(5) var<storage, read> points: array<Point>;
@group(0) @binding(6) var<storage, read> parts: array<Part>;
@group(0) @binding(7) var<storage, read_write> coefficients: array<f32>;
// One bit a move.
@group(0) @binding(9) var<storage, read> choices: array<u32>;

// What shapes read their coefficients with.
fn coefficient(at: u32) -> f32 {
    return coefficients[at];
}

// Jobs as in `misfit`, of the attempt to settle.
@compute @workgroup_size(WORKGROUP)
fn keep(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let lane = local % lanes;
    // A workgroup of one job says so: its loads and branches are then uniform to the compiler.
    let of_group = select(local / lanes, 0u, lanes == WORKGROUP);
    let job = (group.y * grid.x + group.x) * (WORKGROUP / lanes) + of_group;
    let i = job / call.slots;
    if i >= call.settled || (choices[i / 32u] >> (i % 32u) & 1u) == 0u {
        return;
    }
    let move_ = moves[call.first_settled + i];
    let walker = walkers[move_.walker];
    let part = parts[walker.first_part + job % call.slots];
    let from_ = first_change(part, move_);
    for (var j = lane / row * row * POINTS_A_LANE + lane % row; j < part.points; j += lanes * POINTS_A_LANE) {
        let p = part.first_point + j;
        let t = vec4(points[p].t, points[p + row].t, points[p + 2u * row].t, points[p + 3u * row].t);
        let f = curve(part, walker, move_, from_, p, t);
        let at = total(walker, p);
        coefficients[at] = f.x;
        coefficients[at + row] = f.y;
        coefficients[at + 2u * row] = f.z;
        coefficients[at + 3u * row] = f.w;
    }
}
