//! dx from dy.

use lanes::{Kernel, Lane};

use super::Conv2d;
use super::pointwise::Product;
use crate::tiles::{TILE, tiles};
use crate::workspace::OpScratch;

impl Conv2d {
    /// dx (overwritten) from dy.
    pub(crate) fn backward_input<V: Lane>(
        &self,
        w: &[V::Scalar],
        dy: &[V],
        dx: &mut [V],
        scratch: &mut OpScratch<V>,
    ) {
        let w = w.chunks_exact(self.group_weights());
        let dy = dy.chunks_exact(self.group_outputs());
        let dx = dx.chunks_exact_mut(self.group_inputs());
        for ((w, dy), dx) in w.zip(dy).zip(dx) {
            self.backward_input_group(w, dy, dx, &mut scratch.scalars, &mut scratch.vectors);
        }
    }

    fn backward_input_group<V: Lane>(
        &self,
        w: &[V::Scalar],
        dy: &[V],
        dx: &mut [V],
        scratch: &mut [V::Scalar],
        by_position: &mut [V],
    ) {
        if self.is_pointwise {
            return self.backward_pointwise(w, dy, dx, scratch);
        }
        let n_positions = self.n_positions();
        for (oc, n_oc) in tiles(self.out_channels, OC_BLOCK) {
            let dy = &dy[oc * n_positions..(oc + n_oc) * n_positions];
            let to = &mut by_position[..n_oc * n_positions];
            V::enter(Interleave { n_oc, dy, to });
            for (c, n) in tiles(self.channels, self.max_channels::<V>()) {
                self.transpose_filters(w, (c, n), (oc, n_oc), scratch);
                let dx = &mut dx[c * self.height * self.width..];
                let args = InputGradientArgs { g: self, n_oc, add: oc > 0, w: scratch, dy: by_position };
                match (n, V::REGISTERS) {
                    (1, _) => V::enter(InputGradient::<V, 1, 4, false> { args, dx }),
                    (2, _) => V::enter(InputGradient::<V, 2, 2, false> { args, dx }),
                    (3, _) => V::enter(InputGradient::<V, 3, 2, false> { args, dx }),
                    (4, 1) => V::enter(InputGradient::<V, 4, 1, true> { args, dx }),
                    (5, 1) => V::enter(InputGradient::<V, 5, 1, true> { args, dx }),
                    (6, 1) => V::enter(InputGradient::<V, 6, 1, true> { args, dx }),
                    (7, 1) => V::enter(InputGradient::<V, 7, 1, true> { args, dx }),
                    (_, 1) => V::enter(InputGradient::<V, 8, 1, true> { args, dx }),
                    (4, _) => V::enter(InputGradient::<V, 4, 1, false> { args, dx }),
                    (5, _) => V::enter(InputGradient::<V, 5, 1, false> { args, dx }),
                    _ => V::enter(InputGradient::<V, 6, 1, false> { args, dx }),
                }
            }
        }
    }

    /// Input channels in registers at once. Up to seven are cut alike for all instruction sets, as tiles of three or fewer
    /// have another order of sums; above there are none so small.
    fn max_channels<V: Lane>(&self) -> usize {
        if V::REGISTERS == 1 && self.channels > 7 { 8 } else { TILE }
    }

    /// dx[c][p] = Σ_oc w[oc][c] · dy[oc][p].
    fn backward_pointwise<V: Lane>(
        &self,
        w: &[V::Scalar],
        dy: &[V],
        dx: &mut [V],
        scratch: &mut [V::Scalar],
    ) {
        for (c, n) in tiles(self.channels, TILE) {
            self.transpose_filters(w, (c, n), (0, self.out_channels), &mut scratch[c * self.out_channels..]);
        }
        Product { plane: self.n_positions(), x: dy, w: scratch, b: &[] }.write(self.channels, dx);
    }

    /// Vectors of scratch that [`Conv2d::backward_input`] needs.
    pub(crate) fn n_by_position(&self) -> usize {
        if self.is_pointwise { 0 } else { OC_BLOCK.min(self.out_channels) * self.n_positions() }
    }

    /// The weights of `n` input channels from `c` and `n_oc` output channels from `oc` as [KH][KW][n_oc][n], in the
    /// order in which [`InputGradient`] reads them.
    fn transpose_filters<S: Copy>(
        &self,
        w: &[S],
        (c, n): (usize, usize),
        (oc, n_oc): (usize, usize),
        to: &mut [S],
    ) {
        let k_len = self.kernel.h * self.kernel.w;
        for i in 0..n_oc {
            let filter = &w[(oc + i) * self.n_taps()..][..self.n_taps()];
            for (j, taps) in filter.chunks_exact(k_len).skip(c).take(n).enumerate() {
                for (to, &w) in to[i * n + j..].iter_mut().step_by(n_oc * n).zip(taps) {
                    *to = w;
                }
            }
        }
    }
}

/// Output channels whose dy the input gradient reads in one sweep over dx: those of all taps of a position, and their
/// weights, stay in a first-level cache of 32 KiB for LeNet's second convolution.
const OC_BLOCK: usize = 8;

/// dy from [oc][position] to [position][oc].
///
/// In the first order the channels of LeNet's second convolution lie 4 KiB apart, on the same sets of a first-level cache
/// with 8 ways, and displace each other and all else.
struct Interleave<'a, V> {
    n_oc: usize,
    dy: &'a [V],
    to: &'a mut [V],
}

impl<V: Lane> Kernel for Interleave<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n_positions = self.dy.len() / self.n_oc;
        for (i, dy) in self.dy.chunks_exact(n_positions).enumerate() {
            for p in 0..n_positions {
                self.to[p * self.n_oc + i] = dy[p];
            }
        }
    }
}

/// dx[c][r][q] = Σ_kh Σ_kw Σ_oc w[oc][c][kh][kw] · dy[oc][(r − kh) / SH][(q − kw) / SW], over the taps for which
/// both divisions are exact and inside of dy ([`Conv2d::readers`]). `CB` input channels in registers; where that is few,
/// `SETS` partial sums over the output channels, to have 8 accumulators or more.
///
/// Taps are clipped at the border: a zero-padded dy needs no clipping but multiplies zeros, and ran at 32 GFLOP/s
/// of useful work where this runs at 85.
///
/// `PAIRS`: two neighboring positions at once where the same taps read them, for accumulators of one register; each
/// position's sum keeps its order.
struct InputGradient<'a, V: Lane, const CB: usize, const SETS: usize, const PAIRS: bool> {
    args: InputGradientArgs<'a, V>,
    dx: &'a mut [V],
}

#[derive(Clone, Copy)]
struct InputGradientArgs<'a, V: Lane> {
    g: &'a Conv2d,
    /// Output channels of this sweep.
    n_oc: usize,
    /// Whether dx has the part of other output channels already.
    add: bool,
    /// [KH][KW][n_oc][CB]
    w: &'a [V::Scalar],
    /// [position][n_oc]
    dy: &'a [V],
}

impl<V: Lane, const CB: usize, const SETS: usize, const PAIRS: bool> Kernel
    for InputGradient<'_, V, CB, SETS, PAIRS>
{
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let g = self.args.g;
        let mut position = 0;
        while position < g.readers.len() {
            if PAIRS && g.paired[position] {
                let mut acc = [self.start(position), self.start(position + 1)];
                self.args.pair(&g.readers[position], &g.readers[position + 1], &mut acc);
                self.store(position, &acc[0]);
                self.store(position + 1, &acc[1]);
                position += 2;
                continue;
            }
            let mut acc = [[V::zero(); CB]; SETS];
            acc[0] = self.start(position);
            self.args.position(&g.readers[position], &mut acc);
            let mut sum = acc[0];
            for set in 1..SETS {
                for j in 0..CB {
                    sum[j] = sum[j] + acc[set][j];
                }
            }
            self.store(position, &sum);
            position += 1;
        }
    }
}

impl<V: Lane, const CB: usize, const SETS: usize, const PAIRS: bool> InputGradient<'_, V, CB, SETS, PAIRS> {
    /// What other output channels have given the position.
    #[inline(always)]
    fn start(&self, position: usize) -> [V; CB] {
        let mut start = [V::zero(); CB];
        if self.args.add {
            let plane = self.args.g.height * self.args.g.width;
            for j in 0..CB {
                start[j] = self.dx[position + j * plane];
            }
        }
        start
    }

    #[inline(always)]
    fn store(&mut self, position: usize, sum: &[V; CB]) {
        let plane = self.args.g.height * self.args.g.width;
        for j in 0..CB {
            self.dx[position + j * plane] = sum[j];
        }
    }
}

impl<V: Lane> InputGradientArgs<'_, V> {
    /// Adds w[tap][oc][..] · dy[p][oc] of all taps that read the position and all output channels.
    #[inline(always)]
    fn position<const CB: usize, const SETS: usize>(
        &self,
        readers: &[(u32, u32)],
        acc: &mut [[V; CB]; SETS],
    ) {
        let n_oc = self.n_oc;
        for &(k, o) in readers {
            let w = self.w[k as usize * n_oc * CB..][..n_oc * CB].as_chunks::<CB>().0;
            let dy = &self.dy[o as usize * n_oc..][..n_oc];
            let (w_sets, w_rest) = w.as_chunks::<SETS>();
            let (dy_sets, dy_rest) = dy.as_chunks::<SETS>();
            for (w, dy) in w_sets.iter().zip(dy_sets) {
                for set in 0..SETS {
                    for j in 0..CB {
                        acc[set][j] = V::splat(w[set][j]).mul_add(dy[set], acc[set][j]);
                    }
                }
            }
            for (w, &dy) in w_rest.iter().zip(dy_rest) {
                for j in 0..CB {
                    acc[0][j] = V::splat(w[j]).mul_add(dy, acc[0][j]);
                }
            }
        }
    }

    /// The same for two positions that the same taps read.
    #[inline(always)]
    fn pair<const CB: usize>(&self, first: &[(u32, u32)], second: &[(u32, u32)], acc: &mut [[V; CB]; 2]) {
        let n_oc = self.n_oc;
        for (&(k, o), &(_, p)) in first.iter().zip(second) {
            let w = self.w[k as usize * n_oc * CB..][..n_oc * CB].as_chunks::<CB>().0;
            let dy = [&self.dy[o as usize * n_oc..][..n_oc], &self.dy[p as usize * n_oc..][..n_oc]];
            for (i, w) in w.iter().enumerate() {
                for j in 0..CB {
                    let w = V::splat(w[j]);
                    acc[0][j] = w.mul_add(dy[0][i], acc[0][j]);
                    acc[1][j] = w.mul_add(dy[1][i], acc[1][j]);
                }
            }
        }
    }
}
