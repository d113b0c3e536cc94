//! Largest value of each window.
//!
//! ```text
//! y[c][r][q] = max over kh, kw of x[c][r·SH + kh][q·SW + kw]
//! ```
//!
//! x is [C][H][W], y is [C][OH][OW]; padding with −∞ is a node of its own before. The first maximum in row order wins and
//! gets the whole gradient, and a NaN is larger than any number, as in PyTorch's `nn.MaxPool2d`. `winner` remembers the
//! maximum for each output: kh · KW + kw as a number in its lane; where a NaN has won, any.

use lanes::{Kernel, Lane, Scalar};
use spec::Pair;

/// The geometry of one pooling layer, the same for every channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxPool2d {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) kernel: Pair,
    pub(crate) stride: Pair,
    pub(crate) out_height: usize,
    pub(crate) out_width: usize,
}

impl MaxPool2d {
    /// Pooling over [C, H, W]; the window must fit.
    pub(crate) fn new(shape: [usize; 3], kernel: Pair, stride: Pair) -> Self {
        let [_, height, width] = shape;
        let out_height = (height - kernel.h) / stride.h + 1;
        let out_width = (width - kernel.w) / stride.w + 1;
        Self { height, width, kernel, stride, out_height, out_width }
    }

    /// y and winner from x; an empty `winner`, without a backward pass to come, is not written.
    pub(crate) fn forward<V: Lane>(self, x: &[V], y: &mut [V], winner: &mut [V]) {
        match (self.is_halving(), winner.is_empty()) {
            (true, true) => V::enter(Forward::<V, 2, false> { g: self, x, y, winner }),
            (true, false) => V::enter(Forward::<V, 2, true> { g: self, x, y, winner }),
            (false, true) => V::enter(Forward::<V, 0, false> { g: self, x, y, winner }),
            (false, false) => V::enter(Forward::<V, 0, true> { g: self, x, y, winner }),
        }
    }

    /// dx (overwritten) from dy and winner.
    pub(crate) fn backward<V: Lane>(self, dy: &[V], winner: &[V], dx: &mut [V]) {
        self.distribute::<V, false>(Given { dy, winner, slope: &[] }, dx);
    }

    /// dx (overwritten) from what each output gives; `SCALED`: times its slope.
    pub(super) fn distribute<V: Lane, const SCALED: bool>(self, given: Given<'_, V>, dx: &mut [V]) {
        // Where windows neither overlap nor leave gaps, each dx is written once and needs no clearing.
        let tiled = self.kernel == self.stride
            && self.out_height * self.stride.h == self.height
            && self.out_width * self.stride.w == self.width;
        if !tiled {
            dx.fill(V::zero());
        }
        match (tiled, self.is_halving()) {
            (true, true) => V::enter(Backward::<V, 2, true, SCALED> { g: self, given, dx }),
            (true, false) => V::enter(Backward::<V, 0, true, SCALED> { g: self, given, dx }),
            (false, _) => V::enter(Backward::<V, 0, false, SCALED> { g: self, given, dx }),
        }
    }

    /// The usual case, 2 × 2 in steps of 2.
    pub(super) fn is_halving(self) -> bool {
        self.kernel == Pair::square(2) && self.stride == Pair::square(2)
    }

    /// The same, with a window of `K` × `K` in steps of `K` as constants for the compiler; `K` = 0 changes nothing.
    #[inline(always)]
    pub(super) fn with_window<const K: usize>(self) -> Self {
        if K == 0 { self } else { Self { kernel: Pair::square(K), stride: Pair::square(K), ..self } }
    }

    /// Where the windows of output row `row`, counted over all channels, start in x.
    #[inline(always)]
    pub(super) fn row_start(&self, row: usize) -> usize {
        let (c, r) = (row / self.out_height, row % self.out_height);
        (c * self.height + r * self.stride.h) * self.width
    }
}

/// `KEEP`: the winners are kept.
struct Forward<'a, V, const K: usize, const KEEP: bool> {
    g: MaxPool2d,
    x: &'a [V],
    y: &'a mut [V],
    winner: &'a mut [V],
}

impl<V: Lane, const K: usize, const KEEP: bool> Kernel for Forward<'_, V, K, KEEP> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.g.with_window::<K>();
        for (row, y) in self.y.chunks_exact_mut(g.out_width).enumerate() {
            let x = &self.x[g.row_start(row)..][..g.width * g.kernel.h];
            let n_kept = if KEEP { g.out_width } else { 0 };
            let kept = &mut self.winner[row * n_kept..][..n_kept];
            for q in 0..g.out_width {
                let (best, winner) = window(&g, &x[q * g.stride.w..]);
                y[q] = best;
                if KEEP {
                    kept[q] = winner;
                }
            }
        }
    }
}

/// The largest value of the window at the start of `x`, and which it is.
#[inline(always)]
fn window<V: Lane>(g: &MaxPool2d, x: &[V]) -> (V, V) {
    let (mut best, mut winner) = (x[0], V::zero());
    for kh in 0..g.kernel.h {
        for kw in 0..g.kernel.w {
            let x = x[kh * g.width + kw];
            let k = V::splat(V::Scalar::from_f64((kh * g.kernel.w + kw) as f64));
            winner = V::select_gt(x, best, k, winner);
            // A NaN is not equal to itself.
            best = V::select_eq(x, x, x.max(best), x);
        }
    }
    (best, winner)
}

/// What the outputs give to their winners.
#[derive(Clone, Copy)]
pub(super) struct Given<'a, V> {
    pub(super) dy: &'a [V],
    pub(super) winner: &'a [V],
    /// What dy is multiplied with, or nothing.
    pub(super) slope: &'a [V],
}

/// dx of the winner gets dy, `SCALED` times the slope. `TILED`: the windows tile x, so that dx is set rather than added to.
struct Backward<'a, V, const K: usize, const TILED: bool, const SCALED: bool> {
    g: MaxPool2d,
    given: Given<'a, V>,
    dx: &'a mut [V],
}

impl<V: Lane, const K: usize, const TILED: bool, const SCALED: bool> Kernel
    for Backward<'_, V, K, TILED, SCALED>
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.g.with_window::<K>();
        let Given { dy, winner, slope } = self.given;
        let rows = dy.chunks_exact(g.out_width).zip(winner.chunks_exact(g.out_width));
        for (row, (dy, winner)) in rows.enumerate() {
            let n_slopes = if SCALED { g.out_width } else { 0 };
            let slope = &slope[row * n_slopes..][..n_slopes];
            let dx = &mut self.dx[g.row_start(row)..][..g.width * g.kernel.h];
            for q in 0..g.out_width {
                let dx = &mut dx[q * g.stride.w..];
                let dy = if SCALED { dy[q] * slope[q] } else { dy[q] };
                for kh in 0..g.kernel.h {
                    for kw in 0..g.kernel.w {
                        let k = V::splat(V::Scalar::from_f64((kh * g.kernel.w + kw) as f64));
                        let share = V::select_eq(winner[q], k, dy, V::zero());
                        let dx = &mut dx[kh * g.width + kw];
                        *dx = if TILED { share } else { *dx + share };
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MaxPool2d;
    use crate::layers::conformance::{Subject, check};
    use lanes::Lane;
    use spec::Pair;

    const CHANNELS: usize = 2;

    impl Subject for MaxPool2d {
        fn forward<V: Lane>(&self, x: &[V], _: &[V::Scalar]) -> Vec<V> {
            let mut y = vec![V::zero(); CHANNELS * self.out_height * self.out_width];
            MaxPool2d::forward(*self, x, &mut y, &mut []);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], _: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let (mut y, mut winner) = (dy.to_vec(), dy.to_vec());
            MaxPool2d::forward(*self, x, &mut y, &mut winner);
            let mut dx = x.to_vec();
            MaxPool2d::backward(*self, dy, &winner, &mut dx);
            (dx, vec![])
        }
        fn plain(&self, x: &[f64], _: &[f64]) -> Vec<f64> {
            let Self { height, width, kernel, stride, .. } = *self;
            let mut y = vec![];
            for c in 0..CHANNELS {
                for r in (0..=height - kernel.h).step_by(stride.h) {
                    for q in (0..=width - kernel.w).step_by(stride.w) {
                        let taps = (0..kernel.h * kernel.w).map(|k| (r + k / kernel.w, q + k % kernel.w));
                        y.push(
                            taps.map(|(r, q)| x[(c * height + r) * width + q])
                                .fold(f64::NEG_INFINITY, f64::max),
                        );
                    }
                }
            }
            y
        }
    }

    #[test]
    fn windows_of_all_kinds() {
        for (height, width, kernel, stride) in [
            (4, 6, (2, 2), (2, 2)),
            (5, 7, (2, 2), (2, 2)),
            (6, 6, (3, 3), (3, 3)),
            (6, 5, (3, 2), (2, 1)),
            (5, 8, (1, 2), (2, 3)),
        ] {
            let (kernel, stride) = (Pair::new(kernel.0, kernel.1), Pair::new(stride.0, stride.1));
            let pool = MaxPool2d::new([CHANNELS, height, width], kernel, stride);
            check(&format!("{pool:?}"), &pool, CHANNELS * height * width, 0);
        }
    }

    #[test]
    fn a_nan_anywhere_wins_and_minus_infinity_does_not() {
        let pool = MaxPool2d::new([1, 2, 2], Pair::square(2), Pair::square(2));
        for at in 0..4 {
            let mut x = [1.0f32, -2.0, 3.0, 0.5];
            x[at] = f32::NAN;
            let (mut y, mut winner) = ([0.0], [0.0]);
            pool.forward(&x, &mut y, &mut winner);
            assert!(y[0].is_nan(), "NaN at {at}");
            let mut x = [f32::NEG_INFINITY; 4];
            x[at] = -7.0;
            pool.forward(&x, &mut y, &mut winner);
            assert_eq!((y[0], winner[0]), (-7.0, at as f32), "the only number is at {at}");
        }
    }
}
