//! dw and db from x and dy.

use lanes::{Kernel, Lane};

use super::{Conv2d, POSITION_BLOCK, pointwise};
use crate::gradient::Sum;
use crate::sums::sum;
use crate::tiles::{blocks, tiles};

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
        if self.is_pointwise {
            return pointwise::WeightGradient { plane: self.n_positions(), x, dy }.give(dw, sum);
        }
        for block in blocks(self.n_positions(), POSITION_BLOCK) {
            self.backward_weights_block(block, x, dy, dw, sum);
        }
    }

    /// The part of a block of positions.
    fn backward_weights_block<V: Lane>(
        &self,
        block: (usize, usize),
        x: &[V],
        dy: &[V],
        dw: &mut [V::Scalar],
        sum: Sum,
    ) {
        let sum = if block.0 == 0 { sum } else { Sum::Add };
        let args = |first, step| WeightGradientArgs { g: self, block, first, step, x, dy, sum };
        if !self.dense_rows {
            let max_taps = if V::REGISTERS == 1 { 4 } else { 3 };
            for (t, n) in tiles(self.n_taps(), max_taps) {
                let args = args(t, self.n_taps());
                match (n, V::REGISTERS) {
                    (1, _) => weight_gradient::<V, 6, 1, false>(args, dw),
                    (2, 1) => weight_gradient::<V, 6, 2, false>(args, dw),
                    (2, _) => weight_gradient::<V, 3, 2, false>(args, dw),
                    (3, 1) => weight_gradient::<V, 4, 3, false>(args, dw),
                    (3, _) => weight_gradient::<V, 2, 3, false>(args, dw),
                    _ => weight_gradient::<V, 4, 4, false>(args, dw),
                }
            }
            return;
        }
        for (kw, n) in tiles(self.kernel.w, 3) {
            let args = args(kw, self.kernel.w);
            match (n, V::REGISTERS) {
                (1, _) => weight_gradient::<V, 6, 1, true>(args, dw),
                (2, 1) => weight_gradient::<V, 6, 2, true>(args, dw),
                (2, _) => weight_gradient::<V, 3, 2, true>(args, dw),
                (_, 1) => weight_gradient::<V, 4, 3, true>(args, dw),
                _ => weight_gradient::<V, 2, 3, true>(args, dw),
            }
        }
    }
}

/// What the kernels of the weight gradient share: the taps from `first` in steps of `step`.
#[derive(Clone, Copy)]
struct WeightGradientArgs<'a, V> {
    g: &'a Conv2d,
    /// The first position, and how many.
    block: (usize, usize),
    first: usize,
    step: usize,
    x: &'a [V],
    dy: &'a [V],
    sum: Sum,
}

/// The part of dw of `TB` taps from each of the arguments' taps on, `OB` output channels at a time.
fn weight_gradient<V: Lane, const OB: usize, const TB: usize, const ROW: bool>(
    args: WeightGradientArgs<'_, V>,
    dw: &mut [V::Scalar],
) {
    for (oc, n) in tiles(args.g.out_channels, OB) {
        match n {
            1 => V::enter(WeightGradient::<V, 1, TB, ROW> { args, oc, dw }),
            2 => V::enter(WeightGradient::<V, 2, TB, ROW> { args, oc, dw }),
            3 => V::enter(WeightGradient::<V, 3, TB, ROW> { args, oc, dw }),
            4 => V::enter(WeightGradient::<V, 4, TB, ROW> { args, oc, dw }),
            5 => V::enter(WeightGradient::<V, 5, TB, ROW> { args, oc, dw }),
            _ => V::enter(WeightGradient::<V, 6, TB, ROW> { args, oc, dw }),
        }
    }
}

/// dw[oc][t] = Σ_p dy[oc][p] · x[taps[t] + positions[p]], summed over lanes, for `OB` output channels and `TB`
/// taps. 2 × 3 and 3 × 2 are 12 accumulators of AVX2 for 10 loads, 4 × 3 and 6 × 2 as many of AVX-512 for 7 and 8, and 4 × 4
/// are 16 for 8.
///
/// `ROW`: the taps are neighbors in x, for every kernel row; else they are any, as with dilation, one column or a 1 × 1 kernel in
/// larger steps ([`pointwise`] does that in steps of 1).
struct WeightGradient<'a, V: Lane, const OB: usize, const TB: usize, const ROW: bool> {
    args: WeightGradientArgs<'a, V>,
    oc: usize,
    dw: &'a mut [V::Scalar],
}

impl<V: Lane, const OB: usize, const TB: usize, const ROW: bool> Kernel
    for WeightGradient<'_, V, OB, TB, ROW>
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n_taps = self.args.g.taps.len();
        for t in (self.args.first..n_taps).step_by(self.args.step) {
            let sums = self.block(t);
            for i in 0..OB {
                let dw = &mut self.dw[(self.oc + i) * n_taps + t..][..TB];
                for j in 0..TB {
                    let sum = sums[i][j].sum();
                    dw[j] = if self.args.sum == Sum::Set { sum } else { dw[j] + sum };
                }
            }
        }
    }
}

impl<V: Lane, const OB: usize, const TB: usize, const ROW: bool> WeightGradient<'_, V, OB, TB, ROW> {
    #[inline(always)]
    fn block(&self, t: usize) -> [[V; TB]; OB] {
        let WeightGradientArgs { g, block: (first, n), x, dy, .. } = self.args;
        let positions = &g.positions[first..][..n];
        let mut dys = [dy; OB];
        for i in 0..OB {
            dys[i] = &dy[(self.oc + i) * g.positions.len() + first..][..n];
        }
        // Of one length, so that one look at it is enough.
        let span = positions[n - 1] as usize + 1;
        let mut xs = [x; TB];
        for j in 0..TB {
            xs[j] = &x[g.taps[t + j] as usize..][..span];
        }
        let row = &x[g.taps[t] as usize..];
        let mut acc = [[V::zero(); TB]; OB];
        for p in 0..n {
            let start = positions[p] as usize;
            let mut values = [V::zero(); TB];
            if ROW {
                values.copy_from_slice(&row[start..start + TB]);
            } else {
                for j in 0..TB {
                    values[j] = xs[j][start];
                }
            }
            for i in 0..OB {
                let dy = dys[i][p];
                for j in 0..TB {
                    acc[i][j] = dy.mul_add(values[j], acc[i][j]);
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
            let sum = sum(dy).sum();
            *db = if self.sum == Sum::Set { sum } else { *db + sum };
        }
    }
}
