//! Normalizations as nodes of ONNX.

use nn::Shape;
use spec::{BatchNorm2dSpec, GroupNormSpec, LayerNormSpec};

use super::graph_builder::LayerBuilder;
use super::proto::AttributeProto;

fn epsilon(epsilon: f64) -> AttributeProto {
    AttributeProto::float("epsilon", epsilon)
}

/// With the running statistics, as in inference.
pub(super) fn batch_norm2d(layer: &mut LayerBuilder<'_, '_>, x: &str, norm: &BatchNorm2dSpec) {
    let [w, b, mean, var] = ["weight", "bias", "running_mean", "running_var"].map(|part| layer.weight(part));
    layer.result("BatchNormalization", &[x, &w, &b, &mean, &var], vec![epsilon(norm.epsilon)]);
}

/// Over all dimensions but the batch.
pub(super) fn layer_norm(layer: &mut LayerBuilder<'_, '_>, x: &str, norm: &LayerNormSpec) {
    let (w, b) = (layer.weight("weight"), layer.weight("bias"));
    let attributes = vec![AttributeProto::int("axis", 1), epsilon(norm.epsilon)];
    layer.result("LayerNormalization", &[x, &w, &b], attributes);
}

/// InstanceNormalization of [N, G, C/G·H·W] is that of G groups; γ and β are by channel and come after.
pub(super) fn group_norm(layer: &mut LayerBuilder<'_, '_>, x: &str, norm: &GroupNormSpec) {
    let dims = layer.shape.dims();
    let by_channel = match layer.shape {
        Shape::Map([c, ..]) => vec![c, 1, 1],
        Shape::Flat(n) => vec![n],
    };
    let (w, b) = (layer.weight_as("weight", &by_channel), layer.weight_as("bias", &by_channel));
    let ones = layer.constant("ones", &[norm.groups], &vec![1.0; norm.groups]);
    let zeros = layer.constant("zeros", &[norm.groups], &vec![0.0; norm.groups]);
    // 0 keeps a dimension, here the batch, and −1 is what remains.
    let grouped = layer.ints("grouped", &[0, norm.groups as i64, -1]);
    let shape: Vec<i64> = [0].into_iter().chain(dims.iter().map(|&dim| dim as i64)).collect();
    let shape = layer.ints("shape", &shape);
    let groups = layer.step("Reshape", &[x, &grouped], vec![]);
    let normal = layer.step("InstanceNormalization", &[&groups, &ones, &zeros], vec![epsilon(norm.epsilon)]);
    let normal = layer.step("Reshape", &[&normal, &shape], vec![]);
    let scaled = layer.step("Mul", &[&normal, &w], vec![]);
    layer.result("Add", &[&scaled, &b], vec![]);
}
