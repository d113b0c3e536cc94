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

/// A trial as a point of the chart.
pub(crate) struct Entry {
    pub(crate) number: u64,
    /// One for each objective.
    pub(crate) values: Vec<f64>,
    pub(crate) feasible: bool,
}

/// The trials that have all objectives.
pub(crate) fn entries(objectives: &[Objective], trials: &[TrialRecord]) -> Vec<Entry> {
    let entry = |trial: &TrialRecord| {
        let values = trial.state.complete_values()?.get(..objectives.len())?.to_vec();
        Some(Entry { number: trial.number, values, feasible: trial.is_feasible() })
    };
    trials.iter().filter_map(entry).collect()
}

/// At most `points` of the entries, those of the front first.
pub(crate) fn pareto<'a>(objectives: &'a [Objective], entries: &[Entry], points: usize) -> Front<'a> {
    let costs = entries.iter().map(|entry| entry.costs(objectives));
    let front = undominated(costs);
    let kept = thinned(entries.len(), points, front.iter().copied());
    let column = |objective: usize| kept.iter().map(|&idx| entries[idx].values[objective]).collect();
    Front {
        objectives,
        n: entries.len(),
        n_front: front.len(),
        number: kept.iter().map(|&idx| entries[idx].number).collect(),
        values: (0..objectives.len()).map(column).collect(),
        feasible: kept.iter().map(|&idx| entries[idx].feasible).collect(),
        on_front: kept.iter().map(|idx| front.binary_search(idx).is_ok()).collect(),
    }
}

impl Entry {
    /// `None` for what cannot be on the front.
    fn costs(&self, objectives: &[Objective]) -> Option<Vec<f64>> {
        let is_number = self.values.iter().all(|value| !value.is_nan());
        let costs = objectives.iter().zip(&self.values).map(|(one, &value)| one.direction.cost(value));
        (self.feasible && is_number).then(|| costs.collect())
    }
}

/// Positions of the feasible, complete trials that no other one dominates, in their order.
pub(crate) fn front(objectives: &[Objective], trials: &[TrialRecord]) -> Vec<usize> {
    undominated(trials.iter().map(|trial| {
        let each = objectives.iter().enumerate();
        each.map(|(at, objective)| eligible_cost(trial, at, objective.direction)).collect()
    }))
}

/// Positions of the costs that no others dominate, in their order.
fn undominated(all: impl Iterator<Item = Option<Vec<f64>>>) -> Vec<usize> {
    let known = all.enumerate().filter_map(|(idx, costs)| Some((costs?, idx)));
    let mut sorted: Vec<(Vec<f64>, usize)> = known.collect();
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
        let found = pareto(&objectives, &entries(&objectives, &trials), 100);
        assert_eq!((found.n, found.n_front), (7, 4));
        assert_eq!(found.number, [0, 1, 2, 3, 6, 7, 8]);
        assert_eq!(found.on_front, [true, false, true, false, true, false, true]);
        assert_eq!(found.feasible, [true, true, true, false, true, true, true]);
        assert_eq!(found.values[1][2], 50.0);
        assert!(pareto(&objectives, &[], 10).number.is_empty());
    }
}
