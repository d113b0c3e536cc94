//! Sum of several inputs of one shape.
//!
//! ```text
//! y = x₁ + x₂ + …
//! ```
//!
//! Every dx is dy. Any shape.

use lanes::{Kernel, Lane};

/// y = a + b
pub(crate) fn sum<V: Lane>(a: &[V], b: &[V], y: &mut [V]) {
    V::enter(Sum { a, b, y });
}

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

struct Sum<'a, V> {
    a: &'a [V],
    b: &'a [V],
    y: &'a mut [V],
}

impl<V: Lane> Kernel for Sum<'_, V> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for ((y, &a), &b) in self.y.iter_mut().zip(self.a).zip(self.b) {
            *y = a + b;
        }
    }
}
