//! Which values to try next, and which trials to end: pure functions of a space, of what was tried, and of a seed.
//!
//! A [`Sampler`] and a [`Pruner`] see a [`History`], never a store, a network or a clock.

mod axis;
mod controller;
mod draw;
mod error;
mod grammar;
mod history;
mod importance;
mod pareto;
mod pruner;
mod pruners;
mod reinforce;
mod sampler;
mod samplers;
mod softmax_table;
mod space;
mod standing;
mod step_log;

pub use error::SamplerError;
pub use grammar::{Frame, Grammar, GrammarError, OutsideError, Rule};
pub use history::{ATTEMPT, DUPLICATE_OF, History, Observation, Outcome};
pub use importance::importance;
pub use pareto::{best, hypervolume, pareto_front};
pub use pruner::Pruner;
pub use pruners::pruner;
pub use sampler::{Answer, Ask, Memory, Proposal, Sampler};
pub use samplers::{check_sampler, sampler};
pub use space::{Condition, Dimension, Point, Role, Space, SpaceError};
pub use step_log::StepLog;
