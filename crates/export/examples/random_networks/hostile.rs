//! Networks whose names mean something else in Python, or end a string there.

use spec::{Conv2dSpec, LayerSpec, LinearSpec, MergeSpec, NetworkSpec, NodeSpec, Pair, SqueezeExciteSpec};

/// What runs when a name gets out of its string.
const INJECTION: &str = "\"\"\"\nimport os; os.environ['DANLU_INJECTED'] = 'yes' #\\";

/// Each has convolutions with such names, one after the other, and a linear layer.
pub(crate) fn networks() -> Vec<NetworkSpec> {
    let injection = INJECTION.replace('\n', "\u{2028}");
    let attributes = [
        "forward",
        "load",
        "normalize",
        "scale",
        "shift",
        "parameters",
        "_modules",
        "__class__",
        "type",
        "state_dict",
        "T_destination",
        "add_module",
        "requires_grad_",
    ];
    let python =
        ["x", "self", "torch", "F", "nn", "class", "None", "CLASSES", "Path", "super", "print", "lambda"];
    let nested =
        ["a", "a.weight", "a.bias.0", "b.c", "b", "..", "", ".d.", "b.forward", "0", "1.0", "a.in_channels"];
    let excited = [
        "excited.0.fc",
        "excited.0.1",
        "excited.0.3.0",
        "excited.0.0.weight",
        "excited.0.0.in_features",
        "excited.0.2.0",
        "excited.0.2.1",
    ];
    let strings = [
        injection.as_str(),
        "\"",
        "\\",
        "'''",
        "{x}",
        "%s",
        "\u{202e}",
        "鞋",
        "é",
        "a b",
        "logits",
        "input.x",
    ];
    [
        ("attributes of modules", &attributes[..]),
        ("words of Python", &python),
        ("modules in layers", &nested),
        ("modules in squeeze_excite", &excited),
        (&injection, &strings),
    ]
    .into_iter()
    .map(|(name, nodes)| network(name, nodes))
    .collect()
}

fn network(name: &str, names: &[&str]) -> NetworkSpec {
    let names: Vec<&str> = names.iter().copied().filter(|name| !name.is_empty()).collect();
    let node =
        |name: &str, inputs: Option<Vec<String>>, layer| NodeSpec { name: Some(name.into()), inputs, layer };
    let conv = || LayerSpec::Conv2d(Conv2dSpec::new(2, Pair::square(1)));
    let mut nodes: Vec<_> = names.iter().map(|name| node(name, None, conv())).collect();
    // All of them are read once more, so that each is a variable.
    let all = names.iter().map(ToString::to_string).collect();
    nodes.push(node("sum", Some(all), LayerSpec::Add(MergeSpec::default())));
    nodes.push(node("excited.0", None, LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: 1 })));
    nodes.push(node("flat", None, LayerSpec::Flatten));
    nodes.push(node("linear", None, LayerSpec::Linear(LinearSpec::new(3))));
    NetworkSpec { name: name.into(), input: [2, 3, 3], classes: 3, nodes }
}
