//! Fully connected layer.
//!
//! ```text
//! y[o] = b[o] + Σ_i w[o][i] · x[i]
//! ```
//!
//! x is [I] and y is [O] of lane vectors; w is [O][I] and b is [O] of scalars. Conventions of PyTorch's
//! `nn.Linear`.

use lanes::{Kernel, Lane};

use crate::Sum;
use crate::tiles::{TILE, tiles};

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

    /// Scalars of scratch that [`Linear::backward_params`] needs with `lanes` lanes: x transposed.
    pub(crate) fn n_scratch(self, lanes: usize) -> usize {
        self.in_features.next_multiple_of(lanes) * lanes
    }

    /// y from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], w: &[V::Scalar], b: &[V::Scalar], y: &mut [V]) {
        for (o, n) in tiles(self.out_features, TILE) {
            let (w, b, y) = (&w[o * self.in_features..], &b[o..], &mut y[o..]);
            match n {
                1 => V::enter(Forward::<V, 1> { x, w, b, y }),
                2 => V::enter(Forward::<V, 2> { x, w, b, y }),
                3 => V::enter(Forward::<V, 3> { x, w, b, y }),
                4 => V::enter(Forward::<V, 4> { x, w, b, y }),
                5 => V::enter(Forward::<V, 5> { x, w, b, y }),
                _ => V::enter(Forward::<V, 6> { x, w, b, y }),
            }
        }
    }

    /// dw and db from dy and the x of the forward pass.
    pub(crate) fn backward_params<V: Lane>(
        self,
        x: &[V],
        dy: &[V],
        dw: &mut [V::Scalar],
        db: &mut [V::Scalar],
        scratch: &mut [V::Scalar],
        sum: Sum,
    ) {
        let n = self.in_features;
        let columns = n.next_multiple_of(V::LANES);
        V::enter(Transpose { x, columns, to: scratch });
        for (o, len) in tiles(self.out_features, TILE) {
            let (dy, dw) = (&dy[o..o + len], &mut dw[o * n..(o + len) * n]);
            let x = &scratch[..columns * V::LANES];
            match len {
                1 => V::enter(WeightGradient::<V, 1> { n, x, dy, dw, sum }),
                2 => V::enter(WeightGradient::<V, 2> { n, x, dy, dw, sum }),
                3 => V::enter(WeightGradient::<V, 3> { n, x, dy, dw, sum }),
                4 => V::enter(WeightGradient::<V, 4> { n, x, dy, dw, sum }),
                5 => V::enter(WeightGradient::<V, 5> { n, x, dy, dw, sum }),
                _ => V::enter(WeightGradient::<V, 6> { n, x, dy, dw, sum }),
            }
        }
        V::enter(BiasGradient { dy, db, sum });
    }

    /// dx (overwritten) from dy.
    pub(crate) fn backward_input<V: Lane>(self, w: &[V::Scalar], dy: &[V], dx: &mut [V]) {
        let n = self.in_features;
        for (i, len) in tiles(n, TILE) {
            let (w, dx) = (&w[i..], &mut dx[i..]);
            match len {
                1 => V::enter(InputGradient::<V, 1> { n, w, dy, dx }),
                2 => V::enter(InputGradient::<V, 2> { n, w, dy, dx }),
                3 => V::enter(InputGradient::<V, 3> { n, w, dy, dx }),
                4 => V::enter(InputGradient::<V, 4> { n, w, dy, dx }),
                5 => V::enter(InputGradient::<V, 5> { n, w, dy, dx }),
                _ => V::enter(InputGradient::<V, 6> { n, w, dy, dx }),
            }
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
            acc[j] = V::splat(self.b[j]);
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

/// x [I] of lane vectors to [lane][columns] of scalars, columns ≥ I.
struct Transpose<'a, V: Lane> {
    x: &'a [V],
    columns: usize,
    to: &'a mut [V::Scalar],
}

impl<V: Lane> Kernel for Transpose<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let x = V::as_scalars(self.x);
        for (l, row) in self.to.chunks_exact_mut(self.columns).take(V::LANES).enumerate() {
            for i in 0..self.x.len() {
                row[i] = x[i * V::LANES + l];
            }
        }
    }
}

/// dw[o][i] = Σ_l dy[o][l] · x[l][i] for `OB` outputs: here a vector holds neighboring inputs of one sample, so
/// that no sum over lanes is needed for each weight. `x` is [lane][columns].
struct WeightGradient<'a, V: Lane, const OB: usize> {
    n: usize,
    x: &'a [V::Scalar],
    dy: &'a [V],
    dw: &'a mut [V::Scalar],
    sum: Sum,
}

impl<V: Lane, const OB: usize> Kernel for WeightGradient<'_, V, OB> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let whole = self.n / V::LANES * V::LANES;
        for i in (0..whole).step_by(V::LANES) {
            let mut acc = [V::zero(); OB];
            if self.sum == Sum::Add {
                for j in 0..OB {
                    acc[j] = V::load(&self.dw[j * self.n + i..]);
                }
            }
            self.block(i, &mut acc);
            for j in 0..OB {
                acc[j].store(&mut self.dw[j * self.n + i..]);
            }
        }
        if whole < self.n {
            self.rest(whole);
        }
    }
}

impl<V: Lane, const OB: usize> WeightGradient<'_, V, OB> {
    #[inline(always)]
    fn block(&self, i: usize, acc: &mut [V; OB]) {
        let dy = V::as_scalars(self.dy);
        let columns = self.x.len() / V::LANES;
        for l in 0..V::LANES {
            let x = V::load(&self.x[l * columns + i..]);
            for j in 0..OB {
                acc[j] = V::splat(dy[j * V::LANES + l]).mul_add(x, acc[j]);
            }
        }
    }

    /// The last inputs, fewer than a vector: through a copy padded with zeros.
    #[inline(always)]
    fn rest(&mut self, i: usize) {
        let n_rest = self.n - i;
        let mut padded = [V::zero(); OB];
        if self.sum == Sum::Add {
            for j in 0..OB {
                let row = &self.dw[j * self.n + i..][..n_rest];
                V::as_scalars_mut(&mut padded[j..=j])[..n_rest].copy_from_slice(row);
            }
        }
        self.block(i, &mut padded);
        for j in 0..OB {
            let row = &mut self.dw[j * self.n + i..][..n_rest];
            row.copy_from_slice(&V::as_scalars(&padded[j..=j])[..n_rest]);
        }
    }
}

/// db[o] = dy[o], summed over lanes.
struct BiasGradient<'a, V: Lane> {
    dy: &'a [V],
    db: &'a mut [V::Scalar],
    sum: Sum,
}

impl<V: Lane> Kernel for BiasGradient<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (db, dy) in self.db.iter_mut().zip(self.dy) {
            *db = if self.sum == Sum::Set { dy.sum() } else { *db + dy.sum() };
        }
    }
}
