//! Architecture searches: which studies are some, their charts and their networks, over searches that are made here.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};
use spec::{ParamValue, TrialRecord};

use crate::made_up_search::{How, MadeUp};
use crate::support::{Events, Place, wait};

const CHARTS: [&str; 7] =
    ["rewards", "steps", "decisions", "family", "costs", "costs?cost=multiply_adds", "gallery"];

fn studies(place: &Place) -> PathBuf {
    place.root.path().join("studies")
}

fn longest(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(longest).max().unwrap_or(0).max(list.len()),
        Value::Object(keys) => keys.values().map(longest).max().unwrap_or(0),
        _ => 0,
    }
}

#[test]
fn searches_are_the_studies_with_a_grammar() {
    let place = Place::new();
    MadeUp::begin(How::Learned, &studies(&place), "learned", 3);
    let plain = studies(&place).join("plain");
    fs::create_dir_all(&plain).unwrap();
    let file = "version = 1\nname = \"plain\"\nobjectives = [\"validation_accuracy\"]\nsampler = \"random\"\n\
                budget = { trials = 4 }\nrun = { epochs = 1 }\n[[parameter]]\nname = \"rate\"\nfloat = { low = 0.1, high = 0.2 }\n";
    fs::write(plain.join("study.toml"), file).unwrap();
    let store = store::Store::create_or_open(plain.join("study.db")).unwrap();
    store.create_study("plain", &[spec::Direction::Maximize], &[].into()).unwrap();
    assert_eq!(place.get("/api/studies").json()["total"], 2);
    let list = place.get("/api/studies?searches=true").json();
    assert_eq!((&list["total"], &list["studies"][0]["id"]), (&json!(1), &json!("learned")));
    assert_eq!(place.get("/api/studies/plain").json()["row"]["is_search"], false);
    for chart in CHARTS {
        place.get(&format!("/api/studies/plain/{chart}")).is_refused(404, "grammar in this study");
        place.get(&format!("/api/studies/none/{chart}")).is_refused(404, "such study");
    }
    let steps = place.get("/api/studies/learned").json()["attributes"].to_string();
    assert!(!steps.contains("danlu:step"), "{steps}");
}

#[test]
fn every_chart_of_a_search_tells_its_children() {
    let place = Place::new();
    MadeUp::begin(How::Learned, &studies(&place), "learned", 100);
    MadeUp::begin(How::Evolved, &studies(&place), "evolved", 200);
    MadeUp::begin(How::Evolved, &studies(&place), "empty", 0);
    let of = |study: &str, chart: &str| place.get(&format!("/api/studies/{study}/{chart}")).json();
    let rewards = of("learned", "rewards");
    // Two children failed.
    assert_eq!((&rewards["n"], &rewards["last"]), (&json!(98), &json!(99)));
    let ends: Vec<&Value> = [0, 1, 2]
        .map(|at| rewards["tops"][at]["by_number"]["value"].as_array().unwrap().last().unwrap())
        .into();
    assert!(ends[0].as_f64() > ends[1].as_f64() && ends[1].as_f64() > ends[2].as_f64(), "{ends:?}");
    let steps = of("learned", "steps");
    assert_eq!(
        (&steps["source"], &steps["n"], &steps["baseline"][0]),
        (&json!("log"), &json!(12), &Value::Null)
    );
    assert_eq!((&steps["children"][11], &steps["entropy"][0]["kind"]), (&json!(96), &json!("filter_height")));
    let windows = of("evolved", "steps");
    assert_eq!(
        (&windows["source"], &windows["window"], &windows["n"]),
        (&json!("windows"), &json!(8), &json!(25))
    );
    assert_eq!(windows["entropy"].as_array().unwrap().len(), 7);
    let decisions = of("learned", "decisions");
    assert_eq!((&decisions["n_layers"], &decisions["kinds"][0]["name"]), (&json!(4), &json!("layers")));
    let names = |shares: &Value| {
        shares["kinds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let own = ["filter_height", "filter_width", "stride_height", "stride_width", "filters"];
    assert_eq!(names(&of("learned", "decisions?layer=0")), own);
    assert_eq!(names(&of("learned", "decisions?layer=3"))[0], "skips");
    assert_eq!(names(&of("learned", "decisions?layer=9")), [""; 0]);
    let family = of("evolved", "family");
    assert_eq!(family["n_with_parent"], 146);
    assert!(
        family["line"].as_array().unwrap().len() > 2 && family["line"][0].as_u64() > Some(50),
        "{}",
        family["line"]
    );
    assert_eq!(of("learned", "family")["n_with_parent"], 0);
    let costs = of("evolved", "costs");
    assert_eq!((&costs["objectives"][0]["name"], &costs["n"]), (&json!("parameters"), &json!(195)));
    for chart in CHARTS {
        of("empty", chart);
    }
    place.get("/api/studies/learned/costs?cost=money").is_refused(400, "unknown variant");
}

#[test]
fn the_best_children_come_with_their_networks() {
    let place = Place::new();
    MadeUp::begin(How::Evolved, &studies(&place), "evolved", 120);
    let gallery = place.get("/api/studies/evolved/gallery?points=5").json();
    let best = gallery["best"].as_array().unwrap();
    assert_eq!(best.len(), 5);
    assert!(best.windows(2).all(|pair| pair[0]["value"].as_f64() >= pair[1]["value"].as_f64()));
    let network = |number: u64| place.get(&format!("/api/studies/evolved/networks/{number}")).json();
    let drawing = &best[0]["drawing"];
    assert_eq!(*drawing, network(drawing["number"].as_u64().unwrap()));
    let nodes = drawing["nodes"].as_array().unwrap();
    assert_eq!((&nodes[0]["name"], &nodes[0]["group"]), (&json!("0.conv"), &json!("convolution")));
    assert_eq!((&nodes[0]["inputs"], &nodes[2]["layer"]), (&json!([null]), &json!("relu")));
    assert_eq!(nodes.last().unwrap()["dims"], json!([10]));
    assert!(drawing["parameters"].as_u64() > Some(1000), "{drawing}");
    place.get("/api/studies/evolved/networks/120").is_refused(404, "trial 120");
}

#[test]
fn a_network_is_told_by_the_childs_folder_or_by_its_decisions() {
    let place = Place::new();
    let search = MadeUp::begin(How::Evolved, &studies(&place), "evolved", 150);
    let network = |number: u64| place.get(&format!("/api/studies/evolved/networks/{number}")).json();
    let kept = network(60);
    assert_eq!((&kept["run"], &kept["toml"]), (&json!("study~evolved~0060"), &Value::Null));
    assert!(place.get("/api/runs/study~evolved~0060").json()["toml"].is_string());
    fs::remove_dir_all(studies(&place).join("evolved/trials/0060")).unwrap();
    let decoded = network(60);
    assert_eq!((&decoded["run"], &decoded["nodes"]), (&Value::Null, &kept["nodes"]));
    let checked = place.post_json("/api/check", &json!({ "toml": decoded["toml"] })).json();
    assert_eq!((&checked["error"], &checked["parameters"]), (&Value::Null, &decoded["parameters"]));
    // A child whose third layer reads its first.
    let skips = |child: &&TrialRecord| {
        child.params.get("2.from.0").is_some_and(|skip| skip.value == ParamValue::Category(1))
    };
    let drawing = network(search.children.iter().find(skips).unwrap().number);
    let nodes = drawing["nodes"].as_array().unwrap();
    let first = nodes.iter().position(|node| node["name"] == "0.act").unwrap();
    let reads = |node: &&Value| node["inputs"].as_array().unwrap().contains(&json!(first));
    let readers = nodes.iter().filter(reads).filter_map(|node| node["name"].as_str());
    assert!(readers.clone().any(|name| name.starts_with("2.")), "{:?}", readers.collect::<Vec<_>>());
}

#[test]
fn a_search_tells_what_is_added() {
    let place = Place::new();
    let mut search = MadeUp::begin(How::Learned, &studies(&place), "live", 20);
    wait(async {
        let mut events = Events::open(&place, "/api/studies/live/events").await;
        let (_, first) = events.next().await;
        assert_eq!((&first["row"]["is_search"], &first["row"]["n_trials"]), (&json!(true), &json!(20)));
        search.go_on(&studies(&place).join("live"), "live", 20);
        let mut news = events.next().await.1;
        while news["row"]["n_trials"] != 40 {
            news = events.next().await.1;
        }
        assert_ne!(news["revision"], first["revision"]);
    });
    assert_eq!(place.get("/api/studies/live/steps").json()["n"], 5);
}

/// Times are printed, for a reader; they are not asserted, as they are the machine's.
#[expect(clippy::print_stdout, reason = "a test says what it measured")]
#[test]
fn ten_thousand_children_come_in_bounded_answers() {
    let place = Place::new();
    MadeUp::begin(How::Learned, &studies(&place), "big", 10_000);
    let cases = [1000, 300, 80, 600, 1000, 1000, 20];
    for (chart, expected) in CHARTS.into_iter().zip(cases) {
        let start = Instant::now();
        let answer = place.get(&format!("/api/studies/big/{chart}"));
        println!("{chart}: {} bytes in {:.1} ms", answer.bytes.len(), start.elapsed().as_secs_f64() * 1e3);
        let found = longest(&answer.json());
        assert!(found <= expected && found * 2 >= expected, "{chart}: {found}");
        assert!(answer.bytes.len() < 1 << 18, "{chart}: {} bytes", answer.bytes.len());
    }
}
