//! A border of zeros.
//!
//! ```text
//! y[c][r + PH][q + PW] = x[c][r][q], 0 elsewhere
//! ```
//!
//! x is [C][H][W], y is [C][H + 2·PH][W + 2·PW].

use lanes::Lane;
use spec::Pair;

/// The geometry of one border.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pad {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) padding: Pair,
}

impl Pad {
    /// [C, H + 2·PH, W + 2·PW]
    pub(crate) fn out_shape(self) -> [usize; 3] {
        [self.channels, self.height + 2 * self.padding.h, self.width + 2 * self.padding.w]
    }

    /// y (overwritten) from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], y: &mut [V]) {
        y.fill(V::zero());
        for (row, x) in x.chunks_exact(self.width).enumerate() {
            y[self.inner_row(row)..][..self.width].copy_from_slice(x);
        }
    }

    /// dx (overwritten) from dy: the border's gradient goes nowhere.
    pub(crate) fn backward<V: Lane>(self, dy: &[V], dx: &mut [V]) {
        for (row, dx) in dx.chunks_exact_mut(self.width).enumerate() {
            dx.copy_from_slice(&dy[self.inner_row(row)..][..self.width]);
        }
    }

    /// Where row `row` of x, counted over all channels, starts in y.
    fn inner_row(self, row: usize) -> usize {
        let [_, height, width] = self.out_shape();
        let (c, r) = (row / self.height, row % self.height);
        (c * height + r + self.padding.h) * width + self.padding.w
    }
}
