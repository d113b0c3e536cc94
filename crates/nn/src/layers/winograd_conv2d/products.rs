//! The products at the points: for each of them a matrix of filter values with the tiles' values.

use lanes::{GROUP, Kernel, Lane};

use crate::sums::dots;
use crate::tiles::{TILE, tiles};

/// Runs a kernel with the rows of its register tiles as constants: those of the first, and those of a smaller one.
macro_rules! enter_rows {
    ($n:expr, $kernel:ident $fields:tt) => {
        match largest_tile($n) {
            1 => V::enter($kernel::<V, 1, 1> $fields),
            2 => V::enter($kernel::<V, 2, 1> $fields),
            3 => V::enter($kernel::<V, 3, 2> $fields),
            4 => V::enter($kernel::<V, 4, 3> $fields),
            5 => V::enter($kernel::<V, 5, 4> $fields),
            _ => V::enter($kernel::<V, 6, 5> $fields),
        }
    };
}

/// Rows of the largest register tile of `n`.
fn largest_tile(n: usize) -> usize {
    n.div_ceil(n.div_ceil(TILE))
}

/// What the products and their gradient share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Products {
    pub(super) n_points: usize,
    /// Channels that are read, and those that are written.
    pub(super) n_in: usize,
    pub(super) n_out: usize,
    /// Tiles of the block.
    pub(super) n_tiles: usize,
    /// From a point's values to the next.
    pub(super) in_stride: usize,
    pub(super) out_stride: usize,
}

impl Products {
    /// Filter values of one point and one register tile of channels, room included.
    pub(super) fn filter_len(n_in: usize, n_out: usize) -> usize {
        (largest_tile(n_out) * n_in).next_multiple_of(GROUP)
    }

    /// out[point][o][tile] = Σ_i u[point][o][i] · values[point][i][tile]. `u` is [point][register tile][n_in][its rows], each
    /// register tile in [`Products::filter_len`] numbers.
    pub(super) fn multiply<V: Lane>(self, u: &[V::Scalar], values: &[V], out: &mut [V]) {
        enter_rows!(self.n_out, Multiply { args: self, u, values, out });
    }

    /// du, laid out as u, gets its gradient from that of the products added: Σ_tile d_out · values, over all lanes.
    pub(super) fn correlate<V: Lane>(self, d_out: &[V], values: &[V], du: &mut [V::Scalar]) {
        enter_rows!(self.n_out, Correlate { args: self, d_out, values, du });
    }
}

/// Register tiles have `OB` rows, the last ones perhaps one fewer, `LESS`.
struct Multiply<'a, V: Lane, const OB: usize, const LESS: usize> {
    args: Products,
    u: &'a [V::Scalar],
    values: &'a [V],
    out: &'a mut [V],
}

impl<V: Lane, const OB: usize, const LESS: usize> Kernel for Multiply<'_, V, OB, LESS> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Products { n_points, n_in, n_out, n_tiles, in_stride, out_stride } = self.args;
        let filter_len = Products::filter_len(n_in, n_out);
        let mut u = self.u.chunks_exact(filter_len);
        for point in 0..n_points {
            let values = &self.values[point * in_stride..][..n_in * n_tiles];
            let out = &mut self.out[point * out_stride..][..n_out * n_tiles];
            for (first, n) in tiles(n_out, OB) {
                let u = u.next().unwrap_or(&[]);
                let out = &mut out[first * n_tiles..][..n * n_tiles];
                if n == OB {
                    rows::<V, OB>(u, values, out, (n_in, n_tiles));
                } else {
                    rows::<V, LESS>(u, values, out, (n_in, n_tiles));
                }
            }
        }
    }
}

/// `OB` rows of the output, up to four tiles at once where a vector is one register: 24 accumulators for 10 loads.
#[inline(always)]
fn rows<V: Lane, const OB: usize>(
    u: &[V::Scalar],
    values: &[V],
    out: &mut [V],
    (n_in, n_tiles): (usize, usize),
) {
    let u = &u.as_chunks::<OB>().0[..n_in];
    let max = if V::REGISTERS == 1 { 4 } else { 1 };
    match n_tiles.div_ceil(n_tiles.div_ceil(max)) {
        1 => blocks::<V, OB, 1>(u, values, out, n_tiles),
        2 => blocks::<V, OB, 2>(u, values, out, n_tiles),
        3 => blocks::<V, OB, 3>(u, values, out, n_tiles),
        _ => blocks::<V, OB, 4>(u, values, out, n_tiles),
    }
}

/// `TB` tiles at once; the last block may overlap the one before.
#[inline(always)]
fn blocks<V: Lane, const OB: usize, const TB: usize>(
    u: &[[V::Scalar; OB]],
    values: &[V],
    out: &mut [V],
    n_tiles: usize,
) {
    for tile in (0..n_tiles).step_by(TB) {
        let tile = tile.min(n_tiles - TB);
        let mut acc = [[V::zero(); TB]; OB];
        for (u, values) in u.iter().zip(values.chunks_exact(n_tiles)) {
            let values = &values[tile..][..TB];
            for i in 0..OB {
                let u = V::splat(u[i]);
                for j in 0..TB {
                    acc[i][j] = u.mul_add(values[j], acc[i][j]);
                }
            }
        }
        for i in 0..OB {
            out[i * n_tiles + tile..][..TB].copy_from_slice(&acc[i]);
        }
    }
}

/// As [`Multiply`].
struct Correlate<'a, V: Lane, const OB: usize, const LESS: usize> {
    args: Products,
    d_out: &'a [V],
    values: &'a [V],
    du: &'a mut [V::Scalar],
}

impl<V: Lane, const OB: usize, const LESS: usize> Kernel for Correlate<'_, V, OB, LESS> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Products { n_points, n_in, n_out, n_tiles, in_stride, out_stride } = self.args;
        let mut du = self.du.chunks_exact_mut(Products::filter_len(n_in, n_out));
        for point in 0..n_points {
            let values = &self.values[point * in_stride..][..n_in * n_tiles];
            let d_out = &self.d_out[point * out_stride..][..n_out * n_tiles];
            for (first, n) in tiles(n_out, OB) {
                let du = du.next().unwrap_or(&mut []);
                let d_out = &d_out[first * n_tiles..][..n * n_tiles];
                if n == OB {
                    correlate_rows::<V, OB>(d_out, values, du, (n_in, n_tiles));
                } else {
                    correlate_rows::<V, LESS>(d_out, values, du, (n_in, n_tiles));
                }
            }
        }
    }
}

/// `OB` rows of the output with all channels, as many at once as give up to sixteen sums; twelve where a vector is more
/// than one register, which is then one of sixteen.
#[inline(always)]
fn correlate_rows<V: Lane, const OB: usize>(
    d_out: &[V],
    values: &[V],
    du: &mut [V::Scalar],
    (n_in, n_tiles): (usize, usize),
) {
    let du = &mut du.as_chunks_mut::<OB>().0[..n_in];
    let max_sums = if V::REGISTERS == 1 { GROUP } else { 12 };
    for (channel, n) in tiles(n_in, (max_sums / OB).min(4)) {
        let values = &values[channel * n_tiles..][..n * n_tiles];
        let du = &mut du[channel..][..n];
        match n {
            1 => correlate::<V, OB, 1>(d_out, values, n_tiles, du),
            2 => correlate::<V, OB, 2>(d_out, values, n_tiles, du),
            3 => correlate::<V, OB, 3>(d_out, values, n_tiles, du),
            _ => correlate::<V, OB, 4>(d_out, values, n_tiles, du),
        }
    }
}

/// Of `CB` channels.
#[inline(always)]
fn correlate<V: Lane, const OB: usize, const CB: usize>(
    d_out: &[V],
    values: &[V],
    n_tiles: usize,
    du: &mut [[V::Scalar; OB]],
) {
    let sums = dots::<V, OB, CB>(n_tiles, (d_out, n_tiles), (values, n_tiles));
    for (du, &sum) in du.as_flattened_mut().iter_mut().zip(&sums) {
        *du += sum;
    }
}
