//! Which trial did better than which.

use std::cmp::Ordering;

use crate::{Observation, Outcome};

/// How well a trial did, by its first cost: smaller is better. Whole trials come before pruned ones, these before those
/// that violate a constraint, as in Optuna's TPE (`_split_trials`), and what failed comes last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Standing {
    /// Whole and allowed: its cost.
    Complete(f64),
    /// Ended early: how far it came, the farther the better, and its last intermediate value.
    Pruned {
        last_step: u64,
        cost: f64,
    },
    /// By how much constraints are violated.
    Infeasible(f64),
    Failed,
}

/// How well the trial did; `None` for one that is not over.
pub(crate) fn standing(trial: &Observation) -> Option<Standing> {
    let feasible = trial.violation <= 0.0;
    match &trial.outcome {
        Outcome::Pending => None,
        Outcome::Failed => Some(Standing::Failed),
        _ if !feasible => Some(Standing::Infeasible(worst_if_nan(trial.violation))),
        Outcome::Complete(costs) => Some(match costs.first() {
            Some(&cost) => Standing::Complete(worst_if_nan(cost)),
            None => Standing::Failed,
        }),
        Outcome::Pruned(_) => {
            let (last_step, cost) = trial.intermediate.last().copied().unwrap_or((0, f64::INFINITY));
            Some(Standing::Pruned { last_step, cost: worst_if_nan(cost) })
        }
    }
}

impl Standing {
    /// The better one is less. A total order.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Complete(a), Self::Complete(b)) | (Self::Infeasible(a), Self::Infeasible(b)) => {
                a.total_cmp(b)
            }
            (Self::Pruned { last_step: a, cost: x }, Self::Pruned { last_step: b, cost: y }) => {
                b.cmp(a).then(x.total_cmp(y))
            }
            _ => self.class().cmp(&other.class()),
        }
    }

    fn class(&self) -> u8 {
        match self {
            Self::Complete(_) => 0,
            Self::Pruned { .. } => 1,
            Self::Infeasible(_) => 2,
            Self::Failed => 3,
        }
    }
}

/// The better trial is less, of equals the earlier.
pub(crate) fn by_standing(a: &(Standing, &Observation), b: &(Standing, &Observation)) -> Ordering {
    a.0.compare(&b.0).then(a.1.number.cmp(&b.1.number))
}

/// A cost that is no number is as bad as one can be.
pub(crate) fn worst_if_nan(cost: f64) -> f64 {
    if cost.is_nan() { f64::INFINITY } else { cost }
}

/// The costs of a whole trial, one for each objective; what it has not is as bad as it can be.
pub(crate) fn costs(trial: &Observation, n_objectives: usize) -> Vec<f64> {
    let mut costs: Vec<f64> = match &trial.outcome {
        Outcome::Complete(costs) => costs.iter().copied().map(worst_if_nan).collect(),
        _ => Vec::new(),
    };
    costs.resize(n_objectives, f64::INFINITY);
    costs
}
