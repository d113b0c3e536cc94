//! Each layer as its formula says.

use spec::{LayerSpec, PadSpec, RbfSpec};

use super::tape::Var;
use super::{Context, Map};

impl Context {
    /// The layer's output for every sample; `inputs` are its inputs, each for every sample.
    pub(super) fn layer(&mut self, layer: &LayerSpec, inputs: &[Vec<Map>]) -> Vec<Map> {
        let xs = &inputs[0];
        let plane = xs[0].shape[1] * xs[0].shape[2];
        match layer {
            LayerSpec::Conv2d(conv) => self.conv2d(conv, xs),
            LayerSpec::PartialConv2d(conv) => self.partial_conv2d(conv, xs),
            LayerSpec::Linear(linear) => self.linear(linear.out_features, linear.bias, xs),
            LayerSpec::BatchNorm2d(norm) => self.batch_norm2d(norm, xs),
            LayerSpec::LayerNorm(norm) => self.group_norm(1, norm.epsilon, 1, xs),
            LayerSpec::GroupNorm(norm) => self.group_norm(norm.groups, norm.epsilon, plane, xs),
            LayerSpec::Dropout(dropout) => self.dropout(dropout.p, 1, xs),
            LayerSpec::SpatialDropout(dropout) => self.dropout(dropout.p, plane, xs),
            LayerSpec::Subsample(subsample) => self.subsample(subsample, xs),
            LayerSpec::SqueezeExcite(block) => self.squeeze_excite(block.reduced, xs),
            LayerSpec::Add(merge) => self.merge(merge.pad, inputs, Self::add),
            LayerSpec::Multiply(merge) => self.merge(merge.pad, inputs, Self::multiply),
            LayerSpec::Concat(merge) => self.merge(merge.pad, inputs, Self::concat),
            _ => xs.iter().map(|x| self.sample(layer, x)).collect(),
        }
    }

    /// Layers without parameters that know one sample only.
    fn sample(&mut self, layer: &LayerSpec, x: &Map) -> Map {
        match layer {
            LayerSpec::Relu => self.each(x, |cx, x| cx.rectifier(x, 0.0)),
            LayerSpec::LeakyRelu(leaky) => self.each(x, |cx, x| cx.rectifier(x, leaky.slope)),
            LayerSpec::Sigmoid => self.each(x, Self::sigmoid),
            LayerSpec::Tanh => self.each(x, |cx, x| cx.tanh(x, 1.0, 1.0)),
            LayerSpec::ScaledTanh(tanh) => self.each(x, |cx, x| cx.tanh(x, tanh.amplitude, tanh.slope)),
            LayerSpec::Gelu => self.each(x, Self::gelu),
            LayerSpec::Silu => self.each(x, Self::silu),
            LayerSpec::HardSwish => self.each(x, Self::hard_swish),
            LayerSpec::MaxPool2d(pool) => self.max_pool2d(pool, x),
            LayerSpec::AvgPool2d(pool) => self.avg_pool2d(pool, x),
            LayerSpec::GlobalAvgPool => self.means(x),
            LayerSpec::Pad(pad) => self.pad(pad, x),
            LayerSpec::Flatten => flat(x.values.clone()),
            LayerSpec::Rbf(rbf) => self.rbf(rbf, x),
            other => panic!("{} is not a layer of one sample", other.kind()),
        }
    }

    fn linear(&mut self, n_outputs: usize, bias: bool, xs: &[Map]) -> Vec<Map> {
        let w = self.take(n_outputs * xs[0].values.len());
        let b = self.take(if bias { n_outputs } else { 0 });
        let mut ys = vec![];
        for x in xs {
            let mut values = vec![];
            for (o, w) in w.chunks(x.values.len()).enumerate() {
                let mut sum = b.get(o).copied().unwrap_or_else(|| self.tape.leaf(0.0));
                for (&w, &x) in w.iter().zip(&x.values) {
                    sum = self.tape.mul_add(w, x, sum);
                }
                values.push(sum);
            }
            ys.push(flat(values));
        }
        ys
    }

    fn rbf(&mut self, rbf: &RbfSpec, x: &Map) -> Map {
        let mut values = vec![];
        for code in rbf.signs() {
            let mut squares = vec![];
            for (&x, c) in x.values.iter().zip(code) {
                let code = self.tape.leaf(c);
                let difference = self.tape.sub(x, code);
                squares.push(self.tape.mul(difference, difference));
            }
            let distance = self.tape.sum(squares);
            values.push(self.tape.scale(distance, -1.0));
        }
        flat(values)
    }

    /// The mean of each channel.
    fn means(&mut self, x: &Map) -> Map {
        let [channels, height, width] = x.shape;
        let plane = height * width;
        let mut values = vec![];
        for channel in x.values.chunks(plane) {
            let sum = self.tape.sum(channel.iter().copied());
            values.push(self.tape.scale(sum, 1.0 / plane as f64));
        }
        Map { shape: [channels, 1, 1], values }
    }

    fn squeeze_excite(&mut self, reduced: usize, xs: &[Map]) -> Vec<Map> {
        let means: Vec<_> = xs.iter().map(|x| self.means(x)).collect();
        let squeezed = self.linear(reduced, true, &means);
        let squeezed: Vec<_> = squeezed.iter().map(|x| self.each(x, |cx, x| cx.rectifier(x, 0.0))).collect();
        let excited = self.linear(xs[0].shape[0], true, &squeezed);
        let mut ys = vec![];
        for (x, scales) in xs.iter().zip(&excited) {
            let scales = self.each(scales, Self::sigmoid);
            ys.push(self.multiply(&[x.clone(), scales]));
        }
        ys
    }

    fn pad(&mut self, pad: &PadSpec, x: &Map) -> Map {
        let [channels, height, width] = x.shape;
        let shape = [channels, pad.top + height + pad.bottom, pad.left + width + pad.right];
        let border = self.tape.leaf(pad.value);
        let mut values = vec![border; shape.iter().product()];
        for (i, &x) in x.values.iter().enumerate() {
            let (c, r, q) = (i / width / height, i / width % height, i % width);
            values[(c * shape[1] + r + pad.top) * shape[2] + q + pad.left] = x;
        }
        Map { shape, values }
    }

    /// The inputs sample by sample; with `pad` all as large as the largest first.
    fn merge(&mut self, pad: bool, inputs: &[Vec<Map>], of: fn(&mut Self, &[Map]) -> Map) -> Vec<Map> {
        let largest = |axis: usize| inputs.iter().map(|xs| xs[0].shape[axis]).max().unwrap();
        let (height, width) = (largest(1), largest(2));
        let mut ys = vec![];
        for sample in 0..inputs[0].len() {
            let mut xs: Vec<_> = inputs.iter().map(|xs| xs[sample].clone()).collect();
            for x in xs.iter_mut().filter(|_| pad) {
                let [rows, columns] = [height - x.shape[1], width - x.shape[2]];
                let (top, left) = (rows / 2, columns / 2);
                let border = PadSpec { top, bottom: rows - top, left, right: columns - left, value: 0.0 };
                *x = self.pad(&border, x);
            }
            ys.push(of(self, &xs));
        }
        ys
    }

    fn add(&mut self, xs: &[Map]) -> Map {
        let values = (0..xs[0].values.len()).map(|i| self.tape.sum(xs.iter().map(|x| x.values[i]))).collect();
        Map { shape: xs[0].shape, values }
    }

    /// One number of a channel counts for all its rows and columns.
    fn multiply(&mut self, xs: &[Map]) -> Map {
        let shape = xs.iter().max_by_key(|x| x.values.len()).unwrap().shape;
        let plane = shape[1] * shape[2];
        let mut values = vec![];
        for i in 0..shape.iter().product() {
            let one = self.tape.leaf(1.0);
            let factor = |x: &Map| x.values[if x.shape == shape { i } else { i / plane }];
            values.push(xs.iter().fold(one, |product, x| self.tape.mul(product, factor(x))));
        }
        Map { shape, values }
    }

    fn concat(&mut self, xs: &[Map]) -> Map {
        let channels = xs.iter().map(|x| x.shape[0]).sum();
        let values = xs.iter().flat_map(|x| x.values.iter().copied()).collect();
        Map { shape: [channels, xs[0].shape[1], xs[0].shape[2]], values }
    }
}

fn flat(values: Vec<Var>) -> Map {
    Map { shape: [values.len(), 1, 1], values }
}
