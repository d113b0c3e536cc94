//! A workspace for each thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lanes::Lane;
use nn::{Mode, Plan, Workspace};

/// One workspace for each thread of the pool that it is made in.
pub(crate) struct Workspaces<V: Lane>(Vec<Mutex<Workspace<V>>>);

impl<V: Lane> Workspaces<V> {
    pub(crate) fn new(plan: &Plan, mode: Mode) -> Self {
        let workspace = |_| Mutex::new(Workspace::new(plan, mode));
        Self((0..rayon::current_num_threads()).map(workspace).collect())
    }

    /// The calling thread's workspace. Nobody else asks for it, so the lock is always free.
    pub(crate) fn mine(&self) -> MutexGuard<'_, Workspace<V>> {
        let thread = rayon::current_thread_index().unwrap_or(0);
        self.0[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
