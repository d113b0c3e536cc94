//! Convolution in groups of one filter each, row by row, with its border: depthwise convolutions, and LeNet-5's C3.
//!
//! ```text
//! y[g][r][q] = b[g] + Σ_c Σ_kh Σ_kw  w[g][c][kh][kw] · x[g][c][r + kh − PH][q + kw − PW]
//! ```
//!
//! x is [G][C][H][W], y is [G][OH][OW] of lane vectors; w is [G][C][KH][KW] and b is [G] of scalars, or empty. x is 0
//! outside of its rows and columns. OH = H + 2·PH − KH + 1, OW likewise: stride and dilation are 1, KW is 3 or 5.
//!
//! [`super::conv2d`] holds several filters in registers, so that each value of x that it loads serves all of them. Here
//! is one, and each value serves the KW positions of a row that read it. The border costs no copy of x either.

use lanes::{Kernel, Lane};
use spec::{Conv2dSpec, Pair};

use super::conv2d::bias_gradient;
use crate::gradient::Sum;

/// The geometry of one such convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowConv2d {
    /// G
    pub(crate) groups: usize,
    /// C
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) kernel: Pair,
    pub(crate) padding: Pair,
}

impl RowConv2d {
    /// Whether a convolution is one of these.
    pub(crate) fn suits(conv: &Conv2dSpec) -> bool {
        let Conv2dSpec { out_channels, kernel, stride, padding, dilation, groups, .. } = *conv;
        let one = Pair::square(1);
        groups == out_channels && [stride, dilation] == [one; 2] && Self::has_kernels_for(kernel, padding)
    }

    /// Whether there are kernels for a window in steps of 1. The border must be smaller than the window, so that the
    /// gradient has a border too.
    pub(crate) fn has_kernels_for(kernel: Pair, padding: Pair) -> bool {
        matches!(kernel.w, 3 | 5) && padding.h < kernel.h && padding.w < kernel.w
    }

    /// Multiply-adds of one sample's forward pass; each of the two gradients takes as many.
    pub(crate) fn multiply_adds(&self) -> u64 {
        (self.n_weights() * self.n_positions()) as u64
    }

    /// G·C·KH·KW
    pub(crate) fn n_weights(&self) -> usize {
        self.groups * self.channels * self.n_taps()
    }

    fn n_taps(&self) -> usize {
        self.kernel.h * self.kernel.w
    }

    fn out_size(&self) -> Pair {
        let Self { height, width, kernel, padding, .. } = *self;
        Pair::new(height + 2 * padding.h + 1 - kernel.h, width + 2 * padding.w + 1 - kernel.w)
    }

    /// OH·OW
    fn n_positions(&self) -> usize {
        let out = self.out_size();
        out.h * out.w
    }

    /// y (overwritten) from x.
    pub(crate) fn forward<V: Lane>(&self, x: &[V], w: &[V::Scalar], b: &[V::Scalar], y: &mut [V]) {
        let plane = self.height * self.width;
        let xs = x.chunks_exact(self.channels * plane);
        let ws = w.chunks_exact(self.channels * self.n_taps());
        let ys = y.chunks_exact_mut(self.n_positions());
        for (group, ((x, w), y)) in xs.zip(ws).zip(ys).enumerate() {
            let start = b.get(group).map_or(V::zero(), |&b| V::splat(b));
            correlate::<V, false>(self, (x, w, start), y, Sum::Set);
        }
    }

    /// dx, set or added to, from dy: of each channel a correlation of dy with the kernel turned around, within the border
    /// that gives x its size.
    pub(crate) fn backward_input<V: Lane>(&self, w: &[V::Scalar], dy: &[V], dx: &mut [V], sum: Sum) {
        let (kernel, out) = (self.kernel, self.out_size());
        let padding = Pair::new(kernel.h - 1 - self.padding.h, kernel.w - 1 - self.padding.w);
        let g = &Self { channels: 1, height: out.h, width: out.w, padding, ..*self };
        let planes = dx.chunks_exact_mut(self.height * self.width).zip(w.chunks_exact(self.n_taps()));
        for (plane, (y, w)) in planes.enumerate() {
            let x = &dy[plane / self.channels * self.n_positions()..][..self.n_positions()];
            correlate::<V, true>(g, (x, w, V::zero()), y, sum);
        }
    }

    /// dw and db from dy and the x of the forward pass; db is empty where there is no bias.
    pub(crate) fn backward_params<V: Lane>(
        &self,
        x: &[V],
        dy: &[V],
        dw: &mut [V::Scalar],
        db: &mut [V::Scalar],
        sum: Sum,
    ) {
        let planes = x.chunks_exact(self.height * self.width).zip(dw.chunks_exact_mut(self.n_taps()));
        for (plane, (x, dw)) in planes.enumerate() {
            let dy = &dy[plane / self.channels * self.n_positions()..][..self.n_positions()];
            match self.kernel.w {
                3 => self.weight_gradient::<V, 3>(x, dy, dw, sum),
                _ => self.weight_gradient::<V, 5>(x, dy, dw, sum),
            }
        }
        bias_gradient(self.n_positions(), dy, db, sum);
    }

    /// Of one channel, as many kernel rows at once as there are registers for their sums.
    fn weight_gradient<V: Lane, const KW: usize>(&self, x: &[V], dy: &[V], dw: &mut [V::Scalar], sum: Sum) {
        let max_rows = if V::REGISTERS == 1 { 3 } else { 1 };
        for (i, dw) in dw.chunks_mut(max_rows * KW).enumerate() {
            let args = WeightGradientArgs { g: self, first_row: i * max_rows, x, dy, sum };
            match dw.len() / KW {
                1 => V::enter(WeightGradient::<V, KW, 1> { args, dw }),
                2 => V::enter(WeightGradient::<V, KW, 2> { args, dw }),
                _ => V::enter(WeightGradient::<V, KW, 3> { args, dw }),
            }
        }
    }
}

/// See [`Correlate`].
fn correlate<V: Lane, const FLIP: bool>(
    g: &RowConv2d,
    (x, w, start): (&[V], &[V::Scalar], V),
    y: &mut [V],
    sum: Sum,
) {
    match g.kernel.w {
        3 if g.kernel.h == 3 && g.channels == 1 => {
            V::enter(Correlate::<V, 3, FLIP, true> { g, x, w, start, y, sum });
        }
        3 => V::enter(Correlate::<V, 3, FLIP, false> { g, x, w, start, y, sum }),
        _ => V::enter(Correlate::<V, 5, FLIP, false> { g, x, w, start, y, sum }),
    }
}

/// One plane of y from the planes of x, row after row, as both lie in memory; of a row up to eight columns at once.
///
/// `HELD`: from one plane with a kernel of 3 × 3, whose nine weights stay in registers where there are enough.
struct Correlate<'a, V: Lane, const KW: usize, const FLIP: bool, const HELD: bool> {
    g: &'a RowConv2d,
    /// [C][H][W]
    x: &'a [V],
    /// [C][KH][KW], `FLIP`: from the last to the first.
    w: &'a [V::Scalar],
    start: V,
    /// [OH][OW]
    y: &'a mut [V],
    /// Whether y is set or added to.
    sum: Sum,
}

impl<V: Lane, const KW: usize, const FLIP: bool, const HELD: bool> Kernel
    for Correlate<'_, V, KW, FLIP, HELD>
{
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let mut held = [[V::zero(); KW]; 3];
        if HELD {
            for kh in 0..3 {
                held[kh] = self.weights(0, kh);
            }
        }
        let out = self.g.out_size();
        // Sums for each position, and beside them a value of x and the weights of a kernel row, or all nine with AVX-512's 32
        // registers; AVX2's 16 have no room for these.
        let n_strips = out.w.div_ceil(if V::REGISTERS == 1 { 8 } else { 4 });
        for r in 0..out.h {
            let mut q = 0;
            for strip in 0..n_strips {
                let n = (out.w - q).div_ceil(n_strips - strip);
                match n {
                    1 => self.strip::<1>(&held, r, q),
                    2 => self.strip::<2>(&held, r, q),
                    3 => self.strip::<3>(&held, r, q),
                    4 => self.strip::<4>(&held, r, q),
                    5 => self.strip::<5>(&held, r, q),
                    6 => self.strip::<6>(&held, r, q),
                    7 => self.strip::<7>(&held, r, q),
                    _ => self.strip::<8>(&held, r, q),
                }
                q += n;
            }
        }
    }
}

impl<V: Lane, const KW: usize, const FLIP: bool, const HELD: bool> Correlate<'_, V, KW, FLIP, HELD> {
    /// Columns `q..q + B` of a row of y.
    #[inline(always)]
    fn strip<const B: usize>(&mut self, held: &[[V; KW]; 3], r: usize, q: usize) {
        let mut acc = [self.start; B];
        if HELD {
            self.add_row(0, r, q, &held[0], &mut acc);
            self.add_row(0, r + 1, q, &held[1], &mut acc);
            self.add_row(0, r + 2, q, &held[2], &mut acc);
        } else {
            for c in 0..self.g.channels {
                for kh in 0..self.g.kernel.h {
                    self.add_row(c, r + kh, q, &self.weights(c, kh), &mut acc);
                }
            }
        }
        let y = &mut self.y[r * self.g.out_size().w + q..][..B];
        if self.sum == Sum::Add {
            for j in 0..B {
                acc[j] = y[j] + acc[j];
            }
        }
        y.copy_from_slice(&acc);
    }

    /// A row of a channel's kernel.
    #[inline(always)]
    fn weights(&self, channel: usize, kh: usize) -> [V; KW] {
        let kernel_h = self.g.kernel.h;
        let row = if FLIP { kernel_h - 1 - kh } else { kh };
        let from = &self.w[(channel * kernel_h + row) * KW..][..KW];
        let mut w = [V::zero(); KW];
        for kw in 0..KW {
            w[kw] = V::splat(from[if FLIP { KW - 1 - kw } else { kw }]);
        }
        w
    }

    /// Adds what row `r` of a channel, counted from the first of the border, gives with a row of the kernel.
    #[inline(always)]
    fn add_row<const B: usize>(&self, channel: usize, r: usize, q: usize, w: &[V; KW], acc: &mut [V; B]) {
        let RowConv2d { height, width, padding, .. } = *self.g;
        let row = r.wrapping_sub(padding.h);
        if row >= height {
            return;
        }
        let x = &self.x[(channel * height + row) * width..][..width];
        // As the border is narrower than the kernel, these columns are within x for every position.
        let inner = if B >= KW { &x[q + KW - 1 - padding.w..][..B + 1 - KW] } else { x };
        for j in 0..B + KW - 1 {
            let is_inner = j + 1 >= KW && j < B;
            let x = if is_inner { inner[j + 1 - KW] } else { at(x, (q + j).wrapping_sub(padding.w)) };
            for kw in 0..KW {
                if kw <= j && j - kw < B {
                    acc[j - kw] = w[kw].mul_add(x, acc[j - kw]);
                }
            }
        }
    }
}

/// The value at a column, 0 outside of the row.
#[inline(always)]
fn at<V: Lane>(row: &[V], column: usize) -> V {
    if column < row.len() { row[column] } else { V::zero() }
}

#[derive(Clone, Copy)]
struct WeightGradientArgs<'a, V> {
    g: &'a RowConv2d,
    /// The first of the kernel's rows.
    first_row: usize,
    /// [H][W]
    x: &'a [V],
    /// [OH][OW]
    dy: &'a [V],
    sum: Sum,
}

/// dw[kh][kw] = Σ_r Σ_q dy[r][q] · x[r + kh − PH][q + kw − PW], summed over lanes, for `KR` kernel rows of one channel:
/// KR·KW sums in registers. Positions count in their order, however many are taken at once.
struct WeightGradient<'a, V: Lane, const KW: usize, const KR: usize> {
    args: WeightGradientArgs<'a, V>,
    /// [KR][KW]
    dw: &'a mut [V::Scalar],
}

impl<V: Lane, const KW: usize, const KR: usize> Kernel for WeightGradient<'_, V, KW, KR> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let g = self.args.g;
        let out = g.out_size();
        let mut acc = [[V::zero(); KW]; KR];
        for r in 0..out.h {
            let dy = &self.args.dy[r * out.w..][..out.w];
            let mut q = 0;
            if V::REGISTERS == 1 {
                while q + 4 <= out.w {
                    self.args.block::<4, KW, KR>(r, q, &dy[q..q + 4], &mut acc);
                    q += 4;
                }
            }
            while q + 2 <= out.w {
                self.args.block::<2, KW, KR>(r, q, &dy[q..q + 2], &mut acc);
                q += 2;
            }
            if q < out.w {
                self.args.block::<1, KW, KR>(r, q, &dy[q..], &mut acc);
            }
        }
        for (dw, acc) in self.dw.chunks_exact_mut(KW).zip(&acc) {
            for kw in 0..KW {
                let sum = acc[kw].sum();
                dw[kw] = if self.args.sum == Sum::Set { sum } else { dw[kw] + sum };
            }
        }
    }
}

impl<V: Lane> WeightGradientArgs<'_, V> {
    /// Adds positions `q..q + B` of row `r`.
    #[inline(always)]
    fn block<const B: usize, const KW: usize, const KR: usize>(
        &self,
        r: usize,
        q: usize,
        dy: &[V],
        acc: &mut [[V; KW]; KR],
    ) {
        let g = self.g;
        let mut dys = [V::zero(); B];
        dys.copy_from_slice(dy);
        for kr in 0..KR {
            let row = (r + self.first_row + kr).wrapping_sub(g.padding.h);
            if row >= g.height {
                continue;
            }
            let x = &self.x[row * g.width..][..g.width];
            for j in 0..B + KW - 1 {
                let x = at(x, (q + j).wrapping_sub(g.padding.w));
                for kw in 0..KW {
                    if kw <= j && j - kw < B {
                        acc[kr][kw] = dys[j - kw].mul_add(x, acc[kr][kw]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RowConv2d;
    use crate::gradient::Sum;
    use crate::layers::conformance::{Subject, check};
    use lanes::{Lane, Scalar};
    use spec::Pair;

    impl Subject for RowConv2d {
        fn forward<V: Lane>(&self, x: &[V], params: &[V::Scalar]) -> Vec<V> {
            let (w, b) = params.split_at(self.n_weights());
            let mut y = vec![V::zero(); self.groups * self.n_positions()];
            RowConv2d::forward(self, x, w, b, &mut y);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], params: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let mut dx = x.to_vec();
            let w = &params[..self.n_weights()];
            self.backward_input(w, dy, &mut dx, Sum::Set);
            let mut added = x.to_vec();
            self.backward_input(w, dy, &mut added, Sum::Add);
            let sums: Vec<_> = x.iter().zip(&dx).map(|(&x, &dx)| x + dx).collect();
            assert_eq!(V::as_scalars(&added), V::as_scalars(&sums));
            let mut d_params = vec![V::Scalar::ONE; params.len()];
            let (dw, db) = d_params.split_at_mut(self.n_weights());
            self.backward_params(x, dy, dw, db, Sum::Set);
            (dx, d_params)
        }
        fn plain(&self, x: &[f64], params: &[f64]) -> Vec<f64> {
            let Self { groups, channels, height, width, kernel, padding } = *self;
            let out = self.out_size();
            let mut y = vec![];
            for i in 0..groups * out.h * out.w {
                let (group, r, q) = (i / out.w / out.h, i / out.w % out.h, i % out.w);
                let mut sum = params.get(self.n_weights() + group).copied().unwrap_or(0.0);
                for tap in 0..channels * kernel.h * kernel.w {
                    let (c, kh, kw) = (tap / kernel.w / kernel.h, tap / kernel.w % kernel.h, tap % kernel.w);
                    let (row, column) = ((r + kh).wrapping_sub(padding.h), (q + kw).wrapping_sub(padding.w));
                    if row < height && column < width {
                        let weight = params[group * channels * kernel.h * kernel.w + tap];
                        sum += weight * x[((group * channels + c) * height + row) * width + column];
                    }
                }
                y.push(sum);
            }
            y
        }
    }

    #[test]
    fn windows_borders_and_widths_of_all_kinds() {
        let cases = [
            (3, 1, (4, 5), (3, 3), (1, 1)),
            (2, 1, (3, 3), (3, 3), (0, 0)),
            (2, 3, (6, 7), (5, 5), (0, 0)),
            (2, 1, (5, 4), (5, 5), (2, 2)),
            (1, 2, (3, 2), (4, 3), (3, 2)),
            (2, 1, (2, 9), (1, 3), (0, 1)),
            (1, 1, (1, 1), (3, 5), (1, 2)),
            (1, 1, (3, 13), (2, 5), (1, 4)),
        ];
        for (groups, channels, (height, width), kernel, padding) in cases {
            let (kernel, padding) = (Pair::new(kernel.0, kernel.1), Pair::new(padding.0, padding.1));
            let conv = RowConv2d { groups, channels, height, width, kernel, padding };
            for n_biases in [0, groups] {
                let n_x = groups * channels * height * width;
                check(&format!("{conv:?}"), &conv, n_x, conv.n_weights() + n_biases);
            }
        }
    }

    #[test]
    fn strips_of_all_widths() {
        for width in 1..20 {
            for padding in 0..3 {
                let [kernel, padding] = [3, padding].map(Pair::square);
                let height = if padding.h == 0 { 3 } else { 2 };
                let conv = RowConv2d { groups: 1, channels: 1, height, width, kernel, padding };
                if width + 2 * padding.w >= kernel.w {
                    check(&format!("{conv:?}"), &conv, height * width, conv.n_weights());
                }
            }
        }
    }

    #[test]
    fn gradients_of_lane_groups_add_up() {
        let [kernel, padding] = [3, 1].map(Pair::square);
        let conv = RowConv2d { groups: 1, channels: 1, height: 1, width: 1, kernel, padding };
        let (mut dw, mut db) = ([10.0; 9], [20.0]);
        conv.backward_params(&[3.0], &[2.0], &mut dw, &mut db, Sum::Add);
        let mut expected = [10.0; 9];
        expected[4] = 16.0;
        assert_eq!((dw, db), (expected, [22.0]));
    }
}
