// What a move changes of a part's terms: the place in `changed` of the first of them or of a later part's, and of its new coefficients.
fn first_change(part: Part, move_: Move) -> vec2<u32> {
    // Changed terms of earlier measurements come first in the list.
    let end = last_changed(move_);
    var first = move_.first_changed;
    var fresh = move_.fresh;
    while first < end && changed[first] < part.first_term {
        let term = terms[changed[first]];
        fresh += term.stride * term.repeats;
        first++;
    }
    return vec2(first, fresh);
}

// One past the last of the terms it changes.
fn last_changed(move_: Move) -> u32 {
    return move_.first_changed + (move_.changed & ~WHOLE);
}
