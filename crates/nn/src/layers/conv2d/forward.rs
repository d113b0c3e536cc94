//! y from x.

use lanes::{Kernel, Lane};

use super::Conv2d;
use crate::Scratch;
use crate::tiles::{TILE, tiles};

impl Conv2d {
    /// y from x.
    pub(crate) fn forward<V: Lane>(
        &self,
        x: &[V],
        w: &[V::Scalar],
        b: &[V::Scalar],
        y: &mut [V],
        scratch: &mut Scratch<V>,
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
        let (n_taps, n_positions) = (self.n_taps(), self.n_positions());
        for (oc, n) in tiles(self.out_channels, TILE) {
            let w = &*interleave(&w[oc * n_taps..(oc + n) * n_taps], n, scratch);
            let b = if b.is_empty() { b } else { &b[oc..oc + n] };
            let y = &mut y[oc * n_positions..(oc + n) * n_positions];
            filters(n, FilterArgs { taps: &self.taps, positions: &self.positions, x, w, b }, y);
        }
    }
}

/// Outputs of `n` filters.
pub(super) fn filters<V: Lane>(n: usize, args: FilterArgs<'_, V>, y: &mut [V]) {
    match (n, V::REGISTERS) {
        (1, 1) => V::enter(Forward::<V, 1, 8> { args, y }),
        (2, 1) => V::enter(Forward::<V, 2, 6> { args, y }),
        (3, 1) => V::enter(Forward::<V, 3, 4> { args, y }),
        (4, 1) => V::enter(Forward::<V, 4, 3> { args, y }),
        (5, 1) => V::enter(Forward::<V, 5, 2> { args, y }),
        (_, 1) => V::enter(Forward::<V, 6, 2> { args, y }),
        (1, _) => V::enter(Forward::<V, 1, 4> { args, y }),
        (2, _) => V::enter(Forward::<V, 2, 3> { args, y }),
        (3, _) => V::enter(Forward::<V, 3, 2> { args, y }),
        (4, _) => V::enter(Forward::<V, 4, 1> { args, y }),
        (5, _) => V::enter(Forward::<V, 5, 1> { args, y }),
        _ => V::enter(Forward::<V, 6, 1> { args, y }),
    }
}

/// The weights of `n` filters from [filter][tap] to [tap][filter], where one pointer finds them all.
fn interleave<'a, S: Copy>(w: &[S], n: usize, to: &'a mut [S]) -> &'a mut [S] {
    let to = &mut to[..w.len()];
    for (i, filter) in w.chunks_exact(w.len() / n).enumerate() {
        for (to, &w) in to[i..].iter_mut().step_by(n).zip(filter) {
            *to = w;
        }
    }
    to
}

/// `OB` output channels × `PB` positions in registers. 6 × 1 of two AVX2 registers each are 12 accumulators
/// for 8 loads, 6 × 2 of one AVX-512 register too; below 8 accumulators the latency of the multiply-add (4 cycles, 2 a
/// cycle) shows.
struct Forward<'a, V: Lane, const OB: usize, const PB: usize> {
    args: FilterArgs<'a, V>,
    y: &'a mut [V],
}

#[derive(Clone, Copy)]
pub(super) struct FilterArgs<'a, V: Lane> {
    /// See [`Conv2d`].
    pub(super) taps: &'a [u32],
    pub(super) positions: &'a [u32],
    pub(super) x: &'a [V],
    /// [tap][OB]
    pub(super) w: &'a [V::Scalar],
    /// [OB], or empty
    pub(super) b: &'a [V::Scalar],
}

impl<V: Lane, const OB: usize, const PB: usize> Kernel for Forward<'_, V, OB, PB> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.args.positions.len();
        if n < PB {
            for p in 0..n {
                let block = self.block::<1>(p);
                store(&block, &mut self.y[p..], n);
            }
            return;
        }
        for p in (0..n).step_by(PB) {
            // The last block overlaps the one before and computes some values a second time.
            let p = p.min(n - PB);
            let block = self.block::<PB>(p);
            store(&block, &mut self.y[p..], n);
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
