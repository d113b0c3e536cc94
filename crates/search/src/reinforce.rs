//! Learning where to search by REINFORCE (Williams 1992), whatever the policy is: steps, rewards, baseline,
//! memory.
//!
//! Step k learns from the m trials numbered k m, …, k m + m - 1, once all of them are over:
//!
//! ```text
//! gradient = 1/n Σ_k Σ_t ∇ log P(a_t | a_<t) (R_k - b)
//! ```
//!
//! over the step's n samples: its trials, and the proposals that were refused on the way to them, whose
//! reward is 0. The policy after k steps is a function of the history and the seed; what is kept between
//! questions is a cache of that function.

mod adam;
mod baseline;
mod decisions;
mod digest;
mod learned;
mod learner;
mod memory;
mod objective;
mod policy;
mod reward;
mod samples;
mod softmax;
mod step;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use decisions::Decisions;
pub(crate) use learner::{Learner, Learning, check};
pub(crate) use objective::Objective;
pub(crate) use policy::Policy;
pub(crate) use softmax::Limits;
pub(crate) use walk::Walk;
