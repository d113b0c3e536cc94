//! `/api/blocks`: every kind of layer with its parameters, for people who build a network of blocks.
//!
//! A table beside the types of `spec`, as what people read here differs from what their documentation says; the tests
//! below hold it to them: every kind and parameter once, with serde's own defaults.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spec::LayerSpec;

use crate::answer;

/// A kind of layer.
#[derive(Debug, Serialize)]
pub(crate) struct Block {
    kind: &'static str,
    group: Group,
    about: &'static str,
    parameters: Vec<Parameter>,
    /// The value of `layer`.
    example: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Group {
    Convolution,
    Linear,
    Normalization,
    Regularization,
    Activation,
    Pooling,
    Shape,
    Merge,
    Block,
}

/// What can be set of a layer.
#[derive(Clone, Debug, Serialize)]
struct Parameter {
    name: &'static str,
    #[serde(rename = "type")]
    of_type: Type,
    /// `null`: there is none.
    default: Value,
    /// Whether it may be absent though it has no default: a pooling's stride, which then is the window.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
    about: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    /// Rows and columns.
    Pair,
    Integer,
    Number,
    Boolean,
    Json,
}

/// `GET /api/blocks`
pub(crate) async fn blocks() -> Response {
    answer::json(&palette())
}

/// All kinds, in the order in which they are shown.
fn palette() -> Vec<Block> {
    let mut blocks = weights();
    blocks.extend(normalizations());
    blocks.extend(activations());
    blocks.extend(shapes());
    blocks.extend(merges());
    blocks
}

fn parameter(name: &'static str, of_type: Type, default: Value, about: &'static str) -> Parameter {
    Parameter { name, of_type, default, optional: false, about }
}

/// A block whose example has these values where a parameter has no default.
fn block(kind: &'static str, about: &'static str, parameters: Vec<Parameter>, example: Value) -> Block {
    let example = if example.is_null() { kind.into() } else { json!({ kind: example }) };
    let layer = LayerSpec::deserialize(&example).expect("a test reads every example");
    Block { kind, group: group_of(&layer), about, parameters, example }
}

fn weights() -> Vec<Block> {
    use Type::{Boolean, Integer, Json, Pair};
    let kernel = || parameter("kernel", Pair, Value::Null, "height and width of the window");
    let bias = || parameter("bias", Boolean, json!(true), "whether each output adds a number of its own");
    let conv = vec![
        parameter("out_channels", Integer, Value::Null, "number of filters"),
        kernel(),
        parameter("stride", Pair, json!([1, 1]), "step in rows and columns"),
        parameter("padding", Pair, json!([0, 0]), "zeros on each side of the rows and of the columns"),
        parameter("dilation", Pair, json!([1, 1]), "distance of the kernel's neighbors"),
        parameter("groups", Integer, json!(1), "a filter reads the channels of its group only"),
        bias(),
    ];
    let connections =
        parameter("connections", Json, Value::Null, "for each filter the channels that it reads, from 0");
    let features = parameter("out_features", Integer, Value::Null, "length of the output");
    let codes = parameter("codes", Json, Value::Null, "a code for each class: # is +1, . is −1");
    let partial = json!({ "kernel": 3, "connections": [[0, 1], [1, 2], [0, 1, 2]] });
    vec![
        block(
            "conv2d",
            "filters that slide over all channels",
            conv,
            json!({ "out_channels": 8, "kernel": 3 }),
        ),
        block(
            "partial_conv2d",
            "a convolution whose filters read some channels only, C3 of LeNet-5",
            vec![kernel(), connections],
            partial,
        ),
        block(
            "linear",
            "y = W x + b, of a row of numbers",
            vec![features, bias()],
            json!({ "out_features": 10 }),
        ),
        block(
            "rbf",
            "minus the squared distances from fixed codes, the outputs of LeNet-5",
            vec![codes],
            json!({ "codes": ["#.#.#.#.", ".#.#.#.#"] }),
        ),
    ]
}

fn normalizations() -> Vec<Block> {
    use Type::{Integer, Number};
    let epsilon = || parameter("epsilon", Number, json!(1e-5), "added to the variance");
    let momentum = parameter("momentum", Number, json!(0.1), "share of the batch in the running statistics");
    let groups = parameter("groups", Integer, Value::Null, "number of groups; it divides the channels");
    let p = || vec![parameter("p", Number, Value::Null, "probability of becoming 0, below 1")];
    vec![
        block(
            "batch_norm2d",
            "each channel to mean 0 and variance 1 over the batch",
            vec![epsilon(), momentum],
            Value::Null,
        ),
        block("layer_norm", "each sample to mean 0 and variance 1", vec![epsilon()], Value::Null),
        block(
            "group_norm",
            "each group of channels of each sample to mean 0 and variance 1",
            vec![groups, epsilon()],
            json!({ "groups": 4 }),
        ),
        block("dropout", "in training each value is 0 with some probability", p(), json!({ "p": 0.5 })),
        block("spatial_dropout", "as dropout, by whole channels", p(), json!({ "p": 0.2 })),
    ]
}

fn activations() -> Vec<Block> {
    let bare = |kind, about| block(kind, about, vec![], Value::Null);
    let slope = parameter("slope", Type::Number, Value::Null, "slope on the negative side");
    let scaled = vec![
        parameter("amplitude", Type::Number, json!(1.7159), "largest value"),
        parameter("slope", Type::Number, json!(2.0 / 3.0), "factor of the argument"),
    ];
    vec![
        bare("relu", "x where positive, 0 elsewhere"),
        block("leaky_relu", "x where positive, slope · x elsewhere", vec![slope], json!({ "slope": 0.1 })),
        bare("sigmoid", "1 / (1 + e⁻ˣ)"),
        bare("tanh", "tanh x"),
        block(
            "scaled_tanh",
            "amplitude · tanh(slope · x), the squashing function of LeNet-5",
            scaled,
            Value::Null,
        ),
        bare("gelu", "x Φ(x), Φ of the normal distribution"),
        bare("silu", "x · sigmoid(x)"),
        bare("hard_swish", "x · min(max(x + 3, 0), 6) / 6"),
    ]
}

fn shapes() -> Vec<Block> {
    use Type::{Integer, Number, Pair};
    let kernel = || parameter("kernel", Pair, Value::Null, "height and width of the window");
    let pooling = || {
        let stride = Parameter {
            optional: true,
            ..parameter("stride", Pair, Value::Null, "step in rows and columns; else the window itself")
        };
        let padding = "border on each side of the rows and of the columns, at most half the window";
        vec![kernel(), stride, parameter("padding", Pair, json!([0, 0]), padding)]
    };
    let side = |name, about| parameter(name, Integer, json!(0), about);
    let border = vec![
        side("top", "rows above"),
        side("bottom", "rows below"),
        side("left", "columns on the left"),
        side("right", "columns on the right"),
        parameter("value", Number, json!(0.0), "what stands there"),
    ];
    let two = || json!({ "kernel": 2 });
    let mean = "mean of each channel, [C, H, W] to [C, 1, 1]";
    let subsample = "sum of each window times a coefficient, plus a bias, for each channel: S2 of LeNet-5";
    let pad = json!({ "top": 1, "bottom": 1, "left": 1, "right": 1 });
    vec![
        block("max_pool2d", "largest value of each window", pooling(), two()),
        block("avg_pool2d", "mean of each window, zeros of the border included", pooling(), two()),
        block("global_avg_pool", mean, vec![], Value::Null),
        block("subsample", subsample, vec![kernel()], two()),
        block("pad", "a border of one value", border, pad),
        block("flatten", "channels, rows and columns to one row of numbers", vec![], Value::Null),
    ]
}

fn merges() -> Vec<Block> {
    let about = "whether smaller inputs get a border of zeros; else sizes must agree";
    let pad = || vec![parameter("pad", Type::Boolean, json!(false), about)];
    let reduced = parameter("reduced", Type::Integer, Value::Null, "numbers between the two linear layers");
    let scales = "scales each channel by a number from 0 to 1 that depends on the means of all channels";
    let product = "product of all inputs; one of [C, 1, 1] counts for every row and column";
    let after = "the channels of all inputs, or their numbers, one after the other";
    vec![
        block("add", "sum of two or more inputs", pad(), Value::Null),
        block("multiply", product, pad(), Value::Null),
        block("concat", after, pad(), Value::Null),
        block("squeeze_excite", scales, vec![reduced], json!({ "reduced": 2 })),
    ]
}

/// Where a layer is shown.
pub(crate) fn group_of(layer: &LayerSpec) -> Group {
    use LayerSpec as L;
    match layer {
        L::Conv2d(_) | L::PartialConv2d(_) => Group::Convolution,
        L::Linear(_) | L::Rbf(_) => Group::Linear,
        L::BatchNorm2d(_) | L::LayerNorm(_) | L::GroupNorm(_) => Group::Normalization,
        L::Dropout(_) | L::SpatialDropout(_) => Group::Regularization,
        L::Relu | L::LeakyRelu(_) | L::Sigmoid | L::Tanh | L::ScaledTanh(_) => Group::Activation,
        L::Gelu | L::Silu | L::HardSwish => Group::Activation,
        L::MaxPool2d(_) | L::AvgPool2d(_) | L::GlobalAvgPool | L::Subsample(_) => Group::Pooling,
        L::Pad(_) | L::Flatten => Group::Shape,
        L::Add(_) | L::Multiply(_) | L::Concat(_) => Group::Merge,
        L::SqueezeExcite(_) => Group::Block,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Another value than the default, of which `spec` writes every one.
    fn other(parameter: &Parameter, example: &Value) -> Value {
        match parameter.of_type {
            Type::Pair => json!([3, 2]),
            Type::Integer => json!(7),
            Type::Number => json!(0.375),
            Type::Boolean => json!(!parameter.default.as_bool().unwrap()),
            Type::Json => example[parameter.name].clone(),
        }
    }

    fn read(kind: &str, parameters: Value) -> Result<LayerSpec, serde_json::Error> {
        LayerSpec::deserialize(json!({ kind: parameters }))
    }

    #[test]
    fn every_kind_is_there_once() {
        let kinds: Vec<&str> = palette().iter().map(|block| block.kind).collect();
        let set: BTreeSet<&str> = kinds.iter().copied().collect();
        assert_eq!(set.len(), kinds.len());
        // serde's own list stands in its complaint.
        let complaint = LayerSpec::deserialize(&json!("none")).unwrap_err().to_string();
        let known = complaint.split('`').skip(1).step_by(2).filter(|word| *word != "none").collect();
        assert_eq!(set, known, "{complaint}");
        for block in palette() {
            assert_eq!(LayerSpec::deserialize(&block.example).unwrap().kind(), block.kind);
        }
    }

    #[test]
    fn every_parameter_is_there_once_with_serdes_default() {
        for Block { kind, parameters, example, .. } in palette() {
            let example = &example[kind];
            let all = |value: &dyn Fn(&Parameter) -> Value| {
                let pairs = parameters.iter().map(|parameter| (parameter.name.to_owned(), value(parameter)));
                Value::Object(pairs.collect())
            };
            let others = all(&|parameter| other(parameter, example));
            let written = match parameters.is_empty() {
                true => Value::Object(Default::default()),
                false => serde_json::to_value(read(kind, others.clone()).unwrap()).unwrap()[kind].clone(),
            };
            assert_eq!(written, others, "{kind}");
            for parameter in &parameters {
                let mut without = others.clone();
                without.as_object_mut().unwrap().remove(parameter.name);
                let mut with_default = others.clone();
                with_default[parameter.name] = parameter.default.clone();
                assert!(!parameter.optional || parameter.default.is_null());
                match read(kind, without) {
                    Ok(layer) => {
                        assert_eq!(layer, read(kind, with_default).unwrap(), "{kind}.{}", parameter.name)
                    }
                    Err(_) => assert!(
                        parameter.default.is_null() && !parameter.optional,
                        "{kind}.{}",
                        parameter.name
                    ),
                }
            }
        }
    }
}
