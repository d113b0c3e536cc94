//! Fully connected layer.
//!
//! ```text
//! y[o] = b[o] + Σ_i w[o][i] · x[i]
//! ```
//!
//! x is [I] and y is [O] of lane vectors; w is [O][I] and b is [O] of scalars, or empty. Conventions of PyTorch's
//! `nn.Linear`.

use lanes::{Kernel, Lane};

use crate::ShardGradient;
use crate::tiles::{TILE, enter_tile, max_rows, tiles};

/// The geometry of one linear layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linear {
    pub(crate) in_features: usize,
    pub(crate) out_features: usize,
}

impl Linear {
    /// Multiply-adds of one sample's forward pass; each of the two gradients takes as many.
    pub(crate) fn multiply_adds(self) -> u64 {
        (self.in_features * self.out_features) as u64
    }

    /// y from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], w: &[V::Scalar], b: &[V::Scalar], y: &mut [V]) {
        for (o, n) in tiles(self.out_features, max_rows::<V>()) {
            let b = if b.is_empty() { b } else { &b[o..o + n] };
            let (w, y) = (&w[o * self.in_features..], &mut y[o..]);
            enter_tile!(n, Forward { x, w, b, y });
        }
    }

    /// Keeps what the gradient of the weights needs of one lane group; see [`TapePlace`].
    pub(crate) fn record<V: Lane>(x: &[V], dy: &[V], place: TapePlace, group: &mut [V]) {
        group[place.dy..][..dy.len()].copy_from_slice(dy);
        V::enter(Transpose { x, to: &mut group[place.x..place.dy] });
    }

    /// dw of outputs `first..first + dw.len() / I` (overwritten), summed over the lane groups of all shards in order.
    ///
    /// One or two times `LANES` inputs after the other, so that those of a whole batch stay in the first-level cache for all outputs.
    pub(crate) fn weight_gradient<V: Lane>(
        self,
        shards: &[ShardGradient<V>],
        place: TapePlace,
        first: usize,
        dw: &mut [V::Scalar],
    ) {
        let n = self.in_features;
        for (chunk, n_chunks) in tiles(n.div_ceil(V::LANES), max_rows::<V>() / TILE) {
            for (o, len) in tiles(dw.len() / n, TILE) {
                let place = TapePlace { x: place.x + chunk * V::LANES, dy: place.dy + first + o };
                let args = WeightGradientArgs { shards, place, n, start: chunk * V::LANES };
                let dw = &mut dw[o * n..(o + len) * n];
                match n_chunks {
                    1 => weight_gradient::<V, 1>(len, args, dw),
                    _ => weight_gradient::<V, 2>(len, args, dw),
                }
            }
        }
    }

    /// db (overwritten), summed over the lane groups of all shards in order.
    pub(crate) fn bias_gradient<V: Lane>(
        shards: &[ShardGradient<V>],
        place: TapePlace,
        db: &mut [V::Scalar],
    ) {
        V::enter(BiasGradient { shards, place, db });
    }

    /// dx (overwritten) from dy.
    pub(crate) fn backward_input<V: Lane>(self, w: &[V::Scalar], dy: &[V], dx: &mut [V]) {
        let n = self.in_features;
        for (i, len) in tiles(n, max_rows::<V>()) {
            let (w, dx) = (&w[i..], &mut dx[i..]);
            enter_tile!(len, InputGradient { n, w, dy, dx });
        }
    }
}

/// `OB` outputs in registers.
struct Forward<'a, V: Lane, const OB: usize> {
    x: &'a [V],
    w: &'a [V::Scalar],
    b: &'a [V::Scalar],
    y: &'a mut [V],
}

impl<V: Lane, const OB: usize> Kernel for Forward<'_, V, OB> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.x.len();
        let mut rows = [self.w; OB];
        let mut acc = [V::zero(); OB];
        for j in 0..OB {
            rows[j] = &self.w[j * n..][..n];
        }
        for (acc, &b) in acc.iter_mut().zip(self.b) {
            *acc = V::splat(b);
        }
        for i in 0..n {
            let x = self.x[i];
            for j in 0..OB {
                acc[j] = V::splat(rows[j][i]).mul_add(x, acc[j]);
            }
        }
        self.y[..OB].copy_from_slice(&acc);
    }
}

/// dx[i] = Σ_o w[o][i] · dy[o] for `IB` inputs in registers.
struct InputGradient<'a, V: Lane, const IB: usize> {
    n: usize,
    w: &'a [V::Scalar],
    dy: &'a [V],
    dx: &'a mut [V],
}

impl<V: Lane, const IB: usize> Kernel for InputGradient<'_, V, IB> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let mut acc = [V::zero(); IB];
        for (o, &dy) in self.dy.iter().enumerate() {
            let w = &self.w[o * self.n..][..IB];
            for j in 0..IB {
                acc[j] = V::splat(w[j]).mul_add(dy, acc[j]);
            }
        }
        self.dx[..IB].copy_from_slice(&acc);
    }
}

/// Where a lane group's tape has what the gradient of the weights needs: dy [O], and before it x as
/// [I / LANES][lane][LANES] of scalars, where a vector holds neighboring inputs of one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TapePlace {
    pub(crate) x: usize,
    pub(crate) dy: usize,
}

/// Blocks of `LANES` inputs × `LANES` lanes, transposed. What lies behind the last input never becomes a weight.
struct Transpose<'a, V: Lane> {
    x: &'a [V],
    to: &'a mut [V],
}

impl<V: Lane> Kernel for Transpose<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (x, to) = (V::as_scalars(self.x), V::as_scalars_mut(self.to));
        let n = V::LANES;
        for (x, to) in x.chunks(n * n).zip(to.chunks_exact_mut(n * n)) {
            for (i, x) in x.chunks_exact(n).enumerate() {
                for l in 0..n {
                    to[l * n + i] = x[l];
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct WeightGradientArgs<'a, V: Lane> {
    shards: &'a [ShardGradient<V>],
    /// The first of the inputs and the first of the outputs.
    place: TapePlace,
    /// Inputs of the layer, and which is the first here.
    n: usize,
    start: usize,
}

/// The gradient of the weights from `IB · LANES` inputs to `n_outputs` outputs.
fn weight_gradient<V: Lane, const IB: usize>(
    n_outputs: usize,
    args: WeightGradientArgs<'_, V>,
    dw: &mut [V::Scalar],
) {
    match n_outputs {
        1 => V::enter(WeightGradient::<V, 1, IB> { args, dw }),
        2 => V::enter(WeightGradient::<V, 2, IB> { args, dw }),
        3 => V::enter(WeightGradient::<V, 3, IB> { args, dw }),
        4 => V::enter(WeightGradient::<V, 4, IB> { args, dw }),
        5 => V::enter(WeightGradient::<V, 5, IB> { args, dw }),
        _ => V::enter(WeightGradient::<V, 6, IB> { args, dw }),
    }
}

/// dw[o][i] = Σ_sample dy[o][sample] · x[sample][i] for `OB` outputs and `IB · LANES` inputs: a vector holds neighboring
/// inputs of one sample, so that no sum over lanes is needed for each weight.
struct WeightGradient<'a, V: Lane, const OB: usize, const IB: usize> {
    args: WeightGradientArgs<'a, V>,
    dw: &'a mut [V::Scalar],
}

impl<V: Lane, const OB: usize, const IB: usize> Kernel for WeightGradient<'_, V, OB, IB> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let WeightGradientArgs { shards, place, n, start } = self.args;
        let mut acc = [[V::zero(); IB]; OB];
        for shard in shards {
            for group in shard.groups() {
                let x = &group[place.x..][..IB * V::LANES];
                let dy = V::as_scalars(&group[place.dy..][..OB]);
                for l in 0..V::LANES {
                    for j in 0..OB {
                        let dy = V::splat(dy[j * V::LANES + l]);
                        for i in 0..IB {
                            acc[j][i] = dy.mul_add(x[i * V::LANES + l], acc[j][i]);
                        }
                    }
                }
            }
        }
        let len = (IB * V::LANES).min(n - start);
        for j in 0..OB {
            self.dw[j * n + start..][..len].copy_from_slice(&V::as_scalars(&acc[j])[..len]);
        }
    }
}

/// db[o] = Σ dy[o] over the samples of all shards.
struct BiasGradient<'a, V: Lane> {
    shards: &'a [ShardGradient<V>],
    place: TapePlace,
    db: &'a mut [V::Scalar],
}

impl<V: Lane> Kernel for BiasGradient<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (o, db) in self.db.iter_mut().enumerate() {
            let mut sum = V::zero();
            for shard in self.shards {
                for group in shard.groups() {
                    sum = sum + group[self.place.dy + o];
                }
            }
            *db = sum.sum();
        }
    }
}
