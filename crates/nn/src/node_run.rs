//! One node of a network alone, again and again: what it takes to measure its speed.

use std::{iter, slice};

use lanes::{Lane, Scalar};
use rand_core::Rng;
use spec::Seed;

use crate::arena::Arena;
use crate::graph::Layer;
use crate::pass::{Pass, backward, forward};
use crate::plan::{GradientUse, PlannedOp};
use crate::{BatchStatistics, Chunk, Mode, Plan, Scratch, ShardGradient, Workspace};

/// A node of a network with all that its operations read and write, filled with random numbers.
///
/// Its buffers are those that it has in the network, so what is shared or written over there is so here.
#[derive(Debug)]
pub struct NodeRun<'a, V: Lane> {
    plan: &'a Plan,
    params: &'a [V::Scalar],
    /// Indices of its operations, in their order.
    ops: Vec<usize>,
    /// Pieces of its parameters.
    chunks: Vec<Chunk>,
    statistics: BatchStatistics<V::Scalar>,
    inference: Workspace<V>,
    training: Workspace<V>,
    scratch: Scratch<V>,
    shards: Vec<ShardGradient<V>>,
    gradient: Vec<V::Scalar>,
}

/// What a node has to do at least for one lane group, in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Dense multiply-adds of one sample.
    pub multiply_adds: u64,
    /// Bytes read and written.
    ///
    /// Forward each input and each parameter is read once and the output is written; backward the output's gradient, the
    /// parameters and, where the gradients depend on them, the inputs are read once and the inputs' gradients are
    /// written, unless they are the output's, as a sum's may be. What an implementation reads again or keeps for later does not count.
    pub n_moved: usize,
    /// Bytes of memory that these take, fewer where the output takes the place of the input.
    pub n_held: usize,
}

impl Plan {
    /// Whether node `idx` computes anything: a flatten does not, nor does a rectifier or sum that is part of another node's work.
    pub fn has_work(&self, idx: usize) -> bool {
        self.ops.iter().any(|planned| planned.op.node == idx)
    }

    /// Of node `idx`, forward.
    pub fn forward_work<V: Lane>(&self, idx: usize) -> Work {
        let [inputs, output, params] = self.node_bytes::<V>(idx);
        let n_moved = inputs + output + params;
        let n_held = if self.is_in_place(idx) { output + params } else { n_moved };
        Work { multiply_adds: self.summary()[idx].multiply_adds, n_moved, n_held }
    }

    /// Of node `idx`, backward.
    pub fn backward_work<V: Lane>(&self, idx: usize) -> Work {
        let [inputs, output, params] = self.node_bytes::<V>(idx);
        let gradients = &self.training.gradients;
        let d_output = self.node_ops(idx).last().map(|last| &gradients[last.op.output]);
        // Those of a sum may be its output's, in the same place.
        let is_written = |input: usize, use_of| {
            use_of != GradientUse::Unneeded && (Some(&gradients[input]) != d_output || self.is_in_place(idx))
        };
        let d_inputs = self.external_inputs(idx, is_written) * size_of::<V>();
        let mut work = Work { multiply_adds: 0, n_moved: output + params + d_inputs, n_held: 0 };
        let mut read = 0;
        for planned in self.node_ops(idx) {
            work.multiply_adds += planned.backward_multiply_adds();
            if planned.op.layer.reads_inputs_backward() {
                read += planned.op.inputs.iter().map(|&v| self.training.values[v].len()).sum::<usize>();
            }
        }
        // Operations inside of a block may read copies of the same inputs.
        work.n_moved += inputs.min(read * size_of::<V>());
        work.n_held = work.n_moved - if self.is_in_place(idx) { d_inputs } else { 0 };
        work
    }

    fn node_ops(&self, idx: usize) -> impl Iterator<Item = &PlannedOp> {
        self.ops.iter().filter(move |planned| planned.op.node == idx)
    }

    /// Bytes of the inputs of a node, of its output and of its parameters.
    fn node_bytes<V: Lane>(&self, idx: usize) -> [usize; 3] {
        let n_inputs = self.external_inputs(idx, |_, _| true);
        let n_outputs =
            self.node_ops(idx).last().map_or(0, |last| self.training.values[last.op.output].len());
        let n_params: usize = self.node_ops(idx).map(|planned| planned.op.w.len() + planned.op.b.len()).sum();
        [n_inputs * size_of::<V>(), n_outputs * size_of::<V>(), n_params * size_of::<V::Scalar>()]
    }

    /// Values of the inputs that come from other nodes, of those that count, by their number and the use of their gradient.
    fn external_inputs(&self, idx: usize, counts: impl Fn(usize, GradientUse) -> bool) -> usize {
        let mut known = Vec::new();
        let mut n_values = 0;
        for PlannedOp { op, input_gradients, .. } in self.node_ops(idx) {
            for (&input, &use_of) in op.inputs.iter().zip(input_gradients) {
                if !known.contains(&input) && counts(input, use_of) {
                    n_values += self.training.values[input].len();
                    known.push(input);
                }
            }
            known.push(op.output);
        }
        n_values
    }

    fn is_in_place(&self, idx: usize) -> bool {
        self.node_ops(idx).any(|planned| planned.op.inputs[0] == planned.op.output)
    }
}

impl<'a, V: Lane> NodeRun<'a, V> {
    /// Node `idx`, for batches of `n_groups` lane groups, each a shard of its own. `params` are the plan's parameters and
    /// running statistics.
    pub fn new(plan: &'a Plan, params: &'a [V::Scalar], idx: usize, n_groups: usize) -> Self {
        let ops: Vec<_> = (0..plan.ops.len()).filter(|&op| plan.ops[op].op.node == idx).collect();
        let is_own = |chunk: &Chunk| {
            ops.iter().any(|&op| {
                let op = &plan.ops[op].op;
                op.w.contains(&chunk.range().start) || op.b.contains(&chunk.range().start)
            })
        };
        let mut shard = ShardGradient::new(plan, 1);
        shard.reset(1);
        let mut run = Self {
            plan,
            params,
            chunks: plan.chunks().into_iter().filter(is_own).collect(),
            ops,
            statistics: BatchStatistics::new(plan),
            inference: Workspace::new(plan, Mode::Inference),
            training: Workspace::new(plan, Mode::Training),
            scratch: Scratch::new(plan),
            shards: vec![shard; n_groups],
            gradient: vec![V::Scalar::ZERO; plan.n_parameters()],
        };
        run.fill();
        run
    }

    /// Random numbers everywhere, then what the backward pass needs of the forward one.
    fn fill(&mut self) {
        let mut random = Seed(1).stream("node");
        let streams = Seed(1).stream("dropout/1");
        self.training.set_streams(&streams, 0..V::LANES as u64);
        for arena in [&mut self.inference.arena, &mut self.training.arena, &mut self.scratch.passing] {
            uniform(&mut random, V::as_scalars_mut(arena));
        }
        self.forward();
        for &op in &self.ops {
            let place = self.plan.training.gradients[self.plan.ops[op].op.output].clone();
            let mut arena = Arena { kept: &mut self.training.arena, passing: &mut self.scratch.passing };
            uniform(&mut random, V::as_scalars_mut(arena.get(&place)));
        }
        self.backward(0);
    }

    /// A lane group as in use after training.
    pub fn infer(&mut self) {
        for &op in &self.ops {
            forward::infer(op, self.plan, self.params, &mut self.inference);
        }
    }

    /// A lane group forward in training.
    pub fn forward(&mut self) {
        let Self { plan, params, .. } = *self;
        for &op in &self.ops {
            let stage = plan.stage_of(op);
            if matches!(plan.ops[op].op.layer, Layer::BatchNorm2d(_)) {
                forward::gather_moments(&plan.ops[op], &plan.training, &mut self.training);
                self.statistics.gather_forward(plan, stage - 1, iter::once(&self.training));
            }
            let pass = Pass { plan, params, statistics: &self.statistics };
            forward::train(op, &pass, stage, &mut self.training, &mut self.scratch);
        }
    }

    /// Lane group `group_idx` of a batch backward, after [`NodeRun::forward`].
    pub fn backward(&mut self, group_idx: usize) {
        let Self { plan, params, .. } = *self;
        for &op in self.ops.iter().rev() {
            let stage = plan.stage_of(op);
            let pass = Pass { plan, params, statistics: &self.statistics };
            let mut gradient = self.shards[group_idx].group(0);
            backward::run(op, &pass, stage, (&mut self.training, &mut self.scratch), &mut gradient);
            if matches!(plan.ops[op].op.layer, Layer::BatchNorm2d(_)) {
                self.statistics.gather_backward(plan, stage, slice::from_ref(&self.shards[group_idx]));
                let pass = Pass { plan, params, statistics: &self.statistics };
                backward::finish_batch_norm(op, &pass, stage, &mut self.training, &mut self.scratch);
            }
        }
    }

    /// The gradient of the node's parameters over the lane groups of a batch.
    pub fn gather(&mut self) {
        for chunk in &self.chunks {
            chunk.gather(&self.shards, &mut self.gradient[chunk.range()]);
        }
    }
}

/// Numbers in ±1.
fn uniform<S: Scalar>(random: &mut impl Rng, to: &mut [S]) {
    to.fill_with(|| S::from_f64(f64::from(random.next_u32()) * 2f64.powi(-31) - 1.0));
}
