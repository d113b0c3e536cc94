//! Largest value of each window.
//!
//! ```text
//! y[c][r][q] = max over kh, kw of x[c][r·SH + kh][q·SW + kw]
//! ```
//!
//! x is [C][H][W], y is [C][OH][OW]. The first maximum in row order wins and gets the whole gradient, as in
//! PyTorch's `nn.MaxPool2d`. `winner` remembers it for each output: kh · KW + kw as a number in its lane.

use lanes::{Kernel, Lane, Scalar};
use spec::Pair;

/// The geometry of one pooling layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxPool2d {
    pub(crate) channels: usize,
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
        let [channels, height, width] = shape;
        let out_height = (height - kernel.h) / stride.h + 1;
        let out_width = (width - kernel.w) / stride.w + 1;
        Self { channels, height, width, kernel, stride, out_height, out_width }
    }

    /// y and winner from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], y: &mut [V], winner: &mut [V]) {
        if self.kernel == Pair::square(2) && self.stride == Pair::square(2) {
            V::enter(Forward { g: self.halving(), x, y, winner });
        } else {
            V::enter(Forward { g: self, x, y, winner });
        }
    }

    /// dx (overwritten) from dy and winner.
    pub(crate) fn backward<V: Lane>(self, dy: &[V], winner: &[V], dx: &mut [V]) {
        // Where windows neither overlap nor leave gaps, each dx is written once and needs no clearing.
        let tiled = self.kernel == self.stride
            && self.out_height * self.stride.h == self.height
            && self.out_width * self.stride.w == self.width;
        if !tiled {
            dx.fill(V::zero());
        }
        match (tiled, self.kernel == Pair::square(2)) {
            (true, true) => V::enter(Backward::<V, true> { g: self.halving(), dy, winner, dx }),
            (true, false) => V::enter(Backward::<V, true> { g: self, dy, winner, dx }),
            (false, _) => V::enter(Backward::<V, false> { g: self, dy, winner, dx }),
        }
    }

    /// The same with the window written as constants, so that the compiler unrolls the usual case.
    fn halving(self) -> Self {
        Self { kernel: Pair::square(2), stride: Pair::square(2), ..self }
    }
}

struct Forward<'a, V> {
    g: MaxPool2d,
    x: &'a [V],
    y: &'a mut [V],
    winner: &'a mut [V],
}

impl<V: Lane> Kernel for Forward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.g;
        let mut out = self.y.iter_mut().zip(self.winner);
        for row in 0..g.channels * g.out_height {
            let start = ((row / g.out_height) * g.height + row % g.out_height * g.stride.h) * g.width;
            for (q, (y, winner)) in out.by_ref().take(g.out_width).enumerate() {
                (*y, *winner) = window(&g, &self.x[start + q * g.stride.w..]);
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
            best = x.max(best);
        }
    }
    (best, winner)
}

/// dx of the winner gets dy. `TILED`: the windows tile x, so that dx is set rather than added to.
struct Backward<'a, V, const TILED: bool> {
    g: MaxPool2d,
    dy: &'a [V],
    winner: &'a [V],
    dx: &'a mut [V],
}

impl<V: Lane, const TILED: bool> Kernel for Backward<'_, V, TILED> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.g;
        let mut out = self.dy.iter().zip(self.winner);
        for row in 0..g.channels * g.out_height {
            let start = ((row / g.out_height) * g.height + row % g.out_height * g.stride.h) * g.width;
            for (q, (&dy, &winner)) in out.by_ref().take(g.out_width).enumerate() {
                let dx = &mut self.dx[start + q * g.stride.w..];
                for kh in 0..g.kernel.h {
                    for kw in 0..g.kernel.w {
                        let k = V::splat(V::Scalar::from_f64((kh * g.kernel.w + kw) as f64));
                        let share = V::select_eq(winner, k, dy, V::zero());
                        let dx = &mut dx[kh * g.width + kw];
                        *dx = if TILED { share } else { *dx + share };
                    }
                }
            }
        }
    }
}
