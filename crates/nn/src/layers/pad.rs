//! A border of one value.
//!
//! ```text
//! y[c][r + top][q + left] = x[c][r][q], the value elsewhere
//! ```
//!
//! x is [C][H][W], y is [C][top + H + bottom][left + W + right]. The value is 0 before convolutions and means, −∞ before
//! maxima.

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
    /// What stands in the border; may be −∞.
    pub(crate) value: f64,
}

impl Pad {
    /// [C, top + H + bottom, left + W + right]
    pub(crate) fn out_shape(self) -> [usize; 3] {
        [self.channels, self.top + self.height + self.bottom, self.left + self.width + self.right]
    }

    /// y (overwritten) from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], y: &mut [V]) {
        let border = V::splat(V::Scalar::from_f64(self.value));
        let mut start = 0;
        for (row, x) in x.chunks_exact(self.width).enumerate() {
            let inner = self.inner_row(row);
            y[start..inner].fill(border);
            start = inner + self.width;
            y[inner..start].copy_from_slice(x);
        }
        y[start..].fill(border);
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
        (c * height + r + self.top) * width + self.left
    }
}

#[cfg(test)]
mod tests {
    use super::Pad;
    use crate::layers::conformance::{Subject, check};
    use lanes::Lane;

    impl Subject for Pad {
        fn forward<V: Lane>(&self, x: &[V], _: &[V::Scalar]) -> Vec<V> {
            let mut y = vec![V::zero(); self.out_shape().iter().product()];
            Pad::forward(*self, x, &mut y);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], _: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let mut dx = x.to_vec();
            Pad::backward(*self, dy, &mut dx);
            (dx, vec![])
        }
        fn plain(&self, x: &[f64], _: &[f64]) -> Vec<f64> {
            let [channels, out_height, out_width] = self.out_shape();
            let mut y = vec![];
            for i in 0..channels * out_height * out_width {
                let (c, r, q) = (i / out_width / out_height, i / out_width % out_height, i % out_width);
                let (r, q) = (r.wrapping_sub(self.top), q.wrapping_sub(self.left));
                let inside = r < self.height && q < self.width;
                y.push(if inside { x[(c * self.height + r) * self.width + q] } else { self.value });
            }
            y
        }
    }

    #[test]
    fn borders_of_all_kinds() {
        for [top, bottom, left, right] in
            [[0; 4], [1; 4], [1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0], [1, 2, 3, 4]]
        {
            let pad = Pad { channels: 3, height: 2, width: 5, top, bottom, left, right, value: 1.5 };
            check(&format!("{pad:?}"), &pad, 30, 0);
        }
    }

    #[test]
    fn the_border_may_be_minus_infinity() {
        let value = f64::NEG_INFINITY;
        let pad = Pad { channels: 1, height: 1, width: 1, top: 0, bottom: 0, left: 1, right: 0, value };
        assert_eq!(Subject::forward(&pad, &[2.0f32], &[]), [f32::NEG_INFINITY, 2.0]);
    }
}
