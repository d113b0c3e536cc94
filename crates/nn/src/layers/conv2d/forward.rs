//! y from x.

use lanes::{Kernel, Lane};

use super::Conv2d;
use super::pointwise::Product;
use crate::tiles::{TILE, blocks, enter_product, tiles};
use crate::workspace::OpScratch;

impl Conv2d {
    /// y from x.
    pub(crate) fn forward<V: Lane>(
        &self,
        x: &[V],
        w: &[V::Scalar],
        b: &[V::Scalar],
        y: &mut [V],
        scratch: &mut OpScratch<V>,
    ) {
        let x = x.chunks_exact(self.group_inputs());
        let w = w.chunks_exact(self.group_weights());
        let y = y.chunks_exact_mut(self.group_outputs());
        for (group, ((x, w), y)) in x.zip(w).zip(y).enumerate() {
            let b = if b.is_empty() { b } else { &b[group * self.out_channels..] };
            self.forward_group(x, w, b, y, &mut scratch.scalars);
        }
    }

    fn forward_group<V: Lane>(
        &self,
        x: &[V],
        w: &[V::Scalar],
        b: &[V::Scalar],
        y: &mut [V],
        scratch: &mut [V::Scalar],
    ) {
        for (oc, n) in tiles(self.out_channels, TILE) {
            let weights = oc * self.n_taps()..(oc + n) * self.n_taps();
            interleave(&w[weights.clone()], n, &mut scratch[weights]);
        }
        if self.is_pointwise {
            return Product { plane: self.n_positions(), x, w: scratch, b }.write(self.out_channels, y);
        }
        filters(
            (self.out_channels, self.block),
            FilterArgs { taps: &self.taps, positions: &self.positions, x, w: scratch, b },
            y,
        );
    }
}

/// Outputs of all filters, some positions after the others: what these read stays in a second-level cache for all filters.
fn filters<V: Lane>((n_filters, block): (usize, usize), args: FilterArgs<'_, V>, y: &mut [V]) {
    let (n_taps, n_positions) = (args.taps.len(), args.positions.len());
    for (first, len) in blocks(n_positions, block) {
        for (oc, n) in tiles(n_filters, TILE) {
            let b = if args.b.is_empty() { args.b } else { &args.b[oc..oc + n] };
            let (positions, w) =
                (&args.positions[first..first + len], &args.w[oc * n_taps..(oc + n) * n_taps]);
            let y = &mut y[oc * n_positions + first..(oc + n - 1) * n_positions + first + len];
            let args = FilterArgs { positions, w, b, ..args };
            enter_product!(n, Forward { args, stride: n_positions, y });
        }
    }
}

/// The weights of `n` filters from [filter][tap] to [tap][filter], where one pointer finds them all.
fn interleave<S: Copy>(w: &[S], n: usize, to: &mut [S]) {
    for (i, filter) in w.chunks_exact(w.len() / n).enumerate() {
        for (to, &w) in to[i..].iter_mut().step_by(n).zip(filter) {
            *to = w;
        }
    }
}

/// `OB` output channels × `PB` positions in registers.
struct Forward<'a, V: Lane, const OB: usize, const PB: usize> {
    args: FilterArgs<'a, V>,
    /// From an output of one filter to that of the next.
    stride: usize,
    y: &'a mut [V],
}

#[derive(Clone, Copy)]
struct FilterArgs<'a, V: Lane> {
    /// See [`Conv2d`].
    taps: &'a [u32],
    positions: &'a [u32],
    x: &'a [V],
    /// [register tile][tap][its filters]
    w: &'a [V::Scalar],
    /// One for each filter, or empty
    b: &'a [V::Scalar],
}

impl<V: Lane, const OB: usize, const PB: usize> Kernel for Forward<'_, V, OB, PB> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.args.positions.len();
        if n < PB {
            for p in 0..n {
                let block = self.block::<1>(p);
                store(&block, &mut self.y[p..], self.stride);
            }
            return;
        }
        for p in (0..n).step_by(PB) {
            // The last block overlaps the one before and computes some values a second time.
            let p = p.min(n - PB);
            let block = self.block::<PB>(p);
            store(&block, &mut self.y[p..], self.stride);
        }
    }
}

impl<V: Lane, const OB: usize, const PB: usize> Forward<'_, V, OB, PB> {
    /// The outputs at positions `p..p + B`.
    #[inline(always)]
    fn block<const B: usize>(&self, p: usize) -> [[V; B]; OB] {
        let args = self.args;
        let mut positions = [0; B];
        for j in 0..B {
            positions[j] = args.positions[p + j] as usize;
        }
        let mut acc = [[V::zero(); B]; OB];
        for (acc, &b) in acc.iter_mut().zip(args.b) {
            *acc = [V::splat(b); B];
        }
        for (w, &tap) in args.w.as_chunks::<OB>().0.iter().zip(args.taps) {
            let mut xs = [V::zero(); B];
            for j in 0..B {
                xs[j] = args.x[tap as usize + positions[j]];
            }
            for i in 0..OB {
                for j in 0..B {
                    acc[i][j] = V::splat(w[i]).mul_add(xs[j], acc[i][j]);
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
