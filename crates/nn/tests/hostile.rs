//! Files from outside that were made to do harm: real ones, changed at random. Whatever comes, it is a value or an error;
//! nothing panics, and nothing asks for more memory than a network may have.

use std::collections::BTreeMap;

use lanes::{GROUP, Lane};
use nn::{Mode, Params, Plan, Workspace, forward, from_safetensors, metadata, to_safetensors};
use proptest::prelude::*;
use spec::{NetworkSpec, PRESETS, Seed, preset};

/// Numbers that stand at the borders of what is allowed.
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "7",
    "16",
    "28",
    "255",
    "256",
    "1000",
    "1048576",
    "1048577",
    "4294967296",
    "-1",
];

const LAYERS: [&str; 12] = [
    "\"relu\"",
    "\"sigmoid\"",
    "\"flatten\"",
    "\"global_avg_pool\"",
    "\"batch_norm2d\"",
    "\"layer_norm\"",
    "\"add\"",
    "{ group_norm = { groups = 2 } }",
    "{ pad = { top = 3, right = 1 } }",
    "{ max_pool2d = { kernel = 3, stride = 2, padding = 1 } }",
    "{ conv2d = { out_channels = 8, kernel = [1, 3], dilation = 2, groups = 2 } }",
    "{ squeeze_excite = { reduced = 3 } }",
];

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    /// The number that comes as the `at`-th (of all, around) becomes another.
    Number { at: usize, number: &'static str },
    /// The layer of a line becomes another.
    Layer { at: usize, layer: &'static str },
    /// A line goes.
    Delete { at: usize },
    /// A line comes twice.
    Repeat { at: usize },
    /// The text ends.
    Cut { at: usize },
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>;
    prop_oneof![
        4 => (at(), prop::sample::select(NUMBERS.to_vec())).prop_map(|(at, number)| Change::Number { at, number }),
        3 => (at(), prop::sample::select(LAYERS.to_vec())).prop_map(|(at, layer)| Change::Layer { at, layer }),
        1 => at().prop_map(|at| Change::Delete { at }),
        1 => at().prop_map(|at| Change::Repeat { at }),
        1 => at().prop_map(|at| Change::Cut { at }),
    ]
}

impl Change {
    fn apply(&self, text: &str) -> String {
        let mut lines: Vec<String> = text.lines().map(String::from).collect();
        let n = lines.len().max(1);
        match *self {
            Change::Number { at, number } => return replace_number(text, at, number),
            Change::Layer { at, layer } => {
                let of_layers: Vec<_> = (0..lines.len()).filter(|&i| lines[i].starts_with("layer")).collect();
                if let Some(&line) = of_layers.get(at % of_layers.len().max(1)) {
                    lines[line] = format!("layer = {layer}");
                }
            }
            Change::Delete { at } => drop(lines.splice(at % n..(at % n + 1).min(lines.len()), [])),
            Change::Repeat { at } => {
                if let Some(line) = lines.get(at % n).cloned() {
                    lines.insert(at % n, line);
                }
            }
            Change::Cut { at } => lines.truncate(at % n),
        }
        lines.join("\n")
    }
}

fn replace_number(text: &str, at: usize, number: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let starts: Vec<_> =
        text.match_indices(is_digit).map(|(i, _)| i).filter(|&i| !text[..i].ends_with(is_digit)).collect();
    let Some(&start) = starts.get(at % starts.len().max(1)) else { return text.into() };
    let end = start + text[start..].find(|c: char| !is_digit(c)).unwrap_or(text.len() - start);
    [&text[..start], number, &text[end..]].concat()
}

/// Small enough to be run in a test.
fn is_small(plan: &Plan) -> bool {
    plan.n_parameters() < 1 << 20 && plan.training_bytes() < 1 << 26 && plan.multiply_adds() < 1 << 24
}

fn run<V: Lane<Scalar = f32>>(plan: &Plan) {
    let params = Params::<f32>::init(plan, Seed(1));
    let mut workspace = Workspace::<V>::new(plan, Mode::Inference);
    forward(plan, &params.0, &mut workspace);
    assert_eq!(workspace.logits(plan).len(), plan.classes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_changed_network_file_is_a_network_or_an_error(
        idx in 0..PRESETS.len(),
        changes in prop::collection::vec(change(), 1..5),
    ) {
        let text = preset(PRESETS[idx].name).unwrap().to_toml().unwrap();
        let text = changes.iter().fold(text, |text, change| change.apply(&text));
        if let Ok(network) = NetworkSpec::from_toml(&text)
            && let Ok(plan) = Plan::compile(&network)
            && is_small(&plan)
        {
            run::<f32>(&plan);
        }
    }

    #[test]
    fn a_changed_weight_file_is_weights_or_an_error(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        in_header in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let plan = Plan::compile(&preset("lenet-3x3-se").unwrap()).unwrap();
        let params = Params::<f32>::init(&plan, Seed(2));
        let about = BTreeMap::from([("network".to_owned(), "a text".to_owned())]);
        let mut bytes = to_safetensors(&plan, &params, &about).unwrap();
        let n_header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let n = if in_header { n_header } else { bytes.len() };
        for (at, byte) in flips {
            bytes[at.index(n)] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(n));
        }
        let _either = metadata(&bytes);
        if let Ok(params) = from_safetensors(&plan, &bytes) {
            prop_assert!(params.0.iter().all(|value| value.is_finite()));
            prop_assert_eq!(params.0.len(), plan.n_values());
        }
    }
}

/// A header that promises more than the file has must not be believed.
#[test]
fn a_header_that_lies_costs_nothing() {
    let plan = Plan::compile(&preset("lenet").unwrap()).unwrap();
    for header_len in [0, 1, 7, u64::from(u32::MAX), u64::MAX / 2, u64::MAX] {
        let mut bytes = header_len.to_le_bytes().to_vec();
        bytes.extend([b'{'; GROUP]);
        assert!(from_safetensors(&plan, &bytes).is_err() && metadata(&bytes).is_err());
    }
}

/// Each node for itself is small enough; all of them are not, or take a long time to be placed.
#[test]
fn many_nodes_cost_little_or_are_refused() {
    let text = |size: usize, node: &str, n: usize, last: &str| {
        let nodes = format!("[[node]]\nlayer = {node}\n").repeat(n);
        format!("name = \"n\"\ninput = [1, {size}, {size}]\nclasses = 2\n{nodes}{last}")
    };
    let head = "[[node]]\nlayer = \"flatten\"\n[[node]]\nlayer = { linear = { out_features = 2 } }\n";
    let compile = |text: &str| {
        let network = NetworkSpec::from_toml(text).map_err(|error| error.to_string())?;
        Plan::compile(&network).map(|_| ()).map_err(|error| error.to_string())
    };
    let conv = "{ conv2d = { out_channels = 1, kernel = 3 } }";
    let error = compile(&text(1000, conv, 200, head)).unwrap_err();
    assert!(error.contains("tables of all convolutions so far is"), "{error}");
    let strided = "{ conv2d = { out_channels = 1, kernel = 2, stride = 500 } }";
    let readers: String = (0..6)
        .map(|i| format!("[[node]]\nname = \"c{i}\"\ninputs = [\"input\"]\nlayer = {strided}\n"))
        .collect();
    let sum = "[[node]]\ninputs = [\"c0\", \"c1\", \"c2\", \"c3\", \"c4\", \"c5\"]\nlayer = \"add\"\n";
    let error = compile(&text(1000, "\"relu\"", 0, &format!("{readers}{sum}{head}"))).unwrap_err();
    assert!(error.contains("tables of all convolutions so far is"), "{error}");
    let lists = "[0], [0, 1], ".repeat(3000);
    let partial =
        format!("[[node]]\nlayer = {{ partial_conv2d = {{ kernel = 1, connections = [{lists}] }} }}\n");
    let two = "{ conv2d = { out_channels = 2, kernel = 1 } }";
    let error = compile(&text(4, two, 1, &format!("{partial}{head}"))).unwrap_err();
    assert!(error.contains("number of operations so far is"), "{error}");
    let error = compile(&text(4, "\"sigmoid\"", 1023, head)).unwrap_err();
    assert_eq!(error, "`number of nodes` is 1025, but must be at most 1024");
    compile(&text(4, "{ squeeze_excite = { reduced = 1 } }", 1022, head)).unwrap();
}
