//! A network as operations on numbered values, and what can be simplified there.

use std::ops::Range;

use crate::layers::activation::Activation;
use crate::layers::avg_pool2d::AvgPool2d;
use crate::layers::batch_norm2d::BatchNorm2d;
use crate::layers::channel_affine::ChannelAffine;
use crate::layers::conv2d::Conv2d;
use crate::layers::dropout::Dropout;
use crate::layers::gated_max_pool2d::GatedMaxPool2d;
use crate::layers::group_norm::GroupNorm;
use crate::layers::linear::Linear;
use crate::layers::max_pool2d::MaxPool2d;
use crate::layers::pad::Pad;
use crate::layers::rbf::Rbf;
use crate::layers::row_conv2d::RowConv2d;
use crate::layers::winograd_conv2d::WinogradConv2d;
use crate::{LayerSummary, Tensor};

/// One operation, on values by number. Value 0 is the picture.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    /// The node of the network that it belongs to.
    pub(crate) node: usize,
    pub(crate) layer: Layer,
    pub(crate) inputs: Vec<usize>,
    /// Equal to the only input where the operation writes over it; not written where the next operation's is
    /// ([`BatchNorm2d::adds`]).
    pub(crate) output: usize,
    /// Where its weights lie among all parameters, and its biases; empty where it has none.
    pub(crate) w: Range<usize>,
    pub(crate) b: Range<usize>,
}

/// What an operation computes, with its geometry.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    Conv2d(Conv2d),
    RowConv2d(RowConv2d),
    WinogradConv2d(WinogradConv2d),
    Linear(Linear),
    Rbf(Rbf),
    BatchNorm2d(BatchNorm2d),
    GroupNorm(GroupNorm),
    ChannelAffine(ChannelAffine),
    Dropout(Dropout),
    LeakyRelu {
        slope: f64,
        in_place: bool,
    },
    Activation(Activation),
    MaxPool2d(MaxPool2d),
    GatedMaxPool2d(GatedMaxPool2d),
    AvgPool2d(AvgPool2d),
    /// Mean of each channel's `plane` values.
    GlobalAvgPool {
        plane: usize,
    },
    Pad(Pad),
    /// Channel `i` of the output is channel `from[i]` of the input.
    Select {
        from: Vec<usize>,
        plane: usize,
    },
    /// Sum of all inputs; done by the operation before it if that [adds](BatchNorm2d::adds).
    Add,
    /// Product of two inputs; the second has one value for each channel of `plane` values of the first, or as many
    /// values where `plane` is 1.
    Multiply {
        plane: usize,
    },
    Concat,
}

impl Layer {
    /// Dense multiply-adds of one sample's forward pass, of the layers whose time they make up.
    pub(crate) fn multiply_adds(&self) -> u64 {
        match self {
            Layer::Conv2d(conv) => conv.multiply_adds(),
            Layer::RowConv2d(conv) => conv.multiply_adds(),
            Layer::WinogradConv2d(conv) => conv.multiply_adds(),
            Layer::Linear(linear) => linear.multiply_adds(),
            Layer::Rbf(rbf) => rbf.codes.len() as u64,
            _ => 0,
        }
    }

    /// Whether the backward pass reads the value of the inputs.
    pub(crate) fn reads_inputs_backward(&self) -> bool {
        match self {
            Layer::Conv2d(_)
            | Layer::RowConv2d(_)
            | Layer::WinogradConv2d(_)
            | Layer::Linear(_)
            | Layer::Rbf(_)
            | Layer::BatchNorm2d(_)
            | Layer::GroupNorm(_)
            | Layer::ChannelAffine(_)
            | Layer::LeakyRelu { .. }
            | Layer::Activation(_)
            | Layer::Multiply { .. } => true,
            Layer::Dropout(_)
            | Layer::MaxPool2d(_)
            | Layer::GatedMaxPool2d(_)
            | Layer::AvgPool2d(_)
            | Layer::GlobalAvgPool { .. }
            | Layer::Pad(_)
            | Layer::Select { .. }
            | Layer::Add
            | Layer::Concat => false,
        }
    }

    /// Whether it does the next operation, a sum, as well, and writes that one's output instead of its own.
    pub(crate) fn adds(&self) -> bool {
        matches!(self, Layer::BatchNorm2d(norm) if norm.adds)
    }

    /// Whether the backward pass reads the value of the output, which then nobody may write over.
    pub(crate) fn reads_output_backward(&self) -> bool {
        matches!(self, Layer::Activation(_))
    }
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
    /// The value that each node gives, as long as nothing is simplified.
    pub(crate) node_values: Vec<usize>,
}

impl Graph {
    /// An increasing function before a max pooling gives the same when it comes after, on fewer values: both keep order.
    ///
    /// Exact, but for two values of one window that differ and become equal by rounding in the function: then it is the
    /// larger one that wins here, and the first elsewhere.
    pub(crate) fn activate_after_pooling(&mut self) {
        for i in 0..self.ops.len() {
            let is_increasing = match self.ops[i].layer {
                Layer::LeakyRelu { slope, .. } => slope >= 0.0,
                Layer::Activation(activation) => activation.is_increasing(),
                _ => false,
            };
            let Some((j, _)) = self.pooling_of(i) else { continue };
            if !is_increasing {
                continue;
            }
            // i: before → after, j: after → pooled. The value `after` becomes the pooled one, before the function.
            let after = self.ops[i].output;
            self.values[after] = self.values[self.ops[j].output];
            let (first, second) = self.ops.split_at_mut(j);
            std::mem::swap(&mut first[i].layer, &mut second[0].layer);
            std::mem::swap(&mut first[i].node, &mut second[0].node);
        }
    }

    /// Makes an activation that falls before it rises part of the max pooling behind it.
    pub(crate) fn activate_in_pooling(&mut self) {
        let mut i = 0;
        while i < self.ops.len() {
            let fused = match (&self.ops[i].layer, self.pooling_of(i)) {
                (Layer::Activation(activation), Some((j, pool))) => {
                    GatedMaxPool2d::new(*activation, pool).map(|fused| (j, fused))
                }
                _ => None,
            };
            match fused {
                Some((j, fused)) => {
                    self.ops[j].layer = Layer::GatedMaxPool2d(fused);
                    self.ops[j].inputs = self.ops[i].inputs.clone();
                    self.ops.remove(i);
                }
                None => i += 1,
            }
        }
    }

    /// The max pooling that alone reads what operation `i` gives.
    fn pooling_of(&self, i: usize) -> Option<(usize, MaxPool2d)> {
        let mut readers =
            (i + 1..self.ops.len()).filter(|&j| self.ops[j].inputs.contains(&self.ops[i].output));
        match (readers.next(), readers.next()) {
            (Some(j), None) => match self.ops[j].layer {
                Layer::MaxPool2d(pool) => Some((j, pool)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Makes a rectifier that alone reads a batch normalization a part of it, where it sees the side of a value from the
    /// value before: slopes of 0 and more.
    pub(crate) fn rectify_in_batch_norm(&mut self) {
        for i in (0..self.ops.len()).rev() {
            let before = self.ops[i].inputs[0];
            let Layer::LeakyRelu { slope, .. } = self.ops[i].layer else { continue };
            let n_readers = self.ops.iter().filter(|op| op.inputs.contains(&before)).count();
            let Some(writer) = self.ops.iter().position(|op| op.output == before) else { continue };
            if slope < 0.0 || n_readers > 1 {
                continue;
            }
            if let Layer::BatchNorm2d(norm) = &mut self.ops[writer].layer {
                norm.rectifier = Some(slope);
                self.ops[writer].output = self.ops[i].output;
                self.ops.remove(i);
            }
        }
    }

    /// Lets a batch normalization do the sum of two directly behind it as well, as around a skip, where nobody else reads
    /// what it gives: that then never goes to memory. The two must stay neighbors.
    pub(crate) fn add_in_batch_norm(&mut self) {
        for i in 1..self.ops.len() {
            let Op { inputs: from, output, .. } = &self.ops[i - 1];
            let is_summand = |input: &&usize| *input == output;
            let n_readers = self.ops.iter().flat_map(|op| &op.inputs).filter(is_summand).count();
            let is_read_once = n_readers == 1 && *output != self.logits;
            let inputs = &self.ops[i].inputs;
            let is_sum_of_two = inputs.len() == 2 && inputs.contains(output) && !inputs.contains(&from[0]);
            let (before, behind) = self.ops.split_at_mut(i);
            let (normalization, sum) = (&mut before[i - 1], &mut behind[0]);
            if let (Layer::BatchNorm2d(norm), Layer::Add) = (&mut normalization.layer, &sum.layer)
                && is_read_once
                && is_sum_of_two
            {
                norm.adds = true;
                sum.node = normalization.node;
            }
        }
    }

    /// Lets a rectifier write over its input where nobody else needs that and the picture is not concerned.
    pub(crate) fn rectify_in_place(&mut self) {
        for i in 0..self.ops.len() {
            let (input, output) = (self.ops[i].inputs[0], self.ops[i].output);
            let n_readers = self.ops.iter().filter(|op| op.inputs.contains(&input)).count();
            let kept = |op: &Op| op.output == input && op.layer.reads_output_backward();
            let free = n_readers == 1 && input != 0 && !self.ops.iter().any(kept);
            match &mut self.ops[i].layer {
                Layer::LeakyRelu { slope, in_place } if *slope >= 0.0 && free => {
                    *in_place = true;
                    self.rename(output, input);
                }
                _ => {}
            }
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
