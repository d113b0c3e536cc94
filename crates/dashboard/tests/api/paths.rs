//! Tricks with paths: nothing outside of the runs folder is read, whatever is asked for.

use std::fs;

use axum::http::StatusCode;
use serde_json::json;

use crate::support::{Place, files};

const SECRET: &str = "the secret that must not come out";

/// A run `a`, and links in the runs folder that lead to what must not come out.
#[cfg(unix)]
fn place_with_links() -> Place {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    place.add_run("a", 1);
    let outer = place.root.path();
    fs::create_dir(outer.join("secret")).unwrap();
    for name in ["record.json", "run.toml", "model.safetensors", "passwd"] {
        fs::write(outer.join("secret").join(name), SECRET).unwrap();
    }
    fs::write(place.runs().join("record.json"), SECRET).unwrap();
    symlink(outer.join("secret"), place.runs().join("link")).unwrap();
    symlink("../secret", place.runs().join("relative")).unwrap();
    symlink(outer, place.runs().join("up")).unwrap();
    symlink(outer.join("secret/passwd"), place.runs().join("a/curves.svg")).unwrap();
    symlink(outer.join("secret/passwd"), place.runs().join("a/hardest.png")).unwrap();
    place
}

#[cfg(unix)]
#[track_caller]
fn gives_nothing_away(place: &Place, path: &str) {
    let answer = place.get(path);
    assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    assert!(!answer.text().contains(SECRET), "{path}");
}

#[cfg(unix)]
#[test]
fn no_name_of_a_run_leads_out_of_the_runs_folder() {
    let place = place_with_links();
    let dots = ["..", ".", "%2e%2e", "..%2f", "..%2fsecret", "%2e%2e%2fsecret", "..%5csecret", "a/.."];
    let encoded = ["a%2f..%2f..%2fsecret", "%c0%ae%c0%ae", "%252e%252e%252fsecret", "a%00", "%00", "a%2f"];
    let others = ["link", "relative", "up", "~", "%2fetc", "C:%5c", "a/../../secret", ".hidden"];
    let files = ["", "/epochs", "/events", "/file/record.json", "/file/run.toml", "/file/passwd"];
    let pictures = ["/filters", "/confusion", "/images", "/image/0.png", "/try/0"];
    for id in dots.into_iter().chain(encoded).chain(others) {
        for rest in files.into_iter().chain(pictures) {
            gives_nothing_away(&place, &format!("/api/runs/{id}{rest}"));
        }
        assert!(place.post(&format!("/api/runs/{id}/try"), SECRET).status.is_client_error(), "{id}");
    }
    assert_eq!(place.get("/api/runs").json()["total"], 1);
}

#[cfg(unix)]
#[test]
fn no_name_of_a_file_leads_out_of_its_list() {
    let place = place_with_links();
    let links = ["curves.svg", "hardest.png"];
    let paths = ["..%2frun.toml", "..%2f..%2fsecret%2fpasswd", "%2fetc%2fpasswd", "record.json%2f", ""];
    let others =
        ["checkpoint", "record.json%00", "RECORD.JSON", ".lock", "predictions.safetensors", "log.txt"];
    for name in links.into_iter().chain(paths).chain(others) {
        gives_nothing_away(&place, &format!("/api/runs/a/file/{name}"));
    }
    let assets = ["..%2findex.html", "..%2f..%2fCargo.toml", "../src/lib.rs", "%2e%2e/src/lib.rs", "", "/"];
    for name in assets.into_iter().chain(["index.html"]) {
        assert_eq!(place.get(&format!("/assets/{name}")).status, StatusCode::NOT_FOUND, "{name}");
    }
    assert_eq!(place.get("/api/runs/a/file/record.json").status, StatusCode::OK);
}

#[test]
fn no_name_of_a_new_run_leads_out_and_no_file_is_read_for_its_network() {
    let place = Place::new();
    place.add_run("a", 1);
    let before = files(place.root.path());
    let (long, wide) = ("a".repeat(65), "𐀀".repeat(64));
    for name in [
        "", ".", "..", "../b", "/tmp/b", "a/b", "a\\b", ".hidden", "a\nb", "a\0b", "C:b", "a b", &long, &wide,
    ] {
        let answer = place.post_json("/api/train", &json!({ "toml": "epochs = 1", "name": name }));
        answer.is_refused(400, "the run's name");
    }
    place.post_json("/api/train", &json!({ "toml": "epochs = 1", "name": "a" })).is_refused(409, "called a");
    let secret = place.root.path().join("secret.toml");
    fs::write(&secret, SECRET).unwrap();
    let text = format!("network = {:?}", secret.display().to_string());
    let checked = place.post_json("/api/check", &json!({ "toml": text }));
    assert!(checked.json()["error"]["message"].as_str().unwrap().contains("must be a preset"));
    assert!(!checked.text().contains(SECRET));
    place.post_json("/api/train", &json!({ "toml": text })).is_refused(400, "must be a preset");
    fs::remove_file(secret).unwrap();
    assert_eq!(files(place.root.path()), before);
}
