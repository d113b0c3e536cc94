//! The median rule (Golovin et al. 2017, Google Vizier, section 3.2.2; details as in Optuna's `MedianPruner`): a trial ends
//! whose best value so far is worse than the median of what whole trials had at the same step.

use spec::MedianSpec;

use super::{rivals, value_at};
use crate::standing::worst_if_nan;
use crate::{History, Outcome, Pruner};

pub(super) struct Median {
    pub(super) spec: MedianSpec,
    pub(super) max_steps: u64,
}

impl Pruner for Median {
    fn prune(&self, history: &History, number: u64, step: u64) -> bool {
        let Some(trial) = history.get(number) else { return false };
        let whole: Vec<_> =
            rivals(history).filter(|one| matches!(one.outcome, Outcome::Complete(_))).collect();
        if step < self.spec.n_warm_up || step >= self.max_steps || whole.len() < self.spec.n_startup {
            return false;
        }
        let so_far = trial.intermediate.iter().filter(|&&(at, _)| at <= step).map(|&(_, cost)| cost);
        let best = so_far.map(worst_if_nan).min_by(f64::total_cmp);
        let others = whole.iter().filter(|one| one.number != number);
        let median = median(others.filter_map(|one| value_at(one, step)).map(worst_if_nan).collect());
        match (best, median) {
            (Some(best), Some(median)) => best > median || best == f64::INFINITY,
            _ => false,
        }
    }
}

/// The middle one, or the mean of the two in the middle; nothing of nothing.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    let (below, above) = (*values.get(n.saturating_sub(1) / 2)?, values[n / 2]);
    Some(if below == above { below } else { (below + above) / 2.0 })
}
