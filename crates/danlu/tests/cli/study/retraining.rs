//! What becomes of the best of a study at the end.

use serde_json::Value;

use crate::study::{Asked, RUN, files, trials};

/// What `[retrain]` says may change, and is looked at before another trial is tried.
#[test]
fn a_mistake_in_the_end_of_a_begun_study_is_told_at_once() {
    let place = Asked { trials: 1, ..Asked::default() }.place();
    place.run("study run s.toml --quiet").succeeds();
    let (first, file) = (trials(&place, "s"), place.read("studies/s/study.toml"));
    place.write(
        "s.toml",
        Asked { trials: 2, keys: "retrain = { set = { epohcs = 1 } }", ..Asked::default() }.text(),
    );
    place
        .run("study run s.toml")
        .fails(2, &["s.toml", "cannot read the run that `retrain` asks for", "epohcs"]);
    assert_eq!((trials(&place, "s"), place.read("studies/s/study.toml")), (first, file));
}

#[test]
fn a_grid_is_tried_on_the_best_by_validation_before_they_are_trained_again() {
    let keys = "[retrain]\nbest = 2\nseeds = 2\nfinalists = 1\nset = { epochs = 2 }\n[[retrain.parameter]]\nname = \"batch\"\n\
                key = \"batch_size\"\nchoices = [8, 64]\n";
    let place = Asked { trials: 3, keys, ..Asked::default() }.place();
    let ran = place.run("study run s.toml --json").succeeds();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mut grid = Vec::new();
    for entry in std::fs::read_dir(place.path("studies/s/grid")).unwrap() {
        let dir = entry.unwrap().path();
        if dir.is_dir() {
            let record: Value =
                serde_json::from_slice(&std::fs::read(dir.join("record.json")).unwrap()).unwrap();
            let epochs = record["epochs"].as_array().unwrap();
            assert_eq!(epochs.len(), 2);
            assert!(epochs.iter().all(|epoch| epoch["test_accuracy"].is_null()), "{epochs:?}");
            let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
            grid.push((epochs[1]["validation_accuracy"].as_f64().unwrap(), name));
        }
    }
    assert_eq!(grid.len(), 4);
    let best = grid.iter().map(|(accuracy, _)| *accuracy).fold(0.0, f64::max);
    let finalist = report["best"].as_array().unwrap().iter().find(|trial| trial["grid"].is_object()).unwrap();
    let batch = &finalist["grid"]["batch"];
    let name = format!("{:04}-{}", finalist["trial"].as_u64().unwrap(), usize::from(*batch == 64));
    assert!(grid.contains(&(best, name)), "{grid:?} {finalist}");
    let runs: Vec<_> = files(&place.path("studies/s/retrain"))
        .into_iter()
        .filter(|file| file.ends_with("run.toml"))
        .collect();
    assert_eq!(runs.len(), 2);
    for run in runs {
        let text = place.read(&format!("studies/s/retrain/{run}"));
        assert!(text.contains(&format!("batch_size = {batch}")) && text.contains("epochs = 2"), "{text}");
    }
    assert_eq!(finalist["retrained"]["n"], 2);
}

/// Epochs are counted though the first objective is none that an epoch tells; the study may want another number of them.
#[test]
fn with_early_stopping_the_best_are_trained_for_as_long_as_their_trial_or_as_is_wanted() {
    for (set, expected) in [("", "epochs = 3"), (", set = { epochs = 2 }", "epochs = 2")] {
        let keys = format!("retrain = {{ best = 1, seeds = 1{set} }}");
        let run = format!("{RUN}early_stopping = {{ patience = 9 }}\n");
        let objectives = r#""parameters", "validation_accuracy""#;
        let place = Asked { trials: 1, objectives, keys: &keys, run: &run, ..Asked::default() }.place();
        place.run("study run s.toml --quiet").succeeds();
        let run = place.read("studies/s/retrain/0000-0/run.toml");
        assert!(run.lines().any(|line| line == expected), "{run}");
        let listed = place.run("study trials s").succeeds().stdout;
        let row: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(row[..3], ["0", "complete", "3"], "{listed}");
    }
}

#[test]
fn what_becomes_of_the_best_may_change_and_is_then_done_anew() {
    let asked = |epochs: u64| {
        let keys = format!("retrain = {{ best = 1, seeds = 1, set = {{ epochs = {epochs} }} }}");
        Asked { trials: 2, keys: &keys, ..Asked::default() }.text()
    };
    let place = Asked { trials: 2, keys: "retrain = { best = 0 }", ..Asked::default() }.place();
    for epochs in [1, 2] {
        place.write("s.toml", asked(epochs));
        let ran = place.run("study run s.toml --json").succeeds();
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let run = report["best"][0]["retrained"]["runs"][0].as_str().unwrap();
        assert!(place.read(&format!("{run}/run.toml")).contains(&format!("epochs = {epochs}\n")));
        assert_eq!(place.path(&format!("{run}-before-1")).exists(), epochs == 2, "nothing is lost");
    }
}

/// Momentum is there for some trials alone: these are trained again, and of the others it is told.
#[test]
fn what_does_not_go_together_with_one_of_the_best_leaves_it_out() {
    let keys = "retrain = { best = 4, seeds = 1, set = { \"optimizer.sgd.momentum\" = 0.5, epochs = 1 } }";
    let parameters =
        "[[parameter]]\nname = \"optimizer\"\nkey = \"optimizer\"\nchoices = [\"adam\", \"sgd\"]\n";
    let asked = Asked { trials: 2, keys, sampler: "\"grid\"", parameters, ..Asked::default() };
    let place = asked.place();
    let ran = place.run("study run s.toml --json").succeeds();
    assert!(ran.stderr.contains("trial 0 cannot be trained again"), "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    for best in report["best"].as_array().unwrap() {
        assert_eq!(best["retrained"].is_null(), best["params"]["optimizer"] == "adam", "{best}");
    }
    // With none of them it is an error, but what the trials came to is put down.
    let place = Asked { trials: 1, ..asked }.place();
    place.run("study run s.toml").fails(2, &["none of the best can be trained again"]);
    assert!(place.path("studies/s/report.json").exists());
}

#[test]
fn mistakes_in_what_becomes_of_the_best_are_told_before_anything_is_trained() {
    let grid = |key: &str, choices: &str| {
        format!("[[retrain.parameter]]\nname = \"b\"\nkey = \"{key}\"\nchoices = [{choices}]\n")
    };
    let cases = [
        (grid("batch_size", "8, 16").repeat(2), "a name that no other has"),
        (grid("batch_size", ""), "`b`"),
        (grid("subset", "0.5, 1.0"), "the best learn from all samples at the end"),
        (format!("[retrain.set]\nvalidation = 0\n{}", grid("batch_size", "8")), "`validation = 0`"),
        ("retrain = { set = { epochz = 3 } }".to_owned(), "epochz"),
    ];
    for (keys, expected) in cases {
        let place = Asked { keys: &keys, ..Asked::default() }.place();
        place.run("study run s.toml").fails(2, &[expected]);
        assert!(!place.path("studies/s/trials").exists());
    }
    let run = crate::study::RUN.replace("validation = 0.2", "validation = 0");
    let place = Asked { run: &run, ..Asked::default() }.place();
    place.run("study run s.toml").fails(2, &["`validation = 0`"]);
}
