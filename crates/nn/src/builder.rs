//! From the nodes of a [`NetworkSpec`] to a [`Graph`]. Here shapes are resolved and misfits found.
//!
//! Padding becomes an operation of its own, flatten none at all (it is the same numbers in the same order).

use std::collections::BTreeMap;
use std::ops::Range;

use spec::{Conv2dSpec, LayerSpec, MaxPool2dSpec, NetworkSpec, NodeSpec, Pair};

use crate::graph::{Graph, Layer, Op};
use crate::layers::conv2d::Conv2d;
use crate::layers::linear::Linear;
use crate::layers::max_pool2d::MaxPool2d;
use crate::layers::pad::Pad;
use crate::{LayerSummary, PlanError, Shape, Tensor};

/// Values of one activation at most: as lanes of 64 bytes they take 64 MiB.
const MAX_ACTIVATION: usize = 1 << 20;
/// Parameters of one tensor at most: 1 GiB.
const MAX_WEIGHTS: usize = 1 << 28;
/// Pairs of a tap and a position of one channel at most, for the tables of a convolution: 128 MiB.
const MAX_TAPS: usize = 1 << 24;

/// A value by the name of the node that gives it.
#[derive(Clone)]
struct Source {
    name: String,
    value: usize,
    shape: Shape,
}

/// A node under construction.
struct Node<'a> {
    name: &'a str,
    /// For messages: `name` (layer).
    label: String,
}

struct Builder {
    graph: Graph,
    /// The index (the picture's is 0, a node's is 1 + its own) and the value of every name so far.
    sources: BTreeMap<String, (usize, Source)>,
    used: Vec<bool>,
}

impl Graph {
    /// The operations of a network that [`NetworkSpec::validate`] has found well-formed.
    pub(crate) fn build(spec: &NetworkSpec) -> Result<Graph, PlanError> {
        let shape = Shape::Map(spec.input);
        check_size("`input`", "number of values", &spec.input, MAX_ACTIVATION)?;
        let picture = Source { name: "input".into(), value: 0, shape };
        let values = vec![shape.n_values()];
        let mut builder = Builder {
            graph: Graph { ops: vec![], values, logits: 0, tensors: vec![], rows: vec![] },
            sources: BTreeMap::from([(picture.name.clone(), (0, picture.clone()))]),
            used: vec![true],
        };
        let mut last = picture;
        for (idx, (node, name)) in spec.nodes.iter().zip(spec.node_names()).enumerate() {
            last = builder.node(idx, node, name, last)?;
        }
        builder.finish(spec, &last)
    }
}

impl Builder {
    fn node(
        &mut self,
        idx: usize,
        spec: &NodeSpec,
        name: String,
        before: Source,
    ) -> Result<Source, PlanError> {
        let node = Node { name: &name, label: format!("`{name}` ({})", spec.layer.kind()) };
        let inputs = self.inputs(idx, spec, before);
        let (first_op, first_tensor) = (self.graph.ops.len(), self.graph.tensors.len());
        let (value, shape) = self.layer(&node, &spec.layer, &inputs)?;
        self.graph.rows.push(LayerSummary {
            name: name.clone(),
            layer: spec.layer.kind(),
            output: shape,
            parameters: self.graph.tensors[first_tensor..].iter().map(|t| t.range.len()).sum(),
            multiply_adds: self.graph.ops[first_op..].iter().map(|op| op.layer.multiply_adds()).sum(),
        });
        let source = Source { name: name.clone(), value, shape };
        self.sources.insert(name, (idx + 1, source.clone()));
        self.used.push(false);
        Ok(source)
    }

    fn inputs(&mut self, idx: usize, spec: &NodeSpec, before: Source) -> Vec<Source> {
        let Some(names) = &spec.inputs else {
            self.used[idx] = true;
            return vec![before];
        };
        let source = |name: &String| {
            let (source_idx, source) = &self.sources[name];
            self.used[*source_idx] = true;
            source.clone()
        };
        names.iter().map(source).collect()
    }

    /// Adds the layer's operations; returns its output.
    fn layer(
        &mut self,
        node: &Node<'_>,
        layer: &LayerSpec,
        inputs: &[Source],
    ) -> Result<(usize, Shape), PlanError> {
        let input = &inputs[0];
        match layer {
            LayerSpec::Conv2d(conv) => self.conv2d(node, conv, input),
            LayerSpec::LeakyRelu(leaky) => Ok(self.rectifier(leaky.slope, input)),
            LayerSpec::Relu => Ok(self.rectifier(0.0, input)),
            LayerSpec::MaxPool2d(pool) => self.max_pool2d(node, pool, input),
            LayerSpec::Flatten => Ok((input.value, Shape::Flat(input.shape.n_values()))),
            LayerSpec::Linear(linear) => self.linear(node, linear.out_features, input),
            LayerSpec::Add => self.add(node, inputs),
        }
    }

    fn conv2d(
        &mut self,
        node: &Node<'_>,
        conv: &Conv2dSpec,
        input: &Source,
    ) -> Result<(usize, Shape), PlanError> {
        let Conv2dSpec { out_channels, kernel, stride, padding } = *conv;
        let [c, height, width] = node.map_input(input)?;
        let padded = Pair::new(height + 2 * padding.h, width + 2 * padding.w);
        check_size(&node.label, "padded input", &[c, padded.h, padded.w], MAX_ACTIVATION)?;
        node.check_kernel(kernel, input.shape, padding, padded)?;
        let [out_height, out_width] =
            [(padded.h - kernel.h) / stride.h + 1, (padded.w - kernel.w) / stride.w + 1];
        let out_shape = [out_channels, out_height, out_width];
        check_size(&node.label, "number of outputs", &out_shape, MAX_ACTIVATION)?;
        check_size(&node.label, "kernel × output", &[kernel.h, kernel.w, out_height, out_width], MAX_TAPS)?;
        let dims = [out_channels, c, kernel.h, kernel.w];
        check_size(&node.label, "number of weights", &dims, MAX_WEIGHTS)?;
        let mut from = input.value;
        if padding != Pair::square(0) {
            let pad = Pad { channels: c, height, width, padding };
            from = self.op(Layer::Pad(pad), vec![from], c * padded.h * padded.w, (0..0, 0..0));
        }
        let parameters = self.tensors(node.name, dims.to_vec());
        let conv = Conv2d::new([c, padded.h, padded.w], out_channels, kernel, stride);
        let shape = Shape::Map(out_shape);
        Ok((self.op(Layer::Conv2d(conv), vec![from], shape.n_values(), parameters), shape))
    }

    fn max_pool2d(
        &mut self,
        node: &Node<'_>,
        pool: &MaxPool2dSpec,
        input: &Source,
    ) -> Result<(usize, Shape), PlanError> {
        let [c, height, width] = node.map_input(input)?;
        let stride = pool.stride.unwrap_or(pool.kernel);
        node.check_kernel(pool.kernel, input.shape, Pair::square(0), Pair::new(height, width))?;
        let pool = MaxPool2d::new([c, height, width], pool.kernel, stride);
        let shape = Shape::Map([c, pool.out_height, pool.out_width]);
        let layer = Layer::MaxPool2d(pool);
        Ok((self.op(layer, vec![input.value], shape.n_values(), (0..0, 0..0)), shape))
    }

    fn linear(
        &mut self,
        node: &Node<'_>,
        out_features: usize,
        input: &Source,
    ) -> Result<(usize, Shape), PlanError> {
        let Shape::Flat(in_features) = input.shape else {
            let (node, from) = (node.label.clone(), input.name.clone());
            return Err(PlanError::NeedsFlat { node, from, input: input.shape });
        };
        check_size(&node.label, "number of weights", &[out_features, in_features], MAX_WEIGHTS)?;
        let parameters = self.tensors(node.name, vec![out_features, in_features]);
        let layer = Layer::Linear(Linear { in_features, out_features });
        Ok((self.op(layer, vec![input.value], out_features, parameters), Shape::Flat(out_features)))
    }

    fn rectifier(&mut self, slope: f64, input: &Source) -> (usize, Shape) {
        let layer = Layer::LeakyRelu { slope, in_place: false };
        (self.op(layer, vec![input.value], input.shape.n_values(), (0..0, 0..0)), input.shape)
    }

    fn add(&mut self, node: &Node<'_>, inputs: &[Source]) -> Result<(usize, Shape), PlanError> {
        let first = &inputs[0];
        if let Some(other) = inputs.iter().find(|other| other.shape != first.shape) {
            return Err(PlanError::UnequalShapes {
                node: node.label.clone(),
                first: first.name.clone(),
                first_shape: first.shape,
                other: other.name.clone(),
                other_shape: other.shape,
            });
        }
        let values = inputs.iter().map(|input| input.value).collect();
        Ok((self.op(Layer::Add, values, first.shape.n_values(), (0..0, 0..0)), first.shape))
    }

    fn op(
        &mut self,
        layer: Layer,
        inputs: Vec<usize>,
        output_len: usize,
        (w, b): (Range<usize>, Range<usize>),
    ) -> usize {
        self.graph.values.push(output_len);
        let output = self.graph.values.len() - 1;
        self.graph.ops.push(Op { layer, inputs, output, w, b });
        output
    }

    /// Weight and bias of a layer, at the end of the parameters; the first dimension is the outputs'.
    fn tensors(&mut self, name: &str, dims: Vec<usize>) -> (Range<usize>, Range<usize>) {
        let start = self.graph.tensors.last().map_or(0, |tensor| tensor.range.end);
        let (n_weights, n_biases) = (dims.iter().product::<usize>(), dims[0]);
        let fan_in = n_weights / n_biases;
        let w = start..start + n_weights;
        let b = w.end..w.end + n_biases;
        let bias_dims = vec![n_biases];
        self.graph.tensors.push(Tensor { name: format!("{name}.weight"), dims, range: w.clone(), fan_in });
        let bias = Tensor { name: format!("{name}.bias"), dims: bias_dims, range: b.clone(), fan_in };
        self.graph.tensors.push(bias);
        (w, b)
    }

    fn finish(mut self, spec: &NetworkSpec, last: &Source) -> Result<Graph, PlanError> {
        let label = |idx: usize| format!("`{}` ({})", self.graph.rows[idx].name, self.graph.rows[idx].layer);
        let last_idx = spec.nodes.len() - 1;
        if last.shape != Shape::Flat(spec.classes) {
            let (node, output, classes) = (label(last_idx), last.shape, spec.classes);
            return Err(PlanError::WrongClasses { node, output, classes });
        }
        if let Some(idx) = (0..last_idx).find(|&idx| !self.used[idx + 1]) {
            return Err(PlanError::Unused { node: label(idx) });
        }
        if self.graph.tensors.is_empty() {
            return Err(PlanError::NoParameters);
        }
        self.graph.logits = last.value;
        Ok(self.graph)
    }
}

impl Node<'_> {
    fn map_input(&self, input: &Source) -> Result<[usize; 3], PlanError> {
        match input.shape {
            Shape::Map(dims) => Ok(dims),
            Shape::Flat(_) => {
                let (node, from) = (self.label.clone(), input.name.clone());
                Err(PlanError::NeedsMap { node, from, input: input.shape })
            }
        }
    }

    fn check_kernel(&self, kernel: Pair, input: Shape, padding: Pair, padded: Pair) -> Result<(), PlanError> {
        if kernel.h <= padded.h && kernel.w <= padded.w {
            return Ok(());
        }
        Err(PlanError::KernelTooLarge { node: self.label.clone(), kernel, input, padding, padded })
    }
}

/// The product must not exceed `max`.
fn check_size(node: &str, what: &'static str, factors: &[usize], max: usize) -> Result<(), PlanError> {
    let product = factors.iter().fold(1u128, |product, &n| product.saturating_mul(n as u128));
    if product > max as u128 {
        return Err(PlanError::TooLarge { node: node.into(), what, n: product, max });
    }
    Ok(())
}
