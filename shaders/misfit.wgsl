// The misfit of every move: a job's lanes stride its points, where `curve` of recomputed.wgsl or of kept.wgsl tells the model; one sum a job.

@group(0) @binding(5) var<storage, read> points: array<Point>;
@group(0) @binding(6) var<storage, read> parts: array<Part>;
@group(0) @binding(7) var<storage, read> coefficients: array<f32>;
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;

var<workgroup> partial: array<f32, WORKGROUP>;

// What shapes read their coefficients with.
fn coefficient(at: u32) -> f32 {
    return coefficients[at];
}

// Job j is part j % slots of move j / slots.
@compute @workgroup_size(WORKGROUP)
fn misfit(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) grid: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let lane = local % lanes;
    // A workgroup of one job says so: its loads and branches are then uniform to the compiler.
    let of_group = select(local / lanes, 0u, lanes == WORKGROUP);
    let job = (group.y * grid.x + group.x) * (WORKGROUP / lanes) + of_group;
    let live = job < call.moves * call.slots;
    var sum = 0.0;
    if live {
        sum = lane_sum(job, lane);
    }
    partial[local] = sum;
    workgroupBarrier();
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
        if lane < half {
            partial[local] += partial[local + half];
        }
        workgroupBarrier();
    }
    if live && lane == 0u {
        sums[job] = finite(partial[local]);
    }
}

// A lane's share of a job. Each of its four accumulators adds few numbers, so that f32 loses nothing that matters.
fn lane_sum(job: u32, lane: u32) -> f32 {
    let move_ = moves[call.first_move + job / call.slots];
    let walker = walkers[move_.walker];
    let part = parts[walker.first_part + job % call.slots];

    let from_ = first_change(part, move_);
    var sum = vec4<f32>(0.0);
    for (var i = lane / row * row * POINTS_A_LANE + lane % row; i < part.points; i += lanes * POINTS_A_LANE) {
        let p = part.first_point + i;
        let a = points[p];
        let b = points[p + row];
        let c = points[p + 2u * row];
        let d = points[p + 3u * row];
        let f = curve(part, walker, move_, from_, p, vec4(a.t, b.t, c.t, d.t));
        let y = vec4(a.y, b.y, c.y, d.y);
        let weight = vec4(a.weight, b.weight, c.weight, d.weight);
        if part.noise == POISSON {
            sum += half_deviance(y, f * weight) * vec4(a.factor, b.factor, c.factor, d.factor);
        } else {
            let residual = clamp((y - f) * weight, vec4(-RESIDUAL_LIMIT), vec4(RESIDUAL_LIMIT));
            sum += residual * residual;
        }
    }
    return (sum.x + sum.y) + (sum.z + sum.w);
}

// Half the deviance of four points.
fn half_deviance(y: vec4<f32>, expectation: vec4<f32>) -> vec4<f32> {
    let f = clamp(expectation, vec4(POISSON_FLOOR), vec4(RESIDUAL_LIMIT));
    return vec4(m_half_deviance(y.x, f.x), m_half_deviance(y.y, f.y), m_half_deviance(y.z, f.z), m_half_deviance(y.w, f.w));
}

// The sentinel where the exponent bits say infinity or NaN: comparisons may be folded away by a compiler that assumes neither.
fn finite(x: f32) -> f32 {
    return select(x, SENTINEL, (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u);
}
