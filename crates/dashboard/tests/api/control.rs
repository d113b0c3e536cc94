//! Starting, stopping and going on with runs, with a program that only tells how it was called.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use spec::RunState;

use crate::support::{Place, write_record};

/// Waits until there is a file with that text in it.
#[track_caller]
fn await_text(path: &Path, text: &str) -> String {
    let start = Instant::now();
    loop {
        let found = fs::read_to_string(path).unwrap_or_default();
        if found.contains(text) {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{text:?} is not in {found:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A folder with a program in it that prints its arguments and its process group.
fn program(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("danlu");
    fs::write(
        &path,
        "#!/bin/sh\necho \"called: $*\"\necho \"group: $(ps -o pgid= -p $$) self: $$\"\nexit 1\n",
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_run_is_started_by_the_program_in_a_group_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::with_program(program(dir.path()));
    let text = "epochs = 2\nnetwork = 'lenet'\n";
    let runs = place.runs().canonicalize().unwrap();
    for (name, id) in [(json!("mine"), "mine"), (json!(null), "lenet-1"), (json!(null), "lenet-2")] {
        let started = place.post_json("/api/train", &json!({ "toml": text, "name": name })).json();
        assert_eq!(started, json!({ "id": id }));
        let run = runs.join(id);
        assert_eq!(fs::read_to_string(run.join("asked.toml")).unwrap(), text);
        let log = await_text(&run.join("log.txt"), "self: ");
        let call = format!("called: train {0}/asked.toml --out {0}\n", run.display());
        assert!(log.starts_with(&call), "{log}");
        let words: Vec<&str> = log.split_whitespace().collect();
        let after = |word: &str| words[words.iter().position(|&other| other == word).unwrap() + 1];
        assert_eq!(after("group:"), after("self:"), "{log}");
    }
    // It ended without a run: what it said is the reason.
    let start = Instant::now();
    loop {
        let row = place.get("/api/runs/mine").json()["row"].clone();
        if row["state"] == "failed" {
            assert!(row["reason"].as_str().unwrap().contains("called: train"), "{row}");
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{row}");
    }
    // As it did not begin, its name is free.
    let asked = json!({ "toml": "epochs = 3\n", "name": "mine" });
    assert_eq!(place.post_json("/api/train", &asked).json(), json!({ "id": "mine" }));
    assert_eq!(fs::read_to_string(runs.join("mine/asked.toml")).unwrap(), "epochs = 3\n");
}

#[test]
fn a_program_that_is_not_there_leaves_no_folder() {
    let place = Place::new();
    let asked = json!({ "toml": "epochs = 1", "name": "a" });
    place.post_json("/api/train", &asked).is_refused(500, "cannot start a training");
    assert_eq!(fs::read_dir(place.runs()).unwrap().count(), 0);
}

#[test]
fn a_run_that_goes_on_is_asked_to_stop_and_one_that_rests_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::with_program(program(dir.path()));
    let mut record = place.add_run("a", 1);
    let run = place.runs().canonicalize().unwrap().join("a");
    record.state = RunState::Running;
    write_record(&run, &record);
    place.post_json("/api/runs/a/stop", &json!({ "when": "now" })).is_refused(409, "is not going on");
    let lock = fs::File::create(run.join(".lock")).unwrap();
    lock.lock().unwrap();
    place.post_json("/api/runs/a/resume", &json!({})).is_refused(409, "is going on");
    for when in ["now", "after-epoch"] {
        place.post_json("/api/runs/a/stop", &json!({ "when": when })).json();
        assert_eq!(fs::read_to_string(run.join("stop")).unwrap(), when);
    }
    drop(lock);
    for state in [RunState::Running, RunState::Interrupted, RunState::Failed { reason: "x".into() }] {
        record.state = state;
        write_record(&run, &record);
        let _before = fs::remove_file(run.join("log.txt"));
        let start = Instant::now();
        // The one before may not be gone yet.
        while !place.post_json("/api/runs/a/resume", &json!({})).status.is_success() {
            assert!(start.elapsed() < Duration::from_secs(20));
        }
        await_text(&run.join("log.txt"), &format!("called: resume {}\n", run.display()));
    }
    // The last one ended at once as the others did, of which the state tells nothing.
    let start = Instant::now();
    let ended = loop {
        let told = place.get("/api/runs/a").json();
        if told["is_started"] == false {
            break told;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{told}");
    };
    assert_eq!((&ended["row"]["state"], &ended["row"]["reason"]), (&json!("failed"), &json!("x")));
}
