//! Nothing but multiply-adds, to measure how many the processor can do.

use std::hint::black_box;

use crate::{Kernel, Lane, Scalar};

/// Runs `rounds` rounds of `N` independent multiply-adds in registers; returns the number of floating-point
/// operations, two for each multiply-add of a lane.
///
/// `N` = 6 fills AVX2's sixteen registers with two each; AVX-512 and NEON have twice as many to fill.
pub fn multiply_adds<V: Lane, const N: usize>(rounds: u64) -> u64 {
    black_box(V::enter(Chains::<V, N> {
        rounds,
        factor: black_box(V::splat(V::Scalar::from_f64(0.5))),
        addend: black_box(V::splat(V::Scalar::ONE)),
    }));
    2 * rounds * (N * V::LANES) as u64
}

struct Chains<V, const N: usize> {
    rounds: u64,
    factor: V,
    addend: V,
}

impl<V: Lane, const N: usize> Kernel for Chains<V, N> {
    type Output = [V; N];
    #[inline(always)]
    fn run(self) -> [V; N] {
        let mut acc = [self.addend; N];
        for _ in 0..self.rounds {
            for i in 0..N {
                acc[i] = acc[i].mul_add(self.factor, self.addend);
            }
        }
        acc
    }
}
