//! Models that cannot be exported.

use export::{Model, Normalization};
use nn::{Params, Plan};
use spec::{LayerSpec, LinearSpec, NetworkSpec, NodeSpec, RbfSpec, Seed, SqueezeExciteSpec};

/// squeeze_excite → flatten → linear, with these names for the first and the last.
fn network(first: &str, last: &str) -> NetworkSpec {
    let layers = [
        (first, LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: 1 })),
        ("flat", LayerSpec::Flatten),
        (last, LayerSpec::Linear(LinearSpec::new(2))),
    ];
    let node = |(name, layer): (&str, LayerSpec)| NodeSpec { name: Some(name.into()), inputs: None, layer };
    NetworkSpec { name: "case".into(), input: [3, 2, 2], classes: 2, nodes: layers.map(node).into() }
}

/// What ONNX and PyTorch say to it, empty where nothing is wrong.
fn messages(network: &NetworkSpec, n_scales: usize, n_names: usize) -> [String; 2] {
    let plan = Plan::compile(network).unwrap();
    let params = Params::init(&plan, Seed(1));
    let classes = vec![String::new(); n_names];
    let (scale, shift) = (&vec![1.0; n_scales], &[0.0; 3]);
    let normalization = Normalization { scale, shift };
    let model = Model { network, plan: &plan, params: &params, normalization, classes: &classes };
    let message = |error: Option<export::ExportError>| error.map_or(String::new(), |error| error.to_string());
    [message(export::onnx(&model).err()), message(export::pytorch(&model).err())]
}

#[test]
fn parts_that_do_not_fit_are_told() {
    let cases = [
        (network("a", "b"), 3, 2, ""),
        (
            network("a", "b"),
            1,
            2,
            "the normalization has 1 factors and 3 shifts, but the pictures have 3 channels",
        ),
        (network("a", "b"), 3, 3, "there are 3 names for 2 classes"),
    ];
    for (network, n_scales, n_names, expected) in cases {
        assert_eq!(messages(&network, n_scales, n_names), [expected; 2]);
    }
}

#[test]
fn a_module_called_training_is_refused_for_pytorch_alone() {
    for name in ["training", "block.training", "training.0", "training.x"] {
        let [onnx, pytorch] = messages(&network(name, "b"), 3, 2);
        assert_eq!(onnx, "");
        assert!(
            pytorch.ends_with("PyTorch has no place for a module called `training`; rename the node"),
            "{pytorch}"
        );
    }
    assert_eq!(messages(&network("retraining", "training_2"), 3, 2), [""; 2]);
}

#[test]
fn a_module_called_as_a_part_of_squeeze_excite_is_refused_for_pytorch_alone() {
    let named = |name: &str| {
        let mut network = network("a", "b");
        let codes = ["#.", ".#"].map(String::from).to_vec();
        let layer = LayerSpec::Rbf(RbfSpec { codes });
        network.nodes.push(NodeSpec { name: Some(name.into()), inputs: None, layer });
        messages(&network, 3, 2)
    };
    for name in ["a.0", "a.2"] {
        let expected = format!(
            "node `{name}`: the squeeze_excite `a` has a linear layer of that name in PyTorch; rename one of them"
        );
        assert_eq!(named(name), [String::new(), expected]);
    }
    for name in ["a.1", "a.fc", "a.0.0", "b.0"] {
        assert_eq!(named(name), [""; 2]);
    }
}
