//! The portable register: one value. Sixteen of them are the fallback and the reference.

use super::Register;
use crate::Kernel;
use crate::math::F32Lane;

#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Plain(f32);

#[inline(never)]
fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// `a · b + c`, rounded once, without the processor's help.
///
/// The product of two `f32` is exact in `f64`. The sum is not; but if it is rounded to odd (Boldo & Melquiond
/// 2008, "Emulation of FMA and correctly rounded sums"), rounding it again to `f32` gives the correctly
/// rounded result. A call to the C library's `fmaf` for each value would not be vectorized.
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    let (p, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let s = p + c;
    // What the rounding of s lost, exactly (Knuth's TwoSum); NaN if s is not finite.
    let c_part = s - p;
    let lost = (p - (s - c_part)) + (c - c_part);
    let bits = s.to_bits();
    let inexact = u64::from(lost.abs() > 0.0);
    let even = !bits & inexact & 1;
    // One step away from zero if the exact sum lies there, else one step towards it.
    let outward = u64::from((lost > 0.0) == (s > 0.0));
    f64::from_bits(bits.wrapping_add(even & outward).wrapping_sub(even & !outward)) as f32
}

impl Register for Plain {
    const WIDTH: usize = 1;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(x)
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        Self(from[0])
    }
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        to[0] = self.0;
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(self.0 + b.0)
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(self.0 - b.0)
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(self.0 * b.0)
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        Self(self.0 / b.0)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
            Self(self.0.mul_add(a.0, b.0))
        } else {
            Self(fused(self.0, a.0, b.0))
        }
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Self(if self.0 > b.0 { self.0 } else { b.0 })
    }
    #[inline(always)]
    fn select_gt(a: Self, b: Self, yes: Self, no: Self) -> Self {
        if a.0 > b.0 { yes } else { no }
    }
    #[inline(always)]
    fn select_eq(a: Self, b: Self, yes: Self, no: Self) -> Self {
        if a.0 == b.0 { yes } else { no }
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        Self(self.0.pow2())
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        Self(F32Lane::exponent(self.0))
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        self.0
    }
    #[inline(always)]
    fn enter<K: Kernel>(kernel: K) -> K::Output {
        enter(kernel)
    }
}

#[cfg(test)]
mod tests {
    use super::fused;

    #[test]
    fn emulated_fma_equals_the_correctly_rounded_one() {
        // A walk through bit patterns of all exponents (Weyl sequences), biased so that sums cancel.
        let (mut a, mut b, mut c) = (1u32, 2u32, 3u32);
        let mut n_finite = 0;
        for round in 0..3_000_000u32 {
            a = a.wrapping_add(0x9E37_79B9);
            b = b.wrapping_add(0x7F4A_7C15 ^ (round >> 3));
            c = c.wrapping_mul(0x0019_660D).wrapping_add(0x3C6E_F35F);
            let (x, y) = (f32::from_bits(a), f32::from_bits(b));
            let z = match round % 3 {
                0 => f32::from_bits(c),
                1 => f32::from_bits((-(x * y)).to_bits() ^ (c & 7)),
                _ => f32::from_bits((x * y).to_bits().wrapping_sub((c % 27) << 23)),
            };
            let (got, want) = (fused(x, y, z), x.mul_add(y, z));
            assert!(got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()), "{x:e} {y:e} {z:e}");
            n_finite += u32::from(want.is_finite());
        }
        assert!(n_finite > 1_000_000);
    }
}
