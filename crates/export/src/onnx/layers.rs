//! Each layer as nodes of ONNX.

use spec::{Conv2dSpec, LayerSpec, PadSpec, Pair, PartialConv2dSpec, PoolSpec, RbfSpec, ScaledTanhSpec};

use super::graph_builder::LayerBuilder;
use super::proto::AttributeProto;
use super::{merging, norms};

/// Adds the layer's nodes.
pub(super) fn emit(layer: &mut LayerBuilder<'_, '_>, spec: &LayerSpec) {
    let x = &layer.inputs[0].clone();
    match spec {
        LayerSpec::Conv2d(conv) => conv2d(layer, x, conv),
        LayerSpec::PartialConv2d(conv) => partial_conv2d(layer, x, conv),
        LayerSpec::Linear(linear) => {
            let attributes = vec![AttributeProto::int("transB", 1)];
            affine(layer, "Gemm", x, linear.bias, attributes);
        }
        LayerSpec::Rbf(rbf) => self::rbf(layer, x, rbf),
        LayerSpec::BatchNorm2d(norm) => norms::batch_norm2d(layer, x, norm),
        LayerSpec::LayerNorm(norm) => norms::layer_norm(layer, x, norm),
        LayerSpec::GroupNorm(norm) => norms::group_norm(layer, x, norm),
        LayerSpec::Dropout(_) | LayerSpec::SpatialDropout(_) => layer.nothing(),
        LayerSpec::Relu => layer.result("Relu", &[x], vec![]),
        LayerSpec::LeakyRelu(leaky) => {
            layer.result("LeakyRelu", &[x], vec![AttributeProto::float("alpha", leaky.slope)]);
        }
        LayerSpec::Sigmoid => layer.result("Sigmoid", &[x], vec![]),
        LayerSpec::Tanh => layer.result("Tanh", &[x], vec![]),
        LayerSpec::ScaledTanh(tanh) => scaled_tanh(layer, x, tanh),
        LayerSpec::Gelu => gelu(layer, x),
        LayerSpec::Silu => {
            let sigmoid = layer.step("Sigmoid", &[x], vec![]);
            layer.result("Mul", &[x, &sigmoid], vec![]);
        }
        LayerSpec::HardSwish => layer.result("HardSwish", &[x], vec![]),
        LayerSpec::MaxPool2d(pool) => layer.result("MaxPool", &[x], window(pool)),
        LayerSpec::AvgPool2d(pool) => {
            let border = AttributeProto::int("count_include_pad", 1);
            layer.result("AveragePool", &[x], [window(pool), vec![border]].concat());
        }
        LayerSpec::GlobalAvgPool => layer.result("GlobalAveragePool", &[x], vec![]),
        LayerSpec::Subsample(subsample) => self::subsample(layer, x, subsample.kernel),
        LayerSpec::Pad(pad) => self::pad(layer, x, pad),
        LayerSpec::Flatten => layer.result("Flatten", &[x], vec![AttributeProto::int("axis", 1)]),
        LayerSpec::Add(merge) => merging::add(layer, merge.pad),
        LayerSpec::Multiply(merge) => merging::multiply(layer, merge.pad),
        LayerSpec::Concat(merge) => merging::concat(layer, merge.pad),
        LayerSpec::SqueezeExcite(_) => squeeze_excite(layer, x),
    }
}

fn pair(name: &str, Pair { h, w }: Pair) -> AttributeProto {
    AttributeProto::ints(name, &[h, w])
}

/// As much on both sides: top, left, bottom, right.
fn pads(Pair { h, w }: Pair) -> AttributeProto {
    AttributeProto::ints("pads", &[h, w, h, w])
}

fn window(pool: &PoolSpec) -> Vec<AttributeProto> {
    let PoolSpec { kernel, stride, padding } = *pool;
    vec![pair("kernel_shape", kernel), pair("strides", stride.unwrap_or(kernel)), pads(padding)]
}

/// The last node of a layer with weights and maybe biases.
fn affine(layer: &mut LayerBuilder<'_, '_>, op: &str, x: &str, bias: bool, attributes: Vec<AttributeProto>) {
    let w = &layer.weight("weight");
    match bias {
        true => {
            let b = layer.weight("bias");
            layer.result(op, &[x, w, &b], attributes);
        }
        false => layer.result(op, &[x, w], attributes),
    }
}

fn conv2d(layer: &mut LayerBuilder<'_, '_>, x: &str, conv: &Conv2dSpec) {
    let attributes = vec![
        pair("kernel_shape", conv.kernel),
        pair("strides", conv.stride),
        pads(conv.padding),
        pair("dilations", conv.dilation),
        AttributeProto::int("group", conv.groups),
    ];
    affine(layer, "Conv", x, conv.bias, attributes);
}

/// A dense convolution, with kernels of zeros where a filter does not read a channel.
fn partial_conv2d(layer: &mut LayerBuilder<'_, '_>, x: &str, conv: &PartialConv2dSpec) {
    let PartialConv2dSpec { kernel, connections } = conv;
    let dims = [connections.len(), layer.shapes[0].dims()[0], kernel.h, kernel.w];
    let area = kernel.h * kernel.w;
    let mut dense = vec![0.0; dims.iter().product()];
    let filters = connections.iter().enumerate();
    let places = filters.flat_map(|(filter, channels)| channels.iter().map(move |c| filter * dims[1] + c));
    for (place, kernel) in places.zip(layer.tensor("weight").1.chunks_exact(area)) {
        dense[place * area..][..area].copy_from_slice(kernel);
    }
    let w = layer.initializer("weight", &dims, &dense);
    let b = layer.weight("bias");
    layer.result("Conv", &[x, &w, &b], vec![pair("kernel_shape", *kernel)]);
}

/// `−Σ (x − c)²` for each code c: [N, I] to [N, 1, I], minus [K, I], to [N, K].
fn rbf(layer: &mut LayerBuilder<'_, '_>, x: &str, rbf: &RbfSpec) {
    let signs = rbf.signs();
    let values: Vec<f32> = signs.iter().flatten().map(|&sign| sign as f32).collect();
    let codes = layer.constant("codes", &[signs.len(), signs[0].len()], &values);
    let axis = layer.ints("axis", &[1]);
    let rows = layer.step("Unsqueeze", &[x, &axis], vec![]);
    let apart = layer.step("Sub", &[&rows, &codes], vec![]);
    let attributes = vec![AttributeProto::ints("axes", &[2]), AttributeProto::int("keepdims", 0)];
    let distances = layer.step("ReduceSumSquare", &[&apart], attributes);
    layer.result("Neg", &[&distances], vec![]);
}

fn scaled_tanh(layer: &mut LayerBuilder<'_, '_>, x: &str, tanh: &ScaledTanhSpec) {
    let slope = layer.scalar("slope", tanh.slope);
    let amplitude = layer.scalar("amplitude", tanh.amplitude);
    let scaled = layer.step("Mul", &[x, &slope], vec![]);
    let squashed = layer.step("Tanh", &[&scaled], vec![]);
    layer.result("Mul", &[&squashed, &amplitude], vec![]);
}

/// `x Φ(x) = x (1 + erf(x / √2)) / 2`; Gelu is an operator since opset 20 only.
fn gelu(layer: &mut LayerBuilder<'_, '_>, x: &str) {
    let factor = layer.scalar("sqrt_half", std::f64::consts::FRAC_1_SQRT_2);
    let one = layer.scalar("one", 1.0);
    let half = layer.scalar("half", 0.5);
    let scaled = layer.step("Mul", &[x, &factor], vec![]);
    let erf = layer.step("Erf", &[&scaled], vec![]);
    let twice = layer.step("Add", &[&erf, &one], vec![]);
    let normal = layer.step("Mul", &[&twice, &half], vec![]);
    layer.result("Mul", &[x, &normal], vec![]);
}

/// There is no pooling by sums: the mean times the window's area.
fn subsample(layer: &mut LayerBuilder<'_, '_>, x: &str, kernel: Pair) {
    let channels = [layer.shapes[0].dims()[0], 1, 1];
    let area = layer.scalar("area", (kernel.h * kernel.w) as f64);
    let (w, b) = (layer.weight_as("weight", &channels), layer.weight_as("bias", &channels));
    let mean = layer.step("AveragePool", &[x], window(&PoolSpec::new(kernel)));
    let sum = layer.step("Mul", &[&mean, &area], vec![]);
    let scaled = layer.step("Mul", &[&sum, &w], vec![]);
    layer.result("Add", &[&scaled, &b], vec![]);
}

fn pad(layer: &mut LayerBuilder<'_, '_>, x: &str, pad: &PadSpec) {
    let borders = layer.ints("pads", &merging::borders([pad.top, pad.left, pad.bottom, pad.right]));
    let value = layer.scalar("value", pad.value);
    layer.result("Pad", &[x, &borders, &value], vec![]);
}

fn squeeze_excite(layer: &mut LayerBuilder<'_, '_>, x: &str) {
    let [w0, b0, w2, b2] = ["0.weight", "0.bias", "2.weight", "2.bias"].map(|part| layer.weight(part));
    let axes = layer.ints("axes", &[2, 3]);
    let transposed = || vec![AttributeProto::int("transB", 1)];
    let means = layer.step("GlobalAveragePool", &[x], vec![]);
    let squeezed = layer.step("Flatten", &[&means], vec![AttributeProto::int("axis", 1)]);
    let reduced = layer.step("Gemm", &[&squeezed, &w0, &b0], transposed());
    let rectified = layer.step("Relu", &[&reduced], vec![]);
    let excited = layer.step("Gemm", &[&rectified, &w2, &b2], transposed());
    let gates = layer.step("Sigmoid", &[&excited], vec![]);
    let gates = layer.step("Unsqueeze", &[&gates, &axes], vec![]);
    layer.result("Mul", &[x, &gates], vec![]);
}
