//! What is told of a study: `list`, `show`, `best`, `trials`, `export`, `importance`.

use serde_json::{Value, json};

use crate::study::{Asked, json_lines, trials};
use crate::support::Place;

/// With a study of twelve trials.
fn done() -> Place {
    let place = Asked { trials: 12, ..Asked::default() }.place();
    place.run("study run s.toml --quiet").succeeds();
    place
}

fn json(place: &Place, arguments: &str) -> Value {
    serde_json::from_str(&place.run(arguments).succeeds().stdout).unwrap()
}

#[test]
fn a_study_is_told_in_all_ways() {
    let place = done();
    let all = trials(&place, "s");
    let accuracy = |trial: &Value| trial["values"]["validation_accuracy"].as_f64().unwrap();
    let highest = all.iter().map(accuracy).fold(0.0, f64::max);
    let first = all.iter().position(|trial| accuracy(trial) == highest).unwrap();

    let best = json(&place, "study best s --json");
    assert_eq!((&best["trial"], accuracy(&best)), (&json!(first), highest));
    let shown = json(&place, "study show s --json");
    assert_eq!(
        (&shown["n_trials"], &shown["n_complete"], &shown["n_running"]),
        (&json!(12), &json!(12), &json!(0))
    );
    assert_eq!(shown["best"][0]["params"], best["params"]);
    assert!(place.run("study show s").succeeds().stdout.contains(&format!("best trial {first}: ")));
    assert!(place.run("study best s").succeeds().stdout.starts_with(&format!("trial {first}: ")));

    let importance = json(&place, "study importance s --json");
    let sum: f64 = importance.as_object().unwrap().values().map(|share| share.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{importance}");
    assert_eq!(place.run("study importance s").succeeds().stdout.lines().count(), 5);

    let listed = json_lines(&place.run("study list --json").succeeds().stdout);
    assert_eq!((&listed[0]["study"], &listed[0]["n_trials"]), (&json!("s"), &json!(12)));
    assert!(listed[1..].iter().any(|study| study["study"] == "lenet-tune" && study["begun"] == false));
    assert!(place.run("study list").succeeds().stdout.contains("lenet-tune"));
}

#[test]
fn the_best_can_be_trained_by_hand() {
    let place = done();
    let toml = place.run("study best s --toml").succeeds().stdout;
    place.write("best.toml", toml);
    place.run("train best.toml --out by-hand --quiet").succeeds();
    let best = json(&place, "study best s --json");
    let record = place.record("by-hand");
    let accuracy = record.epochs.last().unwrap().validation_accuracy;
    assert_eq!(accuracy, best["values"]["validation_accuracy"].as_f64());
}

#[test]
fn trials_stand_in_a_table() {
    let place = done();
    let table = place.run("study trials s").succeeds().stdout;
    let head: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    let expected = [
        "trial",
        "state",
        "epochs",
        "validation_accuracy",
        "kernel",
        "optimizer",
        "learning_rate",
        "momentum",
        "shift",
    ];
    assert_eq!(head, expected);
    assert_eq!(table.lines().count(), 13);
    let sorted = place.run("study trials s --sorted --limit 3 --state complete").succeeds().stdout;
    let values: Vec<f64> =
        sorted.lines().skip(1).map(|line| line.split_whitespace().nth(3).unwrap().parse().unwrap()).collect();
    assert!(values.len() == 3 && values.is_sorted_by(|a, b| a >= b), "{sorted}");
    assert_eq!(place.run("study trials s --state pruned").succeeds().stdout.lines().count(), 1);
    place.run("study trials s --state odd").fails(2, &["--state"]);
}

#[test]
fn both_exports_tell_the_same() {
    let place = done();
    let csv = place.run("study export s --csv").succeeds().stdout;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|found| found == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    let all = trials(&place, "s");
    assert_eq!(rows.len(), all.len());
    for (row, trial) in rows.iter().zip(&all) {
        assert_eq!(row[column("state")], *trial["state"].as_str().unwrap());
        let rate: f64 = row[column("learning_rate")].parse().unwrap();
        assert_eq!(Some(rate), trial["params"]["learning_rate"].as_f64());
        assert_eq!(row[column("momentum")].is_empty(), trial["params"].get("momentum").is_none());
    }
    place.run("study export s").fails(2, &["--csv"]);
    place.run("study export s --csv --json").fails(2, &["cannot be used with"]);
}

#[test]
fn what_is_no_study_is_told() {
    let place = Asked::default().place();
    for command in
        ["show", "best", "trials", "export --csv", "importance", "enqueue", "stop", "tell", "repair"]
    {
        place.run(&format!("study {command} none")).fails(2, &["none", "studies"]);
    }
    place.run("study run none").fails(2, &["none", "lenet-tune"]);
    place.run("study ask none").fails(2, &["none"]);
    place.run("study run data").fails(1, &["data holds no study: it has no study.toml"]);
    assert!(!place.path("studies").exists());
    assert!(place.run("study list").succeeds().stdout.contains("comes with danlu"));
    place.write("s.toml", "name = \"s\"\n");
    place.run("study run s.toml").fails(2, &["s.toml", "objectives"]);
    place.write("s.toml", "name = \"../s\"\nobjectives = [\"parameters\"]\nbudget = { trials = 1 }\n");
    place.run("study run s.toml").fails(2, &["s.toml", "`name` is"]);
    assert!(!place.path("studies").exists());
}

#[test]
fn a_study_without_a_good_trial_says_so() {
    let parameters =
        "[[parameter]]\nname = \"rate\"\nkey = \"optimizer.sgd.learning_rate\"\nchoices = [1e30]\n";
    let run = format!("{}optimizer = \"sgd\"\n", crate::study::RUN);
    let keys = "retrain = { best = 1, seeds = 1 }";
    let place = Asked { trials: 1, keys, run: &run, parameters, ..Asked::default() }.place();
    let ran = place.run("study run s.toml").fails(1, &["the only trial failed"]);
    for told in
        ["1 trials (0 whole, 0 pruned, 1 failed", "the study s has no whole trial", "failed, 1 of 1: "]
    {
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
    assert!(
        place.run("study export s --csv").succeeds().stdout.lines().next().unwrap().ends_with(",failure")
    );
    assert!(!place.read("studies/s/report.md").contains("Importance"));
    place.run("study best s").fails(1, &["the study s has no whole trial"]);
    place.run("study best s --toml").fails(1, &["the study s has no whole trial"]);
    assert_eq!(json(&place, "study show s --json")["best"], json!([]));
}

#[test]
fn a_study_is_found_by_its_file_and_one_that_was_not_begun_says_so() {
    let place = Asked { trials: 1, ..Asked::default() }.place();
    for named in ["s.toml", "lenet-tune"] {
        let expected = format!("`danlu study run {named}` begins it");
        place.run(&format!("study show {named}")).fails(2, &["has not been begun in studies", &expected]);
    }
    place.run("study run s.toml --quiet").succeeds();
    assert_eq!(place.run("study best s.toml").succeeds().stdout, place.run("study best s").succeeds().stdout);
    let told = place.run("study importance s").succeeds();
    assert!(told.stderr.contains("nothing can be told yet"), "{}", told.stderr);
}
