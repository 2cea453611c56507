// A walker's curve after a move, where its total at every point stays on the device.

// Place in `coefficients` of a walker's total at a point.
fn total(walker: Walker, p: u32) -> u32 {
    return walker.totals + p - parts[walker.first_part].first_point;
}

// The curve at the four points from p on: the total, less the changed terms as they are, plus as they would be; where the move is whole, the sum of
// all terms. There is one call of a shape, so that what is subtracted has the bits of what was once added: a compiler may round the
// same expression differently in two places.
fn curve(part: Part, walker: Walker, move_: Move, from_: vec2<u32>, p: u32, t: vec4<f32>) -> vec4<f32> {
    let whole = (move_.changed & WHOLE) != 0u;
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
            f += sign * shape(term.kind, t, at, term.stride);
            at += term.stride;
        }
    }
    return f;
}
