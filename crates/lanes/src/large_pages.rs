//! Buffers in large pages.
//!
//! What a pass keeps of a batch is up to gigabytes, and goes through the caches as one stream after the other. In pages of
//! 4 KiB it has many more pages than a processor remembers the places of, and what prefetches memory stops at the end of
//! each: on a virtual machine of Zen 4 a loop reads 16 GB/s in small pages and 46 GB/s in large ones. Linux often gives large
//! ones only to those who ask (`madvise` in /sys/kernel/mm/transparent_hugepage/enabled).

use crate::Lane;

/// `len` zeros, in large pages as far as the system gives them.
pub fn zeros<V: Lane>(len: usize) -> Vec<V> {
    let mut buffer = Vec::with_capacity(len);
    // Before anything is written, as a page becomes what it is then.
    ask_for(buffer.spare_capacity_mut());
    buffer.resize(len, V::zero());
    buffer
}

/// Asks for large pages, of 2 MiB nearly everywhere, where whole small ones belong to `memory` alone.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "what the standard library has no function for")]
fn ask_for<T>(memory: &mut [T]) {
    /// What is smaller has no large page in it, and the heap's own pages stay as they are.
    const LARGE: usize = 2 << 20;
    /// The largest that a processor of Linux has; a multiple of the others.
    const SMALL: usize = 64 << 10;
    let range = memory.as_mut_ptr_range();
    let n_skipped = range.start.addr().next_multiple_of(SMALL) - range.start.addr();
    let len = size_of_val(memory).saturating_sub(n_skipped) / SMALL * SMALL;
    if len >= LARGE {
        let start = range.start.wrapping_byte_add(n_skipped);
        // SAFETY: the range is part of `memory`, and this advice changes nothing that a program can see but its speed. That
        // the system may know no large pages is no failure.
        unsafe { libc::madvise(start.cast(), len, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for<T>(_: &mut [T]) {}

#[cfg(test)]
mod tests {
    use super::zeros;
    use crate::{Isa, Lane, WithLane};

    struct AreZeros;

    impl WithLane for AreZeros {
        type Output = ();
        fn run<V: Lane<Scalar = f32>>(self) {
            for len in [0, 1, 1000, (2 << 20) / size_of::<V>() - 1, (9 << 20) / size_of::<V>()] {
                let buffer = zeros::<V>(len);
                assert_eq!(buffer.len(), len);
                assert!(V::as_scalars(&buffer).iter().all(|&x| x == 0.0));
            }
        }
    }

    #[test]
    fn buffers_of_all_sizes_are_zeros() {
        for isa in Isa::available() {
            isa.run(AreZeros);
        }
    }
}
