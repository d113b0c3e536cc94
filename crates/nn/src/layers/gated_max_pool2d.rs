//! Largest value of an activation in each window, for activations that fall to their only minimum and then rise.
//!
//! ```text
//! y[c][r][q] = max over kh, kw of f(x[c][r·SH + kh][q·SW + kw]),  f(x) = x · gate(x)
//! ```
//!
//! x is [C][H][W], y is [C][OH][OW]. The largest f of a window is that of its largest or of its smallest x, so two values
//! of f are computed for a window in place of KH·KW, and none in the backward pass: f′ of the winner is kept. Of several
//! winners it is the first among equal x; a NaN is larger than any number. Where two f differ by rounding alone, it may be
//! another than when f came first.

use lanes::{Kernel, Lane, Scalar};

use super::activation::{Activation, Gated, Gelu, HardSwish, Silu};
use super::max_pool2d::{Given, MaxPool2d};

/// A pooling of a function of its input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GatedMaxPool2d {
    pub(crate) pool: MaxPool2d,
    gate: Gate,
}

#[derive(Clone, Copy, Debug)]
enum Gate {
    Gelu,
    Silu,
    HardSwish,
}

impl GatedMaxPool2d {
    /// The activation and then the pooling, where the activation is a gated one.
    pub(crate) fn new(activation: Activation, pool: MaxPool2d) -> Option<Self> {
        let gate = match activation {
            Activation::Gelu => Gate::Gelu,
            Activation::Silu => Gate::Silu,
            Activation::HardSwish => Gate::HardSwish,
            Activation::Sigmoid | Activation::Tanh { .. } => return None,
        };
        Some(Self { pool, gate })
    }

    /// y and what is kept from x: the winner of each window as kh · KW + kw, then f′ there. An empty `kept`, without a
    /// backward pass to come, is not written.
    pub(crate) fn forward<V: Lane>(self, x: &[V], y: &mut [V], kept: &mut [V]) {
        match self.gate {
            Gate::Gelu => forward(self.pool, Gelu, x, y, kept),
            Gate::Silu => forward(self.pool, Silu, x, y, kept),
            Gate::HardSwish => forward(self.pool, HardSwish, x, y, kept),
        }
    }

    /// dx (overwritten) from dy and what was kept.
    pub(crate) fn backward<V: Lane>(self, dy: &[V], kept: &[V], dx: &mut [V]) {
        let (winner, slope) = kept.split_at(dy.len());
        self.pool.distribute::<V, true>(Given { dy, winner, slope }, dx);
    }
}

fn forward<V: Lane, G: Gated>(g: MaxPool2d, gate: G, x: &[V], y: &mut [V], kept: &mut [V]) {
    let (winner, slope) = kept.split_at_mut(kept.len() / 2);
    match (g.is_halving(), winner.is_empty()) {
        (true, true) => V::enter(Forward::<V, G, 2, false> { g, gate, x, y, winner, slope }),
        (true, false) => V::enter(Forward::<V, G, 2, true> { g, gate, x, y, winner, slope }),
        (false, true) => V::enter(Forward::<V, G, 0, false> { g, gate, x, y, winner, slope }),
        (false, false) => V::enter(Forward::<V, G, 0, true> { g, gate, x, y, winner, slope }),
    }
}

/// `KEEP`: winners and slopes are kept.
struct Forward<'a, V, G, const K: usize, const KEEP: bool> {
    g: MaxPool2d,
    gate: G,
    x: &'a [V],
    y: &'a mut [V],
    winner: &'a mut [V],
    slope: &'a mut [V],
}

impl<V: Lane, G: Gated, const K: usize, const KEEP: bool> Kernel for Forward<'_, V, G, K, KEEP> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.g.with_window::<K>();
        for (row, y) in self.y.chunks_exact_mut(g.out_width).enumerate() {
            let x = &self.x[g.row_start(row)..][..g.width * g.kernel.h];
            let n_kept = if KEEP { g.out_width } else { 0 };
            let winner = &mut self.winner[row * n_kept..][..n_kept];
            let slope = &mut self.slope[row * n_kept..][..n_kept];
            for q in 0..g.out_width {
                let [high, low] = extremes(&g, &x[q * g.stride.w..]);
                let gates = [self.gate.gate(high.x), self.gate.gate(low.x)];
                let [at_high, at_low] = [high.x * gates[0], low.x * gates[1]];
                let larger = V::select_gt(at_low, at_high, at_low, at_high);
                // A NaN is not equal to itself; f(−∞) is one.
                y[q] = V::select_eq(at_low, at_low, larger, at_low);
                if KEEP {
                    winner[q] = V::select_gt(at_low, at_high, low.at, high.at);
                    let x = V::select_gt(at_low, at_high, low.x, high.x);
                    let gate = V::select_gt(at_low, at_high, gates[1], gates[0]);
                    slope[q] = self.gate.slope(x, gate);
                }
            }
        }
    }
}

/// A value of a window, and which it is.
#[derive(Clone, Copy)]
struct Extreme<V> {
    x: V,
    at: V,
}

/// The first of the largest values and the first of the smallest of the window at the start of `x`; a NaN is the largest.
#[inline(always)]
fn extremes<V: Lane>(g: &MaxPool2d, x: &[V]) -> [Extreme<V>; 2] {
    let [mut high, mut low] = [Extreme { x: x[0], at: V::zero() }; 2];
    for kh in 0..g.kernel.h {
        for kw in 0..g.kernel.w {
            let x = x[kh * g.width + kw];
            let k = V::splat(V::Scalar::from_f64((kh * g.kernel.w + kw) as f64));
            high.at = V::select_gt(x, high.x, k, high.at);
            high.x = V::select_eq(x, x, x.max(high.x), x);
            low.at = V::select_gt(low.x, x, k, low.at);
            low.x = V::select_gt(low.x, x, x, low.x);
        }
    }
    [high, low]
}

#[cfg(test)]
mod tests {
    use super::GatedMaxPool2d;
    use crate::layers::activation::Activation::{self, Gelu, HardSwish, Silu};
    use crate::layers::conformance::{Subject, check};
    use crate::layers::max_pool2d::MaxPool2d;
    use lanes::Lane;
    use spec::Pair;

    const CHANNELS: usize = 2;

    /// The pooling of values that the activation alone has given.
    struct Pooled(Activation, MaxPool2d);

    impl Pooled {
        fn fused(&self) -> GatedMaxPool2d {
            GatedMaxPool2d::new(self.0, self.1).unwrap()
        }
    }

    impl Subject for Pooled {
        fn forward<V: Lane>(&self, x: &[V], _: &[V::Scalar]) -> Vec<V> {
            let mut y = vec![V::zero(); CHANNELS * self.1.out_height * self.1.out_width];
            self.fused().forward(x, &mut y, &mut []);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], _: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let (mut y, mut kept) = (dy.to_vec(), [dy, dy].concat());
            self.fused().forward(x, &mut y, &mut kept);
            let mut dx = x.to_vec();
            self.fused().backward(dy, &kept, &mut dx);
            (dx, vec![])
        }
        fn plain(&self, x: &[f64], params: &[f64]) -> Vec<f64> {
            Subject::plain(&self.1, &Subject::plain(&self.0, x, params), params)
        }
    }

    #[test]
    fn the_pooling_of_a_function_is_that_of_its_values() {
        for activation in [Gelu, Silu, HardSwish] {
            for (height, width, kernel, stride) in [
                (4, 6, (2, 2), (2, 2)),
                (5, 7, (2, 2), (2, 2)),
                (6, 5, (3, 2), (2, 1)),
                (5, 8, (1, 2), (2, 3)),
            ] {
                let (kernel, stride) = (Pair::new(kernel.0, kernel.1), Pair::new(stride.0, stride.1));
                let pool = MaxPool2d::new([CHANNELS, height, width], kernel, stride);
                let name = format!("{activation:?}, {pool:?}");
                check(&name, &Pooled(activation, pool), CHANNELS * height * width, 0);
            }
        }
    }

    /// The numbers of [`check`] hardly go below the minimum of these functions.
    #[test]
    fn the_smallest_of_a_window_may_win() {
        let pool = MaxPool2d::new([CHANNELS, 1, 3], Pair::new(1, 3), Pair::square(1));
        for (activation, x, winner) in [
            (Silu, [-1.5, -9.0, -1.0], 1),
            (Gelu, [-1.0, -0.5, -4.0], 2),
            (HardSwish, [-2.9, -1.0, -2.0], 0),
            (HardSwish, [-1.0, -4.0, -5.0], 2),
            (Silu, [-9.0, -1.0, 0.5], 2),
        ] {
            let pooled = Pooled(activation, pool);
            let x = [x; CHANNELS].concat();
            let alone = Subject::plain(&activation, &x, &[]);
            let dx = Subject::backward(&pooled, &x, &[], &[1.0; CHANNELS]).0;
            let want = Subject::backward(&activation, &x, &[], &[1.0; 3 * CHANNELS]).0;
            assert!((Subject::forward(&pooled, &x, &[])[0] - alone[winner]).abs() < 1e-12);
            for (i, dx) in dx.into_iter().enumerate() {
                assert_eq!(dx, if i % 3 == winner { want[i] } else { 0.0 }, "{activation:?} of {x:?} at {i}");
            }
        }
    }

    #[test]
    fn a_nan_and_the_nan_of_minus_infinity_win() {
        let pool = MaxPool2d::new([CHANNELS, 1, 2], Pair::new(1, 2), Pair::square(1));
        for bad in [f32::NAN, f32::NEG_INFINITY] {
            for x in [[bad, 1.0, 2.0, bad], [-3.0, bad, bad, -3.0]] {
                let y = Subject::forward(&Pooled(Silu, pool), &x, &[]);
                assert!(y.iter().all(|y| y.is_nan()), "{x:?}: {y:?}");
            }
        }
    }
}
