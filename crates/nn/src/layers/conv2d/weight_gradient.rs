//! dw and db from x and dy.

use lanes::{Kernel, Lane};

use super::Conv2d;
use crate::gradient::Sum;
use crate::tiles::tiles;

impl Conv2d {
    /// dw and db from dy and the x of the forward pass; db is empty where there is no bias.
    pub(crate) fn backward_params<V: Lane>(
        &self,
        x: &[V],
        dy: &[V],
        dw: &mut [V::Scalar],
        db: &mut [V::Scalar],
        sum: Sum,
    ) {
        let xs = x.chunks_exact(self.group_inputs());
        let dys = dy.chunks_exact(self.group_outputs());
        for ((x, dy), dw) in xs.zip(dys).zip(dw.chunks_exact_mut(self.group_weights())) {
            self.backward_weights(x, dy, dw, sum);
        }
        bias_gradient(self.n_positions(), dy, db, sum);
    }

    /// dw of one group.
    fn backward_weights<V: Lane>(&self, x: &[V], dy: &[V], dw: &mut [V::Scalar], sum: Sum) {
        let max_taps = if self.dense_rows { 3 } else { 1 };
        for (kw, n_taps) in tiles(self.kernel.w, max_taps) {
            let args = WeightGradientArgs { g: self, kw, x, dy, sum };
            match (n_taps, V::REGISTERS) {
                (1, _) => weight_gradient::<V, 6, 1>(args, dw),
                (2, 1) => weight_gradient::<V, 6, 2>(args, dw),
                (2, _) => weight_gradient::<V, 3, 2>(args, dw),
                (_, 1) => weight_gradient::<V, 4, 3>(args, dw),
                _ => weight_gradient::<V, 2, 3>(args, dw),
            }
        }
    }
}

/// What the kernels of the weight gradient share: the taps from column `kw` of every kernel row.
#[derive(Clone, Copy)]
struct WeightGradientArgs<'a, V> {
    g: &'a Conv2d,
    kw: usize,
    x: &'a [V],
    dy: &'a [V],
    sum: Sum,
}

/// The part of dw of `TB` taps of every kernel row, `OB` output channels at a time.
fn weight_gradient<V: Lane, const OB: usize, const TB: usize>(
    args: WeightGradientArgs<'_, V>,
    dw: &mut [V::Scalar],
) {
    for (oc, n) in tiles(args.g.out_channels, OB) {
        match n {
            1 => V::enter(WeightGradient::<V, 1, TB> { args, oc, dw }),
            2 => V::enter(WeightGradient::<V, 2, TB> { args, oc, dw }),
            3 => V::enter(WeightGradient::<V, 3, TB> { args, oc, dw }),
            4 => V::enter(WeightGradient::<V, 4, TB> { args, oc, dw }),
            5 => V::enter(WeightGradient::<V, 5, TB> { args, oc, dw }),
            _ => V::enter(WeightGradient::<V, 6, TB> { args, oc, dw }),
        }
    }
}

/// dw[oc][t] = Σ_p dy[oc][p] · x[taps[t] + positions[p]], summed over lanes, for `OB` output channels and `TB`
/// neighboring taps of every kernel row. 2 × 3 and 3 × 2 are 12 accumulators of AVX2 for 10 loads, 4 × 3 and 6 × 2 as many of
/// AVX-512 for 7 and 8.
struct WeightGradient<'a, V: Lane, const OB: usize, const TB: usize> {
    args: WeightGradientArgs<'a, V>,
    oc: usize,
    dw: &'a mut [V::Scalar],
}

/// Positions, about, that all taps go through before the next are fetched: dy of two channels and the rows of x under
/// them stay in a first-level cache of 32 KiB.
const POSITION_BLOCK: usize = 96;

/// The blocks of `n` positions, (start, length) of each: as even as possible, as each pays for its sums over lanes.
fn blocks(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let n_blocks = ((n + POSITION_BLOCK / 2) / POSITION_BLOCK).max(1);
    tiles(n, n.div_ceil(n_blocks))
}

impl<V: Lane, const OB: usize, const TB: usize> Kernel for WeightGradient<'_, V, OB, TB> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.args.g;
        let (n_taps, n_positions) = (g.taps.len(), g.positions.len());
        for (first, len) in blocks(n_positions) {
            let end = first + len;
            let set = first == 0 && self.args.sum == Sum::Set;
            for t in (self.args.kw..n_taps).step_by(g.kernel.w) {
                let sums = self.block(t, first, end);
                for i in 0..OB {
                    let dw = &mut self.dw[(self.oc + i) * n_taps + t..][..TB];
                    for j in 0..TB {
                        let sum = sums[i][j].sum();
                        dw[j] = if set { sum } else { dw[j] + sum };
                    }
                }
            }
        }
    }
}

impl<V: Lane, const OB: usize, const TB: usize> WeightGradient<'_, V, OB, TB> {
    #[inline(always)]
    fn block(&self, t: usize, first: usize, end: usize) -> [[V; TB]; OB] {
        let WeightGradientArgs { g, x, dy, .. } = self.args;
        let x = &x[g.taps[t] as usize..];
        let n = end - first;
        let positions = &g.positions[first..][..n];
        let mut dys = [dy; OB];
        for i in 0..OB {
            dys[i] = &dy[(self.oc + i) * g.positions.len() + first..][..n];
        }
        let mut acc = [[V::zero(); TB]; OB];
        for p in 0..n {
            let start = positions[p] as usize;
            let x = &x[start..start + TB];
            for i in 0..OB {
                let dy = dys[i][p];
                for j in 0..TB {
                    acc[i][j] = dy.mul_add(x[j], acc[i][j]);
                }
            }
        }
        acc
    }
}

/// db from dy of all output channels; both may be of no length.
pub(crate) fn bias_gradient<V: Lane>(n_positions: usize, dy: &[V], db: &mut [V::Scalar], sum: Sum) {
    V::enter(BiasGradient { n_positions, dy, db, sum });
}

/// db[oc] = Σ_p dy[oc][p], summed over lanes.
struct BiasGradient<'a, V: Lane> {
    n_positions: usize,
    dy: &'a [V],
    db: &'a mut [V::Scalar],
    sum: Sum,
}

impl<V: Lane> Kernel for BiasGradient<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (db, dy) in self.db.iter_mut().zip(self.dy.chunks_exact(self.n_positions)) {
            // Four partial sums: one alone would wait for each addition's latency.
            let mut sums = [V::zero(); 4];
            let (quads, rest) = dy.as_chunks::<4>();
            for quad in quads {
                for j in 0..4 {
                    sums[j] = sums[j] + quad[j];
                }
            }
            for (j, &dy) in rest.iter().enumerate() {
                sums[j] = sums[j] + dy;
            }
            let sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum();
            *db = if self.sum == Sum::Set { sum } else { *db + sum };
        }
    }
}
