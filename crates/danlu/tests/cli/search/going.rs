//! A search goes to its end, on from there, and is a study like any other.

use std::collections::BTreeSet;

use crate::search::{GRAMMAR, searched};
use crate::study::Asked;
use crate::study::trials;

#[test]
fn a_search_goes_on_and_is_a_study_too() {
    let place = Asked { trials: 4, ..searched() }.place();
    let ran = place.run("search s.toml").succeeds();
    assert!(ran.stdout.starts_with("study s: 4 trials (4 whole, 0 pruned, 0 failed"), "{}", ran.stdout);
    let first = trials(&place, "s");
    assert_eq!(first.len(), 4);
    place.write("s.toml", Asked { trials: 6, ..searched() }.text());
    place.run("search s.toml --jobs 2 --quiet").succeeds();
    let all = trials(&place, "s");
    assert_eq!((all.len(), &all[..4]), (6, &first[..]));
    for trial in &all {
        let kernels = [&trial["params"]["0.kernel"], &trial["params"]["1.kernel"]];
        assert!(kernels != [5, 5], "there is no room for two of 5");
        assert!(trial["user_attributes"]["danlu:activation_bytes"].as_u64() >= Some(4 * 784));
    }
    let run = place.read("studies/s/trials/0000/run.toml");
    assert!(run.contains("subset = 0.5") && run.contains("name = \"1.conv\""), "{run}");
    let record = place.record("studies/s/trials/0000");
    assert_eq!((record.data.n_train, record.data.n_validation), (130, 60));
    for look in ["search show s", "study show s", "search trials s", "study importance s"] {
        assert!(!place.run(look).succeeds().stdout.is_empty(), "{look}");
    }
    let listed = place.run("search list").succeeds().stdout;
    assert!(listed.contains("zoph") && listed.contains("lenet-space") && !listed.contains("lenet-tune"));
    assert!(listed.lines().any(|line| line.starts_with("s ") && line.contains("done")), "{listed}");
}

/// Networks without a normalization have nowhere to put its epsilon; others are found in their place.
#[test]
fn a_parameter_of_some_networks_alone_is_no_mistake() {
    let grammar = GRAMMAR.replace("layer = \"relu\"", "layer = \"$act\"")
        + "[[grammar.decision]]\nname = \"act\"\nchoices = [\"batch_norm2d\", \"relu\"]\n"
        + "[[parameter]]\nname = \"epsilon\"\nkey = \"network.node.*.layer.batch_norm2d.epsilon\"\nchoices = [1e-5, 1e-3]\n";
    let place = Asked { trials: 12, parameters: &grammar, ..searched() }.place();
    place.run("search s.toml --quiet").succeeds();
    let trials = trials(&place, "s");
    assert_eq!(trials.len(), 12);
    for trial in trials {
        let params = &trial["params"];
        assert!(["0.act", "1.act"].iter().any(|act| params[act] == "batch_norm2d"), "{trial}");
    }
    let nowhere = grammar.replace("layer.batch_norm2d.epsilon", "layer.batch_norm.epsilon");
    let place = Asked { parameters: &nowhere, ..searched() }.place();
    place.run("search s.toml").fails(2, &["epsilon", "no element of the list has `layer.batch_norm`"]);
}

#[test]
fn every_network_is_tried_once_by_a_grid_and_the_same_by_any_command() {
    let place = Asked { trials: 100, sampler: "\"grid\"", ..searched() }.place();
    place.run("study run s.toml --quiet --jobs 2").succeeds();
    let all = trials(&place, "s");
    let params: BTreeSet<String> = all.iter().map(|trial| trial["params"].to_string()).collect();
    // Of 3 × 3 kernels one pair finds no room, with 2 × 2 numbers of filters each.
    assert_eq!((all.len(), params.len()), (8 * 4, 8 * 4));
    assert!(all.iter().all(|trial| trial["state"] == "complete"));
}

#[test]
fn a_network_that_lies_in_the_space_is_tried_when_asked_for() {
    let place = Asked { trials: 3, ..searched() }.place();
    place.write(
        "mine.toml",
        r#"
        name = "mine"
        input = [1, 28, 28]
        classes = 10
        node = [
            { layer = { avg_pool2d = { kernel = 4 } } },
            { layer = { conv2d = { out_channels = 4, kernel = 5 } } },
            { layer = "relu" },
            { name = "second", layer = { conv2d = { out_channels = 2, kernel = [3, 3] } } },
            { layer = "relu" },
            { layer = "flatten" },
            { layer = { linear = { out_features = 10 } } },
        ]
        "#,
    );
    let asked = place.run("search enqueue s.toml --network mine.toml").succeeds();
    assert_eq!(asked.stdout, "{\"trial\":0}\n");
    place.run("search s.toml --quiet").succeeds();
    let all = trials(&place, "s");
    assert_eq!(
        all[0]["params"],
        serde_json::json!({"0.kernel": 5, "0.filters": 4, "1.kernel": 3, "1.filters": 2})
    );
    assert_eq!((all[0]["state"].as_str(), all.len()), (Some("complete"), 3));
    assert!(all[0]["user_attributes"].get("danlu:attempt").is_none(), "a person chose it");
    // The same again is not trained again.
    place.run("search enqueue s --network mine.toml").succeeds();
    place.write("s.toml", Asked { trials: 4, ..searched() }.text());
    place.run("search s.toml --quiet").succeeds();
    let again = &trials(&place, "s")[3];
    assert_eq!(
        (&again["user_attributes"]["danlu:duplicate_of"], &again["values"]),
        (&0.into(), &all[0]["values"])
    );
}

#[test]
fn lenet_is_enqueued_in_its_space() {
    let place = searched().place();
    let preset = place.run("search enqueue lenet-space --network lenet");
    // The preset's data are not here, and need not be to say that it is one of its networks.
    preset.succeeds();
    let waiting = place.run("search trials lenet-space --state waiting").succeeds().stdout;
    let row = waiting.lines().last().unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(row[row.len() - 10..], ["5", "5", "1", "1", "6", "5", "5", "1", "1", "16"], "{waiting}");
}
