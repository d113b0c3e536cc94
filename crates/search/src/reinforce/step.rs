//! One step of learning: the gradient of its samples, and what is logged of it.

use super::digest::Digest;
use super::reward::reward;
use super::samples::{Sample, Setting};
use super::{Policy, Walk};
use crate::{Observation, StepLog};

/// The gradient of a step, and how sure the policy was.
pub(super) struct Gradient {
    /// By parameter; uphill.
    pub(super) values: Vec<f64>,
    /// By kind of decision: the sum of its entropies, and how often it was taken.
    entropy: Vec<(f64, u64)>,
}

impl Gradient {
    pub(super) fn norm(&self) -> f64 {
        self.values.iter().map(|g| g * g).sum::<f64>().sqrt()
    }
}

impl Setting<'_> {
    /// The gradient at `params`, the mean over the samples. `weight` says what the gradient of the logarithm
    /// of the probability of a decision counts: it gets the sample, the decision and that logarithm.
    pub(super) fn gradient(
        &self,
        policy: &mut dyn Policy,
        params: &[f64],
        samples: &[Sample],
        weight: &dyn Fn(usize, usize, f64) -> f64,
    ) -> Gradient {
        let mut values = vec![0.0; params.len()];
        let mut entropy = vec![(0.0, 0); self.decisions.names().len()];
        let mut dlogits = Vec::new();
        for (idx, sample) in samples.iter().enumerate() {
            let walk = self.follow(policy, params, sample);
            for taken in walk.taken() {
                let of_kind = &mut entropy[self.decisions.kind(taken.dim)];
                *of_kind = (of_kind.0 + walk.entropy(taken), of_kind.1 + 1);
            }
            let scale = 1.0 / samples.len() as f64;
            let weight = |decision, log_p| weight(idx, decision, log_p);
            self.learning.objective.dlogits(&walk, scale, weight, &mut dlogits);
            policy.backward(params, &dlogits, &mut values);
        }
        Gradient { values, entropy }
    }

    pub(super) fn follow<'s>(
        &'s self,
        policy: &mut dyn Policy,
        params: &[f64],
        sample: &'s Sample,
    ) -> Walk<'s> {
        let is_depth_fixed = self.learning.grow_every.is_some();
        let mut walk = Walk::follow(self.decisions, self.learning.limits, &sample.point, is_depth_fixed);
        policy.walk(params, &mut walk);
        walk
    }

    /// The logarithms of the probabilities of what the samples took, by sample and decision.
    pub(super) fn log_p(&self, policy: &mut dyn Policy, params: &[f64], samples: &[Sample]) -> Vec<Vec<f64>> {
        let of_sample = |sample| {
            let walk = self.follow(policy, params, sample);
            walk.taken().iter().map(|taken| walk.log_p_taken(taken)).collect()
        };
        samples.iter().map(of_sample).collect()
    }

    /// What is said of a step.
    pub(super) fn log(
        &self,
        step: u64,
        trials: &[Observation],
        samples: &[Sample],
        baseline: Option<f64>,
        gradient: &Gradient,
    ) -> StepLog {
        let named = self.decisions.names().iter().zip(&gradient.entropy).filter(|(_, (_, n))| *n > 0);
        StepLog {
            step,
            first_trial: trials[0].number,
            n_samples: samples.len() as u64,
            n_refused: samples.iter().filter(|sample| sample.is_refused).count() as u64,
            n_unique: self.n_unique(trials[trials.len() - 1].number),
            baseline,
            rewards: quartiles(trials.iter().map(|trial| reward(trial, &self.learning.reward)).collect()),
            gradient_norm: gradient.norm(),
            entropy: named.map(|(name, (sum, n))| (name.clone(), sum / *n as f64)).collect(),
        }
    }

    /// Different points among the trials up to one.
    fn n_unique(&self, last: u64) -> u64 {
        let trials = self.history.observations().iter().take_while(|trial| trial.number <= last);
        let mut points: Vec<_> = trials.map(|trial| Digest(0).and_point(&trial.point).0).collect();
        points.sort_unstable();
        points.dedup();
        points.len() as u64
    }
}

/// Smallest, quartiles and largest of at least one number, with straight lines between neighbors.
fn quartiles(mut values: Vec<f64>) -> [f64; 5] {
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (values.len() - 1) as f64;
        let below = place as usize;
        let above = values[(below + 1).min(values.len() - 1)];
        values[below] + (place - below as f64) * (above - values[below])
    };
    std::array::from_fn(|quarter| at(quarter as f64 / 4.0))
}
