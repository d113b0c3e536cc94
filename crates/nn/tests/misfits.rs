//! Networks that do not fit are refused with the node, the shapes and what would fit.

#[expect(dead_code, reason = "only the builders of layers are used here")]
mod cases;

use cases::{classifier, conv, pool};
use nn::Plan;
use spec::{LayerSpec, LinearSpec, NetworkSpec, NodeSpec};

fn linear(out_features: usize) -> LayerSpec {
    LayerSpec::Linear(LinearSpec { out_features })
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
    let mut unequal = chain(vec![unpadded((3, 3)), LayerSpec::Add, LayerSpec::Flatten, linear(10)]);
    unequal.nodes[1].inputs = Some(vec!["0".into(), "input".into()]);
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
        (two_inputs, "`1` (linear): takes one input, has 2 inputs"),
        (unknown, "`1` (linear): there is no node `conv.9` before it"),
        (unused, "`1` (linear): its output is not used"),
        (
            unequal,
            "`1` (add): its inputs have different shapes, `0` gives [4, 10, 8] and `input` gives [1, 12, 10]",
        ),
        (chain(vec![LayerSpec::Add]), "`0` (add): takes two inputs or more, has 1"),
        (chain(vec![conv(0, (1, 1), (1, 1), (0, 0))]), "`0` (conv2d): out_channels is 0, must be from 1"),
        (chain(vec![conv(4, (1, 1), (0, 1), (0, 0))]), "`0` (conv2d): stride is 0"),
        (
            chain(vec![LayerSpec::Flatten, linear(usize::MAX)]),
            "`1` (linear): out_features is 18446744073709551615, must be",
        ),
        (
            chain(vec![LayerSpec::Flatten, linear(10_000_000)]),
            "`1` (linear): number of weights is 1200000000, must be",
        ),
        (chain(vec![conv(4, (1, 1), (1, 1), (usize::MAX / 4, 0))]), "`0` (conv2d): padding is"),
        (NetworkSpec { classes: 120, ..chain(vec![LayerSpec::Flatten]) }, "no layer with parameters"),
        (NetworkSpec { input: [0, 4, 4], ..chain(vec![LayerSpec::Flatten]) }, "input: size is 0"),
        (chain(vec![]), "gives [1, 12, 10], but the network has 10 classes"),
    ];
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
