//! The pruners, one file each. An intermediate value that is no number is the worst of all.

mod halving;
mod hyperband;
mod median;
mod none;

use spec::PrunerSpec;

use crate::{History, Observation, Pruner};

/// The pruner that is asked for. A whole trial has `max_steps` steps: whoever reached the last is not pruned any more.
pub fn pruner(spec: &PrunerSpec, max_steps: u64) -> Box<dyn Pruner> {
    match *spec {
        PrunerSpec::None => Box::new(none::NoPruner),
        PrunerSpec::Median(spec) => Box::new(median::Median { spec, max_steps }),
        PrunerSpec::Halving(spec) => Box::new(halving::Halving::new(spec, max_steps)),
        PrunerSpec::Hyperband(spec) => Box::new(hyperband::Hyperband::new(spec, max_steps)),
    }
}

/// The trials that others are compared with: a result that was taken again counts once.
fn rivals(history: &History) -> impl Iterator<Item = &Observation> + Clone {
    history.observations().iter().filter(|trial| !trial.is_reused)
}

/// The intermediate value of exactly that step.
fn value_at(trial: &Observation, step: u64) -> Option<f64> {
    let idx = trial.intermediate.binary_search_by_key(&step, |&(step, _)| step).ok()?;
    Some(trial.intermediate[idx].1)
}
