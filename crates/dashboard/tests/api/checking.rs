//! A run file as text and as JSON, and what is wrong with it.

use serde_json::{Value, json};

use crate::support::{Place, network};

fn check(place: &Place, asked: &Value) -> Value {
    place.post_json("/api/check", asked).json()
}

/// A run of the small network, as text, with that layer in the place of node 2.
fn with_layer(layer: &str) -> String {
    format!(
        "epochs = 2\n[network]\nname = 'n'\ninput = [1, 6, 5]\nclasses = 3\n\
         [[network.node]]\nlayer = {{ conv2d = {{ out_channels = 2, kernel = 3 }} }}\n\
         [[network.node]]\nlayer = 'relu'\n\
         [[network.node]]\nlayer = {layer}\n\
         [[network.node]]\nlayer = 'flatten'\n\
         [[network.node]]\nlayer = {{ linear = {{ out_features = 3 }} }}\n"
    )
}

#[test]
fn text_and_json_are_made_of_each_other() {
    let place = Place::new();
    let text = format!("data = \"mine\"\nthreads = 2\n{}", with_layer("{ max_pool2d = { kernel = 2 } }"));
    let of_text = check(&place, &json!({ "toml": text }));
    assert_eq!(of_text["error"], Value::Null);
    assert_eq!((&of_text["run"]["threads"], &of_text["run"]["epochs"]), (&json!(2), &json!(2)));
    let of_json = check(&place, &json!({ "run": of_text["run"] }));
    assert_eq!(of_json, of_text);
    let again = check(&place, &json!({ "toml": of_text["toml"] }));
    assert_eq!(again, of_text);
    let outputs: Vec<_> = of_text["nodes"].as_array().unwrap().iter().map(|node| &node["output"]).collect();
    assert_eq!(outputs, ["2 × 4 × 3", "2 × 4 × 3", "2 × 2 × 1", "4", "3"]);
    assert_eq!((&of_text["parameters"], &of_text["multiply_adds"]), (&json!(35), &json!(228)));
}

/// JavaScript would round a number above 2^53.
#[test]
fn a_seed_keeps_all_its_digits_on_the_way_through_a_page() {
    let place = Place::new();
    for seed in [9_007_199_254_740_993_u64, i64::MAX as u64] {
        let of_text = check(&place, &json!({ "toml": format!("seed = {seed}") }));
        assert_eq!((&of_text["error"], &of_text["run"]["seed"]), (&Value::Null, &json!(seed.to_string())));
        let of_json = check(&place, &json!({ "run": of_text["run"] }));
        assert_eq!(of_json, of_text);
        assert!(of_json["toml"].as_str().unwrap().contains(&format!("\nseed = {seed}\n")), "{of_json}");
        // Of a file that cannot be resolved too.
        let wrong = check(&place, &json!({ "toml": format!("epochs = 0\nseed = {seed}") }));
        assert_eq!(wrong["run"]["seed"], seed.to_string());
    }
    let largest_number = check(&place, &json!({ "toml": "seed = 9007199254740991" }));
    assert_eq!(largest_number["run"]["seed"], 9_007_199_254_740_991_u64);
    let wrong = check(&place, &json!({ "run": { "seed": "many" } }));
    assert!(wrong["error"]["message"].as_str().unwrap().contains("invalid type: string"), "{wrong}");
}

#[test]
fn a_preset_by_name_is_put_in_place_and_fitted_to_the_data() {
    let place = Place::new();
    let checked = check(&place, &json!({ "toml": "network = 'lenet'\ndata = 'cifar-10'" }));
    assert_eq!(checked["error"], Value::Null);
    assert_eq!(checked["run"]["network"]["input"], json!([3, 32, 32]));
    let default = check(&place, &json!({ "run": {} }));
    assert_eq!(
        (&default["run"]["network"]["name"], &default["parameters"]),
        (&json!("lenet"), &json!(44_426))
    );
}

/// What is asked, the node that is told of, the line, and what is said.
#[test]
fn mistakes_are_told_at_their_place() {
    let place = Place::new();
    let text = |text: &str| json!({ "toml": text });
    let layer = |layer: &str| text(&with_layer(layer));
    let as_json = |value: Value| {
        let mut network = serde_json::to_value(network()).unwrap();
        network["node"][2]["layer"] = value;
        json!({ "run": { "data": "mine", "network": network } })
    };
    let cases = [
        (layer("{ max_pool2d = { kernel = 9 } }"), json!(2), None, "kernel"),
        (layer("{ max_pool2d = { kernel = 0 } }"), json!(2), None, "kernel` is [0, 0]"),
        (layer("{ max_pool2d = { kernle = 2 } }"), json!(2), Some((11, 26)), "unknown field `kernle`"),
        (layer("'attention'"), json!(2), Some((11, 9)), "unknown variant `attention`"),
        (layer("{ linear = { out_features = 3 } }"), json!(2), None, "flatten"),
        (layer("'add'"), json!(2), None, "add takes at least 2"),
        (as_json(json!({ "max_pool2d": { "kernel": [9, 9] } })), json!(2), None, "kernel"),
        (as_json(json!({ "max_pool2d": { "kernel": "x" } })), json!(2), None, "expected a whole number"),
        (as_json(json!("linear")), json!(2), None, "`linear` needs numbers"),
        (text("epochs = "), Value::Null, Some((1, 10)), ""),
        (text("epochs = 1\nepochs = 2"), Value::Null, Some((2, 1)), "duplicate key"),
        (text("\nlerning_rate = 1"), Value::Null, Some((2, 1)), "unknown field `lerning_rate`"),
        (text("epochs = 0"), Value::Null, None, "`epochs` is 0"),
        (text("version = 99"), Value::Null, None, "a newer danlu"),
        (text("optimizer = { adam = { learning_rate = -1.0 } }"), Value::Null, None, "learning_rate"),
        (json!({ "run": { "epochs": "two" } }), Value::Null, None, "invalid type"),
        (
            json!({ "run": { "data": "cifar-10", "network": network() } }),
            Value::Null,
            None,
            "the pictures of cifar-10",
        ),
    ];
    for (asked, node, place_in_text, said) in cases {
        let checked = check(&place, &asked);
        let error = &checked["error"];
        assert!(error["message"].as_str().unwrap_or_default().contains(said), "{said:?}: {error}");
        assert_eq!(error["node"], node, "{asked}: {error}");
        let expected =
            place_in_text.map_or((Value::Null, Value::Null), |(line, column)| (json!(line), json!(column)));
        assert_eq!((error["line"].clone(), error["column"].clone()), expected, "{asked}: {error}");
        if let Some(idx) = node.as_u64() {
            let nodes = checked["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), 5);
            for (i, row) in nodes.iter().enumerate() {
                assert_eq!(row["error"].is_string(), i as u64 == idx, "{asked}: {row}");
                assert_eq!(row["output"].is_string(), (i as u64) < idx, "{asked}: {row}");
            }
        }
    }
}

#[test]
fn what_cannot_be_written_as_text_stays_as_it_was_sent() {
    let place = Place::new();
    let run = json!({ "epochs": 0, "network": network() });
    let checked = check(&place, &json!({ "run": run }));
    assert_eq!((&checked["toml"], &checked["run"]), (&Value::Null, &run));
    assert!(checked["nodes"].as_array().unwrap().iter().all(|node| node["output"].is_string()));
    let checked = check(&place, &json!({ "toml": "= no text" }));
    assert_eq!((&checked["toml"], &checked["run"]), (&Value::Null, &Value::Null));
}
