//! Layers that are made of several operations.

use spec::{Pair, PartialConv2dSpec, SubsampleSpec};

use super::{Builder, Built, MAX_WEIGHTS, NO_PARAMETERS, Node, Source};
use crate::graph::Layer;
use crate::layers::activation::Activation;
use crate::layers::avg_pool2d::AvgPool2d;
use crate::layers::channel_affine::ChannelAffine;
use crate::layers::conv2d::{Conv2d, Window};
use crate::layers::row_conv2d::RowConv2d;
use crate::params::Init;
use crate::{PlanError, Shape};

impl Builder {
    /// For each run of filters with equally many channels: these channels one after the other, and a convolution with
    /// one filter a group. The weights are one tensor [connections, KH, KW], filter by filter.
    pub(super) fn partial_conv2d(
        &mut self,
        node: &Node<'_>,
        conv: &PartialConv2dSpec,
        input: &Source,
    ) -> Built {
        let PartialConv2dSpec { kernel, connections } = conv;
        let [c, height, width] = node.map_input(input)?;
        if let Some(&channel) = connections.iter().flatten().find(|&&channel| channel >= c) {
            let (node, from) = (node.label.clone(), input.name.clone());
            return Err(PlanError::NoSuchChannel { node, channel, from, channels: c });
        }
        let window = Window::dense(*kernel);
        node.check_window(window, input.shape, Pair::square(0), Pair::new(height, width))?;
        let out = window.out_size(height, width);
        let shape = [connections.len(), out.h, out.w];
        let n_parts = connections.chunk_by(|a, b| a.len() == b.len()).count();
        self.check_convolution(node, (window, height * width), shape, n_parts)?;
        let n_connections: usize = connections.iter().map(Vec::len).sum();
        node.check_size("selected input", &[n_connections, height, width], super::MAX_ACTIVATION)?;
        node.check_size("number of weights", &[n_connections, kernel.h, kernel.w], MAX_WEIGHTS)?;
        // Filters differ in their number of inputs; a tensor has one scale of initial values, that of their mean.
        let fan_in = (n_connections * kernel.h * kernel.w) as f64 / connections.len() as f64;
        let init = Init::Uniform { fan_in };
        let w = self.tensor(format!("{}.weight", node.name), vec![n_connections, kernel.h, kernel.w], init);
        let b = self.tensor(format!("{}.bias", node.name), vec![connections.len()], init);
        let (mut w_start, mut b_start) = (w.start, b.start);
        let mut parts = Vec::new();
        for run in connections.chunk_by(|a, b| a.len() == b.len()) {
            let from = run.concat();
            let (n_selected, n_filters) = (from.len(), run.len());
            let select = Layer::Select { from, plane: height * width };
            let selected = self.op(select, vec![input.value], n_selected * height * width, NO_PARAMETERS);
            let layer = filters(n_filters, [n_selected, height, width], window);
            let w = w_start..w_start + n_selected * kernel.h * kernel.w;
            let b = b_start..b_start + n_filters;
            (w_start, b_start) = (w.end, b.end);
            parts.push(self.op(layer, vec![selected], n_filters * out.h * out.w, (w, b)));
        }
        let value = match parts[..] {
            [only] => only,
            _ => self.op(Layer::Concat, parts, shape.iter().product(), NO_PARAMETERS),
        };
        Ok((value, Shape::Map(shape)))
    }

    /// The sum of each window, then a coefficient and a bias for each channel.
    pub(super) fn subsample(&mut self, node: &Node<'_>, subsample: &SubsampleSpec, input: &Source) -> Built {
        let [channels, height, width] = node.map_input(input)?;
        let kernel = subsample.kernel;
        node.check_window(Window::dense(kernel), input.shape, Pair::square(0), Pair::new(height, width))?;
        let init = Init::Uniform { fan_in: (kernel.h * kernel.w) as f64 };
        let w = self.tensor(format!("{}.weight", node.name), vec![channels], init);
        let b = self.tensor(format!("{}.bias", node.name), vec![channels], init);
        let pool = AvgPool2d::new([channels, height, width], kernel, kernel, 1.0);
        let shape = [channels, pool.out_height, pool.out_width];
        let (sums, _) = self.map_op(Layer::AvgPool2d(pool), input.value, shape, NO_PARAMETERS);
        let affine = ChannelAffine { channels, plane: shape[1] * shape[2] };
        Ok(self.map_op(Layer::ChannelAffine(affine), sums, shape, (w, b)))
    }

    /// Global mean → linear → relu → linear → sigmoid, which scales the channels. Hu et al. 2017 (arXiv 1709.01507).
    pub(super) fn squeeze_excite(&mut self, node: &Node<'_>, reduced: usize, input: &Source) -> Built {
        let [channels, height, width] = node.map_input(input)?;
        let plane = height * width;
        node.check_size("number of weights", &[channels, reduced], MAX_WEIGHTS)?;
        let first = self.weights(&format!("{}.0", node.name), vec![reduced, channels], true);
        let second = self.weights(&format!("{}.2", node.name), vec![channels, reduced], true);
        let means = self.op(Layer::GlobalAvgPool { plane }, vec![input.value], channels, NO_PARAMETERS);
        let squeezed = self.linear_op(means, channels, reduced, first);
        let relu = Layer::LeakyRelu { slope: 0.0, in_place: false };
        let squeezed = self.op(relu, vec![squeezed], reduced, NO_PARAMETERS);
        let excited = self.linear_op(squeezed, reduced, channels, second);
        let sigmoid = Layer::Activation(Activation::Sigmoid);
        let scales = self.op(sigmoid, vec![excited], channels, NO_PARAMETERS);
        let multiply = Layer::Multiply { plane };
        Ok((self.op(multiply, vec![input.value, scales], channels * plane, NO_PARAMETERS), input.shape))
    }
}

/// A convolution in groups of one filter each.
fn filters(n: usize, shape: [usize; 3], window: Window) -> Layer {
    let (kernel, padding) = (window.kernel, Pair::square(0));
    if !RowConv2d::has_kernels_for(kernel, padding) {
        return Layer::Conv2d(Conv2d::new(shape, n, n, window));
    }
    let [channels, height, width] = shape;
    Layer::RowConv2d(RowConv2d { groups: n, channels: channels / n, height, width, kernel, padding })
}
