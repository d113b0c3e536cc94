//! What trials gave on their way.

use std::cmp::Ordering;

use serde::Serialize;
use spec::{TrialRecord, TrialState};

use super::objective::{Objective, eligible_cost, state_name};
use super::thinning::{evenly, thinned};

/// Steps of a curve at most.
const MAX_STEPS: usize = 100;

/// `GET /api/studies/ID/intermediate`
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Intermediate<'a> {
    pub(crate) objective: &'a Objective,
    /// Trials with a curve, of which `curves` has some.
    pub(crate) n: usize,
    pub(crate) curves: Vec<Curve>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Curve {
    pub(crate) number: u64,
    pub(crate) state: &'static str,
    /// From 0, the best, over the complete ones of all trials; `None` for others.
    pub(crate) rank: Option<usize>,
    pub(crate) step: Vec<u64>,
    /// `null` where it was infinite or no number.
    pub(crate) value: Vec<f64>,
}

/// At most `n_curves` curves: those that run and the best first.
pub(crate) fn intermediate<'a>(
    objective: &'a Objective,
    trials: &[TrialRecord],
    n_curves: usize,
) -> Intermediate<'a> {
    let shown: Vec<&TrialRecord> = trials.iter().filter(|trial| !trial.intermediate.is_empty()).collect();
    let cost = |trial: &TrialRecord| eligible_cost(trial, 0, objective.direction);
    let mut ranked: Vec<usize> = (0..shown.len()).filter(|&at| cost(shown[at]).is_some()).collect();
    ranked.sort_by(|&a, &b| {
        cost(shown[a]).partial_cmp(&cost(shown[b])).unwrap_or(Ordering::Equal).then(a.cmp(&b))
    });
    let running = (0..shown.len()).rev().filter(|&at| shown[at].state == TrialState::Running);
    let first = running.take(n_curves / 8).chain(ranked.iter().copied());
    let kept = thinned(shown.len(), n_curves, first);
    let mut rank = vec![None; shown.len()];
    ranked.iter().enumerate().for_each(|(place, &at)| rank[at] = Some(place));
    let curves = kept.into_iter().map(|at| curve(shown[at], rank[at], MAX_STEPS)).collect();
    Intermediate { objective, n: shown.len(), curves }
}

/// A trial's curve, of at most `max_steps` steps.
pub(crate) fn curve(trial: &TrialRecord, rank: Option<usize>, max_steps: usize) -> Curve {
    let all: Vec<(u64, f64)> = trial.intermediate.iter().map(|(&step, &value)| (step, value)).collect();
    let kept: Vec<(u64, f64)> = evenly(all.len(), max_steps).map(|at| all[at]).collect();
    Curve {
        number: trial.number,
        state: state_name(&trial.state),
        rank,
        step: kept.iter().map(|&(step, _)| step).collect(),
        value: kept.iter().map(|&(_, value)| value).collect(),
    }
}

#[cfg(test)]
mod tests {
    use spec::Direction;

    use super::*;
    use crate::studies::made_up::{complete, trial};

    #[test]
    fn the_best_and_the_running_curves_are_among_the_thinned() {
        let objective = Objective { name: "accuracy".into(), direction: Direction::Maximize };
        let value = |number: u64| if number == 777 { 2.0 } else { 1.0 / (1 + number) as f64 };
        let mut trials: Vec<_> = (0..3000).map(|number| complete(number, &[value(number)])).collect();
        for trial in &mut trials {
            trial.intermediate = (1..=200).map(|step| (step, step as f64)).collect();
        }
        trials.push(TrialRecord {
            state: TrialState::Running,
            intermediate: [(1, f64::NAN)].into(),
            ..trial(3000)
        });
        trials.push(trial(3001));
        let found = intermediate(&objective, &trials, 40);
        assert_eq!((found.n, found.curves.len()), (3001, 40));
        let best = found.curves.iter().find(|curve| curve.number == 777).unwrap();
        assert_eq!((best.rank, best.step.len(), best.step[0], best.step[99]), (Some(0), 100, 1, 200));
        let last = found.curves.last().unwrap();
        assert_eq!((last.number, last.state, last.rank), (3000, "running", None));
        assert!(serde_json::to_value(last).unwrap()["value"][0].is_null());
    }
}
