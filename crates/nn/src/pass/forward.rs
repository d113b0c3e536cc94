//! One operation forward.

use std::ops::Range;

use lanes::{Lane, Scalar};

use super::Pass;
use crate::arena::Arena;
use crate::graph::Layer;
use crate::layers::batch_norm2d::BatchNorm2d;
use crate::layers::{add, channels, global_avg_pool, leaky_relu, multiply};
use crate::layout::Layout;
use crate::plan::PlannedOp;
use crate::workspace::OpScratch;
use crate::{Plan, Scratch, Workspace};

/// An operation in a training pass.
pub(crate) fn train<V: Lane>(
    op_idx: usize,
    pass: &Pass<'_, V::Scalar>,
    stage: usize,
    workspace: &mut Workspace<V>,
    scratch: &mut Scratch<V>,
) {
    let planned = &pass.plan.ops[op_idx];
    let layout = &pass.plan.training;
    let op = &planned.op;
    let (input, output) = (&layout.values[op.inputs[0]], &layout.values[op.output]);
    let Workspace { arena, streams, live, .. } = workspace;
    let mut arena = Arena { kept: arena, passing: &mut scratch.passing };
    match &op.layer {
        Layer::BatchNorm2d(norm) => {
            let (other, output) = places_of_norm(op_idx, norm, pass.plan, layout);
            let [x, other, y] = arena.disjoint([input, other, output]);
            let parameters = (&pass.params[op.w.clone()], &pass.params[op.b.clone()]);
            let of_batch = pass.statistics.before(stage);
            norm.forward((x, other), parameters, (&of_batch.mean, &of_batch.inverse_std), *live, y);
        }
        Layer::Add if pass.plan.is_done(op_idx) => {}
        Layer::Dropout(dropout) => {
            let [x, y, mask] = arena.disjoint([input, output, &layout.kept[op_idx]]);
            dropout.draw(streams, mask);
            dropout.forward(x, mask, y);
        }
        _ => run(op_idx, planned, layout, pass.params, (&mut arena, &mut scratch.operation)),
    }
}

/// An operation as in use after training.
pub(crate) fn infer<V: Lane>(op_idx: usize, plan: &Plan, params: &[V::Scalar], workspace: &mut Workspace<V>) {
    let (planned, layout) = (&plan.ops[op_idx], &plan.inference);
    let op = &planned.op;
    let (input, output) = (&layout.values[op.inputs[0]], &layout.values[op.output]);
    let Workspace { arena, scratch, .. } = workspace;
    let mut arena = Arena { kept: arena, passing: &mut [] };
    match &op.layer {
        Layer::BatchNorm2d(norm) => {
            let (other, output) = places_of_norm(op_idx, norm, plan, layout);
            let [x, other, y] = arena.disjoint([input, other, output]);
            norm.forward_running((x, other), (&params[op.w.clone()], &params[op.b.clone()]), params, y);
        }
        Layer::Add if plan.is_done(op_idx) => {}
        Layer::Dropout(_) => arena.copy(input, output),
        _ => {
            let scratch = scratch.as_mut().expect("a workspace for inference has scratch");
            run(op_idx, planned, layout, params, (&mut arena, scratch));
        }
    }
}

/// Where a batch normalization finds what it adds, empty if that is nothing, and where its result goes.
fn places_of_norm<'a>(
    op_idx: usize,
    norm: &BatchNorm2d,
    plan: &Plan,
    layout: &'a Layout,
) -> (&'a Range<usize>, &'a Range<usize>) {
    let output = plan.ops[op_idx].op.output;
    if !norm.adds {
        return (&(0..0), &layout.values[output]);
    }
    let sum = &plan.ops[op_idx + 1].op;
    let other = if sum.inputs[0] == output { sum.inputs[1] } else { sum.inputs[0] };
    (&layout.values[other], &layout.values[sum.output])
}

/// What a batch normalization must know of the group before it can begin.
pub(crate) fn gather_moments<V: Lane>(planned: &PlannedOp, layout: &Layout, workspace: &mut Workspace<V>) {
    let Layer::BatchNorm2d(norm) = &planned.op.layer else { return };
    let Workspace { arena, live, n_live, moments, .. } = workspace;
    norm.moments(&arena[layout.values[planned.op.inputs[0]].clone()], *live, *n_live, moments);
}

/// The layers that are the same in training and after it.
fn run<V: Lane>(
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    params: &[V::Scalar],
    (arena, scratch): (&mut Arena<'_, V>, &mut OpScratch<V>),
) {
    let op = &planned.op;
    let (input, output) = (&layout.values[op.inputs[0]], &layout.values[op.output]);
    if let Layer::LeakyRelu { slope, in_place: true } = op.layer {
        return leaky_relu::forward(V::Scalar::from_f64(slope), arena.get(output));
    }
    if op.inputs.len() > 1 {
        return merge(planned, layout, arena);
    }
    let [x, y, kept] = arena.disjoint([input, output, &layout.kept[op_idx]]);
    let (w, b) = (&params[op.w.clone()], &params[op.b.clone()]);
    match &op.layer {
        Layer::Conv2d(conv) => conv.forward(x, w, b, y, scratch),
        Layer::WinogradConv2d(conv) => conv.forward(x, w, b, y, scratch),
        Layer::RowConv2d(conv) => conv.forward(x, w, b, y),
        Layer::Linear(linear) => linear.forward(x, w, b, y),
        Layer::Rbf(rbf) => rbf.forward(x, y),
        Layer::GroupNorm(norm) => norm.forward(x, w, b, y, kept),
        Layer::ChannelAffine(affine) => affine.forward(x, w, b, y),
        Layer::LeakyRelu { slope, .. } => {
            y.copy_from_slice(x);
            leaky_relu::forward(V::Scalar::from_f64(*slope), y);
        }
        Layer::Activation(activation) => activation.forward(x, y),
        Layer::MaxPool2d(pool) => pool.forward(x, y, kept),
        Layer::GatedMaxPool2d(pool) => pool.forward(x, y, kept),
        Layer::AvgPool2d(pool) => pool.forward(x, y),
        Layer::GlobalAvgPool { plane } => global_avg_pool::forward(*plane, x, y),
        Layer::Pad(pad) => pad.forward(x, y),
        Layer::Select { from, plane } => channels::select(from, *plane, x, y),
        Layer::BatchNorm2d(_) | Layer::Dropout(_) => unreachable!("differ in training and after it"),
        Layer::Add | Layer::Multiply { .. } | Layer::Concat => unreachable!("have several inputs"),
    }
}

/// Operations of several inputs.
fn merge<V: Lane>(planned: &PlannedOp, layout: &Layout, arena: &mut Arena<'_, V>) {
    let op = &planned.op;
    let output = &layout.values[op.output];
    let input = |i: usize| &layout.values[op.inputs[i]];
    match op.layer {
        Layer::Multiply { plane } => {
            let [a, b, y] = arena.disjoint([input(0), input(1), output]);
            if plane == 1 { multiply::forward(a, b, y) } else { multiply::forward_broadcast(plane, a, b, y) }
        }
        Layer::Concat => {
            let mut start = output.start;
            for i in 0..op.inputs.len() {
                let end = start + input(i).len();
                arena.copy(input(i), &(start..end));
                start = end;
            }
        }
        _ => {
            // A value that is added to itself is one buffer, not two.
            let n_summed = if op.inputs[0] == op.inputs[1] {
                arena.copy(input(0), output);
                1
            } else {
                let [a, b, y] = arena.disjoint([input(0), input(1), output]);
                add::sum(a, b, y);
                2
            };
            for i in n_summed..op.inputs.len() {
                let [x, y] = arena.disjoint([input(i), output]);
                add::add_to(x, y);
            }
        }
    }
}
