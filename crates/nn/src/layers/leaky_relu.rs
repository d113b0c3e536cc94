//! Leaky rectifier; the plain one is slope 0.
//!
//! ```text
//! y = x where x > 0, slope · x elsewhere
//! ```
//!
//! Any shape. At x = 0 the gradient is the slope, as in PyTorch (`nn.LeakyReLU`; `nn.ReLU` gives 0 there).
//! With slope ≥ 0, y ≤ 0 exactly where x ≤ 0, so the backward pass takes either, and the layer may write over its input.
//! (With slope 0, −∞ becomes NaN, where PyTorch gives 0.)

use lanes::{Kernel, Lane, Scalar};

/// x becomes y.
pub(crate) fn forward<V: Lane>(slope: V::Scalar, x: &mut [V]) {
    V::enter(Forward { slope, x });
}

/// dy becomes dx; `x` is the input, or the output where the slope is not negative.
pub(crate) fn backward<V: Lane>(slope: V::Scalar, x: &[V], dy: &mut [V]) {
    V::enter(Backward { slope, x, dy });
}

struct Forward<'a, V: Lane> {
    slope: V::Scalar,
    x: &'a mut [V],
}

impl<V: Lane> Kernel for Forward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let slope = V::splat(self.slope);
        for x in self.x {
            // A factor rather than a choice between results: the latter becomes a masked store, which takes AMD's
            // processors some 20 cycles.
            *x = *x * V::select_gt(*x, V::zero(), V::splat(V::Scalar::ONE), slope);
        }
    }
}

struct Backward<'a, V: Lane> {
    slope: V::Scalar,
    x: &'a [V],
    dy: &'a mut [V],
}

impl<V: Lane> Kernel for Backward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let slope = V::splat(self.slope);
        for (dy, &x) in self.dy.iter_mut().zip(self.x) {
            *dy = *dy * V::select_gt(x, V::zero(), V::splat(V::Scalar::ONE), slope);
        }
    }
}
