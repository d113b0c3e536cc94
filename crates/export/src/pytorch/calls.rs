//! Each line of `forward` as an expression.

use spec::LayerSpec;

use super::modules::{borders, window};
use super::steps::Step;
use super::tree;
use crate::wiring::{Node, Wiring, border};

/// The step's value from the variables of all values.
pub(super) fn call(wiring: &Wiring<'_>, step: &Step, variables: &[String]) -> String {
    let x = &variables[step.inputs(wiring)[0]];
    match step {
        Step::Run { module, .. } => format!("{}({x})", tree::access(wiring, module)),
        Step::Node(idx) => node_call(wiring, &wiring.nodes[*idx], x, variables),
    }
}

fn node_call(wiring: &Wiring<'_>, node: &Node<'_>, x: &str, variables: &[String]) -> String {
    match node.layer {
        LayerSpec::Conv2d(_)
        | LayerSpec::PartialConv2d(_)
        | LayerSpec::Linear(_)
        | LayerSpec::Rbf(_)
        | LayerSpec::BatchNorm2d(_)
        | LayerSpec::LayerNorm(_)
        | LayerSpec::GroupNorm(_)
        | LayerSpec::Subsample(_)
        | LayerSpec::SqueezeExcite(_) => format!("{}({x})", tree::access(wiring, &node.name)),
        LayerSpec::Dropout(dropout) => format!("F.dropout({x}, {:?}, self.training)", dropout.p),
        LayerSpec::SpatialDropout(dropout) => format!("F.dropout2d({x}, {:?}, self.training)", dropout.p),
        LayerSpec::Relu => format!("F.relu({x})"),
        LayerSpec::LeakyRelu(leaky) => format!("F.leaky_relu({x}, {:?})", leaky.slope),
        LayerSpec::Sigmoid => format!("torch.sigmoid({x})"),
        LayerSpec::Tanh => format!("torch.tanh({x})"),
        LayerSpec::ScaledTanh(tanh) => format!("{:?} * torch.tanh({:?} * {x})", tanh.amplitude, tanh.slope),
        LayerSpec::Gelu => format!("F.gelu({x})"),
        LayerSpec::Silu => format!("F.silu({x})"),
        LayerSpec::HardSwish => format!("F.hardswish({x})"),
        LayerSpec::MaxPool2d(pool) => format!("F.max_pool2d({x}, {})", window(pool)),
        LayerSpec::AvgPool2d(pool) => format!("F.avg_pool2d({x}, {})", window(pool)),
        LayerSpec::GlobalAvgPool => format!("{x}.mean((2, 3), keepdim=True)"),
        LayerSpec::Pad(pad) => format!("F.pad({x}, {}, value={:?})", borders(pad), pad.value),
        LayerSpec::Flatten => format!("{x}.flatten(1)"),
        LayerSpec::Add(merge) => padded(wiring, node, merge.pad, variables).join(" + "),
        LayerSpec::Multiply(merge) => padded(wiring, node, merge.pad, variables).join(" * "),
        LayerSpec::Concat(merge) => {
            format!("torch.cat([{}], 1)", padded(wiring, node, merge.pad, variables).join(", "))
        }
    }
}

/// The inputs, with borders of zeros where they are smaller than the output and the layer says so.
fn padded(wiring: &Wiring<'_>, node: &Node<'_>, pad: bool, variables: &[String]) -> Vec<String> {
    let input = |&value: &usize| {
        let x = &variables[value];
        match border(wiring.shapes[value], wiring.shapes[node.output], pad) {
            Some([top, left, bottom, right]) => format!("F.pad({x}, ({left}, {right}, {top}, {bottom}))"),
            None => x.clone(),
        }
    };
    node.inputs.iter().map(input).collect()
}
