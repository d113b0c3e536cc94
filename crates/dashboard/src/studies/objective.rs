//! What a study wants, and how its trials stand to that.

use serde::Serialize;
use serde_json::Value as Json;
use spec::{Direction, TrialRecord, TrialState};

/// One number that is to become small or large.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Objective {
    pub(crate) name: String,
    #[serde(serialize_with = "direction_name")]
    pub(crate) direction: Direction,
}

fn direction_name<S: serde::Serializer>(direction: &Direction, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(direction.name())
}

/// Objectives with the names that the study gives them: Danlu's own attribute, or Optuna's `study:metric_names`.
pub(crate) fn objectives(
    directions: &[Direction],
    ours: Option<&Json>,
    optunas: Option<&Json>,
) -> Vec<Objective> {
    let names: Vec<&str> = [ours, optunas].into_iter().flatten().find_map(name_list).unwrap_or_default();
    let name = |idx: usize| match names.get(idx) {
        Some(name) if !name.is_empty() => (*name).to_owned(),
        _ if directions.len() == 1 => "value".to_owned(),
        _ => format!("value {}", idx + 1),
    };
    let named = directions.iter().enumerate();
    named.map(|(idx, &direction)| Objective { name: name(idx), direction }).collect()
}

fn name_list(names: &Json) -> Option<Vec<&str>> {
    Some(names.as_array()?.iter().map(|name| name.as_str().unwrap_or_default()).collect())
}

/// The states' names, in the order in which they are counted and shown.
pub(crate) const STATES: [&str; 5] = ["waiting", "running", "complete", "pruned", "failed"];

/// Position of a state in [`STATES`].
pub(crate) fn state_idx(state: &TrialState) -> usize {
    match state {
        TrialState::Waiting => 0,
        TrialState::Running => 1,
        TrialState::Complete { .. } => 2,
        TrialState::Pruned { .. } => 3,
        TrialState::Failed => 4,
    }
}

pub(crate) fn state_name(state: &TrialState) -> &'static str {
    STATES[state_idx(state)]
}

/// One for each objective, of a trial that has any.
pub(crate) fn values(trial: &TrialRecord) -> &[f64] {
    match &trial.state {
        TrialState::Complete { values } | TrialState::Pruned { values } => values,
        _ => &[],
    }
}

/// The trial's cost by one objective, if the trial is complete, feasible and the number is one: such a trial may be best.
pub(crate) fn eligible_cost(trial: &TrialRecord, objective: usize, direction: Direction) -> Option<f64> {
    let value = *trial.state.complete_values()?.get(objective)?;
    (!value.is_nan() && trial.is_feasible()).then(|| direction.cost(value))
}

/// Positions of the trials that no other one beats in every objective: one for a single objective, the first among
/// equals; for several all of the Pareto front.
pub(crate) fn best(objectives: &[Objective], trials: &[TrialRecord]) -> Vec<usize> {
    match objectives {
        [only] => {
            let costs = trials.iter().enumerate();
            let costs =
                costs.filter_map(|(idx, trial)| Some((eligible_cost(trial, 0, only.direction)?, idx)));
            costs.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, idx)| idx).into_iter().collect()
        }
        _ => super::front::front(objectives, trials),
    }
}
