//! A network as operations on numbered values, and what can be simplified there.

use std::ops::Range;

use crate::layers::conv2d::Conv2d;
use crate::layers::linear::Linear;
use crate::layers::max_pool2d::MaxPool2d;
use crate::layers::pad::Pad;
use crate::{LayerSummary, Tensor};

/// One operation, on values by number. Value 0 is the picture.
#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) layer: Layer,
    pub(crate) inputs: Vec<usize>,
    /// Equal to the only input where the operation writes over it.
    pub(crate) output: usize,
    /// Where its weights lie among all parameters, and its biases behind them; empty where it has none.
    pub(crate) w: Range<usize>,
    pub(crate) b: Range<usize>,
}

/// What an operation computes, with its geometry.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    Conv2d(Conv2d),
    Pad(Pad),
    MaxPool2d(MaxPool2d),
    LeakyRelu { slope: f64, in_place: bool },
    Linear(Linear),
    Add,
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

impl Graph {
    /// A rectifier before a max pooling gives the same when it comes after, on fewer values: both keep order.
    ///
    /// Exact, but for two values of one window that differ and become equal by rounding when multiplied with the
    /// slope: then it is the larger one that wins here, and the first elsewhere.
    pub(crate) fn rectify_after_pooling(&mut self) {
        for i in 0..self.ops.len() {
            let after = self.ops[i].output;
            let Layer::LeakyRelu { slope, .. } = self.ops[i].layer else { continue };
            let mut readers = (i + 1..self.ops.len()).filter(|&j| self.ops[j].inputs.contains(&after));
            let (Some(j), None) = (readers.next(), readers.next()) else { continue };
            if slope < 0.0 || !matches!(self.ops[j].layer, Layer::MaxPool2d(_)) {
                continue;
            }
            // i: before → after, j: after → pooled. The value `after` becomes the pooled one, not yet rectified.
            self.values[after] = self.values[self.ops[j].output];
            let rectifier = Layer::LeakyRelu { slope, in_place: false };
            self.ops[i].layer = std::mem::replace(&mut self.ops[j].layer, rectifier);
        }
    }

    /// Lets a rectifier write over its input where nobody else reads that and the picture is not concerned.
    pub(crate) fn rectify_in_place(&mut self) {
        for i in 0..self.ops.len() {
            let (input, output) = (self.ops[i].inputs[0], self.ops[i].output);
            let n_readers = self.ops.iter().filter(|op| op.inputs.contains(&input)).count();
            match &mut self.ops[i].layer {
                Layer::LeakyRelu { slope, in_place } if *slope >= 0.0 && n_readers == 1 && input != 0 => {
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
