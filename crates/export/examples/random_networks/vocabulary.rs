//! Every layer of one input in one chain, with PyTorch's defaults.

use spec::{
    BatchNorm2dSpec, Conv2dSpec, DropoutSpec, GroupNormSpec, LayerNormSpec, LayerSpec, LeakyReluSpec,
    LinearSpec, NetworkSpec, NodeSpec, PadSpec, Pair, PartialConv2dSpec, PoolSpec, RbfSpec, ScaledTanhSpec,
    SqueezeExciteSpec, SubsampleSpec,
};

/// As modules of an `nn.Sequential`, and as lines of `forward`.
pub(crate) fn networks() -> [NetworkSpec; 2] {
    let unnamed =
        |layers: Vec<LayerSpec>| layers.into_iter().map(|layer| NodeSpec { name: None, inputs: None, layer });
    let modules = unnamed(layers()).collect();
    let lines = unnamed(layers()).enumerate();
    let lines =
        lines.map(|(idx, node)| NodeSpec { name: Some(format!("{}{idx}", node.layer.kind())), ..node });
    [("every layer as a module", modules), ("every layer as a line", lines.collect())]
        .map(|(name, nodes)| NetworkSpec { name: name.into(), input: [4, 12, 11], classes: 3, nodes })
}

/// From [4, 12, 11] to [3].
fn layers() -> Vec<LayerSpec> {
    let pair = Pair::new(2, 1);
    let conv = Conv2dSpec {
        groups: 2,
        dilation: pair,
        padding: Pair::new(0, 1),
        ..Conv2dSpec::new(6, Pair::new(2, 3))
    };
    let partial =
        PartialConv2dSpec { kernel: pair, connections: vec![vec![0], vec![1, 4], vec![2, 3], vec![0, 5]] };
    let codes = ["#.#.#", "..###", "##..."].map(String::from).to_vec();
    vec![
        LayerSpec::Conv2d(conv),
        LayerSpec::PartialConv2d(partial), // [4, 9, 11]
        LayerSpec::BatchNorm2d(BatchNorm2dSpec::default()),
        LayerSpec::LeakyRelu(LeakyReluSpec { slope: 0.2 }),
        LayerSpec::MaxPool2d(PoolSpec { stride: Some(Pair::square(1)), ..PoolSpec::new(pair) }), // [4, 8, 11]
        LayerSpec::GroupNorm(GroupNormSpec { groups: 2, epsilon: 1e-5 }),
        LayerSpec::Gelu,
        LayerSpec::Pad(PadSpec { top: 0, bottom: 1, left: 2, right: 0, value: -0.5 }), // [4, 9, 13]
        LayerSpec::Silu,
        LayerSpec::AvgPool2d(PoolSpec { padding: Pair::new(1, 0), ..PoolSpec::new(pair) }), // [4, 5, 13]
        LayerSpec::HardSwish,
        LayerSpec::SqueezeExcite(SqueezeExciteSpec { reduced: 2 }),
        LayerSpec::LayerNorm(LayerNormSpec::default()),
        LayerSpec::ScaledTanh(ScaledTanhSpec::default()),
        LayerSpec::SpatialDropout(DropoutSpec { p: 0.25 }),
        LayerSpec::Subsample(SubsampleSpec { kernel: Pair::new(2, 3) }), // [4, 2, 4]
        LayerSpec::Sigmoid,
        LayerSpec::GlobalAvgPool,
        LayerSpec::Flatten,
        LayerSpec::Dropout(DropoutSpec { p: 0.5 }),
        LayerSpec::Linear(LinearSpec { out_features: 5, bias: false }),
        LayerSpec::Relu,
        LayerSpec::Tanh,
        LayerSpec::Rbf(RbfSpec { codes }),
    ]
}
