//! `danlu data`, `danlu bench` and the environment.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{N_TRAIN, Place, Ran};

#[test]
fn a_data_set_is_described() {
    let place = Place::new();
    let json: Value = serde_json::from_str(&place.run("data info data --json").succeeds().stdout).unwrap();
    assert_eq!(json["train"]["n"], N_TRAIN);
    assert_eq!(json["train"]["shape"], serde_json::json!([1, 28, 28]));
    assert_eq!(json["test"]["class_counts"], serde_json::json!([7, 7, 7, 7, 6, 6, 6, 6, 6, 6]));
    assert_eq!(json["train"]["sha256"].as_str().unwrap().len(), 64);
    let text = place.run("data info data").succeeds().stdout;
    let row = text.lines().find(|line| line.starts_with("Ankle boot")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["Ankle", "boot", "32", "6"]);
}

#[test]
fn the_environment_names_the_data() {
    let place = Place::new();
    let info = |folder: &str| {
        let mut command = place.command("data info fashion-mnist");
        Ran::of(command.env("DANLU_DATA", folder).output().unwrap())
    };
    assert!(info("data").succeeds().stdout.contains("fashion-mnist in data"));
    info("nowhere").fails(1, &["DANLU_DATA names nowhere"]);
}

#[test]
fn a_download_that_cannot_be_is_told() {
    let place = Place::new();
    let mut command = place.command("data fetch fashion-mnist");
    command.env("XDG_CACHE_HOME", place.path("cache"));
    // Port 9 of the loopback interface: nobody listens.
    Ran::of(command.env("DANLU_URL", "http://127.0.0.1:9/").output().unwrap())
        .fails(1, &["http://127.0.0.1:9/"]);
}

#[test]
fn a_driver_is_obeyed() {
    let place = Place::new();
    let serve = |commands: &str| {
        let mut command = place.command("bench --data data --threads 1 --serve");
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    };
    let ran = serve("info\ntrain\neval\ntrain\ninfo\n").succeeds();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{}", ran.stdout);
    let info: Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!((&info["network"], &info["threads"]), (&"lenet".into(), &1.into()));
    assert_eq!(info["training_multiply_adds"], 758_520);
    assert_eq!(lines[4], lines[0]);
    for seconds in &lines[1..4] {
        assert!(seconds.parse::<f64>().unwrap() > 0.0);
    }
    assert_eq!(serve("eval\n").succeeds().stdout.lines().count(), 1);
    assert_eq!(serve("").succeeds().stdout, "");
    serve("train\nfly\n").fails(2, &["`fly` is not a command"]);
}
