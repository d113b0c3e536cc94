//! The list of runs, a run's details, its epochs and its files.

use std::fs;

use serde_json::{Value, json};
use spec::RunState;

use crate::support::{Place, write_record};

fn ids(list: &Value) -> Vec<&str> {
    list["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect()
}

#[test]
fn runs_are_found_sorted_and_paged() {
    let place = Place::new();
    for (id, n_epochs) in [("alpha", 3), ("beta", 1), ("gamma-Ray", 0), ("delta", 4)] {
        place.add_run(id, n_epochs);
    }
    fs::create_dir(place.runs().join("no-run")).unwrap();
    fs::write(place.runs().join("file"), "").unwrap();
    fs::create_dir(place.runs().join("broken")).unwrap();
    fs::write(place.runs().join("broken/record.json"), "{\"version\": 1").unwrap();
    let cases: [(&str, usize, &[&str]); 9] = [
        ("sort=name", 5, &["alpha", "beta", "broken", "delta", "gamma-Ray"]),
        ("sort=name&order=desc&limit=2", 5, &["gamma-Ray", "delta"]),
        ("sort=name&offset=3", 5, &["delta", "gamma-Ray"]),
        ("sort=n_epochs&limit=3", 5, &["delta", "alpha", "beta"]),
        // What has no loss comes last.
        ("sort=loss", 5, &["delta", "alpha", "beta", "broken", "gamma-Ray"]),
        ("sort=loss&order=desc", 5, &["beta", "alpha", "delta", "broken", "gamma-Ray"]),
        ("search=RAY", 1, &["gamma-Ray"]),
        ("search=small%20finished&sort=name&limit=1", 4, &["alpha"]),
        ("search=unreadable", 1, &["broken"]),
    ];
    for (query, total, expected) in cases {
        let list = place.get(&format!("/api/runs?{query}")).json();
        assert_eq!(
            (list["total"].as_u64(), ids(&list).as_slice()),
            (Some(total as u64), expected),
            "{query}"
        );
    }
    let broken = &place.get("/api/runs?search=broken").json()["runs"][0];
    assert_eq!(broken["state"], "unreadable");
    assert!(broken["reason"].as_str().unwrap().contains("cut short"), "{broken}");
}

#[test]
fn a_row_tells_the_last_epoch_and_whether_anybody_works_on_it() {
    let place = Place::new();
    let mut record = place.add_run("a", 2);
    let dir = place.runs().join("a");
    let row = |place: &Place| place.get("/api/runs/a").json()["row"].clone();
    let finished = row(&place);
    let expected = json!({
        "id": "a", "network": "small", "data": "small", "state": "finished", "n_epochs": 2, "epochs_planned": 2,
        // The second epoch's loss is infinite.
        "loss": null, "train_accuracy": 0.5, "validation_accuracy": null, "test_accuracy": 0.75, "best_epoch": 2,
        // 2 · 9 + 2 of the convolution, 3 · 4 + 3 of the linear layer; 12 · 18 and 12 multiply-adds.
        "parameters": 35, "multiply_adds": 228, "seconds": 4.0, "images_per_s": 1000.0,
        "modified": finished["modified"],
    });
    assert_eq!(finished, expected);
    record.state = RunState::Failed { reason: "no space".into() };
    write_record(&dir, &record);
    assert_eq!((&row(&place)["state"], &row(&place)["reason"]), (&json!("failed"), &json!("no space")));
    record.state = RunState::Running;
    write_record(&dir, &record);
    assert_eq!(row(&place)["state"], "stale");
    let lock = fs::File::create(dir.join(".lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(row(&place)["state"], "running");
    drop(lock);
    assert_eq!(row(&place)["state"], "stale");
}

#[test]
fn a_run_without_a_record_is_on_the_list_too() {
    let place = Place::new();
    let state = |id: &str| place.get(&format!("/api/runs/{id}")).json()["row"]["state"].clone();
    for (id, file) in [("pending", ".run.toml.pending"), ("asked", "asked.toml"), ("killed", "run.toml")] {
        fs::create_dir_all(place.runs().join(id)).unwrap();
        fs::write(place.runs().join(id).join(file), "epochs = 1\n").unwrap();
    }
    fs::write(place.runs().join("asked/log.txt"), "reading\nerror: no such data set\n").unwrap();
    assert_eq!(["pending", "asked", "killed"].map(state), ["stale", "failed", "stale"]);
    let asked = place.get("/api/runs/asked").json();
    assert_eq!(asked["row"]["reason"], "reading error: no such data set");
    assert_eq!(asked["log"], "reading\nerror: no such data set");
    place.post_json("/api/runs/asked/resume", &json!({})).is_refused(409, "did not begin");
    assert_eq!((&asked["toml"], &asked["spec"]), (&json!("epochs = 1\n"), &Value::Null));
    let lock = fs::File::create(place.runs().join("pending/.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(state("pending"), "running");
}

#[test]
fn details_have_what_was_asked_and_what_came_of_it() {
    let place = Place::new();
    let record = place.add_run("a", 2);
    let details = place.get("/api/runs/a").json();
    assert_eq!(details["spec"], serde_json::to_value(&record.spec).unwrap());
    assert_eq!(details["toml"], record.spec.to_toml().unwrap());
    assert_eq!(details["data"]["classes"], json!(record.data.classes));
    assert_eq!(details["stop_reason"], "all_epochs");
    assert_eq!(details["files"], json!(["run.toml", "record.json", "model.safetensors"]));
    let conv = json!({
        "name": "conv", "layer": "conv2d", "output": "2 × 4 × 3", "dims": [2, 4, 3], "parameters": 20,
        "multiply_adds": 216,
    });
    assert_eq!((&details["layers"][0], &details["layers"][4]["output"]), (&conv, &json!("3")));
    let file = place.get("/api/runs/a/file/record.json");
    assert_eq!(file.text(), record.to_json().unwrap());
    assert_eq!(file.headers["content-type"], "application/json");
}

#[test]
fn epochs_are_columns_thinned_to_what_is_asked_for() {
    let place = Place::new();
    place.add_run("a", 101);
    let all = place.get("/api/runs/a/epochs").json();
    assert_eq!((all["n_epochs"].as_u64(), all["epoch"].as_array().unwrap().len()), (Some(101), 101));
    assert_eq!((&all["loss"][1], &all["loss"][3]), (&Value::Null, &json!(0.25)));
    assert_eq!((&all["validation_loss"], &all["train_s"][0]), (&Value::Null, &json!(1.5)));
    let few = place.get("/api/runs/a/epochs?points=5").json();
    assert_eq!((&few["epoch"], &few["n_epochs"]), (&json!([1, 26, 51, 76, 101]), &json!(101)));
    assert_eq!(place.get("/api/runs/a/epochs?points=0").json()["epoch"], json!([1, 101]));
}

#[test]
fn the_server_tells_of_itself_and_of_what_a_run_can_be_made_of() {
    let place = Place::new();
    let about = place.get("/api/about").json();
    let runs_dir = place.runs().canonicalize().unwrap().display().to_string();
    assert_eq!((&about["version"], &about["runs_dir"]), (&json!("0.0.0"), &json!(runs_dir)));
    assert!(about["machine"]["isa"].is_string());
    let presets = place.get("/api/presets").json();
    assert_eq!(presets.as_array().unwrap().len(), spec::PRESETS.len());
    for preset in presets.as_array().unwrap() {
        let checked = place.post_json("/api/check", &json!({ "toml": preset["toml"] })).json();
        assert_eq!((&checked["error"], &checked["parameters"]), (&Value::Null, &preset["parameters"]));
        assert_eq!(checked["toml"], preset["toml"]);
    }
    let data = place.get("/api/data").json();
    let names: Vec<_> = data.as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    assert_eq!(names, data::KNOWN_SETS.map(|known| known.name));
    assert!(data.as_array().unwrap().iter().all(|set| set["ready"] == false), "{data}");
    assert_eq!(place.get("/api/blocks").json().as_array().unwrap().len(), 27);
}
