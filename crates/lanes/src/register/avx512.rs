//! AVX-512F: sixteen values in a register, thirty-two registers.
#![expect(unsafe_code, reason = "intrinsics; the crate's entrance checks the processor")]

use core::arch::x86_64::*;

use super::Register;
use crate::Kernel;

#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Avx512(__m512);

// SAFETY, for every block below: this type cannot be named outside the crate. Generic code receives it from `Isa::run`
// alone, which has found AVX-512F, AVX2 and FMA on this processor. Loads and stores check their length first; a
// prefetch never faults, whatever the address.
macro_rules! intrinsic {
    ($e:expr) => {
        // SAFETY: see above.
        unsafe { $e }
    };
}

#[target_feature(enable = "avx512f,avx2,fma")]
#[inline(never)]
fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

impl Register for Avx512 {
    const WIDTH: usize = 16;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(intrinsic!(_mm512_set1_ps(x)))
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..16];
        Self(intrinsic!(_mm512_loadu_ps(from.as_ptr())))
    }
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..16];
        intrinsic!(_mm512_storeu_ps(to.as_mut_ptr(), self.0));
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(intrinsic!(_mm512_add_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(intrinsic!(_mm512_sub_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(intrinsic!(_mm512_mul_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        Self(intrinsic!(_mm512_div_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(intrinsic!(_mm512_sqrt_ps(self.0)))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Self(intrinsic!(_mm512_fmadd_ps(self.0, a.0, b.0)))
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Self(intrinsic!(_mm512_max_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn select_gt(a: Self, b: Self, yes: Self, no: Self) -> Self {
        Self(intrinsic!(_mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a.0, b.0), no.0, yes.0)))
    }
    #[inline(always)]
    fn select_eq(a: Self, b: Self, yes: Self, no: Self) -> Self {
        Self(intrinsic!(_mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a.0, b.0), no.0, yes.0)))
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        Self(intrinsic!({
            let biased = _mm512_add_epi32(_mm512_cvtps_epi32(self.0), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        }))
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        Self(intrinsic!({
            let biased = _mm512_srli_epi32::<23>(_mm512_castps_si512(self.0));
            _mm512_cvtepi32_ps(_mm512_sub_epi32(biased, _mm512_set1_epi32(127)))
        }))
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        intrinsic!({
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
            let eight = _mm256_add_ps(_mm512_castps512_ps256(self.0), high);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        })
    }
    #[inline(always)]
    fn sums(registers: [Self; 16]) -> [f32; 16] {
        // Each step adds the halves of what is left of two registers and puts the results side by side. Sum `i` comes out
        // behind those whose `i` has the same rest by 4, so the registers go in by fours.
        let mut r = [registers[0].0; 16];
        for i in 0..16 {
            r[i % 4 * 4 + i / 4] = registers[i].0;
        }
        intrinsic!({
            for i in 0..8 {
                let (a, b) = (r[2 * i], r[2 * i + 1]);
                r[i] = _mm512_add_ps(_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xEE>(a, b));
            }
            for i in 0..4 {
                let (a, b) = (r[2 * i], r[2 * i + 1]);
                r[i] = _mm512_add_ps(_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xDD>(a, b));
            }
            for i in 0..2 {
                let (a, b) = (r[2 * i], r[2 * i + 1]);
                r[i] = _mm512_add_ps(_mm512_shuffle_ps::<0x44>(a, b), _mm512_shuffle_ps::<0xEE>(a, b));
            }
            let (a, b) = (r[0], r[1]);
            r[0] = _mm512_add_ps(_mm512_shuffle_ps::<0x88>(a, b), _mm512_shuffle_ps::<0xDD>(a, b));
        });
        let mut sums = [0.0; 16];
        Self(r[0]).store(&mut sums);
        sums
    }
    #[inline(always)]
    fn prefetch(address: *const Self) {
        intrinsic!(_mm_prefetch::<_MM_HINT_T0>(address.cast()));
    }
    #[inline(always)]
    fn enter<K: Kernel>(kernel: K) -> K::Output {
        intrinsic!(enter(kernel))
    }
}
