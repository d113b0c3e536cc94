//! A network computed the plain way, in f64, one sample at a time, from its specification alone: no plan, no
//! lanes, no tiles, no rewriting. The engine is held against it.

use std::collections::BTreeMap;

use spec::{LayerSpec, NetworkSpec, Pair};

/// A tensor of one sample.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub(crate) shape: [usize; 3],
    pub(crate) values: Vec<f64>,
}

impl Map {
    fn zero(shape: [usize; 3]) -> Self {
        Self { shape, values: vec![0.0; shape.iter().product()] }
    }

    /// The value at row `r` and column `q`, which may lie outside: 0 there.
    fn padded(&self, c: usize, r: isize, q: isize) -> Option<usize> {
        let [_, h, w] = self.shape;
        let inside = r >= 0 && q >= 0 && (r as usize) < h && (q as usize) < w;
        inside.then(|| (c * h + r as usize) * w + q as usize)
    }
}

/// What one sample gives: its loss, the logits and the gradients of that loss.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) loss: f64,
    pub(crate) logits: Vec<f64>,
    pub(crate) d_input: Vec<f64>,
    pub(crate) d_params: Vec<f64>,
}

/// Parameters of each node, in order: (first weight, number of weights, number of biases).
fn parameter_places(spec: &NetworkSpec, shapes: &[[usize; 3]]) -> Vec<(usize, usize, usize)> {
    let mut next = 0;
    let places = spec.nodes.iter().enumerate().map(|(idx, node)| {
        let input = shapes[sources(spec, idx)[0]];
        let (n_w, n_b) = match &node.layer {
            LayerSpec::Conv2d(c) => (c.out_channels * input[0] * c.kernel.h * c.kernel.w, c.out_channels),
            LayerSpec::Linear(l) => (l.out_features * input.iter().product::<usize>(), l.out_features),
            _ => (0, 0),
        };
        next += n_w + n_b;
        (next - n_w - n_b, n_w, n_b)
    });
    places.collect()
}

/// The values that a node reads: 0 is the input, 1 + i is node i.
fn sources(spec: &NetworkSpec, idx: usize) -> Vec<usize> {
    let mut known: BTreeMap<String, usize> = BTreeMap::from([("input".into(), 0)]);
    for (i, node) in spec.nodes[..idx].iter().enumerate() {
        known.insert(node.name.clone().unwrap_or_else(|| i.to_string()), i + 1);
    }
    match &spec.nodes[idx].inputs {
        None => vec![idx],
        Some(names) => names.iter().map(|name| known[name]).collect(),
    }
}

pub(crate) fn run(spec: &NetworkSpec, params: &[f64], input: &[f64], label: usize) -> Sample {
    let mut values = vec![Map { shape: spec.input, values: input.to_vec() }];
    let mut shapes = vec![spec.input];
    for idx in 0..spec.nodes.len() {
        let (first, n_w, n_b) = *parameter_places_so_far(spec, &shapes, idx).last().unwrap();
        let (w, b) = params[first..first + n_w + n_b].split_at(n_w);
        let inputs: Vec<&Map> = sources(spec, idx).iter().map(|&i| &values[i]).collect();
        let y = forward(&spec.nodes[idx].layer, &inputs, w, b);
        shapes.push(y.shape);
        values.push(y);
    }
    let logits = values.last().unwrap().values.clone();
    let (loss, d_logits) = cross_entropy(&logits, label);
    let places = parameter_places(spec, &shapes);
    let mut d_values: Vec<Map> = shapes.iter().map(|&shape| Map::zero(shape)).collect();
    d_values.last_mut().unwrap().values = d_logits;
    let mut d_params = vec![0.0; params.len()];
    for idx in (0..spec.nodes.len()).rev() {
        let (first, n_w, n_b) = places[idx];
        let dy = d_values[idx + 1].clone();
        let from = sources(spec, idx);
        let (dw, db) = d_params[first..first + n_w + n_b].split_at_mut(n_w);
        let dx = backward(&spec.nodes[idx].layer, &values[from[0]], &dy, &params[first..first + n_w], dw, db);
        for &i in &from {
            for (sum, dx) in d_values[i].values.iter_mut().zip(&dx) {
                *sum += dx;
            }
        }
    }
    Sample { loss, logits, d_input: d_values.swap_remove(0).values, d_params }
}

fn parameter_places_so_far(
    spec: &NetworkSpec,
    shapes: &[[usize; 3]],
    idx: usize,
) -> Vec<(usize, usize, usize)> {
    let part = NetworkSpec { nodes: spec.nodes[..=idx].to_vec(), ..spec.clone() };
    parameter_places(&part, shapes)
}

fn cross_entropy(z: &[f64], label: usize) -> (f64, Vec<f64>) {
    let max = z.iter().fold(f64::MIN, |a, &b| a.max(b));
    let sum: f64 = z.iter().map(|z| (z - max).exp()).sum();
    let d = z.iter().enumerate().map(|(k, z)| (z - max).exp() / sum - f64::from(u8::from(k == label)));
    (sum.ln() + max - z[label], d.collect())
}

fn forward(layer: &LayerSpec, inputs: &[&Map], w: &[f64], b: &[f64]) -> Map {
    let x = inputs[0];
    let [c, h, width] = x.shape;
    let each =
        |f: &dyn Fn(f64) -> f64| Map { shape: x.shape, values: x.values.iter().map(|&v| f(v)).collect() };
    match layer {
        LayerSpec::Conv2d(conv) => {
            let mut y = Map::zero([
                conv.out_channels,
                out(h, conv.kernel.h, conv.stride.h, conv.padding.h),
                out(width, conv.kernel.w, conv.stride.w, conv.padding.w),
            ]);
            let positions = windows(y.shape, c, conv.kernel, conv.stride, conv.padding);
            for (o, t, r, q, at) in positions {
                if let Some(i) = x.padded(at, r, q) {
                    y.values[o] += w[t] * x.values[i];
                }
            }
            let plane = y.shape[1] * y.shape[2];
            y.values.iter_mut().enumerate().for_each(|(o, v)| *v += b[o / plane]);
            y
        }
        LayerSpec::Linear(linear) => {
            let dot = |o: usize| {
                b[o] + x.values.iter().enumerate().map(|(i, v)| w[o * x.values.len() + i] * v).sum::<f64>()
            };
            Map { shape: [linear.out_features, 1, 1], values: (0..linear.out_features).map(dot).collect() }
        }
        LayerSpec::LeakyRelu(leaky) => each(&|v| if v > 0.0 { v } else { leaky.slope * v }),
        LayerSpec::Relu => each(&|v| if v > 0.0 { v } else { 0.0 }),
        LayerSpec::MaxPool2d(pool) => {
            let stride = pool.stride.unwrap_or(pool.kernel);
            let shape = [c, out(h, pool.kernel.h, stride.h, 0), out(width, pool.kernel.w, stride.w, 0)];
            let values = winners(x, shape, pool.kernel, stride).into_iter().map(|i| x.values[i]).collect();
            Map { shape, values }
        }
        LayerSpec::Flatten => Map { shape: [x.values.len(), 1, 1], values: x.values.clone() },
        LayerSpec::Add(_) => {
            let sum = |i: usize| inputs.iter().map(|input| input.values[i]).sum();
            Map { shape: x.shape, values: (0..x.values.len()).map(sum).collect() }
        }
        other => panic!("no reference for {}", other.kind()),
    }
}

fn backward(layer: &LayerSpec, x: &Map, dy: &Map, w: &[f64], dw: &mut [f64], db: &mut [f64]) -> Vec<f64> {
    let mut dx = vec![0.0; x.values.len()];
    match layer {
        LayerSpec::Conv2d(conv) => {
            let plane = dy.shape[1] * dy.shape[2];
            for (o, t, r, q, at) in windows(dy.shape, x.shape[0], conv.kernel, conv.stride, conv.padding) {
                if let Some(i) = x.padded(at, r, q) {
                    dw[t] += dy.values[o] * x.values[i];
                    dx[i] += dy.values[o] * w[t];
                }
            }
            dy.values.iter().enumerate().for_each(|(o, d)| db[o / plane] += d);
        }
        LayerSpec::Linear(_) => {
            for (o, &d) in dy.values.iter().enumerate() {
                db[o] += d;
                for i in 0..dx.len() {
                    dw[o * dx.len() + i] += d * x.values[i];
                    dx[i] += d * w[o * x.values.len() + i];
                }
            }
        }
        LayerSpec::LeakyRelu(leaky) => rectify(x, dy, leaky.slope, &mut dx),
        LayerSpec::Relu => rectify(x, dy, 0.0, &mut dx),
        LayerSpec::MaxPool2d(pool) => {
            let all = winners(x, dy.shape, pool.kernel, pool.stride.unwrap_or(pool.kernel));
            for (i, d) in all.into_iter().zip(&dy.values) {
                dx[i] += d;
            }
        }
        LayerSpec::Flatten | LayerSpec::Add(_) => dx.copy_from_slice(&dy.values),
        other => panic!("no reference for {}", other.kind()),
    }
    dx
}

fn rectify(x: &Map, dy: &Map, slope: f64, dx: &mut [f64]) {
    for (i, d) in dx.iter_mut().enumerate() {
        *d = if x.values[i] > 0.0 { dy.values[i] } else { slope * dy.values[i] };
    }
}

fn out(len: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    (len + 2 * padding - kernel) / stride + 1
}

/// Every multiplication of a convolution: (output, weight, input row, input column, input channel).
fn windows(
    y: [usize; 3],
    channels: usize,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
) -> Vec<(usize, usize, isize, isize, usize)> {
    let mut all = Vec::new();
    for oc in 0..y[0] {
        for r in 0..y[1] {
            for q in 0..y[2] {
                for c in 0..channels {
                    for kh in 0..kernel.h {
                        for kw in 0..kernel.w {
                            let output = (oc * y[1] + r) * y[2] + q;
                            let weight = ((oc * channels + c) * kernel.h + kh) * kernel.w + kw;
                            let row = (r * stride.h + kh) as isize - padding.h as isize;
                            let column = (q * stride.w + kw) as isize - padding.w as isize;
                            all.push((output, weight, row, column, c));
                        }
                    }
                }
            }
        }
    }
    all
}

/// For every output of a pooling, the index of the first largest input of its window.
fn winners(x: &Map, y: [usize; 3], kernel: Pair, stride: Pair) -> Vec<usize> {
    let mut all = Vec::new();
    for c in 0..y[0] {
        for r in 0..y[1] {
            for q in 0..y[2] {
                let mut best = x.padded(c, (r * stride.h) as isize, (q * stride.w) as isize).unwrap();
                for kh in 0..kernel.h {
                    for kw in 0..kernel.w {
                        let at =
                            x.padded(c, (r * stride.h + kh) as isize, (q * stride.w + kw) as isize).unwrap();
                        if x.values[at] > x.values[best] {
                            best = at;
                        }
                    }
                }
                all.push(best);
            }
        }
    }
    all
}
