//! Kernels of 1 × 1 in steps of 1: at every position a matrix of weights times the channels' values, whose planes have the
//! same positions as those of the output. The input gradient is such a product too, with the matrix turned over.

use lanes::{Kernel, Lane};

use crate::gradient::Sum;
use crate::sums::dots;
use crate::tiles::{TILE, blocks, enter_product, tiles};

/// out[o][p] = b[o] + Σ_i w[o][i] · x[i][p].
#[derive(Clone, Copy)]
pub(super) struct Product<'a, V: Lane> {
    /// Positions p.
    pub(super) plane: usize,
    /// [i][p]
    pub(super) x: &'a [V],
    /// [register tile][i][its o]
    pub(super) w: &'a [V::Scalar],
    /// One for each o, or empty.
    pub(super) b: &'a [V::Scalar],
}

/// Positions, about, whose values of all channels, 64 of them, stay in a second-level cache for all outputs, with what is
/// written beside them: 512 KiB of it beside AVX2, 1 MiB beside AVX-512.
fn position_block<V: Lane>() -> usize {
    if V::REGISTERS == 1 { 96 } else { 48 }
}

/// Positions from those at work to those that each channel is asked for ahead, at least: as many streams as there are
/// channels are more than a processor foresees.
const AHEAD: usize = 2;

impl<V: Lane> Product<'_, V> {
    /// All `n` outputs.
    pub(super) fn write(self, n: usize, out: &mut [V]) {
        let n_in = self.x.len() / self.plane;
        for (first, len) in blocks(self.plane, position_block::<V>()) {
            for (o, n) in tiles(n, TILE) {
                let b = if self.b.is_empty() { self.b } else { &self.b[o..o + n] };
                let args = Self { w: &self.w[o * n_in..(o + n) * n_in], b, ..self };
                let out = &mut out[o * self.plane..(o + n) * self.plane];
                enter_product!(n, Rows { args, block: (first, len), out });
            }
        }
    }
}

/// `OB` outputs × `PB` positions in registers. A plane after the other rather than a table of taps: the
/// loop over channels is as short as its loads and multiply-adds.
struct Rows<'a, V: Lane, const OB: usize, const PB: usize> {
    args: Product<'a, V>,
    /// The first position, and how many.
    block: (usize, usize),
    /// [OB][p]
    out: &'a mut [V],
}

impl<V: Lane, const OB: usize, const PB: usize> Kernel for Rows<'_, V, OB, PB> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let (first, n) = self.block;
        if n < PB {
            for p in first..first + n {
                self.positions::<1>(p);
            }
            return;
        }
        for p in (first..first + n).step_by(PB) {
            // The last positions overlap those before and are computed a second time.
            self.positions::<PB>(p.min(first + n - PB));
        }
    }
}

impl<V: Lane, const OB: usize, const PB: usize> Rows<'_, V, OB, PB> {
    /// The outputs at positions `p..p + B`.
    #[inline(always)]
    fn positions<const B: usize>(&mut self, p: usize) {
        let Product { plane, x, w, b } = self.args;
        let mut acc = [[V::zero(); B]; OB];
        for (acc, &b) in acc.iter_mut().zip(b) {
            *acc = [V::splat(b); B];
        }
        for (w, channel) in w.as_chunks::<OB>().0.iter().zip(x.chunks_exact(plane)) {
            let mut xs = [V::zero(); B];
            xs.copy_from_slice(&channel[p..p + B]);
            V::prefetch(channel, p + B.max(AHEAD));
            for i in 0..OB {
                for j in 0..B {
                    acc[i][j] = V::splat(w[i]).mul_add(xs[j], acc[i][j]);
                }
            }
        }
        for i in 0..OB {
            self.out[i * plane + p..][..B].copy_from_slice(&acc[i]);
        }
    }
}

/// The gradient of the weights: dw[o][i] = Σ_p dy[o][p] · x[i][p], summed over lanes.
#[derive(Clone, Copy)]
pub(super) struct WeightGradient<'a, V> {
    /// Positions p.
    pub(super) plane: usize,
    /// [i][p]
    pub(super) x: &'a [V],
    /// [o][p]
    pub(super) dy: &'a [V],
}

/// Positions, about, of a block of the weights' gradient: dy of six outputs and two channels' x, or four of each, stay in a first-level
/// cache of 32 KiB.
const GRADIENT_BLOCK: usize = 48;

impl<V: Lane> WeightGradient<'_, V> {
    /// Set or added to dw.
    pub(super) fn give(self, dw: &mut [V::Scalar], sum: Sum) {
        let (n_in, n_out) = (self.x.len() / self.plane, self.dy.len() / self.plane);
        let max_out = if V::REGISTERS == 1 { 4 } else { TILE };
        for block in blocks(self.plane, GRADIENT_BLOCK) {
            let sum = if block.0 == 0 { sum } else { Sum::Add };
            for (o, n) in tiles(n_out, max_out) {
                let args = Self { dy: &self.dy[o * self.plane..(o + n) * self.plane], ..self };
                let dw = &mut dw[o * n_in..(o + n) * n_in];
                match n {
                    1 => V::enter(Filters::<V, 1> { args, block, dw, sum }),
                    2 => V::enter(Filters::<V, 2> { args, block, dw, sum }),
                    3 => V::enter(Filters::<V, 3> { args, block, dw, sum }),
                    4 => V::enter(Filters::<V, 4> { args, block, dw, sum }),
                    5 => V::enter(Filters::<V, 5> { args, block, dw, sum }),
                    _ => V::enter(Filters::<V, 6> { args, block, dw, sum }),
                }
            }
        }
    }
}

/// The part of `OB` filters' gradient from a block of positions, of a few channels after the others.
struct Filters<'a, V: Lane, const OB: usize> {
    args: WeightGradient<'a, V>,
    /// The first position, and how many.
    block: (usize, usize),
    dw: &'a mut [V::Scalar],
    sum: Sum,
}

impl<V: Lane, const OB: usize> Kernel for Filters<'_, V, OB> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let max_in = if V::REGISTERS == 1 { 4 } else { 2 };
        for (i, n) in tiles(self.dw.len() / OB, max_in) {
            match n {
                1 => self.channels::<1>(i),
                2 => self.channels::<2>(i),
                3 => self.channels::<3>(i),
                _ => self.channels::<4>(i),
            }
        }
    }
}

impl<V: Lane, const OB: usize> Filters<'_, V, OB> {
    /// Of `CB` channels from `channel`.
    #[inline(always)]
    fn channels<const CB: usize>(&mut self, channel: usize) {
        let WeightGradient { plane, x, dy } = self.args;
        let (first, n) = self.block;
        let sums = dots::<V, OB, CB>(n, (&dy[first..], plane), (&x[channel * plane + first..], plane));
        let n_in = self.dw.len() / OB;
        for j in 0..CB {
            for i in 0..OB {
                let (dw, sum) = (&mut self.dw[i * n_in + channel + j], sums[j * OB + i]);
                *dw = if self.sum == Sum::Set { sum } else { *dw + sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use lanes::{Lane, Scalar};
    use spec::Pair;

    use crate::gradient::Sum;
    use crate::layers::conformance::{Subject, check};
    use crate::layers::conv2d::{Conv2d, Window};
    use crate::layers::winograd_conv2d::KnownValues;
    use crate::workspace::OpScratch;

    fn scratch<V: Lane>(conv: &Conv2d) -> OpScratch<V> {
        let scalars = vec![V::Scalar::ZERO; conv.n_scalars()];
        OpScratch { scalars, vectors: vec![], known_values: KnownValues::new(iter::empty()) }
    }

    /// Of kernels of 1 × 1.
    impl Subject for Conv2d {
        fn forward<V: Lane>(&self, x: &[V], params: &[V::Scalar]) -> Vec<V> {
            let (w, b) = params.split_at(self.n_weights());
            let mut y = vec![V::zero(); self.groups * self.group_outputs()];
            Conv2d::forward(self, x, w, b, &mut y, &mut scratch(self));
            y
        }
        fn backward<V: Lane>(&self, x: &[V], params: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let mut dx = x.to_vec();
            self.backward_input(&params[..self.n_weights()], dy, &mut dx, &mut scratch(self));
            let mut d_params = vec![V::Scalar::ONE; params.len()];
            let (dw, db) = d_params.split_at_mut(self.n_weights());
            self.backward_params(x, dy, dw, db, Sum::Set);
            (dx, d_params)
        }
        fn plain(&self, x: &[f64], params: &[f64]) -> Vec<f64> {
            let plane = self.n_positions();
            let mut y = vec![];
            for i in 0..self.groups * self.out_channels * plane {
                let (filter, p) = (i / plane, i % plane);
                let x = &x[filter / self.out_channels * self.group_inputs()..];
                let w = &params[filter * self.channels..][..self.channels];
                let b = params.get(self.n_weights() + filter).copied().unwrap_or(0.0);
                y.push(w.iter().enumerate().fold(b, |sum, (c, w)| sum + w * x[c * plane + p]));
            }
            y
        }
    }

    #[test]
    fn tiles_and_blocks_of_all_sizes() {
        let one = Pair::square(1);
        let window = Window { kernel: one, stride: one, dilation: one };
        let sizes = (1..=13).map(|n| (n, 14 - n, 1, (3, 3)));
        let planes = [1, 2, 5, 49, 73, 97, 145].map(|width| (2, 7, 1, (1, width)));
        for (channels, out_channels, groups, (height, width)) in
            sizes.chain(planes).chain([(6, 4, 2, (2, 5))])
        {
            let conv = Conv2d::new([channels, height, width], out_channels, groups, window);
            for n_biases in [0, out_channels] {
                let n_params = conv.n_weights() + n_biases;
                check(
                    &format!("{channels} to {out_channels} by {groups}, {height} × {width}"),
                    &conv,
                    channels * height * width,
                    n_params,
                );
            }
        }
    }
}
