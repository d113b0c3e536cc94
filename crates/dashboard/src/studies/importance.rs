//! How much each parameter decides, by the crate `search`.

use search::{Dimension, History, Observation, Outcome, Space};
use serde::Serialize;
use spec::{Category, Domain, FloatDomain, IntDomain, ParamValue, Scale, TrialRecord, TrialState};

use super::axis::{Axis, Kind, axes};
use super::objective::{Objective, values};

/// `GET /api/studies/ID/importance`
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Importance {
    /// Trials that it was computed of: whole, pruned and allowed ones.
    pub(crate) n: usize,
    /// The largest first; none where too few trials tell.
    pub(crate) importance: Vec<Share>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Share {
    pub(crate) name: String,
    /// All of them sum to 1.
    pub(crate) share: f64,
}

/// The importance for one objective. The space is made of what the trials say, so that it is there for any study.
pub(crate) fn importance(objective: &Objective, idx: usize, trials: &[TrialRecord]) -> Importance {
    let axes: Vec<(Axis, Domain)> =
        axes(trials).into_iter().filter_map(|axis| domain(&axis).map(|domain| (axis, domain))).collect();
    let dimension = |(axis, domain): &(Axis, Domain)| Dimension::new(&axis.name, domain.clone());
    let none = Importance { n: 0, importance: Vec::new() };
    let Ok(space) = Space::new(axes.iter().map(dimension).collect()) else { return none };
    let mut history = History::new(space, vec![objective.direction]);
    let observed = trials.iter().filter_map(|trial| observation(objective, idx, trial, &axes));
    observed.for_each(|observation| history.insert(observation));
    let is_told = |(name, share): (String, f64)| (share > 0.0).then_some(Share { name, share });
    Importance {
        n: history.observations().len(),
        importance: search::importance(&history).into_iter().filter_map(is_told).collect(),
    }
}

/// `None` of a trial that tells nothing: it waits, runs or failed, has no such value, or is not allowed.
fn observation(
    objective: &Objective,
    idx: usize,
    trial: &TrialRecord,
    axes: &[(Axis, Domain)],
) -> Option<Observation> {
    let costs = vec![objective.direction.cost(*values(trial).get(idx)?)];
    let outcome = match trial.state {
        TrialState::Complete { .. } => Outcome::Complete(costs),
        _ => Outcome::Pruned(costs),
    };
    let value = |(axis, domain): &(Axis, Domain)| {
        let position = axis.position(trial.params.get(&axis.name)?)?;
        let value = match axis.kind {
            Kind::Float => ParamValue::Float(position),
            Kind::Int => ParamValue::Int(position as i64),
            Kind::Categorical => ParamValue::Category(position as usize),
        };
        domain.contains(value).then_some(value)
    };
    let intermediate = trial.intermediate.iter().map(|(&step, &x)| (step, objective.direction.cost(x)));
    trial.is_feasible().then(|| Observation {
        number: trial.number,
        outcome,
        point: axes.iter().map(value).collect(),
        intermediate: intermediate.collect(),
        violation: 0.0,
        attempt: None,
        is_reused: false,
    })
}

/// What all trials' domains have room in; `None` where that is no domain.
fn domain(axis: &Axis) -> Option<Domain> {
    let scale = if axis.log { Scale::Log } else { Scale::Linear };
    let range = || axis.low.zip(axis.high);
    match axis.kind {
        Kind::Float => {
            let (low, high) = range()?;
            let is_fine = (high - low).is_finite() && (!axis.log || low > 0.0);
            is_fine.then_some(Domain::Float(FloatDomain { low, high, scale, step: axis.step }))
        }
        Kind::Int => {
            let (low, high) = range()?;
            let is_fine = !axis.log || low >= 1.0;
            let step = axis.step.map_or(1, |step| step as i64);
            is_fine.then_some(Domain::Int(IntDomain { low: low as i64, high: high as i64, scale, step }))
        }
        Kind::Categorical => {
            let labels = axis.categories.as_deref().unwrap_or_default();
            let domain = labels.iter().cloned().map(Category::Text).collect();
            (!labels.is_empty()).then_some(Domain::Categorical(domain))
        }
    }
}

#[cfg(test)]
mod tests {
    use spec::Direction;

    use super::*;
    use crate::studies::made_up::{category, complete, constrained, float, int, trial};

    #[test]
    fn what_decides_comes_first_for_each_objective() {
        let objective = |direction| Objective { name: "value".into(), direction };
        let mut trials: Vec<TrialRecord> = (0..60)
            .map(|number| {
                let (x, y) = (number % 10, number % 7);
                let mut trial = complete(number, &[x as f64, y as f64]);
                let is_odd = (number % 2) as usize;
                trial.params = [
                    float("x", x as f64, (0.0, 10.0, false)),
                    int("y", y as i64, (0, 6)),
                    category("z", is_odd, &["a", "b"]),
                ]
                .into();
                trial
            })
            .collect();
        trials.push(constrained(60, &[-100.0, 0.0], &[1.0]));
        trials.push(trial(61));
        for (idx, name, direction) in [(0, "x", Direction::Minimize), (1, "y", Direction::Maximize)] {
            let found = importance(&objective(direction), idx, &trials);
            assert_eq!((found.n, &found.importance[0].name[..]), (60, name));
            let sum: f64 = found.importance.iter().map(|one| one.share).sum();
            assert!((sum - 1.0).abs() < 1e-9 && found.importance[0].share > 0.5, "{found:?}");
        }
        let few = importance(&objective(Direction::Minimize), 0, &trials[..5]);
        assert_eq!(few, Importance { n: 5, importance: vec![] });
        assert_eq!(importance(&objective(Direction::Minimize), 0, &[]).importance, []);
    }
}
