//! Nothing but multiply-adds, and nothing but memory, to measure what the processor can do.

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

/// A loop that does nothing but read and write memory, with one simple operation for each vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// y = a + b: two reads for each write.
    Add,
    /// y = a: one read for each write.
    Copy,
    /// y = y + y: the same, in one place.
    Double,
}

impl Stream {
    /// Buffers that it needs.
    pub fn n_buffers(self) -> usize {
        match self {
            Stream::Add => 3,
            Stream::Copy => 2,
            Stream::Double => 1,
        }
    }

    /// Goes `rounds` times over buffers of one length, [`Stream::n_buffers`] or more; returns the number of bytes read and
    /// written. Panics if there are fewer.
    pub fn run<V: Lane>(self, buffers: &mut [&mut [V]], rounds: u64) -> u64 {
        let n_bytes = size_of_val(&*buffers[0]) as u64;
        for _ in 0..rounds {
            match (self, &mut *buffers) {
                (Stream::Add, [y, a, b, ..]) => V::enter(Add { a: black_box(a), b, y }),
                (Stream::Copy, [y, a, ..]) => V::enter(Copied { a: black_box(a), y }),
                (Stream::Double, [y, ..]) => V::enter(Double { y: black_box(y) }),
                (stream, _) => panic!("{} buffers for {stream:?}", buffers.len()),
            }
            black_box(&mut *buffers);
        }
        let n_passes = if self == Stream::Add { 3 } else { 2 };
        n_passes * rounds * n_bytes
    }
}

struct Add<'a, V> {
    a: &'a [V],
    b: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Add<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((y, &a), &b) in self.y.iter_mut().zip(self.a).zip(self.b) {
            *y = a + b;
        }
    }
}

struct Copied<'a, V> {
    a: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Copied<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.y.copy_from_slice(self.a);
    }
}

struct Double<'a, V> {
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Double<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for y in self.y {
            *y = *y + *y;
        }
    }
}
