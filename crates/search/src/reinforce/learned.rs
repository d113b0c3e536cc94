//! What a policy knows after some steps.

use super::Policy;
use super::adam::Adam;
use super::baseline::Baseline;
use super::digest::Digest;
use super::reward::reward;
use super::samples::{Sample, Setting, advantages};
use super::step::Gradient;
use crate::{Observation, StepLog};

/// Everything that steps of learning change: a function of the trials that were learned from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Learned {
    pub(super) params: Vec<f64>,
    /// Before the last step: what the trials of the next one are drawn from where that is allowed.
    pub(super) previous: Vec<f64>,
    pub(super) adam: Adam,
    pub(super) baseline: Baseline,
    /// Of what is learned and of the trials it was learned from.
    pub(super) digest: Digest,
    /// Of each step.
    pub(super) log: Vec<StepLog>,
}

impl Learned {
    /// Nothing yet.
    pub(super) fn new(params: Vec<f64>, digest: Digest) -> Self {
        let (previous, adam) = (params.clone(), Adam::new(params.len()));
        Self { params, previous, adam, baseline: Baseline::default(), digest, log: Vec::new() }
    }

    pub(super) fn n_steps(&self) -> u64 {
        self.log.len() as u64
    }

    /// Whether this is what comes of a history, from `digest` of what is learned.
    pub(super) fn is_of(&self, setting: &Setting<'_>, digest: Digest) -> bool {
        let with_step = |digest, step| Some(with_trials(digest, setting, setting.trials(step)?));
        (0..self.n_steps()).try_fold(digest, with_step) == Some(self.digest)
    }

    /// The parameters after `n_steps`, if they are still here.
    pub(super) fn params_after(&self, n_steps: u64) -> Option<&[f64]> {
        match self.n_steps().checked_sub(n_steps)? {
            0 => Some(&self.params),
            1 => Some(&self.previous),
            _ => None,
        }
    }

    /// Takes the next step; false where its trials are not over.
    pub(super) fn advance(&mut self, setting: &Setting<'_>, policy: &mut dyn Policy) -> bool {
        let step = self.n_steps();
        let Some(trials) = setting.trials(step) else { return false };
        let drawn_from =
            if setting.learning.delay == 0 { self.params.clone() } else { self.previous.clone() };
        let samples = setting.samples(policy, &drawn_from, trials);
        let advantages = advantages(&samples, self.baseline.value());
        let before = self.params.clone();
        let gradient = match setting.learning.clip {
            None => self.reinforce(setting, policy, &drawn_from, &samples, &advantages),
            Some(clip) => self.clipped(setting, policy, &drawn_from, (&samples, &advantages), clip),
        };
        self.log.push(setting.log(step, trials, &samples, self.baseline.value(), &gradient));
        for child in samples.iter().filter(|sample| !sample.is_refused) {
            self.baseline.add(child.reward, setting.learning.reward.baseline_decay);
        }
        self.previous = before;
        self.digest = with_trials(self.digest, setting, trials);
        true
    }

    /// One update with the gradient where the samples were drawn.
    fn reinforce(
        &mut self,
        setting: &Setting<'_>,
        policy: &mut dyn Policy,
        drawn_from: &[f64],
        samples: &[Sample],
        advantages: &[f64],
    ) -> Gradient {
        let gradient = setting.gradient(policy, drawn_from, samples, &|sample, _, _| advantages[sample]);
        if !samples.is_empty() {
            self.adam.update(&mut self.params, &gradient.values, setting.learning.learning_rate);
        }
        gradient
    }

    /// Updates with the gradient of PPO's clipped objective (Schulman et al. 2017, equation 7), min(r A,
    /// clip(r) A), where r is, for each decision, its probability over that where the samples were drawn. The
    /// first one's gradient is given back.
    fn clipped(
        &mut self,
        setting: &Setting<'_>,
        policy: &mut dyn Policy,
        drawn_from: &[f64],
        (samples, advantages): (&[Sample], &[f64]),
        clip: f64,
    ) -> Gradient {
        let old = setting.log_p(policy, drawn_from, samples);
        let weight = |sample: usize, decision: usize, log_p: f64| {
            let ratio = libm::exp(log_p - old[sample][decision]);
            clipped_weight(ratio, advantages[sample], clip)
        };
        let mut first = None;
        for _pass in 0..setting.learning.n_passes {
            let gradient = setting.gradient(policy, &self.params, samples, &weight);
            if !samples.is_empty() {
                self.adam.update(&mut self.params, &gradient.values, setting.learning.learning_rate);
            }
            first.get_or_insert(gradient);
        }
        first.expect("there is a pass")
    }
}

/// The derivative of min(r A, clip(r) A) by log r.
pub(super) fn clipped_weight(ratio: f64, advantage: f64, clip: f64) -> f64 {
    let is_clipped = if advantage > 0.0 { ratio > 1.0 + clip } else { ratio < 1.0 - clip };
    if is_clipped { 0.0 } else { ratio * advantage }
}

fn with_trials(digest: Digest, setting: &Setting<'_>, trials: &[Observation]) -> Digest {
    let spec = &setting.learning.reward;
    trials.iter().fold(digest, |digest, trial| digest.and_trial(trial, reward(trial, spec)))
}
