//! Every layer of one input in one chain, with PyTorch's defaults.

use spec::NetworkSpec;

use crate::cases::vocabulary::network;

/// The layers from [4, 12, 11] to [3]; behind some their output.
const LAYERS: [&str; 24] = [
    "conv2d = { out_channels = 6, kernel = [2, 3], padding = [0, 1], dilation = [2, 1], groups = 2 }",
    "partial_conv2d = { kernel = [2, 1], connections = [[0], [1, 4], [2, 3], [0, 5]] }", // [4, 9, 11]
    "batch_norm2d",
    "leaky_relu = { slope = 0.2 }",
    "max_pool2d = { kernel = [2, 1], stride = 1 }", // [4, 8, 11]
    "group_norm = { groups = 2 }",
    "gelu",
    "pad = { bottom = 1, left = 2, value = -0.5 }", // [4, 9, 13]
    "silu",
    "avg_pool2d = { kernel = [2, 1], padding = [1, 0] }", // [4, 5, 13]
    "hard_swish",
    "squeeze_excite = { reduced = 2 }",
    "layer_norm",
    "scaled_tanh",
    "spatial_dropout = { p = 0.25 }",
    "subsample = { kernel = [2, 3] }", // [4, 2, 4]
    "sigmoid",
    "global_avg_pool",
    "flatten",
    "dropout = { p = 0.5 }",
    "linear = { out_features = 5, bias = false }",
    "relu",
    "tanh",
    "rbf = { codes = [\"#.#.#\", \"..###\", \"##...\"] }",
];

/// Groups of one value, which PyTorch's own module refuses for one picture. No gradient goes through them: what is computed of one is
/// rounding, and large where epsilon is small.
const SINGLE_VALUES: [&str; 5] = [
    "conv2d = { out_channels = 4, kernel = 3 }",
    "global_avg_pool",
    "group_norm = { groups = 4, epsilon = 0.1 }",
    "flatten",
    "linear = { out_features = 3 }",
];

/// As modules of an `nn.Sequential`, as lines of `forward`, and what has a class of its own in few shapes alone.
pub(crate) fn networks() -> [NetworkSpec; 3] {
    let mut modules = network([4, 12, 11], 3, &LAYERS);
    let mut lines = modules.clone();
    for (idx, node) in lines.nodes.iter_mut().enumerate() {
        node.name = Some(format!("{}{idx}", node.layer.kind()));
    }
    modules.name = "every layer as a module".into();
    lines.name = "every layer as a line".into();
    let mut single_values = network([2, 5, 5], 3, &SINGLE_VALUES);
    // The same name as the class.
    single_values.name = "group norm".into();
    [modules, lines, single_values]
}
