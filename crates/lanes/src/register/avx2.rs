//! AVX2 with FMA: eight values in a register, sixteen registers.
#![expect(unsafe_code, reason = "intrinsics; the crate's entrance checks the processor")]

use core::arch::x86_64::*;

use super::Register;
use crate::Kernel;

#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Avx2(__m256);

// SAFETY, for every block below: this type cannot be named outside the crate. Generic code receives it from `Isa::run`
// alone, which has found AVX2 and FMA on this processor. Loads and stores check their length first; a prefetch never faults,
// whatever the address.
macro_rules! intrinsic {
    ($e:expr) => {
        // SAFETY: see above.
        unsafe { $e }
    };
}

#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn enter<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

impl Register for Avx2 {
    const WIDTH: usize = 8;
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(intrinsic!(_mm256_set1_ps(x)))
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..8];
        Self(intrinsic!(_mm256_loadu_ps(from.as_ptr())))
    }
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..8];
        intrinsic!(_mm256_storeu_ps(to.as_mut_ptr(), self.0));
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self(intrinsic!(_mm256_add_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self(intrinsic!(_mm256_sub_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self(intrinsic!(_mm256_mul_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        Self(intrinsic!(_mm256_div_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(intrinsic!(_mm256_sqrt_ps(self.0)))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Self(intrinsic!(_mm256_fmadd_ps(self.0, a.0, b.0)))
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Self(intrinsic!(_mm256_max_ps(self.0, b.0)))
    }
    #[inline(always)]
    fn select_gt(a: Self, b: Self, yes: Self, no: Self) -> Self {
        Self(intrinsic!(_mm256_blendv_ps(no.0, yes.0, _mm256_cmp_ps::<_CMP_GT_OQ>(a.0, b.0))))
    }
    #[inline(always)]
    fn select_eq(a: Self, b: Self, yes: Self, no: Self) -> Self {
        Self(intrinsic!(_mm256_blendv_ps(no.0, yes.0, _mm256_cmp_ps::<_CMP_EQ_OQ>(a.0, b.0))))
    }
    #[inline(always)]
    fn pow2(self) -> Self {
        Self(intrinsic!({
            let biased = _mm256_add_epi32(_mm256_cvtps_epi32(self.0), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
        }))
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        Self(intrinsic!({
            let biased = _mm256_srli_epi32::<23>(_mm256_castps_si256(self.0));
            _mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)))
        }))
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        intrinsic!({
            let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        })
    }
    #[inline(always)]
    fn sums(registers: [Self; 16]) -> [f32; 16] {
        // As for AVX-512, eight at a time.
        let mut sums = [0.0; 16];
        for (eight, sums) in registers.as_chunks::<8>().0.iter().zip(sums.as_chunks_mut::<8>().0) {
            let mut r = [eight[0].0; 8];
            for i in 0..8 {
                r[i % 4 * 2 + i / 4] = eight[i].0;
            }
            intrinsic!({
                for i in 0..4 {
                    let (a, b) = (r[2 * i], r[2 * i + 1]);
                    r[i] = _mm256_add_ps(
                        _mm256_permute2f128_ps::<0x20>(a, b),
                        _mm256_permute2f128_ps::<0x31>(a, b),
                    );
                }
                for i in 0..2 {
                    let (a, b) = (r[2 * i], r[2 * i + 1]);
                    r[i] = _mm256_add_ps(_mm256_shuffle_ps::<0x44>(a, b), _mm256_shuffle_ps::<0xEE>(a, b));
                }
                let (a, b) = (r[0], r[1]);
                r[0] = _mm256_add_ps(_mm256_shuffle_ps::<0x88>(a, b), _mm256_shuffle_ps::<0xDD>(a, b));
            });
            Self(r[0]).store(sums);
        }
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
