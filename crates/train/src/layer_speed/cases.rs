//! The layers that are measured, one or more of every kind, with shapes as they occur in small networks.

use nn::Shape;
use spec::{
    BatchNorm2dSpec, Conv2dSpec, DropoutSpec, GroupNormSpec, LayerNormSpec, LayerSpec, LeakyReluSpec,
    LinearSpec, MergeSpec, NetworkSpec, NodeSpec, PadSpec, Pair, PartialConv2dSpec, PoolSpec, RbfSpec,
    ScaledTanhSpec, SqueezeExciteSpec, SubsampleSpec,
};

/// A layer with the shapes of its inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerCase {
    /// Its kind, and what sets it apart from others of its kind.
    pub name: &'static str,
    /// The shape of each input, of one sample.
    pub inputs: Vec<Shape>,
    /// The layer.
    pub layer: LayerSpec,
}

impl LayerCase {
    /// A network that has the layer at the returned index, between layers that give its inputs, so that it has gradients
    /// to compute and may write over them as in any network, and a linear layer that reads its output.
    pub(super) fn network(&self) -> (NetworkSpec, usize) {
        let picture = match self.inputs[0] {
            Shape::Map(dims) => dims,
            Shape::Flat(n) => [n, 1, 1],
        };
        let mut nodes = Vec::new();
        for (i, &input) in self.inputs.iter().enumerate() {
            nodes.extend(giving(input, picture, &i.to_string()));
        }
        let inputs = (0..self.inputs.len()).map(|i| i.to_string()).collect();
        nodes.push(NodeSpec { name: Some("layer".into()), inputs: Some(inputs), layer: self.layer.clone() });
        let idx = nodes.len() - 1;
        let tail = [LayerSpec::Flatten, LayerSpec::Linear(LinearSpec::new(10))];
        nodes.extend(tail.map(|layer| NodeSpec { name: None, inputs: None, layer }));
        (NetworkSpec { name: "alone".into(), input: picture, classes: 10, nodes }, idx)
    }
}

/// Nodes of which the last, called `name`, has a value of that shape.
fn giving(shape: Shape, picture: [usize; 3], name: &str) -> Vec<NodeSpec> {
    let conv = |channels| LayerSpec::Conv2d(Conv2dSpec::new(channels, Pair::square(1)));
    let mut layers = match shape {
        Shape::Map([c, 1, 1]) if picture[1..] != [1, 1] => vec![conv(c), LayerSpec::GlobalAvgPool],
        Shape::Map([c, _, _]) => vec![conv(c)],
        Shape::Flat(n) => vec![conv(n), LayerSpec::Flatten],
    };
    let last = layers.pop().map(|layer| NodeSpec { name: Some(name.into()), inputs: None, layer });
    let mut nodes: Vec<_> = layers
        .into_iter()
        .map(|layer| NodeSpec { name: Some(format!("{name}.0")), inputs: None, layer })
        .chain(last)
        .collect();
    nodes[0].inputs = Some(vec!["input".into()]);
    nodes
}

/// Every layer that is measured.
pub fn layer_cases() -> Vec<LayerCase> {
    [convolutions(), norms(), activations(), pools(), merges()].concat()
}

/// What most cases read: 16 samples of it take 392 KiB.
const MAP: [usize; 3] = [32, 14, 14];

fn case(name: &'static str, input: [usize; 3], layer: LayerSpec) -> LayerCase {
    LayerCase { name, inputs: vec![Shape::Map(input)], layer }
}

fn convolutions() -> Vec<LayerCase> {
    let conv = |out_channels, kernel, change: fn(&mut Conv2dSpec)| {
        let mut conv = Conv2dSpec::new(out_channels, Pair::square(kernel));
        change(&mut conv);
        LayerSpec::Conv2d(conv)
    };
    let padded = |conv: &mut Conv2dSpec| conv.padding = Pair::square(1);
    let strided = |conv: &mut Conv2dSpec| (conv.padding, conv.stride) = (Pair::square(1), Pair::square(2));
    let dilated = |conv: &mut Conv2dSpec| (conv.padding, conv.dilation) = (Pair::square(2), Pair::square(2));
    let grouped = |conv: &mut Conv2dSpec| (conv.padding, conv.groups) = (Pair::square(1), 4);
    let depthwise = |conv: &mut Conv2dSpec| (conv.padding, conv.groups) = (Pair::square(1), 64);
    let flat = |name, n, layer| LayerCase { name, inputs: vec![Shape::Flat(n)], layer };
    vec![
        case("conv2d 3x3", [16, 14, 14], conv(32, 3, padded)),
        case("conv2d 3x3, stride 2", [16, 14, 14], conv(32, 3, strided)),
        case("conv2d 3x3, dilation 2", [16, 14, 14], conv(32, 3, dilated)),
        case("conv2d 3x3, 4 groups", MAP, conv(32, 3, grouped)),
        case("conv2d 3x3, depthwise", [64, 14, 14], conv(64, 3, depthwise)),
        case("conv2d 5x5", [6, 12, 12], conv(16, 5, |_| {})),
        case("conv2d 1x1", MAP, conv(64, 1, |_| {})),
        case("partial_conv2d 5x5", [6, 14, 14], LayerSpec::PartialConv2d(c3())),
        flat("linear", 256, LayerSpec::Linear(LinearSpec::new(120))),
        flat("rbf", 84, LayerSpec::Rbf(RbfSpec { codes: vec!["#.".repeat(42); 10] })),
    ]
}

/// As many connections as C3 of LeNet-5 has: 6 filters of 3 channels, 9 of 4 and one of all 6.
fn c3() -> PartialConv2dSpec {
    let some = |n| move |first: usize| (0..n).map(|step| (first + step) % 6).collect::<Vec<_>>();
    let mut connections: Vec<_> =
        (0..6).map(some(3)).chain((0..9).map(some(4))).chain([(0..6).collect()]).collect();
    connections.iter_mut().for_each(|channels| channels.sort_unstable());
    PartialConv2dSpec { kernel: Pair::square(5), connections }
}

fn norms() -> Vec<LayerCase> {
    let group_norm = GroupNormSpec { groups: 8, epsilon: 1e-5 };
    vec![
        case("batch_norm2d", MAP, LayerSpec::BatchNorm2d(BatchNorm2dSpec::default())),
        case("layer_norm", MAP, LayerSpec::LayerNorm(LayerNormSpec::default())),
        case("group_norm, 8 groups", MAP, LayerSpec::GroupNorm(group_norm)),
        case("dropout", MAP, LayerSpec::Dropout(DropoutSpec { p: 0.5 })),
        case("spatial_dropout", MAP, LayerSpec::SpatialDropout(DropoutSpec { p: 0.5 })),
    ]
}

fn activations() -> Vec<LayerCase> {
    vec![
        case("relu", MAP, LayerSpec::Relu),
        case("leaky_relu", MAP, LayerSpec::LeakyRelu(LeakyReluSpec { slope: 0.1 })),
        case("sigmoid", MAP, LayerSpec::Sigmoid),
        case("tanh", MAP, LayerSpec::Tanh),
        case("scaled_tanh", MAP, LayerSpec::ScaledTanh(ScaledTanhSpec::default())),
        case("gelu", MAP, LayerSpec::Gelu),
        case("silu", MAP, LayerSpec::Silu),
        case("hard_swish", MAP, LayerSpec::HardSwish),
    ]
}

fn pools() -> Vec<LayerCase> {
    let two = Pair::square(2);
    let overlapping = PoolSpec { kernel: Pair::square(3), stride: Some(two), padding: Pair::square(1) };
    let border = PadSpec { top: 1, bottom: 1, left: 1, right: 1, value: 0.0 };
    vec![
        case("max_pool2d 2x2", MAP, LayerSpec::MaxPool2d(PoolSpec::new(two))),
        case("max_pool2d 3x3, stride 2", MAP, LayerSpec::MaxPool2d(overlapping.clone())),
        case("avg_pool2d 2x2", MAP, LayerSpec::AvgPool2d(PoolSpec::new(two))),
        case("avg_pool2d 3x3, stride 2", MAP, LayerSpec::AvgPool2d(overlapping)),
        case("global_avg_pool", MAP, LayerSpec::GlobalAvgPool),
        case("subsample 2x2", [6, 28, 28], LayerSpec::Subsample(SubsampleSpec { kernel: two })),
        case("pad", MAP, LayerSpec::Pad(border)),
    ]
}

fn merges() -> Vec<LayerCase> {
    let [c, h, w] = MAP;
    let merge = |name, inputs: [[usize; 3]; 2], layer: fn(MergeSpec) -> LayerSpec| LayerCase {
        name,
        inputs: inputs.map(Shape::Map).to_vec(),
        layer: layer(MergeSpec::default()),
    };
    vec![
        merge("add", [MAP, MAP], LayerSpec::Add),
        merge("multiply", [MAP, MAP], LayerSpec::Multiply),
        merge("multiply by channel", [MAP, [c, 1, 1]], LayerSpec::Multiply),
        merge("concat", [[c / 2, h, w], [c / 2, h, w]], LayerSpec::Concat),
        case("squeeze_excite", MAP, LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: 8 })),
    ]
}

#[cfg(test)]
mod tests {
    use nn::Plan;

    use super::*;

    const REFERENCE: &str = include_str!("../../../../docs/reference.toml");

    /// The kinds of layers that the reference of network files shows.
    fn kinds() -> Vec<&'static str> {
        let lines = REFERENCE.lines().filter_map(|line| line.strip_prefix("#layer = "));
        let name = |line: &'static str| {
            let start = line.trim_start_matches(['{', ' ', '"']);
            &start[..start.find([' ', '"']).unwrap()]
        };
        lines.map(name).collect()
    }

    #[test]
    fn every_layer_that_computes_has_a_case_and_no_two_share_a_name() {
        let cases = layer_cases();
        for kind in kinds().into_iter().filter(|&kind| kind != "flatten") {
            assert!(cases.iter().any(|case| case.layer.kind() == kind), "{kind} is not measured");
        }
        for (i, case) in cases.iter().enumerate() {
            assert!(case.name.starts_with(case.layer.kind()), "{}", case.name);
            assert!(cases[..i].iter().all(|other| other.name != case.name), "{}", case.name);
        }
    }

    #[test]
    fn every_case_is_a_network_where_the_layer_has_gradients_to_compute() {
        for case in layer_cases() {
            let (network, idx) = case.network();
            let plan = Plan::compile(&network).unwrap_or_else(|error| panic!("{}: {error}", case.name));
            // Those of a sum are its output's, in the same place.
            let inputs = if let LayerSpec::Add(_) = case.layer { &[] } else { &case.inputs[..] };
            let n_inputs: usize = inputs.iter().map(|shape| shape.n_values()).sum();
            let n_outputs = plan.summary()[idx].output.n_values();
            let work = plan.backward_work::<f32>(idx);
            assert!(work.n_moved >= 4 * (n_inputs + n_outputs), "{}: {work:?}", case.name);
        }
    }
}
