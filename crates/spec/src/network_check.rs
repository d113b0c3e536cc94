//! What can be said of a network without its shapes: names, wiring and single numbers. Whether the layers
//! fit each other is the plan's to say.

use std::collections::BTreeMap;

use crate::error::check_value;
use crate::layer_check::check_layer;
use crate::{NetworkSpec, NodeSpec, SpecError};

/// Largest size, step, padding or count of channels or features, 2^20: far beyond any use here, and the
/// product of three still fits a `u64`.
pub const MAX_SIZE: usize = 1 << 20;

/// Largest number of nodes: the places of their values are found in a time that grows with its square.
pub const MAX_NODES: usize = 1024;

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
        let nodes_ok = self.nodes.len() <= MAX_NODES;
        check_value(nodes_ok, "number of nodes", self.nodes.len(), &format!("at most {MAX_NODES}"))?;
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

pub(crate) fn is_size(size: usize, min: usize) -> bool {
    (min..=MAX_SIZE).contains(&size)
}

pub(crate) fn sizes(min: usize) -> String {
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
    let allowed = match (node.layer.merges(), found) {
        (false, 1) | (true, 2..=MAX_NODES) => return Ok(()),
        (false, _) => "exactly 1",
        (true, ..2) => "at least 2",
        (true, _) => "at most 1024",
    };
    Err(SpecError::InputCount { node: name.into(), layer: node.layer.kind(), found, allowed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LayerSpec, MergeSpec, preset};

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
        use LayerSpec::Relu;
        let add = || LayerSpec::Add(MergeSpec::default());
        let cases = [
            (node(Some("a"), None, Relu), "nodes 0 and 2 are both called `a`"),
            (node(Some("input"), None, Relu), "node 2 is called `input`, a name that is reserved"),
            (node(Some(""), None, Relu), "`node[2].name` is \"\", but must be a name"),
            (node(Some("a\nb"), None, Relu), "`node[2].name` is \"a\\nb\", but must be a name"),
            (node(None, Some(&["c"]), Relu), "node `2`: `inputs` names `c`, but no node is called so"),
            (node(Some("c"), Some(&["c"]), Relu), "node `c` (position 2): `inputs` names `c` (position 2)"),
            (node(None, Some(&[]), Relu), "node `2`: `inputs` has 0, but relu takes exactly 1"),
            (node(None, Some(&["a", "b"]), Relu), "node `2`: `inputs` has 2, but relu takes exactly 1"),
            (node(None, Some(&["a"]), add()), "node `2`: `inputs` has 1, but add takes at least 2"),
            (node(None, None, add()), "node `2`: `inputs` has 1, but add takes at least 2"),
        ];
        for (third, expected) in cases {
            let found = message(&with_third(third));
            assert!(found.starts_with(expected), "{found}");
        }
        with_third(node(None, Some(&["input", "a", "b"]), add())).validate().unwrap();
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
