//! Two-dimensional convolution (cross-correlation, as everywhere in this field).
//!
//! ```text
//! y[oc][r][c] = b[oc] + Σ_ic Σ_kh Σ_kw  w[oc][ic][kh][kw] · x[ic][r·SH + kh][c·SW + kw]
//! ```
//!
//! x is [C][H][W], y is [OC][OH][OW] of lane vectors; w is [OC][C][KH][KW] and b is [OC] of scalars.
//! OH = (H − KH) / SH + 1, OW likewise. Padding is a node of its own before the convolution, so the loops know
//! no edges. LeCun et al. 1998; conventions of PyTorch's `nn.Conv2d`.
//!
//! A *tap* is one (ic, kh, kw); `taps[t]` is its offset in x, `positions[p]` the offset of output position p,
//! so that y[oc][p] = b[oc] + Σ_t w[oc][t] · x[taps[t] + positions[p]] for every kernel and stride.

use lanes::{Kernel, Lane};
use spec::Pair;

use crate::gradient::Sum;
use crate::tiles::{TILE, tiles};

/// The geometry of one convolution.
#[derive(Clone, Debug)]
pub(crate) struct Conv2d {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) out_channels: usize,
    pub(crate) kernel: Pair,
    pub(crate) out_height: usize,
    pub(crate) out_width: usize,
    taps: Vec<usize>,
    positions: Vec<usize>,
    /// For every position of x, the (kh · KW + kw, position of y) that read it.
    readers: Vec<Vec<(u32, u32)>>,
}

impl Conv2d {
    /// The convolution over [C, H, W]; the kernel must fit.
    pub(crate) fn new(shape: [usize; 3], out_channels: usize, kernel: Pair, stride: Pair) -> Self {
        let [channels, height, width] = shape;
        let out_height = (height - kernel.h) / stride.h + 1;
        let out_width = (width - kernel.w) / stride.w + 1;
        let offset = |c, r, q| (c * height + r) * width + q;
        let taps = (0..channels)
            .flat_map(|c| (0..kernel.h).flat_map(move |kh| (0..kernel.w).map(move |kw| offset(c, kh, kw))))
            .collect();
        let positions = (0..out_height)
            .flat_map(|r| (0..out_width).map(move |q| offset(0, r * stride.h, q * stride.w)))
            .collect();
        let readers = readers([height, width], kernel, stride, [out_height, out_width]);
        Self {
            height,
            width,
            channels,
            out_channels,
            kernel,
            out_height,
            out_width,
            taps,
            positions,
            readers,
        }
    }

    /// Weights of one filter: C·KH·KW.
    pub(crate) fn n_taps(&self) -> usize {
        self.taps.len()
    }

    /// OH·OW.
    pub(crate) fn n_positions(&self) -> usize {
        self.positions.len()
    }

    /// Multiply-adds of one sample's forward pass; each of the two gradients takes as many.
    pub(crate) fn multiply_adds(&self) -> u64 {
        (self.out_channels * self.n_taps() * self.n_positions()) as u64
    }

    /// Scalars of scratch that [`Conv2d::backward_input`] needs.
    pub(crate) fn n_scratch(&self) -> usize {
        self.out_channels * self.n_taps()
    }

    /// y from x.
    pub(crate) fn forward<V: Lane>(&self, x: &[V], w: &[V::Scalar], b: &[V::Scalar], y: &mut [V]) {
        let g = self;
        for (oc, n) in tiles(self.out_channels, TILE) {
            match n {
                1 => V::enter(Forward::<V, 1, 4> { g, oc, x, w, b, y }),
                2 => V::enter(Forward::<V, 2, 3> { g, oc, x, w, b, y }),
                3 => V::enter(Forward::<V, 3, 2> { g, oc, x, w, b, y }),
                4 => V::enter(Forward::<V, 4, 1> { g, oc, x, w, b, y }),
                5 => V::enter(Forward::<V, 5, 1> { g, oc, x, w, b, y }),
                _ => V::enter(Forward::<V, 6, 1> { g, oc, x, w, b, y }),
            }
        }
    }

    /// dw and db from dy and the x of the forward pass.
    pub(crate) fn backward_params<V: Lane>(
        &self,
        x: &[V],
        dy: &[V],
        dw: &mut [V::Scalar],
        db: &mut [V::Scalar],
        sum: Sum,
    ) {
        for (kw, n_taps) in tiles(self.kernel.w, 3) {
            let args = WeightGradientArgs { g: self, kw, x, dy, sum };
            match n_taps {
                1 => weight_gradient::<V, 6, 1>(args, dw),
                2 => weight_gradient::<V, 3, 2>(args, dw),
                _ => weight_gradient::<V, 2, 3>(args, dw),
            }
        }
        V::enter(BiasGradient { n_positions: self.n_positions(), dy, db, sum });
    }

    /// dx (overwritten) from dy; `scratch` has [`Conv2d::n_scratch`] scalars.
    pub(crate) fn backward_input<V: Lane>(
        &self,
        w: &[V::Scalar],
        dy: &[V],
        dx: &mut [V],
        scratch: &mut [V::Scalar],
    ) {
        for (c, n) in tiles(self.channels, TILE) {
            self.transpose_filters(w, c, n, scratch);
            for oc in tiles(self.out_channels, OC_BLOCK) {
                let args = InputGradientArgs { g: self, c, oc, w: &*scratch, dy };
                match n {
                    1 => V::enter(InputGradient::<V, 1, 4> { args, dx }),
                    2 => V::enter(InputGradient::<V, 2, 2> { args, dx }),
                    3 => V::enter(InputGradient::<V, 3, 2> { args, dx }),
                    4 => V::enter(InputGradient::<V, 4, 1> { args, dx }),
                    5 => V::enter(InputGradient::<V, 5, 1> { args, dx }),
                    _ => V::enter(InputGradient::<V, 6, 1> { args, dx }),
                }
            }
        }
    }

    /// The weights of input channels `c..c + n` as [KH][KW][OC][n], in the order in which
    /// [`InputGradient`] reads them.
    fn transpose_filters<S: Copy>(&self, w: &[S], c: usize, n: usize, to: &mut [S]) {
        let k_len = self.kernel.h * self.kernel.w;
        for k in 0..k_len {
            for oc in 0..self.out_channels {
                for j in 0..n {
                    to[(k * self.out_channels + oc) * n + j] = w[oc * self.n_taps() + (c + j) * k_len + k];
                }
            }
        }
    }
}

/// `OB` output channels × `PB` positions in registers. 6 × 1 of two AVX2 registers each are 12 accumulators
/// for 8 loads; below 8 accumulators the latency of the multiply-add (4 cycles, 2 a cycle) shows.
struct Forward<'a, V: Lane, const OB: usize, const PB: usize> {
    g: &'a Conv2d,
    oc: usize,
    x: &'a [V],
    w: &'a [V::Scalar],
    b: &'a [V::Scalar],
    y: &'a mut [V],
}

impl<V: Lane, const OB: usize, const PB: usize> Kernel for Forward<'_, V, OB, PB> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.g.n_positions();
        if n < PB {
            for p in 0..n {
                let block = self.block::<1>(p);
                store(&block, &mut self.y[self.oc * n + p..], n);
            }
            return;
        }
        for p in (0..n).step_by(PB) {
            // The last block overlaps the one before and computes some values a second time.
            let p = p.min(n - PB);
            let block = self.block::<PB>(p);
            store(&block, &mut self.y[self.oc * n + p..], n);
        }
    }
}

impl<V: Lane, const OB: usize, const PB: usize> Forward<'_, V, OB, PB> {
    /// Outputs `oc..oc + OB` at positions `p..p + B`.
    #[inline(always)]
    fn block<const B: usize>(&self, p: usize) -> [[V; B]; OB] {
        let n_taps = self.g.taps.len();
        let mut filters = [self.w; OB];
        let mut acc = [[V::zero(); B]; OB];
        for i in 0..OB {
            filters[i] = &self.w[(self.oc + i) * n_taps..][..n_taps];
            acc[i] = [V::splat(self.b[self.oc + i]); B];
        }
        let mut positions = [0; B];
        positions.copy_from_slice(&self.g.positions[p..p + B]);
        for t in 0..n_taps {
            let tap = self.g.taps[t];
            let mut xs = [V::zero(); B];
            for j in 0..B {
                xs[j] = self.x[tap + positions[j]];
            }
            for i in 0..OB {
                let w = V::splat(filters[i][t]);
                for j in 0..B {
                    acc[i][j] = w.mul_add(xs[j], acc[i][j]);
                }
            }
        }
        acc
    }
}

/// Row `i` of the block to `to[i · stride..]`.
#[inline(always)]
fn store<V: Lane, const R: usize, const B: usize>(block: &[[V; B]; R], to: &mut [V], stride: usize) {
    for i in 0..R {
        to[i * stride..][..B].copy_from_slice(&block[i]);
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
/// neighboring taps of every kernel row. 2 × 3 and 3 × 2 are 12 accumulators of AVX2 for 10 loads.
struct WeightGradient<'a, V: Lane, const OB: usize, const TB: usize> {
    args: WeightGradientArgs<'a, V>,
    oc: usize,
    dw: &'a mut [V::Scalar],
}

/// Positions that all taps go through before the next are fetched: dy of two channels and the rows of x under
/// them stay in a first-level cache of 32 KiB.
const POSITION_BLOCK: usize = 96;

impl<V: Lane, const OB: usize, const TB: usize> Kernel for WeightGradient<'_, V, OB, TB> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.args.g;
        let (n_taps, n_positions) = (g.taps.len(), g.positions.len());
        for first in (0..n_positions).step_by(POSITION_BLOCK) {
            let end = n_positions.min(first + POSITION_BLOCK);
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
        let x = &x[g.taps[t]..];
        let positions = &g.positions[first..end];
        let mut dys = [dy; OB];
        for i in 0..OB {
            dys[i] = &dy[(self.oc + i) * g.positions.len() + first..][..positions.len()];
        }
        let mut acc = [[V::zero(); TB]; OB];
        for p in 0..positions.len() {
            let x = &x[positions[p]..][..TB];
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

/// Output channels whose dy the input gradient reads in one sweep over dx. All 16 of LeNet's second convolution lie
/// 4 KiB apart, on the same sets of a first-level cache with 8 ways, and would displace each other.
const OC_BLOCK: usize = 8;

/// dx[c][r][q] = Σ_kh Σ_kw Σ_oc w[oc][c][kh][kw] · dy[oc][(r − kh) / SH][(q − kw) / SW], over the taps for which
/// both divisions are exact and inside of dy ([`Conv2d::readers`]). `CB` input channels in registers; where that is few,
/// `SETS` partial sums over the output channels, to have 8 accumulators or more.
///
/// Taps are clipped at the border: a zero-padded dy needs no clipping but multiplies zeros, and ran at 32 GFLOP/s
/// of useful work where this runs at 80.
struct InputGradient<'a, V: Lane, const CB: usize, const SETS: usize> {
    args: InputGradientArgs<'a, V>,
    dx: &'a mut [V],
}

#[derive(Clone, Copy)]
struct InputGradientArgs<'a, V: Lane> {
    g: &'a Conv2d,
    /// The first of the input channels.
    c: usize,
    /// The first and the number of the output channels of this sweep.
    oc: (usize, usize),
    /// [KH][KW][OC][CB], see [`Conv2d::transpose_filters`].
    w: &'a [V::Scalar],
    dy: &'a [V],
}

impl<V: Lane, const CB: usize, const SETS: usize> Kernel for InputGradient<'_, V, CB, SETS> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let InputGradientArgs { g, c, oc, .. } = self.args;
        let plane = g.height * g.width;
        for (position, readers) in g.readers.iter().enumerate() {
            let at = c * plane + position;
            let mut acc = [[V::zero(); CB]; SETS];
            if oc.0 > 0 {
                for j in 0..CB {
                    acc[0][j] = self.dx[at + j * plane];
                }
            }
            self.args.position(readers, &mut acc);
            for j in 0..CB {
                let mut sum = acc[0][j];
                for set in 1..SETS {
                    sum = sum + acc[set][j];
                }
                self.dx[at + j * plane] = sum;
            }
        }
    }
}

impl<V: Lane> InputGradientArgs<'_, V> {
    #[inline(always)]
    fn position<const CB: usize, const SETS: usize>(
        &self,
        readers: &[(u32, u32)],
        acc: &mut [[V; CB]; SETS],
    ) {
        let (g, (oc, n_oc)) = (self.g, self.oc);
        let first = oc * g.positions.len();
        for &(k, o) in readers {
            let w = self.w[(k as usize * g.out_channels + oc) * CB..][..n_oc * CB].as_chunks::<CB>().0;
            self.tap(w, first + o as usize, acc);
        }
    }

    /// Adds one tap of the output channels: w[oc][..] · dy[oc][p].
    #[inline(always)]
    fn tap<const CB: usize, const SETS: usize>(
        &self,
        w: &[[V::Scalar; CB]],
        p: usize,
        acc: &mut [[V; CB]; SETS],
    ) {
        let n_positions = self.g.positions.len();
        let (sets, rest) = w.as_chunks::<SETS>();
        let mut p = p;
        for w in sets {
            for set in 0..SETS {
                let dy = self.dy[p];
                p += n_positions;
                for j in 0..CB {
                    acc[set][j] = V::splat(w[set][j]).mul_add(dy, acc[set][j]);
                }
            }
        }
        for w in rest {
            let dy = self.dy[p];
            p += n_positions;
            for j in 0..CB {
                acc[0][j] = V::splat(w[j]).mul_add(dy, acc[0][j]);
            }
        }
    }
}

/// See [`Conv2d::readers`]. A table rather than divisions by the stride and two clipped loops, whose bookkeeping took a
/// fifth of the input gradient's time.
fn readers(
    [height, width]: [usize; 2],
    kernel: Pair,
    stride: Pair,
    [out_height, out_width]: [usize; 2],
) -> Vec<Vec<(u32, u32)>> {
    let mut readers = vec![Vec::new(); height * width];
    for k in 0..kernel.h * kernel.w {
        let (kh, kw) = (k / kernel.w, k % kernel.w);
        for o in 0..out_height * out_width {
            let (r, q) = (o / out_width * stride.h + kh, o % out_width * stride.w + kw);
            readers[r * width + q].push((k as u32, o as u32));
        }
    }
    readers
}
