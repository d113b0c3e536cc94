//! The parameters of each layer.

use serde::{Deserialize, Serialize};

use crate::Pair;

/// A struct of layer parameters with the derives that all of them have.
macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }
    )*};
}

parameters! {
    /// Parameters of [`crate::LayerSpec::Conv2d`].
    Conv2dSpec {
        /// Number of filters.
        out_channels: usize,
        /// Kernel height and width.
        kernel: Pair,
        /// Step in rows and columns; default 1.
        #[serde(default = "Pair::one")]
        stride: Pair,
        /// Zeros added on each side of the rows and of the columns; default 0.
        #[serde(default = "Pair::zero")]
        padding: Pair,
        /// Distance of the kernel's neighbors in rows and columns; default 1.
        #[serde(default = "Pair::one", skip_serializing_if = "Pair::is_one")]
        dilation: Pair,
        /// Channels and filters are cut into so many groups, and each filter reads the channels of its group only;
        /// default 1. As many as channels: depthwise.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        groups: usize,
        /// Whether each filter adds a number of its own; default true.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        bias: bool,
    }

    /// Parameters of [`crate::LayerSpec::PartialConv2d`].
    PartialConv2dSpec {
        /// Kernel height and width.
        kernel: Pair,
        /// For each filter the channels that it reads, counted from 0, in ascending order.
        connections: Vec<Vec<usize>>,
    }

    /// Parameters of [`crate::LayerSpec::Linear`].
    LinearSpec {
        /// Length of the output.
        out_features: usize,
        /// Whether each output adds a number of its own; default true.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        bias: bool,
    }

    /// Parameters of [`crate::LayerSpec::Rbf`].
    RbfSpec {
        /// One code for each class: `#` is +1, `.` is −1, one for each input; blanks only make it readable.
        codes: Vec<String>,
    }

    /// Parameters of [`crate::LayerSpec::BatchNorm2d`].
    BatchNorm2dSpec {
        /// Added to the variance; default 1e-5.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Share of the batch in the running statistics; default 0.1.
        #[serde(default = "tenth")]
        momentum: f64,
    }

    /// Parameters of [`crate::LayerSpec::LayerNorm`].
    LayerNormSpec {
        /// Added to the variance; default 1e-5.
        #[serde(default = "epsilon")]
        epsilon: f64,
    }

    /// Parameters of [`crate::LayerSpec::GroupNorm`].
    GroupNormSpec {
        /// Number of groups; it divides the channels.
        groups: usize,
        /// Added to the variance; default 1e-5.
        #[serde(default = "epsilon")]
        epsilon: f64,
    }

    /// Parameters of [`crate::LayerSpec::Dropout`] and [`crate::LayerSpec::SpatialDropout`].
    DropoutSpec {
        /// Probability of becoming 0, from 0 to below 1.
        p: f64,
    }

    /// Parameters of [`crate::LayerSpec::LeakyRelu`].
    LeakyReluSpec {
        /// Slope on the negative side.
        slope: f64,
    }

    /// Parameters of [`crate::LayerSpec::ScaledTanh`]; the defaults give f(1) = 1 and f(−1) = −1.
    ScaledTanhSpec {
        /// Largest value; default 1.7159.
        #[serde(default = "lenet_amplitude")]
        amplitude: f64,
        /// Factor of the argument; default 2/3.
        #[serde(default = "two_thirds")]
        slope: f64,
    }

    /// Parameters of [`crate::LayerSpec::MaxPool2d`] and [`crate::LayerSpec::AvgPool2d`].
    PoolSpec {
        /// Window height and width.
        kernel: Pair,
        /// Step in rows and columns; default: the window itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<Pair>,
        /// Border on each side of the rows and of the columns, at most half the window; default 0.
        #[serde(default = "Pair::zero", skip_serializing_if = "Pair::is_zero")]
        padding: Pair,
    }

    /// Parameters of [`crate::LayerSpec::Subsample`].
    SubsampleSpec {
        /// Window height and width, and the step.
        kernel: Pair,
    }

    /// Parameters of [`crate::LayerSpec::Pad`].
    PadSpec {
        /// Rows above; default 0.
        #[serde(default)]
        top: usize,
        /// Rows below; default 0.
        #[serde(default)]
        bottom: usize,
        /// Columns on the left; default 0.
        #[serde(default)]
        left: usize,
        /// Columns on the right; default 0.
        #[serde(default)]
        right: usize,
        /// What stands there; default 0.
        #[serde(default)]
        value: f64,
    }

    /// Parameters of [`crate::LayerSpec::Add`], [`crate::LayerSpec::Multiply`] and [`crate::LayerSpec::Concat`].
    MergeSpec {
        /// Whether inputs with fewer rows or columns get a border of zeros, as even as possible and the odd row or
        /// column at the end (Zoph & Le 2016, section 3.3); default false: sizes must agree.
        #[serde(default)]
        pad: bool,
    }

    /// Parameters of [`crate::LayerSpec::SqueezeExcite`].
    SqueezeExciteSpec {
        /// Numbers between the two linear layers: C → reduced, relu, reduced → C, sigmoid.
        reduced: usize,
    }
}

impl Conv2dSpec {
    /// A dense convolution with bias, in steps of 1, without padding.
    pub fn new(out_channels: usize, kernel: Pair) -> Self {
        let (stride, padding, dilation) = (Pair::one(), Pair::zero(), Pair::one());
        Self { out_channels, kernel, stride, padding, dilation, groups: 1, bias: true }
    }
}

impl LinearSpec {
    /// With bias.
    pub fn new(out_features: usize) -> Self {
        Self { out_features, bias: true }
    }
}

impl PoolSpec {
    /// Windows side by side, without padding.
    pub fn new(kernel: Pair) -> Self {
        Self { kernel, stride: None, padding: Pair::zero() }
    }
}

impl RbfSpec {
    /// The codes as numbers, +1 and −1; [`crate::NetworkSpec::validate`] refuses other characters.
    pub fn signs(&self) -> Vec<Vec<f64>> {
        let sign = |character: char| if character == '#' { 1.0 } else { -1.0 };
        let code = |code: &String| code.chars().filter(|c| !c.is_whitespace()).map(sign).collect();
        self.codes.iter().map(code).collect()
    }
}

impl Default for BatchNorm2dSpec {
    fn default() -> Self {
        Self { epsilon: epsilon(), momentum: tenth() }
    }
}

impl Default for LayerNormSpec {
    fn default() -> Self {
        Self { epsilon: epsilon() }
    }
}

impl Default for ScaledTanhSpec {
    fn default() -> Self {
        Self { amplitude: lenet_amplitude(), slope: two_thirds() }
    }
}

impl Default for MergeSpec {
    /// Sizes must agree.
    fn default() -> Self {
        Self { pad: false }
    }
}

fn one() -> usize {
    1
}

fn is_one(n: &usize) -> bool {
    *n == 1
}

fn yes() -> bool {
    true
}

fn is_yes(answer: &bool) -> bool {
    *answer
}

fn epsilon() -> f64 {
    1e-5
}

fn tenth() -> f64 {
    0.1
}

fn lenet_amplitude() -> f64 {
    1.7159
}

fn two_thirds() -> f64 {
    2.0 / 3.0
}
