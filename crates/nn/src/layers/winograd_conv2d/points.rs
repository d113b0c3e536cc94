//! The transforms along one axis, of vectors in registers.
//!
//! A tile of N values d and a filter of K taps g have M = N − K + 1 outputs y_i = Σ_k g_k · d_(i + k), for N products apart
//! from the transforms: y = Aᵀ [(G g) ⊙ (Bᵀ d)]. It is polynomial multiplication turned around (Toom and Cook): G g are the
//! values of the polynomial g at N − 1 points, and its leading coefficient, its value "at infinity".
//!
//! The points are 0, pairs ±a, whose even and odd parts are shared, and infinity, in the order 0, a, −a, b, −b, …, ∞. The
//! rows of Bᵀ are the coefficients of Π (x − other points), at infinity of the product over all; the columns of Aᵀ are the
//! powers of the points.
//!
//! N = 1 has neither: one product for one output.

use std::array;

use lanes::{Lane, Scalar};

/// Pairs at most.
const MAX_PAIRS: usize = 3;

/// What the transforms multiply by.
#[derive(Clone, Debug)]
pub(super) struct Points<S> {
    /// For each pair aⁱ, i from 0.
    powers: [[S; 8]; MAX_PAIRS],
    /// Coefficients of Π (x² − a²) over all pairs, from x⁰ on, without the leading 1.
    all: [S; MAX_PAIRS],
    /// For each pair the same over the others.
    others: [[S; MAX_PAIRS]; MAX_PAIRS],
    /// 1 / Π (point − other points) of the point 0 and of each pair.
    scale_of_zero: S,
    scales: [S; MAX_PAIRS],
}

impl<S: Scalar> Points<S> {
    /// For tiles of `n` values: 1, 6 or 8. The squares of the points are short in binary; of the points tried they leave the
    /// smallest rounding errors (docs/design/winograd.md).
    pub(super) fn new(n: usize) -> Self {
        let squares: &[f64] = match n {
            6 => &[0.5, 2.0],
            8 => &[0.25, 1.0, 4.0],
            _ => &[],
        };
        let square = |pair: usize| squares.get(pair).copied().unwrap_or(1.0);
        let others = |pair: usize| -> Vec<f64> {
            let all = squares.iter().enumerate();
            all.filter(|&(idx, _)| idx != pair).map(|(_, &square)| square).collect()
        };
        let distance = |pair: usize| others(pair).iter().map(|other| square(pair) - other).product::<f64>();
        Self {
            powers: array::from_fn(|pair| {
                array::from_fn(|i| S::from_f64(square(pair).sqrt().powi(i as i32)))
            }),
            all: coefficients(squares).map(S::from_f64),
            others: array::from_fn(|pair| coefficients(&others(pair)).map(S::from_f64)),
            scale_of_zero: S::from_f64(1.0 / squares.iter().map(|square| -square).product::<f64>()),
            scales: array::from_fn(|pair| S::from_f64(0.5 / (square(pair) * distance(pair)))),
        }
    }

    /// Bᵀ d
    #[inline(always)]
    pub(super) fn of_input<V: Lane<Scalar = S>, const N: usize>(&self, d: &[V; N]) -> [V; N] {
        if N == 1 {
            return *d;
        }
        let n_pairs = N / 2 - 1;
        let mut at = [V::zero(); N];
        at[0] = d[N - 2];
        at[N - 1] = d[N - 1];
        for k in 0..n_pairs {
            let c = V::splat(self.all[k]);
            at[0] = c.mul_add(d[2 * k], at[0]);
            at[N - 1] = c.mul_add(d[2 * k + 1], at[N - 1]);
        }
        for pair in 0..n_pairs {
            let (mut even, mut odd) = (d[N - 2], d[N - 3]);
            for k in 0..n_pairs - 1 {
                let c = V::splat(self.others[pair][k]);
                even = c.mul_add(d[2 * k + 2], even);
                odd = c.mul_add(d[2 * k + 1], odd);
            }
            let root = self.powers[pair][1];
            at[2 * pair + 1] = V::splat(root).mul_add(odd, even);
            at[2 * pair + 2] = V::splat(-root).mul_add(odd, even);
        }
        at
    }

    /// B g: the gradient of d from that of Bᵀ d.
    #[inline(always)]
    pub(super) fn to_input<V: Lane<Scalar = S>, const N: usize>(&self, g: &[V; N]) -> [V; N] {
        if N == 1 {
            return *g;
        }
        let n_pairs = N / 2 - 1;
        let mut d = [V::zero(); N];
        d[N - 2] = g[0];
        d[N - 1] = g[N - 1];
        for k in 0..n_pairs {
            let c = V::splat(self.all[k]);
            d[2 * k] = c * g[0];
            d[2 * k + 1] = c * g[N - 1];
        }
        for pair in 0..n_pairs {
            let (plus, minus) = (g[2 * pair + 1], g[2 * pair + 2]);
            let even = plus + minus;
            let odd = V::splat(self.powers[pair][1]) * (plus - minus);
            for k in 0..n_pairs - 1 {
                let c = V::splat(self.others[pair][k]);
                d[2 * k + 2] = c.mul_add(even, d[2 * k + 2]);
                d[2 * k + 1] = c.mul_add(odd, d[2 * k + 1]);
            }
            d[N - 2] = d[N - 2] + even;
            d[N - 3] = d[N - 3] + odd;
        }
        d
    }

    /// Aᵀ p: the outputs from the products.
    #[inline(always)]
    pub(super) fn to_output<V: Lane<Scalar = S>, const N: usize, const M: usize>(
        &self,
        p: &[V; N],
    ) -> [V; M] {
        if N == 1 {
            return [p[0]; M];
        }
        let mut pairs = [(p[0], p[0]); MAX_PAIRS];
        for pair in 0..N / 2 - 1 {
            let (plus, minus) = (p[2 * pair + 1], p[2 * pair + 2]);
            pairs[pair] = (plus + minus, plus - minus);
        }
        self.powers_of::<V, N, M>(p[0], &pairs, p[N - 1])
    }

    /// Σ pointⁱ · value for i from 0, given the values at 0 and ∞ and, for each pair, the sum and the difference of its two.
    #[inline(always)]
    fn powers_of<V: Lane<Scalar = S>, const N: usize, const M: usize>(
        &self,
        at_zero: V,
        pairs: &[(V, V); MAX_PAIRS],
        at_infinity: V,
    ) -> [V; M] {
        let mut y = [at_zero; M];
        for pair in 0..N / 2 - 1 {
            let (even, odd) = pairs[pair];
            y[0] = y[0] + even;
            for i in 1..M {
                let power = V::splat(self.powers[pair][i]);
                let part = if i % 2 == 0 { even } else { odd };
                y[i] = if pair == 0 { power * part } else { power.mul_add(part, y[i]) };
            }
        }
        y[M - 1] = y[M - 1] + at_infinity;
        y
    }

    /// A y: the gradient of the products from that of the outputs.
    #[inline(always)]
    pub(super) fn of_output<V: Lane<Scalar = S>, const N: usize, const M: usize>(
        &self,
        y: &[V; M],
    ) -> [V; N] {
        let mut p = [y[0]; N];
        if N == 1 {
            return p;
        }
        let n_pairs = N / 2 - 1;
        for pair in 0..n_pairs {
            let (mut even, mut odd) = (y[0], V::zero());
            for i in 1..M {
                let power = V::splat(self.powers[pair][i]);
                if i % 2 == 0 {
                    even = power.mul_add(y[i], even);
                } else {
                    odd = power.mul_add(y[i], odd);
                }
            }
            p[2 * pair + 1] = even + odd;
            p[2 * pair + 2] = even - odd;
        }
        p[N - 1] = y[M - 1];
        p
    }

    /// G g: the filter's values at the points, from its K taps: A g with a factor for each point.
    #[inline(always)]
    pub(super) fn of_filter<V: Lane<Scalar = S>, const N: usize, const K: usize>(
        &self,
        g: &[V; K],
    ) -> [V; N] {
        let mut at = self.of_output::<V, N, K>(g);
        if N == 1 {
            return at;
        }
        at[0] = V::splat(self.scale_of_zero) * at[0];
        for pair in 0..N / 2 - 1 {
            let scale = V::splat(self.scales[pair]);
            at[2 * pair + 1] = scale * at[2 * pair + 1];
            at[2 * pair + 2] = scale * at[2 * pair + 2];
        }
        at
    }

    /// Gᵀ u: the gradient of the taps from that of the filter's values.
    #[inline(always)]
    pub(super) fn to_filter<V: Lane<Scalar = S>, const N: usize, const K: usize>(
        &self,
        u: &[V; N],
    ) -> [V; K] {
        if N == 1 {
            return [u[0]; K];
        }
        let mut pairs = [(u[0], u[0]); MAX_PAIRS];
        for pair in 0..N / 2 - 1 {
            let scale = V::splat(self.scales[pair]);
            let (plus, minus) = (u[2 * pair + 1], u[2 * pair + 2]);
            pairs[pair] = (scale * (plus + minus), scale * (plus - minus));
        }
        self.powers_of::<V, N, K>(V::splat(self.scale_of_zero) * u[0], &pairs, u[N - 1])
    }
}

/// Those of Π (x − root) from x⁰ on, without the leading 1.
fn coefficients(roots: &[f64]) -> [f64; MAX_PAIRS] {
    let mut product = vec![1.0];
    for root in roots {
        let mut next = vec![0.0; product.len() + 1];
        for (power, &c) in product.iter().enumerate() {
            next[power + 1] += c;
            next[power] -= root * c;
        }
        product = next;
    }
    array::from_fn(|power| if power < roots.len() { product[power] } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::Points;

    /// Σ y_i · c_i for the outputs of a tile, by its definition.
    fn plain(d: &[f64], g: &[f64]) -> Vec<f64> {
        (0..=d.len() - g.len()).map(|i| g.iter().zip(&d[i..]).map(|(g, d)| g * d).sum()).collect()
    }

    fn numbers<const N: usize>(seed: f64) -> [f64; N] {
        std::array::from_fn(|i| (seed + 1.7 * i as f64).sin())
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn check<const N: usize, const M: usize, const K: usize>() {
        let points = Points::<f64>::new(N);
        let (d, g) = (numbers::<N>(0.3), numbers::<K>(4.1));
        let (at_d, at_g) = (points.of_input(&d), points.of_filter::<f64, N, K>(&g));
        let products: [f64; N] = std::array::from_fn(|i| at_d[i] * at_g[i]);
        let y = points.to_output::<f64, N, M>(&products);
        for (got, want) in y.iter().zip(plain(&d, &g)) {
            assert!((got - want).abs() < 1e-13, "{N} {M}: {got} where {want} is right");
        }
        // ⟨L a, b⟩ = ⟨a, Lᵀ b⟩
        let (b, c) = (numbers::<N>(2.2), numbers::<M>(5.0));
        let adjoints = [
            (dot(&at_d, &b), dot(&d, &points.to_input(&b))),
            (dot(&at_g, &b), dot(&g, &points.to_filter::<f64, N, K>(&b))),
            (dot(&y, &c), dot(&products, &points.of_output::<f64, N, M>(&c))),
        ];
        for (got, want) in adjoints {
            assert!((got - want).abs() < 1e-12, "{N} {M}: {got} and {want}");
        }
    }

    #[test]
    fn outputs_are_those_of_the_definition_and_gradients_their_adjoints() {
        check::<1, 1, 1>();
        check::<6, 4, 3>();
        check::<8, 4, 5>();
        check::<8, 2, 7>();
    }
}
