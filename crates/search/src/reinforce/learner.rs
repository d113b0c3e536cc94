//! A policy as a sampler.

use std::sync::{Mutex, MutexGuard, PoisonError};

use spec::{Direction, Domain, RewardSpec, Seed};

use super::digest::Digest;
use super::learned::Learned;
use super::samples::Setting;
use super::{Decisions, Limits, Objective, Policy, memory};
use crate::{Answer, Ask, History, Memory, Sampler, SamplerError, Space, StepLog};

/// How a policy learns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learning {
    pub(crate) learning_rate: f64,
    pub(crate) reward: RewardSpec,
    pub(crate) limits: Limits,
    pub(crate) objective: Objective,
    /// PPO's clipped objective instead of REINFORCE.
    pub(crate) clip: Option<f64>,
    /// Updates of a step.
    pub(crate) n_passes: u64,
    /// By how many steps the policy that draws a step's trials may lag: 0 or 1.
    pub(crate) delay: u64,
    /// Trials from one depth to the next; `None`: the policy decides the depth.
    pub(crate) grow_every: Option<u64>,
}

/// Makes the policy for a space.
type Build = Box<dyn Fn(&Decisions) -> Box<dyn Policy> + Send + Sync>;

/// Proposes what a policy draws that learns from the trials before.
pub(crate) struct Learner {
    /// Says all that its answers depend on beside history and seed.
    name: String,
    learning: Learning,
    build: Build,
    cache: Mutex<Cache>,
}

/// What questions need not work out again.
#[derive(Default)]
struct Cache {
    of: Option<Pupil>,
    /// What another process worked out, until it is looked at.
    recalled: Option<Learned>,
}

/// A policy with what it learned in one study.
struct Pupil {
    seed: Seed,
    decisions: Decisions,
    policy: Box<dyn Policy>,
    /// Of name, seed and space.
    digest: Digest,
    learned: Learned,
}

/// Whether a policy can work in a space and is told what is good.
pub(crate) fn check(
    sampler: &'static str,
    space: &Space,
    directions: &[Direction],
) -> Result<(), SamplerError> {
    let is_categorical = |domain: &Domain| matches!(domain, Domain::Categorical(_));
    if let Some(other) = space.dimensions().iter().find(|dimension| !is_categorical(&dimension.domain)) {
        return Err(SamplerError::NotCategorical { sampler, name: other.name.clone() });
    }
    match directions {
        [Direction::Maximize] => Ok(()),
        [Direction::Minimize] => Err(SamplerError::Minimized { sampler }),
        _ => Err(SamplerError::ObjectiveCount { sampler, n_objectives: directions.len() }),
    }
}

impl Learner {
    /// Numbers that [`spec::SamplerSpec::validate`] refuses are as near to what is asked as they can be.
    pub(crate) fn new(
        name: String,
        learning: Learning,
        build: impl Fn(&Decisions) -> Box<dyn Policy> + Send + Sync + 'static,
    ) -> Self {
        let reward = RewardSpec { children: learning.reward.children.max(1), ..learning.reward };
        let (n_passes, delay) = (learning.n_passes.max(1), learning.delay.min(1));
        let grow_every = learning.grow_every.map(|every| every.max(1));
        let learning = Learning { reward, n_passes, delay, grow_every, ..learning };
        Self { name, learning, build: Box::new(build), cache: Mutex::default() }
    }

    /// A cache is a pure function's, so one that a panic left half way is of no harm: it is checked.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pupil(&self, space: &Space, seed: Seed) -> Pupil {
        let decisions = Decisions::new(space);
        let policy = (self.build)(&decisions);
        let digest = Digest::of(&format!("{} {} {space:?}", self.name, seed.0));
        let learned = Learned::new(policy.init(seed), digest);
        Pupil { seed, decisions, policy, digest, learned }
    }

    /// The policy after `n_steps`; `None` where trials are not over from which it is to learn before.
    fn taught<'c>(&self, cache: &'c mut Cache, ask: &Ask<'_>, n_steps: u64) -> Option<&'c mut Pupil> {
        let (space, seed) = (ask.history.space(), ask.seed);
        let Cache { of, recalled } = cache;
        if of.as_ref().is_some_and(|pupil| pupil.seed != seed || pupil.decisions.space() != space) {
            *of = None;
        }
        let pupil = of.get_or_insert_with(|| self.pupil(space, seed));
        if let Some(recalled) = recalled.take() {
            pupil.recall(recalled, &self.learning, ask.history);
        }
        pupil.learn(n_steps, &self.learning, ask.history).then_some(pupil)
    }

    /// How many steps the policy that draws a trial has taken.
    fn n_steps_before(&self, number: u64) -> u64 {
        (number / self.learning.reward.children).saturating_sub(self.learning.delay)
    }
}

impl Pupil {
    /// Takes over what another process worked out, if it is of this study and more.
    fn recall(&mut self, recalled: Learned, learning: &Learning, history: &History) {
        let Self { seed, decisions, digest, learned, .. } = self;
        let setting = Setting { decisions, learning, seed: *seed, history };
        let is_more = recalled.n_steps() > learned.n_steps() && recalled.params.len() == learned.params.len();
        if is_more && recalled.is_of(&setting, *digest) {
            *learned = recalled;
        }
    }

    /// Learns from a history until the parameters after `n_steps` are there, from the beginning where what is
    /// known is of another history or too late. False where trials are not over.
    fn learn(&mut self, n_steps: u64, learning: &Learning, history: &History) -> bool {
        let Self { seed, decisions, policy, digest, learned } = self;
        let setting = Setting { decisions, learning, seed: *seed, history };
        let is_past = learned.n_steps() > n_steps && learned.params_after(n_steps).is_none();
        if is_past || !learned.is_of(&setting, *digest) {
            *learned = Learned::new(policy.init(*seed), *digest);
        }
        while learned.n_steps() < n_steps {
            if !learned.advance(&setting, &mut **policy) {
                return false;
            }
        }
        true
    }
}

impl Sampler for Learner {
    /// Waits until the trials that are to be learned from first are over; nothing where [`check`] fails.
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        if !can_learn(ask.history) {
            return Answer::Exhausted;
        }
        let mut cache = self.cache();
        let n_steps = self.n_steps_before(ask.number);
        let Some(pupil) = self.taught(&mut cache, ask, n_steps) else { return Answer::Wait };
        let Pupil { decisions, policy, learned, .. } = pupil;
        let setting = Setting { decisions, learning: &self.learning, seed: ask.seed, history: ask.history };
        let params = learned.params_after(n_steps).expect("so many steps were learned");
        setting.draw(&mut **policy, params, ask.number, ask.attempt).into()
    }

    fn takes_repeats(&self) -> bool {
        true
    }

    fn learn(&self, ask: &Ask<'_>) {
        if can_learn(ask.history) {
            let n_steps = ask.number / self.learning.reward.children;
            let _may_wait = self.taught(&mut self.cache(), ask, n_steps);
        }
    }

    fn memory(&self, n_known: u64) -> Option<Memory> {
        let cache = self.cache();
        let learned = &cache.of.as_ref()?.learned;
        let n_steps = learned.n_steps();
        (n_steps > n_known).then(|| Memory { n_steps, bytes: memory::encode(learned) })
    }

    fn recall(&self, bytes: &[u8]) {
        if let Some(learned) = memory::decode(bytes) {
            self.cache().recalled = Some(learned);
        }
    }

    fn steps(&self, n_known: u64) -> Vec<StepLog> {
        let cache = self.cache();
        let log = cache.of.iter().flat_map(|pupil| &pupil.learned.log);
        log.filter(|step| step.step >= n_known).cloned().collect()
    }
}

fn can_learn(history: &History) -> bool {
    check("", history.space(), history.directions()).is_ok()
}
