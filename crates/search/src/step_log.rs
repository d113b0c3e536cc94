//! What a learning sampler says of each of its steps, so that a collapse is seen.

use serde::{Deserialize, Serialize};

/// One step of a sampler that learns: what it was rewarded for and how sure of itself it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepLog {
    /// Counted from 0.
    pub step: u64,
    /// Number of its first trial; a step's trials follow each other.
    pub first_trial: u64,
    /// How many trials it learned from, refused proposals included.
    pub n_samples: u64,
    /// Of those, proposals that were refused and so rewarded with 0.
    pub n_refused: u64,
    /// Different points among all trials up to this step's last.
    pub n_unique: u64,
    /// What the rewards were compared with, before this step's; `None` in the first step.
    pub baseline: Option<f64>,
    /// Smallest reward, quartiles and largest reward of the step's trials.
    pub rewards: [f64; 5],
    /// Norm of the gradient.
    pub gradient_norm: f64,
    /// For each kind of decision, by name, the mean entropy of its distribution where it was taken, in nats.
    pub entropy: Vec<(String, f64)>,
}
