//! Which changes of a trial's state are made, and which refused without leaving anything behind.

use std::collections::BTreeMap;

use serde_json::json;
use spec::TrialState;
use store::{Changes, Lease, RunningLease, Store, StoreError, StudyId, TrialCache};

use crate::fixture::{folder, lease, params, study, trials};

fn begin(store: &Store, study: StudyId, owner: &Lease) {
    assert!(store.begin_trial(study, owner, 0, &Changes::default()).expect("begin"));
}

/// Brings trial 0 into a state; the worker `w` does what needs a lease.
fn prepare(store: &Store, study: StudyId, state: &str) {
    let owner = lease("w");
    if state == "waiting" {
        store.enqueue(study, &params(), &BTreeMap::new()).expect("enqueue");
        return;
    }
    begin(store, study, &owner);
    let end = match state {
        "running" => return,
        "complete" => TrialState::Complete { values: vec![1.0, 2.0] },
        "pruned" => TrialState::Pruned { values: vec![] },
        _ => TrialState::Failed,
    };
    store.finish(study, 0, &owner, &end, &Changes::default()).expect("finish");
}

/// Does something to trial 0 as `worker`; what came of it in one word.
fn act(store: &Store, study: StudyId, action: &str, worker: &str) -> &'static str {
    let lease = lease(worker);
    let fail = || store.finish(study, 0, &lease, &TrialState::Failed, &Changes::default());
    let result = match action {
        "claim" => store.claim_waiting(study, &lease).map(|taken| taken.is_some()),
        "update" => store.heartbeat(study, 0, &lease).map(|()| true),
        "release" => store.release(study, 0, &lease).map(|()| true),
        "requeue" => store.requeue(study, 0, &lease),
        "finish" => fail().map(|()| true),
        _ => store.set_user_attribute(study, 0, "note", &json!(1)).map(|()| true),
    };
    match result {
        Ok(true) => "done",
        Ok(false) => "no",
        Err(StoreError::LeaseLost { number: 0 }) => "lost",
        Err(StoreError::TrialOver { number: 0 }) => "over",
        Err(error) => panic!("{action}: {error}"),
    }
}

fn snapshot(store: &Store, study: StudyId) -> String {
    let mut cache = TrialCache::new();
    store.sync(study, &mut cache).expect("sync");
    format!("{:?}", cache.trials())
}

#[test]
fn the_table_of_changes() {
    let actions = ["claim", "update", "release", "requeue", "finish", "note"];
    let cases = [
        ("waiting", "w", ["done", "lost", "lost", "no", "lost", "done"]),
        ("running", "w", ["no", "done", "done", "done", "done", "done"]),
        ("running", "other", ["no", "lost", "lost", "no", "lost", "done"]),
        ("complete", "w", ["no", "lost", "lost", "no", "lost", "over"]),
        ("pruned", "w", ["no", "lost", "lost", "no", "lost", "over"]),
        ("failed", "w", ["no", "lost", "lost", "no", "lost", "over"]),
    ];
    for (state, worker, expected) in cases {
        for (action, expected) in actions.into_iter().zip(expected) {
            let folder = folder();
            let (store, study) = study(&folder);
            prepare(&store, study, state);
            let before = snapshot(&store, study);
            assert_eq!(
                act(&store, study, action, worker),
                expected,
                "{action} of a {state} trial as {worker}"
            );
            let is_same = before == snapshot(&store, study);
            let changes_it = expected == "done" && action != "update";
            assert_eq!(is_same, !changes_it, "{action} of a {state} trial as {worker}");
        }
    }
}

#[test]
fn a_trial_that_was_given_back_keeps_what_it_has() {
    let folder = folder();
    let (store, study) = study(&folder);
    let (first, second) = (lease("first"), lease("second"));
    begin(&store, study, &first);
    store.set_params(study, 0, &first, &params()).expect("params");
    store.set_intermediate(study, 0, &first, 1, 0.5).expect("report");
    assert!(!store.requeue(study, 0, &second).expect("not the second's"));
    assert_eq!(store.running_leases(study).expect("leases")[0].lease, first);
    assert!(store.requeue(study, 0, &first).expect("requeue"));
    assert_eq!(store.running_leases(study).expect("leases"), []);

    let mut cache = TrialCache::new();
    store.sync(study, &mut cache).expect("sync");
    let trial = &cache.trials()[0];
    assert_eq!((&trial.state, &trial.params), (&TrialState::Waiting, &params()));
    assert_eq!(trial.intermediate, BTreeMap::from([(1, 0.5)]));
    assert_eq!(trial.system_attributes, BTreeMap::new());

    assert_eq!(store.claim_waiting(study, &second).expect("claim"), Some(0));
    assert_eq!(store.running_leases(study).expect("leases")[0].lease, second);
    let late = store.set_intermediate(study, 0, &first, 2, 0.25);
    assert!(matches!(late, Err(StoreError::LeaseLost { number: 0 })));
    let end = TrialState::Complete { values: vec![1.0, 2.0] };
    store.finish(study, 0, &second, &end, &Changes::default()).expect("finish");
    assert_eq!(store.sync(study, &mut cache).expect("sync"), [0]);
    assert_eq!(cache.trials()[0].intermediate, BTreeMap::from([(1, 0.5)]));
}

#[test]
fn the_lowest_waiting_trial_is_taken_first() {
    let folder = folder();
    let (store, study) = study(&folder);
    let w = lease("w");
    for _ in 0..3 {
        store.enqueue(study, &BTreeMap::new(), &BTreeMap::new()).expect("enqueue");
    }
    let claim = || store.claim_waiting(study, &w).expect("claim");
    assert_eq!((claim(), claim()), (Some(0), Some(1)));
    store.release(study, 0, &w).expect("release");
    assert_eq!((claim(), claim(), claim()), (Some(0), Some(2), None));
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = folder();
    let (store, study) = study(&folder);
    let w = lease("w");
    begin(&store, study, &w);
    let before = snapshot(&store, study);
    let finish = |state: TrialState| {
        let changes = Changes { params: params(), ..Changes::default() };
        store.finish(study, 0, &w, &state, &changes).expect_err("refused").to_string()
    };
    let cases = [
        (TrialState::Waiting, "trial 0 cannot be finished as one that waits or runs"),
        (TrialState::Complete { values: vec![1.0] }, "trial 0 has 1 values, the study 2 objectives"),
        (TrialState::Complete { values: vec![] }, "trial 0 has 0 values, the study 2 objectives"),
        (TrialState::Pruned { values: vec![1.0; 3] }, "trial 0 has 3 values, the study 2 objectives"),
        (TrialState::Pruned { values: vec![1.0, f64::NAN] }, "objective 1 of trial 0 is not a number"),
    ];
    for (state, expected) in cases {
        assert_eq!(finish(state), expected);
    }
    let far = store.set_intermediate(study, 0, &w, u64::MAX, 1.0);
    assert!(matches!(far, Err(StoreError::Step { step: u64::MAX })));
    assert!(matches!(store.heartbeat(study, 7, &w), Err(StoreError::NoTrial { number: 7 })));
    let imported = store.import(study, &trials());
    assert!(matches!(imported, Err(StoreError::NumberTaken { number: 0, next: 1 })));
    assert_eq!(before, snapshot(&store, study), "what was refused left something behind");
}

#[test]
fn of_two_that_choose_the_same_trial_one_begins_it() {
    let folder = folder();
    let (store, study) = study(&folder);
    let begin = |worker: &str, number| {
        let changes = Changes { params: params(), ..Changes::default() };
        store.begin_trial(study, &lease(worker), number, &changes).expect("begin")
    };
    let begun = [begin("a", 1), begin("a", 0), begin("b", 0), begin("b", 2), begin("b", 1), begin("a", 1)];
    assert_eq!(begun, [false, true, false, false, true, false]);
    let mut cache = TrialCache::new();
    assert_eq!(store.sync(study, &mut cache).expect("sync"), [0, 1]);
    assert!(cache.trials().iter().all(|trial| trial.params == params()));
    let owners: Vec<_> =
        store.running_leases(study).expect("leases").into_iter().map(|one| one.lease).collect();
    assert_eq!(owners, [lease("a"), lease("b")]);
}

/// An Optuna fails trials whose heartbeat is old.
#[test]
fn a_trial_of_another_program_has_no_heartbeat() {
    let folder = folder();
    let (store, study) = study(&folder);
    let outside = Lease::outside();
    begin(&store, study, &outside);
    store.set_intermediate(study, 0, &outside, 1, 0.5).expect("told");
    let running = store.running_leases(study).expect("leases");
    assert_eq!(running, [RunningLease { number: 0, lease: outside, heartbeat_ms: 0 }]);
}
