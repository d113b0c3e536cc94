//! What is written is read again.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use spec::{Direction, TrialState};
use store::{Changes, Store, StoreError, TrialCache, TrialCounts};

use crate::fixture::{DIRECTIONS, attributes, folder, intermediate, lease, params, study, trials};

#[test]
fn every_kind_of_trial() {
    let folder = folder();
    let (store, study) = study(&folder);
    store.import(study, &trials()).expect("import");
    let mut cache = TrialCache::new();
    for store in [&store, &Store::open_read_only(store.path()).expect("open")] {
        store.sync(study, &mut cache).expect("sync");
        assert_eq!(cache.trials(), trials());
        cache = TrialCache::new();
    }
}

#[test]
fn a_trial_written_in_parts() {
    let folder = folder();
    let (store, study) = study(&folder);
    let now_ms = || SystemTime::now().duration_since(UNIX_EPOCH).expect("clock").as_millis() as i64;
    let before = now_ms();
    let lease = lease("w");
    let number = 0;
    assert!(store.begin_trial(study, &lease, number, &Changes::default()).expect("begin"));
    store.set_params(study, number, &lease, &params()).expect("params");
    for (step, value) in intermediate() {
        store.set_intermediate(study, number, &lease, step, f64::NAN).expect("report");
        store.set_intermediate(study, number, &lease, step, value).expect("report again");
    }
    store.set_intermediate(study, number, &lease, 99, f64::NAN).expect("report");
    for (key, value) in attributes() {
        store.set_user_attribute(study, number, &key, &json!("replaced")).expect("user");
        store.set_user_attribute(study, number, &key, &value).expect("user");
        store.set_system_attribute(study, number, &key, &value).expect("system");
    }
    let state = TrialState::Complete { values: vec![0.5, f64::NEG_INFINITY] };
    let seconds = BTreeMap::from([("seconds".to_owned(), json!(1.25))]);
    let changes = Changes { user_attributes: seconds, ..Changes::default() };
    store.finish(study, number, &lease, &state, &changes).expect("finish");

    let mut cache = TrialCache::new();
    assert_eq!(store.sync(study, &mut cache).expect("sync"), [0]);
    let mut trial = cache.trials()[0].clone();
    assert_eq!((trial.number, &trial.state), (number, &state));
    assert_eq!(trial.params, params());
    assert!(trial.intermediate.remove(&99).expect("step 99").is_nan());
    assert_eq!(trial.intermediate, intermediate());
    assert_eq!(trial.user_attributes.remove("seconds"), Some(json!(1.25)));
    assert_eq!(trial.user_attributes, attributes());
    assert_eq!(trial.system_attributes.remove("danlu:lease"), Some(json!({"worker": "w", "host": "here"})));
    assert_eq!(trial.system_attributes, attributes());
    let (started, completed) = (trial.started_ms.expect("start"), trial.completed_ms.expect("end"));
    assert!(before <= started && started <= completed && completed <= now_ms(), "{started} {completed}");
}

#[test]
fn what_was_enqueued() {
    let folder = folder();
    let (store, study) = study(&folder);
    let number = store.enqueue(study, &params(), &attributes()).expect("enqueue");
    let mut cache = TrialCache::new();
    store.sync(study, &mut cache).expect("sync");
    let trial = cache.get(number).expect("trial");
    assert_eq!((&trial.state, trial.started_ms), (&TrialState::Waiting, None));
    assert_eq!((&trial.params, &trial.user_attributes), (&params(), &attributes()));
    let fixed = &trial.system_attributes["fixed_params"];
    let expected = json!({"p0": 1e-5, "p1": 0.1, "p2": -0.0, "p3": 0.1 + 0.2, "p4": 0.0, "p5": 0.75, "p6": -10,
        "p7": 1_u64 << 53, "p8": 1, "p9": 64, "p10": null, "p11": true, "p12": -3, "p13": 1.5, "p14": 2.0,
        "p15": "3×3 \"wide\""});
    assert_eq!(fixed, &expected);
}

#[test]
fn studies() {
    let folder = folder();
    let (store, first) = study(&folder);
    let second = store.create_study("second", &[Direction::Maximize], &attributes()).expect("study");
    store.set_study_user_attribute(second, "text", &json!(1)).expect("user");
    store.set_study_system_attribute(second, "more", &json!([])).expect("system");
    store.import(first, &trials()).expect("import");
    assert!(store.begin_trial(first, &lease("w"), 6, &Changes::default()).expect("begin"));

    let rows = store.studies().expect("studies");
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [first, second]);
    assert_eq!((rows[0].name.as_str(), rows[0].directions.as_slice()), ("lenet", DIRECTIONS.as_slice()));
    let counts = TrialCounts { waiting: 1, running: 1, complete: 2, pruned: 2, failed: 1 };
    assert_eq!((rows[0].n_trials, rows[0].n_trials.total()), (counts, 7));
    let mut expected: BTreeMap<String, Json> = attributes();
    expected.insert("text".to_owned(), json!(1));
    assert_eq!((&rows[1].user_attributes, rows[1].n_trials.total()), (&expected, 0));
    assert_eq!(rows[1].system_attributes, BTreeMap::from([("more".to_owned(), json!([]))]));
    assert_eq!(store.find_study("second").expect("find"), Some(second));
    assert_eq!(store.find_study("third").expect("find"), None);

    let taken = store.create_study("second", &DIRECTIONS, &BTreeMap::new());
    assert!(matches!(taken, Err(StoreError::NameTaken { name, .. }) if name == "second"));
    let empty = store.create_study("third", &[], &BTreeMap::new());
    assert!(matches!(empty, Err(StoreError::NoObjective)));
    assert_eq!(store.studies().expect("studies").len(), 2);
}
