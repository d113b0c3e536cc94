//! Layers that are one operation, with the border before it.

use spec::{
    BatchNorm2dSpec, Conv2dSpec, GroupNormSpec, LayerNormSpec, LayerSpec, LinearSpec, PadSpec, Pair,
    PoolSpec, RbfSpec,
};

use super::{Builder, Built, MAX_ACTIVATION, MAX_WEIGHTS, NO_PARAMETERS, Node, Parameters, Source};
use crate::graph::Layer;
use crate::layers::activation::Activation;
use crate::layers::avg_pool2d::AvgPool2d;
use crate::layers::batch_norm2d::BatchNorm2d;
use crate::layers::conv2d::{Conv2d, Window};
use crate::layers::dropout::Dropout;
use crate::layers::group_norm::{Affine, GroupNorm};
use crate::layers::linear::Linear;
use crate::layers::max_pool2d::MaxPool2d;
use crate::layers::pad::Pad;
use crate::layers::rbf::Rbf;
use crate::layers::row_conv2d::RowConv2d;
use crate::layers::winograd_conv2d::WinogradConv2d;
use crate::{PlanError, Shape};

/// Pairs of a tap and a position of one channel at most, for the tables of all convolutions: 128 MiB.
const MAX_TAPS: usize = 1 << 24;
/// What an empty list of such pairs takes, counted in pairs.
const LIST_LEN: usize = 3;

impl Builder {
    pub(super) fn conv2d(&mut self, node: &Node<'_>, conv: &Conv2dSpec, input: &Source) -> Built {
        let Conv2dSpec { out_channels, kernel, stride, padding, dilation, groups, bias } = *conv;
        let [c, height, width] = node.map_input(input)?;
        if !c.is_multiple_of(groups) {
            let (node, n) = (node.label.clone(), groups);
            return Err(PlanError::Groups { node, n, from: input.name.clone(), channels: c });
        }
        let window = Window { kernel, stride, dilation };
        let padded = Pair::new(height + 2 * padding.h, width + 2 * padding.w);
        node.check_size("padded input", &[c, padded.h, padded.w], MAX_ACTIVATION)?;
        node.check_window(window, input.shape, padding, padded)?;
        let out = window.out_size(padded.h, padded.w);
        let shape = [out_channels, out.h, out.w];
        self.check_convolution(node, (window, padded.h * padded.w), shape, 1)?;
        let dims = vec![out_channels, c / groups, kernel.h, kernel.w];
        node.check_size("number of weights", &dims, MAX_WEIGHTS)?;
        if RowConv2d::suits(conv) {
            let parameters = self.weights(node.name, dims, bias);
            let channels = c / groups;
            let layer = Layer::RowConv2d(RowConv2d { groups, channels, height, width, kernel, padding });
            return Ok(self.map_op(layer, input.value, shape, parameters));
        }
        if let Some(winograd) = WinogradConv2d::suited(conv, [c, height, width]) {
            let parameters = self.weights(node.name, dims, bias);
            return Ok(self.map_op(Layer::WinogradConv2d(winograd), input.value, shape, parameters));
        }
        let from = self.bordered(node, padding, 0.0, input)?;
        let parameters = self.weights(node.name, dims, bias);
        let layer = Layer::Conv2d(Conv2d::new([c, padded.h, padded.w], out_channels, groups, window));
        Ok(self.map_op(layer, from, shape, parameters))
    }

    pub(super) fn linear(&mut self, node: &Node<'_>, linear: &LinearSpec, input: &Source) -> Built {
        let in_features = node.flat_input(input)?;
        let out_features = linear.out_features;
        node.check_size("number of weights", &[out_features, in_features], MAX_WEIGHTS)?;
        let parameters = self.weights(node.name, vec![out_features, in_features], linear.bias);
        Ok((self.linear_op(input.value, in_features, out_features, parameters), Shape::Flat(out_features)))
    }

    pub(super) fn linear_op(
        &mut self,
        from: usize,
        in_features: usize,
        out_features: usize,
        parameters: Parameters,
    ) -> usize {
        self.op(Layer::Linear(Linear { in_features, out_features }), vec![from], out_features, parameters)
    }

    pub(super) fn rbf(&mut self, node: &Node<'_>, rbf: &RbfSpec, input: &Source) -> Built {
        let n_inputs = node.flat_input(input)?;
        let codes = rbf.signs();
        if codes[0].len() != n_inputs {
            let (node, from) = (node.label.clone(), input.name.clone());
            return Err(PlanError::CodeLength { node, n_signs: codes[0].len(), from, n_inputs });
        }
        let layer = Layer::Rbf(Rbf { codes: codes.concat(), n_inputs });
        let n_outputs = codes.len();
        Ok((self.op(layer, vec![input.value], n_outputs, NO_PARAMETERS), Shape::Flat(n_outputs)))
    }

    pub(super) fn batch_norm2d(&mut self, node: &Node<'_>, norm: &BatchNorm2dSpec, input: &Source) -> Built {
        let [channels, height, width] = node.map_input(input)?;
        let parameters = self.affine(node.name, &[channels]);
        self.running.push((self.graph.ops.len(), node.name.into()));
        let layer = Layer::BatchNorm2d(BatchNorm2d {
            channels,
            plane: height * width,
            epsilon: norm.epsilon,
            momentum: norm.momentum,
            rectifier: None,
            adds: false,
            running_mean: 0..0,
            running_variance: 0..0,
        });
        Ok(self.same_shape(layer, input, parameters))
    }

    pub(super) fn layer_norm(&mut self, node: &Node<'_>, norm: &LayerNormSpec, input: &Source) -> Built {
        let parameters = self.affine(node.name, &input.shape.dims());
        let (channels, plane) = (1, input.shape.n_values());
        let (epsilon, affine) = (norm.epsilon, Affine::ByValue);
        let layer = Layer::GroupNorm(GroupNorm { groups: 1, channels, plane, epsilon, affine });
        Ok(self.same_shape(layer, input, parameters))
    }

    pub(super) fn group_norm(&mut self, node: &Node<'_>, norm: &GroupNormSpec, input: &Source) -> Built {
        let [channels, height, width] = node.map_input(input)?;
        let GroupNormSpec { groups, epsilon } = *norm;
        if !channels.is_multiple_of(groups) {
            let (node, from) = (node.label.clone(), input.name.clone());
            return Err(PlanError::Groups { node, n: groups, from, channels });
        }
        let parameters = self.affine(node.name, &[channels]);
        let (plane, affine) = (height * width, Affine::ByChannel);
        let layer = Layer::GroupNorm(GroupNorm { groups, channels, plane, epsilon, affine });
        Ok(self.same_shape(layer, input, parameters))
    }

    pub(super) fn dropout(&mut self, p: f64, input: &Source) -> (usize, Shape) {
        let n_masks = input.shape.n_values();
        self.same_shape(Layer::Dropout(Dropout { p, n_masks, plane: 1 }), input, NO_PARAMETERS)
    }

    pub(super) fn spatial_dropout(&mut self, node: &Node<'_>, p: f64, input: &Source) -> Built {
        let [channels, height, width] = node.map_input(input)?;
        let layer = Layer::Dropout(Dropout { p, n_masks: channels, plane: height * width });
        Ok(self.same_shape(layer, input, NO_PARAMETERS))
    }

    /// A function of one number; `layer` is one of them.
    pub(super) fn activation(&mut self, layer: &LayerSpec, input: &Source) -> (usize, Shape) {
        let rectifier = |slope| Layer::LeakyRelu { slope, in_place: false };
        let layer = match layer {
            LayerSpec::LeakyRelu(leaky) => rectifier(leaky.slope),
            LayerSpec::Sigmoid => Layer::Activation(Activation::Sigmoid),
            LayerSpec::Tanh => Layer::Activation(Activation::Tanh { amplitude: 1.0, slope: 1.0 }),
            LayerSpec::ScaledTanh(tanh) => {
                Layer::Activation(Activation::Tanh { amplitude: tanh.amplitude, slope: tanh.slope })
            }
            LayerSpec::Gelu => Layer::Activation(Activation::Gelu),
            LayerSpec::Silu => Layer::Activation(Activation::Silu),
            LayerSpec::HardSwish => Layer::Activation(Activation::HardSwish),
            _ => rectifier(0.0),
        };
        self.same_shape(layer, input, NO_PARAMETERS)
    }

    pub(super) fn max_pool2d(&mut self, node: &Node<'_>, pool: &PoolSpec, input: &Source) -> Built {
        let (from, shape, stride) = self.pooled(node, pool, input, f64::NEG_INFINITY)?;
        let pool = MaxPool2d::new(shape, pool.kernel, stride);
        let out = [shape[0], pool.out_height, pool.out_width];
        Ok(self.map_op(Layer::MaxPool2d(pool), from, out, NO_PARAMETERS))
    }

    pub(super) fn avg_pool2d(&mut self, node: &Node<'_>, pool: &PoolSpec, input: &Source) -> Built {
        let (from, shape, stride) = self.pooled(node, pool, input, 0.0)?;
        let scale = 1.0 / (pool.kernel.h * pool.kernel.w) as f64;
        let pool = AvgPool2d::new(shape, pool.kernel, stride, scale);
        let out = [shape[0], pool.out_height, pool.out_width];
        Ok(self.map_op(Layer::AvgPool2d(pool), from, out, NO_PARAMETERS))
    }

    /// The input of a pooling with its border, and the step.
    fn pooled(
        &mut self,
        node: &Node<'_>,
        pool: &PoolSpec,
        input: &Source,
        border: f64,
    ) -> Result<(usize, [usize; 3], Pair), PlanError> {
        let [c, height, width] = node.map_input(input)?;
        let PoolSpec { kernel, stride, padding } = *pool;
        let padded = Pair::new(height + 2 * padding.h, width + 2 * padding.w);
        node.check_size("padded input", &[c, padded.h, padded.w], MAX_ACTIVATION)?;
        node.check_window(Window::dense(kernel), input.shape, padding, padded)?;
        let from = self.bordered(node, padding, border, input)?;
        Ok((from, [c, padded.h, padded.w], stride.unwrap_or(kernel)))
    }

    pub(super) fn global_avg_pool(&mut self, node: &Node<'_>, input: &Source) -> Built {
        let [channels, height, width] = node.map_input(input)?;
        let layer = Layer::GlobalAvgPool { plane: height * width };
        Ok(self.map_op(layer, input.value, [channels, 1, 1], NO_PARAMETERS))
    }

    /// The input with a border.
    pub(super) fn pad(&mut self, node: &Node<'_>, pad: &PadSpec, input: &Source) -> Built {
        let [channels, height, width] = node.map_input(input)?;
        let PadSpec { top, bottom, left, right, value } = *pad;
        let pad = Pad { channels, height, width, top, bottom, left, right, value };
        let shape = pad.out_shape();
        node.check_size("padded input", &shape, MAX_ACTIVATION)?;
        Ok(self.map_op(Layer::Pad(pad), input.value, shape, NO_PARAMETERS))
    }

    /// The input with the same border on opposite sides.
    fn bordered(
        &mut self,
        node: &Node<'_>,
        padding: Pair,
        value: f64,
        input: &Source,
    ) -> Result<usize, PlanError> {
        if padding == Pair::square(0) {
            return Ok(input.value);
        }
        let Pair { h, w } = padding;
        Ok(self.pad(node, &PadSpec { top: h, bottom: h, left: w, right: w, value }, input)?.0)
    }

    /// An operation from one value to a map.
    pub(super) fn map_op(
        &mut self,
        layer: Layer,
        from: usize,
        shape: [usize; 3],
        parameters: Parameters,
    ) -> (usize, Shape) {
        let shape = Shape::Map(shape);
        (self.op(layer, vec![from], shape.n_values(), parameters), shape)
    }

    /// An operation that keeps the shape.
    pub(super) fn same_shape(
        &mut self,
        layer: Layer,
        input: &Source,
        parameters: Parameters,
    ) -> (usize, Shape) {
        (self.op(layer, vec![input.value], input.shape.n_values(), parameters), input.shape)
    }
}

impl Builder {
    /// Outputs and tables of a convolution are of sizes that somebody may mean, all tables together too: of each part of it
    /// pairs of a tap and a position of the output, and a list for each of the `plane` positions of its input, which kernels of
    /// 1 × 1 in steps of 1 do without.
    pub(super) fn check_convolution(
        &mut self,
        node: &Node<'_>,
        (window, plane): (Window, usize),
        out: [usize; 3],
        n_parts: usize,
    ) -> Result<(), PlanError> {
        let kernel = window.kernel;
        node.check_size("number of outputs", &out, MAX_ACTIVATION)?;
        node.check_size("kernel × output", &[kernel.h, kernel.w, out[1], out[2]], MAX_TAPS)?;
        let n_lists = if window.is_pointwise() { 0 } else { plane };
        let part = kernel.h * kernel.w * out[1] * out[2] + LIST_LEN * n_lists;
        node.check_size("table", &[n_parts, part], MAX_TAPS)?;
        self.n_taps += n_parts * part;
        node.check_size("tables of all convolutions so far", &[self.n_taps], MAX_TAPS)
    }
}
