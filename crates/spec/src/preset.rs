//! Networks known by name.

use crate::{Conv2dSpec, LayerSpec, LeakyReluSpec, LinearSpec, NetworkSpec, NodeSpec, Pair, PoolSpec};

/// Names of all presets, in the order in which they are listed to people.
pub const PRESETS: [&str; 2] = ["lenet", "lenet-3x3"];

/// The preset of that name, or `None`.
pub fn preset(name: &str) -> Option<NetworkSpec> {
    let features = match name {
        "lenet" => lenet_features(),
        "lenet-3x3" => lenet_3x3_features(),
        _ => return None,
    };
    let nodes = named("conv", features)
        .chain([NodeSpec { name: Some("flatten".into()), inputs: None, layer: LayerSpec::Flatten }])
        .chain(named("fc", classifier()))
        .collect();
    Some(NetworkSpec { name: name.into(), input: [1, 28, 28], classes: 10, nodes })
}

/// Two 5×5 convolutions, LeNet in the form of the tutorial (44,426 parameters; after LeCun et al. 1998).
fn lenet_features() -> Vec<LayerSpec> {
    vec![conv(6, 5), leaky(), pool(), conv(16, 5), leaky(), pool()]
}

/// The tutorial's variant: two 3×3 convolutions in place of each 5×5.
fn lenet_3x3_features() -> Vec<LayerSpec> {
    vec![conv(2, 3), leaky(), conv(4, 3), leaky(), pool(), conv(8, 3), leaky(), conv(16, 3), leaky(), pool()]
}

/// 256 → 120 → 84 → 10, the same for both.
fn classifier() -> Vec<LayerSpec> {
    vec![linear(120), leaky(), linear(84), LayerSpec::Relu, linear(10)]
}

/// Names as PyTorch's `nn.Sequential` attributes give them: `conv.0`, `conv.1`, …
fn named(module: &str, layers: Vec<LayerSpec>) -> impl Iterator<Item = NodeSpec> {
    layers.into_iter().enumerate().map(move |(idx, layer)| NodeSpec {
        name: Some(format!("{module}.{idx}")),
        inputs: None,
        layer,
    })
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
        for name in PRESETS {
            preset(name).unwrap().validate().unwrap();
        }
        assert_eq!(preset("lenet5"), None);
    }
}
