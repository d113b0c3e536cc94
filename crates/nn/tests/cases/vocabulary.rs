//! Layers and losses beyond LeNet's, as network files write them.

use spec::{CrossEntropySpec, LossSpec, MapSpec, NetworkSpec};

use super::Case;

/// A layer to a line, as `layer` or `name(inputs): layer`; a flatten and a linear layer to five classes follow.
const TABLE: &[(&str, [usize; 3], &[&str])] = &[
    ("conv2d in 2 groups", [4, 4, 5], &["conv2d = { out_channels = 6, kernel = [3, 2], groups = 2 }"]),
    (
        "conv2d in 3 groups, many filters",
        [6, 4, 4],
        &["conv2d = { out_channels = 21, kernel = 3, groups = 3 }"],
    ),
    ("conv2d depthwise", [5, 5, 6], &["conv2d = { out_channels = 5, kernel = 3, padding = 1, groups = 5 }"]),
    (
        "conv2d depthwise, stride 2, 2 filters a channel",
        [3, 6, 5],
        &["conv2d = { out_channels = 6, kernel = 3, stride = 2, padding = 1, groups = 3 }"],
    ),
    (
        "conv2d depthwise 5x5",
        [2, 7, 6],
        &["conv2d = { out_channels = 2, kernel = 5, padding = 2, groups = 2 }"],
    ),
    ("conv2d depthwise 1x1", [3, 2, 3], &["conv2d = { out_channels = 3, kernel = 1, groups = 3 }"]),
    (
        "conv2d depthwise, then 1x1",
        [3, 5, 5],
        &[
            "conv2d = { out_channels = 3, kernel = 3, groups = 3, bias = false }",
            "conv2d = { out_channels = 7, kernel = 1 }",
        ],
    ),
    ("conv2d dilated", [2, 7, 8], &["conv2d = { out_channels = 3, kernel = 3, dilation = [2, 3] }"]),
    (
        "conv2d dilated, with stride, padding and groups",
        [4, 6, 7],
        &[
            "conv2d = { out_channels = 4, kernel = [2, 3], stride = [1, 2], padding = [1, 2], dilation = [3, 2], groups = 2 }",
        ],
    ),
    ("conv2d without bias", [2, 4, 4], &["conv2d = { out_channels = 7, kernel = 3, bias = false }"]),
    ("conv2d 1x1 without bias", [5, 3, 3], &["conv2d = { out_channels = 8, kernel = 1, bias = false }"]),
    (
        "partial_conv2d",
        [4, 4, 4],
        &[
            "partial_conv2d = { kernel = [3, 2], connections = [[0, 1, 2], [1, 2, 3], [0, 3], [0, 1, 2, 3], [2]] }",
        ],
    ),
    (
        "partial_conv2d of one kind",
        [3, 4, 3],
        &["partial_conv2d = { kernel = 2, connections = [[0, 1], [1, 2], [0, 2]] }"],
    ),
    ("linear without bias", [1, 3, 4], &["flatten", "linear = { out_features = 7, bias = false }"]),
    (
        "rbf inside",
        [1, 2, 2],
        &[
            "conv2d = { out_channels = 1, kernel = 1 }",
            "flatten",
            "rbf = { codes = ['##..', '.#.#', '....'] }",
        ],
    ),
    ("batch_norm2d", [2, 3, 4], &["conv2d = { out_channels = 3, kernel = 2 }", "batch_norm2d"]),
    ("batch_norm2d of the picture", [3, 2, 3], &["batch_norm2d = { epsilon = 0.01, momentum = 0.3 }"]),
    (
        "batch_norm2d of single values",
        [2, 2, 2],
        &["conv2d = { out_channels = 4, kernel = 2 }", "batch_norm2d = { epsilon = 0.1 }"],
    ),
    (
        "batch_norm2d twice, with rectifiers",
        [2, 5, 5],
        &[
            "conv2d = { out_channels = 4, kernel = 2, bias = false }",
            "batch_norm2d",
            "leaky_relu = { slope = 0.1 }",
            "conv2d = { out_channels = 3, kernel = 3, padding = 1, groups = 1 }",
            "batch_norm2d",
            "max_pool2d = { kernel = 2 }",
        ],
    ),
    (
        "batch_norm2d in branches",
        [2, 4, 4],
        &[
            "stem: conv2d = { out_channels = 3, kernel = 3, padding = 1 }",
            "a(stem): batch_norm2d",
            "b(stem): batch_norm2d",
            "c(b): conv2d = { out_channels = 3, kernel = 1 }",
            "sum(a, c, stem): add",
            "batch_norm2d",
        ],
    ),
    ("layer_norm", [2, 3, 3], &["conv2d = { out_channels = 3, kernel = 2 }", "layer_norm"]),
    (
        "layer_norm of numbers",
        [1, 3, 5],
        &["flatten", "linear = { out_features = 9 }", "layer_norm = { epsilon = 0.01 }"],
    ),
    ("group_norm", [2, 3, 4], &["conv2d = { out_channels = 6, kernel = 2 }", "group_norm = { groups = 3 }"]),
    ("group_norm by channel", [3, 3, 3], &["group_norm = { groups = 3, epsilon = 0.001 }"]),
    ("group_norm of all", [3, 2, 3], &["group_norm = { groups = 1 }", "sigmoid"]),
    ("dropout", [2, 3, 3], &["conv2d = { out_channels = 3, kernel = 2 }", "dropout = { p = 0.4 }"]),
    ("dropout of nothing", [1, 3, 3], &["dropout = { p = 0.0 }"]),
    (
        "dropout twice, spatial and not",
        [2, 4, 4],
        &[
            "conv2d = { out_channels = 5, kernel = 3 }",
            "spatial_dropout = { p = 0.25 }",
            "relu",
            "flatten",
            "dropout = { p = 0.5 }",
            "linear = { out_features = 6 }",
            "tanh",
        ],
    ),
    (
        "dropout behind batch_norm2d",
        [2, 3, 3],
        &[
            "dropout = { p = 0.3 }",
            "conv2d = { out_channels = 3, kernel = 2 }",
            "batch_norm2d",
            "dropout = { p = 0.3 }",
        ],
    ),
    ("sigmoid", [2, 3, 3], &["conv2d = { out_channels = 3, kernel = 2 }", "sigmoid"]),
    ("tanh", [2, 3, 3], &["conv2d = { out_channels = 3, kernel = 2 }", "tanh"]),
    ("scaled_tanh", [2, 3, 3], &["scaled_tanh", "scaled_tanh = { amplitude = 0.5, slope = -2.0 }"]),
    ("gelu", [2, 3, 3], &["conv2d = { out_channels = 3, kernel = 2 }", "gelu"]),
    ("silu", [2, 3, 3], &["conv2d = { out_channels = 3, kernel = 2 }", "silu"]),
    // The factor spreads the values beyond the corners.
    ("hard_swish", [2, 3, 3], &["scaled_tanh = { amplitude = 5.0, slope = 2.0 }", "hard_swish"]),
    (
        "activations of one value",
        [1, 3, 3],
        &[
            "stem: conv2d = { out_channels = 2, kernel = 2 }",
            "a(stem): relu",
            "b(stem): silu",
            "c(stem): gelu",
            "add(a, b, c): add",
        ],
    ),
    ("relu behind sigmoid", [1, 3, 3], &["sigmoid", "relu", "tanh", "leaky_relu = { slope = 0.3 }"]),
    (
        "increasing activations and poolings",
        [2, 7, 7],
        &[
            "conv2d = { out_channels = 3, kernel = 2 }",
            "scaled_tanh",
            "max_pool2d = { kernel = 2 }",
            "tanh",
            "max_pool2d = { kernel = 2, stride = 1 }",
            "sigmoid",
            "max_pool2d = { kernel = [1, 2] }",
        ],
    ),
    (
        "falling activation and pooling",
        [1, 5, 5],
        &[
            "conv2d = { out_channels = 2, kernel = 2 }",
            "scaled_tanh = { amplitude = -1.5, slope = 0.7 }",
            "max_pool2d = { kernel = 2 }",
        ],
    ),
    // The factor spreads the values beyond the minimum of the activations, which are at −1.28, −0.75 and −1.5.
    (
        "silu and pooling",
        [2, 5, 5],
        &[
            "conv2d = { out_channels = 3, kernel = 2 }",
            "scaled_tanh = { amplitude = 5.0, slope = 2.0 }",
            "silu",
            "max_pool2d = { kernel = 2 }",
        ],
    ),
    (
        "gelu and overlapping pooling, hard_swish and pooling",
        [2, 6, 6],
        &[
            "scaled_tanh = { amplitude = 3.0, slope = 2.0 }",
            "gelu",
            "max_pool2d = { kernel = 3, stride = 1 }",
            "scaled_tanh = { amplitude = 5.0, slope = 1.0 }",
            "hard_swish",
            "max_pool2d = { kernel = 2 }",
        ],
    ),
    (
        "silu of two readers, one a pooling",
        [2, 4, 4],
        &[
            "stem: conv2d = { out_channels = 3, kernel = 1 }",
            "a(stem): silu",
            "b(a): max_pool2d = { kernel = 2 }",
            "c(a): avg_pool2d = { kernel = 2 }",
            "sum(b, c): add",
        ],
    ),
    ("max_pool2d with padding", [2, 5, 4], &["max_pool2d = { kernel = 3, stride = 2, padding = 1 }"]),
    (
        "max_pool2d 2x2 with padding",
        [2, 4, 5],
        &["conv2d = { out_channels = 2, kernel = 1 }", "relu", "max_pool2d = { kernel = 2, padding = 1 }"],
    ),
    (
        "avg_pool2d 2x2",
        [2, 4, 6],
        &["conv2d = { out_channels = 2, kernel = 1 }", "avg_pool2d = { kernel = 2 }"],
    ),
    ("avg_pool2d 2x2 with a rest", [2, 5, 3], &["avg_pool2d = { kernel = 2 }"]),
    (
        "avg_pool2d overlapping, with padding",
        [2, 5, 4],
        &["avg_pool2d = { kernel = [3, 2], stride = [2, 1], padding = [1, 0] }"],
    ),
    ("avg_pool2d 3x3", [1, 6, 3], &["avg_pool2d = { kernel = 3 }"]),
    ("global_avg_pool", [2, 3, 5], &["conv2d = { out_channels = 4, kernel = 2 }", "global_avg_pool"]),
    (
        "subsample",
        [2, 4, 6],
        &["conv2d = { out_channels = 3, kernel = 1 }", "subsample = { kernel = 2 }", "sigmoid"],
    ),
    ("subsample 2x3 with a rest", [2, 5, 7], &["subsample = { kernel = [2, 3] }"]),
    (
        "pad",
        [2, 3, 2],
        &[
            "conv2d = { out_channels = 2, kernel = 1 }",
            "pad = { top = 1, right = 2, value = 0.75 }",
            "pad = { bottom = 2, left = 1 }",
        ],
    ),
    (
        "add of one value twice",
        [1, 3, 3],
        &["a: conv2d = { out_channels = 2, kernel = 2 }", "twice(a, a): add"],
    ),
    (
        "add of the picture and a smaller map",
        [2, 5, 4],
        &["a: conv2d = { out_channels = 2, kernel = [2, 3] }", "sum(a, input): add = { pad = true }"],
    ),
    (
        "add of numbers",
        [1, 3, 3],
        &[
            "flat: flatten",
            "a: linear = { out_features = 6 }",
            "b(flat): linear = { out_features = 6, bias = false }",
            "sum(a, b): add",
        ],
    ),
    (
        "multiply",
        [2, 3, 3],
        &["a: conv2d = { out_channels = 2, kernel = 3, padding = 1 }", "product(a, input): multiply"],
    ),
    (
        "multiply of a value by itself",
        [2, 3, 3],
        &["a: conv2d = { out_channels = 2, kernel = 2 }", "square(a, a): multiply"],
    ),
    (
        "multiply by numbers of channels",
        [2, 3, 3],
        &["a: conv2d = { out_channels = 3, kernel = 2 }", "b: global_avg_pool", "scaled(a, b): multiply"],
    ),
    (
        "multiply, numbers of channels first",
        [2, 3, 3],
        &["a: conv2d = { out_channels = 3, kernel = 2 }", "b: global_avg_pool", "scaled(b, a): multiply"],
    ),
    (
        "multiply of three sizes",
        [2, 4, 4],
        &[
            "a: conv2d = { out_channels = 3, kernel = 2 }",
            "b: global_avg_pool",
            "c(input): conv2d = { out_channels = 3, kernel = 3, padding = 1 }",
            "product(b, a, c): multiply = { pad = true }",
        ],
    ),
    (
        "multiply of numbers",
        [1, 3, 3],
        &[
            "flat: flatten",
            "a: linear = { out_features = 6 }",
            "b(flat): linear = { out_features = 6 }",
            "c(b): sigmoid",
            "product(a, c): multiply",
        ],
    ),
    (
        "concat",
        [2, 3, 4],
        &[
            "a: conv2d = { out_channels = 3, kernel = 3, padding = 1 }",
            "all(a, input, a): concat",
            "conv2d = { out_channels = 4, kernel = 2 }",
        ],
    ),
    (
        "concat of unequal sizes",
        [2, 5, 4],
        &[
            "a: conv2d = { out_channels = 3, kernel = [2, 3] }",
            "b(input): conv2d = { out_channels = 1, kernel = [4, 1] }",
            "all(a, b): concat = { pad = true }",
        ],
    ),
    (
        "concat of numbers",
        [1, 3, 3],
        &["flat: flatten", "a: linear = { out_features = 3 }", "all(a, flat): concat", "relu"],
    ),
    (
        "squeeze_excite",
        [2, 3, 4],
        &["conv2d = { out_channels = 5, kernel = 2 }", "squeeze_excite = { reduced = 2 }"],
    ),
    (
        "squeeze_excite of the picture, with a second reader",
        [4, 3, 3],
        &["a: squeeze_excite = { reduced = 3 }", "sum(a, input): add"],
    ),
    // A block of MobileNetV3 (Howard et al. 2019).
    (
        "inverted bottleneck",
        [3, 6, 6],
        &[
            "stem: conv2d = { out_channels = 4, kernel = 3, padding = 1, bias = false }",
            "conv2d = { out_channels = 8, kernel = 1, bias = false }",
            "batch_norm2d",
            "hard_swish",
            "conv2d = { out_channels = 8, kernel = 3, padding = 1, groups = 8, bias = false }",
            "batch_norm2d",
            "silu",
            "squeeze_excite = { reduced = 2 }",
            "conv2d = { out_channels = 4, kernel = 1, bias = false }",
            "narrow: batch_norm2d",
            "sum(narrow, stem): add",
            "global_avg_pool",
        ],
    ),
];

/// The table, and the losses over networks of their own.
pub(super) fn cases() -> Vec<Case> {
    let case = |&(name, input, lines): &(&'static str, [usize; 3], &[&str])| {
        let lines = [lines, &["flatten", "linear = { out_features = 5 }"]].concat();
        Case { name, spec: network(input, 5, &lines), loss: LossSpec::default() }
    };
    TABLE.iter().map(case).chain(losses()).collect()
}

fn losses() -> Vec<Case> {
    let linear = network([1, 3, 3], 4, &["flatten", "linear = { out_features = 4 }"]);
    let codes = "rbf = { codes = ['#.#.', '##..', '.##.'] }";
    let rbf = network(
        [1, 4, 3],
        3,
        &["conv2d = { out_channels = 2, kernel = 3 }", "scaled_tanh", "flatten", codes],
    );
    let cross_entropy = |label_smoothing, class_weights: &[f64]| {
        LossSpec::CrossEntropy(CrossEntropySpec { label_smoothing, class_weights: class_weights.to_vec() })
    };
    let map = |rubbish| LossSpec::Map(MapSpec { rubbish });
    [
        ("rbf, cross-entropy", &rbf, LossSpec::default()),
        ("rbf, maximum a posteriori", &rbf, map(1.0)),
        ("linear, maximum a posteriori", &linear, map(0.25)),
        ("label smoothing", &linear, cross_entropy(0.1, &[])),
        ("class weights", &linear, cross_entropy(0.0, &[0.5, 1.0, 2.0, 0.25])),
        ("label smoothing and class weights", &linear, cross_entropy(0.3, &[1.5, 0.75, 1.0, 3.0])),
    ]
    .map(|(name, spec, loss)| Case { name, spec: spec.clone(), loss })
    .into()
}

/// A network of such lines.
pub(crate) fn network(input: [usize; 3], classes: usize, lines: &[&str]) -> NetworkSpec {
    let mut text = format!("version = 1\nname = \"case\"\ninput = {input:?}\nclasses = {classes}\n");
    for line in lines {
        text += "[[node]]\n";
        let (head, layer) = line.split_once(": ").unwrap_or(("", line));
        let (name, inputs) = head.trim_end_matches(')').split_once('(').unwrap_or((head, ""));
        if !name.is_empty() {
            text += &format!("name = \"{name}\"\n");
        }
        if !inputs.is_empty() {
            text += &format!("inputs = {:?}\n", inputs.split(", ").collect::<Vec<_>>());
        }
        text += &if layer.contains(" = ") {
            format!("layer = {{ {layer} }}\n")
        } else {
            format!("layer = \"{layer}\"\n")
        };
    }
    NetworkSpec::from_toml(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
