// A walker's curve after a move, where its total at every point stays on the device.

// Place in `coefficients` of a walker's total at a point.
fn total(walker: Walker, p: u32) -> u32 {
    return walker.totals + p - parts[walker.first_part].first_point;
}

// Under Poisson, an expectation below this share of the counts is not taken from a total.
const DIM: f32 = 0.0625;

// Whether that is so at a point.
fn dim(point: Point, f: f32) -> bool {
    return point.weight > 0.0 && f * point.weight < DIM * point.y;
}

// The curve at the four points from p on. A deviance goes with the logarithm of the expectation: where counts meet next to none, what rounding has left of a
// peak that is gone would be worth nats, so that all terms are summed there. Elsewhere an error is worth at most 1/DIM of itself.
fn curve(part: Part, walker: Walker, move_: Move, from_: vec2<u32>, p: u32, t: vec4<f32>) -> vec4<f32> {
    var whole = (move_.changed & WHOLE) != 0u;
    var f = vec4<f32>(0.0);
    loop {
        f = sum_of_terms(part, walker, move_, from_, p, t, whole);
        if whole || part.noise != POISSON {
            break;
        }
        if !(dim(points[p], f.x) || dim(points[p + row], f.y) || dim(points[p + 2u * row], f.z) || dim(points[p + 3u * row], f.w)) {
            break;
        }
        whole = true;
    }
    return f;
}

// The total, less the changed terms as they are, plus as they would be; or, whole, the sum of all terms. There is one call of a shape, so that
// what is subtracted has the bits of what was once added: a compiler may round the same expression differently in two places. The ends of its
// support are among its coefficients, so that it is subtracted where it was added.
fn sum_of_terms(part: Part, walker: Walker, move_: Move, from_: vec2<u32>, p: u32, t: vec4<f32>, whole: bool) -> vec4<f32> {
    let end = last_changed(move_);
    var next = from_.x;
    var place = from_.y;
    var f = vec4<f32>(0.0);
    if !whole {
        let at = total(walker, p);
        f = vec4(coefficient(at), coefficient(at + row), coefficient(at + 2u * row), coefficient(at + 3u * row));
    }
    for (var step = 0u; ; step++) {
        // All terms in turn; otherwise each changed term twice, as it is and as it would be.
        var k = part.first_term + step;
        if !whole {
            if next >= end {
                break;
            }
            k = changed[next];
        }
        if k >= part.first_term + part.terms {
            break;
        }
        let term = terms[k];
        let fresh = (whole || step % 2u == 1u) && next < end && changed[next] == k;
        let sign = select(-1.0, 1.0, whole || fresh);
        var at = walker.resident + term.at;
        if fresh {
            at = place;
            place += term.stride * term.repeats;
            next++;
        }
        for (var r = 0u; r < term.repeats; r++) {
            f = add_shape(f, sign, term.kind, t, at, term.stride);
            at += term.stride;
        }
    }
    return f;
}
