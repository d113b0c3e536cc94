//! A border of one value.
//!
//! ```text
//! y[c][r + top][q + left] = x[c][r][q], value elsewhere
//! ```
//!
//! x is [C][H][W], y is [C][top + H + bottom][left + W + right].

use lanes::{Lane, Scalar};

/// The geometry of one border.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pad {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) top: usize,
    pub(crate) bottom: usize,
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) value: f64,
}

impl Pad {
    pub(crate) fn out_shape(self) -> [usize; 3] {
        [self.channels, self.top + self.height + self.bottom, self.left + self.width + self.right]
    }
    pub(crate) fn forward<V: Lane>(self, x: &[V], y: &mut [V]) {
        y.fill(V::splat(V::Scalar::from_f64(self.value)));
        for (row, x) in x.chunks_exact(self.width).enumerate() {
            y[self.inner_row(row)..][..self.width].copy_from_slice(x);
        }
    }
    pub(crate) fn backward<V: Lane>(self, dy: &[V], dx: &mut [V]) {
        for (row, dx) in dx.chunks_exact_mut(self.width).enumerate() {
            dx.copy_from_slice(&dy[self.inner_row(row)..][..self.width]);
        }
    }
    fn inner_row(self, row: usize) -> usize {
        let [_, height, width] = self.out_shape();
        let (c, r) = (row / self.height, row % self.height);
        (c * height + r + self.top) * width + self.left
    }
}
