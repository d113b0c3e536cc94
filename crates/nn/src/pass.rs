//! One lane group, forward and backward through the network.
//!
//! Layers that look at the whole batch cut a training pass into stages. All groups of a batch go through one stage, then
//! [`BatchStatistics`] takes stock, then they go through the next; a network without such layers has one stage, and each
//! group goes through all of it at once.

pub(crate) mod backward;
pub(crate) mod forward;

use lanes::{Lane, Scalar};

use crate::arena::Arena;
use crate::loss::{Loss, Prediction, Tally, Targets, compute, predict};
use crate::workspace::layout;
use crate::{BatchStatistics, Mode, Plan, Scratch, ShardGradient, Workspace};

/// The logits of the pictures in the workspace's input, as in use after training; see [`Workspace::logits`].
///
/// `params` are the plan's parameters and running statistics. Lanes without a sample may hold anything finite. Panics if
/// the workspace is for training.
pub fn forward<V: Lane>(plan: &Plan, params: &[V::Scalar], workspace: &mut Workspace<V>) {
    assert_eq!(workspace.mode, Mode::Inference, "the workspace is not for inference");
    for op_idx in 0..plan.ops.len() {
        forward::infer(op_idx, plan, params, workspace);
    }
}

/// Loss and correct predictions of the pictures in the workspace, without gradients, and what is said of each.
///
/// `labels` has one class for each live lane; the lanes behind it are dead. `predictions` has at least as many places.
pub fn evaluate_group<V: Lane>(
    plan: &Plan,
    params: &[V::Scalar],
    loss: &Loss<V::Scalar>,
    (labels, predictions): (&[u8], &mut [Prediction]),
    workspace: &mut Workspace<V>,
) -> Tally {
    forward(plan, params, workspace);
    predict(loss, workspace.logits(plan), labels, predictions)
}

/// A training pass over one batch: what all of its lane groups read.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a, S> {
    /// The network.
    pub plan: &'a Plan,
    /// Its parameters and running statistics.
    pub params: &'a [S],
    /// What the batch's groups share, as far as the stages before have gathered it.
    pub statistics: &'a BatchStatistics<S>,
}

impl<S: Scalar> Pass<'_, S> {
    /// One stage forward. The first reads the pictures in the workspace's input.
    ///
    /// The workspace, which must be for training, is the group's own from the first stage forward to the last one
    /// backward; the scratch is that of whoever calls. Before the first stage [`Workspace::set_live`] and, if [`Plan::is_random`],
    /// [`Workspace::set_streams`] must have told of its samples.
    pub fn forward_stage<V: Lane<Scalar = S>>(
        &self,
        stage: usize,
        workspace: &mut Workspace<V>,
        scratch: &mut Scratch<V>,
    ) {
        assert_eq!(workspace.mode, Mode::Training, "the workspace is not for training");
        let plan = self.plan;
        for op_idx in plan.stages[stage].clone() {
            forward::train(op_idx, self, stage, workspace, scratch);
        }
        if let Some(next) = plan.stages.get(stage + 1) {
            forward::gather_moments(&plan.ops[next.start], &plan.training, workspace);
        }
    }

    /// Loss and correct predictions after the last stage forward; leaves the logits' gradient of `weight` · Σ loss in the
    /// workspace. With weight = 1 / Σ [`Loss::sample_weight`] over a batch, the gradients of its groups add up to that of
    /// the mean loss.
    pub fn loss<V: Lane<Scalar = S>>(
        &self,
        loss: &Loss<S>,
        targets: Targets<'_, S>,
        weight: S,
        workspace: &mut Workspace<V>,
    ) -> Tally {
        let layout = layout(self.plan, Mode::Training);
        let (z, dz) = (&layout.values[self.plan.logits], &layout.gradients[self.plan.logits]);
        let mut arena = Arena { kept: &mut workspace.arena, passing: &mut [] };
        let [logits, d_logits] = arena.disjoint([z, dz]);
        compute(loss, logits, targets, weight, Some(d_logits))
    }

    /// One stage backward, the last first. The gradient of the parameters goes to the shard, in which this is lane group
    /// `group_idx`; dead lanes add nothing.
    pub fn backward_stage<V: Lane<Scalar = S>>(
        &self,
        stage: usize,
        group_idx: usize,
        (workspace, scratch): (&mut Workspace<V>, &mut Scratch<V>),
        gradient: &mut ShardGradient<V>,
    ) {
        let plan = self.plan;
        if let Some(after) = plan.stages.get(stage + 1) {
            backward::finish_batch_norm(after.start, self, stage + 1, workspace, scratch);
        }
        let ops = plan.stages[stage].clone();
        for op_idx in ops.clone().filter(|&op| plan.training.is_repeated(op)) {
            forward::train(op_idx, self, stage, workspace, scratch);
        }
        let mut gradient = gradient.group(group_idx);
        for op_idx in ops.rev() {
            backward::run(op_idx, self, stage, (workspace, scratch), &mut gradient);
        }
    }

    /// All of it for a group of a network of one stage.
    pub fn run<V: Lane<Scalar = S>>(
        &self,
        (loss, targets, weight): (&Loss<S>, Targets<'_, S>, S),
        group_idx: usize,
        (workspace, scratch): (&mut Workspace<V>, &mut Scratch<V>),
        gradient: &mut ShardGradient<V>,
    ) -> Tally {
        assert_eq!(self.plan.n_stages(), 1, "the whole batch is looked at in between");
        self.forward_stage(0, workspace, scratch);
        let tally = self.loss(loss, targets, weight, workspace);
        self.backward_stage(0, group_idx, (workspace, scratch), gradient);
        tally
    }
}
