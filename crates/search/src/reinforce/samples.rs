//! What a step learns from.

use spec::Seed;

use super::reward::reward;
use super::{Decisions, Learning, Policy, Walk};
use crate::{Ask, History, Observation, Outcome, Point};

/// A trial that was refused more often than this was not drawn by a sampler of ours: `study` gives up long
/// before.
const MAX_ATTEMPTS: u64 = 1000;

/// What a policy learns, and of what.
pub(super) struct Setting<'a> {
    pub(super) decisions: &'a Decisions,
    pub(super) learning: &'a Learning,
    pub(super) seed: Seed,
    pub(super) history: &'a History,
}

/// One draw from the policy and what it was worth.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) point: Point,
    pub(super) reward: f64,
    /// Whether it broke a constraint before it was a trial.
    pub(super) is_refused: bool,
}

impl<'a> Setting<'a> {
    /// What the policy proposes for a trial.
    pub(super) fn draw(&self, policy: &mut dyn Policy, params: &[f64], number: u64, attempt: u64) -> Point {
        let mut rng = Ask { history: self.history, seed: self.seed, number, attempt }.stream();
        let depth =
            self.learning.grow_every.map(|every| usize::try_from(number / every).unwrap_or(usize::MAX));
        let mut walk = Walk::draw(self.decisions, self.learning.limits, &mut rng, depth);
        policy.walk(params, &mut walk);
        walk.into_point()
    }

    /// The trials of a step in the order of their numbers; `None` where some are not over.
    pub(super) fn trials(&self, step: u64) -> Option<&'a [Observation]> {
        let n = self.learning.reward.children;
        let (first, all) = (step.checked_mul(n)?, self.history.observations());
        let begin = all.binary_search_by_key(&first, |trial| trial.number).ok()?;
        let trials = all.get(begin..begin.checked_add(usize::try_from(n).ok()?)?)?;
        let is_last = trials.last()?.number == first + (n - 1);
        let is_over = trials.iter().all(|trial| trial.outcome != Outcome::Pending);
        (is_last && is_over).then_some(trials)
    }

    /// What a step's trials were drawn from the policy with, refused proposals included: these are drawn
    /// again from their own streams. Trials that others chose are left out.
    pub(super) fn samples(
        &self,
        policy: &mut dyn Policy,
        params: &[f64],
        trials: &[Observation],
    ) -> Vec<Sample> {
        let mut samples = Vec::new();
        for trial in trials {
            let Some(attempt) = self.attempt(trial) else { continue };
            for attempt in 0..attempt {
                let point = self.draw(policy, params, trial.number, attempt);
                samples.push(Sample { point, reward: 0.0, is_refused: true });
            }
            let reward = reward(trial, &self.learning.reward);
            samples.push(Sample { point: trial.point.clone(), reward, is_refused: false });
        }
        samples
    }

    /// How often proposals were refused before that of this trial; `None` where it cannot be the policy's.
    fn attempt(&self, trial: &Observation) -> Option<u64> {
        let attempt = trial.attempt.filter(|&attempt| attempt <= MAX_ATTEMPTS)?;
        self.decisions.space().contains(&trial.point).then_some(attempt)
    }
}

/// What each sample's reward is more than: the moving average of earlier rewards. In the first step, which
/// has none, each trial is compared with the mean of the step's others, and a refused proposal with that of
/// all trials.
pub(super) fn advantages(samples: &[Sample], baseline: Option<f64>) -> Vec<f64> {
    let children = || samples.iter().filter(|sample| !sample.is_refused);
    let (sum, n) = (children().map(|child| child.reward).sum::<f64>(), children().count());
    let mean_of_others = |sample: &Sample| match (sample.is_refused, n) {
        (false, 1) => sample.reward,
        (false, _) => (sum - sample.reward) / (n - 1) as f64,
        (true, _) => sum / n.max(1) as f64,
    };
    samples.iter().map(|sample| sample.reward - baseline.unwrap_or_else(|| mean_of_others(sample))).collect()
}
