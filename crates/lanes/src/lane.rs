//! The two traits that all numeric code is written against.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Sub};

use crate::{GROUP, Scalar, math};

/// A vector that holds one value for each of [`Lane::LANES`] samples.
///
/// Arithmetic is lane by lane. `f32` and `f64` are lane vectors of one lane.
pub trait Lane:
    Copy
    + Debug
    + Default
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    /// What one lane holds.
    type Scalar: Scalar;
    /// One of the registers that a vector takes, with the values of some of its samples.
    type Register: Lane<Scalar = Self::Scalar>;
    /// Number of lanes.
    const LANES: usize;
    /// Registers that one vector takes, by which kernels choose how many vectors to hold at once.
    const REGISTERS: usize;

    /// `x` in every lane.
    fn splat(x: Self::Scalar) -> Self;
    /// Lane `l` is `from[l]`. Panics if `from` is shorter than [`Lane::LANES`].
    fn load(from: &[Self::Scalar]) -> Self;
    /// `to[l]` becomes lane `l`. Panics if `to` is shorter than [`Lane::LANES`].
    fn store(self, to: &mut [Self::Scalar]);
    /// `self · a + b`, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// The larger of both; `other` where either is NaN.
    fn max(self, other: Self) -> Self;
    /// Lane by lane: `a > b ? yes : no`.
    fn select_gt(a: Self, b: Self, yes: Self, no: Self) -> Self;
    /// Lane by lane: `a == b ? yes : no`.
    fn select_eq(a: Self, b: Self, yes: Self, no: Self) -> Self;
    /// eˣ: for `f32` lanes to 2 units in the last place, 0 below −87.3, ∞ above 88.7.
    fn exp(self) -> Self;
    /// Natural logarithm of a positive normal number, for `f32` lanes to 2 units in the last place.
    fn ln(self) -> Self;
    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// The logistic function 1 / (1 + e⁻ˣ), for `f32` lanes to 3 units in the last place; 0 below −87.3.
    fn sigmoid(self) -> Self;
    /// Hyperbolic tangent, for `f32` lanes to 3 units in the last place.
    fn tanh(self) -> Self;
    /// The error function 2/√π · ∫₀ˣ e^(−t²) dt, for `f32` lanes to 6 units in the last place; exactly ±1 beyond ±3.8325.
    fn erf(self) -> Self;
    /// Sum of all lanes, by halves: lane `l` and lane `l + LANES/2` first.
    fn sum(self) -> Self::Scalar;
    /// [`Lane::sum`] of each: the same bits, in fewer steps where they share them.
    fn sums(vectors: [Self; GROUP]) -> [Self::Scalar; GROUP];

    /// The vectors' lanes in a row: vector `i`'s lane `l` is at `i · LANES + l`.
    fn as_scalars(vectors: &[Self]) -> &[Self::Scalar];
    /// As [`Lane::as_scalars`], to write.
    fn as_scalars_mut(vectors: &mut [Self]) -> &mut [Self::Scalar];

    /// The vectors' registers in a row, [`Lane::REGISTERS`] of each: for kernels that need more vectors at once than the
    /// processor has registers for.
    fn registers(vectors: &[Self]) -> &[Self::Register];
    /// As [`Lane::registers`], to write.
    fn registers_mut(vectors: &mut [Self]) -> &mut [Self::Register];

    /// Asks the processor to bring vector `i`, or its first cache line, nearer: for a loop that is soon to read it and jumps
    /// about more than the processor foresees. There need not be such a vector.
    fn prefetch(vectors: &[Self], i: usize);

    /// Runs the kernel, compiled for this type's instruction set; a type of sixteen lanes calls it as a function of its own.
    fn enter<K: Kernel>(kernel: K) -> K::Output;

    /// Zero in every lane.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(Self::Scalar::ZERO)
    }
}

/// A hot loop: the fields are its arguments.
///
/// `run` and everything that it calls must be `#[inline(always)]`, so that all of it is compiled with the
/// instruction set of [`Lane::enter`]. No closures over lane vectors: they are functions that may stay outside.
pub trait Kernel {
    /// What the loop returns.
    type Output;
    /// The loop.
    fn run(self) -> Self::Output;
}

macro_rules! one_lane {
    ($t:ty, $exp:expr, $ln:expr, $sigmoid:expr, $tanh:expr, $erf:expr) => {
        impl Lane for $t {
            type Scalar = $t;
            type Register = $t;
            const LANES: usize = 1;
            const REGISTERS: usize = 1;
            #[inline(always)]
            fn splat(x: $t) -> Self {
                x
            }
            #[inline(always)]
            fn load(from: &[$t]) -> Self {
                from[0]
            }
            #[inline(always)]
            fn store(self, to: &mut [$t]) {
                to[0] = self;
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                <$t>::mul_add(self, a, b)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other { self } else { other }
            }
            #[inline(always)]
            fn select_gt(a: Self, b: Self, yes: Self, no: Self) -> Self {
                if a > b { yes } else { no }
            }
            #[inline(always)]
            fn select_eq(a: Self, b: Self, yes: Self, no: Self) -> Self {
                if a == b { yes } else { no }
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn sigmoid(self) -> Self {
                $sigmoid(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                $erf(self)
            }
            #[inline(always)]
            fn sum(self) -> $t {
                self
            }
            #[inline(always)]
            fn sums(vectors: [Self; GROUP]) -> [$t; GROUP] {
                vectors
            }
            #[inline(always)]
            fn as_scalars(vectors: &[Self]) -> &[$t] {
                vectors
            }
            #[inline(always)]
            fn as_scalars_mut(vectors: &mut [Self]) -> &mut [$t] {
                vectors
            }
            #[inline(always)]
            fn registers(vectors: &[Self]) -> &[$t] {
                vectors
            }
            #[inline(always)]
            fn registers_mut(vectors: &mut [Self]) -> &mut [$t] {
                vectors
            }
            #[inline(always)]
            fn prefetch(_: &[Self], _: usize) {}
            #[inline(always)]
            fn enter<K: Kernel>(kernel: K) -> K::Output {
                kernel.run()
            }
        }
    };
}

// One lane of f32 computes exactly what each of sixteen lanes computes; one lane of f64 is the reference and
// takes the standard library's functions, and libm's for what that does not have.
one_lane!(f32, math::exp, math::ln, math::sigmoid, math::tanh, math::erf);
one_lane!(f64, f64::exp, f64::ln, |x: f64| 1.0 / (1.0 + (-x).exp()), f64::tanh, libm::erf);
