//! dx from dy.

use lanes::{Kernel, Lane};

use super::Conv2d;
use crate::tiles::{TILE, tiles};

impl Conv2d {
    /// dx (overwritten) from dy; `scratch` has [`Conv2d::n_weights`] scalars.
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
