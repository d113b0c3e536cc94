//! Each layer as an expression that makes a module.

use std::ops::Range;

use nn::Shape;
use spec::{Conv2dSpec, GroupNormSpec, LayerSpec, PadSpec, Pair, PartialConv2dSpec, PoolSpec, RbfSpec};

use super::text::{indented, literal, pair};
use crate::wiring::Wiring;

/// The node as a module. Panics on a layer of several inputs, which is none.
pub(super) fn module(wiring: &Wiring<'_>, idx: usize) -> String {
    let node = &wiring.nodes[idx];
    let shape = wiring.shapes[node.inputs[0]];
    let size = shape.dims()[0]; // channels, or features where it is flat
    match node.layer {
        LayerSpec::Conv2d(conv) => conv2d(conv, size),
        LayerSpec::PartialConv2d(conv) => partial_conv2d(conv),
        LayerSpec::Linear(linear) => {
            let bias = if linear.bias { "" } else { ", bias=False" };
            format!("nn.Linear({size}, {}{bias})", linear.out_features)
        }
        LayerSpec::Rbf(rbf) => self::rbf(rbf),
        LayerSpec::BatchNorm2d(norm) => {
            let momentum =
                if norm.momentum == 0.1 { String::new() } else { format!(", momentum={:?}", norm.momentum) };
            format!("nn.BatchNorm2d({size}{}{momentum})", epsilon(norm.epsilon))
        }
        LayerSpec::LayerNorm(norm) => format!("nn.LayerNorm({shape}{})", epsilon(norm.epsilon)),
        LayerSpec::GroupNorm(norm) => {
            let class = if is_single(norm, shape) { "GroupNorm" } else { "nn.GroupNorm" };
            format!("{class}({}, {size}{})", norm.groups, epsilon(norm.epsilon))
        }
        LayerSpec::Dropout(dropout) => format!("nn.Dropout({:?})", dropout.p),
        LayerSpec::SpatialDropout(dropout) => format!("nn.Dropout2d({:?})", dropout.p),
        LayerSpec::Relu => "nn.ReLU()".into(),
        LayerSpec::LeakyRelu(leaky) => format!("nn.LeakyReLU({:?})", leaky.slope),
        LayerSpec::Sigmoid => "nn.Sigmoid()".into(),
        LayerSpec::Tanh => "nn.Tanh()".into(),
        LayerSpec::ScaledTanh(tanh) => format!("ScaledTanh({:?}, {:?})", tanh.amplitude, tanh.slope),
        LayerSpec::Gelu => "nn.GELU()".into(),
        LayerSpec::Silu => "nn.SiLU()".into(),
        LayerSpec::HardSwish => "nn.Hardswish()".into(),
        LayerSpec::MaxPool2d(pool) => format!("nn.MaxPool2d({})", window(pool)),
        LayerSpec::AvgPool2d(pool) => format!("nn.AvgPool2d({})", window(pool)),
        LayerSpec::GlobalAvgPool => "nn.AdaptiveAvgPool2d(1)".into(),
        LayerSpec::Subsample(subsample) => format!("Subsample({size}, {})", both(subsample.kernel)),
        LayerSpec::Pad(pad) => format!("nn.ConstantPad2d({}, {:?})", borders(pad), pad.value),
        LayerSpec::Flatten => "nn.Flatten()".into(),
        LayerSpec::SqueezeExcite(block) => format!("SqueezeExcite({size}, {})", block.reduced),
        LayerSpec::Add(_) | LayerSpec::Multiply(_) | LayerSpec::Concat(_) => {
            unreachable!("a layer of several inputs is no module")
        }
    }
}

/// Whether each group is a single value, which PyTorch's own module refuses where the batch is one sample.
pub(super) fn is_single(norm: &GroupNormSpec, shape: Shape) -> bool {
    shape.n_values() == norm.groups
}

/// `(…)` with a module for each node, on lines of their own, with shapes.
pub(super) fn arguments(wiring: &Wiring<'_>, nodes: Range<usize>) -> String {
    let line = |idx: usize| {
        let shape: Shape = wiring.shapes[wiring.nodes[idx].output];
        format!("    {},  # {shape}\n", indented(&module(wiring, idx), 4))
    };
    format!("(\n{})", nodes.map(line).collect::<String>())
}

fn conv2d(conv: &Conv2dSpec, channels: usize) -> String {
    let Conv2dSpec { out_channels, kernel, stride, padding, dilation, groups, bias } = *conv;
    let mut text = format!("nn.Conv2d({channels}, {out_channels}, {}", pair(kernel));
    for (name, value, default) in [("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1)]
    {
        if value != Pair::square(default) {
            text += &format!(", {name}={}", pair(value));
        }
    }
    if groups != 1 {
        text += &format!(", groups={groups}");
    }
    text + if bias { ")" } else { ", bias=False)" }
}

fn partial_conv2d(conv: &PartialConv2dSpec) -> String {
    format!(
        "PartialConv2d({}, {})",
        lines(conv.connections.iter().map(|channels| format!("{channels:?}"))),
        both(conv.kernel)
    )
}

fn rbf(rbf: &RbfSpec) -> String {
    let code = |code: &String| literal(&code.split_whitespace().collect::<String>());
    format!("Rbf({})", lines(rbf.codes.iter().map(code)))
}

/// A list with its items on lines of their own.
fn lines(items: impl Iterator<Item = String>) -> String {
    super::text::list(&items.collect::<Vec<_>>(), '[', ']')
}

/// Rows and columns, even where they are equal.
fn both(Pair { h, w }: Pair) -> String {
    format!("({h}, {w})")
}

fn epsilon(epsilon: f64) -> String {
    if epsilon == 1e-5 { String::new() } else { format!(", eps={epsilon:?}") }
}

/// Arguments of a pooling; PyTorch's default step is the window too.
pub(super) fn window(pool: &PoolSpec) -> String {
    let PoolSpec { kernel, stride, padding } = *pool;
    let mut text = pair(kernel);
    if let Some(stride) = stride.filter(|&stride| stride != kernel) {
        text += &format!(", stride={}", pair(stride));
    }
    if padding != Pair::square(0) {
        text += &format!(", padding={}", pair(padding));
    }
    text
}

/// PyTorch's order: from the last dimension to the first.
pub(super) fn borders(pad: &PadSpec) -> String {
    format!("({}, {}, {}, {})", pad.left, pad.right, pad.top, pad.bottom)
}
