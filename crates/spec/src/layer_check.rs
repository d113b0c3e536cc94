//! What can be said of a layer's numbers without shapes.

use std::fmt::Display;

use crate::network_check::{MAX_SIZE, is_size, sizes};
use crate::{Conv2dSpec, LayerSpec, PadSpec, Pair, PartialConv2dSpec, PoolSpec, SpecError};

/// Checks every number of the layer of node `node`; the error names node and key.
pub(crate) fn check_layer(node: &str, layer: &LayerSpec) -> Result<(), SpecError> {
    let check = LayerCheck { node, layer: layer.kind() };
    match layer {
        LayerSpec::Conv2d(conv) => check.conv2d(conv),
        LayerSpec::PartialConv2d(conv) => check.partial_conv2d(conv),
        LayerSpec::Linear(linear) => check.size("out_features", linear.out_features),
        LayerSpec::Rbf(rbf) => check.codes(&rbf.codes),
        LayerSpec::BatchNorm2d(norm) => {
            check.above_zero("epsilon", norm.epsilon)?;
            let ok = norm.momentum > 0.0 && norm.momentum <= 1.0;
            check.value(ok, "momentum", norm.momentum, "above 0 and at most 1")
        }
        LayerSpec::LayerNorm(norm) => check.above_zero("epsilon", norm.epsilon),
        LayerSpec::GroupNorm(norm) => {
            check.size("groups", norm.groups)?;
            check.above_zero("epsilon", norm.epsilon)
        }
        LayerSpec::Dropout(dropout) | LayerSpec::SpatialDropout(dropout) => {
            check.value((0.0..1.0).contains(&dropout.p), "p", dropout.p, "from 0 to below 1")
        }
        LayerSpec::MaxPool2d(pool) | LayerSpec::AvgPool2d(pool) => check.pool(pool),
        LayerSpec::Subsample(subsample) => check.pair("kernel", subsample.kernel, 1),
        LayerSpec::Pad(pad) => check.pad(pad),
        LayerSpec::LeakyRelu(leaky) => check.finite("slope", leaky.slope),
        LayerSpec::ScaledTanh(tanh) => {
            check.finite("amplitude", tanh.amplitude)?;
            check.finite("slope", tanh.slope)
        }
        LayerSpec::SqueezeExcite(block) => check.size("reduced", block.reduced),
        LayerSpec::Relu
        | LayerSpec::Sigmoid
        | LayerSpec::Tanh
        | LayerSpec::Gelu
        | LayerSpec::Silu
        | LayerSpec::HardSwish
        | LayerSpec::GlobalAvgPool
        | LayerSpec::Flatten
        | LayerSpec::Add(_)
        | LayerSpec::Multiply(_)
        | LayerSpec::Concat(_) => Ok(()),
    }
}

/// The place that errors about a layer's numbers name.
struct LayerCheck<'a> {
    node: &'a str,
    layer: &'static str,
}

impl LayerCheck<'_> {
    fn size(&self, key: &str, size: usize) -> Result<(), SpecError> {
        self.value(is_size(size, 1), key, size, &sizes(1))
    }

    fn pair(&self, key: &str, Pair { h, w }: Pair, min: usize) -> Result<(), SpecError> {
        let ok = is_size(h, min) && is_size(w, min);
        self.value(ok, key, format_args!("[{h}, {w}]"), &format!("{} each", sizes(min)))
    }

    fn conv2d(&self, conv: &Conv2dSpec) -> Result<(), SpecError> {
        let Conv2dSpec { out_channels, kernel, stride, padding, dilation, groups, bias: _ } = *conv;
        self.size("out_channels", out_channels)?;
        self.pair("kernel", kernel, 1)?;
        self.pair("stride", stride, 1)?;
        self.pair("padding", padding, 0)?;
        self.pair("dilation", dilation, 1)?;
        self.size("groups", groups)?;
        let divides = out_channels.is_multiple_of(groups);
        self.value(divides, "groups", groups, &format!("a divisor of out_channels, which is {out_channels}"))
    }

    fn partial_conv2d(&self, conv: &PartialConv2dSpec) -> Result<(), SpecError> {
        self.pair("kernel", conv.kernel, 1)?;
        let filters = &conv.connections;
        self.value(is_size(filters.len(), 1), "connections", "[]", "one list for each filter")?;
        let is_right = |channels: &Vec<usize>| {
            let last = channels.last();
            channels.is_sorted_by(|a, b| a < b) && last.is_some_and(|&last| last < MAX_SIZE)
        };
        match filters.iter().find(|channels| !is_right(channels)) {
            None => Ok(()),
            Some(bad) => {
                let allowed = format!("channels from 0 to {}, each once, in ascending order", MAX_SIZE - 1);
                self.value(false, "connections", format_args!("{bad:?}"), &allowed)
            }
        }
    }

    fn pool(&self, pool: &PoolSpec) -> Result<(), SpecError> {
        let PoolSpec { kernel, stride, padding } = *pool;
        self.pair("kernel", kernel, 1)?;
        self.pair("stride", stride.unwrap_or(kernel), 1)?;
        let ok = padding.h <= kernel.h / 2 && padding.w <= kernel.w / 2;
        let found = format_args!("[{}, {}]", padding.h, padding.w).to_string();
        self.value(ok, "padding", found, &format!("at most half the window, which is {kernel}"))
    }

    fn pad(&self, pad: &PadSpec) -> Result<(), SpecError> {
        let PadSpec { top, bottom, left, right, value } = *pad;
        for (key, size) in [("top", top), ("bottom", bottom), ("left", left), ("right", right)] {
            self.value(is_size(size, 0), key, size, &sizes(0))?;
        }
        self.finite("value", value)
    }

    /// As many signs in every code, none other.
    fn codes(&self, codes: &[String]) -> Result<(), SpecError> {
        let signs = |code: &String| code.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>();
        let n_signs = codes.first().map_or(0, |code| signs(code).len());
        let is_code = |code: &&String| {
            let signs = signs(code);
            is_size(n_signs, 1)
                && signs.len() == n_signs
                && signs.iter().all(|&sign| sign == '#' || sign == '.')
        };
        let bad = codes.iter().find(|code| !is_code(code));
        let found = bad.map_or("[]".into(), |code| format!("{code:?}"));
        let allowed = "one text of `#` and `.` for each class, all of one length";
        self.value(!codes.is_empty() && bad.is_none(), "codes", found, allowed)
    }

    fn above_zero(&self, key: &str, value: f64) -> Result<(), SpecError> {
        let ok = (value as f32).is_finite() && value as f32 > 0.0;
        self.value(ok, key, format_args!("{value:?}"), "a finite number above 0, in single precision too")
    }

    fn finite(&self, key: &str, value: f64) -> Result<(), SpecError> {
        let ok = (value as f32).is_finite();
        self.value(ok, key, format_args!("{value:?}"), "a finite number, in single precision too")
    }

    fn value(&self, ok: bool, key: &str, value: impl Display, allowed: &str) -> Result<(), SpecError> {
        if ok {
            return Ok(());
        }
        Err(SpecError::NodeValue {
            node: self.node.into(),
            key: format!("layer.{}.{key}", self.layer),
            value: value.to_string(),
            allowed: allowed.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BatchNorm2dSpec, DropoutSpec, GroupNormSpec, LayerNormSpec, LeakyReluSpec, LinearSpec, RbfSpec,
        SqueezeExciteSpec,
    };

    #[test]
    fn impossible_numbers_of_layers_are_refused_by_node_and_key() {
        let conv = |change: fn(&mut Conv2dSpec)| {
            let mut spec = Conv2dSpec::new(4, Pair::square(1));
            change(&mut spec);
            LayerSpec::Conv2d(spec)
        };
        let pool = |kernel: Pair, stride: Option<Pair>, padding| {
            LayerSpec::MaxPool2d(PoolSpec { kernel, stride, padding: Pair::square(padding) })
        };
        let partial = |connections: &[&[usize]]| {
            let connections = connections.iter().map(|channels| channels.to_vec()).collect();
            LayerSpec::PartialConv2d(PartialConv2dSpec { kernel: Pair::square(1), connections })
        };
        let codes = |codes: &[&str]| {
            LayerSpec::Rbf(RbfSpec { codes: codes.iter().map(ToString::to_string).collect() })
        };
        let cases = [
            (conv(|spec| spec.out_channels = 0), "layer.conv2d.out_channels` is 0,"),
            (conv(|spec| spec.kernel.h = 0), "layer.conv2d.kernel` is [0, 1],"),
            (conv(|spec| spec.stride.w = 0), "layer.conv2d.stride` is [1, 0],"),
            (conv(|spec| spec.padding.h = usize::MAX), "layer.conv2d.padding` is [18446744073709551615, 0],"),
            (pool(Pair::new(2, 0), None, 0), "layer.max_pool2d.kernel` is [2, 0],"),
            (pool(Pair::square(2), Some(Pair::square(0)), 0), "layer.max_pool2d.stride` is [0, 0],"),
            (LayerSpec::LeakyRelu(LeakyReluSpec { slope: f64::NAN }), "layer.leaky_relu.slope` is NaN,"),
            (LayerSpec::Linear(LinearSpec::new(0)), "layer.linear.out_features` is 0,"),
            (conv(|spec| spec.dilation.h = 0), "layer.conv2d.dilation` is [0, 1],"),
            (conv(|spec| spec.groups = 3), "layer.conv2d.groups` is 3,"),
            (pool(Pair::square(3), None, 2), "layer.max_pool2d.padding` is [2, 2],"),
            (partial(&[]), "layer.partial_conv2d.connections` is [],"),
            (partial(&[&[0], &[2, 1]]), "layer.partial_conv2d.connections` is [2, 1],"),
            (partial(&[&[0], &[]]), "layer.partial_conv2d.connections` is [],"),
            (codes(&[]), "layer.rbf.codes` is [],"),
            (codes(&["#.", "#"]), "layer.rbf.codes` is \"#\","),
            (codes(&["#x"]), "layer.rbf.codes` is \"#x\","),
            (
                LayerSpec::BatchNorm2d(BatchNorm2dSpec { momentum: 0.0, ..Default::default() }),
                "layer.batch_norm2d.momentum` is 0,",
            ),
            (LayerSpec::LayerNorm(LayerNormSpec { epsilon: 0.0 }), "layer.layer_norm.epsilon` is 0.0,"),
            (
                LayerSpec::GroupNorm(GroupNormSpec { groups: 0, epsilon: 1.0 }),
                "layer.group_norm.groups` is 0,",
            ),
            (LayerSpec::Dropout(DropoutSpec { p: 1.0 }), "layer.dropout.p` is 1,"),
            (
                LayerSpec::Pad(PadSpec { top: 0, bottom: 0, left: 0, right: 0, value: f64::INFINITY }),
                "layer.pad.value` is inf,",
            ),
            (
                LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: 0 }),
                "layer.squeeze_excite.reduced` is 0,",
            ),
        ];
        for (layer, expected) in cases {
            let found = check_layer("c", &layer).unwrap_err().to_string();
            assert!(found.starts_with(&format!("node `c`: `{expected} but must be ")), "{found}");
        }
    }
}
