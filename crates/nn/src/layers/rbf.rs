//! Minus the squared distance from the fixed code of each class.
//!
//! ```text
//! y[k] = −Σ_i (x[i] − c[k][i])²
//! dx[i] = Σ_k 2 (c[k][i] − x[i]) · dy[k]
//! ```
//!
//! x is [I], y is [K]. The output layer of LeNet-5 (LeCun et al. 1998, section II.B), whose units give the distance; with
//! the sign turned the nearest code has the largest output, as logits have. Multiply-adds: K·I.

use lanes::{Kernel, Lane, Scalar};

use crate::sums::sum_over;

/// The codes.
#[derive(Clone, Debug)]
pub(crate) struct Rbf {
    /// [K][I]
    pub(crate) codes: Vec<f64>,
    /// I
    pub(crate) n_inputs: usize,
}

impl Rbf {
    /// y (overwritten) from x.
    pub(crate) fn forward<V: Lane>(&self, x: &[V], y: &mut [V]) {
        V::enter(Forward { g: self, x, y });
    }

    /// dx (overwritten) from dy and the x of the forward pass.
    pub(crate) fn backward<V: Lane>(&self, x: &[V], dy: &[V], dx: &mut [V]) {
        V::enter(Backward { g: self, x, dy, dx });
    }
}

struct Forward<'a, V> {
    g: &'a Rbf,
    x: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Forward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let x = &self.x[..self.g.n_inputs];
        for (y, code) in self.y.iter_mut().zip(self.g.codes.chunks_exact(self.g.n_inputs)) {
            let distance = sum_over!(x.len(), sum, i => add_square(x[i], code[i], sum));
            *y = V::zero() - distance;
        }
    }
}

/// sum + (x − c)²
#[inline(always)]
fn add_square<V: Lane>(x: V, c: f64, sum: V) -> V {
    let difference = x - V::splat(V::Scalar::from_f64(c));
    difference.mul_add(difference, sum)
}

struct Backward<'a, V> {
    g: &'a Rbf,
    x: &'a [V],
    dy: &'a [V],
    dx: &'a mut [V],
}

impl<V: Lane> Kernel for Backward<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let n = self.g.n_inputs;
        let two = V::splat(V::Scalar::from_f64(2.0));
        for i in 0..n {
            let x = self.x[i];
            let mut sum = V::zero();
            for (k, &dy) in self.dy.iter().enumerate() {
                let code = V::splat(V::Scalar::from_f64(self.g.codes[k * n + i]));
                sum = (code - x).mul_add(dy, sum);
            }
            self.dx[i] = two * sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rbf;
    use crate::layers::conformance::{Subject, check};
    use lanes::Lane;

    impl Subject for Rbf {
        fn forward<V: Lane>(&self, x: &[V], _: &[V::Scalar]) -> Vec<V> {
            let mut y = vec![V::zero(); self.codes.len() / self.n_inputs];
            Rbf::forward(self, x, &mut y);
            y
        }
        fn backward<V: Lane>(&self, x: &[V], _: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
            let mut dx = x.to_vec();
            Rbf::backward(self, x, dy, &mut dx);
            (dx, vec![])
        }
        fn plain(&self, x: &[f64], _: &[f64]) -> Vec<f64> {
            let distance = |code: &[f64]| x.iter().zip(code).map(|(x, c)| (x - c).powi(2)).sum::<f64>();
            self.codes.chunks(self.n_inputs).map(|code| -distance(code)).collect()
        }
    }

    #[test]
    fn codes_of_all_lengths() {
        for n_inputs in [1, 2, 3, 5, 7, 84] {
            let codes = (0..3 * n_inputs).map(|i| if i * i % 3 == 1 { 1.0 } else { -1.0 }).collect();
            check(&format!("{n_inputs} inputs"), &Rbf { codes, n_inputs }, n_inputs, 0);
        }
    }
}
