//! Mean of each channel.
//!
//! ```text
//! y[c] = 1/N · Σ_p x[c][p]        dx[c][p] = dy[c] / N
//! ```
//!
//! x is [C][N] with N = H·W, y is [C]. Lin et al. 2013 (arXiv 1312.4400, section 3.2); PyTorch's `nn.AdaptiveAvgPool2d(1)`.

use lanes::{Kernel, Lane, Scalar};

use crate::sums::sum;

/// y (overwritten) from x; `plane` is N.
pub(crate) fn forward<V: Lane>(plane: usize, x: &[V], y: &mut [V]) {
    V::enter(Forward { plane, x, y });
}

/// dx (overwritten) from dy.
pub(crate) fn backward<V: Lane>(plane: usize, dy: &[V], dx: &mut [V]) {
    V::enter(Backward { plane, dy, dx });
}

struct Forward<'a, V> {
    plane: usize,
    x: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Forward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = V::splat(V::Scalar::from_f64(self.plane as f64));
        for (y, x) in self.y.iter_mut().zip(self.x.chunks_exact(self.plane)) {
            *y = sum(x) / n;
        }
    }
}

struct Backward<'a, V> {
    plane: usize,
    dy: &'a [V],
    dx: &'a mut [V],
}

impl<V: Lane> Kernel for Backward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = V::splat(V::Scalar::from_f64(self.plane as f64));
        for (&dy, dx) in self.dy.iter().zip(self.dx.chunks_exact_mut(self.plane)) {
            let share = dy / n;
            for dx in dx {
                *dx = share;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::layers::conformance::{Subject, check};
    use lanes::Lane;

    struct GlobalAvgPool {
        plane: usize,
    }

    impl Subject for GlobalAvgPool {
        fn forward<V: Lane>(&self, x: &[V], _: &[V::Scalar]) -> Vec<V> {
            let mut y = vec![V::zero(); x.len() / self.plane];
            super::forward(self.plane, x, &mut y);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], _: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let mut dx = x.to_vec();
            super::backward(self.plane, dy, &mut dx);
            (dx, vec![])
        }
        fn plain(&self, x: &[f64], _: &[f64]) -> Vec<f64> {
            x.chunks(self.plane).map(|x| x.iter().sum::<f64>() / self.plane as f64).collect()
        }
    }

    #[test]
    fn planes_of_all_lengths() {
        for plane in 1..12 {
            check(&format!("plane of {plane}"), &GlobalAvgPool { plane }, 5 * plane, 0);
        }
    }
}
