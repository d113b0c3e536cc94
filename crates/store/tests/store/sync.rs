//! A cache reads what can have changed, and nothing else.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::json;
use spec::{Direction, TrialState};
use store::{Changes, Store, StoreError, StudyId, TrialCache};

use crate::fixture::{DIRECTIONS, begin, folder, lease, study, trials};

fn tamper(store: &Store, statement: &str) {
    let connection = Connection::open(store.path()).expect("another connection");
    connection.pragma_update(None, "foreign_keys", false).expect("pragma");
    connection.execute_batch(statement).expect("tamper");
}

/// What differs between the trial in the cache and in the store would only be seen if it was read.
fn is_read(store: &Store, study: StudyId, cache: &mut TrialCache, number: u64) -> bool {
    tamper(store, &format!("INSERT INTO trial_user_attributes (trial_id, key, value_json)
        SELECT trial_id, 'k' || (SELECT COUNT(*) FROM trial_user_attributes), '1' FROM trials WHERE number = {number}"));
    store.sync(study, cache).expect("sync").contains(&number)
}

#[test]
fn what_is_over_or_waits_is_not_read_again() {
    let folder = folder();
    let (store, study) = study(&folder);
    let (w, mut cache) = (lease("w"), TrialCache::new());
    store.import(study, &trials()).expect("import");
    let running = begin(&store, study, &w);
    let waiting = trials().last().expect("one").number;
    assert_eq!(store.sync(study, &mut cache).expect("sync"), Vec::from_iter(0..=running));
    for number in 0..running {
        assert!(!is_read(&store, study, &mut cache, number), "trial {number}");
    }
    assert!(is_read(&store, study, &mut cache, running));
    assert_eq!(store.claim_waiting(study, &w).expect("claim"), Some(waiting));
    assert!(is_read(&store, study, &mut cache, waiting));
    store.finish(study, running, &w, &TrialState::Failed, &Changes::default()).expect("finish");
    assert_eq!(store.sync(study, &mut cache).expect("sync"), [running], "its end is read");
    assert!(!is_read(&store, study, &mut cache, running));

    let mut fresh = TrialCache::new();
    store.sync(study, &mut fresh).expect("sync");
    assert_ne!(fresh.trials()[0], cache.trials()[0], "the tampering itself works");
}

#[test]
fn a_trial_that_waits_again_is_read() {
    let folder = folder();
    let (store, study) = study(&folder);
    let (w, mut cache) = (lease("w"), TrialCache::new());
    store.enqueue(study, &BTreeMap::new(), &BTreeMap::new()).expect("enqueue");
    store.sync(study, &mut cache).expect("sync");
    store.claim_waiting(study, &w).expect("claim");
    store.set_intermediate(study, 0, &w, 1, 0.5).expect("report");
    store.release(study, 0, &w).expect("release");
    assert_eq!(store.sync(study, &mut cache).expect("sync"), [0]);
    assert_eq!(cache.trials()[0].intermediate, BTreeMap::from([(1, 0.5)]));
}

#[test]
fn only_what_differs_is_named() {
    let folder = folder();
    let (store, study) = study(&folder);
    let other = Store::open(store.path()).expect("open");
    let (w, mut cache) = (lease("w"), TrialCache::new());
    let mut sync = |store: &Store| store.sync(study, &mut cache).expect("sync");
    assert_eq!(sync(&store), [0; 0]);
    begin(&store, study, &w);
    begin(&other, study, &w);
    assert_eq!(sync(&store), [0, 1]);
    other.set_intermediate(study, 1, &w, 3, f64::NAN).expect("report");
    assert_eq!(sync(&store), [1]);
    other.heartbeat(study, 1, &w).expect("heartbeat");
    assert_eq!(sync(&store), [0; 0], "NaN does not differ from itself");
    store.set_user_attribute(study, 0, "a", &json!(1)).expect("note");
    assert_eq!(sync(&other), [0], "a cache goes from one connection to another");
    assert_eq!(sync(&store), [0; 0]);
}

#[test]
fn a_cache_begins_again_for_another_study() {
    let folder = folder();
    let (store, first) = study(&folder);
    let second = store.create_study("second", &[Direction::Minimize], &BTreeMap::new()).expect("study");
    let mut cache = TrialCache::new();
    store.import(first, &trials()).expect("import");
    begin(&store, second, &lease("w"));
    store.sync(first, &mut cache).expect("sync");
    assert_eq!(store.sync(second, &mut cache).expect("sync"), [0]);
    assert_eq!(cache.trials().len(), 1);
    assert_eq!(store.sync(first, &mut cache).expect("sync").len(), trials().len());

    tamper(&store, "DELETE FROM trials; DELETE FROM studies; DELETE FROM study_directions");
    assert!(matches!(store.sync(first, &mut cache), Err(StoreError::NoStudy { study: 1, .. })));
    assert!(matches!(
        store.begin_trial(first, &lease("w"), 0, &Changes::default()),
        Err(StoreError::NoStudy { .. })
    ));
    let again = store.create_study("again", &DIRECTIONS, &BTreeMap::new()).expect("study");
    begin(&store, again, &lease("w"));
    assert_eq!((again, store.sync(again, &mut cache).expect("sync")), (first, vec![0]));
}

#[test]
fn what_cannot_be_understood_is_named() {
    let cases = [
        ("UPDATE trials SET number = 9 WHERE number = 5", "trial 9 without a trial 5"),
        ("UPDATE trials SET number = -1 WHERE number = 5", "out of range"),
        ("UPDATE trials SET state = 'LOST' WHERE number = 1", "the trial state LOST"),
        (
            "UPDATE trial_values SET value_type = 'NAN' WHERE value IS NOT NULL",
            "of kind NAN as a value of trial 0",
        ),
        ("UPDATE trial_intermediate_values SET step = -1 WHERE step = 1", "out of range"),
        (
            "UPDATE trial_params SET param_value = 6 WHERE param_name = 'p10'",
            "6 of parameter `p10` of trial 0",
        ),
        ("UPDATE trial_params SET distribution_json = '{}' WHERE param_name = 'p1'", "the distribution {}"),
        ("UPDATE trial_params SET param_value = NULL WHERE param_name = 'p1'", "Invalid column type Null"),
    ];
    for (statement, expected) in cases {
        let folder = folder();
        let (store, study) = study(&folder);
        store.import(study, &trials()).expect("import");
        tamper(&store, statement);
        let mut cache = TrialCache::new();
        let error = store.sync(study, &mut cache).expect_err(statement);
        assert!(matches!(error, StoreError::Content { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(cache.trials(), [], "nothing of it is kept");
    }
}
