//! Networks known by name.

mod digits;

use crate::{
    BatchNorm2dSpec, Conv2dSpec, LayerSpec, LeakyReluSpec, LinearSpec, MergeSpec, NetworkSpec, NodeSpec,
    PadSpec, Pair, PartialConv2dSpec, PoolSpec, RbfSpec, ScaledTanhSpec, SqueezeExciteSpec, SubsampleSpec,
};

/// A network known by name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// As on the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    build: fn() -> Vec<NodeSpec>,
}

/// All presets, in the order in which they are listed to people. Each takes gray pictures of 28 × 28 and tells 10 classes
/// apart.
pub const PRESETS: [Preset; 6] = [
    Preset {
        name: "lenet",
        about: "two 5×5 convolutions and three linear layers",
        source: "the tutorial; after LeCun et al. 1998",
        build: lenet,
    },
    Preset {
        name: "lenet-3x3",
        about: "lenet with two 3×3 convolutions in place of each 5×5",
        source: "the tutorial's variant",
        build: lenet_3x3,
    },
    Preset {
        name: "lenet-3x3-se",
        about: "lenet-3x3 with squeeze-and-excite (16 → 2 → 16) after the convolutions",
        source: "the tutorial's commented lines; Hu et al. 2017, arXiv 1709.01507",
        build: lenet_3x3_se,
    },
    Preset {
        name: "lenet-5-1998",
        about: "LeNet-5 as published: partly connected C3, trainable subsampling, scaled tanh, RBF outputs",
        source: "LeCun, Bottou, Bengio & Haffner 1998, section II.B",
        build: lenet_5_1998,
    },
    Preset {
        name: "lenet-sigmoid",
        about: "LeNet with sigmoids and mean pooling, the course books' form",
        source: "Zhang, Lipton, Li & Smola, Dive into Deep Learning, chapter LeNet",
        build: lenet_sigmoid,
    },
    Preset {
        name: "brick-100k",
        about: "our best under 100,000 parameters",
        source: "this project, docs/design/brick-100k.md",
        build: brick_100k,
    },
];

/// The preset of that name, or `None`.
pub fn preset(name: &str) -> Option<NetworkSpec> {
    let preset = PRESETS.iter().find(|preset| preset.name == name)?;
    Some(NetworkSpec { name: name.into(), input: [1, 28, 28], classes: 10, nodes: (preset.build)() })
}

fn lenet() -> Vec<NodeSpec> {
    let features = vec![conv(6, 5), leaky(), pool(), conv(16, 5), leaky(), pool()];
    named("conv", features).chain(classifier()).collect()
}

fn lenet_3x3() -> Vec<NodeSpec> {
    lenet_3x3_features().chain(classifier()).collect()
}

fn lenet_3x3_se() -> Vec<NodeSpec> {
    let block = node("se", LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: 2 }));
    lenet_3x3_features().chain([block]).chain(classifier()).collect()
}

fn lenet_3x3_features() -> impl Iterator<Item = NodeSpec> {
    let first = vec![conv(2, 3), leaky(), conv(4, 3), leaky(), pool()];
    let second = vec![conv(8, 3), leaky(), conv(16, 3), leaky(), pool()];
    named("conv", [first, second].concat())
}

/// 256 → 120 → 84 → 10.
fn classifier() -> impl Iterator<Item = NodeSpec> {
    let layers = vec![linear(120), leaky(), linear(84), LayerSpec::Relu, linear(10)];
    [node("flatten", LayerSpec::Flatten)].into_iter().chain(named("fc", layers))
}

/// The border of 2 makes 32 × 32 of 28 × 28; −0.1 is the paper's background. C5 is a convolution over all of S4.
fn lenet_5_1998() -> Vec<NodeSpec> {
    let border = PadSpec { top: 2, bottom: 2, left: 2, right: 2, value: -0.1 };
    let subsample = || LayerSpec::Subsample(SubsampleSpec { kernel: Pair::square(2) });
    let c3 = PartialConv2dSpec { kernel: Pair::square(5), connections: c3_connections() };
    let squashed = [
        ("C1", conv(6, 5)),
        ("S2", subsample()),
        ("C3", LayerSpec::PartialConv2d(c3)),
        ("S4", subsample()),
        ("C5", conv(120, 5)),
    ];
    let squash =
        |name: &str| node(&format!("{name}.squash"), LayerSpec::ScaledTanh(ScaledTanhSpec::default()));
    let mut nodes = vec![node("pad", LayerSpec::Pad(border))];
    for (name, layer) in squashed {
        nodes.extend([node(name, layer), squash(name)]);
    }
    nodes.push(node("flatten", LayerSpec::Flatten));
    nodes.extend([node("F6", linear(84)), squash("F6")]);
    nodes.push(node("output", LayerSpec::Rbf(RbfSpec { codes: digits::codes() })));
    nodes
}

/// Which maps of S2 each map of C3 reads (table I of the paper).
fn c3_connections() -> Vec<Vec<usize>> {
    let of_three = (0..6).map(|map| vec![map, (map + 1) % 6, (map + 2) % 6]);
    let of_four = (0..6).map(|map| (0..4).map(|step| (map + step) % 6).collect());
    let of_two_pairs = (0..3).map(|map| vec![map, map + 1, (map + 3) % 6, (map + 4) % 6]);
    let all = of_three.chain(of_four).chain(of_two_pairs).chain([(0..6).collect()]);
    all.map(|mut maps: Vec<usize>| {
        maps.sort_unstable();
        maps
    })
    .collect()
}

fn lenet_sigmoid() -> Vec<NodeSpec> {
    let sigmoid = || LayerSpec::Sigmoid;
    let mean = || LayerSpec::AvgPool2d(PoolSpec::new(Pair::square(2)));
    let padded = Conv2dSpec { padding: Pair::square(2), ..Conv2dSpec::new(6, Pair::square(5)) };
    let layers = vec![
        LayerSpec::Conv2d(padded),
        sigmoid(),
        mean(),
        conv(16, 5),
        sigmoid(),
        mean(),
        LayerSpec::Flatten,
        linear(120),
        sigmoid(),
        linear(84),
        sigmoid(),
        linear(10),
    ];
    layers.into_iter().map(|layer| NodeSpec { name: None, inputs: None, layer }).collect()
}

/// Three stages of 3×3 convolutions with batch normalization, at 28², 14² and 7² pixels; in each a convolution to the
/// stage's width and then residual ones (He et al. 2015, arXiv 1512.03385), ended by a global mean.
fn brick_100k() -> Vec<NodeSpec> {
    let mut nodes = Vec::new();
    for (stage, (channels, n_residual)) in [(20, 1), (36, 2), (68, 1)].into_iter().enumerate() {
        if stage > 0 {
            nodes.push(node(&format!("pool{stage}"), pool()));
        }
        convolution(&mut nodes, &format!("stage{stage}"), channels);
        for block in 0..n_residual {
            residual(&mut nodes, &format!("stage{stage}.{block}"), channels);
        }
    }
    let head = [("mean", LayerSpec::GlobalAvgPool), ("flatten", LayerSpec::Flatten), ("fc", linear(10))];
    nodes.extend(head.map(|(name, layer)| node(name, layer)));
    nodes
}

/// `NAME.conv` of 3×3, which keeps the size, `NAME.norm` and `NAME.relu`.
fn convolution(nodes: &mut Vec<NodeSpec>, name: &str, out_channels: usize) {
    let kernel = Pair::square(3);
    let conv = Conv2dSpec { padding: Pair::square(1), bias: false, ..Conv2dSpec::new(out_channels, kernel) };
    nodes.push(node(&format!("{name}.conv"), LayerSpec::Conv2d(conv)));
    let norm = LayerSpec::BatchNorm2d(BatchNorm2dSpec::default());
    nodes.extend([node(&format!("{name}.norm"), norm), node(&format!("{name}.relu"), LayerSpec::Relu)]);
}

/// The value before plus a convolution of it.
fn residual(nodes: &mut Vec<NodeSpec>, name: &str, channels: usize) {
    let before = nodes.last().and_then(|node| node.name.clone()).unwrap_or_default();
    convolution(nodes, name, channels);
    let mut sum = node(&format!("{name}.sum"), LayerSpec::Add(MergeSpec::default()));
    sum.inputs = Some(vec![before, format!("{name}.relu")]);
    nodes.push(sum);
}

fn node(name: &str, layer: LayerSpec) -> NodeSpec {
    NodeSpec { name: Some(name.into()), inputs: None, layer }
}

/// Names as PyTorch's `nn.Sequential` attributes give them: `conv.0`, `conv.1`, …
fn named(module: &str, layers: Vec<LayerSpec>) -> impl Iterator<Item = NodeSpec> {
    layers.into_iter().enumerate().map(move |(idx, layer)| node(&format!("{module}.{idx}"), layer))
}

fn conv(out_channels: usize, kernel: usize) -> LayerSpec {
    LayerSpec::Conv2d(Conv2dSpec::new(out_channels, Pair::square(kernel)))
}

fn leaky() -> LayerSpec {
    LayerSpec::LeakyRelu(LeakyReluSpec { slope: 0.1 })
}

fn pool() -> LayerSpec {
    LayerSpec::MaxPool2d(PoolSpec::new(Pair::square(2)))
}

fn linear(out_features: usize) -> LayerSpec {
    LayerSpec::Linear(LinearSpec::new(out_features))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of the nodes with weights, and the number of those weights, worked out from [C, H, W].
    fn weights(network: &NetworkSpec) -> (Vec<String>, usize) {
        let [mut c, mut h, mut w] = network.input;
        let (mut names, mut n_parameters) = (vec![], 0);
        for (name, node) in network.node_names().into_iter().zip(&network.nodes) {
            match &node.layer {
                LayerSpec::Conv2d(conv) => {
                    n_parameters += conv.out_channels * (c * conv.kernel.h * conv.kernel.w + 1);
                    [c, h, w] = [conv.out_channels, h + 1 - conv.kernel.h, w + 1 - conv.kernel.w];
                    names.push(name);
                }
                LayerSpec::MaxPool2d(pool) => [h, w] = [h / pool.kernel.h, w / pool.kernel.w],
                LayerSpec::Flatten => [c, h, w] = [c * h * w, 1, 1],
                LayerSpec::Linear(linear) => {
                    n_parameters += linear.out_features * (c + 1);
                    c = linear.out_features;
                    names.push(name);
                }
                _ => {}
            }
        }
        assert_eq!([c, h, w], [network.classes, 1, 1]);
        (names, n_parameters)
    }

    #[test]
    fn presets_have_the_weights_of_the_tutorials_classes() {
        let (names, n_parameters) = weights(&preset("lenet").unwrap());
        assert_eq!(names, ["conv.0", "conv.3", "fc.0", "fc.2", "fc.4"]);
        assert_eq!(n_parameters, 44_426);
        let (names, n_parameters) = weights(&preset("lenet-3x3").unwrap());
        assert_eq!(names, ["conv.0", "conv.2", "conv.5", "conv.7", "fc.0", "fc.2", "fc.4"]);
        // 20 + 76 + 296 + 1168 of the convolutions, 41,854 of the linear layers.
        assert_eq!(n_parameters, 43_414);
    }

    #[test]
    fn presets_are_valid_and_others_are_not_known() {
        for Preset { name, .. } in PRESETS {
            preset(name).unwrap().validate().unwrap();
        }
        assert_eq!(preset("lenet5"), None);
    }

    #[test]
    fn c3_is_wired_as_in_table_i() {
        let expected: [&[usize]; 16] = [
            &[0, 1, 2],
            &[1, 2, 3],
            &[2, 3, 4],
            &[3, 4, 5],
            &[0, 4, 5],
            &[0, 1, 5],
            &[0, 1, 2, 3],
            &[1, 2, 3, 4],
            &[2, 3, 4, 5],
            &[0, 3, 4, 5],
            &[0, 1, 4, 5],
            &[0, 1, 2, 5],
            &[0, 1, 3, 4],
            &[1, 2, 4, 5],
            &[0, 2, 3, 5],
            &[0, 1, 2, 3, 4, 5],
        ];
        assert_eq!(c3_connections(), expected);
    }
}
