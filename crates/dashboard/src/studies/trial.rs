//! One trial with all that is known of it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use spec::{Domain, Param, ParamValue, Scale, TrialRecord};

use super::intermediate::{Curve, curve};
use super::number::{Number, numbers};
use super::objective::{Objective, state_name, values};
use super::table::{failure, seconds};
use super::timeline::worker;

/// Steps of the curve at most.
const MAX_STEPS: usize = 2000;

/// `GET /api/studies/ID/trials/NUMBER`
#[derive(Debug, Serialize)]
pub(crate) struct TrialDetails<'a> {
    pub(crate) number: u64,
    pub(crate) state: &'static str,
    pub(crate) objectives: &'a [Objective],
    pub(crate) values: Vec<Number>,
    pub(crate) constraints: Vec<Number>,
    pub(crate) feasible: bool,
    pub(crate) params: Vec<ParamJson<'a>>,
    pub(crate) curve: Curve,
    pub(crate) started_ms: Option<i64>,
    pub(crate) completed_ms: Option<i64>,
    pub(crate) seconds: Option<f64>,
    pub(crate) worker: String,
    pub(crate) duplicate_of: Option<u64>,
    pub(crate) failure: Option<&'a str>,
    pub(crate) user_attributes: &'a BTreeMap<String, Json>,
    pub(crate) system_attributes: &'a BTreeMap<String, Json>,
    /// The name under which the run's page shows its folder, where it has one.
    pub(crate) run: Option<String>,
    /// Whether that run has begun.
    pub(crate) has_record: bool,
    /// How many trials the study has.
    pub(crate) n_trials: usize,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct ParamJson<'a> {
    pub(crate) name: &'a str,
    /// A number where it is one, else text.
    pub(crate) value: Json,
    /// `0.001 … 0.1, log`
    pub(crate) domain: String,
}

/// All of it; `run` is where its folder is shown.
pub(crate) fn details<'a>(
    objectives: &'a [Objective],
    trial: &'a TrialRecord,
    n_trials: usize,
    run: Option<String>,
    has_record: bool,
) -> TrialDetails<'a> {
    TrialDetails {
        number: trial.number,
        state: state_name(&trial.state),
        objectives,
        values: numbers(values(trial)),
        constraints: numbers(&trial.constraints()),
        feasible: trial.is_feasible(),
        params: trial.params.iter().map(|(name, param)| param_json(name, param)).collect(),
        curve: curve(trial, None, MAX_STEPS),
        started_ms: trial.started_ms,
        completed_ms: trial.completed_ms,
        seconds: seconds(trial),
        worker: worker(trial),
        duplicate_of: trial.user_attributes.get("danlu:duplicate_of").and_then(Json::as_u64),
        failure: failure(trial),
        user_attributes: &trial.user_attributes,
        system_attributes: &trial.system_attributes,
        run,
        has_record,
        n_trials,
    }
}

fn param_json<'a>(name: &'a str, param: &Param) -> ParamJson<'a> {
    let value = match param.value {
        ParamValue::Float(x) if x.is_finite() => x.into(),
        ParamValue::Int(x) => x.into(),
        value => param.domain.show(value).into(),
    };
    ParamJson { name, value, domain: domain_text(&param.domain) }
}

/// A domain as a reader writes it down.
pub(crate) fn domain_text(domain: &Domain) -> String {
    let log = |scale: Scale| if scale == Scale::Log { ", log" } else { "" };
    match domain {
        Domain::Float(float) => {
            let step = float.step.map_or_else(String::new, |step| format!(", step {step}"));
            format!("{} … {}{step}{}", float.low, float.high, log(float.scale))
        }
        Domain::Int(int) => {
            let step = if int.step == 1 { String::new() } else { format!(", step {}", int.step) };
            format!("{} … {}{step}{}", int.low, int.high, log(int.scale))
        }
        Domain::Categorical(all) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use spec::Direction;

    use super::*;
    use crate::studies::made_up::{category, constrained, float, int};

    #[test]
    fn a_trial_tells_its_parameters_with_what_they_could_have_been() {
        let objectives = [Objective { name: "loss".into(), direction: Direction::Minimize }];
        let mut trial = constrained(7, &[f64::NAN], &[-1.0, 2.0]);
        let rate = float("rate", 0.01, (0.001, 0.1, true));
        trial.params = [rate, int("n", 3, (1, 4)), category("with", 1, &["sgd", "adam"])].into();
        trial.intermediate = [(1, 0.5), (2, f64::INFINITY)].into();
        let found = details(&objectives, &trial, 8, Some("study~s~0007".into()), true);
        let found = serde_json::to_value(&found).unwrap();
        assert_eq!(
            (&found["values"], &found["feasible"], &found["state"]),
            (&json!(["nan"]), &json!(false), &json!("complete"))
        );
        assert_eq!(
            found["params"],
            json!([
                { "name": "n", "value": 3, "domain": "1 … 4" },
                { "name": "rate", "value": 0.01, "domain": "0.001 … 0.1, log" },
                { "name": "with", "value": "adam", "domain": "sgd | adam" },
            ])
        );
        assert_eq!(found["curve"]["value"], json!([0.5, null]));
        assert_eq!(found["objectives"][0]["direction"], "minimize");
    }
}
