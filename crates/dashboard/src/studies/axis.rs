//! A parameter as an axis of a chart, made of what all trials say of it: other programs need not have the same domain in
//! each trial.

use std::collections::BTreeMap;

use serde::Serialize;
use spec::{Domain, Param, ParamValue, Scale, TrialRecord};

/// What a parameter is over all trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) log: bool,
    /// Smallest and largest that any domain allows.
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    /// From one value to the next, of all trials' domains.
    #[serde(skip)]
    pub(crate) step: Option<f64>,
    /// What a categorical one can be, as text, in the order in which it was met.
    pub(crate) categories: Option<Vec<String>>,
    /// Trials that have it.
    pub(crate) n: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Float,
    Int,
    Categorical,
}

impl Axis {
    fn of(name: &str, domain: &Domain) -> Self {
        let (kind, log, range) = match domain {
            Domain::Float(float) => (Kind::Float, float.scale == Scale::Log, Some((float.low, float.high))),
            Domain::Int(int) => (Kind::Int, int.scale == Scale::Log, Some((int.low as f64, int.high as f64))),
            Domain::Categorical(_) => (Kind::Categorical, false, None),
        };
        let step = match domain {
            Domain::Float(float) => float.step,
            Domain::Int(int) => Some(int.step as f64),
            Domain::Categorical(_) => None,
        };
        let categories = matches!(kind, Kind::Categorical).then(Vec::new);
        let [low, high] = [range.map(|(low, _)| low), range.map(|(_, high)| high)];
        Self { name: name.into(), kind, log, low, high, step, categories, n: 0 }
    }

    /// Takes in one more trial's.
    fn widen(&mut self, param: &Param) {
        let one = Self::of(&self.name, &param.domain);
        self.n += 1;
        self.log &= one.log;
        // Steps from another beginning meet other values.
        self.step = self.step.filter(|_| (self.step, self.low) == (one.step, one.low));
        self.low = both(self.low, one.low, f64::min);
        self.high = both(self.high, one.high, f64::max);
        self.kind = match (self.kind, one.kind) {
            (Kind::Categorical, _) | (_, Kind::Categorical) => Kind::Categorical,
            (Kind::Int, Kind::Int) => Kind::Int,
            _ => Kind::Float,
        };
        if self.kind == Kind::Categorical {
            let known = self.categories.get_or_insert_default();
            let label = param.domain.show(param.value);
            match &param.domain {
                Domain::Categorical(all) if known.len() < all.len() || !known.contains(&label) => {
                    let labels = all.iter().map(ToString::to_string).chain([label]);
                    labels.for_each(|label| add(known, label));
                }
                _ => add(known, label),
            }
        }
    }

    /// Where a value stands on it: the number itself, or the position of the category.
    pub(crate) fn position(&self, param: &Param) -> Option<f64> {
        match (&self.categories, param.value) {
            (Some(labels), _) if self.kind == Kind::Categorical => {
                let label = param.domain.show(param.value);
                labels.iter().position(|known| *known == label).map(|idx| idx as f64)
            }
            (_, ParamValue::Float(x)) => Some(x).filter(|x| x.is_finite()),
            (_, ParamValue::Int(x)) => Some(x as f64),
            (_, ParamValue::Category(_)) => None,
        }
    }
}

fn add(known: &mut Vec<String>, label: String) {
    if !known.contains(&label) {
        known.push(label);
    }
}

fn both(a: Option<f64>, b: Option<f64>, of: fn(f64, f64) -> f64) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(of(a, b)),
        _ => a.or(b),
    }
}

/// The parameters of all trials by name.
pub(crate) fn axes(trials: &[TrialRecord]) -> Vec<Axis> {
    let mut found: BTreeMap<&str, Axis> = BTreeMap::new();
    for (name, param) in trials.iter().flat_map(|trial| &trial.params) {
        let axis = found.entry(name).or_insert_with(|| Axis::of(name, &param.domain));
        axis.widen(param);
    }
    // A category's position is looked up by text; an axis that turned categorical knows the earlier numbers' texts too.
    for axis in found.values_mut().filter(|axis| axis.kind == Kind::Categorical) {
        let labels = trials.iter().filter_map(|trial| trial.params.get(&axis.name));
        let labels = labels.filter(|param| !matches!(param.domain, Domain::Categorical(_)));
        let labels: Vec<String> = labels.map(|param| param.domain.show(param.value)).collect();
        let known = axis.categories.get_or_insert_default();
        labels.into_iter().for_each(|label| add(known, label));
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::made_up::{category, float, int, trial};

    #[test]
    fn an_axis_has_room_for_what_any_trial_had() {
        let mut trials: Vec<_> = (0..4).map(trial).collect();
        trials[0].params = [float("rate", 0.1, (0.01, 1.0, true)), int("n", 3, (1, 4))].into();
        trials[1].params =
            [float("rate", 0.001, (0.0001, 0.5, true)), category("how", 1, &["a", "b"])].into();
        trials[2].params = [category("how", 0, &["c", "b"]), int("mixed", 7, (1, 9))].into();
        trials[3].params = [category("mixed", 0, &["many"])].into();
        let found = axes(&trials);
        let names: Vec<_> = found.iter().map(|axis| (axis.name.as_str(), axis.kind, axis.n)).collect();
        let expected = [
            ("how", Kind::Categorical, 2),
            ("mixed", Kind::Categorical, 2),
            ("n", Kind::Int, 1),
            ("rate", Kind::Float, 2),
        ];
        assert_eq!(names, expected);
        assert_eq!(found[0].categories.as_deref().unwrap(), ["a", "b", "c"]);
        assert_eq!((found[3].low, found[3].high, found[3].log), (Some(0.0001), Some(1.0), true));
        let positions = trials
            .iter()
            .flat_map(|trial| &trial.params)
            .map(|(name, param)| found.iter().find(|axis| axis.name == *name).unwrap().position(param));
        let positions: Vec<_> = positions.map(Option::unwrap).collect();
        assert_eq!(positions, [3.0, 0.1, 1.0, 0.001, 2.0, 1.0, 0.0]);
    }

    #[test]
    fn an_axis_has_the_step_that_all_trials_have() {
        let every = |step: i64, low: i64| {
            let (mut trial, (name, mut param)) = (trial(0), int("n", low, (low, low + 4 * step)));
            if let Domain::Int(domain) = &mut param.domain {
                domain.step = step;
            }
            trial.params = [(name, param)].into();
            trial
        };
        let step = |trials: &[TrialRecord]| axes(trials)[0].step;
        assert_eq!(step(&[every(2, 0), every(2, 0)]), Some(2.0));
        assert_eq!(step(&[every(2, 0), every(1, 0)]), None);
        assert_eq!(step(&[every(2, 0), every(2, 1), every(2, 0)]), None, "they meet other values");
    }
}
