//! Which values to try next, and which trials to end: pure functions of a space, of what was tried, and of a seed.
//!
//! A [`Sampler`] and a [`Pruner`] see a [`History`], never a store, a network or a clock.

mod history;
mod pruner;
mod sampler;
mod space;

pub use history::{History, Observation, Outcome};
pub use pruner::Pruner;
pub use sampler::{Ask, Sampler};
pub use space::{Condition, Dimension, Point, Space, SpaceError};
