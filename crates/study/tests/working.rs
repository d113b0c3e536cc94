//! Workers at one study: what each of them does when others are gone, quicker, or at the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use search::DUPLICATE_OF;
use serde_json::{Value as Json, json};
use spec::{Assignment, Param, ParamValue, TrialState};
use store::{Changes, Lease, Store};
use study::{
    Candidate, Ending, FAILURE, MAX_DEATHS, Next, RUN, STORE, Study, StudyError, StudyView, Told, note_death,
    repair,
};
use tempfile::TempDir;

/// Four configurations.
const FEW: &str = r#"
name = "few"
objectives = [{ name = "height", direction = "maximize" }]
sampler = "random"
budget = { trials = 12 }

[[parameter]]
name = "x"
choices = [1, 2, 3, 4]
"#;

/// As many as one likes.
const MANY: &str = r#"
name = "many"
objectives = [{ name = "height", direction = "maximize" }]
sampler = "random"
budget = { trials = 30 }

[[parameter]]
name = "x"
float = { low = 0.0, high = 1.0 }
"#;

fn look(values: &Assignment) -> Option<Candidate> {
    Some(Candidate { run: format!("{values:?}"), ..Candidate::default() })
}

fn height(values: &Assignment) -> f64 {
    match values["x"] {
        ParamValue::Float(x) => x,
        ParamValue::Int(n) => n as f64,
        ParamValue::Category(idx) => idx as f64,
    }
}

fn worker(dir: &Path, text: &str) -> Study {
    Study::work(StudyView::begin(dir, text).unwrap(), 1).unwrap()
}

#[track_caller]
fn next(study: &mut Study) -> (u64, Assignment) {
    match study.next(&mut look).unwrap() {
        Next::Try { number, values } => (number, values),
        other => panic!("{other:?}"),
    }
}

fn tell(study: &mut Study, number: u64, values: &Assignment) {
    let told = Told::Complete { values: vec![height(values)], violations: Vec::new() };
    study.tell(number, told, BTreeMap::new()).unwrap();
}

/// Works until nothing is left to do; the trials that it did.
fn work(study: &mut Study) -> (Vec<u64>, Ending) {
    let mut done = Vec::new();
    loop {
        match study.next(&mut look).unwrap() {
            Next::Try { number, values } => {
                tell(study, number, &values);
                done.push(number);
            }
            Next::Wait => thread::sleep(Duration::from_millis(1)),
            Next::Done(ending) => return (done, ending),
        }
    }
}

/// Numbers, parameters, states: what a study comes to.
fn trials(dir: &Path) -> Vec<(BTreeMap<String, Param>, TrialState)> {
    let view = StudyView::open(dir).unwrap();
    view.trials().iter().map(|trial| (trial.params.clone(), trial.state.clone())).collect()
}

fn alone(text: &str) -> Vec<(BTreeMap<String, Param>, TrialState)> {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("s");
    work(&mut worker(&dir, text));
    trials(&dir)
}

fn root() -> (TempDir, std::path::PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("s");
    (root, dir)
}

#[test]
fn several_workers_do_each_trial_once_and_no_more_than_asked() {
    let (_root, dir) = root();
    let done: Vec<Vec<u64>> = thread::scope(|scope| {
        let one = || scope.spawn(|| work(&mut worker(&dir, MANY)));
        let workers: Vec<_> = (0..4).map(|_| one()).collect();
        workers.into_iter().map(|worker| worker.join().unwrap().0).collect()
    });
    let mut numbers = done.concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..30).collect::<Vec<_>>());
    assert_eq!(trials(&dir), alone(MANY), "random choices do not depend on who makes them");
}

#[test]
fn what_somebody_tries_at_the_moment_is_waited_for() {
    let (_root, dir) = root();
    let mut workers: Vec<Study> = (0..5).map(|_| worker(&dir, FEW)).collect();
    let begun: Vec<(u64, Assignment)> = workers[..4].iter_mut().map(next).collect();
    let distinct: BTreeSet<String> = begun.iter().map(|(_, values)| format!("{values:?}")).collect();
    assert_eq!(distinct.len(), 4, "nobody begins what another is at");
    assert_eq!(workers[4].next(&mut look).unwrap(), Next::Wait);
    for (worker, (number, values)) in workers.iter_mut().zip(&begun) {
        tell(worker, *number, values);
    }
    assert_eq!(work(&mut workers[4]), (Vec::new(), Ending::Trials), "all others are taken from these");
    let view = StudyView::open(&dir).unwrap();
    let is_reused = |trial: &&spec::TrialRecord| trial.user_attributes.contains_key(DUPLICATE_OF);
    assert_eq!((view.trials().len(), view.trials().iter().filter(is_reused).count()), (12, 8));
}

/// Another program was asked for one and never tells of it.
#[test]
fn what_another_program_was_asked_for_is_not_waited_for() {
    let (_root, dir) = root();
    let mut outside = Study::outside(StudyView::begin(&dir, FEW).unwrap(), 1).unwrap();
    let (number, _) = next(&mut outside);
    let (done, ending) = work(&mut worker(&dir, FEW));
    assert_eq!((number, done.len(), ending), (0, 3, Ending::Trials), "the others of the four values");
}

/// A policy may draw the same, and then has it tried itself.
#[test]
fn a_policy_tries_what_another_program_was_asked_for_too() {
    let (_root, dir) = root();
    let text = FEW.replace("\"random\"", "{ softmax_table = { reward = { children = 12 } } }");
    let mut outside = Study::outside(StudyView::begin(&dir, &text).unwrap(), 1).unwrap();
    let (number, values) = next(&mut outside);
    let mut worker = worker(&dir, &text);
    let (done, ending) = work(&mut worker);
    let tried: BTreeSet<String> = trials(&dir).iter().map(|(params, _)| format!("{params:?}")).collect();
    assert_eq!((number, done.len(), ending), (0, tried.len(), Ending::Trials), "each value once, its too");
    assert_eq!(worker.view().elsewhere().map(|trial| trial.number).collect::<Vec<_>>(), [0]);
    tell(&mut outside, number, &values);
    assert_eq!(trials(&dir).len(), 12);
}

#[test]
fn a_trial_of_a_worker_that_is_gone_goes_on_with_its_values() {
    let (_root, dir) = root();
    let mut gone = worker(&dir, MANY);
    let (number, values) = next(&mut gone);
    gone.report(number, 1, 0.25).unwrap();
    // It has a trial, and so leaves its file.
    drop(gone);
    let mut other = worker(&dir, MANY);
    assert_eq!(next(&mut other), (number, values.clone()));
    assert_eq!(other.view().trial(number).unwrap().intermediate, BTreeMap::from([(1, 0.25)]));
    tell(&mut other, number, &values);
    work(&mut other);
    assert_eq!(trials(&dir), alone(MANY));
    other.view();
    drop(other);
    StudyView::open_for_writing(&dir).unwrap().tidy().unwrap();
    let left = fs::read_dir(dir.join("workers")).unwrap().flatten();
    assert!(left.into_iter().all(|entry| entry.path().extension().unwrap() == "json"));
}

/// A trial that its worker began and did nothing else for.
fn begun_by_somebody_gone(dir: &Path, x: usize, attributes: &[(&str, Json)]) {
    let view = StudyView::open(dir).unwrap();
    let store = Store::open(dir.join(STORE)).unwrap();
    let id = store.find_study("few").unwrap().unwrap();
    let lease = Lease { worker: "0-1-0".into(), host: "here".into() };
    fs::write(dir.join("workers/0-1-0.lock"), "").unwrap();
    let domain = view.space().dimensions()[0].domain.clone();
    let params = BTreeMap::from([("x".to_owned(), Param { domain, value: ParamValue::Category(x) })]);
    let user_attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let changes = Changes { params, user_attributes, ..Changes::default() };
    assert!(store.begin_trial(id, &lease, view.trials().len() as u64, &changes).unwrap());
}

#[test]
fn a_repeat_whose_worker_was_killed_at_once_is_still_no_training() {
    let (_root, dir) = root();
    let mut study = worker(&dir, FEW);
    let (number, values) = next(&mut study);
    tell(&mut study, number, &values);
    let ParamValue::Category(x) = values["x"] else { panic!("{values:?}") };
    begun_by_somebody_gone(&dir, x, &[(RUN, json!(format!("{values:?}")))]);
    let (second, _) = next(&mut study);
    assert_eq!(second, 2);
    let taken = study.view().trial(1).unwrap();
    assert_eq!(
        (&taken.state, &taken.user_attributes[DUPLICATE_OF]),
        (&study.view().trial(0).unwrap().state, &json!(0))
    );
}

#[test]
fn a_refused_trial_whose_worker_was_killed_at_once_is_still_refused() {
    let (_root, dir) = root();
    let mut study = worker(&dir, FEW);
    let (number, values) = next(&mut study);
    tell(&mut study, number, &values);
    let ParamValue::Category(taken) = values["x"] else { panic!("{values:?}") };
    begun_by_somebody_gone(&dir, (taken + 1) % 4, &[(RUN, json!("another"))]);
    let mut refuse = |values: &Assignment| {
        let is_refused = values["x"] == ParamValue::Category((taken + 1) % 4);
        let refusal = is_refused.then(|| "too large".to_owned());
        Some(Candidate { refusal, ..look(values).unwrap() })
    };
    assert!(matches!(study.next(&mut refuse).unwrap(), Next::Try { number: 2, .. }));
    let refused = study.view().trial(1).unwrap();
    assert_eq!(
        (&refused.state, &refused.user_attributes[FAILURE]),
        (&TrialState::Failed, &json!("too large"))
    );
}

/// So many workers take the trial over from one that is gone, which counts as a death where that was put down, and are gone.
fn die(dir: &Path, n: u64, is_noted: bool) {
    for _ in 0..n {
        let mut study = worker(dir, MANY);
        if is_noted {
            note_death(dir, std::process::id(), "signal 9");
        }
        assert_eq!(next(&mut study).0, 0);
    }
}

#[test]
fn a_trial_that_processes_die_of_is_given_up_and_one_of_a_power_cut_is_not() {
    let (_root, dir) = root();
    die(&dir, 2 * MAX_DEATHS, false);
    die(&dir, MAX_DEATHS - 1, true);
    // An epoch in between: it is not the trial's fault.
    let mut study = worker(&dir, MANY);
    let (number, _) = next(&mut study);
    study.report(number, 1, 0.5).unwrap();
    drop(study);
    die(&dir, MAX_DEATHS - 1, true);
    assert_eq!(StudyView::open(&dir).unwrap().counts().failed, 0);
    let mut study = worker(&dir, MANY);
    note_death(&dir, std::process::id(), "signal 9");
    assert_eq!(next(&mut study).0, 1);
    let reason = study.view().trial(0).unwrap().user_attributes[FAILURE].clone();
    assert_eq!(reason, "5 processes ended while they tried it, the last by signal 9");
}

#[test]
fn values_that_cannot_be_looked_at_change_nothing() {
    let (_root, dir) = root();
    let mut study = worker(&dir, MANY);
    assert!(matches!(study.next(&mut |_| None), Err(StudyError::NotLooked)));
    assert!(study.view().trials().is_empty());
    StudyView::open_for_writing(&dir).unwrap().enqueue(&BTreeMap::new()).unwrap();
    assert!(matches!(study.next(&mut |_| None), Err(StudyError::NotLooked)));
    assert_eq!(StudyView::open(&dir).unwrap().counts().waiting, 1, "it is let go of");
    work(&mut study);
    assert_eq!(trials(&dir), alone(MANY));
}

#[test]
fn a_clock_that_is_set_uses_up_no_time() {
    let (_root, dir) = root();
    let limited = MANY.replace("trials = 30", "trials = 30, minutes = 5.0");
    // As of a process that worked a second, an hour ahead of this one's clock.
    fs::create_dir_all(dir.join("workers")).unwrap();
    let ahead_ms = 4_000_000_000_000_i64;
    let span = json!({"started_ms": ahead_ms, "seen_ms": ahead_ms + 1000});
    fs::write(dir.join("workers/1.json"), span.to_string()).unwrap();
    let mut study = worker(&dir, &limited);
    assert_eq!(work(&mut study).1, Ending::Trials);
    let worked_s = study.view().worked_s();
    assert!((1.0..61.0).contains(&worked_s), "{worked_s}");
}

fn category(view: &StudyView, x: usize) -> BTreeMap<String, Param> {
    let domain = view.space().dimensions()[0].domain.clone();
    BTreeMap::from([("x".to_owned(), Param { domain, value: ParamValue::Category(x) })])
}

/// Where somebody has said all of a trial's values, the sampler is not asked: a grid that is done has no answer.
#[test]
fn what_was_tried_by_a_grid_may_be_wanted_again() {
    let (_root, dir) = root();
    let mut study = worker(&dir, &FEW.replace("random", "grid"));
    let (number, values) = next(&mut study);
    let crashed = Told::Failed { reason: "crashed".into(), is_lasting: false };
    study.tell(number, crashed, BTreeMap::new()).unwrap();
    assert_eq!(work(&mut study), (vec![1, 2, 3], Ending::Exhausted));
    drop(study);
    let mut view = StudyView::open_for_writing(&dir).unwrap();
    let ParamValue::Category(of_crashed) = values["x"] else { panic!("{values:?}") };
    let of_whole = (of_crashed + 1) % 4;
    for x in [of_crashed, of_whole] {
        view.enqueue(&category(&view, x)).unwrap();
    }
    drop(view);
    let mut study = worker(&dir, &FEW.replace("random", "grid"));
    assert_eq!(work(&mut study), (vec![4], Ending::Exhausted));
    let taken = &study.view().trials()[5];
    assert_eq!(taken.state, TrialState::Complete { values: vec![of_whole as f64] });
    assert!(taken.user_attributes.contains_key(DUPLICATE_OF));
}

#[test]
fn a_pruned_trial_of_two_objectives_has_no_values() {
    let (_root, dir) = root();
    let second =
        r#"[{ name = "height", direction = "maximize" }, { name = "width", direction = "minimize" }]"#;
    let text = FEW.replace(r#"[{ name = "height", direction = "maximize" }]"#, second);
    let mut study = worker(&dir, &text);
    let (number, _) = next(&mut study);
    study.report(number, 1, 0.5).unwrap();
    study.tell(number, Told::Pruned, BTreeMap::new()).unwrap();
    assert_eq!(study.view().trials()[0].state, TrialState::Pruned { values: vec![] });
}

#[test]
fn violations_are_kept_as_numbers() {
    let (_root, dir) = root();
    let mut study = worker(&dir, MANY);
    let (number, _) = next(&mut study);
    let violations = vec![f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -1.0];
    study.tell(number, Told::Complete { values: vec![0.5], violations }, BTreeMap::new()).unwrap();
    let kept = study.view().trials()[0].constraints();
    assert_eq!(kept, [f64::MAX, -f64::MAX, f64::MAX, -1.0]);
    assert!(!study.view().trials()[0].is_feasible());
}

#[test]
fn nothing_is_repaired_under_a_worker() {
    let (_root, dir) = root();
    let mut study = worker(&dir, MANY);
    let (number, values) = next(&mut study);
    assert!(matches!(repair(&dir), Err(StudyError::AtWork { .. })));
    tell(&mut study, number, &values);
    next(&mut study);
    drop(study);
    let whole = trials(&dir);
    fs::write(dir.join(STORE), "cut").unwrap();
    // What the damaged one would have undone belongs to it alone.
    fs::write(dir.join("study.db-journal"), "hot").unwrap();
    let store = repair(&dir).unwrap().store.unwrap();
    assert_eq!(store.n_trials, 2);
    assert!(!dir.join("study.db-journal").exists());
    let again = trials(&dir);
    assert_eq!((&again[0], &again[1].0, &again[1].1), (&whole[0], &whole[1].0, &TrialState::Waiting));
    work(&mut worker(&dir, MANY));
    assert_eq!(trials(&dir), alone(MANY));
}
