//! Sum of each window times one factor: 1/area for means.
//!
//! ```text
//! y[c][r][q] = scale · Σ_kh Σ_kw x[c][r·SH + kh][q·SW + kw]
//! ```
//!
//! x is [C][H][W], y is [C][OH][OW]. OH = (H − KH) / SH + 1, OW likewise; padding is a node of its own before. Conventions
//! of PyTorch's `nn.AvgPool2d`, whose means count the padding. Sums are the subsampling of LeNet-5 (LeCun et al. 1998),
//! where [`super::channel_affine`] follows.

use lanes::{Kernel, Lane, Scalar};
use spec::Pair;

/// The geometry of one pooling layer, the same for every channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AvgPool2d {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) kernel: Pair,
    pub(crate) stride: Pair,
    pub(crate) out_height: usize,
    pub(crate) out_width: usize,
    /// Factor of the sums.
    pub(crate) scale: f64,
}

impl AvgPool2d {
    /// Pooling over [C, H, W]; the window must fit.
    pub(crate) fn new(shape: [usize; 3], kernel: Pair, stride: Pair, scale: f64) -> Self {
        let [_, height, width] = shape;
        let out_height = (height - kernel.h) / stride.h + 1;
        let out_width = (width - kernel.w) / stride.w + 1;
        Self { height, width, kernel, stride, out_height, out_width, scale }
    }

    /// y (overwritten) from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], y: &mut [V]) {
        if self.is_halving() {
            V::enter(Forward::<V, 2> { g: self, x, y });
        } else {
            V::enter(Forward::<V, 0> { g: self, x, y });
        }
    }

    /// dx (overwritten) from dy.
    pub(crate) fn backward<V: Lane>(self, dy: &[V], dx: &mut [V]) {
        // Where windows neither overlap nor leave gaps, each dx is written once and needs no clearing.
        let tiled = self.kernel == self.stride
            && self.out_height * self.stride.h == self.height
            && self.out_width * self.stride.w == self.width;
        if !tiled {
            dx.fill(V::zero());
        }
        match (tiled, self.is_halving()) {
            (true, true) => V::enter(Backward::<V, 2, true> { g: self, dy, dx }),
            (true, false) => V::enter(Backward::<V, 0, true> { g: self, dy, dx }),
            (false, _) => V::enter(Backward::<V, 0, false> { g: self, dy, dx }),
        }
    }

    /// The usual case, 2 × 2 in steps of 2.
    fn is_halving(self) -> bool {
        self.kernel == Pair::square(2) && self.stride == Pair::square(2)
    }

    /// The same, with a window of `K` × `K` in steps of `K` as constants for the compiler; `K` = 0 changes nothing.
    #[inline(always)]
    fn with_window<const K: usize>(self) -> Self {
        if K == 0 { self } else { Self { kernel: Pair::square(K), stride: Pair::square(K), ..self } }
    }

    /// Where the windows of output row `row`, counted over all channels, start in x.
    #[inline(always)]
    fn row_start(&self, row: usize) -> usize {
        let (c, r) = (row / self.out_height, row % self.out_height);
        (c * self.height + r * self.stride.h) * self.width
    }
}

struct Forward<'a, V, const K: usize> {
    g: AvgPool2d,
    x: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane, const K: usize> Kernel for Forward<'_, V, K> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.g.with_window::<K>();
        let scale = V::splat(V::Scalar::from_f64(g.scale));
        for (row, y) in self.y.chunks_exact_mut(g.out_width).enumerate() {
            let x = &self.x[g.row_start(row)..][..g.width * g.kernel.h];
            for q in 0..g.out_width {
                y[q] = window_sum(&g, &x[q * g.stride.w..]) * scale;
            }
        }
    }
}

/// The sum of the window at the start of `x`, row by row.
#[inline(always)]
fn window_sum<V: Lane>(g: &AvgPool2d, x: &[V]) -> V {
    let mut sum = V::zero();
    for kh in 0..g.kernel.h {
        let x = &x[kh * g.width..][..g.kernel.w];
        let mut row = x[0];
        for kw in 1..g.kernel.w {
            row = row + x[kw];
        }
        sum = sum + row;
    }
    sum
}

/// dx of every value of a window gets scale · dy. `TILED`: the windows tile x, so that dx is set rather than added to.
struct Backward<'a, V, const K: usize, const TILED: bool> {
    g: AvgPool2d,
    dy: &'a [V],
    dx: &'a mut [V],
}

impl<V: Lane, const K: usize, const TILED: bool> Kernel for Backward<'_, V, K, TILED> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.g.with_window::<K>();
        let scale = V::splat(V::Scalar::from_f64(g.scale));
        for (row, dy) in self.dy.chunks_exact(g.out_width).enumerate() {
            let dx = &mut self.dx[g.row_start(row)..][..g.width * g.kernel.h];
            for q in 0..g.out_width {
                let share = dy[q] * scale;
                for kh in 0..g.kernel.h {
                    for dx in &mut dx[kh * g.width + q * g.stride.w..][..g.kernel.w] {
                        *dx = if TILED { share } else { *dx + share };
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AvgPool2d;
    use crate::layers::conformance::{Subject, check};
    use lanes::Lane;
    use spec::Pair;

    const CHANNELS: usize = 3;

    impl Subject for AvgPool2d {
        fn forward<V: Lane>(&self, x: &[V], _: &[V::Scalar]) -> Vec<V> {
            let mut y = vec![V::splat(V::Scalar::default()); CHANNELS * self.out_height * self.out_width];
            AvgPool2d::forward(*self, x, &mut y);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], _: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            // What stood in dx before must not matter.
            let mut dx = x.to_vec();
            AvgPool2d::backward(*self, dy, &mut dx);
            (dx, vec![])
        }
        fn plain(&self, x: &[f64], _: &[f64]) -> Vec<f64> {
            let Self { height, width, kernel, stride, scale, .. } = *self;
            let mut y = vec![];
            for c in 0..CHANNELS {
                for r in (0..=height - kernel.h).step_by(stride.h) {
                    for q in (0..=width - kernel.w).step_by(stride.w) {
                        let taps = (0..kernel.h * kernel.w).map(|k| (r + k / kernel.w, q + k % kernel.w));
                        y.push(taps.map(|(r, q)| scale * x[(c * height + r) * width + q]).sum());
                    }
                }
            }
            y
        }
    }

    #[test]
    fn windows_of_all_kinds() {
        for (height, width, kernel, stride, scale) in [
            (4, 6, (2, 2), (2, 2), 0.25),
            (5, 7, (2, 2), (2, 2), 1.0),
            (6, 6, (3, 3), (3, 3), 1.0 / 9.0),
            (6, 5, (3, 2), (2, 1), 1.0 / 6.0),
            (5, 8, (1, 2), (2, 3), 0.5),
            (3, 3, (3, 3), (1, 1), -2.0),
            (1, 1, (1, 1), (1, 1), 1.0),
        ] {
            let (kernel, stride) = (Pair::new(kernel.0, kernel.1), Pair::new(stride.0, stride.1));
            let pool = AvgPool2d::new([CHANNELS, height, width], kernel, stride, scale);
            check(&format!("{pool:?}"), &pool, CHANNELS * height * width, 0);
        }
    }
}
