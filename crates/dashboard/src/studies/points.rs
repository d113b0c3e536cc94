//! Parameters and values of trials as columns, of which the page draws parallel coordinates, slices and contours.

use std::cmp::Ordering;

use serde::Serialize;
use spec::TrialRecord;

use super::axis::{Axis, axes};
use super::objective::{Objective, eligible_cost};
use super::thinning::thinned;

/// Parameters that are sent at most.
const MAX_AXES: usize = 64;

/// `GET /api/studies/ID/parallel`
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Points<'a> {
    pub(crate) objective: &'a Objective,
    /// Complete trials with a finite value, of which `number` has some.
    pub(crate) n: usize,
    pub(crate) number: Vec<u64>,
    pub(crate) value: Vec<f64>,
    pub(crate) feasible: Vec<bool>,
    /// Parameters of the study, of which `axes` has the first.
    pub(crate) n_axes: usize,
    pub(crate) axes: Vec<Column>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Column {
    pub(crate) axis: Axis,
    /// A number, or the position among the categories; `null` where the trial has none.
    pub(crate) values: Vec<Option<f64>>,
}

/// At most `points` trials, the best first.
pub(crate) fn points<'a>(
    objective: &'a Objective,
    idx: usize,
    trials: &[TrialRecord],
    points: usize,
) -> Points<'a> {
    let value =
        |trial: &TrialRecord| trial.state.complete_values().and_then(|values| values.get(idx).copied());
    let is_finite = |trial: &&TrialRecord| value(trial).is_some_and(f64::is_finite);
    let shown: Vec<&TrialRecord> = trials.iter().filter(is_finite).collect();
    let cost = |at: usize| eligible_cost(shown[at], idx, objective.direction).unwrap_or(f64::INFINITY);
    let mut ranked: Vec<usize> = (0..shown.len()).collect();
    ranked.sort_by(|&a, &b| cost(a).partial_cmp(&cost(b)).unwrap_or(Ordering::Equal).then(a.cmp(&b)));
    let kept: Vec<&TrialRecord> =
        thinned(shown.len(), points, ranked).into_iter().map(|at| shown[at]).collect();
    let all = axes(trials);
    Points {
        objective,
        n: shown.len(),
        number: kept.iter().map(|trial| trial.number).collect(),
        value: kept.iter().map(|trial| value(trial).unwrap_or(f64::NAN)).collect(),
        feasible: kept.iter().map(|trial| trial.is_feasible()).collect(),
        n_axes: all.len(),
        axes: all.into_iter().take(MAX_AXES).map(|axis| column(axis, &kept)).collect(),
    }
}

fn column(axis: Axis, trials: &[&TrialRecord]) -> Column {
    let position = |trial: &&TrialRecord| axis.position(trial.params.get(&axis.name)?);
    let values = trials.iter().map(position).collect();
    Column { axis, values }
}

#[cfg(test)]
mod tests {
    use spec::Direction;

    use super::*;
    use crate::studies::made_up::{category, complete, float, trial};

    #[test]
    fn columns_have_a_place_for_each_trial_that_is_whole() {
        let objective = Objective { name: "loss".into(), direction: Direction::Minimize };
        let mut trials = vec![
            complete(0, &[1.0]),
            complete(1, &[f64::INFINITY]),
            trial(2),
            complete(3, &[0.5]),
            complete(4, &[]),
        ];
        trials[0].params =
            [float("momentum", 0.9, (0.0, 1.0, false)), category("with", 0, &["sgd", "adam"])].into();
        trials[2].params = [float("only", 0.1, (0.0, 1.0, false))].into();
        trials[3].params = [category("with", 1, &["sgd", "adam"])].into();
        let found = points(&objective, 0, &trials, 10);
        assert_eq!((found.n, &found.number[..], &found.value[..]), (2, &[0, 3][..], &[1.0, 0.5][..]));
        let columns: Vec<_> =
            found.axes.iter().map(|column| (&column.axis.name[..], &column.values[..])).collect();
        let expected: [(&str, &[Option<f64>]); 3] =
            [("momentum", &[Some(0.9), None]), ("only", &[None, None]), ("with", &[Some(0.0), Some(1.0)])];
        assert_eq!(columns, expected);
        assert_eq!(points(&objective, 3, &trials, 10).n, 0);
    }

    #[test]
    fn the_best_are_among_the_thinned() {
        let objective = Objective { name: "loss".into(), direction: Direction::Minimize };
        let value = |number: u64| if number % 1000 == 999 { 0.0 } else { 1.0 };
        let trials: Vec<_> = (0..10_000).map(|number| complete(number, &[value(number)])).collect();
        let found = points(&objective, 0, &trials, 100);
        assert_eq!(found.number.len(), 100);
        assert_eq!(found.value.iter().filter(|&&value| value == 0.0).count(), 10);
    }
}
