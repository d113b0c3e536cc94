//! From choices to the network that they stand for.

use spec::{LayerSpec, NetworkSpec, NodeSpec};

use super::template::{Part, join};
use super::{Choices, Frame, Grammar};

/// The name of the picture in a network.
const PICTURE: &str = "input";

/// A network under construction.
struct Assembly {
    nodes: Vec<NodeSpec>,
    n_classes: usize,
}

impl Grammar {
    pub(super) fn assemble(&self, choices: &Choices, frame: Frame) -> NetworkSpec {
        let mut network = Assembly { nodes: Vec::new(), n_classes: frame.classes };
        let stem = network.part(&self.parts.stem, "", &choices.single, PICTURE.into());
        let mut outputs: Vec<String> = Vec::new();
        for (layer, decided) in choices.layers.iter().enumerate() {
            let read: Vec<String> = match (self.skips, outputs.last()) {
                (true, _) => choices.reads[layer].iter().map(|&from| outputs[from].clone()).collect(),
                (false, last) => last.cloned().into_iter().collect(),
            };
            let prefix = format!("{layer}.");
            let input = network.joined(&prefix, read).unwrap_or_else(|| stem.clone());
            outputs.push(network.part(&self.parts.layer, &prefix, decided, input));
        }
        let unread = choices.unread(self.skips).into_iter().map(|layer| outputs[layer].clone()).collect();
        let last = network.joined("head.", unread).unwrap_or(stem);
        network.part(&self.parts.head, "", &choices.single, last);
        let Assembly { nodes, n_classes } = network;
        NetworkSpec { name: "searched".into(), input: frame.input, classes: n_classes, nodes }
    }
}

impl Assembly {
    /// Adds a part's nodes; returns the name of what it gives.
    fn part(&mut self, part: &Part, prefix: &str, choices: &[usize], input: String) -> String {
        let name = |idx: usize| part.node_name(prefix, idx);
        for (idx, node) in part.nodes.iter().enumerate() {
            let source = |source: &Option<usize>| source.map_or_else(|| input.clone(), name);
            let inputs = node.inputs.iter().map(source).collect();
            self.node(name(idx), inputs, node.layer(node.variant(choices), self.n_classes));
        }
        part.nodes.len().checked_sub(1).map_or(input, name)
    }

    /// Several outputs as one; `None` where there is none.
    fn joined(&mut self, prefix: &str, mut sources: Vec<String>) -> Option<String> {
        match sources.len() {
            0 | 1 => sources.pop(),
            _ => {
                let name = format!("{prefix}join");
                self.node(name.clone(), sources, join());
                Some(name)
            }
        }
    }

    /// What reads the node before says no more than that.
    fn node(&mut self, name: String, inputs: Vec<String>, layer: LayerSpec) {
        let before = self.nodes.last().and_then(|node| node.name.as_deref()).unwrap_or(PICTURE);
        let inputs = (inputs != [before]).then_some(inputs);
        self.nodes.push(NodeSpec { name: Some(name), inputs, layer });
    }
}
