//! Sixteen lanes out of as many registers as the instruction set needs, and one of these registers alone.
#![expect(unsafe_code, reason = "views of vectors as their lanes")]

use std::ops::{Add, Div, Mul, Sub};
use std::slice;

use crate::math::{self, F32Lane};
use crate::register::Register;
use crate::{GROUP, Kernel, Lane};

/// [`GROUP`] values in `N` registers, `N · R::WIDTH = GROUP`, or as many as one has; checked where it is used.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Wide<R, const N: usize>([R; N]);

impl<R: Register, const N: usize> Wide<R, N> {
    const CHECKED: () =
        assert!((N == 1 || N * R::WIDTH == GROUP) && size_of::<R>() == R::WIDTH * size_of::<f32>());

    /// One register of sums, by halves.
    #[inline(always)]
    fn folded(self) -> R {
        let mut r = self.0;
        let mut n = N;
        while n > 1 {
            n /= 2;
            for i in 0..n {
                r[i] = r[i].add(r[i + n]);
            }
        }
        r[0]
    }
}

impl<R: Register, const N: usize> Default for Wide<R, N> {
    #[inline(always)]
    fn default() -> Self {
        Self::zero()
    }
}

/// A result register by register; `$like` is any vector of the result's type. Not `array::from_fn`: its closure is a
/// function that may stay outside of the kernel's instruction set.
macro_rules! by_register {
    ($like:expr, $i:ident => $register:expr) => {{
        let mut out = $like.0;
        for $i in 0..N {
            out[$i] = $register;
        }
        Self(out)
    }};
}

macro_rules! operator {
    ($($trait:ident $method:ident),*) => {$(
        impl<R: Register, const N: usize> $trait for Wide<R, N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, b: Self) -> Self {
                by_register!(self, i => self.0[i].$method(b.0[i]))
            }
        }
    )*};
}

operator!(Add add, Sub sub, Mul mul, Div div);

impl<R: Register, const N: usize> Lane for Wide<R, N> {
    type Scalar = f32;
    type Register = Wide<R, 1>;
    const LANES: usize = N * R::WIDTH;
    const REGISTERS: usize = N;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        let () = Self::CHECKED;
        Self([R::splat(x); N])
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..Self::LANES];
        let mut out = Self::zero();
        for i in 0..N {
            out.0[i] = R::load(&from[i * R::WIDTH..]);
        }
        out
    }
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..Self::LANES];
        for i in 0..N {
            self.0[i].store(&mut to[i * R::WIDTH..]);
        }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        by_register!(self, i => self.0[i].mul_add(a.0[i], b.0[i]))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        by_register!(self, i => self.0[i].max(other.0[i]))
    }
    #[inline(always)]
    fn select_gt(a: Self, b: Self, yes: Self, no: Self) -> Self {
        by_register!(no, i => R::select_gt(a.0[i], b.0[i], yes.0[i], no.0[i]))
    }
    #[inline(always)]
    fn select_eq(a: Self, b: Self, yes: Self, no: Self) -> Self {
        by_register!(no, i => R::select_eq(a.0[i], b.0[i], yes.0[i], no.0[i]))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        math::exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        math::ln(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        by_register!(self, i => self.0[i].sqrt())
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        math::sigmoid(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        math::tanh(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        math::erf(self)
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        self.folded().sum()
    }
    #[inline(always)]
    fn sums(vectors: [Self; GROUP]) -> [f32; GROUP] {
        let mut firsts = [R::splat(0.0); GROUP];
        for i in 0..GROUP {
            firsts[i] = vectors[i].folded();
        }
        R::sums(firsts)
    }
    #[inline(always)]
    fn as_scalars(vectors: &[Self]) -> &[f32] {
        let () = Self::CHECKED;
        // SAFETY: `Wide` is `LANES` values of f32 in a row without padding (CHECKED), and any bits are an f32.
        unsafe { slice::from_raw_parts(vectors.as_ptr().cast(), vectors.len() * Self::LANES) }
    }
    #[inline(always)]
    fn as_scalars_mut(vectors: &mut [Self]) -> &mut [f32] {
        let () = Self::CHECKED;
        // SAFETY: as above; the borrow of `vectors` goes on in the result.
        unsafe { slice::from_raw_parts_mut(vectors.as_mut_ptr().cast(), vectors.len() * Self::LANES) }
    }
    #[inline(always)]
    fn registers(vectors: &[Self]) -> &[Wide<R, 1>] {
        // SAFETY: `Wide` is `N` registers in a row, which is what its representation says.
        unsafe { slice::from_raw_parts(vectors.as_ptr().cast(), vectors.len() * N) }
    }
    #[inline(always)]
    fn registers_mut(vectors: &mut [Self]) -> &mut [Wide<R, 1>] {
        // SAFETY: as above; the borrow of `vectors` goes on in the result.
        unsafe { slice::from_raw_parts_mut(vectors.as_mut_ptr().cast(), vectors.len() * N) }
    }
    #[inline(always)]
    fn prefetch(vectors: &[Self], i: usize) {
        R::prefetch(vectors.as_ptr().wrapping_add(i).cast());
    }
    #[inline(always)]
    fn enter<K: Kernel>(kernel: K) -> K::Output {
        R::enter(kernel)
    }
}

impl<R: Register, const N: usize> F32Lane for Wide<R, N> {
    #[inline(always)]
    fn pow2(self) -> Self {
        by_register!(self, i => self.0[i].pow2())
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        by_register!(self, i => self.0[i].exponent())
    }
}
