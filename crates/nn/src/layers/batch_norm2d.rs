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
//! A rectifier behind it is part of it ([`super::leaky_relu`]): y is rectified when it is written, and backward dy is what
//! the rectifier passes on, whose side follows from x as in the forward pass. That spares two passes over memory which, as
//! all lane groups of a batch go through a stage before any goes on, is often far away. So does a sum with another value: it is
//! added when y is written, and dy is its gradient too.
//!
//! Each lane group gives its [`BatchNorm2d::moments`] and, backward, its part of dγ and dβ; what the whole batch makes of
//! them is [`crate::BatchStatistics`]. Lanes without a sample count in neither.

use std::ops::Range;

use lanes::{Kernel, Lane, Scalar};

use crate::gradient::Sum;
use crate::sums::{squares, sum};

/// The geometry of one batch normalization.
#[derive(Clone, Debug)]
pub(crate) struct BatchNorm2d {
    pub(crate) channels: usize,
    /// H·W
    pub(crate) plane: usize,
    pub(crate) epsilon: f64,
    /// Share of a batch in the running statistics.
    pub(crate) momentum: f64,
    /// Slope of the rectifier behind it, at least 0.
    pub(crate) rectifier: Option<f64>,
    /// Whether it does the sum that is the next operation, and writes its output; its own then has no place.
    pub(crate) adds: bool,
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

    /// y from x and what is added, with the given means and 1/σ; 0 before what is added in lanes without a sample.
    pub(crate) fn forward<V: Lane>(
        &self,
        (x, other): (&[V], &[V]),
        (w, b): (&[V::Scalar], &[V::Scalar]),
        (mean, inverse_std): (&[V::Scalar], &[V::Scalar]),
        live: V,
        y: &mut [V],
    ) {
        let args = Affine { plane: self.plane, w, b, mean, inverse_std, slope: self.slope() };
        match self.rectifier {
            None => V::enter(Forward::<V, false> { args, x, other, live, y }),
            Some(_) => V::enter(Forward::<V, true> { args, x, other, live, y }),
        }
    }

    /// y from x and what is added, with the running statistics, which `values` holds beside the parameters.
    pub(crate) fn forward_running<V: Lane>(
        &self,
        (x, other): (&[V], &[V]),
        (w, b): (&[V::Scalar], &[V::Scalar]),
        values: &[V::Scalar],
        y: &mut [V],
    ) {
        let epsilon = V::Scalar::from_f64(self.epsilon);
        let (mean, variance) = (&values[self.running_mean.clone()], &values[self.running_variance.clone()]);
        let args = Affine { plane: self.plane, w, b, mean, inverse_std: &[], slope: self.slope() };
        match self.rectifier {
            None => V::enter(ForwardRunning::<V, false> { args, x, other, variance, epsilon, y }),
            Some(_) => V::enter(ForwardRunning::<V, true> { args, x, other, variance, epsilon, y }),
        }
    }

    /// A lane group's part of dγ and dβ.
    pub(crate) fn backward_params<V: Lane>(
        &self,
        x: &[V],
        dy: &[V],
        (w, b): (&[V::Scalar], &[V::Scalar]),
        (mean, inverse_std): (&[V::Scalar], &[V::Scalar]),
        (dw, db): (&mut [V::Scalar], &mut [V::Scalar]),
        sum: Sum,
    ) {
        let args = Affine { plane: self.plane, w, b, mean, inverse_std, slope: self.slope() };
        match self.rectifier {
            None => V::enter(ParameterGradient::<V, false> { args, x, dy, dw, db, sum }),
            Some(_) => V::enter(ParameterGradient::<V, true> { args, x, dy, dw, db, sum }),
        }
    }

    /// dx from x and dy, given dγ and dβ of the whole batch.
    pub(crate) fn backward_input<V: Lane>(
        &self,
        (x, dy): (&[V], &[V]),
        (w, b): (&[V::Scalar], &[V::Scalar]),
        batch: &Batch<'_, V::Scalar>,
        live: V,
        dx: &mut [V],
    ) {
        let Batch { mean, inverse_std, .. } = *batch;
        let args = Affine { plane: self.plane, w, b, mean, inverse_std, slope: self.slope() };
        match self.rectifier {
            None => V::enter(InputGradient::<V, false> { args, x, dy, batch: *batch, live, dx }),
            Some(_) => V::enter(InputGradient::<V, true> { args, x, dy, batch: *batch, live, dx }),
        }
    }

    fn slope<S: Scalar>(&self) -> S {
        S::from_f64(self.rectifier.unwrap_or(1.0))
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

/// What the kernels share: the transformation of each channel, and the slope of the rectifier.
#[derive(Clone, Copy)]
struct Affine<'a, S> {
    plane: usize,
    w: &'a [S],
    b: &'a [S],
    mean: &'a [S],
    inverse_std: &'a [S],
    slope: S,
}

impl<S: Scalar> Affine<'_, S> {
    /// The transformation of channel `c`.
    #[inline(always)]
    fn channel<V: Lane<Scalar = S>>(&self, c: usize) -> Channel<V> {
        let scale = self.w[c] * self.inverse_std[c];
        Channel::new(self.mean[c], scale, self.b[c], self.slope)
    }
}

/// z = (x − mean) · scale + shift, y = z where z > 0 and slope · z elsewhere.
#[derive(Clone, Copy)]
struct Channel<V> {
    mean: V,
    scale: V,
    shift: V,
    slope: V,
}

impl<V: Lane> Channel<V> {
    #[inline(always)]
    fn new(mean: V::Scalar, scale: V::Scalar, shift: V::Scalar, slope: V::Scalar) -> Self {
        Self { mean: V::splat(mean), scale: V::splat(scale), shift: V::splat(shift), slope: V::splat(slope) }
    }

    /// The same in live lanes, 0 in the others: where a channel is the same in all samples, what is in lanes without one grows by
    /// 1/√ε with each normalization, and once it is infinite, 0 times it is no number.
    #[inline(always)]
    fn within(self, live: V) -> Self {
        Self { scale: self.scale * live, shift: self.shift * live, ..self }
    }

    /// y from x, and `other` added where it is not empty.
    #[inline(always)]
    fn write<const RECTIFY: bool>(self, x: &[V], other: &[V], y: &mut [V]) {
        if other.is_empty() {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = self.normalized::<RECTIFY>(x);
            }
        } else {
            for ((y, &x), &other) in y.iter_mut().zip(x).zip(other) {
                *y = self.normalized::<RECTIFY>(x) + other;
            }
        }
    }

    #[inline(always)]
    fn normalized<const RECTIFY: bool>(self, x: V) -> V {
        let z = (x - self.mean).mul_add(self.scale, self.shift);
        if RECTIFY { z * self.side(z) } else { z }
    }

    /// dy behind the rectifier as the gradient before it, given x.
    #[inline(always)]
    fn before_rectifier<const RECTIFY: bool>(self, x: V, dy: V) -> V {
        if !RECTIFY {
            return dy;
        }
        dy * self.side((x - self.mean).mul_add(self.scale, self.shift))
    }

    /// The slope at z.
    #[inline(always)]
    fn side(self, z: V) -> V {
        V::select_gt(z, V::zero(), V::splat(V::Scalar::ONE), self.slope)
    }
}

/// The plane of a channel of what is added; empty if nothing is.
#[inline(always)]
fn channel_of<V>(other: &[V], c: usize, plane: usize) -> &[V] {
    if other.is_empty() { other } else { &other[c * plane..][..plane] }
}

struct Forward<'a, V: Lane, const RECTIFY: bool> {
    args: Affine<'a, V::Scalar>,
    x: &'a [V],
    /// Empty if nothing is added.
    other: &'a [V],
    live: V,
    y: &'a mut [V],
}

impl<V: Lane, const RECTIFY: bool> Kernel for Forward<'_, V, RECTIFY> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.args.plane;
        for (c, (x, y)) in self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n)).enumerate() {
            let of = self.args.channel::<V>(c).within(self.live);
            of.write::<RECTIFY>(x, channel_of(self.other, c, n), y);
        }
    }
}

struct ForwardRunning<'a, V: Lane, const RECTIFY: bool> {
    args: Affine<'a, V::Scalar>,
    x: &'a [V],
    /// Empty if nothing is added.
    other: &'a [V],
    variance: &'a [V::Scalar],
    epsilon: V::Scalar,
    y: &'a mut [V],
}

impl<V: Lane, const RECTIFY: bool> Kernel for ForwardRunning<'_, V, RECTIFY> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Affine { plane: n, w, b, mean, slope, .. } = self.args;
        for (c, (x, y)) in self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n)).enumerate() {
            let other = channel_of(self.other, c, n);
            let scale = w[c] / (self.variance[c] + self.epsilon).sqrt();
            Channel::<V>::new(mean[c], scale, b[c], slope).write::<RECTIFY>(x, other, y);
        }
    }
}

struct ParameterGradient<'a, V: Lane, const RECTIFY: bool> {
    args: Affine<'a, V::Scalar>,
    x: &'a [V],
    dy: &'a [V],
    dw: &'a mut [V::Scalar],
    db: &'a mut [V::Scalar],
    sum: Sum,
}

impl<V: Lane, const RECTIFY: bool> Kernel for ParameterGradient<'_, V, RECTIFY> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.args.plane;
        for (c, (x, dy)) in self.x.chunks_exact(n).zip(self.dy.chunks_exact(n)).enumerate() {
            let of = self.args.channel::<V>(c);
            let [db, dw] = sums::<V, RECTIFY>(of, x, dy);
            let (db, dw) = (db.sum(), dw.sum() * self.args.inverse_std[c]);
            let set = self.sum == Sum::Set;
            self.db[c] = if set { db } else { self.db[c] + db };
            self.dw[c] = if set { dw } else { self.dw[c] + dw };
        }
    }
}

/// Σ dz and Σ dz · (x − mean) in one pass, four partial sums of each as in [`crate::sums`].
#[inline(always)]
fn sums<V: Lane, const RECTIFY: bool>(of: Channel<V>, x: &[V], dy: &[V]) -> [V; 2] {
    let (mut db, mut dw) = ([V::zero(); 4], [V::zero(); 4]);
    let (xs, rest) = x.as_chunks::<4>();
    let (dys, dy_rest) = dy.as_chunks::<4>();
    for (x, dy) in xs.iter().zip(dys) {
        for j in 0..4 {
            let dz = of.before_rectifier::<RECTIFY>(x[j], dy[j]);
            db[j] = db[j] + dz;
            dw[j] = dz.mul_add(x[j] - of.mean, dw[j]);
        }
    }
    for (j, (&x, &dy)) in rest.iter().zip(dy_rest).enumerate() {
        let dz = of.before_rectifier::<RECTIFY>(x, dy);
        db[j] = db[j] + dz;
        dw[j] = dz.mul_add(x - of.mean, dw[j]);
    }
    [(db[0] + db[1]) + (db[2] + db[3]), (dw[0] + dw[1]) + (dw[2] + dw[3])]
}

struct InputGradient<'a, V: Lane, const RECTIFY: bool> {
    args: Affine<'a, V::Scalar>,
    x: &'a [V],
    dy: &'a [V],
    batch: Batch<'a, V::Scalar>,
    live: V,
    dx: &'a mut [V],
}

impl<V: Lane, const RECTIFY: bool> Kernel for InputGradient<'_, V, RECTIFY> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Batch { inverse_std, dw, db, share, .. } = self.batch;
        let n = self.args.plane;
        for c in 0..self.args.w.len() {
            let (x, dy, dx) = (&self.x[c * n..][..n], &self.dy[c * n..][..n], &mut self.dx[c * n..][..n]);
            let of = self.args.channel::<V>(c);
            let (db, dw) = (V::splat(db[c] * share), V::splat(dw[c] * share * inverse_std[c]));
            let scale = of.scale * self.live;
            for p in 0..n {
                let dz = of.before_rectifier::<RECTIFY>(x[p], dy[p]);
                dx[p] = (dz - db - (x[p] - of.mean) * dw) * scale;
            }
        }
    }
}
