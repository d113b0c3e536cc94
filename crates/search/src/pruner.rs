//! Who ends trials early.

use crate::History;

/// Ends trials that do not look good. It remembers nothing.
pub trait Pruner: Send + Sync {
    /// Whether the trial `number` should end, whose last intermediate value in `history` is of `step`.
    fn prune(&self, history: &History, number: u64, step: u64) -> bool;
}
