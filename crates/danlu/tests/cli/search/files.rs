//! `danlu search best`: figures and files.

use serde_json::Value;

use crate::search::searched;
use crate::study::Asked;

#[test]
fn the_best_gives_files_that_load() {
    let asked = Asked { keys: "retrain = { best = 1, seeds = 2 }", ..searched() };
    let place = asked.place();
    place.run("search s.toml --quiet").succeeds();
    let told = place.run("search best s --out best --json").succeeds().stdout;
    let best: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(best["retrained"]["n"], 2);
    assert_eq!(best["files"].as_array().unwrap().len(), 4);
    let run = place.read("best/run.toml");
    assert!(!run.contains("subset") && run.contains("test = \"at_end\""), "{run}");
    let eval = place.run("eval best/model.safetensors --data data --json").succeeds().stdout;
    let eval: Value = serde_json::from_str(&eval).unwrap();
    assert_eq!(eval["accuracy"], best["retrained"]["each"][0]);
    let summary = place.run("summary best/network.toml --json").succeeds().stdout;
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["parameters"], best["parameters"]);
    assert_eq!(summary["multiply_adds"], best["multiply_adds"]);
    assert!(place.path("best/model.onnx").metadata().unwrap().len() > 100);
    place.run("train best/run.toml --out runs/again --epochs 1 --quiet").succeeds();
    let shown = place.run("search best s --out wide --widen 2 --json").succeeds().stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let wide = place.run("summary wide/network.toml --json").succeeds().stdout;
    let wide: Value = serde_json::from_str(&wide).unwrap();
    assert!(wide["parameters"].as_u64() > best["parameters"].as_u64(), "{wide}");
    assert_eq!(
        (&shown["parameters"], &shown["widened"]["parameters"]),
        (&best["parameters"], &wide["parameters"])
    );
    let text = place.run("search best s --out wide --widen 2").succeeds().stdout;
    assert!(text.contains(&format!("not trained yet: {} parameters", wide["parameters"])), "{text}");
    place.run("train wide/run.toml --out runs/wide --epochs 1 --quiet").succeeds();
    let text = place.run("search best s").succeeds().stdout;
    assert!(text.contains("multiply-adds") && text.contains("test accuracy"), "{text}");
    place.run("search best s --out best").succeeds();
    place
        .run("search best s --out best --widen 2")
        .fails(2, &["best/model.safetensors is the model of another"]);
    place.run("search best s --out runs/again").fails(2, &["runs/again holds a run"]);
}

#[test]
fn without_retraining_there_is_no_model() {
    let place = Asked { trials: 2, ..searched() }.place();
    place.run("search s.toml --quiet").succeeds();
    let text = place.run("search best s --out best").succeeds().stdout;
    assert!(text.contains("not trained again yet") && text.contains("best/network.toml"), "{text}");
    assert!(!place.path("best/model.onnx").exists());
    let run = place.read("best/run.toml");
    assert_eq!(run.trim_end(), place.run("study best s --toml").succeeds().stdout.trim_end());
}
