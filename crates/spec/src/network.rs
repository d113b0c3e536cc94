//! What network is asked for: an input shape, a number of classes and a list of nodes.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::layer::{
    BatchNorm2dSpec, Conv2dSpec, DropoutSpec, GroupNormSpec, LayerNormSpec, LeakyReluSpec, LinearSpec,
    MergeSpec, PadSpec, PartialConv2dSpec, PoolSpec, RbfSpec, ScaledTanhSpec, SqueezeExciteSpec,
    SubsampleSpec,
};

/// A network as plain data. Nodes are in an order in which every input stands before its use; the last
/// node gives the logits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// What people call it: `lenet`.
    pub name: String,
    /// Shape of one sample: channels, rows, columns.
    #[serde(deserialize_with = "three_sizes")]
    pub input: [usize; 3],
    /// Number of classes, which is the length of the logits.
    pub classes: usize,
    /// The layers, in the order of computation.
    #[serde(rename = "node")]
    pub nodes: Vec<NodeSpec>,
}

impl NetworkSpec {
    /// The nodes' names, in their order: the name given, else the position (`0`, `1`, …).
    pub fn node_names(&self) -> Vec<String> {
        let name = |(idx, node): (usize, &NodeSpec)| node.name.clone().unwrap_or_else(|| idx.to_string());
        self.nodes.iter().enumerate().map(name).collect()
    }

    /// The network with `factor` times the filters in every convolution, rounded to whole numbers, one at least: how Zoph & Le
    /// 2016 (section 4.1) and their successors get from the network of a search to one that is larger. Filters in groups
    /// keep to a multiple of these.
    pub fn widened(&self, factor: f64) -> Self {
        let mut wide = self.clone();
        for node in &mut wide.nodes {
            if let LayerSpec::Conv2d(conv) = &mut node.layer {
                let of_group = (conv.out_channels / conv.groups.max(1)) as f64 * factor;
                conv.out_channels = (of_group.round() as usize).max(1) * conv.groups;
            }
        }
        wide
    }
}

/// serde's own reading of an array stops at its length and lets more numbers pass.
pub(crate) fn three_sizes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[usize; 3], D::Error> {
    let sizes = Vec::<usize>::deserialize(deserializer)?;
    let n_sizes = sizes.len();
    sizes.try_into().map_err(|_| D::Error::invalid_length(n_sizes, &"[channels, rows, columns]"))
}

/// One layer of a network, with its place in the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Name for messages and for weights (`conv.0` gives `conv.0.weight`). Default: the node's index, as
    /// PyTorch's `nn.Sequential` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names of the nodes that it reads; `input` is the picture. Default: the node before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<String>>,
    /// What it computes.
    pub layer: LayerSpec,
}

/// What a node computes. A closed enumeration: every consumer matches it exhaustively. In a file it is a table
/// of one key, `{ linear = { out_features = 10 } }`, or the bare name of a layer whose parameters all have
/// defaults.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerSpec {
    /// Two-dimensional cross-correlation, PyTorch's `nn.Conv2d`.
    Conv2d(Conv2dSpec),
    /// A convolution whose filters read some of the channels only, as C3 of LeNet-5 (LeCun et al. 1998, table I).
    PartialConv2d(PartialConv2dSpec),
    /// `y = W x + b`, PyTorch's `nn.Linear`.
    Linear(LinearSpec),
    /// Minus the squared distances from fixed codes, the output layer of LeNet-5.
    Rbf(RbfSpec),
    /// Each channel to mean 0 and variance 1 over the batch, then `γ x + β`: PyTorch's `nn.BatchNorm2d`.
    BatchNorm2d(BatchNorm2dSpec),
    /// Each sample to mean 0 and variance 1, then `γ x + β` value by value: PyTorch's `nn.LayerNorm` over all
    /// dimensions but the batch.
    LayerNorm(LayerNormSpec),
    /// Each group of channels of each sample to mean 0 and variance 1, then `γ x + β` by channel: PyTorch's
    /// `nn.GroupNorm`.
    GroupNorm(GroupNormSpec),
    /// In training each value is 0 with probability `p`, the others are divided by `1 − p`: PyTorch's
    /// `nn.Dropout`.
    Dropout(DropoutSpec),
    /// As `dropout`, by whole channels: PyTorch's `nn.Dropout2d`.
    SpatialDropout(DropoutSpec),
    /// `x` where positive, 0 elsewhere.
    Relu,
    /// `x` where positive, `slope · x` elsewhere, PyTorch's `nn.LeakyReLU`.
    LeakyRelu(LeakyReluSpec),
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `tanh x`
    Tanh,
    /// `amplitude · tanh(slope · x)`, the squashing function of LeNet-5.
    ScaledTanh(ScaledTanhSpec),
    /// `x Φ(x)` with the normal distribution's Φ, PyTorch's `nn.GELU`.
    Gelu,
    /// `x · sigmoid(x)`
    Silu,
    /// `x · min(max(x + 3, 0), 6) / 6`, PyTorch's `nn.Hardswish`.
    HardSwish,
    /// Largest value of each window, PyTorch's `nn.MaxPool2d`.
    MaxPool2d(PoolSpec),
    /// Mean of each window, zeros of the padding included: PyTorch's `nn.AvgPool2d`.
    AvgPool2d(PoolSpec),
    /// Mean of each channel, `[C, H, W]` to `[C, 1, 1]`: PyTorch's `nn.AdaptiveAvgPool2d(1)`.
    GlobalAvgPool,
    /// Sum of each window times one coefficient, plus one bias, for each channel: S2 and S4 of LeNet-5.
    Subsample(SubsampleSpec),
    /// A border of one value.
    Pad(PadSpec),
    /// `[C, H, W]` to `[C·H·W]`.
    Flatten,
    /// Sum of all inputs.
    Add(MergeSpec),
    /// Product of all inputs; one of `[C, 1, 1]` counts for every row and column of the others, unless `pad` gives it a
    /// border of zeros.
    Multiply(MergeSpec),
    /// The channels of all inputs, or their numbers where they are flat, one after the other.
    Concat(MergeSpec),
    /// Scales each channel by a number from 0 to 1 that depends on the means of all channels (Hu et al. 2017).
    SqueezeExcite(SqueezeExciteSpec),
}

impl LayerSpec {
    /// The layer's name as in a file: `conv2d`, `max_pool2d`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv2d(_) => "conv2d",
            Self::PartialConv2d(_) => "partial_conv2d",
            Self::Linear(_) => "linear",
            Self::Rbf(_) => "rbf",
            Self::BatchNorm2d(_) => "batch_norm2d",
            Self::LayerNorm(_) => "layer_norm",
            Self::GroupNorm(_) => "group_norm",
            Self::Dropout(_) => "dropout",
            Self::SpatialDropout(_) => "spatial_dropout",
            Self::Relu => "relu",
            Self::LeakyRelu(_) => "leaky_relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::ScaledTanh(_) => "scaled_tanh",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::HardSwish => "hard_swish",
            Self::MaxPool2d(_) => "max_pool2d",
            Self::AvgPool2d(_) => "avg_pool2d",
            Self::GlobalAvgPool => "global_avg_pool",
            Self::Subsample(_) => "subsample",
            Self::Pad(_) => "pad",
            Self::Flatten => "flatten",
            Self::Add(_) => "add",
            Self::Multiply(_) => "multiply",
            Self::Concat(_) => "concat",
            Self::SqueezeExcite(_) => "squeeze_excite",
        }
    }

    /// Whether it takes two or more inputs rather than exactly one.
    pub fn merges(&self) -> bool {
        matches!(self, Self::Add(_) | Self::Multiply(_) | Self::Concat(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pair;

    #[test]
    fn a_layer_is_called_as_in_a_file() {
        let pair = Pair::square(1);
        let layers = [
            LayerSpec::Conv2d(Conv2dSpec::new(1, pair)),
            LayerSpec::PartialConv2d(PartialConv2dSpec { kernel: pair, connections: vec![vec![0]] }),
            LayerSpec::Linear(LinearSpec::new(1)),
            LayerSpec::Rbf(RbfSpec { codes: vec!["#".into()] }),
            LayerSpec::BatchNorm2d(BatchNorm2dSpec::default()),
            LayerSpec::LayerNorm(LayerNormSpec::default()),
            LayerSpec::GroupNorm(GroupNormSpec { groups: 1, epsilon: 1e-5 }),
            LayerSpec::Dropout(DropoutSpec { p: 0.5 }),
            LayerSpec::SpatialDropout(DropoutSpec { p: 0.5 }),
            LayerSpec::Relu,
            LayerSpec::LeakyRelu(LeakyReluSpec { slope: 0.5 }),
            LayerSpec::Sigmoid,
            LayerSpec::Tanh,
            LayerSpec::ScaledTanh(ScaledTanhSpec::default()),
            LayerSpec::Gelu,
            LayerSpec::Silu,
            LayerSpec::HardSwish,
            LayerSpec::MaxPool2d(PoolSpec::new(pair)),
            LayerSpec::AvgPool2d(PoolSpec::new(pair)),
            LayerSpec::GlobalAvgPool,
            LayerSpec::Subsample(SubsampleSpec { kernel: pair }),
            LayerSpec::Pad(PadSpec { top: 1, bottom: 0, left: 0, right: 0, value: 0.0 }),
            LayerSpec::Flatten,
            LayerSpec::Add(MergeSpec::default()),
            LayerSpec::Multiply(MergeSpec::default()),
            LayerSpec::Concat(MergeSpec::default()),
            LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: 1 }),
        ];
        for layer in layers {
            let json = serde_json::to_value(&layer).unwrap();
            let tag = json.as_str().or_else(|| json.as_object().unwrap().keys().next().map(String::as_str));
            assert_eq!(tag, Some(layer.kind()));
            assert_eq!(serde_json::from_value::<LayerSpec>(json).unwrap(), layer);
        }
    }
}
