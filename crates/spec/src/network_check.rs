//! What can be said of a network without its shapes: names, wiring and single numbers. Whether the layers
//! fit each other is the plan's to say.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::error::check_value;
use crate::{Conv2dSpec, LayerSpec, MaxPool2dSpec, NetworkSpec, NodeSpec, Pair, SpecError};

/// Largest size, step, padding or count of channels or features, 2^20: far beyond any use here, and the
/// product of three still fits a `u64`.
pub const MAX_SIZE: usize = 1 << 20;

/// Largest number of classes: a label is one byte.
pub const MAX_CLASSES: usize = 256;

impl NetworkSpec {
    /// Checks all that needs no shapes. The error names the node and the key, with what is allowed.
    pub fn validate(&self) -> Result<(), SpecError> {
        check_value(is_name(&self.name), "name", format_args!("{:?}", self.name), NAME)?;
        let input_ok = self.input.iter().all(|&size| is_size(size, 1));
        check_value(input_ok, "input", format_args!("{:?}", self.input), &sizes(1))?;
        let classes_ok = (1..=MAX_CLASSES).contains(&self.classes);
        check_value(classes_ok, "classes", self.classes, &format!("from 1 to {MAX_CLASSES}"))?;
        if self.nodes.is_empty() {
            return Err(SpecError::NoNodes);
        }
        let names = self.node_names();
        let positions = name_positions(&names)?;
        for (idx, node) in self.nodes.iter().enumerate() {
            check_inputs(&names, &positions, idx, node)?;
            check_layer(&names[idx], &node.layer)?;
        }
        Ok(())
    }
}

const NAME: &str = "a name of at least one character, without control characters";

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_control)
}

fn is_size(size: usize, min: usize) -> bool {
    (min..=MAX_SIZE).contains(&size)
}

fn sizes(min: usize) -> String {
    format!("from {min} to {MAX_SIZE}")
}

/// Where each name stands; refuses names that mean nothing or two things.
fn name_positions(names: &[String]) -> Result<BTreeMap<&str, usize>, SpecError> {
    let mut positions = BTreeMap::new();
    for (idx, name) in names.iter().enumerate() {
        check_value(is_name(name), &format!("node[{idx}].name"), format_args!("{name:?}"), NAME)?;
        if name == "input" {
            return Err(SpecError::ReservedName { idx });
        }
        if let Some(first_idx) = positions.insert(name.as_str(), idx) {
            return Err(SpecError::DuplicateName { name: name.clone(), first_idx, second_idx: idx });
        }
    }
    Ok(positions)
}

fn check_inputs(
    names: &[String],
    positions: &BTreeMap<&str, usize>,
    idx: usize,
    node: &NodeSpec,
) -> Result<(), SpecError> {
    let name = &names[idx];
    for input in node.inputs.iter().flatten().filter(|input| *input != "input") {
        match positions.get(input.as_str()) {
            None => return Err(SpecError::UnknownInput { node: name.clone(), input: input.clone() }),
            Some(&input_idx) if input_idx >= idx => {
                return Err(SpecError::LaterInput {
                    node: name.clone(),
                    idx,
                    input: input.clone(),
                    input_idx,
                });
            }
            Some(_) => {}
        }
    }
    check_input_count(name, node)
}

fn check_input_count(name: &str, node: &NodeSpec) -> Result<(), SpecError> {
    let found = node.inputs.as_ref().map_or(1, Vec::len);
    let (ok, allowed) = match node.layer {
        LayerSpec::Add => (found >= 2, "at least 2"),
        LayerSpec::Conv2d(_)
        | LayerSpec::LeakyRelu(_)
        | LayerSpec::Relu
        | LayerSpec::MaxPool2d(_)
        | LayerSpec::Flatten
        | LayerSpec::Linear(_) => (found == 1, "exactly 1"),
    };
    if ok {
        return Ok(());
    }
    Err(SpecError::InputCount { node: name.into(), layer: node.layer.kind(), found, allowed })
}

fn check_layer(node: &str, layer: &LayerSpec) -> Result<(), SpecError> {
    let check = LayerCheck { node, layer: layer.kind() };
    match layer {
        LayerSpec::Conv2d(Conv2dSpec { out_channels, kernel, stride, padding }) => {
            check.size("out_channels", *out_channels)?;
            check.pair("kernel", *kernel, 1)?;
            check.pair("stride", *stride, 1)?;
            check.pair("padding", *padding, 0)
        }
        LayerSpec::MaxPool2d(MaxPool2dSpec { kernel, stride }) => {
            check.pair("kernel", *kernel, 1)?;
            check.pair("stride", stride.unwrap_or(*kernel), 1)
        }
        LayerSpec::LeakyRelu(leaky) => check.finite("slope", leaky.slope),
        LayerSpec::Linear(linear) => check.size("out_features", linear.out_features),
        LayerSpec::Relu | LayerSpec::Flatten | LayerSpec::Add => Ok(()),
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
    use crate::{LeakyReluSpec, LinearSpec, preset};

    /// input → `a` (relu) → `b` (relu) → the third node, for each case another.
    fn with_third(third: NodeSpec) -> NetworkSpec {
        let relu = |name: &str| NodeSpec { name: Some(name.into()), inputs: None, layer: LayerSpec::Relu };
        let nodes = vec![relu("a"), relu("b"), third];
        NetworkSpec { name: "case".into(), input: [1, 4, 4], classes: 2, nodes }
    }

    fn node(name: Option<&str>, inputs: Option<&[&str]>, layer: LayerSpec) -> NodeSpec {
        let inputs = inputs.map(|names| names.iter().map(ToString::to_string).collect());
        NodeSpec { name: name.map(Into::into), inputs, layer }
    }

    fn message(network: &NetworkSpec) -> String {
        network.validate().unwrap_err().to_string()
    }

    #[test]
    fn names_and_wiring_that_mean_nothing_are_refused() {
        use LayerSpec::{Add, Relu};
        let cases = [
            (node(Some("a"), None, Relu), "nodes 0 and 2 are both called `a`"),
            (node(Some("input"), None, Relu), "node 2 is called `input`, a name that is reserved"),
            (node(Some(""), None, Relu), "`node[2].name` is \"\", but must be a name"),
            (node(Some("a\nb"), None, Relu), "`node[2].name` is \"a\\nb\", but must be a name"),
            (node(None, Some(&["c"]), Relu), "node `2`: `inputs` names `c`, but no node is called so"),
            (node(Some("c"), Some(&["c"]), Relu), "node `c` (position 2): `inputs` names `c` (position 2)"),
            (node(None, Some(&[]), Relu), "node `2`: `inputs` has 0, but relu takes exactly 1"),
            (node(None, Some(&["a", "b"]), Relu), "node `2`: `inputs` has 2, but relu takes exactly 1"),
            (node(None, Some(&["a"]), Add), "node `2`: `inputs` has 1, but add takes at least 2"),
            (node(None, None, Add), "node `2`: `inputs` has 1, but add takes at least 2"),
        ];
        for (third, expected) in cases {
            let found = message(&with_third(third));
            assert!(found.starts_with(expected), "{found}");
        }
        with_third(node(None, Some(&["input", "a", "b"]), Add)).validate().unwrap();
    }

    #[test]
    fn a_position_counts_as_a_name() {
        let mut network = with_third(node(None, None, LayerSpec::Relu));
        assert_eq!(network.node_names(), ["a", "b", "2"]);
        network.nodes[0].name = Some("2".into());
        assert_eq!(message(&network), "nodes 0 and 2 are both called `2`");
    }

    #[test]
    fn an_input_that_comes_later_is_told_from_one_that_is_missing() {
        let mut network = with_third(node(Some("c"), None, LayerSpec::Relu));
        network.nodes[0].inputs = Some(vec!["c".into()]);
        let expected =
            "node `a` (position 0): `inputs` names `c` (position 2), but must name nodes before it";
        assert_eq!(message(&network), expected);
    }

    #[test]
    fn impossible_numbers_of_layers_are_refused_by_node_and_key() {
        let conv = Conv2dSpec {
            out_channels: 1,
            kernel: Pair::square(1),
            stride: Pair::square(1),
            padding: Pair::square(0),
        };
        let conv = |change: fn(&mut Conv2dSpec)| {
            let mut spec = conv.clone();
            change(&mut spec);
            LayerSpec::Conv2d(spec)
        };
        let pool =
            |kernel: Pair, stride: Option<Pair>| LayerSpec::MaxPool2d(MaxPool2dSpec { kernel, stride });
        let cases = [
            (conv(|spec| spec.out_channels = 0), "layer.conv2d.out_channels` is 0,"),
            (conv(|spec| spec.kernel.h = 0), "layer.conv2d.kernel` is [0, 1],"),
            (conv(|spec| spec.stride.w = 0), "layer.conv2d.stride` is [1, 0],"),
            (conv(|spec| spec.padding.h = usize::MAX), "layer.conv2d.padding` is [18446744073709551615, 0],"),
            (pool(Pair::new(2, 0), None), "layer.max_pool2d.kernel` is [2, 0],"),
            (pool(Pair::square(2), Some(Pair::square(0))), "layer.max_pool2d.stride` is [0, 0],"),
            (LayerSpec::LeakyRelu(LeakyReluSpec { slope: f64::NAN }), "layer.leaky_relu.slope` is NaN,"),
            (LayerSpec::Linear(LinearSpec { out_features: 0 }), "layer.linear.out_features` is 0,"),
        ];
        for (layer, expected) in cases {
            let found = message(&with_third(node(Some("c"), None, layer)));
            assert!(found.starts_with(&format!("node `c`: `{expected} but must be ")), "{found}");
        }
    }

    #[test]
    fn impossible_heads_are_refused() {
        let lenet = preset("lenet").unwrap();
        let cases = [
            (NetworkSpec { name: String::new(), ..lenet.clone() }, "`name` is \"\""),
            (NetworkSpec { input: [1, 0, 28], ..lenet.clone() }, "`input` is [1, 0, 28]"),
            (NetworkSpec { classes: 0, ..lenet.clone() }, "`classes` is 0, but must be from 1 to 256"),
            (NetworkSpec { classes: 257, ..lenet.clone() }, "`classes` is 257"),
            (NetworkSpec { nodes: vec![], ..lenet }, "the network has no nodes"),
        ];
        for (network, expected) in cases {
            assert!(message(&network).starts_with(expected), "{}", message(&network));
        }
    }
}
