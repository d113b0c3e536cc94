//! Product of two inputs, of one shape or of a map with one number for each channel.
//!
//! ```text
//! y[i] = a[i] · b[i]                 da = dy · b        db = dy · a
//! y[c][p] = a[c][p] · b[c]           da[c][p] = dy[c][p] · b[c]        db[c] = Σ_p dy[c][p] · a[c][p]
//! ```
//!
//! In the second form a is [C][N] with N = H·W (`plane`), b is [C].

use lanes::{Kernel, Lane};

use crate::sums::dot;

/// y (overwritten) from two inputs of one shape.
pub(crate) fn forward<V: Lane>(a: &[V], b: &[V], y: &mut [V]) {
    V::enter(Forward { a, b, y });
}

/// y (overwritten) from a map a and channel factors b.
pub(crate) fn forward_broadcast<V: Lane>(plane: usize, a: &[V], b: &[V], y: &mut [V]) {
    V::enter(Broadcast { plane, a, b, y });
}

/// dx (overwritten) of one of two inputs of one shape, given the other.
pub(crate) fn backward<V: Lane>(other: &[V], dy: &[V], dx: &mut [V]) {
    V::enter(Forward { a: dy, b: other, y: dx });
}

/// da (overwritten) of the map.
pub(crate) fn backward_broadcast_map<V: Lane>(plane: usize, b: &[V], dy: &[V], da: &mut [V]) {
    V::enter(Broadcast { plane, a: dy, b, y: da });
}

/// db (overwritten) of the channel factors.
pub(crate) fn backward_broadcast_channel<V: Lane>(plane: usize, a: &[V], dy: &[V], db: &mut [V]) {
    V::enter(ChannelGradient { plane, a, dy, db });
}

struct Forward<'a, V> {
    a: &'a [V],
    b: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Forward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((y, &a), &b) in self.y.iter_mut().zip(self.a).zip(self.b) {
            *y = a * b;
        }
    }
}

struct Broadcast<'a, V> {
    plane: usize,
    a: &'a [V],
    b: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Broadcast<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let planes = self.a.chunks_exact(self.plane).zip(self.y.chunks_exact_mut(self.plane));
        for ((a, y), &b) in planes.zip(self.b) {
            for (y, &a) in y.iter_mut().zip(a) {
                *y = a * b;
            }
        }
    }
}

struct ChannelGradient<'a, V> {
    plane: usize,
    a: &'a [V],
    dy: &'a [V],
    db: &'a mut [V],
}

impl<V: Lane> Kernel for ChannelGradient<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let planes = self.a.chunks_exact(self.plane).zip(self.dy.chunks_exact(self.plane));
        for ((a, dy), db) in planes.zip(self.db) {
            *db = dot(dy, a);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::conformance::{Subject, check};

    /// x is a and b, one after the other; `plane` 0: both of one shape.
    struct Multiply {
        n_a: usize,
        plane: usize,
    }

    impl Subject for Multiply {
        fn forward<V: Lane>(&self, x: &[V], _: &[V::Scalar]) -> Vec<V> {
            let (a, b) = x.split_at(self.n_a);
            let mut y = vec![V::zero(); self.n_a];
            match self.plane {
                0 => forward(a, b, &mut y),
                plane => forward_broadcast(plane, a, b, &mut y),
            }
            y
        }
        fn backward<V: Lane>(&self, x: &[V], _: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let (a, b) = x.split_at(self.n_a);
            let mut dx = x.to_vec();
            let (da, db) = dx.split_at_mut(self.n_a);
            match self.plane {
                0 => {
                    backward(b, dy, da);
                    backward(a, dy, db);
                }
                plane => {
                    backward_broadcast_map(plane, b, dy, da);
                    backward_broadcast_channel(plane, a, dy, db);
                }
            }
            (dx, vec![])
        }
        fn plain(&self, x: &[f64], _: &[f64]) -> Vec<f64> {
            let (a, b) = x.split_at(self.n_a);
            (0..self.n_a).map(|i| a[i] * b[i / self.plane.max(1)]).collect()
        }
    }

    #[test]
    fn equal_shapes_and_channel_factors() {
        check("equal shapes", &Multiply { n_a: 13, plane: 0 }, 26, 0);
        for plane in 1..12 {
            check(&format!("plane of {plane}"), &Multiply { n_a: 3 * plane, plane }, 3 * plane + 3, 0);
        }
    }
}
