//! eˣ, ln x, the logistic function, tanh x and erf x for `f32` lanes, written once over [`F32Lane`], so that every type gives the same bits.

use crate::Lane;

/// What these functions need beside arithmetic: access to the exponent.
pub(crate) trait F32Lane: Lane<Scalar = f32> {
    /// 2ⁿ for a whole number n from −126 to 127.
    fn pow2(self) -> Self;
    /// The exponent of a positive normal number, as a number: e with 2ᵉ ≤ x < 2ᵉ⁺¹.
    fn exponent(self) -> Self;
}

impl F32Lane for f32 {
    #[inline(always)]
    fn pow2(self) -> Self {
        f32::from_bits(((self as i32 + 127) << 23) as u32)
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        ((self.to_bits() >> 23) as i32 - 127) as f32
    }
}

/// Adding and subtracting 1.5 · 2²³ rounds to the nearest whole number (|x| < 2²²).
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has zeros at the end, so that n · LN2_HI is exact.
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;
/// The range in which eˣ is a normal number.
const EXP_MIN: f32 = -87.3;
const EXP_MAX: f32 = 88.7;

/// x / ln 2 = n + r / ln 2, n = round(x / ln 2), so |r| ≤ ln 2 / 2.
#[inline(always)]
fn reduce<V: F32Lane>(x: V) -> (V, V) {
    let shifted = x.mul_add(V::splat(std::f32::consts::LOG2_E), V::splat(ROUND));
    let n = shifted - V::splat(ROUND);
    let r = n.mul_add(V::splat(-LN2_HI), x);
    (n, n.mul_add(V::splat(-LN2_LO), r))
}

/// eʳ for the r of [`reduce`], by its Taylor series to r⁷ (next term 6e-9).
#[inline(always)]
fn exp_of_rest<V: F32Lane>(r: V) -> V {
    let mut p = V::splat(1.0 / 5040.0);
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p.mul_add(r, V::splat(c));
    }
    p
}

/// eˣ = 2ⁿ · eʳ with n and r as in [`reduce`].
#[inline(always)]
pub(crate) fn exp<V: F32Lane>(x: V) -> V {
    // Bounds before the arithmetic, so that no exponent overflows; a NaN passes through `no` of both.
    let (min, max) = (V::splat(EXP_MIN), V::splat(EXP_MAX));
    let clamped = V::select_gt(x, max, max, V::select_gt(min, x, min, x));
    let (n, r) = reduce(clamped);
    let p = exp_of_rest(r);
    // 2ⁿ in two factors: n reaches 128, one more than an exponent can hold.
    let half = n.mul_add(V::splat(0.5), V::splat(ROUND)) - V::splat(ROUND);
    let y = p * half.pow2() * (n - half).pow2();
    let y = V::select_gt(x, max, V::splat(f32::INFINITY), y);
    V::select_gt(min, x, V::zero(), y)
}

/// 1 / (1 + e⁻ˣ) = 1 / (1 + 2ⁿ · eʳ) with n and r of −x. The range of e⁻ˣ is cut so that one factor holds 2ⁿ, as silu's
/// time is that of this function: where e⁻ˣ is small it does not count, and where it is large the result is set to 0.
#[inline(always)]
pub(crate) fn sigmoid<V: F32Lane>(x: V) -> V {
    let (one, min, max) = (V::splat(1.0), V::splat(EXP_MIN), V::splat(-EXP_MIN));
    // A NaN passes through both.
    let clamped = min.max(V::select_gt(x, max, max, x));
    let (n, r) = reduce(V::zero() - clamped);
    let y = one / exp_of_rest(r).mul_add(n.pow2(), one);
    V::select_gt(min, x, V::zero(), y)
}

/// ln x = e ln 2 + 2 artanh(s), s = (m − 1) / (m + 1), m = x / 2ᵉ in [√½, √2), so s² ≤ 0.0295; the series
/// of artanh to s¹¹ (next term, relative to the sum: 5e-11).
#[inline(always)]
pub(crate) fn ln<V: F32Lane>(x: V) -> V {
    let one = V::splat(1.0);
    let e = x.exponent();
    let m = x * (V::zero() - e).pow2();
    let high = V::splat(std::f32::consts::SQRT_2);
    let e = V::select_gt(m, high, e + one, e);
    let m = V::select_gt(m, high, m * V::splat(0.5), m);
    let f = m - one;
    let s = f / (m + one);
    let s2 = s * s;
    let mut p = V::splat(2.0 / 11.0);
    for c in [2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0] {
        p = p.mul_add(s2, V::splat(c));
    }
    // 2s = f − s·f keeps the leading term exact where x is near 1.
    let tail = s * s2 * p + (V::zero() - s) * f;
    let y = e.mul_add(V::splat(LN2_LO), tail) + f;
    e.mul_add(V::splat(LN2_HI), y)
}

/// tanh x = E / (E + 2), E = e²ˣ − 1, for |x|, as then E + 2 cancels nothing; the sign comes last.
///
/// E = 2ⁿ (eʳ − 1) + (2ⁿ − 1) with n and r as in [`reduce`], so that it is accurate near 0 too. From 10 on tanh rounds to 1.
#[inline(always)]
pub(crate) fn tanh<V: F32Lane>(x: V) -> V {
    let one = V::splat(1.0);
    // A NaN passes through `no`.
    let size = V::select_gt(V::zero(), x, V::zero() - x, x);
    let double = V::select_gt(size, V::splat(10.0), V::splat(20.0), size + size);
    let (n, r) = reduce(double);
    let mut p = V::splat(1.0 / 5040.0);
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5] {
        p = p.mul_add(r, V::splat(c));
    }
    let p = (p * r).mul_add(r, r);
    let scale = n.pow2();
    let e = p.mul_add(scale, scale - one);
    let y = e / (e + one + one);
    V::select_gt(V::zero(), x, V::zero() - y, y)
}

/// Where erf rounds to 1.
const ERF_ONE: f32 = 3.8325;
/// erf x = x · P(x²) / Q(x²), coefficients from the highest power down: a rational minimax fit of erf(√t)/√t over
/// [0, `ERF_ONE`²], found by Lawson's iteration, with a relative error of 1.4e-8.
const ERF_P: [f32; 6] = [
    2.123127e-6,
    0.000_285_944_7,
    0.003_652_806_6,
    0.052_418_698,
    0.187_309_5,
    std::f32::consts::FRAC_2_SQRT_PI,
];
const ERF_Q: [f32; 6] = [3.8898303e-5, 0.001_141_720_6, 0.014_742_603_5, 0.112_900_995, 0.499_331_62, 1.0];

/// The error function.
#[inline(always)]
pub(crate) fn erf<V: F32Lane>(x: V) -> V {
    let one = V::splat(1.0);
    let t = x * x;
    let (mut p, mut q) = (V::splat(ERF_P[0]), V::splat(ERF_Q[0]));
    for k in 1..6 {
        p = p.mul_add(t, V::splat(ERF_P[k]));
        q = q.mul_add(t, V::splat(ERF_Q[k]));
    }
    let y = x * p / q;
    // Beyond the fit, and where rounding goes past the bound.
    let high = V::select_gt(x, V::splat(ERF_ONE), one, y);
    let y = V::select_gt(high, one, one, high);
    let low = V::select_gt(V::splat(-ERF_ONE), x, V::zero() - one, y);
    V::select_gt(V::zero() - one, low, V::zero() - one, low)
}
