//! Something for each thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One `T` for each thread of the pool that it is made in.
pub(crate) struct PerThread<T>(Vec<Mutex<T>>);

impl<T> PerThread<T> {
    pub(crate) fn new(make: impl Fn() -> T) -> Self {
        Self((0..rayon::current_num_threads()).map(|_| Mutex::new(make())).collect())
    }

    /// The calling thread's. Nobody else asks for it, so the lock is always free.
    pub(crate) fn mine(&self) -> MutexGuard<'_, T> {
        let thread = rayon::current_thread_index().unwrap_or(0);
        self.0[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
