//! What a training prints and leaves behind.

use std::fs;

use serde_json::Value;
use spec::{RunRecord, RunState, StopReason};

use crate::support::{N_TRAIN, Place};

#[test]
fn epochs_are_printed_as_the_tutorial_does() {
    let place = Place::new();
    let ran = place.train("--epochs 3 --out run").succeeds();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.stdout);
    for (idx, line) in lines.iter().enumerate() {
        let words: Vec<_> = line.split(", ").collect();
        let number = |word: &str, before: &str, after: &str, n_decimals: usize| {
            let text = word.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).expect(line);
            assert_eq!(text.split_once('.').map_or(0, |(_, decimals)| decimals.len()), n_decimals, "{line}");
            text.parse::<f64>().expect(line)
        };
        assert_eq!(words.len(), 5, "{line}");
        assert_eq!(words[0], format!("epoch {}", idx + 1));
        number(words[1], "loss ", "", 4);
        number(words[2], "train acc ", "", 3);
        number(words[3], "test acc ", "", 3);
        number(words[4], "time ", " sec", 1);
    }
    assert_eq!(ran.stderr, "the run is kept in run\n");
}

#[test]
fn json_has_an_object_an_epoch_and_one_at_the_end() {
    let place = Place::new();
    let ran = place.train("--epochs 2 --out run --json").succeeds();
    let objects: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 3);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let expected = [
        "epoch",
        "eval_s",
        "images_per_s",
        "learning_rate",
        "loss",
        "test_accuracy",
        "train_accuracy",
        "train_s",
    ];
    let mut found = keys(&objects[0]);
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(objects[1]["epoch"], 2);
    assert_eq!(objects[2]["run"], "run");
    assert_eq!(objects[2]["model"], "run/model.safetensors");
    assert_eq!(objects[2]["parameters_hash"], place.hash("run"));
    assert_eq!(ran.stderr, "");
}

#[test]
fn quiet_is_quiet() {
    let place = Place::new();
    let ran = place.train("--epochs 1 --quiet").succeeds();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    let ran = place.train("--epochs 1 --quiet --json").succeeds();
    assert_eq!(ran.stdout.lines().count(), 1);
}

#[test]
fn the_folder_holds_the_whole_run() {
    let place = Place::new();
    place.train("--epochs 2 --out deep/run").succeeds();
    let mut files: Vec<_> = fs::read_dir(place.path("deep/run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let results = [
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
    assert_eq!(files, [&[".lock"][..], &results].concat());
    let record = place.record("deep/run");
    assert_eq!(record.state, RunState::Finished);
    assert_eq!((record.stop_reason, record.best_epoch), (Some(StopReason::AllEpochs), Some(2)));
    assert_eq!(record.epochs.len(), 2);
    assert_eq!((record.data.dir, record.data.n_train), (place.path("data").display().to_string(), N_TRAIN));
    let svg = place.read("deep/run/curves.svg");
    for words in ["<svg", "loss", "train accuracy", "test accuracy", "epoch", "</svg>"] {
        assert!(svg.contains(words), "{words}");
    }
    for picture in ["curves.png", "confusion.png", "hardest.png"] {
        let bytes = fs::read(place.path("deep/run").join(picture)).unwrap();
        assert!(image::load_from_memory(&bytes).unwrap().width() > 900, "{picture}");
    }
}

#[test]
fn without_a_terminal_live_prints_lines() {
    let place = Place::new();
    let ran = place.train("--epochs 2 --live --out run").succeeds();
    assert_eq!(ran.stdout.lines().count(), 2);
    assert!(ran.stdout.starts_with("epoch 1, loss "), "{}", ran.stdout);
    let note = "note: --live needs a terminal, and standard output is none; lines are printed instead";
    assert_eq!(ran.stderr.matches(note).count(), 1, "{}", ran.stderr);
}

#[test]
fn an_event_file_belongs_to_one_run() {
    let place = Place::new();
    let events = |dir: &str| fs::read(place.path(dir).join("events.out.tfevents.danlu")).unwrap();
    place.train("--epochs 2 --out run --tensorboard board").succeeds();
    let first = events("board");
    place.train("--epochs 1 --out other --tensorboard board").fails(2, &["board/events", "--force"]);
    assert_eq!((events("board"), place.path("other").exists()), (first.clone(), false));
    place.train("--epochs 1 --out other --tensorboard board --force").succeeds();
    assert!(events("board").len() < first.len());
    // A run that is not over goes on in its own file, and in a fresh one with all of its epochs.
    let record = place.record("run");
    let running = RunRecord { state: RunState::Running, ..record };
    let reopen = || place.write("run/record.json", running.to_json().unwrap());
    reopen();
    place.run("resume run --tensorboard board").fails(1, &["board/events", "tells of another run"]);
    place.run("resume run --tensorboard fresh").succeeds();
    assert_eq!(events("fresh").len(), first.len());
    fs::write(place.path("fresh/events.out.tfevents.danlu"), &first[..first.len() - 7]).unwrap();
    reopen();
    place.run("resume run --tensorboard fresh").succeeds();
    assert_eq!(events("fresh").len(), first.len());
}

#[test]
fn the_small_data_is_learned() {
    let place = Place::new();
    place.train("--epochs 30 --learning-rate 0.003 --out run").succeeds();
    let record = place.record("run");
    assert!(record.epochs[29].test_accuracy > 0.9, "{:?}", record.epochs[29]);
}

#[test]
fn fresh_folders_are_numbered() {
    let place = Place::new();
    place.train("--epochs 1").succeeds();
    place.train("--epochs 1 --network lenet-3x3").succeeds();
    place.train("--epochs 1").succeeds();
    for run in ["lenet-1", "lenet-2", "lenet-3x3-1"] {
        assert!(place.path(&format!("runs/{run}/record.json")).exists(), "{run}");
    }
}

#[test]
fn a_run_is_not_replaced_unless_by_force() {
    let place = Place::new();
    place.train("--epochs 1 --out run").succeeds();
    let hash = place.hash("run");
    place.train("--epochs 1 --seed 2 --out run").fails(2, &["run holds a run (run.toml)", "--force"]);
    assert_eq!(place.hash("run"), hash);
    // A run that cannot begin leaves the one that it would have replaced.
    place.run("train --data nowhere --out run --force").fails(2, &["nowhere does not exist"]);
    assert_eq!(place.hash("run"), hash);
    place.train("--epochs 1 --seed 2 --out run --force").succeeds();
    assert_ne!(place.hash("run"), hash);
    // An empty folder and one of other things are no runs.
    fs::create_dir(place.path("empty")).unwrap();
    place.train("--epochs 1 --out empty").succeeds();
    place.train("--epochs 1 --out .").succeeds();
}

#[test]
fn every_loss_is_logged() {
    let place = Place::new();
    place.train("--epochs 2 --steps-log steps").succeeds();
    let steps = place.read("steps");
    let losses: Vec<f64> = steps.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(losses.len(), 2 * N_TRAIN / 64);
    assert!((losses[0] - 10_f64.ln()).abs() < 0.1, "{}", losses[0]);
    let ran = place.train("--epochs 2 --steps-log /dev/full --out full");
    ran.fails(1, &["the run failed in epoch 1", "/dev/full", "No space left on device"]);
}

#[test]
fn a_run_file_is_followed_and_flags_win() {
    let place = Place::new();
    let text =
        "data = \"data\"\nepochs = 2\nbatch_size = 64\nout = \"r\"\njson = true\noptimizer = \"sgd\"\n";
    // As some editors on other systems would write it.
    place.write("run.toml", format!("\u{feff}{}", text.replace('\n', "\r\n")));
    let ran = place.run("train run.toml --epochs 1 --learning-rate 0.5").succeeds();
    assert_eq!(ran.stdout.lines().count(), 2);
    let record = place.record("r");
    assert_eq!((record.spec.epochs, record.spec.batch_size), (1, 64));
    assert_eq!(record.spec.optimizer.learning_rate(), 0.5);
    assert_eq!(record.spec.optimizer.kind(), spec::OptimizerKind::Sgd);
}

#[test]
fn a_network_file_is_trained() {
    let place = Place::new();
    let text = "name = \"my net\"\ninput = [1, 28, 28]\nclasses = 10\n\
                node = [{ layer = \"flatten\" }, { name = \"out\", layer = { linear = { out_features = 10 } } }]\n";
    place.write("net.toml", format!("\u{feff}{}", text.replace('\n', "\r\n")));
    place.train("--epochs 1 --network net.toml").succeeds();
    let record = place.record("runs/my-net-1");
    assert_eq!(record.spec.network.name, "my net");
    let shown = place.run("summary runs/my-net-1").succeeds();
    assert!(shown.stdout.contains("7,850"), "{}", shown.stdout);
    assert_eq!(place.run("summary net.toml").succeeds().stdout, shown.stdout);
    assert_eq!(place.run("summary runs/my-net-1/model.safetensors").succeeds().stdout, shown.stdout);
}
