//! A trial of a study: what was tried and what came of it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::domain::{Domain, ParamValue};

/// What is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smaller values.
    Minimize,
    /// Larger values.
    Maximize,
}

/// How far a trial came.
#[derive(Clone, Debug, PartialEq)]
pub enum TrialState {
    /// Somebody wants it tried, or whoever tried it is gone.
    Waiting,
    /// Somebody tries it.
    Running,
    /// It has one value for each objective, in their order.
    Complete {
        /// Never NaN.
        values: Vec<f64>,
    },
    /// It was ended early, as it did not look good.
    Pruned {
        /// As [`TrialState::Complete`]; empty where the trial had no intermediate value.
        values: Vec<f64>,
    },
    /// It could not be tried, or gave no number.
    Failed,
}

/// A parameter of a trial with what it could have been.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// What it could have been.
    pub domain: Domain,
    /// What it was, a value of `domain`.
    pub value: ParamValue,
}

/// Everything that a store holds of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRecord {
    /// From 0, in the order in which they were begun or enqueued, without gaps.
    pub number: u64,
    /// How far it came.
    pub state: TrialState,
    /// By name.
    pub params: BTreeMap<String, Param>,
    /// By step, the epoch counted from 1; may be NaN or infinite.
    pub intermediate: BTreeMap<u64, f64>,
    /// When it was begun, milliseconds of Unix time (UTC).
    pub started_ms: Option<i64>,
    /// When it ended, milliseconds of Unix time (UTC).
    pub completed_ms: Option<i64>,
    /// What people and Danlu note of it.
    pub user_attributes: BTreeMap<String, Json>,
    /// What programs need to know of it: Optuna's `constraints`, `fixed_params` and so on.
    pub system_attributes: BTreeMap<String, Json>,
}

impl TrialState {
    /// Whether it stays as it is.
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    /// The values of a whole trial.
    pub fn complete_values(&self) -> Option<&[f64]> {
        match self {
            Self::Complete { values } => Some(values),
            _ => None,
        }
    }
}

impl Direction {
    /// The value as one that is better when smaller.
    pub fn cost(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

impl TrialRecord {
    /// How far it is outside of what is allowed, one number for each constraint, above 0 where it is violated: Optuna's
    /// system attribute `constraints`. Empty: nothing is known or asked.
    pub fn constraints(&self) -> Vec<f64> {
        let list = self.system_attributes.get("constraints").and_then(Json::as_array);
        list.map_or_else(Vec::new, |list| list.iter().map(|x| x.as_f64().unwrap_or(f64::INFINITY)).collect())
    }

    /// Whether no constraint is violated.
    pub fn is_feasible(&self) -> bool {
        self.constraints().iter().all(|&violation| violation <= 0.0)
    }
}
