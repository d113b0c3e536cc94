//! A trial of every kind.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use spec::{
    Category, Direction, Domain, FloatDomain, IntDomain, Param, ParamValue, Scale, TrialRecord, TrialState,
};
use store::{Changes, Lease, Store, StudyId};
use tempfile::TempDir;

/// The directions of the fixture's studies.
pub(crate) const DIRECTIONS: [Direction; 2] = [Direction::Minimize, Direction::Maximize];

/// A worker called so.
pub(crate) fn lease(worker: &str) -> Lease {
    Lease { worker: worker.to_owned(), host: "here".to_owned() }
}

/// A folder that vanishes, in memory where there is such a place: a busy disk takes 20 ms for each transaction.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("folder")
}

/// A study in a store of its own.
pub(crate) fn study(folder: &TempDir) -> (Store, StudyId) {
    let store = Store::create_or_open(folder.path().join("study.db")).expect("store");
    let study = store.create_study("lenet", &DIRECTIONS, &BTreeMap::new()).expect("study");
    (store, study)
}

/// Begins the next trial, whichever that is.
pub(crate) fn begin(store: &Store, study: StudyId, lease: &Lease) -> u64 {
    let begin = |number| store.begin_trial(study, lease, number, &Changes::default()).expect("begin");
    (0..).find(|&number| begin(number)).expect("there is a next one")
}

/// Parameters of every kind of domain, each with its first and its last value.
pub(crate) fn params() -> BTreeMap<String, Param> {
    let float = |low, high, scale, step| Domain::Float(FloatDomain { low, high, scale, step });
    let int = |low, high, scale, step| Domain::Int(IntDomain { low, high, scale, step });
    let categories = vec![
        Category::None,
        Category::Bool(true),
        Category::Int(-3),
        Category::Float(1.5),
        Category::Float(2.0),
        Category::Text("3×3 \"wide\"".to_owned()),
    ];
    let mut params = BTreeMap::new();
    let mut put = |domain: &Domain, value| {
        let name = format!("p{}", params.len());
        params.insert(name, Param { domain: domain.clone(), value });
    };
    for (domain, values) in [
        (float(1e-5, 0.1, Scale::Log, None), [1e-5, 0.1]),
        (float(-1.0, f64::MAX, Scale::Linear, None), [-0.0, 0.1 + 0.2]),
        (float(0.0, 1.0, Scale::Linear, Some(0.25)), [0.0, 0.75]),
    ] {
        values.into_iter().for_each(|value| put(&domain, ParamValue::Float(value)));
    }
    for (domain, values) in
        [(int(-10, 1 << 53, Scale::Linear, 3), [-10, 1 << 53]), (int(1, 64, Scale::Log, 1), [1, 64])]
    {
        values.into_iter().for_each(|value| put(&domain, ParamValue::Int(value)));
    }
    let domain = Domain::Categorical(categories.clone());
    (0..categories.len()).for_each(|idx| put(&domain, ParamValue::Category(idx)));
    params
}

/// NaN aside, every kind of number.
pub(crate) fn intermediate() -> BTreeMap<u64, f64> {
    [0.1, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE]
        .into_iter()
        .zip(1..)
        .map(|(x, step)| (step, x))
        .collect()
}

/// JSON of every kind.
pub(crate) fn attributes() -> BTreeMap<String, Json> {
    [
        ("null", json!(null)),
        ("text", json!("ü \u{1F600} \" \\ \u{0} NaN")),
        ("number", json!(0.1)),
        ("whole", json!(i64::MIN)),
        ("nested", json!([{"a": [true, {}]}, 1.0])),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// A trial in each state that can be had, numbered from 0.
pub(crate) fn trials() -> Vec<TrialRecord> {
    let states = [
        TrialState::Complete { values: vec![f64::INFINITY, 0.1] },
        TrialState::Complete { values: vec![f64::NEG_INFINITY, -0.0] },
        TrialState::Pruned { values: vec![] },
        TrialState::Pruned { values: vec![1.0, 2.0] },
        TrialState::Failed,
        TrialState::Waiting,
    ];
    let record = |(number, state): (u64, TrialState)| TrialRecord {
        number,
        started_ms: (state != TrialState::Waiting).then_some(1_795_530_749_608),
        completed_ms: state.is_over().then_some(-1),
        state,
        params: params(),
        intermediate: intermediate(),
        user_attributes: attributes(),
        system_attributes: attributes(),
    };
    (0..).zip(states).map(record).collect()
}
