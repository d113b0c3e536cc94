//! Sums of lane vectors over positions, inside of kernels.
//!
//! Four partial sums: one alone would wait for each addition's latency. More would not fit AVX2's registers.

use std::slice;

use lanes::{GROUP, Lane};

/// The sum of an expression in the position `$p`, for `$p` from 0 to `$n`: position p counts in partial sum p mod 4. A
/// macro, as a closure is a function that may stay outside of the kernel's instruction set.
macro_rules! sum_over {
    ($n:expr, $sum:ident, $p:ident => $next:expr) => {{
        let n = $n;
        let mut sums = [V::zero(); 4];
        for quad in 0..n / 4 {
            for j in 0..4 {
                let ($p, $sum) = (quad * 4 + j, sums[j]);
                sums[j] = $next;
            }
        }
        for j in 0..n % 4 {
            let ($p, $sum) = (n / 4 * 4 + j, sums[j]);
            sums[j] = $next;
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }};
}

pub(crate) use sum_over;

/// Σ x
#[inline(always)]
pub(crate) fn sum<V: Lane>(x: &[V]) -> V {
    sum_over!(x.len(), sum, p => sum + x[p])
}

/// Σ a · b
#[inline(always)]
pub(crate) fn dot<V: Lane>(a: &[V], b: &[V]) -> V {
    let b = &b[..a.len()];
    sum_over!(a.len(), sum, p => a[p].mul_add(b[p], sum))
}

/// Σ a · (b − center)
#[inline(always)]
pub(crate) fn centered_dot<V: Lane>(a: &[V], b: &[V], center: V) -> V {
    let b = &b[..a.len()];
    sum_over!(a.len(), sum, p => a[p].mul_add(b[p] - center, sum))
}

/// Σ (x − center)²
#[inline(always)]
pub(crate) fn squares<V: Lane>(x: &[V], center: V) -> V {
    sum_over!(x.len(), sum, p => (x[p] - center).mul_add(x[p] - center, sum))
}

/// Σ w · a
#[inline(always)]
pub(crate) fn weighted_sum<V: Lane>(w: &[V::Scalar], a: &[V]) -> V {
    let w = &w[..a.len()];
    sum_over!(a.len(), sum, p => V::splat(w[p]).mul_add(a[p], sum))
}

/// Σ w · a · (b − center)
#[inline(always)]
pub(crate) fn weighted_dot<V: Lane>(w: &[V::Scalar], a: &[V], b: &[V], center: V) -> V {
    let (w, b) = (&w[..a.len()], &b[..a.len()]);
    sum_over!(a.len(), sum, p => (V::splat(w[p]) * a[p]).mul_add(b[p] - center, sum))
}

/// Σ a[i] · b[j] over vectors and lanes, at `j · A + i`, for the rows `i` of `a` and `j` of `b`, of which each has `n` vectors and begins
/// the given number of vectors behind the one before; A · B ≤ 16. One register of each vector after the other, as vectors of AVX2's
/// two leave room for the sums of one row of `b` only, which take as many loads as those of two.
#[inline(always)]
pub(crate) fn dots<V: Lane, const A: usize, const B: usize>(
    n: usize,
    (a, a_stride): (&[V], usize),
    (b, b_stride): (&[V], usize),
) -> [V::Scalar; GROUP] {
    let mut a_rows = [a; A];
    for i in 0..A {
        a_rows[i] = &a[i * a_stride..][..n];
    }
    let mut b_rows = [b; B];
    for j in 0..B {
        b_rows[j] = &b[j * b_stride..][..n];
    }
    let mut vectors = [V::zero(); GROUP];
    for part in 0..V::REGISTERS {
        let mut acc = [[V::Register::zero(); B]; A];
        for p in 0..n {
            for i in 0..A {
                let a = register(&a_rows[i][p], part);
                for j in 0..B {
                    acc[i][j] = a.mul_add(register(&b_rows[j][p], part), acc[i][j]);
                }
            }
        }
        for j in 0..B {
            for i in 0..A {
                V::registers_mut(&mut vectors[j * A + i..][..1])[part] = acc[i][j];
            }
        }
    }
    V::sums(vectors)
}

/// One register of a vector.
#[inline(always)]
fn register<V: Lane>(of: &V, part: usize) -> V::Register {
    V::registers(slice::from_ref(of))[part]
}
