//! y from x.

use lanes::{Kernel, Lane};

use super::Conv2d;
use crate::tiles::{TILE, tiles};

impl Conv2d {
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
