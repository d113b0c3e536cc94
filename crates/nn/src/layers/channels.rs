//! Moving whole channels: several inputs behind one another, or a selection of one input's.
//!
//! Copies, so that the layers that follow read their channels in a row; the backward pass adds up where a channel was
//! copied more than once.

use lanes::Lane;

use super::add::add_to;

/// y (overwritten): channel `i` is channel `from[i]` of x. `plane` values a channel.
pub(crate) fn select<V: Lane>(from: &[usize], plane: usize, x: &[V], y: &mut [V]) {
    for (&c, y) in from.iter().zip(y.chunks_exact_mut(plane)) {
        y.copy_from_slice(&x[c * plane..(c + 1) * plane]);
    }
}

/// dx (overwritten) of [`select`].
pub(crate) fn select_backward<V: Lane>(from: &[usize], plane: usize, dy: &[V], dx: &mut [V]) {
    dx.fill(V::zero());
    for (&c, dy) in from.iter().zip(dy.chunks_exact(plane)) {
        add_to(dy, &mut dx[c * plane..(c + 1) * plane]);
    }
}
