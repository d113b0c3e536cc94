//! One operation backward.

use std::ops::Range;

use lanes::{Lane, Scalar};

use super::Pass;
use crate::arena::Arena;
use crate::gradient::{GroupGradient, Sum};
use crate::graph::Layer;
use crate::layers::linear::Linear;
use crate::layers::winograd_conv2d::{Gradients, WeightGradients, WinogradConv2d};
use crate::layers::{add, channels, global_avg_pool, leaky_relu, multiply};
use crate::layout::Layout;
use crate::plan::{GradientPlace, GradientUse, PlannedOp};
use crate::workspace::OpScratch;
use crate::{Scratch, Workspace};

/// Gradients of an operation's parameters and inputs; of a batch normalization those of the parameters alone.
pub(crate) fn run<V: Lane>(
    op_idx: usize,
    pass: &Pass<'_, V::Scalar>,
    stage: usize,
    (workspace, scratch): (&mut Workspace<V>, &mut Scratch<V>),
    gradient: &mut GroupGradient<'_, V>,
) {
    let planned = &pass.plan.ops[op_idx];
    let layout = &pass.plan.training;
    let op = &planned.op;
    let (x, dy) = (&layout.values[op.inputs[0]], &layout.gradients[op.output]);
    let mut arena = Arena { kept: &mut workspace.arena, passing: &mut scratch.passing };
    match &op.layer {
        Layer::LeakyRelu { slope, in_place: true } => {
            if planned.input_gradients[0] != GradientUse::Unneeded {
                let [x, dy] = arena.disjoint([x, dy]);
                leaky_relu::backward(V::Scalar::from_f64(*slope), x, dy);
            }
        }
        Layer::Add => add(planned, layout, &mut arena),
        Layer::Concat => concat(planned, layout, &mut arena),
        Layer::BatchNorm2d(norm) => {
            let GradientPlace::Sums(sums) = &planned.place else { return };
            let [x, dy] = arena.disjoint([x, dy]);
            let of_batch = pass.statistics.before(stage);
            let to = gradient.sums[sums.clone()].split_at_mut(op.w.len());
            let parameters = (&pass.params[op.w.clone()], &pass.params[op.b.clone()]);
            let moments = (&of_batch.mean[..], &of_batch.inverse_std[..]);
            norm.backward_params(x, dy, parameters, moments, to, gradient.sum);
        }
        Layer::WinogradConv2d(conv) => {
            let work = (&mut arena, &mut scratch.operation);
            winograd_conv2d(conv, op_idx, planned, layout, pass.params, work, gradient);
        }
        Layer::RowConv2d(conv) => {
            parameters(op_idx, planned, layout, &mut arena, gradient);
            let sum = match planned.input_gradients[0] {
                GradientUse::Unneeded => return,
                GradientUse::Set => Sum::Set,
                GradientUse::Add => Sum::Add,
            };
            let [dy, dx] = arena.disjoint([dy, &layout.gradients[op.inputs[0]]]);
            conv.backward_input(&pass.params[op.w.clone()], dy, dx, sum);
        }
        _ => {
            let scratch = &mut scratch.operation;
            parameters(op_idx, planned, layout, &mut arena, gradient);
            inputs(op_idx, planned, layout, pass.params, (&mut arena, scratch));
        }
    }
}

/// The gradient of a batch normalization's input, once the whole batch has given those of its parameters.
pub(crate) fn finish_batch_norm<V: Lane>(
    op_idx: usize,
    pass: &Pass<'_, V::Scalar>,
    stage: usize,
    workspace: &mut Workspace<V>,
    scratch: &mut Scratch<V>,
) {
    let planned = &pass.plan.ops[op_idx];
    let (layout, op) = (&pass.plan.training, &planned.op);
    let Layer::BatchNorm2d(norm) = &op.layer else { return };
    let parameters = (&pass.params[op.w.clone()], &pass.params[op.b.clone()]);
    let batch = pass.statistics.before(stage).batch();
    let Workspace { arena, live, .. } = workspace;
    let mut arena = Arena { kept: arena, passing: &mut scratch.passing };
    with_place(op_idx, planned, layout, 0, &mut arena, |arena, dx| {
        let (x, dy) = (&layout.values[op.inputs[0]], &layout.gradients[op.output]);
        let [x, dy, dx] = arena.disjoint([x, dy, dx]);
        norm.backward_input((x, dy), parameters, &batch, *live, dx);
    });
}

/// What the gradient of a layer's parameters needs: to the shard's sums, or on the tape.
fn parameters<V: Lane>(
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    arena: &mut Arena<'_, V>,
    gradient: &mut GroupGradient<'_, V>,
) {
    let op = &planned.op;
    let (x, dy) = (&layout.values[op.inputs[0]], &layout.gradients[op.output]);
    let sums = match &planned.place {
        GradientPlace::None => return,
        GradientPlace::Tape(place) => {
            let [x, dy] = arena.disjoint([x, dy]);
            return Linear::record(x, dy, *place, gradient.tape);
        }
        GradientPlace::Sums(sums) => sums.clone(),
    };
    let [x, dy, kept] = arena.disjoint([x, dy, &layout.kept[op_idx]]);
    let (dw, db) = gradient.sums[sums].split_at_mut(op.w.len());
    match &op.layer {
        Layer::Conv2d(conv) => conv.backward_params(x, dy, dw, db, gradient.sum),
        Layer::RowConv2d(conv) => conv.backward_params(x, dy, dw, db, gradient.sum),
        Layer::ChannelAffine(affine) => affine.backward_params(x, dy, dw, db, gradient.sum),
        Layer::GroupNorm(norm) => norm.backward_params(x, dy, kept, dw, db, gradient.sum),
        _ => unreachable!("the others have no sums or are above"),
    }
}

/// The gradients of parameters and input at once.
fn winograd_conv2d<V: Lane>(
    conv: &WinogradConv2d,
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    params: &[V::Scalar],
    (arena, scratch): (&mut Arena<'_, V>, &mut OpScratch<V>),
    gradient: &mut GroupGradient<'_, V>,
) {
    let op = &planned.op;
    let (x, dy, w) = (&layout.values[op.inputs[0]], &layout.gradients[op.output], &params[op.w.clone()]);
    let weights = match &planned.place {
        GradientPlace::Sums(sums) => {
            let (dw, db) = gradient.sums[sums.clone()].split_at_mut(op.w.len());
            Some(WeightGradients { dw, db, sum: gradient.sum })
        }
        _ => None,
    };
    if planned.input_gradients[0] == GradientUse::Unneeded {
        let [x, dy] = arena.disjoint([x, dy]);
        return conv.backward((x, dy), w, Gradients { dx: None, weights }, scratch);
    }
    with_place(op_idx, planned, layout, 0, arena, |arena, dx| {
        let [x, dy, dx] = arena.disjoint([x, dy, dx]);
        conv.backward((x, dy), w, Gradients { dx: Some(dx), weights }, scratch);
    });
}

/// The gradients of all inputs that need one.
fn inputs<V: Lane>(
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    params: &[V::Scalar],
    (arena, scratch): (&mut Arena<'_, V>, &mut OpScratch<V>),
) {
    for input_idx in 0..planned.op.inputs.len() {
        with_place(op_idx, planned, layout, input_idx, arena, |arena, to| {
            input(op_idx, planned, layout, params, (arena, scratch), (input_idx, to));
        });
    }
}

/// Lets `write` put the gradient of an input to a range of the arena: its own place, or one from which it is added to
/// what other readers have given.
fn with_place<V: Lane>(
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    input_idx: usize,
    arena: &mut Arena<'_, V>,
    write: impl FnOnce(&mut Arena<'_, V>, &Range<usize>),
) {
    let place = &layout.gradients[planned.op.inputs[input_idx]];
    match planned.input_gradients[input_idx] {
        GradientUse::Unneeded => {}
        GradientUse::Set => write(arena, place),
        GradientUse::Add => {
            let start = layout.added[op_idx].start;
            let added = start..start + place.len();
            write(arena, &added);
            let [added, dx] = arena.disjoint([&added, place]);
            add::add_to(added, dx);
        }
    }
}

/// Writes the gradient of one input to the range `dx` of the arena.
fn input<V: Lane>(
    op_idx: usize,
    planned: &PlannedOp,
    layout: &Layout,
    params: &[V::Scalar],
    (arena, scratch): (&mut Arena<'_, V>, &mut OpScratch<V>),
    (input_idx, dx): (usize, &Range<usize>),
) {
    let op = &planned.op;
    let dy = &layout.gradients[op.output];
    if let Layer::Multiply { plane } = op.layer {
        let other = &layout.values[op.inputs[1 - input_idx]];
        let [other, dy, dx] = arena.disjoint([other, dy, dx]);
        return match (plane, input_idx) {
            (1, _) => multiply::backward(other, dy, dx),
            (_, 0) => multiply::backward_broadcast_map(plane, other, dy, dx),
            _ => multiply::backward_broadcast_channel(plane, other, dy, dx),
        };
    }
    let w = &params[op.w.clone()];
    let (x, y) = (&layout.values[op.inputs[0]], &layout.values[op.output]);
    let kept = &layout.kept[op_idx];
    if op.layer.reads_inputs_backward() {
        if let Layer::Activation(activation) = op.layer {
            let [x, y, dy, dx] = arena.disjoint([x, y, dy, dx]);
            return activation.backward(x, y, dy, dx);
        }
        let [x, dy, kept, dx] = arena.disjoint([x, dy, kept, dx]);
        return match &op.layer {
            Layer::Conv2d(conv) => conv.backward_input(w, dy, dx, scratch),
            Layer::Linear(linear) => linear.backward_input(w, dy, dx),
            Layer::Rbf(rbf) => rbf.backward(x, dy, dx),
            Layer::GroupNorm(norm) => norm.backward_input(x, w, dy, kept, dx),
            Layer::ChannelAffine(affine) => affine.backward_input(w, dy, dx),
            Layer::LeakyRelu { slope, .. } => {
                dx.copy_from_slice(dy);
                leaky_relu::backward(V::Scalar::from_f64(*slope), x, dx);
            }
            _ => unreachable!("the others are above or do not read their input"),
        };
    }
    let [dy, kept, dx] = arena.disjoint([dy, kept, dx]);
    match &op.layer {
        Layer::Dropout(dropout) => dropout.backward(kept, dy, dx),
        Layer::MaxPool2d(pool) => pool.backward(dy, kept, dx),
        Layer::GatedMaxPool2d(pool) => pool.backward(dy, kept, dx),
        Layer::AvgPool2d(pool) => pool.backward(dy, dx),
        Layer::GlobalAvgPool { plane } => global_avg_pool::backward(*plane, dy, dx),
        Layer::Pad(pad) => pad.backward(dy, dx),
        Layer::Select { from, plane } => channels::select_backward(from, *plane, dy, dx),
        _ => unreachable!("the others are above"),
    }
}

fn add<V: Lane>(planned: &PlannedOp, layout: &Layout, arena: &mut Arena<'_, V>) {
    let dy = &layout.gradients[planned.op.output];
    for (&input, &use_of) in planned.op.inputs.iter().zip(&planned.input_gradients) {
        give(dy, &layout.gradients[input], use_of, arena);
    }
}

fn concat<V: Lane>(planned: &PlannedOp, layout: &Layout, arena: &mut Arena<'_, V>) {
    let mut start = layout.gradients[planned.op.output].start;
    for (&input, &use_of) in planned.op.inputs.iter().zip(&planned.input_gradients) {
        let end = start + layout.values[input].len();
        give(&(start..end), &layout.gradients[input], use_of, arena);
        start = end;
    }
}

/// dx becomes dy, or gets it added.
fn give<V: Lane>(dy: &Range<usize>, dx: &Range<usize>, use_of: GradientUse, arena: &mut Arena<'_, V>) {
    match use_of {
        GradientUse::Unneeded => {}
        // It may have the same place.
        GradientUse::Set if dx == dy => {}
        GradientUse::Set => arena.copy(dy, dx),
        GradientUse::Add => {
            let [dy, dx] = arena.disjoint([dy, dx]);
            add::add_to(dy, dx);
        }
    }
}
