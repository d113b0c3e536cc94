//! A graph of ONNX under construction, and the names in it.

use std::collections::{BTreeMap, BTreeSet};

use nn::{Shape, Tensor};

use super::proto::{AttributeProto, NodeProto, TensorProto};
use super::{INPUT, LOGITS};
use crate::{Model, Normalization};

pub(super) struct GraphBuilder<'a> {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) initializers: Vec<TensorProto>,
    weights: BTreeMap<&'a str, (&'a Tensor, &'a [f32])>,
    /// Inputs, outputs and initializers have one space of names, nodes another.
    values: BTreeSet<String>,
    node_names: BTreeSet<String>,
}

/// One layer, which becomes one or more nodes; the last of them gives `output`.
pub(super) struct LayerBuilder<'b, 'a> {
    graph: &'b mut GraphBuilder<'a>,
    name: &'b str,
    /// The values that the layer reads, and their shapes.
    pub(super) inputs: Vec<String>,
    pub(super) shapes: Vec<Shape>,
    /// The value that it gives, and its shape.
    pub(super) output: String,
    pub(super) shape: Shape,
    is_last: bool,
}

impl<'a> GraphBuilder<'a> {
    pub(super) fn new(model: &Model<'a>) -> Self {
        let weights = model.plan.tensors().iter();
        let weights =
            weights.map(|tensor| (tensor.name.as_str(), (tensor, &model.params.0[tensor.range.clone()])));
        let weights: BTreeMap<_, _> = weights.collect();
        // The names that others rely on; a node's value gives way to them.
        let values = weights.keys().copied().chain([INPUT, LOGITS]).map(String::from).collect();
        Self { nodes: vec![], initializers: vec![], weights, values, node_names: BTreeSet::new() }
    }

    /// From raw pixels to what the network reads.
    pub(super) fn normalize(&mut self, normalization: Normalization<'_>) -> String {
        let Normalization { scale, shift } = normalization;
        let mut layer = self.layer(INPUT, vec![INPUT.into()], vec![], Shape::Flat(0), false);
        let dims = [scale.len(), 1, 1];
        let scale = layer.constant("scale", &dims, scale);
        let shift = layer.constant("shift", &dims, shift);
        let scaled = layer.step("Mul", &[INPUT, &scale], vec![]);
        layer.result("Add", &[&scaled, &shift], vec![]);
        layer.output
    }

    pub(super) fn layer<'b>(
        &'b mut self,
        name: &'b str,
        inputs: Vec<String>,
        shapes: Vec<Shape>,
        shape: Shape,
        is_last: bool,
    ) -> LayerBuilder<'b, 'a> {
        let output = if is_last { LOGITS.into() } else { free_name(&mut self.values, name) };
        LayerBuilder { graph: self, name, inputs, shapes, output, shape, is_last }
    }
}

/// `wanted`, or with the first number behind it that makes it one of its own; it is then taken.
fn free_name(taken: &mut BTreeSet<String>, wanted: &str) -> String {
    let candidates = (2..).map(|n| format!("{wanted}/{n}"));
    let free = [wanted.to_owned()].into_iter().chain(candidates).find(|name| !taken.contains(name));
    let name = free.expect("there are more numbers than names");
    taken.insert(name.clone());
    name
}

impl<'a> LayerBuilder<'_, 'a> {
    /// A node before the layer's last; its value.
    pub(super) fn step(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let wanted = format!("{}/{op}", self.name);
        let output = free_name(&mut self.graph.values, &wanted);
        let name = free_name(&mut self.graph.node_names, &wanted);
        self.node(name, op, inputs, output.clone(), attributes);
        output
    }

    /// The layer's last node.
    pub(super) fn result(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) {
        let name = free_name(&mut self.graph.node_names, self.name);
        self.node(name, op, inputs, self.output.clone(), attributes);
    }

    /// No node at all: the output is the input.
    pub(super) fn nothing(&mut self) {
        let input = self.inputs[0].clone();
        match self.is_last {
            true => self.result("Identity", &[&input], vec![]),
            false => self.output = input,
        }
    }

    fn node(
        &mut self,
        name: String,
        op: &str,
        inputs: &[&str],
        output: String,
        attribute: Vec<AttributeProto>,
    ) {
        let input = inputs.iter().map(ToString::to_string).collect();
        self.graph.nodes.push(NodeProto { input, output: vec![output], name, op_type: op.into(), attribute });
    }

    /// The tensor `NAME.part` as an initializer; its name.
    pub(super) fn weight(&mut self, part: &str) -> String {
        let (tensor, _) = self.tensor(part);
        self.weight_as(part, &tensor.dims)
    }

    /// As [`Self::weight`], with the same values in another shape.
    pub(super) fn weight_as(&mut self, part: &str, dims: &[usize]) -> String {
        let values = self.tensor(part).1;
        self.initializer(part, dims, values)
    }

    /// An initializer with the name of a tensor.
    pub(super) fn initializer(&mut self, part: &str, dims: &[usize], values: &[f32]) -> String {
        let name = format!("{}.{part}", self.name);
        self.graph.initializers.push(TensorProto::floats(name.clone(), dims, values));
        name
    }

    /// The tensor `NAME.part` and its values.
    pub(super) fn tensor(&self, part: &str) -> (&'a Tensor, &'a [f32]) {
        let name = format!("{}.{part}", self.name);
        let found = self.graph.weights.get(name.as_str());
        *found.unwrap_or_else(|| panic!("the plan has no tensor `{name}`"))
    }

    /// Numbers that are no weights.
    pub(super) fn constant(&mut self, what: &str, dims: &[usize], values: &[f32]) -> String {
        let name = free_name(&mut self.graph.values, &format!("{}/{what}", self.name));
        self.graph.initializers.push(TensorProto::floats(name.clone(), dims, values));
        name
    }

    /// One number that is no weight.
    pub(super) fn scalar(&mut self, what: &str, value: f64) -> String {
        self.constant(what, &[], &[value as f32])
    }

    /// Whole numbers, as the shapes and axes that some operators take.
    pub(super) fn ints(&mut self, what: &str, values: &[i64]) -> String {
        let name = free_name(&mut self.graph.values, &format!("{}/{what}", self.name));
        self.graph.initializers.push(TensorProto::ints(name.clone(), values));
        name
    }
}
