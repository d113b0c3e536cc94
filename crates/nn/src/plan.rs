//! The resolved network: operations, parameters and places in memory. Immutable; threads share it.

use std::ops::Range;

use lanes::GROUP;
use spec::NetworkSpec;

use crate::graph::{Graph, Layer, Op};
use crate::layers::batch_norm2d::BatchNorm2d;
use crate::layers::linear::TapePlace;
use crate::layers::winograd_conv2d::WinogradConv2d;
use crate::layout::{Layout, inference_layout, stage_of, training_layout};
use crate::params::Init;
use crate::{PlanError, Shape};

/// A network ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) ops: Vec<PlannedOp>,
    /// Vectors that a lane group leaves for the gradient of the linear layers.
    pub(crate) tape_len: usize,
    /// Parameters whose gradients are summed in each shard.
    pub(crate) n_sums: usize,
    /// The operations from one look at the whole batch to the next; each stage but the first begins with a batch
    /// normalization.
    pub(crate) stages: Vec<Range<usize>>,
    pub(crate) logits: usize,
    pub(crate) training: Layout,
    pub(crate) inference: Layout,
    tensors: Vec<Tensor>,
    rows: Vec<LayerSummary>,
    input: [usize; 3],
    classes: usize,
}

/// A named parameter tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// As PyTorch's state dict names it: `conv.0.weight`.
    pub name: String,
    /// Its dimensions, outermost first: `[OC, C, KH, KW]`, `[O, I]` or `[O]`.
    pub dims: Vec<usize>,
    /// Where it lies among all parameters.
    pub range: Range<usize>,
    /// Its initial values.
    pub init: Init,
    /// Whether it is a parameter; running statistics, which come last, are not.
    pub learned: bool,
}

/// One row of a network's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSummary {
    /// The node's name.
    pub name: String,
    /// What it computes.
    pub layer: &'static str,
    /// Shape of one sample's output.
    pub output: Shape,
    /// Number of parameters.
    pub parameters: usize,
    /// Multiply-adds of one sample's forward pass.
    pub multiply_adds: u64,
}

/// An operation with what the backward pass must know.
#[derive(Clone, Debug)]
pub(crate) struct PlannedOp {
    pub(crate) op: Op,
    /// For each input, what becomes of its gradient.
    pub(crate) input_gradients: Vec<GradientUse>,
    /// Where a lane group leaves what the gradient of its parameters needs.
    pub(crate) place: GradientPlace,
}

/// Where the gradient of an operation's parameters comes from.
#[derive(Clone, Debug)]
pub(crate) enum GradientPlace {
    /// It has no parameters.
    None,
    /// Weights, then biases, in the sums of a shard.
    Sums(Range<usize>),
    /// On the tape of each lane group.
    Tape(TapePlace),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GradientUse {
    /// Nothing behind it learns.
    Unneeded,
    /// This operation is the first to give one.
    Set,
    /// Another reader of the value has given one before.
    Add,
}

impl PlannedOp {
    /// Dense multiply-adds of one sample's backward pass.
    pub(crate) fn backward_multiply_adds(&self) -> u64 {
        let n_inputs = self.input_gradients.iter().filter(|&&g| g != GradientUse::Unneeded).count();
        let with_parameters = u64::from(!self.op.w.is_empty());
        self.op.layer.multiply_adds() * (with_parameters + n_inputs as u64)
    }

    /// The inputs of which the output's gradient, as it is, is the first part: those of a sum.
    pub(crate) fn passed_on(&self) -> impl Iterator<Item = usize> {
        let inputs = &self.op.inputs;
        let is_first = |idx: &usize| self.input_gradients[*idx] == GradientUse::Set;
        let is_single = |idx: &usize| inputs.iter().filter(|&&input| input == inputs[*idx]).count() == 1;
        let n = if matches!(self.op.layer, Layer::Add) { inputs.len() } else { 0 };
        (0..n).filter(is_first).filter(is_single).map(|idx| inputs[idx])
    }
}

impl Plan {
    /// Resolves shapes and checks that everything fits; every mistake that a network can contain ends here.
    pub fn compile(spec: &NetworkSpec) -> Result<Plan, PlanError> {
        Self::build(spec, false)
    }

    /// As [`Plan::compile`], with gradients of the picture too (for checks and for saliency).
    pub fn with_input_gradient(spec: &NetworkSpec) -> Result<Plan, PlanError> {
        Self::build(spec, true)
    }

    fn build(spec: &NetworkSpec, input_gradient: bool) -> Result<Plan, PlanError> {
        spec.validate()?;
        let mut graph = Graph::build(spec).map_err(|misfit| misfit.error)?;
        graph.activate_after_pooling();
        graph.activate_in_pooling();
        graph.rectify_in_batch_norm();
        graph.rectify_in_place();
        // The last, as it needs the values' final names, and operations that keep their neighbors.
        graph.add_in_batch_norm();
        Self::of_graph(spec, graph, input_gradient)
    }

    /// From operations to places in memory.
    pub(crate) fn of_graph(
        spec: &NetworkSpec,
        graph: Graph,
        input_gradient: bool,
    ) -> Result<Plan, PlanError> {
        let learns = learning_values(&graph, input_gradient);
        let mut ops = plan_gradients(&graph, &learns);
        let (tape_len, n_sums) = place_gradients(&mut ops);
        let stages = stages(&ops);
        let training = training_layout(&graph, &ops, &stages, &learns);
        let inference = inference_layout(&graph);
        check_memory("activations", training.len + training.passing_len, 64)?;
        check_memory("gradients", graph.tensors.last().map_or(0, |tensor| tensor.range.end), 4)?;
        let (n_scalars, n_vectors) = n_scratch(&ops);
        // What a thread knows of filters takes as much again.
        check_memory("scratch", n_scalars / 8 + n_vectors, 64)?;
        Ok(Plan {
            stages,
            ops,
            tape_len,
            n_sums,
            logits: graph.logits,
            training,
            inference,
            tensors: graph.tensors,
            rows: graph.rows,
            input: spec.input,
            classes: spec.classes,
        })
    }

    /// Channels, rows and columns of one sample.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The parameter tensors, in the order in which they lie in memory.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Number of parameters.
    pub fn n_parameters(&self) -> usize {
        self.tensors.iter().filter(|tensor| tensor.learned).map(|tensor| tensor.range.len()).sum()
    }

    /// Number of parameters and running statistics.
    pub fn n_values(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.range.end)
    }

    /// Parts into which a training pass is cut by layers that look at the whole batch: 1 without such layers.
    pub fn n_stages(&self) -> usize {
        self.stages.len()
    }

    /// Whether a training pass draws random numbers.
    pub fn is_random(&self) -> bool {
        self.ops.iter().any(|planned| matches!(planned.op.layer, Layer::Dropout(_)))
    }

    /// Bytes of 32-bit activations that are alive at once at most while one sample goes forward: four for each number that
    /// an operation reads or writes, or that a later one reads, the picture among them. Borders, rectifiers and sums count
    /// as the engine computes them: a border is a copy, a rectifier works in place, and a batch normalization does the sum of
    /// two behind it.
    pub fn activation_bytes(&self) -> usize {
        self.inference.peak * 4
    }

    /// Bytes that one lane group of sixteen 32-bit lanes keeps in training from stage to stage.
    pub fn training_bytes(&self) -> usize {
        self.training.len * 64
    }

    /// Bytes that one lane group of sixteen 32-bit lanes leaves for the gradient of the linear layers.
    pub fn tape_bytes(&self) -> usize {
        self.tape_len * 64
    }

    /// Bytes of the 32-bit sums that a shard has for the gradient of all other layers.
    pub fn sum_bytes(&self) -> usize {
        self.n_sums * 4
    }

    /// The batch normalizations, in the order of the stages that they begin.
    pub(crate) fn batch_norms(&self) -> impl Iterator<Item = (&PlannedOp, &BatchNorm2d)> {
        self.ops.iter().filter_map(|planned| match &planned.op.layer {
            Layer::BatchNorm2d(norm) => Some((planned, norm)),
            _ => None,
        })
    }

    /// The convolutions that go by tiles.
    pub(crate) fn tiled_convolutions(&self) -> impl Iterator<Item = &WinogradConv2d> + Clone {
        self.ops.iter().filter_map(|planned| match &planned.op.layer {
            Layer::WinogradConv2d(conv) => Some(conv),
            _ => None,
        })
    }

    /// One row for each node of the network.
    pub fn summary(&self) -> &[LayerSummary] {
        &self.rows
    }

    /// Whether the operation before has done this one, a sum, as well.
    pub(crate) fn is_done(&self, op: usize) -> bool {
        op > 0 && self.ops[op - 1].op.layer.adds()
    }

    /// Dense multiply-adds of one sample's forward pass.
    pub fn multiply_adds(&self) -> u64 {
        self.rows.iter().map(|row| row.multiply_adds).sum()
    }

    /// Dense multiply-adds of one sample's training step: forward, gradients of the parameters, and gradients
    /// of the inputs where they are needed (not those of the picture).
    pub fn training_multiply_adds(&self) -> u64 {
        let with_gradients =
            |planned: &PlannedOp| planned.op.layer.multiply_adds() + planned.backward_multiply_adds();
        self.ops.iter().map(with_gradients).sum()
    }

    /// The stage to which an operation belongs.
    pub(crate) fn stage_of(&self, op_idx: usize) -> usize {
        stage_of(&self.stages, op_idx)
    }

    /// Numbers and vectors of scratch that a pass needs.
    pub(crate) fn n_scratch(&self) -> (usize, usize) {
        n_scratch(&self.ops)
    }
}

fn n_scratch(ops: &[PlannedOp]) -> (usize, usize) {
    let needed = |planned: &PlannedOp| match &planned.op.layer {
        Layer::Conv2d(conv) => (conv.n_scalars(), conv.n_by_position()),
        Layer::WinogradConv2d(conv) => (conv.n_scalars(), conv.n_vectors()),
        _ => (0, 0),
    };
    let most = |(a, b): (usize, usize), (c, d): (usize, usize)| (a.max(c), b.max(d));
    ops.iter().map(needed).fold((0, 0), most)
}

/// Cut before every batch normalization.
fn stages(ops: &[PlannedOp]) -> Vec<Range<usize>> {
    let is_norm = |&i: &usize| matches!(ops[i].op.layer, Layer::BatchNorm2d(_));
    let starts: Vec<_> = [0].into_iter().chain((0..ops.len()).filter(is_norm)).collect();
    let ends = starts[1..].iter().copied().chain([ops.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// More than this for one thread is refused: 2 GiB.
const MAX_MIB: usize = 2048;

fn check_memory(what: &'static str, n: usize, size: usize) -> Result<(), PlanError> {
    let mib = n.saturating_mul(size) >> 20;
    if mib > MAX_MIB { Err(PlanError::OutOfMemory { what, mib, max_mib: MAX_MIB }) } else { Ok(()) }
}

/// The values that depend on a parameter, which alone need a gradient.
fn learning_values(graph: &Graph, picture: bool) -> Vec<bool> {
    let mut learns = vec![false; graph.values.len()];
    learns[0] = picture;
    for op in &graph.ops {
        learns[op.output] |= !op.w.is_empty() || op.inputs.iter().any(|&input| learns[input]);
    }
    learns
}

/// Which gradients the backward pass computes.
fn plan_gradients(graph: &Graph, learns: &[bool]) -> Vec<PlannedOp> {
    let mut has_gradient = vec![false; graph.values.len()];
    let mut planned = Vec::new();
    for op in graph.ops.iter().rev() {
        let mut input_gradients = Vec::new();
        for &input in &op.inputs {
            let in_place = input == op.output;
            input_gradients.push(match (learns[input], has_gradient[input] && !in_place) {
                (false, _) => GradientUse::Unneeded,
                (true, false) => GradientUse::Set,
                (true, true) => GradientUse::Add,
            });
            has_gradient[input] = true;
        }
        planned.push(PlannedOp { op: op.clone(), input_gradients, place: GradientPlace::None });
    }
    planned.reverse();
    planned
}

/// Gives every layer with parameters its place; returns the lengths of a lane group's tape and of a shard's sums.
fn place_gradients(ops: &mut [PlannedOp]) -> (usize, usize) {
    let (mut tape_len, mut n_sums) = (0, 0);
    for planned in ops {
        let n_parameters = planned.op.w.len() + planned.op.b.len();
        planned.place = match &planned.op.layer {
            Layer::Linear(linear) => {
                let place =
                    TapePlace { x: tape_len, dy: tape_len + linear.in_features.next_multiple_of(GROUP) };
                tape_len = place.dy + linear.out_features;
                GradientPlace::Tape(place)
            }
            _ if n_parameters > 0 => {
                let start = n_sums;
                n_sums += n_parameters;
                GradientPlace::Sums(start..n_sums)
            }
            _ => GradientPlace::None,
        };
    }
    (tape_len, n_sums)
}
