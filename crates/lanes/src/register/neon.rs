//! NEON, which every aarch64 processor has: four values in a register, thirty-two registers.
#![expect(unsafe_code, reason = "intrinsics; every aarch64 processor has these")]

use core::arch::aarch64::*;

use super::Register;
use crate::Kernel;

#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Neon(float32x4_t);

// SAFETY, for every block below: NEON is part of the aarch64 baseline; loads and stores check their length
// first.
macro_rules! intrinsic {
    ($e:expr) => {
        // SAFETY: see above.
        unsafe { $e }
    };
}

#[inline(never)]
fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

impl Register for Neon {
    const WIDTH: usize = 4;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(intrinsic!(vdupq_n_f32(x)))
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..4];
        Self(intrinsic!(vld1q_f32(from.as_ptr())))
    }
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..4];
        intrinsic!(vst1q_f32(to.as_mut_ptr(), self.0));
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(intrinsic!(vaddq_f32(self.0, b.0)))
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(intrinsic!(vsubq_f32(self.0, b.0)))
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(intrinsic!(vmulq_f32(self.0, b.0)))
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        Self(intrinsic!(vdivq_f32(self.0, b.0)))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(intrinsic!(vsqrtq_f32(self.0)))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Self(intrinsic!(vfmaq_f32(b.0, self.0, a.0)))
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // Not vmaxq_f32, which returns NaN where either side is NaN.
        Self::select_gt(self, b, self, b)
    }
    #[inline(always)]
    fn select_gt(a: Self, b: Self, yes: Self, no: Self) -> Self {
        Self(intrinsic!(vbslq_f32(vcgtq_f32(a.0, b.0), yes.0, no.0)))
    }
    #[inline(always)]
    fn select_eq(a: Self, b: Self, yes: Self, no: Self) -> Self {
        Self(intrinsic!(vbslq_f32(vceqq_f32(a.0, b.0), yes.0, no.0)))
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        Self(intrinsic!({
            let biased = vaddq_s32(vcvtnq_s32_f32(self.0), vdupq_n_s32(127));
            vreinterpretq_f32_s32(vshlq_n_s32::<23>(biased))
        }))
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        Self(intrinsic!({
            let biased = vshrq_n_s32::<23>(vreinterpretq_s32_f32(self.0));
            vcvtq_f32_s32(vsubq_s32(biased, vdupq_n_s32(127)))
        }))
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        intrinsic!({
            let two = vadd_f32(vget_low_f32(self.0), vget_high_f32(self.0));
            vget_lane_f32::<0>(two) + vget_lane_f32::<1>(two)
        })
    }
    #[inline(always)]
    fn enter<K: Kernel>(kernel: K) -> K::Output {
        enter(kernel)
    }
}
