//! What is written reads back and holds together; that it computes the same is `tests/pytorch/export_check.py`'s to say.

#[path = "../../examples/random_networks/generator.rs"]
mod generator;
#[path = "../../examples/random_networks/hostile.rs"]
mod hostile;
#[path = "../../examples/random_networks/layers.rs"]
mod layers;

use std::collections::BTreeSet;

use nn::{Params, Plan};
use prost::Message;
use spec::{NetworkSpec, PRESETS, Seed, preset};

use super::proto::{DimensionProto, ModelProto};
use super::*;
use crate::Normalization;

/// The file of a network with initial weights, read back.
fn read_back(network: &NetworkSpec) -> ModelProto {
    let plan = Plan::compile(network).unwrap();
    let params = Params::init(&plan, Seed(1));
    let numbers = vec![1.0; network.input[0]];
    let normalization = Normalization { scale: &numbers, shift: &numbers };
    let classes: Vec<String> = (0..network.classes).map(|class| format!("{class}")).collect();
    let model = Model { network, plan: &plan, params: &params, normalization, classes: &classes };
    ModelProto::decode(&onnx(&model).unwrap()[..]).unwrap()
}

fn networks() -> Vec<NetworkSpec> {
    let presets = PRESETS.iter().filter_map(|known| preset(known.name));
    let random = (0..100).map(|idx| generator::random_network(Seed(2), idx));
    presets.chain(hostile::networks()).chain(random).collect()
}

#[test]
fn every_value_is_made_once_and_before_its_use() {
    for network in networks() {
        let graph = read_back(&network).graph.unwrap();
        let mut values: BTreeSet<&str> = BTreeSet::from([INPUT]);
        for initializer in &graph.initializer {
            assert!(values.insert(&initializer.name), "{}: {} twice", network.name, initializer.name);
        }
        let mut names = BTreeSet::new();
        for node in &graph.node {
            assert!(names.insert(&node.name), "{}: two nodes {}", network.name, node.name);
            for input in &node.input {
                assert!(values.contains(&input[..]), "{}: {input} comes from nowhere", network.name);
            }
            for output in &node.output {
                assert!(values.insert(output), "{}: {output} twice", network.name);
            }
        }
        assert!(values.contains(LOGITS), "{}", network.name);
    }
}

#[test]
fn initializers_have_the_tensors_names_and_as_many_bytes_as_their_shapes_say() {
    for network in networks() {
        let plan = Plan::compile(&network).unwrap();
        let graph = read_back(&network).graph.unwrap();
        for tensor in plan.tensors() {
            assert!(graph.initializer.iter().any(|found| found.name == tensor.name), "{}", tensor.name);
        }
        for tensor in &graph.initializer {
            let size = if tensor.data_type == Some(proto::INT64) { 8 } else { 4 };
            let n: i64 = tensor.dims.iter().product();
            assert_eq!(tensor.raw_data.len(), n as usize * size, "{}: {}", network.name, tensor.name);
        }
    }
}

#[test]
fn nodes_are_called_as_the_networks_nodes_and_any_number_of_pictures_goes_in() {
    let model = read_back(&preset("lenet").unwrap());
    let graph = model.graph.unwrap();
    let names: Vec<&str> = graph.node.iter().map(|node| &node.name[..]).collect();
    let expected =
        ["input/Mul", "input", "conv.0", "conv.1", "conv.2", "conv.3", "conv.4", "conv.5", "flatten"];
    assert_eq!(names[..9], expected);
    let dims = |info: &ValueInfoProto| {
        let shape = info.r#type.clone().unwrap().tensor_type.unwrap().shape.unwrap();
        let dim = |dim: DimensionProto| dim.dim_param.unwrap_or_else(|| dim.dim_value.unwrap().to_string());
        shape.dim.into_iter().map(dim).collect::<Vec<_>>()
    };
    assert_eq!(dims(&graph.input[0]), ["N", "1", "28", "28"]);
    assert_eq!(dims(&graph.output[0]), ["N", "10"]);
    let metadata = model.metadata_props.iter().map(|entry| (&entry.key[..], &entry.value[..]));
    let classes = r#"["0","1","2","3","4","5","6","7","8","9"]"#;
    assert_eq!(metadata.collect::<Vec<_>>(), [("classes", classes), ("danlu", env!("CARGO_PKG_VERSION"))]);
}
