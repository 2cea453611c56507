// A walker's curve after a move, where nothing of it is kept.

// The sum of the part's terms at the four points from p on: coefficients stay where they are, except those of the changed terms.
fn curve(part: Part, walker: Walker, move_: Move, from_: vec2<u32>, p: u32, t: vec4<f32>) -> vec4<f32> {
    let end = last_changed(move_);
    var f = vec4<f32>(0.0);
    var next = from_.x;
    var place = from_.y;
    for (var k = part.first_term; k < part.first_term + part.terms; k++) {
        let term = terms[k];
        var at = walker.resident + term.at;
        if next < end && changed[next] == k {
            at = place;
            place += term.stride * term.repeats;
            next++;
        }
        for (var r = 0u; r < term.repeats; r++) {
            f = add_shape(f, 1.0, term.kind, t, at, term.stride);
            at += term.stride;
        }
    }
    return f;
}
