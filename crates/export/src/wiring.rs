//! Which node reads what, with shapes.

use std::collections::BTreeMap;

use nn::Shape;
use spec::{LayerSpec, NetworkSpec};

use crate::Model;

/// The network's nodes with their inputs as numbers: value 0 is the picture, value `i + 1` the output of node `i`.
pub(crate) struct Wiring<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    /// The shape of each value.
    pub(crate) shapes: Vec<Shape>,
}

/// A node of the network.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    /// Its own, or its position.
    pub(crate) name: String,
    pub(crate) layer: &'a LayerSpec,
    /// The values that it reads.
    pub(crate) inputs: Vec<usize>,
    /// The value that it gives.
    pub(crate) output: usize,
}

impl<'a> Wiring<'a> {
    /// Panics if the plan is not the network's.
    pub(crate) fn of(model: &Model<'a>) -> Self {
        let names = model.network.node_names();
        let rows = model.plan.summary();
        assert!(names.iter().eq(rows.iter().map(|row| &row.name)), "the plan is of another network");
        let shapes = [Shape::Map(model.network.input)].into_iter().chain(rows.iter().map(|row| row.output));
        Self { nodes: nodes(model.network, names), shapes: shapes.collect() }
    }

    /// For each value the nodes that read it.
    pub(crate) fn readers(&self) -> Vec<Vec<usize>> {
        let mut readers = vec![vec![]; self.shapes.len()];
        for (idx, node) in self.nodes.iter().enumerate() {
            for &input in &node.inputs {
                readers[input].push(idx);
            }
        }
        readers
    }
}

fn nodes(network: &NetworkSpec, names: Vec<String>) -> Vec<Node<'_>> {
    let mut values = BTreeMap::from([("input".to_owned(), 0)]);
    let mut nodes = Vec::new();
    for (idx, (spec, name)) in network.nodes.iter().zip(names).enumerate() {
        let inputs = match &spec.inputs {
            None => vec![idx],
            Some(inputs) => inputs.iter().map(|input| values[input]).collect(),
        };
        values.insert(name.clone(), idx + 1);
        nodes.push(Node { name, layer: &spec.layer, inputs, output: idx + 1 });
    }
    nodes
}

/// Zeros around an input that a merging node reads, as top, left, bottom, right, so that it gets the output's rows and
/// columns: as even as possible, the odd one at the end. `None` where it needs none.
pub(crate) fn border(input: Shape, output: Shape, pad: bool) -> Option<[usize; 4]> {
    let (Shape::Map([_, h, w]), Shape::Map([_, out_h, out_w]), true) = (input, output, pad) else {
        return None;
    };
    let (rows, columns) = (out_h - h, out_w - w);
    let border = [rows / 2, columns / 2, rows.div_ceil(2), columns.div_ceil(2)];
    (border != [0; 4]).then_some(border)
}
