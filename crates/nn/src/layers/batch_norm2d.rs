//! Batch normalization.
//!
//! ```text
//! y[c][p] = γ[c] · (x[c][p] − μ[c]) / σ[c] + β[c],   σ = √(variance + ε)
//! ```
//!
//! x and y are [C][H·W] of lane vectors, γ and β (w and b) [C] of scalars. In training μ and the variance are those of the
//! whole batch, over all its samples and positions (N values a channel), and
//!
//! ```text
//! dβ = Σ dy       dγ = Σ dy · (x − μ) / σ       dx = γ/σ · (dy − dβ/N − (x − μ)/σ · dγ/N)
//! ```
//!
//! In inference they are running means over the batches of training, the variance with N − 1 as PyTorch keeps it. Ioffe
//! & Szegedy 2015 (arXiv 1502.03167); conventions of PyTorch's `nn.BatchNorm2d`.
//!
//! Each lane group gives its [`BatchNorm2d::moments`] and, backward, its part of dγ and dβ; what the whole batch makes of
//! them is [`crate::BatchStatistics`]. Lanes without a sample count in neither.

use std::ops::Range;

use lanes::{Kernel, Lane, Scalar};

use crate::gradient::Sum;
use crate::sums::{centered_dot, squares, sum};

/// The geometry of one batch normalization.
#[derive(Clone, Debug)]
pub(crate) struct BatchNorm2d {
    pub(crate) channels: usize,
    /// H·W
    pub(crate) plane: usize,
    pub(crate) epsilon: f64,
    /// Share of a batch in the running statistics.
    pub(crate) momentum: f64,
    /// Where the running means lie among all values, and the running variances.
    pub(crate) running_mean: Range<usize>,
    pub(crate) running_variance: Range<usize>,
}

impl BatchNorm2d {
    /// Of every channel the mean over the live lanes of a group, and behind them the sums of squared deviations from it.
    pub(crate) fn moments<V: Lane>(&self, x: &[V], live: V, n_live: usize, to: &mut [V::Scalar]) {
        let (mean, square) = to[..2 * self.channels].split_at_mut(self.channels);
        V::enter(Moments { plane: self.plane, x, live, n: (n_live * self.plane) as f64, mean, square });
    }

    /// y from x with the given means and 1/σ.
    pub(crate) fn forward<V: Lane>(
        &self,
        x: &[V],
        (w, b): (&[V::Scalar], &[V::Scalar]),
        (mean, inverse_std): (&[V::Scalar], &[V::Scalar]),
        y: &mut [V],
    ) {
        V::enter(Forward { plane: self.plane, x, w, b, mean, inverse_std, y });
    }

    /// y from x with the running statistics, which `values` holds beside the parameters.
    pub(crate) fn forward_running<V: Lane>(
        &self,
        x: &[V],
        (w, b): (&[V::Scalar], &[V::Scalar]),
        values: &[V::Scalar],
        y: &mut [V],
    ) {
        let epsilon = V::Scalar::from_f64(self.epsilon);
        let (mean, variance) = (&values[self.running_mean.clone()], &values[self.running_variance.clone()]);
        V::enter(ForwardRunning { plane: self.plane, x, w, b, mean, variance, epsilon, y });
    }

    /// A lane group's part of dγ and dβ.
    pub(crate) fn backward_params<V: Lane>(
        &self,
        x: &[V],
        dy: &[V],
        (mean, inverse_std): (&[V::Scalar], &[V::Scalar]),
        (dw, db): (&mut [V::Scalar], &mut [V::Scalar]),
        sum: Sum,
    ) {
        V::enter(ParameterGradient { plane: self.plane, x, dy, mean, inverse_std, dw, db, sum });
    }

    /// dx (overwritten), given dγ and dβ of the whole batch.
    pub(crate) fn backward_input<V: Lane>(
        &self,
        x: &[V],
        w: &[V::Scalar],
        dy: &[V],
        batch: &Batch<'_, V::Scalar>,
        live: V,
        dx: &mut [V],
    ) {
        V::enter(InputGradient { plane: self.plane, x, w, dy, batch: *batch, live, dx });
    }
}

/// What the whole batch says of each channel.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a, S> {
    pub(crate) mean: &'a [S],
    pub(crate) inverse_std: &'a [S],
    pub(crate) dw: &'a [S],
    pub(crate) db: &'a [S],
    /// 1/N
    pub(crate) share: S,
}

struct Moments<'a, V: Lane> {
    plane: usize,
    x: &'a [V],
    live: V,
    /// Values of a channel in live lanes.
    n: f64,
    mean: &'a mut [V::Scalar],
    square: &'a mut [V::Scalar],
}

impl<V: Lane> Kernel for Moments<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = V::Scalar::from_f64(self.n);
        for (c, x) in self.x.chunks_exact(self.plane).enumerate() {
            let mean = (sum(x) * self.live).sum() / n;
            self.mean[c] = mean;
            self.square[c] = (squares(x, V::splat(mean)) * self.live).sum();
        }
    }
}

struct Forward<'a, V: Lane> {
    plane: usize,
    x: &'a [V],
    w: &'a [V::Scalar],
    b: &'a [V::Scalar],
    mean: &'a [V::Scalar],
    inverse_std: &'a [V::Scalar],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Forward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let planes = self.x.chunks_exact(self.plane).zip(self.y.chunks_exact_mut(self.plane));
        for (c, (x, y)) in planes.enumerate() {
            normalize(x, self.mean[c], self.w[c] * self.inverse_std[c], self.b[c], y);
        }
    }
}

/// y = (x − mean) · scale + shift of one channel.
#[inline(always)]
fn normalize<V: Lane>(x: &[V], mean: V::Scalar, scale: V::Scalar, shift: V::Scalar, y: &mut [V]) {
    let (mean, scale, shift) = (V::splat(mean), V::splat(scale), V::splat(shift));
    for (y, &x) in y.iter_mut().zip(x) {
        *y = (x - mean).mul_add(scale, shift);
    }
}

struct ForwardRunning<'a, V: Lane> {
    plane: usize,
    x: &'a [V],
    w: &'a [V::Scalar],
    b: &'a [V::Scalar],
    mean: &'a [V::Scalar],
    variance: &'a [V::Scalar],
    epsilon: V::Scalar,
    y: &'a mut [V],
}

impl<V: Lane> Kernel for ForwardRunning<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let planes = self.x.chunks_exact(self.plane).zip(self.y.chunks_exact_mut(self.plane));
        for (c, (x, y)) in planes.enumerate() {
            let scale = self.w[c] / (self.variance[c] + self.epsilon).sqrt();
            normalize(x, self.mean[c], scale, self.b[c], y);
        }
    }
}

struct ParameterGradient<'a, V: Lane> {
    plane: usize,
    x: &'a [V],
    dy: &'a [V],
    mean: &'a [V::Scalar],
    inverse_std: &'a [V::Scalar],
    dw: &'a mut [V::Scalar],
    db: &'a mut [V::Scalar],
    sum: Sum,
}

impl<V: Lane> Kernel for ParameterGradient<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let planes = self.x.chunks_exact(self.plane).zip(self.dy.chunks_exact(self.plane));
        for (c, (x, dy)) in planes.enumerate() {
            let db = sum(dy).sum();
            let dw = centered_dot(dy, x, V::splat(self.mean[c])).sum() * self.inverse_std[c];
            let set = self.sum == Sum::Set;
            self.db[c] = if set { db } else { self.db[c] + db };
            self.dw[c] = if set { dw } else { self.dw[c] + dw };
        }
    }
}

struct InputGradient<'a, V: Lane> {
    plane: usize,
    x: &'a [V],
    w: &'a [V::Scalar],
    dy: &'a [V],
    batch: Batch<'a, V::Scalar>,
    live: V,
    dx: &'a mut [V],
}

impl<V: Lane> Kernel for InputGradient<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Batch { mean, inverse_std, dw, db, share } = self.batch;
        let n = self.plane;
        for c in 0..self.w.len() {
            let (x, dy) = (&self.x[c * n..][..n], &self.dy[c * n..][..n]);
            let dx = &mut self.dx[c * n..][..n];
            let mean = V::splat(mean[c]);
            let (db, dw) = (V::splat(db[c] * share), V::splat(dw[c] * share * inverse_std[c]));
            let scale = V::splat(self.w[c] * inverse_std[c]) * self.live;
            for p in 0..n {
                dx[p] = (dy[p] - db - (x[p] - mean) * dw) * scale;
            }
        }
    }
}
