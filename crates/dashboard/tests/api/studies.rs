//! Studies: the list, the charts, the trials and their runs, over stores that are made here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use axum::http::StatusCode;
use serde_json::{Value, json};
use spec::{Category, Direction, Domain, FloatDomain, Param, ParamValue, Scale, TrialRecord, TrialState};
use store::Store;

use crate::support::{Events, Place, files, wait};

const FILE: &str = r#"
version = 1
name = "tune"
objectives = ["validation_accuracy"]
sampler = "random"
pruner = "median"
budget = { trials = 16 }
run = { epochs = 1 }

[[parameter]]
name = "rate"
float = { low = 1e-4, high = 0.1, scale = "log" }
"#;

fn studies(place: &Place) -> PathBuf {
    place.root.path().join("studies")
}

/// Whole trials with two parameters, one of them only in every other trial.
fn trial(number: u64) -> TrialRecord {
    let rate = FloatDomain { low: 1e-4, high: 0.1, scale: Scale::Log, step: None };
    let rate =
        Param { domain: Domain::Float(rate), value: ParamValue::Float(0.1 / (1.0 + (number % 97) as f64)) };
    let with = Param {
        domain: Domain::Categorical(vec![Category::Text("sgd".into()), Category::None]),
        value: ParamValue::Category(number.is_multiple_of(3).into()),
    };
    let mut params = BTreeMap::from([("rate".to_owned(), rate)]);
    params.extend(number.is_multiple_of(2).then(|| ("with".to_owned(), with)));
    TrialRecord {
        number,
        state: TrialState::Complete { values: vec![(number % 89) as f64 / 100.0] },
        params,
        intermediate: (1..=5).map(|step| (step, step as f64 / 10.0)).collect(),
        started_ms: Some(1_700_000_000_000 + 1000 * number as i64),
        completed_ms: Some(1_700_000_000_900 + 1000 * number as i64),
        user_attributes: BTreeMap::new(),
        system_attributes: BTreeMap::new(),
    }
}

/// A study of Danlu with 8 trials, one in each state, and trial 3 with a run in its folder.
fn add_study(place: &Place) -> PathBuf {
    let dir = studies(place).join("tune");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("study.toml"), FILE).unwrap();
    let mut trials: Vec<TrialRecord> = (0..8).map(trial).collect();
    trials[1].state = TrialState::Pruned { values: vec![0.5] };
    trials[2].state = TrialState::Failed;
    trials[2].user_attributes.insert("danlu:failure".into(), json!("out of memory"));
    trials[4].state = TrialState::Waiting;
    trials[5].intermediate = [(1, f64::NAN), (2, f64::INFINITY), (3, 0.4)].into();
    trials[6].state = TrialState::Complete { values: vec![f64::INFINITY] };
    trials[6].system_attributes.insert("constraints".into(), json!([2.5]));
    add_store(&dir.join("study.db"), "tune", ACCURACY, &trials);
    dir
}

const LOSS: (&str, Direction) = ("loss", Direction::Minimize);
const ACCURACY: (&str, Direction) = ("validation_accuracy", Direction::Maximize);

fn add_store(path: &Path, name: &str, (objective, direction): (&str, Direction), trials: &[TrialRecord]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let store = Store::create_or_open(path).unwrap();
    let attributes = BTreeMap::from([("danlu:objectives".to_owned(), json!([objective]))]);
    let study = store.create_study(name, &[direction], &attributes).unwrap();
    store.import(study, trials).unwrap();
}

fn ids(list: &Value) -> Vec<&str> {
    list["studies"].as_array().unwrap().iter().map(|study| study["id"].as_str().unwrap()).collect()
}

#[test]
fn all_studies_are_listed_also_those_of_others_and_what_cannot_be_read() {
    assert_eq!(Place::new().get("/api/studies").json()["total"], 0);
    let place = Place::new();
    add_study(&place);
    let foreign = studies(&place).join("optuna.sqlite3");
    add_store(&foreign, "first", LOSS, &[]);
    add_store(&foreign, "second", LOSS, &[trial(0), trial(1)]);
    fs::write(studies(&place).join("broken.db"), "no store".repeat(100)).unwrap();
    fs::write(studies(&place).join("notes.txt"), "").unwrap();
    let cases: [(&str, &[&str]); 5] = [
        ("sort=name", &["broken.db", "optuna.sqlite3", "optuna.sqlite3~2", "tune"]),
        ("sort=trials&limit=2", &["tune", "optuna.sqlite3~2"]),
        ("sort=trials&order=asc&offset=3", &["tune"]),
        ("search=ACCURACY", &["tune"]),
        ("search=unreadable", &["broken.db"]),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&place.get(&format!("/api/studies?{query}")).json()), expected, "{query}");
    }
    let list = place.get("/api/studies?sort=name").json();
    let [broken, first, second, tune] = [0, 1, 2, 3].map(|idx| &list["studies"][idx]);
    assert!(broken["reason"].as_str().unwrap().contains("no study store"), "{broken}");
    assert_eq!((&first["name"], &first["best"]), (&json!("first"), &Value::Null));
    assert_eq!((&second["name"], &second["best"]["number"]), (&json!("second"), &json!(0)));
    assert_eq!((&tune["state"], &tune["sampler"]), (&json!("idle"), &json!("random")));
    assert_eq!((&tune["best"]["number"], &tune["best"]["values"]), (&json!(7), &json!([0.07])));
    let states = json!({ "waiting": 1, "running": 0, "complete": 5, "pruned": 1, "failed": 1 });
    assert_eq!(tune["n_by_state"], states);
    let broken = place.get("/api/studies/broken.db").json();
    assert_eq!((&broken["row"]["state"], &broken["progress"]), (&json!("unreadable"), &Value::Null));
}

#[test]
fn every_chart_takes_odd_trials() {
    let place = Place::new();
    add_study(&place);
    let of = |what: &str| place.get(&format!("/api/studies/tune/{what}")).json();
    let details = place.get("/api/studies/tune").json();
    assert_eq!((&details["progress"]["trials"], &details["progress"]["done"]), (&json!(16), &json!(7)));
    assert_eq!((&details["toml"], &details["is_ours"]), (&json!(FILE), &json!(true)));
    assert_eq!(details["axes"][1]["categories"], json!(["sgd", "none"]));
    let history = of("history");
    assert_eq!(history["number"], json!([0, 1, 2, 3, 5, 6, 7]));
    assert_eq!(history["value"], json!([0.0, 0.5, null, 0.03, 0.05, null, 0.07]));
    assert_eq!(history["best_number"], json!([0, 3, 5, 7]));
    let curves = of("intermediate");
    assert_eq!((&curves["n"], &curves["curves"][5]["value"]), (&json!(8), &json!([null, null, 0.4])));
    let points = of("parallel");
    assert_eq!((&points["n"], &points["axes"][1]["values"]), (&json!(4), &json!([1.0, null, null, null])));
    assert_eq!(of("front")["n_front"], 1);
    assert_eq!(of("importance")["importance"], json!([]));
    assert_eq!(of("timeline")["n"], 7);
    let table = of("trials?sort=value/0&limit=2");
    assert_eq!(
        (&table["trials"][0]["values"], &table["trials"][0]["feasible"]),
        (&json!(["inf"]), &json!(false))
    );
    assert_eq!(of("trials?state=failed")["trials"][0]["failure"], "out of memory");
    let trial = of("trials/5");
    assert_eq!((&trial["params"][0]["domain"], &trial["run"]), (&json!("0.0001 … 0.1, log"), &Value::Null));
    let refused = [
        ("history?objective=1", 404, "objective 1; there are 1"),
        ("history?points=x", 400, "invalid digit"),
        ("trials?order=up", 400, "unknown variant"),
        ("trials/8", 404, "trial 8"),
        ("trials/-1", 404, "trial -1"),
    ];
    for (what, status, said) in refused {
        place.get(&format!("/api/studies/tune/{what}")).is_refused(status, said);
    }
    place.get("/api/studies/none").is_refused(404, "such study");
}

#[test]
fn the_run_of_a_trial_is_shown_but_not_steered() {
    let place = Place::new();
    let dir = add_study(&place);
    place.add_run("a", 2);
    for (below, source) in [("trials/0003", "a"), ("retrain/0003-1", "a")] {
        fs::create_dir_all(dir.join(below)).unwrap();
        for entry in fs::read_dir(place.runs().join(source)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, dir.join(below).join(path.file_name().unwrap())).unwrap();
        }
    }
    let trial = place.get("/api/studies/tune/trials/3").json();
    assert_eq!((&trial["run"], &trial["has_record"]), (&json!("study~tune~0003"), &json!(true)));
    for id in ["study~tune~0003", "study~tune~0003-1"] {
        let run = place.get(&format!("/api/runs/{id}")).json();
        assert_eq!((&run["row"]["n_epochs"], &run["trial"]["study"]), (&json!(2), &json!("tune")), "{id}");
        assert_eq!(place.get(&format!("/api/runs/{id}/confusion")).status, StatusCode::OK);
        for (what, body) in [("stop", json!({ "when": "now" })), ("resume", json!({}))] {
            place
                .post_json(&format!("/api/runs/{id}/{what}"), &body)
                .is_refused(409, "a trial of the study tune");
        }
    }
    let others = ["study~tune~0004", "study~tune~3", "study~none~0003", "study~tune~0003-2", "study~..~0003"];
    for id in others.into_iter().chain(["study~tune%2f..~0003", "study~tune~..%2f0003", "study~~0003"]) {
        assert!(place.get(&format!("/api/runs/{id}")).status.is_client_error(), "{id}");
    }
}

#[cfg(unix)]
#[test]
fn no_name_of_a_study_leads_out_of_the_studies_folder() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    add_study(&place);
    let secret = place.root.path().join("secret");
    fs::create_dir(&secret).unwrap();
    fs::copy(studies(&place).join("tune/study.db"), secret.join("study.db")).unwrap();
    fs::copy(studies(&place).join("tune/study.db"), secret.join("bare.db")).unwrap();
    symlink(&secret, studies(&place).join("link")).unwrap();
    symlink(secret.join("bare.db"), studies(&place).join("bare.db")).unwrap();
    let before = files(place.root.path());
    let names =
        ["..", "%2e%2e", "..%2fsecret", "link", "bare.db", "tune%2f..%2f..%2fsecret", "%00", "tune~9"];
    for name in names {
        for rest in ["", "/history", "/trials", "/trials/0", "/events"] {
            let answer = place.get(&format!("/api/studies/{name}{rest}"));
            assert!(answer.status.is_client_error(), "{name}{rest}: {}", answer.status);
        }
        assert!(place.post_json(&format!("/api/studies/{name}/run"), &json!({})).status.is_client_error());
    }
    assert_eq!(ids(&place.get("/api/studies").json()), ["tune"]);
    assert_eq!(files(place.root.path()), before);
}

#[cfg(unix)]
#[test]
fn a_study_is_stopped_by_a_file_and_gone_on_with_by_the_program() {
    use std::os::unix::fs::PermissionsExt;
    let program = tempfile::tempdir().unwrap();
    let path = program.path().join("danlu");
    fs::write(&path, "#!/bin/sh\necho \"called: $*\"\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let place = Place::with_program(path);
    let dir = add_study(&place);
    let stop = json!({ "when": "after-epoch" });
    place.post_json("/api/studies/tune/stop", &stop).is_refused(409, "nobody works on tune");
    fs::create_dir(dir.join("workers")).unwrap();
    let lock = fs::File::create(dir.join("workers/w1.lock")).unwrap();
    lock.lock().unwrap();
    let details = place.get("/api/studies/tune").json();
    assert_eq!((&details["row"]["state"], &details["workers"]), (&json!("running"), &json!(["w1"])));
    place.post_json("/api/studies/tune/run", &json!({})).is_refused(409, "somebody works on tune");
    place.post_json("/api/studies/tune/stop", &stop).json();
    assert_eq!(runs::StopRequest::read(&dir), Some(runs::StopRequest::AfterEpoch));
    drop(lock);
    place.post_json("/api/studies/tune/run", &json!({})).json();
    let call = format!("called: study run --quiet -- {}\n", dir.canonicalize().unwrap().display());
    let start = Instant::now();
    while fs::read_to_string(dir.join("log.txt")).unwrap_or_default() != call {
        assert!(start.elapsed().as_secs() < 20, "the program was not called");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    add_store(&studies(&place).join("bare.db"), "bare", LOSS, &[]);
    place.post_json("/api/studies/bare.db/run", &json!({})).is_refused(409, "no study of danlu study run");
}

#[test]
fn a_study_tells_what_another_process_writes() {
    let place = Place::new();
    let path = studies(&place).join("live.db");
    add_store(&path, "live", LOSS, &[trial(0)]);
    wait(async {
        let mut list = Events::open(&place, "/api/study-events").await;
        let (name, row) = list.next().await;
        assert_eq!((name.as_str(), &row["n_trials"]), ("study", &json!(1)));
        assert_eq!(list.next().await.0, "ready");
        let mut events = Events::open(&place, "/api/studies/live.db/events").await;
        let (name, first) = events.next().await;
        assert_eq!((name.as_str(), &first["row"]["n_trials"]), ("study", &json!(1)));
        let store = Store::open(&path).unwrap();
        let study = store.find_study("live").unwrap().unwrap();
        store.import(study, &[trial(1), trial(2)]).unwrap();
        let (_, second) = events.next().await;
        assert_eq!(second["row"]["n_trials"], 3);
        assert_ne!(first["revision"], second["revision"]);
        let (_, row) = list.next().await;
        assert_eq!(row["n_trials"], 3);
        drop(store);
        fs::remove_file(&path).unwrap();
        assert_eq!(events.next().await.0, "gone");
        assert_eq!(list.next().await.0, "gone");
    });
}

/// Times are printed, for a reader; they are not asserted, as they are the machine's.
#[expect(clippy::print_stdout, reason = "a test says what it measured")]
#[test]
fn ten_thousand_trials_come_in_bounded_answers() {
    let place = Place::new();
    let trials: Vec<TrialRecord> = (0..10_000).map(trial).collect();
    add_store(&studies(&place).join("big.db"), "big", ACCURACY, &trials);
    let longest = |value: &Value| {
        let lists = value.as_object().unwrap().values().filter_map(Value::as_array);
        lists.map(Vec::len).max().unwrap_or(0)
    };
    let cases = [
        ("", 2),
        ("/history", 1000),
        ("/history?points=99999", 5000),
        ("/intermediate", 80),
        ("/parallel", 1000),
        ("/importance", 2),
        ("/front", 1000),
        ("/timeline", 1000),
        ("/trials?sort=param/rate&search=rate", 50),
        ("/trials?limit=99999", 500),
        ("/trials/9999", 1),
    ];
    for (what, expected) in cases {
        let start = Instant::now();
        let answer = place.get(&format!("/api/studies/big.db{what}"));
        println!("{what}: {} bytes in {:.1} ms", answer.bytes.len(), start.elapsed().as_secs_f64() * 1e3);
        assert_eq!(longest(&answer.json()), expected, "{what}");
        assert!(answer.bytes.len() < 1 << 20, "{what}: {} bytes", answer.bytes.len());
    }
}
