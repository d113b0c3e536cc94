//! Runs that die and go on.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rand_core::Rng;
use serde_json::Value;
use spec::{RunRecord, RunState, Seed, StopReason};

use crate::support::{Place, Ran};

/// A small network, so that a run of everything takes a moment: batch normalization, dropout, augmentation, a schedule,
/// clipping, an average and a validation part.
const NETWORK: &str = r#"
name = "small"
input = [1, 28, 28]
classes = 10
node = [
    { layer = { max_pool2d = { kernel = 4 } } },
    { layer = { conv2d = { out_channels = 4, kernel = 3 } } },
    { layer = "batch_norm2d" },
    { layer = "relu" },
    { layer = { dropout = { p = 0.1 } } },
    { layer = "flatten" },
    { layer = { linear = { out_features = 10 } } },
]
"#;

const RUN: &str = r#"
data = "data"
network = "small.toml"
epochs = 8
batch_size = 32
validation = 0.2
normalization = "standard"
clip_gradient = 1.0
optimizer = "adamw"
average = { decay = 0.9 }
[augment]
shift = 2
rotation = 10
mixup = {}
[loss.cross_entropy]
label_smoothing = 0.1
[schedule.cosine]
warm_up_epochs = 1
"#;

/// With the run file `small-run.toml`.
fn place() -> Place {
    let place = Place::new();
    place.write("small.toml", NETWORK);
    place.write("small-run.toml", RUN);
    place
}

/// All that a run leaves that does not depend on the clock: the models' bytes and the record without times.
fn results(place: &Place, run: &str) -> ([Vec<u8>; 3], Value) {
    let bytes = |file: &str| fs::read(place.path(&format!("{run}/{file}"))).unwrap();
    let mut record: Value = serde_json::from_str(&place.read(&format!("{run}/record.json"))).unwrap();
    record.as_object_mut().unwrap().remove("machine");
    for epoch in record["epochs"].as_array_mut().unwrap() {
        for key in ["train_s", "eval_s", "images_per_s"] {
            epoch.as_object_mut().unwrap().remove(key);
        }
    }
    (["model", "best", "predictions"].map(|name| bytes(&format!("{name}.safetensors"))), record)
}

/// Fifty instants over the length of a run, its start included. A run is killed until it has been killed three times or
/// has ended before.
#[test]
fn a_run_that_is_killed_at_any_instant_comes_to_the_same_end() {
    let place = place();
    place.run("train small-run.toml --epochs 24 --out whole").succeeds();
    let whole = results(&place, "whole");
    let start = Instant::now();
    place.run("train small-run.toml --epochs 24 --out timed").succeeds();
    let mut length = start.elapsed();
    let mut random = Seed(7).stream("kills");
    let (mut n_killed, mut n_runs) = (0, 0);
    while n_killed < 50 {
        n_runs += 1;
        assert!(n_runs < 200, "only {n_killed} runs could be killed");
        let run = format!("killed-{n_runs}");
        for n in 0..3 {
            let delay = length.mul_f64(f64::from(random.next_u32()) / f64::from(u32::MAX));
            if !kill_after(&place, &next(&place, &run, n), delay) {
                // The machine was slower when the length was measured.
                length = length.mul_f64(0.9);
                break;
            }
            n_killed += 1;
        }
        let ran = place.run(&next(&place, &run, 0));
        // It may have been finished before it could be killed.
        if ran.code != Some(0) {
            assert!(ran.stderr.contains("is finished"), "{run}: {}", ran.stderr);
        }
        check_killed(&place, &run, &whole);
    }
}

/// What goes on with a run. Before it has put down its spec there is nothing to go on with.
fn next(place: &Place, run: &str, n: usize) -> String {
    let is_begun = ["run.toml", ".run.toml.pending"].iter().any(|file| place.path(run).join(file).exists());
    if is_begun {
        return format!("resume {run} --threads {}", 1 + n);
    }
    format!("train small-run.toml --epochs 24 --out {run}")
}

/// It has come to the same end and left nothing else.
fn check_killed(place: &Place, run: &str, whole: &([Vec<u8>; 3], Value)) {
    assert_eq!(&results(place, run), whole, "{run}");
    let entries = fs::read_dir(place.path(run)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let expected = [
        ".lock",
        "best.safetensors",
        "checkpoint",
        "confusion.png",
        "curves.png",
        "curves.svg",
        "hardest.png",
        "model.safetensors",
        "predictions.safetensors",
        "record.json",
        "run.toml",
    ];
    assert_eq!(files, expected, "{run}");
}

/// Whether the program still ran then.
fn kill_after(place: &Place, arguments: &str, delay: Duration) -> bool {
    let mut command = place.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(delay);
    let ran_on = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    ran_on
}

/// A run as if it had been killed in its first epoch.
fn killed_early(place: &Place, run: &str) {
    place.run(&format!("train small-run.toml --out {run}")).succeeds();
    let record = place.record(run);
    let early = RunRecord { epochs: vec![], state: RunState::Running, ..record };
    place.write(&format!("{run}/record.json"), early.to_json().unwrap());
    fs::remove_file(place.path(&format!("{run}/checkpoint"))).unwrap();
}

#[test]
fn a_run_without_an_epoch_starts_over() {
    let place = place();
    killed_early(&place, "run");
    place.run("train small-run.toml --out whole").succeeds();
    let ran = place.run("resume run --threads 1").succeeds();
    assert!(ran.stderr.starts_with("run goes on from the start\n"), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 8);
    assert_eq!(results(&place, "run"), results(&place, "whole"));
    // Without a record it was killed even earlier; and before that, with its spec put down alone.
    for spec_file in ["run.toml", ".run.toml.pending"] {
        let text = place.read("run/run.toml");
        fs::remove_dir_all(place.path("run")).unwrap();
        fs::create_dir(place.path("run")).unwrap();
        place.write(&format!("run/{spec_file}"), text);
        place.run("resume run").succeeds();
        assert_eq!(results(&place, "run"), results(&place, "whole"));
    }
    // A model that somebody keeps beside a run file is not trained over.
    fs::create_dir(place.path("kept")).unwrap();
    for file in ["run.toml", "model.safetensors"] {
        fs::copy(place.path("whole").join(file), place.path("kept").join(file)).unwrap();
    }
    place.run("resume kept").fails(1, &["kept/model.safetensors is there, but no record"]);
    place.run("eval kept --data data").succeeds();
}

#[test]
fn ctrl_c_and_a_closed_pipe_can_be_gone_on_from() {
    let place = place();
    place.run("train small-run.toml --epochs 200 --out whole").succeeds();
    for name in ["-INT", "-TERM", "-KILL"] {
        let mut command = place.command(&format!("train small-run.toml --epochs 200 --out run{name}"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let checkpoint = place.path(&format!("run{name}/checkpoint"));
        while !checkpoint.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
        let stopped = Ran::of(child.wait_with_output().unwrap());
        assert_ne!(stopped.code, Some(0));
        let ran = place.run(&format!("resume run{name} --json")).succeeds();
        let first: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
        assert!(first["epoch"].as_u64().unwrap() > 1, "{first}");
        assert_eq!(results(&place, &format!("run{name}")), results(&place, "whole"));
    }
}

#[test]
fn a_finished_run_is_refused() {
    let place = place();
    place.run("train small-run.toml --epochs 1 --out run").succeeds();
    place.run("resume run").fails(1, &["the run in run is finished"]);
    fs::create_dir(place.path("empty")).unwrap();
    place.run("resume empty").fails(1, &["empty holds no run that could go on"]);
    assert_eq!(fs::read_dir(place.path("empty")).unwrap().count(), 0);
    place.run("resume nowhere").fails(1, &["nowhere is not a folder"]);
    place.run("resume").fails(2, &["RUN"]);
}

#[test]
fn changed_data_a_changed_spec_and_a_damaged_checkpoint_are_refused() {
    let place = place();
    killed_early(&place, "run");
    let keep = |file: &str| fs::read(place.path(file)).unwrap();
    let began = place.record("run").data.train_sha256;
    let images = "data/train-images-idx3-ubyte";
    let mut changed = keep(images);
    // The last pixel of each picture.
    changed[16..].chunks_exact_mut(784).for_each(|picture| picture[783] ^= 1);
    let old = keep(images);
    place.write(images, &changed);
    let record = keep("run/record.json");
    let ran = place.run("resume run");
    assert!(ran.stderr.contains(&began), "{}", ran.stderr);
    ran.fails(1, &["data has SHA-256", "but the run began with"]);
    assert_eq!(keep("run/record.json"), record, "nothing is changed before the data is compared");
    place.write(images, &old);

    let spec = place.read("run/run.toml");
    place.write("run/run.toml", spec.replace("seed = 1", "seed = 2"));
    place.run("resume run").fails(1, &["run/run.toml was changed since the run began"]);
    place.write("run/run.toml", &spec);

    place.write("run/checkpoint", "not one");
    place.run("resume run").fails(1, &["cannot go on from run/checkpoint", "cut short: it has 7 bytes"]);
    fs::remove_file(place.path("run/checkpoint")).unwrap();
    let record = place.read("run/record.json");
    let epoch = place.read("run/record.json").replace(
        "\"epochs\": []",
        "\"epochs\": [{\"epoch\": 1, \"loss\": 1, \
        \"train_accuracy\": 1, \"test_accuracy\": 1, \"train_s\": 1, \"eval_s\": 1, \"images_per_s\": 1}]",
    );
    assert_ne!(epoch, record);
    place.write("run/record.json", epoch);
    place.run("resume run").fails(1, &["the record tells of epochs, but there is no run/checkpoint"]);
    place.write("run/record.json", record);
    place.run("resume run").succeeds();
}

#[test]
fn a_folder_in_use_is_refused() {
    let place = place();
    let mut command = place.command("train --data data --epochs 1000000 --out other");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !place.path("other/checkpoint").exists() {
        thread::sleep(Duration::from_millis(1));
    }
    place.run("resume other").fails(1, &["another run is writing to other"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_that_no_longer_gets_better_ends_and_keeps_its_best() {
    let place = place();
    let flags = "--epochs 60 --patience 2 --learning-rate 1e-9";
    let ran = place.run(&format!("train small-run.toml {flags} --out run")).succeeds();
    let record = place.record("run");
    assert_eq!((&record.state, record.stop_reason), (&RunState::Finished, Some(StopReason::EarlyStopping)));
    assert!(record.epochs.len() < 60);
    let best = record.best_epoch.unwrap();
    assert!(best < record.epochs.len());
    let ended =
        format!("ended after epoch {}: the validation accuracy no longer rises\n", record.epochs.len());
    assert!(ran.stderr.starts_with(&ended), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("the best epoch by the validation part is {best}, kept in")));
    place.run("eval run/best.safetensors --data data").succeeds();
    place.run("resume run").fails(1, &["the run in run is finished"]);
    let ran = place.train("--epochs 2 --patience 2 --out none");
    ran.fails(2, &["early stopping needs a validation part", "set `validation`"]);
    assert!(!place.path("none").exists());
}
