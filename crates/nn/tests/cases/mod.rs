//! The layer cases: one list that all checks go through.

pub(crate) mod vocabulary;

use spec::{
    Conv2dSpec, LayerSpec, LeakyReluSpec, LinearSpec, LossSpec, MergeSpec, NetworkSpec, NodeSpec, Pair,
    PoolSpec,
};

/// A layer in a small network: `layers`, then flatten and a linear layer to five classes.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) spec: NetworkSpec,
    pub(crate) loss: LossSpec,
}

impl Case {
    pub(crate) fn has(&self, layer: &str) -> bool {
        self.spec.nodes.iter().any(|node| node.layer.kind() == layer)
    }
}

/// Every layer, with the geometries that its code treats apart.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("conv2d 1x1", [3, 4, 5], vec![conv(2, (1, 1), (1, 1), (0, 0))]),
        case("conv2d 2x3", [2, 5, 6], vec![conv(3, (2, 3), (1, 1), (0, 0))]),
        case("conv2d 3x3 stride 2x1", [2, 7, 5], vec![conv(4, (3, 3), (2, 1), (0, 0))]),
        case("conv2d 2x2 stride 3, gaps", [1, 8, 9], vec![conv(5, (2, 2), (3, 3), (0, 0))]),
        case("conv2d 3x3 stride 4x3", [2, 11, 9], vec![conv(4, (3, 3), (4, 3), (0, 0))]),
        case("conv2d 3x3 padding 1", [2, 4, 4], vec![conv(6, (3, 3), (1, 1), (1, 1))]),
        case("conv2d 1x3 padding 0x1 stride 1x2", [3, 3, 6], vec![conv(7, (1, 3), (1, 2), (0, 1))]),
        case("conv2d 5x5 as large as its input", [1, 5, 5], vec![conv(3, (5, 5), (1, 1), (0, 0))]),
        case("conv2d 7x7 padding 3", [1, 6, 6], vec![conv(2, (7, 7), (1, 1), (3, 3))]),
        case("conv2d 13 to 17 channels", [13, 3, 3], vec![conv(17, (2, 2), (1, 1), (0, 0))]),
        // The seams of the kernels: more than 96 positions, six input channels, a kernel of one column for many output
        // channels, and more parameters than one chunk has.
        case("conv2d 3x3, 121 positions, 6 to 8", [6, 13, 13], vec![conv(8, (3, 3), (1, 1), (0, 0))]),
        case("conv2d 2x1, 12 to 11", [12, 3, 4], vec![conv(11, (2, 1), (1, 1), (0, 0))]),
        case("conv2d 3x3, 24 to 32", [24, 3, 3], vec![conv(32, (3, 3), (1, 1), (0, 0))]),
        // By products at points, with tiles that the map's border cuts.
        case("conv2d 3x3 padding 1, 9 to 14, tiles", [9, 10, 15], vec![conv(14, (3, 3), (1, 1), (1, 1))]),
        case("conv2d 5x5, 6 to 8, tiles", [6, 12, 10], vec![conv(8, (5, 5), (1, 1), (0, 0))]),
        case("conv2d 7x3 padding 3x1, 8 to 13, tiles", [8, 9, 6], vec![conv(13, (7, 3), (1, 1), (3, 1))]),
        case("linear 700 to 19", [7, 10, 10], vec![LayerSpec::Flatten, linear(19)]),
        case("linear", [1, 3, 7], vec![LayerSpec::Flatten, linear(4)]),
        case("linear 35 to 19", [1, 5, 7], vec![LayerSpec::Flatten, linear(19)]),
        case("leaky_relu", [2, 3, 3], vec![conv(2, (1, 1), (1, 1), (0, 0)), leaky(0.1)]),
        case("leaky_relu of the picture", [2, 3, 3], vec![leaky(0.2)]),
        case("leaky_relu, negative slope", [2, 3, 3], vec![conv(2, (1, 1), (1, 1), (0, 0)), leaky(-0.3)]),
        case("leaky_relu, slope above 1", [2, 3, 3], vec![conv(2, (1, 1), (1, 1), (0, 0)), leaky(1.7)]),
        case("relu", [2, 3, 3], vec![conv(2, (1, 1), (1, 1), (0, 0)), LayerSpec::Relu]),
        case("max_pool2d 2x2", [2, 4, 6], vec![pool((2, 2), None)]),
        case("max_pool2d 2x2 with a rest", [2, 5, 3], vec![pool((2, 2), None)]),
        case("max_pool2d 3x2 overlapping", [2, 6, 5], vec![pool((3, 2), Some((2, 1)))]),
        case("max_pool2d 3x3", [1, 6, 6], vec![pool((3, 3), None)]),
        case("max_pool2d 1x2 stride 2x3", [1, 5, 8], vec![pool((1, 2), Some((2, 3)))]),
        case(
            "rectifier and pooling",
            [2, 4, 4],
            vec![conv(3, (1, 1), (1, 1), (0, 0)), leaky(0.1), pool((2, 2), None)],
        ),
    ];
    let loss = LossSpec::default();
    cases.push(Case { name: "add, with a skip", spec: skip_network(), loss });
    cases.extend(vocabulary::cases());
    let loss = LossSpec::default();
    cases.push(Case { name: "sums of sums behind batch_norm2d", spec: sums_network(), loss });
    let loss = LossSpec::default();
    cases.push(Case { name: "sums of two behind batch_norm2d", spec: pairs_network(), loss });
    cases
}

/// Batch normalizations that do the sum behind them as well, on either side of it, and some that cannot.
fn pairs_network() -> NetworkSpec {
    let lines = [
        "a: conv2d = { out_channels = 3, kernel = 1 }",
        "b(a): conv2d = { out_channels = 3, kernel = 3, padding = 1 }",
        "c(b): batch_norm2d",
        "d(a, c): add",
        "e(d): relu",
        "f(e): conv2d = { out_channels = 3, kernel = 3, padding = 1 }",
        "g(f): batch_norm2d",
        "h(g): leaky_relu = { slope = 0.2 }",
        "i(h, e): add",
        "j(i): batch_norm2d",
        "k(j, i): add",
        "l(k): batch_norm2d",
        "m(l, l): add",
        "n(m): batch_norm2d",
        "(n, e): add",
        "flatten",
        "linear = { out_features = 5 }",
    ];
    vocabulary::network([2, 4, 4], 5, &lines)
}

/// Gradients that sums pass on: shared between inputs, and changed by other readers.
fn sums_network() -> NetworkSpec {
    let lines = [
        "a: conv2d = { out_channels = 3, kernel = 3, padding = 1 }",
        "b(a): batch_norm2d",
        "c(b): conv2d = { out_channels = 3, kernel = 3, padding = 1, groups = 3, bias = false }",
        "d(c): batch_norm2d",
        "e(d): leaky_relu = { slope = 0.1 }",
        "f(a, e): add",
        "g(b, d, f): add",
        "h(f, g): add",
        "i(h): conv2d = { out_channels = 3, kernel = 1 }",
        "j(i): batch_norm2d",
        "k(i): leaky_relu = { slope = 0.3 }",
        "(h, j, k): add",
        "flatten",
        "linear = { out_features = 5 }",
    ];
    vocabulary::network([2, 4, 4], 5, &lines)
}

/// A value with three readers, one of them a pooling, so that gradients meet.
pub(crate) fn skip_network() -> NetworkSpec {
    let named = |name: &str, inputs: &[&str], layer| NodeSpec {
        name: Some(name.into()),
        inputs: (!inputs.is_empty()).then(|| inputs.iter().map(|&input| input.into()).collect()),
        layer,
    };
    let nodes = vec![
        named("stem", &[], conv(3, (3, 3), (1, 1), (1, 1))),
        named("a", &["stem"], leaky(0.1)),
        named("b", &["stem"], conv(3, (1, 3), (1, 1), (0, 1))),
        named("sum", &["a", "b", "stem"], LayerSpec::Add(MergeSpec::default())),
        named("pooled", &["sum"], pool((2, 2), None)),
        named("flat", &[], LayerSpec::Flatten),
        named("out", &[], linear(5)),
    ];
    NetworkSpec { name: "skip".into(), input: [2, 4, 4], classes: 5, nodes }
}

fn case(name: &'static str, input: [usize; 3], layers: Vec<LayerSpec>) -> Case {
    Case { name, spec: classifier(input, layers), loss: LossSpec::default() }
}

/// The layers, then flatten and a linear layer to five classes.
pub(crate) fn classifier(input: [usize; 3], layers: Vec<LayerSpec>) -> NetworkSpec {
    let layers = layers.into_iter().chain([LayerSpec::Flatten, linear(5)]);
    let nodes = layers.map(|layer| NodeSpec { name: None, inputs: None, layer }).collect();
    NetworkSpec { name: "case".into(), input, classes: 5, nodes }
}

pub(crate) fn conv(
    out_channels: usize,
    kernel: (usize, usize),
    stride: (usize, usize),
    padding: (usize, usize),
) -> LayerSpec {
    let [kernel, stride, padding] = [kernel, stride, padding].map(|(h, w)| Pair::new(h, w));
    LayerSpec::Conv2d(Conv2dSpec { stride, padding, ..Conv2dSpec::new(out_channels, kernel) })
}

pub(crate) fn pool(kernel: (usize, usize), stride: Option<(usize, usize)>) -> LayerSpec {
    let pair = |(h, w)| Pair::new(h, w);
    LayerSpec::MaxPool2d(PoolSpec { stride: stride.map(pair), ..PoolSpec::new(pair(kernel)) })
}

fn linear(out_features: usize) -> LayerSpec {
    LayerSpec::Linear(LinearSpec::new(out_features))
}

fn leaky(slope: f64) -> LayerSpec {
    LayerSpec::LeakyRelu(LeakyReluSpec { slope })
}
