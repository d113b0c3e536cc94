//! Trials of a study with several objectives, and those that nothing beats.

use std::cmp::Ordering;

use serde::Serialize;
use spec::TrialRecord;

use super::objective::{Objective, eligible_cost};
use super::thinning::thinned;

/// `GET /api/studies/ID/front`
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Front<'a> {
    pub(crate) objectives: &'a [Objective],
    /// Complete trials, of which `number` has some.
    pub(crate) n: usize,
    pub(crate) n_front: usize,
    pub(crate) number: Vec<u64>,
    /// A column for each objective.
    pub(crate) values: Vec<Vec<f64>>,
    pub(crate) feasible: Vec<bool>,
    pub(crate) on_front: Vec<bool>,
}

/// At most `points` trials, those of the front first.
pub(crate) fn pareto<'a>(objectives: &'a [Objective], trials: &[TrialRecord], points: usize) -> Front<'a> {
    let front = front(objectives, trials);
    let complete: Vec<usize> = (0..trials.len()).filter(|&idx| has_all(objectives, &trials[idx])).collect();
    let at = |idx: &usize| complete.binary_search(idx).ok();
    let kept = thinned(complete.len(), points, front.iter().filter_map(at));
    let kept: Vec<usize> = kept.into_iter().map(|at| complete[at]).collect();
    let value = |idx: usize, objective: usize| {
        trials[idx].state.complete_values().map_or(f64::NAN, |values| values[objective])
    };
    let column = |objective: usize| kept.iter().map(|&idx| value(idx, objective)).collect();
    Front {
        objectives,
        n: complete.len(),
        n_front: front.len(),
        number: kept.iter().map(|&idx| trials[idx].number).collect(),
        values: (0..objectives.len()).map(column).collect(),
        feasible: kept.iter().map(|&idx| trials[idx].is_feasible()).collect(),
        on_front: kept.iter().map(|idx| front.binary_search(idx).is_ok()).collect(),
    }
}

fn has_all(objectives: &[Objective], trial: &TrialRecord) -> bool {
    trial.state.complete_values().is_some_and(|values| values.len() >= objectives.len())
}

/// Positions of the feasible, complete trials that no other one dominates, in their order.
pub(crate) fn front(objectives: &[Objective], trials: &[TrialRecord]) -> Vec<usize> {
    let costs = |idx: usize| -> Option<(Vec<f64>, usize)> {
        let each = objectives.iter().enumerate();
        let costs: Option<Vec<f64>> =
            each.map(|(at, objective)| eligible_cost(&trials[idx], at, objective.direction)).collect();
        Some((costs?, idx))
    };
    let mut sorted: Vec<(Vec<f64>, usize)> = (0..trials.len()).filter_map(costs).collect();
    // Whatever dominates a trial comes before it in this order.
    sorted.sort_by(|(a, at), (b, bt)| lexical(a, b).then(at.cmp(bt)));
    let mut front: Vec<(Vec<f64>, usize)> = Vec::new();
    for (costs, idx) in sorted {
        if !front.iter().any(|(other, _)| dominates(other, &costs)) {
            front.push((costs, idx));
        }
    }
    let mut front: Vec<usize> = front.into_iter().map(|(_, idx)| idx).collect();
    front.sort_unstable();
    front
}

fn lexical(a: &[f64], b: &[f64]) -> Ordering {
    a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

#[cfg(test)]
mod tests {
    use spec::Direction::{Maximize, Minimize};

    use super::*;
    use crate::studies::made_up::{complete, constrained, trial};

    #[test]
    fn the_front_is_what_nothing_allowed_beats() {
        let objectives = [("accuracy", Maximize), ("bytes", Minimize)]
            .map(|(name, direction)| Objective { name: name.into(), direction });
        let trials = [
            complete(0, &[0.9, 100.0]),
            complete(1, &[0.8, 100.0]),
            complete(2, &[0.8, 50.0]),
            constrained(3, &[1.0, 1.0], &[0.5]),
            trial(4),
            complete(5, &[0.95]),
            complete(6, &[0.8, 50.0]),
            complete(7, &[f64::NAN, 1.0]),
            complete(8, &[0.85, 70.0]),
        ];
        let found = pareto(&objectives, &trials, 100);
        assert_eq!((found.n, found.n_front), (7, 4));
        assert_eq!(found.number, [0, 1, 2, 3, 6, 7, 8]);
        assert_eq!(found.on_front, [true, false, true, false, true, false, true]);
        assert_eq!(found.feasible, [true, true, true, false, true, true, true]);
        assert_eq!(found.values[1][2], 50.0);
        assert!(pareto(&objectives, &[], 10).number.is_empty());
    }
}
