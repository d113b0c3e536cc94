//! What network is asked for: an input shape, a number of classes and a list of nodes.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Pair;

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
/// of one key, `{ linear = { out_features = 10 } }`, or the bare name of a layer that has no parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerSpec {
    /// Two-dimensional cross-correlation with bias, PyTorch's `nn.Conv2d`.
    Conv2d(Conv2dSpec),
    /// `x` where positive, `slope · x` elsewhere, PyTorch's `nn.LeakyReLU`.
    LeakyRelu(LeakyReluSpec),
    /// `x` where positive, 0 elsewhere.
    Relu,
    /// Largest value of each window, PyTorch's `nn.MaxPool2d`.
    MaxPool2d(MaxPool2dSpec),
    /// `[C, H, W]` to `[C·H·W]`.
    Flatten,
    /// `y = W x + b`, PyTorch's `nn.Linear`.
    Linear(LinearSpec),
    /// Sum of all inputs, which have the same shape.
    Add,
}

impl LayerSpec {
    /// The layer's name as in a file: `conv2d`, `max_pool2d`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv2d(_) => "conv2d",
            Self::LeakyRelu(_) => "leaky_relu",
            Self::Relu => "relu",
            Self::MaxPool2d(_) => "max_pool2d",
            Self::Flatten => "flatten",
            Self::Linear(_) => "linear",
            Self::Add => "add",
        }
    }
}

/// Parameters of [`LayerSpec::Conv2d`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2dSpec {
    /// Number of filters.
    pub out_channels: usize,
    /// Kernel height and width.
    pub kernel: Pair,
    /// Step in rows and columns; default 1.
    #[serde(default = "Pair::one")]
    pub stride: Pair,
    /// Zeros added on each side of the rows and of the columns; default 0.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
}

/// Parameters of [`LayerSpec::LeakyRelu`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakyReluSpec {
    /// Slope on the negative side.
    pub slope: f64,
}

/// Parameters of [`LayerSpec::MaxPool2d`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2dSpec {
    /// Window height and width.
    pub kernel: Pair,
    /// Step in rows and columns; default: the window itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
}

/// Parameters of [`LayerSpec::Linear`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearSpec {
    /// Length of the output.
    pub out_features: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_called_as_in_a_file() {
        let pair = Pair::square(1);
        let layers = [
            LayerSpec::Conv2d(Conv2dSpec { out_channels: 1, kernel: pair, stride: pair, padding: pair }),
            LayerSpec::LeakyRelu(LeakyReluSpec { slope: 0.5 }),
            LayerSpec::Relu,
            LayerSpec::MaxPool2d(MaxPool2dSpec { kernel: pair, stride: None }),
            LayerSpec::Flatten,
            LayerSpec::Linear(LinearSpec { out_features: 1 }),
            LayerSpec::Add,
        ];
        for layer in layers {
            let json = serde_json::to_value(&layer).unwrap();
            let tag = json.as_str().or_else(|| json.as_object().unwrap().keys().next().map(String::as_str));
            assert_eq!(tag, Some(layer.kind()));
        }
    }
}
