//! Networks that do not fit are refused with the node, the shapes and what would fit.

#[expect(dead_code, reason = "only the builders of layers are used here")]
mod cases;

use cases::vocabulary::network;
use cases::{classifier, conv, pool};
use nn::Plan;
use spec::{LayerSpec, LeakyReluSpec, LinearSpec, MergeSpec, NetworkSpec, NodeSpec, SqueezeExciteSpec};

fn linear(out_features: usize) -> LayerSpec {
    LayerSpec::Linear(LinearSpec::new(out_features))
}

fn add() -> LayerSpec {
    LayerSpec::Add(MergeSpec::default())
}

fn chain(layers: Vec<LayerSpec>) -> NetworkSpec {
    let nodes = layers.into_iter().map(|layer| NodeSpec { name: None, inputs: None, layer }).collect();
    NetworkSpec { name: "misfit".into(), input: [1, 12, 10], classes: 10, nodes }
}

#[test]
fn every_mistake_names_its_node_and_shapes() {
    let unpadded = |kernel| conv(4, kernel, (1, 1), (0, 0));
    let mut two_inputs = chain(vec![LayerSpec::Flatten, linear(10)]);
    two_inputs.nodes[1].inputs = Some(vec!["0".into(), "0".into()]);
    let mut unknown = chain(vec![LayerSpec::Flatten, linear(10)]);
    unknown.nodes[1].inputs = Some(vec!["conv.9".into()]);
    let mut unused = chain(vec![LayerSpec::Flatten, linear(7), linear(10)]);
    unused.nodes[2].inputs = Some(vec!["0".into()]);
    let mut unequal = chain(vec![unpadded((3, 3)), add(), LayerSpec::Flatten, linear(10)]);
    unequal.nodes[1].inputs = Some(vec!["0".into(), "input".into()]);
    let block = LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: 1 });
    let mut two_names = chain(vec![block, unpadded((1, 1)), LayerSpec::Flatten, linear(10)]);
    two_names.nodes[0].name = Some("a".into());
    two_names.nodes[1].name = Some("a.0".into());
    let table = [
        (
            chain(vec![unpadded((13, 3))]),
            "`0` (conv2d): kernel 13×3 does not fit its input [1, 12, 10]; a kernel of at most 12×10",
        ),
        (
            chain(vec![conv(4, (20, 3), (1, 1), (2, 1))]),
            "input [1, 12, 10] with padding 2×1; a kernel of at most 16×12",
        ),
        (
            chain(vec![pool((2, 11), None)]),
            "`0` (max_pool2d): kernel 2×11 does not fit its input [1, 12, 10]",
        ),
        (
            chain(vec![unpadded((3, 3)), linear(10)]),
            "`1` (linear): needs a flat input, but `0` gives [4, 10, 8]; a flatten between them gives [320]",
        ),
        (
            chain(vec![LayerSpec::Flatten, unpadded((1, 1))]),
            "`1` (conv2d): needs an input of [channels, rows, columns], but `0` gives [120]",
        ),
        (
            chain(vec![LayerSpec::Flatten, linear(12)]),
            "`1` (linear) is the last and gives [12], but the network has 10 classes and needs [10]",
        ),
        (chain(vec![unpadded((3, 3))]), "`0` (conv2d) is the last and gives [4, 10, 8]"),
        (two_inputs, "node `1`: `inputs` has 2, but linear takes exactly 1"),
        (unknown, "`conv.9`"),
        (two_names, "its weights have the name `a.0.weight`, as those of node `a"),
        (unused, "`1` (linear): its output is not used"),
        (
            unequal,
            "`1` (add): its inputs have different shapes, `0` gives [4, 10, 8] and `input` gives [1, 12, 10]",
        ),
        (chain(vec![add()]), "node `0`: `inputs` has 1, but add takes at least 2"),
        (chain(vec![conv(0, (1, 1), (1, 1), (0, 0))]), "out_channels"),
        (chain(vec![conv(4, (1, 1), (0, 1), (0, 0))]), "stride"),
        (chain(vec![LayerSpec::Flatten, linear(usize::MAX)]), "out_features"),
        (chain(vec![conv(4, (1, 1), (1, 1), (usize::MAX / 4, 0))]), "padding"),
        (NetworkSpec { classes: 120, ..chain(vec![LayerSpec::Flatten]) }, "no layer with parameters"),
        (NetworkSpec { input: [0, 4, 4], ..chain(vec![LayerSpec::Flatten]) }, "input"),
        (chain(vec![]), "node"),
    ];
    assert_messages(table);
}

#[test]
fn parts_that_do_not_fit_their_input_are_refused() {
    let of = |line: &str| network([6, 8, 8], 10, &[line, "flatten", "linear = { out_features = 10 }"]);
    let merge = |layer: &str| {
        let lines =
            ["a: conv2d = { out_channels = 4, kernel = 3 }", &format!("b(a, input): {layer}"), "flatten"];
        network([6, 8, 8], 10, &[&lines[..], &["linear = { out_features = 10 }"]].concat())
    };
    let gated = network(
        [2, 8, 8],
        10,
        &[
            "gate: global_avg_pool",
            "small(input): max_pool2d = { kernel = 2 }",
            "m(gate, input, small): multiply",
            "flatten",
            "linear = { out_features = 10 }",
        ],
    );
    let product = "its inputs have different shapes, `input` gives [2, 8, 8] and `small` gives [2, 4, 4]";
    let unequal = "its inputs have different shapes, `a` gives [4, 6, 6] and `input` gives [6, 8, 8]";
    assert_messages([
        (gated, product),
        (merge("add = { pad = true }"), unequal),
        (
            of("conv2d = { out_channels = 8, kernel = 3, groups = 4 }"),
            "`0` (conv2d): `groups` is 4, but `input` gives 6 channels, which 4 does not divide",
        ),
        (of("group_norm = { groups = 5 }"), "`0` (group_norm): `groups` is 5, but `input` gives 6 channels"),
        (
            of("partial_conv2d = { kernel = 3, connections = [[0], [2, 6]] }"),
            "`0` (partial_conv2d): `connections` names channel 6, but `input` gives 6, counted from 0",
        ),
        (
            of("conv2d = { out_channels = 8, kernel = 3, dilation = 4 }"),
            "`0` (conv2d): kernel 3×3 with dilation 4×4 does not fit its input [6, 8, 8]; a kernel of at most 2×2 fits",
        ),
        (of("subsample = { kernel = [9, 1] }"), "`0` (subsample): kernel 9×1 does not fit"),
        (of("avg_pool2d = { kernel = [1, 9] }"), "`0` (avg_pool2d): kernel 1×9 does not fit"),
        (
            network(
                [1, 2, 2],
                2,
                &["conv2d = { out_channels = 1, kernel = 1 }", "flatten", "rbf = { codes = ['#', '.'] }"],
            ),
            "`2` (rbf): each of its codes has 1 signs, but `1` gives [4]",
        ),
        (merge("add"), unequal),
        (merge("add = { pad = true }"), "(add): its inputs have different shapes"),
        (merge("multiply"), unequal),
        (merge("concat"), unequal),
    ]);
}

#[test]
fn sizes_that_nobody_means_are_refused() {
    let unpadded = |kernel| conv(4, kernel, (1, 1), (0, 0));
    let large = |layers| NetworkSpec { input: [64, 128, 128], ..chain(layers) };
    let negative = LayerSpec::LeakyRelu(LeakyReluSpec { slope: -0.5 });
    let deep = [vec![negative; 40], vec![LayerSpec::Flatten, linear(10)]].concat();
    assert_messages([
        (
            large(vec![LayerSpec::Flatten, linear(1000)]),
            "`1` (linear): number of weights is 1048576000, which is more than 268435456",
        ),
        (
            NetworkSpec { input: [1, 512, 512], ..chain(vec![unpadded((256, 256))]) },
            "`0` (conv2d): kernel × output is 4328587264, which is more than 16777216",
        ),
        (
            large(vec![conv(65, (1, 1), (1, 1), (0, 0))]),
            "`0` (conv2d): number of outputs is 1064960, which is more than 1048576",
        ),
        (large(deep), "the network needs 2624 MiB for activations of each thread, more than 2048 MiB"),
    ]);
}

fn assert_messages<const N: usize>(table: [(NetworkSpec, &str); N]) {
    for (spec, want) in table {
        let error = Plan::compile(&spec).expect_err(want).to_string();
        assert!(error.contains(want), "`{error}` should say `{want}`");
    }
}

#[test]
fn what_just_fits_is_accepted() {
    Plan::compile(&classifier([1, 4, 4], vec![conv(2, (6, 4), (1, 1), (1, 0))])).unwrap();
    Plan::compile(&classifier([1, 4, 4], vec![pool((4, 4), None)])).unwrap();
}
