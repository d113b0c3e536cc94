//! One lane group, forward and backward through the whole network.

use std::ops::Range;

use lanes::{Lane, Scalar};

use crate::gradient::GroupGradient;
use crate::graph::Layer;
use crate::layers::linear::Linear;
use crate::layers::{add, leaky_relu};
use crate::layout::Layout;
use crate::loss::{Tally, cross_entropy};
use crate::plan::{GradientPlace, GradientUse, PlannedOp};
use crate::workspace::layout;
use crate::{Mode, Plan, ShardGradient, Workspace};

/// The logits of the pictures in the workspace's input; see [`Workspace::logits`].
///
/// `params` are the plan's parameters. Lanes without a sample may hold anything finite.
pub fn forward<V: Lane>(plan: &Plan, params: &[V::Scalar], workspace: &mut Workspace<V>) {
    let layout = layout(plan, workspace.mode);
    for (op_idx, planned) in plan.ops.iter().enumerate() {
        forward_op(op_idx, planned, layout, params, workspace);
    }
}

/// Loss and correct predictions of the pictures in the workspace, without gradients.
///
/// `labels` has one class for each live lane; the lanes behind it are dead.
pub fn evaluate_group<V: Lane>(
    plan: &Plan,
    params: &[V::Scalar],
    labels: &[u8],
    workspace: &mut Workspace<V>,
) -> Tally {
    forward(plan, params, workspace);
    cross_entropy(workspace.logits(plan), labels, V::Scalar::ZERO, None)
}

/// Loss, correct predictions and gradients of the pictures in the workspace.
///
/// `labels` has one class for each live lane; dead lanes add nothing. `gradient` gets that of `weight` · Σ loss over
/// the live lanes; with weight = 1 / batch the sum over all groups of a batch is the gradient of the mean loss. Panics
/// if the workspace is not for training, or the shard has no room for one more group.
pub fn train_group<V: Lane>(
    plan: &Plan,
    params: &[V::Scalar],
    labels: &[u8],
    weight: V::Scalar,
    workspace: &mut Workspace<V>,
    gradient: &mut ShardGradient<V>,
) -> Tally {
    assert_eq!(workspace.mode, Mode::Training, "the workspace is not for training");
    forward(plan, params, workspace);
    let layout = &plan.training;
    let logits = layout.values[plan.logits].clone();
    let [logits, d_logits] = disjoint(&mut workspace.arena, [&logits, &layout.gradients[plan.logits]]);
    let loss = cross_entropy(logits, labels, weight, Some(d_logits));
    let mut gradient = gradient.next_group();
    for (op_idx, planned) in plan.ops.iter().enumerate().rev() {
        backward_op(op_idx, planned, layout, params, workspace, &mut gradient);
    }
    loss
}

fn forward_op<V: Lane>(
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    params: &[V::Scalar],
    workspace: &mut Workspace<V>,
) {
    let op = &planned.op;
    let Workspace { arena, scratch, .. } = workspace;
    let (input, output) = (&layout.values[op.inputs[0]], &layout.values[op.output]);
    if let Layer::LeakyRelu { slope, in_place: true } = op.layer {
        return leaky_relu::forward(V::Scalar::from_f64(slope), &mut arena[output.clone()]);
    }
    let [x, y, kept] = disjoint(arena, [input, output, &layout.kept[op_idx]]);
    let (w, b) = (&params[op.w.clone()], &params[op.b.clone()]);
    match &op.layer {
        Layer::Conv2d(conv) => conv.forward(x, w, b, y, scratch),
        Layer::Linear(linear) => linear.forward(x, w, b, y),
        Layer::MaxPool2d(pool) => pool.forward(x, y, kept),
        Layer::Pad(pad) => pad.forward(x, y),
        Layer::LeakyRelu { slope, .. } => {
            y.copy_from_slice(x);
            leaky_relu::forward(V::Scalar::from_f64(*slope), y);
        }
        Layer::Add => {
            y.copy_from_slice(x);
            for &other in &op.inputs[1..] {
                let [x, y] = disjoint(arena, [&layout.values[other], output]);
                add::add_to(x, y);
            }
        }
    }
}

fn backward_op<V: Lane>(
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    params: &[V::Scalar],
    workspace: &mut Workspace<V>,
    gradient: &mut GroupGradient<'_, V>,
) {
    let op = &planned.op;
    let arena = &mut workspace.arena;
    let (x, dy) = (&layout.values[op.inputs[0]], &layout.gradients[op.output]);
    if let Layer::LeakyRelu { slope, in_place: true } = op.layer {
        if planned.input_gradients[0] != GradientUse::Unneeded {
            let [x, dy] = disjoint(arena, [x, dy]);
            leaky_relu::backward(V::Scalar::from_f64(slope), x, dy);
        }
        return;
    }
    match &planned.place {
        GradientPlace::None => {}
        place => {
            let [x, dy] = disjoint(arena, [x, dy]);
            backward_params(&op.layer, place, x, dy, gradient);
        }
    }
    if let Layer::Add = op.layer {
        return backward_add(planned, layout, arena);
    }
    let dx = &layout.gradients[op.inputs[0]];
    match planned.input_gradients[0] {
        GradientUse::Unneeded => {}
        GradientUse::Set => backward_input(op_idx, planned, layout, params, workspace, dx),
        GradientUse::Add => {
            backward_input(op_idx, planned, layout, params, workspace, &layout.added[op_idx]);
            let [added, dx] = disjoint(&mut workspace.arena, [&layout.added[op_idx], dx]);
            add::add_to(added, dx);
        }
    }
}

/// Writes the gradient of the operation's input to the range `dx` of the arena.
fn backward_input<V: Lane>(
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    params: &[V::Scalar],
    workspace: &mut Workspace<V>,
    dx: &Range<usize>,
) {
    let op = &planned.op;
    let Workspace { arena, scratch, .. } = workspace;
    let (x, dy) = (&layout.values[op.inputs[0]], &layout.gradients[op.output]);
    let w = &params[op.w.clone()];
    match &op.layer {
        Layer::Conv2d(conv) => {
            let [dy, dx, by_position] = disjoint(arena, [dy, dx, &layout.scratch[op_idx]]);
            conv.backward_input(w, dy, dx, scratch, by_position);
        }
        Layer::Linear(linear) => {
            let [dy, dx] = disjoint(arena, [dy, dx]);
            linear.backward_input(w, dy, dx);
        }
        Layer::MaxPool2d(pool) => {
            let [dy, winner, dx] = disjoint(arena, [dy, &layout.kept[op_idx], dx]);
            pool.backward(dy, winner, dx);
        }
        Layer::Pad(pad) => {
            let [dy, dx] = disjoint(arena, [dy, dx]);
            pad.backward(dy, dx);
        }
        Layer::LeakyRelu { slope, .. } => {
            let [x, dy, dx] = disjoint(arena, [x, dy, dx]);
            dx.copy_from_slice(dy);
            leaky_relu::backward(V::Scalar::from_f64(*slope), x, dx);
        }
        Layer::Add => {}
    }
}

fn backward_add<V: Lane>(planned: &PlannedOp, layout: &Layout, arena: &mut [V]) {
    for (&input, &use_of) in planned.op.inputs.iter().zip(&planned.input_gradients) {
        let [dy, dx] = disjoint(arena, [&layout.gradients[planned.op.output], &layout.gradients[input]]);
        match use_of {
            GradientUse::Unneeded => {}
            GradientUse::Set => dx.copy_from_slice(dy),
            GradientUse::Add => add::add_to(dy, dx),
        }
    }
}

/// The ranges of the arena, which the plan has made disjoint.
fn disjoint<'a, V, const N: usize>(arena: &'a mut [V], ranges: [&Range<usize>; N]) -> [&'a mut [V]; N] {
    arena.get_disjoint_mut(ranges.map(Range::clone)).expect("the plan's buffers do not overlap")
}

/// What the gradient of a layer's parameters needs: to the shard's sums, or on the tape.
fn backward_params<V: Lane>(
    layer: &Layer,
    place: &GradientPlace,
    x: &[V],
    dy: &[V],
    gradient: &mut GroupGradient<'_, V>,
) {
    match (layer, place) {
        (Layer::Conv2d(conv), GradientPlace::Sums(sums)) => {
            let (dw, db) = gradient.sums[sums.clone()].split_at_mut(conv.n_weights());
            conv.backward_params(x, dy, dw, db, gradient.sum);
        }
        (Layer::Linear(_), GradientPlace::Tape(place)) => Linear::record(x, dy, *place, gradient.tape),
        _ => unreachable!("only these layers have parameters"),
    }
}
