//! The value of each trial, and the best so far.

use serde::Serialize;
use spec::{TrialRecord, TrialState};

use super::objective::{Objective, eligible_cost, state_name, values};
use super::thinning::{evenly, thinned};

/// `GET /api/studies/ID/history`: a column for each number.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct History<'a> {
    pub(crate) objective: &'a Objective,
    /// Trials that have a value or failed, of which `number` has some.
    pub(crate) n: usize,
    pub(crate) number: Vec<u64>,
    /// `null` for a failed trial, and for what is infinite or no number.
    pub(crate) value: Vec<f64>,
    pub(crate) state: Vec<&'static str>,
    pub(crate) feasible: Vec<bool>,
    /// Where the best so far becomes better.
    pub(crate) best_number: Vec<u64>,
    pub(crate) best_value: Vec<f64>,
    /// The last trial's number.
    pub(crate) last: Option<u64>,
}

/// At most `points` trials and as many steps of the best; all of them where they are fewer.
pub(crate) fn history<'a>(
    objective: &'a Objective,
    idx: usize,
    trials: &[TrialRecord],
    points: usize,
) -> History<'a> {
    let shown: Vec<&TrialRecord> = trials.iter().filter(|trial| is_shown(trial, idx)).collect();
    let better = improvements(objective, idx, &shown);
    let steps: Vec<(usize, f64)> = evenly(better.len(), points).map(|at| better[at]).collect();
    // The latest improvements are those that a reader looks for.
    let kept = thinned(shown.len(), points, better.iter().rev().map(|&(at, _)| at));
    let kept: Vec<&TrialRecord> = kept.into_iter().map(|at| shown[at]).collect();
    let value = |trial: &&TrialRecord| values(trial).get(idx).copied().unwrap_or(f64::NAN);
    History {
        objective,
        n: shown.len(),
        number: kept.iter().map(|trial| trial.number).collect(),
        value: kept.iter().map(value).collect(),
        state: kept.iter().map(|trial| state_name(&trial.state)).collect(),
        feasible: kept.iter().map(|trial| trial.is_feasible()).collect(),
        best_number: steps.iter().map(|&(at, _)| shown[at].number).collect(),
        best_value: steps.iter().map(|&(_, value)| value).collect(),
        last: trials.last().map(|trial| trial.number),
    }
}

fn is_shown(trial: &TrialRecord, idx: usize) -> bool {
    matches!(trial.state, TrialState::Failed) || values(trial).len() > idx
}

/// Positions and values of the trials that were the best when they came, by their numbers.
fn improvements(objective: &Objective, idx: usize, shown: &[&TrialRecord]) -> Vec<(usize, f64)> {
    let mut least = f64::INFINITY;
    let mut better = Vec::new();
    for (at, trial) in shown.iter().enumerate() {
        if let Some(cost) = eligible_cost(trial, idx, objective.direction).filter(|&cost| cost < least) {
            least = cost;
            better.push((at, values(trial)[idx]));
        }
    }
    better
}

#[cfg(test)]
mod tests {
    use spec::Direction;

    use super::*;
    use crate::studies::made_up::{complete, constrained, trial};

    #[test]
    fn the_best_so_far_is_of_whole_and_allowed_trials() {
        let objective = Objective { name: "accuracy".into(), direction: Direction::Maximize };
        let pruned = TrialRecord { state: TrialState::Pruned { values: vec![0.99] }, ..trial(2) };
        let failed = TrialRecord { state: TrialState::Failed, ..trial(3) };
        let trials = [
            complete(0, &[0.5]),
            complete(1, &[0.4]),
            pruned,
            failed,
            constrained(4, &[0.9], &[1.0]),
            complete(5, &[f64::NEG_INFINITY]),
            complete(6, &[0.7]),
            trial(7),
            TrialRecord { state: TrialState::Pruned { values: vec![] }, ..trial(8) },
        ];
        let found = history(&objective, 0, &trials, 100);
        assert_eq!((found.n, &found.number[..], found.last), (7, &[0, 1, 2, 3, 4, 5, 6][..], Some(8)));
        assert_eq!(found.state[2..4], ["pruned", "failed"]);
        assert_eq!((found.feasible[4], found.feasible[6]), (false, true));
        assert_eq!((&found.best_number[..], &found.best_value[..]), (&[0, 6][..], &[0.5, 0.7][..]));
        let json = serde_json::to_value(&found).unwrap();
        assert!(json["value"][3].is_null() && json["value"][5].is_null(), "{json}");
        assert_eq!(history(&objective, 1, &trials, 100).number, [3]);
        assert_eq!(history(&objective, 0, &[], 100).last, None);
    }

    #[test]
    fn ten_thousand_trials_are_thinned_but_for_the_latest_improvements() {
        let objective = Objective { name: "loss".into(), direction: Direction::Minimize };
        let trials: Vec<_> = (0..10_000).map(|n| complete(n, &[1.0 / (n + 1) as f64])).collect();
        let found = history(&objective, 0, &trials, 1000);
        assert_eq!((found.n, found.number.len(), found.best_number.len()), (10_000, 1000, 1000));
        assert_eq!((found.best_number[0], *found.best_number.last().unwrap()), (0, 9999));
        assert!((9_800..10_000).all(|number| found.number.contains(&number)));
    }
}
