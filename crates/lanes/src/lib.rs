//! The lane vector: one SIMD type that holds the same value of sixteen different samples.
//!
//! A layer is plain scalar code over a type that implements [`Lane`]. The same source then runs as AVX-512,
//! as AVX2, as NEON, as portable code, and at `f64` with one lane, where gradients can be checked to 1e-7.
//! Activations vary from lane to lane; weights are [`Scalar`]s that all lanes share; [`Lane::sum`] is the only
//! way back from the first to the second.
//!
//! All sixteen-lane types give the same bits: every operation is correctly rounded (fused multiply-add
//! included, which the portable type emulates where the processor has none), and sums over lanes run in one
//! fixed order.
//!
//! A hot loop is a [`Kernel`]: a struct of its arguments with a `run` method. [`Lane::enter`] calls it as a
//! function of its own, compiled for the lane type's instruction set and never inlined into its caller: a
//! kernel that was inlined into one large step function fell from 70 to 6 GFLOP/s, because its accumulators
//! were spilled to the stack.
//!
//! Which type is used is decided at run time by [`Isa::run`]. The SIMD types have no public name, so code
//! can get hold of them in no other way; that is what makes their use sound.

mod isa;
mod lane;
mod large_pages;
mod math;
mod pack;
mod peak;
mod register;
mod scalar;
mod wide;

pub use isa::{Isa, UnknownIsa, WithLane};
pub use lane::{Kernel, Lane};
pub use large_pages::zeros;
pub use pack::pack_bytes;
pub use peak::{Stream, multiply_adds};
pub use scalar::Scalar;

/// Samples in one lane group, whatever the instruction set.
pub const GROUP: usize = 16;
