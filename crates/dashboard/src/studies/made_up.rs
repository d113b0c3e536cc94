//! Trials for tests.

use serde_json::Value as Json;
use spec::{Category, Domain, FloatDomain, IntDomain, Param, ParamValue, Scale, TrialRecord, TrialState};

/// One that waits.
pub(crate) fn trial(number: u64) -> TrialRecord {
    TrialRecord {
        number,
        state: TrialState::Waiting,
        params: [].into(),
        intermediate: [].into(),
        started_ms: None,
        completed_ms: None,
        user_attributes: [].into(),
        system_attributes: [].into(),
    }
}

/// A whole one.
pub(crate) fn complete(number: u64, values: &[f64]) -> TrialRecord {
    TrialRecord { state: TrialState::Complete { values: values.to_vec() }, ..trial(number) }
}

/// The same, with constraints.
pub(crate) fn constrained(number: u64, values: &[f64], constraints: &[f64]) -> TrialRecord {
    let mut trial = complete(number, values);
    trial.system_attributes.insert("constraints".into(), Json::from(constraints));
    trial
}

pub(crate) fn float(name: &str, value: f64, (low, high, log): (f64, f64, bool)) -> (String, Param) {
    let scale = if log { Scale::Log } else { Scale::Linear };
    let domain = Domain::Float(FloatDomain { low, high, scale, step: None });
    (name.into(), Param { domain, value: ParamValue::Float(value) })
}

pub(crate) fn int(name: &str, value: i64, (low, high): (i64, i64)) -> (String, Param) {
    let domain = Domain::Int(IntDomain { low, high, scale: Scale::Linear, step: 1 });
    (name.into(), Param { domain, value: ParamValue::Int(value) })
}

pub(crate) fn category(name: &str, idx: usize, all: &[&str]) -> (String, Param) {
    let domain = Domain::Categorical(all.iter().map(|&one| Category::Text(one.into())).collect());
    (name.into(), Param { domain, value: ParamValue::Category(idx) })
}
