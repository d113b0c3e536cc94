//! Group normalization and layer normalization: each group of channels of each sample to mean 0 and variance 1.
//!
//! ```text
//! y = w · (x − μ) / σ + b,   μ = 1/N Σ x,   σ = √(1/N Σ (x − μ)² + ε)   over the N values of a group
//!
//! dw = Σ dy · (x − μ)/σ      db = Σ dy
//! dx = (g − 1/N Σ g − (x − μ)/σ² · 1/N Σ g (x − μ)) / σ,   g = w · dy
//! ```
//!
//! x and y are [C][H·W] of lane vectors; w and b are scalars, [C] for group normalization ([`Affine::ByChannel`]) and
//! [C][H·W] for layer normalization ([`Affine::ByValue`]), which is one group. Means and 1/σ are lane vectors: each sample
//! has its own. The variance is found in a second pass over differences from the mean, as a difference of means of squares
//! would cancel.
//!
//! Wu & He 2018 (arXiv 1803.08494), Ba et al. 2016 (arXiv 1607.06450); conventions of PyTorch's `nn.GroupNorm` and of
//! `nn.LayerNorm` over all dimensions but the batch.

use lanes::{Kernel, Lane, Scalar};

use crate::gradient::Sum;
use crate::sums::{centered_dot, squares, sum, weighted_dot, weighted_sum};

/// The geometry of one normalization.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupNorm {
    /// A divisor of the channels.
    pub(crate) groups: usize,
    pub(crate) channels: usize,
    /// H·W
    pub(crate) plane: usize,
    /// Added to the variance; above 0, so that dead lanes stay finite.
    pub(crate) epsilon: f64,
    pub(crate) affine: Affine,
}

/// What has a weight and a bias of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affine {
    ByChannel,
    ByValue,
}

impl GroupNorm {
    /// Lane vectors that the backward pass needs: of each group the mean and 1/σ.
    pub(crate) fn kept_len(self) -> usize {
        2 * self.groups
    }

    /// y (overwritten) and `kept` from x; an empty `kept`, without a backward pass to come, is not written.
    pub(crate) fn forward<V: Lane>(
        self,
        x: &[V],
        w: &[V::Scalar],
        b: &[V::Scalar],
        y: &mut [V],
        kept: &mut [V],
    ) {
        match self.affine {
            Affine::ByChannel => V::enter(Forward::<V, false> { g: self, x, w, b, y, kept }),
            Affine::ByValue => V::enter(Forward::<V, true> { g: self, x, w, b, y, kept }),
        }
    }

    /// dx (overwritten) from dy and the x of the forward pass.
    pub(crate) fn backward_input<V: Lane>(
        self,
        x: &[V],
        w: &[V::Scalar],
        dy: &[V],
        kept: &[V],
        dx: &mut [V],
    ) {
        match self.affine {
            Affine::ByChannel => V::enter(InputGradient::<V, false> { g: self, x, w, dy, kept, dx }),
            Affine::ByValue => V::enter(InputGradient::<V, true> { g: self, x, w, dy, kept, dx }),
        }
    }

    /// dw and db from dy and the x of the forward pass, summed over lanes.
    pub(crate) fn backward_params<V: Lane>(
        self,
        x: &[V],
        dy: &[V],
        kept: &[V],
        dw: &mut [V::Scalar],
        db: &mut [V::Scalar],
        sum: Sum,
    ) {
        match self.affine {
            Affine::ByChannel => {
                V::enter(ParameterGradient::<V, false> { g: self, x, dy, kept, dw, db, sum })
            }
            Affine::ByValue => V::enter(ParameterGradient::<V, true> { g: self, x, dy, kept, dw, db, sum }),
        }
    }

    /// Values of a group.
    #[inline(always)]
    fn group_len(self) -> usize {
        self.channels / self.groups * self.plane
    }
}

/// Mean and 1/σ of one group.
#[inline(always)]
fn statistics<V: Lane>(x: &[V], epsilon: f64) -> [V; 2] {
    let n = V::splat(V::Scalar::from_f64(x.len() as f64));
    let mean = sum(x) / n;
    let variance = squares(x, mean) / n;
    let sigma = (variance + V::splat(V::Scalar::from_f64(epsilon))).sqrt();
    [mean, V::splat(V::Scalar::ONE) / sigma]
}

struct Forward<'a, V: Lane, const BY_VALUE: bool> {
    g: GroupNorm,
    x: &'a [V],
    w: &'a [V::Scalar],
    b: &'a [V::Scalar],
    y: &'a mut [V],
    kept: &'a mut [V],
}

impl<V: Lane, const BY_VALUE: bool> Kernel for Forward<'_, V, BY_VALUE> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (n, plane) = (self.g.group_len(), self.g.plane);
        for (group, x) in self.x.chunks_exact(n).enumerate() {
            let [mean, inverse] = statistics(x, self.g.epsilon);
            if let Some(kept) = self.kept.get_mut(2 * group..2 * group + 2) {
                kept.copy_from_slice(&[mean, inverse]);
            }
            let y = &mut self.y[group * n..][..n];
            if BY_VALUE {
                let (w, b) = (&self.w[group * n..][..n], &self.b[group * n..][..n]);
                for i in 0..n {
                    y[i] = (x[i] - mean).mul_add(V::splat(w[i]) * inverse, V::splat(b[i]));
                }
            } else {
                let first = group * n / plane;
                let planes = x.chunks_exact(plane).zip(y.chunks_exact_mut(plane));
                for (c, (x, y)) in planes.enumerate() {
                    let (w, b) = (V::splat(self.w[first + c]) * inverse, V::splat(self.b[first + c]));
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = (x - mean).mul_add(w, b);
                    }
                }
            }
        }
    }
}

struct InputGradient<'a, V: Lane, const BY_VALUE: bool> {
    g: GroupNorm,
    x: &'a [V],
    w: &'a [V::Scalar],
    dy: &'a [V],
    kept: &'a [V],
    dx: &'a mut [V],
}

impl<V: Lane, const BY_VALUE: bool> Kernel for InputGradient<'_, V, BY_VALUE> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (n, plane) = (self.g.group_len(), self.g.plane);
        let n_values = V::splat(V::Scalar::from_f64(n as f64));
        let n_weights = if BY_VALUE { n } else { n / plane };
        for group in 0..self.g.groups {
            let (x, dy) = (&self.x[group * n..][..n], &self.dy[group * n..][..n]);
            let dx = &mut self.dx[group * n..][..n];
            let w = &self.w[group * n_weights..][..n_weights];
            let (mean, inverse) = (self.kept[2 * group], self.kept[2 * group + 1]);
            let [sum, product] =
                if BY_VALUE { sums_by_value(w, dy, x, mean) } else { sums_by_channel(w, dy, x, mean) };
            let shift = sum / n_values;
            let slope = product / n_values * inverse * inverse;
            for run in 0..n_weights {
                // A single value has no need of a loop of its own.
                let len = if BY_VALUE { 1 } else { plane };
                let w = V::splat(w[run]);
                for i in run * len..(run + 1) * len {
                    let g = w.mul_add(dy[i], V::zero() - shift);
                    dx[i] = (g - (x[i] - mean) * slope) * inverse;
                }
            }
        }
    }
}

/// Σ g and Σ g (x − μ) of a group, g = w · dy with one weight for each value.
#[inline(always)]
fn sums_by_value<V: Lane>(w: &[V::Scalar], dy: &[V], x: &[V], mean: V) -> [V; 2] {
    [weighted_sum(w, dy), weighted_dot(w, dy, x, mean)]
}

/// The same with one weight for each channel.
#[inline(always)]
fn sums_by_channel<V: Lane>(w: &[V::Scalar], dy: &[V], x: &[V], mean: V) -> [V; 2] {
    let plane = dy.len() / w.len();
    let mut sums = [V::zero(); 2];
    for ((&w, dy), x) in w.iter().zip(dy.chunks_exact(plane)).zip(x.chunks_exact(plane)) {
        let w = V::splat(w);
        sums[0] = w.mul_add(sum(dy), sums[0]);
        sums[1] = w.mul_add(centered_dot(dy, x, mean), sums[1]);
    }
    sums
}

struct ParameterGradient<'a, V: Lane, const BY_VALUE: bool> {
    g: GroupNorm,
    x: &'a [V],
    dy: &'a [V],
    kept: &'a [V],
    dw: &'a mut [V::Scalar],
    db: &'a mut [V::Scalar],
    sum: Sum,
}

impl<V: Lane, const BY_VALUE: bool> Kernel for ParameterGradient<'_, V, BY_VALUE> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let len = if BY_VALUE { 1 } else { self.g.plane };
        let n_weights = self.g.group_len() / len;
        for (idx, (dw, db)) in self.dw.iter_mut().zip(self.db).enumerate() {
            let (x, dy) = (&self.x[idx * len..][..len], &self.dy[idx * len..][..len]);
            let kept = &self.kept[idx / n_weights * 2..][..2];
            let (sum_dw, sum_db) = if BY_VALUE {
                ((dy[0] * (x[0] - kept[0]) * kept[1]).sum(), dy[0].sum())
            } else {
                ((centered_dot(dy, x, kept[0]) * kept[1]).sum(), sum(dy).sum())
            };
            let set = self.sum == Sum::Set;
            *dw = if set { sum_dw } else { *dw + sum_dw };
            *db = if set { sum_db } else { *db + sum_db };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Affine, GroupNorm};
    use crate::gradient::Sum;
    use crate::layers::conformance::{Subject, check};
    use lanes::{Lane, Scalar};

    impl GroupNorm {
        fn n_weights(self) -> usize {
            self.channels * if self.affine == Affine::ByValue { self.plane } else { 1 }
        }
    }

    impl Subject for GroupNorm {
        fn forward<V: Lane>(&self, x: &[V], params: &[V::Scalar]) -> Vec<V> {
            let (w, b) = params.split_at(self.n_weights());
            let mut y = vec![V::zero(); x.len()];
            GroupNorm::forward(*self, x, w, b, &mut y, &mut []);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], params: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let (w, b) = params.split_at(self.n_weights());
            let (mut dx, mut kept) = (x.to_vec(), vec![V::zero(); self.kept_len()]);
            GroupNorm::forward(*self, x, w, b, &mut dx, &mut kept);
            self.backward_input(x, w, dy, &kept, &mut dx);
            let mut d_params = vec![V::Scalar::ONE; params.len()];
            let (dw, db) = d_params.split_at_mut(w.len());
            self.backward_params(x, dy, &kept, dw, db, Sum::Set);
            (dx, d_params)
        }
        fn plain(&self, x: &[f64], params: &[f64]) -> Vec<f64> {
            let n = x.len() / self.groups;
            let mut y = vec![];
            for (i, value) in x.iter().enumerate() {
                let group = &x[i / n * n..][..n];
                let mean = group.iter().sum::<f64>() / n as f64;
                let variance = group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
                let weight = if self.affine == Affine::ByValue { i } else { i / self.plane };
                let normal = (value - mean) / (variance + self.epsilon).sqrt();
                y.push(params[weight] * normal + params[self.n_weights() + weight]);
            }
            y
        }
    }

    #[test]
    fn groups_of_all_sizes() {
        for (groups, channels, plane, affine) in [
            (1, 1, 5, Affine::ByChannel),
            (2, 4, 1, Affine::ByChannel),
            (3, 3, 7, Affine::ByChannel),
            (2, 6, 6, Affine::ByChannel),
            (1, 5, 4, Affine::ByChannel),
            (1, 3, 7, Affine::ByValue),
            (1, 11, 1, Affine::ByValue),
            (1, 2, 2, Affine::ByValue),
        ] {
            let norm = GroupNorm { groups, channels, plane, epsilon: 0.01, affine };
            check(&format!("{norm:?}"), &norm, channels * plane, 2 * norm.n_weights());
        }
    }

    #[test]
    fn the_mean_may_be_far_from_zero() {
        // A difference of means of squares would lose all digits of a variance of 2/3 beside 1e8.
        let norm = GroupNorm { groups: 1, channels: 1, plane: 3, epsilon: 1e-9, affine: Affine::ByChannel };
        let y = Subject::forward(&norm, &[9999.0f32, 10000.0, 10001.0], &[1.0, 0.0]);
        assert!((y[2] - 1.5f32.sqrt()).abs() < 1e-6 && y[1] == 0.0 && y[0] == -y[2], "{y:?}");
    }

    #[test]
    fn gradients_of_lane_groups_add_up() {
        for affine in [Affine::ByChannel, Affine::ByValue] {
            let norm = GroupNorm { groups: 1, channels: 1, plane: 1, epsilon: 1.0, affine };
            let (mut dw, mut db) = ([10.0], [20.0]);
            // x − μ is 2 and 1/σ is 3.
            norm.backward_params(&[5.0], &[7.0], &[3.0, 3.0], &mut dw, &mut db, Sum::Add);
            assert_eq!((dw, db), ([52.0], [27.0]));
        }
    }
}
