//! One factor and one summand for each channel.
//!
//! ```text
//! y[c][p] = w[c] · x[c][p] + b[c]
//! dx[c][p] = w[c] · dy[c][p]      dw[c] = Σ_p dy[c][p] · x[c][p]      db[c] = Σ_p dy[c][p]
//! ```
//!
//! x and y are [C][N] of lane vectors with N = H·W, w and b [C] of scalars. The trainable part of LeNet-5's subsampling
//! (LeCun et al. 1998, section II.B), behind the sums of [`super::avg_pool2d`]. Multiply-adds: C·N.

use lanes::{Kernel, Lane};

use crate::gradient::Sum;
use crate::sums::{dot, sum};

/// The geometry of one such layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelAffine {
    pub(crate) channels: usize,
    /// H·W
    pub(crate) plane: usize,
}

impl ChannelAffine {
    /// y (overwritten) from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], w: &[V::Scalar], b: &[V::Scalar], y: &mut [V]) {
        V::enter(Forward { g: self, x, w, b, y });
    }

    /// dx (overwritten) from dy.
    pub(crate) fn backward_input<V: Lane>(self, w: &[V::Scalar], dy: &[V], dx: &mut [V]) {
        V::enter(InputGradient { g: self, w, dy, dx });
    }

    /// dw and db from dy and the x of the forward pass, summed over lanes.
    pub(crate) fn backward_params<V: Lane>(
        self,
        x: &[V],
        dy: &[V],
        dw: &mut [V::Scalar],
        db: &mut [V::Scalar],
        sum: Sum,
    ) {
        V::enter(ParameterGradient { g: self, x, dy, dw, db, sum });
    }
}

struct Forward<'a, V: Lane> {
    g: ChannelAffine,
    x: &'a [V],
    w: &'a [V::Scalar],
    b: &'a [V::Scalar],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Forward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.g.plane;
        for c in 0..self.g.channels {
            let (w, b) = (V::splat(self.w[c]), V::splat(self.b[c]));
            for (y, &x) in self.y[c * n..][..n].iter_mut().zip(&self.x[c * n..][..n]) {
                *y = w.mul_add(x, b);
            }
        }
    }
}

struct InputGradient<'a, V: Lane> {
    g: ChannelAffine,
    w: &'a [V::Scalar],
    dy: &'a [V],
    dx: &'a mut [V],
}

impl<V: Lane> Kernel for InputGradient<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.g.plane;
        for c in 0..self.g.channels {
            let w = V::splat(self.w[c]);
            for (dx, &dy) in self.dx[c * n..][..n].iter_mut().zip(&self.dy[c * n..][..n]) {
                *dx = w * dy;
            }
        }
    }
}

struct ParameterGradient<'a, V: Lane> {
    g: ChannelAffine,
    x: &'a [V],
    dy: &'a [V],
    dw: &'a mut [V::Scalar],
    db: &'a mut [V::Scalar],
    sum: Sum,
}

impl<V: Lane> Kernel for ParameterGradient<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.g.plane;
        for c in 0..self.g.channels {
            let (x, dy) = (&self.x[c * n..][..n], &self.dy[c * n..][..n]);
            let (dw, db) = (dot(dy, x).sum(), sum(dy).sum());
            let set = self.sum == Sum::Set;
            self.dw[c] = if set { dw } else { self.dw[c] + dw };
            self.db[c] = if set { db } else { self.db[c] + db };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ChannelAffine;
    use crate::gradient::Sum;
    use crate::layers::conformance::{Subject, check};
    use lanes::{Lane, Scalar};

    impl Subject for ChannelAffine {
        fn forward<V: Lane>(&self, x: &[V], params: &[V::Scalar]) -> Vec<V> {
            let mut y = vec![V::zero(); x.len()];
            let (w, b) = params.split_at(self.channels);
            ChannelAffine::forward(*self, x, w, b, &mut y);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], params: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let mut dx = x.to_vec();
            self.backward_input(&params[..self.channels], dy, &mut dx);
            let mut d_params = vec![V::Scalar::ONE; params.len()];
            let (dw, db) = d_params.split_at_mut(self.channels);
            self.backward_params(x, dy, dw, db, Sum::Set);
            (dx, d_params)
        }
        fn plain(&self, x: &[f64], params: &[f64]) -> Vec<f64> {
            let value = |(i, x): (usize, &f64)| {
                let c = i / self.plane;
                params[c] * x + params[self.channels + c]
            };
            x.iter().enumerate().map(value).collect()
        }
    }

    #[test]
    fn planes_of_all_lengths() {
        for plane in 1..12 {
            let affine = ChannelAffine { channels: 3, plane };
            check(&format!("plane of {plane}"), &affine, 3 * plane, 6);
        }
    }

    #[test]
    fn gradients_of_lane_groups_add_up() {
        let affine = ChannelAffine { channels: 1, plane: 2 };
        let (mut dw, mut db) = ([10.0], [20.0]);
        affine.backward_params(&[3.0, 5.0], &[1.0, 2.0], &mut dw, &mut db, Sum::Add);
        assert_eq!((dw, db), ([23.0], [23.0]));
    }
}
