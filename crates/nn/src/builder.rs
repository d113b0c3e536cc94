//! From the nodes of a [`NetworkSpec`] to a [`Graph`]. Here shapes are resolved and misfits found.
//!
//! Padding becomes an operation of its own, flatten none at all (it is the same numbers in the same order); blocks such
//! as squeeze-and-excite become the operations that they are made of.

mod blocks;
mod layers;
mod merge;

use std::collections::BTreeMap;
use std::ops::Range;

use spec::{LayerSpec, NetworkSpec, NodeSpec, Pair};

use crate::graph::{Graph, Layer, Op};
use crate::layers::conv2d::Window;
use crate::params::Init;
use crate::{LayerSummary, PlanError, Shape, Tensor};

/// Values of one activation at most: as lanes of 64 bytes they take 64 MiB.
const MAX_ACTIVATION: usize = 1 << 20;
/// Parameters of one tensor at most: 1 GiB.
const MAX_WEIGHTS: usize = 1 << 28;

/// Operations of all nodes at most, of which a node may have several: planning them takes time with their square.
const MAX_OPS: usize = 8 * spec::MAX_NODES;

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

/// A node's output: which value, and its shape.
type Built = Result<(usize, Shape), PlanError>;

/// Where the weights of an operation lie among all parameters, and its biases.
type Parameters = (Range<usize>, Range<usize>);

const NO_PARAMETERS: Parameters = (0..0, 0..0);

struct Builder {
    graph: Graph,
    /// The index (the picture's is 0, a node's is 1 + its own) and the value of every name so far.
    sources: BTreeMap<String, (usize, Source)>,
    used: Vec<bool>,
    /// Operations with running statistics, whose places are behind all parameters.
    running: Vec<(usize, String)>,
    /// The label of the node that every tensor so far belongs to, by the tensor's name.
    owners: BTreeMap<String, String>,
    /// Pairs of a tap and a position in the tables of all convolutions.
    n_taps: usize,
}

/// A network of which only the first nodes fit.
pub(crate) struct Misfit {
    /// The nodes that fit.
    pub(crate) rows: Vec<LayerSummary>,
    /// The index of the node that does not, where it is one node's fault.
    pub(crate) node: Option<usize>,
    pub(crate) error: PlanError,
}

impl Graph {
    /// The operations of a network that [`NetworkSpec::validate`] has found well-formed.
    pub(crate) fn build(spec: &NetworkSpec) -> Result<Graph, Misfit> {
        let too_large = |error| Misfit { rows: vec![], node: None, error };
        check_size("`input`", "number of values", &spec.input, MAX_ACTIVATION).map_err(too_large)?;
        let mut builder = Builder::new(spec.input);
        let mut last = builder.sources["input"].1.clone();
        for (idx, (node, name)) in spec.nodes.iter().zip(spec.node_names()).enumerate() {
            last = match builder.node(idx, node, name, last) {
                Ok(source) => source,
                Err(error) => return Err(Misfit { rows: builder.graph.rows, node: Some(idx), error }),
            };
        }
        match builder.finish(spec, &last) {
            Ok(()) => Ok(builder.graph),
            Err((node, error)) => Err(Misfit { rows: builder.graph.rows, node, error }),
        }
    }
}

impl Builder {
    fn new(input: [usize; 3]) -> Self {
        let shape = Shape::Map(input);
        let picture = Source { name: "input".into(), value: 0, shape };
        let values = vec![shape.n_values()];
        Self {
            graph: Graph {
                ops: vec![],
                values,
                logits: 0,
                tensors: vec![],
                rows: vec![],
                node_values: vec![],
            },
            sources: BTreeMap::from([(picture.name.clone(), (0, picture))]),
            used: vec![true],
            running: vec![],
            owners: BTreeMap::new(),
            n_taps: 0,
        }
    }

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
        self.own_tensors(&node, first_tensor)?;
        node.check_size("number of operations so far", &[self.graph.ops.len()], MAX_OPS)?;
        self.graph.rows.push(LayerSummary {
            name: name.clone(),
            layer: spec.layer.kind(),
            output: shape,
            parameters: self.graph.tensors[first_tensor..].iter().map(|t| t.range.len()).sum(),
            multiply_adds: self.graph.ops[first_op..].iter().map(|op| op.layer.multiply_adds()).sum(),
        });
        self.graph.node_values.push(value);
        let source = Source { name: name.clone(), value, shape };
        self.sources.insert(name, (idx + 1, source.clone()));
        self.used.push(false);
        Ok(source)
    }

    /// A node `a` of several tensors (`a.0.weight`) and a node `a.0` may mean the same name.
    fn own_tensors(&mut self, node: &Node<'_>, first: usize) -> Result<(), PlanError> {
        for tensor in &self.graph.tensors[first..] {
            let (name, label) = (tensor.name.clone(), node.label.clone());
            if let Some(other) = self.owners.insert(name.clone(), label.clone()) {
                return Err(PlanError::TensorName { node: label, other, name });
            }
        }
        Ok(())
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
    fn layer(&mut self, node: &Node<'_>, layer: &LayerSpec, inputs: &[Source]) -> Built {
        let input = &inputs[0];
        match layer {
            LayerSpec::Conv2d(conv) => self.conv2d(node, conv, input),
            LayerSpec::PartialConv2d(conv) => self.partial_conv2d(node, conv, input),
            LayerSpec::Linear(linear) => self.linear(node, linear, input),
            LayerSpec::Rbf(rbf) => self.rbf(node, rbf, input),
            LayerSpec::BatchNorm2d(norm) => self.batch_norm2d(node, norm, input),
            LayerSpec::LayerNorm(norm) => self.layer_norm(node, norm, input),
            LayerSpec::GroupNorm(norm) => self.group_norm(node, norm, input),
            LayerSpec::Dropout(dropout) => Ok(self.dropout(dropout.p, input)),
            LayerSpec::SpatialDropout(dropout) => self.spatial_dropout(node, dropout.p, input),
            LayerSpec::Relu
            | LayerSpec::LeakyRelu(_)
            | LayerSpec::Sigmoid
            | LayerSpec::Tanh
            | LayerSpec::ScaledTanh(_)
            | LayerSpec::Gelu
            | LayerSpec::Silu
            | LayerSpec::HardSwish => Ok(self.activation(layer, input)),
            LayerSpec::MaxPool2d(pool) => self.max_pool2d(node, pool, input),
            LayerSpec::AvgPool2d(pool) => self.avg_pool2d(node, pool, input),
            LayerSpec::GlobalAvgPool => self.global_avg_pool(node, input),
            LayerSpec::Subsample(subsample) => self.subsample(node, subsample, input),
            LayerSpec::Pad(pad) => self.pad(node, pad, input),
            LayerSpec::Flatten => Ok((input.value, Shape::Flat(input.shape.n_values()))),
            LayerSpec::Add(merge) => self.add(node, merge.pad, inputs),
            LayerSpec::Multiply(merge) => self.multiply(node, merge.pad, inputs),
            LayerSpec::Concat(merge) => self.concat(node, merge.pad, inputs),
            LayerSpec::SqueezeExcite(block) => self.squeeze_excite(node, block.reduced, input),
        }
    }

    /// One more operation; returns its output.
    fn op(&mut self, layer: Layer, inputs: Vec<usize>, output_len: usize, (w, b): Parameters) -> usize {
        self.graph.values.push(output_len);
        let output = self.graph.values.len() - 1;
        // A node's row follows its operations.
        let node = self.graph.rows.len();
        self.graph.ops.push(Op { node, layer, inputs, output, w, b });
        output
    }

    /// One more parameter tensor, behind the others.
    fn tensor(&mut self, name: String, dims: Vec<usize>, init: Init) -> Range<usize> {
        let start = self.graph.tensors.last().map_or(0, |tensor| tensor.range.end);
        let range = start..start + dims.iter().product::<usize>();
        self.graph.tensors.push(Tensor { name, dims, range: range.clone(), init, learned: true });
        range
    }

    /// `NAME.weight` and, where asked for, `NAME.bias` with one value for each output, the weight's first dimension;
    /// PyTorch's initial values.
    fn weights(&mut self, name: &str, dims: Vec<usize>, bias: bool) -> Parameters {
        let n_outputs = dims[0];
        let init = Init::Uniform { fan_in: dims[1..].iter().product::<usize>() as f64 };
        let w = self.tensor(format!("{name}.weight"), dims, init);
        let end = w.end;
        let b = if bias { self.tensor(format!("{name}.bias"), vec![n_outputs], init) } else { end..end };
        (w, b)
    }

    /// `NAME.weight` and `NAME.bias` of a normalization, which begins as the identity.
    fn affine(&mut self, name: &str, dims: &[usize]) -> Parameters {
        let w = self.tensor(format!("{name}.weight"), dims.to_vec(), Init::Constant(1.0));
        let b = self.tensor(format!("{name}.bias"), dims.to_vec(), Init::Constant(0.0));
        (w, b)
    }

    /// Places for running statistics: values that are kept and saved, but no parameters.
    fn place_running(&mut self) {
        for (op_idx, name) in std::mem::take(&mut self.running) {
            let Layer::BatchNorm2d(norm) = &self.graph.ops[op_idx].layer else { continue };
            let dims = vec![norm.channels];
            let mean = self.tensor(format!("{name}.running_mean"), dims.clone(), Init::Constant(0.0));
            let variance = self.tensor(format!("{name}.running_var"), dims, Init::Constant(1.0));
            for tensor in self.graph.tensors.iter_mut().rev().take(2) {
                tensor.learned = false;
            }
            if let Layer::BatchNorm2d(norm) = &mut self.graph.ops[op_idx].layer {
                (norm.running_mean, norm.running_variance) = (mean, variance);
            }
        }
    }

    /// What can be said of all nodes together only; the error comes with the node whose fault it is.
    fn finish(&mut self, spec: &NetworkSpec, last: &Source) -> Result<(), (Option<usize>, PlanError)> {
        let label = |idx: usize| format!("`{}` ({})", self.graph.rows[idx].name, self.graph.rows[idx].layer);
        let last_idx = spec.nodes.len() - 1;
        if last.shape != Shape::Flat(spec.classes) {
            let (node, output, classes) = (label(last_idx), last.shape, spec.classes);
            return Err((Some(last_idx), PlanError::WrongClasses { node, output, classes }));
        }
        if let Some(idx) = (0..last_idx).find(|&idx| !self.used[idx + 1]) {
            return Err((Some(idx), PlanError::Unused { node: label(idx) }));
        }
        if self.graph.tensors.is_empty() {
            return Err((None, PlanError::NoParameters));
        }
        self.place_running();
        self.graph.logits = last.value;
        Ok(())
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

    fn flat_input(&self, input: &Source) -> Result<usize, PlanError> {
        match input.shape {
            Shape::Flat(n) => Ok(n),
            Shape::Map(_) => {
                let (node, from) = (self.label.clone(), input.name.clone());
                Err(PlanError::NeedsFlat { node, from, input: input.shape })
            }
        }
    }

    /// Rows and columns of the input with its padding must hold the window.
    fn check_window(
        &self,
        window: Window,
        input: Shape,
        padding: Pair,
        padded: Pair,
    ) -> Result<(), PlanError> {
        let (Window { kernel, dilation, .. }, extent) = (window, window.extent());
        if extent.h <= padded.h && extent.w <= padded.w {
            return Ok(());
        }
        Err(PlanError::KernelTooLarge { node: self.label.clone(), kernel, dilation, input, padding, padded })
    }

    /// The product must not exceed `max`.
    fn check_size(&self, what: &'static str, factors: &[usize], max: usize) -> Result<(), PlanError> {
        check_size(&self.label, what, factors, max)
    }
}

fn check_size(node: &str, what: &'static str, factors: &[usize], max: usize) -> Result<(), PlanError> {
    let product = factors.iter().fold(1u128, |product, &n| product.saturating_mul(n as u128));
    if product > max as u128 {
        return Err(PlanError::TooLarge { node: node.into(), what, n: product, max });
    }
    Ok(())
}
