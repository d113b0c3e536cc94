//! Sum of several inputs of one shape.
//!
//! ```text
//! y = x₁ + x₂ + …
//! ```
//!
//! Every dx is dy. Any shape.

use lanes::{Kernel, Lane};

/// y += x
pub(crate) fn add_to<V: Lane>(x: &[V], y: &mut [V]) {
    V::enter(AddTo { x, y });
}

struct AddTo<'a, V> {
    x: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for AddTo<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = *y + x;
        }
    }
}
