//! A model as an ONNX file, opset 17.
//!
//! Input `input`: float [N, C, H, W], raw pixels from 0 to 255, N any number. Output `logits`: float [N, classes]. Nodes
//! are called as the network's nodes, those of a layer that takes several operations `NAME/…`; initializers are
//! called as PyTorch's state dict calls the tensors. Operators: <https://onnx.ai/onnx/operators/>.

mod graph_builder;
mod layers;
mod merging;
mod norms;
mod proto;

use std::env;

use prost::Message;
use spec::LayerSpec;

use crate::wiring::{Node, Wiring};
use crate::{ExportError, Model};
use graph_builder::GraphBuilder;
use proto::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto, ValueInfoProto};

/// Set of operators; the first with LayerNormalization.
const OPSET: i64 = 17;
/// Version of the format that came with opset 17.
const IR_VERSION: i64 = 8;
/// Protobuf's messages are shorter than 2 GiB.
const MAX_MIB: usize = 2048;
/// Names of the picture and of the result.
const INPUT: &str = "input";
const LOGITS: &str = "logits";

/// The bytes of a `.onnx` file that computes logits [N, classes] from raw pixels [N, C, H, W].
///
/// Metadata: `classes`, a JSON list of names, and `danlu`, the version of this program. Dropout is left out, batch
/// normalization takes its running statistics. Panics if `plan` and `params` are not those of `network`.
pub fn onnx(model: &Model<'_>) -> Result<Vec<u8>, ExportError> {
    let proto = model_proto(model)?;
    check_len(proto.encoded_len())?;
    Ok(proto.encode_to_vec())
}

fn check_len(n_bytes: usize) -> Result<(), ExportError> {
    let mib = n_bytes >> 20;
    if mib >= MAX_MIB { Err(ExportError::TooLarge { mib, max_mib: MAX_MIB }) } else { Ok(()) }
}

fn model_proto(model: &Model<'_>) -> Result<ModelProto, ExportError> {
    model.check()?;
    let wiring = Wiring::of(model);
    check_dense(&wiring)?;
    let version = env!("CARGO_PKG_VERSION");
    let classes = serde_json::to_string(model.classes).map_err(ExportError::Classes)?;
    let entry = |key: &str, value: String| StringStringEntryProto { key: key.into(), value };
    let [c, h, w] = model.network.input;
    let doc = format!(
        "{INPUT}: raw pixels [N, {c}, {h}, {w}] from 0 to 255; {LOGITS}: [N, {}]",
        model.network.classes
    );
    Ok(ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: "danlu".into(),
        producer_version: version.into(),
        doc_string: doc,
        graph: Some(graph(model, &wiring)),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        metadata_props: vec![entry("classes", classes), entry("danlu", version.into())],
    })
}

/// Partly connected convolutions become dense ones, which may be much larger.
fn check_dense(wiring: &Wiring<'_>) -> Result<(), ExportError> {
    let n_weights = |node: &Node<'_>| match node.layer {
        LayerSpec::PartialConv2d(conv) => {
            let channels = wiring.shapes[node.inputs[0]].dims()[0];
            let factors = [conv.connections.len(), channels, conv.kernel.h, conv.kernel.w];
            factors.iter().fold(1usize, |product, &n| product.saturating_mul(n))
        }
        _ => 0,
    };
    let n_weights = wiring.nodes.iter().map(n_weights).fold(0, usize::saturating_add);
    check_len(n_weights.saturating_mul(size_of::<f32>()))
}

fn graph(model: &Model<'_>, wiring: &Wiring<'_>) -> GraphProto {
    let mut builder = GraphBuilder::new(model);
    let mut values = vec![builder.normalize(model.normalization)];
    let last = wiring.nodes.len() - 1;
    for (idx, node) in wiring.nodes.iter().enumerate() {
        let inputs = node.inputs.iter().map(|&input| values[input].clone()).collect();
        let shapes = node.inputs.iter().map(|&input| wiring.shapes[input]).collect();
        let mut layer = builder.layer(&node.name, inputs, shapes, wiring.shapes[node.output], idx == last);
        layers::emit(&mut layer, node.layer);
        values.push(layer.output);
    }
    GraphProto {
        node: builder.nodes,
        name: model.network.name.clone(),
        initializer: builder.initializers,
        input: vec![ValueInfoProto::batch(INPUT, &model.network.input)],
        output: vec![ValueInfoProto::batch(LOGITS, &[model.network.classes])],
    }
}

#[cfg(test)]
mod tests;
