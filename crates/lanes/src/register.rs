//! The native registers, one file for each instruction set.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
pub(crate) mod plain;

use std::fmt::Debug;

use crate::{GROUP, Kernel};

/// A native register of `f32`, with the operations of [`crate::Lane`] that depend on the instruction set.
pub(crate) trait Register: Copy + Debug + Send + Sync + 'static {
    /// Values in one register.
    const WIDTH: usize;
    fn splat(x: f32) -> Self;
    /// From the first [`Register::WIDTH`] values of `from`, which has at least as many.
    fn load(from: &[f32]) -> Self;
    /// Into the first [`Register::WIDTH`] values of `to`, which has at least as many.
    fn store(self, to: &mut [f32]);
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    fn div(self, b: Self) -> Self;
    /// Correctly rounded.
    fn sqrt(self) -> Self;
    /// `self · a + b`, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// `self > b ? self : b`
    fn max(self, b: Self) -> Self;
    fn select_gt(a: Self, b: Self, yes: Self, no: Self) -> Self;
    fn select_eq(a: Self, b: Self, yes: Self, no: Self) -> Self;
    /// 2ⁿ for a whole number from −126 to 127.
    fn pow2(self) -> Self;
    /// The exponent of a positive normal number.
    fn exponent(self) -> Self;
    /// Sum of all values, by halves.
    fn sum(self) -> f32;
    /// [`Register::sum`] of each.
    #[inline(always)]
    fn sums(registers: [Self; GROUP]) -> [f32; GROUP] {
        let mut sums = [0.0; GROUP];
        for i in 0..GROUP {
            sums[i] = registers[i].sum();
        }
        sums
    }
    /// Brings what lies at an address, where something does, into the first-level cache, if the instruction set has a way.
    #[inline(always)]
    fn prefetch(_: *const Self) {}
    /// Runs the kernel in a function compiled for this instruction set.
    fn enter<K: Kernel>(kernel: K) -> K::Output;
}
