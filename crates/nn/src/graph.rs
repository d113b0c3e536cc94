//! From the nodes of a [`NetworkSpec`] to a list of operations on numbered values.
//!
//! Here shapes are resolved and mistakes found. Padding becomes an operation of its own, flatten none at all (it
//! is the same numbers in the same order).

use std::collections::BTreeMap;
use std::ops::Range;

use spec::{Conv2dSpec, LayerSpec, MaxPool2dSpec, NetworkSpec, NodeSpec, Pair};

use crate::layers::conv2d::Conv2d;
use crate::layers::linear::Linear;
use crate::layers::max_pool2d::MaxPool2d;
use crate::layers::pad::Pad;
use crate::{LayerSummary, PlanError, Shape, Tensor};

/// One operation, on values by number. Value 0 is the picture.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) layer: Layer,
    pub(crate) inputs: Vec<usize>,
    /// Equal to the only input where the operation writes over it.
    pub(crate) output: usize,
    /// Where its weights and biases lie among all parameters; empty where it has none.
    pub(crate) w: Range<usize>,
    pub(crate) b: Range<usize>,
}

/// What an operation computes, with its geometry.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    Conv2d(Conv2d),
    Pad(Pad),
    MaxPool2d(MaxPool2d),
    LeakyRelu { slope: f64 },
    Linear(Linear),
    Add,
}

/// The operations of a network, before any thought of memory.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) ops: Vec<Op>,
    /// Length of each value.
    pub(crate) values: Vec<usize>,
    pub(crate) logits: usize,
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) rows: Vec<LayerSummary>,
}

/// No activation and no parameter tensor larger than this: 2²⁸ values are 1 GiB.
const MAX_SIZE: u128 = 1 << 28;

/// A value by the name of the node that gives it.
#[derive(Clone)]
struct Source {
    name: String,
    value: usize,
    shape: Shape,
}

impl Graph {
    pub(crate) fn build(spec: &NetworkSpec) -> Result<Graph, PlanError> {
        let [c, h, w] = spec.input;
        let shape = Shape::Map(spec.input);
        size("input", "size", &[c, h, w])?;
        let mut builder = Builder {
            graph: Graph {
                ops: Vec::new(),
                values: vec![shape.n_values()],
                logits: 0,
                tensors: Vec::new(),
                rows: Vec::new(),
            },
            sources: BTreeMap::new(),
            used: vec![],
        };
        let mut last = Source { name: "input".into(), value: 0, shape };
        builder.sources.insert("input".into(), (0, last.clone()));
        builder.used.push(true);
        for (idx, node) in spec.nodes.iter().enumerate() {
            last = builder.node(idx, node, last)?;
        }
        builder.finish(spec, last)
    }

    /// A rectifier before a max pooling gives the same when it comes after, on fewer values: both keep order.
    ///
    /// Exact, but for two values of one window that differ and become equal by rounding when multiplied with the
    /// slope: then it is the larger one that wins here, and the first elsewhere.
    pub(crate) fn rectify_after_pooling(&mut self) {
        for i in 0..self.ops.len() {
            let after = self.ops[i].output;
            let Layer::LeakyRelu { slope } = self.ops[i].layer else { continue };
            let mut readers = (i + 1..self.ops.len()).filter(|&j| self.ops[j].inputs.contains(&after));
            let (Some(j), None) = (readers.next(), readers.next()) else { continue };
            if slope < 0.0 || !matches!(self.ops[j].layer, Layer::MaxPool2d(_)) {
                continue;
            }
            // i: before → after, j: after → pooled. The value `after` becomes the pooled one, not yet rectified.
            self.values[after] = self.values[self.ops[j].output];
            self.ops[i].layer = std::mem::replace(&mut self.ops[j].layer, Layer::LeakyRelu { slope });
        }
    }

    /// Lets a rectifier write over its input where nobody else reads that and the picture is not concerned.
    pub(crate) fn rectify_in_place(&mut self) {
        for i in 0..self.ops.len() {
            let (input, output) = (self.ops[i].inputs[0], self.ops[i].output);
            let Layer::LeakyRelu { slope } = self.ops[i].layer else { continue };
            let n_readers = self.ops.iter().filter(|op| op.inputs.contains(&input)).count();
            if slope < 0.0 || n_readers > 1 || input == 0 || input == self.logits {
                continue;
            }
            self.rename(output, input);
        }
    }

    fn rename(&mut self, from: usize, to: usize) {
        for op in &mut self.ops {
            for value in op.inputs.iter_mut().chain([&mut op.output]) {
                if *value == from {
                    *value = to;
                }
            }
        }
        if self.logits == from {
            self.logits = to;
        }
    }
}

struct Builder {
    graph: Graph,
    /// The index (the picture's is 0, a node's is 1 + its own) and the value of every name so far.
    sources: BTreeMap<String, (usize, Source)>,
    used: Vec<bool>,
}

impl Builder {
    fn node(&mut self, idx: usize, node: &NodeSpec, before: Source) -> Result<Source, PlanError> {
        let name = node.name.clone().unwrap_or_else(|| idx.to_string());
        let label = format!("`{name}` ({})", node.layer.kind());
        let inputs = self.inputs(idx, &label, node, before)?;
        let (first_op, first_tensor) = (self.graph.ops.len(), self.graph.tensors.len());
        let (value, shape) = self.layer(&name, &label, &node.layer, &inputs)?;
        size(&label, "number of outputs", &shape.dims())?;
        self.graph.rows.push(LayerSummary {
            name: name.clone(),
            layer: node.layer.kind(),
            output: shape,
            parameters: self.graph.tensors[first_tensor..].iter().map(|t| t.range.len()).sum(),
            multiply_adds: self.graph.ops[first_op..].iter().map(|op| op.layer.multiply_adds()).sum(),
        });
        let source = Source { name: name.clone(), value, shape };
        self.sources.insert(name, (idx + 1, source.clone()));
        self.used.push(false);
        Ok(source)
    }

    fn inputs(
        &mut self,
        idx: usize,
        label: &str,
        node: &NodeSpec,
        before: Source,
    ) -> Result<Vec<Source>, PlanError> {
        let Some(names) = &node.inputs else {
            self.used[idx] = true;
            return Ok(vec![before]);
        };
        let mut inputs = Vec::new();
        for input in names {
            let Some((source_idx, source)) = self.sources.get(input) else {
                return Err(PlanError::UnknownInput { node: label.into(), input: input.clone() });
            };
            self.used[*source_idx] = true;
            inputs.push(source.clone());
        }
        Ok(inputs)
    }

    /// Adds the layer's operations; returns its output.
    fn layer(
        &mut self,
        name: &str,
        label: &str,
        layer: &LayerSpec,
        inputs: &[Source],
    ) -> Result<(usize, Shape), PlanError> {
        if let LayerSpec::Add = layer {
            return self.add(label, inputs);
        }
        let [input] = inputs else {
            let wanted = "one input";
            return Err(PlanError::WrongInputs { node: label.into(), wanted, n_inputs: inputs.len() });
        };
        match layer {
            LayerSpec::Conv2d(conv) => self.conv2d(name, label, conv, input),
            LayerSpec::LeakyRelu(leaky) => Ok(self.rectifier(leaky.slope, input)),
            LayerSpec::Relu => Ok(self.rectifier(0.0, input)),
            LayerSpec::MaxPool2d(pool) => self.max_pool2d(label, pool, input),
            LayerSpec::Flatten => Ok((input.value, Shape::Flat(input.shape.n_values()))),
            LayerSpec::Linear(linear) => self.linear(name, label, linear.out_features, input),
            LayerSpec::Add => unreachable!("handled above"),
        }
    }

    fn conv2d(
        &mut self,
        name: &str,
        label: &str,
        conv: &Conv2dSpec,
        input: &Source,
    ) -> Result<(usize, Shape), PlanError> {
        let [c, height, width] = map_input(label, input)?;
        size(label, "out_channels", &[conv.out_channels])?;
        size(label, "stride", &[conv.stride.h, conv.stride.w])?;
        size(label, "padding", &[conv.padding.h + 1, conv.padding.w + 1])?;
        size(label, "padded input", &[c, height + 2 * conv.padding.h, width + 2 * conv.padding.w])?;
        fits(label, conv.kernel, input.shape, [height, width], conv.padding)?;
        let weights = [conv.out_channels, c, conv.kernel.h, conv.kernel.w];
        size(label, "number of weights", &weights)?;
        let mut from = input.value;
        let mut shape = [c, height, width];
        if conv.padding != Pair::square(0) {
            let pad = Pad { channels: c, height, width, padding: conv.padding };
            shape = pad.out_shape();
            from = self.op(Layer::Pad(pad), vec![from], shape.iter().product());
        }
        let conv = Conv2d::new(shape, conv.out_channels, conv.kernel, conv.stride);
        let shape = Shape::Map([conv.out_channels, conv.out_height, conv.out_width]);
        let (w, b) = self.tensors(name, weights.to_vec());
        let value = self.op(Layer::Conv2d(conv), vec![from], shape.n_values());
        self.set_parameters(w, b);
        Ok((value, shape))
    }

    fn max_pool2d(
        &mut self,
        label: &str,
        pool: &MaxPool2dSpec,
        input: &Source,
    ) -> Result<(usize, Shape), PlanError> {
        let [c, height, width] = map_input(label, input)?;
        let stride = pool.stride.unwrap_or(pool.kernel);
        size(label, "stride", &[stride.h, stride.w])?;
        fits(label, pool.kernel, input.shape, [height, width], Pair::square(0))?;
        let pool = MaxPool2d::new([c, height, width], pool.kernel, stride);
        let shape = Shape::Map([c, pool.out_height, pool.out_width]);
        Ok((self.op(Layer::MaxPool2d(pool), vec![input.value], shape.n_values()), shape))
    }

    fn linear(
        &mut self,
        name: &str,
        label: &str,
        out_features: usize,
        input: &Source,
    ) -> Result<(usize, Shape), PlanError> {
        let Shape::Flat(in_features) = input.shape else {
            let (node, from) = (label.into(), input.name.clone());
            return Err(PlanError::NeedsFlat { node, from, input: input.shape });
        };
        size(label, "out_features", &[out_features])?;
        size(label, "number of weights", &[out_features, in_features])?;
        let (w, b) = self.tensors(name, vec![out_features, in_features]);
        let layer = Layer::Linear(Linear { in_features, out_features });
        let value = self.op(layer, vec![input.value], out_features);
        self.set_parameters(w, b);
        Ok((value, Shape::Flat(out_features)))
    }

    fn rectifier(&mut self, slope: f64, input: &Source) -> (usize, Shape) {
        let layer = Layer::LeakyRelu { slope };
        (self.op(layer, vec![input.value], input.shape.n_values()), input.shape)
    }

    fn add(&mut self, label: &str, inputs: &[Source]) -> Result<(usize, Shape), PlanError> {
        let [first, others @ ..] = inputs else {
            let wanted = "two inputs or more";
            return Err(PlanError::WrongInputs { node: label.into(), wanted, n_inputs: 0 });
        };
        if others.is_empty() {
            let wanted = "two inputs or more";
            return Err(PlanError::WrongInputs { node: label.into(), wanted, n_inputs: 1 });
        }
        if let Some(other) = others.iter().find(|other| other.shape != first.shape) {
            return Err(PlanError::UnequalShapes {
                node: label.into(),
                first: first.name.clone(),
                first_shape: first.shape,
                other: other.name.clone(),
                other_shape: other.shape,
            });
        }
        let values = inputs.iter().map(|input| input.value).collect();
        Ok((self.op(Layer::Add, values, first.shape.n_values()), first.shape))
    }

    fn op(&mut self, layer: Layer, inputs: Vec<usize>, output_len: usize) -> usize {
        self.graph.values.push(output_len);
        let output = self.graph.values.len() - 1;
        self.graph.ops.push(Op { layer, inputs, output, w: 0..0, b: 0..0 });
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

    fn set_parameters(&mut self, w: Range<usize>, b: Range<usize>) {
        let op = self.graph.ops.last_mut().expect("the layer's operation was just added");
        (op.w, op.b) = (w, b);
    }

    fn finish(mut self, spec: &NetworkSpec, last: Source) -> Result<Graph, PlanError> {
        let label = |idx: usize| match spec.nodes.get(idx) {
            Some(node) => format!("`{}` ({})", self.graph.rows[idx].name, node.layer.kind()),
            None => String::from("`input`"),
        };
        let last_idx = spec.nodes.len().wrapping_sub(1);
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

impl Layer {
    /// Dense multiply-adds of one sample's forward pass.
    pub(crate) fn multiply_adds(&self) -> u64 {
        match self {
            Layer::Conv2d(conv) => conv.multiply_adds(),
            Layer::Linear(linear) => linear.multiply_adds(),
            Layer::Pad(_) | Layer::MaxPool2d(_) | Layer::LeakyRelu { .. } | Layer::Add => 0,
        }
    }
}

fn map_input(label: &str, input: &Source) -> Result<[usize; 3], PlanError> {
    match input.shape {
        Shape::Map(dims) => Ok(dims),
        Shape::Flat(_) => {
            let (node, from) = (label.into(), input.name.clone());
            Err(PlanError::NeedsMap { node, from, input: input.shape })
        }
    }
}

/// Every factor and the product must be from 1 to [`MAX_SIZE`].
fn size(label: &str, what: &'static str, factors: &[usize]) -> Result<(), PlanError> {
    let product = factors.iter().fold(1u128, |product, &n| product.saturating_mul(n as u128));
    if product == 0 || product > MAX_SIZE {
        return Err(PlanError::Size { node: label.into(), what, n: product, max: MAX_SIZE });
    }
    Ok(())
}

fn fits(
    label: &str,
    kernel: Pair,
    input: Shape,
    [height, width]: [usize; 2],
    padding: Pair,
) -> Result<(), PlanError> {
    size(label, "kernel", &[kernel.h, kernel.w])?;
    if kernel.h > height + 2 * padding.h || kernel.w > width + 2 * padding.w {
        return Err(PlanError::KernelTooLarge { node: label.into(), kernel, input, padding });
    }
    Ok(())
}
