//! Event streams.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use spec::RunState;
use tower::ServiceExt;

use crate::support::{Events, HOST, Place, wait, write_record};

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn the_list_tells_what_is_there_and_what_changes() {
    let place = Place::new();
    place.add_run("a", 1);
    place.add_run("b", 1);
    wait(async {
        let mut events = Events::open(&place, "/api/events").await;
        assert_eq!(names(&events.until("ready").await), ["run", "run", "ready"]);
        place.add_run("c", 2);
        let (name, row) = events.next().await;
        assert_eq!((name.as_str(), &row["id"], &row["n_epochs"]), ("run", &"c".into(), &2.into()));
        std::fs::remove_dir_all(place.runs().join("a")).unwrap();
        let (name, gone) = events.next().await;
        assert_eq!((name.as_str(), &gone["id"]), ("gone", &"a".into()));
    });
}

#[test]
fn a_run_tells_epoch_by_epoch_what_another_process_writes() {
    let place = Place::new();
    let mut record = place.add_run("a", 3);
    let dir = place.runs().join("a");
    record.state = RunState::Running;
    write_record(&dir, &record);
    let lock = std::fs::File::create(dir.join(".lock")).unwrap();
    lock.lock().unwrap();
    wait(async {
        let mut events = Events::open(&place, "/api/runs/a/events?after=1").await;
        let first = events.until("ready").await;
        assert_eq!(names(&first), ["state", "epoch", "epoch", "ready"]);
        assert_eq!((&first[0].1["state"], &first[2].1["epoch"]), (&"running".into(), &3.into()));
        let progress =
            r#"{"epoch":4,"step":1,"n_steps":9,"loss":0.5,"learning_rate":0.1,"images_per_s":7.0}"#;
        std::fs::write(dir.join("progress.json"), progress).unwrap();
        let (name, value) = events.next().await;
        assert_eq!((name.as_str(), value), ("progress", serde_json::from_str(progress).unwrap()));
        record.epochs.push(spec::EpochRecord { epoch: 4, ..record.epochs[2] });
        record.state = RunState::Finished;
        write_record(&dir, &record);
        let last = events.until("epoch").await;
        assert_eq!((&last.last().unwrap().1["epoch"], &last[0].1["state"]), (&4.into(), &"finished".into()));
    });
}

#[test]
fn who_connects_again_is_told_what_came_after_the_last() {
    let place = Place::new();
    place.add_run("a", 5);
    wait(async {
        let request =
            Request::get("/api/runs/a/events?after=1").header("host", HOST).header("last-event-id", "3");
        let mut events = Events::of(&place, request.body(Body::empty()).unwrap()).await;
        let first = events.until("ready").await;
        assert_eq!(
            (names(&first), &first[1].1["epoch"]),
            (vec!["state", "epoch", "epoch", "ready"], &4.into())
        );
    });
}

#[test]
fn streams_are_limited_and_a_closed_one_makes_room() {
    let place = Place::new();
    place.add_run("a", 1);
    wait(async {
        let mut open = Vec::new();
        for _ in 0..64 {
            open.push(Events::open(&place, "/api/events").await);
        }
        let request = || Request::get("/api/runs/a/events").header("host", HOST).body(Body::empty()).unwrap();
        let refused = place.router.clone().oneshot(request()).await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(open.pop());
        let accepted = place.router.clone().oneshot(request()).await.unwrap();
        assert_eq!(accepted.status(), StatusCode::OK);
    });
}

#[test]
fn ten_thousand_epochs_come_whole_and_soon() {
    let place = Place::new();
    place.add_run("long", 10_000);
    wait(async {
        let mut events = Events::open(&place, "/api/runs/long/events").await;
        let all = events.until("ready").await;
        let epochs: Vec<u64> = all
            .iter()
            .filter(|(name, _)| name == "epoch")
            .map(|(_, epoch)| epoch["epoch"].as_u64().unwrap())
            .collect();
        assert_eq!(epochs, (1..=10_000).collect::<Vec<_>>());
    });
}
