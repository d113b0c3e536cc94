//! Asynchronous successive halving (Li et al. 2018, ASHA, algorithm 2, in the form that ends trials instead of pausing them):
//! at the rungs, steps m, m·r, m·r², …, only the best 1/r of all that came there go on.

use spec::HalvingSpec;

use super::rivals;
use crate::standing::worst_if_nan;
use crate::{History, Observation, Pruner};

pub(super) struct Halving {
    /// The steps of the rungs, ascending, all below that of a whole trial.
    rungs: Vec<u64>,
    reduction: usize,
}

impl Halving {
    pub(super) fn new(spec: HalvingSpec, max_steps: u64) -> Self {
        let next = |&step: &u64| step.checked_mul(spec.reduction.max(2));
        let rungs = std::iter::successors(Some(spec.min_steps.max(1)), next);
        Self {
            rungs: rungs.take_while(|&step| step < max_steps).collect(),
            reduction: usize::try_from(spec.reduction.max(2)).unwrap_or(usize::MAX),
        }
    }

    /// As [`Pruner::prune`], where only the trials of `rivals` count.
    pub(super) fn prune_among<'a>(
        &self,
        rivals: impl Iterator<Item = &'a Observation> + Clone,
        trial: &Observation,
        step: u64,
    ) -> bool {
        let earlier = trial.intermediate.iter().map(|&(at, _)| at).take_while(|&at| at < step).last();
        let is_reached = |rung: u64| rung <= step && earlier.is_none_or(|earlier| earlier < rung);
        self.rungs.iter().any(|&rung| is_reached(rung) && !self.stays(rivals.clone(), trial, rung))
    }

    /// Whether the trial is among the best 1/r of those that came to the rung, itself included; among fewer than r, whether
    /// it is the best.
    fn stays<'a>(
        &self,
        rivals: impl Iterator<Item = &'a Observation>,
        trial: &Observation,
        rung: u64,
    ) -> bool {
        let Some(cost) = cost_at(trial, rung) else { return true };
        let others = rivals.filter(|rival| rival.number != trial.number);
        let costs: Vec<f64> = others.filter_map(|rival| cost_at(rival, rung)).chain([cost]).collect();
        let n_staying = (costs.len() / self.reduction).max(1);
        let n_better = costs.iter().filter(|&&other| other < cost).count();
        cost < f64::INFINITY && n_better < n_staying
    }
}

/// The cost with which the trial came to a rung: that of its first step there or beyond.
fn cost_at(trial: &Observation, rung: u64) -> Option<f64> {
    let idx = trial.intermediate.partition_point(|&(step, _)| step < rung);
    trial.intermediate.get(idx).map(|&(_, cost)| worst_if_nan(cost))
}

impl Pruner for Halving {
    fn prune(&self, history: &History, number: u64, step: u64) -> bool {
        history.get(number).is_some_and(|trial| self.prune_among(rivals(history), trial, step))
    }
}
