//! Many connections to one file: no trial is had twice, and none is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;

use spec::TrialState;
use store::{Changes, Lease, Store, StudyId, TrialCache};

use crate::fixture::{begin, folder, lease, study};

const WORKERS: usize = 4;
const TRIALS_EACH: usize = 12;
const ENQUEUED: u64 = 20;

#[test]
fn no_trial_is_had_twice() {
    let folder = folder();
    let (store, study) = study(&folder);
    for _ in 0..ENQUEUED {
        store.enqueue(study, &BTreeMap::new(), &BTreeMap::new()).expect("enqueue");
    }
    let path = store.path();
    let taken: Vec<Vec<u64>> = thread::scope(|scope| {
        let work = |idx| scope.spawn(move || work(path, study, &lease(&format!("worker {idx}"))));
        let workers: Vec<_> = (0..WORKERS).map(work).collect();
        workers.into_iter().map(|worker| worker.join().expect("worker")).collect()
    });

    let n = (WORKERS * TRIALS_EACH) as u64;
    let different: BTreeSet<u64> = taken.iter().flatten().copied().collect();
    assert_eq!(different, BTreeSet::from_iter(0..n), "each number once, without gaps");
    let mut cache = TrialCache::new();
    store.sync(study, &mut cache).expect("sync");
    assert_eq!(cache.trials().len() as u64, n);
    for (idx, numbers) in taken.iter().enumerate() {
        assert_eq!(numbers.len(), TRIALS_EACH);
        for &number in numbers {
            let trial = cache.get(number).expect("trial");
            assert_eq!(trial.state, TrialState::Complete { values: vec![idx as f64, number as f64] });
            assert_eq!(trial.system_attributes["danlu:lease"]["worker"], format!("worker {idx}"));
        }
    }
}

/// Claims what waits, begins what does not, ends each.
fn work(path: &Path, study: StudyId, lease: &Lease) -> Vec<u64> {
    let store = Store::open(path).expect("open");
    let worker: f64 = lease.worker["worker ".len()..].parse().expect("its number");
    let one = |_| {
        let claimed = store.claim_waiting(study, lease).expect("claim");
        let number = claimed.unwrap_or_else(|| begin(&store, study, lease));
        store.set_intermediate(study, number, lease, 1, 0.5).expect("report");
        let state = TrialState::Complete { values: vec![worker, number as f64] };
        store.finish(study, number, lease, &state, &Changes::default()).expect("finish");
        number
    };
    (0..TRIALS_EACH).map(one).collect()
}

/// As Optuna does, who looks first and takes later.
#[test]
fn only_what_waits_is_taken_by_others() {
    let folder = folder();
    let (store, study) = study(&folder);
    let w = lease("w");
    let ends = [TrialState::Failed, TrialState::Complete { values: vec![1.0, 2.0] }];
    for end in &ends {
        let number = begin(&store, study, &w);
        store.finish(study, number, &w, end, &Changes::default()).expect("finish");
    }
    begin(&store, study, &w);
    store.enqueue(study, &BTreeMap::new(), &BTreeMap::new()).expect("enqueue");
    let other = rusqlite::Connection::open(store.path()).expect("another connection");
    let take = "UPDATE trials SET state = 'RUNNING', datetime_start = NULL WHERE number = ?1";
    let taken = (0..4_u64).map(|number| other.execute(take, [number]).ok());
    assert_eq!(taken.collect::<Vec<_>>(), [None, None, None, Some(1)]);
}

#[test]
fn of_those_who_take_a_trial_from_the_dead_one_gets_it() {
    let folder = folder();
    let (store, study) = study(&folder);
    let (dead, path) = (lease("dead"), store.path());
    begin(&store, study, &dead);
    let requeued: usize = thread::scope(|scope| {
        let requeue = || Store::open(path).expect("open").requeue(study, 0, &dead).expect("requeue");
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(requeue)).collect();
        workers.into_iter().map(|worker| usize::from(worker.join().expect("worker"))).sum()
    });
    assert_eq!(requeued, 1);
}

#[test]
fn a_store_is_made_once() {
    let folder = folder();
    let path = &folder.path().join("study.db");
    let made: usize = thread::scope(|scope| {
        let make = |_| {
            scope.spawn(move || {
                let store = Store::create_or_open(path).expect("open");
                store.create_study("one", &[spec::Direction::Minimize], &BTreeMap::new()).is_ok()
            })
        };
        let workers: Vec<_> = (0..WORKERS).map(make).collect();
        workers.into_iter().map(|worker| usize::from(worker.join().expect("worker"))).sum()
    });
    assert_eq!(made, 1, "all have the same file, in which a name is taken once");
    let left: Vec<_> =
        folder.path().read_dir().expect("folder").map(|entry| entry.expect("entry").file_name()).collect();
    assert_eq!(left, ["study.db"]);
}
