//! Accuracy against what a network costs.

use serde::Deserialize;
use serde_json::Value as Json;
use spec::{Direction, TrialRecord};

use crate::studies::front::Entry;
use crate::studies::objective::Objective;

/// What a network costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cost {
    #[default]
    Parameters,
    MultiplyAdds,
}

impl Cost {
    fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::MultiplyAdds => "multiply_adds",
        }
    }

    /// The cost as an objective and the search's own.
    pub(crate) fn objectives(self, own: &Objective) -> [Objective; 2] {
        [Objective { name: self.name().into(), direction: Direction::Minimize }, own.clone()]
    }

    /// The whole trials of which the cost is known.
    pub(crate) fn entries(self, trials: &[TrialRecord]) -> Vec<Entry> {
        let key = format!("danlu:{}", self.name());
        let entry = |trial: &TrialRecord| {
            let value = *trial.state.complete_values()?.first()?;
            let cost = trial.user_attributes.get(&key).and_then(Json::as_f64)?;
            Some(Entry { number: trial.number, values: vec![cost, value], feasible: trial.is_feasible() })
        };
        trials.iter().filter_map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::front::pareto;
    use crate::studies::made_up::complete;
    use serde_json::json;

    #[test]
    fn a_front_is_of_networks_whose_cost_is_known() {
        let own = Objective { name: "accuracy".into(), direction: Direction::Maximize };
        let of = |number: u64, value: f64, parameters: Option<u64>| {
            let mut trial = complete(number, &[value]);
            let known = parameters.map(|n| ("danlu:parameters".to_owned(), json!(n)));
            trial.user_attributes.extend(known);
            trial
        };
        let trials =
            [of(0, 0.9, Some(1000)), of(1, 0.8, Some(2000)), of(2, 0.5, Some(100)), of(3, 0.99, None)];
        let objectives = Cost::Parameters.objectives(&own);
        let found = pareto(&objectives, &Cost::Parameters.entries(&trials), 100);
        assert_eq!((&found.number[..], &found.on_front[..]), (&[0, 1, 2][..], &[true, false, true][..]));
        assert!(Cost::MultiplyAdds.entries(&trials).is_empty());
    }
}
